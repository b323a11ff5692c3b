/*
 * text.c: comparing, trimming, cleaning and base32.
 *
 * In charge of the one place where foreign bytes become text that is safe to log and print. Leaves
 * to read/ all knowledge of character sets: what is not UTF-8 by then is not guessed at. <ctype.h>
 * is not used: it follows the locale, and is undefined for negative char.
 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool text_equal_fold(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return false;
	while (*a != '\0' && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return fold(*a) == fold(*b);
}

bool text_starts_fold(const char *text, const char *prefix)
{
	if (text == NULL || prefix == NULL)
		return false;
	while (*prefix != '\0' && fold(*text) == fold(*prefix)) {
		text++;
		prefix++;
	}
	return *prefix == '\0';
}

/* By the needle's first character in either case, which strpbrk finds quickly. */
static const char *strcasestr_ascii(const char *text, const char *needle)
{
	const char first[] = {needle[0],
		(char)(needle[0] >= 'a' && needle[0] <= 'z'    ? needle[0] - 32
			: needle[0] >= 'A' && needle[0] <= 'Z' ? needle[0] + 32
							       : needle[0]),
		'\0'};

	if (*needle == '\0')
		return text;
	for (text = strpbrk(text, first); text != NULL; text = strpbrk(text + 1, first)) {
		if (text_starts_fold(text, needle))
			return text;
	}
	return NULL;
}

const char *text_find_fold(const char *text, const char *needle)
{
	if (text == NULL || needle == NULL)
		return NULL;
	return strcasestr_ascii(text, needle);
}

bool text_is_ascii(struct bytes text)
{
	size_t i = 0;

	for (uint64_t eight; i + sizeof(eight) <= text.size; i += sizeof(eight)) {
		memcpy(&eight, text.data + i, sizeof(eight));
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			return false;
	}
	while (i < text.size && text.data[i] < 0x80)
		i++;
	return i == text.size;
}

char *text_lower(const void *context, const char *text)
{
	char *copy = mem_strdup(context, text);

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)fold(*c);
	return copy;
}

char *text_trim(const void *context, const char *text, size_t size)
{
	if (text == NULL)
		return mem_strdup(context, "");
	/* A NUL ends the result anyway; white space in front of it is at the end, too. */
	size = strnlen(text, size);
	while (size > 0 && is_white(text[size - 1]))
		size--;
	while (size > 0 && is_white(*text)) {
		text++;
		size--;
	}
	return mem_strndup(context, text, size);
}

/* The well-formed sequences of UTF-8 (Unicode table 3-7, RFC 3629 section 4). The range of the
 * second byte is what keeps out overlong forms, surrogates and values above U+10FFFF; all later
 * bytes are 80 to BF. */
struct sequence {
	unsigned char lead_first, lead_last;
	unsigned char second_first, second_last;
	unsigned char length;
};

static const struct sequence sequences[] = {
	{0x00, 0x7F, 0x00, 0x00, 1},
	{0xC2, 0xDF, 0x80, 0xBF, 2},
	{0xE0, 0xE0, 0xA0, 0xBF, 3},
	{0xE1, 0xEC, 0x80, 0xBF, 3},
	{0xED, 0xED, 0x80, 0x9F, 3},
	{0xEE, 0xEF, 0x80, 0xBF, 3},
	{0xF0, 0xF0, 0x90, 0xBF, 4},
	{0xF1, 0xF3, 0x80, 0xBF, 4},
	{0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* Characters that steer a terminal, end a line, or reorder what stands around them. */
struct range {
	uint32_t first, last;
};

static const struct range spaces[] = {
	{0x0000, 0x0020}, /* C0 and space */
	{0x007F, 0x009F}, /* DEL, C1 */
	{0x2028, 0x2029}, /* line and paragraph separator */
	{0x202A, 0x202E}, /* bidirectional embeddings and overrides */
	{0x2066, 0x2069}, /* bidirectional isolates */
};

static const struct sequence *find_sequence(unsigned char lead)
{
	for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
		if (lead >= sequences[i].lead_first && lead <= sequences[i].lead_last)
			return &sequences[i];
	}
	return NULL;
}

static bool is_space_like(uint32_t character)
{
	for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
		if (character >= spaces[i].first && character <= spaces[i].last)
			return true;
	}
	return false;
}

/* What stands at data: how many bytes it takes up (at least 1), and the character in
 * *character_out. A bad sequence ends before the byte that spoils it and is U+FFFD. */
static size_t next_character(const unsigned char *data, size_t size, uint32_t *character_out)
{
	const struct sequence *form = find_sequence(data[0]);
	uint32_t character;
	size_t used = 1;

	*character_out = 0xFFFD;
	if (form == NULL)
		return 1;
	character = form->length == 1 ? data[0] : data[0] & (0x7Fu >> form->length);
	for (; used < form->length; used++) {
		unsigned char first = used == 1 ? form->second_first : 0x80;
		unsigned char last = used == 1 ? form->second_last : 0xBF;

		if (used == size || data[used] < first || data[used] > last)
			return used;
		character = character << 6 | (data[used] & 0x3Fu);
	}
	*character_out = character;
	return used;
}

