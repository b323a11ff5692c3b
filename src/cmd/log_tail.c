/*
 * log_tail.c: in charge of which file comes next and of knowing one again.
 *
 * A file is known by its inode and by its first bytes, which never change in a log: an inode alone
 * is given to the next file, and a copy has another one. Surprising: nothing is watched; a look at
 * the name each second finds all that inotify would tell, also on file systems that tell nothing.
 */
#include "cmd/log_tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"

#define SIBLINGS_MAX 400 /* rotated files that are looked at */
#define HEAD_MIN 64	 /* bytes by which a file is known without its inode */

/* A file still to be read. */
struct waiting {
	char *path;
	struct timespec written;
};

struct log_tail {
	const char *path;
	struct log_place place;
	int file; /* lent from lines */
	struct lines *lines;
	struct waiting *waiting; /* rotated ones, oldest first; behind them the log itself */
	size_t waiting_count, waiting_next;
	bool is_drained;    /* there is another file, and this one was looked at a last time */
	uint32_t head_size; /* of the begin of the file, as it was when last asked for */
	unsigned char head_hash[LOG_HASH_SIZE];
	bool has_gap;
	const char *compressed; /* the youngest rotated file that cannot be read, or NULL */
	int64_t written_s, sampled_s;
};

static int open_file(const char *path, struct stat *about)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (file == -1)
		return -1;
	if (fstat(file, about) == 0 && S_ISREG(about->st_mode))
		return file;
	close(file);
	errno = EINVAL;
	return -1;
}

/* The hash of the first size bytes; false when there are not as many. */
static bool hash_head(int file, size_t size, unsigned char *hash_out)
{
	unsigned char head[LOG_HEAD_MAX];
	size_t got = 0;

	while (got < size) {
		ssize_t more = pread(file, head + got, size - got, (off_t)got);

		if (more == -1 && errno == EINTR)
			continue;
		if (more <= 0)
			return false;
		got += (size_t)more;
	}
	hash_sha256(head, size, hash_out);
	return true;
}

static bool is_same_inode(const struct log_place *place, const struct stat *about)
{
	return place->device == (uint64_t)about->st_dev && place->inode == (uint64_t)about->st_ino;
}

/* True when the place is in this file. */
static bool holds(const struct log_place *place, int file, const struct stat *about)
{
	unsigned char hash[LOG_HASH_SIZE];

	if ((uint64_t)about->st_size < place->offset || place->head_size > LOG_HEAD_MAX)
		return false;
	if (!is_same_inode(place, about) && place->head_size < HEAD_MIN)
		return false;
	return hash_head(file, place->head_size, hash) &&
	       memcmp(hash, place->head_hash, sizeof hash) == 0;
}

/* Takes the fingerprint of the file, again while it is short. A file that was cut has another
 * begin: then the old one stays, for its copy is to be found by it. */
static void note_head(struct log_tail *tail)
{
	uint64_t offset = tail->place.offset;
	uint32_t size = offset < LOG_HEAD_MAX ? (uint32_t)offset : LOG_HEAD_MAX;
	unsigned char hash[LOG_HASH_SIZE];

	if (size <= tail->head_size)
		return;
	if (tail->head_size > 0 && (!hash_head(tail->file, tail->head_size, hash) ||
					   memcmp(hash, tail->head_hash, sizeof hash) != 0))
		return;
	if (hash_head(tail->file, size, tail->head_hash))
		tail->head_size = size;
}

/* Reads this file from now on. */
static void begin(struct log_tail *tail, int file, const struct stat *about, uint64_t offset)
{
	lines_close(tail->lines);
	tail->lines = lines_open_file(tail, file, offset);
	lines_set_growing(tail->lines, true);
	tail->file = file;
	tail->is_drained = false;
	tail->head_size = 0;
	tail->place = (struct log_place){.device = (uint64_t)about->st_dev,
		.inode = (uint64_t)about->st_ino,
		.offset = offset};
	tail->sampled_s = (int64_t)about->st_mtime;
}

/* "mail.log.1", "mail.log-20261123", "mail.log.20261123-1200" of "mail.log": a delimiter, and
 * digits to the end. */
static bool is_rotation_of(const char *name, const char *base)
{
	size_t size = strlen(base);

	return strncmp(name, base, size) == 0 && (name[size] == '.' || name[size] == '-') &&
	       name[size + 1] != '\0' &&
	       strspn(name + size + 1, "0123456789-") == strlen(name + size + 1);
}

