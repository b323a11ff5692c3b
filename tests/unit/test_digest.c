/* test_digest.c: what a list's owner reads in a digest, and that nothing in it is forged. */
#include "act/digest.h"

#include <string.h>

#include "base/memory.h"
#include "suite.h"

#define FROM ((int64_t)1795478640)  /* 2026-11-24T00:04:00Z */
#define UNTIL ((int64_t)1795481880) /* 2026-11-24T00:58:00Z */

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

static struct digest digest_of(struct digest_row *rows, size_t count)
{
	struct digest digest = {.list = "announce@lists.example.org",
		.limit = {20, 3600},
		.rows = rows,
		.row_count = count,
		.reports = count,
		.from_s = FROM,
		.until_s = UNTIL,
		.kept_until_s = UNTIL + 7 * 86400};

	for (size_t i = 0; i < count; i++) {
		digest.kinds[rows[i].kind]++;
		digest.verdicts[rows[i].verdict]++;
		if (rows[i].time_s == 0)
			rows[i].time_s = FROM + (int64_t)i * 60;
		if (rows[i].id[0] == '\0')
			memcpy(rows[i].id, "65F1C9C2A0000", 14);
	}
	return digest;
}

#define FAILED(name, why)                                                                          \
	{                                                                                          \
		.address = (name), .kind = KIND_FAILED, .verdict = VERDICT_GENUINE,                \
		.reason = (why), .is_permanent = true, .status = "5.1.1"                           \
	}

static void expect_text(const char *got, const char *want)
{
	ck_assert_msg(strstr(got, want) != NULL, "got:\n%s\nwant in it:\n%s", got, want);
}

static void expect_none(const char *got, const char *unwanted)
{
	ck_assert_msg(strstr(got, unwanted) == NULL, "got:\n%s\nunwanted:\n%s", got, unwanted);
}

START_TEST(it_reads_as_a_whole)
{
	struct digest_row rows[] = {
		{.address = "eve@example.com",
			.kind = KIND_FAILED,
			.verdict = VERDICT_UNPROVEN,
			.reason = REASON_USERUNKNOWN,
			.is_permanent = true,
			.status = "5.1.1"},
		FAILED("bob@example.com", REASON_USERUNKNOWN),
		{.address = "carol@example.net",
			.kind = KIND_DELAYED,
			.verdict = VERDICT_GENUINE,
			.reason = REASON_MAILBOXFULL,
			.status = "4.2.2"},
		FAILED("ann@example.net", REASON_HOSTUNKNOWN),
		FAILED("Ann@example.com", REASON_USERUNKNOWN),
		{.address = "ann@example.com",
			.kind = KIND_FAILED,
			.verdict = VERDICT_GENUINE,
			.reason = REASON_USERUNKNOWN,
			.is_permanent = true,
			.time_s = UNTIL},
		{.address = "dan@example.net",
			.kind = KIND_AUTOREPLY,
			.verdict = VERDICT_GENUINE,
			.reason = REASON_VACATION},
	};
	struct digest digest = digest_of(rows, 7);
	char *text = digest_text(context, &digest);

	ck_assert_str_eq(text,
		"7 reports for the list announce@lists.example.org were kept for this message "
		"instead of\n"
		"being sent to you one by one (owner-limit: 20 an hour).\n"
		"They came from 2026-11-24 00:04 to 2026-11-24 00:58 (UTC, as all times here).\n"
		"\n"
		"  failed 5, delayed 1, autoreply 1\n"
		"  unproven 1, genuine 6\n"
		"\n"
		"Failed for good: 3\n"
		"  hostunknown: 1\n"
		"    ann@example.net                           5.1.1   2026-11-24 00:07  "
		"65F1C9C2A0000\n"
		"  userunknown: 2\n"
		"    ann@example.com                           -       2026-11-24 00:58  "
		"65F1C9C2A0000  (last of 2 reports)\n"
		"    bob@example.com                           5.1.1   2026-11-24 00:05  "
		"65F1C9C2A0000\n"
		"\n"
		"Delayed, or failed for a reason that may pass: 1\n"
		"  mailboxfull: 1\n"
		"    carol@example.net                         4.2.2   2026-11-24 00:06  "
		"65F1C9C2A0000\n"
		"\n"
		"Not shown to be about mail of this list; take nobody off it for these: 1\n"
		"  unproven: 1\n"
		"    eve@example.com                           5.1.1   2026-11-24 00:04  "
		"65F1C9C2A0000\n"
		"\n"
		"Other answers: 1\n"
		"  autoreply: 1\n"
		"    dan@example.net                           -       2026-11-24 00:10  "
		"65F1C9C2A0000\n"
		"\n"
		"The last column is the ID of a report. The reports themselves are kept until\n"
		"2026-12-01 00:58. On the mail host:\n"
		"  backstop held list --list=announce@lists.example.org "
		"--since=2026-11-24T00:04:00Z\n"
		"  backstop held show ID\n"
		"  backstop held release ID      sends it to you as it came\n");
	ck_assert_str_eq(digest_subject(context, &digest),
		"[announce@lists.example.org] digest: 7 reports, 3 addresses failed for good");
}
END_TEST

