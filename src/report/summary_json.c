/* summary_json.c: a summary as one JSON object. Every key is always there, every word of words.h
 * has its number, so that a reader needs no defaults. */
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/summary.h"

#define NAME_BYTES_MAX 1024

/* jansson returns NULL only when memory is out: then as in memory.h. */
static json_t *sure(json_t *value)
{
	if (value == NULL)
		abort();
	return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, sure(value)) != 0)
		abort();
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, sure(value)) != 0)
		abort();
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *time_text(int64_t time_s)
{
	char text[CLOCK_TEXT_MAX];

	clock_format_iso(time_s, text);
	return json_string(text);
}

static json_t *name_text(const char *name)
{
	if (name == NULL)
		return json_null();
	char *clean = text_clean_string(NULL, name, NAME_BYTES_MAX);
	json_t *value = json_string(clean);
	mem_free(clean);
	return value;
}

static json_t *make_verdicts(const uint64_t *verdicts)
{
	json_t *object = sure(json_object());

	for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++)
		set(object, verdict_name((enum verdict)verdict), number(verdicts[verdict]));
	return object;
}

static json_t *make_totals(const struct summary *summary)
{
	uint64_t totals[VERDICT_COUNT];

	for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++)
		totals[verdict] = summary_of_verdict(summary, (enum verdict)verdict);
	return make_verdicts(totals);
}

static json_t *make_kinds(const struct summary *summary)
{
	json_t *kinds = sure(json_object());

	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		json_t *row = sure(json_object());
		set(row, "messages", number(summary_of_kind(summary, (enum kind)kind)));
		set(row, "verdicts", make_verdicts(summary->judged[kind]));
		set(kinds, kind_name((enum kind)kind), row);
	}
	return kinds;
}

static json_t *make_actions(const struct summary *summary)
{
	json_t *actions = sure(json_object());

	for (size_t action = 0; action < ACTION_COUNT; action++)
		set(actions, action_name((enum action)action),
			number(summary_of_action(summary, (enum action)action)));
	return actions;
}

static json_t *make_differences(const struct summary *summary)
{
	json_t *rows = sure(json_array());

	for (size_t i = 0; i < (size_t)ACTION_COUNT * ACTION_COUNT; i++) {
		enum action policy = (enum action)(i / ACTION_COUNT);
		enum action done = (enum action)(i % ACTION_COUNT);
		uint64_t count = summary->actions[policy][done];

		if (policy == done || count == 0)
			continue;
		json_t *row = sure(json_object());
		set(row, "policy", json_string(action_name(policy)));
		set(row, "action", json_string(action_name(done)));
		set(row, "messages", number(count));
		append(rows, row);
	}
	return rows;
}

static json_t *make_tally(struct tally *tally, const char *key, size_t limit)
{
	json_t *table = sure(json_object());
	json_t *top = sure(json_array());
	size_t count;
	const struct tally_row *const *rows = tally_sort(tally, &count);

	for (size_t i = 0; i < count && i < limit; i++) {
		json_t *row = sure(json_object());
		set(row, key, name_text(rows[i]->name));
		set(row, "messages", number(rows[i]->total));
		set(row, "verdicts", make_verdicts(rows[i]->verdicts));
		append(top, row);
	}
	set(table, "names", number(count));
	set(table, "top", top);
	set(table, "uncounted", number(tally_uncounted(tally)));
	return table;
}

enum status summary_print_json(const struct summary *summary, FILE *out)
{
	json_t *object = sure(json_object());
	int failed;

	set(object, "report", json_string("summary"));
	set(object, "since", time_text(summary->from_s));
	set(object, "until", time_text(summary->until_s));
	set(object, "messages", number(summary->messages));
	set(object, "released", number(summary->released));
	set(object, "verdicts", make_totals(summary));
	set(object, "kinds", make_kinds(summary));
	set(object, "actions", make_actions(summary));
	set(object, "would_have_been", make_differences(summary));
	set(object, "lists", make_tally(summary->lists, "list", SUMMARY_LISTS_SHOWN));
	set(object, "reporters",
		make_tally(summary->reporters, "reporter", SUMMARY_REPORTERS_SHOWN));
	failed = json_dumpf(object, out, JSON_COMPACT) != 0 || fputc('\n', out) == EOF;
	json_decref(object);
	return failed ? STATUS_IO : STATUS_OK;
}
