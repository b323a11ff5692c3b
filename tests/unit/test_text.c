/* test_text.c: foreign bytes become safe text; comparing knows ASCII case only; base32. */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define BAD "\xEF\xBF\xBD"

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

/* Input with its size, so that rows can hold NUL. */
#define B(literal) literal, sizeof(literal) - 1

static const struct {
	const char *what;
	const char *input;
	size_t size;
	size_t limit;
	const char *want;
} cleanings[] = {
	{"plain", B("user unknown"), 100, "user unknown"},
	{"empty", B(""), 100, ""},
	{"valid two, three, four bytes", B("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x93\xA7"), 100,
		"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x93\xA7"},
	{"last code point", B("\xF4\x8F\xBF\xBF"), 100, "\xF4\x8F\xBF\xBF"},
	{"U+FFFD itself", B(BAD), 100, BAD},
	{"neighbours of the surrogates", B("\xED\x9F\xBF\xEE\x80\x80"), 100,
		"\xED\x9F\xBF\xEE\x80\x80"},
	{"overlong slash, two bytes", B("\xC0\xAF"), 100, BAD BAD},
	{"overlong slash, three bytes", B("\xE0\x80\xAF"), 100, BAD BAD BAD},
	{"overlong slash, four bytes", B("\xF0\x80\x80\xAF"), 100, BAD BAD BAD BAD},
	{"overlong NUL", B("a\xC0\x80z"), 100, "a" BAD BAD "z"},
	{"surrogate", B("\xED\xA0\x80"), 100, BAD BAD BAD},
	{"above U+10FFFF", B("\xF4\x90\x80\x80"), 100, BAD BAD BAD BAD},
	{"lead F5, FE, FF", B("\xF5\xFE\xFF"), 100, BAD BAD BAD},
	{"lone continuation", B("a\x80z"), 100, "a" BAD "z"},
	{"truncated at the end", B("a\xE2\x82"), 100, "a" BAD},
	{"truncated four at the end", B("a\xF0\x9F\x93"), 100, "a" BAD},
	{"truncated before text", B("\xE2\x82z"), 100, BAD "z"},
	{"truncated before a good one", B("\xE2\x82\xC3\xA4"), 100, BAD "\xC3\xA4"},
	{"truncated before a newline", B("\xC3\nX-Fake: 1"), 100, BAD " X-Fake: 1"},
	{"latin-1", B("gr\xFC\xDF"), 100, "gr" BAD BAD},
	{"NUL", B("a\0b"), 100, "a b"},
	{"line ends", B("a\r\nb\n\nc"), 100, "a b c"},
	{"escape sequence", B("a\x1B[31mred"), 100, "a [31mred"},
	{"DEL",
		B("a\x7F"
		  "b"),
		100, "a b"},
	{"C1: NEL and CSI",
		B("a\xC2\x85"
		  "b\xC2\x9B"
		  "c"),
		100, "a b c"},
	{"no-break space stays",
		B("a\xC2\xA0"
		  "b"),
		100,
		"a\xC2\xA0"
		"b"},
	{"U+202A and U+202E",
		B("a\xE2\x80\xAA"
		  "b\xE2\x80\xAE"
		  "c"),
		100, "a b c"},
	{"U+2066 and U+2069",
		B("a\xE2\x81\xA6"
		  "b\xE2\x81\xA9"
		  "c"),
		100, "a b c"},
	{"U+2065 and U+206A stay", B("\xE2\x81\xA5\xE2\x81\xAA"), 100, "\xE2\x81\xA5\xE2\x81\xAA"},
	{"U+2028 and U+2029",
		B("a\xE2\x80\xA8"
		  "b\xE2\x80\xA9"
		  "c"),
		100, "a b c"},
	{"U+2027 and U+202F stay", B("\xE2\x80\xA7\xE2\x80\xAF"), 100, "\xE2\x80\xA7\xE2\x80\xAF"},
	{"runs of space", B("  a \t\0\x7F  b  "), 100, " a b "},
	{"exactly the limit", B("abcdef"), 6, "abcdef"},
	{"one over the limit", B("abcdefg"), 6, "abc..."},
	{"cut at a character",
		B("ab\xE2\x82\xAC"
		  "defg"),
		6, "ab..."},
	{"cut in front of a replacement", B("abcde\xFF"), 6, "abc..."},
	{"limit of three", B("abcd"), 3, "..."},
	{"limit below the dots", B("abcd"), 2, "ab"},
	{"limit below the dots and a character", B("a\xE2\x82\xAC"), 2, "a"},
	{"limit 0", B("abcd"), 0, ""},
	{"run of space across the limit", B("abc       "), 4, "abc "},
};

