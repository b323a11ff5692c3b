/* test_report.c: sums that agree with each other, tables that stay short, and foreign names that
 * neither a terminal nor a JSON reader stumbles over. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/summary.h"

#define FROM 1795000000
#define UNTIL 1795600000

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

typedef void print_function(const struct summary *summary, FILE *out);

static void print_json(const struct summary *summary, FILE *out)
{
	ck_assert_int_eq(summary_print_json(summary, out), STATUS_OK);
}

static char *print(const struct summary *summary, print_function *function)
{
	char *buffer = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&buffer, &size);
	char *text;

	ck_assert_ptr_nonnull(out);
	function(summary, out);
	fclose(out);
	text = mem_strdup(context, buffer);
	free(buffer);
	return text;
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *object = json_loads(text, 0, &error);

	ck_assert_msg(object != NULL, "got no JSON (%s): %s", error.text, text);
	return object;
}

static json_int_t sum_of(const json_t *object)
{
	json_int_t sum = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const json_t *messages = json_object_get(value, "messages");
		sum += json_integer_value(messages != NULL ? messages : value);
	}
	return sum;
}

/* Every kind with every verdict, every action for every policy. */
static struct summary *make_all(void)
{
	struct summary *summary = summary_new(context, FROM, UNTIL);

	for (int i = 0; i < KIND_COUNT * VERDICT_COUNT * ACTION_COUNT * ACTION_COUNT; i++) {
		struct event event = {.list = "a@example.org", .reporter = "192.0.2.1"};
		event.kind = i % KIND_COUNT;
		event.verdict = i / KIND_COUNT % VERDICT_COUNT;
		event.action = i / (KIND_COUNT * VERDICT_COUNT) % ACTION_COUNT;
		event.policy = i / (KIND_COUNT * VERDICT_COUNT * ACTION_COUNT);
		summary_add(summary, &event);
	}
	return summary;
}

START_TEST(sums_agree)
{
	struct summary *summary = make_all();
	uint64_t kinds = 0, verdicts = 0, actions = 0;

	for (int i = 0; i < KIND_COUNT; i++)
		kinds += summary_of_kind(summary, (enum kind)i);
	for (int i = 0; i < VERDICT_COUNT; i++)
		verdicts += summary_of_verdict(summary, (enum verdict)i);
	for (int i = 0; i < ACTION_COUNT; i++)
		actions += summary_of_action(summary, (enum action)i);
	ck_assert_uint_eq(summary->messages,
		(uint64_t)KIND_COUNT * VERDICT_COUNT * ACTION_COUNT * ACTION_COUNT);
	ck_assert_uint_eq(kinds, summary->messages);
	ck_assert_uint_eq(verdicts, summary->messages);
	ck_assert_uint_eq(actions, summary->messages);
}
END_TEST

START_TEST(json_sums_agree)
{
	static const char *const keys[] = {"verdicts", "kinds", "actions"};
	struct summary *summary = make_all();
	json_t *object = parse(print(summary, print_json));
	json_int_t differences = 0;
	json_t *row;
	size_t i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
		ck_assert_msg(
			sum_of(json_object_get(object, keys[i])) == (json_int_t)summary->messages,
			"%s: got %lld, want %llu", keys[i],
			(long long)sum_of(json_object_get(object, keys[i])),
			(unsigned long long)summary->messages);
	json_array_foreach(json_object_get(object, "would_have_been"), i, row)
	{
		ck_assert_str_ne(json_string_value(json_object_get(row, "policy")),
			json_string_value(json_object_get(row, "action")));
		differences += json_integer_value(json_object_get(row, "messages"));
	}
	ck_assert_int_eq(
		differences, KIND_COUNT * VERDICT_COUNT * ACTION_COUNT * (ACTION_COUNT - 1));
	json_decref(object);
}
END_TEST

START_TEST(release_is_no_message)
{
	struct summary *summary = summary_new(context, FROM, UNTIL);
	struct event event = {.evidence = "released", .kind = KIND_FAILED};

	summary_add(summary, &event);
	event.evidence = "tag:valid-recipient+60";
	summary_add(summary, &event);
	ck_assert_uint_eq(summary->released, 1);
	ck_assert_uint_eq(summary->messages, 1);
}
END_TEST

