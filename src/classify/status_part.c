/* status_part.c: in charge of the syntax of report parts, not of what they mean (dsn.c, arf.c,
 * mdn.c). */
#include "classify/status_part.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"

const struct part *status_part_find(const struct mail *mail, const char *const *types)
{
	for (size_t i = 0; types[i] != NULL; i++) {
		const struct part *part = part_find(mail->root, types[i]);
		if (part != NULL && part->content.size > 0)
			return part;
	}
	return NULL;
}

static size_t skip_line(struct bytes content, size_t offset)
{
	const unsigned char *newline = memchr(content.data + offset, '\n', content.size - offset);

	return newline == NULL ? content.size : (size_t)(newline - content.data) + 1;
}

bool status_part_next_group(
	const void *context, struct bytes content, size_t *offset, struct headers *group_out)
{
	while (*offset < content.size) {
		struct bytes rest = {content.data + *offset, content.size - *offset};
		size_t size;

		headers_parse(context, rest, group_out, &size);
		*offset += size;
		if (group_out->count > 0)
			return true;
		if (size == 0)
			*offset = skip_line(content, *offset);
	}
	return false;
}

/* One code point as UTF-8; false for what is none. */
static bool append_code_point(char **text, unsigned long code)
{
	char encoded[5] = {0};

	if (code < 0x20 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return false;
	if (code < 0x80) {
		encoded[0] = (char)code;
	} else if (code < 0x800) {
		encoded[0] = (char)(0xc0 | code >> 6);
		encoded[1] = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		encoded[0] = (char)(0xe0 | code >> 12);
		encoded[1] = (char)(0x80 | (code >> 6 & 0x3f));
		encoded[2] = (char)(0x80 | (code & 0x3f));
	} else {
		encoded[0] = (char)(0xf0 | code >> 18);
		encoded[1] = (char)(0x80 | (code >> 12 & 0x3f));
		encoded[2] = (char)(0x80 | (code >> 6 & 0x3f));
		encoded[3] = (char)(0x80 | (code & 0x3f));
	}
	*text = mem_append(*text, "%s", encoded);
	return true;
}

/* "\x{E9}" to the character (RFC 6533 section 3, utf-8-addr-xtext and -unitext). */
static char *decode_utf8_address(const void *context, const char *value)
{
	char *text = mem_strdup(context, "");

	while (*value != '\0') {
		const char *escape = strstr(value, "\\x{");
		if (escape == NULL)
			return mem_append(text, "%s", value);
		char *end;
		unsigned long code = strtoul(escape + 3, &end, 16);
		text = mem_append(text, "%.*s", (int)(escape - value), value);
		if (*end != '}' || end == escape + 3 || !append_code_point(&text, code))
			return mem_append(text, "%s", escape);
		value = end + 1;
	}
	return text;
}

/* Behind the ';' of a type, or the value itself where no type stands. */
static const char *skip_type(const char *value, bool *is_utf8)
{
	const char *semicolon = strchr(value, ';');
	size_t length = strcspn(value, "; \t@<");

	*is_utf8 = false;
	if (semicolon == NULL || value + length + strspn(value + length, " \t") != semicolon)
		return value;
	*is_utf8 = length == 5 && text_starts_fold(value, "utf-8");
	return semicolon + 1;
}

/* Behind a source route "@one.example,@two.example:" (RFC 5321 section 4.1.2). */
static const char *skip_route(const char *value)
{
	const char *start = value + strspn(value, " <");
	const char *colon = *start == '@' ? strchr(start, ':') : NULL;

	return colon == NULL ? value : colon + 1;
}

char *status_part_address(const void *context, const char *value)
{
	bool is_utf8;

	if (value == NULL)
		return NULL;
	const char *text = skip_route(skip_type(value, &is_utf8));
	if (is_utf8)
		text = decode_utf8_address(context, text);
	text += strspn(text, " \t");
	size_t length = strlen(text);
	if (*text == '"' && length > 2 && text[length - 1] == '"') /* not a quoted local part */
		text = mem_strndup(context, text + 1, length - 2);
	char *address = header_address(context, text);
	return address == NULL || *address == '\0' ? NULL : address;
}

char *status_part_original(const void *context, const char *value)
{
	static const struct {
		const char *encoded;
		char decoded;
	} hexes[] = {{"+2B", '+'}, {"+3D", '='}};
	char *text = status_part_address(context, value);
	char *copy = value == NULL ? NULL : mem_strdup(context, value);
	bool is_encoded = false;

	/* Addresses are folded to lower case, an encoding is not. */
	for (char *in = copy, *out = copy; in != NULL; in++, out++) {
		*out = *in;
		for (size_t i = 0; i < sizeof(hexes) / sizeof(hexes[0]); i++) {
			if (strncmp(in, hexes[i].encoded, 3) == 0) {
				*out = hexes[i].decoded;
				in += 2;
				is_encoded = true;
				break;
			}
		}
		if (*in == '\0')
			break;
	}
	return is_encoded ? status_part_address(context, copy) : text;
}

static int read_hex(unsigned char digit)
{
	const char *digits = "0123456789abcdef";
	const char *found = digit == '\0' ? NULL : strchr(digits, tolower(digit));

	return found == NULL ? -1 : (int)(found - digits);
}

/* Quoted-printable to what it stands for (RFC 2045 section 6.7). */
static struct bytes decode_quoted(const void *context, struct bytes content)
{
	unsigned char *text = mem_alloc(context, content.size + 1);
	size_t size = 0;

	for (size_t i = 0; i < content.size; i++) {
		const unsigned char *c = content.data + i;
		size_t rest = content.size - i;
		if (*c == '=' && rest > 1 && c[1] == '\n') {
			i++;
		} else if (*c == '=' && rest > 2 && c[1] == '\r' && c[2] == '\n') {
			i += 2;
		} else if (*c == '=' && rest > 2 && read_hex(c[1]) >= 0 && read_hex(c[2]) >= 0) {
			text[size++] = (unsigned char)(read_hex(c[1]) * 16 + read_hex(c[2]));
			i += 2;
		} else {
			text[size++] = *c;
		}
	}
	return (struct bytes){text, size};
}

/* How many marks stand in front of the first line that has anything else. */
static size_t count_marks(struct bytes content)
{
	size_t marks = 0;

	for (size_t i = 0; i < content.size; i++) {
		unsigned char c = content.data[i];
		if (c == '\n' || c == '\r')
			marks = 0;
		else if (c == ' ' || c == '\t' || c == '>')
			marks++;
		else
			return marks;
	}
	return 0;
}

/* Takes as many marks off each line as there are. */
static struct bytes take_marks_off(const void *context, struct bytes content, size_t marks)
{
	unsigned char *text = mem_alloc(context, content.size + 1);
	size_t size = 0, seen = 0;

	for (size_t i = 0; i < content.size; i++) {
		unsigned char c = content.data[i];
		if (seen < marks && (c == ' ' || c == '\t' || c == '>')) {
			seen++;
			continue;
		}
		seen = c == '\n' ? 0 : marks;
		text[size++] = c;
	}
	return (struct bytes){text, size};
}

struct bytes status_part_tidy(const void *context, struct bytes content)
{
	size_t marks = count_marks(content);

	if (marks > 0)
		content = take_marks_off(context, content, marks);
	if (content.size > 0 && memchr(content.data, '@', content.size) == NULL &&
		memmem(content.data, content.size, "=40", 3) != NULL)
		content = decode_quoted(context, content);
	return content;
}

char *status_part_typed(const void *context, const char *value, size_t limit)
{
	bool is_utf8;

	if (value == NULL)
		return NULL;
	const char *text = skip_type(value, &is_utf8);
	char *clean = text_clean_string(context, text + strspn(text, " \t"), limit);
	return *clean == '\0' ? NULL : clean;
}
