/* test_prose.c: where in the words of a report the header fields of the original begin. */
#include <check.h>
#include <string.h>

#include "base/memory.h"
#include "classify/prose.h"
#include "read/mail.h"
#include "suite.h"

#define WORDS "Your message could not be delivered.\n\n"

static const struct {
	const char *what;
	const char *text;
	size_t want;
} runs[] = {
	{"nothing", "", 0},
	{"words only", WORDS "ann@example.net: user unknown\n", 0},
	{"a run with a trace field",
		WORDS "Received: from a\n by b\nFrom: a@b.example\nTo: c@d.example\n",
		sizeof(WORDS) - 1},
	{"quoted", WORDS "> Received: from a\n> From: a@b.example\n> To: c@d.example\n",
		sizeof(WORDS) - 1},
	{"a summary without a trace field", WORDS "To: c@d.example\nSubject: x\nSent: today\n", 0},
	{"too few", WORDS "Received: from a\nTo: c@d.example\n\n", 0},
	{"an empty line between", WORDS "Received: from a\n\nFrom: a@b.example\nTo: c@d.example\n",
		0},
	{"from the start: nothing is left in front",
		"Received: a\nFrom: b@c.example\nTo: d@e.example\n", 0},
};

START_TEST(finds_fields)
{
	size_t got = prose_find_fields(runs[_i].text, strlen(runs[_i].text));

	ck_assert_msg(
		got == runs[_i].want, "%s: got %zu, want %zu", runs[_i].what, got, runs[_i].want);
}
END_TEST

static const struct {
	const char *what;
	const char *text;
	size_t want;
} bounces[] = {
	{"nothing", "", 0},
	{"an original by a person",
		WORDS "Received: from a\nFrom: ann@b.example\nTo: c@d.example\nSubject: x\n", 0},
	{"a daemon wrote it", WORDS "From: MAILER-DAEMON@b.example\nTo: c@d.example\nSubject: x\n",
		sizeof(WORDS) - 1},
	{"the null sender", WORDS "> Return-Path: <>\n> From: x@b.example\n> To: c@d.example\n",
		sizeof(WORDS) - 1},
	{"too few fields", WORDS "From: MAILER-DAEMON@b.example\nTo: c@d.example\n", 0},
};

START_TEST(finds_bounce)
{
	size_t got = prose_find_bounce(bounces[_i].text, strlen(bounces[_i].text));

	ck_assert_msg(got == bounces[_i].want, "%s: got %zu, want %zu", bounces[_i].what, got,
		bounces[_i].want);
}
END_TEST

/* What the words of a message are, by its type and body. */
static const struct {
	const char *what;
	const char *type;
	const char *body;
	const char *want;
} words[] = {
	{"a link whose text names nobody", "html",
		"<p>To <a href=\"mailto:ann@b.example?subject=x\">Ann</a> it failed.</p>",
		"To ann@b.example Ann it failed.\n\n"},
	{"a link whose text is the address", "html",
		"To <a href=\"mailto:ann@b.example\">ann@b.example</a> it failed, sadly.",
		"To ann@b.example it failed, sadly.\n"},
	{"a link to a page", "html", "See <a href=\"http://b.example/a@b\">this page</a> for help.",
		"See this page for help.\n"},
	{"an open link", "html", "A long enough text <a href=\"mailto:ann@b.example",
		"A long enough text\n"},
	{"an address over two lines", "plain",
		"It failed:\n<ann@a-long-name.\n b.example>: unknown\n",
		"It failed:\n<ann@a-long-name.b.example>: unknown\n"},
	{"<pre> keeps its lines", "html",
		"<p>It failed:</p>\n<pre>ann@b.example\r\n   unknown user\n</pre>\n<p>Sorry</p>",
		"It failed:\n\nann@b.example\n unknown user\n\nSorry\n\n"},
	{"blocks begin a line each, and one only", "html",
		"<div><div>It failed:</div>\n <div>ann@b.example</div></div>\n<div>&nbsp;</div>"
		"<div>Sorry</div>",
		"It failed:\nann@b.example\n\nSorry\n"},
	{"line ends and blanks of the source", "html", "\n  It\nfailed,<br>\n  <b>sadly</b>.\n",
		"It failed,\nsadly.\n"},
	{"entities by number", "html", "To &#60;ann&#x40;b.example&#62; it wasn&#8217;t delivered",
		"To <ann@b.example> it wasn\u2019t delivered\n"},
	{"entities by name", "html", "Empf&auml;nger &Eacute;va &ndash; ann&commat;&bogus;&amp;lt;",
		"Empf\u00e4nger \u00c9va \u2013 ann&commat;&bogus;&lt;\n"},
	{"entities of no character", "html", "a&#0;b&#xD800;c&#1114112;d&#99999999;e &#; &;",
		"abcd&#99999999;e &#; &;\n"},
	{"a label and what it is for, in cells", "html",
		"<table><tr><td><b>To:</b></td><td>ann@b.example</td></tr>"
		"<tr><td>Failed</td><td>for good</td></tr></table>",
		"To: ann@b.example\nFailed\nfor good\n\n"},
	{"a blank behind each line", "plain", "ann@b.example \nunknown user \t\n",
		"ann@b.example\nunknown user\n"},
	{"words over two lines", "plain", "if a <b\n and c> or d@e.example\n",
		"if a <b\n and c> or d@e.example\n"},
};

