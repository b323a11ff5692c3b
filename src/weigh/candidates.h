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

#endif