/* Names from strangers, and what may not come out of them. */
static const struct {
	const char *name;
	const char *want; /* in the text */
} foreign[] = {
	{"\x1b[2Jlist@example.org", " [2Jlist@example.org"},
	{"two\nlines@example.org", "two lines@example.org"},
	{"\xff\xfe@example.org", "\xef\xbf\xbd"},
	{"\"quoted\\\"@example.org", "\"quoted\\\"@example.org"},
	{"\xc3\xa4rger@example.org", "\xc3\xa4rger@example.org"},
};

START_TEST(foreign_names_are_cleaned)
{
	struct summary *summary = summary_new(context, FROM, UNTIL);
	struct event event = {.list = foreign[_i].name, .reporter = foreign[_i].name};
	const char *text;

	summary_add(summary, &event);
	text = print(summary, summary_print_text);
	ck_assert_msg(strstr(text, foreign[_i].want + (foreign[_i].want[0] == ' ')) != NULL,
		"got %s, want %s in it", text, foreign[_i].want);
	ck_assert_msg(strchr(text, 0x1b) == NULL, "got an escape in %s", text);
	json_decref(parse(print(summary, print_json)));
}
END_TEST

static size_t count_lines_with(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		count++;
	return count;
}

START_TEST(tables_are_short)
{
	struct summary *summary = summary_new(context, FROM, UNTIL);
	const char *text;
	json_t *object;

	for (int i = 0; i < 25; i++) {
		char *list = mem_printf(context, "list%02d@lists.example", i);
		char *reporter = mem_printf(context, "192.0.2.%d", i);
		struct event event = {.list = list, .reporter = reporter};
		for (int j = 0; j <= i; j++)
			summary_add(summary, &event);
	}
	text = print(summary, summary_print_text);
	ck_assert_uint_eq(count_lines_with(text, "@lists.example"), SUMMARY_LISTS_SHOWN);
	ck_assert_uint_eq(count_lines_with(text, "\n192.0.2."), SUMMARY_REPORTERS_SHOWN);
	ck_assert_ptr_nonnull(strstr(text, "\nand 5 more\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nand 15 more\n"));
	ck_assert_msg(strstr(text, "list24@") < strstr(text, "list23@"), "not in order: %s", text);
	object = parse(print(summary, print_json));
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_object_get(object, "lists"), "names")), 25);
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(object, "lists"), "top")),
		SUMMARY_LISTS_SHOWN);
	json_decref(object);
}
END_TEST

START_TEST(tally_has_a_cap)
{
	struct tally *tally = tally_new(context, 3);
	const struct tally_row *const *rows;
	size_t count;

	tally_add(tally, "a", VERDICT_GENUINE);
	tally_add(tally, NULL, VERDICT_GENUINE);
	tally_add(tally, "b", VERDICT_BACKSCATTER);
	tally_add(tally, "c", VERDICT_GENUINE);
	tally_add(tally, "b", VERDICT_GENUINE);
	tally_add(tally, "", VERDICT_UNPROVEN);
	tally_add(tally, "b", VERDICT_GENUINE);
	rows = tally_sort(tally, &count);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(tally_uncounted(tally), 1);
	ck_assert_str_eq(rows[0]->name, "b");
	ck_assert_uint_eq(rows[0]->total, 3);
	ck_assert_uint_eq(rows[0]->verdicts[VERDICT_GENUINE], 2);
	ck_assert_ptr_null(rows[1]->name);
	ck_assert_uint_eq(rows[1]->total, 2);
	ck_assert_str_eq(rows[2]->name, "a");
}
END_TEST

START_TEST(empty_is_said)
{
	struct summary *summary = summary_new(context, FROM, UNTIL);
	const char *text = print(summary, summary_print_text);

	ck_assert_str_eq(text, "from 2026-11-18T11:06:40Z until 2026-11-25T09:46:40Z\n"
			       "no message was decided in that time\n");
	json_decref(parse(print(summary, print_json)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = tcase_create("report");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, sums_agree);
	tcase_add_test(tcase, json_sums_agree);
	tcase_add_test(tcase, release_is_no_message);
	tcase_add_loop_test(
		tcase, foreign_names_are_cleaned, 0, sizeof foreign / sizeof foreign[0]);
	tcase_add_test(tcase, tables_are_short);
	tcase_add_test(tcase, tally_has_a_cap);
	tcase_add_test(tcase, empty_is_said);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
