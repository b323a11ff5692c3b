/*
 * key_file.c: in charge of who may read a file of secrets. One that others may read is refused, not
 * warned about: whoever has the keys writes bounces that are genuine beyond doubt.
 */
#include "base/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define FILE_MAX (64 * 1024)
#define FORBIDDEN_BITS 037 /* all but the owner's and group read */

void key_file_release(struct key_file *file)
{
	if (file->text != NULL)
		explicit_bzero(file->text, file->size);
	mem_free(file->text);
	file->text = NULL;
}

enum status key_file_fail(
	const void *context, const char *path, const char *what, const char **error_out)
{
	int error = errno;

	*error_out = mem_printf(context, "%s: %s: %s", path, what, strerror(error));
	return status_from_errno(error);
}

static enum status read_bytes(int fd, char *text, size_t room, size_t *size_out)
{
	*size_out = 0;
	while (*size_out < room) {
		ssize_t got = read(fd, text + *size_out, room - *size_out);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return STATUS_IO;
		if (got == 0)
			break;
		*size_out += (size_t)got;
	}
	return STATUS_OK;
}

/* What makes the open file unfit for secrets, as a sentence; NULL when nothing does. */
static const char *find_weakness(const void *context, const char *path, const struct stat *about)
{
	uid_t self = geteuid();

	if (!S_ISREG(about->st_mode))
		return mem_printf(context, "%s: want a file", path);
	if (about->st_mode & 07 & FORBIDDEN_BITS)
		return mem_printf(context, "%s: others may use it; run: chmod o= %s", path, path);
	if (about->st_mode & FORBIDDEN_BITS)
		return mem_printf(
			context, "%s: its group may change it; run: chmod g=r %s", path, path);
	if (self != 0 && about->st_uid != 0 && about->st_uid != self)
		return mem_printf(
			context, "%s: belongs to another user; run: chown root %s", path, path);
	return NULL;
}

static enum status load_open(const void *context, const char *path, int fd, struct key_file *file,
	const char **error_out)
{
	if (fstat(fd, &file->about) != 0)
		return key_file_fail(context, path, "cannot be read", error_out);
	*error_out = find_weakness(context, path, &file->about);
	if (*error_out != NULL)
		return STATUS_PERMISSION;
	file->text = mem_alloc(context, FILE_MAX + 2);
	if (read_bytes(fd, file->text, FILE_MAX + 1, &file->size) != STATUS_OK)
		return key_file_fail(context, path, "cannot be read", error_out);
	if (file->size <= FILE_MAX)
		return STATUS_OK;
	*error_out = mem_printf(context, "%s: is larger than 64 KiB", path);
	return STATUS_DATA;
}

/* O_NOFOLLOW: what is judged must be the file that the administrator sees under this name.
 * O_NONBLOCK: a FIFO must not make a delivery wait. */
enum status key_file_load(
	const void *context, const char *path, struct key_file *file, const char **error_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	enum status status;

	memset(file, 0, sizeof *file);
	if (fd < 0 && errno == ELOOP) {
		*error_out =
			mem_printf(context, "%s: is a symbolic link; name the file itself", path);
		return STATUS_PERMISSION;
	}
	if (fd < 0)
		return key_file_fail(context, path, "cannot be read", error_out);
	status = load_open(context, path, fd, file, error_out);
	close(fd);
	return status;
}
