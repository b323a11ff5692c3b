/*
 * dropped.c: report dropped: what was dropped, one message a row, with what decided it, and whether
 * it can still be released; in observe mode, what would have been.
 *
 * A storm drops more than anybody reads, and more than memory holds: the newest are kept while the
 * events pass by.
 */
#include <string.h>

#include "base/memory.h"
#include "report/pages.h"

static const struct column columns[] = {
	{"id", "id", COLUMN_TEXT, NULL, false},
	{"time", "time", COLUMN_TIME, NULL, false},
	{"list", "list", COLUMN_TEXT, "(none)", false},
	{"kind", "kind", COLUMN_TEXT, NULL, false},
	{"verdict", "verdict", COLUMN_TEXT, NULL, true},
	{"score", "score", COLUMN_NUMBER, NULL, false},
	{"done", "done", COLUMN_TEXT, NULL, false},
	{"kept_until", "kept until", COLUMN_TIME, NULL, false},
	{"reporter", "reporter", COLUMN_TEXT, NULL, false},
	{"sender", "sender", COLUMN_TEXT, NULL, true},
	{"to", "to", COLUMN_TEXT, NULL, true},
	{"recipients", "recipients", COLUMN_TEXT, NULL, true},
	{"reason", "reason", COLUMN_TEXT, NULL, true},
	{"message_id", "message id", COLUMN_TEXT, NULL, true},
	{"evidence", "evidence", COLUMN_TEXT, NULL, true},
	{"decided_by", "decided by", COLUMN_TEXT, NULL, false},
	{.key = NULL},
};

/* One event with its strings, on a context of its own. */
struct kept {
	struct event event;
	char id[EVENT_ID_TEXT_MAX];
};

struct collection {
	const void *context;
	struct kept **ring; /* the newest, from `count` modulo `limit` on round */
	size_t limit;
	uint64_t count; /* events that there were */
	uint64_t dropped;
	uint64_t would_drop;
};

static const char *copy(const void *context, const char *text)
{
	return text == NULL ? NULL : mem_strdup(context, text);
}

static struct kept *keep(const void *context, const struct event *event)
{
	struct kept *kept = mem_new(context, struct kept);
	const char **const strings[] = {&kept->event.list, &kept->event.reporter,
		&kept->event.sender, &kept->event.recipient, &kept->event.failed,
		&kept->event.message_id, &kept->event.evidence, &kept->event.reason};

	kept->event = *event;
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		*strings[i] = copy(kept, *strings[i]);
	event_id_format(event->id, kept->id);
	return kept;
}

static enum status add_event(void *argument, const struct event *event)
{
	struct collection *collection = argument;
	struct kept **place = &collection->ring[collection->count % collection->limit];

	if (event->policy != ACTION_DROP && event->action != ACTION_DROP)
		return STATUS_OK;
	mem_free(*place);
	*place = keep(collection->context, event);
	collection->count++;
	return STATUS_OK;
}

static enum status add_rollup(void *argument, const struct rollup *rollup)
{
	struct collection *collection = argument;

	for (int i = 0; i < ACTION_COUNT; i++) {
		collection->dropped += rollup->actions[i][ACTION_DROP];
		if (i != ACTION_DROP)
			collection->would_drop += rollup->actions[ACTION_DROP][i];
	}
	return STATUS_OK;
}

/* The evidence that weighed something: "tag:missing-39 standing:stranger-12". */
static const char *find_decisive(const void *context, const char *evidence)
{
	char *text = mem_strdup(context, "");

	for (const char *at = evidence == NULL ? "" : evidence; *at != '\0';) {
		size_t size = strcspn(at, " ");

		if (size > 0 && (size < 2 || memcmp(at + size - 2, "+0", 2) != 0))
			text = mem_append(text, "%s%.*s", *text == '\0' ? "" : " ", (int)size, at);
		at += size;
		at += strspn(at, " ");
	}
	return text;
}

static struct cell find_kept_until(struct state *state, const void *context, uint64_t id)
{
	struct held *held = NULL;

	if (record_find_held(state, context, id, &held) != STATUS_OK || held->expires_s == 0)
		return (struct cell){.has_number = false};
	return cell_time(held->expires_s);
}

static void add_row(struct table *table, struct state *state, const struct kept *kept)
{
	const struct event *event = &kept->event;
	const struct cell cells[] = {cell_text(kept->id), cell_time(event->time_s),
		cell_text(event->list), cell_text(kind_name(event->kind)),
		cell_text(verdict_name(event->verdict)),
		{.has_number = true, .number = event->score}, cell_text(action_name(event->action)),
		find_kept_until(state, kept, event->id), cell_text(event->reporter),
		cell_text(event->sender), cell_text(event->recipient), cell_text(event->failed),
		cell_text(event->reason), cell_text(event->message_id), cell_text(event->evidence),
		cell_text(find_decisive(kept, event->evidence))};

	table_add_row(table, cells);
}

enum status page_dropped(const void *context, struct state *state, size_t limit, struct page *page)
{
	struct table *table = table_new(context, "rows", NULL, columns);
	struct collection collection = {.context = context,
		.ring = mem_new_array(context, struct kept *, limit),
		.limit = limit};
	enum status status = span_walk(state, &page->span, add_rollup, &collection);

	if (status == STATUS_OK)
		status = span_walk_events(state, &page->span, add_event, &collection);
	page_add_fact(page, "dropped", "dropped", collection.dropped);
	page_add_fact(
		page, "would_have_been", "would have been, by the policy", collection.would_drop);
	for (uint64_t i = 1; i <= collection.count && i <= limit; i++) /* newest first */
		add_row(table, state, collection.ring[(collection.count - i) % limit]);
	table->left_out = collection.count - table->row_count;
	page_add_table(page, table);
	return status;
}
