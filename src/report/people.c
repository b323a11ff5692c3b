/* people.c: report recipients and report reporters: names, so only of the time of which there are
 * single messages. */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "report/pages.h"
#include "report/tally.h"

#define UNCOUNTED_TITLE "reports of names beyond the first 100000"
#define FAILED_SEPARATOR ", " /* in struct event */

struct collection {
	struct tally *names;
	uint64_t messages; /* decided, so none that was released */
	uint64_t unnamed;  /* of these */
};

static void count(struct collection *collection, const char *name, const struct event *event,
	bool is_reason_his)
{
	struct tally_row *row = tally_find(collection->names, name, 1);
	enum reason reason;

	if (row == NULL)
		return;
	if (row->total == 0 || event->time_s < row->first_s)
		row->first_s = event->time_s;
	if (row->total == 0 || event->time_s > row->last_s)
		row->last_s = event->time_s;
	row->total++;
	row->verdicts[event->verdict]++;
	if (is_reason_his && event->reason != NULL && reason_parse(event->reason, &reason) &&
		reason != REASON_UNDEFINED)
		row->reason = reason;
}

static enum status collect(const void *context, struct state *state, struct page *page,
	event_visitor *visitor, struct collection *collection)
{
	enum status status;

	*collection = (struct collection){.names = tally_new(context, TALLY_NAMES_MAX)};
	page->is_of_events = true;
	status = span_walk_events(state, &page->span, visitor, collection);
	page_add_fact(page, "messages", "messages", collection->messages);
	return status;
}

static struct cell name_reason(const struct tally_row *row)
{
	return cell_text(row->reason == REASON_UNDEFINED ? NULL : reason_name(row->reason));
}

/* ---- recipients ---- */

static const struct column recipient_columns[] = {
	{"recipient", "recipient", COLUMN_TEXT, NULL, false},
	{"reports", "reports", COLUMN_NUMBER, NULL, false},
	{"genuine", "genuine", COLUMN_NUMBER, NULL, false},
	{"unproven", "unproven", COLUMN_NUMBER, NULL, false},
	{"backscatter", "backscatter", COLUMN_NUMBER, NULL, false},
	{"not_judged", "not judged", COLUMN_NUMBER, NULL, true},
	{"first", "first", COLUMN_TIME, NULL, true},
	{"last", "last", COLUMN_TIME, NULL, false},
	{"reason", "reason", COLUMN_TEXT, NULL, false},
	{.key = NULL},
};

/* Each of the recipients that a report names. Of several, its reason is only one's. */
static enum status add_recipients(void *argument, const struct event *event)
{
	struct collection *collection = argument;
	const char *failed = event->failed;

	if (event_is_release(event))
		return STATUS_OK;
	collection->messages++;
	if (failed == NULL || *failed == '\0') {
		collection->unnamed++;
		return STATUS_OK;
	}
	for (const char *at = failed; *at != '\0';) {
		const char *end = strstr(at, FAILED_SEPARATOR);
		size_t size = end == NULL ? strlen(at) : (size_t)(end - at);
		char *name = mem_strndup(NULL, at, size);

		count(collection, name, event, end == NULL && at == failed);
		mem_free(name);
		at += size + (end == NULL ? 0 : strlen(FAILED_SEPARATOR));
	}
	return STATUS_OK;
}

