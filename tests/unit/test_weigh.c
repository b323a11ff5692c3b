/* test_weigh.c: the sum and its limits, the table of weights, and the hop check on whole messages.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rules.h"
#include "classify/classify.h"
#include "suite.h"
#include "weigh/weigh.h"

static const struct {
	int firm, forgeable, post, score;
	enum verdict verdict;
} sums[] = {
	{0, 0, 0, 0, VERDICT_UNPROVEN},
	{20, 0, 0, 20, VERDICT_GENUINE},
	{19, 0, 0, 19, VERDICT_UNPROVEN},
	{-20, 0, 0, -20, VERDICT_BACKSCATTER},
	{-19, 0, 0, -19, VERDICT_UNPROVEN},
	{0, 60, 0, 15, VERDICT_UNPROVEN}, /* forgeable evidence alone proves nothing */
	{0, 15, 0, 15, VERDICT_UNPROVEN},
	{10, 60, 0, 25, VERDICT_GENUINE},
	{-40, 60, 0, -25, VERDICT_BACKSCATTER},
	{0, -25, 0, -25, VERDICT_BACKSCATTER}, /* against, it counts in full */
	{0, 0, 30, 15, VERDICT_UNPROVEN},      /* that the post is ours proves no report */
	{0, 20, 30, 15, VERDICT_UNPROVEN},     /* nor does what can be written around it */
	{4, 20, 30, 19, VERDICT_UNPROVEN},
	{5, 0, 30, 20, VERDICT_GENUINE},
	{20, 0, 30, 35, VERDICT_GENUINE},
	{-5, 0, 30, 10, VERDICT_UNPROVEN}, /* over the limit it only balances */
	{-15, 0, 30, 0, VERDICT_UNPROVEN},
	{-25, 0, 30, 0, VERDICT_UNPROVEN},
	{-37, 0, 30, -7, VERDICT_UNPROVEN},
	{-50, 0, 30, -20, VERDICT_BACKSCATTER},
	{-60, 20, 30, -15, VERDICT_UNPROVEN},
	{0, 0, -30, -30, VERDICT_BACKSCATTER},
};

START_TEST(adds_up)
{
	struct weighing weighing = {.count = 3};

	weighing.items[0] = (struct evidence){.weight = sums[_i].firm};
	weighing.items[1] = (struct evidence){.weight = sums[_i].forgeable, .is_forgeable = true};
	weighing.items[2] = (struct evidence){.weight = sums[_i].post, .is_post = true};
	weigh_add_up(&weighing);
	ck_assert_int_eq(weighing.score, sums[_i].score);
	ck_assert_int_eq(weighing.verdict, sums[_i].verdict);
}
END_TEST

/* Supporting evidence counts, but makes no backscatter. */
static const struct {
	int firm, supporting, score;
	enum verdict verdict;
} supported[] = {
	{-19, -6, -19, VERDICT_UNPROVEN},
	{-14, -6, -19, VERDICT_UNPROVEN},
	{-10, -6, -16, VERDICT_UNPROVEN},
	{-20, -6, -26, VERDICT_BACKSCATTER},
	{-64, -6, -70, VERDICT_BACKSCATTER},
	{70, -6, 64, VERDICT_GENUINE},
	{20, -1, 19, VERDICT_UNPROVEN},
};

START_TEST(supporting_evidence_never_decides_against)
{
	struct weighing weighing = {.count = 2};

	weighing.items[0] = (struct evidence){.weight = supported[_i].firm};
	weighing.items[1] =
		(struct evidence){.weight = supported[_i].supporting, .is_supporting = true};
	weigh_add_up(&weighing);
	ck_assert_int_eq(weighing.score, supported[_i].score);
	ck_assert_int_eq(weighing.verdict, supported[_i].verdict);
}
END_TEST

/* What a report is counted as in a storm does not depend on the storm. */
static const struct {
	int other, storm;
	enum verdict with, without;
} stormy[] = {
	{20, -10, VERDICT_UNPROVEN, VERDICT_GENUINE},
	{60, -10, VERDICT_GENUINE, VERDICT_GENUINE},
	{0, -10, VERDICT_UNPROVEN, VERDICT_UNPROVEN},
	{-15, -10, VERDICT_UNPROVEN, VERDICT_UNPROVEN},
	{-39, -10, VERDICT_BACKSCATTER, VERDICT_BACKSCATTER},
};

