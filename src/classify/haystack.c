/*
 * haystack.c: in charge of finding words in a text. A search over all words at once was the other
 * way: its automaton takes longer to build than a one-shot delivery takes in all.
 */
#include "classify/haystack.h"

#include <string.h>

#include "base/fold.h"
#include "base/memory.h"

#define TRIGRAM_BITS 15 /* of the hash of three bytes */
#define TRIGRAM_BITS_SHORT 11
#define SHORT_MAX 512 /* bytes of a text for which these do */
#define KEY_BITS 32

/* What a text that was not indexed may have: everything. */
#define EVERYTHING_BITS 3
static const unsigned char everything[] = {0xff};

struct haystack haystack_make(const void *context, const char *text)
{
	if (text == NULL)
		text = "";
	return (struct haystack){.text = text,
		.lower = fold_text(context, text),
		.size = strlen(text),
		.trigrams = everything,
		.trigram_shift = KEY_BITS - EVERYTHING_BITS};
}

/* The hash of three bytes is in the upper bits, as many as are asked for. What stands in front of
 * the three is multiplied out of it. */
static uint32_t make_key(uint32_t trigram)
{
	return trigram * (2654435761U << 8);
}

void haystack_index(const void *context, struct haystack *haystack)
{
	unsigned size = haystack->size < SHORT_MAX ? TRIGRAM_BITS_SHORT : TRIGRAM_BITS;
	unsigned shift = KEY_BITS - size;
	unsigned char *bits = mem_alloc(context, (1 << size) / 8);
	const unsigned char *lower = (const unsigned char *)haystack->lower;
	uint32_t trigram = 0;
	unsigned char all = 0;

	for (size_t i = 0; i < haystack->size; i++) {
		trigram = trigram << 8 | lower[i];
		all |= lower[i];
		uint32_t bit = make_key(trigram) >> shift;
		bits[bit / 8] |= (unsigned char)(1 << bit % 8);
	}
	haystack->trigrams = bits;
	haystack->trigram_shift = shift;
	haystack->is_ascii = all < 0x80;
}

struct word word_make(const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;
	uint32_t trigram = size < 3 ? 0 : (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2];

	return (struct word){text, size, make_key(trigram)};
}

const char *haystack_find(const struct haystack *haystack, const struct word *word, size_t offset)
{
	const unsigned char *c = (const unsigned char *)word->text;

	for (size_t i = 0; i + 2 < word->size; i++) {
		uint32_t trigram = (uint32_t)c[i] << 16 | (uint32_t)c[i + 1] << 8 | c[i + 2];
		uint32_t bit = make_key(trigram) >> haystack->trigram_shift;
		if ((haystack->trigrams[bit / 8] >> bit % 8 & 1) == 0)
			return NULL;
	}
	return memmem(haystack->lower + offset, haystack->size - offset, word->text, word->size);
}
