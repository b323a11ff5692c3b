/*
 * roster_set.h: the members of a roster as a set of keyed hashes in memory: what the index in the
 * state is made from, and what is asked where no state can be written.
 *
 * A hash is 64 bits of SHA-256 over a secret and the normalised address, so that nobody can make up
 * an address that passes for a member's. An address with "+suffix" counts without it as well.
 */
#ifndef BACKSTOP_BASE_ROSTER_SET_H
#define BACKSTOP_BASE_ROSTER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/roster_file.h"
#include "base/status.h"

#define ROSTER_SALT_SIZE 16
#define ROSTER_MEMBERS_MAX (8 * 1024 * 1024) /* 64 MB of hashes */

struct roster_set {
	unsigned char salt[ROSTER_SALT_SIZE];
	struct roster_stamp stamp;
	struct roster_figures figures;
	uint64_t *hashes; /* ascending, each once */
	size_t count;
};

/* Reads the file at path; salt: the secret, or NULL for a new one. give_up_ms: on the monotonic
 * clock, when to stop with STATUS_TIMEOUT; 0: never. STATUS_DATA also when no line has an address,
 * or more than ROSTER_MEMBERS_MAX have. set_out on context; NULL when not STATUS_OK, and then
 * why_out is a static phrase. */
enum status roster_set_read(const void *context, const char *path, const unsigned char *salt,
	int64_t give_up_ms, struct roster_set **set_out, const char **why_out);

/* True when the normalised address, or it without "+suffix", is a member's. */
bool roster_set_has(const struct roster_set *set, const char *address);

/* The hashes to look for an address by: 1, or 2 with "+suffix". */
#define ROSTER_FORMS_MAX 2
size_t roster_hash(const unsigned char *salt, const char *address, uint64_t *hashes_out);

/* Random bytes; false when the kernel has none. */
bool roster_make_salt(unsigned char *salt_out);

/* Milliseconds on the monotonic clock. */
int64_t roster_clock_ms(void);

#endif
