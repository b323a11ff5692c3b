/* key_file.h: the bytes of a file that holds secrets, and whether others may get at them. */
#ifndef BACKSTOP_BASE_KEY_FILE_H
#define BACKSTOP_BASE_KEY_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/status.h"

/* The bytes of a key file with a NUL behind them, and what it is. key_file_load makes it, whatever
 * that returns; key_file_release ends it. */
struct key_file {
	char *text;
	size_t size;
	struct stat about;
};

/* Reads the file, 64 KiB at most. Refuses with STATUS_PERMISSION one that others may read (mode &
 * 077 other than group read), a symbolic link, and, unless we are root, the file of another user
 * than us or root. error_out: a sentence for the user, on context. */
enum status key_file_load(
	const void *context, const char *path, struct key_file *file, const char **error_out);

/* Cleanses and frees the bytes. */
void key_file_release(struct key_file *file);

/* The status for errno, and "PATH: WHAT: REASON" in *error_out, on context. */
enum status key_file_fail(
	const void *context, const char *path, const char *what, const char **error_out);

#endif
