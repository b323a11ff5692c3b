/*
 * shim.c: loaded in front of libc (LD_PRELOAD), lets one call of the program under test fail, or
 * kills the program there.
 *
 *   BACKSTOP_FAULT=CALLS:NUMBER:WHAT   CALLS: names with commas between, or "all"; the NUMBERth
 * call of any of them, counted from 1; "3+": that and all later ones WHAT   an error (ENOSPC), or
 * SHORT: half of a read or write, or KILL: SIGKILL in place of the call, or TORN: SIGKILL in the
 * middle of a write, between two pages BACKSTOP_FAULT_LOG=FILE            gets the name of the call
 * that was hit
 *
 * In charge of the program itself alone: it takes itself out of the environment, so what the
 * program starts runs undisturbed. Calls that libc makes within itself (fopen's open, all of
 * posix_spawn) do not come by here. A failing close has closed, as on Linux.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, SPEC_MAX = 512 };

enum blow { BLOW_NONE, BLOW_ERROR, BLOW_SHORT, BLOW_TORN };

static const struct {
	const char *name;
	int error;
} errors[] = {
	{"EACCES", EACCES},
	{"EAGAIN", EAGAIN},
	{"EDQUOT", EDQUOT},
	{"EFBIG", EFBIG},
	{"EINTR", EINTR},
	{"EIO", EIO},
	{"EMFILE", EMFILE},
	{"EMLINK", EMLINK},
	{"ENFILE", ENFILE},
	{"ENOMEM", ENOMEM},
	{"ENOSPC", ENOSPC},
	{"ENOSYS", ENOSYS},
	{"EPERM", EPERM},
	{"EROFS", EROFS},
	{"EXDEV", EXDEV},
};

static struct {
	bool is_active;
	char calls[SPEC_MAX]; /* ",open,openat," */
	unsigned long number;
	bool is_lasting;
	const char *what;
	int error;
	char log[SPEC_MAX];
	unsigned long count;
} plan;

static int find_error(const char *name)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].error;
	}
	return 0;
}

