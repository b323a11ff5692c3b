/*
 * test_act.c: file, pipe, and forward with a shell script in place of sendmail.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act.h"
#include "base/memory.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static void *context;
static char *folder;

static void set_up(void)
{
	const char *parent = getenv("TMPDIR");

	context = mem_context(NULL, "test");
	folder = mem_printf(context, "%s/backstop-act.XXXXXX", parent != NULL ? parent : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void tear_down(void)
{
	nftw(folder, remove_entry, 10, FTW_DEPTH | FTW_PHYS);
	mem_free(context);
}

static char *path_of(const char *name)
{
	return mem_printf(context, "%s/%s", folder, name);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* size 0 and NULL data when there is no such file. */
static struct bytes read_file(const char *path)
{
	unsigned char *data = mem_alloc(context, 65536);
	FILE *file = fopen(path, "r");
	size_t size;

	if (file == NULL)
		return (struct bytes){NULL, 0};
	size = fread(data, 1, 65536, file);
	fclose(file);
	return (struct bytes){data, size};
}

static struct bytes of_text(const char *text)
{
	return (struct bytes){(const unsigned char *)text, strlen(text)};
}

static void check_bytes(const char *name, struct bytes got, struct bytes want)
{
	ck_assert_msg(got.size == want.size &&
			      (want.size == 0 || memcmp(got.data, want.data, want.size) == 0),
		"%s: got %zu bytes \"%.*s\", want %zu bytes", name, got.size, (int)got.size,
		(const char *)got.data, want.size);
}

static const struct bytes originals[] = {
#define BYTES(literal)                                                                             \
	{                                                                                          \
		(const unsigned char *)(literal), sizeof(literal) - 1                              \
	}
	BYTES("From: a\n\nbody\n"),
	BYTES("From: a\r\n\r\nNUL \0 and 8 bit \xE9\r, no last line end"),
	BYTES(".\n.\n"),
	BYTES(""),
};

/* ---- file ---- */

START_TEST(file_is_delivered)
{
	const char *maildir = path_of("box");
	const char *error = NULL;
	char *name = NULL;
	enum status status = file_deliver(context, maildir, originals[_i], &name, &error);

	ck_assert_msg(status == STATUS_OK, "got %s: %s", status_text(status), error);
	ck_assert_ptr_nonnull(name);
	check_bytes(
		"file", read_file(mem_printf(context, "%s/new/%s", maildir, name)), originals[_i]);
}
END_TEST

START_TEST(file_says_why_not)
{
	const char *maildir = path_of("absent/box");
	const char *error = NULL;
	enum status status = file_deliver(context, maildir, originals[0], NULL, &error);

	ck_assert_msg(status == STATUS_NO_INPUT, "got %s", status_text(status));
	ck_assert_msg(error != NULL && strstr(error, maildir) != NULL &&
			      strstr(error, strerror(ENOENT)) != NULL,
		"got \"%s\"", error);
}
END_TEST

/* ---- pipe ---- */

START_TEST(pipe_gets_the_bytes)
{
	const char *taken = path_of("taken");
	const char *error = NULL;
	enum status status = pipe_run(
		context, mem_printf(context, "cat > '%s'", taken), NULL, originals[_i], &error);

	ck_assert_msg(status == STATUS_OK, "got %s: %s", status_text(status), error);
	check_bytes("pipe", read_file(taken), originals[_i]);
}
END_TEST

static const struct {
	const char *command;
	enum status want;
	const char *error;
} pipe_ends[] = {
	{"exit 0", STATUS_OK, NULL}, /* without reading: it may */
	{"cat >/dev/null; exit 0", STATUS_OK, NULL},
	{"cat >/dev/null; exit 1", STATUS_CHILD, "the pipe command exited with code 1"},
	{"exit 75", STATUS_CHILD, "the pipe command exited with code 75"},
	{"kill -9 $$", STATUS_CHILD, "the pipe command was ended by signal 9"},
	{"echo ann@example.net >&2; exit 67", STATUS_CHILD, "the pipe command exited with code 67"},
	{"/nonexistent/program", STATUS_CHILD, "the pipe command exited with code 127"},
};

START_TEST(pipe_end)
{
	const char *command = pipe_ends[_i].command;
	const char *error = NULL;
	enum status status = pipe_run(context, command, NULL, originals[0], &error);

	ck_assert_msg(status == pipe_ends[_i].want, "%s: got %s", command, status_text(status));
	if (pipe_ends[_i].error != NULL)
		ck_assert_str_eq(error, pipe_ends[_i].error);
	else
		ck_assert_ptr_null(error);
}
END_TEST