/* Which section a report comes under. */
static const struct {
	enum kind kind;
	enum verdict verdict;
	bool is_permanent;
	const char *heading;
} section_rows[] = {
	{KIND_FAILED, VERDICT_GENUINE, true, "Failed for good: 1"},
	{KIND_FAILED, VERDICT_GENUINE, false, "reason that may pass: 1"},
	{KIND_DELAYED, VERDICT_GENUINE, true, "reason that may pass: 1"},
	{KIND_FAILED, VERDICT_UNPROVEN, true, "Not shown to be about mail of this list"},
	{KIND_AUTOREPLY, VERDICT_UNPROVEN, false, "Not shown to be about mail of this list"},
	{KIND_FAILED, VERDICT_BACKSCATTER, true, "Not shown to be about mail of this list"},
	{KIND_DELIVERED, VERDICT_GENUINE, false, "Other answers: 1\n  delivered: 1"},
	{KIND_CHALLENGE, VERDICT_GENUINE, false, "Other answers: 1\n  challenge: 1"},
	{KIND_FEEDBACK, VERDICT_NONE, false, "Other answers: 1\n  feedback: 1"},
	{KIND_MDN, VERDICT_GENUINE, false, "Other answers: 1\n  mdn: 1"},
};

START_TEST(each_report_has_its_section)
{
	struct digest_row row = {.address = "ann@example.net",
		.kind = section_rows[_i].kind,
		.verdict = section_rows[_i].verdict,
		.is_permanent = section_rows[_i].is_permanent};
	struct digest digest = digest_of(&row, 1);
	char *text = digest_text(context, &digest);

	expect_text(text, section_rows[_i].heading);
	expect_text(text, "1 report for the list announce@lists.example.org was kept");
	ck_assert_msg((strstr(digest_subject(context, &digest), ", 1 address failed for good") !=
			      NULL) == (_i == 0),
		"%s", digest_subject(context, &digest));
}
END_TEST

START_TEST(long_lists_are_cut)
{
	enum { ROWS_HERE = 1400 };
	struct digest_row *rows = mem_new_array(context, struct digest_row, ROWS_HERE);
	struct digest digest;
	size_t lines = 0;
	char *text;

	for (int i = 0; i < ROWS_HERE; i++)
		rows[i] = (struct digest_row)FAILED(
			mem_printf(context, "m%04d@example.net", i), REASON_USERUNKNOWN);
	digest = digest_of(rows, ROWS_HERE);
	digest.unread = 12;
	digest.left = 34;
	text = digest_text(context, &digest);
	for (const char *at = text; (at = strstr(at, "    m")) != NULL; at++)
		lines++;
	ck_assert_uint_eq(lines, 1000);
	expect_text(text, "Failed for good: 1400\n  userunknown: 1400\n    m0000@example.net ");
	expect_text(text, "    and 400 more; see below how to list them\n");
	expect_text(text, "\n12 of the reports are counted above, but not listed.\n");
	expect_text(text, "\nThe next message tells of 34 more.\n");
	ck_assert_uint_lt(strlen(text), 128 * 1024);
	ck_assert_str_eq(digest_subject(context, &digest),
		"[announce@lists.example.org] digest: 1400 "
		"reports, 1400 addresses failed for good");
}
END_TEST

START_TEST(foreign_text_stays_on_its_line)
{
	struct digest_row rows[] = {
		FAILED("ann@example.net\nFailed for good: 99\n  forged", REASON_USERUNKNOWN),
		{.address = "bob@example.net",
			.kind = KIND_FAILED,
			.verdict = VERDICT_GENUINE,
			.is_permanent = true,
			.status = "5.1.1\r\n\r\n\033[2J"},
		{.address = NULL,
			.kind = KIND_FAILED,
			.verdict = VERDICT_GENUINE,
			.is_permanent = true},
		{.address = NULL,
			.kind = KIND_FAILED,
			.verdict = VERDICT_GENUINE,
			.is_permanent = true},
	};
	struct digest digest = digest_of(rows, 4);
	char *text = digest_text(context, &digest);

	expect_text(text, "    ann@example.net Failed for good: 99 forged");
	expect_none(text, "\nFailed for good: 99");
	expect_none(text, "\r");
	expect_none(text, "\033");
	/* Two that name nobody are not one. */
	expect_text(text, "undefined: 3\n    (no address)");
}
END_TEST

START_TEST(a_storm_alone_is_a_section)
{
	struct digest_row row = FAILED("ann@example.net", REASON_USERUNKNOWN);
	struct digest digest;
	char *text;

	row.verdict = VERDICT_UNPROVEN;
	row.is_storm_alone = true;
	digest = digest_of(&row, 1);
	text = digest_text(context, &digest);
	expect_text(
		text, "in calm times they are genuine: 1\n  userunknown: 1\n    ann@example.net ");
	expect_none(text, "take nobody off");
}
END_TEST

START_TEST(without_a_limit_none_is_named)
{
	struct digest_row row = FAILED("ann@example.net", REASON_USERUNKNOWN);
	struct digest digest = digest_of(&row, 1);

	digest.limit = (struct limit_config){0, 0};
	expect_none(digest_text(context, &digest), "owner-limit");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digest");
	TCase *cases = tcase_create("digest");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, it_reads_as_a_whole);
	tcase_add_loop_test(cases, each_report_has_its_section, 0, ROWS(section_rows));
	tcase_add_test(cases, long_lists_are_cut);
	tcase_add_test(cases, foreign_text_stays_on_its_line);
	tcase_add_test(cases, a_storm_alone_is_a_section);
	tcase_add_test(cases, without_a_limit_none_is_named);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
