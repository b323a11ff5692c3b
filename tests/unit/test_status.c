/* test_status.c: every status has words of its own and the exit code that sysexits gives it. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/status.h"

static const struct {
	enum status status;
	int exit_code;
} codes[] = {
	{STATUS_OK, 0},
	{STATUS_USAGE, 64},
	{STATUS_CONFIG, 78},
	{STATUS_NO_INPUT, 66},
	{STATUS_DATA, 65},
	{STATUS_NOT_FOUND, 1},
	{STATUS_PERMISSION, 77},
	{STATUS_NO_SPACE, 73},
	{STATUS_IO, 74},
	{STATUS_STATE, 74},
	{STATUS_CHILD, 71},
	{STATUS_TIMEOUT, 75},
	{STATUS_DIFFERENT, 1},
	{STATUS_COUNT, 70},
	{(enum status)1000, 70},
};

START_TEST(test_exit_code)
{
	int got = status_exit_code(codes[_i].status);

	ck_assert_msg(got == codes[_i].exit_code, "status %d: got %d, want %d",
		(int)codes[_i].status, got, codes[_i].exit_code);
}
END_TEST

START_TEST(test_text)
{
	ck_assert_uint_eq(sizeof codes / sizeof codes[0], STATUS_COUNT + 2);
	for (int a = 0; a <= STATUS_COUNT; a++) {
		const char *text = status_text((enum status)a);

		ck_assert_msg(text != NULL && *text != '\0', "status %d has no text", a);
		for (int b = 0; b < a; b++)
			ck_assert_msg(strcmp(text, status_text((enum status)b)) != 0,
				"status %d and %d are both '%s'", a, b, text);
	}
}
END_TEST

static const struct {
	int error;
	enum status want;
} errors[] = {
	{ENOSPC, STATUS_NO_SPACE},
	{EDQUOT, STATUS_NO_SPACE},
	{EFBIG, STATUS_NO_SPACE},
	{EACCES, STATUS_PERMISSION},
	{EPERM, STATUS_PERMISSION},
	{EROFS, STATUS_PERMISSION},
	{ENOENT, STATUS_NO_INPUT},
	{EIO, STATUS_IO},
	{EPIPE, STATUS_IO},
	{EISDIR, STATUS_IO},
	{0, STATUS_IO},
};

START_TEST(test_errno)
{
	enum status got = status_from_errno(errors[_i].error);

	ck_assert_msg(got == errors[_i].want, "%s: got '%s', want '%s'", strerror(errors[_i].error),
		status_text(got), status_text(errors[_i].want));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("status");
	Suite *suite = suite_create("status");
	SRunner *runner;
	int failures;

	tcase_add_loop_test(tcase, test_exit_code, 0, sizeof codes / sizeof codes[0]);
	tcase_add_test(tcase, test_text);
	tcase_add_loop_test(tcase, test_errno, 0, sizeof errors / sizeof errors[0]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
