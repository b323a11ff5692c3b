/*
 * leaf.c: in charge of what a leaf says: its transfer encoding is undone, its text is made UTF-8.
 */
#include "read/leaf.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "read/charset.h"
#include "read/mail.h"

#define CHARSETS_KEPT 24    /* whose converters stay open */
#define CHARSET_NAME_MAX 32 /* bytes, the NUL included */
#define BASE64_LINE_MIN 40  /* a first line of that many characters is no word */

/* Runs text through a decoder. Two calls: what the first holds back, the second gives out. */
static struct bytes run_decoder(const void *context, GMimeFilter *decoder, struct bytes text)
{
	char *decoded, *rest;
	size_t size, rest_size, before;

	g_mime_filter_filter(decoder, (char *)text.data, text.size, 0, &decoded, &size, &before);
	unsigned char *data = mem_memdup(context, decoded, size);
	g_mime_filter_complete(decoder, (char *)text.data, 0, 0, &rest, &rest_size, &before);
	if (rest_size > 0) {
		data = mem_realloc(context, data, size + rest_size);
		memcpy(data + size, rest, rest_size);
	}
	return (struct bytes){data, size + rest_size};
}

/* The encoding that a text is in although its header says nothing of it: nothing but whole lines of
 * base64, or quoted-printable's breaks at line ends. */
static GMimeContentEncoding guess_encoding(struct bytes text)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
	size_t i = 0;

	if (text.size == 0)
		return GMIME_CONTENT_ENCODING_DEFAULT;
	const unsigned char *equals = memchr(text.data, '=', text.size);
	const unsigned char *end = text.data + text.size;
	const unsigned char *newline = memchr(text.data, '\n', text.size);
	while (i < text.size && memchr(alphabet, text.data[i], sizeof(alphabet) - 1) != NULL)
		i++;
	if (i == text.size && newline != NULL && newline - text.data >= BASE64_LINE_MIN)
		return GMIME_CONTENT_ENCODING_BASE64;
	for (; equals != NULL; equals = memchr(equals + 1, '=', (size_t)(end - equals - 1))) {
		if (end - equals > 4 && memcmp(equals, "=20\n", 4) == 0)
			return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
	}
	return GMIME_CONTENT_ENCODING_DEFAULT;
}

/* Writes '=' as "=3D" where it begins no code of quoted-printable: who has not declared it may not
 * have meant it, and "ann=b3.example@" is an address. */
static struct bytes protect_equals(const void *context, struct bytes text)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char *copy = mem_realloc(context, NULL, 3 * text.size + 1);
	size_t size = 0;

	for (size_t i = 0; i < text.size; i++) {
		const unsigned char *next = text.data + i + 1;
		size_t rest = text.size - i - 1;
		bool is_break = rest > 0 && (*next == '\n' || *next == '\r');
		bool is_code = rest > 1 && memchr(digits, next[0], 16) != NULL &&
			       memchr(digits, next[1], 16) != NULL;
		copy[size++] = text.data[i];
		if (text.data[i] == '=' && !is_break && !is_code) {
			memcpy(copy + size, "3D", 2);
			size += 2;
		}
	}
	return (struct bytes){copy, size};
}

/* Undoes an encoding that was not declared. */
static struct bytes decode_undeclared(const void *context, struct bytes text)
{
	GMimeContentEncoding encoding = guess_encoding(text);
	GMimeEncoding state;

	if (encoding == GMIME_CONTENT_ENCODING_DEFAULT)
		return text;
	if (encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)
		text = protect_equals(context, text);
	g_mime_encoding_init_decode(&state, encoding);
	unsigned char *decoded =
		mem_realloc(context, NULL, g_mime_encoding_outlen(&state, text.size) + 1);
	size_t size =
		g_mime_encoding_step(&state, (const char *)text.data, text.size, (char *)decoded);
	return (struct bytes){decoded, size};
}

struct bytes leaf_decode(const void *context, const struct leaf *leaf, bool *is_cut_out)
{
	GMimeContentEncoding encoding = (GMimeContentEncoding)leaf->encoding;
	bool is_encoded = encoding > GMIME_CONTENT_ENCODING_BINARY;
	struct bytes text = leaf->encoded;

	*is_cut_out = false;
	if (text.size == 0)
		return text;
	if (is_encoded) {
		GMimeFilter *decoder = g_mime_filter_basic_new(encoding, FALSE);
		text = run_decoder(context, decoder, text);
		g_object_unref(decoder);
	}
	*is_cut_out = text.size >= PART_CONTENT_MAX;
	if (*is_cut_out)
		text.size = PART_CONTENT_MAX;
	return is_encoded ? text : decode_undeclared(context, text);
}

/* Charsets in which bytes up to 127 are ASCII, each by itself. */
static bool is_ascii_alike(const char *charset)
{
	static const char *const prefixes[] = {"iso-8859-", "windows-125", "koi8-"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (text_starts_fold(charset, prefixes[i]))
			return true;
	}
	return false;
}

/* The charset to convert from, or NULL when the text is UTF-8 already. What is declared as ASCII or
 * UTF-8, or not at all, is believed only as far as the bytes agree. */
static const char *find_charset(const char *declared, struct bytes text)
{
	if (declared == NULL || *declared == '\0' || text_equal_fold(declared, "utf-8") ||
		text_equal_fold(declared, "us-ascii"))
		return charset_guess(text);
	if (is_ascii_alike(declared) && text_is_ascii(text) &&
		memchr(text.data, '\0', text.size) == NULL)
		return NULL;
	return declared;
}

/* A converter to UTF-8 that stays open: libc loads the code of a charset when its first converter
 * is opened and unloads it with the last, message by message. NULL when all places are taken. */
static iconv_t *find_kept(const char *charset)
{
	static struct {
		char name[CHARSET_NAME_MAX];
		iconv_t converter;
	} kept[CHARSETS_KEPT];

	for (size_t i = 0; i < CHARSETS_KEPT; i++) {
		if (text_equal_fold(kept[i].name, charset))
			return &kept[i].converter;
		if (kept[i].name[0] != '\0')
			continue;
		if (strlen(charset) >= CHARSET_NAME_MAX)
			return NULL;
		strcpy(kept[i].name, charset);
		kept[i].converter = g_mime_iconv_open("utf-8", charset);
		return &kept[i].converter;
	}
	return NULL;
}

/* NULL when iconv does not know the charset. On the heap of GLib. */
static char *convert(const char *charset, struct bytes text)
{
	iconv_t *kept = find_kept(charset);
	iconv_t converter = kept != NULL ? *kept : g_mime_iconv_open("utf-8", charset);
	char *converted = NULL;

	if (converter == (iconv_t)-1)
		return NULL;
	if (kept != NULL)
		iconv(converter, NULL, NULL, NULL, NULL);
	converted = g_mime_iconv_strndup(converter, (const char *)text.data, text.size);
	if (kept == NULL)
		g_mime_iconv_close(converter);
	return converted;
}

struct bytes leaf_convert(const void *context, const char *declared, struct bytes text)
{
	const char *charset = text.size == 0 ? NULL : find_charset(declared, text);

	if (charset == NULL)
		return text;
	char *converted = convert(charset, text);
	if (converted == NULL && (charset = charset_guess(text)) != NULL)
		converted = convert(charset, text);
	if (converted == NULL)
		return text;
	struct bytes result = {NULL, strlen(converted)};
	result.data = mem_memdup(context, converted, result.size);
	g_free(converted);
	return result;
}
