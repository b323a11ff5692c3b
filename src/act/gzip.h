/* gzip.h: bytes to gzip format (RFC 1952) and back, in pieces; the only place that knows zlib. */
#ifndef BACKSTOP_ACT_GZIP_H
#define BACKSTOP_ACT_GZIP_H

#include <stdbool.h>

#include "base/bytes.h"

/* Compresses bytes that are there, in pieces that are made as they are asked for: about 300 KB of
 * memory, however large the message. The same bytes give the same result. */
struct gzip_packer;

/* On context; the bytes are lent as long as it lives. NULL without memory. */
struct gzip_packer *gzip_pack(const void *context, struct bytes original);
/* Back to the start. */
void gzip_rewind(struct gzip_packer *packer);
/* The next piece, lent until the next call; size 0: that was all. */
struct bytes gzip_next(struct gzip_packer *packer);

/* Whether the file, open at its start, begins as gzip does. Leaves it at its start. An errno value
 * when it cannot be read: then it is not known. */
int gzip_ask(int file, bool *is_gzip_out);

/* Reads a file of gzip format, open at its start. The bytes are on context. An errno value: EBADMSG
 * when it is cut or damaged (its checksum says so) or has 4 GiB or more, else what reading said. */
int gzip_unpack(const void *context, int file, struct bytes *bytes_out);

#endif
