/*
 * test_reporter.c: what is known of the client that brought a report. SPF and DNS lists are tables
 * here, in place of net/spf.c and net/dns_list.c.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "classify/classify.h"
#include "net/dns_list.h"
#include "net/spf.h"
#include "state/record.h"
#include "suite.h"
#include "weigh/weigh.h"

static const struct {
	const char *helo;
	enum spf_result result;
} records[] = {
	{"pass.test", SPF_PASS},
	{"fail.test", SPF_FAIL},
	{"soft.test", SPF_SOFTFAIL},
	{"dead.test", SPF_UNAVAILABLE},
	{"temp.test", SPF_TEMPERROR},
};

/* What standing finds out: nothing, or that the client is a stranger to the recipient. */
static bool is_stranger = true;

void resolver_ask(struct resolver *resolver, const void *context, const char *name,
	enum dns_type type, struct dns_answer *answer_out)
{
	(void)resolver;
	(void)context;
	(void)name;
	(void)type;
	*answer_out = (struct dns_answer){
		.outcome = is_stranger ? DNS_NO_DATA : DNS_FAILED, .why = "dead"};
}

enum spf_result spf_check(struct resolver *resolver, const void *context,
	const struct spf_question *question, const char **why_out)
{
	(void)resolver;
	(void)context;
	*why_out = NULL;
	/* A report has no sender: the HELO name is what is asked about. */
	for (int i = 0; i < ROWS(records) && question->sender == NULL; i++) {
		if (question->helo != NULL && strcmp(records[i].helo, question->helo) == 0)
			return records[i].result;
	}
	return SPF_NONE;
}

const char *spf_result_name(enum spf_result result)
{
	static const char *const names[] = {"unavailable", "none", "neutral", "pass", "fail",
		"softfail", "temperror", "permerror"};

	return names[result];
}

enum dns_list_result dns_list_ask(struct resolver *resolver, const void *context, const char *zone,
	const struct netaddr *address, const char **why_out)
{
	(void)resolver;
	(void)context;
	(void)address;
	*why_out = NULL;
	if (strncmp(zone, "listed", 6) == 0)
		return DNS_LIST_PRESENT;
	return strcmp(zone, "dead.test") == 0 ? DNS_LIST_UNAVAILABLE : DNS_LIST_ABSENT;
}

static const char *const ids[] = {"lists.example.org"};
static const struct domain_config domain = {.name = "lists.example.org"};
static char resolver_place;
#define RESOLVER ((struct resolver *)&resolver_place)

static const struct {
	const char *what, *helo, *more; /* further fields under Received */
	struct blocklist_config lists[3];
	size_t list_count;
	const char *with_dns, *without_dns;
	int weight;
} rows[] = {
	{"SPF passes", "pass.test", "", {{0}}, 0, "helo-pass", "unavailable", 1},
	{"SPF fails", "fail.test", "", {{0}}, 0, "helo-fail", "unavailable", -5},
	{"a softfail says little", "soft.test", "", {{0}}, 0, "plain", "unavailable", 0},
	{"no record", "none.test", "", {{0}}, 0, "plain", "unavailable", 0},
	{"SPF could not be found out", "dead.test", "", {{0}}, 0, "unavailable", "unavailable", 0},
	{"nor now", "temp.test", "", {{0}}, 0, "unavailable", "unavailable", 0},
	{"listed", "none.test", "", {{"listed.test", 0, -6}}, 1, "listed", "unavailable", -6},
	{"not listed, SPF dead", "dead.test", "", {{"clean.test", 0, -6}}, 1, "plain",
		"unavailable", 0},
	{"both dead", "dead.test", "", {{"dead.test", 0, -6}}, 1, "unavailable", "unavailable", 0},
	{"one list dead, listed by the other", "dead.test", "",
		{{"dead.test", 0, -6}, {"listed.test", 0, -4}}, 2, "listed", "unavailable", -4},
	{"lists together are bounded", "none.test", "",
		{{"listed1.test", 0, -15}, {"listed2.test", 0, -15}}, 2, "listed", "unavailable",
		-10},
	{"and do not decide with a failed HELO", "fail.test", "",
		{{"listed1.test", 0, -15}, {"listed2.test", 0, -15}}, 2, "helo-fail", "unavailable",
		-15},
	{"a list of good hosts", "pass.test", "", {{"listed.test", 0, 15}}, 1, "helo-pass",
		"unavailable", 11},
	{"our own server has found it out", "pass.test",
		"Authentication-Results: lists.example.org; spf=fail smtp.helo=pass.test\n", {{0}},
		0, "helo-fail", "helo-fail", -5},
	{"somebody else says so", "fail.test",
		"Authentication-Results: fail.test; spf=pass smtp.helo=fail.test\n", {{0}}, 0,
		"helo-fail", "unavailable", -5},
};

