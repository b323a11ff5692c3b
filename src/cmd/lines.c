/*
 * lines.c: reads lines through one fixed buffer.
 *
 * In charge of files whose size and lines other programs decide. getline(3) would grow with the
 * longest line, and a mapped log that logrotate truncates ends its reader with SIGBUS; hence the
 * buffer.
 */
#include "cmd/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define BUFFER_SIZE (4 * LINES_LENGTH_MAX)

struct lines {
	int file;
	bool is_ours; /* to close */
	bool has_ended;
	bool is_growing;
	bool is_skipping; /* within the rest of a line that was cut */
	size_t start;	  /* of what is not handed out yet */
	size_t end;
	uint64_t number;
	uint64_t offset;
	uint64_t size;
	unsigned char buffer[BUFFER_SIZE];
};

static int close_file(struct lines *lines)
{
	if (lines->is_ours && lines->file != -1)
		close(lines->file);
	lines->file = -1;
	return 0;
}

enum status lines_open(const void *context, const char *path, struct lines **lines_out)
{
	bool is_standard_input = strcmp(path, "-") == 0;
	int file = is_standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct lines *lines;
	struct stat about;

	*lines_out = NULL;
	if (file == -1)
		return status_from_errno(errno);
	lines = mem_new(context, struct lines);
	lines->file = file;
	lines->is_ours = !is_standard_input;
	talloc_set_destructor(lines, close_file);
	if (fstat(file, &about) == 0 && S_ISREG(about.st_mode))
		lines->size = (uint64_t)about.st_size;
	*lines_out = lines;
	return STATUS_OK;
}

struct lines *lines_open_file(const void *context, int file, uint64_t offset)
{
	struct lines *lines = mem_new(context, struct lines);
	struct stat about;

	lines->file = file;
	lines->is_ours = true;
	talloc_set_destructor(lines, close_file);
	if (fstat(file, &about) == 0 && S_ISREG(about.st_mode))
		lines->size = (uint64_t)about.st_size;
	if (lseek(file, (off_t)offset, SEEK_SET) == (off_t)offset)
		lines->offset = offset;
	return lines;
}

void lines_set_growing(struct lines *lines, bool is_growing)
{
	lines->is_growing = is_growing;
	lines->has_ended = false;
}

void lines_close(struct lines *lines)
{
	mem_free(lines);
}

/* Moves what is left to the front and reads behind it. */
static enum status fill(struct lines *lines)
{
	ssize_t got;

	memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	do {
		got = read(lines->file, lines->buffer + lines->end, BUFFER_SIZE - lines->end);
	} while (got == -1 && errno == EINTR);
	if (got == -1)
		return STATUS_IO;
	lines->has_ended = got == 0;
	lines->end += (size_t)got;
	return STATUS_OK;
}

/* Where the line's LF is; NULL when it lies beyond LINES_LENGTH_MAX or the file ends without one.
 * The LF of a cut line is looked for by skip_rest. */
static enum status find_end(struct lines *lines, const unsigned char **end_out)
{
	for (;;) {
		size_t size = lines->end - lines->start;
		size_t searched = size < LINES_LENGTH_MAX + 1 ? size : LINES_LENGTH_MAX + 1;

		*end_out = memchr(lines->buffer + lines->start, '\n', searched);
		if (*end_out != NULL || searched > LINES_LENGTH_MAX || lines->has_ended)
			return STATUS_OK;

		enum status status = fill(lines);

		if (status != STATUS_OK)
			return status;
	}
}

/* Counts the bytes up to end as handed out. */
static void take(struct lines *lines, size_t size)
{
	lines->start += size;
	lines->offset += size;
}

/* Everything up to the next LF that is not in the buffer any more once it is read. The first
 * LINES_LENGTH_MAX bytes stay where they are, since they are lent. */
static enum status skip_rest(struct lines *lines)
{
	for (;;) {
		unsigned char *rest = lines->buffer + lines->start;
		const unsigned char *end = memchr(rest, '\n', lines->end - lines->start);
		ssize_t got;

		if (end != NULL) {
			take(lines, (size_t)(end - rest) + 1);
			lines->is_skipping = false;
			return STATUS_OK;
		}
		take(lines, lines->end - lines->start);
		lines->is_skipping = lines->is_growing;
		if (lines->has_ended)
			return STATUS_OK;
		lines->start = LINES_LENGTH_MAX;
		lines->end = LINES_LENGTH_MAX;
		got = read(lines->file, lines->buffer + lines->end, BUFFER_SIZE - lines->end);
		if (got == -1 && errno != EINTR)
			return STATUS_IO;
		lines->has_ended = got == 0;
		lines->end += got > 0 ? (size_t)got : 0;
	}
}

/* Cuts a line at LINES_LENGTH_MAX. */
static enum status cut_line(struct lines *lines, struct line *line)
{
	memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	line->text = (struct bytes){lines->buffer, LINES_LENGTH_MAX};
	line->is_cut = true;
	take(lines, LINES_LENGTH_MAX);
	return skip_rest(lines);
}

enum status lines_next(struct lines *lines, struct line *line_out)
{
	const unsigned char *end;
	const unsigned char *text;
	size_t size;
	enum status status = STATUS_OK;

	memset(line_out, 0, sizeof *line_out);
	/* What is in a growing file now need not be its end. */
	if (lines->is_growing)
		lines->has_ended = false;
	if (lines->is_skipping)
		status = skip_rest(lines);
	if (status == STATUS_OK && lines->is_skipping)
		return STATUS_NOT_FOUND;
	if (status == STATUS_OK)
		status = find_end(lines, &end);
	if (status != STATUS_OK)
		return status;
	text = lines->buffer + lines->start;
	size = lines->end - lines->start;
	if (end == NULL && (size == 0 || (lines->is_growing && size <= LINES_LENGTH_MAX)))
		return STATUS_NOT_FOUND;
	line_out->number = ++lines->number;
	if (end == NULL && size > LINES_LENGTH_MAX)
		return cut_line(lines, line_out);
	if (end != NULL)
		size = (size_t)(end - text);
	take(lines, size + (end != NULL ? 1 : 0));
	if (size > 0 && text[size - 1] == '\r')
		size--;
	line_out->text = (struct bytes){text, size};
	return STATUS_OK;
}

uint64_t lines_offset(const struct lines *lines)
{
	return lines->offset;
}

uint64_t lines_size(const struct lines *lines)
{
	return lines->size;
}
