/*
 * budget.c: in charge of what a message may cost where the code is not ours. GMime makes an object
 * of a few hundred bytes for each field, of some thousands for each part, and takes apart each
 * address field of each message inside a message, whether anybody asks or not: two megabytes of
 * "a:a:a:" in a To field become half a gigabyte. It knows no limits of its own.
 *
 * So it never sees an address field. Of all fields it needs only the Content- ones; the others are
 * renamed, in a copy, by an X over their first byte, and those in a row made one field by a blank
 * over the first byte of the others: half of GMime's time went into fields that nobody asks it for.
 * That keeps every offset as it is, and part.c takes contents from the message itself. Fields and
 * places where a part could begin are counted, and where there are too many of them the message
 * ends, for GMime.
 *
 * What a header is can only be guessed before boundaries are known. The guess errs to one side: a
 * line of a text may be renamed and counted, a field that GMime sees is never missed.
 */
#include "read/budget.h"

#include <string.h>
#include <strings.h>

#include "read/header.h"

/* BEHIND: behind the empty line of a header, where the header of a message inside could begin. */
enum place { IN_HEADER, BEHIND_HEADER, IN_BODY };

/* One message on its way to GMime. */
struct reading {
	struct budget *budget;
	enum place place;
	unsigned char *content; /* the Content- field that goes on, or NULL */
	bool is_renamed;	/* the field that goes on is renamed, and a blank can continue it */
	bool has_message;	/* the header that this is, or was, says that a message is inside */
	bool has_digest;	/* one said that its parts are messages, whatever they say */
};

static bool is_continuation(const unsigned char *line, size_t size)
{
	return size > 0 && (line[0] == ' ' || line[0] == '\t');
}

static bool is_boundary(const unsigned char *line, size_t size)
{
	return size >= 2 && line[0] == '-' && line[1] == '-';
}

static bool is_field(const unsigned char *line, size_t size)
{
	size_t value_offset;

	return header_measure_name(line, size, &value_offset) > 0;
}

/* A field for GMime, too, to which one with a blank before the colon is none. */
static bool is_strict_field(const unsigned char *line, size_t size)
{
	size_t value_offset, length = header_measure_name(line, size, &value_offset);

	return length > 0 && value_offset == length + 1;
}

/* True when word, in lower case, is in the line. */
static bool has_word(const unsigned char *line, size_t size, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i + length <= size; i++) {
		if ((line[i] | 0x20) == word[0] &&
			strncasecmp((const char *)line + i, word, length) == 0)
			return true;
	}
	return false;
}

static bool is_content_field(const unsigned char *line, size_t size)
{
	static const char name[] = "Content-";

	return size >= sizeof(name) - 1 &&
	       strncasecmp((const char *)line, name, sizeof(name) - 1) == 0;
}

/* A line of a Content- field: what it says, and what it takes. The field is renamed once it is too
 * much. */
static void read_content(struct reading *reading, const unsigned char *line, size_t size)
{
	reading->budget->content_size += size;
	if (reading->budget->content_size <= BUDGET_CONTENT_SIZE) {
		reading->has_message = reading->has_message || has_word(line, size, "message");
		reading->has_digest = reading->has_digest || has_word(line, size, "digest");
		return;
	}
	*reading->content = 'X';
	reading->content = NULL;
	reading->budget->is_exceeded = true;
}

/* A line in a header that is not empty. */
static void read_header_line(struct reading *reading, unsigned char *line, size_t size)
{
	if (is_boundary(line, size)) {
		reading->content = NULL;
		reading->is_renamed = false;
		reading->has_message = false;
		reading->budget->blocks++;
	} else if (!is_continuation(line, size)) {
		bool is_content = is_content_field(line, size);
		bool is_renamed = !is_content && is_strict_field(line, size);
		reading->budget->fields++;
		reading->content = is_content ? line : NULL;
		if (is_renamed && reading->is_renamed)
			*line = ' ';
		else if (!is_content && is_field(line, size))
			*line = 'X';
		reading->is_renamed = is_renamed;
	}
	if (reading->content != NULL)
		read_content(reading, line, size);
}

/* Where a line that is not empty stands, seen from where the line before it stood. GMime passes
 * over junk on top of a header. */
static enum place find_place(const struct reading *reading, const unsigned char *line, size_t size)
{
	bool is_open = reading->has_message || reading->has_digest;

	if (is_boundary(line, size))
		return IN_HEADER;
	if (reading->place != BEHIND_HEADER)
		return reading->place;
	return is_open || is_field(line, size) ? IN_HEADER : IN_BODY;
}

static void read_line(struct reading *reading, unsigned char *line, size_t size)
{
	enum place before = reading->place;

	if (size > 0 && line[size - 1] == '\r')
		size--;
	if (size == 0) {
		reading->place = before == IN_HEADER ? BEHIND_HEADER : before;
		return;
	}
	reading->place = find_place(reading, line, size);
	if (reading->place != IN_HEADER)
		return;
	if (before != IN_HEADER) {
		reading->content = NULL;
		reading->is_renamed = false;
		reading->has_message = false;
		reading->budget->blocks += !is_boundary(line, size);
	}
	read_header_line(reading, line, size);
}

size_t budget_apply(struct budget *budget, unsigned char *data, size_t size)
{
	struct reading reading = {.budget = budget, .place = IN_HEADER};
	size_t offset = 0;

	budget->blocks++;
	while (offset < size) {
		unsigned char *newline = memchr(data + offset, '\n', size - offset);
		size_t end = newline == NULL ? size : (size_t)(newline - data);

		read_line(&reading, data + offset, end - offset);
		if (budget->fields > BUDGET_FIELD_MAX || budget->blocks > BUDGET_BLOCK_MAX) {
			budget->is_exceeded = true;
			return offset;
		}
		offset = newline == NULL ? size : end + 1;
	}
	return size;
}
