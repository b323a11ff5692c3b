/*
 * prose.c: in charge of getting at the words of a report: which of a message's texts are its own,
 * and where the original begins in them.
 *
 * What others put behind a report is none of it: the footers of list managers, the disclaimers of
 * gateways.
 */
#include "classify/prose.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/html.h"

#define LINE_MAX_BYTES 4000
#define EMPTY_LINES_MAX 3     /* in a row */
#define FOLDED_MAX 100	      /* addresses over two lines that are joined */
#define FOLD_MAX_BYTES 3      /* a line end and blanks, in the middle of one */
#define ADDRESS_MAX_BYTES 320 /* of one, with the fold */
#define STUB_MAX 300	      /* bytes of a plain text that HTML follows */
#define FOOTER_LINE_MIN 8     /* characters of a line that sets a footer off */
#define RUN_FIELDS_MIN 3      /* header fields in a row that make a returned original */

/* The words that were read so far. */
struct words {
	char *text; /* NUL behind the last */
	size_t size, room;
};

/* How many empty lines the words end with. */
static size_t count_empty(const struct words *words)
{
	size_t count = 0, size = words->size;

	while (size > 0 && words->text[size - 1] == '\n' &&
		(size == 1 || words->text[size - 2] == '\n')) {
		count++;
		size--;
	}
	return count;
}

/* Adds content line by line, each cleaned. Of empty lines in a row only a few are kept: each \s* of
 * a pattern would go through all of them, from each of them. */
static void append_lines(struct words *words, const char *text, size_t text_size)
{
	while (text_size > 0 && words->size < PROSE_MAX) {
		const char *newline = memchr(text, '\n', text_size);
		size_t length = newline == NULL ? text_size : (size_t)(newline - text);
		size_t step = length + (newline != NULL);
		struct bytes line = {(const unsigned char *)text, length};

		if (length > 0 && text[length - 1] == '\r')
			line.size--;
		if (words->room - words->size < LINE_MAX_BYTES + 2) {
			words->room = words->room * 2 + LINE_MAX_BYTES + 2;
			words->text = mem_realloc(NULL, words->text, words->room);
		}
		char *clean = words->text + words->size;
		size_t clean_size = text_clean_into(clean, line, LINE_MAX_BYTES);
		clean_size -= clean_size > 0 && clean[clean_size - 1] == ' ';
		if (clean_size > 0 || count_empty(words) < EMPTY_LINES_MAX) {
			words->size += clean_size;
			words->text[words->size++] = '\n';
		}
		words->text[words->size] = '\0';
		text += step;
		text_size -= step;
	}
}

static void append_part(struct words *words, const struct part *part)
{
	size_t used = part->content.size < 2 * PROSE_MAX ? part->content.size : 2 * PROSE_MAX;
	char *copy = mem_strndup(NULL, (const char *)part->content.data, used);

	if (strcmp(part->type, "text/html") == 0)
		html_strip(copy);
	append_lines(words, copy, strlen(copy));
	mem_free(copy);
}

/* True for what a list manager adds as a part of its own: it begins with a line that sets it off.
 */
static bool is_footer(const struct part *part)
{
	const char *text = (const char *)part->content.data;
	size_t size = part->content.size, i = 0, length = 0;

	while (i < size && strchr(" \r\n", text[i]) != NULL)
		i++;
	while (i + length < size && strchr("_-=*", text[i + length]) != NULL)
		length++;
	bool is_signature = length == 2 && i + length < size && text[i + length] == ' ';
	i += length + is_signature;
	return (length >= FOOTER_LINE_MIN || is_signature) && i < size &&
	       strchr("\r\n", text[i]) != NULL;
}

/* HTML is read where the plain text, if there is any, only says that one should, or that the mail
 * is from outside: it is short and names nobody. */
static bool is_stub(const struct words *words)
{
	return words->size < STUB_MAX && memchr(words->text, '@', words->size) == NULL;
}

static bool is_original(const struct part *part)
{
	return part->is_message || strcmp(part->type, "text/rfc822-headers") == 0;
}

/* The texts of a report in their order, up to the original that came back. */
static void append_texts(struct words *words, const struct mail *mail)
{
	bool has_original = false;

	for (const struct part *part = mail->root; part != NULL;) {
		bool is_html = strcmp(part->type, "text/html") == 0;
		bool is_plain = strcmp(part->type, "text/plain") == 0;
		bool is_more = words->size > 0 && (has_original || is_footer(part));
		if (part->content.size > 0 && !part->is_message && !is_more &&
			(is_plain || (is_html && is_stub(words))))
			append_part(words, part);
		has_original = has_original || is_original(part);
		part = part->is_message ? part_behind(part, mail->root)
					: part_following(part, mail->root);
	}
}

