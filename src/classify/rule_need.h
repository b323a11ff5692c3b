/*
 * rule_need.h: what a text must contain for a regex to match at all. Most regexes of the rules are
 * long lists of phrases in many languages, and most texts contain none of them: a few table
 * look-ups tell that without running the regex.
 */
#ifndef BACKSTOP_CLASSIFY_RULE_NEED_H
#define BACKSTOP_CLASSIFY_RULE_NEED_H

#include <stdbool.h>
#include <stddef.h>

#include "classify/haystack.h"

#define NEED_LENGTH_MIN 2 /* bytes; shorter words are in too many texts */

/* In the place of a word, and shorter than any: a letter beyond ASCII, in whichever case. */
#define NEED_BEYOND_ASCII "\x80"

/* One of these words, in lower case, is in every text that the regex matches. None: not known, any
 * text may match. */
struct need {
	const struct word *words;
	size_t count;
};

/* Reads a regex as text (PCRE2 syntax; caseless, so words are folded). Takes only what is certain:
 * where the syntax is not one that it knows, the need is not known. On context. */
struct need need_read(const void *context, const char *regex);

#endif
