/* test_reason.c: why a recipient failed: what words, codes and servers mean, and what counts first.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "classify/classify.h"
#include "classify/reason.h"

/* One recipient of a report in RFC 3464 form; NULL: the field is not there. */
static const struct {
	const char *status, *diagnostic, *remote, *words;
	enum reason reason;
	enum permanence permanence;
} rows[] = {
	/* words before codes */
	{"5.1.1", "550 5.1.1 mailbox is full", NULL, "", REASON_MAILBOXFULL, PERMANENCE_PERMANENT},
	{"5.1.1", "550 5.7.1 IP address blacklisted by recipient", NULL, "", REASON_BLOCKED,
		PERMANENCE_PERMANENT},
	{"4.0.0", "452 4.2.2 over quota", NULL, "", REASON_MAILBOXFULL, PERMANENCE_TEMPORARY},
	/* the code of the diagnostic before that of the field */
	{"5.0.0", "550 5.1.1 sorry", NULL, "", REASON_USERUNKNOWN, PERMANENCE_PERMANENT},
	{"5.1.6", "551 5.1.6 not our customer", NULL, "", REASON_HASMOVED, PERMANENCE_PERMANENT},
	/* a plain code before the words around it, a weak one after them */
	{"5.1.1", NULL, NULL, "We block spam: the host is blacklisted", REASON_USERUNKNOWN,
		PERMANENCE_PERMANENT},
	{"5.5.0", NULL, NULL, "mail.local: unknown user: ann", REASON_USERUNKNOWN,
		PERMANENCE_PERMANENT},
	{"4.4.7", NULL, NULL, "Deferred: 452 insufficient disk space", REASON_SYSTEMFULL,
		PERMANENCE_TEMPORARY},
	{"4.4.7", NULL, NULL, "", REASON_EXPIRED, PERMANENCE_TEMPORARY},
	{"5.4.7", NULL, NULL, "", REASON_EXPIRED, PERMANENCE_PERMANENT},
	/* a refusal by policy is no dead address */
	{"5.0.0", "550 no thanks", NULL, "", REASON_ONHOLD, PERMANENCE_PERMANENT},
	{"5.0.0", NULL, NULL, "", REASON_ONHOLD, PERMANENCE_PERMANENT},
	{"5.7.1", "550 5.7.1 rejected per DMARC policy for user unknown to us", NULL, "",
		REASON_AUTHFAILURE, PERMANENCE_PERMANENT},
	{"5.1.1", "550 5.1.1 message identified as spam", NULL, "", REASON_SPAMDETECTED,
		PERMANENCE_PERMANENT},
	{"5.7.1", "554 5.7.1 Client host [192.0.2.1] blocked using bl.example", NULL, "",
		REASON_BLOCKED, PERMANENCE_PERMANENT},
	{"5.7.1", "550 5.7.1 cannot find your reverse hostname, [192.0.2.1]", NULL, "",
		REASON_REQUIREPTR, PERMANENCE_PERMANENT},
	{"5.7.1", "554 5.7.1 <ann@example.net>: Relay access denied", NULL, "", REASON_NORELAYING,
		PERMANENCE_PERMANENT},
	/* the same words, another moment or another server */
	{"5.0.0", "550 Unknown user ann@example.net", NULL,
		"host mx.example.net said: 550 Unknown user (in reply to RCPT TO command)",
		REASON_USERUNKNOWN, PERMANENCE_PERMANENT},
	{"5.0.0", "550 Unknown user ann@example.net", NULL,
		"host mx.example.net said: 550 Unknown user (in reply to end of DATA command)",
		REASON_FILTERED, PERMANENCE_PERMANENT},
	{"5.0.0", "550 Unknown user ann@docomo.ne.jp", "mfsmax.docomo.ne.jp",
		"host mfsmax.docomo.ne.jp said: 550 (in reply to end of DATA command)",
		REASON_REJECTED, PERMANENCE_PERMANENT},
	{"5.4.1", "550 5.4.1 Recipient address rejected: Access denied", NULL, "",
		REASON_USERUNKNOWN, PERMANENCE_PERMANENT},
	/* the others */
	{"5.3.4", "552 5.3.4 Message size exceeds fixed limit", NULL, "", REASON_MESGTOOBIG,
		PERMANENCE_PERMANENT},
	{"5.1.2", NULL, NULL, "", REASON_HOSTUNKNOWN, PERMANENCE_PERMANENT},
	{"5.4.4", "Domain does not accept mail (nullMX)", NULL, "", REASON_NOTACCEPT,
		PERMANENCE_PERMANENT},
	{"5.4.6", "too many hops", NULL, "", REASON_NETWORKERROR, PERMANENCE_PERMANENT},
	{"4.7.0", "421 4.7.0 too many connections from your host", NULL, "", REASON_TOOMANYCONN,
		PERMANENCE_TEMPORARY},
	{"5.2.1", "550 5.2.1 This account has been disabled", NULL, "", REASON_SUSPEND,
		PERMANENCE_PERMANENT},
	{"5.3.0", "command died with status 17", NULL, "", REASON_MAILERERROR,
		PERMANENCE_PERMANENT},
	{"5.0.0", "554 virus detected", NULL, "", REASON_VIRUSDETECTED, PERMANENCE_PERMANENT},
	/* what looks like another reason */
	{"4.7.1", "451 4.7.650 has been temporarily rate limited due to IP reputation", NULL, "",
		REASON_BADREPUTATION, PERMANENCE_TEMPORARY},
	{"4.7.652", "451 4.7.652 exceeded the maximum number of connections", NULL, "",
		REASON_TOOMANYCONN, PERMANENCE_TEMPORARY},
	{"5.2.1", "550 5.2.1 This mailbox has been blocked due to inactivity", NULL, "",
		REASON_SUSPEND, PERMANENCE_PERMANENT},
	{"5.7.1", "550 5.7.1 flph829: Connections not accepted. Fix reverse DNS for 192.0.2.10",
		NULL, "", REASON_REQUIREPTR, PERMANENCE_PERMANENT},
	{"4.4.1",
		"connect to mx.example.net[192.0.2.25]:25: Connection timed out (delivery "
		"temporarily suspended)",
		NULL, "", REASON_EXPIRED, PERMANENCE_TEMPORARY},
	{"5.0.0", "552 Postfach ist voll", NULL, "", REASON_MAILBOXFULL, PERMANENCE_PERMANENT},
	/* a reply of several lines: its codes stand in the middle of a phrase, and sendmail's field
	 * has its first line only */
	{"5.7.1",
		"550-5.7.1 Our system has seen an unusual rate of 550-5.7.1 unsolicited mail from "
		"you. 550 5.7.1 Sorry",
		NULL, "", REASON_SPEEDING, PERMANENCE_PERMANENT},
	{"5.0.0", "554-Transaction failed", NULL,
		"... while talking to mx.example.net.:\n<<< 554-Transaction failed\n"
		"<<< 554-Reject due to SPF policy\n<<< 554 of the sender's domain\n"
		"554 5.0.0 Service unavailable",
		REASON_AUTHFAILURE, PERMANENCE_PERMANENT},
	{"4.4.7", "450-Requested mail action not taken: mailbox unavailable", NULL,
		">>> RCPT To:<ann@example.net>\n"
		"<<< 450-Requested mail action not taken: mailbox unavailable\n"
		"<<< 450 Mail send limit exceeded.\n"
		"<ann@example.net>... Deferred: 450-Requested mail action not taken",
		REASON_SPEEDING, PERMANENCE_TEMPORARY},
	/* Exim's 5.0.0 says nothing: the server's code does, then what happened */
	{"5.0.0", "451 4.7.1 Greylisted, come back later", NULL, "", REASON_BLOCKED,
		PERMANENCE_TEMPORARY},
	{"5.0.0", "421 too many connections", NULL, "", REASON_TOOMANYCONN, PERMANENCE_TEMPORARY},
	{"5.0.0", "retry timeout exceeded", NULL, "", REASON_EXPIRED, PERMANENCE_TEMPORARY},
	{"5.0.0", "Unrouteable address", NULL, "", REASON_HOSTUNKNOWN, PERMANENCE_PERMANENT},
	/* qmail gives up on a host, not on a message that has waited */
	{"5.0.0", "555 no. Giving up on 192.0.2.25.", NULL, "", REASON_SYNTAXERROR,
		PERMANENCE_PERMANENT},
	/* the names of hosts and the recipient's address are no words of the refusal */
	{"5.0.0", NULL, NULL,
		"SMTP error from remote mail server after RCPT TO:<ann@example.net>:\n"
		"host antispam.example.net [192.0.2.25]: 550 sorry",
		REASON_ONHOLD, PERMANENCE_PERMANENT},
	/* who is refused: at MAIL the sender, at the greeting his host */
	{"5.7.1", "550 5.7.1 <news@lists.example.org>... Access denied", NULL,
		"SMTP error from remote mail server after MAIL FROM:<news@lists.example.org>:\n"
		"550 5.7.1 <news@lists.example.org>... Access denied",
		REASON_REJECTED, PERMANENCE_PERMANENT},
	{"5.0.0", "550 5.0.0 Access denied", NULL,
		"... while talking to mx.example.net.:\n<<< 550 5.0.0 Access denied",
		REASON_BLOCKED, PERMANENCE_PERMANENT},
};