/* "mail.log.1.gz": a rotated one with an ending of letters more. */
static bool is_compressed_rotation_of(const char *name, const char *base)
{
	static const char *const endings[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"};
	const char *dot = strrchr(name, '.');
	bool is_known = false, is_rotation;
	char *front;

	for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof endings[0]; i++)
		is_known |= strcmp(dot, endings[i]) == 0;
	if (!is_known)
		return false;
	front = mem_strndup(NULL, name, (size_t)(dot - name));
	is_rotation = is_rotation_of(front, base);
	mem_free(front);
	return is_rotation;
}

static int compare_waiting(const void *a, const void *b)
{
	const struct waiting *left = a, *right = b;

	if (left->written.tv_sec != right->written.tv_sec)
		return left->written.tv_sec < right->written.tv_sec ? -1 : 1;
	return (left->written.tv_nsec > right->written.tv_nsec) -
	       (left->written.tv_nsec < right->written.tv_nsec);
}

/* All rotated files of the log, oldest first, in tail->waiting; tail->compressed. */
static void list_rotated(struct log_tail *tail)
{
	char *folder = dirname(mem_strdup(tail, tail->path));
	char *base = basename(mem_strdup(tail, tail->path));
	DIR *entries = opendir(folder);
	struct dirent *entry;
	time_t compressed_s = 0;

	mem_free(tail->waiting);
	tail->waiting = mem_new_array(tail, struct waiting, SIBLINGS_MAX);
	tail->waiting_count = tail->waiting_next = 0;
	tail->compressed = NULL;
	while (entries != NULL && (entry = readdir(entries)) != NULL &&
		tail->waiting_count < SIBLINGS_MAX) {
		struct waiting *waiting = &tail->waiting[tail->waiting_count];
		bool is_compressed = is_compressed_rotation_of(entry->d_name, base);
		struct stat about;

		if (!is_compressed && !is_rotation_of(entry->d_name, base))
			continue;
		waiting->path = mem_printf(tail->waiting, "%s/%s", folder, entry->d_name);
		if (stat(waiting->path, &about) != 0 || !S_ISREG(about.st_mode))
			continue;
		if (is_compressed && (tail->compressed == NULL || about.st_mtime > compressed_s)) {
			tail->compressed = mem_strdup(tail, waiting->path);
			compressed_s = about.st_mtime;
		}
		if (is_compressed)
			continue;
		waiting->written = about.st_mtim;
		tail->waiting_count++;
	}
	if (entries != NULL)
		closedir(entries);
	qsort(tail->waiting, tail->waiting_count, sizeof *tail->waiting, compare_waiting);
}

/* Goes on in the rotated file that holds the place; what is behind it waits. False when none does,
 * and then nothing waits. */
static bool find_rotated(struct log_tail *tail, const struct log_place *place)
{
	list_rotated(tail);
	for (size_t i = tail->waiting_count; i-- > 0;) {
		struct stat about;
		int file = open_file(tail->waiting[i].path, &about);

		if (file == -1)
			continue;
		if (holds(place, file, &about)) {
			tail->waiting_next = i + 1;
			begin(tail, file, &about, place->offset);
			return true;
		}
		close(file);
	}
	tail->waiting_count = 0;
	return false;
}

/* The log itself, from its begin. */
static enum status begin_log(struct log_tail *tail)
{
	struct stat about;
	int file = open_file(tail->path, &about);

	if (file == -1)
		return status_from_errno(errno);
	begin(tail, file, &about, 0);
	return STATUS_OK;
}

enum status log_tail_open(const void *context, const char *path, const struct log_place *place,
	struct log_tail **tail_out)
{
	struct log_tail *tail = mem_new(context, struct log_tail);
	enum status status = STATUS_OK;
	struct stat about;
	int file = -1;

	tail->path = mem_strdup(tail, path);
	if (place != NULL)
		file = open_file(path, &about);
	if (file != -1 && holds(place, file, &about)) {
		begin(tail, file, &about, place->offset);
	} else if (place == NULL || !find_rotated(tail, place)) {
		tail->has_gap = place != NULL;
		status = begin_log(tail);
		file = -1;
	} else if (file != -1) {
		close(file);
	}
	if (status != STATUS_OK) {
		int error = errno;

		mem_free(tail);
		tail = NULL;
		errno = error;
	}
	*tail_out = tail;
	return status;
}

