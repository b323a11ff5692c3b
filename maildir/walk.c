/*
 * walk.c: what is in a Maildir: walking over its messages, reading one, removing one.
 *
 * Leaves to others: opening and understanding the files that a walk shows. Other programs work in
 * the same Maildir meanwhile: they move files from new/ to cur/ and change the flags in their
 * names.
 *
 * What may surprise: a walk reads all names before it shows the first, since readdir gives them in
 * no order; and it reads new/ before cur/, since messages move that way: one that moves is seen
 * twice at worst, while the other order could miss it.
 */
#include "maildir/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WALK_ENTRIES_MAX ((size_t)10 * 1000 * 1000)
#define READ_SIZE_MAX ((size_t)1 << 30)

enum {
	LOOKUPS_MAX = 3, /* of a file whose flags change while we look for it */
	RELATIVE_SIZE = sizeof("new/") + MAILDIR_NAME_MAX,
};

/* In the order in which they are read. */
static const char *const folder_names[] = {"new", "cur"};

/* The names found so far. Each is, in text: the index of its folder in one byte, the name, a NUL.
 * One block for all, as a block for each would double the memory. */
struct listing {
	char *text;
	size_t text_size;
	size_t text_room;
	size_t *starts;
	size_t count;
	size_t room;
};

static int open_root(const char *path, int *root_out)
{
	*root_out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *root_out < 0 ? errno : 0;
}

static int open_listing(int root, const char *folder, DIR **directory_out)
{
	int fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	*directory_out = fdopendir(fd);
	if (*directory_out)
		return 0;
	int error = errno;
	(void)close(fd);
	return error;
}

bool maildir_is(const char *path)
{
	struct stat status;
	int found = 0;
	int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return false;
	for (int i = 0; i < 2; i++)
		found += fstatat(root, folder_names[i], &status, 0) == 0 && S_ISDIR(status.st_mode);
	(void)close(root);
	return found == 2;
}

static bool is_message(int folder, const struct dirent *entry)
{
	struct stat status;
	if (entry->d_name[0] == '.')
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_REG || entry->d_type == DT_LNK;
	if (fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return S_ISREG(status.st_mode) || S_ISLNK(status.st_mode);
}

/* Room for needed items of the given size in all. NULL, and the old block untouched, without
 * memory. */
static void *grow(void *block, size_t *room, size_t needed, size_t item_size)
{
	size_t wanted = *room ? *room : 64;
	while (wanted < needed)
		wanted *= 2;
	void *grown = wanted == *room ? block : reallocarray(block, wanted, item_size);
	if (grown)
		*room = wanted;
	return grown;
}

static int add_entry(struct listing *listing, int folder, const char *name)
{
	size_t size = strlen(name) + 1;
	if (listing->count >= WALK_ENTRIES_MAX)
		return EOVERFLOW;
	char *text = grow(listing->text, &listing->text_room, listing->text_size + 1 + size, 1);
	if (!text)
		return ENOMEM;
	listing->text = text;
	size_t *starts = grow(listing->starts, &listing->room, listing->count + 1, sizeof(*starts));
	if (!starts)
		return ENOMEM;
	listing->starts = starts;
	starts[listing->count++] = listing->text_size;
	text[listing->text_size] = (char)folder;
	memcpy(text + listing->text_size + 1, name, size);
	listing->text_size += 1 + size;
	return 0;
}

static int list_folder(int root, int folder, struct listing *listing)
{
	DIR *directory = NULL;
	const struct dirent *entry = NULL;
	int error = open_listing(root, folder_names[folder], &directory);
	if (error)
		return error;
	while (!error) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			error = errno;
			break;
		}
		if (is_message(dirfd(directory), entry))
			error = add_entry(listing, folder, entry->d_name);
	}
	(void)closedir(directory);
	return error;
}

static int compare_entries(const void *left, const void *right, void *argument)
{
	const char *text = argument;
	const char *a = text + *(const size_t *)left;
	const char *b = text + *(const size_t *)right;
	int order = strcmp(a + 1, b + 1);
	return order ? order : a[0] - b[0];
}

static int visit_all(
	const char *path, const struct listing *listing, maildir_visitor *visitor, void *argument)
{
	size_t path_size = strlen(path);
	while (path_size > 1 && path[path_size - 1] == '/')
		path_size--;
	for (size_t i = 0; i < listing->count; i++) {
		const char *entry = listing->text + listing->starts[i];
		char *full = NULL;
		if (asprintf(&full, "%.*s/%s/%s", (int)path_size, path, folder_names[(int)entry[0]],
			    entry + 1) < 0)
			return ENOMEM;
		int result = visitor(argument, full, entry + 1);
		free(full);
		if (result)
			return result;
	}
	return 0;
}

