/*
 * test_made_up.c: a report that one subscriber makes up about another: with a real Message-ID, the
 * other's address, a copied Received line of ours. DNS is a table here, in place of net/resolver.c
 * and net/spf.c.
 */
#include <string.h>

#include "classify/classify.h"
#include "net/resolver.h"
#include "net/spf.h"
#include "state/ledger.h"
#include "state_place.h"
#include "weigh/weigh.h"

#define DAY ((int64_t)86400)
#define NOW (20780 * DAY + 4711)
#define POST "<post@lists.example.org>"	    /* went to many */
#define LETTER "<letter@lists.example.org>" /* went to one */

static struct state *state;
static bool is_dns_dead; /* or all the time for it is used up */

void resolver_ask(struct resolver *resolver, const void *on, const char *name, enum dns_type type,
	struct dns_answer *answer_out)
{
	struct dns_record *record = mem_new(on, struct dns_record);

	(void)resolver;
	is_dns_dead = is_dns_dead || strcmp(name, "tarpit.test") == 0;
	*answer_out = (struct dns_answer){.outcome = is_dns_dead ? DNS_FAILED : DNS_NO_DATA};
	if (is_dns_dead || type != DNS_MX)
		return;
	record->text = mem_printf(on, "mx.%s", name);
	*answer_out = (struct dns_answer){.outcome = DNS_FOUND, .records = record, .count = 1};
}

enum spf_result spf_check(struct resolver *resolver, const void *on,
	const struct spf_question *question, const char **why_out)
{
	(void)resolver;
	(void)on;
	(void)question;
	*why_out = NULL;
	return is_dns_dead ? SPF_UNAVAILABLE : SPF_NONE;
}

const char *spf_result_name(enum spf_result result)
{
	return result == SPF_NONE ? "none" : "unavailable";
}

static void set_up_state(void)
{
	const struct ledger_entry entries[] = {
		{NOW - DAY, POST, "ann@b.example", NULL, "lists.example.org"},
		{NOW - DAY, POST, "eve@c.example", NULL, "lists.example.org"},
		{NOW - DAY, LETTER, "ann@b.example", NULL, "lists.example.org"},
	};

	set_up();
	is_dns_dead = false;
	state = open_state(STATE_WRITE);
	ck_assert_status(ledger_add(state, LEDGER_FEED_BATCH, NOW, entries, 3, NULL), STATUS_OK);
	ck_assert_status(ledger_vouch(state, "lists.example.org", NOW - 60 * DAY, NOW), STATUS_OK);
}

#define FOR_ANN "Final-Recipient: rfc822; ann@b.example\n"
#define BY_WAY_OF_EVE                                                                              \
	"Original-Recipient: rfc822; ann@b.example\nFinal-Recipient: rfc822; x@c.example\n"

#define FOR(address) "Final-Recipient: rfc822; " address "\nAction: failed\n\n"
#define BEHIND_HER_OWN                                                                             \
	FOR("x@1.c.example")                                                                       \
	FOR("x@2.c.example") FOR("x@3.c.example") FOR("x@4.c.example") FOR("x@5.c.example") FOR_ANN

static const struct {
	const char *what, *client, *recipient, *message_id, *sent;
	bool is_dns_dead;
	enum verdict verdict;
} reports[] = {
	{"by her own server", "mx.b.example", FOR_ANN, POST, "recipient", false, VERDICT_GENUINE},
	{"by another", "mx.c.example", FOR_ANN, POST, "recipient-stranger", false,
		VERDICT_UNPROVEN},
	{"by another, whose address she is said to forward to", "mx.c.example", BY_WAY_OF_EVE, POST,
		"recipient-stranger", false, VERDICT_UNPROVEN},
	{"by another, behind five domains of her own", "mx.c.example", BEHIND_HER_OWN, POST,
		"recipient-stranger", false, VERDICT_UNPROVEN},
	{"by another, behind a domain whose servers take all the time", "mx.c.example",
		FOR("x@tarpit.test") FOR_ANN, POST, "recipient-stranger", false, VERDICT_UNPROVEN},
	{"by another, whose own name takes all the time", "tarpit.test", FOR_ANN, POST,
		"recipient-stranger", false, VERDICT_UNPROVEN},
	{"by her own server, which names nobody", "mx.b.example", "", POST, "recipient", false,
		VERDICT_GENUINE},
	{"by another, that names nobody", "mx.c.example", "", POST, "recipient-stranger", false,
		VERDICT_UNPROVEN},
	/* Who else could know it? */
	{"by another, about a message to her alone", "mx.c.example", FOR_ANN, LETTER, "recipient",
		false, VERDICT_GENUINE},
	{"by nobody knows whom", "mx.c.example", FOR_ANN, POST, "recipient", true, VERDICT_GENUINE},
};