START_TEST(a_verdict_without_a_check)
{
	struct weighing weighing = {.count = 2};

	weighing.items[0] = (struct evidence){.check = "hop", .weight = stormy[_i].other};
	weighing.items[1] = (struct evidence){
		.check = "storm", .weight = stormy[_i].storm, .is_supporting = true};
	weigh_add_up(&weighing);
	ck_assert_int_eq(weighing.verdict, stormy[_i].with);
	ck_assert_int_eq(weigh_verdict_without(NULL, &weighing, "storm"), stormy[_i].without);
	ck_assert_int_eq(weighing.items[1].weight, stormy[_i].storm);
}
END_TEST

/* Every row of the table parses, names a check, and stands once. */
START_TEST(weights_are_well_formed)
{
	const char *text = rules_find("weights.rules");
	char seen[128][70];
	size_t count = 0;

	ck_assert_ptr_nonnull(text);
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		char name[32], result[32], mark[32] = "";
		int weight, found;
		if (*line == '#' || *line == '\n')
			continue;
		found = sscanf(line, "%31s %31s %d%*[ \t]%31[a-z]", name, result, &weight, mark);
		ck_assert_msg(found >= 3, "not a row: %.40s", line);
		ck_assert_msg(found == 3 || strcmp(mark, "forgeable") == 0 ||
				      strcmp(mark, "post") == 0 || strcmp(mark, "supporting") == 0,
			"%s %s: \"%s\"", name, result, mark);
		ck_assert_msg(weight != 0 && weight >= -110 && weight <= 60, "%s %s weighs %d",
			name, result, weight);
		snprintf(seen[count], sizeof(seen[count]), "%s %s", name, result);
		for (size_t i = 0; i < count; i++)
			ck_assert_msg(strcmp(seen[i], seen[count]) != 0, "twice: %s", seen[i]);
		count++;
	}
	ck_assert_uint_gt(count, 10);
	ck_assert_uint_lt(count, 128);
}
END_TEST

/* A report whose returned original has these Received lines. */
static char *make_report(const void *context, const char *received)
{
	return mem_printf(context,
		"Return-Path: <>\n"
		"Received: from mx.b.example (mx.b.example [203.0.113.5]) by lists.example.org "
		"(Postfix) id 1; Mon, 23 Nov 2026 19:19:16 +0000\n"
		"From: MAILER-DAEMON@b.example\nTo: announce-bounces@lists.example.org\n"
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.b.example\n\n"
		"Final-Recipient: rfc822; ann@b.example\nAction: failed\nStatus: 5.1.1\n\n"
		"--b\nContent-Type: text/rfc822-headers\n\n%s"
		"From: announce@lists.example.org\nSubject: x\nMessage-ID: "
		"<1@lists.example.org>\n\n"
		"--b--\n",
		received);
}

#define OURS "from lists.example.org (lists.example.org [192.0.2.10])"
#define SPAM "from [192.0.2.10] (lists.example.org [198.51.100.66])"

static const struct {
	const char *what, *received, *result;
	int weight;
} hops[] = {
	{"ours", "Received: " OURS " by mx.b.example (Postfix)\n", "ours", 20},
	{"foreign, HELO and name ours", "Received: " SPAM " by mx.b.example (Postfix)\n", "foreign",
		-25},
	{"fake below", "Received: " SPAM " by mx.b.example\nReceived: " OURS " by spam.example\n",
		"unlinked", -15},
	{"inner hop on top",
		"Received: from mx.b.example (mx.b.example [10.0.0.5]) by store.b.example\n"
		"Received: " OURS " by mx.b.example\n",
		"ours", 20},
	{"postfix writes its own line on top",
		"Received: by mx.b.example (Postfix) id 2\nReceived: " OURS " by mx.b.example\n",
		"ours", 20},
	{"qmail's inner lines",
		"Received: (qmail 1 invoked from network); 23 Nov 2026\n"
		"Received: from lists.example.org (HELO lists.example.org) (192.0.2.10) by "
		"b.example\n",
		"ours", 20},
	{"nullmailer's line says nothing of the one below",
		"Received: (nullmailer pid 1 invoked by uid 2); 23 Nov 2026\nReceived: " OURS
		" by mx.b.example\n",
		"unavailable", 0},
	{"a line without address by another host",
		"Received: by gw.b.example id 2\nReceived: " OURS " by mx.b.example\n",
		"unavailable", 0},
	{"no Received line", "", "unavailable", 0},
	{"our own queue, the poster's line below",
		"Received: by lists.example.org (Postfix) id 2\n"
		"Received: from home.poster.example (home.poster.example [198.51.100.9]) by "
		"lists.example.org (Postfix) id 1\n",
		"forwarded", -5},
	{"our host seen through a private address, the poster's line below",
		"Received: from lists.example.org (lists.example.org [10.0.0.5]) by mx.b.example\n"
		"Received: from home.poster.example (home.poster.example [198.51.100.9]) by "
		"mx1.lists.example.org (Postfix) id 1\n",
		"forwarded", -5},
	{"a fake line of ours under an inner hop",
		"Received: from gw.b.example (gw.b.example [10.0.0.5]) by store.b.example\n"
		"Received: " OURS " by mx.spam.example\n",
		"ours-unvouched", 20},
};

