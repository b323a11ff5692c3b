/* test_rule.c: samples of rules, what is wrong with one by itself, examples of what a regex finds.
 */
#include <string.h>

#include "base/memory.h"
#include "classify/rule.h"
#include "classify/rule_example.h"
#include "classify/rule_fault.h"
#include "suite.h"

static const struct rule *parse(void *context, const char *file, const char *text)
{
	struct rules rules;
	const char *error = NULL;

	ck_assert_msg(
		rules_parse(context, file, text, &rules, &error) == STATUS_OK, "got %s", error);
	ck_assert_uint_eq(rules.count, 1);
	return rules.items;
}

/* Below the line "kind mdn x"; want: the samples, each as LINE:TEXT=EXPECT, with ';' between. */
static const struct {
	const char *text, *want;
} samples[] = {
	{"\tsample\n\t\ta\n\t\tb\n\texpect mdn\n", "2:a\nb\n=mdn"},
	{"\tsample\n\t\ta\n\n\t\t\tb\n\n\texpect mdn -", "2:a\n\n\tb\n\n=mdn -"},
	{"\tsample\n\t\ta\n\t\n\t\t\n\t\tb\n\texpect mdn\n", "2:a\n\n\nb\n=mdn"},
	{"  sample\n    a\n      b\n  expect mdn\n", "2:a\n  b\n=mdn"},
	{" sample\n  a\n expect  mdn  -\n", "2:a\n=mdn  -"},
	{"\tsample\n\t    a\n\t      b\n\texpect mdn\n", "2:a\n  b\n=mdn"},
	{"\tsample\n\t\ta\n    expect mdn\n", "2:a\n=mdn"}, /* not further right by the same */
	{"\tsample\n\t\ta\n\tbody \"x\"\n\texpect mdn\n", "2:a\n=mdn"},
	{"\tsample\n\t\ta\n", "2:a\n="},
	{"\tsample\n\t\ta", "2:a="},
	{"\tsample\n\t\ta\n\texpect mdn\n\tsample\n\t\tb\n\t# no\n\texpect mdn 2\n",
		"2:a\n=mdn;5:b\n=mdn 2"},
	{"\tsample\n\t\ta\n\tsample\n\t\tb\n\texpect mdn\n", "2:a\n=;4:b\n=mdn"},
	{"\tsample\n\t\tsample\n\t\texpect\n\texpect mdn\n", "2:sample\nexpect\n=mdn"},
	{"\tbody \"x\"\n", ""},
};

START_TEST(reads_samples)
{
	void *context = mem_context(NULL, "test");
	const struct rule *rule =
		parse(context, "x", mem_printf(context, "kind mdn x\n%s", samples[_i].text));
	char *got = mem_strdup(context, "");
	struct rule_sample *list;
	size_t count = rule_read_samples(context, rule, &list);

	for (size_t i = 0; i < count; i++)
		got = mem_append(got, "%s%d:%s=%s", i == 0 ? "" : ";", list[i].line, list[i].text,
			list[i].expect == NULL ? "" : list[i].expect);
	ck_assert_msg(strcmp(got, samples[_i].want) == 0, "%d: want \"%s\", got \"%s\"", _i,
		samples[_i].want, got);
	mem_free(context);
}
END_TEST

static const struct {
	const char *text, *error;
} mistakes[] = {
	{"kind mdn x\n\tsample\n\texpect mdn\n",
		"x:2: want the lines of the sample below, further"},
	{"kind mdn x\n\tsample\n        a\n", "x:2: want the lines of the sample below, further"},
	{"kind mdn x\n\tsample\n\n\texpect mdn\n",
		"x:2: want the lines of the sample below, further"},
	{"kind mdn x\n\tsample", "x:2: want the lines of the sample below, further"},
	{"kind mdn x\n\tsample here\n\t\ta\n", "x:2: want sample alone, or expect WORD..."},
	{"kind mdn x\n\texpect\n", "x:2: want sample alone, or expect WORD..."},
	{"kind mdn x\n\toff now\n", "x:2: \"off\" is no line of a kind"},
};

