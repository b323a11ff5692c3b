/* lists.c: report lists and report reasons: numbers that name nobody, so they go back as far as the
 * rollups do. */
#include <stdlib.h>

#include "base/memory.h"
#include "report/pages.h"
#include "report/tally.h"

static const struct column list_columns[] = {
	{"list", "list", COLUMN_TEXT, "(none)", false},
	{"messages", "messages", COLUMN_NUMBER, NULL, false},
	{"genuine", "genuine", COLUMN_NUMBER, NULL, false},
	{"unproven", "unproven", COLUMN_NUMBER, NULL, false},
	{"backscatter", "backscatter", COLUMN_NUMBER, NULL, false},
	{"not_judged", "not judged", COLUMN_NUMBER, NULL, false},
	{"dropped", "dropped", COLUMN_NUMBER, NULL, false},
	{"held", "held", COLUMN_NUMBER, NULL, false},
	{"would_drop", "would drop", COLUMN_NUMBER, NULL, false},
	{"would_hold", "would hold", COLUMN_NUMBER, NULL, false},
	{"released", "released", COLUMN_NUMBER, NULL, false},
	{.key = NULL},
};

struct collection {
	struct tally *lists;
	struct series *series;
	uint64_t messages;
	uint64_t reasons[REASON_COUNT][VERDICT_COUNT];
};

static void add_actions(struct tally_row *row, const struct rollup *rollup)
{
	for (int policy = 0; policy < ACTION_COUNT; policy++) {
		row->dropped += rollup->actions[policy][ACTION_DROP];
		row->held += rollup->actions[policy][ACTION_HOLD];
	}
	for (int done = 0; done < ACTION_COUNT; done++) {
		if (done != ACTION_DROP)
			row->would_drop += rollup->actions[ACTION_DROP][done];
		if (done != ACTION_HOLD)
			row->would_hold += rollup->actions[ACTION_HOLD][done];
	}
}

static enum status add_rollup(void *argument, const struct rollup *rollup)
{
	struct collection *collection = argument;
	uint64_t messages = rollup_messages(rollup);
	struct tally_row *row = tally_find(collection->lists, rollup->list, messages);

	series_add(collection->series, rollup);
	collection->messages += messages;
	for (int i = 0; i < REASON_COUNT * VERDICT_COUNT; i++)
		collection->reasons[i / VERDICT_COUNT][i % VERDICT_COUNT] +=
			rollup->reasons[i / VERDICT_COUNT][i % VERDICT_COUNT];
	if (row == NULL)
		return STATUS_OK;
	row->total += messages;
	row->released += rollup->released;
	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		row->verdicts[verdict] += rollup_of_verdict(rollup, (enum verdict)verdict);
	add_actions(row, rollup);
	return STATUS_OK;
}

static enum status collect(
	const void *context, struct state *state, struct page *page, struct collection *collection)
{
	enum status status;

	*collection = (struct collection){.lists = tally_new(context, TALLY_NAMES_MAX),
		.series = mem_new(context, struct series)};
	series_init(collection->series, &page->span);
	page->series = collection->series;
	status = span_walk(state, &page->span, add_rollup, collection);
	page_add_fact(page, "messages", "messages", collection->messages);
	return status;
}

enum status page_lists(const void *context, struct state *state, size_t limit, struct page *page)
{
	struct table *table = table_new(context, "rows", NULL, list_columns);
	struct collection collection;
	enum status status = collect(context, state, page, &collection);
	size_t count;
	const struct tally_row *const *rows = tally_sort(collection.lists, &count);

	for (size_t i = 0; i < count && i < limit; i++) {
		const struct cell cells[] = {cell_text(rows[i]->name), cell_number(rows[i]->total),
			cell_number(rows[i]->verdicts[VERDICT_GENUINE]),
			cell_number(rows[i]->verdicts[VERDICT_UNPROVEN]),
			cell_number(rows[i]->verdicts[VERDICT_BACKSCATTER]),
			cell_number(rows[i]->verdicts[VERDICT_NONE]), cell_number(rows[i]->dropped),
			cell_number(rows[i]->held), cell_number(rows[i]->would_drop),
			cell_number(rows[i]->would_hold), cell_number(rows[i]->released)};

		table_add_row(table, cells);
	}
	table->left_out = count - table->row_count;
	page_add_table(page, table);
	return status;
}

/* ---- reasons ---- */

static const struct column reason_columns[] = {
	{"reason", "reason", COLUMN_TEXT, NULL, false},
	{"messages", "messages", COLUMN_NUMBER, NULL, false},
	{"genuine", "genuine", COLUMN_NUMBER, NULL, false},
	{"unproven", "unproven", COLUMN_NUMBER, NULL, false},
	{"backscatter", "backscatter", COLUMN_NUMBER, NULL, false},
	{"not_judged", "not judged", COLUMN_NUMBER, NULL, false},
	{.key = NULL},
};

struct reason_row {
	enum reason reason;
	uint64_t total;
};

static int compare_reasons(const void *a, const void *b)
{
	const struct reason_row *left = a, *right = b;

	if (left->total != right->total)
		return left->total < right->total ? 1 : -1;
	return (int)left->reason - (int)right->reason;
}

enum status page_reasons(const void *context, struct state *state, size_t limit, struct page *page)
{
	struct table *table = table_new(context, "rows", NULL, reason_columns);
	struct reason_row order[REASON_COUNT];
	struct collection collection;
	enum status status = collect(context, state, page, &collection);

	for (int i = 0; i < REASON_COUNT; i++) {
		order[i] = (struct reason_row){.reason = (enum reason)i};
		for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
			order[i].total += collection.reasons[i][verdict];
	}
	qsort(order, REASON_COUNT, sizeof order[0], compare_reasons);
	for (size_t i = 0; i < REASON_COUNT && order[i].total > 0; i++) {
		const uint64_t *verdicts = collection.reasons[order[i].reason];
		const struct cell cells[] = {cell_text(reason_name(order[i].reason)),
			cell_number(order[i].total), cell_number(verdicts[VERDICT_GENUINE]),
			cell_number(verdicts[VERDICT_UNPROVEN]),
			cell_number(verdicts[VERDICT_BACKSCATTER]),
			cell_number(verdicts[VERDICT_NONE])};

		if (table->row_count < limit)
			table_add_row(table, cells);
		else
			table->left_out++;
	}
	page_add_table(page, table);
	return status;
}
