/* test_guard.c: whatever ends a guarded process ends it with 75 and one line. Each row runs in a
 * child of its own, since guard_enter cannot be undone. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/memory.h"

#define ENDED "backstop: ended by a signal, deferring\n"
#define DEADLINE "backstop: deadline passed, deferring\n"

enum { UNHARMED = 17 }; /* the exit code of a child that came through */

/* What a child left: its exit code (1000 + signal when one ended it) and its standard error. */
struct end {
	int code;
	char errors[1024];
};

/* Reads up to the end of the pipe, which must come within some seconds. */
static void read_errors(int descriptor, struct end *end)
{
	size_t size = 0;
	struct pollfd in = {.fd = descriptor, .events = POLLIN};

	while (size < sizeof end->errors - 1 && poll(&in, 1, 20000) == 1) {
		ssize_t got = read(descriptor, end->errors + size, sizeof end->errors - 1 - size);

		if (got <= 0)
			break;
		size += (size_t)got;
	}
	end->errors[size] = '\0';
}

static struct end run(void (*body)(int), int argument)
{
	struct end end = {.code = -1};
	int errors[2];
	int status;
	pid_t child;

	ck_assert_int_eq(pipe(errors), 0);
	child = fork();
	ck_assert_int_ne(child, -1);
	if (child == 0) {
		close(errors[0]);
		dup2(errors[1], STDERR_FILENO);
		close(errors[1]);
		body(argument);
		_exit(UNHARMED);
	}
	close(errors[1]);
	read_errors(errors[0], &end);
	close(errors[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	end.code = WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
	return end;
}

static void expect(const char *what, struct end end, int code, const char *errors)
{
	ck_assert_msg(end.code == code, "%s: got exit %d, want %d", what, end.code, code);
	ck_assert_msg(strcmp(end.errors, errors) == 0, "%s: got '%s', want '%s'", what, end.errors,
		errors);
}

static void be_killed(int signal_number)
{
	guard_enter();
	kill(getpid(), signal_number);
}

/* As an MTA that blocks signals around fork() may leave it. */
static void be_killed_blocked(int signal_number)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	be_killed(signal_number);
}

static const struct {
	int signal;
	int code;
	const char *errors;
} signals[] = {
	{SIGHUP, GUARD_TEMPFAIL, ENDED},
	{SIGINT, GUARD_TEMPFAIL, ENDED},
	{SIGQUIT, GUARD_TEMPFAIL, ENDED},
	{SIGTERM, GUARD_TEMPFAIL, ENDED},
	{SIGSEGV, GUARD_TEMPFAIL, ENDED},
	{SIGBUS, GUARD_TEMPFAIL, ENDED},
	{SIGFPE, GUARD_TEMPFAIL, ENDED},
	{SIGILL, GUARD_TEMPFAIL, ENDED},
	{SIGABRT, GUARD_TEMPFAIL, ENDED},
	{SIGTRAP, GUARD_TEMPFAIL, ENDED},
	{SIGSYS, GUARD_TEMPFAIL, ENDED},
	{SIGXCPU, GUARD_TEMPFAIL, ENDED},
	{SIGALRM, GUARD_TEMPFAIL, DEADLINE},
	{SIGVTALRM, GUARD_TEMPFAIL, ENDED},
	{SIGPROF, GUARD_TEMPFAIL, ENDED},
	{SIGUSR1, GUARD_TEMPFAIL, ENDED},
	{SIGUSR2, GUARD_TEMPFAIL, ENDED},
	{SIGIO, GUARD_TEMPFAIL, ENDED},
	{SIGPIPE, UNHARMED, ""},
	{SIGXFSZ, UNHARMED, ""},
	{SIGCHLD, UNHARMED, ""},
};

START_TEST(test_signal)
{
	int number = signals[_i].signal;

	expect(strsignal(number), run(be_killed, number), signals[_i].code, signals[_i].errors);
	expect(strsignal(number), run(be_killed_blocked, number), signals[_i].code,
		signals[_i].errors);
}
END_TEST

static void call_abort(int unused)
{
	(void)unused;
	guard_enter();
	abort();
}

static void touch_nothing(int unused)
{
	volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	guard_enter();
	*page = 1;
}

/* A map of a file that another process cut short: what LMDB's would do. */
static void touch_behind_file(int unused)
{
	int file = memfd_create("test", MFD_CLOEXEC);
	volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);

