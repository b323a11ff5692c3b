/*
 * log_tail.h: reads a log that grows and is rotated under the reader, and goes on where it stopped.
 *
 * Rotation by renaming (logrotate's create, and dates in names) and by copying and truncating are
 * followed: what a predecessor "NAME.1", "NAME-20261123" still has is read first. Compressed ones
 * are not looked into.
 */
#ifndef BACKSTOP_CMD_LOG_TAIL_H
#define BACKSTOP_CMD_LOG_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "cmd/lines.h"

#define LOG_HEAD_MAX 1024 /* bytes at the begin of a file by which it is known again */
#define LOG_HASH_SIZE 32

/* Where reading stopped: in which file, and how far. */
struct log_place {
	uint64_t device, inode;
	uint64_t offset;			/* behind the last line that was handed out */
	uint32_t head_size;			/* of the bytes that head_hash is about */
	unsigned char head_hash[LOG_HASH_SIZE]; /* SHA-256 */
};

struct log_tail;

/* Opens the log at path, at place or, where that is NULL, at its begin. STATUS_NO_INPUT or
 * STATUS_PERMISSION, with errno, when there is nothing to read. Closed with the context. */
enum status log_tail_open(const void *context, const char *path, const struct log_place *place,
	struct log_tail **tail_out);

/* STATUS_OK with a line; STATUS_NOT_FOUND when there is no whole line at present: the next call
 * looks again, also for a new file under the name; STATUS_IO. */
enum status log_tail_next(struct log_tail *tail, struct line *line_out);

/* Behind the last line. */
void log_tail_place(const struct log_tail *tail, struct log_place *place_out);

/* True, once, after something between two lines could not be found: the file that the place is in
 * is gone, or was cut. */
bool log_tail_take_gap(struct log_tail *tail);

/* After a gap: the youngest rotated file that is compressed, where the missing lines may be; lent.
 * NULL: there is none. */
const char *log_tail_compressed(const struct log_tail *tail);

/* When the file was last written, sampled before the last lines of it were read. 0: not known. */
int64_t log_tail_written(const struct log_tail *tail);

/* For progress: of the file that is being read. */
uint64_t log_tail_offset(const struct log_tail *tail);
uint64_t log_tail_size(const struct log_tail *tail);

#endif
