/* test_mbox.c: mbox boundaries. Rows say what the bytes are and which messages must come out. */
#include "maildir/maildir.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A "From ann@example.org Mon Nov 23 19:19:22 2026"
#define B "From bob@example.org Tue Nov 24 08:00:01 2026"

enum { MESSAGES_MAX = 4 };

static const struct {
	const char *line;
	bool want;
} from_lines[] = {
	{"From foo@bar Mon Nov 23 19:19:22 2026", true},
	{"From foo@bar  Mon Nov  3 19:19 2026 +0100", true},
	{"From MAILER-DAEMON Wed Jan  1 00:00:00 2020", true},
	{"From - Mon Nov 23 19:19:22 2026", true},
	{"From foo Mon Nov 23 19:19:22 2026 remote from relay", true},
	{"From foo Mon Nov 23 19:19 EST 1992 remote from relay", true},
	{"From foo@bar Mon Nov 23 19:19:22 CET 2026", true},
	{"From foo@bar Mon Nov 23 19:19:22 2026 CET", true},
	{"From foo@bar Mon Nov 23 19:19:22 MET DST 2026", true},
	{"From foo@bar Mon Nov 23 19:19:22 2026 MET DST", true},
	{"From 1789@xxx Mon Nov 23 19:19:22 +0000 2026", true},
	{"From foo@bar Mon Nov 23 19:19:22 2026 -08:00", true},
	{"From foo@bar Mon Nov 23 19:19:22 2026 +0100 (CET)", true},
	{"From foo@bar Mon Nov 23 2026 19:19:22", true},
	{"From foo@bar Mon Nov 23 2026 19:19:22 GMT+0100 (CET)", true},
	{"From foo@bar Mon, 23 Nov 2026 19:19:22 +0100", true},
	{"From foo@bar Mon, 23 Nov 2026 19:19:22", true},
	{"From foo@bar\tMon Nov 23 19:19:22 2026", true},
	{"From foo@bar mon nov 23 19:19:22 2026", true},
	{"From foo@bar Mon Nov 23 19:19:60 2026", true},
	{"From foo@bar Mon Nov 23 9:19 2026", true},
	{"From foo@bar Mon Nov 23 19:19:22 2026   ", true},
	{"From foo@bar Mon Nov 23 19:19:22 2026\r\nSubject: x\r\n", true},
	{"From foo@bar Mon Nov 23 19:19:22 2026\nSubject: x\n", true},
	{"From  Mon Nov 23 19:19:22 2026", true},
	{"From <> Mon Nov 23 19:19:22 2026", true},
	{"From ann at example.net  Mon Nov 23 19:19:22 2026", true},
	{"From \"Ann Lee\"@example.org Mon Nov 23 19:19:22 2026", true},
	{"From o\"neil@example.org Mon Nov 23 19:19:22 2026", true},
	{"From Mon@example.org Mon Nov 23 19:19:22 2026", true},
	{"From ann at example.net Mon Nov 23 19:19:22 2026 +0100 (CET) remote from relay", true},
	{"From foo\xE4@b\xFCr Mon Nov 23 19:19:22 2026", true},
	{"", false},
	{"From", false},
	{"From ", false},
	{"From \n", false},
	{"From: foo@bar Mon Nov 23 19:19:22 2026", false},
	{">From foo@bar Mon Nov 23 19:19:22 2026", false},
	{"from foo@bar Mon Nov 23 19:19:22 2026", false},
	{"\nFrom foo@bar Mon Nov 23 19:19:22 2026", false},
	{"From foo@bar", false},
	{"From foo@bar\nMon Nov 23 19:19:22 2026", false},
	{"From what I saw on Mon Nov 23 19:19:22 2026", false},
	{"From foo@bar Mon Nov 23 19:19:22 2026 was when it broke", false},
	{"From foo@bar Mon Nov 23 19:19:22 2026 was", false},
	{"From foo@bar Mon Nov 23 19:19:22", false},
	{"From foo@bar Mon Nov 23 2026", false},
	{"From foo@bar Nov 23 19:19:22 2026", false},
	{"From foo@bar Mon Nov 32 19:19:22 2026", false},
	{"From foo@bar Mon Nov 0 19:19:22 2026", false},
	{"From foo@bar Mon Nov 23 24:19:22 2026", false},
	{"From foo@bar Mon Nov 23 19:60:22 2026", false},
	{"From foo@bar Mon Nov 23 19:19:61 2026", false},
	{"From foo@bar Mon Nov 23 19 2026", false},
	{"From foo@bar Mon Nov 23 19:19: 2026", false},
	{"From foo@bar Mon Nov 23 19:19:22:22 2026", false},
	{"From foo@bar Mon Nov 23 19:19:22 26", false},
	{"From foo@bar Mon Nov 23 19:19:22 20260", false},
	{"From foo@bar Mon Nov 23 19:19:22 2026.", false},
	{"From foo@bar Mon Nov 23 19:19:22 2026 URGENT", false},
	{"From foo@bar Mon Nov 23 19:19:22 2026 +", false},
	{"From foo@bar Mon Nov 23 19:19:22 2026 +010000", false},
	{"From foo@bar Mon Nov 23 19:19:22 2026 ()", false},
	{"From foo@bar Mon Nom 23 19:19:22 2026", false},
	{"From foo@bar Onm Nov 23 19:19:22 2026", false},
	{"From a b c d e f g h i j k l m n o p q r s Mon Nov 23 19:19:22 2026", false},
};

