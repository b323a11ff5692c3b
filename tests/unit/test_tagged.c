/* test_tagged.c: the checks `tag` and `sent` on whole reports: each as the only one that speaks,
 * wrong and outvoted, and unavailable; and the places in which a tag comes back. */
#include <stdio.h>
#include <string.h>

#include "base/prvs.h"
#include "classify/classify.h"
#include "state/ledger.h"
#include "state_place.h"
#include "weigh/weigh.h"

#define DAY ((int64_t)86400)
#define NOW (20780 * DAY + 4711)
#define BOX "announce-bounces@lists.example.org"
#define ANN "ann@b.example"
#define MESSAGE_ID "<m1@lists.example.org>"

static struct state *state;
static struct tag_keys keys = {.path = "tag.keys",
	.count = 1,
	.items = {{.id = 7, .created_s = 20000 * DAY, .secret = "0123456789abcdef"}}};
static const struct prvs_keys prvs = {
	.path = "prvs.keys", .count = 1, .items = {{.id = 0, .size = 6, .secret = "sesame"}}};
static const struct netblock senders[] = {
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 10}}, 128}};
static const struct domain_config domain = {.name = "lists.example.org",
	.senders = senders,
	.sender_count = 1,
	.tagged = SHARE_SOME,
	.tag_lifetime_s = 14 * DAY,
	.prvs_lifetime_s = 7 * DAY,
	.sent_log = SENT_LOG_COMPLETE};

static void set_up_state(void)
{
	const struct ledger_entry entries[] = {
		{NOW - DAY, MESSAGE_ID, ANN, NULL, "lists.example.org"},
		{NOW - DAY, "envelope-1", ANN, NULL, "lists.example.org"},
	};

	set_up();
	state = open_state(STATE_WRITE);
	ck_assert_status(ledger_add(state, LEDGER_FEED_BATCH, NOW, entries, 2, NULL), STATUS_OK);
	ck_assert_status(ledger_vouch(state, "lists.example.org", NOW - 60 * DAY, NOW), STATUS_OK);
}

/* What varies in a report. NULL: not there. */
struct facts {
	const char *to; /* the address that it came to */
	const char *postfix_sender;
	const char *return_path_above, *return_path_below; /* of the returned Received line */
	const char *message_id, *envelope_id, *recipient;
	const char
		*above; /* Received lines, with their line ends, on top of the returned headers */
	const char *field; /* a further one of the returned headers */
};

static const char *field(const char *name, const char *value)
{
	return value == NULL ? "" : mem_printf(context, "%s%s\n", name, value);
}

static char *make_report(const struct facts *facts)
{
	return mem_printf(context,
		"Return-Path: <>\nDelivered-To: %s\nReceived: from mx.c.example (mx.c.example "
		"[203.0.113.5]) by lists.example.org\nFrom: MAILER-DAEMON@mx.c.example\nSubject: "
		"failure\nContent-Type: multipart/report; report-type=delivery-status; "
		"boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"
		"Reporting-MTA: dns; mx.c.example\n%s%s\nFinal-Recipient: rfc822; %s\n"
		"Action: failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\n"
		"%s%sReceived: from x by y\n%sFrom: x@lists.example.org\n%s%s\n--b--\n",
		facts->to, field("X-Postfix-Sender: rfc822; ", facts->postfix_sender),
		field("Original-Envelope-Id: ", facts->envelope_id),
		facts->recipient == NULL ? ANN : facts->recipient,
		field("Return-Path: ", facts->return_path_above),
		facts->above == NULL ? "" : facts->above,
		field("Return-Path: ", facts->return_path_below),
		field("Message-ID: ", facts->message_id), field("", facts->field));
}

static struct weighing weigh(const struct facts *facts, struct state *with_state)
{
	char *text = make_report(facts);
	struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)text, strlen(text)}, NULL);
	const struct weigh_input input = {.mail = mail,
		.bounce = classify_mail(context, mail),
		.domain = &domain,
		.tag_keys = &keys,
		.prvs_keys = &prvs,
		.state = with_state,
		.now = NOW};
	struct weighing weighing;

	weigh_bounce(context, &input, &weighing);
	return weighing;
}

static void assert_result(const struct weighing *weighing, const char *check_name, const char *want)
{
	for (size_t i = 0; i < weighing->count; i++) {
		if (strcmp(weighing->items[i].check, check_name) == 0)
			ck_assert_msg(strcmp(weighing->items[i].result, want) == 0,
				"%s: want %s, got %s (%s)", check_name, want,
				weighing->items[i].result, weighing->items[i].detail);
	}
}

static const char *tag_for(const char *recipient, int64_t day)
{
	return tag_make(context, &keys, BOX, recipient, day, NULL);
}

