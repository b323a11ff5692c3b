/*
 * opening.c: the state directory and its files, before LMDB sees them, and what went wrong in
 * words.
 *
 * In charge of a directory that is not there, of the lock file, and of a data file whose creation
 * was cut. Leaves the question whose files they are to owner.c, and LMDB to state.c. What may
 * surprise: the lock file is written in full before LMDB sees it, since LMDB maps it sparse, and on
 * a full disk the first touch of a missing block is a SIGBUS.
 */
#include "state/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum {
	/* two mutexes and OPENING_READERS_MAX slots of 64 bytes: exactly this */
	LOCK_FILE_BYTES = 32768,
	FOLDER_MODE = 0770
};

enum status opening_fail(struct opening *opening, enum status status, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = talloc_vasprintf(opening->context, format, arguments);
	va_end(arguments);
	opening->error = text != NULL ? text : "out of memory";
	return status;
}

enum status opening_fail_errno(struct opening *opening, const char *verb, const char *path)
{
	int error = errno;

	return opening_fail(
		opening, status_from_errno(error), "cannot %s %s: %s", verb, path, strerror(error));
}

enum status opening_check_owner(struct opening *opening)
{
	const char *error = owner_refuse_root(opening->context, &opening->files);

	if (error == NULL)
		return STATUS_OK;
	opening->error = error;
	return STATUS_PERMISSION;
}

enum status opening_fail_permission(struct opening *opening)
{
	opening->error = owner_explain_refusal(
		opening->context, &opening->files, opening->access == STATE_WRITE);
	return STATUS_PERMISSION;
}

int opening_sync_folder(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (descriptor < 0)
		return -1;
	result = fsync(descriptor);
	close(descriptor);
	return result;
}

enum status opening_make_folder(struct opening *opening)
{
	char *copy;

	if (mkdir(opening->files.directory, FOLDER_MODE) != 0) {
		if (errno == EEXIST)
			return STATUS_OK;
		if (errno == ENOENT)
			return opening_fail(opening, STATUS_NO_INPUT,
				"cannot create %s: the directory above it does not exist",
				opening->files.directory);
		return opening_fail_errno(opening, "create", opening->files.directory);
	}
	copy = mem_strdup(opening->scratch, opening->files.directory);
	if (opening_sync_folder(dirname(copy)) != 0 && errno != EACCES)
		return opening_fail_errno(
			opening, "sync the directory above", opening->files.directory);
	return STATUS_OK;
}

off_t opening_file_size(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_size : -1;
}

/* Only where there is none: a process that mapped a shorter one counts slots by that. Nothing of
 * this process has it open, so closing it drops none of LMDB's locks. */
enum status opening_make_lock_file(struct opening *opening)
{
	enum status status = STATUS_OK;
	int descriptor;

	if (opening_file_size(opening->files.lock) > 0)
		return STATUS_OK;
	descriptor = open(opening->files.lock, O_RDWR | O_CREAT | O_CLOEXEC, OPENING_FILE_MODE);
	if (descriptor < 0)
		return errno == EACCES ? opening_fail_permission(opening)
				       : opening_fail_errno(opening, "create", opening->files.lock);
	if (fallocate(descriptor, 0, 0, LOCK_FILE_BYTES) != 0 && errno != EOPNOTSUPP)
		status = opening_fail_errno(opening, "write", opening->files.lock);
	close(descriptor);
	return status;
}

bool opening_is_half_created(const char *path)
{
	/* LMDB's first page: a header, then MDB_meta with the magic first and the transaction last.
	 */
	enum { MAGIC_OFFSET = 16, TRANSACTION_OFFSET = 144 };
	static const uint32_t magic = 0xBEEFC0DE;
	static const uint64_t none = 0;
	unsigned char head[TRANSACTION_OFFSET + sizeof none];
	off_t size = opening_file_size(path);
	int descriptor;
	bool is_ours;

	if (size < (off_t)sizeof head || size >= 2 * sysconf(_SC_PAGESIZE))
		return false;
	descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0)
		return false;
	is_ours = pread(descriptor, head, sizeof head, 0) == (ssize_t)sizeof head &&
		  memcmp(head + MAGIC_OFFSET, &magic, sizeof magic) == 0 &&
		  memcmp(head + TRANSACTION_OFFSET, &none, sizeof none) == 0;
	close(descriptor);
	return is_ours;
}

void opening_name_files(struct opening *opening)
{
	opening->files.data = mem_printf(opening->scratch, "%s/data.mdb", opening->files.directory);
	opening->files.lock = mem_printf(opening->scratch, "%s/lock.mdb", opening->files.directory);
}
