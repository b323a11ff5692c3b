/*
 * opening.h: one attempt to open the state: what it is about, its files, and what went wrong.
 * Inside src/state/ only.
 */
#ifndef BACKSTOP_STATE_OPENING_H
#define BACKSTOP_STATE_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"
#include "state/owner.h"
#include "state/state.h"

#define OPENING_READERS_MAX 510
#define OPENING_FILE_MODE 0660

/* Lives on `scratch`, but for state and error, which are the caller's. */
struct opening {
	const void *context;
	void *scratch;
	struct state_files files;
	enum state_access access;
	size_t initial_map_bytes; /* 0: the environment is there and knows its own */
	struct state *state;
	const char *error;
};

/* Sets the data and lock file in the directory that files has. */
void opening_name_files(struct opening *opening);

/* Each sets the error, a sentence on context, and returns the status: the one given, that of errno,
 * STATUS_PERMISSION. */
__attribute__((format(printf, 3, 4))) enum status opening_fail(
	struct opening *opening, enum status status, const char *format, ...);
enum status opening_fail_errno(struct opening *opening, const char *verb, const char *path);
enum status opening_fail_permission(struct opening *opening);

/* What fails sets the error. STATUS_PERMISSION when this is root and the state is another user's.
 */
enum status opening_check_owner(struct opening *opening);
/* The directory, made if missing and durable; not the one above it, which is STATUS_NO_INPUT. */
enum status opening_make_folder(struct opening *opening);
/* The lock file, in full, where there is none. */
enum status opening_make_lock_file(struct opening *opening);

/* 0, or -1 and errno. */
int opening_sync_folder(const char *path);
/* -1 when it is not there. */
off_t opening_file_size(const char *path);
/* True when a kill cut LMDB's first write, of two pages, behind the first: nothing is in it yet,
 * and no later opening could make anything of it. A file that is not LMDB's, or has seen a
 * transaction, is left alone. */
bool opening_is_half_created(const char *path);

#endif
