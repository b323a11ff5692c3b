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
		"\nTo ann@b.example Ann it failed.\n"},
	{"a link whose text is the address", "html",
		"To <a href=\"mailto:ann@b.example\">ann@b.example</a> it failed, sadly.",
		"To ann@b.example it failed, sadly.\n"},
	{"a link to a page", "html", "See <a href=\"http://b.example/a@b\">this page</a> for help.",
		"See this page for help.\n"},
	{"an open link", "html", "A long enough text <a href=\"mailto:ann@b.example",
		"A long enough text \n"},
	{"an address over two lines", "plain",
		"It failed:\n<ann@a-long-name.\n b.example>: unknown\n",
		"It failed:\n<ann@a-long-name.b.example>: unknown\n"},
	{"words over two lines", "plain", "if a <b\n and c> or d@e.example\n",
		"if a <b\n and c> or d@e.example\n"},
};

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
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
