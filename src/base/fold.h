/*
 * fold.h: text in lower case, byte for byte as long as it was, so that a place in the one is a
 * place in the other.
 */
#ifndef BACKSTOP_BASE_FOLD_H
#define BACKSTOP_BASE_FOLD_H

#include <stdbool.h>
#include <stddef.h>

/* A copy of text (UTF-8, or not: other bytes stay) on context, in lower case where both cases take
 * two bytes at most: Latin, Greek, Cyrillic. */
char *fold_text(const void *context, const char *text);
void fold_in_place(char *text);

/* Puts the letter of size bytes at text, in lower case, to out. */
void fold_letter(const char *text, size_t size, char *out);

/* True when whatever a caseless search takes for the letter of two bytes at text is folded to the
 * same as it is: a search for folded words misses none. Letters that only old prints have, such as
 * U+1C80 for the Cyrillic ve, are left aside, as the long s and the sign of Kelvin are for ASCII.
 */
bool fold_is_certain(const char *text);

#endif