START_TEST(pipe_knows_the_facts)
{
	const struct pipe_facts facts = {
		.kind = KIND_FAILED,
		.verdict = VERDICT_GENUINE,
		.score = -7,
		.list = "announce@lists.example.org",
		.failed = "ann@example.net, bob@example.net",
		.sender = "",
		.recipient = "announce-bounces@lists.example.org\n$(reboot)",
	};
	const char *taken = path_of("taken");
	const char *command = mem_printf(context,
		"printf '%%s|%%s|%%s|%%s|%%s|%%s|%%s' \"$BACKSTOP_KIND\" \"$BACKSTOP_VERDICT\" "
		"\"$BACKSTOP_SCORE\" \"$BACKSTOP_LIST\" \"$BACKSTOP_RECIPIENTS\" "
		"\"${SENDER-unset}\" "
		"\"$RECIPIENT\" > '%s'",
		taken);
	const char *error = NULL;
	enum status status =
		pipe_run(context, command, pipe_environment(context, &facts), originals[0], &error);

	ck_assert_msg(status == STATUS_OK, "got %s: %s", status_text(status), error);
	check_bytes("environment", read_file(taken),
		of_text("failed|genuine|-7|announce@lists.example.org|"
			"ann@example.net bob@example.net||"
			"announce-bounces@lists.example.org $(reboot)"));
}
END_TEST

static const char *find_variable(const char *const *env, const char *name)
{
	for (; *env != NULL; env++) {
		if (strncmp(*env, name, strlen(name)) == 0 && (*env)[strlen(name)] == '=')
			return *env + strlen(name) + 1;
	}
	return NULL;
}

START_TEST(pipe_variables_have_a_cap)
{
	const size_t count = 20000;
	const char *one = "ann@example.net, ";
	char *failed = mem_alloc(context, count * strlen(one) + 1);
	struct pipe_facts facts = {.kind = KIND_FAILED};
	const char *const *env;
	const char *value, *error = NULL;

	for (size_t i = 0; i < count; i++)
		memcpy(failed + i * strlen(one), one, strlen(one));
	facts.failed = failed;
	facts.sender = failed;
	env = pipe_environment(context, &facts);
	value = find_variable(env, "BACKSTOP_RECIPIENTS");
	ck_assert_ptr_nonnull(value);
	ck_assert_uint_le(strlen(value), PIPE_VALUE_MAX);
	ck_assert_uint_gt(strlen(value), PIPE_VALUE_MAX - 100);
	ck_assert_msg(strcmp(strrchr(value, ' '), " ann@example.net") == 0,
		"the last address is cut: \"%s\"", strrchr(value, ' '));
	ck_assert_uint_le(strlen(find_variable(env, "SENDER")), PIPE_VALUE_MAX);
	ck_assert_str_eq(find_variable(env, "RECIPIENT"), "");
	ck_assert_int_eq(pipe_run(context, "exit 0", env, originals[0], &error), STATUS_OK);
}
END_TEST

/* ---- forward ---- */

static const char *const owners[] = {"alice@example.org", "-oi@example.net"};

static const struct notice notice = {
	.list = "announce@lists.example.org",
	.subject = "Bounce",
	.verdict = "genuine",
	.kind = "failed",
	.score = 61,
	.text = "It failed.\n",
	.report = BYTES("Reporting-MTA: dns; mx\n"),
	.original_headers = BYTES("Subject: News\n"),
	.time_s = 1795461562,
};

/* A sendmail that writes down its words, one in each line, and the message; then the end. */
static const struct config *configure(const char *end)
{
	struct config *config = mem_new(context, struct config);

	config->sendmail = path_of("sendmail");
	write_file(config->sendmail,
		mem_printf(context, "#!/bin/sh\nprintf '%%s\\n' \"$@\" >'%s'\n%s\n",
			path_of("argv"), end),
		0700);
	return config;
}

static const char *reading_end(void)
{
	return mem_printf(context, "cat >'%s'", path_of("message"));
}

START_TEST(forward_calls_sendmail)
{
	const struct config *config = configure(reading_end());
	const char *error = NULL;
	enum status status = forward_send(context, config, owners, LENGTH(owners),
		OWNER_SEES_SUMMARY, &notice, originals[0], &error);
	struct bytes message;

	ck_assert_msg(status == STATUS_OK, "got %s: %s", status_text(status), error);
	/* The last of two runs: each owner has one of his own. */
	check_bytes(
		"words", read_file(path_of("argv")), of_text("-i\n-f\n<>\n--\n-oi@example.net\n"));
	message = read_file(path_of("message"));
	ck_assert_uint_gt(message.size, 0);
	ck_assert_ptr_nonnull(memmem(message.data, message.size, "\nIt failed.\n", 12));
	ck_assert_ptr_nonnull(memmem(message.data, message.size, "\nAuto-Submitted: ", 17));
	/* The returned content is what a summary is without. */
	ck_assert_ptr_null(memmem(message.data, message.size, "body", 4));
}
END_TEST

START_TEST(forward_text_calls_sendmail)
{
	const struct config *config = configure(reading_end());
	const char *error = NULL;
	enum status status = forward_text(context, config, owners, 1, &notice, &error);
	struct bytes message;

	ck_assert_msg(status == STATUS_OK, "got %s: %s", status_text(status), error);
	check_bytes("words", read_file(path_of("argv")),
		of_text(mem_printf(context, "-i\n-f\n<>\n--\n%s\n", owners[0])));
	message = read_file(path_of("message"));
	ck_assert_ptr_nonnull(memmem(message.data, message.size, "\n\nIt failed.\n", 13));
	ck_assert_ptr_nonnull(memmem(message.data, message.size, "\nX-Backstop-Loop: ", 18));
	ck_assert_ptr_null(memmem(message.data, message.size, "multipart", 9));
	ck_assert_int_eq(forward_text(context, config, owners, 0, &notice, &error), STATUS_CONFIG);
}
END_TEST