static const struct {
	const char *what, *client, *sent;
	enum verdict verdict;
} answers[] = {
	{"by her own server", "mx.b.example", "recipient", VERDICT_GENUINE},
	{"by another, in her name", "mx.c.example", "recipient-stranger", VERDICT_UNPROVEN},
};

/* An automatic answer names nobody but its author. */
START_TEST(a_made_up_answer)
{
	const struct domain_config domain = {
		.name = "lists.example.org", .sent_log = SENT_LOG_COMPLETE};
	char *text = mem_printf(context,
		"Return-Path: <>\nReceived: from %s (%s [203.0.113.5]) by lists.example.org\n"
		"From: ann@b.example\nTo: announce-bounces@lists.example.org\n"
		"Subject: Out of office\nAuto-Submitted: auto-replied\nIn-Reply-To: " POST
		"\n\nI am away.\n",
		answers[_i].client, answers[_i].client);
	struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)text, strlen(text)}, NULL);
	const struct weigh_input input = {.mail = mail,
		.bounce = classify_mail(context, mail),
		.domain = &domain,
		.state = state,
		.resolver = (struct resolver *)&domain, /* never looked into */
		.now = NOW};
	struct weighing got;

	weigh_bounce(context, &input, &got);
	ck_assert_msg(strcmp(weigh_find_result(&got, "sent"), answers[_i].sent) == 0,
		"%s: want %s, got %s", answers[_i].what, answers[_i].sent,
		weigh_find_result(&got, "sent"));
	ck_assert_msg(
		got.verdict == answers[_i].verdict, "%s: got %d", answers[_i].what, got.score);
}
END_TEST

START_TEST(a_made_up_report)
{
	const struct netblock block = {
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 10}}, 128};
	const struct domain_config domain = {.name = "lists.example.org",
		.senders = &block,
		.sender_count = 1,
		.sent_log = SENT_LOG_COMPLETE};
	const char *client = reports[_i].client;
	char *text = mem_printf(context,
		"Return-Path: <>\nReceived: from %s (%s [203.0.113.5]) by lists.example.org\n"
		"From: MAILER-DAEMON@%s\nTo: announce-bounces@lists.example.org\nContent-Type: "
		"multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: "
		"message/delivery-status\n\nReporting-MTA: dns; %s\n\n%sAction: failed\n"
		"Status: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nReceived: from "
		"lists.example.org (lists.example.org [192.0.2.10]) by %s for <ann@b.example>\n"
		"From: x@lists.example.org\nMessage-ID: %s\n\n--b--\n",
		client, client, client, client, reports[_i].recipient, client,
		reports[_i].message_id);
	struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)text, strlen(text)}, NULL);
	const struct weigh_input input = {.mail = mail,
		.bounce = classify_mail(context, mail),
		.domain = &domain,
		.state = state,
		.resolver = (struct resolver *)&domain, /* never looked into */
		.now = NOW};
	struct weighing got;

	is_dns_dead = reports[_i].is_dns_dead;
	weigh_bounce(context, &input, &got);
	ck_assert_msg(strcmp(weigh_find_result(&got, "sent"), reports[_i].sent) == 0,
		"%s: want %s, got %s", reports[_i].what, reports[_i].sent,
		weigh_find_result(&got, "sent"));
	ck_assert_msg(
		got.verdict == reports[_i].verdict, "%s: got %d", reports[_i].what, got.score);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("made_up");
	TCase *tcase = tcase_create("made_up");

	mail_library_open();
	tcase_add_checked_fixture(tcase, set_up_state, tear_down);
	tcase_add_loop_test(tcase, a_made_up_report, 0, ROWS(reports));
	tcase_add_loop_test(tcase, a_made_up_answer, 0, ROWS(answers));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
