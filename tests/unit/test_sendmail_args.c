/* test_sendmail_args.c: sendmail's command lines as real programs write them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/sendmail_args.h"

#define WORDS_MAX 16

/* want: "mode sender flags | recipients | kept", see describe(). */
static const struct {
	const char *who;
	const char *words[WORDS_MAX];
	const char *want;
} rows[] = {
	{"nothing", {NULL}, "submit sender=- | |"},
	{"joined sender", {"-fann@x.example", "bob@y.example"},
		"submit sender=ann@x.example | bob@y.example |"},
	{"separate sender", {"-f", "ann@x.example", "bob@y.example"},
		"submit sender=ann@x.example | bob@y.example |"},
	{"the old -r", {"-r", "ann@x.example", "bob@y.example"},
		"submit sender=ann@x.example | bob@y.example |"},
	{"the last sender counts", {"-fa@x.example", "-rb@x.example", "c@y.example"},
		"submit sender=b@x.example | c@y.example |"},
	{"null sender, bracketed", {"-f", "<>", "bob@y.example"},
		"submit sender=<> | bob@y.example |"},
	{"null sender, empty word", {"-f", "", "bob@y.example"},
		"submit sender= | bob@y.example |"},
	{"PHP", {"-t", "-i"}, "submit sender=- header dots | |"},
	{"PHP in one word", {"-ti"}, "submit sender=- header dots | |"},
	{"cluster that ends with a value", {"-tif", "ann@x.example"},
		"submit sender=ann@x.example header dots | |"},
	{"cluster with a joined value", {"-tifann@x.example"},
		"submit sender=ann@x.example header dots | |"},
	{"cron", {"-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"},
		"submit sender=root header dots | | -FCronDaemon -odi -oem"},
	{"mutt", {"-oem", "-oi", "-f", "ann@x.example", "--", "bob@y.example", "eve@z.example"},
		"submit sender=ann@x.example dots | bob@y.example eve@z.example | -oem"},
	{"full name of several words", {"-F", "Ann Other", "-f", "ann@x.example", "b@y.example"},
		"submit sender=ann@x.example | b@y.example | -F Ann Other"},
	{"-o with a value of its own word", {"-o", "i", "-o", "em", "b@y.example"},
		"submit sender=- dots | b@y.example | -o em"},
	{"DSN options",
		{"-N", "failure,delay", "-Rhdrs", "-V", "id7", "-fa@x.example", "b@y.example"},
		"submit sender=a@x.example | b@y.example | -N failure,delay -Rhdrs -V id7"},
	{"-bm is a submission", {"-bm", "-fa@x.example", "b@y.example"},
		"submit sender=a@x.example | b@y.example |"},
	{"long options",
		{"-O", "DeliveryMode=q", "-OLogLevel=9", "-B", "8BITMIME", "-h5", "b@y.example"},
		"submit sender=- | b@y.example | -O DeliveryMode=q -OLogLevel=9 -B 8BITMIME -h5"},
	{"options behind recipients", {"b@y.example", "-f", "a@x.example", "-i"},
		"submit sender=a@x.example dots | b@y.example |"},
	{"behind -- all are recipients", {"-i", "--", "-f", "b@y.example"},
		"submit sender=- dots | -f b@y.example |"},
	{"a single - is a recipient", {"-"}, "submit sender=- | - |"},
	{"-v in a cluster", {"-vt"}, "submit sender=- header | | -v"},
	{"unknown letters are kept with what follows", {"-iZabc", "b@y.example"},
		"submit sender=- dots | b@y.example | -Zabc"},
	{"-d has no word of its own", {"-d", "b@y.example"}, "submit sender=- | b@y.example | -d"},
	{"Exim's history options", {"-oMr", "scanned", "-oMa", "192.0.2.1", "b@y.example"},
		"submit sender=- | b@y.example | -oMr scanned -oMa 192.0.2.1"},
	{"-oMm without its word", {"-oMm"}, "submit sender=- | | -oMm"},
	{"SMTP on standard input", {"-bs"}, "other sender=- | |"},
	{"SMTP, two words", {"-b", "s"}, "other sender=- | |"},
	{"mail queue", {"-bp"}, "other sender=- | |"},
	{"daemon", {"-bd", "-q1h"}, "other sender=- | |"},
	{"aliases", {"-bi"}, "other sender=- | |"},
	{"address test", {"-bv", "b@y.example"}, "other sender=- | b@y.example |"},
	{"queue run", {"-q"}, "other sender=- | |"},
	{"newaliases", {"-I"}, "other sender=- | |"},
	{"Exim's queue work", {"-Mrm", "1abc"}, "other sender=- | 1abc |"},
	{"a sender without its value", {"b@y.example", "-f"}, "other sender=- | b@y.example |"},
};

static char *describe(const void *context, const struct sendmail_args *args)
{
	char *text = mem_printf(context, "%s sender=%s", args->is_submission ? "submit" : "other",
		args->sender != NULL ? args->sender : "-");

	if (args->reads_header)
		text = mem_append(text, " header");
	if (args->ignores_dots)
		text = mem_append(text, " dots");
	text = mem_append(text, " |");
	for (size_t i = 0; i < args->recipient_count; i++)
		text = mem_append(text, " %s", args->recipients[i]);
	text = mem_append(text, " |");
	for (size_t i = 0; i < args->kept_count; i++)
		text = mem_append(text, " %s", args->kept[i]);
	return text;
}

START_TEST(command_lines)
{
	void *context = mem_context(NULL, "test");
	char *words[WORDS_MAX] = {NULL};
	struct sendmail_args args;
	size_t count = 0;
	const char *got;

	for (; rows[_i].words[count] != NULL; count++)
		words[count] = mem_strdup(context, rows[_i].words[count]);
	sendmail_args_parse(context, words, count, &args);
	got = describe(context, &args);
	ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s:\n got %s\nwant %s", rows[_i].who, got,
		rows[_i].want);
	mem_free(context);
}
END_TEST

/* Values keep their words: a name of two words stays one argument. */
START_TEST(kept_words)
{
	char *words[] = {(char *)"-F", (char *)"Ann Other", (char *)"-vc"};
	void *context = mem_context(NULL, "test");
	struct sendmail_args args;

	sendmail_args_parse(context, words, 3, &args);
	ck_assert_uint_eq(args.kept_count, 4);
	ck_assert_str_eq(args.kept[0], "-F");
	ck_assert_str_eq(args.kept[1], "Ann Other");
	ck_assert_str_eq(args.kept[2], "-v");
	ck_assert_str_eq(args.kept[3], "-c");
	mem_free(context);
}
END_TEST

/* As many kept words as one command line can give. */
START_TEST(longest_cluster)
{
	void *context = mem_context(NULL, "test");
	char cluster[5000];
	char *words[] = {cluster};
	struct sendmail_args args;

	memset(cluster, 'v', sizeof cluster);
	cluster[0] = '-';
	cluster[sizeof cluster - 1] = '\0';
	sendmail_args_parse(context, words, 1, &args);
	ck_assert_uint_eq(args.kept_count, sizeof cluster - 2);
	ck_assert_str_eq(args.kept[args.kept_count - 1], "-v");
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sendmail_args");
	TCase *cases = tcase_create("sendmail_args");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(cases, command_lines, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(cases, kept_words);
	tcase_add_test(cases, longest_cluster);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
