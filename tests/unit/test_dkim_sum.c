/* test_dkim_sum.c: what the check dkim adds to a verdict: with the path, and where a forwarder may
 * have taken the signature off. */
#include "dkim_signing.h"

#define OURS "from lists.example.org (lists.example.org [192.0.2.10]) by mx.b.example"
#define SPAM "from spam.example (spam.example [198.51.100.66]) by mx.b.example"

static const struct netblock senders[] = {
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 10}}, 128}};

static const struct {
	const char *what;
	struct seal seal;
	const char *find, *with; /* done to the signed block */
	const char *hop;	 /* the reporter's own line; NULL: none */
	int score;
	enum verdict verdict;
} sums[] = {
	{"valid alone proves no report", {0}, NULL, NULL, NULL, 15, VERDICT_UNPROVEN},
	{"nor does what a reader of the post can add", {0}, NULL, NULL, OURS, 15, VERDICT_UNPROVEN},
	{"a replay, outvoted by its path", {0}, NULL, NULL, SPAM, 0, VERDICT_UNPROVEN},
	{"invented alone", {.key = STRANGER, .selector = "s1"}, NULL, NULL, NULL, -14,
		VERDICT_UNPROVEN},
	{"invented, and a fake path", {.key = STRANGER, .selector = "s1"}, NULL, NULL, OURS, 1,
		VERDICT_UNPROVEN},
	{"invented, and a foreign path", {.key = STRANGER, .selector = "s1"}, NULL, NULL, SPAM, -39,
		VERDICT_BACKSCATTER},
	{"broken alone", {0}, "Spring", "Summer", NULL, -3, VERDICT_UNPROVEN},
	{"uncovered alone", {.fields = "from"}, NULL, NULL, NULL, 10, VERDICT_UNPROVEN},
	{"unavailable, and the path decides", {.key = STRANGER}, NULL, NULL, SPAM, -25,
		VERDICT_BACKSCATTER},
};

START_TEST(adds_up_with_the_path)
{
	void *context = mem_context(NULL, "test");
	struct domain_config host = domain;
	char *block = mem_printf(context, "%s%s", sign(context, &sums[_i].seal, post), post);

	block = replace(context, block, sums[_i].find, sums[_i].with);
	if (sums[_i].hop != NULL)
		block = mem_printf(context, "Received: %s\n%s", sums[_i].hop, block);
	host.senders = senders;
	host.sender_count = 1;
	struct weighing weighing = weigh(context, make_report(context, block, AS_HEADERS), &host);
	ck_assert_msg(weighing.score == sums[_i].score, "%s: want %d, got %d", sums[_i].what,
		sums[_i].score, weighing.score);
	ck_assert_int_eq(weighing.verdict, sums[_i].verdict);
	mem_free(context);
}
END_TEST

/* Where all mail is signed, but somebody between us and the reporter may have taken the signature
 * off, or put his own in its place: a forwarder, a list among the subscribers. */
#define LINE "Received: "
#define FORWARDER "from mx.f.example (mx.f.example [198.51.100.9]) by mx.b.example\n"
#define TO_FORWARDER "from lists.example.org (lists.example.org [192.0.2.10]) by mx.f.example\n"
#define TO_ANOTHER "from lists.example.org (lists.example.org [192.0.2.10]) by ex1.else.example\n"
#define SILENT "by mx.b.example id 2\n"

static const struct {
	const char *what, *lines, *result;
	int signer; /* -1: none */
	enum verdict verdict;
} stripped[] = {
	{"no trace", "", "absent", -1, VERDICT_BACKSCATTER},
	{"a foreign path", LINE SPAM "\n", "absent", -1, VERDICT_BACKSCATTER},
	{"straight from us", LINE OURS "\n", "absent", -1, VERDICT_UNPROVEN},
	{"by a forwarder", LINE FORWARDER LINE TO_FORWARDER, "absent-forwarded", -1,
		VERDICT_UNPROVEN},
	{"by a list that signs", LINE FORWARDER LINE TO_FORWARDER, "absent-forwarded", STRANGER,
		VERDICT_UNPROVEN},
	{"by one whose hosts have other names", LINE FORWARDER LINE TO_ANOTHER, "absent-forwarded",
		-1, VERDICT_UNPROVEN},
	{"to a host that does not say by whom", LINE SILENT LINE TO_FORWARDER, "absent-forwarded",
		-1, VERDICT_UNPROVEN},
	{"spam to a host that does not say by whom", LINE SILENT LINE SPAM "\n", "absent", -1,
		VERDICT_BACKSCATTER},
};

START_TEST(a_forwarder_may_take_the_signature_off)
{
	void *context = mem_context(NULL, "test");
	struct domain_config strict = domain;
	const struct seal seal = {.key = STRANGER, .domain = "example.net"};
	char *block = mem_printf(context, "%s%s%s", stripped[_i].lines,
		stripped[_i].signer < 0 ? "" : sign(context, &seal, post), post);
	char *report = make_report(context, block, AS_HEADERS);

	strict.dkim_signed = SHARE_ALL;
	strict.senders = senders;
	strict.sender_count = 1;
	struct evidence dkim = weigh_dkim(context, report, &strict);
	struct weighing got = weigh(context, report, &strict);
	ck_assert_msg(strcmp(dkim.result, stripped[_i].result) == 0, "%s: want %s, got %s: %s",
		stripped[_i].what, stripped[_i].result, dkim.result, dkim.detail);
	ck_assert_msg(
		got.verdict == stripped[_i].verdict, "%s: got %d", stripped[_i].what, got.score);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dkim sum");
	TCase *tcase = tcase_create("dkim sum");

	mail_library_open();
	make_keys();
	tcase_add_loop_test(tcase, adds_up_with_the_path, 0, ROWS(sums));
	tcase_add_loop_test(tcase, a_forwarder_may_take_the_signature_off, 0, ROWS(stripped));
	suite_add_tcase(suite, tcase);
	int status = suite_run(suite);
	remove_keys();
	return status;
}
