/*
 * copy.c: a copy of the database while others write.
 *
 * LMDB writes it from one snapshot and leaves free pages out. In charge of what LMDB leaves open:
 * that the copy is on disk, and that a copy that was cut short is not taken for one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/box.h"
#include "state/dump.h"

enum { COPY_FOLDER_MODE = 0770, COPY_MODE = 0660, TRIES = 4 };

static enum status fail(
	const void *context, int error, const char *verb, const char *path, const char **error_out)
{
	*error_out = mem_printf(context, "cannot %s %s: %s", verb, path, mdb_strerror(error));
	return box_status(error);
}

static enum status fail_there(
	const void *context, const char *path, const char *advice, const char **error_out)
{
	*error_out = mem_printf(context, "%s is there: %s", path, advice);
	return box_status(EEXIST);
}

static int do_nothing(struct state *state, MDB_txn *transaction, void *argument)
{
	(void)state;
	(void)transaction;
	(void)argument;
	return MDB_SUCCESS;
}

/* Any transaction of ours follows a map that others grew; LMDB's own, in here, does not. */
static int copy_to(struct state *state, int file)
{
	int code = MDB_MAP_RESIZED;

	for (int i = 0; i < TRIES && code == MDB_MAP_RESIZED; i++) {
		box_read(state, do_nothing, NULL);
		code = mdb_env_copyfd2(state->env, file, MDB_CP_COMPACT);
	}
	return code;
}

/* 0, or an errno or LMDB's code. */
static int write_copy(struct state *state, const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, COPY_MODE);
	int code;

	if (file < 0)
		return errno;
	code = copy_to(state, file);
	if (code == MDB_SUCCESS && fsync(file) != 0)
		code = errno;
	if (close(file) != 0 && code == MDB_SUCCESS)
		code = errno;
	return code;
}

static int sync_folder(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = folder >= 0 && fsync(folder) == 0 ? 0 : errno;

	if (folder >= 0)
		close(folder);
	return code;
}

enum status state_copy(
	const void *context, struct state *state, const char *target, const char **error_out)
{
	const char *path = mem_printf(context, "%s/data.mdb", target);
	const char *unfinished = mem_printf(context, "%s/data.mdb.part", target);
	int code;

	if (!box_is_usable(state))
		return fail(context, MDB_BAD_TXN, "use", state->directory, error_out);
	if (mkdir(target, COPY_FOLDER_MODE) != 0 && errno != EEXIST)
		return fail(context, errno, "create", target, error_out);
	if (access(path, F_OK) == 0)
		return fail_there(context, path,
			"no copy is written over; name another folder, or move it away", error_out);
	code = write_copy(state, unfinished);
	/* Of another run, which may be at work on it. */
	if (code == EEXIST)
		return fail_there(context, unfinished,
			"another copy is being written; or one was ended half-way: then remove it",
			error_out);
	if (code != MDB_SUCCESS) {
		unlink(unfinished);
		return fail(context, code, "write", unfinished, error_out);
	}
	if (rename(unfinished, path) != 0)
		return fail(context, errno, "rename", unfinished, error_out);
	code = sync_folder(target);
	return code == 0 ? STATUS_OK : fail(context, code, "sync", target, error_out);
}
