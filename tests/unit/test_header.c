/* test_header.c: header fields as they stand in the bytes, and what is taken out of them. */
#include <string.h>

#include "base/memory.h"
#include "read/header.h"
#include "read/mail.h"
#include "suite.h"

static struct headers parse(const void *context, const char *text, size_t *size)
{
	struct headers headers;

	headers_parse(
		context, (struct bytes){(const unsigned char *)text, strlen(text)}, &headers, size);
	return headers;
}

static const struct {
	const char *what, *text, *name, *value;
	size_t count, size;
} blocks[] = {
	{"plain", "A: 1\nB: 2\n\nbody", "B", "2", 2, 11},
	{"CRLF", "A: 1\r\nB: 2\r\n\r\nbody", "B", "2", 2, 14},
	{"folded", "A: 1\n  2\n\t3\nB: 2\n", "A", "1  2\t3", 2, 17},
	{"case", "MESSAGE-id: <x>\n", "Message-ID", "<x>", 1, 16},
	{"space before the colon", "A : 1\n", "A", "1", 1, 6},
	{"empty value", "A:\nB: 2\n", "A", "", 2, 8},
	{"no end", "A: 1", "A", "1", 1, 4},
	{"a line of blanks ends only the value", "A: 1\n  \nB: 2\n", "B", "2", 2, 13},
	{"a stray line between fields", "A: 1\n>From me\nB: 2\n", "B", "2", 2, 19},
	{"a stray line ends the block", "A: 1\nno field\nnone\nB: 2\n", "B", NULL, 1, 5},
	{"first of two", "A: 1\nA: 2\n", "A", "1", 2, 10},
	{"nothing", "", "A", NULL, 0, 0},
	{"only an empty line", "\nA: 1\n", "A", NULL, 0, 1},
};

START_TEST(parses_blocks)
{
	void *context = mem_context(NULL, "test");
	size_t size;
	struct headers headers = parse(context, blocks[_i].text, &size);

	ck_assert_msg(headers.count == blocks[_i].count, "%s: want %zu fields, got %zu",
		blocks[_i].what, blocks[_i].count, headers.count);
	ck_assert_msg(size == blocks[_i].size, "%s: want %zu bytes read, got %zu", blocks[_i].what,
		blocks[_i].size, size);
	const char *value = headers_find(&headers, blocks[_i].name);
	if (blocks[_i].value != NULL && strchr(blocks[_i].value, '\t') != NULL) {
		ck_assert_ptr_nonnull(value); /* tabs of a fold became spaces */
		ck_assert_str_eq(value, "1  2 3");
	} else {
		ck_assert_pstr_eq(value, blocks[_i].value);
	}
	mem_free(context);
}
END_TEST

START_TEST(survives_hostile_bytes)
{
	void *context = mem_context(NULL, "test");
	static const unsigned char raw[] = "A: x\0y\x1b[31m\nB: 2\n";
	struct headers headers;

	headers_parse(context, (struct bytes){raw, sizeof(raw) - 1}, &headers, NULL);
	ck_assert_uint_eq(headers.count, 2);
	ck_assert_str_eq(headers_find(&headers, "A"), "x y [31m");
	ck_assert_uint_eq(headers.items[0].raw.size, 12);
	mem_free(context);
}
END_TEST

START_TEST(caps_count_and_length)
{
	void *context = mem_context(NULL, "test");
	char *many = mem_strdup(context, "");
	char *line = mem_alloc(context, HEADER_VALUE_MAX + 100);
	struct headers headers;

	for (int i = 0; i < HEADER_COUNT_MAX + 10; i++)
		many = mem_append(many, "A: 1\n");
	headers = parse(context, many, NULL);
	ck_assert_uint_eq(headers.count, HEADER_COUNT_MAX);
	memset(line, 'x', HEADER_VALUE_MAX + 50);
	memcpy(line, "A: ", 3);
	headers = parse(context, line, NULL);
	ck_assert_uint_le(strlen(headers.items[0].value), HEADER_VALUE_MAX);
	mem_free(context);
}
END_TEST

static const struct {
	const char *value, *address;
} addresses[] = {
	{"Ann <Ann@Example.NET>", "ann@example.net"},
	{"<>", ""},
	{"ann@example.net", "ann@example.net"},
	{"ann@example.net (Ann)", "ann@example.net"},
	{"\"x <y@z.example>\" <ann@example.net>", "ann@example.net"},
	{"(<y@z.example>) <ann@example.net>", "ann@example.net"},
	{"\"ann smith\"@example.net", "\"ann smith\"@example.net"},
	{"Mail System <MAILER-DAEMON>", NULL},
	{"nobody", NULL},
	{"", NULL},
	{"<ann@example.net", "ann@example.net"},
};

START_TEST(finds_addresses)
{
	void *context = mem_context(NULL, "test");
	char *address = header_address(context, addresses[_i].value);

	ck_assert_pstr_eq(address, addresses[_i].address);
	mem_free(context);
}
END_TEST

START_TEST(finds_message_ids)
{
	void *context = mem_context(NULL, "test");
	size_t count;
	char **ids = header_message_ids(context, "<a@x> (c) <b@y><c@z> <unclosed", &count);

	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(ids[1], "<b@y>");
	ck_assert_str_eq(header_message_id(context, " <a@x>"), "<a@x>");
	ck_assert_str_eq(header_message_id(context, "bare@id"), "bare@id");
	ck_assert_ptr_null(header_message_id(context, "  "));
	ck_assert_ptr_null(header_message_id(context, NULL));
	mem_free(context);
}
END_TEST

START_TEST(reads_address_lists)
{
	void *context = mem_context(NULL, "test");
	char *deep = mem_alloc(context, HEADER_VALUE_MAX + 1);
	size_t count;
	char **list = header_addresses(
		context, "Ann <ann@b.example>, Group: c@d.example, e@f.example;, x", &count);

	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(list[2], "e@f.example");
	for (size_t i = 0; i < HEADER_VALUE_MAX; i++)
		deep[i] = i % 2 == 0 ? 'a' : ':';
	header_addresses(context, deep, &count);
	ck_assert_uint_eq(count, 0);
	mem_free(context);
}
END_TEST

START_TEST(decodes_words)
{
	void *context = mem_context(NULL, "test");

	ck_assert_str_eq(header_decode(context, "=?utf-8?Q?Gr=C3=BC=C3=9Fe?="), "Gr\xc3\xbc\xc3\x9f"
										"e");
	ck_assert_str_eq(header_decode(context, "plain"), "plain");
	ck_assert_ptr_null(header_decode(context, NULL));
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("header");
	TCase *tcase = tcase_create("header");

	mail_library_open();
	tcase_add_loop_test(tcase, parses_blocks, 0, ROWS(blocks));
	tcase_add_test(tcase, survives_hostile_bytes);
	tcase_add_test(tcase, caps_count_and_length);
	tcase_add_loop_test(tcase, finds_addresses, 0, ROWS(addresses));
	tcase_add_test(tcase, finds_message_ids);
	tcase_add_test(tcase, reads_address_lists);
	tcase_add_test(tcase, decodes_words);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
