/* test_codec.c: bytes of values: there and back, and nothing read beyond the end. */
#include "state/codec.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

static const uint64_t numbers[] = {0, 1, 127, 128, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};

START_TEST(numbers_come_back)
{
	uint64_t number = numbers[_i];
	struct codec_writer writer;
	struct codec_reader reader;

	codec_writer_init(&writer, context);
	codec_put_u8(&writer, (uint8_t)number);
	codec_put_u32(&writer, (uint32_t)number);
	codec_put_u64(&writer, number);
	codec_put_i64(&writer, (int64_t)number);
	ck_assert_uint_eq(writer.size, 1 + 4 + 8 + 8);
	codec_reader_init(&reader, writer.data, writer.size);
	ck_assert_uint_eq(codec_get_u8(&reader), (uint8_t)number);
	ck_assert_uint_eq(codec_get_u32(&reader), (uint32_t)number);
	ck_assert_uint_eq(codec_get_u64(&reader), number);
	ck_assert(!codec_is_complete(&reader));
	ck_assert_int_eq(codec_get_i64(&reader), (int64_t)number);
	ck_assert(codec_is_complete(&reader));
}
END_TEST

START_TEST(numbers_are_big_endian)
{
	static const unsigned char want[] = {
		1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 'a', 'b', 'c'};
	struct codec_writer writer;

	codec_writer_init(&writer, context);
	codec_put_u32(&writer, 0x01020304);
	codec_put_u64(&writer, 256);
	codec_put_string(&writer, "abc", 10);
	ck_assert_uint_eq(writer.size, sizeof want);
	ck_assert_mem_eq(writer.data, want, sizeof want);
}
END_TEST

static const struct {
	const char *text;
	size_t cap;
	const char *want;
} strings[] = {
	{NULL, 8, NULL}, {"", 8, ""}, {"", 0, ""}, {"abc", 8, "abc"}, {"abcdefgh", 8, "abcdefgh"},
	{"abcdefghi", 8, "abcdefgh"}, {"abc", 0, ""},
	{"a\xc3\xa4z", 2, "a"},				     /* not inside two bytes */
	{"a\xe2\x82\xacz", 3, "a"},			     /* nor inside three */
	{"a\xf0\x9f\x98\x80z", 4, "a"},			     /* nor four */
	{"a\xf0\x9f\x98\x80z", 5, "a\xf0\x9f\x98\x80"},	     /* behind it is fine */
	{"\x80\x80\x80\x80\x80\x80", 4, "\x80\x80\x80\x80"}, /* no characters at all */
};

START_TEST(strings_come_back_capped)
{
	struct codec_writer writer;
	struct codec_reader reader;
	const char *want = strings[_i].want;
	const char *got;

	codec_writer_init(&writer, context);
	codec_put_string(&writer, strings[_i].text, strings[_i].cap);
	codec_put_u8(&writer, 7);
	codec_reader_init(&reader, writer.data, writer.size);
	got = codec_get_string(&reader, context);
	ck_assert_msg((got == NULL) == (want == NULL) && (got == NULL || strcmp(got, want) == 0),
		"row %d: got %s, want %s", _i, got, want);
	ck_assert_uint_eq(codec_get_u8(&reader), 7);
	ck_assert(codec_is_complete(&reader));
}
END_TEST

START_TEST(longest_string_comes_back)
{
	char *text = mem_alloc(context, CODEC_STRING_MAX + 10);
	struct codec_writer writer;
	struct codec_reader reader;

	memset(text, 'x', CODEC_STRING_MAX + 9);
	codec_writer_init(&writer, context);
	codec_put_string(&writer, text, CODEC_STRING_MAX);
	codec_reader_init(&reader, writer.data, writer.size);
	ck_assert_uint_eq(strlen(codec_get_string(&reader, context)), CODEC_STRING_MAX);
	ck_assert(codec_is_complete(&reader));
}
END_TEST

