/*
 * html.c: a report as a document of its own: no script, no other file, nothing that is fetched.
 *
 * Every foreign text is cleaned, and then the five characters that HTML gives a meaning are spelt
 * out. Colours are told apart in grey as well: verdicts differ in lightness.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/page.h"

enum { CHART_WIDTH = 960, CHART_HEIGHT = 200, CHART_FOOT = 20, TEXT_BYTES_MAX = 500 };

static const char style[] =
	"body{font:15px/1.4 sans-serif;margin:2em;color:#222;background:#fff}"
	"table{border-collapse:collapse;margin:.5em 0 2em}"
	"th,td{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd;vertical-align:top}"
	"td.n,th.n{text-align:right}svg{max-width:100%;height:auto}"
	".genuine{fill:#1b7837}.unproven{fill:#f0c75e}.backscatter{fill:#8c2d19}.none{fill:#bbb}"
	"svg text{font-size:12px;fill:#444}";

/* From the foot of a bar up. */
static const struct {
	enum verdict verdict;
	const char *class;
	const char *title;
} layers[] = {
	{VERDICT_GENUINE, "genuine", "genuine"},
	{VERDICT_UNPROVEN, "unproven", "unproven"},
	{VERDICT_BACKSCATTER, "backscatter", "backscatter"},
	{VERDICT_NONE, "none", "not judged"},
};

_Static_assert(sizeof layers / sizeof layers[0] == VERDICT_COUNT, "a verdict has no layer");

static void print_text(const char *text, FILE *out)
{
	static const struct {
		char character;
		const char *entity;
	} entities[] = {
		{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
	char *clean = text_clean_string(NULL, text, TEXT_BYTES_MAX);

	for (const char *at = clean; *at != '\0'; at++) {
		const char *entity = NULL;

		for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
			if (*at == entities[i].character)
				entity = entities[i].entity;
		}
		if (entity != NULL)
			fputs(entity, out);
		else
			fputc(*at, out);
	}
	mem_free(clean);
}

static void print_cell(const struct column *column, const struct cell *cell, FILE *out)
{
	char time[CLOCK_TEXT_MAX];
	const char *none = column->none != NULL ? column->none : "-";

	fprintf(out, "<td%s>", column->type == COLUMN_NUMBER ? " class=\"n\"" : "");
	if (column->type == COLUMN_TEXT) {
		print_text(cell->text == NULL || *cell->text == '\0' ? none : cell->text, out);
	} else if (!cell->has_number) {
		fputs("-", out);
	} else if (column->type == COLUMN_NUMBER) {
		fprintf(out, "%" PRId64, cell->number);
	} else {
		clock_format_iso(cell->number, time);
		fputs(time, out);
	}
	fputs("</td>", out);
}

void table_print_html(const struct table *table, FILE *out)
{
	if (table->title != NULL) {
		fputs("<h2>", out);
		print_text(table->title, out);
		fputs("</h2>\n", out);
	}
	fputs("<table>\n<tr>", out);
	for (size_t i = 0; i < table->column_count; i++) {
		fprintf(out, "<th%s>",
			table->columns[i].type == COLUMN_NUMBER ? " class=\"n\"" : "");
		print_text(table->columns[i].title, out);
		fputs("</th>", out);
	}
	fputs("</tr>\n", out);
	for (size_t row = 0; row < table->row_count; row++) {
		fputs("<tr>", out);
		for (size_t i = 0; i < table->column_count; i++)
			print_cell(&table->columns[i], &table->cells[row * table->column_count + i],
				out);
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
	if (table->left_out > 0)
		fprintf(out, "<p>and %" PRIu64 " more</p>\n", table->left_out);
}

/* ---- the chart ---- */

static uint64_t bar_total(const struct series *series, size_t bar)
{
	uint64_t sum = 0;

	for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++)
		sum += series->bars[bar][verdict];
	return sum;
}

static void print_bar(const struct series *series, size_t bar, uint64_t most, FILE *out)
{
	double width = (double)CHART_WIDTH / (double)series->count, top = CHART_HEIGHT;
	char time[CLOCK_TEXT_MAX];

	clock_format_iso(series->from_s + (int64_t)bar * series->step_s, time);
	fprintf(out, "<g><title>%s: %" PRIu64 "</title>", time, bar_total(series, bar));
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		uint64_t number = series->bars[bar][layers[i].verdict];
		double height = (double)number / (double)most * CHART_HEIGHT;

		top -= height;
		if (number > 0)
			fprintf(out,
				"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
				"height=\"%.1f\"/>",
				layers[i].class, (double)bar * width, top,
				width > 3 ? width - 1 : width, height);
	}
	fputs("</g>\n", out);
}

static void print_chart(const struct series *series, FILE *out)
{
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
	uint64_t most = 0;

	for (size_t bar = 0; bar < series->count; bar++)
		most = bar_total(series, bar) > most ? bar_total(series, bar) : most;
	if (most == 0)
		return;
	clock_format_iso(series->from_s, first);
	clock_format_iso(series->from_s + (int64_t)(series->count - 1) * series->step_s, last);
	fprintf(out, "<h2>messages each %" PRId64 " h, at most %" PRIu64 "</h2>\n",
		series->step_s / ROLLUP_S, most);
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\" "
		"width=\"%d\">\n",
		CHART_WIDTH, CHART_HEIGHT + CHART_FOOT, CHART_WIDTH);
	for (size_t bar = 0; bar < series->count; bar++)
		print_bar(series, bar, most, out);
	fprintf(out,
		"<text x=\"0\" y=\"%d\">%s</text>"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n</svg>\n<p>",
		CHART_HEIGHT + CHART_FOOT - 5, first, CHART_WIDTH, CHART_HEIGHT + CHART_FOOT - 5,
		last);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		fprintf(out,
			"<svg width=\"14\" height=\"12\"><rect class=\"%s\" width=\"12\" "
			"height=\"12\"/></svg>%s &#160; ",
			layers[i].class, layers[i].title);
	fputs("</p>\n", out);
}

void page_print_html(const struct page *page, FILE *out)
{
	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<title>backstop: %s</title>\n<style>%s</style>\n</head>\n<body>\n"
		"<h1>backstop: %s</h1>\n<p>",
		page->name, style, page->name);
	page_print_span(page, out);
	fputs("</p>\n", out);
	if (page->fact_count > 0) {
		fputs("<table>\n", out);
		for (size_t i = 0; i < page->fact_count; i++)
			fprintf(out, "<tr><th>%s</th><td class=\"n\">%" PRIu64 "</td></tr>\n",
				page->facts[i].title, page->facts[i].number);
		fputs("</table>\n", out);
	}
	if (page->series != NULL)
		print_chart(page->series, out);
	for (size_t i = 0; i < page->table_count; i++)
		table_print_html(page->tables[i], out);
	fputs("</body>\n</html>\n", out);
}
