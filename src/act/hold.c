/*
 * hold.c: messages that are kept apart, in the Maildir STATE/held, in gzip format (NAME.gz).
 *
 * In charge of the files; leaves the records that name them to state/. The file is written before
 * its record and removed after it, so that a kill leaves a file too many and never a record without
 * its message; hold_sweep finds those files. What older versions left there is not compressed, and
 * is read all the same.
 */
#include "act/act.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/gzip.h"
#include "base/memory.h"
#include "maildir/maildir.h"

#define SUFFIX ".gz"
#define BLOCK_SIZE 4096 /* a file takes whole ones; what ext4, XFS and Btrfs use */

static char *held_path(const void *context, const char *state_directory)
{
	return mem_printf(context, "%s/held", state_directory);
}

static int give_packed(void *argument, struct maildir_piece *piece_out)
{
	struct gzip_packer *packer = argument;
	struct bytes piece;

	if (piece_out == NULL) {
		gzip_rewind(packer);
		return 0;
	}
	piece = gzip_next(packer);
	*piece_out = (struct maildir_piece){piece.data, piece.size};
	return 0;
}

enum status hold_keep(const void *context, const char *state_directory, struct bytes original,
	char **file_out, const char **error_out)
{
	const char *path = held_path(context, state_directory);
	struct gzip_packer *packer = gzip_pack(context, original);
	char name[MAILDIR_NAME_MAX] = "";
	int error = packer == NULL ? ENOMEM
				   : maildir_deliver_from(path, SUFFIX, give_packed, packer, name);

	mem_free(packer);
	if (error != 0) {
		*error_out = mem_printf(
			context, "cannot deliver into Maildir %s: %s", path, strerror(error));
		return status_from_errno(error);
	}
	*file_out = mem_strdup(context, name);
	return STATUS_OK;
}

uint64_t hold_stored(const char *state_directory, const char *file)
{
	char *path = mem_printf(NULL, "%s/held/new/%s", state_directory, file);
	struct stat about;
	uint64_t size = stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;

	mem_free(path);
	return (size + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;
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

static int read_plain(
	const void *context, const char *path, const char *file, struct bytes *bytes_out)
{
	struct holder *holder = mem_new(context, struct holder);
	size_t size = 0;
	int error;

	talloc_set_destructor(holder, release_holder);
	error = maildir_read(path, file, &holder->data, &size);
	if (error == 0)
		*bytes_out = (struct bytes){holder->data, size};
	return error;
}

static bool is_compressed(const char *name)
{
	size_t size = strcspn(name, ":");

	return size > strlen(SUFFIX) &&
	       strncmp(name + size - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) == 0;
}

/* A host's name may end in ".gz", too, and older versions did not compress: so the bytes are asked
 * as well. */
static int read_message(
	const void *context, const char *path, const char *file, struct bytes *bytes_out)
{
	bool is_gzip = false;
	int packed = -1;
	int error;

	if (!is_compressed(file))
		return read_plain(context, path, file, bytes_out);
	error = maildir_open(path, file, &packed);
	if (error != 0)
		return error;
	error = gzip_ask(packed, &is_gzip);
	if (error == 0)
		error = is_gzip ? gzip_unpack(context, packed, bytes_out)
				: read_plain(context, path, file, bytes_out);
	close(packed);
	return error;
}

enum status hold_read(const void *context, const char *state_directory, const char *file,
	struct bytes *bytes_out, const char **error_out)
{
	char *path = held_path(context, state_directory);
	int error = read_message(context, path, file, bytes_out);

	if (error != 0) {
		*error_out = mem_printf(context, "cannot read the message in %s: %s", path,
			error == EBADMSG ? "its file is damaged" : strerror(error));
		return error == EBADMSG ? STATUS_DATA : status_from_errno(error);
	}
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
static int move_away(const struct sweep *sweep, const char *full_path, const char *name)
{
	void *context = mem_context(NULL, "unclaimed");
	const char *unclaimed = mem_printf(context, "%s/../unclaimed", sweep->path);
	struct bytes message = {NULL, 0};
	int error = read_message(context, sweep->path, name, &message);

	if (error == 0) {
		const struct maildir_piece piece = {message.data, message.size};

		error = maildir_deliver(unclaimed, &piece, 1, NULL);
		if (error == 0)
			error = maildir_remove(sweep->path, name);
	} else if (error == EBADMSG) { /* what is left of it, as it is */
		error = maildir_create(unclaimed);
		if (error == 0 &&
			rename(full_path, mem_printf(context, "%s/new/%s", unclaimed, name)) != 0)
			error = errno;
	}
	mem_free(context);
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
	error = move_away(sweep, full_path, base);
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