static const struct netblock senders[] = {
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 10}}, 128}};
static const struct domain_config domain = {
	.name = "lists.example.org", .senders = senders, .sender_count = 1};

/* What the hop check says of a report. */
static struct evidence weigh_hop(const void *context, const char *text)
{
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct mail *mail = mail_read(context, raw, NULL);
	struct weigh_input input = {
		.mail = mail, .bounce = classify_mail(context, mail), .domain = &domain};
	struct weighing weighing;

	weigh_bounce(context, &input, &weighing);
	for (size_t i = 0; i < weighing.count; i++) {
		if (strcmp(weighing.items[i].check, "hop") == 0)
			return weighing.items[i];
	}
	return (struct evidence){.result = "not run"};
}

START_TEST(weighs_the_reporters_own_hop)
{
	void *context = mem_context(NULL, "test");
	struct evidence hop = weigh_hop(context, make_report(context, hops[_i].received));

	ck_assert_msg(strcmp(hop.result, hops[_i].result) == 0, "%s: want %s, got %s",
		hops[_i].what, hops[_i].result, hop.result);
	ck_assert_int_eq(hop.weight, hops[_i].weight);
	mem_free(context);
}
END_TEST

/* Whoever writes a report writes its hops: without a client of the recipient's domain, our own hop
 * in it is forgeable, and not enough. */
START_TEST(a_made_up_report_proves_nothing)
{
	void *context = mem_context(NULL, "test");
	char *text = make_report(context, "Received: " OURS " by mx.b.example\n");
	char *client = strstr(text, "mx.b.example (mx.b.example [203.0.113.5])");
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct weighing weighing;

	memcpy(client, "mx.c.example (mx.c.example [203.0.113.5])", 41);
	struct mail *mail = mail_read(context, raw, NULL);
	struct weigh_input input = {
		.mail = mail, .bounce = classify_mail(context, mail), .domain = &domain};
	weigh_bounce(context, &input, &weighing);
	ck_assert_int_eq(weighing.verdict, VERDICT_UNPROVEN);
	ck_assert_int_eq(weighing.score, WEIGH_FORGEABLE_MAX);
	mem_free(context);
}
END_TEST

/* A chain of lines that is longer than what is read, or ends where the headers were cut, does not
 * say that no line of it names us. */
static const struct {
	int count;	  /* of foreign lines */
	const char *last; /* what follows them */
	const char *result;
} chains[] = {
	{99, "", "foreign"}, {100, "", "unavailable"},
	{100, "Received: " OURS " by mx.fwd.example\n", "unavailable"},
	{98, "Received: " OURS " by mx.spam.example\n", "unlinked"},
	{2, "\n--b--\n",
		"unavailable"}, /* nothing of the original but its first fields came back */
};

START_TEST(a_long_chain_is_no_proof)
{
	void *context = mem_context(NULL, "test");
	char *lines = mem_strdup(context, "");

	for (int i = 0; i < chains[_i].count; i++)
		lines = mem_append(lines,
			"Received: from mx.spam.example (mx.spam.example [198.51.100.66]) by "
			"mx.b.example\n");
	lines = mem_append(lines, "%s", chains[_i].last);
	struct evidence hop = weigh_hop(context, make_report(context, lines));
	ck_assert_msg(strcmp(hop.result, chains[_i].result) == 0, "%d lines: want %s, got %s",
		chains[_i].count, chains[_i].result, hop.result);
	mem_free(context);
}
END_TEST

/* One recipient of the reporter's own does not vouch for the others that he names. */
START_TEST(every_recipient_must_be_vouched_for)
{
	void *context = mem_context(NULL, "test");
	char *text = make_report(context, "Received: " OURS " by mx.b.example\n");
	char *end = strstr(text, "Status: 5.1.1\n\n") + strlen("Status: 5.1.1\n\n");
	char *report = mem_printf(context,
		"%.*sFinal-Recipient: rfc822; eve@victim.example\nAction: failed\n\n%s",
		(int)(end - text), text, end);

	ck_assert_str_eq(weigh_hop(context, text).result, "ours");
	ck_assert_str_eq(weigh_hop(context, report).result, "ours-unvouched");
	mem_free(context);
}
END_TEST

