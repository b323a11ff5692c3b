/*
 * deliver.c: puts one message into a Maildir so that it survives a power cut, or leaves no trace.
 *
 * Leaves to others: what the message says, who may write where, sweeping tmp/ of what killed
 * processes left (readers of Maildirs do that after 36 hours), and SIGXFSZ, which the caller
 * ignores.
 *
 * What may surprise: cur/, which a delivery does not use, is made last, when the entries of new/
 * and of the Maildir itself are on disk. So a Maildir that has cur/ needs no further sync of the
 * folders above new/, even if the process that began to create it was killed, or is still at it.
 */
#include "maildir/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_MODE = 0600,
	FOLDER_MODE = 0700,
	NAME_TRIES_MAX = 100,
	HOST_SIZE =
		128, /* with its escapes; leaves room for flags within the 255 bytes of a name */
	SUFFIX_SIZE_MAX = 16,
};

/* One delivery on its way. */
struct delivery {
	int tmp_folder;
	int new_folder;
	char name[MAILDIR_NAME_MAX];
	struct stat written; /* of the file in tmp/: tells it from another one of the same name */
	const char *suffix;
	maildir_source *source;
	void *argument;
};

static int sync_file(int file)
{
	while (fsync(file) != 0) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

/* EINVAL says that this file system has no sync of folders (CIFS, some of FUSE): then there is
 * nothing that we could wait for, and to defer for it would defer for ever. */
static int sync_folder(int folder)
{
	int error = sync_file(folder);
	return error == EINVAL ? 0 : error;
}

/* The folder above may be one that we can pass but not read, as /home with mode 0711. */
static int sync_parent(int folder)
{
	int parent = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0 && errno == EACCES)
		return syncfs(folder) == 0 ? 0 : errno;
	if (parent < 0)
		return errno;
	int error = sync_folder(parent);
	(void)close(parent);
	return error;
}

static int open_folder(int above, const char *name, int *folder_out)
{
	*folder_out = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *folder_out < 0 ? errno : 0;
}

/* The Maildir itself may be a symbolic link: administrators move mail to other disks that way. */
static int open_root(const char *path, int *root_out)
{
	*root_out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *root_out < 0 ? errno : 0;
}

