/*
 * tally.h: how many messages each name (a list, a reporter, a recipient) had, for a table of the
 * busiest.
 *
 * Names come from strangers, so only so many get a row; the messages of all later names are counted
 * together.
 */
#ifndef BACKSTOP_REPORT_TALLY_H
#define BACKSTOP_REPORT_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/words.h"

#define TALLY_NAMES_MAX 100000

struct tally_row {
	const char *name; /* NULL: none is known */
	uint64_t total;
	uint64_t verdicts[VERDICT_COUNT];
	/* For whoever fills them in. */
	uint64_t dropped, held;		 /* done */
	uint64_t would_drop, would_hold; /* asked for by the policy, and not done */
	uint64_t released;
	int64_t first_s, last_s;
	enum reason reason; /* the last one that was clear */
};

struct tally;

/* names_max: TALLY_NAMES_MAX, or less in tests. */
struct tally *tally_new(const void *context, size_t names_max);

/* The row of a name, new with zeros if need be, to be counted up by the caller; NULL when names_max
 * have one already, and then `messages` are added to those without a row. name as in tally_add. */
struct tally_row *tally_find(struct tally *tally, const char *name, uint64_t messages);

/* Counts one message. name is copied; NULL and "" are the same: none is known. */
void tally_add(struct tally *tally, const char *name, enum verdict verdict);

/* The rows, those with most messages first, then by name. Lent until the next tally_add. */
const struct tally_row *const *tally_sort(struct tally *tally, size_t *count_out);

/* Messages whose name got no row. */
uint64_t tally_uncounted(const struct tally *tally);

#endif