static void *context;

static void start(void)
{
	context = mem_context(NULL, "test");
}

static void stop(void)
{
	mem_free(context);
}

static const struct bounce *read_report(const char *words, const char *fields)
{
	char *text = mem_printf(context,
		"From: MAILER-DAEMON@mx.example.org\nTo: bounces@lists.example.org\n"
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: text/plain; charset=utf-8\n\n%s\n"
		"--b\nContent-Type: message/delivery-status\n\n"
		"Reporting-MTA: dns; mx.example.org\n\n%s\n--b--\n",
		words, fields);
	struct bytes raw = {(const unsigned char *)text, strlen(text)};

	return classify_mail(context, mail_read(context, raw, NULL));
}

static char *make_field(const char *name, const char *value)
{
	return value == NULL ? mem_strdup(context, "") : mem_printf(context, "%s%s\n", name, value);
}

START_TEST(words_and_codes)
{
	char *fields = mem_printf(context,
		"Final-Recipient: rfc822; ann@example.net\nAction: failed\nStatus: %s\n%s%s",
		rows[_i].status, make_field("Diagnostic-Code: smtp; ", rows[_i].diagnostic),
		make_field("Remote-MTA: dns; ", rows[_i].remote));
	const struct bounce *bounce =
		read_report(*rows[_i].words == '\0' ? "Returned." : rows[_i].words, fields);

	ck_assert_uint_eq(bounce->recipient_count, 1);
	const struct recipient *got = &bounce->recipients[0];
	ck_assert_msg(got->reason == rows[_i].reason, "%s \"%s\": got %s, want %s", rows[_i].status,
		rows[_i].diagnostic == NULL ? rows[_i].words : rows[_i].diagnostic,
		reason_name(got->reason), reason_name(rows[_i].reason));
	ck_assert_msg(got->permanence == rows[_i].permanence, "%s: permanence: got %d, want %d",
		rows[_i].status, got->permanence, rows[_i].permanence);
}
END_TEST