START_TEST(test_from_line)
{
	const char *line = from_lines[_i].line;
	bool got = mbox_is((const unsigned char *)line, strlen(line));
	ck_assert_msg(got == from_lines[_i].want, "[%s]: got %d, want %d", line, got,
		from_lines[_i].want);
}
END_TEST

static const struct {
	const char *title;
	const char *text;
	struct {
		const char *from_line; /* NULL: none */
		const char *data;
	} want[MESSAGES_MAX + 1]; /* up to the first without data */
} mailboxes[] = {
	{"empty file", "", {{NULL, NULL}}},
	{"one message", A "\nS: 1\n\none\n", {{A, "S: 1\n\none\n"}}},
	{"one message, ended by a blank line", A "\nS: 1\n\none\n\n", {{A, "S: 1\n\none\n"}}},
	{"two messages", A "\nS: 1\n\none\n\n" B "\nS: 2\n\ntwo\n\n",
		{{A, "S: 1\n\none\n"}, {B, "S: 2\n\ntwo\n"}}},
	{"three messages", A "\nS: 1\n\none\n\n" B "\nS: 2\n\ntwo\n\n" A "\nS: 3\n\nthree\n",
		{{A, "S: 1\n\none\n"}, {B, "S: 2\n\ntwo\n"}, {A, "S: 3\n\nthree\n"}}},
	{"CRLF", A "\r\nS: 1\r\n\r\none\r\n\r\n" B "\r\nS: 2\r\n\r\ntwo\r\n\r\n",
		{{A, "S: 1\r\n\r\none\r\n"}, {B, "S: 2\r\n\r\ntwo\r\n"}}},
	{"From lines with LF, messages with CRLF",
		A "\nS: 1\r\n\r\none\r\n\r\n" B "\nS: 2\r\n\r\ntwo\r\n\n",
		{{A, "S: 1\r\n\r\none\r\n"}, {B, "S: 2\r\n\r\ntwo\r\n"}}},
	{"several blank lines", A "\nS: 1\n\none\n\n\n\n" B "\nS: 2\n\ntwo\n\n\n",
		{{A, "S: 1\n\none\n\n\n"}, {B, "S: 2\n\ntwo\n\n"}}},
	{"no newline at the end", A "\nS: 1\n\none\n\n" B "\nS: 2\n\ntwo",
		{{A, "S: 1\n\none\n"}, {B, "S: 2\n\ntwo"}}},
	{"From line at the end, without newline", A "\nS: 1\n\none\n\n" B,
		{{A, "S: 1\n\none\n"}, {B, ""}}},
	{"From within a paragraph", A "\nS: 1\n\nIt came\n" B "\nas they say\n",
		{{A, "S: 1\n\nIt came\n" B "\nas they say\n"}}},
	{"From behind a blank line, without date",
		A "\nS: 1\n\nHello\n\nFrom what I saw, it works.\n",
		{{A, "S: 1\n\nHello\n\nFrom what I saw, it works.\n"}}},
	{"From line behind a From line", A "\n" B "\nS: 1\n\none\n", {{A, B "\nS: 1\n\none\n"}}},
	{"From behind a blank that is not empty", A "\nS: 1\n\none\n \n" B "\ntwo\n",
		{{A, "S: 1\n\none\n \n" B "\ntwo\n"}}},
	{"quoted From", A "\nS: 1\n\none\n\n>" B "\ntwo\n", {{A, "S: 1\n\none\n\n>" B "\ntwo\n"}}},
	{"empty messages", A "\n\n" B "\n\n", {{A, ""}, {B, ""}}},
	{"message without body", A "\nS: 1\n\n" B "\nS: 2\n\ntwo\n",
		{{A, "S: 1\n"}, {B, "S: 2\n\ntwo\n"}}},
	{"message file that merely begins with a From line", A "\nS: 1\n\none",
		{{A, "S: 1\n\none"}}},
	{"first From line without date", "From somebody\nS: 1\n\none\n",
		{{"From somebody", "S: 1\n\none\n"}}},
	{"only a From line", A, {{A, ""}}},
	{"bare message", "S: 1\n\none\n\n", {{NULL, "S: 1\n\none\n\n"}}},
	{"text before the first From line", "S: 0\n\nzero\n\n" A "\nS: 1\n\none\n",
		{{NULL, "S: 0\n\nzero\n"}, {A, "S: 1\n\none\n"}}},
};

