/*
 * encode.c: base64, quoted-printable and RFC 2047 words.
 *
 * In charge of the letters; leaves to compose.c which part of a message gets which encoding.
 * Written here although GMime has all of it: GMime stays in read/, because what it serialises from
 * foreign bytes has been wrong before (FACTS.md section 9), and these three are a page.
 */
#include "act/encode.h"

#include <nettle/base64.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum {
	BASE64_LINE_BYTES = 54, /* 72 characters */
	LINE_MAX_COLUMNS = 76,	/* RFC 2045 section 6.7, RFC 2047 section 2 */
	WORD_COLUMNS = 55	/* and 12 of frame: with "Subject: " in front, 76 */
};

static void reserve(struct output *output, size_t size)
{
	if (output->room - output->size >= size)
		return;
	output->room = output->size + size + output->room / 2 + 256;
	output->data = mem_realloc(output->context, output->data, output->room);
}

void encode_add(struct output *output, const void *data, size_t size)
{
	if (size == 0)
		return;
	reserve(output, size);
	memcpy(output->data + output->size, data, size);
	output->size += size;
}

void encode_format(struct output *output, const char *format, ...)
{
	va_list arguments, again;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length > 0) {
		reserve(output, (size_t)length + 1);
		vsnprintf((char *)output->data + output->size, (size_t)length + 1, format, again);
		output->size += (size_t)length;
	}
	va_end(again);
}

void encode_base64(struct output *output, struct bytes content)
{
	char line[BASE64_ENCODE_RAW_LENGTH(BASE64_LINE_BYTES)];

	for (size_t at = 0; at < content.size; at += BASE64_LINE_BYTES) {
		size_t left = content.size - at;
		size_t size = left < BASE64_LINE_BYTES ? left : BASE64_LINE_BYTES;

		base64_encode_raw(line, size, content.data + at);
		encode_add(output, line, BASE64_ENCODE_RAW_LENGTH(size));
		encode_add(output, "\n", 1);
	}
}

/* White space stays as it is except at the end of a line, where MTAs strip it. */
static bool is_literal(struct bytes text, size_t at)
{
	unsigned char c = text.data[at];

	if (c == ' ' || c == '\t')
		return at + 1 < text.size && text.data[at + 1] != '\n';
	return c > ' ' && c < 0x7F && c != '=';
}

void encode_quoted_printable(struct output *output, struct bytes text)
{
	size_t column = 0;

	for (size_t at = 0; at < text.size; at++) {
		unsigned char c = text.data[at];
		size_t width = is_literal(text, at) ? 1 : 3;

		if (c == '\n') {
			encode_add(output, "\n", 1);
			column = 0;
			continue;
		}
		/* One column is kept for the '=' of a soft line break. */
		if (column + width > LINE_MAX_COLUMNS - 1) {
			encode_add(output, "=\n", 2);
			column = 0;
		}
		if (width == 1)
			encode_add(output, &c, 1);
		else
			encode_format(output, "=%02X", c);
		column += width;
	}
}

/* Columns of one byte in RFC 2047's "Q" encoding, where '_' stands for a space. */
static size_t word_width(unsigned char c)
{
	bool is_escaped = c < ' ' || c > '~' || c == '=' || c == '?' || c == '_';

	return is_escaped ? 3 : 1;
}

/* The bytes of the UTF-8 character that text begins with, and its columns. */
static size_t measure_character(const char *text, size_t *width_out)
{
	size_t size = 0;

	*width_out = 0;
	do {
		*width_out += word_width((unsigned char)text[size++]);
	} while (((unsigned char)text[size] & 0xC0) == 0x80);
	return size;
}

static void add_word_bytes(struct output *output, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (word_width(c) > 1)
			encode_format(output, "=%02X", c);
		else
			encode_format(output, "%c", c == ' ' ? '_' : c);
	}
}

/* "Q" and not "B": GMime, which mail programs use, joins neighbouring words before it decodes them,
 * and a base64 word that ends in '=' then hides all that follow. */
static void add_words(struct output *output, const char *text)
{
	size_t column = WORD_COLUMNS; /* so that the first character opens a word */
	bool is_open = false;

	while (*text != '\0') {
		size_t width;
		size_t size = measure_character(text, &width);

		if (column + width > WORD_COLUMNS) {
			encode_format(output, "%s=?UTF-8?Q?", is_open ? "?=\n " : "");
			is_open = true;
			column = 0;
		}
		add_word_bytes(output, text, size);
		column += width;
		text += size;
	}
	if (is_open)
		encode_add(output, "?=", 2);
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	}
	return true;
}

void encode_header_text(struct output *output, size_t column, const char *text)
{
	/* A literal "=?" would be decoded by the reader's program. */
	if (!is_ascii(text) || strstr(text, "=?") != NULL) {
		add_words(output, text);
		return;
	}
	while (*text != '\0') {
		size_t blanks = strspn(text, " ");
		size_t size = blanks + strcspn(text + blanks, " ");

		/* The blank that begins the new line is the one that stood there (RFC 5322 section
		 * 2.2.3); a line of blanks alone would be no line of a header, so the last word
		 * takes them along. */
		if (blanks > 0 && size > blanks && column + size > LINE_MAX_COLUMNS) {
			encode_add(output, "\n", 1);
			column = 0;
		}
		encode_add(output, text, size);
		column += size;
		text += size;
	}
}