static bool is_blow(const char *name)
{
	static const char *const names[] = {"SHORT", "KILL", "TORN", "STOP"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* A plan that cannot be read must not pass for a program that survived it. */
static void refuse(const char *why)
{
	fprintf(stderr, "shim: %s\n", why);
	_exit(99);
}

static void read_plan(const char *text)
{
	static char copy[SPEC_MAX];
	const char *log = getenv("BACKSTOP_FAULT_LOG");
	char *rest = copy;
	const char *calls, *number;
	char *end;

	if (strlen(text) >= sizeof copy - 2 || (log != NULL && strlen(log) >= sizeof plan.log))
		refuse("BACKSTOP_FAULT is too long");
	strcpy(copy, text);
	calls = strsep(&rest, ":");
	number = strsep(&rest, ":");
	if (rest == NULL)
		refuse("BACKSTOP_FAULT: want CALLS:NUMBER:WHAT");
	snprintf(plan.calls, sizeof plan.calls, ",%s,", calls);
	plan.number = strtoul(number, &end, 10);
	plan.is_lasting = *end == '+';
	plan.what = rest;
	plan.error = find_error(rest);
	if (plan.number == 0 || end[plan.is_lasting] != '\0')
		refuse("BACKSTOP_FAULT: want a number from 1, or with a + behind it");
	if (plan.error == 0 && !is_blow(rest))
		refuse("BACKSTOP_FAULT: no such error");
	if (log != NULL)
		strcpy(plan.log, log);
	plan.is_active = true;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("BACKSTOP_FAULT");

	if (text != NULL && strcmp(program_invocation_short_name, "backstop") == 0)
		read_plan(text);
	unsetenv("LD_PRELOAD");
	unsetenv("BACKSTOP_FAULT");
	unsetenv("BACKSTOP_FAULT_LOG");
}

/* By system calls: the functions are wrapped. */
static void note(const char *call)
{
	int file;

	if (plan.log[0] == '\0')
		return;
	file = (int)syscall(
		SYS_openat, AT_FDCWD, plan.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0)
		return;
	syscall(SYS_write, file, call, strlen(call));
	syscall(SYS_write, file, "\n", 1);
	syscall(SYS_close, file);
}

static bool is_meant(const char *call)
{
	char word[64];

	snprintf(word, sizeof word, ",%s,", call);
	return strcmp(plan.calls, ",all,") == 0 || strstr(plan.calls, word) != NULL;
}

static void send_self(int number)
{
	syscall(SYS_kill, syscall(SYS_getpid), number);
}

/* What happens to this call; errno is set for BLOW_ERROR. Does not return from KILL. */
static enum blow take_blow(const char *call, bool moves_bytes)
{
	bool is_partial;

	if (!plan.is_active || !is_meant(call))
		return BLOW_NONE;
	is_partial = strcmp(plan.what, "SHORT") == 0 || strcmp(plan.what, "TORN") == 0;
	if (is_partial && !moves_bytes)
		return BLOW_NONE;
	plan.count++;
	if (plan.count != plan.number && !(plan.is_lasting && plan.count > plan.number))
		return BLOW_NONE;
	note(call);
	if (strcmp(plan.what, "KILL") == 0)
		send_self(SIGKILL);
	if (strcmp(plan.what, "STOP") == 0) {
		send_self(SIGSTOP);
		return BLOW_NONE;
	}
	if (strcmp(plan.what, "SHORT") == 0)
		return BLOW_SHORT;
	if (strcmp(plan.what, "TORN") == 0)
		return BLOW_TORN;
	errno = plan.error;
	return BLOW_ERROR;
}

/* The function behind ours. The union, since ISO C has no cast from object to function pointer. */
#define BEHIND(name, type)                                                                         \
	static union {                                                                             \
		void *found;                                                                       \
		type *call;                                                                        \
	} behind;                                                                                  \
	if (behind.found == NULL)                                                                  \
	behind.found = dlsym(RTLD_NEXT, name)

/* ---- calls that say -1 and set errno ---- */

#define SIMPLE_CALL(name, parameters, arguments)                                                   \
	int name parameters                                                                        \
	{                                                                                          \
		typedef int type parameters;                                                       \
		BEHIND(#name, type);                                                               \
		if (take_blow(#name, false) != BLOW_NONE)                                          \
			return -1;                                                                 \
		return behind.call arguments;                                                      \
	}

SIMPLE_CALL(fsync, (int file), (file))
SIMPLE_CALL(fdatasync, (int file), (file))
SIMPLE_CALL(syncfs, (int file), (file))
SIMPLE_CALL(msync, (void *start, size_t size, int flags), (start, size, flags))
SIMPLE_CALL(flock, (int file, int operation), (file, operation))
SIMPLE_CALL(ftruncate, (int file, off_t size), (file, size))
SIMPLE_CALL(fallocate, (int file, int mode, off_t start, off_t size), (file, mode, start, size))
SIMPLE_CALL(link, (const char *from, const char *to), (from, to))
SIMPLE_CALL(linkat, (int from_folder, const char *from, int to_folder, const char *to, int flags),
	(from_folder, from, to_folder, to, flags))
SIMPLE_CALL(rename, (const char *from, const char *to), (from, to))
SIMPLE_CALL(renameat, (int from_folder, const char *from, int to_folder, const char *to),
	(from_folder, from, to_folder, to))
SIMPLE_CALL(renameat2,
	(int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
	(from_folder, from, to_folder, to, flags))
SIMPLE_CALL(unlink, (const char *path), (path))
SIMPLE_CALL(unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
SIMPLE_CALL(mkdir, (const char *path, mode_t mode), (path, mode))
SIMPLE_CALL(mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
SIMPLE_CALL(memfd_create, (const char *name, unsigned flags), (name, flags))
SIMPLE_CALL(mkostemp, (char *pattern, int flags), (pattern, flags))
SIMPLE_CALL(pipe2, (int files[2], int flags), (files, flags))
SIMPLE_CALL(execve, (const char *path, char *const argv[], char *const env[]), (path, argv, env))
SIMPLE_CALL(poll, (struct pollfd * files, nfds_t count, int wait_ms), (files, count, wait_ms))

pid_t fork(void)
{
	typedef pid_t type(void);
	BEHIND("fork", type);
	return take_blow("fork", false) != BLOW_NONE ? -1 : behind.call();
}

pid_t waitpid(pid_t child, int *status, int flags)
{
	typedef pid_t type(pid_t, int *, int);
	BEHIND("waitpid", type);
	return take_blow("waitpid", false) != BLOW_NONE ? -1 : behind.call(child, status, flags);
}

int close(int file)
{
	typedef int type(int);
	BEHIND("close", type);
	enum blow blow = take_blow("close", false);
	int result = behind.call(file);

	if (blow == BLOW_NONE || result != 0)
		return result;
	errno = plan.error;
	return -1;
}

/* Says its error by its result. */
int posix_spawn(pid_t *restrict child, const char *restrict path,
	const posix_spawn_file_actions_t *restrict files,
	const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
	char *const env[restrict])
{
	typedef int type(pid_t *, const char *, const posix_spawn_file_actions_t *,
		const posix_spawnattr_t *, char *const[], char *const[]);
	BEHIND("posix_spawn", type);
	if (take_blow("posix_spawn", false) != BLOW_NONE)
		return plan.error;
	return behind.call(child, path, files, attributes, argv, env);
}

void *mmap(void *start, size_t size, int protection, int flags, int file, off_t offset)
{
	typedef void *type(void *, size_t, int, int, int, off_t);
	BEHIND("mmap", type);
	if (take_blow("mmap", false) != BLOW_NONE)
		return MAP_FAILED;
	return behind.call(start, size, protection, flags, file, offset);
}

/* ---- opening; the mode is there when a file may be made ---- */

static mode_t read_mode(int flags, va_list list)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	typedef int type(const char *, int, ...);
	BEHIND("open", type);
	va_list list;

	va_start(list, flags);
	mode_t mode = read_mode(flags, list);
	va_end(list);
	return take_blow("open", false) != BLOW_NONE ? -1 : behind.call(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	typedef int type(int, const char *, int, ...);
	BEHIND("openat", type);
	va_list list;

	va_start(list, flags);
	mode_t mode = read_mode(flags, list);
	va_end(list);
	return take_blow("openat", false) != BLOW_NONE ? -1
						       : behind.call(folder, path, flags, mode);
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
	typedef FILE *type(const char *, const char *);
	BEHIND("fopen", type);
	return take_blow("fopen", false) != BLOW_NONE ? NULL : behind.call(path, mode);
}

/* ---- moving bytes: these can also do half ---- */

/* How many bytes a short or torn call moves. A torn write stops between two pages of the file, as
 * the kernel's does when the writer is killed. */
static size_t cut(enum blow blow, off_t at, size_t size)
{
	size_t half = size / 2;
	size_t behind_page = ((size_t)at + half) % PAGE;

	if (blow == BLOW_NONE)
		return size;
	if (blow == BLOW_SHORT)
		return size > 1 ? half : size;
	return half > behind_page ? half - behind_page : 0;
}

#define BYTES_CALL(name, parameters, arguments, at)                                                \
	ssize_t name parameters                                                                    \
	{                                                                                          \
		typedef ssize_t type parameters;                                                   \
		BEHIND(#name, type);                                                               \
		enum blow blow = IS_SAID(file) ? BLOW_NONE : take_blow(#name, true);               \
		if (blow == BLOW_ERROR)                                                            \
			return -1;                                                                 \
		size = cut(blow, at, size);                                                        \
		ssize_t moved = blow == BLOW_TORN && size == 0 ? 0 : behind.call arguments;        \
		if (blow == BLOW_TORN)                                                             \
			send_self(SIGKILL);                                                        \
		return moved;                                                                      \
	}

/* What the program says of its troubles goes to a pipe, which has no disk to be full. */
#define IS_SAID(file) ((file) == STDERR_FILENO)

BYTES_CALL(read, (int file, void *data, size_t size), (file, data, size), 0)
BYTES_CALL(pread, (int file, void *data, size_t size, off_t at), (file, data, size, at), at)
BYTES_CALL(write, (int file, const void *data, size_t size), (file, data, size), 0)
BYTES_CALL(pwrite, (int file, const void *data, size_t size, off_t at), (file, data, size, at), at)

/* Halves are of no use here: LMDB takes a short one for an error, and so do we. */
ssize_t writev(int file, const struct iovec *pieces, int count)
{
	typedef ssize_t type(int, const struct iovec *, int);
	BEHIND("writev", type);
	if (take_blow("writev", false) != BLOW_NONE)
		return -1;
	return behind.call(file, pieces, count);
}

ssize_t getrandom(void *data, size_t size, unsigned flags)
{
	typedef ssize_t type(void *, size_t, unsigned);
	BEHIND("getrandom", type);
	return take_blow("getrandom", false) != BLOW_NONE ? -1 : behind.call(data, size, flags);
}

/* The names that a library built for large files calls by. */
#ifdef __LP64__
#define ALSO(name, target) __typeof__(name) name __attribute__((alias(target)))
ALSO(open64, "open");
ALSO(openat64, "openat");
ALSO(fopen64, "fopen");
ALSO(pread64, "pread");
ALSO(pwrite64, "pwrite");
ALSO(ftruncate64, "ftruncate");
ALSO(fallocate64, "fallocate");
ALSO(mkostemp64, "mkostemp");
ALSO(mmap64, "mmap");
#endif