#define NOW INT64_C(1795521600)
#define DAYS 20 /* on which reports came */

static struct state *state; /* what is known of earlier reports; or NULL */

static struct evidence weigh(const void *context, const char *text, const struct config *config,
	struct resolver *resolver)
{
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct mail *mail = mail_read(context, raw, NULL);
	struct weigh_input input = {.mail = mail,
		.bounce = classify_mail(context, mail),
		.domain = &domain,
		.config = config,
		.resolver = resolver,
		.state = state,
		.now = NOW};
	struct weighing weighing;

	weigh_bounce(context, &input, &weighing);
	ck_assert_int_ne(weighing.verdict, VERDICT_BACKSCATTER); /* never alone */
	ck_assert_int_ne(weighing.verdict, VERDICT_GENUINE);
	for (size_t i = 0; i < weighing.count; i++) {
		if (strcmp(weighing.items[i].check, "reporter") == 0)
			return weighing.items[i];
	}
	return (struct evidence){.result = "not run"};
}

static char *make_report(
	const void *context, const char *helo, const char *address, const char *more)
{
	return mem_printf(context,
		"Return-Path: <>\n"
		"Received: from %s (unknown [%s]) by lists.example.org (Postfix) id 1; "
		"Mon, 23 Nov 2026 19:19:16 +0000\n%s"
		"From: MAILER-DAEMON@b.example\nTo: announce-bounces@lists.example.org\n"
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.b.example\n\n"
		"Final-Recipient: rfc822; ann@b.example\nAction: failed\n\n--b--\n",
		helo, address, more);
}

START_TEST(knows_the_client)
{
	void *context = mem_context(NULL, "test");
	char *text = make_report(context, rows[_i].helo, "203.0.113.5", rows[_i].more);
	struct config config = {.authserv_ids = ids,
		.authserv_id_count = 1,
		.blocklists = rows[_i].lists,
		.blocklist_count = rows[_i].list_count};
	struct evidence with = weigh(context, text, &config, RESOLVER);
	struct evidence without = weigh(context, text, &config, NULL);

	ck_assert_msg(strcmp(with.result, rows[_i].with_dns) == 0, "%s: want %s, got %s (%s)",
		rows[_i].what, rows[_i].with_dns, with.result, with.detail);
	ck_assert_msg(with.weight == rows[_i].weight, "%s: want %d, got %d", rows[_i].what,
		rows[_i].weight, with.weight);
	ck_assert_ptr_nonnull(with.detail);
	ck_assert_msg(strcmp(without.result, rows[_i].without_dns) == 0,
		"%s, without DNS: want %s, got %s", rows[_i].what, rows[_i].without_dns,
		without.result);
	mem_free(context);
}
END_TEST

/* Behind a content filter the client is the filter: everything would pass. */
START_TEST(asks_nothing_of_our_own_network)
{
	void *context = mem_context(NULL, "test");
	struct config config = {.blocklists = rows[6].lists, .blocklist_count = 1};
	char *text = make_report(context, "pass.test", "127.0.0.1", "");

	ck_assert_str_eq(weigh(context, text, &config, RESOLVER).result, "unavailable");
	mem_free(context);
}
END_TEST

