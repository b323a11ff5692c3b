/* Tests of the keys of base/tag: their file, who may use it, keys that are added, and those that
 * are over. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "suite.h"
#include "tag_place.h"

#define SECRET_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SECRET_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

START_TEST(rotates)
{
	const char *old = make(MAILBOX, NULL, NOW);
	struct tag tag;

	/* A newer key signs, wherever it stands; the older one's tags are valid still. */
	keys.items[1].created_s = 20001 * DAY;
	ck_assert(tag_parse(context, make(MAILBOX, NULL, NOW), &tag));
	ck_assert_uint_eq(tag.key, 31);
	assert_result(old, NULL, NOW, TAG_VALID);
	/* Of two as new the later in the file. */
	keys.items[0].created_s = 20001 * DAY;
	ck_assert(tag_parse(context, make(MAILBOX, NULL, NOW), &tag));
	ck_assert_uint_eq(tag.key, 31);
	/* The old one is removed. */
	keys.items[0] = keys.items[1];
	keys.count = 1;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	/* Its number, with another secret: bad, but not where the key is younger than the tag. */
	keys.items[0].id = 7;
	keys.items[0].created_s = 20779 * DAY;
	assert_result(old, NULL, NOW, TAG_BAD);
	keys.items[0].created_s = NOW;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	keys.items[0].created_s = 20779 * DAY;
	/* The same where the secret was replaced by hand: the file was changed on that day, or
	 * later. */
	keys.changed_s = NOW;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	assert_result(old, NULL, NOW + DAY, TAG_NO_KEY);
	keys.changed_s = NOW - DAY;
	assert_result(old, NULL, NOW, TAG_BAD);
	keys.changed_s = NOW + 3 * DAY; /* the file's clock is not ours: it says nothing */
	assert_result(old, NULL, NOW, TAG_BAD);
	keys.count = 0;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	ck_assert_ptr_null(make(MAILBOX, NULL, NOW));
}
END_TEST

static void write_file(const char *text, size_t size, mode_t mode)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static char *read_back(void)
{
	char *text = mem_alloc(context, 100000);
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(fread(text, 1, 99999, file), 0);
	fclose(file);
	return text;
}

struct file_case {
	const char *text;
	const char *says; /* NULL: is read */
};

static const struct file_case file_cases[] = {
	{"1 2026-11-20 " SECRET_A "\n", NULL},
	{"# x\n\n  1\t2026-11-20   " SECRET_A "\r\n31 2026-11-21 " SECRET_B, NULL},
	{"", ": holds no key"},
	{"# nothing\n", ": holds no key"},
	{"1 2026-11-20\n", "tag.keys:1: want three words"},
	{"\n\n1 2026-11-20 " SECRET_A " x\n", "tag.keys:3: want three words"},
	{"32 2026-11-20 " SECRET_A "\n", "tag.keys:1: want a number from 0 to 31"},
	{"-1 2026-11-20 " SECRET_A "\n", "want a number from 0 to 31"},
	{"1x 2026-11-20 " SECRET_A "\n", "want a number from 0 to 31"},
	{"0001 2026-11-20 " SECRET_A "\n", "want a number from 0 to 31"},
	{"1 20.11.2026 " SECRET_A "\n", "want a day such as 2026-11-23"},
	{"1 2026-13-20 " SECRET_A "\n", "want a day such as 2026-11-23"},
	{"1 7d " SECRET_A "\n", "want a day such as 2026-11-23"},
	{"1 2026-11-20 " SECRET_A "0\n", "want 64 hex digits"},
	{"1 2026-11-20 abc\n", "want 64 hex digits"},
	{"1 2026-11-20 g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		"want 64 hex digits"},
	{"1 2026-11-20 " SECRET_A "\n1 2026-11-21 " SECRET_B "\n",
		"tag.keys:2: another key has this number"},
};

START_TEST(reads_the_file)
{
	const struct file_case *row = &file_cases[_i];
	struct tag_keys *read = NULL;
	const char *error = NULL;
	enum status status;

	write_file(row->text, strlen(row->text), 0640);
	status = tag_keys_read(context, path, &read, &error);
	if (row->says == NULL) {
		ck_assert_msg(status == STATUS_OK, "%s: got %s", row->text, error);
		ck_assert_ptr_null(error);
		ck_assert_str_eq(read->path, path);
		ck_assert_uint_eq(read->items[0].id, 1);
		ck_assert_int_eq(read->items[0].created_s, 20777 * DAY);
		ck_assert_uint_eq(read->items[0].secret[1], 0x11);
		ck_assert_uint_eq(read->items[0].secret[31], 0xFF);
		return;
	}
	ck_assert_int_eq(status, STATUS_DATA);
	ck_assert_ptr_null(read);
	ck_assert_msg(strstr(error, row->says) && strstr(error, path), "want %s, got %s", row->says,
		error);
	ck_assert_msg(!strstr(error, "112233"), "a secret is shown: %s", error);
}
END_TEST

struct mode_case {
	mode_t mode;
	const char *says; /* NULL: is read */
};

static const struct mode_case mode_cases[] = {
	{0600, NULL},
	{0640, NULL},
	{0400, NULL},
	{0644, "run: chmod o= "},
	{0642, "run: chmod o= "},
	{0641, "run: chmod o= "},
	{0660, "run: chmod g=r "},
	{0664, "run: chmod o= "},
};

START_TEST(refuses_what_others_may_use)
{
	static const char text[] = "1 2026-11-20 " SECRET_A "\n";
	const struct mode_case *row = &mode_cases[_i];
	struct tag_keys *read = NULL;
	const char *error = NULL;
	enum status want = row->says == NULL ? STATUS_OK : STATUS_PERMISSION;
	struct tag_keys_change change = {.lifetime_s = 0};

	write_file(text, strlen(text), row->mode);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), want);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), want);
	if (row->says == NULL)
		return;
	ck_assert_msg(strstr(error, row->says), "want %s, got %s", row->says, error);
	ck_assert_str_eq(read_back(), text);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	char *other = mem_printf(context, "%s/other", folder);
	char *large = mem_alloc(context, 100000);
	struct tag_keys *read = NULL;
	const char *error = NULL;
	struct tag_keys_change change = {.lifetime_s = 0};

	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_NO_INPUT);
	ck_assert_ptr_nonnull(strstr(error, path));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_PERMISSION);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_PERMISSION);
	ck_assert_ptr_nonnull(strstr(error, "symbolic link"));
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_PERMISSION);
	ck_assert_int_ne(access(other, F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
	memset(large, '\n', 100000);
	write_file(large, 100000, 0600);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_DATA);
	ck_assert_ptr_nonnull(strstr(error, "larger than"));
	write_file("#\0\n", 3, 0600);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_DATA);
	ck_assert_ptr_nonnull(strstr(error, "NUL"));
	other = mem_printf(context, "%s/none/tag.keys", folder);
	ck_assert_int_eq(tag_keys_add(context, other, NOW, &change, &error), STATUS_NO_INPUT);
}
END_TEST