START_TEST(tag_alone)
{
	struct facts facts = {.to = tag_for(ANN, NOW)};
	struct weighing got = weigh(&facts, NULL);

	assert_result(&got, "tag", "valid-recipient");
	assert_result(&got, "sent", "unavailable");
	ck_assert_int_eq(got.verdict, VERDICT_GENUINE);
	facts.to = BOX;
	got = weigh(&facts, NULL);
	ck_assert_int_ne(got.verdict, VERDICT_GENUINE);
}
END_TEST

/* A bad tag where the ledger and a valid tag elsewhere say otherwise. */
START_TEST(tag_wrong_and_outvoted)
{
	struct facts facts = {.to = "prvs=0787000000=" BOX, .message_id = MESSAGE_ID};
	struct weighing got = weigh(&facts, state);

	assert_result(&got, "tag", "prvs-bad");
	assert_result(&got, "sent", "recipient");
	ck_assert_int_eq(got.verdict, VERDICT_GENUINE);
	facts.message_id = "<never@lists.example.org>";
	got = weigh(&facts, state);
	ck_assert_int_eq(got.verdict, VERDICT_BACKSCATTER);
}
END_TEST

static struct {
	struct facts facts;
	const char *tag;
} places[] = {
	{{.to = BOX}, "absent"},
	{{.to = BOX, .postfix_sender = "TAG"}, "valid-recipient"},
	{{.to = BOX, .return_path_above = "<TAG>"}, "valid-recipient"},
	/* A replayed post has it below the line of who reports. */
	{{.to = BOX, .return_path_below = "<TAG>"}, "absent"},
	{{.to = BOX, .postfix_sender = "SRS0=h4Sh=TT=lists.example.org=LOCAL@f.example"},
		"valid-recipient"},
	{{.to = "prvs=0123456789=TAG"}, "valid-recipient"},
	{{.to = "SRS0=h4Sh=TT=lists.example.org=LOCAL@lists.example.org"}, "valid-recipient"},
	{{.to = BOX, .postfix_sender = "BAD"}, "absent"}, /* outside the envelope it says nothing */
	{{.to = BOX, .postfix_sender = "OLD"}, "absent"},
	{{.to = "BAD"}, "bad"},
	{{.to = "OLD"}, "expired"},
	{{.to = "prvs=078794bd8d=ann@lists.example.org"}, "prvs-valid"},
	{{.to = "prvs=9787000000=" BOX}, "absent"},
};

/* TAG, LOCAL, BAD and OLD in a row's text. */
static const char *fill(const char *text)
{
	const char *tag = tag_for(ANN, NOW);
	const char *local = mem_printf(context, "%.*s", (int)(strrchr(tag, '@') - tag), tag);
	char *bad = mem_strdup(context, tag);
	const struct {
		const char *word, *value;
	} words[] = {{"TAG", tag}, {"LOCAL", local}, {"BAD", bad},
		{"OLD", tag_for(ANN, NOW - 90 * DAY)}};

	bad[30] = bad[30] == 'a' ? 'b' : 'a';
	for (size_t i = 0; text != NULL && i < sizeof words / sizeof words[0]; i++) {
		const char *at = strstr(text, words[i].word);

		if (at != NULL)
			return mem_printf(context, "%.*s%s%s", (int)(at - text), text,
				words[i].value, at + strlen(words[i].word));
	}
	return text;
}

START_TEST(tag_in_its_places)
{
	struct facts facts = places[_i].facts;
	struct weighing got;

	facts.to = fill(facts.to);
	facts.postfix_sender = fill(facts.postfix_sender);
	facts.return_path_above = fill(facts.return_path_above);
	facts.return_path_below = fill(facts.return_path_below);
	got = weigh(&facts, NULL);
	assert_result(&got, "tag", places[_i].tag);
}
END_TEST

/* Whoever has mail of the sender has a valid prvs tag. */
START_TEST(prvs_proves_nothing_alone)
{
	const struct facts facts = {.to = "prvs=078794bd8d=ann@lists.example.org"};
	struct weighing got = weigh(&facts, NULL);

	assert_result(&got, "tag", "prvs-valid");
	ck_assert_int_eq(got.verdict, VERDICT_UNPROVEN);
}
END_TEST

