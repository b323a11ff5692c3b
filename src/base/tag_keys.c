/*
 * tag_keys.c: the file of keys that sign bounce addresses.
 *
 * In charge of the file's form and of adding a key without ever leaving half a file. Leaves who may
 * read it to key_file.c, and what is signed to tag.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/key_file.h"
#include "base/memory.h"
#include "base/tag.h"
#include "base/text.h"

#define NEW_MODE 0640
#define DAY_LENGTH 10			   /* 2026-11-23 */
#define REMOVAL_DELAY_S (8 * 24 * 60 * 60) /* a week, and a day of clocks that differ */

static const char new_file_text[] =
	"# Keys that sign bounce addresses: number, day of creation, secret.\n"
	"# The newest signs; all are accepted. A line that is deleted makes its tags unknown.\n";

static int cleanse_keys(struct tag_keys *keys)
{
	explicit_bzero(keys->items, sizeof keys->items);
	return 0;
}

/* ---- lines ---- */

/* Takes the next word off *rest; NULL when there is none. The line is cut up. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\r");
	size_t length = strcspn(word, " \t\r");

	if (length == 0)
		return NULL;
	*rest = word + length + (word[length] != '\0');
	word[length] = '\0';
	return word;
}

static bool parse_id(const char *text, unsigned *id_out)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 2 || text[digits] != '\0')
		return false;
	*id_out = (unsigned)atoi(text);
	return *id_out < TAG_KEYS_MAX;
}

static bool parse_day(const char *text, int64_t *seconds_out)
{
	return strlen(text) == DAY_LENGTH && text[4] == '-' &&
	       clock_parse_time(text, 0, seconds_out);
}

static bool parse_secret(const char *text, unsigned char *secret_out)
{
	return strlen(text) == 2 * TAG_KEY_SIZE &&
	       text_hex_decode(text, 2 * TAG_KEY_SIZE, secret_out);
}

/* What is wrong with the line, or NULL. No word of it is repeated: one is a secret. */
static const char *parse_line(char *line, struct tag_keys *keys)
{
	char *id = next_word(&line);
	char *day = id == NULL ? NULL : next_word(&line);
	char *secret = day == NULL ? NULL : next_word(&line);
	struct tag_key key;

	if (id == NULL || id[0] == '#')
		return NULL;
	if (secret == NULL || next_word(&line) != NULL)
		return "want three words: a number, a day, a secret";
	if (!parse_id(id, &key.id))
		return "want a number from 0 to 31 as first word";
	if (!parse_day(day, &key.created_s))
		return "want a day such as 2026-11-23 as second word";
	if (!parse_secret(secret, key.secret))
		return "want 64 hex digits as third word";
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->items[i].id == key.id)
			return "another key has this number; want one that is free";
	}
	/* At most 32 numbers, so there is room. */
	keys->items[keys->count++] = key;
	explicit_bzero(&key, sizeof key);
	return NULL;
}

static enum status parse(const void *context, const char *path, const struct key_file *file,
	struct tag_keys *keys, const char **error_out)
{
	char *copy = mem_memdup(context, file->text, file->size + 1);
	enum status status = STATUS_OK;
	const char *wrong = NULL;
	int number = 0;

	if (memchr(copy, '\0', file->size) != NULL) {
		*error_out = mem_printf(context, "%s: holds a NUL byte; want a text file", path);
		status = STATUS_DATA;
	}
	for (char *line = copy, *next = copy; status == STATUS_OK && next != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		number++;
		wrong = parse_line(line, keys);
		if (wrong == NULL)
			continue;
		*error_out = mem_printf(context, "%s:%d: %s", path, number, wrong);
		status = STATUS_DATA;
	}
	explicit_bzero(copy, file->size);
	mem_free(copy);
	return status;
}

static struct tag_keys *make_keys(const void *context, const char *path)
{
	struct tag_keys *keys = mem_new(context, struct tag_keys);

	talloc_set_destructor(keys, cleanse_keys);
	keys->path = mem_strdup(keys, path);
	return keys;
}

