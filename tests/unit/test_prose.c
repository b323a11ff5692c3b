/* test_prose.c: where in the words of a report the header fields of the original begin. */
#include <check.h>
#include <string.h>

#include "classify/prose.h"
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

int main(void)
{
	Suite *suite = suite_create("prose");
	TCase *tcase = tcase_create("fields");

	tcase_add_loop_test(tcase, finds_fields, 0, ROWS(runs));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
