/*
 * span.h: the numbers of a span of time, exact: whole hours from the rollups, the rest from the
 * events.
 *
 * Where the events are gone, parts of hours cannot be told any more, and the span is widened to
 * whole hours; what is reported on is what the span says then.
 */
#ifndef BACKSTOP_REPORT_SPAN_H
#define BACKSTOP_REPORT_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "state/rollup.h"

struct span {
	int64_t from_s;
	int64_t until_s;    /* the first second that does not belong to it */
	int64_t details_s;  /* single events are there from then on; within the span, or its end */
	bool is_cut;	    /* it was to begin earlier, but the numbers of that time are gone */
	uint64_t rolled_id; /* record_horizon's */
};

/* What is there of the span asked for: from_s before until_s. What is older than events stay
 * (record_set_policy) counts as gone at `now`, since it may go while it is looked at. */
struct span_wish {
	int64_t from_s;
	int64_t until_s;
	int64_t now;
};
enum status span_find(struct state *state, const struct span_wish *wish, struct span *span_out);

/* Visits rollups that together are all messages of the span, each once: those of its whole hours,
 * and for each event of the rest one of this event alone, whose hour_s is then the time of the
 * event. In no order. */
enum status span_walk(
	struct state *state, const struct span *span, rollup_visitor *visitor, void *argument);

/* The events of the span that are still there. */
enum status span_walk_events(
	struct state *state, const struct span *span, event_visitor *visitor, void *argument);

/* Messages in a rollup, and those of one verdict. */
uint64_t rollup_messages(const struct rollup *rollup);
uint64_t rollup_of_verdict(const struct rollup *rollup, enum verdict verdict);

#endif
