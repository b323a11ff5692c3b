/* boundary.c: in charge of finding a boundary by the looks of it (RFC 2046 section 5.1.1): gateways
 * lose header fields, and rewrite the body behind a header that they leave as it is. */
#include "read/boundary.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define SEARCH_MAX (64 * 1024) /* bytes in which the parts must begin */
#define PREAMBLE_MAX 400       /* bytes in front of them */
#define LINE_SIZE_MAX 72       /* of RFC 2046, with the two hyphens */

/* True when a line that is no more than that, with a Content- field right behind it, stands in the
 * body. */
static bool begins_part(struct bytes body, const char *line, size_t length)
{
	const unsigned char *end = body.data, *found = body.data;

	end += body.size < SEARCH_MAX ? body.size : SEARCH_MAX;
	while ((found = memmem(found, (size_t)(end - found), line, length)) != NULL) {
		bool is_begin = found == body.data || found[-1] == '\n';
		found += length;
		while (found < end && (*found == ' ' || *found == '\t' || *found == '\r'))
			found++;
		if (is_begin && end - found > 9 && *found == '\n' &&
			strncasecmp((const char *)found + 1, "Content-", 8) == 0)
			return true;
	}
	return false;
}

char *boundary_guess(const void *context, struct bytes body)
{
	size_t limit = body.size < PREAMBLE_MAX ? body.size : PREAMBLE_MAX;

	for (size_t i = 0; i + 4 < limit;) {
		const char *line = (const char *)body.data + i;
		const char *newline = memchr(line, '\n', body.size - i);
		if (newline == NULL)
			return NULL;
		size_t length = (size_t)(newline - line), next = i + length + 1;
		while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
			length--;
		if (length > 3 && length <= LINE_SIZE_MAX && memcmp(line, "--", 2) == 0 &&
			memchr(line, '"', length) == NULL && memchr(line, ' ', length) == NULL &&
			begins_part(body, line, length))
			return mem_strndup(context, line + 2, length - 2);
		if (memchr(line, '@', length) != NULL)
			return NULL;
		i = next;
	}
	return NULL;
}