START_TEST(adds_to_none)
{
	struct tag_keys *read;
	const char *error;
	struct stat about;
	struct tag_keys_change change = {.id = 99};

	umask(077);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
	ck_assert_ptr_null(error);
	ck_assert_int_eq(stat(path, &about), 0);
	ck_assert_uint_eq(about.st_mode & 07777, 0640);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	ck_assert_uint_eq(read->count, 1);
	ck_assert_uint_eq(read->items[0].id, change.id);
	ck_assert_int_eq(read->items[0].created_s, 20780 * DAY);
}
END_TEST

static const char *const old_texts[] = {
	"# mine\n\n5 2026-11-20 " SECRET_A "  \r\n# end\n",
	"5 2026-11-20 " SECRET_A, /* no line end */
	"31 2026-11-19 " SECRET_B "\n5 2026-11-20 " SECRET_A "\n",
};

START_TEST(adds_to_some)
{
	const struct timespec written[2] = {{NOW, 0}, {NOW - 9 * DAY, 0}};
	const char *old = old_texts[_i];
	struct tag_keys *read;
	const char *error;
	struct stat about;
	struct tag_keys_change change = {.lifetime_s = 0};

	write_file(old, strlen(old), 0600);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, written, 0), 0);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
	ck_assert_uint_eq(change.id, 6);
	ck_assert_int_eq(strncmp(read_back(), old, strlen(old)), 0);
	ck_assert_int_eq(stat(path, &about), 0);
	ck_assert_uint_eq(about.st_mode & 07777, 0600);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	/* A key that is added changes none of the others. */
	ck_assert_int_eq(read->changed_s, NOW - 9 * DAY);
	keys = *read;
	ck_assert_uint_eq(keys.items[keys.count - 1].id, 6);
	ck_assert_int_ne(
		memcmp(keys.items[keys.count - 1].secret, keys.items[0].secret, TAG_KEY_SIZE), 0);
	assert_result(make(MAILBOX, NULL, NOW), NULL, NOW, TAG_VALID);
}
END_TEST