enum status tag_keys_read(
	const void *context, const char *path, struct tag_keys **keys_out, const char **error_out)
{
	struct tag_keys *keys = make_keys(context, path);
	struct key_file file;
	enum status status;

	*keys_out = NULL;
	*error_out = NULL;
	status = key_file_load(context, path, &file, error_out);
	if (status == STATUS_OK)
		status = parse(context, path, &file, keys, error_out);
	if (status == STATUS_OK && keys->count == 0) {
		*error_out = mem_printf(context,
			"%s: holds no key; run: backstop tag new-key --file=%s", path, path);
		status = STATUS_DATA;
	}
	key_file_release(&file);
	if (status == STATUS_OK)
		keys->changed_s = file.about.st_mtime;
	if (status == STATUS_OK)
		*keys_out = keys;
	else
		mem_free(keys);
	return status;
}

/* ---- adding ---- */

/* The next free number behind the newest key's: that of a key just deleted comes last, so that its
 * tags are known to be of a missing key for as long as may be. Without keys a random one: tags of a
 * file that was there before should not meet a key of their number. */
static bool choose_id(const struct tag_keys *keys, unsigned *id_out)
{
	unsigned char start = 0;
	int64_t newest = INT64_MIN;

	if (keys->count == 0 && !hash_random(&start, 1))
		start = 0;
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->items[i].created_s < newest)
			continue;
		newest = keys->items[i].created_s;
		start = (unsigned char)(keys->items[i].id + 1);
	}
	for (unsigned step = 0; step < TAG_KEYS_MAX; step++) {
		size_t i = 0;

		*id_out = (start + step) % TAG_KEYS_MAX;
		while (i < keys->count && keys->items[i].id != *id_out)
			i++;
		if (i == keys->count)
			return true;
	}
	return false;
}

/* True when no tag of the key can be valid any more: it signed up to the day on which the next one
 * was made, or as much later as another host got the new file. */
static bool is_over(
	const struct tag_keys *keys, const struct tag_key *key, int64_t lifetime_s, int64_t now)
{
	int64_t successor_s = INT64_MAX;

	for (size_t i = 0; i < keys->count; i++) {
		const struct tag_key *other = &keys->items[i];

		if (other->created_s > key->created_s && other->created_s < successor_s)
			successor_s = other->created_s;
	}
	return lifetime_s > 0 && successor_s < now - lifetime_s - REMOVAL_DELAY_S;
}

/* Takes the keys whose tags are over out of keys and their lines out of text; the other bytes
 * stay. */
static size_t remove_old(
	struct tag_keys *keys, struct key_file *file, int64_t lifetime_s, int64_t now)
{
	const struct tag_keys all = *keys;
	size_t size = 0;

	keys->count = 0;
	for (size_t i = 0; i < all.count; i++) {
		if (!is_over(&all, &all.items[i], lifetime_s, now))
			keys->items[keys->count++] = all.items[i];
	}
	for (size_t at = 0; at < file->size;) {
		const char *end = memchr(file->text + at, '\n', file->size - at);
		size_t length = end == NULL ? file->size - at : (size_t)(end - file->text) + 1 - at;
		unsigned id = TAG_KEYS_MAX;
		bool is_old = sscanf(file->text + at, " %2u", &id) == 1;

		for (size_t i = 0; i < keys->count; i++)
			is_old = is_old && keys->items[i].id != id;
		if (!is_old) {
			memmove(file->text + size, file->text + at, length);
			size += length;
		}
		at += length;
	}
	if (file->text != NULL)
		explicit_bzero(file->text + size, file->size - size);
	file->size = size;
	return all.count - keys->count;
}

/* The bytes that stay, and a line for the new key; cleansed when its context is freed. */
static char *compose(const void *context, const struct key_file *file, unsigned id, int64_t now,
	size_t *size_out)
{
	unsigned char secret[TAG_KEY_SIZE];
	char hex[2 * TAG_KEY_SIZE + 1];
	char day[CLOCK_TEXT_MAX];
	const char *old = file->text == NULL ? new_file_text : file->text;
	size_t old_size = file->text == NULL ? strlen(new_file_text) : file->size;
	bool has_end = old_size == 0 || old[old_size - 1] == '\n';
	size_t room = old_size + sizeof hex + sizeof day + 16;
	char *text = mem_alloc(context, room);

	if (!hash_random(secret, sizeof secret))
		return NULL;
	for (size_t i = 0; i < sizeof secret; i++)
		snprintf(hex + 2 * i, 3, "%02x", secret[i]);
	clock_format_day(now, day);
	memcpy(text, old, old_size);
	*size_out = old_size + (size_t)snprintf(text + old_size, room - old_size, "%s%u %s %s\n",
				       has_end ? "" : "\n", id, day, hex);
	explicit_bzero(secret, sizeof secret);
	explicit_bzero(hex, sizeof hex);
	return text;
}

