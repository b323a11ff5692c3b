/*
 * test_hostile.c: messages made to cost time, memory or stack. Each is what one rule of thumb of a
 * reader multiplies: two megabytes that became half a gigabyte, or an hour, or a crash.
 *
 * What a row costs is measured as the growth of the process, which Check forks for each of them, on
 * a stack of a megabyte. Under the sanitizers neither is measured.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "classify/classify.h"
#include "read/received.h"
#include "suite.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define STACK_SIZE (1024 * 1024)
#define GROWTH_KB_MAX (56 * 1024) /* with what the process has anyway, below 64 MB */
#define SECONDS_MAX 20		  /* what takes long takes minutes */

#define TOP                                                                                        \
	"Return-Path: <>\nFrom: MAILER-DAEMON@b.example\nTo: announce-bounces@lists.example.org\n"
#define REPORT                                                                                     \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"         \
	"Content-Type: message/delivery-status\n\nReporting-MTA: dns; b.example\n\n"               \
	"Final-Recipient: rfc822; ann@b.example\nAction: failed\nStatus: 5.1.1\n\n--b\n"
#define STATUS                                                                                     \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"         \
	"Content-Type: message/delivery-status\n\n"
#define INNER "Content-Type: message/rfc822\n\n"
#define ORIGINAL TOP REPORT INNER

enum { MILLION = 1000000 };

/* head, then unit as often as fits size bytes, then tail. What stands in front of a storm is read
 * all the same: recipients, or -1 where it does not matter. */
static const struct {
	const char *what, *head, *unit;
	size_t size;
	const char *tail;
	int recipients;
} rows[] = {
	{"groups in groups", TOP "To: ", "a:", 2 * MILLION, "\n\nx", -1},
	{"groups in groups, in a message inside", ORIGINAL "To: ", "a:", 2 * MILLION, "\n\nx", 1},
	{"groups in groups, below junk", ORIGINAL "junk\nTo: ", "a:", 2 * MILLION, "\n\nx", 1},
	{"groups in groups, as failed recipients", "X-Failed-Recipients: ", "a:", 64000,
		"\n" TOP "\nx", -1},
	{"many fields of groups in groups", TOP "X: y\n",
		"To: "
		"a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:\n",
		2 * MILLION, "\nx", -1},
	{"empty fields", TOP REPORT, "a:\n", 2 * MILLION, "\nx", 1},
	{"empty fields of a message inside", ORIGINAL "junk\n", "a:\n", 2 * MILLION, "\nx", 1},
	{"addresses", TOP "To: ", "a@b,", 2 * MILLION, "\n\nx", -1},
	{"parts", TOP REPORT "\n", "--b\n\n", 2 * MILLION, "", 1},
	{"parts with a wrong boundary inside", TOP REPORT,
		"Content-Type: multipart/mixed; boundary=c\n\n--d\nContent-Type: text/plain\n\n"
		"x\n--b\n",
		2 * MILLION, "", 1},
	{"lines that could be a boundary", TOP "\n", "--b--b--b--b\n--b\n", 2 * MILLION, "", -1},
	{"equals signs", TOP "Content-Type: text/plain\n\nx=20\n", "=", 2 * MILLION, "", -1},
	{"parts of a digest", TOP "Content-Type: multipart/digest; boundary=b\n\n",
		"--b\n\nA: b\n\nx\n", 2 * MILLION, "", -1},
	{"messages in parts", TOP REPORT, "\n--b\n" INNER INNER "junk\n", 2 * MILLION, "", 1},
	{"messages in messages", TOP, INNER, 2 * MILLION, "", -1},
	{"parameters", TOP REPORT "Content-Type: text/plain", "; a*0=b", 2 * MILLION, "\n\nx", 1},
	{"groups of a report", TOP STATUS "Final-Recipient: ann@b.example\n\n", "A: b\n\n",
		2 * MILLION, "", 1},
	{"recipients of a report", TOP STATUS, "Final-Recipient: a@b.example\n\n", 2 * MILLION, "",
		RECIPIENT_COUNT_MAX},
	{"places where the original could begin", ORIGINAL "\n",
		"--b\n\nTo: x\n\nTo: x\n\nTo: x\n\n", 2 * MILLION, "", 1},
	{"headers of the original", TOP REPORT,
		"\n--b\nContent-Type: text/rfc822-headers\n\nA:\nB:\nC:\n", 2 * MILLION, "", 1},
	{"a charset without a name", TOP "Content-Type: text/plain; charset=\"\"\n\n", "words\n",
		60, "", -1},
	{"CR line ends", "From: a@b.example\r\r", "line\r", 70 * MILLION, "", -1},
	{"a From line that does not end", "From ", "a", 70 * MILLION, "", -1},
};

static struct bytes make_message(const void *context, int row)
{
	size_t head = strlen(rows[row].head), unit = strlen(rows[row].unit);
	size_t count = rows[row].size / unit, tail = strlen(rows[row].tail);
	unsigned char *data = mem_realloc(context, NULL, head + count * unit + tail);

	memcpy(data, rows[row].head, head);
	for (size_t i = 0; i < count; i++)
		memcpy(data + head + i * unit, rows[row].unit, unit);
	memcpy(data + head + count * unit, rows[row].tail, tail);
	return (struct bytes){data, head + count * unit + tail};
}

static long measure_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

