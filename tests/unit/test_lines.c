/* test_lines.c: lines of every length and end, through one buffer. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/lines.h"

static char path[4096];

static void make_file(const void *data, size_t size)
{
	const char *folder = getenv("TMPDIR");
	int file;

	snprintf(path, sizeof path, "%s/backstop-lines.XXXXXX", folder != NULL ? folder : "/tmp");
	file = mkstemp(path);
	ck_assert_int_ne(file, -1);
	ck_assert_int_eq(write(file, data, size), (ssize_t)size);
	close(file);
}

static void remove_file(void)
{
	unlink(path);
}

static const struct {
	const char *bytes;
	const char *want; /* lines, with '|' behind each */
} rows[] = {
	{"", ""},
	{"\n", "|"},
	{"a", "a|"},
	{"a\n", "a|"},
	{"a\nb", "a|b|"},
	{"a\r\n\r\nb\r\n", "a||b|"},
	{"a\rb\n", "a\rb|"},
	{"\n\n\na", "|||a|"},
};

START_TEST(ends)
{
	void *context = mem_context(NULL, "test");
	char *got = mem_strdup(context, "");
	struct lines *lines;
	struct line line;

	make_file(rows[_i].bytes, strlen(rows[_i].bytes));
	ck_assert_int_eq(lines_open(context, path, &lines), STATUS_OK);
	ck_assert_uint_eq(lines_size(lines), strlen(rows[_i].bytes));
	for (uint64_t number = 1; lines_next(lines, &line) == STATUS_OK; number++) {
		ck_assert_uint_eq(line.number, number);
		got = mem_append(got, "%.*s|", (int)line.text.size, (const char *)line.text.data);
	}
	ck_assert_str_eq(got, rows[_i].want);
	ck_assert_uint_eq(lines_offset(lines), strlen(rows[_i].bytes));
	ck_assert_int_eq(lines_next(lines, &line), STATUS_NOT_FOUND);
	mem_free(context);
	remove_file();
}
END_TEST

static const size_t sizes[] = {1, LINES_LENGTH_MAX - 1, LINES_LENGTH_MAX, LINES_LENGTH_MAX + 1,
	4 * LINES_LENGTH_MAX - 1, 4 * LINES_LENGTH_MAX, 4 * LINES_LENGTH_MAX + 1,
	20 * LINES_LENGTH_MAX + 7};

/* A line of that many bytes between two short ones, five times over: only it is cut, and the next
 * begins where it should. */
START_TEST(lengths)
{
	void *context = mem_context(NULL, "test");
	size_t size = sizes[_i];
	size_t group = 4 + size + 1 + 4;
	char *data = mem_alloc(context, 5 * group);
	struct lines *lines;
	struct line line;

	for (size_t i = 0; i < 5; i++) {
		memcpy(data + i * group, "one\n", 4);
		memset(data + i * group + 4, 'x', size);
		memcpy(data + i * group + 4 + size, "\ntwo\n", 5);
	}
	make_file(data, 5 * group - 1);
	ck_assert_int_eq(lines_open(context, path, &lines), STATUS_OK);
	for (size_t i = 0; i < 5; i++) {
		size_t kept = size < LINES_LENGTH_MAX ? size : LINES_LENGTH_MAX;

		ck_assert_int_eq(lines_next(lines, &line), STATUS_OK);
		ck_assert(line.text.size == 3 && memcmp(line.text.data, "one", 3) == 0);
		ck_assert_int_eq(lines_next(lines, &line), STATUS_OK);
		ck_assert_uint_eq(line.text.size, kept);
		ck_assert(line.text.data[0] == 'x' && line.text.data[kept - 1] == 'x');
		ck_assert_int_eq(line.is_cut, size > LINES_LENGTH_MAX);
		ck_assert_int_eq(lines_next(lines, &line), STATUS_OK);
		ck_assert(line.text.size == 3 && memcmp(line.text.data, "two", 3) == 0);
		ck_assert(!line.is_cut);
	}
	ck_assert_int_eq(lines_next(lines, &line), STATUS_NOT_FOUND);
	ck_assert_uint_eq(lines_offset(lines), lines_size(lines));
	mem_free(context);
	remove_file();
}
END_TEST

START_TEST(failures_to_open)
{
	void *context = mem_context(NULL, "test");
	struct lines *lines;
	struct line line;

	ck_assert_int_eq(lines_open(context, "/nonexistent/file", &lines), STATUS_NO_INPUT);
	ck_assert_ptr_null(lines);
	ck_assert_int_eq(lines_open(context, "/", &lines), STATUS_OK);
	ck_assert_int_eq(lines_next(lines, &line), STATUS_IO);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lines");
	TCase *cases = tcase_create("lines");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(cases, ends, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_loop_test(cases, lengths, 0, (int)(sizeof sizes / sizeof sizes[0]));
	tcase_add_test(cases, failures_to_open);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