int maildir_walk(const char *path, maildir_visitor *visitor, void *argument)
{
	struct listing listing = {.text = NULL};
	int root = -1;
	int result = open_root(path, &root);
	if (result)
		return result;
	for (int folder = 0; folder < 2 && !result; folder++)
		result = list_folder(root, folder, &listing);
	(void)close(root);
	if (!result && listing.count > 0) {
		qsort_r(listing.starts, listing.count, sizeof(*listing.starts), compare_entries,
			listing.text);
		result = visit_all(path, &listing, visitor, argument);
	}
	free(listing.starts);
	free(listing.text);
	return result;
}

/* A name comes from a database or a command line: it must not lead out of the folder. */
static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && strlen(name) < MAILDIR_NAME_MAX && !strchr(name, '/');
}

/* The file in cur/ that has this name, whatever its flags, as a path from the Maildir. */
static int find_flagged(int root, const char *name, char relative[RELATIVE_SIZE])
{
	DIR *directory = NULL;
	const struct dirent *entry = NULL;
	size_t size = strcspn(name, ":");
	int error = open_listing(root, "cur", &directory);
	if (error)
		return error;
	do {
		errno = 0;
		entry = readdir(directory);
	} while (entry && (strncmp(entry->d_name, name, size) != 0 ||
				  (entry->d_name[size] != ':' && entry->d_name[size] != '\0')));
	error = errno ? errno : ENOENT;
	if (entry) {
		(void)snprintf(relative, RELATIVE_SIZE, "cur/%s", entry->d_name);
		error = 0;
	}
	(void)closedir(directory);
	return error;
}

/* What is to be done with the file found; an errno value. ENOENT: it has moved on. */
typedef int file_action(int root, const char *relative, int *file_out);

static int remove_file(int root, const char *relative, int *file_out)
{
	(void)file_out;
	return unlinkat(root, relative, 0) == 0 ? 0 : errno;
}

/* O_NONBLOCK: a FIFO under the name of a message must not hang us. */
static int open_file(int root, const char *relative, int *file_out)
{
	*file_out = openat(root, relative, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return *file_out < 0 ? errno : 0;
}

static int act_once(int root, const char *name, file_action *action, int *file_out)
{
	char relative[RELATIVE_SIZE];
	int error = ENOENT;
	for (int i = 0; i < 2 && error == ENOENT; i++) {
		(void)snprintf(relative, sizeof(relative), "%s/%s", folder_names[i], name);
		error = action(root, relative, file_out);
	}
	if (error != ENOENT)
		return error;
	error = find_flagged(root, name, relative);
	return error ? error : action(root, relative, file_out);
}

/* Does it to the file of this name, wherever it is, and again while it runs away. */
static int act_on_file(const char *path, const char *name, file_action *action, int *file_out)
{
	int root = -1;
	if (!is_name(name))
		return EINVAL;
	int error = open_root(path, &root);
	if (error)
		return error;
	error = ENOENT;
	for (int lookups = 0; lookups < LOOKUPS_MAX && error == ENOENT; lookups++)
		error = act_once(root, name, action, file_out);
	(void)close(root);
	return error;
}

int maildir_remove(const char *path, const char *name)
{
	return act_on_file(path, name, remove_file, NULL);
}

/* Messages in a Maildir never change; one byte more than expected shows that this one does. */
static int read_all(int file, unsigned char *data, size_t room, size_t *size_out)
{
	size_t size = 0;
	while (size < room) {
		ssize_t got = read(file, data + size, room - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0) {
			*size_out = size;
			return 0;
		}
		size += (size_t)got;
	}
	return EAGAIN;
}

static int open_message(const char *path, const char *name, int *file_out, size_t *size_out)
{
	struct stat status;
	int file = -1;
	int error = act_on_file(path, name, open_file, &file);
	if (error)
		return error;
	if (fstat(file, &status) != 0)
		error = errno;
	else if (!S_ISREG(status.st_mode))
		error = EINVAL;
	else if ((size_t)status.st_size > READ_SIZE_MAX)
		error = EFBIG;
	if (error) {
		(void)close(file);
		return error;
	}
	*file_out = file;
	*size_out = (size_t)status.st_size;
	return 0;
}

int maildir_open(const char *path, const char *name, int *file_out)
{
	size_t size = 0;
	return open_message(path, name, file_out, &size);
}

int maildir_read(const char *path, const char *name, unsigned char **data_out, size_t *size_out)
{
	unsigned char *data = NULL;
	size_t size = 0;
	int file = -1;
	int error = open_message(path, name, &file, &size);
	if (error)
		return error;
	data = malloc(size + 1);
	error = data ? read_all(file, data, size + 1, size_out) : ENOMEM;
	if (error)
		free(data);
	else
		*data_out = data;
	(void)close(file);
	return error;
}
