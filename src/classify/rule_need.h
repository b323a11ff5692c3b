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

enum need_form {
	NEED_NOTHING = 0, /* or not known: any text may match */
	NEED_WORD,
	NEED_LETTER, /* some letter beyond ASCII, in whichever case */
	NEED_ALL,    /* of the parts */
	NEED_ANY,    /* one of them */
};

/* What is true of every text that the regex matches. */
struct need {
	enum need_form form;
	struct word word;	  /* NEED_WORD */
	const struct need *parts; /* NEED_ALL: what tells most comes first */
	size_t count;
};

/* Reads a regex as text (PCRE2 syntax; caseless, so words are folded). Takes only what is certain:
 * where the syntax is not one that it knows, the need is not known. On context. */
struct need need_read(const void *context, const char *regex);

/* False when the haystack has not what is needed. */
bool need_is_met(const struct need *need, const struct haystack *haystack);

/* True when the regex can match a text without any word of three bytes or more that is known,
 * and without a letter beyond ASCII.
 * gap_out: the alternative that can, on context; NULL: the regex as a whole. */
bool need_is_wordless(const void *context, const char *regex, const char **gap_out);

#endif
