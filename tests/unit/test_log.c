/* test_log.c: one clean line a call, to where it belongs. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define NOW INT64_C(1795461562)

static char folder[64];
static char path[96];
static int errors; /* stands in for standard error */
static int real_errors;

static void set_up(void)
{
	strcpy(folder, "/tmp/backstop-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	errors = memfd_create("errors", MFD_CLOEXEC);
	real_errors = dup(STDERR_FILENO);
	dup2(errors, STDERR_FILENO);
	clock_fix(NOW);
}

static void tear_down(void)
{
	dup2(real_errors, STDERR_FILENO);
	close(real_errors);
	close(errors);
	unlink(path);
	rmdir(folder);
}

static char *contents(int descriptor)
{
	static char text[16384];
	ssize_t size = pread(descriptor, text, sizeof text - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static char *file_contents(void)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	char *text = contents(descriptor);

	close(descriptor);
	return text;
}

START_TEST(test_before_open)
{
	log_debug("d");
	log_info("i");
	log_warning("w %d", 1);
	log_error("e");
	ck_assert_str_eq(contents(errors), "backstop: warning: w 1\nbackstop: error: e\n");
}
END_TEST

START_TEST(test_stderr)
{
	log_open("stderr", LOG_LEVEL_DEBUG);
	log_debug("5.1.1 no such user");
	log_info("i");
	log_error("e");
	ck_assert_str_eq(contents(errors),
		"backstop: debug: 5.1.1 no such user\nbackstop: info: i\nbackstop: error: e\n");
}
END_TEST

START_TEST(test_file)
{
	char want[256];

	log_open(path, LOG_LEVEL_INFO);
	log_debug("d");
	log_info("kind=failed");
	log_error("a\r\nb\x1B[31m\xFF");
	snprintf(want, sizeof want,
		"2026-11-23T19:19:22Z backstop[%ld] info: kind=failed\n"
		"2026-11-23T19:19:22Z backstop[%ld] error: a b [31m\xEF\xBF\xBD\n",
		(long)getpid(), (long)getpid());
	ck_assert_str_eq(file_contents(), want);
	ck_assert_str_eq(contents(errors), "backstop: error: a b [31m\xEF\xBF\xBD\n");
}
END_TEST

START_TEST(test_file_appends)
{
	log_open(path, LOG_LEVEL_INFO);
	log_info("one");
	log_open(path, LOG_LEVEL_INFO);
	log_info("two");
	ck_assert_ptr_nonnull(strstr(file_contents(), "one\n"));
	ck_assert_ptr_nonnull(strstr(file_contents(), "two\n"));
}
END_TEST

START_TEST(test_cap)
{
	char *text = mem_strdup(NULL, "");
	char *line;

	for (int i = 0; i < 3000; i++)
		text = mem_append(text, "\xE2\x82\xAC");
	log_open(path, LOG_LEVEL_INFO);
	log_error("%s", text);
	mem_free(text);
	line = file_contents();
	ck_assert_msg(strlen(line) > 1980 && strlen(line) <= 2000, "file: %zu bytes", strlen(line));
	ck_assert_str_eq(line + strlen(line) - 7, "\xE2\x82\xAC...\n");
	line = contents(errors);
	ck_assert_msg(
		strlen(line) > 1980 && strlen(line) <= 2000, "stderr: %zu bytes", strlen(line));
	ck_assert_str_eq(line + strlen(line) - 7, "\xE2\x82\xAC...\n");
}
END_TEST

START_TEST(test_keeps_errno)
{
	log_open(path, LOG_LEVEL_DEBUG);
	close(errors);
	errors = open("/dev/null", O_WRONLY | O_CLOEXEC);
	close(STDERR_FILENO);
	errno = ENOSPC;
	log_error("e");
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

/* Falls back to syslog; a named pipe without a reader must not hold us. */
START_TEST(test_file_not_opened)
{
	static const char *const targets[] = {"/nonexistent/folder/log", "/", "pipe"};

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		log_open(strcmp(targets[i], "pipe") == 0 ? path : targets[i], LOG_LEVEL_ERROR);
		log_error("%s", targets[i]);
	}
	ck_assert_str_eq(contents(errors), "backstop: error: /nonexistent/folder/log\n"
					   "backstop: error: /\nbackstop: error: pipe\n");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("log");
	Suite *suite = suite_create("log");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_before_open);
	tcase_add_test(tcase, test_stderr);
	tcase_add_test(tcase, test_file);
	tcase_add_test(tcase, test_file_appends);
	tcase_add_test(tcase, test_cap);
	tcase_add_test(tcase, test_keeps_errno);
	tcase_add_test(tcase, test_file_not_opened);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