enum status page_recipients(
	const void *context, struct state *state, size_t limit, struct page *page)
{
	struct table *table = table_new(context, "rows", NULL, recipient_columns);
	struct collection collection;
	enum status status = collect(context, state, page, add_recipients, &collection);
	size_t row_count;
	const struct tally_row *const *rows = tally_sort(collection.names, &row_count);

	page_add_fact(page, "unnamed", "messages that name no recipient", collection.unnamed);
	page_add_fact(page, "names", "recipients", row_count);
	page_add_fact(page, "uncounted", UNCOUNTED_TITLE, tally_uncounted(collection.names));
	for (size_t i = 0; i < row_count && i < limit; i++) {
		const struct cell cells[] = {cell_text(rows[i]->name), cell_number(rows[i]->total),
			cell_number(rows[i]->verdicts[VERDICT_GENUINE]),
			cell_number(rows[i]->verdicts[VERDICT_UNPROVEN]),
			cell_number(rows[i]->verdicts[VERDICT_BACKSCATTER]),
			cell_number(rows[i]->verdicts[VERDICT_NONE]), cell_time(rows[i]->first_s),
			cell_time(rows[i]->last_s), name_reason(rows[i])};

		table_add_row(table, cells);
	}
	table->left_out = row_count - table->row_count;
	page_add_table(page, table);
	return status;
}

/* ---- reporters ---- */

static const struct column reporter_columns[] = {
	{"reporter", "reporter", COLUMN_TEXT, "(not known)", false},
	{"messages", "messages", COLUMN_NUMBER, NULL, false},
	{"genuine", "genuine", COLUMN_NUMBER, NULL, false},
	{"unproven", "unproven", COLUMN_NUMBER, NULL, false},
	{"backscatter", "backscatter", COLUMN_NUMBER, NULL, false},
	{"not_judged", "not judged", COLUMN_NUMBER, NULL, false},
	{"first", "first", COLUMN_TIME, NULL, false},
	{"last", "last", COLUMN_TIME, NULL, false},
	{"share", "share %", COLUMN_NUMBER, NULL, false},
	{"weight", "weight", COLUMN_NUMBER, NULL, false},
	{.key = NULL},
};

/* The name that it has made for itself, now, of whatever time the report is. */
static void find_name(
	struct state *state, const char *reporter, struct cell *share_out, struct cell *weight_out)
{
	void *context = mem_context(NULL, "reporter");
	struct counter *counter = NULL;
	double share = -1;

	*share_out = *weight_out = (struct cell){.has_number = false};
	if (reporter != NULL && record_find_counter(state, context, COUNTER_REPORTER, reporter,
					&counter) == STATUS_OK)
		share = reputation_share(&counter->reputation);
	if (share >= 0) {
		*share_out = cell_number((uint64_t)(100 * share + 0.5));
		*weight_out = (struct cell){.has_number = true,
			.number = reputation_weight(&counter->reputation, clock_now())};
	}
	mem_free(context);
}

static enum status add_reporter(void *argument, const struct event *event)
{
	struct collection *collection = argument;

	if (event_is_release(event))
		return STATUS_OK;
	collection->messages++;
	count(collection, event->reporter, event, false);
	return STATUS_OK;
}

enum status page_reporters(
	const void *context, struct state *state, size_t limit, struct page *page)
{
	struct table *table = table_new(context, "rows", NULL, reporter_columns);
	struct collection collection;
	enum status status = collect(context, state, page, add_reporter, &collection);
	size_t row_count;
	const struct tally_row *const *rows = tally_sort(collection.names, &row_count);

	page_add_fact(page, "names", "reporters", row_count);
	page_add_fact(page, "uncounted", UNCOUNTED_TITLE, tally_uncounted(collection.names));
	for (size_t i = 0; i < row_count && i < limit; i++) {
		struct cell share, weight;

		find_name(state, rows[i]->name, &share, &weight);
		const struct cell cells[] = {cell_text(rows[i]->name), cell_number(rows[i]->total),
			cell_number(rows[i]->verdicts[VERDICT_GENUINE]),
			cell_number(rows[i]->verdicts[VERDICT_UNPROVEN]),
			cell_number(rows[i]->verdicts[VERDICT_BACKSCATTER]),
			cell_number(rows[i]->verdicts[VERDICT_NONE]), cell_time(rows[i]->first_s),
			cell_time(rows[i]->last_s), share, weight};

		table_add_row(table, cells);
	}
	table->left_out = row_count - table->row_count;
	page_add_table(page, table);
	return status;
}
