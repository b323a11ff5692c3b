/*
 * guard.c: 75 in place of every death that can be caught, and 0 once the message is safe.
 *
 * The handlers do no cleaning up: what was half done is a file in tmp/ or an uncommitted
 * transaction, and both are made to be left behind. They use async-signal-safe calls alone
 * (signal-safety(7)), on a stack of their own, so that a parser that ran out of stack ends like
 * everything else. SIGKILL is what remains, and MTAs take it as temporary or have sent it.
 */
#include "base/guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static const int fatal[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM,	    /* people and daemons */
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS,    /* faults, and a truncated map (LMDB) */
	SIGABRT, SIGTRAP,			    /* abort(), and GLib's fatal messages */
	SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF,	    /* limits */
	SIGUSR1, SIGUSR2, SIGIO, SIGPWR, SIGSTKFLT, /* strangers; the default is death */
};

/* Writing fails then, with EPIPE and EFBIG, and the failure is handled where it happens. */
static const int ignored[] = {SIGPIPE, SIGXFSZ};

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* SIGSTKSZ is too small for the state that newer processors save. */
static char spare_stack[64 * 1024];

static volatile sig_atomic_t is_message_safe;

void guard_message_is_safe(void)
{
	is_message_safe = 1;
}

/* What code of ours or of a library runs into when a mapped file is damaged. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};

static sigjmp_buf *volatile catcher;
static bool has_handlers;

static bool is_fault(int signal_number)
{
	for (size_t i = 0; i < LENGTH(faults); i++) {
		if (faults[i] == signal_number)
			return true;
	}
	return false;
}

/* A handler runs with all signals blocked, and who jumps out of it has to undo that. */
static _Noreturn void jump_to_catcher(void)
{
	sigjmp_buf *place = catcher;
	sigset_t all;

	catcher = NULL;
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	siglongjmp(*place, 1);
}

static void catch_or_die(int signal_number)
{
	if (catcher != NULL)
		jump_to_catcher();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

void guard_catch_faults(sigjmp_buf *place)
{
	struct sigaction action = {.sa_handler = catch_or_die, .sa_flags = SA_NODEFER};

	for (size_t i = 0; i < LENGTH(faults) && !has_handlers; i++)
		sigaction(faults[i], &action, NULL);
	has_handlers = true;
	catcher = place;
}

_Noreturn void guard_fault(void)
{
	if (catcher != NULL)
		jump_to_catcher();
	abort();
}

static void defer(int signal_number)
{
	static const char deadline[] = "backstop: deadline passed, deferring\n";
	static const char ended[] = "backstop: ended by a signal, deferring\n";
	static const char safe[] = "backstop: the message is safe, but ended before all was done\n";
	const char *line = is_message_safe ? safe : signal_number == SIGALRM ? deadline : ended;
	size_t size = (is_message_safe			 ? sizeof safe
			      : signal_number == SIGALRM ? sizeof deadline
							 : sizeof ended) -
		      1;
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (catcher != NULL && is_fault(signal_number))
		jump_to_catcher();
	/* Into a full pipe that nobody reads a write would wait for ever, deadline or not. */
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
		ssize_t unused = write(STDERR_FILENO, line, size);

		(void)unused;
	}
	_exit(is_message_safe ? 0 : GUARD_TEMPFAIL);
}

/* A file of ours that got number 2 would receive our complaints, and one that got number 0 would
 * be read as the message. Opened for writing only, 0 cannot be read: no message, 75. */
static void occupy_standard_descriptors(void)
{
	for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++) {
		if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_WRONLY) != descriptor)
			_exit(GUARD_TEMPFAIL);
	}
}

void guard_enter(void)
{
	stack_t stack = {.ss_sp = spare_stack, .ss_size = sizeof spare_stack};
	struct sigaction action = {.sa_handler = defer, .sa_flags = SA_ONSTACK};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t handled;

	has_handlers = true;
	occupy_standard_descriptors();
	sigaltstack(&stack, NULL);
	sigfillset(&action.sa_mask);
	sigemptyset(&handled);
	for (size_t i = 0; i < LENGTH(ignored); i++)
		sigaction(ignored[i], &ignore, NULL);
	for (size_t i = 0; i < LENGTH(fatal); i++) {
		sigaction(fatal[i], &action, NULL);
		sigaddset(&handled, fatal[i]);
	}
	/* Whoever started us may have left some blocked; a blocked SIGALRM is no deadline. */
	sigprocmask(SIG_UNBLOCK, &handled, NULL);
}

void guard_set_deadline(unsigned seconds)
{
	alarm(seconds);
}

static unsigned wait_seconds;

static void give_up(int signal_number)
{
	static const char line[] =
		"backstop: another process did not let go of the state; nothing was "
		"changed by this step\n";
	ssize_t unused = write(STDERR_FILENO, line, sizeof line - 1);

	(void)signal_number;
	(void)unused;
	_exit(GUARD_TEMPFAIL);
}

void guard_limit_waits(unsigned seconds)
{
	struct sigaction action = {.sa_handler = give_up};

	wait_seconds = seconds;
	sigaction(SIGALRM, &action, NULL);
}

void guard_wait_begin(void)
{
	if (wait_seconds > 0)
		alarm(wait_seconds);
}

void guard_wait_end(void)
{
	if (wait_seconds > 0)
		alarm(0);
}
