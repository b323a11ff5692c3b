/*
 * tally.h: how many messages each name (a list, a reporter) had, for a table of the busiest.
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
};

struct tally;

/* names_max: TALLY_NAMES_MAX, or less in tests. */
struct tally *tally_new(const void *context, size_t names_max);

/* Counts one message. name is copied; NULL and "" are the same: none is known. */
void tally_add(struct tally *tally, const char *name, enum verdict verdict);

/* The rows, those with most messages first, then by name. Lent until the next tally_add. */
const struct tally_row *const *tally_sort(struct tally *tally, size_t *count_out);

/* Messages whose name got no row. */
uint64_t tally_uncounted(const struct tally *tally);

#endif
