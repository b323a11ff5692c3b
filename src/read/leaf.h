/* leaf.h: the content of one part of a message; internal to read/. */
#ifndef BACKSTOP_READ_LEAF_H
#define BACKSTOP_READ_LEAF_H

#include <stdbool.h>

#include "base/bytes.h"

/* A leaf as its header describes it. */
struct leaf {
	struct bytes encoded; /* as it stands in the message */
	int encoding;	      /* GMime's number for the transfer encoding */
	const char *charset;  /* declared, or NULL */
};

/* Undoes the transfer encoding, also one that was not declared. At most PART_CONTENT_MAX bytes are
 * kept; is_cut_out: there are more. On context, or lent from the message. */
struct bytes leaf_decode(const void *context, const struct leaf *leaf, bool *is_cut_out);

/* Text to UTF-8. A charset that iconv does not know is guessed; bytes that are not in it leave the
 * text as it is: whoever prints it cleans it. On context, or text itself. */
struct bytes leaf_convert(const void *context, const char *declared, struct bytes text);

#endif
