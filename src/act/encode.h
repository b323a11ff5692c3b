/*
 * encode.h: text and bytes in the forms that mail needs (RFC 2045, RFC 2047), written one behind
 * the other into one growing stretch of memory. Pure.
 */
#ifndef BACKSTOP_ACT_ENCODE_H
#define BACKSTOP_ACT_ENCODE_H

#include <stddef.h>

#include "base/bytes.h"

/* Where a message grows. Set context, the rest zero. */
struct output {
	const void *context;
	unsigned char *data;
	size_t size;
	size_t room;
};

void encode_add(struct output *output, const void *data, size_t size);
void encode_format(struct output *output, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* RFC 2045 section 6.8: lines of 72 characters, LF behind each. */
void encode_base64(struct output *output, struct bytes content);

/* RFC 2045 section 6.7, for text with LF line ends: those stay line ends; lines of at most 76
 * characters. No LF is added at the end. */
void encode_quoted_printable(struct output *output, struct bytes text);

/* The value of an unstructured header field, which must be clean UTF-8 (text_clean) and is begun
 * at the given column: as it stands, or in RFC 2047 words where it is not ASCII or could be taken
 * for such words. Folded with LF and a space to 76 columns where it can be; no LF at the end. */
void encode_header_text(struct output *output, size_t column, const char *text);

#endif
