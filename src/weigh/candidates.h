/*
 * candidates.h: the addresses that the failed recipient may have had when we mailed him. Shared by
 * the checks that look him up: in the ledger, on a roster, among the proofs that were used.
 */
#ifndef BACKSTOP_WEIGH_CANDIDATES_H
#define BACKSTOP_WEIGH_CANDIDATES_H

#include <stddef.h>

#include "weigh/trace.h"
#include "weigh/weigh.h"

#define CANDIDATE_MAX 64 /* further ones are left out */

struct candidates {
	const char *items[CANDIDATE_MAX]; /* normalised, each once */
	size_t count;
};

/* Every address that the report, a valid tag or the reporter's own trace fields (trace.h) give for
 * the recipient; of an automatic answer also its author, who is the recipient. Not what stands in
 * To: or in older Received lines: a replayed post has its victim there. verp_out: those whom
 * unsigned bounce addresses name (VERP); they are not among them, since who replays a post has such
 * an address too. May ask the ledger for the recipient behind an id. Strings on context. */
void candidates_collect(const void *context, const struct weigh_input *input,
	const struct trace *trace, struct candidates *candidates_out, struct candidates *verp_out);

/* What the original may be recorded under, as the report gives it. */
#define ORIGINAL_NAMES_MAX 64
struct original_names {
	const char *items[ORIGINAL_NAMES_MAX];
	size_t count;
};

/* Its Message-ID, its envelope id (RFC 3461 section 4; also decoded from xtext), the Message-ID
 * that a relay replaced, and those that the report refers to. Strings on context or lent from
 * bounce. */
void original_names_collect(
	const void *context, const struct bounce *bounce, struct original_names *names_out);

#endif