	(void)unused;
	guard_enter();
	(void)*page;
}

static volatile unsigned depth_wanted = ~0u;

static unsigned descend(unsigned depth)
{
	volatile char frame[1024];

	frame[depth % sizeof frame] = (char)depth;
	return depth == depth_wanted ? 0 : descend(depth + 1) + (unsigned)frame[0];
}

static void run_out_of_stack(int unused)
{
	struct rlimit limit = {512 * 1024, 512 * 1024};

	(void)unused;
	setrlimit(RLIMIT_STACK, &limit);
	guard_enter();
	depth_wanted = ~0u;
	_exit((int)descend(0) & 1);
}

static void run_out_of_memory(int unused)
{
	(void)unused;
	guard_enter();
	mem_alloc(NULL, (size_t)1 << 40);
}

static void pass_deadline(int seconds)
{
	guard_enter();
	guard_set_deadline((unsigned)seconds);
	pause();
}

static void clear_deadline(int unused)
{
	(void)unused;
	guard_enter();
	guard_set_deadline(100);
	guard_set_deadline(0);
	if (alarm(0) != 0)
		_exit(1);
}

/* The handler must not wait for room in a pipe that nobody reads. */
static void pass_deadline_unheard(int unused)
{
	static const char block[4096] = "";
	int full[2];

	(void)unused;
	if (pipe2(full, O_NONBLOCK) != 0)
		_exit(1);
	while (write(full[1], block, sizeof block) > 0)
		;
	fcntl(full[1], F_SETFL, 0);
	dup2(full[1], STDERR_FILENO);
	pass_deadline(1);
}

static void write_to_closed_pipe(int unused)
{
	int ends[2];

	(void)unused;
	guard_enter();
	if (pipe(ends) != 0)
		_exit(1);
	close(ends[0]);
	if (write(ends[1], "x", 1) != -1 || errno != EPIPE)
		_exit(2);
}

static void write_too_much(int unused)
{
	struct rlimit none = {0, 0};
	int file = memfd_create("test", MFD_CLOEXEC);

	(void)unused;
	guard_enter();
	setrlimit(RLIMIT_FSIZE, &none);
	if (write(file, "x", 1) != -1 || errno != EFBIG)
		_exit(2);
}

/* What is opened next must not become standard input or error. */
static void lack_descriptors(int unused)
{
	char byte;

	(void)unused;
	for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
		close(descriptor);
	guard_enter();
	if (read(STDIN_FILENO, &byte, 1) != -1)
		_exit(1);
	if (open("/dev/null", O_RDONLY) <= STDERR_FILENO)
		_exit(2);
}

static const struct {
	const char *what;
	void (*body)(int);
	int argument;
	int code;
	const char *errors;
} bodies[] = {
	{"abort", call_abort, 0, GUARD_TEMPFAIL, ENDED},
	{"fault", touch_nothing, 0, GUARD_TEMPFAIL, ENDED},
	{"map behind the file's end", touch_behind_file, 0, GUARD_TEMPFAIL, ENDED},
	{"stack overflow", run_out_of_stack, 0, GUARD_TEMPFAIL, ENDED},
	{"out of memory", run_out_of_memory, 0, GUARD_TEMPFAIL, "backstop: out of memory\n" ENDED},
	{"deadline", pass_deadline, 1, GUARD_TEMPFAIL, DEADLINE},
	{"deadline, full pipe", pass_deadline_unheard, 0, GUARD_TEMPFAIL, ""},
	{"deadline cleared", clear_deadline, 0, UNHARMED, ""},
	{"closed pipe", write_to_closed_pipe, 0, UNHARMED, ""},
	{"file size limit", write_too_much, 0, UNHARMED, ""},
	{"closed descriptors", lack_descriptors, 0, UNHARMED, ""},
};

START_TEST(test_body)
{
	expect(bodies[_i].what, run(bodies[_i].body, bodies[_i].argument), bodies[_i].code,
		bodies[_i].errors);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	TCase *tcase = tcase_create("guard");
	Suite *suite = suite_create("guard");
	SRunner *runner;
	int failures;

	tcase_add_loop_test(tcase, test_signal, 0, COUNT(signals));
	tcase_add_loop_test(tcase, test_body, 0, COUNT(bodies));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