START_TEST(forward_passes_originals_on)
{
	const struct config *config = configure(reading_end());
	struct bytes original = originals[_i];
	const char *error = NULL;
	enum status status = forward_send(
		context, config, owners, 1, OWNER_SEES_ORIGINAL, &notice, original, &error);
	struct bytes message;

	ck_assert_msg(status == STATUS_OK, "got %s: %s", status_text(status), error);
	message = read_file(path_of("message"));
	ck_assert_msg(
		message.size > original.size && memcmp(message.data, "X-Backstop-Loop: ", 17) == 0,
		"our lines are not on top");
	check_bytes("original",
		(struct bytes){message.data + message.size - original.size, original.size},
		original);
}
END_TEST

START_TEST(forward_makes_new_ids)
{
	const struct config *config = configure(reading_end());
	struct bytes messages[2];
	const char *error = NULL;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(forward_send(context, config, owners, 1, OWNER_SEES_SUMMARY,
					 &notice, originals[0], &error),
			STATUS_OK);
		messages[i] = read_file(path_of("message"));
	}
	ck_assert_uint_eq(messages[0].size, messages[1].size);
	ck_assert_int_ne(memcmp(messages[0].data, messages[1].data, messages[0].size), 0);
}
END_TEST

static const struct {
	const char *end;
	enum status want;
	const char *error; /* behind the program's path */
} forward_ends[] = {
	{"exit 0", STATUS_OK, NULL}, /* it read nothing, and says that it has the message */
	{"exit 75", STATUS_CHILD, " exited with code 75"},
	{"cat >/dev/null; echo no such user ann@example.net; exit 67", STATUS_CHILD,
		" exited with code 67"},
	{"kill -15 $$", STATUS_CHILD, " was ended by signal 15"},
};

START_TEST(forward_end)
{
	const struct config *config = configure(forward_ends[_i].end);
	const char *error = NULL;
	enum status status = forward_send(context, config, owners, LENGTH(owners),
		OWNER_SEES_SUMMARY, &notice, originals[0], &error);

	ck_assert_msg(status == forward_ends[_i].want, "%s: got %s: %s", forward_ends[_i].end,
		status_text(status), error);
	if (forward_ends[_i].error != NULL)
		ck_assert_str_eq(error,
			mem_printf(context, "%s%s", config->sendmail, forward_ends[_i].error));
	else
		ck_assert_ptr_null(error);
}
END_TEST

START_TEST(forward_without_program)
{
	const struct config *config = configure("exit 0");
	const char *error = NULL;
	enum status status;

	ck_assert_int_eq(unlink(config->sendmail), 0);
	status = forward_send(context, config, owners, LENGTH(owners), OWNER_SEES_ORIGINAL, &notice,
		originals[0], &error);
	ck_assert_msg(status == STATUS_CHILD, "got %s", status_text(status));
	ck_assert_str_eq(error, mem_printf(context, "%s could not be started", config->sendmail));
}
END_TEST

static const struct {
	const char *recipients[2];
	size_t count;
} nobody_rows[] = {
	{{NULL}, 0},
	{{""}, 1},
	{{"alice@example.org", ""}, 2},
	{{"alice@example.org", NULL}, 2},
};

START_TEST(forward_to_nobody)
{
	const struct config *config = configure("exit 0");
	const char *error = NULL;
	enum status status = forward_send(context, config, nobody_rows[_i].recipients,
		nobody_rows[_i].count, OWNER_SEES_SUMMARY, &notice, originals[0], &error);

	ck_assert_msg(status == STATUS_CONFIG, "got %s", status_text(status));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(access(path_of("argv"), F_OK) != 0, "sendmail was called");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("act");
	TCase *tcase = tcase_create("act");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, file_is_delivered, 0, LENGTH(originals));
	tcase_add_test(tcase, file_says_why_not);
	tcase_add_loop_test(tcase, pipe_gets_the_bytes, 0, LENGTH(originals));
	tcase_add_loop_test(tcase, pipe_end, 0, LENGTH(pipe_ends));
	tcase_add_test(tcase, pipe_knows_the_facts);
	tcase_add_test(tcase, pipe_variables_have_a_cap);
	tcase_add_test(tcase, forward_calls_sendmail);
	tcase_add_test(tcase, forward_text_calls_sendmail);
	tcase_add_loop_test(tcase, forward_passes_originals_on, 0, LENGTH(originals));
	tcase_add_test(tcase, forward_makes_new_ids);
	tcase_add_loop_test(tcase, forward_end, 0, LENGTH(forward_ends));
	tcase_add_test(tcase, forward_without_program);
	tcase_add_loop_test(tcase, forward_to_nobody, 0, LENGTH(nobody_rows));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failures;

	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
