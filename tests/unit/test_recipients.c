/* test_recipients.c: whom a submission is for, and when one run each is safe. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/recipients.h"
#include "read/mail.h"

#define WORDS_MAX 5

/* want: "split|whole words-for-sendmail | addresses for the ledger" */
static const struct {
	const char *what;
	const char *words[WORDS_MAX];
	const char *header;
	const char *want;
} rows[] = {
	{"arguments", {"Bob@y.example", "eve@z.example"}, "",
		"split Bob@y.example eve@z.example | bob@y.example eve@z.example"},
	{"the same twice", {"bob@y.example", "eve@z.example", "BOB@y.example"}, "",
		"split bob@y.example eve@z.example | bob@y.example eve@z.example bob@y.example"},
	{"a local name has a run, but no entry", {"root", "bob@y.example"}, "",
		"split root bob@y.example | bob@y.example"},
	{"several in one word have one run", {"bob@y.example, eve@z.example"}, "",
		"split bob@y.example, eve@z.example | bob@y.example eve@z.example"},
	{"fields", {"-t"}, "To: Bob <Bob@y.example>\nCc: eve@z.example,\n ann@x.example\n",
		"split Bob@y.example eve@z.example ann@x.example | bob@y.example eve@z.example "
		"ann@x.example"},
	{"Bcc counts", {"-t"}, "To: bob@y.example\nBcc: eve@z.example\n",
		"split bob@y.example eve@z.example | bob@y.example eve@z.example"},
	{"the same in To and Cc", {"-t"}, "To: bob@y.example\nCc: Bob@Y.example\n",
		"split bob@y.example | bob@y.example bob@y.example"},
	{"an address within another", {"-t"}, "To: Joann@x.example, Ann@x.example\n",
		"split Joann@x.example Ann@x.example | joann@x.example ann@x.example"},
	{"a comma in quotes", {"-t"}, "To: \"Other, Bob\" <bob@y.example>\n",
		"split bob@y.example | bob@y.example"},
	{"a comma in a comment", {"-t"}, "To: bob@y.example (Bob, that is)\n",
		"split bob@y.example | bob@y.example"},
	{"only Resent fields, if there are any", {"-t"},
		"Resent-To: bob@y.example\nTo: eve@z.example\n",
		"split bob@y.example | bob@y.example"},
	{"a group", {"-t"}, "To: friends: bob@y.example, eve@z.example;\n",
		"split bob@y.example eve@z.example | bob@y.example eve@z.example"},
	{"an '@' in a name might hide an address", {"-t"}, "To: \"bob@y\" <bob@y.example>\n",
		"whole | bob@y.example"},
	{"a local name in a field", {"-t"}, "To: root, bob@y.example\n", "whole | bob@y.example"},
	{"an empty group", {"-t"}, "To: undisclosed-recipients:;\nBcc: bob@y.example\n",
		"whole | bob@y.example"},
	{"fields and arguments", {"-t", "eve@z.example"}, "To: bob@y.example\n",
		"whole | eve@z.example bob@y.example"},
	{"no -t, no look at the header", {"bob@y.example"}, "To: eve@z.example\n",
		"split bob@y.example | bob@y.example"},
	{"nobody", {NULL}, "To: eve@z.example\n", "split |"},
};

static char *describe(const void *context, const struct addressees *to)
{
	char *text = mem_strdup(context, to->can_split ? "split" : "whole");

	for (size_t i = 0; to->can_split && i < to->count; i++)
		text = mem_append(text, " %s", to->items[i].word);
	text = mem_append(text, " |");
	for (size_t i = 0; i < to->address_count; i++)
		text = mem_append(text, " %s", to->addresses[i]);
	return text;
}

static void collect(const void *context, const char *const *words, const char *header,
	bool is_header_whole, struct addressees *to_out)
{
	struct bytes block = {(const unsigned char *)header, strlen(header)};
	char *copies[WORDS_MAX] = {NULL};
	struct sendmail_args args;
	struct headers headers;
	size_t count = 0;

	for (; count < WORDS_MAX && words[count] != NULL; count++)
		copies[count] = mem_strdup(context, words[count]);
	sendmail_args_parse(context, copies, count, &args);
	headers_parse(context, block, &headers, NULL);
	recipients_collect(context, &args, &headers, is_header_whole, to_out);
}

START_TEST(submissions)
{
	void *context = mem_context(NULL, "test");
	struct addressees to;
	const char *got;

	collect(context, rows[_i].words, rows[_i].header, true, &to);
	got = describe(context, &to);
	ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s:\n got %s\nwant %s", rows[_i].what, got,
		rows[_i].want);
	mem_free(context);
}
END_TEST

/* What headers_parse found might lie in the body for others. */
START_TEST(broken_header)
{
	static const char *const words[WORDS_MAX] = {"-t"};
	void *context = mem_context(NULL, "test");
	struct addressees to;

	collect(context, words, "To: bob@y.example\n", false, &to);
	ck_assert(!to.can_split);
	mem_free(context);
}
END_TEST

/* No more addresses of a field are read than its reader's cap: the rest must not be lost. */
START_TEST(more_than_is_read)
{
	static const char *const words[WORDS_MAX] = {"-t"};
	void *context = mem_context(NULL, "test");
	char *header = mem_strdup(context, "To: first@y.example");
	struct addressees to;

	for (int i = 0; i < 1500; i++)
		header = mem_append(header, ",\n u%d@y.example", i);
	header = mem_append(header, "\n");
	collect(context, words, header, true, &to);
	ck_assert(!to.can_split);
	mem_free(context);
}
END_TEST

START_TEST(secret_fields)
{
	ck_assert(recipients_is_secret("bcc"));
	ck_assert(recipients_is_secret("Resent-BCC"));
	ck_assert(!recipients_is_secret("Cc"));
	ck_assert(!recipients_is_secret("To"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recipients");
	TCase *cases = tcase_create("recipients");
	SRunner *runner = srunner_create(suite);
	int failures;

	mail_library_open();
	tcase_add_loop_test(cases, submissions, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(cases, broken_header);
	tcase_add_test(cases, more_than_is_read);
	tcase_add_test(cases, secret_fields);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
