/*
 * test_compose.c: what is handed to sendmail, byte by byte, and read back by our own reader.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "act/compose.h"
#include "act/encode.h"
#include "base/memory.h"
#include "read/mail.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define TOKEN "aaaabbbbccccddddeeeeffff"

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

static struct bytes of_text(const char *text)
{
	return (struct bytes){(const unsigned char *)text, strlen(text)};
}

static char *as_text(struct bytes bytes)
{
	return mem_strndup(context, (const char *)bytes.data, bytes.size);
}

static const char *const owners[] = {"alice@example.org", "bob@example.net"};

static struct notice plain_notice(void)
{
	return (struct notice){
		.list = "announce@lists.example.org",
		.subject = "Bounce: ann@example.net (userunknown)",
		.verdict = "genuine",
		.kind = "failed",
		.score = 61,
		.text = "The address ann@example.net failed.\n",
		.report = of_text("Reporting-MTA: dns; mx.example.net\n\n"
				  "Final-Recipient: rfc822; ann@example.net\nAction: failed\n"
				  "Status: 5.1.1\n"),
		.original_headers = of_text("From: announce@lists.example.org\nSubject: News\n"),
		.time_s = 1795461562,
	};
}

static struct compose_facts facts_of(const struct notice *notice)
{
	return (struct compose_facts){notice, owners, LENGTH(owners), "host.example.org", TOKEN};
}

static char *compose(const struct notice *notice)
{
	struct compose_facts facts = facts_of(notice);

	return as_text(compose_summary(context, &facts));
}

/* ---- encodings ---- */

static const struct {
	const char *text;
	const char *want;
} quoted_rows[] = {
	{"", ""},
	{"plain\n", "plain\n"},
	{"a=b", "a=3Db"},
	{"caf\xC3\xA9\n", "caf=C3=A9\n"},
	{"end \nend\t\nend ", "end=20\nend=09\nend=20"},
	{"bell\a cr\r nul", "bell=07 cr=0D nul"},
	/* 75 characters and a soft break; what follows begins a line. */
	{"123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789",
		"123456789 123456789 123456789 123456789 123456789 123456789 123456789 12345=\n"
		"6789"},
	/* An escape is not taken apart. */
	{"123456789 123456789 123456789 123456789 123456789 123456789 123456789 123\xC3\xA9",
		"123456789 123456789 123456789 123456789 123456789 123456789 123456789 123=\n"
		"=C3=A9"},
};

START_TEST(quoted_printable)
{
	struct output output = {.context = context};
	const char *got;

	encode_quoted_printable(&output, of_text(quoted_rows[_i].text));
	got = as_text((struct bytes){output.data, output.size});
	ck_assert_msg(strcmp(got, quoted_rows[_i].want) == 0, "got \"%s\", want \"%s\"", got,
		quoted_rows[_i].want);
}
END_TEST

static const struct {
	size_t size; /* of 'a' */
	const char *want;
} base64_rows[] = {
	{0, ""},
	{1, "YQ==\n"},
	{2, "YWE=\n"},
	{3, "YWFh\n"},
	{54, "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\n"},
	{55, "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\nYQ==\n"},
};

