/* test_single.c: a message that is one text is read as GMime reads it. */
#include <string.h>

#include "base/memory.h"
#include "read/mail.h"
#include "read/single.h"
#include "suite.h"

static const struct {
	const char *what, *head, *body;
	bool is_single;
} rows[] = {
	{"no type", "From: ann@example.org\n", "Hello\n", true},
	{"a type", "Content-Type: text/plain\n", "Hello\n", true},
	{"CRLF", "Content-Type: text/plain\r\n", "Hello\r\nthere\r\n", true},
	{"its case", "content-TYPE: Text/HTML; Charset=UTF-8\n", "<p>Hello\n", true},
	{"folded", "Content-Type: text/plain;\n\tcharset=\"iso-8859-1\"\n", "caf\xE9\n", true},
	{"another charset", "Content-Type: text/plain; charset=koi8-r\n", "\xD0\xD2\xC9\n", true},
	{"a wrong charset", "Content-Type: text/plain; charset=x-none\n", "caf\xE9\n", true},
	{"base64",
		"Content-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: BASE64\n",
		"SGVsbG8K\n", true},
	{"quoted-printable", "Content-Transfer-Encoding: quoted-printable\n", "Hell=6F=\n!\n",
		true},
	{"uuencode", "Content-Transfer-Encoding: x-uuencode\n",
		"words\nbegin 644 a\n&2&5L;&\\*\n`\nend\n", true},
	{"an unknown encoding", "Content-Transfer-Encoding: 9bit\n", "Hello\n", true},
	{"an encoding with blanks", "Content-Transfer-Encoding:   base64  \n", "SGVsbG8K\n", true},
	{"undeclared encoding", "Subject: a\n", "Hello=20\nthere\n", true},
	{"a report type", "Content-Type: text/plain; report-type=Delivery-Status\n", "a\n", true},
	{"no body", "Content-Type: text/plain\n", "", true},
	{"undeclared parts", "Subject: a\n", "--b\nContent-Type: text/html\n\n<p>Hello\n--b--\n",
		true},
	{"two types", "Content-Type: text/plain\nContent-Type: text/html\n", "a\n", false},
	{"no text", "Content-Type: application/x-a\n", "a\n", false},
	{"half a type", "Content-Type: text\n", "a\n", false},
	{"a type with a comment", "Content-Type: text/plain (plain)\n", "a\n", false},
	{"an encoded type", "Content-Type: text/plain; name=\"=?utf-8?q?a?=\"\n", "a\n", false},
	{"parts", "Content-Type: multipart/mixed; boundary=b\n", "--b\n\nHello\n--b--\n", false},
	{"a message", "Content-Type: message/rfc822\n", "Subject: b\n\nHello\n", false},
	{"junk between fields", "Subject: a\njunk\nTo: b\n", "Hello\n", false},
	{"a blank before a colon", "Subject : a\nTo: b\n", "Hello\n", false},
	{"a line of blanks", "Subject: a\n \nTo: b\n", "Hello\n", false},
};

static char *make_message(const void *context, int row, const char *more)
{
	bool is_crlf = strchr(rows[row].head, '\r') != NULL;

	return mem_printf(
		context, "%s%s%s%s", rows[row].head, more, is_crlf ? "\r\n" : "\n", rows[row].body);
}

static struct bytes as_bytes(const char *text)
{
	return (struct bytes){(const unsigned char *)text, strlen(text)};
}

START_TEST(tells_what_is_single)
{
	void *context = mem_context(NULL, "test");
	struct headers headers;
	struct message message = {
		.bytes = as_bytes(make_message(context, _i, "")), .headers = &headers};
	struct single single;

	headers_parse(context, message.bytes, &headers, &message.header_size);
	ck_assert_msg(single_read(context, &message, &single) == rows[_i].is_single, "%s: want %d",
		rows[_i].what, rows[_i].is_single);
	mem_free(context);
}
END_TEST

static bool is_equal(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A Content-Disposition leaves a message to GMime. */
START_TEST(is_read_alike)
{
	void *context = mem_context(NULL, "test");
	const char *more = strchr(rows[_i].head, '\r') == NULL ? "Content-Disposition: inline\n"
							       : "Content-Disposition: inline\r\n";
	const struct mail *got = mail_read(context, as_bytes(make_message(context, _i, "")), NULL);
	const struct mail *want =
		mail_read(context, as_bytes(make_message(context, _i, more)), NULL);
	const struct part *a = got->root, *b = want->root;

	ck_assert_msg(
		is_equal(a->type, b->type), "%s: %s, GMime: %s", rows[_i].what, a->type, b->type);
	ck_assert_msg(is_equal(a->report_type, b->report_type), "%s: report type", rows[_i].what);
	ck_assert_msg(
		(a->first_child == NULL) == (b->first_child == NULL), "%s: parts", rows[_i].what);
	ck_assert_msg(a->content.size == b->content.size &&
			      (a->content.size == 0 || memcmp(a->content.data, b->content.data,
							       a->content.size) == 0),
		"%s: \"%.*s\", GMime: \"%.*s\"", rows[_i].what, (int)a->content.size,
		a->content.data, (int)b->content.size, b->content.data);
	mem_free(context);
}
END_TEST

/* A header without an end, or with a NUL, is left to GMime. */
START_TEST(leaves_what_is_odd)
{
	static const char *const texts[] = {"", "\n", "Hello\n", "Subject: a", "Subject: a\n",
		"Subject: a\nHello\n", "Subject: \0a\n\nHello\n"};
	void *context = mem_context(NULL, "test");
	struct headers headers;
	struct message message = {.bytes = as_bytes(texts[_i]), .headers = &headers};
	struct single single;

	if (_i == 6)
		message.bytes.size = 19;
	headers_parse(context, message.bytes, &headers, &message.header_size);
	ck_assert_msg(!single_read(context, &message, &single), "text %d", _i);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("single");
	TCase *tcase = tcase_create("single");

	mail_library_open();
	tcase_add_loop_test(tcase, tells_what_is_single, 0, ROWS(rows));
	tcase_add_loop_test(tcase, is_read_alike, 0, ROWS(rows));
	tcase_add_loop_test(tcase, leaves_what_is_odd, 0, 7);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
