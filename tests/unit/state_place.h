/* state_place.h: for the tests of src/state/: a fresh state directory in each test, and shorthands
 * to open it and to run code in another process. */
#ifndef TESTS_STATE_PLACE_H
#define TESTS_STATE_PLACE_H

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/box.h"
#include "state/state.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static char base[PATH_MAX];	      /* for all tests of the program; run_suite removes it */
static char place[PATH_MAX + 32];     /* the state directory of this test; not there yet */
static char data_file[PATH_MAX + 64]; /* in it */
static char lock_file[PATH_MAX + 64];
static void *context;

static inline void set_up(void)
{
	char folder[sizeof base + sizeof "/XXXXXX"];

	snprintf(folder, sizeof folder, "%s/XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(place, sizeof place, "%s/state", folder);
	snprintf(data_file, sizeof data_file, "%s/data.mdb", place);
	snprintf(lock_file, sizeof lock_file, "%s/lock.mdb", place);
	context = mem_context(NULL, "test");
}

static inline void tear_down(void)
{
	mem_free(context);
}

static inline int remove_entry(
	const char *path, const struct stat *status, int flag, struct FTW *position)
{
	(void)status;
	(void)flag;
	(void)position;
	return remove(path);
}

static inline struct state *open_state(enum state_access access)
{
	struct state *state = NULL;
	const char *error = NULL;
	enum status status = state_open(context, place, access, &state, &error);

	ck_assert_msg(status == STATUS_OK, "open: got %s (%s)", status_text(status),
		error != NULL ? error : "no sentence");
	return state;
}

#define ck_assert_status(got, want)                                                                \
	do {                                                                                       \
		enum status got_ = (got);                                                          \
		enum status want_ = (want);                                                        \
		ck_assert_msg(got_ == want_, "%s: got \"%s\", want \"%s\"", #got,                  \
			status_text(got_), status_text(want_));                                    \
	} while (0)

/* Starts work(argument) in a child, which ends with its result as exit code. Open no state before:
 * LMDB is not for both sides of a fork. */
static inline pid_t start(int (*work)(void *), void *argument)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(work(argument));
	return child;
}

/* The exit code, or 128 and the signal. */
static inline int finish(pid_t child)
{
	int status = 0;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int run_suite(Suite *suite)
{
	const char *folder = getenv("TMPDIR");
	SRunner *runner;
	int failures;

	snprintf(base, sizeof base, "%s/backstop-state-XXXXXX",
		folder != NULL && folder[0] != '\0' ? folder : "/tmp");
	if (mkdtemp(base) == NULL) {
		perror(base);
		return 1;
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return failures != 0;
}

#endif