/* What waits behind the file that is read, when the log has another one by now: the rotated ones
 * that are younger. Under a name that we do not know it is taken for the youngest. */
static void list_younger(struct log_tail *tail)
{
	struct stat about;

	list_rotated(tail);
	while (tail->waiting_next < tail->waiting_count) {
		if (stat(tail->waiting[tail->waiting_next++].path, &about) == 0 &&
			is_same_inode(&tail->place, &about))
			return;
	}
}

static bool begin_next(struct log_tail *tail)
{
	while (tail->waiting_next < tail->waiting_count) {
		struct stat about;
		int file = open_file(tail->waiting[tail->waiting_next++].path, &about);

		if (file == -1)
			continue;
		begin(tail, file, &about, 0);
		return true;
	}
	return begin_log(tail) == STATUS_OK;
}

/* True also when it has grown again beyond where we are: then it has another begin. */
static bool was_cut(const struct log_tail *tail, const struct stat *about)
{
	unsigned char hash[LOG_HASH_SIZE];

	return (uint64_t)about->st_size < tail->place.offset ||
	       (tail->head_size > 0 && (!hash_head(tail->file, tail->head_size, hash) ||
					       memcmp(hash, tail->head_hash, sizeof hash) != 0));
}

/* The log was cut under us: what is missing may be in a copy. */
static bool begin_again(struct log_tail *tail)
{
	struct log_place place;

	place = tail->place;
	place.head_size = tail->head_size;
	memcpy(place.head_hash, tail->head_hash, sizeof place.head_hash);
	if (find_rotated(tail, &place))
		return true;
	tail->has_gap = true;
	return begin_log(tail) == STATUS_OK;
}

/* The file is read to its end. True when there is more to read now. A new file with nothing in it
 * does not count: who writes the log may not have noticed yet, and still write to the old one. */
static bool turn(struct log_tail *tail)
{
	bool has_waiting = tail->waiting_next < tail->waiting_count;
	struct stat about;

	if (!has_waiting && stat(tail->path, &about) != 0)
		return false; /* renamed, and the next is not there yet */
	if (!has_waiting && is_same_inode(&tail->place, &about))
		return was_cut(tail, &about) && begin_again(tail);
	if (!has_waiting && about.st_size == 0)
		return false;
	if (tail->is_drained)
		return begin_next(tail);
	/* A last look; a line without its end counts now. */
	if (!has_waiting)
		list_younger(tail);
	tail->is_drained = true;
	lines_set_growing(tail->lines, false);
	return true;
}

/* At the end of what is there: all of what was there at the last sample is read by now. */
static void sample(struct log_tail *tail)
{
	struct stat about;

	tail->written_s = tail->sampled_s;
	if (fstat(tail->file, &about) == 0)
		tail->sampled_s = (int64_t)about.st_mtime;
	note_head(tail);
}

enum status log_tail_next(struct log_tail *tail, struct line *line_out)
{
	enum status status;

	do {
		status = lines_next(tail->lines, line_out);
		if (status == STATUS_OK) {
			tail->place.offset = lines_offset(tail->lines);
			if (tail->head_size < LOG_HEAD_MAX)
				note_head(tail);
			return status;
		}
		if (status == STATUS_NOT_FOUND)
			sample(tail);
	} while (status == STATUS_NOT_FOUND && turn(tail));
	return status;
}

void log_tail_place(const struct log_tail *tail, struct log_place *place_out)
{
	*place_out = tail->place;
	place_out->head_size = tail->head_size;
	memcpy(place_out->head_hash, tail->head_hash, sizeof place_out->head_hash);
}

bool log_tail_take_gap(struct log_tail *tail)
{
	bool has_gap = tail->has_gap;

	tail->has_gap = false;
	return has_gap;
}

const char *log_tail_compressed(const struct log_tail *tail)
{
	return tail->compressed;
}

int64_t log_tail_written(const struct log_tail *tail)
{
	return tail->written_s;
}

uint64_t log_tail_size(const struct log_tail *tail)
{
	return lines_size(tail->lines);
}

uint64_t log_tail_offset(const struct log_tail *tail)
{
	return tail->place.offset;
}
