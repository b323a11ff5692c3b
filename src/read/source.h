/*
 * source.h: messages out of files: .eml, mbox, Maildir, folders of these, standard input.
 */
#ifndef BACKSTOP_READ_SOURCE_H
#define BACKSTOP_READ_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define SOURCE_STDIN "-"

struct source_message {
	const char
		*source; /* the path as it was reached from the argument; "-" for standard input */
	size_t index;	 /* 1 for the first message of an mbox; 1 otherwise */
	struct bytes bytes;
	uint64_t file_offset; /* for progress: bytes of all files read so far */
};

typedef enum status source_visitor(void *argument, const struct source_message *message);

/* Calls visitor for each message below path, in order of name. Folders are walked down (not through
 * symbolic links); a Maildir's new/ and cur/ are read and its tmp/ is not; names that begin with
 * '.' are left out below a folder. A file that cannot be read: problem is called, the walk goes on,
 * and STATUS_NO_INPUT is returned at the end. A visitor's failure ends the walk. */
typedef void source_problem(void *argument, const char *path, const char *why);
enum status source_walk(
	const char *path, source_visitor *visitor, source_problem *problem, void *argument);

/* Bytes of all regular files below path, for a progress bar. 0 when unknown. */
uint64_t source_measure(const char *path);

/* Reads a descriptor to its end, into memory: the mail server has a size limit of its own, and one
 * that we would set could only make it bounce a bounce. STATUS_IO when reading fails. */
enum status source_read_all(const void *context, int descriptor, struct bytes *bytes_out);

/* A whole file, mapped; lives as long as context. */
enum status source_read_file(const void *context, const char *path, struct bytes *bytes_out);

#endif
