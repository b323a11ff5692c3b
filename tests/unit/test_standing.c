/*
 * test_standing.c: may the client speak for the recipients, and whose is the hop where no senders
 * are configured? DNS and SPF are tables here, in place of net/resolver.c and net/spf.c.
 */
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "classify/classify.h"
#include "net/spf.h"
#include "suite.h"
#include "weigh/weigh.h"

static const struct {
	const char *name;
	enum dns_type type;
	const char *value; /* NULL: the question has no answer */
} zone[] = {
	{"b.example", DNS_MX, "mx.b.example"},
	{"mx.b.example", DNS_A, "203.0.113.5"},
	{"hosted.test", DNS_MX, "in1.provider.test"},
	{"in1.provider.test", DNS_A, "203.0.113.20"},
	{"nomx.test", DNS_A, "203.0.113.30"},
	{"six.test", DNS_MX, "mx.six.test"},
	{"mx.six.test", DNS_AAAA, "2001:db8::25"},
	{"dead.test", DNS_MX, NULL},
	{"halfdead.test", DNS_MX, "mx.halfdead.test"},
	{"mx.halfdead.test", DNS_A, NULL},
	{"helo.b.example", DNS_A, "203.0.113.77"},
};

/* Who is allowed to send for whom: the SPF records. */
static const struct {
	const char *sender, *client;
	enum spf_result result;
} records[] = {
	{"postmaster@spf.test", "203.0.113.40", SPF_PASS},
	{"postmaster@temp.test", "203.0.113.40", SPF_TEMPERROR},
	{"postmaster@lists.example.org", "192.0.2.10", SPF_PASS},
	{"postmaster@lists.example.org", "198.51.100.66", SPF_FAIL},
	{"postmaster@lists.example.org", "198.51.100.67", SPF_SOFTFAIL},
	{"postmaster@lists.example.org", "198.51.100.68", SPF_NEUTRAL},
	{"postmaster@lists.example.org", "198.51.100.69", SPF_UNAVAILABLE},
};

static int questions;

void resolver_ask(struct resolver *resolver, const void *context, const char *name,
	enum dns_type type, struct dns_answer *answer_out)
{
	(void)resolver;
	questions++;
	*answer_out = (struct dns_answer){
		.outcome = strstr(name, "gone.test") != NULL ? DNS_NO_DOMAIN : DNS_NO_DATA};
	for (int i = 0; i < ROWS(zone); i++) {
		if (strcmp(zone[i].name, name) != 0 || zone[i].type != type)
			continue;
		if (zone[i].value == NULL) {
			answer_out->outcome = DNS_FAILED;
			return;
		}
		struct dns_record *record = mem_new(context, struct dns_record);
		if (type == DNS_MX)
			record->text = zone[i].value;
		else
			netaddr_parse(zone[i].value, &record->address);
		*answer_out =
			(struct dns_answer){.outcome = DNS_FOUND, .records = record, .count = 1};
	}
}

enum spf_result spf_check(struct resolver *resolver, const void *context,
	const struct spf_question *question, const char **why_out)
{
	char client[NETADDR_TEXT_MAX];

	(void)resolver;
	(void)context;
	*why_out = NULL;
	netaddr_format(&question->client, client);
	for (int i = 0; i < ROWS(records); i++) {
		if (question->sender != NULL && strcmp(records[i].sender, question->sender) == 0 &&
			strcmp(records[i].client, client) == 0)
			return records[i].result;
	}
	return SPF_NONE;
}

const char *spf_result_name(enum spf_result result)
{
	return result == SPF_PASS ? "pass" : result == SPF_FAIL ? "fail" : "none";
}

static const char *const ids[] = {"lists.example.org"};
static const struct config config = {.authserv_ids = ids, .authserv_id_count = 1};
static const struct netblock senders[] = {
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 10}}, 128}};
static const struct domain_config with_senders = {
	.name = "lists.example.org", .senders = senders, .sender_count = 1};
static const struct domain_config without_senders = {.name = "lists.example.org"};

#define CLIENT(helo, name, address)                                                                \
	"Received: from " helo " (" name " [" address "]) by lists.example.org (Postfix) id 1; "   \
	"Mon, 23 Nov 2026 19:19:16 +0000\n"
#define MX_B CLIENT("mx.b.example", "mx.b.example", "203.0.113.5")

