/*
 * fold.c: in charge of lower case beyond ASCII, without a locale: the rules of rules/ are looked
 * for in mail of any language. Left out is what would change the length in UTF-8 (the capital sharp
 * s, the dotted capital I).
 */
#include "base/fold.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

#define LETTERS 0x800 /* code points of two bytes at most */

/* Every step-th letter from first to last is a capital; its small one is further by distance. */
static const struct {
	uint16_t first, last;
	uint8_t step;
	int8_t distance;
} capitals[] = {
	{0x41, 0x5a, 1, 32},
	{0xc0, 0xd6, 1, 32}, /* Latin-1 */
	{0xd8, 0xde, 1, 32},
	{0x100, 0x12e, 2, 1}, /* Latin Extended-A */
	{0x132, 0x136, 2, 1},
	{0x139, 0x147, 2, 1},
	{0x14a, 0x176, 2, 1},
	{0x178, 0x178, 1, -121},
	{0x179, 0x17d, 2, 1},
	{0x1a0, 0x1a4, 2, 1}, /* Vietnamese */
	{0x1af, 0x1af, 1, 1},
	{0x200, 0x21e, 2, 1},  /* Romanian, and others */
	{0x386, 0x386, 1, 38}, /* Greek */
	{0x388, 0x38a, 1, 37},
	{0x38c, 0x38c, 1, 64},
	{0x38e, 0x38f, 1, 63},
	{0x391, 0x3a1, 1, 32},
	{0x3a3, 0x3ab, 1, 32},
	{0x3c2, 0x3c2, 1, 1},  /* the final sigma */
	{0x400, 0x40f, 1, 80}, /* Cyrillic */
	{0x410, 0x42f, 1, 32},
	{0x460, 0x480, 2, 1},
	{0x48a, 0x4be, 2, 1},
	{0x4c1, 0x4cd, 2, 1},
	{0x4d0, 0x52e, 2, 1},
};

/* Letters that have another form besides capital and small one, or their other case outside of the
 * table; from first to last. */
static const struct {
	uint16_t first, last;
} uncertain[] = {
	{0xb5, 0xb5}, /* micro: mu */
	{0xdf, 0xdf}, /* sharp s */
	{0x130, 0x131}, {0x17f, 0x19f}, {0x1a6, 0x1ae}, {0x1b1, 0x1ff}, {0x220, 0x385},
	{0x390, 0x390}, {0x392, 0x392}, /* Greek letters with a second form: beta... */
	{0x395, 0x395}, {0x398, 0x39a}, {0x39c, 0x39c}, {0x3a0, 0x3a1}, {0x3a6, 0x3a6},
	{0x3a9, 0x3a9}, {0x3b0, 0x3b0}, {0x3b2, 0x3b2}, {0x3b5, 0x3b5}, {0x3b8, 0x3ba},
	{0x3bc, 0x3bc}, {0x3c0, 0x3c1}, {0x3c6, 0x3c6}, {0x3c9, 0x3c9}, {0x3cf, 0x3ff},
	{0x4c0, 0x4c0}, {0x4cf, 0x4cf}, {0x530, 0x58f}, /* Armenian */
};

/* The small letter of each; made when first needed. */
static const uint16_t *find_letters(void)
{
	static uint16_t letters[LETTERS];

	if (letters[1] == 1)
		return letters;
	for (unsigned c = 0; c < LETTERS; c++)
		letters[c] = (uint16_t)c;
	for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++) {
		for (int c = capitals[i].first; c <= capitals[i].last; c += capitals[i].step)
			letters[c] = (uint16_t)(c + capitals[i].distance);
	}
	return letters;
}

/* The code point of a letter of two bytes; 0 when there is none. */
static unsigned read_two(const unsigned char *c)
{
	if (c[0] < 0xc2 || c[0] > 0xdf || (c[1] & 0xc0) != 0x80)
		return 0;
	return (unsigned)(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
}

/* Folds eight bytes at a time, up to the first eight with one beyond ASCII; behind them. */
static unsigned char *fold_ascii(unsigned char *c, const unsigned char *end)
{
	const uint64_t each = 0x0101010101010101, high = 0x80 * each;

	for (; end - c >= (ptrdiff_t)sizeof(uint64_t); c += sizeof(uint64_t)) {
		uint64_t bytes;
		memcpy(&bytes, c, sizeof(bytes));
		if ((bytes & high) != 0)
			break;
		/* The high bit is set where a byte is 'A' or more, and not where it is over 'Z'. */
		uint64_t from = bytes + (0x80 - 'A') * each, over = bytes + (0x7f - 'Z') * each;
		bytes |= (from & ~over & high) >> 2;
		memcpy(c, &bytes, sizeof(bytes));
	}
	return c;
}

void fold_in_place(char *text)
{
	const uint16_t *letters = find_letters();
	const unsigned char *end = (const unsigned char *)text + strlen(text);

	for (unsigned char *c = fold_ascii((unsigned char *)text, end); c < end; c++) {
		unsigned letter = *c < 0x80 ? 0 : read_two(c);
		if (*c < 0x80) {
			*c = (unsigned char)letters[*c];
		} else if (letter > 0) {
			*c++ = (unsigned char)(0xc0 | letters[letter] >> 6);
			*c = (unsigned char)(0x80 | (letters[letter] & 0x3f));
		}
	}
}

char *fold_text(const void *context, const char *text)
{
	char *copy = mem_strdup(context, text);

	fold_in_place(copy);
	return copy;
}

void fold_letter(const char *text, size_t size, char *out)
{
	const unsigned char *c = (const unsigned char *)text;
	const uint16_t *letters = find_letters();
	unsigned letter = size == 2 ? read_two(c) : 0;

	memcpy(out, text, size);
	if (size == 1 && *c < 0x80) {
		*out = (char)letters[*c];
	} else if (letter > 0) {
		out[0] = (char)(0xc0 | letters[letter] >> 6);
		out[1] = (char)(0x80 | (letters[letter] & 0x3f));
	}
}

bool fold_is_certain(const char *text)
{
	unsigned letter = read_two((const unsigned char *)text);

	for (size_t i = 0; i < sizeof(uncertain) / sizeof(uncertain[0]); i++) {
		if (letter >= uncertain[i].first && letter <= uncertain[i].last)
			return false;
	}
	return letter > 0;
}
