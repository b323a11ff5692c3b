/* summary.c: in charge of what is counted as what; leaves how it looks to summary_text.c,
 * summary_json.c and summary_page.c. */
#include "report/summary.h"

#include "base/memory.h"

struct summary *summary_new(const void *context, int64_t from_s, int64_t until_s)
{
	struct summary *summary = mem_new(context, struct summary);

	summary->span = (struct span){.from_s = from_s, .until_s = until_s, .details_s = from_s};
	summary->lists = tally_new(summary, TALLY_NAMES_MAX);
	summary->reporters = tally_new(summary, TALLY_NAMES_MAX);
	return summary;
}

static enum status add_rollup(void *argument, const struct rollup *rollup)
{
	struct summary *summary = argument;
	uint64_t messages = rollup_messages(rollup);
	struct tally_row *row;

	summary->released += rollup->released;
	if (messages == 0)
		return STATUS_OK;
	summary->messages += messages;
	for (int i = 0; i < KIND_COUNT * VERDICT_COUNT; i++)
		summary->judged[i / VERDICT_COUNT][i % VERDICT_COUNT] +=
			rollup->judged[i / VERDICT_COUNT][i % VERDICT_COUNT];
	for (int i = 0; i < ACTION_COUNT * ACTION_COUNT; i++)
		summary->actions[i / ACTION_COUNT][i % ACTION_COUNT] +=
			rollup->actions[i / ACTION_COUNT][i % ACTION_COUNT];
	row = tally_find(summary->lists, rollup->list, messages);
	if (row == NULL)
		return STATUS_OK;
	row->total += messages;
	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		row->verdicts[verdict] += rollup_of_verdict(rollup, (enum verdict)verdict);
	return STATUS_OK;
}

static enum status add_reporter(void *argument, const struct event *event)
{
	struct summary *summary = argument;

	if (!event_is_release(event))
		tally_add(summary->reporters, event->reporter, event->verdict);
	return STATUS_OK;
}

void summary_add(struct summary *summary, const struct event *event)
{
	struct rollup rollup = {.list = event->list};

	rollup_count(&rollup, event);
	add_rollup(summary, &rollup);
	add_reporter(summary, event);
}

enum status summary_collect(struct summary *summary, struct state *state, const struct span *span)
{
	enum status status;

	summary->span = *span;
	status = span_walk(state, span, add_rollup, summary);
	if (status == STATUS_OK)
		status = span_walk_events(state, span, add_reporter, summary);
	return status;
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