/* Each recipient has what the report says of him, not of another. */
START_TEST(paragraph_of_each)
{
	const struct bounce *bounce = read_report("<ann@example.net>: unknown user\n\n"
						  "<bob@example.net>: mailbox is full\n",
		"Final-Recipient: rfc822; ann@example.net\nAction: failed\nStatus: 5.0.0\n\n"
		"Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.0.0\n");

	ck_assert_uint_eq(bounce->recipient_count, 2);
	ck_assert_str_eq(reason_name(bounce->recipients[0].reason), "userunknown");
	ck_assert_str_eq(reason_name(bounce->recipients[1].reason), "mailboxfull");
}
END_TEST

START_TEST(delay_is_temporary)
{
	const struct bounce *bounce = read_report("Still trying.",
		"Final-Recipient: rfc822; ann@example.net\nAction: delayed\nStatus: 4.4.7\n");

	ck_assert_str_eq(reason_name(bounce->recipients[0].reason), "expired");
	ck_assert_int_eq(bounce->recipients[0].permanence, PERMANENCE_TEMPORARY);
}
END_TEST

/* Without any code, the reason says whether trying again can help; a refusal by policy says
 * nothing of the address. */
static const struct {
	const char *words;
	enum reason reason;
	enum permanence permanence;
} bare[] = {
	{"no such user", REASON_USERUNKNOWN, PERMANENCE_PERMANENT},
	{"host unknown", REASON_HOSTUNKNOWN, PERMANENCE_PERMANENT},
	{"mailbox is full", REASON_MAILBOXFULL, PERMANENCE_TEMPORARY},
	{"too many connections", REASON_TOOMANYCONN, PERMANENCE_TEMPORARY},
	{"message timed out", REASON_EXPIRED, PERMANENCE_TEMPORARY},
	{"rejected by DMARC policy", REASON_AUTHFAILURE, PERMANENCE_UNKNOWN},
	{"blocked using bl.example.net", REASON_BLOCKED, PERMANENCE_UNKNOWN},
	{"rejected as spam", REASON_SPAMDETECTED, PERMANENCE_UNKNOWN},
	{"a virus was found", REASON_VIRUSDETECTED, PERMANENCE_UNKNOWN},
	{"policy violation", REASON_POLICYVIOLATION, PERMANENCE_UNKNOWN},
};

