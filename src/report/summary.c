/* summary.c: in charge of what is counted as what; leaves how it looks to summary_text.c and
 * summary_json.c. */
#include "report/summary.h"

#include <string.h>

#include "base/memory.h"

/* What cmd/held.c writes in place of evidence when it releases a message. Evidence is made of
 * CHECK:RESULT, so no decision says this. */
#define RELEASED "released"

struct summary *summary_new(const void *context, int64_t from_s, int64_t until_s)
{
	struct summary *summary = mem_new(context, struct summary);

	summary->from_s = from_s;
	summary->until_s = until_s;
	summary->lists = tally_new(summary, TALLY_NAMES_MAX);
	summary->reporters = tally_new(summary, TALLY_NAMES_MAX);
	return summary;
}

void summary_add(struct summary *summary, const struct event *event)
{
	if (event->evidence != NULL && strcmp(event->evidence, RELEASED) == 0) {
		summary->released++;
		return;
	}
	summary->messages++;
	summary->judged[event->kind][event->verdict]++;
	summary->actions[event->policy][event->action]++;
	tally_add(summary->lists, event->list, event->verdict);
	tally_add(summary->reporters, event->reporter, event->verdict);
}

static enum status visit_event(void *argument, const struct event *event)
{
	summary_add(argument, event);
	return STATUS_OK;
}

enum status summary_collect(struct summary *summary, struct state *state)
{
	return record_walk_events(state, summary->from_s, summary->until_s, visit_event, summary);
}

uint64_t summary_of_kind(const struct summary *summary, enum kind kind)
{
	uint64_t sum = 0;

	for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++)
		sum += summary->judged[kind][verdict];
	return sum;
}

uint64_t summary_of_verdict(const struct summary *summary, enum verdict verdict)
{
	uint64_t sum = 0;

	for (size_t kind = 0; kind < KIND_COUNT; kind++)
		sum += summary->judged[kind][verdict];
	return sum;
}

uint64_t summary_of_action(const struct summary *summary, enum action done)
{
	uint64_t sum = 0;

	for (size_t policy = 0; policy < ACTION_COUNT; policy++)
		sum += summary->actions[policy][done];
	return sum;
}
