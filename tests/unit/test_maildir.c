/* test_maildir.c: delivery with real files, several processes, limits and odd paths; then what
 * walks, reads and removes. Failing system calls: test_maildir_fault.c. */
#include "maildir_box.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum {
	PROCESSES = 8,
	DELIVERIES = 50,
	SKIPPED = 255,
};

/* Does it in a process of its own, for limits and users that cannot be undone. Returns what do_it
 * did, SKIPPED as 255. */
static int in_child(int (*do_it)(void))
{
	int status = 0;
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(do_it());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status), "child ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* ---- delivery ---- */

START_TEST(test_bytes)
{
	const struct maildir_piece pieces[] = {
		{header, sizeof(header) - 1}, {NULL, 0}, {body, sizeof(body)}, {"", 0}};
	char want[sizeof(header) - 1 + sizeof(body)];
	char name[MAILDIR_NAME_MAX] = "";
	char relative[MAILDIR_NAME_MAX + 8];
	memcpy(want, header, sizeof(header) - 1);
	memcpy(want + sizeof(header) - 1, body, sizeof(body));
	check_error("missing Maildir", maildir_deliver(box, pieces, 4, name), 0);
	snprintf(relative, sizeof(relative), "new/%s", name);
	check_file(relative, want, sizeof(want));
	check_error("existing Maildir", maildir_deliver(box, pieces, 4, name), 0);
	snprintf(relative, sizeof(relative), "new/%s", name);
	check_file(relative, want, sizeof(want));
	check_error("no name asked for", maildir_deliver(box, pieces, 4, NULL), 0);
	check_error("no piece", maildir_deliver(box, NULL, 0, name), 0);
	snprintf(relative, sizeof(relative), "new/%s", name);
	check_file(relative, "", 0);
	check_counts("four deliveries", 0, 4);
}
END_TEST

static void check_mode(const char *relative, unsigned want)
{
	struct stat status;
	ck_assert_int_eq(lstat(in_box(relative), &status), 0);
	ck_assert_msg((status.st_mode & 07777) == want, "%s: got mode %o, want %o", relative,
		(unsigned)status.st_mode & 07777, want);
}

START_TEST(test_modes)
{
	static const char *const folders[] = {".", "tmp", "new", "cur"};
	char name[MAILDIR_NAME_MAX];
	char relative[MAILDIR_NAME_MAX + 8];
	umask(0);
	check_error("deliver", deliver_text("x", name), 0);
	for (int i = 0; i < ROWS(folders); i++)
		check_mode(folders[i], 0700);
	snprintf(relative, sizeof(relative), "new/%s", name);
	check_mode(relative, 0600);
}
END_TEST

static void deliver_many(int process)
{
	char text[64];
	for (int i = 0; i < DELIVERIES; i++) {
		snprintf(text, sizeof(text), "%d.%d", process, i);
		int error = deliver_text(text, NULL);
		if (error)
			_exit(error);
	}
	_exit(0);
}

static int mark_seen(void *argument, const char *full_path, const char *name)
{
	bool(*seen)[DELIVERIES] = argument;
	unsigned process = 0;
	unsigned delivery = 0;
	FILE *file = fopen(full_path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_msg(fscanf(file, "%u.%u", &process, &delivery) == 2, "%s: other bytes", name);
	fclose(file);
	ck_assert(process < PROCESSES && delivery < DELIVERIES);
	ck_assert_msg(!seen[process][delivery], "message %u.%u twice", process, delivery);
	seen[process][delivery] = true;
	return 0;
}

/* They race to create the Maildir as well. */
START_TEST(test_processes)
{
	static bool seen[PROCESSES][DELIVERIES];
	pid_t children[PROCESSES];
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			deliver_many(i);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_msg(status == 0, "process %d: got status %x", i, (unsigned)status);
	}
	check_counts("all processes", 0, PROCESSES * DELIVERIES);
	check_error("walk", maildir_walk(box, mark_seen, seen), 0);
	for (int i = 0; i < PROCESSES * DELIVERIES; i++)
		ck_assert_msg(seen[i / DELIVERIES][i % DELIVERIES], "message %d.%d is missing",
			i / DELIVERIES, i % DELIVERIES);
}
END_TEST

/* ---- paths ---- */