START_TEST(test_clean)
{
	struct bytes bytes = {(const unsigned char *)cleanings[_i].input, cleanings[_i].size};
	char *got = text_clean(context, bytes, cleanings[_i].limit);

	ck_assert_msg(strcmp(got, cleanings[_i].want) == 0, "%s: got '%s', want '%s'",
		cleanings[_i].what, got, cleanings[_i].want);
	ck_assert_msg(strlen(got) <= cleanings[_i].limit, "%s: %zu bytes, limit %zu",
		cleanings[_i].what, strlen(got), cleanings[_i].limit);
}
END_TEST

/* Every sequence of two bytes from the borders of UTF-8, in a block of just their size, so that the
 * sanitizer sees a byte read too many; what comes out must come out unchanged a second time. */
START_TEST(test_clean_is_stable)
{
	static const unsigned char edges[] = {0x00, 0x20, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
		0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF};
	const size_t count = sizeof edges;

	for (size_t i = 0; i < count * count * count * count; i++) {
		void *row = mem_context(context, "row");
		unsigned char four[] = {edges[i % count], edges[i / count % count],
			edges[i / count / count % count], edges[i / count / count / count]};
		struct bytes bytes = {mem_memdup(row, four, sizeof four), sizeof four};
		char *once = text_clean(row, bytes, 11);
		char *twice = text_clean_string(row, once, 11);

		ck_assert_msg(strcmp(once, twice) == 0, "%02x %02x %02x %02x: '%s', then '%s'",
			four[0], four[1], four[2], four[3], once, twice);
		mem_free(row);
	}
}
END_TEST

START_TEST(test_clean_null)
{
	struct bytes nothing = {NULL, 0};

	ck_assert_ptr_null(text_clean_string(context, NULL, 10));
	ck_assert_str_eq(text_clean(context, nothing, 10), "");
}
END_TEST

static const struct {
	const char *a, *b;
	bool want;
} equals[] = {
	{"Message-ID", "message-id", true},
	{"", "", true},
	{"a", "ab", false},
	{"ab", "a", false},
	{"[", "{", false}, /* 0x20 apart, but no letters */
	{"@", "`", false},
	{"\xC4", "\xE4", false},
	{NULL, "a", false},
	{"a", NULL, false},
	{NULL, NULL, false},
};

START_TEST(test_equal)
{
	bool got = text_equal_fold(equals[_i].a, equals[_i].b);

	ck_assert_msg(got == equals[_i].want, "row %d: got %d, want %d", _i, got, equals[_i].want);
}
END_TEST

static const struct {
	const char *text, *needle;
	int starts; /* 1 or 0 */
	int at;	    /* where it is found, -1 when not */
} finds[] = {
	{"Reporting-MTA: dns", "reporting-mta", 1, 0},
	{"X-Reporting-MTA", "reporting-mta", 0, 2},
	{"aab", "AB", 0, 1},
	{"abc", "", 1, 0},
	{"", "", 1, 0},
	{"", "a", 0, -1},
	{"ab", "abc", 0, -1},
	{NULL, "a", 0, -1},
	{"a", NULL, 0, -1},
};

