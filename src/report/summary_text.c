/* summary_text.c: a summary as tables for people: plain text, aligned, empty rows left out. Names
 * were written by strangers and are cleaned. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/page.h"
#include "report/summary.h"

#define NAME_SHOWN_MAX 64 /* bytes */

/* Columns of verdicts, in the order in which they are shown. */
static const enum verdict columns[] = {
	VERDICT_GENUINE, VERDICT_UNPROVEN, VERDICT_BACKSCATTER, VERDICT_NONE};

_Static_assert(sizeof(columns) / sizeof(columns[0]) == VERDICT_COUNT, "a verdict has no column");

static void print_head(const char *title, int width, FILE *out)
{
	fprintf(out, "\n%-*s", width, title);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		fprintf(out, " %11s", verdict_name(columns[i]));
	fprintf(out, " %11s\n", "total");
}

static void print_row(
	const char *name, int width, const uint64_t *verdicts, uint64_t total, FILE *out)
{
	fprintf(out, "%-*s", width, name);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		fprintf(out, " %11" PRIu64, verdicts[columns[i]]);
	fprintf(out, " %11" PRIu64 "\n", total);
}

static void print_kinds(const struct summary *summary, FILE *out)
{
	uint64_t sums[VERDICT_COUNT];
	const int width = 12;

	print_head("kind", width, out);
	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		uint64_t total = summary_of_kind(summary, (enum kind)kind);
		if (total > 0)
			print_row(kind_name(kind), width, summary->judged[kind], total, out);
	}
	for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++)
		sums[verdict] = summary_of_verdict(summary, (enum verdict)verdict);
	print_row("total", width, sums, summary->messages, out);
}

static void print_actions(const struct summary *summary, FILE *out)
{
	fprintf(out, "\n%-12s %11s\n", "action", "done");
	for (size_t action = 0; action < ACTION_COUNT; action++) {
		uint64_t total = summary_of_action(summary, (enum action)action);
		if (total > 0)
			fprintf(out, "%-12s %11" PRIu64 "\n", action_name(action), total);
	}
}

/* What the policy asked for and was not done. Takes policy and action in one number, so as not to
 * nest. */
static void print_differences(const struct summary *summary, FILE *out)
{
	bool is_first = true;

	for (size_t i = 0; i < (size_t)ACTION_COUNT * ACTION_COUNT; i++) {
		enum action policy = (enum action)(i / ACTION_COUNT);
		enum action done = (enum action)(i % ACTION_COUNT);
		uint64_t count = summary->actions[policy][done];

		if (policy == done || count == 0)
			continue;
		if (is_first)
			fputs("\nwould have been, by the policy (observe mode, or a mail of our "
			      "own that came back)\n",
				out);
		is_first = false;
		fprintf(out, "%-12s %11" PRIu64 "  now: %s\n", action_name(policy), count,
			action_name(done));
	}
}

static const char *shown_name(const void *context, const struct tally_row *row, const char *none)
{
	if (row->name == NULL)
		return none;
	return text_clean_string(context, row->name, NAME_SHOWN_MAX);
}

/* Characters, not bytes: names may be UTF-8, and printf counts bytes. */
static int count_characters(const char *text)
{
	int count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

static void print_tally(
	struct tally *tally, const char *title, const char *none, size_t limit, FILE *out)
{
	void *context = mem_context(NULL, "tally");
	size_t count;
	const struct tally_row *const *rows = tally_sort(tally, &count);
	size_t shown = count < limit ? count : limit;
	int width = 12;

	for (size_t i = 0; i < shown; i++) {
		int length = count_characters(shown_name(context, rows[i], none));
		width = length > width ? length : width;
	}
	print_head(title, width, out);
	for (size_t i = 0; i < shown; i++) {
		const char *name = shown_name(context, rows[i], none);
		int padding = (int)strlen(name) - count_characters(name);
		print_row(name, width + padding, rows[i]->verdicts, rows[i]->total, out);
	}
	if (count > shown)
		fprintf(out, "and %zu more\n", count - shown);
	if (tally_uncounted(tally) > 0)
		fprintf(out, "and %" PRIu64 " messages of names beyond the first %d\n",
			tally_uncounted(tally), TALLY_NAMES_MAX);
	mem_free(context);
}

void summary_print_text(const struct summary *summary, FILE *out)
{
	const struct page page = {.name = "summary", .span = summary->span};

	page_print_span(&page, out);
	if (summary->messages == 0 && summary->released == 0) {
		fputs("no message was decided in that time\n", out);
		return;
	}
	fprintf(out, "messages: %" PRIu64 "\n", summary->messages);
	if (summary->released > 0)
		fprintf(out, "released from the held mail: %" PRIu64 "\n", summary->released);
	if (summary->messages == 0)
		return;
	print_kinds(summary, out);
	print_actions(summary, out);
	print_differences(summary, out);
	print_tally(summary->lists, "list", "(none)", SUMMARY_LISTS_SHOWN, out);
	if (summary->span.details_s < summary->span.until_s)
		print_tally(summary->reporters, "reporter", "(not known)", SUMMARY_REPORTERS_SHOWN,
			out);
}
