/*
 * proof.h: how often a proof was used before. A proof is what only somebody who got our mail can
 * show: a Message-ID together with the recipient it went to, or a signed bounce address. He may
 * show it again and again, so uses are counted, those of reports that were not found to be forged.
 *
 * One report counts once, however often the mail server hands it over: the last few are remembered
 * by a hash of their bytes, which hold the server's own Received field. Counts are forgotten
 * PROOF_KEPT_S after the first use.
 */
#ifndef BACKSTOP_STATE_PROOF_H
#define BACKSTOP_STATE_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "state/state.h"

#define PROOF_KEY_SIZE 16
#define PROOF_COUNT_MAX 16	  /* of one report */
#define PROOF_KEPT_S (60 * 86400) /* longer than tags and mail queues live */

/* What a report said; each is counted apart. */
enum proof_class {
	PROOF_FAILED = 0,
	PROOF_DELAYED,
	PROOF_DELIVERED,
	PROOF_ANSWER, /* automatic replies, receipts, challenges */
	PROOF_CLASS_COUNT
};

/* The proofs that one report uses. */
struct proof_use {
	enum proof_class class;
	uint64_t report; /* proof_hash: what counts once, however often it is shown */
	size_t count;
	unsigned char keys[PROOF_COUNT_MAX][PROOF_KEY_SIZE];
	uint64_t instead[PROOF_COUNT_MAX]; /* what counts once for this proof, in place of report;
					      0: report */
};

/* Adds the proof that consists of these texts (NULL: none), unless it is there or there is no more
 * room. */
void proof_add(struct proof_use *use, const char *what, const char *first, const char *second);

uint64_t proof_hash(struct bytes shown);

/* earlier_out[i]: how many other reports of this class used keys[i] before. */
enum status proof_find(
	struct state *state, const struct proof_use *use, uint64_t earlier_out[PROOF_COUNT_MAX]);

#endif
