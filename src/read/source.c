/*
 * source.c: in charge of getting at messages: which files below a path hold some, and their bytes.
 * Large files are mapped, not read: an mbox of a gigabyte costs address space only. A mapped file
 * that is cut while it is read raises SIGBUS; that is accepted offline, and deliver reads standard
 * input. Small ones are read: to map and unmap one takes longer than to parse it.
 */
#include "read/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "maildir/maildir.h"

#define CHUNK_SIZE (64 * 1024)
#define MAPPED_MIN (256 * 1024) /* bytes of a file from which on it is mapped */
#define FOLDER_DEPTH_MAX 32
#define UNQUOTE_MAX (16 * 1024 * 1024) /* bytes of a message that is copied to undo its quoting */

struct mapping {
	void *data;
	size_t size;
};

static int mapping_release(struct mapping *mapping)
{
	if (mapping->data != NULL)
		munmap(mapping->data, mapping->size);
	return 0;
}

/* Reads size bytes, or as many as there are. */
static enum status read_small(
	const void *context, int descriptor, size_t size, struct bytes *bytes_out)
{
	unsigned char *data = mem_alloc(context, size);
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(descriptor, data + used, size - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return status_from_errno(errno);
		if (got == 0)
			break;
		used += (size_t)got;
	}
	*bytes_out = (struct bytes){data, used};
	return STATUS_OK;
}

/* Maps a whole descriptor read-only below context; or reads it. */
static enum status map_descriptor(const void *context, int descriptor, struct bytes *bytes_out)
{
	struct stat info;

	if (fstat(descriptor, &info) != 0)
		return status_from_errno(errno);
	*bytes_out = (struct bytes){(const unsigned char *)"", 0};
	if (info.st_size == 0)
		return STATUS_OK;
	if (info.st_size < MAPPED_MIN)
		return read_small(context, descriptor, (size_t)info.st_size, bytes_out);
	struct mapping *mapping = mem_new(context, struct mapping);
	mapping->size = (size_t)info.st_size;
	mapping->data = mmap(NULL, mapping->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (mapping->data == MAP_FAILED) {
		mapping->data = NULL;
		return status_from_errno(errno);
	}
	talloc_set_destructor(mapping, mapping_release);
	*bytes_out = (struct bytes){mapping->data, mapping->size};
	return STATUS_OK;
}

enum status source_read_file(const void *context, const char *path, struct bytes *bytes_out)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (descriptor < 0)
		return status_from_errno(errno);
	enum status status = map_descriptor(context, descriptor, bytes_out);
	close(descriptor);
	return status;
}

/* Memory of malloc's, since talloc refuses blocks of a quarter of a gigabyte, freed with a context.
 */
struct buffer {
	unsigned char *data;
};

static int buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	return 0;
}

enum status source_read_all(const void *context, int descriptor, struct bytes *bytes_out)
{
	struct buffer *buffer = mem_new(context, struct buffer);
	size_t size = 0, room = 0;

	talloc_set_destructor(buffer, buffer_release);
	for (;;) {
		if (room - size < CHUNK_SIZE) {
			room = room == 0 ? CHUNK_SIZE * 2 : room * 2;
			unsigned char *larger = realloc(buffer->data, room);
			if (larger == NULL)
				return STATUS_NO_SPACE;
			buffer->data = larger;
		}
		ssize_t got = read(descriptor, buffer->data + size, room - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return status_from_errno(errno);
		if (got == 0)
			break;
		size += (size_t)got;
	}
	*bytes_out = (struct bytes){buffer->data, size};
	return STATUS_OK;
}

/* One walk: what to call, and how far it has come. */
struct walk {
	source_visitor *visitor;
	source_problem *problem;
	void *argument;
	uint64_t offset;
	enum status worst;   /* STATUS_NO_INPUT once a file could not be read */
	enum status stopped; /* the visitor's failure */
};

static enum status visit(struct walk *walk, const char *source, size_t index, struct bytes bytes)
{
	struct source_message message = {source, index, bytes, walk->offset};

	walk->stopped = walk->visitor(walk->argument, &message);
	return walk->stopped;
}

static void report_problem(struct walk *walk, const char *path, const char *why)
{
	walk->worst = STATUS_NO_INPUT;
	if (walk->problem != NULL)
		walk->problem(walk->argument, path, why);
}

/* True when the mbox holds more than one message, or nothing says otherwise: a lone message with a
 * From line is one message either way, and keeps its bytes as they are. */
static bool has_second_message(struct bytes bytes)
{
	size_t offset = 0;
	struct mbox_message message;

	return mbox_next(bytes.data, bytes.size, &offset, &message) && offset < bytes.size &&
	       mbox_next(bytes.data, bytes.size, &offset, &message);
}

/* ">From " is undone on a copy, where there is one, and the copy is of a bearable size: what is as
 * large as that has its report, if any, far in front of such lines. */
static struct bytes unquote(const void *context, const struct mbox_message *message)
{
	struct bytes bytes = {message->data, message->size};