START_TEST(base64)
{
	static const unsigned char letters[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct output output = {.context = context};
	const char *got;

	encode_base64(&output, (struct bytes){letters, base64_rows[_i].size});
	got = as_text((struct bytes){output.data, output.size});
	ck_assert_msg(strcmp(got, base64_rows[_i].want) == 0, "%zu bytes: got \"%s\", want \"%s\"",
		base64_rows[_i].size, got, base64_rows[_i].want);
}
END_TEST

/* ---- subject ---- */

static const struct {
	const char *subject;
	const char
		*want; /* as it stands in the message; NULL: only what it decodes to is checked */
	const char *decoded;
} subject_rows[] = {
	{"Bounce: ann@example.net", "Subject: Bounce: ann@example.net\n",
		"Bounce: ann@example.net"},
	{NULL, "Subject: \n", NULL},
	/* Nothing gets out of the field. */
	{"one\nBcc: eve@example.com", "Subject: one Bcc: eve@example.com\n",
		"one Bcc: eve@example.com"},
	{"one\r\n\r\nbody", "Subject: one body\n", "one body"},
	/* What looks like an encoded word is one only if we wrote it. */
	{"=?utf-8?q?x?=", "Subject: =?UTF-8?Q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=\n", "=?utf-8?q?x?="},
	{"Zur\xC3\xBC"
	 "ck",
		"Subject: =?UTF-8?Q?Zur=C3=BCck?=\n",
		"Zur\xC3\xBC"
		"ck"},
	{"This subject is a good deal longer than the seventy-six columns that a line may have, "
	 "and folded",
		"Subject: This subject is a good deal longer than the seventy-six columns\n"
		" that a line may have, and folded\n",
		"This subject is a good deal longer than the seventy-six columns that a line may "
		"have, and folded"},
	/* A character is not taken apart where a word ends. */
	{"123456789 123456789 123456789 12345678\xE2\x82\xAC and more to come, and still more "
	 "\xE2\x82\xAC",
		NULL,
		"123456789 123456789 123456789 12345678\xE2\x82\xAC and more to come, and still "
		"more \xE2\x82\xAC"},
	{"123456789 123456789 123456789 123456\xF0\x9F\x93\xAC\xF0\x9F\x93\xAC\xF0\x9F\x93\xAC",
		NULL,
		"123456789 123456789 123456789 "
		"123456\xF0\x9F\x93\xAC\xF0\x9F\x93\xAC\xF0\x9F\x93\xAC"},
};

START_TEST(subject)
{
	struct notice notice = plain_notice();
	char *message;
	const char *got;

	notice.subject = subject_rows[_i].subject;
	message = compose(&notice);
	if (subject_rows[_i].want != NULL) {
		ck_assert_msg(strstr(message, subject_rows[_i].want) != NULL, "want \"%s\" in:\n%s",
			subject_rows[_i].want, message);
	}
	if (subject_rows[_i].decoded == NULL)
		return;
	got = header_decode(context,
		headers_find(&mail_read(context, of_text(message), NULL)->headers, "Subject"));
	ck_assert_msg(got != NULL && strcmp(got, subject_rows[_i].decoded) == 0,
		"decoded: got \"%s\", want \"%s\"", got, subject_rows[_i].decoded);
}
END_TEST

START_TEST(subject_has_a_cap)
{
	struct notice notice = plain_notice();
	char *text = mem_alloc(context, 5001);

	for (size_t i = 0; i < 5000; i += 2)
		memcpy(text + i, "\xC3\xA9", 2);
	notice.subject = text;
	const char *message = compose(&notice);
	const char *got = header_decode(context,
		headers_find(&mail_read(context, of_text(message), NULL)->headers, "Subject"));

	ck_assert_uint_le(strlen(got), COMPOSE_SUBJECT_MAX);
	ck_assert_uint_gt(strlen(got), COMPOSE_SUBJECT_MAX - 10);
	for (const char *line = message; line[0] != '\n'; line = strchr(line, '\n') + 1)
		ck_assert_msg(strcspn(line, "\n") <= 76, "a header line of %zu columns",
			strcspn(line, "\n"));
}
END_TEST

/* ---- the header of a summary ---- */

START_TEST(header_of_summary)
{
	static const char want[] = "From: Mail Delivery System <MAILER-DAEMON@lists.example.org>\n"
				   "To: alice@example.org,\n\tbob@example.net\n"
				   "Subject: Bounce: ann@example.net (userunknown)\n"
				   "Date: Mon, 23 Nov 2026 19:19:22 +0000\n"
				   "Message-ID: <backstop." TOKEN "@host.example.org>\n"
				   "MIME-Version: 1.0\n"
				   "Auto-Submitted: auto-generated\n"
				   "X-Backstop-Loop: announce@lists.example.org\n"
				   "X-Backstop-Kind: failed\n"
				   "X-Backstop-Verdict: genuine\n"
				   "X-Backstop-Score: 61\n"
				   "Content-Type: multipart/report; report-type=delivery-status;\n"
				   "\tboundary=\"backstop-" TOKEN "\"\n"
				   "\n";
	struct notice notice = plain_notice();
	const char *message = compose(&notice);

	ck_assert_msg(
		strncmp(message, want, sizeof want - 1) == 0, "got:\n%s\nwant:\n%s", message, want);
}
END_TEST

/* A message of text alone: what an automatic answer must not be sent to (RFC 3834 section 2), and
 * none of a report's own fields. */
START_TEST(text_alone)
{
	static const char want[] = "From: Mail Delivery System <MAILER-DAEMON@lists.example.org>\n"
				   "To: alice@example.org,\n\tbob@example.net\n"
				   "Subject: =?UTF-8?Q?Digest:_caf_=C3=A9?=\n"
				   "Date: Mon, 23 Nov 2026 19:19:22 +0000\n"
				   "Message-ID: <backstop." TOKEN "@host.example.org>\n"
				   "MIME-Version: 1.0\n"
				   "Auto-Submitted: auto-generated\n"
				   "X-Backstop-Loop: announce@lists.example.org\n"
				   "X-Backstop-Kind: digest\n"
				   "Content-Type: text/plain; charset=utf-8\n"
				   "Content-Transfer-Encoding: quoted-printable\n"
				   "\n"
				   "caf=C3=A9\n";
	struct notice notice = plain_notice();
	struct compose_facts facts = facts_of(&notice);

	notice.subject = "Digest: caf \xC3\xA9";
	notice.kind = "digest";
	notice.text = "caf\xC3\xA9\n";
	ck_assert_str_eq(as_text(compose_text(context, &facts)), want);
}
END_TEST

static const struct {
	const char *list;
	const char *from;
	const char *loop;
} list_rows[] = {
	{"a@b.example", "<MAILER-DAEMON@b.example>\n", "Loop: a@b.example\n"},
	{NULL, "<MAILER-DAEMON@host.example.org>\n", "Loop: host.example.org\n"},
	{"a@b\nBcc: eve@example.com", "<MAILER-DAEMON@example.com>\n", "Loop: host.example.org\n"},
	{"caf\xC3\xA9@b.example", "<MAILER-DAEMON@b.example>\n", "Loop: host.example.org\n"},
	{"a@\xC3\xA9.example", "<MAILER-DAEMON@host.example.org>\n", "Loop: host.example.org\n"},
};

START_TEST(list_in_header)
{
	struct notice notice = plain_notice();
	const char *message;

	notice.list = list_rows[_i].list;
	message = compose(&notice);
	ck_assert_msg(strstr(message, list_rows[_i].from), "want %s in:\n%s", list_rows[_i].from,
		message);
	ck_assert_msg(strstr(message, list_rows[_i].loop), "want %s in:\n%s", list_rows[_i].loop,
		message);
	ck_assert_msg(strstr(message, "\nBcc:") == NULL, "a header field got in:\n%s", message);
}
END_TEST

START_TEST(recipients_in_header)
{
	const char *many[COMPOSE_TO_MAX + 10];
	struct notice notice = plain_notice();
	struct compose_facts facts = facts_of(&notice);
	const char *message;

	for (size_t i = 0; i < LENGTH(many); i++)
		many[i] = mem_printf(context, "user%zu@example.org", i);
	many[0] = "\"odd one\"@example.org";
	facts.recipients = many;
	facts.recipient_count = LENGTH(many);
	message = as_text(compose_summary(context, &facts));
	ck_assert_msg(strstr(message, "\nTo: user1@example.org,\n\tuser2@example.org,\n"),
		"got:\n%s", message);
	ck_assert_msg(strstr(message, "\tuser49@example.org\n"), "got:\n%s", message);
	ck_assert_ptr_null(strstr(message, "user50@"));
	ck_assert_ptr_null(strstr(message, "odd one"));

	facts.recipient_count = 1;
	message = as_text(compose_summary(context, &facts));
	ck_assert_msg(strstr(message, "\nTo: undisclosed-recipients:;\n"), "got:\n%s", message);
}
END_TEST

/* ---- parts ---- */

#define TEN_TIMES(text) text text text text text text text text text text
#define LINE_1000 TEN_TIMES(TEN_TIMES("0123456789"))

/* The foreign bytes, and how they must come out. */
static const struct {
	const char *name;
	struct bytes report;
	struct bytes headers;
	const char *root;
	const char *report_type; /* NULL: no such part */
	const char *headers_type;
	struct bytes report_back; /* decoded; size 0: as it went in */
} part_rows[] = {
#define BYTES(literal)                                                                             \
	{                                                                                          \
		(const unsigned char *)(literal), sizeof(literal) - 1                              \
	}
#define OCTETS "application/octet-stream"
#define STATUS "message/delivery-status"
#define HEADERS "text/rfc822-headers"
	{"plain", BYTES("A: b\n\nC: d\n"), BYTES("E: f\n"), "multipart/report", STATUS, HEADERS,
		{NULL, 0}},
	{"no last line end", BYTES("A: b"), BYTES("E: f"), "multipart/report", STATUS, HEADERS,
		{NULL, 0}},
	{"CRLF", BYTES("A: b\r\n\r\nC: d\r\n"), BYTES("E: f\r\n"), "multipart/report", STATUS,
		HEADERS, BYTES("A: b\n\nC: d\n")},
	{"empty groups", BYTES("\n\nA: b\n\n\n"), BYTES("E: f\n"), "multipart/report", STATUS,
		HEADERS, {NULL, 0}},
	{"no report", {NULL, 0}, BYTES("E: f\n"), "multipart/mixed", NULL, HEADERS, {NULL, 0}},
	{"no headers", BYTES("A: b\n"), {NULL, 0}, "multipart/report", STATUS, NULL, {NULL, 0}},
	{"neither", {NULL, 0}, {NULL, 0}, "multipart/mixed", NULL, NULL, {NULL, 0}},
	{"8-bit report", BYTES("A: \xC3\xA9\n"), BYTES("E: f\n"), "multipart/mixed", OCTETS,
		HEADERS, {NULL, 0}},
	{"NUL in report", BYTES("A: \0b\r\n"), BYTES("E: f\n"), "multipart/mixed", OCTETS, HEADERS,
		{NULL, 0}},
	{"bare CR", BYTES("A: b\rC: d\r"), BYTES("E: f\n"), "multipart/mixed", OCTETS, HEADERS,
		{NULL, 0}},
	{"escape", BYTES("A: \033[2J\n"), BYTES("E: f\n"), "multipart/mixed", OCTETS, HEADERS,
		{NULL, 0}},
	{"long line", BYTES("A: " LINE_1000 "\n"), BYTES("E: f\n"), "multipart/mixed", OCTETS,
		HEADERS, {NULL, 0}},
	{"8-bit headers", BYTES("A: b\n"), BYTES("E: \xE9=\n"), "multipart/report", STATUS, HEADERS,
		{NULL, 0}},
	{"long header", BYTES("A: b\n"), BYTES("E: " LINE_1000 "\n"), "multipart/report", STATUS,
		HEADERS, {NULL, 0}},
	{"NUL in headers", BYTES("A: b\n"), BYTES("E: \0f\n"), "multipart/report", STATUS, OCTETS,
		{NULL, 0}},
	{"boundary in report", BYTES("--backstop-" TOKEN "\nA: b\n"),
		BYTES("backstop-" TOKEN "-1\n"), "multipart/report", STATUS, HEADERS, {NULL, 0}},
	{"end of mail", BYTES(".\n\n.\nFrom x\n"), BYTES(".\n"), "multipart/report", STATUS,
		HEADERS, {NULL, 0}},
};

static void check_wire(const char *name, struct bytes message)
{
	size_t column = 0;

	for (size_t i = 0; i < message.size; i++) {
		unsigned char c = message.data[i];

		ck_assert_msg(c == '\n' || c == '\t' || (c >= ' ' && c <= '~'),
			"%s: byte %02X at %zu", name, c, i);
		column = c == '\n' ? 0 : column + 1;
		ck_assert_msg(column <= 998, "%s: line too long at %zu", name, i);
	}
	ck_assert_msg(message.size > 3 && memcmp(message.data + message.size - 3, "--\n", 3) == 0,
		"%s: no last boundary", name);
}

static void check_part(
	const char *name, const struct part *part, const char *type, struct bytes want)
{
	ck_assert_msg((part != NULL) == (type != NULL), "%s: part of type %s is %s", name,
		type != NULL ? type : part->type, part != NULL ? "there" : "missing");
	if (part == NULL)
		return;
	ck_assert_msg(strcmp(part->type, type) == 0, "%s: got %s, want %s", name, part->type, type);
	/* Our reader keeps no bytes of what is not text. */
	if (strcmp(type, OCTETS) == 0)
		return;
	ck_assert_msg(part->content.size == want.size &&
			      memcmp(part->content.data, want.data, want.size) == 0,
		"%s: %s: got %zu bytes \"%.*s\", want %zu", name, type, part->content.size,
		(int)part->content.size, (const char *)part->content.data, want.size);
}

START_TEST(parts)
{
	struct notice notice = plain_notice();
	struct compose_facts facts = facts_of(&notice);
	const char *name = part_rows[_i].name;
	struct bytes report = part_rows[_i].report;
	struct bytes headers = part_rows[_i].headers;
	const struct part *part;
	struct bytes message;
	struct mail *mail;

	notice.report = report;
	notice.original_headers = headers;
	message = compose_summary(context, &facts);
	check_wire(name, message);
	mail = mail_read(context, message, NULL);
	ck_assert_msg(strcmp(mail->root->type, part_rows[_i].root) == 0, "%s: got %s, want %s",
		name, mail->root->type, part_rows[_i].root);
	part = mail->root->first_child;
	check_part(name, part, "text/plain", of_text(notice.text));
	part = part->next;
	if (part_rows[_i].report_type != NULL) {
		check_part(name, part, part_rows[_i].report_type,
			part_rows[_i].report_back.size > 0 ? part_rows[_i].report_back : report);
		part = part->next;
	}
	/* CRLF became LF; text in 8-bit comes back in whatever the reader makes of it. */
	if (part_rows[_i].headers_type == NULL) {
		ck_assert_msg(part == NULL, "%s: one part too many", name);
		return;
	}
	ck_assert_msg(part != NULL && strcmp(part->type, part_rows[_i].headers_type) == 0,
		"%s: headers are missing or %s", name, part != NULL ? part->type : "");
	ck_assert_msg(part->next == NULL, "%s: one part too many", name);
	if (memchr(headers.data, '\r', headers.size) == NULL &&
		memchr(headers.data, 0xE9, headers.size) == NULL)
		check_part(name, part, part_rows[_i].headers_type, headers);
}
END_TEST

START_TEST(quoted_headers_as_they_stand)
{
	struct notice notice = plain_notice();
	const char *message;

	notice.original_headers = of_text("Subject: \xE9=\r\n");
	message = compose(&notice);
	ck_assert_msg(strstr(message, "Content-Type: text/rfc822-headers\n"
				      "Content-Transfer-Encoding: quoted-printable\n\n"
				      "Subject: =E9=3D\n\n--backstop-" TOKEN "--\n"),
		"got:\n%s", message);
}
END_TEST

START_TEST(attachment_as_it_stands)
{
	static const unsigned char report[] = "A: \0\r\n\xE9";
	struct notice notice = plain_notice();
	const char *message;

	notice.report = (struct bytes){report, sizeof report - 1};
	message = compose(&notice);
	ck_assert_msg(
		strstr(message, "Content-Type: application/octet-stream\n"
				"Content-Disposition: attachment; filename=\"delivery-status\"\n"
				"Content-Transfer-Encoding: base64\n\nQTogAA0K6Q==\n\n--"),
		"got:\n%s", message);
}
END_TEST

START_TEST(text_with_8_bit)
{
	struct notice notice = plain_notice();
	const char *message;

	notice.text = "Postfach \xE2\x80\xBA"
		      "ann\xE2\x80\xB9 ist voll.\n";
	message = compose(&notice);
	ck_assert_msg(strstr(message, "Content-Type: text/plain; charset=utf-8\n"
				      "Content-Transfer-Encoding: quoted-printable\n\n"
				      "Postfach =E2=80=BAann=E2=80=B9 ist voll.\n\n--"),
		"got:\n%s", message);
}
END_TEST

START_TEST(part_has_a_cap)
{
	const size_t size = COMPOSE_PART_MAX + 1000;
	unsigned char *data = mem_alloc(context, size);
	struct notice notice = plain_notice();
	struct compose_facts facts = facts_of(&notice);
	struct bytes message;

	for (size_t i = 0; i < size; i++)
		data[i] = i % 64 == 63 ? '\n' : 'x';
	notice.report = (struct bytes){data, size};
	message = compose_summary(context, &facts);
	check_wire("cap", message);
	ck_assert_uint_gt(message.size, COMPOSE_PART_MAX);
	ck_assert_uint_lt(message.size, COMPOSE_PART_MAX + 4096);
}
END_TEST

/* ---- in front of an original ---- */

#define OWN(end)                                                                                   \
	"X-Backstop-Loop: announce@lists.example.org" end "X-Backstop-Kind: failed" end            \
	"X-Backstop-Verdict: genuine" end "X-Backstop-Score: 61" end
#define AUTO(end) "Auto-Submitted: auto-generated" end

static const struct {
	const char *name;
	const char *original;
	const char *want;
} top_rows[] = {
	{"field", "From: x\n\nbody\n", OWN("\n") AUTO("\n")},
	{"blank before the colon", "From : x\n\nbody\n", OWN("\n") AUTO("\n")},
	{"CRLF", "From: x\r\n\r\nbody\r\n", OWN("\r\n") AUTO("\r\n")},
	{"no line end", "From: x", OWN("\n") AUTO("\n")},
	{"has its own", "From: x\nAuto-Submitted: auto-replied\n\nbody\n", OWN("\n")},
	{"has its own in capitals", "From: x\r\nAUTO-SUBMITTED:no\r\n\r\n", OWN("\r\n")},
	{"a longer name", "Auto-Submitted-By: me\n\n", OWN("\n") AUTO("\n")},
	{"a folded mention", "X: y\n Auto-Submitted: no\n\n", OWN("\n") AUTO("\n")},
	{"in the body", "From: x\n\nAuto-Submitted: no\n", OWN("\n") AUTO("\n")},
	{"behind a line that ends the header", "From: x\njunk\nAuto-Submitted: no\n\n",
		OWN("\n") AUTO("\n")},
	{"continuation first", " folded\nFrom: x\n\n", OWN("\n") AUTO("\n") "\n"},
	{"tab first, CRLF", "\tfolded\r\nFrom: x\r\n\r\n", OWN("\r\n") AUTO("\r\n") "\r\n"},
	{"no header", "just text\n", OWN("\n") AUTO("\n") "\n"},
	{"From line", "From ann Mon Nov 23 19:19:22 2026\nFrom: x\n\n", OWN("\n") AUTO("\n") "\n"},
	{"empty line first", "\nbody\n", OWN("\n") AUTO("\n")},
	{"empty CRLF line first", "\r\nbody\r\n", OWN("\r\n") AUTO("\r\n")},
	{"colon first", ": x\n\n", OWN("\n") AUTO("\n") "\n"},
	{"nothing", "", OWN("\n") AUTO("\n")},
};

START_TEST(top)
{
	struct notice notice = plain_notice();
	struct compose_facts facts = facts_of(&notice);
	const char *got = as_text(compose_top(context, &facts, of_text(top_rows[_i].original)));

	ck_assert_msg(strcmp(got, top_rows[_i].want) == 0, "%s: got:\n%s\nwant:\n%s",
		top_rows[_i].name, got, top_rows[_i].want);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("compose");
	TCase *tcase = tcase_create("compose");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, quoted_printable, 0, LENGTH(quoted_rows));
	tcase_add_loop_test(tcase, base64, 0, LENGTH(base64_rows));
	tcase_add_loop_test(tcase, subject, 0, LENGTH(subject_rows));
	tcase_add_test(tcase, subject_has_a_cap);
	tcase_add_test(tcase, header_of_summary);
	tcase_add_test(tcase, text_alone);
	tcase_add_loop_test(tcase, list_in_header, 0, LENGTH(list_rows));
	tcase_add_test(tcase, recipients_in_header);
	tcase_add_loop_test(tcase, parts, 0, LENGTH(part_rows));
	tcase_add_test(tcase, quoted_headers_as_they_stand);
	tcase_add_test(tcase, attachment_as_it_stands);
	tcase_add_test(tcase, text_with_8_bit);
	tcase_add_test(tcase, part_has_a_cap);
	tcase_add_loop_test(tcase, top, 0, LENGTH(top_rows));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failures;

	mail_library_open();
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