static const struct {
	struct facts facts;
	const char *sent;
	enum verdict verdict;
} ledgers[] = {
	{{.to = BOX, .message_id = MESSAGE_ID}, "recipient", VERDICT_GENUINE},
	{{.to = BOX, .envelope_id = "envelope-1"}, "recipient", VERDICT_GENUINE},
	{{.to = BOX, .envelope_id = "m1@lists.example.org"}, "recipient", VERDICT_GENUINE},
	{{.to = BOX, .envelope_id = "m1+40lists.example.org"}, "recipient", VERDICT_GENUINE},
	{{.to = BOX, .message_id = MESSAGE_ID, .recipient = "eve@c.example"}, "other-recipient",
		VERDICT_UNPROVEN},
	{{.to = BOX,
		 .message_id = MESSAGE_ID,
		 .recipient = "eve@c.example",
		 .postfix_sender = "announce-bounces+ann=b.example@lists.example.org"},
		"verp-recipient", VERDICT_UNPROVEN},
	{{.to = BOX, .message_id = "<never@lists.example.org>"}, "absent", VERDICT_BACKSCATTER},
	/* A relay that gives a Message-ID of its own may keep ours. */
	{{.to = BOX,
		 .message_id = "<new@relay.example>",
		 .field = "X-Original-Message-ID: " MESSAGE_ID},
		"recipient", VERDICT_GENUINE},
	{{.to = BOX,
		 .message_id = "<new@relay.example>",
		 .field = "X-Google-Original-Message-ID: " MESSAGE_ID},
		"recipient", VERDICT_GENUINE},
	{{.to = BOX,
		 .message_id = "<new@relay.example>",
		 .field = "X-Microsoft-Original-Message-ID: " MESSAGE_ID},
		"recipient", VERDICT_GENUINE},
	{{.to = BOX}, "unavailable", VERDICT_UNPROVEN},
};

START_TEST(sent_alone)
{
	struct weighing got = weigh(&ledgers[_i].facts, state);

	assert_result(&got, "sent", ledgers[_i].sent);
	ck_assert_int_eq(got.verdict, ledgers[_i].verdict);
}
END_TEST

/* A Message-ID that a relay has replaced is in no ledger. Where a forwarder stands in the trace,
 * too, or may, that is no proof; a trace that contradicts itself, or names nobody of ours, is one.
 */
#define RENAMED "<new@relay.example>"
#define BY_FORWARDER "Received: from mx.f.example (mx.f.example [198.51.100.9]) by mx.c.example\n"
#define BY_SPAMMER "Received: from spam.example (spam.example [198.51.100.66]) by mx.c.example\n"
#define TO_FORWARDER                                                                               \
	"Received: from lists.example.org (lists.example.org [192.0.2.10]) by mx.f.example\n"

static const struct {
	const char *above, *message_id, *sent;
	enum verdict verdict;
} forwarded[] = {
	{BY_FORWARDER TO_FORWARDER, RENAMED, "absent-forwarded", VERDICT_UNPROVEN},
	{BY_SPAMMER TO_FORWARDER, RENAMED, "absent", VERDICT_BACKSCATTER},
	{BY_SPAMMER, RENAMED, "absent", VERDICT_BACKSCATTER},
	{"", RENAMED, "absent", VERDICT_BACKSCATTER},
	/* No relay gives one of our domain, however it spells it. */
	{BY_FORWARDER TO_FORWARDER, "<1@lists.example.org>", "absent", VERDICT_BACKSCATTER},
	{BY_FORWARDER TO_FORWARDER, "<1@Lists.Example.org>", "absent", VERDICT_BACKSCATTER},
};

START_TEST(sent_with_a_forwarder)
{
	struct facts facts = {
		.to = BOX, .message_id = forwarded[_i].message_id, .above = forwarded[_i].above};
	struct weighing got = weigh(&facts, state);

	assert_result(&got, "sent", forwarded[_i].sent);
	ck_assert_msg(got.verdict == forwarded[_i].verdict, "got %d", got.score);
}
END_TEST

/* The ledger lacks a message of ours; its tag outvotes that. */
START_TEST(sent_wrong_and_outvoted)
{
	const struct facts facts = {
		.to = tag_for(ANN, NOW), .message_id = "<lost@lists.example.org>"};
	struct weighing got = weigh(&facts, state);

	assert_result(&got, "sent", "absent");
	ck_assert_int_eq(got.verdict, VERDICT_GENUINE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tagged");
	TCase *tcase = tcase_create("tagged");

	mail_library_open();
	tcase_add_checked_fixture(tcase, set_up_state, tear_down);
	tcase_add_test(tcase, tag_alone);
	tcase_add_test(tcase, tag_wrong_and_outvoted);
	tcase_add_loop_test(tcase, tag_in_its_places, 0, ROWS(places));
	tcase_add_test(tcase, prvs_proves_nothing_alone);
	tcase_add_loop_test(tcase, sent_alone, 0, ROWS(ledgers));
	tcase_add_loop_test(tcase, sent_with_a_forwarder, 0, ROWS(forwarded));
	tcase_add_test(tcase, sent_wrong_and_outvoted);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
