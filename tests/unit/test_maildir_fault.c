/* test_maildir_fault.c: deliveries while system calls fail, the clock stands still, names are
 * taken.
 *
 * The system calls that matter are defined here, in front of libc's: they do the real thing, except
 * where a row says that one fails. What is tested is the library itself, on a real file system. */
#include "maildir_box.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

enum { FAULTS_MAX = 3 };

enum how {
	REFUSE, /* does nothing, fails */
	LIE,	/* does it, and says that it failed */
	SHORT,	/* write: one byte only */
};

struct fault {
	const char *call;
	int nth; /* 0: each time */
	int error;
	enum how how;
	int seen;
};

static struct fault faults[FAULTS_MAX];
static char trace[4096];
static bool is_tracing;
static long frozen_seconds; /* 0: the clock runs */

static const struct fault *find_fault(const char *call)
{
	const struct fault *found = NULL;
	if (is_tracing && strlen(trace) + strlen(call) + 2 < sizeof(trace)) {
		strcat(trace, call);
		strcat(trace, " ");
	}
	for (int i = 0; i < FAULTS_MAX; i++) {
		struct fault *fault = &faults[i];
		if (!fault->call || strcmp(fault->call, call) != 0)
			continue;
		fault->seen++;
		if (fault->nth == 0 || fault->nth == fault->seen)
			found = fault;
	}
	return found;
}

static long finish(const struct fault *fault, long result)
{
	if (!fault || fault->how == SHORT)
		return result;
	errno = fault->error;
	return -1;
}

static bool is_refused(const struct fault *fault)
{
	return fault && fault->how == REFUSE;
}

ssize_t write(int file, const void *data, size_t size)
{
	const struct fault *fault = find_fault("write");
	if (fault && fault->how == SHORT && size > 1)
		size = 1;
	return finish(fault, is_refused(fault) ? -1 : syscall(SYS_write, file, data, size));
}

int fsync(int file)
{
	const struct fault *fault = find_fault("fsync");
	return (int)finish(fault, is_refused(fault) ? -1 : syscall(SYS_fsync, file));
}

int syncfs(int file)
{
	const struct fault *fault = find_fault("syncfs");
	return (int)finish(fault, is_refused(fault) ? -1 : syscall(SYS_syncfs, file));
}

int close(int file)
{
	const struct fault *fault = find_fault("close");
	return (int)finish(fault, syscall(SYS_close, file));
}