static void lay_file_at_box(void)
{
	FILE *file = fopen(box, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
}

static void lay_file_above(void)
{
	lay_file_at_box();
	strcat(box, "/below");
}

static void lay_nothing_above(void)
{
	strcat(box, "/below");
}

static void lay_file_at_new(void)
{
	ck_assert_int_eq(mkdir(box, 0700), 0);
	write_file("new", "");
}

static void lay_file_at_cur(void)
{
	ck_assert_int_eq(mkdir(box, 0700), 0);
	write_file("cur", "");
}

static void lay_link_at_new(void)
{
	ck_assert_int_eq(mkdir(box, 0700), 0);
	ck_assert_int_eq(symlink("/tmp", in_box("new")), 0);
}

static void lay_link_at_tmp_of_whole(void)
{
	ck_assert_int_eq(maildir_create(box), 0);
	ck_assert_int_eq(rmdir(in_box("tmp")), 0);
	ck_assert_int_eq(symlink("new", in_box("tmp")), 0);
}

static void lay_dangling_link(void)
{
	ck_assert_int_eq(symlink("nowhere", box), 0);
}

static void lay_link_at_box(void)
{
	ck_assert_int_eq(mkdir(box, 0700), 0);
	ck_assert_int_eq(rename(box, in_box("../real")), 0);
	ck_assert_int_eq(symlink("real", box), 0);
}

static void lay_only_new(void)
{
	ck_assert_int_eq(mkdir(box, 0700), 0);
	ck_assert_int_eq(mkdir(in_box("new"), 0700), 0);
}

static void lay_all_but_new(void)
{
	ck_assert_int_eq(maildir_create(box), 0);
	ck_assert_int_eq(rmdir(in_box("new")), 0);
}

static void lay_slash(void)
{
	strcat(box, "/");
}

static void lay_no_name(void)
{
	box[0] = '\0';
}

static const struct {
	const char *title;
	void (*lay)(void);
	int want;
} path_rows[] = {
	{"path is a file", lay_file_at_box, ENOTDIR},
	{"a file above path", lay_file_above, ENOTDIR},
	{"nothing above path", lay_nothing_above, ENOENT},
	{"new is a file", lay_file_at_new, ENOTDIR},
	{"cur is a file", lay_file_at_cur, ENOTDIR},
	{"new is a link", lay_link_at_new, ENOTDIR},
	{"tmp is a link", lay_link_at_tmp_of_whole, ENOTDIR},
	{"path is a link to nowhere", lay_dangling_link, ENOENT},
	{"path is a link to a folder", lay_link_at_box, 0},
	{"new is all there is", lay_only_new, 0},
	{"new is missing", lay_all_but_new, 0},
	{"path ends in a slash", lay_slash, 0},
	{"path is empty", lay_no_name, ENOENT},
};

START_TEST(test_path)
{
	const char *title = path_rows[_i].title;
	path_rows[_i].lay();
	check_error(title, deliver_text("x", NULL), path_rows[_i].want);
	ck_assert_msg(maildir_is(box) == (path_rows[_i].want == 0 ||
						 path_rows[_i].lay == lay_link_at_tmp_of_whole),
		"%s: maildir_is: got %d", title, maildir_is(box));
	if (path_rows[_i].want == 0)
		check_counts(title, 0, 1);
}
END_TEST

static int deliver_above_limit(void)
{
	static char big[5000];
	const struct maildir_piece pieces[] = {{"head\n", 5}, {big, sizeof(big)}};
	const struct rlimit limit = {1000, 1000};
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return SKIPPED;
	return maildir_deliver(box, pieces, 2, NULL);
}

START_TEST(test_file_size_limit)
{
	check_error("limit", in_child(deliver_above_limit), EFBIG);
	check_counts("limit", 0, 0);
	ck_assert(maildir_is(box));
}
END_TEST

/* Root may write everywhere, and becomes nobody for it. */
static int deliver_unprivileged(void)
{
	if (geteuid() == 0 && setuid(65534) != 0)
		return SKIPPED;
	return deliver_text("x", NULL);
}

START_TEST(test_not_writable)
{
	check_error("create", maildir_create(box), 0);
	ck_assert_int_eq(chmod(in_box(".."), 0755), 0);
	ck_assert_int_eq(chmod(box, 0755), 0);
	ck_assert_int_eq(chmod(in_box("cur"), 0755), 0);
	ck_assert_int_eq(chmod(in_box("new"), 0555), 0);
	ck_assert_int_eq(chmod(in_box("tmp"), 0555), 0);
	int error = in_child(deliver_unprivileged);
	if (error != SKIPPED)
		check_error("tmp not writable", error, EACCES);
	ck_assert_int_eq(chmod(in_box("tmp"), 0777), 0);
	error = in_child(deliver_unprivileged);
	if (error != SKIPPED)
		check_error("new not writable", error, EACCES);
	check_counts("not writable", 0, 0);
}
END_TEST

/* ---- walk ---- */

struct walk {
	char text[4096]; /* the names, each with a space behind */
	const char *stop_at;
	size_t count;
};

static int note_name(void *argument, const char *full_path, const char *name)
{
	struct walk *walk = argument;
	const char *folder = full_path + strlen(in_box(""));
	ck_assert_msg(strncmp(full_path, in_box(""), strlen(in_box(""))) == 0, "%s", full_path);
	ck_assert_msg(strlen(folder) == 4 + strlen(name) && strcmp(folder + 4, name) == 0,
		"got path %s for name %s", full_path, name);
	walk->count++;
	if (strlen(walk->text) + strlen(folder) + 2 < sizeof(walk->text)) {
		strcat(walk->text, folder);
		strcat(walk->text, " ");
	}
	return walk->stop_at && strcmp(walk->stop_at, name) == 0 ? 4711 : 0;
}

START_TEST(test_walk)
{
	struct walk walk = {.stop_at = NULL};
	check_error("create", maildir_create(box), 0);
	check_error("empty", maildir_walk(box, note_name, &walk), 0);
	ck_assert_uint_eq(walk.count, 0);
	write_file("new/3.M1", "c");
	write_file("cur/2.M1:2,S", "b");
	write_file("new/1.M1", "a");
	write_file("cur/10.M1:2,", "j");
	write_file("new/2.M1:2,S", "moving");
	write_file("new/.hidden", "");
	write_file("tmp/0.M1", "unfinished");
	ck_assert_int_eq(mkdir(in_box("cur/4.M1"), 0700), 0);
	ck_assert_int_eq(mkfifo(in_box("cur/5.M1"), 0600), 0);
	ck_assert_int_eq(symlink("nowhere", in_box("new/6.M1")), 0);
	check_error("walk", maildir_walk(box, note_name, &walk), 0);
	ck_assert_str_eq(
		walk.text, "new/1.M1 cur/10.M1:2, new/2.M1:2,S cur/2.M1:2,S new/3.M1 new/6.M1 ");
	walk = (struct walk){.stop_at = "2.M1:2,S"};
	ck_assert_int_eq(maildir_walk(box, note_name, &walk), 4711);
	ck_assert_str_eq(walk.text, "new/1.M1 cur/10.M1:2, new/2.M1:2,S ");
	char slashes[sizeof(box) + 2];
	snprintf(slashes, sizeof(slashes), "%s//", box);
	walk = (struct walk){.stop_at = "1.M1"};
	ck_assert_int_eq(maildir_walk(slashes, note_name, &walk), 4711);
	ck_assert_str_eq(walk.text, "new/1.M1 ");
}
END_TEST

static int remove_all(void *argument, const char *full_path, const char *name)
{
	(void)full_path;
	(void)name;
	++*(int *)argument;
	unlink(in_box("new/1"));
	unlink(in_box("new/2"));
	return 0;
}

/* What vanishes meanwhile is still shown: the visitor sees when he opens it. */
START_TEST(test_walk_vanishing)
{
	int count = 0;
	check_error("create", maildir_create(box), 0);
	write_file("new/1", "");
	write_file("new/2", "");
	check_error("walk", maildir_walk(box, remove_all, &count), 0);
	ck_assert_int_eq(count, 2);
}
END_TEST

START_TEST(test_walk_many)
{
	struct walk walk = {.stop_at = "999"};
	char name[32];
	check_error("create", maildir_create(box), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%s/%03d", i % 3 ? "new" : "cur", (i * 7) % 1000);
		write_file(name, "");
	}
	ck_assert_int_eq(maildir_walk(box, note_name, &walk), 4711);
	ck_assert_uint_eq(walk.count, 1000);
}
END_TEST

START_TEST(test_walk_no_maildir)
{
	struct walk walk = {.stop_at = NULL};
	check_error("nothing there", maildir_walk(box, note_name, &walk), ENOENT);
	check_error("create", maildir_create(box), 0);
	write_file("new/1", "");
	ck_assert_int_eq(rmdir(in_box("cur")), 0);
	check_error("no cur", maildir_walk(box, note_name, &walk), ENOENT);
	ck_assert_uint_eq(walk.count, 0);
	ck_assert(!maildir_is(box));
	write_file("cur", "");
	check_error("cur is a file", maildir_walk(box, note_name, &walk), ENOTDIR);
	ck_assert(!maildir_is(box));
}
END_TEST

/* ---- read and remove ---- */

static const struct {
	const char *stored; /* NULL: nothing */
	const char *asked;
	int want;
} lookup_rows[] = {
	{"new/7.M1.host", "7.M1.host", 0},
	{"cur/7.M1.host", "7.M1.host", 0},
	{"cur/7.M1.host:2,S", "7.M1.host", 0},
	{"cur/7.M1.host:2,RS", "7.M1.host:2,S", 0},
	{"cur/7.M1.host:2,S", "7.M1.host:2,S", 0},
	{"new/7.M1.host", "7.M1.host:2,S", ENOENT},
	{"cur/7.M1.hostess:2,S", "7.M1.host", ENOENT},
	{"cur/7.M1.hos:2,S", "7.M1.host", ENOENT},
	{"tmp/7.M1.host", "7.M1.host", ENOENT},
	{NULL, "7.M1.host", ENOENT},
	{"new/7", "../new/7", EINVAL},
	{"new/7", "new/7", EINVAL},
	{"new/.7", ".7", EINVAL},
	{"new/7", "", EINVAL},
	{"new/7", "..", EINVAL},
};

START_TEST(test_lookup)
{
	const char *title = lookup_rows[_i].asked;
	const char *stored = lookup_rows[_i].stored;
	unsigned char *data = NULL;
	size_t size = 0;
	check_error("create", maildir_create(box), 0);
	write_file("cur/6.M1.other:2,S", "not me");
	write_file("new/8.M1.other", "nor me");
	if (stored)
		write_file(stored, "me\n");
	check_error(title, maildir_read(box, title, &data, &size), lookup_rows[_i].want);
	if (data) {
		ck_assert_uint_eq(size, 3);
		ck_assert_mem_eq(data, "me\n", 3);
		free(data);
	}
	check_error(title, maildir_remove(box, title), lookup_rows[_i].want);
	if (stored)
		ck_assert_int_eq(access(in_box(stored), F_OK), lookup_rows[_i].want == 0 ? -1 : 0);
	check_file("cur/6.M1.other:2,S", "not me", 6);
	check_file("new/8.M1.other", "nor me", 6);
	if (lookup_rows[_i].want == 0)
		check_error(title, maildir_remove(box, title), ENOENT);
}
END_TEST

START_TEST(test_read_delivered)
{
	const struct maildir_piece pieces[] = {{header, sizeof(header) - 1}, {body, sizeof(body)}};
	char name[MAILDIR_NAME_MAX];
	unsigned char *data = NULL;
	size_t size = 0;
	check_error("deliver", maildir_deliver(box, pieces, 2, name), 0);
	check_error("read", maildir_read(box, name, &data, &size), 0);
	ck_assert_uint_eq(size, sizeof(header) - 1 + sizeof(body));
	ck_assert_mem_eq(data, header, sizeof(header) - 1);
	ck_assert_mem_eq(data + sizeof(header) - 1, body, sizeof(body));
	free(data);
	check_error("deliver", deliver_text("", name), 0);
	data = NULL;
	check_error("read empty", maildir_read(box, name, &data, &size), 0);
	ck_assert_uint_eq(size, 0);
	ck_assert_ptr_nonnull(data);
	free(data);
}
END_TEST

/* A message of numbered lines. */
struct lines {
	unsigned next;
	unsigned count;
	unsigned begun;
	int error; /* behind the last line */
	char text[32];
};

static int give_line(void *argument, struct maildir_piece *piece_out)
{
	struct lines *lines = argument;
	if (!piece_out) {
		lines->next = 0;
		lines->begun++;
		return 0;
	}
	*piece_out = (struct maildir_piece){lines->text, 0};
	if (lines->next == lines->count)
		return lines->error;
	piece_out->size =
		(size_t)snprintf(lines->text, sizeof(lines->text), "line %u\n", lines->next++);
	return 0;
}

START_TEST(test_source)
{
	struct lines lines = {.count = 3};
	char name[MAILDIR_NAME_MAX] = "";
	char relative[MAILDIR_NAME_MAX + 8];
	unsigned char *data = NULL;
	size_t size = 0;
	int file = -1;
	check_error("source", maildir_deliver_from(box, ".gz", give_line, &lines, name), 0);
	ck_assert_str_eq(name + strlen(name) - 3, ".gz");
	ck_assert_uint_eq(lines.begun, 1);
	snprintf(relative, sizeof(relative), "new/%s", name);
	check_file(relative, "line 0\nline 1\nline 2\n", 21);
	check_error("read", maildir_read(box, name, &data, &size), 0);
	ck_assert_uint_eq(size, 21);
	free(data);
	check_error("open", maildir_open(box, name, &file), 0);
	ck_assert_int_eq(read(file, relative, sizeof(relative)), 21);
	ck_assert_int_eq(close(file), 0);
	check_counts("one delivery", 0, 1);
}
END_TEST

START_TEST(test_source_that_fails)
{
	struct lines lines = {.count = 3, .error = EILSEQ};
	char name[MAILDIR_NAME_MAX] = "as it was";
	check_error("source", maildir_deliver_from(box, NULL, give_line, &lines, name), EILSEQ);
	ck_assert_str_eq(name, "as it was");
	check_counts("nothing stays", 0, 0);
}
END_TEST

static const char *const bad_suffixes[] = {"/x", ".g:2,S", ".seventeen.bytes."};

START_TEST(test_bad_suffix)
{
	struct lines lines = {.count = 1};
	check_error(bad_suffixes[_i],
		maildir_deliver_from(box, bad_suffixes[_i], give_line, &lines, NULL), EINVAL);
	ck_assert_uint_eq(lines.begun, 0);
}
END_TEST

/* None of these may hang, follow or take memory. */
START_TEST(test_read_no_file)
{
	unsigned char *data = NULL;
	size_t size = 0;
	check_error("create", maildir_create(box), 0);
	ck_assert_int_eq(mkfifo(in_box("new/fifo"), 0600), 0);
	ck_assert_int_eq(mkdir(in_box("new/folder"), 0700), 0);
	write_file("cur/target", "x");
	ck_assert_int_eq(symlink("../cur/target", in_box("new/link")), 0);
	write_file("new/huge", "x");
	ck_assert_int_eq(truncate(in_box("new/huge"), (1L << 30) + 1), 0);
	check_error("fifo", maildir_read(box, "fifo", &data, &size), EINVAL);
	check_error("folder", maildir_read(box, "folder", &data, &size), EINVAL);
	check_error("link", maildir_read(box, "link", &data, &size), ELOOP);
	check_error("huge", maildir_read(box, "huge", &data, &size), EFBIG);
	ck_assert_ptr_null(data);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("maildir");
	TCase *deliver = make_case(suite, "deliver");
	TCase *walk = make_case(suite, "walk");
	tcase_add_test(deliver, test_bytes);
	tcase_add_test(deliver, test_modes);
	tcase_add_test(deliver, test_processes);
	tcase_add_loop_test(deliver, test_path, 0, ROWS(path_rows));
	tcase_add_test(deliver, test_file_size_limit);
	tcase_add_test(deliver, test_not_writable);
	tcase_add_test(deliver, test_source);
	tcase_add_test(deliver, test_source_that_fails);
	tcase_add_loop_test(deliver, test_bad_suffix, 0, ROWS(bad_suffixes));
	tcase_add_test(walk, test_walk);
	tcase_add_test(walk, test_walk_vanishing);
	tcase_add_test(walk, test_walk_many);
	tcase_add_test(walk, test_walk_no_maildir);
	tcase_add_loop_test(walk, test_lookup, 0, ROWS(lookup_rows));
	tcase_add_test(walk, test_read_delivered);
	tcase_add_test(walk, test_read_no_file);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