static void check_bytes(const char *title, const char *what, const unsigned char *got,
	size_t got_size, const char *want)
{
	bool same = got_size == strlen(want) && memcmp(got, want, got_size) == 0;
	ck_assert_msg(same, "%s: %s: got [%.*s], want [%s]", title, what, (int)got_size, got, want);
}

START_TEST(test_next)
{
	const char *title = mailboxes[_i].title;
	size_t size = strlen(mailboxes[_i].text);
	/* Without the NUL behind it, so that the address sanitizer sees a step too far. */
	unsigned char *data = malloc(size ? size : 1);
	struct mbox_message message;
	size_t offset = 0;
	size_t count = 0;
	memcpy(data, mailboxes[_i].text, size);
	for (; mailboxes[_i].want[count].data; count++) {
		const char *from_line = mailboxes[_i].want[count].from_line;
		ck_assert_msg(mbox_next(data, size, &offset, &message),
			"%s: got %zu messages, want more", title, count);
		check_bytes(
			title, "data", message.data, message.size, mailboxes[_i].want[count].data);
		ck_assert_msg(!from_line == !message.from_line, "%s: message %zu: got %s From line",
			title, count, message.from_line ? "a" : "no");
		if (from_line)
			check_bytes(title, "From line", message.from_line, message.from_line_size,
				from_line);
	}
	ck_assert_msg(!mbox_next(data, size, &offset, &message),
		"%s: got more than %zu messages: [%.*s]", title, count, (int)message.size,
		message.data);
	ck_assert_uint_eq(offset, size);
	free(data);
}
END_TEST

START_TEST(test_bytes_of_any_kind)
{
	static const char text[] = A "\nS: 1\n\n\0\xFF\x80\0\n\n" B "\n\0\n\0";
	struct mbox_message message;
	size_t offset = 0;
	size_t size = sizeof(text) - 1;
	ck_assert(mbox_next((const unsigned char *)text, size, &offset, &message));
	ck_assert_uint_eq(message.size, 11);
	ck_assert_mem_eq(message.data, "S: 1\n\n\0\xFF\x80\0\n", 11);
	ck_assert(mbox_next((const unsigned char *)text, size, &offset, &message));
	ck_assert_uint_eq(message.size, 3);
	ck_assert_mem_eq(message.data, "\0\n\0", 3);
	ck_assert(!mbox_next((const unsigned char *)text, size, &offset, &message));
}
END_TEST

/* The length of a From line is capped; on either side of the cap. */
START_TEST(test_long_from_line)
{
	static const char date[] = " Mon Nov 23 19:19:22 2026\n";
	for (size_t length = 1022; length <= 1027; length++) {
		char line[2048];
		size_t date_at = length - (sizeof(date) - 2);
		memset(line, 'a', sizeof(line));
		memcpy(line, "From ", 5);
		memcpy(line + date_at, date, sizeof(date) - 1);
		bool got = mbox_is((const unsigned char *)line, length + 1);
		ck_assert_msg(got == (length < 1024), "%zu bytes: got %d", length, got);
	}
}
END_TEST