/* What a reporter's name did to a verdict must not count for that name. */
START_TEST(the_verdict_without_one_check)
{
	static const struct {
		struct evidence name;
		int others;
		enum verdict with, without;
	} cases[] = {
		{{.weight = 5, .is_forgeable = true}, 16, VERDICT_GENUINE, VERDICT_UNPROVEN},
		{{.weight = 5, .is_forgeable = true}, 20, VERDICT_GENUINE, VERDICT_GENUINE},
		{{.weight = -10, .is_supporting = true}, 24, VERDICT_UNPROVEN, VERDICT_GENUINE},
		{{.weight = -10, .is_supporting = true}, -15, VERDICT_UNPROVEN, VERDICT_UNPROVEN},
		{{.weight = 10, .is_forgeable = true}, -25, VERDICT_UNPROVEN, VERDICT_BACKSCATTER},
		{{.weight = 0}, -25, VERDICT_BACKSCATTER, VERDICT_BACKSCATTER},
	};

	for (int i = 0; i < ROWS(cases); i++) {
		struct weighing weighing = {.count = 2};
		enum verdict without;

		weighing.items[0] = (struct evidence){.check = "hop", .weight = cases[i].others};
		weighing.items[1] = cases[i].name;
		weighing.items[1].check = "reporter";
		weigh_add_up(&weighing);
		without = weigh_verdict_without(NULL, &weighing, "reporter");
		ck_assert_msg(weighing.verdict == cases[i].with && without == cases[i].without,
			"row %d: got %s and %s without, want %s and %s", i,
			verdict_name(weighing.verdict), verdict_name(without),
			verdict_name(cases[i].with), verdict_name(cases[i].without));
		ck_assert_int_eq(weighing.items[1].weight, cases[i].name.weight);
	}
}
END_TEST

/* A dead DNS, which keeps back what would speak for it, makes no backscatter of it here either. */
START_TEST(the_verdict_without_one_check_in_an_outage)
{
	struct weighing weighing = {.count = 3,
		.items = {{.check = "hop", .result = "unavailable", .missed = "ours"},
			{.check = "sent", .result = "absent", .weight = -39},
			{.check = "reporter", .result = "plain"}}};

	ck_assert_int_eq(weigh_verdict_without(NULL, &weighing, "reporter"), VERDICT_UNPROVEN);
	ck_assert_int_eq(weigh_verdict_without(NULL, &weighing, "hop"), VERDICT_BACKSCATTER);
}
END_TEST

/* Without domain, ledger and keys nothing can be said, and nothing is held against anybody. */
START_TEST(unavailable_is_not_against)
{
	void *context = mem_context(NULL, "test");
	char *text = make_report(context, "Received: " SPAM " by mx.b.example\n");
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct mail *mail = mail_read(context, raw, NULL);
	struct weigh_input input = {.mail = mail, .bounce = classify_mail(context, mail)};
	struct weighing weighing;

	weigh_bounce(context, &input, &weighing);
	ck_assert_int_eq(weighing.verdict, VERDICT_UNPROVEN);
	ck_assert_int_eq(weighing.score, 0);
	ck_assert_uint_ge(weighing.count, 3);
	for (size_t i = 0; i < weighing.count; i++)
		ck_assert_str_eq(weighing.items[i].result, "unavailable");
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("weigh");
	TCase *tcase = tcase_create("weigh");

	mail_library_open();
	tcase_add_loop_test(tcase, adds_up, 0, ROWS(sums));
	tcase_add_loop_test(tcase, supporting_evidence_never_decides_against, 0, ROWS(supported));
	tcase_add_loop_test(tcase, a_verdict_without_a_check, 0, ROWS(stormy));
	tcase_add_test(tcase, weights_are_well_formed);
	tcase_add_loop_test(tcase, weighs_the_reporters_own_hop, 0, ROWS(hops));
	tcase_add_test(tcase, a_made_up_report_proves_nothing);
	tcase_add_loop_test(tcase, a_long_chain_is_no_proof, 0, ROWS(chains));
	tcase_add_test(tcase, every_recipient_must_be_vouched_for);
	tcase_add_test(tcase, the_verdict_without_one_check);
	tcase_add_test(tcase, the_verdict_without_one_check_in_an_outage);
	tcase_add_test(tcase, unavailable_is_not_against);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
