/*
 * charset.c: in charge of guessing a charset where none is declared or the declared one cannot be
 * right. Reports of old software come as bare bytes; the words that say who failed are lost when
 * they are not read.
 *
 * The guess is made by escape sequences and by how the bytes above 127 lie: the multi-byte charsets
 * of East Asia never leave one alone between ASCII letters, Cyrillic fills whole words, Latin
 * scatters. The addresses are ASCII in all of them, so a wrong guess costs a diagnostic, not a
 * recipient.
 */
#include "read/charset.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define GUESS_MAX (16 * 1024) /* bytes that are looked at */

/* Sequences that switch a seven-bit charset on. */
static const struct {
	const char *sequence, *charset;
} escapes[] = {
	{"\033$)C", "iso-2022-kr"},
	{"\033$)A", "iso-2022-cn"},
	{"\033$B", "iso-2022-jp"},
	{"\033$@", "iso-2022-jp"},
	{"\033(J", "iso-2022-jp"},
};

/* How the bytes above 127 lie. */
struct census {
	size_t high;			    /* all of them */
	size_t pairs, odd;		    /* two in a row from 0xa1 to 0xfe; what is left over */
	size_t kana, hangul;		    /* pairs that EUC-JP and EUC-KR use most */
	size_t sjis_kana;		    /* 0x82, 0x83 and what follows them in Shift_JIS */
	size_t cyrillic_low, cyrillic_high; /* 0xc0-0xdf, 0xe0-0xff */
	size_t central;			    /* letters that only ISO 8859-2 has there */
};

static bool is_valid_utf8(struct bytes text)
{
	size_t i = 0;

	while (i < text.size) {
		unsigned char c = text.data[i++];
		size_t more = c < 0x80		      ? 0
			      : c >= 0xc2 && c < 0xe0 ? 1
			      : c >= 0xe0 && c < 0xf0 ? 2
						      : 3;
		if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
			return false;
		for (; more > 0 && i < text.size; more--, i++) {
			if ((text.data[i] & 0xc0) != 0x80)
				return false;
		}
	}
	return true;
}

static void count_pair(struct census *census, unsigned char first)
{
	census->pairs++;
	census->kana += first == 0xa4 || first == 0xa5;
	census->hangul += first >= 0xb0 && first <= 0xc8;
}

static void count_letter(struct census *census, unsigned char c)
{
	static const unsigned char central[] = {
		0xb1, 0xb3, 0xb6, 0xb9, 0xbb, 0xbc, 0xbe, 0xbf, 0xea, 0xec, 0xf8, 0xf9, 0xe8, 0xef};

	census->high++;
	census->cyrillic_low += c >= 0xc0 && c <= 0xdf;
	census->cyrillic_high += c >= 0xe0;
	census->central += memchr(central, c, sizeof(central)) != NULL;
}

static struct census count_bytes(struct bytes text)
{
	struct census census = {0};

	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = text.data[i], next = i + 1 < text.size ? text.data[i + 1] : 0;
		if (c < 0x80)
			continue;
		count_letter(&census, c);
		census.sjis_kana += (c == 0x82 || c == 0x83) && next >= 0x40 && next != 0x7f;
		if (c >= 0xa1 && next >= 0xa1) {
			count_pair(&census, c);
			count_letter(&census, next);
			i++;
		} else {
			census.odd++;
		}
	}
	return census;
}

const char *charset_guess(struct bytes text)
{
	if (text.size > GUESS_MAX)
		text.size = GUESS_MAX;
	bool has_escape = text.size > 0 && memchr(text.data, '\033', text.size) != NULL;
	for (size_t i = 0; has_escape && i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		if (memmem(text.data, text.size, escapes[i].sequence,
			    strlen(escapes[i].sequence)) != NULL)
			return escapes[i].charset;
	}
	if (text_is_ascii(text) || is_valid_utf8(text))
		return NULL;
	struct census census = count_bytes(text);
	if (census.sjis_kana * 5 > census.high)
		return "cp932";
	size_t letters = census.cyrillic_low + census.cyrillic_high;
	if (letters * 20 >= census.high * 19 && census.pairs > census.odd && census.pairs > 2)
		return census.cyrillic_low > census.cyrillic_high ? "koi8-r" : "windows-1251";
	if (census.odd * 20 <= census.high && census.pairs > 1) {
		if (census.kana * 4 > census.pairs)
			return "euc-jp";
		return census.hangul * 20 > census.pairs * 19 ? "euc-kr" : "gb18030";
	}
	return census.central * 2 > census.high ? "iso-8859-2" : "windows-1252";
}