/* A report with these trace fields, about these recipients, with these lines of the original. */
static char *make_report(
	const void *context, const char *top, const char *recipients, const char *received)
{
	return mem_printf(context,
		"Return-Path: <>\n%s"
		"From: MAILER-DAEMON@b.example\nTo: announce-bounces@lists.example.org\n"
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.b.example\n\n"
		"%s\n--b\nContent-Type: text/rfc822-headers\n\n%s"
		"From: announce@lists.example.org\nSubject: x\nMessage-ID: "
		"<1@lists.example.org>\n\n--b--\n",
		top, recipients, received);
}

#define TO(address) "Final-Recipient: rfc822; " address "\nAction: failed\n\n"
#define FORWARDED(mailed, final)                                                                   \
	"Original-Recipient: rfc822; " mailed "\nFinal-Recipient: rfc822; " final "\n"             \
	"Action: failed\n\n"

/* One dummy: the fakes above do not look at it. */
static char resolver_place;
#define RESOLVER ((struct resolver *)&resolver_place)

static struct evidence weigh(const void *context, const char *text, const char *name,
	const struct domain_config *domain, struct resolver *resolver)
{
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct mail *mail = mail_read(context, raw, NULL);
	struct weigh_input input = {.mail = mail,
		.bounce = classify_mail(context, mail),
		.domain = domain,
		.config = &config,
		.resolver = resolver};
	struct weighing weighing;

	weigh_bounce(context, &input, &weighing);
	for (size_t i = 0; i < weighing.count; i++) {
		if (strcmp(weighing.items[i].check, name) == 0)
			return weighing.items[i];
	}
	return (struct evidence){.result = "not run"};
}

static const struct {
	const char *what, *top, *recipients, *with_dns, *without_dns;
} standings[] = {
	{"its name is in the domain", MX_B, TO("ann@b.example"), "related", "related"},
	{"without a name, it is the MX", CLIENT("x", "unknown", "203.0.113.5"), TO("ann@b.example"),
		"related", "unavailable"},
	{"the HELO name is its own, and in the domain",
		CLIENT("helo.b.example", "unknown", "203.0.113.77"), TO("ann@b.example"), "related",
		"unavailable"},
	{"the HELO name is not its own", CLIENT("mx.b.example", "unknown", "198.51.100.66"),
		TO("ann@b.example"), "stranger", "unavailable"},
	{"the provider's other host",
		CLIENT("out7.provider.test", "out7.provider.test", "203.0.113.21"),
		TO("ann@hosted.test"), "related", "unavailable"},
	{"no MX: the host itself", CLIENT("x", "unknown", "203.0.113.30"), TO("ann@nomx.test"),
		"related", "unavailable"},
	{"IPv6", CLIENT("x", "unknown", "IPv6:2001:db8::25"), TO("ann@six.test"), "related",
		"unavailable"},
	{"allowed by SPF", CLIENT("x", "unknown", "203.0.113.40"), TO("ann@spf.test"), "related",
		"unavailable"},
	{"SPF has a passing fault", CLIENT("x", "unknown", "203.0.113.40"), TO("ann@temp.test"),
		"unavailable", "unavailable"},
	{"a stranger", CLIENT("mx.spam.test", "mx.spam.test", "198.51.100.66"), TO("ann@b.example"),
		"stranger", "unavailable"},
	{"the MX has no answer", CLIENT("mx.spam.test", "mx.spam.test", "198.51.100.66"),
		TO("ann@dead.test"), "unavailable", "unavailable"},
	{"the domain is not in DNS, which cannot be all",
		CLIENT("mx.spam.test", "mx.spam.test", "198.51.100.66"), TO("ann@gone.test"),
		"unavailable", "unavailable"},
	{"the MX's address has no answer", CLIENT("mx.spam.test", "mx.spam.test", "198.51.100.66"),
		TO("ann@halfdead.test"), "unavailable", "unavailable"},
	{"related to one, a stranger to the other", MX_B, TO("ann@b.example") TO("eve@six.test"),
		"stranger", "unavailable"},
	{"and the other way round", MX_B, TO("eve@six.test") TO("ann@b.example"), "stranger",
		"unavailable"},
	{"a stranger to the one that was mailed, at home at the one where it failed", MX_B,
		FORWARDED("ann@six.test", "ann@b.example"), "unavailable", "unavailable"},
	{"our server found its HELO to be true",
		CLIENT("mx.six.test", "unknown",
			"198.51.100.9") "Authentication-Results: lists.example.org; spf=pass "
					"smtp.helo=mx.six.test\n",
		TO("ann@six.test"), "related", "related"},
	{"our server found its signature to be true",
		CLIENT("x", "unknown",
			"198.51.100.9") "Authentication-Results: lists.example.org; dkim=pass "
					"header.d=provider.test\n",
		TO("ann@hosted.test"), "related", "unavailable"},
	{"our server found its HELO to be false",
		CLIENT("mx.six.test", "unknown",
			"198.51.100.9") "Authentication-Results: lists.example.org; spf=fail "
					"smtp.helo=mx.six.test\n",
		TO("ann@six.test"), "stranger", "unavailable"},
	{"somebody else says so",
		CLIENT("mx.six.test", "unknown",
			"198.51.100.9") "Authentication-Results: mx.six.test; spf=pass "
					"smtp.helo=mx.six.test\n",
		TO("ann@six.test"), "stranger", "unavailable"},
	{"our own host", CLIENT("lists.example.org", "lists.example.org", "192.0.2.10"),
		TO("ann@b.example"), "unavailable", "unavailable"},
	{"behind a filter", CLIENT("localhost", "localhost", "127.0.0.1"), TO("ann@b.example"),
		"unavailable", "unavailable"},
	{"nobody is named", MX_B, "Status: 5.0.0\n", "unavailable", "unavailable"},
	{"in too many domains", MX_B,
		TO("a@b.example") TO("a@b1.b.example") TO("a@b2.b.example") TO("a@b3.b.example")
			TO("a@b4.b.example") TO("a@b5.b.example"),
		"unavailable", "unavailable"},
};

