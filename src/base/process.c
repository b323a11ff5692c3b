/*
 * process.c: running another program on a message.
 *
 * posix_spawn and not fork: it copies no page tables, gives the child default signal handling in
 * place of guard.c's, and returns the reason when the program cannot be executed. In charge of
 * descriptors and of waiting. Without a limit of its own a child has that of the whole process, the
 * deadline, after which it may go on: its input is complete.
 *
 * Output is read until its end or until the child has ended and the pipe is empty, whichever comes
 * first: a daemon that the child left behind with the pipe open must not hold the message until
 * the deadline, to be delivered again and again.
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

extern char **environ;

enum {
	GRACE_MS = 1000, /* between SIGTERM and SIGKILL */
	BLIND_MS = 50	 /* between two looks at a child that has no pidfd (a kernel before 5.3) */
};

/* A child that runs. */
struct child {
	pid_t pid;
	int watch;	/* pidfd, or -1 */
	int64_t end_ms; /* when it is ended, on the monotonic clock; 0: never */
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For poll: -1 is for ever. */
static int time_left(const struct child *child)
{
	int64_t left_ms = child->end_ms - monotonic_ms();

	if (child->end_ms == 0)
		return -1;
	return left_ms > 0 ? (int)left_ms : 0;
}

static void close_if_open(int descriptor)
{
	if (descriptor != -1)
		close(descriptor);
}

/* Memory where the kernel has it to give, else a file that has no name any more. */
static int open_nameless(void)
{
	char path[4096] = "";
	const char *folder = getenv("TMPDIR");
	const char *name = "/backstop.XXXXXX";
	int descriptor = memfd_create("backstop", MFD_CLOEXEC);

	if (descriptor != -1)
		return descriptor;
	if (folder == NULL || *folder != '/' || strlen(folder) + strlen(name) >= sizeof path)
		folder = "/tmp";
	strcat(strcat(path, folder), name);
	descriptor = mkostemp(path, O_CLOEXEC);
	if (descriptor != -1)
		unlink(path);
	return descriptor;
}

static bool write_all(int descriptor, struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t written = write(descriptor, bytes.data, bytes.size);

		if (written == -1 && errno == EINTR)
			continue;
		if (written == -1)
			return false;
		bytes.data += written;
		bytes.size -= (size_t)written;
	}
	return true;
}

static enum status prepare_input(const struct process_request *request, int *input_out)
{
	int input = open_nameless();
	bool is_complete = input != -1;

	for (size_t i = 0; is_complete && i < request->input_count; i++)
		is_complete = write_all(input, request->input[i]);
	if (is_complete && lseek(input, 0, SEEK_SET) == 0) {
		*input_out = input;
		return STATUS_OK;
	}

	enum status status = status_from_errno(errno);

	close_if_open(input);
	return status == STATUS_NO_SPACE ? status : STATUS_IO;
}

/* True when entry has the name of one of added. */
static bool is_replaced(const char *entry, const char *const *added)
{
	size_t name = strcspn(entry, "=") + 1;

	for (; *added != NULL; added++) {
		if (strncmp(entry, *added, name) == 0)
			return true;
	}
	return false;
}

/* Ours, without what added sets anew, and added. The strings are lent. */
static char **join_environment(const void *context, const char *const *added)
{
	static const char *const none[] = {NULL};
	size_t ours = 0, more = 0, count = 0;
	char **joined;

	if (added == NULL)
		added = none;
	while (environ != NULL && environ[ours] != NULL)
		ours++;
	while (added[more] != NULL)
		more++;
	joined = mem_new_array(context, char *, ours + more + 1);
	for (size_t i = 0; i < ours; i++) {
		if (!is_replaced(environ[i], added))
			joined[count++] = environ[i];
	}
	/* execve's prototype has no const; it changes nothing. */
	memcpy(joined + count, added, more * sizeof *added);
	return joined;
}

/* The order matters where we were started with some of 0 to 2 closed, and input or output has such
 * a number itself: input was opened first and has the lowest, so none is overwritten before its
 * turn. */
