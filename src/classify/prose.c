/*
 * prose.c: in charge of getting at the words of a report. HTML is not understood, only unwrapped:
 * tags that begin a new line do so, the others vanish, the few entities that mail software writes
 * are decoded.
 */
#include "classify/prose.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

#define LINE_MAX_BYTES 4000
#define EMPTY_LINES_MAX 3     /* in a row */
#define FOLDED_MAX 100	      /* addresses over two lines that are joined */
#define FOLD_MAX_BYTES 3      /* a line end and blanks, in the middle of one */
#define ADDRESS_MAX_BYTES 320 /* of one, with the fold */
#define RUN_FIELDS_MIN 3      /* header fields in a row that make a returned original */

/* Tags that end a line. */
static const char *const breaking_tags[] = {"br", "p", "/p", "div", "/div", "tr", "/tr", "li",
	"table", "/table", "hr", "h1", "h2", "h3", "/h1", "/h2", "/h3", "/td", "pre", "/pre",
	"blockquote"};

/* Elements whose content is no text. */
static const char *const hidden_tags[] = {"style", "script", "head", "title"};

static const struct {
	const char *entity, *text;
} entities[] = {
	{"&lt;", "<"},
	{"&gt;", ">"},
	{"&amp;", "&"},
	{"&quot;", "\""},
	{"&nbsp;", " "},
	{"&#39;", "'"},
	{"&#64;", "@"},
	{"&#8203;", ""},
	{"&apos;", "'"},
};

static bool is_tag(const char *tag, const char *name)
{
	size_t length = strlen(name);

	return strncasecmp(tag, name, length) == 0 && strchr(" \t\n/>", tag[length]) != NULL;
}

static bool is_one_of(const char *tag, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_tag(tag, names[i]))
			return true;
	}
	return false;
}

/* Behind a hidden element whose tag begins at text, or NULL when it does not end. */
static const char *skip_hidden(const char *text)
{
	for (size_t i = 0; i < sizeof(hidden_tags) / sizeof(hidden_tags[0]); i++) {
		char close[16];
		if (!is_tag(text + 1, hidden_tags[i]))
			continue;
		snprintf(close, sizeof(close), "</%s", hidden_tags[i]);
		const char *end = text_find_fold(text, close);
		return end == NULL ? NULL : end;
	}
	return text;
}

/* One entity at text, or none: how many bytes it takes, what it stands for. */
static size_t decode_entity(const char *text, const char **decoded_out)
{
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		size_t length = strlen(entities[i].entity);
		if (strncasecmp(text, entities[i].entity, length) == 0) {
			*decoded_out = entities[i].text;
			return length;
		}
	}
	return 0;
}

/* The address of the link "mailto:" whose tag lies between html and end, where the link's text
 * names none: it is copied to out, which stays in front of end. */
static char *copy_mailto(const char *html, const char *end, char *out)
{
	static const char scheme[] = "mailto:";
	size_t text_size = strcspn(end, "@<");
	const char *target = NULL;
	size_t size;

	for (const char *in = html; target == NULL && in + sizeof(scheme) < end; in++) {
		if (text_starts_fold(in, scheme))
			target = in + sizeof(scheme) - 1;
	}
	if (!is_tag(html + 1, "a") || target == NULL || end[text_size] == '@')
		return out;
	size = strcspn(target, "\"'?> ");
	if (target + size > end)
		return out;
	memmove(out + 1, target, size);
	*out = ' ';
	out[size + 1] = ' ';
	return out + size + 2;
}

/* HTML to lines, in place: the result is never longer. */
static void strip_html(char *html)
{
	char *out = html;

	for (const char *in = html; *in != '\0';) {
		const char *decoded;
		size_t length;
		if (*in == '<') {
			const char *behind = skip_hidden(in);
			const char *end = behind == NULL ? NULL : strchr(behind, '>');
			if (is_one_of(in + 1, breaking_tags,
				    sizeof(breaking_tags) / sizeof(breaking_tags[0])))
				*out++ = '\n';
			if (end == NULL)
				break;
			if (in[1] == 'a' || in[1] == 'A')
				out = copy_mailto(in, end, out);
			in = end + 1;
		} else if (*in == '&' && (length = decode_entity(in, &decoded)) > 0) {
			out = stpcpy(out, decoded);
			in += length;
		} else {
			*out++ = *in == '\n' || *in == '\r' ? ' ' : *in;
			in++;
		}
	}
	*out = '\0';
}

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
		if (clean_size == 1 && *clean == ' ')
			clean_size = 0;
		if (clean_size > 0 || count_empty(words) < EMPTY_LINES_MAX) {
			words->size += clean_size;
			words->text[words->size++] = '\n';
		}
		words->text[words->size] = '\0';
		text += step;
		text_size -= step;
	}
}

/* Texts of that type outside of messages. */
static void append_parts(struct words *words, const struct mail *mail, const char *type)
{
	for (const struct part *part = mail->root; part != NULL;) {
		if (part->is_message) { /* not into it */
			part = part_behind(part, mail->root);
			continue;
		}
		if (strcmp(part->type, type) == 0 && part->content.size > 0) {
			size_t used = part->content.size < 2 * PROSE_MAX ? part->content.size
									 : 2 * PROSE_MAX;
			char *copy = mem_strndup(NULL, (const char *)part->content.data, used);
			if (strcmp(type, "text/html") == 0)
				strip_html(copy);
			append_lines(words, copy, strlen(copy));
			mem_free(copy);
		}
		part = part_following(part, mail->root);
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

	append_parts(&words, mail, "text/plain");
	if (words.size < 16)
		append_parts(&words, mail, "text/html");
	if (words.size == 0)
		append_parts(&words, mail, "text");
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
