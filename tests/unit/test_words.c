/* test_words.c: every value has a spelling of its own, and each spelling leads back to its value.
 */
#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"

static const char *kind_spelling(unsigned value)
{
	return kind_name((enum kind)value);
}

static const char *verdict_spelling(unsigned value)
{
	return verdict_name((enum verdict)value);
}

static const char *action_spelling(unsigned value)
{
	return action_name((enum action)value);
}

static const char *reason_spelling(unsigned value)
{
	return reason_name((enum reason)value);
}

/* The value of a spelling, -1 when it is none. */
static int kind_value(const char *name)
{
	enum kind kind;

	return kind_parse(name, &kind) ? (int)kind : -1;
}

static int verdict_value(const char *name)
{
	enum verdict verdict;

	return verdict_parse(name, &verdict) ? (int)verdict : -1;
}

static int action_value(const char *name)
{
	enum action action;

	return action_parse(name, &action) ? (int)action : -1;
}

static int reason_value(const char *name)
{
	enum reason reason;

	return reason_parse(name, &reason) ? (int)reason : -1;
}

static const struct {
	const char *name;
	unsigned count;
	const char *(*spelling)(unsigned);
	int (*value)(const char *);
} enums[] = {
	{"kind", KIND_COUNT, kind_spelling, kind_value},
	{"verdict", VERDICT_COUNT, verdict_spelling, verdict_value},
	{"action", ACTION_COUNT, action_spelling, action_value},
	{"reason", REASON_COUNT, reason_spelling, reason_value},
};

START_TEST(test_round_trip)
{
	for (unsigned value = 0; value < enums[_i].count; value++) {
		const char *name = enums[_i].spelling(value);
		char upper[64] = "";

		ck_assert_msg(name != NULL, "%s %u: no spelling", enums[_i].name, value);
		ck_assert_msg(enums[_i].value(name) == (int)value, "%s '%s': got %d, want %u",
			enums[_i].name, name, enums[_i].value(name), value);
		for (size_t i = 0; name[i] != '\0' && i < sizeof upper - 1; i++)
			upper[i] = (char)toupper((unsigned char)name[i]);
		ck_assert_msg(enums[_i].value(upper) == (int)value, "%s '%s': got %d, want %u",
			enums[_i].name, upper, enums[_i].value(upper), value);
	}
}
END_TEST

START_TEST(test_strangers)
{
	static const char *const strangers[] = {"", "failedx", "faile", " drop", "invalid", NULL};

	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
		ck_assert_msg(enums[_i].value(strangers[i]) == -1, "%s '%s': got %d, want none",
			enums[_i].name, strangers[i] != NULL ? strangers[i] : "(null)",
			enums[_i].value(strangers[i]));
	ck_assert_str_eq(enums[_i].spelling(enums[_i].count), "invalid");
	ck_assert_str_eq(enums[_i].spelling(~0u), "invalid");
}
END_TEST

/* DESIGN.md section 2, word for word: other programs read these. */
static const struct {
	const char *want;
	const char *(*spelling)(unsigned);
	unsigned value;
} fixed[] = {
	{"failed", kind_spelling, KIND_FAILED},
	{"delayed", kind_spelling, KIND_DELAYED},
	{"delivered", kind_spelling, KIND_DELIVERED},
	{"autoreply", kind_spelling, KIND_AUTOREPLY},
	{"challenge", kind_spelling, KIND_CHALLENGE},
	{"feedback", kind_spelling, KIND_FEEDBACK},
	{"mdn", kind_spelling, KIND_MDN},
	{"virusnotice", kind_spelling, KIND_VIRUSNOTICE},
	{"ordinary", kind_spelling, KIND_ORDINARY},
	{"genuine", verdict_spelling, VERDICT_GENUINE},
	{"backscatter", verdict_spelling, VERDICT_BACKSCATTER},
	{"unproven", verdict_spelling, VERDICT_UNPROVEN},
	{"-", verdict_spelling, VERDICT_NONE},
	{"forward", action_spelling, ACTION_FORWARD},
	{"file", action_spelling, ACTION_FILE},
	{"pipe", action_spelling, ACTION_PIPE},
	{"drop", action_spelling, ACTION_DROP},
	{"hold", action_spelling, ACTION_HOLD},
	{"pass", action_spelling, ACTION_PASS},
	{"userunknown", reason_spelling, REASON_USERUNKNOWN},
	{"mesgtoobig", reason_spelling, REASON_MESGTOOBIG},
	{"notcompliantrfc", reason_spelling, REASON_NOTCOMPLIANTRFC},
	{"toomanyconn", reason_spelling, REASON_TOOMANYCONN},
	{"undefined", reason_spelling, REASON_UNDEFINED},
};

START_TEST(test_fixed)
{
	const char *got = fixed[_i].spelling(fixed[_i].value);

	ck_assert_msg(strcmp(got, fixed[_i].want) == 0, "got '%s', want '%s'", got, fixed[_i].want);
}
END_TEST

START_TEST(test_judged)
{
	for (unsigned value = 0; value < KIND_COUNT; value++) {
		bool want = value != KIND_FEEDBACK && value != KIND_ORDINARY;
		bool got = kind_is_judged((enum kind)value);

		ck_assert_msg(got == want, "%s: got %d, want %d", kind_spelling(value), got, want);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("words");
	Suite *suite = suite_create("words");
	SRunner *runner;
	int failures;

	tcase_add_loop_test(tcase, test_round_trip, 0, sizeof enums / sizeof enums[0]);
	tcase_add_loop_test(tcase, test_strangers, 0, sizeof enums / sizeof enums[0]);
	tcase_add_loop_test(tcase, test_fixed, 0, sizeof fixed / sizeof fixed[0]);
	tcase_add_test(tcase, test_judged);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