START_TEST(mistake_is_placed)
{
	void *context = mem_context(NULL, "test");
	struct rules rules;
	const char *error = "none";
	enum status status = rules_parse(context, "x", mistakes[_i].text, &rules, &error);

	ck_assert_msg(status == STATUS_DATA && strstr(error, mistakes[_i].error) == error,
		"got \"%s\", want \"%s...\"", error, mistakes[_i].error);
	mem_free(context);
}
END_TEST

/* want: the line, a blank and a piece of what is said; NULL: nothing is wrong. */
static const struct {
	const char *file, *text, *want;
} faults[] = {
	{"mta.rules", "dialect x\n\tliteral \"ab\"\n", NULL},
	{"mta.rules", "dialect x\n\tliteral \"a\"\n", "2 \"a\" can be met without any"},
	{"mta.rules", "dialect x\n\tliteral \"ab\" | \"a\"\n", "2 \"a\" can be met without any"},
	{"mta.rules", "dialect x\n\tsubject \"@\"\n", NULL}, /* one line, where it is rare */
	{"mta.rules", "dialect x\n\tbody /bo[iî]te/\n", "2 \"bo[iî]te\" can be met without any"},
	{"mta.rules", "dialect x\n\tbody /ße|[^\\x00-\\x7f]/\n", NULL},
	{"mta.rules", "dialect x\n\tbody /[^\\x00-\\x7f]|\\d/\n", "2 \"\\d\" can be met without"},
	{"mta.rules", "dialect x\n\tnot literal \"abc\"\n", "1 has no literal"},
	{"mta.rules", "dialect x\n\tauthor daemon\n", "1 has no literal"},
	{"mta.rules", "dialect x\n\taddress /abc (?<address>\\S+)/\n", "1 has no literal"},
	{"generic.rules", "dialect x\n\taddress /abc (?<address>\\S+)/\n", NULL},
	{"/etc/generic.rules", "dialect x\n\taddress /abc (?<address>\\S+)/\n", NULL},
	{"generic.rules", "dialect x\n\taddress /abc (?<address>a)/\n\taddress /(?<address>b)/\n",
		"3 \"(?<address>b)\" can be met without any"},
	{"mta.rules", "dialect x\n\tsubject /abc|\\d+/\n", "2 \"\\d+\" can be met without any"},
	{"mta.rules", "dialect x\n\tsubject /abc|\\d+/\n\tbody /back home/\n", NULL},
	{"kinds.rules", "kind mdn x\n\tbody /^(?:abc|d)\\s/\n", "2 \"d\" can be met"},
	{"kinds.rules", "kind mdn x\n\tbody /[ab]+/\n", "2 \"[ab]+\" can be met"},
	{"kinds.rules", "kind mdn x\n\theader X-Away /./\n", NULL},
	{"kinds.rules", "kind mdn x\n\theader X-Away|Subject /./\n", "2 \".\" can be met"},
	{"kinds.rules", "kind mdn x\n\treturned Message-ID /./\n", "2 \".\" can be met"},
	{"kinds.rules", "kind mdn x\n\tbody /не доставлено/\n", NULL},
	{"reasons.rules", "reason expired x\n\tbody \"a\"\n", NULL}, /* of a diagnostic */
	{"reasons.rules", "reason expired x\n\tbody \"ab\"\n\tbody /\\d/\n",
		"3 \"\\d\" can be met"},
	{"reasons.rules", "reason expired x\n\tbody \"ab\"\n\tbody /\\d/\n\tliteral \"cd\"\n",
		NULL},
	{"reasons.rules", "reason expired x\n\tstatus \"5.1.1\"\n", NULL},
	{"details.rules", "detail x\n\treply /said (?<reply>5\\d\\d)/\n", NULL},
	{"details.rules", "detail x\n\treply /(?<reply>5\\d\\d)/\n", "2 \"(?<reply>5\\d\\d)\" can"},
	{"mta.rules", "dialect x\n\tliteral \"ab\"\n\taddress /ab (\\S+)/\n", "3 want (?<address>"},
	{"mta.rules", "dialect x\n\tliteral \"ab\"\n\taddress /ab (?<local>\\S+)/\n", NULL},
	{"mta.rules", "dialect x\n\tliteral \"ab\"\n\tremote /ab/\n",
		"3 want (?<remote>...) in ab"},
	{"mta.rules", "dialect x\n\tliteral \"ab\"\n\n\tbody /a(b/\n", "4 /a(b/: missing closing"},
	{"mta.rules",
		"dialect x\n\tliteral \"a\xe4"
		"b\"\n",
		"2 \"a\xef\xbf\xbd"
		"b\" is not in UTF-8"},
	{"mta.rules", "dialect x\n\toff\n", NULL},
	{"mta.rules", "dialect x\n\toff\n\tliteral \"ab\"\n",
		"1 a rule that is off has no other line"},
};

