/* test_process.c: programs are run on a complete input, and their end and output come back. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/memory.h"
#include "base/process.h"

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

static struct bytes bytes_of(const char *text)
{
	return (struct bytes){(const unsigned char *)text, strlen(text)};
}

/* Runs a shell on input. */
static enum status run_shell(
	const char *command, const char *input, size_t limit, struct process_result *result)
{
	const char *argv[] = {"/bin/sh", "-c", command, NULL};
	struct bytes piece = bytes_of(input);
	struct process_request request = {
		.argv = argv, .input = &piece, .input_count = 1, .output_limit = limit};

	return process_run(context, &request, result);
}

static const struct {
	const char *command, *input;
	size_t limit;
	int exit_code, signal;
	const char *output;
} ends[] = {
	{"exit 0", "", 100, 0, 0, ""},
	{"exit 75", "", 100, 75, 0, ""},
	{"exit 255", "", 100, 255, 0, ""},
	{"kill -KILL $$", "", 100, -1, SIGKILL, ""},
	{"kill -TERM $$", "", 100, -1, SIGTERM, ""},
	{"kill -PIPE $$", "", 100, -1, SIGPIPE, ""},
	{"echo out; echo err >&2", "", 100, 0, 0, "out\nerr\n"},
	{"echo 123456789", "", 4, 0, 0, "1234"},
	{"echo 123456789", "", 0, 0, 0, ""},
	{"printf 'a'; printf 'b' >&2; printf 'c'", "", 2, 0, 0, "ab"},
	/* More than a pipe holds; the child must get to its end. */
	{"head -c 1000000 /dev/zero | tr '\\0' x; exit 3", "", 5, 3, 0, "xxxxx"},
	{"cat", "Subject: x\r\n\r\nbody", 100, 0, 0, "Subject: x\r\n\r\nbody"},
	/* Nobody reads the input. */
	{"exec <&-; exit 4", "x", 100, 4, 0, ""},
	{"head -c 3; readlink /proc/self/fd/0", "abcdef", 100, 0, 0,
		"abc/memfd:backstop (deleted)\n"},
	{"test -e /proc/self/fd/17 || echo closed", "", 100, 0, 0, "closed\n"},
	{"echo $BACKSTOP_TEST", "", 100, 0, 0, "ours\n"},
	{"no-such-command-anywhere 2>/dev/null", "", 100, 127, 0, ""},
};

START_TEST(test_end)
{
	struct process_result got;
	enum status status;
	int stray = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(dup2(stray, 17), 17);
	setenv("BACKSTOP_TEST", "ours", 1);
	status = run_shell(ends[_i].command, ends[_i].input, ends[_i].limit, &got);
	close(17);
	close(stray);
	ck_assert_msg(status == STATUS_OK, "'%s': got '%s'", ends[_i].command, status_text(status));
	ck_assert_msg(got.exit_code == ends[_i].exit_code && got.signal == ends[_i].signal,
		"'%s': got exit %d, signal %d, want %d, %d", ends[_i].command, got.exit_code,
		got.signal, ends[_i].exit_code, ends[_i].signal);
	ck_assert_msg(strcmp(got.output, ends[_i].output) == 0, "'%s': got '%s', want '%s'",
		ends[_i].command, got.output, ends[_i].output);
}
END_TEST

START_TEST(test_input_pieces)
{
	const char *argv[] = {"/bin/cat", NULL};
	struct bytes pieces[] = {bytes_of("one "), {NULL, 0}, bytes_of("two "), bytes_of("three")};
	struct process_request request = {.argv = argv, .input = pieces, .output_limit = 100};
	struct process_result got;

	ck_assert_int_eq(process_run(context, &request, &got), STATUS_OK);
	ck_assert_str_eq(got.output, "");
	request.input_count = 4;
	ck_assert_int_eq(process_run(context, &request, &got), STATUS_OK);
	ck_assert_str_eq(got.output, "one two three");
}
END_TEST

START_TEST(test_large_input)
{
	enum { SIZE = 5000000 };
	const char *argv[] = {"/usr/bin/wc", "-c", NULL};
	struct bytes piece = {mem_alloc(context, SIZE), SIZE};
	struct process_request request = {
		.argv = argv, .input = &piece, .input_count = 1, .output_limit = 100};
	struct process_result got;

	ck_assert_int_eq(process_run(context, &request, &got), STATUS_OK);
	ck_assert_str_eq(got.output, "5000000\n");
}
END_TEST

START_TEST(test_environment)
{
	const char *argv[] = {
		"/bin/sh", "-c", "echo $ONE:$TWO:$TWOFOLD; env | grep -c ^TWO=", NULL};
	const char *env[] = {"TWO=new=2", "TWO_MORE=", NULL};
	struct process_request request = {.argv = argv, .env = env, .output_limit = 100};
	struct process_result got;

	setenv("ONE", "1", 1);
	setenv("TWO", "old", 1);
	setenv("TWOFOLD", "kept", 1);
	ck_assert_int_eq(process_run(context, &request, &got), STATUS_OK);
	ck_assert_str_eq(got.output, "1:new=2:kept\n1\n");
	ck_assert_str_eq(getenv("TWO"), "old");
}
END_TEST