bool text_is_utf8(const char *text)
{
	size_t size = strlen(text);
	uint32_t character;

	for (size_t i = 0; i < size;) {
		size_t used = next_character((const unsigned char *)text + i, size - i, &character);
		bool is_itself = used == 3 && memcmp(text + i, "\xEF\xBF\xBD", 3) == 0;
		if (character == 0xFFFD && !is_itself)
			return false;
		i += used;
	}
	return true;
}

/* How many printable ASCII characters stand in front, without a space behind a space: nothing has
 * to be done to them. before: what they come behind. */
static size_t measure_plain(const unsigned char *data, size_t size, unsigned char before)
{
	size_t length = 0;

	for (; length < size && data[length] >= 0x20 && data[length] < 0x7F; length++) {
		if (data[length] == ' ' && before == ' ')
			break;
		before = data[length];
	}
	return length;
}

static const char dots[] = "...";

enum { DOT_COUNT = sizeof dots - 1 };

size_t text_clean_into(char *out, struct bytes foreign, size_t limit)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	const size_t last_cut = limit >= DOT_COUNT ? limit - DOT_COUNT : 0;
	size_t length = 0;
	size_t cut = 0; /* where the dots would go: behind the last character that leaves room */

	for (size_t at = 0, used; at < foreign.size; at += used) {
		size_t rest = foreign.size - at, room = limit - length;
		unsigned char before = length > 0 ? (unsigned char)out[length - 1] : 0;
		size_t plain = measure_plain(foreign.data + at, rest < room ? rest : room, before);
		if (plain > 0) {
			memcpy(out + length, foreign.data + at, plain);
			if (length < last_cut)
				cut = length + plain < last_cut ? length + plain : last_cut;
			length += plain;
			used = plain;
			continue;
		}
		const char *piece = (const char *)foreign.data + at;
		uint32_t character;
		size_t size;

		used = next_character(foreign.data + at, rest, &character);
		size = used;
		if (is_space_like(character)) {
			piece = " ";
			size = 1;
			if (length > 0 && out[length - 1] == ' ')
				continue;
		} else if (character == 0xFFFD) {
			piece = replacement;
			size = sizeof replacement - 1;
		}
		if (size > room) {
			if (limit >= DOT_COUNT) {
				memcpy(out + cut, dots, DOT_COUNT);
				length = cut + DOT_COUNT;
			}
			break;
		}
		memcpy(out + length, piece, size);
		length += size;
		if (length <= last_cut)
			cut = length;
	}
	out[length] = '\0';
	return length;
}

char *text_clean(const void *context, struct bytes foreign, size_t limit)
{
	/* One bad byte becomes three. */
	size_t most = foreign.size < limit / 3 ? foreign.size * 3 : limit;
	char *text = mem_realloc(context, NULL, most + 1); /* not zeroed */

	text_clean_into(text, foreign, limit);
	return text;
}

char *text_clean_string(const void *context, const char *foreign, size_t limit)
{
	struct bytes bytes = {(const unsigned char *)foreign, 0};

	if (foreign == NULL)
		return NULL;
	bytes.size = strlen(foreign);
	return text_clean(context, bytes, limit);
}

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

void text_base32_encode(const unsigned char *data, size_t size, char *text_out)
{
	uint32_t pending = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < size; i++) {
		pending = pending << 8 | data[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*text_out++ = base32_digits[pending >> (bits - 5) & 31];
	}
	if (bits > 0)
		*text_out++ = base32_digits[pending << (5 - bits) & 31];
	*text_out = '\0';
}

static int base32_value(char c)
{
	c = (char)fold(c);
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* Bits that do not fill a byte are dropped, whatever they are: who must tell two spellings of the
 * same bytes apart compares the text. */
bool text_base32_decode(const char *text, size_t length, unsigned char *data_out, size_t *size_out)
{
	uint32_t pending = 0;
	unsigned bits = 0;
	size_t size = 0;

	for (size_t i = 0; i < length; i++) {
		int value = base32_value(text[i]);

		if (value < 0)
			return false;
		pending = pending << 5 | (uint32_t)value;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			data_out[size++] = (unsigned char)(pending >> bits);
		}
	}
	*size_out = size;
	return true;
}

int text_hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character = (char)(character | 0x20);
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool text_hex_decode(const char *text, size_t length, unsigned char *data_out)
{
	for (size_t i = 0; i + 1 < length; i += 2) {
		int high = text_hex_digit(text[i]), low = text_hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		data_out[i / 2] = (unsigned char)(high << 4 | low);
	}
	return length % 2 == 0;
}
