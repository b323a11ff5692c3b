/* maildir_box.h: for the tests of maildir/: a fresh place for a Maildir in each test, and looks
 * into it that do without the library. */
#ifndef TESTS_MAILDIR_BOX_H
#define TESTS_MAILDIR_BOX_H

#include "maildir/maildir.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static char base[PATH_MAX];	/* for all tests of the program; run_suite removes it */
static char box[PATH_MAX + 32]; /* the Maildir of this test; not there yet */

static const char header[] = "From: a\r\nSubject: \xFC\xDF\r\n\r\n";
static const char body[] = "\0\x01\xFF\0body without end\r\n.\r\nFrom x\0";

static inline void set_up(void)
{
	char folder[sizeof(base) + sizeof("/XXXXXX")];
	snprintf(folder, sizeof(folder), "%s/XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(box, sizeof(box), "%s/box", folder);
}

static inline int remove_entry(
	const char *path, const struct stat *status, int flag, struct FTW *place)
{
	(void)status;
	(void)flag;
	(void)place;
	return remove(path);
}

/* The path of something in the Maildir; lent until the call after the next three. */
static inline const char *in_box(const char *relative)
{
	static char paths[4][PATH_MAX + 1024];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", box, relative);
	return path;
}

static inline int count_files(const char *folder)
{
	int count = 0;
	DIR *directory = opendir(in_box(folder));
	if (!directory)
		return 0;
	for (const struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static inline void write_file(const char *relative, const char *text)
{
	FILE *file = fopen(in_box(relative), "w");
	ck_assert_msg(file != NULL, "%s: %s", relative, strerror(errno));
	fputs(text, file);
	fclose(file);
}

static inline void check_file(const char *relative, const void *want, size_t want_size)
{
	char got[65536];
	FILE *file = fopen(in_box(relative), "r");
	ck_assert_msg(file != NULL, "%s: got none, want a file", relative);
	size_t got_size = fread(got, 1, sizeof(got), file);
	fclose(file);
	ck_assert_msg(got_size == want_size, "%s: got %zu bytes, want %zu", relative, got_size,
		want_size);
	ck_assert_msg(memcmp(got, want, want_size) == 0, "%s: other bytes", relative);
}

static inline void check_counts(const char *title, int want_tmp, int want_new)
{
	int got_tmp = count_files("tmp");
	int got_new = count_files("new");
	ck_assert_msg(got_tmp == want_tmp && got_new == want_new,
		"%s: got %d files in tmp and %d in new, want %d and %d", title, got_tmp, got_new,
		want_tmp, want_new);
}

static inline void check_error(const char *title, int got, int want)
{
	ck_assert_msg(got == want, "%s: got %d (%s), want %d (%s)", title, got, strerror(got), want,
		strerror(want));
}

static inline int deliver_text(const char *text, char name_out[MAILDIR_NAME_MAX])
{
	const struct maildir_piece piece = {text, strlen(text)};
	return maildir_deliver(box, &piece, 1, name_out);
}

static inline TCase *make_case(Suite *suite, const char *name)
{
	TCase *tests = tcase_create(name);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_set_timeout(tests, 30);
	suite_add_tcase(suite, tests);
	return tests;
}

/* The result for main. It removes the folder, since no fixture runs behind a test that failed. */
static inline int run_suite(Suite *suite)
{
	const char *temporary = getenv("TMPDIR");
	int size = snprintf(base, sizeof(base) - 64, "%s/backstop-maildir-XXXXXX",
		temporary && *temporary ? temporary : "/tmp");
	if (size >= (int)sizeof(base) - 64 || !mkdtemp(base) || chmod(base, 0755) != 0) {
		perror(base);
		return 1;
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return failures != 0;
}

#endif
