/*
 * roster_file.h: the file that lists the members of a mailing list, one a line, as list managers
 * and people write it:
 *
 *   ann@example.net
 *   "Bird, Bob" <bob@example.net>
 *   carl@example.net (digest)
 *   # a comment
 *
 * UTF-8 with or without a byte order mark, lines end in LF or CR LF, in any order.
 */
#ifndef BACKSTOP_BASE_ROSTER_FILE_H
#define BACKSTOP_BASE_ROSTER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define ROSTER_LINE_MAX 4096 /* bytes; a longer line is no address */

/* By what a file is known to be the one that was read. */
struct roster_stamp {
	uint64_t size;
	uint64_t inode;
	int64_t changed_ns; /* mtime, since 1970 */
};

bool roster_stamp_equal(const struct roster_stamp *a, const struct roster_stamp *b);

/* Looks, without reading. STATUS_NO_INPUT and the like; STATUS_DATA when it is no plain file.
 * why_out: a phrase, static, of what is not STATUS_OK. */
enum status roster_file_look(
	const char *path, struct roster_stamp *stamp_out, const char **why_out);

struct roster_figures {
	uint64_t addresses;   /* lines with one */
	uint64_t wrong;	      /* lines that are neither an address nor a comment nor blank */
	uint64_t first_wrong; /* the number of the first of these; 0: none */
};

/* Lent a normalised address. A value other than STATUS_OK ends the reading. */
typedef enum status roster_visitor(void *argument, const char *address);

/* Reads all lines. STATUS_DATA when the file changed meanwhile: what was visited is then not to be
 * relied on. Never waits for a FIFO. stamp_out: of what was read; why_out as above. */
enum status roster_file_read(const char *path, roster_visitor *visitor, void *argument,
	struct roster_stamp *stamp_out, struct roster_figures *figures_out, const char **why_out);

/* The address of one line, normalised, on context. NULL when there is none; is_blank_out: and none
 * was meant. */
char *roster_line_address(const void *context, const char *line, size_t size, bool *is_blank_out);

#endif
