/* test_csv.c: lines of fields that are empty, foreign or look like something else. */
#include <check.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "suite.h"

static const struct {
	const char *fields[4];
	size_t count;
	const char *want;
} rows[] = {
	{{"a", "b"}, 2, "a,b"},
	{{"", "b"}, 2, ",b"},
	{{NULL, "b"}, 2, ",b"},
	{{NULL, "", "c"}, 3, ",,c"},
	{{""}, 1, ""},
	{{"a", NULL, ""}, 3, "a,,"},
	{{"a,b", "say \"x\""}, 2, "\"a,b\",\"say \"\"x\"\"\""},
	{{"=1+1", "+1", "@x", "-1"}, 4, "\"'=1+1\",\"'+1\",\"'@x\",\"'-1\""},
};

START_TEST(fields_make_a_line)
{
	void *context = mem_context(NULL, "csv");
	char *line = NULL;

	for (size_t i = 0; i < rows[_i].count; i++)
		line = csv_append(line, context, rows[_i].fields[i]);
	ck_assert_msg(strcmp(line, rows[_i].want) == 0, "row %d: got %s, want %s", _i, line,
		rows[_i].want);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("csv");
	TCase *tcase = tcase_create("csv");

	tcase_add_loop_test(tcase, fields_make_a_line, 0, ROWS(rows));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