START_TEST(test_find)
{
	const char *text = finds[_i].text;
	const char *found = text_find_fold(text, finds[_i].needle);
	int at = found != NULL ? (int)(found - text) : -1;

	ck_assert_msg(at == finds[_i].at, "row %d: found at %d, want %d", _i, at, finds[_i].at);
	ck_assert_int_eq(text_starts_fold(text, finds[_i].needle), finds[_i].starts);
}
END_TEST

static const struct {
	const char *input;
	size_t size;
	const char *want;
} trims[] = {
	{B(" a b\t\r\n"), "a b"},
	{B("a"), "a"},
	{B(" \t\r\n\v\f"), ""},
	{B(""), ""},
	{B("a \0 b"), "a"},
	{"abcdef", 3, "abc"},
	{NULL, 0, ""},
};

START_TEST(test_trim)
{
	char *got = text_trim(context, trims[_i].input, trims[_i].size);

	ck_assert_msg(strcmp(got, trims[_i].want) == 0, "row %d: got '%s', want '%s'", _i, got,
		trims[_i].want);
}
END_TEST

START_TEST(test_lower)
{
	ck_assert_str_eq(text_lower(context, "AZ az 09 @[`{ \xC4\xE4"), "az az 09 @[`{ \xC4\xE4");
}
END_TEST

/* RFC 4648 section 10, in lower case and without padding. */
static const struct {
	const char *data, *text;
} base32[] = {
	{"", ""},
	{"f", "my"},
	{"fo", "mzxq"},
	{"foo", "mzxw6"},
	{"foob", "mzxw6yq"},
	{"fooba", "mzxw6ytb"},
	{"foobar", "mzxw6ytboi"},
};

START_TEST(test_base32)
{
	size_t want = strlen(base32[_i].data);
	char text[32];
	char upper[32] = "";
	unsigned char data[32];
	size_t size = 99;

	text_base32_encode((const unsigned char *)base32[_i].data, want, text);
	ck_assert_msg(strcmp(text, base32[_i].text) == 0, "'%s': got '%s', want '%s'",
		base32[_i].data, text, base32[_i].text);
	ck_assert_uint_eq(strlen(text), (want * 8 + 4) / 5);
	ck_assert(text_base32_decode(text, strlen(text), data, &size));
	ck_assert_uint_eq(size, want);
	ck_assert_mem_eq(data, base32[_i].data, want);
	for (size_t i = 0; text[i] != '\0'; i++)
		upper[i] = (char)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]);
	ck_assert(text_base32_decode(upper, strlen(upper), data, &size));
	ck_assert_mem_eq(data, base32[_i].data, want);
}
END_TEST

START_TEST(test_base32_every_byte)
{
	unsigned char all[256], back[256];
	char text[512];
	size_t size;

	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (unsigned char)(i * 167);
	text_base32_encode(all, sizeof all, text);
	ck_assert(text_base32_decode(text, strlen(text), back, &size));
	ck_assert_uint_eq(size, sizeof all);
	ck_assert_mem_eq(back, all, sizeof all);
}
END_TEST

START_TEST(test_base32_refused)
{
	static const char *const refused[] = {"0y", "m1", "m8", "m9", "my==", "m y", "m-", "m\xE1"};

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		unsigned char data[8];
		size_t size;

		ck_assert_msg(!text_base32_decode(refused[i], strlen(refused[i]), data, &size),
			"'%s' was decoded", refused[i]);
	}
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	TCase *tcase = tcase_create("text");
	Suite *suite = suite_create("text");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, test_clean, 0, COUNT(cleanings));
	tcase_add_test(tcase, test_clean_is_stable);
	tcase_add_test(tcase, test_clean_null);
	tcase_add_loop_test(tcase, test_equal, 0, COUNT(equals));
	tcase_add_loop_test(tcase, test_find, 0, COUNT(finds));
	tcase_add_loop_test(tcase, test_trim, 0, COUNT(trims));
	tcase_add_test(tcase, test_lower);
	tcase_add_loop_test(tcase, test_base32, 0, COUNT(base32));
	tcase_add_test(tcase, test_base32_every_byte);
	tcase_add_test(tcase, test_base32_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
