/* summary_json.c: a summary as one JSON object. Every key is always there, every word of words.h
 * has its number, so that a reader needs no defaults. */
#include "report/json.h"
#include "report/summary.h"

static json_t *make_verdicts(const uint64_t *verdicts)
{
	json_t *object = report_json_object();

	for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++)
		report_json_set(object, verdict_name((enum verdict)verdict),
			report_json_number(verdicts[verdict]));
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
	json_t *kinds = report_json_object();

	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		json_t *row = report_json_object();
		report_json_set(row, "messages",
			report_json_number(summary_of_kind(summary, (enum kind)kind)));
		report_json_set(row, "verdicts", make_verdicts(summary->judged[kind]));
		report_json_set(kinds, kind_name((enum kind)kind), row);
	}
	return kinds;
}

static json_t *make_actions(const struct summary *summary)
{
	json_t *actions = report_json_object();

	for (size_t action = 0; action < ACTION_COUNT; action++)
		report_json_set(actions, action_name((enum action)action),
			report_json_number(summary_of_action(summary, (enum action)action)));
	return actions;
}

static json_t *make_differences(const struct summary *summary)
{
	json_t *rows = report_json_array();

	for (size_t i = 0; i < (size_t)ACTION_COUNT * ACTION_COUNT; i++) {
		enum action policy = (enum action)(i / ACTION_COUNT);
		enum action done = (enum action)(i % ACTION_COUNT);
		uint64_t count = summary->actions[policy][done];

		if (policy == done || count == 0)
			continue;
		json_t *row = report_json_object();
		report_json_set(row, "policy", report_json_word(action_name(policy)));
		report_json_set(row, "action", report_json_word(action_name(done)));
		report_json_set(row, "messages", report_json_number(count));
		report_json_append(rows, row);
	}
	return rows;
}

static json_t *make_tally(struct tally *tally, const char *key, size_t limit)
{
	json_t *table = report_json_object();
	json_t *top = report_json_array();
	size_t count;
	const struct tally_row *const *rows = tally_sort(tally, &count);

	for (size_t i = 0; i < count && i < limit; i++) {
		json_t *row = report_json_object();
		report_json_set(row, key, report_json_text(rows[i]->name));
		report_json_set(row, "messages", report_json_number(rows[i]->total));
		report_json_set(row, "verdicts", make_verdicts(rows[i]->verdicts));
		report_json_append(top, row);
	}
	report_json_set(table, "names", report_json_number(count));
	report_json_set(table, "top", top);
	report_json_set(table, "uncounted", report_json_number(tally_uncounted(tally)));
	return table;
}

enum status summary_print_json(const struct summary *summary, FILE *out)
{
	json_t *object = report_json_object();

	report_json_set(object, "report", report_json_word("summary"));
	report_json_set(object, "since", report_json_time(summary->span.from_s));
	report_json_set(object, "until", report_json_time(summary->span.until_s));
	report_json_set(object, "details_since", report_json_time(summary->span.details_s));
	report_json_set(object, "messages", report_json_number(summary->messages));
	report_json_set(object, "released", report_json_number(summary->released));
	report_json_set(object, "verdicts", make_totals(summary));
	report_json_set(object, "kinds", make_kinds(summary));
	report_json_set(object, "actions", make_actions(summary));
	report_json_set(object, "would_have_been", make_differences(summary));
	report_json_set(object, "lists", make_tally(summary->lists, "list", SUMMARY_LISTS_SHOWN));
	report_json_set(object, "reporters",
		make_tally(summary->reporters, "reporter", SUMMARY_REPORTERS_SHOWN));
	return report_json_print(object, out);
}