/* A value of every kind of field, cut at each length: bad, and never a byte beyond (ASan looks). */
START_TEST(cut_values_are_bad)
{
	struct codec_writer writer;

	codec_writer_init(&writer, context);
	codec_put_u8(&writer, 1);
	codec_put_string(&writer, "hello", 10);
	codec_put_u32(&writer, 2);
	codec_put_u64(&writer, 3);
	for (size_t size = 0; size <= writer.size; size++) {
		unsigned char *copy = malloc(size > 0 ? size : 1);
		struct codec_reader reader;

		memcpy(copy, writer.data, size);
		codec_reader_init(&reader, copy, size);
		codec_get_u8(&reader);
		codec_get_string(&reader, context);
		codec_get_u32(&reader);
		codec_get_u64(&reader);
		ck_assert_msg(codec_is_complete(&reader) == (size == writer.size),
			"%zu of %zu bytes: got %d", size, writer.size, codec_is_complete(&reader));
		if (size < writer.size)
			ck_assert_uint_eq(codec_get_u64(&reader), 0);
		free(copy);
	}
}
END_TEST

START_TEST(bad_stays_bad)
{
	static const unsigned char bytes[] = {9, 1, 2};
	struct codec_reader reader;

	codec_reader_init(&reader, bytes, sizeof bytes);
	ck_assert_uint_eq(codec_get_below(&reader, 9), 0);
	ck_assert(reader.is_bad);
	ck_assert_uint_eq(codec_get_u8(&reader), 0);
	ck_assert_ptr_null(codec_get_string(&reader, context));
	ck_assert(!codec_is_complete(&reader));
	codec_reader_init(&reader, bytes, sizeof bytes);
	ck_assert_uint_eq(codec_get_below(&reader, 10), 9);
	ck_assert(!reader.is_bad);
	codec_reader_init(&reader, NULL, 0);
	ck_assert(codec_is_complete(&reader));
	ck_assert_uint_eq(codec_get_u8(&reader), 0);
	ck_assert(!codec_is_complete(&reader));
}
END_TEST

START_TEST(string_with_a_nul_is_bad)
{
	static const unsigned char bytes[] = {0, 3, 'a', 0, 'b'};
	struct codec_reader reader;

	codec_reader_init(&reader, bytes, sizeof bytes);
	ck_assert_ptr_null(codec_get_string(&reader, context));
	ck_assert(!codec_is_complete(&reader));
}
END_TEST

START_TEST(writer_is_reused)
{
	struct codec_writer writer;
	unsigned char big[5000];

	memset(big, 'x', sizeof big);
	codec_writer_init(&writer, context);
	codec_put_bytes(&writer, big, sizeof big);
	codec_put_bytes(&writer, NULL, 0);
	ck_assert_uint_eq(writer.size, sizeof big);
	ck_assert_mem_eq(writer.data, big, sizeof big);
	codec_writer_reset(&writer);
	codec_put_u8(&writer, 'y');
	ck_assert_uint_eq(writer.size, 1);
	ck_assert_uint_eq(writer.data[0], 'y');
}
END_TEST

START_TEST(keys_sort_as_numbers)
{
	unsigned char before[CODEC_U64_SIZE] = {0};

	for (int i = 0; i < ROWS(numbers); i++) {
		unsigned char bytes[CODEC_U64_SIZE];

		codec_store_u64(bytes, numbers[i]);
		ck_assert_uint_eq(codec_load_u64(bytes), numbers[i]);
		if (i > 0)
			ck_assert_int_lt(memcmp(before, bytes, sizeof bytes), 0);
		memcpy(before, bytes, sizeof bytes);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec");
	TCase *tests = tcase_create("codec");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, numbers_come_back, 0, ROWS(numbers));
	tcase_add_test(tests, numbers_are_big_endian);
	tcase_add_loop_test(tests, strings_come_back_capped, 0, ROWS(strings));
	tcase_add_test(tests, longest_string_comes_back);
	tcase_add_test(tests, cut_values_are_bad);
	tcase_add_test(tests, bad_stays_bad);
	tcase_add_test(tests, string_with_a_nul_is_bad);
	tcase_add_test(tests, writer_is_reused);
	tcase_add_test(tests, keys_sort_as_numbers);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
