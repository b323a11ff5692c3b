/* status_part.c: in charge of the syntax of report parts, not of what they mean (dsn.c, arf.c,
 * mdn.c). */
#include "classify/status_part.h"

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

char *status_part_address(const void *context, const char *value)
{
	bool is_utf8;

	if (value == NULL)
		return NULL;
	const char *text = skip_type(value, &is_utf8);
	if (is_utf8)
		text = decode_utf8_address(context, text);
	char *address = header_address(context, text);
	return address == NULL || *address == '\0' ? NULL : address;
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
