/* test_postfix_log.c: lines of Postfix's log, one message and many. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cmd/postfix_log.h"

#define LINES_MAX 10
#define NOW INT64_C(1795461562) /* 2026-11-23T19:19:22Z */

#define CLEANUP "Nov 23 19:00:00 mx postfix/cleanup[11]: 3F2A91C0DE: message-id=<m1@x.example>"
#define QMGR                                                                                       \
	"Nov 23 19:00:01 mx postfix/qmgr[12]: 3F2A91C0DE: from=<l-bounces@x.example>, size=900, "  \
	"nrcpt=1 (queue active)"
#define SMTP                                                                                       \
	"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<ann@y.example>, "                    \
	"relay=mx.y.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 "  \
	"ok)"
#define TO "to=<ann@y.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, "

/* want: what the last line gives, see describe(); time 1795460402 is 19:00:02. */
static const struct {
	const char *what;
	const char *lines[LINES_MAX];
	const char *want;
} rows[] = {
	{"a delivery", {CLEANUP, QMGR, SMTP},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"deferred",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=deferred (connect timed out)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"bounced",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=bounced (550 no)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"lmtp",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/lmtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"relay, with its own part of the name",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/relay/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"a host given up on",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/error[13]: 3F2A91C0DE: " TO
			"status=deferred (delivery temporarily suspended)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"the address before aliases",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<ann@y.example>, "
			"orig_to=<Staff@X.example>, relay=mx.y.example[192.0.2.1]:25, status=sent "
			"(250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example staff@x.example"},
	{"ISO times",
		{CLEANUP, QMGR,
			"2026-11-23T20:00:02.123456+01:00 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"ISO times in UTC",
		{CLEANUP, QMGR,
			"2026-11-23T19:00:02Z mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"ISO times west of Greenwich",
		{CLEANUP, QMGR,
			"2026-11-23T13:30:02,5-0530 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"a day with one digit",
		{CLEANUP, QMGR,
			"Nov  3 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1793732402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"a later day is last year's",
		{CLEANUP, QMGR,
			"Dec 31 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1767207602 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"29 February is the last one's",
		{CLEANUP, QMGR,
			"Feb 29 12:00:00 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1709208000 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"a clock ahead of ours is now",
		{CLEANUP, QMGR,
			"Nov 23 21:00:00 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795461562 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"long queue ids, in letters of both cases",
		{"Nov 23 19:00:00 mx postfix/cleanup[11]: 4gXbKz1234zQ5w: "
		 "message-id=<m1@x.example>",
			"Nov 23 19:00:01 mx postfix/qmgr[12]: 4gXbKz1234zQ5w: from=<a@x.example>, "
			"size=900, nrcpt=1 (queue active)",
			"Nov 23 19:00:02 mx postfix/smtp[13]: 4gXbKz1234zQ5w: " TO
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> a@x.example ann@y.example -"},
	{"queue ids that differ in case differ",
		{"Nov 23 19:00:00 mx postfix/cleanup[11]: 4gXbKz1234zQ5w: "
		 "message-id=<m1@x.example>",
			"Nov 23 19:00:01 mx postfix/qmgr[12]: 4gXbKz1234zQ5w: from=<a@x.example>, "
			"size=900, nrcpt=1 (queue active)",
			"Nov 23 19:00:02 mx postfix/smtp[13]: 4gXbKz1234zQ5W: " TO
			"status=sent (250 ok)"},
		"unjoined"},
	{"another instance with the same queue id",
		{"Nov 23 19:00:00 mx postfix-out/cleanup[11]: 3F2A91C0DE: "
		 "message-id=<out@x.example>",
			"Nov 23 19:00:00 mx postfix-out/qmgr[11]: 3F2A91C0DE: from=<b@x.example>, "
			"size=1, nrcpt=1 (queue active)",
			CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix-out/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795460402 <out@x.example> b@x.example ann@y.example -"},
	{"a service with a name of its own",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix-tls/smtp[13]: 3F2A91C0DE: " TO
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example -"},
	{"quotes, and a bracket within",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<\"a>, "
			"b\"@y.example>, relay=none, status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example \"a>, b\"@y.example -"},
	{"null sender",
		{CLEANUP,
			"Nov 23 19:00:01 mx postfix/qmgr[12]: 3F2A91C0DE: from=<>, size=900, "
			"nrcpt=1 (queue active)",
			SMTP},
		"1795460402 <m1@x.example>  ann@y.example -"},
	{"Message-ID without brackets",
		{"Nov 23 19:00:00 mx postfix/cleanup[11]: 3F2A91C0DE: message-id=m1 ", QMGR, SMTP},
		"1795460402 m1 l-bounces@x.example ann@y.example -"},
	{"no Message-ID",
		{"Nov 23 19:00:00 mx postfix/cleanup[11]: 3F2A91C0DE: message-id=<>", QMGR, SMTP},
		"1795460402 none l-bounces@x.example ann@y.example -"},
	{"a log that begins in the middle", {QMGR, SMTP}, "unjoined"},
	{"a log without qmgr's line", {CLEANUP, SMTP}, "unjoined"},
	{"the queue id is free again",
		{CLEANUP, QMGR, "Nov 23 19:00:03 mx postfix/qmgr[12]: 3F2A91C0DE: removed", SMTP},
		"unjoined"},
	{"the queue id was used again",
		{CLEANUP, QMGR,
			"Nov 23 19:00:03 mx postfix/cleanup[12]: 3F2A91C0DE: "
			"message-id=<m2@x.example>",
			SMTP},
		"unjoined"},
	{"a Message-ID that looks like a delivery",
		{"Nov 23 19:00:00 mx postfix/cleanup[11]: 3F2A91C0DE: message-id=<3F2A91C0DE: "
		 "to=<eve@z.example>, status=sent (250)>",
			QMGR, SMTP},
		"1795460402 <3F2A91C0DE: to=<eve@z.example>, status=sent (250)> "
		"l-bounces@x.example ann@y.example -"},
	{"delivered on this host",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/local[13]: 3F2A91C0DE: " TO
			"status=sent (delivered to mailbox)"},
		"1795460402 <m1@x.example> l-bounces@x.example ann@y.example - local"},
	{"an address probe",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: " TO
			"status=deliverable (250 ok)"},
		"other"},
	{"a recipient that is no address",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<ann>, relay=none, "
			"status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example unread -"},
	{"a recipient that does not end",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<\"ann@y.example>, "
			"relay=none, status=sent (250 ok)"},
		"1795460402 <m1@x.example> l-bounces@x.example unread -"},
	{"a delivery that was cut within the recipient",
		{CLEANUP, QMGR, "Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<ann@y.ex"},
		"unjoined"},
	{"a delivery that was cut behind the recipient",
		{CLEANUP, QMGR,
			"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<ann@y.example>, rel"},
		"unjoined"},
	{"smtp without a queue id",
		{"Nov 23 19:00:02 mx postfix/smtp[13]: connect to mx.y.example[192.0.2.1]:25: "
		 "Connection refused"},
		"other"},
	{"a warning",
		{"Nov 23 19:00:02 mx postfix/smtpd[13]: warning: hostname x does not resolve"},
		"other"},
	{"another program",
		{"Nov 23 19:00:02 mx dovecot: lmtp(ann): 3F2A91C0DE: " TO "status=sent (250 ok)"},
		"foreign"},
	{"another program with a slash", {"Nov 23 19:00:02 mx exim/rewrite[13]: 3F2A91C0DE: x"},
		"foreign"},
	{"no time", {"mx postfix/smtp[13]: 3F2A91C0DE: " TO "status=sent (250 ok)"}, "foreign"},
	{"no such month", {"Nuv 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: x"}, "foreign"},
	{"no such day", {"2026-02-30T19:00:02Z mx postfix/smtp[13]: 3F2A91C0DE: x"}, "foreign"},
	{"a time without zone", {"2026-02-20T19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: x"},
		"foreign"},
	{"an empty line", {""}, "foreign"},
	{"cut in the middle of the time", {"Nov 23 19:0"}, "foreign"},
	{"cut behind the time", {"Nov 23 19:00:02 "}, "foreign"},
	{"cut behind the host", {"Nov 23 19:00:02 mx"}, "foreign"},
	{"cut in the program", {"Nov 23 19:00:02 mx postfix/smtp["}, "foreign"},
	{"cut in the queue id", {"Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A"}, "other"},
};

static char *describe(const void *context, enum postfix_line kind, const struct postfix_sent *sent)
{
	switch (kind) {
	case POSTFIX_LINE_FOREIGN:
		return mem_strdup(context, "foreign");
	case POSTFIX_LINE_OTHER:
		return mem_strdup(context, "other");
	case POSTFIX_LINE_UNJOINED:
		return mem_strdup(context, "unjoined");
	case POSTFIX_LINE_SENT:
		break;
	}
	return mem_printf(context, "%" PRId64 " %s %s %s %s%s", sent->time_s,
		sent->message_id != NULL ? sent->message_id : "none", sent->sender,
		sent->recipient != NULL ? sent->recipient : "unread",
		sent->original_recipient != NULL ? sent->original_recipient : "-",
		sent->is_local ? " local" : "");
}

static enum postfix_line read_text(
	struct postfix_log *log, const char *text, struct postfix_sent *sent_out)
{
	/* On the heap and without NUL, so that ASan sees a step too far. */
	unsigned char *copy = mem_memdup(log, text, strlen(text));
	enum postfix_line kind =
		postfix_log_read(log, (struct bytes){copy, strlen(text)}, sent_out);

	mem_free(copy);
	return kind;
}

static void use_time_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

START_TEST(last_line)
{
	void *context = mem_context(NULL, "test");
	struct postfix_log *log = postfix_log_new(context, NOW, POSTFIX_LOG_TRACKED_MAX);
	enum postfix_line kind = POSTFIX_LINE_FOREIGN;
	struct postfix_sent sent;
	const char *got;

	use_time_zone("UTC");
	for (size_t i = 0; i < LINES_MAX && rows[_i].lines[i] != NULL; i++)
		kind = read_text(log, rows[_i].lines[i], &sent);
	got = describe(context, kind, &sent);
	ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s:\n got %s\nwant %s", rows[_i].what, got,
		rows[_i].want);
	mem_free(context);
}
END_TEST

#define SMTPD "Nov 23 19:00:00 mx postfix/smtpd[9]: 3F2A91C0DE: client="

/* Where the message came from, as its first line says; and it is kept over a restart. */
static const struct {
	const char *first; /* NULL: none */
	const char *client;
	bool is_known, is_authenticated;
} origins[] = {
	{SMTPD "mail.spam.example[198.51.100.9]", "198.51.100.9", true, false},
	{SMTPD "unknown[2001:db8::1], sasl_method=PLAIN, sasl_username=ann", "2001:db8::1", true,
		true},
	{SMTPD "x", "unknown", true, false},
	{"Nov 23 19:00:00 mx postfix/pickup[9]: 3F2A91C0DE: uid=0 from=<root>", NULL, true, false},
	{NULL, NULL, false, false},
};

static void copy_open(void *argument, const struct postfix_open *open)
{
	postfix_log_restore(argument, open);
}

START_TEST(origin_is_known)
{
	void *context = mem_context(NULL, "test");
	struct postfix_log *log = postfix_log_new(context, NOW, 10);
	struct postfix_log *later = postfix_log_new(context, NOW, 10);
	struct postfix_sent sent;

	use_time_zone("UTC");
	if (origins[_i].first != NULL)
		read_text(log, origins[_i].first, &sent);
	read_text(log, CLEANUP, &sent);
	read_text(log, QMGR, &sent);
	postfix_log_walk(log, copy_open, later);
	ck_assert_uint_eq(postfix_log_tracked(later), 1);
	ck_assert_int_eq(
		read_text(later,
			"Nov 23 19:00:02 mx postfix/virtual[13]: 3F2A91C0DE: to=<ann@y.example>, "
			"relay=virtual, delay=1, status=sent (delivered to maildir)",
			&sent),
		POSTFIX_LINE_SENT);
	ck_assert(sent.is_local);
	ck_assert_str_eq(sent.message_id, "<m1@x.example>");
	ck_assert_str_eq(sent.sender, "l-bounces@x.example");
	ck_assert_pstr_eq(sent.client, origins[_i].client);
	ck_assert(sent.is_known == origins[_i].is_known);
	ck_assert(sent.is_authenticated == origins[_i].is_authenticated);
	mem_free(context);
}
END_TEST

#define AT "Nov 23 19:00:05 mx postfix/"
#define STRANGER AT "smtpd[9]: 3F2A91C0DE: client=mail.spam.example[198.51.100.9]"
#define MEMBER STRANGER ", sasl_method=PLAIN, sasl_username=ann"
#define REMOVED AT "qmgr[9]: 3F2A91C0DE: removed"
#define AGAIN AT "smtpd[9]: 4F2A91C0DE: client=localhost[127.0.0.1]"
#define AGAIN_BY_HAND AT "pickup[9]: 4F2A91C0DE: uid=99 from=<filter>"
#define AGAIN_CLEANUP AT "cleanup[9]: 4F2A91C0DE: message-id=<m1@x.example>"
#define OTHER_CLEANUP AT "cleanup[9]: 4F2A91C0DE: message-id=<m2@x.example>"
#define AGAIN_QMGR                                                                                 \
	AT "qmgr[9]: 4F2A91C0DE: from=<l-bounces@x.example>, size=1, nrcpt=1 (queue active)"
#define MAILMAN_QMGR                                                                               \
	AT "qmgr[9]: 4F2A91C0DE: from=<o-bounces@x.example>, size=1, nrcpt=1 (queue active)"
#define NULL_QMGR AT "qmgr[9]: 4F2A91C0DE: from=<>, size=1, nrcpt=1 (queue active)"
#define AGAIN_SMTP AT "smtp[9]: 4F2A91C0DE: " TO "status=sent (250 ok)"

/* A message that is handed in anew, as 4F2A91C0DE: who brought it first. */
static const struct {
	const char *what;
	const char *lines[LINES_MAX];
	const char *want; /* NULL: nobody, or nobody knows */
	bool is_authenticated;
} anew[] = {
	{"by a filter", {STRANGER, CLEANUP, QMGR, AGAIN, AGAIN_CLEANUP, AGAIN_QMGR}, "198.51.100.9",
		false},
	{"by a filter, after the end of the first",
		{STRANGER, CLEANUP, QMGR, REMOVED, AGAIN, AGAIN_CLEANUP, AGAIN_QMGR},
		"198.51.100.9", false},
	{"by a filter's sendmail",
		{STRANGER, CLEANUP, QMGR, REMOVED, AGAIN_BY_HAND, AGAIN_CLEANUP, AGAIN_QMGR},
		"198.51.100.9", false},
	{"by an alias of local(8)", {STRANGER, CLEANUP, QMGR, AGAIN_CLEANUP, AGAIN_QMGR},
		"198.51.100.9", false},
	{"from a member, by a filter", {MEMBER, CLEANUP, QMGR, AGAIN, AGAIN_CLEANUP, AGAIN_QMGR},
		NULL, false},
	{"from here, by a filter",
		{AT "pickup[9]: 3F2A91C0DE: uid=0 from=<root>", CLEANUP, QMGR, AGAIN, AGAIN_CLEANUP,
			AGAIN_QMGR},
		NULL, false},
	{"from a log that began later, by a filter",
		{CLEANUP, QMGR, AGAIN, AGAIN_CLEANUP, AGAIN_QMGR}, NULL, false},
	{"by Mailman, with its own sender",
		{STRANGER, CLEANUP, QMGR, AGAIN, AGAIN_CLEANUP, MAILMAN_QMGR}, NULL, false},
	{"another message", {STRANGER, CLEANUP, QMGR, AGAIN, OTHER_CLEANUP, AGAIN_QMGR}, NULL,
		false},
	{"a bounce", {STRANGER, CLEANUP, QMGR, AGAIN, AGAIN_CLEANUP, NULL_QMGR}, NULL, false},
	{"ours at first, then on its way back, then the rest of it",
		{AGAIN, AGAIN_CLEANUP, AGAIN_QMGR, STRANGER, CLEANUP, QMGR, REMOVED, AGAIN,
			AGAIN_CLEANUP, AGAIN_QMGR},
		"127.0.0.1", false},
	{"XFORWARD names the queue id",
		{STRANGER, CLEANUP, QMGR,
			AGAIN ", orig_queue_id=3F2A91C0DE, orig_client=x[198.51.100.8]",
			OTHER_CLEANUP, AGAIN_QMGR},
		"198.51.100.9", false},
	{"XFORWARD names that of a member",
		{MEMBER, CLEANUP, QMGR,
			AGAIN ", orig_queue_id=3F2A91C0DE, orig_client=x[198.51.100.9]",
			OTHER_CLEANUP, AGAIN_QMGR},
		NULL, true},
	{"XFORWARD names one that is not in the log",
		{AGAIN ", orig_queue_id=7F2A91C0DE, orig_client=x[198.51.100.8]", AGAIN_CLEANUP,
			AGAIN_QMGR},
		"198.51.100.8", false},
	{"XFORWARD from a proxy, which has none",
		{AT "smtpd[8]: NOQUEUE: client=friend[192.0.2.9]",
			AGAIN ", orig_queue_id=NOQUEUE, orig_client=x[198.51.100.8]", AGAIN_CLEANUP,
			AGAIN_QMGR},
		"198.51.100.8", false},
	{"XFORWARD with an overlong id",
		{AGAIN ", orig_queue_id=0123456789012345678901234567890123456789", AGAIN_CLEANUP,
			AGAIN_QMGR},
		NULL, false},
};

START_TEST(first_client)
{
	void *context = mem_context(NULL, "test");
	struct postfix_log *log = postfix_log_new(context, NOW, 10);
	struct postfix_log *later = postfix_log_new(context, NOW, 10);
	struct postfix_sent sent;

	use_time_zone("UTC");
	for (size_t i = 0; i < LINES_MAX && anew[_i].lines[i] != NULL; i++)
		read_text(log, anew[_i].lines[i], &sent);
	postfix_log_walk(log, copy_open, later);
	for (int i = 0; i < 2; i++) {
		const char *when = i == 0 ? "at once" : "after a restart";

		ck_assert_int_eq(
			read_text(i == 0 ? log : later, AGAIN_SMTP, &sent), POSTFIX_LINE_SENT);
		ck_assert_msg((sent.first_client == NULL) == (anew[_i].want == NULL) &&
				      (anew[_i].want == NULL ||
					      strcmp(sent.first_client, anew[_i].want) == 0),
			"%s, %s: got %s, want %s", anew[_i].what, when,
			sent.first_client == NULL ? "nobody" : sent.first_client,
			anew[_i].want == NULL ? "nobody" : anew[_i].want);
		ck_assert_msg(sent.is_authenticated == anew[_i].is_authenticated,
			"%s, %s: logged in: got %d", anew[_i].what, when, sent.is_authenticated);
	}
	mem_free(context);
}
END_TEST

/* syslog writes local time: 19:00:02 in New York is 5 hours later in UTC, and that is later than
 * now, though not by a day. */
START_TEST(local_time)
{
	void *context = mem_context(NULL, "test");
	struct postfix_log *log = postfix_log_new(context, NOW, POSTFIX_LOG_TRACKED_MAX);
	struct postfix_sent sent;
	const char *got;

	use_time_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	read_text(log, CLEANUP, &sent);
	read_text(log, QMGR, &sent);
	got = describe(context, read_text(log, SMTP, &sent), &sent);
	ck_assert_msg(strncmp(got, "1795456802 ", 11) == 0, "got %s, want 18:00:02Z", got);
	use_time_zone("EST5EDT,M3.2.0,M11.1.0");
	log = postfix_log_new(context, NOW, POSTFIX_LOG_TRACKED_MAX);
	read_text(log, CLEANUP, &sent);
	read_text(log, QMGR, &sent);
	got = describe(context, read_text(log, SMTP, &sent), &sent);
	ck_assert_msg(strncmp(got, "1795461562 ", 11) == 0,
		"got %s, want now, not a time of last year", got);
	use_time_zone("UTC");
	mem_free(context);
}
END_TEST

/* Every line cut at every byte: no crash, and nothing is recorded from half a line that is not in
 * the whole one. */
START_TEST(cut_lines)
{
	void *context = mem_context(NULL, "test");
	struct postfix_sent sent;

	use_time_zone("UTC");
	for (size_t cut = 0; cut < strlen(SMTP); cut++) {
		struct postfix_log *log = postfix_log_new(context, NOW, 10);
		char *line = mem_strndup(context, SMTP, cut);

		read_text(log, CLEANUP, &sent);
		read_text(log, QMGR, &sent);
		if (read_text(log, line, &sent) == POSTFIX_LINE_SENT)
			ck_assert_str_eq(sent.recipient, "ann@y.example");
		mem_free(log);
	}
	mem_free(context);
}
END_TEST

START_TEST(hostile_bytes)
{
	void *context = mem_context(NULL, "test");
	struct postfix_log *log = postfix_log_new(context, NOW, 10);
	const size_t size = 100 * 1000;
	unsigned char *line = mem_alloc(context, size);
	struct postfix_sent sent;

	memset(line, 'a', size);
	memcpy(line, CLEANUP, strlen(CLEANUP));
	/* A Message-ID of 100 KB is none; a NUL ends nothing. */
	postfix_log_read(log, (struct bytes){line, size}, &sent);
	read_text(log, QMGR, &sent);
	ck_assert_int_eq(read_text(log, SMTP, &sent), POSTFIX_LINE_SENT);
	ck_assert_ptr_null(sent.message_id);
	/* A recipient of 100 KB is none, and the line has no end. */
	read_text(log, CLEANUP, &sent);
	read_text(log, QMGR, &sent);
	memset(line, 'a', size);
	memcpy(line, SMTP, strlen(SMTP) - 80);
	ck_assert_int_eq(
		postfix_log_read(log, (struct bytes){line, size}, &sent), POSTFIX_LINE_UNJOINED);
	memset(line, 0, size);
	ck_assert_int_eq(
		postfix_log_read(log, (struct bytes){line, size}, &sent), POSTFIX_LINE_FOREIGN);
	ck_assert_int_eq(
		postfix_log_read(log, (struct bytes){NULL, 0}, &sent), POSTFIX_LINE_FOREIGN);
	mem_free(context);
}
END_TEST

static enum postfix_line read_formatted(
	struct postfix_log *log, const char *format, int number, struct postfix_sent *sent_out)
{
	char *line = mem_printf(log, format, number);
	enum postfix_line kind = read_text(log, line, sent_out);

	mem_free(line);
	return kind;
}

#define CLEANUP_N "Nov 23 19:00:00 mx postfix/cleanup[1]: %08X: message-id=<m@x.example>"
#define QMGR_N "Nov 23 19:00:00 mx postfix/qmgr[1]: %08X: from=<a@x.example>, size=1, nrcpt=1"
#define SMTP_N "Nov 23 19:00:00 mx postfix/smtp[1]: %08X: " TO "status=sent (ok)"

/* The oldest is forgotten, the others are not. */
START_TEST(tracked_cap)
{
	void *context = mem_context(NULL, "test");
	struct postfix_log *log = postfix_log_new(context, NOW, 100);
	struct postfix_sent sent;

	use_time_zone("UTC");
	for (int i = 0; i < 101; i++) {
		read_formatted(log, CLEANUP_N, i, &sent);
		read_formatted(log, QMGR_N, i, &sent);
	}
	ck_assert_uint_eq(postfix_log_tracked(log), 100);
	ck_assert_int_eq(read_formatted(log, SMTP_N, 0, &sent), POSTFIX_LINE_UNJOINED);
	for (int i = 1; i < 101; i++)
		ck_assert_int_eq(read_formatted(log, SMTP_N, i, &sent), POSTFIX_LINE_SENT);
	for (int i = 100; i >= 0; i -= 2)
		read_formatted(log, "Nov 23 19:00:00 mx postfix/qmgr[1]: %08X: removed", i, &sent);
	ck_assert_uint_eq(postfix_log_tracked(log), 50);
	for (int i = 1; i < 101; i += 2)
		ck_assert_int_eq(read_formatted(log, SMTP_N, i, &sent), POSTFIX_LINE_SENT);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("postfix_log");
	TCase *cases = tcase_create("postfix_log");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(cases, origin_is_known, 0, (int)(sizeof origins / sizeof origins[0]));
	tcase_add_loop_test(cases, first_client, 0, (int)(sizeof anew / sizeof anew[0]));
	tcase_add_loop_test(cases, last_line, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(cases, local_time);
	tcase_add_test(cases, cut_lines);
	tcase_add_test(cases, hostile_bytes);
	tcase_add_test(cases, tracked_cap);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
