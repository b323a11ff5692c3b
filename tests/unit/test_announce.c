/* test_announce.c: what a list's owner reads about a storm. */
#include "act/announce.h"

#include <string.h>

#include "base/memory.h"
#include "suite.h"

#define BEGAN ((int64_t)1795478640) /* 2026-11-24T00:04:00Z */

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

static struct storm_facts facts_of(enum announcement what)
{
	return (struct storm_facts){.list = "announce@lists.example.org",
		.what = what,
		.began_s = BEGAN,
		.ended_s = what == ANNOUNCE_ENDED ? BEGAN + 4500 : 0,
		.usual = 1.25,
		.peak = 50210.4,
		.total = 50500,
		.genuine = 500,
		.unproven = 12000,
		.backscatter = 38000,
		.held = 12400,
		.is_collecting = true,
		.is_holding = true};
}

static void expect_text(const char *got, const char *want)
{
	ck_assert_msg(strstr(got, want) != NULL, "got:\n%s\nwant in it:\n%s", got, want);
}

static void expect_none(const char *got, const char *unwanted)
{
	ck_assert_msg(strstr(got, unwanted) == NULL, "got:\n%s\nunwanted:\n%s", got, unwanted);
}

START_TEST(a_beginning_says_what_happens)
{
	struct storm_facts facts = facts_of(ANNOUNCE_BEGAN);

	ck_assert_str_eq(announce_text(context, &facts),
		"Since 2026-11-24 00:04 (UTC) far more reports than usual come in on mail of the "
		"list\n"
		"announce@lists.example.org. Most often that is because somebody sends spam in its "
		"name:\n"
		"the reports on that come here.\n"
		"\n"
		"While it lasts,\n"
		"- genuine reports are kept, and not sent one by one: the message that you get "
		"when\n"
		"  it is over lists them;\n"
		"- reports that cannot be shown to be about mail of the list are held on the mail\n"
		"  host, and sent to nobody;\n"
		"- you are told when it is over, and once a day until then.\n"
		"There is nothing that you have to do.\n"
		"\n"
		"So far, counted from the report that made it a storm:\n"
		"\n"
		"  reports                             50500\n"
		"  genuine                               500\n"
		"  unproven                            12000\n"
		"  backscatter (proven to be forged)   38000\n"
		"  held, of all these                  12400\n"
		"\n"
		"In the busiest minute those that are not genuine came at a rate of 50210 an "
		"hour;\n"
		"1.2 an hour are usual.\n"
		"\n"
		"On the mail host:\n"
		"  backstop report storms\n"
		"  backstop held list --list=announce@lists.example.org "
		"--since=2026-11-24T00:04:00Z\n");
	ck_assert_str_eq(announce_subject(context, &facts),
		"[announce@lists.example.org] storm of reports since 2026-11-24 00:04");
}
END_TEST

START_TEST(it_promises_only_what_is_done)
{
	struct storm_facts facts = facts_of(ANNOUNCE_BEGAN);

	facts.is_collecting = false;
	expect_none(announce_text(context, &facts), "genuine reports are kept");
	expect_text(announce_text(context, &facts), "are held on the mail");
	facts.is_holding = false;
	expect_none(announce_text(context, &facts), "are held on the mail");
	expect_text(announce_text(context, &facts), "go where they go at other times");
	facts.is_collecting = true;
	expect_text(announce_text(context, &facts), "genuine reports are kept");
	expect_none(announce_text(context, &facts), "at other times");
}
END_TEST

static const struct {
	enum announcement what;
	const char *opening;
	const char *subject;
} rows[] = {
	{ANNOUNCE_BEGAN, "Since 2026-11-24 00:04 (UTC) far more reports", "storm of reports since"},
	{ANNOUNCE_LASTS, "still lasts. So far:\n\n  reports  ",
		"storm of reports lasts: 50500 since 2026-11-24 00:04"},
	{ANNOUNCE_ENDED, "from 2026-11-24 00:04 to 2026-11-24 01:19 (UTC).",
		"storm is over: 50500 reports, 500 genuine"},
};

_Static_assert(sizeof rows / sizeof rows[0] == ANNOUNCE_COUNT, "an announcement has no row");

START_TEST(each_has_its_words)
{
	struct storm_facts facts = facts_of(rows[_i].what);

	expect_text(announce_text(context, &facts), rows[_i].opening);
	expect_text(announce_subject(context, &facts), rows[_i].subject);
	for (int i = 0; i < ANNOUNCE_COUNT; i++) {
		if (i != _i)
			expect_none(announce_text(context, &facts), rows[i].opening);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("announce");
	TCase *cases = tcase_create("announce");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, a_beginning_says_what_happens);
	tcase_add_test(cases, it_promises_only_what_is_done);
	tcase_add_loop_test(cases, each_has_its_words, 0, ROWS(rows));
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