	if (bytes.size > UNQUOTE_MAX || memmem(bytes.data, bytes.size, "\n>", 2) == NULL)
		return bytes;
	unsigned char *copy = mem_alloc(context, bytes.size);
	bytes.size = mbox_unquote(bytes.data, bytes.size, copy);
	bytes.data = copy;
	return bytes;
}

static void walk_mbox(struct walk *walk, const char *path, struct bytes bytes)
{
	struct mbox_message message;
	size_t offset = 0, index = 0;
	uint64_t base = walk->offset;

	while (mbox_next(bytes.data, bytes.size, &offset, &message)) {
		void *context = mem_context(NULL, "mbox message");
		walk->offset = base + offset;
		enum status status = visit(walk, path, ++index, unquote(context, &message));
		mem_free(context);
		if (status != STATUS_OK)
			return;
	}
}

static void walk_bytes(struct walk *walk, const char *path, struct bytes bytes)
{
	uint64_t base = walk->offset;

	if (mbox_is(bytes.data, bytes.size) && has_second_message(bytes)) {
		walk_mbox(walk, path, bytes);
	} else {
		walk->offset += bytes.size;
		visit(walk, path, 1, bytes);
	}
	walk->offset = base + bytes.size;
}

static void walk_file(struct walk *walk, const char *path)
{
	void *context = mem_context(NULL, "file");
	struct bytes bytes;
	enum status status = source_read_file(context, path, &bytes);

	if (status == STATUS_OK)
		walk_bytes(walk, path, bytes);
	else
		report_problem(walk, path, status_text(status));
	mem_free(context);
}

static int walk_maildir_file(void *argument, const char *path, const char *name)
{
	struct walk *walk = argument;

	(void)name;
	walk_file(walk, path);
	return walk->stopped == STATUS_OK ? 0 : 1;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void walk_path(struct walk *walk, const char *path, int depth);

static void walk_folder(struct walk *walk, const char *path, int depth)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort);

	if (count < 0 || depth >= FOLDER_DEPTH_MAX) {
		report_problem(walk, path, count < 0 ? strerror(errno) : "folders nested too deep");
		return;
	}
	for (int i = 0; i < count; i++) {
		if (walk->stopped == STATUS_OK) {
			char *below = mem_printf(NULL, "%s/%s", path, entries[i]->d_name);
			walk_path(walk, below, depth + 1);
			mem_free(below);
		}
		free(entries[i]);
	}
	free(entries);
}

/* The arguments themselves may be symbolic links; what lies below them is not followed. */
static void walk_path(struct walk *walk, const char *path, int depth)
{
	struct stat info;

	if ((depth == 0 ? stat(path, &info) : lstat(path, &info)) != 0) {
		report_problem(walk, path, strerror(errno));
	} else if (S_ISDIR(info.st_mode) && maildir_is(path)) {
		if (maildir_walk(path, walk_maildir_file, walk) != 0 && walk->stopped == STATUS_OK)
			report_problem(walk, path, "the Maildir cannot be read");
	} else if (S_ISDIR(info.st_mode)) {
		walk_folder(walk, path, depth);
	} else if (S_ISREG(info.st_mode)) {
		walk_file(walk, path);
	} else if (depth == 0) {
		report_problem(walk, path, "not a file or a folder");
	}
}

static void walk_stdin(struct walk *walk)
{
	void *context = mem_context(NULL, "standard input");
	struct bytes bytes;
	enum status status = source_read_all(context, STDIN_FILENO, &bytes);

	if (status == STATUS_OK)
		walk_bytes(walk, SOURCE_STDIN, bytes);
	else
		report_problem(walk, SOURCE_STDIN, status_text(status));
	mem_free(context);
}

enum status source_walk(
	const char *path, source_visitor *visitor, source_problem *problem, void *argument)
{
	struct walk walk = {.visitor = visitor, .problem = problem, .argument = argument};

	if (strcmp(path, SOURCE_STDIN) == 0)
		walk_stdin(&walk);
	else
		walk_path(&walk, path, 0);
	return walk.stopped != STATUS_OK ? walk.stopped : walk.worst;
}

static int measure_maildir_file(void *argument, const char *path, const char *name)
{
	uint64_t *total = argument;
	struct stat info;

	(void)name;
	if (stat(path, &info) == 0)
		*total += (uint64_t)info.st_size;
	return 0;
}

static uint64_t measure_path(const char *path, int depth)
{
	struct stat info;
	uint64_t total = 0;
	struct dirent **entries;

	if ((depth == 0 ? stat(path, &info) : lstat(path, &info)) != 0)
		return 0;
	if (S_ISREG(info.st_mode))
		return (uint64_t)info.st_size;
	if (!S_ISDIR(info.st_mode) || depth >= FOLDER_DEPTH_MAX)
		return 0;
	if (maildir_is(path)) {
		maildir_walk(path, measure_maildir_file, &total);
		return total;
	}
	int count = scandir(path, &entries, is_visible, NULL);
	for (int i = 0; i < count; i++) {
		char *below = mem_printf(NULL, "%s/%s", path, entries[i]->d_name);
		total += measure_path(below, depth + 1);
		mem_free(below);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return total;
}

uint64_t source_measure(const char *path)
{
	return measure_path(path, 0);
}
