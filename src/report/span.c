/*
 * span.c: in charge of which number comes from where. An hour in which events may be going while
 * they are walked over is taken from the rollups as a whole.
 */
#include "report/span.h"

enum { ID_NUMBER_BITS = 20 }; /* of an event's id (record.h) */

static int64_t next_hour(int64_t time_s)
{
	int64_t hour_s = rollup_hour(time_s);

	return hour_s == time_s || time_s > INT64_MAX - ROLLUP_S ? time_s : hour_s + ROLLUP_S;
}

/* From then on all events are there, and stay while they are looked at. */
static int64_t find_details(const struct record_horizon *horizon, int64_t now)
{
	int64_t limit_s = horizon->events_s == 0 ? 0 : now - horizon->events_s;

	return limit_s > horizon->events_from_s ? limit_s : horizon->events_from_s;
}

enum status span_find(struct state *state, const struct span_wish *wish, struct span *span_out)
{
	struct span span = {
		.from_s = wish->from_s < 0 ? 0 : wish->from_s, .until_s = wish->until_s};
	struct record_horizon horizon;
	enum status status = record_find_horizon(state, &horizon);
	int64_t safe_s;

	if (status != STATUS_OK)
		return status;
	span.details_s = find_details(&horizon, wish->now);
	safe_s = span.details_s <= 0 ? 0 : span.details_s + ROLLUP_S;
	span.rolled_id = horizon.rolled_id;
	if (span.from_s < horizon.rollups_from_s) {
		span.from_s = horizon.rollups_from_s;
		span.is_cut = true;
	}
	if (span.from_s < safe_s)
		span.from_s = rollup_hour(span.from_s);
	if (rollup_hour(span.until_s) < safe_s)
		span.until_s = next_hour(span.until_s);
	if (span.until_s < span.from_s)
		span.until_s = span.from_s;
	if (span.details_s < span.from_s)
		span.details_s = span.from_s;
	if (span.details_s > span.until_s)
		span.details_s = span.until_s;
	*span_out = span;
	return STATUS_OK;
}

struct walk {
	rollup_visitor *visitor;
	void *argument;
	uint64_t below_id; /* only these */
};

static enum status visit_event(void *argument, const struct event *event)
{
	const struct walk *walk = argument;
	struct rollup rollup = {.hour_s = event->time_s};

	if (event->id >= walk->below_id)
		return STATUS_OK;
	rollup.list = event->list != NULL && event->list[0] != '\0' ? event->list : NULL;
	rollup_count(&rollup, event);
	return walk->visitor(walk->argument, &rollup);
}

static enum status walk_events(
	struct state *state, int64_t from_s, int64_t until_s, struct walk *walk)
{
	if (from_s >= until_s)
		return STATUS_OK;
	return record_walk_events(state, from_s, until_s, visit_event, walk);
}

/* Those of whole hours that are in no rollup yet. */
static enum status walk_unrolled(struct state *state, int64_t from_s, int64_t until_s,
	const struct span *span, rollup_visitor *visitor, void *argument)
{
	struct walk walk = {visitor, argument, span->rolled_id};
	int64_t end_s = (int64_t)(span->rolled_id >> ID_NUMBER_BITS) + 1;

	return walk_events(state, from_s, until_s < end_s ? until_s : end_s, &walk);
}

enum status span_walk(
	struct state *state, const struct span *span, rollup_visitor *visitor, void *argument)
{
	struct walk all = {visitor, argument, UINT64_MAX};
	int64_t first_s = next_hour(span->from_s), last_s = rollup_hour(span->until_s);
	enum status status;

	if (first_s >= last_s) /* no whole hour in it, or just the border of two */
		return first_s == span->from_s && last_s == span->until_s
			       ? STATUS_OK
			       : walk_events(state, span->from_s, span->until_s, &all);
	status = walk_events(state, span->from_s, first_s, &all);
	if (status == STATUS_OK)
		status = rollup_walk(state, first_s, last_s, visitor, argument);
	if (status == STATUS_OK)
		status = walk_unrolled(state, first_s, last_s, span, visitor, argument);
	if (status == STATUS_OK)
		status = walk_events(state, last_s, span->until_s, &all);
	return status;
}

enum status span_walk_events(
	struct state *state, const struct span *span, event_visitor *visitor, void *argument)
{
	if (span->details_s >= span->until_s)
		return STATUS_OK;
	return record_walk_events(state, span->details_s, span->until_s, visitor, argument);
}

uint64_t rollup_of_verdict(const struct rollup *rollup, enum verdict verdict)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < KIND_COUNT; kind++)
		sum += rollup->judged[kind][verdict];
	return sum;
}

uint64_t rollup_messages(const struct rollup *rollup)
{
	uint64_t sum = 0;

	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		sum += rollup_of_verdict(rollup, (enum verdict)verdict);
	return sum;
}