static int has_folder(int root, const char *name)
{
	struct stat status;
	if (fstatat(root, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
}

/* Asks before it makes: on a read-only or automounted volume mkdir may fail otherwise than with
 * EEXIST although the folder is there. */
static int make_folder(int root, const char *name, bool *made_out)
{
	int error = has_folder(root, name);
	if (error != ENOENT)
		return error;
	if (mkdirat(root, name, FOLDER_MODE) != 0 && errno != EEXIST)
		return errno;
	*made_out = true;
	return 0;
}

/* cur/ comes when all else is on disk; see the top of the file. */
static int finish_creation(int root)
{
	bool made = false;
	int error = sync_folder(root);
	if (!error)
		error = sync_parent(root);
	if (!error)
		error = make_folder(root, "cur", &made);
	if (!error && made)
		error = sync_folder(root);
	return error;
}

int maildir_create(const char *path)
{
	int root = -1;
	bool made = false;
	int error = open_root(path, &root);
	if (error == ENOENT) {
		if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST)
			return errno;
		error = open_root(path, &root);
	}
	if (error)
		return error;
	error = make_folder(root, "tmp", &made);
	if (!error)
		error = make_folder(root, "new", &made);
	if (!error) {
		error = has_folder(root, "cur");
		if (error == ENOENT || (!error && made))
			error = finish_creation(root);
	}
	(void)close(root);
	return error;
}

static void close_folders(struct delivery *delivery)
{
	if (delivery->tmp_folder >= 0)
		(void)close(delivery->tmp_folder);
	if (delivery->new_folder >= 0)
		(void)close(delivery->new_folder);
	delivery->tmp_folder = -1;
	delivery->new_folder = -1;
}

static int open_folders(const char *path, struct delivery *delivery)
{
	int root = -1;
	int error = open_root(path, &root);
	if (error)
		return error;
	error = has_folder(root, "cur");
	if (!error)
		error = open_folder(root, "tmp", &delivery->tmp_folder);
	if (!error)
		error = open_folder(root, "new", &delivery->new_folder);
	if (error)
		close_folders(delivery);
	(void)close(root);
	return error;
}

/* '/' and ':' as the Maildir convention escapes them, and likewise whatever does not print. */
static void copy_host(char host[HOST_SIZE])
{
	char raw[HOST_SIZE] = "";
	size_t size = 0;
	if (gethostname(raw, sizeof(raw)) != 0 || !raw[0])
		strcpy(raw, "localhost");
	raw[sizeof(raw) - 1] = '\0';
	for (const char *at = raw; *at && size + sizeof("\\057") <= HOST_SIZE; at++) {
		unsigned char byte = (unsigned char)*at;
		bool plain = byte > ' ' && byte < 127 && byte != '/' && byte != ':';
		if (plain)
			host[size++] = *at;
		else
			size += (size_t)snprintf(host + size, HOST_SIZE - size, "\\%03o", byte);
	}
	host[size] = '\0';
}

/* The counter keeps apart what one process delivers while the clock stands still or jumps back; the
 * process id, what several do; O_EXCL and link, whatever else may happen. */
static void choose_name(char name[MAILDIR_NAME_MAX], const char *suffix)
{
	static atomic_uint counter;
	struct timespec now = {0, 0};
	char host[HOST_SIZE];
	copy_host(host);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(name, MAILDIR_NAME_MAX, "%lld.M%06ldP%ldQ%u.%s%s", (long long)now.tv_sec,
		now.tv_nsec / 1000, (long)getpid(), atomic_fetch_add(&counter, 1U), host, suffix);
}

static int write_all(int file, const struct maildir_piece *piece)
{
	const char *data = piece->data;
	size_t left = piece->size;
	while (left > 0) {
		ssize_t written = write(file, data, left);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : EIO;
		data += written;
		left -= (size_t)written;
	}
	return 0;
}

static int write_message(const struct delivery *delivery, int file)
{
	struct maildir_piece piece = {NULL, 0};
	int error = delivery->source(delivery->argument, NULL);
	while (!error) {
		error = delivery->source(delivery->argument, &piece);
		if (error || piece.size == 0)
			break;
		error = write_all(file, &piece);
	}
	return error;
}

/* The message under its name in tmp/, synced and closed; on an error the file is gone again. */
static int write_tmp(struct delivery *delivery)
{
	int error = 0;
	int file = openat(delivery->tmp_folder, delivery->name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (file < 0)
		return errno;
	error = write_message(delivery, file);
	if (!error)
		error = sync_file(file);
	if (!error && fstat(file, &delivery->written) != 0)
		error = errno;
	/* Never repeated: Linux has closed it even if it says EINTR. */
	if (close(file) != 0 && !error)
		error = errno;
	if (error)
		(void)unlinkat(delivery->tmp_folder, delivery->name, 0);
	return error;
}

static bool is_published(const struct delivery *delivery)
{
	struct stat status;
	return fstatat(delivery->new_folder, delivery->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       status.st_dev == delivery->written.st_dev &&
	       status.st_ino == delivery->written.st_ino;
}

/* FAT, some of FUSE and network file systems have no hard links; AFS has none across folders. */
static bool lacks_links(int error)
{
	return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EXDEV;
}

/* Where the kernel cannot promise not to replace, looking first leaves a gap, which only a second
 * process with our id, counter and microsecond could use. */
static int rename_into_new(const struct delivery *delivery)
{
	struct stat status;
	const char *name = delivery->name;
	if (renameat2(delivery->tmp_folder, name, delivery->new_folder, name, RENAME_NOREPLACE) ==
		0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	if (fstatat(delivery->new_folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	if (errno != ENOENT)
		return errno;
	return renameat(delivery->tmp_folder, name, delivery->new_folder, name) == 0 ? 0 : errno;
}

/* From tmp/ into new/; on an error the file is in neither. */
static int publish(const struct delivery *delivery)
{
	int error = 0;
	if (linkat(delivery->tmp_folder, delivery->name, delivery->new_folder, delivery->name, 0) !=
		0)
		error = errno;
	if (lacks_links(error))
		error = rename_into_new(delivery);
	/* On NFS the answer gets lost at times, and the repeated request then fails on the success
	 * of the first. */
	if (error && is_published(delivery))
		error = 0;
	/* If this fails, a second name stays in tmp/, where no reader looks. */
	(void)unlinkat(delivery->tmp_folder, delivery->name, 0);
	return error;
}

static int deliver_once(struct delivery *delivery)
{
	choose_name(delivery->name, delivery->suffix);
	int error = write_tmp(delivery);
	if (error)
		return error;
	error = publish(delivery);
	if (error)
		return error;
	error = sync_folder(delivery->new_folder);
	/* The caller will defer, so that the message comes again: not one here as well. */
	if (error)
		(void)unlinkat(delivery->new_folder, delivery->name, 0);
	return error;
}

int maildir_deliver_from(const char *path, const char *suffix, maildir_source *source,
	void *argument, char *name_out)
{
	struct delivery delivery = {.tmp_folder = -1,
		.new_folder = -1,
		.suffix = suffix ? suffix : "",
		.source = source,
		.argument = argument};
	if (strlen(delivery.suffix) > SUFFIX_SIZE_MAX || strpbrk(delivery.suffix, "/:"))
		return EINVAL;
	int error = open_folders(path, &delivery);
	if (error == ENOENT) {
		error = maildir_create(path);
		if (!error)
			error = open_folders(path, &delivery);
	}
	if (error)
		return error;
	error = EEXIST;
	for (int tries = 0; tries < NAME_TRIES_MAX && error == EEXIST; tries++)
		error = deliver_once(&delivery);
	if (!error && name_out)
		strcpy(name_out, delivery.name);
	close_folders(&delivery);
	return error;
}

/* The pieces of a message that is there. */
struct ready {
	const struct maildir_piece *pieces;
	size_t count;
	size_t next;
};

static int give_ready(void *argument, struct maildir_piece *piece_out)
{
	struct ready *ready = argument;
	if (!piece_out) {
		ready->next = 0;
		return 0;
	}
	while (ready->next < ready->count && ready->pieces[ready->next].size == 0)
		ready->next++;
	*piece_out = (struct maildir_piece){NULL, 0};
	if (ready->next < ready->count)
		*piece_out = ready->pieces[ready->next++];
	return 0;
}

int maildir_deliver(
	const char *path, const struct maildir_piece *pieces, size_t count, char *name_out)
{
	struct ready ready = {pieces, count, 0};
	return maildir_deliver_from(path, NULL, give_ready, &ready, name_out);
}
