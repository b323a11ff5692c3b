/*
 * signature.h: a DKIM signature (RFC 6376) checked over a block of header fields alone: whether its
 * body hash fits the body is not asked, since a report seldom returns the body.
 *
 * The library (libopendkim) is loaded when the first signature is checked, not before: loading it
 * takes longer than the decision on an ordinary bounce.
 */
#ifndef BACKSTOP_WEIGH_SIGNATURE_H
#define BACKSTOP_WEIGH_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dkim_key.h"
#include "read/header.h"

#define SIGNATURE_BLOCK_MAX (256 * 1024) /* bytes of fields that are looked at */

enum signature_outcome {
	SIGNATURE_UNCHECKED = 0, /* no key, or the library could not */
	SIGNATURE_PASSED,	 /* made with the key, over these fields as they are here */
	SIGNATURE_BROKEN,	 /* the fields are not those that were signed */
	SIGNATURE_INVENTED,	 /* not made with the key at all */
	SIGNATURE_WEAK		 /* whatever it says, it proves nothing: short key, SHA-1 */
};

struct signature {
	enum signature_outcome outcome;
	const char *domain;   /* d=, lower case */
	const char *selector; /* s=, lower case */
	const char *fields;   /* h=, without white space: "from:to:date"; NULL unless PASSED */
	int64_t signed_s;     /* t=; 0: not given */
	int64_t expires_s;    /* x=; 0: never */
	const char *why;      /* a phrase for people, unless PASSED */
};

/* Where public keys come from. */
struct signature_keys {
	/* False when there is none: why_out then says so, in a phrase. Strings on context. */
	bool (*find)(void *argument, const void *context, const char *domain, const char *selector,
		struct dkim_key *key_out, const char **why_out);
	void *argument;
};

/* Reads domain and selector of a DKIM-Signature value. False when it has not both. */
bool signature_read(const void *context, const char *value, struct signature *signature_out);

/* Checks the DKIM-Signature field at headers->items[index], over the others. A field is taken as it
 * stands in its raw bytes; of several of one name the lowest is the one that was signed first
 * (section 5.4.2). An expired signature is checked like any other: the caller judges expires_s.
 * Strings on context. */
void signature_check(const void *context, const struct headers *headers, size_t index,
	const struct signature_keys *keys, struct signature *signature_out);

/* How often h= of a passed signature names the field: so many of that name are signed, from below.
 */
size_t signature_count(const struct signature *signature, const char *name);

/* Loads the library, for a test of the set-up. NULL when all is well, else why not; static. */
const char *signature_library_problem(void);

#endif
