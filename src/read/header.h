/*
 * header.h: header fields (RFC 5322 section 2.2) as they stand in the bytes. Used for messages, for
 * returned originals, and for the groups of a delivery-status part alike, so it forgives what
 * broken software writes.
 */
#ifndef BACKSTOP_READ_HEADER_H
#define BACKSTOP_READ_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define HEADER_COUNT_MAX 1000	     /* fields of one block; further ones are ignored */
#define HEADER_VALUE_MAX (64 * 1024) /* bytes of one value; the rest is cut */

struct header {
	const char *name;  /* as written */
	const char *value; /* unfolded, trimmed; NUL and other controls became spaces; RFC 2047
			      words are not decoded */
	struct bytes raw;  /* the field as it stands, folding and line end included; lent */
	unsigned mark;	   /* of its name, in either case; others may have the same */
};

#define HEADER_MARKS 256

struct headers {
	const struct header *items;
	size_t count;
	uint64_t absent[HEADER_MARKS / 64]; /* bits of marks that no field has; 0: not known */
};

/* Reads fields from the start of block to the first empty line or the end. A line that is neither a
 * field nor a continuation is skipped when a field comes right behind it, else it ends the block.
 * size_out: bytes read, the empty line included; may be NULL. The fields lend from block. */
void headers_parse(
	const void *context, struct bytes block, struct headers *headers_out, size_t *size_out);

/* The length of the field name that a line begins with, or 0. White space before the colon is
 * forgiven (RFC 5322 section 4.5). value_offset_out: behind the colon. */
size_t header_measure_name(const unsigned char *line, size_t size, size_t *value_offset_out);

/* The value of the first field of that name (case folded), or NULL. */
const char *headers_find(const struct headers *headers, const char *name);

/* The next field of that name at or behind *index, which moves behind it; NULL at the end. */
const struct header *headers_next(const struct headers *headers, const char *name, size_t *index);

/* RFC 2047 words decoded, as clean UTF-8 on one line (text_clean), at most 998 bytes; NULL for
 * NULL. */
char *header_decode(const void *context, const char *value);

/* The first address of an address list (From, Return-Path, Final-Recipient...), normalised, or
 * NULL: what stands in angle brackets, else the first word with an '@'. "" for "<>". */
char *header_address(const void *context, const char *value);

/* All addresses of an address header (To, Cc), normalised; count_out of them, at most 1000. None of
 * a value with over 1000 colons, which no address list has. */
char **header_addresses(const void *context, const char *value, size_t *count_out);

/* The Message-ID in a value: "<...>" as it stands, or the first word; NULL when there is none. */
char *header_message_id(const void *context, const char *value);

/* All Message-IDs of References or In-Reply-To, at most 100. */
char **header_message_ids(const void *context, const char *value, size_t *count_out);

/* An RFC 5322 date as seconds since 1970; false when it is none. */
bool header_date(const char *value, long long *seconds_out);

/* The bare word in front of ';' or white space, lower case: "text/plain", "auto-replied". */
char *header_token(const void *context, const char *value);

#endif
