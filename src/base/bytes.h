/* bytes.h: a stretch of bytes that somebody else owns. Mail is this until proven text: it contains
 * NUL, CR and 8-bit bytes, and its last line may lack an end. */
#ifndef BACKSTOP_BASE_BYTES_H
#define BACKSTOP_BASE_BYTES_H

#include <stddef.h>

struct bytes {
	const unsigned char *data; /* may be NULL when size is 0 */
	size_t size;
};

#endif
