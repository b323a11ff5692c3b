/* test_table.c: rows in every form, foreign text among them; and bars that fit any span. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/page.h"
#include "suite.h"

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

static const struct column columns[] = {
	{"name", "name", COLUMN_TEXT, "(none)", false},
	{"number", "a number", COLUMN_NUMBER, NULL, false},
	{"wide", "wide", COLUMN_TEXT, NULL, true},
	{"time", "time", COLUMN_TIME, NULL, false},
	{.key = NULL},
};

static struct table *make_table(const char *name)
{
	struct table *table = table_new(context, "rows", NULL, columns);
	const struct cell first[] = {
		cell_text(name), cell_number(12345678901), cell_text("w"), cell_time(1795461562)};
	const struct cell second[] = {
		cell_text(NULL), {.has_number = false}, cell_text(NULL), {.has_number = false}};

	table_add_row(table, first);
	table_add_row(table, second);
	return table;
}

typedef void table_function(const struct table *table, FILE *out);

static char *print(const struct table *table, table_function *function)
{
	char *buffer = NULL, *text;
	size_t size = 0;
	FILE *out = open_memstream(&buffer, &size);

	ck_assert_ptr_nonnull(out);
	function(table, out);
	fclose(out);
	text = mem_strdup(context, buffer);
	free(buffer);
	return text;
}

static void print_json(const struct table *table, FILE *out)
{
	json_t *rows = table_json(table);

	ck_assert_int_eq(json_dumpf(rows, out, JSON_COMPACT), 0);
	json_decref(rows);
}

/* One name from a stranger, in each form. */
static const struct {
	const char *name;
	const char *text, *csv, *html, *json; /* to be found in it */
} names[] = {
	{"ann@example.net", "ann@example.net  12345678901", "ann@example.net,12345678901,w,2026",
		"<td>ann@example.net</td>", "\"name\":\"ann@example.net\""},
	{"\xc3\xa4rger", "\xc3\xa4rger   12345678901  2026", "\xc3\xa4rger,1", "<td>\xc3\xa4rger<",
		"\"name\":\"\xc3\xa4rger\""},
	{"a,\"b\"", "a,\"b\"   12345678901", "\"a,\"\"b\"\"\",1", "a,&quot;b&quot;",
		"\"name\":\"a,\\\"b\\\"\""},
	{"=cmd()", "=cmd()  ", "\"'=cmd()\",1", "=cmd()", "\"name\":\"=cmd()\""},
	{"<b>&'\x1b[2J\n", "<b>&'", "<b>&'", "&lt;b&gt;&amp;&#39;", "\"name\":\"<b>&'"},
	{"\xff", "\xef\xbf\xbd", "\xef\xbf\xbd", "\xef\xbf\xbd", "\xef\xbf\xbd"},
	{"", "(none)  12345678901", "\n,12345678901,w", "(none)", "\"name\":\"\""},
};

static void check_has(const char *form, const char *got, const char *want)
{
	ck_assert_msg(strstr(got, want) != NULL, "%s: got %s, want %s in it", form, got, want);
	ck_assert_msg(strchr(got, 0x1b) == NULL, "%s: got an escape in %s", form, got);
}

START_TEST(names_in_every_form)
{
	struct table *table = make_table(names[_i].name);

	check_has("text", print(table, table_print_text), names[_i].text);
	check_has("csv", print(table, table_print_csv), names[_i].csv);
	check_has("html", print(table, table_print_html), names[_i].html);
	check_has("json", print(table, print_json), names[_i].json);
	ck_assert_ptr_null(strstr(print(table, table_print_html), "<b>"));
}
END_TEST

START_TEST(what_is_not_there)
{
	struct table *table = make_table("a");

	ck_assert_str_eq(print(table, table_print_text),
		"\nname       a number  time\n"
		"a       12345678901  2026-11-23T19:19:22Z\n"
		"(none)            -  -\n");
	ck_assert_str_eq(print(table, table_print_csv), "name,number,wide,time\n"
							"a,12345678901,w,2026-11-23T19:19:22Z\n"
							",,,\n");
	ck_assert_str_eq(print(table, print_json),
		"[{\"name\":\"a\",\"number\":12345678901,\"wide\":\"w\",\"time\":\"2026-11-23T19:"
		"19:22Z\"},"
		"{\"name\":null,\"number\":null,\"wide\":null,\"time\":null}]");
	table->left_out = 3;
	check_has("text", print(table, table_print_text), "\nand 3 more\n");
	check_has("html", print(table, table_print_html), "and 3 more");
}
END_TEST

/* Spans from a second to centuries. */
static const int64_t lengths[] = {1, 3600, 96 * 3600, 96 * 3600 + 1, 30 * 86400, 366 * 86400,
	2 * 366 * 86400LL, 20 * 366 * 86400LL, 300 * 366 * 86400LL, 1795461562};

START_TEST(bars_fit_the_span)
{
	const struct span span = {.from_s = 1795461562, .until_s = 1795461562 + lengths[_i]};
	struct rollup rollup = {.hour_s = span.from_s};
	struct series series;
	uint64_t sum = 0;

	series_init(&series, &span);
	ck_assert_uint_ge(series.count, 1);
	ck_assert_uint_le(series.count, SERIES_BARS_MAX);
	ck_assert_int_le(series.from_s, span.from_s);
	ck_assert_int_gt(series.from_s + series.step_s, span.from_s);
	rollup.judged[KIND_FAILED][VERDICT_GENUINE] = 2;
	series_add(&series, &rollup);
	rollup.hour_s = span.until_s - 1;
	series_add(&series, &rollup);
	rollup.hour_s = rollup_hour(span.from_s); /* the hour of the first second */
	series_add(&series, &rollup);
	ck_assert_uint_ge(series.bars[0][VERDICT_GENUINE], 4);
	for (size_t i = 0; i < series.count; i++)
		sum += series.bars[i][VERDICT_GENUINE];
	ck_assert_uint_eq(sum, 6);
}
END_TEST

START_TEST(no_span_has_no_bar_to_fail_on)
{
	const struct span span = {.from_s = 7200, .until_s = 7200};
	struct rollup rollup = {.hour_s = 7200};
	struct series series;

	series_init(&series, &span);
	series_add(&series, &rollup);
	ck_assert_uint_eq(series.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, names_in_every_form, 0, sizeof names / sizeof names[0]);
	tcase_add_test(tcase, what_is_not_there);
	tcase_add_loop_test(tcase, bars_fit_the_span, 0, sizeof lengths / sizeof lengths[0]);
	tcase_add_test(tcase, no_span_has_no_bar_to_fail_on);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