START_TEST(adds_until_full)
{
	char *temporary = mem_printf(context, "%s/.tag.keys.new", folder);
	unsigned seen = 0;
	struct tag_keys *read;
	const char *error;
	struct tag_keys_change change = {.lifetime_s = 0};

	/* Left by a process that was killed. */
	ck_assert_int_eq(close(open(temporary, O_CREAT | O_WRONLY, 0600)), 0);
	for (unsigned i = 0; i < TAG_KEYS_MAX; i++) {
		ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
		ck_assert_uint_lt(change.id, TAG_KEYS_MAX);
		seen |= 1u << change.id;
	}
	ck_assert_uint_eq(seen, 0xFFFFFFFFu);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_NO_SPACE);
	ck_assert_ptr_nonnull(strstr(error, "delete the oldest line"));
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	ck_assert_uint_eq(read->count, TAG_KEYS_MAX);
}
END_TEST

/* A key goes when the last tag that it can have signed is over, a week and a day later; not before,
 * and not where the lifetime is not known. The other bytes stay. */
START_TEST(removes_what_is_over)
{
	static const char old[] = "# mine\n"
				  "1 2026-10-01 " SECRET_A "\n"
				  "2 2026-11-01 " SECRET_B "\n"
				  "# theirs\n";
	static const struct {
		int64_t lifetime_s;
		int64_t now; /* days behind 2026-11-01 */
		size_t removed;
	} rows[] = {{14 * DAY, 14 + 8, 0}, {14 * DAY, 14 + 9, 1}, {0, 1000, 0}, {60 * DAY, 60, 0}};
	int64_t first = 20758 * DAY;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct tag_keys_change change = {.lifetime_s = rows[i].lifetime_s};
		struct tag_keys *read;
		const char *error;

		write_file(old, strlen(old), 0600);
		ck_assert_int_eq(
			tag_keys_add(context, path, first + rows[i].now * DAY, &change, &error),
			STATUS_OK);
		ck_assert_msg(change.removed == rows[i].removed, "row %zu: %zu", i, change.removed);
		ck_assert_uint_eq(change.id, 3);
		ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
		ck_assert_uint_eq(read->count, 3 - rows[i].removed);
		ck_assert_ptr_nonnull(strstr(read_back(), "# mine\n"));
		ck_assert_ptr_nonnull(strstr(read_back(), SECRET_B "\n# theirs\n3 "));
		ck_assert((strstr(read_back(), SECRET_A) == NULL) == (rows[i].removed == 1));
	}
}
END_TEST

/* The file is lost and made anew, more than once: what the lost key has signed is of no key that we
 * know, and never bad, whatever number the new one has. */
START_TEST(a_file_made_anew_makes_no_tag_bad)
{
	for (int i = 0; i < 64; i++) {
		struct tag_keys_change change = {.lifetime_s = LIFETIME};
		struct tag_keys *read;
		const char *error, *old = make(MAILBOX, NULL, NOW);

		unlink(path);
		ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
		ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
		keys = *read;
		assert_result(old, NULL, NOW + DAY, TAG_NO_KEY);
		assert_result(make(MAILBOX, NULL, NOW + DAY), NULL, NOW + DAY, TAG_VALID);
	}
}
END_TEST

START_TEST(leaves_a_wrong_file_alone)
{
	static const char text[] = "1 2026-11-20 oops\n";
	const char *error;
	struct tag_keys_change change = {.lifetime_s = 0};

	write_file(text, strlen(text), 0600);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_DATA);
	ck_assert_str_eq(read_back(), text);
}
END_TEST

/* Several processes at once: no key is lost. */
START_TEST(adds_one_after_the_other)
{
	struct tag_keys *read;
	const char *error;
	pid_t children[8];
	struct tag_keys_change change = {.lifetime_s = 0};
	int how;

	for (size_t i = 0; i < LENGTH(children); i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			_exit(tag_keys_add(context, path, NOW, &change, &error) != STATUS_OK);
	}
	for (size_t i = 0; i < LENGTH(children); i++) {
		ck_assert_int_eq(waitpid(children[i], &how, 0), children[i]);
		ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	}
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	ck_assert_uint_eq(read->count, LENGTH(children));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tag keys");
	TCase *tcase = tcase_create("tag keys");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, rotates);
	tcase_add_loop_test(tcase, reads_the_file, 0, LENGTH(file_cases));
	tcase_add_loop_test(tcase, refuses_what_others_may_use, 0, LENGTH(mode_cases));
	tcase_add_test(tcase, refuses_what_is_no_file);
	tcase_add_test(tcase, adds_to_none);
	tcase_add_loop_test(tcase, adds_to_some, 0, LENGTH(old_texts));
	tcase_add_test(tcase, adds_until_full);
	tcase_add_test(tcase, leaves_a_wrong_file_alone);
	tcase_add_test(tcase, removes_what_is_over);
	tcase_add_test(tcase, a_file_made_anew_makes_no_tag_bad);
	tcase_add_test(tcase, adds_one_after_the_other);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