START_TEST(stands)
{
	void *context = mem_context(NULL, "test");
	char *text = make_report(context, standings[_i].top, standings[_i].recipients, "");
	struct evidence with = weigh(context, text, "standing", &with_senders, RESOLVER);
	struct evidence without = weigh(context, text, "standing", &with_senders, NULL);

	ck_assert_msg(strcmp(with.result, standings[_i].with_dns) == 0, "%s: want %s, got %s (%s)",
		standings[_i].what, standings[_i].with_dns, with.result, with.detail);
	ck_assert_msg(strcmp(without.result, standings[_i].without_dns) == 0,
		"%s, without DNS: want %s, got %s (%s)", standings[_i].what,
		standings[_i].without_dns, without.result, without.detail);
	ck_assert_ptr_nonnull(with.detail);
	ck_assert_int_eq(with.weight, strcmp(with.result, "related") == 0    ? 4
				      : strcmp(with.result, "stranger") == 0 ? -12
									     : 0);
	mem_free(context);
}
END_TEST

#define FROM(address) "Received: from x (x [" address "]) by mx.b.example\n"

static const struct {
	const char *what, *received, *result;
	bool has_dns;
} hops[] = {
	{"allowed by our SPF record", FROM("192.0.2.10"), "ours", true},
	{"refused by it", FROM("198.51.100.66"), "foreign", true},
	{"softly refused by it", FROM("198.51.100.67"), "doubtful", true},
	{"it says nothing", FROM("198.51.100.68"), "unavailable", true},
	{"it could not be asked", FROM("198.51.100.69"), "unavailable", true},
	{"a host of ours below", FROM("198.51.100.66") FROM("192.0.2.10"), "forwarded", true},
	{"a line of ours right below: we did not hand it over",
		FROM("198.51.100.66") "Received: by mx.lists.example.org with LMTP id 3\n",
		"foreign", true},
	{"below a line that does not say where it came from",
		FROM("198.51.100.66") "Received: (qmail 1 invoked from network); 23 Nov 2026\n"
				      "Received: by mx.lists.example.org with LMTP id 3\n",
		"forwarded", true},
	{"below one that says it came from elsewhere",
		FROM("198.51.100.66")
			FROM("198.51.100.66") "Received: by mx.lists.example.org with LMTP id 3\n",
		"foreign", true},
	{"a forwarder's own line below",
		"Received: from f.test (out.f.test [198.51.100.66]) by mx.b.example\n"
		"Received: from lists.example.org (x [192.0.2.10]) by in.f.test\n",
		"forwarded", true},
	{"a reporter behind NAT, and a post that came to us",
		"Received: from lists.example.org (unknown [172.18.0.1]) by mx.b.example\n"
		"Received: from f.test (out.f.test [198.51.100.66]) by host1.hoster.test\n",
		"forwarded", true},
	{"a post that came to somebody else",
		"Received: from lists.example.org (unknown [172.18.0.1]) by mx.b.example\n"
		"Received: from f.test (out.f.test [198.51.100.66]) by host2.hoster.test\n",
		"foreign", true},
	{"the line of somebody else below",
		"Received: from f.test (out.f.test [198.51.100.66]) by mx.b.example\n"
		"Received: from lists.example.org (x [192.0.2.10]) by in.g.test\n",
		"unlinked", true},
	{"a forwarder behind a line of his own host",
		"Received: from f.test (out.f.test [198.51.100.66]) by mx.b.example\n"
		"Received: from localhost (localhost [127.0.0.1]) by localhost\n"
		"Received: from lists.example.org (x [192.0.2.10]) by in.f.test\n",
		"forwarded", true},
	{"a forwarder whose hosts have names of their own network alone",
		"Received: from f.test (out.f.test [198.51.100.66]) by mx.b.example\n"
		"Received: from lists.example.org (x [192.0.2.10]) by exch.corp.local\n",
		"forwarded", true},
	{"a forwarder that says HELO with such a name",
		"Received: from exch.corp.local (unknown [198.51.100.66]) by mx.b.example\n"
		"Received: from lists.example.org (x [192.0.2.10]) by in.f.test\n",
		"forwarded", true},
	{"the line of somebody else below a line of such a host",
		"Received: from f.test (out.f.test [198.51.100.66]) by mx.b.example\n"
		"Received: from gate.lan (gate.lan [10.0.0.1]) by exch.corp.local\n"
		"Received: from lists.example.org (x [192.0.2.10]) by in.g.test\n",
		"unlinked", true},
	{"who handed it on has no name",
		"Received: from [198.51.100.66] (unknown [198.51.100.66]) by mx.b.example\n"
		"Received: from lists.example.org (x [192.0.2.10]) by in.g.test\n",
		"forwarded", true},
	{"the line below could not be asked about", FROM("198.51.100.66") FROM("198.51.100.69"),
		"unavailable", true},
	{"more lines than are asked about",
		FROM("198.51.100.66") FROM("198.51.100.66") FROM("198.51.100.66")
			FROM("198.51.100.66") FROM("198.51.100.66") FROM("192.0.2.10"),
		"unavailable", true},
	{"DNS is not asked", FROM("192.0.2.10"), "unavailable", false},
};