static bool write_bytes(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		text += done;
		size -= (size_t)done;
	}
	return true;
}

/* A file that nobody but us may read until it has its owner. old NULL: there is none to be like. */
static bool write_temporary(
	int folder, const char *name, const struct stat *old, const char *text, size_t size)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	mode_t mode = old == NULL ? NEW_MODE : old->st_mode & 07777;
	struct stat about;
	bool is_done;
	int error;

	if (fd < 0)
		return false;
	is_done = fstat(fd, &about) == 0;
	if (is_done && old != NULL && (about.st_uid != old->st_uid || about.st_gid != old->st_gid))
		is_done = fchown(fd, old->st_uid, old->st_gid) == 0;
	is_done = is_done && fchmod(fd, mode) == 0 && write_bytes(fd, text, size);
	/* The secrets that were there are the same: tags that they did not sign stay bad. */
	if (is_done && old != NULL) {
		const struct timespec times[] = {old->st_atim, old->st_mtim};

		is_done = futimens(fd, times) == 0;
	}
	is_done = is_done && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && is_done) {
		error = errno;
		is_done = false;
	}
	errno = error;
	return is_done;
}

/* Puts text in place of path, within its open and locked folder. */
static enum status replace(const void *context, const char *path, int folder,
	const struct key_file *file, const char *text, size_t size, const char **error_out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	char *temporary = mem_printf(context, ".%s.new", name);
	const struct stat *old = file->text == NULL ? NULL : &file->about;
	enum status status;

	/* We hold the lock, so one that is there was left by a process that died. */
	unlinkat(folder, temporary, 0);
	if (!write_temporary(folder, temporary, old, text, size)) {
		status = key_file_fail(context, path, "the new file cannot be written", error_out);
		unlinkat(folder, temporary, 0);
	} else if (renameat(folder, temporary, folder, name) != 0) {
		status = key_file_fail(context, path, "cannot be replaced", error_out);
		unlinkat(folder, temporary, 0);
	} else if (fsync(folder) != 0) {
		status = key_file_fail(context, path,
			"has the new key, but its folder cannot be synced", error_out);
	} else {
		status = STATUS_OK;
	}
	mem_free(temporary);
	return status;
}

/* The folder of path, locked: two processes that add a key at once must not lose one of them. */
static int open_folder(const void *context, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? mem_strdup(context, ".")
				     : mem_strndup(context, path, (size_t)(slash - path) + 1);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error;

	mem_free(folder);
	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

enum status tag_keys_add(const void *context, const char *path, int64_t now,
	struct tag_keys_change *change, const char **error_out)
{
	struct tag_keys *keys = make_keys(context, path);
	int folder = open_folder(context, path);
	struct key_file file = {0};
	enum status status;
	char *text = NULL;
	size_t size = 0;

	*error_out = NULL;
	if (folder < 0) {
		status = key_file_fail(context, path, "its folder cannot be locked", error_out);
		goto out;
	}
	status = key_file_load(context, path, &file, error_out);
	if (status == STATUS_NO_INPUT)
		status = STATUS_OK; /* a new file */
	else if (status == STATUS_OK)
		status = parse(context, path, &file, keys, error_out);
	if (status != STATUS_OK)
		goto out;
	*error_out = NULL;
	change->removed = remove_old(keys, &file, change->lifetime_s, now);
	if (!choose_id(keys, &change->id)) {
		*error_out = mem_printf(
			context, "%s: all 32 numbers are taken; delete the oldest line", path);
		status = STATUS_NO_SPACE;
		goto out;
	}
	text = compose(context, &file, change->id, now, &size);
	if (text == NULL) {
		*error_out = mem_printf(context, "%s: the system gives no random bytes", path);
		status = STATUS_IO;
		goto out;
	}
	status = replace(context, path, folder, &file, text, size, error_out);
out:
	if (text != NULL)
		explicit_bzero(text, size);
	mem_free(text);
	key_file_release(&file);
	if (folder >= 0)
		close(folder);
	mem_free(keys);
	return status;
}