START_TEST(bears_it)
{
	void *context = mem_context(NULL, "test");
	struct bytes raw = make_message(context, _i);
	long before = measure_kb();
	struct mail *mail = mail_read(context, raw, NULL);
	struct bounce *bounce = classify_mail(context, mail);
	long growth = measure_kb() - before;

	ck_assert_msg(mail->part_count <= PART_COUNT_MAX + 1, "%s: %zu parts", rows[_i].what,
		mail->part_count);
	ck_assert_msg(IS_SANITIZED || growth <= GROWTH_KB_MAX, "%s: want at most %d KB, got %ld",
		rows[_i].what, GROWTH_KB_MAX, growth);
	ck_assert_msg(
		rows[_i].recipients < 0 || (int)bounce->recipient_count == rows[_i].recipients,
		"%s: want %d recipients, got %zu", rows[_i].what, rows[_i].recipients,
		bounce->recipient_count);
	mem_free(context);
}
END_TEST

/* A message whose encoded inside is a message whose encoded inside... each with parts of its own:
 * the storm of one level is bearable, that of all is not. */
START_TEST(bears_storms_in_storms)
{
	void *context = mem_context(NULL, "test");
	char *message = mem_strdup(context, "A: b\n\nx\n");

	for (int level = 0; level < PART_DEPTH_MAX / 2; level++) {
		char *outer = mem_printf(context,
			"Content-Type: multipart/mixed; boundary=l%d\n\n--l%d\nContent-Type: "
			"message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n%s",
			level, level, message);
		size_t size = strlen(outer);
		outer = mem_realloc(context, outer, size + 10 * 9000 + 1);
		for (int i = 0; i < 9000; i++)
			size += (size_t)sprintf(outer + size, "\n--l%d\n\n", level);
		mem_free(message);
		message = outer;
	}
	long before = measure_kb();
	struct mail *mail =
		mail_read(context, (struct bytes){(unsigned char *)message, strlen(message)}, NULL);
	long growth = measure_kb() - before;
	ck_assert(mail->is_truncated);
	ck_assert_msg(IS_SANITIZED || growth <= GROWTH_KB_MAX, "want at most %d KB, got %ld",
		GROWTH_KB_MAX, growth);
	mem_free(context);
}
END_TEST

/* A boundary that stands in the body and that GMime reads in another way than it stands there. */
START_TEST(guesses_a_boundary_once)
{
	static const char text[] = "From: a@b.example\n\n--a\\bcd\nContent-Type: text/plain\n\nx\n";
	void *context = mem_context(NULL, "test");
	struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)text, strlen(text)}, NULL);

	ck_assert_msg(mail->part_count <= 3, "want 3 parts at most, got %zu", mail->part_count);
	mem_free(context);
}
END_TEST

/* Fields that GMime is not shown as they are must be there, as they are, for everybody else. */
START_TEST(changes_nothing)
{
	static const char text[] =
		ORIGINAL "From: x@y.example\nSubject: s\n\nTo: z\nHello\n--b\n"
			 "Content-Type: text/rfc822-headers\n\nFrom: q@r\n--b\n\n"
			 "To: p\n--c\nTo: o\n--b--\n";
	void *context = mem_context(NULL, "test");
	struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)text, strlen(text)}, NULL);
	const struct part *part = part_find(mail->root, "message/rfc822");

	ck_assert_ptr_nonnull(part);
	ck_assert_str_eq(headers_find(&part->headers, "From"), "x@y.example");
	ck_assert_uint_eq(part->headers.items[0].raw.size, strlen("From: x@y.example\n"));
	ck_assert_int_eq(memcmp(part->first_child->content.data, "To: z\nHello", 11), 0);
	part = part_find(mail->root, "text/rfc822-headers");
	ck_assert_ptr_nonnull(part);
	ck_assert_int_eq(memcmp(part->content.data, "From: q@r", 9), 0);
	ck_assert_ptr_nonnull(part->next);
	ck_assert_int_eq(memcmp(part->next->content.data, "To: p\n--c\nTo: o", 15), 0);
	mem_free(context);
}
END_TEST

/* One field of the largest size: words, and words in a comment. */
START_TEST(reads_long_received_fields)
{
	void *context = mem_context(NULL, "test");
	char *value = mem_alloc(context, HEADER_VALUE_MAX + 1);
	const char *head = _i == 0 ? "from x by y " : "from x ([192.0.2.1] ";
	struct hop hop;

	for (size_t i = 0; i < HEADER_VALUE_MAX; i++)
		value[i] = i % 2 == 0 ? 'a' : ' ';
	memcpy(value, head, strlen(head));
	ck_assert(received_parse(context, value, &hop));
	ck_assert_msg(talloc_total_blocks(context) < 20, "want less than 20 blocks, got %zu",
		talloc_total_blocks(context));
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hostile");
	TCase *tcase = tcase_create("hostile");
	struct rlimit stack;

	if (!IS_SANITIZED && getrlimit(RLIMIT_STACK, &stack) == 0) {
		stack.rlim_cur = STACK_SIZE;
		setrlimit(RLIMIT_STACK, &stack);
	}
	mail_library_open();
	tcase_set_timeout(tcase, SECONDS_MAX);
	tcase_add_loop_test(tcase, bears_it, 0, ROWS(rows));
	tcase_add_test(tcase, bears_storms_in_storms);
	tcase_add_test(tcase, guesses_a_boundary_once);
	tcase_add_test(tcase, changes_nothing);
	tcase_add_loop_test(tcase, reads_long_received_fields, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