START_TEST(finds_the_fault)
{
	void *context = mem_context(NULL, "test");
	const struct rule *rule = parse(context, faults[_i].file, faults[_i].text);
	const char *want = faults[_i].want;
	int line;
	const char *fault = rule_fault_find(context, rule, &line);

	if (want == NULL) {
		ck_assert_msg(fault == NULL, "%s: got \"%s\"", faults[_i].text, fault);
	} else {
		ck_assert_msg(fault != NULL, "%s: got nothing", faults[_i].text);
		ck_assert_msg(strstr(fault, strchr(want, ' ') + 1) != NULL && line == atoi(want),
			"%s: want \"%s\", got %d \"%s\"", faults[_i].text, want, line, fault);
	}
	mem_free(context);
}
END_TEST

/* want: with ';' between; what follows '/' is with a filler, where that is another. */
static const struct {
	const char *pattern, *want;
} examples[] = {
	{"\"quota\"", "quota"},
	{"/quota/", "quota"},
	{"/quota|full/", "quota;full"},
	{"/box (?:full|quota (?:used|reached))/",
		"box full;box full;box quota used;box quota used;box quota reached"},
	{"/colou?r/", "color"},
	{"/no (?:local )?user/", "no user;no local user"},
	{"/domain[^.]{0,20}unknown/", "domain unknown/domain x unknown"},
	{"/domain.*unknown/", "domain unknown/domain x unknown"},
	{"/domain\\s*unknown/", "domain unknown"},
	{"/domain[\\w-]*unknown/", "domainunknown"},
	{"/^[^\\s@]+@[a-z]+$/", "a@a"},
	{"/a{3}b+c{0,2}/", "aaab"},
	{"/5\\d\\d[ -]5\\.1/", "555 5.1"},
	{"/\\bx(?=y)(?!z)\\B/", "x;x;x"},
	{"/(?<address>a|b)c/", "ac;ac;bc"},
	{"/\\pL\\p{Han}é/", "aaé"},
	{"/a(/", ""},
	{"/a\\1/", ""},
	{"/(?i)a/", ""},
	{"/[[:alpha:]]/", ""},
};

START_TEST(writes_examples)
{
	void *context = mem_context(NULL, "test");
	const struct rule *rule = parse(
		context, "x", mem_printf(context, "kind mdn x\n\tbody %s\n", examples[_i].pattern));
	char *got = mem_strdup(context, "");
	const char *text;

	for (size_t n = 0; (text = rule_line_example(context, rule->lines, 0, n, false)) != NULL;
		n++) {
		const char *longer = rule_line_example(context, rule->lines, 0, n, true);
		got = mem_append(got, "%s%s", n == 0 ? "" : ";", text);
		if (strcmp(longer, text) != 0)
			got = mem_append(got, "/%s", longer);
	}
	ck_assert_msg(strcmp(got, examples[_i].want) == 0, "%s: want \"%s\", got \"%s\"",
		examples[_i].pattern, examples[_i].want, got);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule");
	TCase *tcase = tcase_create("rule");

	tcase_add_loop_test(tcase, reads_samples, 0, ROWS(samples));
	tcase_add_loop_test(tcase, mistake_is_placed, 0, ROWS(mistakes));
	tcase_add_loop_test(tcase, finds_the_fault, 0, ROWS(faults));
	tcase_add_loop_test(tcase, writes_examples, 0, ROWS(examples));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