START_TEST(test_not_started)
{
	static const char *const paths[] = {"/nonexistent/program", "/", "/etc/passwd", "sh", ""};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		const char *argv[] = {paths[i], NULL};
		struct process_request request = {.argv = argv, .output_limit = 100};
		struct process_result got;
		enum status status = process_run(context, &request, &got);

		ck_assert_msg(status == STATUS_CHILD, "'%s': got '%s', want '%s'", paths[i],
			status_text(status), status_text(STATUS_CHILD));
		ck_assert_msg(got.exit_code == -1 && got.signal == 0 && *got.output == '\0',
			"'%s': got exit %d, signal %d, output '%s'", paths[i], got.exit_code,
			got.signal, got.output);
	}
}
END_TEST

/* A program that leaves a daemon behind with our pipe in its hands does not hold us. */
START_TEST(test_daemon_left_behind)
{
	struct process_result got;
	struct timespec before, after;
	long daemon;

	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(run_shell("sleep 60 & echo $!", "", 100, &got), STATUS_OK);
	clock_gettime(CLOCK_MONOTONIC, &after);
	daemon = strtol(got.output, NULL, 10);
	ck_assert_int_gt(daemon, 1);
	ck_assert_int_eq(kill((pid_t)daemon, SIGKILL), 0);
	ck_assert_msg(after.tv_sec - before.tv_sec < 20, "took %ld s",
		(long)(after.tv_sec - before.tv_sec));
}
END_TEST

/* A second, and what else it takes. */
static const struct {
	const char *command;
	bool is_late;
	int exit_code, signal;
	const char *output;
} limited[] = {
	{"echo a; exit 3", false, 3, 0, "a\n"},
	{"echo a; exec sleep 60", true, -1, SIGTERM, "a\n"},
	{"exec >&- 2>&-; exec sleep 60", true, -1, SIGTERM, ""},
	{"trap '' TERM; sleep 60; sleep 60", true, -1, SIGKILL, ""},
	{"trap 'exit 0' TERM; sleep 60 & wait", true, 0, 0, ""},
	{"exec cat /dev/zero", true, -1, SIGTERM, ""},
	/* Ended in time; the daemon is none of ours. */
	{"sleep 3 >&- 2>&- & exit 4", false, 4, 0, ""},
};

START_TEST(test_limit)
{
	const char *argv[] = {"/bin/sh", "-c", limited[_i].command, NULL};
	struct process_request request = {.argv = argv, .limit_s = 1, .output_limit = 100};
	struct process_result got;
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(process_run(context, &request, &got), STATUS_OK);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_msg(got.is_late == limited[_i].is_late &&
			      got.exit_code == limited[_i].exit_code &&
			      got.signal == limited[_i].signal,
		"'%s': got late %d, exit %d, signal %d, want %d, %d, %d", limited[_i].command,
		got.is_late, got.exit_code, got.signal, limited[_i].is_late, limited[_i].exit_code,
		limited[_i].signal);
	ck_assert_str_eq(got.output, limited[_i].output);
	ck_assert_msg(after.tv_sec - before.tv_sec < 20, "'%s': took %ld s", limited[_i].command,
		(long)(after.tv_sec - before.tv_sec));
}
END_TEST

/* What a wrapper started is ended with it, else it would send what is then sent again. */
START_TEST(test_limit_ends_the_group)
{
	const char *argv[] = {"/bin/sh", "-c", "sleep 60 & echo $!; wait", NULL};
	struct process_request request = {.argv = argv, .limit_s = 1, .output_limit = 100};
	struct process_result got;
	long other;

	ck_assert_int_eq(process_run(context, &request, &got), STATUS_OK);
	ck_assert(got.is_late);
	other = strtol(got.output, NULL, 10);
	ck_assert_int_gt(other, 1);
	/* Its new parent may take a moment to wait for it. */
	for (int i = 0; i < 100 && kill((pid_t)other, 0) == 0; i++) {
		char path[64], state = 0;
		FILE *stat;

		snprintf(path, sizeof path, "/proc/%ld/stat", other);
		stat = fopen(path, "r");
		if (stat == NULL)
			break;
		if (fscanf(stat, "%*d (%*[^)]) %c", &state) == 1 && state == 'Z')
			other = 0;
		fclose(stat);
		if (other == 0)
			break;
		usleep(50000);
	}
	ck_assert_msg(other == 0 || kill((pid_t)other, 0) != 0, "it is still there");
}
END_TEST

static void on_tick(int unused)
{
	(void)unused;
}

START_TEST(test_interrupted)
{
	struct sigaction action = {.sa_handler = on_tick};
	struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	struct process_result got;
	enum status status;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	status = run_shell("sleep 0.1; echo a; exec >&- 2>&-; sleep 0.1; exit 3", "", 100, &got);
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_int_eq(status, STATUS_OK);
	ck_assert_int_eq(got.exit_code, 3);
	ck_assert_str_eq(got.output, "a\n");
}
END_TEST

/* The rest changes the process for good, so each runs in a child, which exits with the number of
 * what failed. */

