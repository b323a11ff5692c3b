/* reply_text.c: in charge of replies of several lines. */
#include "classify/reply_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define CODE 3		   /* digits of a reply code */
#define STATUS_CHARS 11	   /* "5.123.4567" at most counts as an enhanced code */
#define FIRST_LINE_MAX 512 /* RFC 5321 section 4.5.3.1.5: a reply line has no more */
#define REPLY_REST_MAX 600 /* bytes that a first line is completed by */

/* The reply code at c, which begins a word. Refusals only: 2yz and 3yz lines say nothing. */
static bool is_code(const char *c)
{
	return (*c == '4' || *c == '5') && isdigit((unsigned char)c[1]) &&
	       isdigit((unsigned char)c[2]) && (c[CODE] == '-' || c[CODE] == ' ');
}

/* The length of the enhanced code, with an IronPort's '#', at c, or 0. */
static size_t measure_status(const char *c)
{
	size_t length = (*c == '#') + strspn(c + (*c == '#'), "0123456789.");
	bool is_status = length >= 5 && length <= STATUS_CHARS && memchr(c, '.', length) != NULL;

	return is_status ? length : 0;
}

static size_t skip_space(const char *c)
{
	return strspn(c, " \t\r\n");
}

/* The length of what a later line repeats in front of its words: the code, the enhanced code. */
static size_t measure_repeated(const char *c)
{
	size_t length = CODE + 1;

	length += skip_space(c + length);
	size_t status = measure_status(c + length);
	length += status;
	return length + (status > 0 && c[length] == ' ');
}

/* Where the transcript's mark stands that ends what was written so far; size where none does. */
static size_t find_mark(const char *joined, size_t size)
{
	size_t end = size;

	while (end > 0 && isspace((unsigned char)joined[end - 1]))
		end--;
	return end >= 3 && memcmp(joined + end - 3, "<<<", 3) == 0 ? end - 3 : size;
}

/* A line goes on with the reply that is open when it has its code, and its mark or none: what
 * quotes the first line, in a field or behind "reason:", stands outside the transcript. */
const char *reply_text_join(const void *context, const char *text)
{
	if (text == NULL || strchr(text, '-') == NULL)
		return text;
	char *joined = mem_alloc(context, strlen(text) + 1);
	const char *open = NULL; /* the code of the reply that goes on */
	bool is_open_marked = false;
	size_t size = 0;

	for (const char *c = text; *c != '\0';) {
		bool is_word = c == text || isspace((unsigned char)c[-1]);
		if (!is_word || !is_code(c)) {
			joined[size++] = *c++;
			continue;
		}
		size_t mark = find_mark(joined, size);
		bool is_marked = mark < size;
		bool goes_on = c[CODE] == '-';
		if (open != NULL && memcmp(open, c, CODE) == 0 && is_marked == is_open_marked) {
			size = mark;
			open = goes_on ? c : NULL;
			c += measure_repeated(c);
			continue;
		}
		open = goes_on ? c : NULL;
		is_open_marked = is_marked;
		memcpy(joined + size, c, CODE + 1);
		size += CODE + 1;
		c += CODE + 1;
	}
	joined[size] = '\0';
	return joined;
}

/* Where the words end that follow a first line: at the next step of the transcript, or at the next
 * reply. */
static size_t measure_rest(const char *rest)
{
	size_t length = 0;

	while (rest[length] != '\0' && length < REPLY_REST_MAX) {
		const char *c = rest + length;
		if (strncmp(c, "<<<", 3) == 0 || strncmp(c, ">>>", 3) == 0 ||
			(length > 0 && isspace((unsigned char)c[-1]) && is_code(c)))
			break;
		length++;
	}
	return length;
}

const char *reply_text_complete(const void *context, const char *diagnostic, const char *around)
{
	if (diagnostic == NULL || around == NULL || !is_code(diagnostic) ||
		diagnostic[CODE] != '-' || strlen(diagnostic) > FIRST_LINE_MAX)
		return diagnostic;
	char *line = text_trim(context, diagnostic, strlen(diagnostic));
	const char *mark = text_find_fold(around, "<<< ");
	for (; mark != NULL; mark = text_find_fold(mark + 4, "<<< ")) {
		if (text_starts_fold(mark + 4, line))
			return mem_strndup(context, mark + 4,
				strlen(line) + measure_rest(mark + 4 + strlen(line)));
	}
	return diagnostic;
}

/* The length of a host's name at c that its address in brackets follows, or 0. */
static size_t measure_host(const char *c)
{
	size_t length = strcspn(c, " \t\r\n[]<>@");
	const char *rest = c + length + skip_space(c + length);

	return memchr(c, '.', length) != NULL && *rest == '[' && isxdigit((unsigned char)rest[1])
		       ? length
		       : 0;
}

const char *reply_text_hide_names(const void *context, const char *text, const char *address)
{
	size_t address_length = address == NULL ? 0 : strlen(address);

	if (text == NULL)
		return NULL;
	char *hidden = mem_alloc(context, strlen(text) + 1);
	size_t size = 0;
	for (const char *c = text; *c != '\0';) {
		size_t length = 0;
		if (c - text >= 5 && strncmp(c - 5, "host ", 5) == 0)
			length = measure_host(c);
		if (length == 0 && address_length > 1 && text_starts_fold(c, address))
			length = address_length;
		hidden[size++] = length > 0 ? 'x' : *c;
		c += length > 0 ? length : 1;
	}
	hidden[size] = '\0';
	return hidden;
}
