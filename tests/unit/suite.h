/* suite.h: what each unit test program ends with: one suite, run, exit status. */
#ifndef BACKSTOP_TESTS_SUITE_H
#define BACKSTOP_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define ROWS(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
