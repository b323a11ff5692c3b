/*
 * rule_need.h: what a text must contain for a regex to match at all. Most regexes of the rules are
 * long lists of phrases in many languages, and most texts contain none of them: a few table
 * look-ups tell that without running the regex.
 */
#ifndef BACKSTOP_CLASSIFY_RULE_NEED_H
#define BACKSTOP_CLASSIFY_RULE_NEED_H

#include <stdbool.h>
#include <stddef.h>

#define NEED_LENGTH_MIN 3 /* bytes; shorter words are in too many texts */

/* One of these words, in lower case, is in every text that the regex matches. None: not known, any
 * text may match. */
struct need {
	const char *const *words;
	size_t count;
};

/* Reads a regex as text (PCRE2 syntax; caseless, so words are folded). Takes only what is certain:
 * where the syntax is not one that it knows, the need is not known. On context. */
struct need need_read(const void *context, const char *regex);

#endif
