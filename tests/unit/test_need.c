/* test_need.c: what a text must contain for a regex to match: never more than is certain. */
#include <string.h>

#include "base/memory.h"
#include "classify/rule_need.h"
#include "suite.h"

static const struct {
	const char *regex, *want; /* with ',' between; "": not known */
} needs[] = {
	{"quota", "quota"},
	{"Over Quota", "over quota"},
	{"a|quota", ""},
	{"quota|mailbox", "quota,mailbox"},
	{"(?:quota|mailbox) full", " full"},
	{"(?:quotas|mailbox)[ -]on", "quotas,mailbox"},
	{"colou?r", "colo"},
	{"quotas?", "quota"},
	{"quotas*x", "quota"},
	{"quotas{0,3}", "quota"},
	{"quotas{1,3}x", "quota"},
	{"quotas+x", "quota"},
	{"(?:quota)?", ""},
	{"(?:quota)*abc", "abc"},
	{"(?:quota)+", "quota"},
	{"(?:quota){2}", "quota"},
	{"(?!quota)abc", "abc"},
	{"(?=quota)abc", "abc"},
	{"(?<!quota)abc", "abc"},
	{"(?<=quota)abc", "abc"},
	{"(?<address>abc@)", "abc@"},
	{"abc[^.]{0,60}defgh", "defgh"},
	{"abc.defgh", "defgh"},
	{"\\bquota\\b", "quota"},
	{"a\\.b\\.c", "a.b.c"},
	{"[quota]", ""},
	{"[]quota]abc", "abc"},
	{"[[:alpha:]]abc", "abc"},
	{"^\\s*$", ""},
	{"\\x41bcdef", ""}, /* not read: nothing is certain */
	{"(?i)quota", ""},
	{"(quota)\\1", ""},
	{"(?(1)quota|abc)", ""},
	{"(quota", ""},
	{"quota)", ""},
	{"ab|cd", "ab,cd"},
	{"<>|daemon", "<>,daemon"},
	{"été quota", " quota"}, /* two cases */
	{"не доставлено", NEED_BEYOND_ASCII},
	{"été|quota", NEED_BEYOND_ASCII ",quota"},
	{"abé", NEED_BEYOND_ASCII},
	{"abé?", "ab"},
	{"[áa]b|cd", ""},
	{"ſ|quota", ""}, /* an s in its other case */
	{"quota(?!\\pL)|urlop\\p{L}", "quota,urlop"},
	{"(?<address>abc@)\\k<address>", "abc@"},
	{"无法投递", "无法投递"},
	{"配信?できません", "できません"},
	{"", ""},
	{"a(?:b|c)quota", "quota"},
	{"x(?:quota|)y", ""},
	{"abc\\", ""},
};

START_TEST(reads_the_need)
{
	void *context = mem_context(NULL, "test");
	struct need need = need_read(context, needs[_i].regex);
	char *got = mem_strdup(context, "");

	for (size_t i = 0; i < need.count; i++)
		got = mem_append(got, "%s%s", i == 0 ? "" : ",", need.words[i].text);
	ck_assert_msg(strcmp(got, needs[_i].want) == 0, "/%s/: want \"%s\", got \"%s\"",
		needs[_i].regex, needs[_i].want, got);
	mem_free(context);
}
END_TEST

/* Deep and long ones end, and promise nothing. */
START_TEST(is_bounded)
{
	void *context = mem_context(NULL, "test");
	char *deep = mem_strdup(context, ""), *wide = mem_strdup(context, "abcd");

	for (int i = 0; i < 1000; i++) {
		deep = mem_append(deep, "(");
		wide = mem_append(wide, "|word%d", i);
	}
	ck_assert_uint_eq(need_read(context, deep).count, 0);
	ck_assert_uint_eq(need_read(context, wide).count, 0);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("need");
	TCase *tcase = tcase_create("need");

	tcase_add_loop_test(tcase, reads_the_need, 0, ROWS(needs));
	tcase_add_test(tcase, is_bounded);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