/* What the client's earlier reports were, and what else is found: together they are bounded. */
static const struct {
	enum reputation_use earlier;
	const char *helo;
	struct blocklist_config list;
	const char *result;
	int weight;
	bool is_forgeable;
} names[] = {
	{REPUTATION_PROVEN, "none.test", {"clean.test", 0, -6}, "good-name", 10, true},
	{REPUTATION_PROVEN, "pass.test", {"clean.test", 0, -6}, "good-name", 11, true},
	{REPUTATION_PROVEN, "pass.test", {"listed.test", 0, 10}, "helo-pass", 15, true},
	{REPUTATION_PROVEN, "fail.test", {"clean.test", 0, -6}, "helo-fail", 5, true},
	{REPUTATION_PROVEN, "none.test", {"listed.test", 0, -10}, "listed", 0, true},
	{REPUTATION_PROVEN, "dead.test", {"dead.test", 0, -6}, "good-name", 10, true},
	{REPUTATION_BACKSCATTER, "none.test", {"clean.test", 0, -6}, "bad-name", -10, false},
	{REPUTATION_BACKSCATTER, "fail.test", {"listed.test", 0, -10}, "helo-fail", -15, false},
	{REPUTATION_BACKSCATTER, "dead.test", {"dead.test", 0, -6}, "bad-name", -10, false},
	{REPUTATION_GENUINE, "none.test", {"clean.test", 0, -6}, "plain", 0, false},
};

static void remember(const void *context, enum reputation_use use)
{
	char folder[] = "/tmp/backstop-reporter-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(state_open(context, folder, STATE_WRITE, &state, NULL), STATUS_OK);
	for (int i = 0; i < DAYS * REPUTATION_DAY_MAX; i++) {
		struct event event = {
			.time_s = NOW - (int64_t)(DAYS - 1 - i / REPUTATION_DAY_MAX) * 86400,
			.reporter = "203.0.113.5",
			.reputation = use};

		ck_assert_int_eq(record_event(state, &event, NULL, 0), STATUS_OK);
	}
	/* The files are open, that is enough. */
	unlink(mem_printf(context, "%s/data.mdb", folder));
	unlink(mem_printf(context, "%s/lock.mdb", folder));
	rmdir(folder);
}

START_TEST(knows_the_name_of_the_client)
{
	void *context = mem_context(NULL, "test");
	struct config config = {.blocklists = &names[_i].list, .blocklist_count = 1};
	char *text = make_report(context, names[_i].helo, "203.0.113.5", "");
	char *other = make_report(context, names[_i].helo, "203.0.113.6", "");
	struct evidence item;

	remember(context, names[_i].earlier);
	item = weigh(context, text, &config, RESOLVER);
	/* Where something speaks against the report, a good one does not count. */
	if (names[_i].earlier == REPUTATION_PROVEN)
		ck_assert_ptr_nonnull(strstr(item.detail, "so it counts for nothing"));
	is_stranger = false;
	item = weigh(context, text, &config, RESOLVER);
	is_stranger = true;
	ck_assert_msg(strcmp(item.result, names[_i].result) == 0 &&
			      item.weight == names[_i].weight &&
			      (item.is_forgeable || !names[_i].is_forgeable) && item.is_supporting,
		"got %s %+d (%s), forgeable %d", item.result, item.weight, item.detail,
		item.is_forgeable);
	ck_assert_ptr_nonnull(strstr(item.detail, "of what it reported lately, about "));
	ck_assert_ptr_null(strstr(weigh(context, other, &config, RESOLVER).detail, "lately"));
	state_close(state);
	state = NULL;
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reporter");
	TCase *tcase = tcase_create("reporter");

	mail_library_open();
	tcase_add_loop_test(tcase, knows_the_client, 0, ROWS(rows));
	tcase_add_loop_test(tcase, knows_the_name_of_the_client, 0, ROWS(names));
	tcase_add_test(tcase, asks_nothing_of_our_own_network);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
