/*
 * roster_file.c: in charge of the form of a roster and of noticing that it changes while it is
 * read. It is read, not mapped: a list manager that cuts it short meanwhile would be a SIGBUS.
 */
#include "base/roster_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/memory.h"

#define BUFFER_SIZE (64 * 1024)
_Static_assert(BUFFER_SIZE > 2 * ROSTER_LINE_MAX, "a line fits into the buffer");

bool roster_stamp_equal(const struct roster_stamp *a, const struct roster_stamp *b)
{
	return a->size == b->size && a->inode == b->inode && a->changed_ns == b->changed_ns;
}

static struct roster_stamp make_stamp(const struct stat *about)
{
	return (struct roster_stamp){
		.size = (uint64_t)about->st_size,
		.inode = (uint64_t)about->st_ino,
		.changed_ns = (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec,
	};
}

static enum status explain_errno(int error, const char **why_out)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		*why_out = "does not exist";
		break;
	case EACCES:
	case EPERM:
		*why_out = "may not be read";
		break;
	default:
		*why_out = "cannot be read";
		break;
	}
	return status_from_errno(error);
}

static enum status judge(
	const struct stat *about, struct roster_stamp *stamp_out, const char **why_out)
{
	if (!S_ISREG(about->st_mode)) {
		*why_out = "is not a plain file";
		return STATUS_DATA;
	}
	*stamp_out = make_stamp(about);
	return STATUS_OK;
}

enum status roster_file_look(const char *path, struct roster_stamp *stamp_out, const char **why_out)
{
	struct stat about;

	*why_out = NULL;
	if (stat(path, &about) != 0)
		return explain_errno(errno, why_out);
	return judge(&about, stamp_out, why_out);
}

struct span {
	const char *text;
	size_t size;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span span)
{
	while (span.size > 0 && is_space(span.text[0])) {
		span.text++;
		span.size--;
	}
	while (span.size > 0 && is_space(span.text[span.size - 1]))
		span.size--;
	return span;
}

/* Where c first stands outside of quoted strings (RFC 5322 section 3.2.4); the size when nowhere.
 */
static size_t find_unquoted(struct span span, char c)
{
	bool is_quoted = false;

	for (size_t i = 0; i < span.size; i++) {
		if (span.text[i] == '\\' && is_quoted)
			i++;
		else if (span.text[i] == '"')
			is_quoted = !is_quoted;
		else if (span.text[i] == c && !is_quoted)
			return i;
	}
	return span.size;
}

/* What stands in angle brackets, else what stands in front of a comment. */
static struct span find_address(struct span line)
{
	size_t open = find_unquoted(line, '<');
	size_t comment = find_unquoted(line, '(');

	if (open < line.size && open < comment) {
		line.text += open + 1;
		line.size -= open + 1;
		line.size = find_unquoted(line, '>');
		return trim(line);
	}
	line.size = comment;
	/* A '#' is a character of local parts; behind white space it begins a comment. */
	for (size_t i = 1; i < line.size; i++) {
		if (line.text[i] == '#' && is_space(line.text[i - 1]))
			line.size = i;
	}
	return trim(line);
}

char *roster_line_address(const void *context, const char *line, size_t size, bool *is_blank_out)
{
	char text[ROSTER_LINE_MAX + 1];
	struct span span = trim((struct span){line, size});

	*is_blank_out = span.size == 0 || span.text[0] == '#';
	if (*is_blank_out || size > ROSTER_LINE_MAX)
		return NULL;
	span = find_address(span);
	if (span.size == 0 || memchr(span.text, '\0', span.size) != NULL)
		return NULL;
	memcpy(text, span.text, span.size);
	text[span.size] = '\0';
	return address_normalise(context, text);
}

/* A reading: a buffer whose first `used` bytes are a line that is not complete yet. */
struct reading {
	roster_visitor *visitor;
	void *argument;
	struct roster_figures *figures;
	void *context;
	uint64_t line;
	size_t used;
	bool is_too_long; /* the line's begin was thrown away */
	char buffer[BUFFER_SIZE];
};

static enum status take_line(struct reading *reading, const char *line, size_t size)
{
	enum status status = STATUS_OK;
	bool is_blank = false;
	char *address = NULL;

	reading->line++;
	if (reading->line == 1 && size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		size -= 3;
	}
	if (!reading->is_too_long)
		address = roster_line_address(reading->context, line, size, &is_blank);
	reading->is_too_long = false;
	if (address != NULL) {
		reading->figures->addresses++;
		status = reading->visitor(reading->argument, address);
		mem_free(address);
	} else if (!is_blank) {
		reading->figures->wrong++;
		if (reading->figures->first_wrong == 0)
			reading->figures->first_wrong = reading->line;
	}
	return status;
}

/* Takes the complete lines out of the buffer. */
static enum status take_lines(struct reading *reading)
{
	const char *begin = reading->buffer, *stop = reading->buffer + reading->used;
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		const char *end = memchr(begin, '\n', (size_t)(stop - begin));
		if (end == NULL)
			break;
		status = take_line(reading, begin, (size_t)(end - begin));
		begin = end + 1;
	}
	reading->used = (size_t)(stop - begin);
	if (reading->used > ROSTER_LINE_MAX) {
		reading->is_too_long = true;
		reading->used = 0;
	}
	memmove(reading->buffer, begin, reading->used);
	return status;
}

static enum status read_lines(struct reading *reading, int fd, const char **why_out)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		ssize_t got = read(fd, reading->buffer + reading->used,
			sizeof reading->buffer - reading->used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return explain_errno(errno, why_out);
		if (got == 0)
			break;
		reading->used += (size_t)got;
		status = take_lines(reading);
	}
	if (status == STATUS_OK && (reading->used > 0 || reading->is_too_long))
		status = take_line(reading, reading->buffer, reading->used);
	return status;
}

static enum status read_open(
	struct reading *reading, int fd, struct roster_stamp *stamp_out, const char **why_out)
{
	struct roster_stamp end;
	struct stat about;
	enum status status;

	if (fstat(fd, &about) != 0)
		return explain_errno(errno, why_out);
	status = judge(&about, stamp_out, why_out);
	if (status == STATUS_OK)
		status = read_lines(reading, fd, why_out);
	if (status != STATUS_OK)
		return status;
	if (fstat(fd, &about) != 0)
		return explain_errno(errno, why_out);
	end = make_stamp(&about);
	if (roster_stamp_equal(stamp_out, &end))
		return STATUS_OK;
	*why_out = "changed while it was read";
	return STATUS_DATA;
}

enum status roster_file_read(const char *path, roster_visitor *visitor, void *argument,
	struct roster_stamp *stamp_out, struct roster_figures *figures_out, const char **why_out)
{
	/* O_NONBLOCK: a FIFO must not make a delivery wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct reading *reading;
	enum status status;

	*why_out = NULL;
	*figures_out = (struct roster_figures){0};
	*stamp_out = (struct roster_stamp){0};
	if (fd < 0)
		return explain_errno(errno, why_out);
	reading = mem_new(NULL, struct reading);
	reading->visitor = visitor;
	reading->argument = argument;
	reading->figures = figures_out;
	reading->context = reading;
	status = read_open(reading, fd, stamp_out, why_out);
	mem_free(reading);
	close(fd);
	return status;
}