START_TEST(permanence_without_code)
{
	const struct bounce *bounce = read_report(
		"Returned.", mem_printf(context,
				     "Final-Recipient: rfc822; ann@example.net\nAction: failed\n"
				     "Diagnostic-Code: x-local; %s\n",
				     bare[_i].words));

	ck_assert_uint_eq(bounce->recipient_count, 1);
	ck_assert_str_eq(reason_name(bounce->recipients[0].reason), reason_name(bare[_i].reason));
	ck_assert_msg(bounce->recipients[0].permanence == bare[_i].permanence,
		"\"%s\": permanence: got %d, want %d", bare[_i].words,
		bounce->recipients[0].permanence, bare[_i].permanence);
}
END_TEST

static const struct {
	const char *text, *status, *reply;
} codes[] = {
	{"550 5.1.1 no such user", "5.1.1", "550"},
	{"550-5.7.26 This mail", "5.7.26", "550"},
	{"sorry (#5.1.1)", "5.1.1", NULL},
	{"version 8.5.1.1 at 192.0.2.1", NULL, NULL},
	/* a code of success only where a field or a reply begins with it */
	{"not contacted for 3 days. (Mail Server 2.2.2)", NULL, NULL},
	{"2.1.5 (delivered)", "2.1.5", NULL},
	{"250 2.1.5 Ok", "2.1.5", NULL},
	{"port 4500 or 5501", NULL, NULL},
	{"6.1.1 and 650", NULL, NULL},
	{"", NULL, NULL},
};

START_TEST(codes_in_text)
{
	const char *status = reason_find_status(context, codes[_i].text);
	const char *reply = reason_find_reply(context, codes[_i].text);

	ck_assert_pstr_eq(status, codes[_i].status);
	ck_assert_pstr_eq(reply, codes[_i].reply);
}
END_TEST

/* A regex becomes machine code when it was used a few times: it must find the same then. */
START_TEST(same_at_each_use)
{
	for (int i = 0; i < 20; i++) {
		const struct bounce *bounce =
			read_report("<ann@example.net>: У получателя закончилось место в ящике\n",
				"Final-Recipient: rfc822; ann@example.net\nAction: failed\n"
				"Status: 5.0.0\n");
		ck_assert_uint_eq(bounce->recipient_count, 1);
		ck_assert_msg(bounce->recipients[0].reason == REASON_MAILBOXFULL,
			"use %d: got %s, want mailboxfull", i,
			reason_name(bounce->recipients[0].reason));
	}
}
END_TEST

int main(void)
{
	mail_library_open();
	Suite *suite = suite_create("reason");
	TCase *tests = tcase_create("reason");

	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_loop_test(tests, words_and_codes, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tests, codes_in_text, 0, sizeof(codes) / sizeof(codes[0]));
	tcase_add_loop_test(tests, permanence_without_code, 0, sizeof(bare) / sizeof(bare[0]));
	tcase_add_test(tests, paragraph_of_each);
	tcase_add_test(tests, same_at_each_use);
	tcase_add_test(tests, delay_is_temporary);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