/* Every message of a large mbox, in time that grows with its size only. */
START_TEST(test_many)
{
	static const char one[] = A "\nS: 1\n\nFrom me\n\nFrom you\n>From them\n\n";
	const size_t wanted = 20000;
	size_t size = wanted * (sizeof(one) - 1);
	unsigned char *data = malloc(size);
	struct mbox_message message;
	size_t offset = 0;
	size_t count = 0;
	for (size_t i = 0; i < wanted; i++)
		memcpy(data + i * (sizeof(one) - 1), one, sizeof(one) - 1);
	while (mbox_next(data, size, &offset, &message)) {
		ck_assert_uint_eq(message.size, sizeof(one) - 1 - sizeof(A) - 1);
		count++;
	}
	ck_assert_uint_eq(count, wanted);
	free(data);
}
END_TEST

/* Each prefix of a mailbox is one too: its pieces lie in order, within it, and cover all but From
 * lines and blank lines. */
START_TEST(test_truncated)
{
	static const char text[] = A "\r\nS: 1\r\n\r\none\r\n\r\n" B "\nS: 2\n\ntwo\n\n\n" A "\n\n";
	for (size_t size = 0; size < sizeof(text); size++) {
		unsigned char *data = malloc(size ? size : 1);
		struct mbox_message message;
		size_t offset = 0;
		size_t begin = 0;
		memcpy(data, text, size);
		while (mbox_next(data, size, &offset, &message)) {
			ck_assert_msg(offset > begin && offset <= size, "size %zu", size);
			ck_assert_msg(message.data >= data + begin &&
					      message.data + message.size <= data + offset,
				"size %zu: message outside of its bytes", size);
			ck_assert_msg((size_t)(data + offset - message.data) - message.size <= 2,
				"size %zu: more than a blank line lost", size);
			begin = offset;
		}
		ck_assert_uint_eq(begin, size);
		free(data);
	}
}
END_TEST

static const struct {
	const char *quoted;
	const char *want;
} quotings[] = {
	{"", ""},
	{">From a\n", "From a\n"},
	{">>From a\n", ">From a\n"},
	{"x\n>From a\n>>>From b\nFrom c\n", "x\nFrom a\n>>From b\nFrom c\n"},
	{"x >From a\n", "x >From a\n"},
	{"> >From a\n", "> >From a\n"},
	{">From: a\n", ">From: a\n"},
	{">from a\n", ">from a\n"},
	{"\n>From \n>From >From \n", "\nFrom \nFrom >From \n"},
	{"\r\n>From a\r\n", "\r\nFrom a\r\n"},
	{"x\n>>>>>", "x\n>>>>>"},
	{"x\n>From", "x\n>From"},
	{"x\n>From ", "x\nFrom "},
	{">>From >>From a\n>>From b", ">From >>From a\n>From b"},
};

START_TEST(test_unquote)
{
	const char *quoted = quotings[_i].quoted;
	size_t size = strlen(quoted);
	unsigned char *copy = malloc(size + 1);
	unsigned char *in_place = malloc(size + 1);
	memcpy(in_place, quoted, size);
	size_t got = mbox_unquote((const unsigned char *)quoted, size, copy);
	check_bytes(quoted, "copy", copy, got, quotings[_i].want);
	got = mbox_unquote(in_place, size, in_place);
	check_bytes(quoted, "in place", in_place, got, quotings[_i].want);
	free(copy);
	free(in_place);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("mbox");
	TCase *tests = tcase_create("mbox");
	SRunner *runner = srunner_create(suite);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, test_from_line, 0, ROWS(from_lines));
	tcase_add_loop_test(tests, test_next, 0, ROWS(mailboxes));
	tcase_add_test(tests, test_bytes_of_any_kind);
	tcase_add_test(tests, test_long_from_line);
	tcase_add_test(tests, test_many);
	tcase_add_test(tests, test_truncated);
	tcase_add_loop_test(tests, test_unquote, 0, ROWS(quotings));
	srunner_run_all(runner, CK_ENV);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
