/*
 * haystack.h: a text that many words are looked for in, most of which are not there: thousands of
 * literals of the rules in one message. A table of which three bytes in a row it has refuses most
 * of them without a search.
 */
#ifndef BACKSTOP_CLASSIFY_HAYSTACK_H
#define BACKSTOP_CLASSIFY_HAYSTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text without NUL, and the same in lower case (base/fold.h), so that words are found without
 * folding it for each of them. */
struct haystack {
	const char *text;
	const char *lower;
	size_t size;
	const unsigned char *trigrams; /* a bit for each hash of three bytes that may be in it */
	unsigned trigram_shift;	       /* what of a key is that hash */
	bool is_ascii;		       /* false: not known to be */
};

/* A word to look for, in lower case, prepared for many texts. */
struct word {
	const char *text;
	size_t size;
	uint32_t key; /* of its first three bytes; of a shorter one, of nothing */
};

/* A haystack of text, on context. NULL is an empty one. */
struct haystack haystack_make(const void *context, const char *text);

/* Notes which three bytes in a row are in it. Pays from some ten words on. */
void haystack_index(const void *context, struct haystack *haystack);

/* Lends text. */
struct word word_make(const char *text, size_t size);

/* Where the word stands in lower, from offset on, or NULL. */
const char *haystack_find(const struct haystack *haystack, const struct word *word, size_t offset);

/* False when the word is not in the haystack, as a look at its first three bytes tells; true says
 * nothing. */
static inline bool haystack_may_have(const struct haystack *haystack, const struct word *word)
{
	uint32_t bit = word->key >> haystack->trigram_shift;

	return word->size < 3 || (haystack->trigrams[bit / 8] >> bit % 8 & 1) != 0;
}

#endif