/* Texts of a type that nobody knows. */
static void append_unknown(struct words *words, const struct mail *mail)
{
	for (const struct part *part = mail->root; part != NULL;) {
		if (!part->is_message && strcmp(part->type, "text") == 0 && part->content.size > 0)
			append_part(words, part);
		part = part->is_message ? part_behind(part, mail->root)
					: part_following(part, mail->root);
	}
}

/* Joins addresses in angle brackets that were folded over two lines, in place. */
static void join_addresses(char *prose, size_t size)
{
	size_t count = 0;

	for (char *start = prose; count < FOLDED_MAX && (start = strchr(start, '<')) != NULL;
		start++) {
		char *newline = start + strcspn(start, "> \n");
		char *rest = newline + strspn(newline, "\n ");
		char *end = rest + strcspn(rest, "<> \n");
		if (*newline != '\n' || *end != '>' || rest - newline > FOLD_MAX_BYTES ||
			end - start > ADDRESS_MAX_BYTES ||
			memchr(start, '@', (size_t)(end - start)) == NULL)
			continue;
		memmove(newline, rest, size - (size_t)(rest - prose) + 1);
		size -= (size_t)(rest - newline);
		count++;
	}
}

char *prose_read(const void *context, const struct mail *mail)
{
	struct words words = {.text = mem_strdup(context, "")};

	append_texts(&words, mail);
	if (words.size == 0)
		append_unknown(&words, mail);
	join_addresses(words.text, words.size);
	return words.text;
}

/* Fields that no report writes of a message in words of its own. Subject and To it does. */
static const char *const trace_fields[] = {"Received:", "Return-Path:", "MIME-Version:",
	"DKIM-Signature:", "Delivered-To:", "X-Received:", "X-Mailer:", "Content-Type:"};

/* Behind the quotation mark that some put before each line of the original. */
static const char *skip_quote(const char *line)
{
	return line + strspn(line, "> ");
}

/* True for "Name: ...". */
static bool is_field(const char *line)
{
	size_t length =
		strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	return length > 1 && line[length] == ':' &&
	       (line[length + 1] == ' ' || line[length + 1] == '\n');
}

static bool is_trace_field(const char *line)
{
	for (size_t i = 0; i < sizeof(trace_fields) / sizeof(trace_fields[0]); i++) {
		if (strncasecmp(line, trace_fields[i], strlen(trace_fields[i])) == 0)
			return true;
	}
	return false;
}

/* True for a field that only a bounce has: a daemon's name, the null sender. */
static bool is_bounce_field(const char *line)
{
	static const char *const authors[] = {"mailer-daemon", "mailerdaemon", "postmaster@",
		"mail delivery s", "mail administrator"};
	char *copy;
	bool is_found = false;

	if (strncasecmp(line, "Return-Path: <>", 15) == 0)
		return true;
	if (strncasecmp(line, "From:", 5) != 0)
		return false;
	copy = mem_strndup(NULL, line, strcspn(line, "\n"));
	for (size_t i = 0; i < sizeof(authors) / sizeof(authors[0]); i++)
		is_found = is_found || text_find_fold(copy, authors[i]) != NULL;
	mem_free(copy);
	return is_found;
}

/* How many fields stand in a row at text; is_marked_out: one that is_mark knows is among them. */
static size_t count_fields(
	const char *text, const char *end, bool (*is_mark)(const char *line), bool *is_marked_out)
{
	size_t count = 0;

	*is_marked_out = false;
	while (text < end && count < RUN_FIELDS_MIN + 20 && *text != '\n') {
		const char *line = skip_quote(text);
		if (is_field(line)) {
			count++;
			*is_marked_out = *is_marked_out || is_mark(line);
		} else if (*text != ' ' && *text != '>') {
			break;
		}
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		text = newline == NULL ? end : newline + 1;
	}
	return count;
}

static size_t find_run(const char *prose, size_t size, bool (*is_mark)(const char *line))
{
	const char *end = prose + size;

	for (const char *line = prose; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		bool is_marked;
		if (line > prose && is_field(skip_quote(line)) &&
			count_fields(line, end, is_mark, &is_marked) >= RUN_FIELDS_MIN && is_marked)
			return (size_t)(line - prose);
		line = newline == NULL ? end : newline + 1;
	}
	return 0;
}

size_t prose_find_fields(const char *prose, size_t size)
{
	return find_run(prose, size, is_trace_field);
}

size_t prose_find_bounce(const char *prose, size_t size)
{
	return find_run(prose, size, is_bounce_field);
}