#define PARTS "multipart/mixed; boundary=b\n\n--b\n"
#define NEXT(type) "\n--b\nContent-Type: " type "\n\n"
#define REPORT_TEXT "It failed: ann@b.example has no mailbox.\n"
#define BANNER "This came from outside. Do not click.\n"

/* Which texts of a message are its words: type, body and what is behind. */
static const struct {
	const char *what;
	const char *message;
	const char *want;
} choices[] = {
	{"HTML where the text names nobody",
		PARTS NEXT("text/plain") BANNER NEXT("text/html") "<p>" REPORT_TEXT "</p>\n--b--\n",
		BANNER REPORT_TEXT "\n"},
	{"no HTML where it does",
		PARTS NEXT("text/plain") REPORT_TEXT NEXT("text/html") "<p>more</p>\n--b--\n",
		REPORT_TEXT},
	{"no footer of a list manager",
		PARTS NEXT("text/plain")
			REPORT_TEXT NEXT("text/plain") "____________\nannounce mailing "
						       "list\nannounce@b.example\n--b--\n",
		REPORT_TEXT},
	{"none behind the original",
		PARTS NEXT("text/plain")
			REPORT_TEXT NEXT("message/rfc822") "To: a@b.example\n\nx\n" NEXT(
				"text/plain") "Confidential: ask c@d.example\n--b--\n",
		REPORT_TEXT},
	{"what stands behind it alone",
		PARTS NEXT("message/rfc822") "To: a@b.example\n\nx\n" NEXT("text/plain") REPORT_TEXT
		"--b--\n",
		REPORT_TEXT},
};

START_TEST(chooses_texts)
{
	void *context = mem_context(NULL, "test");
	char *raw = mem_printf(context, "Content-Type: %s", choices[_i].message);
	const struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)raw, strlen(raw)}, NULL);
	const char *got = prose_read(context, mail);

	ck_assert_msg(strcmp(got, choices[_i].want) == 0, "%s: got \"%s\", want \"%s\"",
		choices[_i].what, got, choices[_i].want);
	mem_free(context);
}
END_TEST

START_TEST(reads_words)
{
	void *context = mem_context(NULL, "test");
	char *raw =
		mem_printf(context, "Content-Type: text/%s\n\n%s", words[_i].type, words[_i].body);
	const struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)raw, strlen(raw)}, NULL);
	const char *got = prose_read(context, mail);

	ck_assert_msg(strcmp(got, words[_i].want) == 0, "%s: got \"%s\", want \"%s\"",
		words[_i].what, got, words[_i].want);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prose");
	TCase *tcase = tcase_create("fields");

	mail_library_open();
	tcase_add_loop_test(tcase, finds_fields, 0, ROWS(runs));
	tcase_add_loop_test(tcase, finds_bounce, 0, ROWS(bounces));
	tcase_add_loop_test(tcase, reads_words, 0, ROWS(words));
	tcase_add_loop_test(tcase, chooses_texts, 0, ROWS(choices));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