/* Only the way to the folder above is a call that can be made to fail. */
int openat(int folder, const char *path, int flags, ...)
{
	const struct fault *fault = strcmp(path, "..") == 0 ? find_fault("parent") : NULL;
	va_list arguments;
	va_start(arguments, flags);
	unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
	va_end(arguments);
	if (is_refused(fault))
		return (int)finish(fault, -1);
	return (int)syscall(SYS_openat, folder, path, flags, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
	const struct fault *fault = find_fault("mkdirat");
	return (int)finish(
		fault, is_refused(fault) ? -1 : syscall(SYS_mkdirat, folder, path, mode));
}

int linkat(int from, const char *old_name, int to, const char *new_name, int flags)
{
	const struct fault *fault = find_fault("linkat");
	return (int)finish(fault,
		is_refused(fault) ? -1 : syscall(SYS_linkat, from, old_name, to, new_name, flags));
}

int renameat2(int from, const char *old_name, int to, const char *new_name, unsigned flags)
{
	const struct fault *fault = find_fault("renameat2");
	return (int)finish(fault,
		is_refused(fault) ? -1
				  : syscall(SYS_renameat2, from, old_name, to, new_name, flags));
}

int renameat(int from, const char *old_name, int to, const char *new_name)
{
	const struct fault *fault = find_fault("renameat");
	return (int)finish(fault,
		is_refused(fault) ? -1 : syscall(SYS_renameat2, from, old_name, to, new_name, 0));
}

int unlinkat(int folder, const char *path, int flags)
{
	const struct fault *fault = find_fault("unlinkat");
	return (int)finish(
		fault, is_refused(fault) ? -1 : syscall(SYS_unlinkat, folder, path, flags));
}

int clock_gettime(clockid_t clock, struct timespec *now_out)
{
	if (frozen_seconds && clock == CLOCK_REALTIME) {
		*now_out = (struct timespec){frozen_seconds, 123456789};
		return 0;
	}
	return (int)syscall(SYS_clock_gettime, clock, now_out);
}

/* seconds.MmicrosecondsPpidQcounter.host, of a clock that stands still. */
START_TEST(test_name)
{
	char name[MAILDIR_NAME_MAX];
	char want[64];
	unsigned counter = 0;
	int rest = 0;
	frozen_seconds = 1800000000;
	check_error("deliver", deliver_text("x", name), 0);
	snprintf(want, sizeof(want), "1800000000.M123456P%ldQ", (long)getpid());
	ck_assert_msg(strncmp(name, want, strlen(want)) == 0, "got %s, want %s...", name, want);
	ck_assert_int_eq(sscanf(name + strlen(want), "%u.%n", &counter, &rest), 1);
	ck_assert_msg(rest > 0 && name[strlen(want) + (size_t)rest], "%s: no host", name);
	ck_assert_ptr_null(strpbrk(name, "/: "));
}
END_TEST

/* Names that are taken, in tmp/ or in new/, are passed over and their files stay. */
START_TEST(test_collision)
{
	char name[MAILDIR_NAME_MAX];
	char prefix[MAILDIR_NAME_MAX];
	char taken[2][2 * MAILDIR_NAME_MAX];
	char want[2 * MAILDIR_NAME_MAX];
	unsigned counter = 0;
	frozen_seconds = 1800000000;
	check_error("first", deliver_text("x", name), 0);
	char *mark = strrchr(strcpy(prefix, name), 'Q');
	const char *host = strchr(name + (mark - prefix), '.');
	counter = (unsigned)strtoul(mark + 1, NULL, 10);
	*mark = '\0';
	snprintf(taken[0], sizeof(taken[0]), "new/%sQ%u%s", prefix, counter + 1, host);
	snprintf(taken[1], sizeof(taken[1]), "tmp/%sQ%u%s", prefix, counter + 2, host);
	snprintf(want, sizeof(want), "%sQ%u%s", prefix, counter + 3, host);
	write_file(taken[0], "old");
	write_file(taken[1], "older");
	check_error("second", deliver_text("second", name), 0);
	ck_assert_str_eq(name, want);
	check_file(taken[0], "old", 3);
	check_file(taken[1], "older", 5);
	check_counts("collision", 1, 3);
	frozen_seconds -= 3600;
	check_error("clock went back", deliver_text("third", name), 0);
	check_counts("clock went back", 1, 4);
}
END_TEST

/* The order is the guarantee: nothing is shown in new/ before it is on disk. */
START_TEST(test_order)
{
	check_error("create", maildir_create(box), 0);
	is_tracing = true;
	int error = deliver_text("x", NULL);
	is_tracing = false;
	check_error("deliver", error, 0);
	ck_assert_str_eq(trace, "close write fsync close linkat unlinkat fsync close close ");
}
END_TEST

static void check_trace_of_creation(const char *title, const char *want)
{
	trace[0] = '\0';
	is_tracing = true;
	int error = maildir_create(box);
	is_tracing = false;
	check_error(title, error, 0);
	ck_assert_msg(strcmp(trace, want) == 0, "%s: got [%s], want [%s]", title, trace, want);
}

/* tmp, new, what is above them, and only then cur. */
START_TEST(test_order_of_creation)
{
	check_trace_of_creation(
		"nothing there", "mkdirat mkdirat fsync parent fsync close mkdirat fsync close ");
	check_trace_of_creation("all there", "close ");
	ck_assert_int_eq(rmdir(in_box("new")), 0);
	check_trace_of_creation("new is missing", "mkdirat fsync parent fsync close close ");
	ck_assert_int_eq(rmdir(in_box("cur")), 0);
	check_trace_of_creation("cur is missing", "fsync parent fsync close mkdirat fsync close ");
}
END_TEST

static const struct {
	const char *title;
	bool is_missing; /* the Maildir, before */
	struct fault faults[FAULTS_MAX];
	int want;
	int want_tmp;
} fault_rows[] = {
	{"disk full at once", false, {{"write", 1, ENOSPC, REFUSE, 0}}, ENOSPC, 0},
	{"quota reached at the second piece", false, {{"write", 2, EDQUOT, REFUSE, 0}}, EDQUOT, 0},
	{"disk full behind a short write", false,
		{{"write", 1, 0, SHORT, 0}, {"write", 2, ENOSPC, REFUSE, 0}}, ENOSPC, 0},
	{"short writes", false, {{"write", 0, 0, SHORT, 0}}, 0, 0},
	{"interrupted write", false, {{"write", 1, EINTR, REFUSE, 0}}, 0, 0},
	{"file cannot be synced", false, {{"fsync", 1, EIO, REFUSE, 0}}, EIO, 0},
	{"file has no sync", false, {{"fsync", 1, EINVAL, REFUSE, 0}}, EINVAL, 0},
	{"interrupted sync", false, {{"fsync", 1, EINTR, REFUSE, 0}}, 0, 0},
	{"close says that the disk is full", false, {{"close", 2, ENOSPC, LIE, 0}}, ENOSPC, 0},
	{"new cannot be synced", false, {{"fsync", 2, EIO, REFUSE, 0}}, EIO, 0},
	{"folders have no sync", false, {{"fsync", 2, EINVAL, REFUSE, 0}}, 0, 0},
	{"link refused", false, {{"linkat", 1, EIO, REFUSE, 0}}, EIO, 0},
	{"the first name is taken", false, {{"linkat", 1, EEXIST, REFUSE, 0}}, 0, 0},
	{"each name is taken", false, {{"linkat", 0, EEXIST, REFUSE, 0}}, EEXIST, 0},
	{"link done, answer lost", false, {{"linkat", 1, EEXIST, LIE, 0}}, 0, 0},
	{"no links: EPERM", false, {{"linkat", 0, EPERM, REFUSE, 0}}, 0, 0},
	{"no links: EOPNOTSUPP", false, {{"linkat", 0, EOPNOTSUPP, REFUSE, 0}}, 0, 0},
	{"no links: ENOSYS", false, {{"linkat", 0, ENOSYS, REFUSE, 0}}, 0, 0},
	{"no links: EXDEV", false, {{"linkat", 0, EXDEV, REFUSE, 0}}, 0, 0},
	{"no links, no rename", false,
		{{"linkat", 0, EPERM, REFUSE, 0}, {"renameat2", 1, EIO, REFUSE, 0}}, EIO, 0},
	{"no links, rename done, answer lost", false,
		{{"linkat", 0, EPERM, REFUSE, 0}, {"renameat2", 1, EIO, LIE, 0}}, 0, 0},
	{"no links, no careful rename: EINVAL", false,
		{{"linkat", 0, EPERM, REFUSE, 0}, {"renameat2", 0, EINVAL, REFUSE, 0}}, 0, 0},
	{"no links, no careful rename: ENOSYS", false,
		{{"linkat", 0, EPERM, REFUSE, 0}, {"renameat2", 0, ENOSYS, REFUSE, 0}}, 0, 0},
	{"no links, no rename at all", false,
		{{"linkat", 0, EPERM, REFUSE, 0}, {"renameat2", 0, ENOSYS, REFUSE, 0},
			{"renameat", 1, EROFS, REFUSE, 0}},
		EROFS, 0},
	{"no links, new cannot be synced", false,
		{{"linkat", 0, EPERM, REFUSE, 0}, {"fsync", 2, EIO, REFUSE, 0}}, EIO, 0},
	{"tmp cannot be cleaned", false, {{"unlinkat", 1, EIO, REFUSE, 0}}, 0, 1},
	{"tmp cannot be made", true, {{"mkdirat", 1, EROFS, REFUSE, 0}}, EROFS, 0},
	{"new cannot be made", true, {{"mkdirat", 2, ENOSPC, REFUSE, 0}}, ENOSPC, 0},
	{"cur cannot be made", true, {{"mkdirat", 3, EDQUOT, REFUSE, 0}}, EDQUOT, 0},
	{"another process makes tmp", true, {{"mkdirat", 1, EEXIST, LIE, 0}}, 0, 0},
	{"another process makes cur", true, {{"mkdirat", 3, EEXIST, LIE, 0}}, 0, 0},
	{"created, path cannot be synced", true, {{"fsync", 1, EIO, REFUSE, 0}}, EIO, 0},
	{"created, parent cannot be synced", true, {{"fsync", 2, EIO, REFUSE, 0}}, EIO, 0},
	{"created, cur cannot be synced", true, {{"fsync", 3, EIO, REFUSE, 0}}, EIO, 0},
	{"created, file cannot be synced", true, {{"fsync", 4, EIO, REFUSE, 0}}, EIO, 0},
	{"created, new cannot be synced", true, {{"fsync", 5, EIO, REFUSE, 0}}, EIO, 0},
	{"created, parent cannot be opened", true, {{"parent", 1, EMFILE, REFUSE, 0}}, EMFILE, 0},
	{"created, parent cannot be read", true, {{"parent", 1, EACCES, REFUSE, 0}}, 0, 0},
	{"created, parent cannot be read, nor all be synced", true,
		{{"parent", 1, EACCES, REFUSE, 0}, {"syncfs", 1, EIO, REFUSE, 0}}, EIO, 0},
};

/* An error and no trace, or success and one file: and after an error the next delivery succeeds. */
START_TEST(test_fault)
{
	const char *title = fault_rows[_i].title;
	const struct maildir_piece pieces[] = {{header, sizeof(header) - 1}, {"body", 4}};
	char name[MAILDIR_NAME_MAX] = "untouched";
	char relative[MAILDIR_NAME_MAX + 8];
	int want = fault_rows[_i].want;
	if (!fault_rows[_i].is_missing)
		check_error(title, maildir_create(box), 0);
	memcpy(faults, fault_rows[_i].faults, sizeof(faults));
	int error = maildir_deliver(box, pieces, 2, name);
	for (int i = 0; i < FAULTS_MAX; i++)
		ck_assert_msg(!faults[i].call || faults[i].seen >= faults[i].nth,
			"%s: %s was called %d times", title, faults[i].call, faults[i].seen);
	memset(faults, 0, sizeof(faults));
	check_error(title, error, want);
	check_counts(title, fault_rows[_i].want_tmp, want ? 0 : 1);
	if (want) {
		ck_assert_str_eq(name, "untouched");
		check_error(title, maildir_deliver(box, pieces, 2, name), 0);
		check_counts(title, 0, 1);
	}
	snprintf(relative, sizeof(relative), "new/%s", name);
	check_file(relative, "From: a\r\nSubject: \xFC\xDF\r\n\r\nbody", sizeof(header) + 3);
}
END_TEST

/* A file system without links and without RENAME_NOREPLACE: a name that is taken is not replaced.
 */
START_TEST(test_rename_does_not_replace)
{
	char name[MAILDIR_NAME_MAX];
	char taken[2 * MAILDIR_NAME_MAX];
	frozen_seconds = 1800000000;
	check_error("first", deliver_text("first", name), 0);
	unsigned counter = (unsigned)strtoul(strrchr(name, 'Q') + 1, NULL, 10);
	int prefix = (int)(strrchr(name, 'Q') - name);
	snprintf(taken, sizeof(taken), "new/%.*sQ%u%s", prefix, name, counter + 1,
		strchr(name + prefix, '.'));
	write_file(taken, "old");
	faults[0] = (struct fault){"linkat", 0, EPERM, REFUSE, 0};
	if (_i)
		faults[1] = (struct fault){"renameat2", 0, EINVAL, REFUSE, 0};
	check_error("second", deliver_text("second", name), 0);
	memset(faults, 0, sizeof(faults));
	check_file(taken, "old", 3);
	check_counts("rename", 0, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("maildir_fault");
	TCase *tests = make_case(suite, "fault");
	tcase_add_test(tests, test_name);
	tcase_add_test(tests, test_collision);
	tcase_add_test(tests, test_order);
	tcase_add_test(tests, test_order_of_creation);
	tcase_add_loop_test(tests, test_fault, 0, ROWS(fault_rows));
	tcase_add_loop_test(tests, test_rename_does_not_replace, 0, 2);
	return run_suite(suite);
}
