/* page.c: in charge of what stands above the tables, and of which form shows what. Leaves the form
 * of tables to table.c, and HTML to html.c. */
#include "report/page.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "report/json.h"

void page_add_fact(struct page *page, const char *key, const char *title, uint64_t number)
{
	assert(page->fact_count < PAGE_FACTS_MAX);
	page->facts[page->fact_count].key = key;
	page->facts[page->fact_count].title = title;
	page->facts[page->fact_count++].number = number;
}

void page_add_table(struct page *page, struct table *table)
{
	assert(page->table_count < PAGE_TABLES_MAX);
	page->tables[page->table_count++] = table;
}

void page_print_span(const struct page *page, FILE *out)
{
	const struct span *span = &page->span;
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX], details[CLOCK_TEXT_MAX];

	clock_format_iso(span->from_s, from);
	clock_format_iso(span->until_s, until);
	clock_format_iso(span->details_s, details);
	fprintf(out, "from %s until %s\n", from, until);
	if (span->is_cut)
		fputs("what was before is no longer recorded\n", out);
	if (span->details_s <= span->from_s)
		return;
	if (span->details_s < span->until_s)
		fprintf(out, "single messages are recorded from %s on; %s\n", details,
			page->is_of_events ? "what was before is not in this"
					   : "what was before, in numbers of each hour");
	else
		fprintf(out, "single messages of that time are no longer recorded%s\n",
			page->is_of_events ? "" : ", but the numbers of each hour are");
}

void page_print_text(const struct page *page, FILE *out)
{
	page_print_span(page, out);
	for (size_t i = 0; i < page->fact_count; i++) {
		if (i == 0 || page->facts[i].number > 0)
			fprintf(out, "%s: %" PRIu64 "\n", page->facts[i].title,
				page->facts[i].number);
	}
	for (size_t i = 0; i < page->table_count; i++) {
		if (page->tables[i]->row_count > 0)
			table_print_text(page->tables[i], out);
		else if (page->table_count == 1)
			fputs("nothing of that time to be shown\n", out);
	}
}

void page_print_csv(const struct page *page, FILE *out)
{
	table_print_csv(page->flat != NULL ? page->flat : page->tables[0], out);
}

enum status page_print_json(const struct page *page, FILE *out)
{
	json_t *object = report_json_object();

	report_json_set(object, "report", report_json_word(page->name));
	report_json_set(object, "since", report_json_time(page->span.from_s));
	report_json_set(object, "until", report_json_time(page->span.until_s));
	report_json_set(object, "details_since", report_json_time(page->span.details_s));
	for (size_t i = 0; i < page->fact_count; i++)
		report_json_set(
			object, page->facts[i].key, report_json_number(page->facts[i].number));
	for (size_t i = 0; i < page->table_count; i++)
		report_json_set(object, page->tables[i]->key, table_json(page->tables[i]));
	report_json_set(object, "left_out",
		report_json_number(page->table_count > 0 ? page->tables[0]->left_out : 0));
	return report_json_print(object, out);
}

/* ---- over time ---- */

void series_init(struct series *series, const struct span *span)
{
	static const int hours[] = {1, 2, 6, 12, 24, 7 * 24, 28 * 24, 28 * 24 * 12};
	int64_t length_s;

	*series = (struct series){.count = 0};
	for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
		series->step_s = (int64_t)hours[i] * ROLLUP_S;
		series->from_s = span->from_s - span->from_s % series->step_s;
		length_s = span->until_s - series->from_s;
		if (length_s <= series->step_s * SERIES_BARS_MAX)
			break;
	}
	series->count = (size_t)((length_s + series->step_s - 1) / series->step_s);
	if (series->count > SERIES_BARS_MAX)
		series->count = SERIES_BARS_MAX; /* the rest counts with the last bar */
}

void series_add(struct series *series, const struct rollup *rollup)
{
	int64_t place = (rollup->hour_s - series->from_s) / series->step_s;

	if (series->count == 0 || rollup->hour_s < series->from_s)
		return;
	if (place >= (int64_t)series->count)
		place = (int64_t)series->count - 1;
	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		series->bars[place][verdict] += rollup_of_verdict(rollup, (enum verdict)verdict);
}
