/* summary_page.c: a summary as tables: for HTML, each with a heading; for CSV, all in one with the
 * name of the table in front. */
#include "base/memory.h"
#include "report/pages.h"
#include "report/summary.h"

#define VERDICT_COLUMNS                                                                            \
	{"messages", "messages", COLUMN_NUMBER, NULL, false},                                      \
		{"genuine", "genuine", COLUMN_NUMBER, NULL, false},                                \
		{"unproven", "unproven", COLUMN_NUMBER, NULL, false},                              \
		{"backscatter", "backscatter", COLUMN_NUMBER, NULL, false},                        \
	{                                                                                          \
		"not_judged", "not judged", COLUMN_NUMBER, NULL, false                             \
	}

static const struct column kind_columns[] = {
	{"kind", "kind", COLUMN_TEXT, NULL, false}, VERDICT_COLUMNS, {.key = NULL}};
static const struct column list_columns[] = {
	{"list", "list", COLUMN_TEXT, "(none)", false}, VERDICT_COLUMNS, {.key = NULL}};
static const struct column reporter_columns[] = {
	{"reporter", "reporter", COLUMN_TEXT, "(not known)", false}, VERDICT_COLUMNS,
	{.key = NULL}};
static const struct column action_columns[] = {
	{"policy", "asked for by the policy", COLUMN_TEXT, NULL, false},
	{"action", "done", COLUMN_TEXT, NULL, false},
	{"messages", "messages", COLUMN_NUMBER, NULL, false}, {.key = NULL}};
static const struct column flat_columns[] = {{"table", "table", COLUMN_TEXT, NULL, false},
	{"name", "name", COLUMN_TEXT, NULL, false}, {"policy", "policy", COLUMN_TEXT, NULL, false},
	VERDICT_COLUMNS, {.key = NULL}};

/* The tables that a row goes to. */
struct tables {
	struct table *own;
	struct table *flat;
	const char *word; /* of the first, in the second */
};

static void add_row(
	const struct tables *tables, const char *name, uint64_t total, const uint64_t *verdicts)
{
	const struct cell cells[] = {cell_text(tables->word), cell_text(name), cell_text(NULL),
		cell_number(total), cell_number(verdicts[VERDICT_GENUINE]),
		cell_number(verdicts[VERDICT_UNPROVEN]), cell_number(verdicts[VERDICT_BACKSCATTER]),
		cell_number(verdicts[VERDICT_NONE])};
	const struct cell own[] = {cells[1], cells[3], cells[4], cells[5], cells[6], cells[7]};

	table_add_row(tables->flat, cells);
	table_add_row(tables->own, own);
}

static void add_kinds(const struct summary *summary, const struct tables *tables)
{
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		uint64_t total = summary_of_kind(summary, (enum kind)kind);

		if (total > 0)
			add_row(tables, kind_name((enum kind)kind), total, summary->judged[kind]);
	}
}

static void add_actions(const struct summary *summary, const struct tables *tables)
{
	for (int i = 0; i < ACTION_COUNT * ACTION_COUNT; i++) {
		const char *policy = action_name((enum action)(i / ACTION_COUNT));
		const char *done = action_name((enum action)(i % ACTION_COUNT));
		uint64_t count = summary->actions[i / ACTION_COUNT][i % ACTION_COUNT];
		const struct cell cells[] = {cell_text(tables->word), cell_text(done),
			cell_text(policy), cell_number(count), {.has_number = false},
			{.has_number = false}, {.has_number = false}, {.has_number = false}};
		const struct cell own[] = {cells[2], cells[1], cells[3]};

		if (count == 0)
			continue;
		table_add_row(tables->flat, cells);
		table_add_row(tables->own, own);
	}
}

static void add_tally(struct tally *tally, const struct tables *tables, size_t limit)
{
	size_t count;
	const struct tally_row *const *rows = tally_sort(tally, &count);

	for (size_t i = 0; i < count && i < limit; i++)
		add_row(tables, rows[i]->name, rows[i]->total, rows[i]->verdicts);
	tables->own->left_out = count - tables->own->row_count;
}

static enum status add_bars(void *argument, const struct rollup *rollup)
{
	series_add(argument, rollup);
	return STATUS_OK;
}

enum status page_summary(const void *context, struct state *state, size_t limit, struct page *page)
{
	struct summary *summary = summary_new(context, page->span.from_s, page->span.until_s);
	struct tables tables = {.flat = table_new(context, "rows", NULL, flat_columns)};
	enum status status = summary_collect(summary, state, &page->span);

	page->series = mem_new(context, struct series);
	series_init(page->series, &page->span);
	if (status == STATUS_OK)
		status = span_walk(state, &page->span, add_bars, page->series);
	page_add_fact(page, "messages", "messages", summary->messages);
	page_add_fact(page, "released", "released from the held mail", summary->released);
	tables.word = "kind";
	page_add_table(page, tables.own = table_new(context, "kinds", "kinds", kind_columns));
	add_kinds(summary, &tables);
	tables.word = "action";
	page_add_table(page, tables.own = table_new(context, "actions", "actions", action_columns));
	add_actions(summary, &tables);
	tables.word = "list";
	page_add_table(page, tables.own = table_new(context, "lists", "lists", list_columns));
	add_tally(
		summary->lists, &tables, limit < SUMMARY_LISTS_SHOWN ? limit : SUMMARY_LISTS_SHOWN);
	tables.word = "reporter";
	page_add_table(
		page, tables.own = table_new(context, "reporters", "reporters", reporter_columns));
	add_tally(summary->reporters, &tables,
		limit < SUMMARY_REPORTERS_SHOWN ? limit : SUMMARY_REPORTERS_SHOWN);
	page->flat = tables.flat;
	return status;
}