static int spawn(const struct process_request *request, char **environment, int input, int output,
	pid_t *child_out)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int error;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	error = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	if (request->limit_s > 0)
		flags |= POSIX_SPAWN_SETPGROUP; /* its own: 0 is the default */
	posix_spawnattr_setflags(&attributes, flags);
	if (error == 0)
		error = posix_spawn(child_out, request->argv[0], &files, &attributes,
			(char *const *)request->argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* Waits until there is output, the child has ended, or its time is over. Without a pidfd its end is
 * seen by that of the output alone. */
static void wait_for_output(int output, const struct child *child)
{
	struct pollfd both[] = {
		{.fd = output, .events = POLLIN}, {.fd = child->watch, .events = POLLIN}};

	poll(both, 2, time_left(child));
}

/* True when the child has ended; it can still be waited for. */
static bool has_ended(const struct child *child)
{
	struct pollfd one = {.fd = child->watch, .events = POLLIN};

	return child->watch != -1 && poll(&one, 1, 0) == 1;
}

/* Keeps the first limit bytes and drops the rest. Ends with the child's time, too, also where it
 * writes without end. */
static char *read_output(const void *context, int output, const struct child *child, size_t limit)
{
	char *kept = mem_strdup(context, "");
	size_t size = 0;
	char block[4096];

	while (time_left(child) != 0) {
		/* Asked before reading: what it wrote before it ended is then in the pipe. */
		bool ended = has_ended(child);
		ssize_t got = read(output, block, sizeof block);

		if (got > 0) {
			size_t room = limit - size;
			size_t taken = (size_t)got < room ? (size_t)got : room;

			kept = mem_realloc(context, kept, size + taken + 1);
			memcpy(kept + size, block, taken);
			size += taken;
			continue;
		}
		if (got == 0 || (errno != EAGAIN && errno != EINTR) || ended)
			break;
		wait_for_output(output, child);
	}
	kept[size] = '\0';
	return kept;
}

/* True when the child has ended, which leaves it to be waited for; false when its time was over
 * first. */
static bool wait_for_end(const struct child *child)
{
	struct pollfd one = {.fd = child->watch, .events = POLLIN};

	for (;;) {
		siginfo_t info = {.si_pid = 0};
		int left_ms = time_left(child);

		if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT | WNOHANG) == -1 &&
			errno != EINTR)
			return true;
		if (info.si_pid != 0)
			return true;
		if (left_ms == 0)
			return false;
		if (child->watch == -1 && (left_ms < 0 || left_ms > BLIND_MS))
			left_ms = BLIND_MS;
		poll(&one, 1, left_ms);
	}
}

/* Until it is waited for its number is no other's, so the signals reach its group or nobody. */
static void end_group(struct child *child)
{
	kill(-child->pid, SIGTERM);
	child->end_ms = monotonic_ms() + GRACE_MS;
	wait_for_end(child);
	kill(-child->pid, SIGKILL);
}

static enum status collect(struct child *child, struct process_result *result)
{
	int status;

	if (child->end_ms != 0 && !wait_for_end(child)) {
		result->is_late = true;
		end_group(child);
	}
	while (waitpid(child->pid, &status, 0) == -1) {
		if (errno != EINTR)
			return STATUS_CHILD;
	}
	if (WIFSIGNALED(status))
		result->signal = WTERMSIG(status);
	else
		result->exit_code = WEXITSTATUS(status);
	return STATUS_OK;
}

/* A parent that ignores SIGCHLD hands that down, and then no exit code can be had. */
static void accept_child_status(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
}

enum status process_run(const void *context, const struct process_request *request,
	struct process_result *result_out)
{
	struct process_result result = {.exit_code = -1};
	enum status status;
	void *work = mem_context(context, "process_run");
	struct child child = {.watch = -1};
	int input = -1;
	int output[2] = {-1, -1};

	status = prepare_input(request, &input);
	if (status != STATUS_OK)
		goto out;
	status = STATUS_IO;
	if (pipe2(output, O_CLOEXEC) == -1 || fcntl(output[0], F_SETFL, O_NONBLOCK) == -1)
		goto out;
	status = STATUS_CHILD;
	accept_child_status();
	if (spawn(request, join_environment(work, request->env), input, output[1], &child.pid) != 0)
		goto out;
	/* Else our own copy of the pipe's end would keep it open. */
	close(output[1]);
	output[1] = -1;
	if (request->limit_s > 0)
		child.end_ms = monotonic_ms() + (int64_t)request->limit_s * 1000;
	child.watch = pidfd_open(child.pid, 0);
	result.output = read_output(context, output[0], &child, request->output_limit);
	status = collect(&child, &result);
out:
	close_if_open(input);
	close_if_open(child.watch);
	close_if_open(output[0]);
	close_if_open(output[1]);
	mem_free(work);
	if (result.output == NULL)
		result.output = mem_strdup(context, "");
	*result_out = result;
	return status;
}
