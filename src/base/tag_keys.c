/*
 * tag_keys.c: the file of keys that sign bounce addresses.
 *
 * In charge of the file's form, of who may read it, and of adding a key without ever leaving half a
 * file. Leaves what is signed to tag.c. A file that others may read is refused, not warned about:
 * whoever has the keys writes bounces that are genuine beyond doubt.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/tag.h"

#define FILE_MAX (64 * 1024)
#define FORBIDDEN_BITS 037 /* all but the owner's and group read */
#define NEW_MODE 0640
#define DAY_LENGTH 10 /* 2026-11-23 */
#define FIRST_ID 1

static const char new_file_text[] =
	"# Keys that sign bounce addresses: number, day of creation, secret.\n"
	"# The newest signs; all are accepted. A line that is deleted makes its tags invalid.\n";

/* The bytes of a key file with a NUL behind them, and what it is. load() makes it, whatever it
 * returns; release() ends it. */
struct key_file {
	char *text;
	size_t size;
	struct stat about;
};

static void release(struct key_file *file)
{
	if (file->text != NULL)
		OPENSSL_cleanse(file->text, file->size);
	mem_free(file->text);
	file->text = NULL;
}

static int cleanse_keys(struct tag_keys *keys)
{
	OPENSSL_cleanse(keys->items, sizeof keys->items);
	return 0;
}

static enum status fail_errno(
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
		return fail_errno(context, path, "cannot be read", error_out);
	*error_out = find_weakness(context, path, &file->about);
	if (*error_out != NULL)
		return STATUS_PERMISSION;
	file->text = mem_alloc(context, FILE_MAX + 2);
	if (read_bytes(fd, file->text, FILE_MAX + 1, &file->size) != STATUS_OK)
		return fail_errno(context, path, "cannot be read", error_out);
	if (file->size <= FILE_MAX)
		return STATUS_OK;
	*error_out = mem_printf(context, "%s: is larger than 64 KiB", path);
	return STATUS_DATA;
}

/* O_NOFOLLOW: what is judged must be the file that the administrator sees under this name.
 * O_NONBLOCK: a FIFO must not make a delivery wait. */
static enum status load(
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
		return fail_errno(context, path, "cannot be read", error_out);
	status = load_open(context, path, fd, file, error_out);
	close(fd);
	return status;
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
	size_t size;

	return strlen(text) == 2 * TAG_KEY_SIZE &&
	       strspn(text, "0123456789abcdefABCDEF") == strlen(text) &&
	       OPENSSL_hexstr2buf_ex(secret_out, TAG_KEY_SIZE, &size, text, '\0') == 1 &&
	       size == TAG_KEY_SIZE;
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
	OPENSSL_cleanse(&key, sizeof key);
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
	OPENSSL_cleanse(copy, file->size);
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
	status = load(context, path, &file, error_out);
	if (status == STATUS_OK)
		status = parse(context, path, &file, keys, error_out);
	if (status == STATUS_OK && keys->count == 0) {
		*error_out = mem_printf(context,
			"%s: holds no key; run: backstop tag new-key --file=%s", path, path);
		status = STATUS_DATA;
	}
	release(&file);
	if (status == STATUS_OK)
		*keys_out = keys;
	else
		mem_free(keys);
	return status;
}

/* ---- adding ---- */

/* The next free number behind the newest key's: that of a key just deleted comes last, so that its
 * tags are known to be of a missing key for as long as may be. */
static bool choose_id(const struct tag_keys *keys, unsigned *id_out)
{
	unsigned start = FIRST_ID;
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < keys->count; i++) {
		if (keys->items[i].created_s < newest)
			continue;
		newest = keys->items[i].created_s;
		start = keys->items[i].id + 1;
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

/* The old bytes, unchanged, and a line for the new key; cleansed when its context is freed. */
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

	if (RAND_bytes(secret, sizeof secret) != 1)
		return NULL;
	for (size_t i = 0; i < sizeof secret; i++)
		snprintf(hex + 2 * i, 3, "%02x", secret[i]);
	clock_format_day(now, day);
	memcpy(text, old, old_size);
	*size_out = old_size + (size_t)snprintf(text + old_size, room - old_size, "%s%u %s %s\n",
				       has_end ? "" : "\n", id, day, hex);
	OPENSSL_cleanse(secret, sizeof secret);
	OPENSSL_cleanse(hex, sizeof hex);
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
	is_done = is_done && fchmod(fd, mode) == 0 && write_bytes(fd, text, size) && fsync(fd) == 0;
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
		status = fail_errno(context, path, "the new file cannot be written", error_out);
		unlinkat(folder, temporary, 0);
	} else if (renameat(folder, temporary, folder, name) != 0) {
		status = fail_errno(context, path, "cannot be replaced", error_out);
		unlinkat(folder, temporary, 0);
	} else if (fsync(folder) != 0) {
		status = fail_errno(context, path,
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

enum status tag_keys_add(const void *context, const char *path, int64_t now, unsigned *id_out,
	const char **error_out)
{
	struct tag_keys *keys = make_keys(context, path);
	int folder = open_folder(context, path);
	struct key_file file = {0};
	enum status status;
	char *text = NULL;
	size_t size = 0;

	*error_out = NULL;
	if (folder < 0) {
		status = fail_errno(context, path, "its folder cannot be locked", error_out);
		goto out;
	}
	status = load(context, path, &file, error_out);
	if (status == STATUS_NO_INPUT)
		status = STATUS_OK; /* a new file */
	else if (status == STATUS_OK)
		status = parse(context, path, &file, keys, error_out);
	if (status != STATUS_OK)
		goto out;
	*error_out = NULL;
	if (!choose_id(keys, id_out)) {
		*error_out = mem_printf(
			context, "%s: all 32 numbers are taken; delete the oldest line", path);
		status = STATUS_NO_SPACE;
		goto out;
	}
	text = compose(context, &file, *id_out, now, &size);
	if (text == NULL) {
		*error_out = mem_printf(context, "%s: the system gives no random bytes", path);
		status = STATUS_IO;
		goto out;
	}
	status = replace(context, path, folder, &file, text, size, error_out);
out:
	if (text != NULL)
		OPENSSL_cleanse(text, size);
	mem_free(text);
	release(&file);
	if (folder >= 0)
		close(folder);
	mem_free(keys);
	return status;
}