/* A mask from /proc/PID/status, signals 1 to 31: glibc's spawn ignores its own 32 and 33. */
static unsigned long long standard_signals(const char *status_file, const char *name)
{
	const char *line = strstr(status_file, name);

	return line != NULL ? strtoull(line + strlen(name), NULL, 16) & 0x7FFFFFFF : ~0ull;
}

static int with_guard(int unused)
{
	struct process_result got;
	sigset_t all;

	(void)unused;
	guard_enter();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (run_shell("kill -PIPE $$; exit 1", "", 0, &got) != STATUS_OK || got.signal != SIGPIPE)
		return 1;
	if (run_shell("kill -TERM $$; exit 1", "", 0, &got) != STATUS_OK || got.signal != SIGTERM)
		return 2;
	/* A program that sets none up itself. */
	if (run_shell("exec cat /proc/self/status", "", 4096, &got) != STATUS_OK)
		return 3;
	return standard_signals(got.output, "SigBlk:") == 0 &&
			       standard_signals(got.output, "SigIgn:") == 0 &&
			       standard_signals(got.output, "SigCgt:") == 0
		       ? 0
		       : 4;
}

static int with_ignored_children(int unused)
{
	struct process_result got;

	(void)unused;
	signal(SIGCHLD, SIG_IGN);
	if (run_shell("exit 5", "", 0, &got) != STATUS_OK)
		return 1;
	return got.exit_code == 5 ? 0 : 2;
}

/* Those whose bit is set in mask. */
static int without_descriptors(int mask)
{
	struct process_result got;

	for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++) {
		if (mask >> descriptor & 1)
			close(descriptor);
	}
	if (run_shell("cat; echo err >&2; exit 6", "in ", 100, &got) != STATUS_OK)
		return 1;
	if (strcmp(got.output, "in err\n") != 0)
		return 2;
	return got.exit_code == 6 ? 0 : 3;
}

static int without_descriptors_left(int unused)
{
	struct rlimit limit = {3, 3};
	struct process_result got;

	(void)unused;
	setrlimit(RLIMIT_NOFILE, &limit);
	return run_shell("exit 0", "", 0, &got) == STATUS_IO ? 0 : 1;
}

static int with_file_limit(int unused)
{
	struct rlimit limit = {1000, 1000};
	char input[2001];
	struct process_result got;

	(void)unused;
	memset(input, 'x', sizeof input - 1);
	input[sizeof input - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	return run_shell("exit 0", input, 0, &got) == STATUS_NO_SPACE ? 0 : 1;
}

/* From here on memfd_create fails, as on a kernel or under a filter that does not have it. */
static int refuse_memfd(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof code[0], code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int without_memfd(int unused)
{
	struct process_result got;
	char folder[] = "/tmp/backstop-test.XXXXXX";
	int failed = 0;

	(void)unused;
	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("TMPDIR", folder, 1);
	if (refuse_memfd() != 0)
		failed = 2;
	else if (run_shell("cat; readlink /proc/self/fd/0", "in ", 100, &got) != STATUS_OK)
		failed = 3;
	else if (strncmp(got.output, "in ", 3) != 0 ||
		 strncmp(got.output + 3, folder, strlen(folder)) != 0)
		failed = 4;
	/* Fails when anything is left in it. */
	if (rmdir(folder) != 0)
		return 5;
	if (failed == 0 && run_shell("exit 0", "", 0, &got) != STATUS_IO)
		return 6;
	return failed;
}

static const struct {
	const char *what;
	int (*body)(int);
	int argument;
} settings[] = {
	{"guard", with_guard, 0},
	{"SIGCHLD ignored", with_ignored_children, 0},
	{"closed, as bits: 1", without_descriptors, 1},
	{"closed, as bits: 2", without_descriptors, 2},
	{"closed, as bits: 3", without_descriptors, 3},
	{"closed, as bits: 4", without_descriptors, 4},
	{"closed, as bits: 5", without_descriptors, 5},
	{"closed, as bits: 6", without_descriptors, 6},
	{"closed, as bits: 7", without_descriptors, 7},
	{"no descriptor left", without_descriptors_left, 0},
	{"file size limit", with_file_limit, 0},
	{"no memfd_create", without_memfd, 0},
};

START_TEST(test_setting)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ne(child, -1);
	if (child == 0)
		_exit(settings[_i].body(settings[_i].argument));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "%s: step %d failed, signal %d", settings[_i].what,
		WEXITSTATUS(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	TCase *tcase = tcase_create("process");
	Suite *suite = suite_create("process");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, test_end, 0, COUNT(ends));
	tcase_add_test(tcase, test_input_pieces);
	tcase_add_test(tcase, test_large_input);
	tcase_add_test(tcase, test_environment);
	tcase_add_test(tcase, test_not_started);
	tcase_add_test(tcase, test_daemon_left_behind);
	tcase_add_loop_test(tcase, test_limit, 0, COUNT(limited));
	tcase_add_test(tcase, test_limit_ends_the_group);
	tcase_add_test(tcase, test_interrupted);
	tcase_add_loop_test(tcase, test_setting, 0, COUNT(settings));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