START_TEST(finds_the_hop_by_spf)
{
	void *context = mem_context(NULL, "test");
	char *text = make_report(context,
		"Received: from mx.b.example (mx.b.example [203.0.113.5]) by host1.hoster.test\n",
		TO("ann@b.example"), hops[_i].received);
	struct evidence hop =
		weigh(context, text, "hop", &without_senders, hops[_i].has_dns ? RESOLVER : NULL);

	ck_assert_msg(strcmp(hop.result, hops[_i].result) == 0, "%s: want %s, got %s (%s)",
		hops[_i].what, hops[_i].result, hop.result, hop.detail);
	mem_free(context);
}
END_TEST

/* The answer is kept: hop and standing ask once. */
START_TEST(asks_once)
{
	void *context = mem_context(NULL, "test");
	char *text = make_report(context, CLIENT("x", "unknown", "203.0.113.5"),
		TO("ann@b.example"), FROM("192.0.2.10"));

	questions = 0;
	ck_assert_str_eq(weigh(context, text, "hop", &with_senders, RESOLVER).result, "ours");
	ck_assert_int_le(questions, 4); /* HELO's A and AAAA, MX, its A */
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("standing");
	TCase *tcase = tcase_create("standing");

	mail_library_open();
	tcase_add_loop_test(tcase, stands, 0, ROWS(standings));
	tcase_add_loop_test(tcase, finds_the_hop_by_spf, 0, ROWS(hops));
	tcase_add_test(tcase, asks_once);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
