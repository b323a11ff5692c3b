/*
 * hold.c: messages that are kept apart, in the Maildir STATE/held.
 *
 * In charge of the files; leaves the records that name them to state/. The file is written before
 * its record and removed after it, so that a kill leaves a file too many and never a record without
 * its message; hold_sweep finds those files.
 */
#include "act/act.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "maildir/maildir.h"

static char *held_path(const void *context, const char *state_directory)
{
	return mem_printf(context, "%s/held", state_directory);
}

enum status hold_keep(const void *context, const char *state_directory, struct bytes original,
	char **file_out, const char **error_out)
{
	return file_deliver(
		context, held_path(context, state_directory), original, file_out, error_out);
}

/* Ties what maildir_read has allocated to a context: a copy would double the memory of a large
 * message. */
struct holder {
	unsigned char *data;
};

static int release_holder(struct holder *holder)
{
	free(holder->data);
	return 0;
}

enum status hold_read(const void *context, const char *state_directory, const char *file,
	struct bytes *bytes_out, const char **error_out)
{
	struct holder *holder = mem_new(context, struct holder);
	char *path = held_path(context, state_directory);
	size_t size = 0;
	int error;

	talloc_set_destructor(holder, release_holder);
	error = maildir_read(path, file, &holder->data, &size);
	if (error != 0) {
		*error_out = mem_printf(
			context, "cannot read the message in %s: %s", path, strerror(error));
		return status_from_errno(error);
	}
	*bytes_out = (struct bytes){holder->data, size};
	return STATUS_OK;
}

enum status hold_remove(const char *state_directory, const char *file)
{
	char *path = held_path(NULL, state_directory);
	int error = maildir_remove(path, file);

	mem_free(path);
	return error == 0 ? STATUS_OK : status_from_errno(error);
}

struct sweep {
	const char *path;
	int64_t before_s;
	hold_is_known *is_known;
	void *argument;
	uint64_t removed;
	int error; /* the first one */
};

/* Into STATE/unclaimed: a state that was restored from a copy names none of what was held since,
 * and that may be genuine mail. */
static int move_away(const struct sweep *sweep, const char *name)
{
	char *unclaimed = mem_printf(NULL, "%s/../unclaimed", sweep->path);
	struct maildir_piece piece = {NULL, 0};
	unsigned char *data = NULL;
	int error = maildir_read(sweep->path, name, &data, &piece.size);

	piece.data = data;
	if (error == 0)
		error = maildir_deliver(unclaimed, &piece, 1, NULL);
	if (error == 0)
		error = maildir_remove(sweep->path, name);
	free(data);
	mem_free(unclaimed);
	return error;
}

static int sweep_file(void *argument, const char *full_path, const char *name)
{
	struct sweep *sweep = argument;
	char base[MAILDIR_NAME_MAX] = "";
	struct stat file;
	int error;

	/* A mail reader may have put flags behind the name that the record has. */
	memccpy(base, name, ':', sizeof base - 1);
	base[strcspn(base, ":")] = '\0';
	if (lstat(full_path, &file) != 0 || file.st_mtime >= sweep->before_s ||
		sweep->is_known(sweep->argument, base))
		return 0;
	error = move_away(sweep, base);
	if (error == 0)
		sweep->removed++;
	else if (error != ENOENT && sweep->error == 0)
		sweep->error = error;
	return 0;
}

enum status hold_sweep(const char *state_directory, int64_t before_s, hold_is_known *is_known,
	void *argument, uint64_t *removed_out)
{
	char *path = held_path(NULL, state_directory);
	struct sweep sweep = {
		.path = path, .before_s = before_s, .is_known = is_known, .argument = argument};
	int error = maildir_walk(path, sweep_file, &sweep);

	mem_free(path);
	*removed_out = sweep.removed;
	if (error == ENOENT) /* nothing was ever held */
		error = 0;
	if (error == 0)
		error = sweep.error;
	return error == 0 ? STATUS_OK : status_from_errno(error);
}
