/* text.h: strings: comparing, trimming, and making foreign bytes safe to print. */
#ifndef BACKSTOP_BASE_TEXT_H
#define BACKSTOP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* ASCII case only: header names, domains and enhanced codes are ASCII, and the locale must not
 * change a verdict. NULL equals nothing. */
bool text_equal_fold(const char *a, const char *b);
bool text_starts_fold(const char *text, const char *prefix);
/* Where needle stands in text, case folded, or NULL. */
const char *text_find_fold(const char *text, const char *needle);

/* True when no byte is above 127. */
bool text_is_ascii(struct bytes text);

/* A copy in ASCII lower case; bytes above 127 are kept. */
char *text_lower(const void *context, const char *text);

/* A copy without white space at either end, inner runs kept. */
char *text_trim(const void *context, const char *text, size_t size);

/* Foreign bytes as valid UTF-8 on one line: bad sequences become U+FFFD, control characters
 * (C0, DEL, C1) and the bidirectional overrides become a space, runs of space become one. At most
 * limit bytes, cut at a character, with "..." when cut. */
char *text_clean(const void *context, struct bytes foreign, size_t limit);
/* The same into out, which has room for three bytes of each foreign one, or for limit of them, and
 * a NUL. Returns the length. */
size_t text_clean_into(char *out, struct bytes foreign, size_t limit);
/* The same for a string; NULL gives NULL. */
char *text_clean_string(const void *context, const char *foreign, size_t limit);

/* True when all of it is well-formed UTF-8 (RFC 3629). */
bool text_is_utf8(const char *text);

/* Lower-case base32 (a-z, 2-7; RFC 4648 section 6, no padding): survives case folding.
 * base32_encode writes (size * 8 + 4) / 5 characters and a NUL. base32_decode takes either case
 * and fails on any other character; size_out bytes are written, at most text length * 5 / 8. */
void text_base32_encode(const unsigned char *data, size_t size, char *text_out);
bool text_base32_decode(const char *text, size_t length, unsigned char *data_out, size_t *size_out);

/* The value of a hex digit of either case; -1: it is none. */
int text_hex_digit(char character);
/* Length hex digits as length / 2 bytes. False when the number is odd or another character is
 * among them; data_out is then filled in part. */
bool text_hex_decode(const char *text, size_t length, unsigned char *data_out);

#endif
