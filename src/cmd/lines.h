/*
 * lines.h: a text file of any size, a line at a time, in memory of a fixed size. For files that
 * other programs write (logs, tables): lines may be too long or lack their end.
 */
#ifndef BACKSTOP_CMD_LINES_H
#define BACKSTOP_CMD_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define LINES_LENGTH_MAX (16 * 1024) /* bytes of one line; the rest is skipped */

struct lines;

struct line {
	struct bytes text; /* without its end (LF or CRLF); lent until the next call */
	uint64_t number;   /* 1 for the first */
	bool is_cut;	   /* longer than LINES_LENGTH_MAX */
};

/* "-" is standard input. STATUS_NO_INPUT or STATUS_PERMISSION when it cannot be opened, with errno
 * set. Closed with the context or by lines_close. */
enum status lines_open(const void *context, const char *path, struct lines **lines_out);
void lines_close(struct lines *lines);

/* Takes the open file over, from offset on, and closes it with the context. */
struct lines *lines_open_file(const void *context, int file, uint64_t offset);

/* The file is being written: a last line without its end is not handed out, STATUS_NOT_FOUND is
 * "not yet", and the next call looks again. false: no more, so that the last line counts as it is.
 */
void lines_set_growing(struct lines *lines, bool is_growing);

/* STATUS_OK with a line, STATUS_NOT_FOUND at the end, STATUS_IO. */
enum status lines_next(struct lines *lines, struct line *line_out);

/* How far it has come (behind the last line handed out), and the size of the file: 0 when it has
 * none (a pipe). */
uint64_t lines_offset(const struct lines *lines);
uint64_t lines_size(const struct lines *lines);

#endif
