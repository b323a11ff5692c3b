/* test_clock.c: times, durations and sizes as text, strictly. */
#include <check.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

#define NOW INT64_C(1795461562) /* 2026-11-23T19:19:22Z */
#define REFUSED INT64_MIN

static const struct {
	const char *text;
	int64_t want;
} times[] = {
	{"@1795461562", NOW},
	{"1795461562", NOW},
	{"0", 0},
	{"2026-11-23T19:19:22Z", NOW},
	{"2026-11-23T19:19:22", NOW},
	{"2026-11-23 19:19:22", NOW},
	{"2026-11-23", 1795392000},
	{"1970-01-01", 0},
	{"1969-12-31T23:59:59Z", -1},
	{"2028-02-29", 1835395200},
	{"2000-02-29", 951782400},
	{"9999-12-31T23:59:59Z", 253402300799},
	{"0000-01-01", -62167219200},
	{"90m", NOW - 5400},
	{"36h", NOW - 129600},
	{"7d", NOW - 604800},
	{"2w", NOW - 1209600},
	{"0s", NOW},
	{"253402300799", 253402300799},
	{"253402300800", REFUSED},
	{"9223372036854775807", REFUSED},
	{"9223372036854775808", REFUSED},
	{"99999999999999999999999999", REFUSED},
	{"9223372036854775807s", REFUSED},
	{"9223372036854775807w", REFUSED},
	{"2026-02-30", REFUSED},
	{"2026-02-29", REFUSED},
	{"1900-02-29", REFUSED},
	{"2026-04-31", REFUSED},
	{"2026-00-01", REFUSED},
	{"2026-13-01", REFUSED},
	{"2026-01-00", REFUSED},
	{"2026-11-23T24:00:00Z", REFUSED},
	{"2026-11-23T23:60:00Z", REFUSED},
	{"2026-11-23T23:59:60Z", REFUSED},
	{"2026-11-23T19:19", REFUSED},
	{"2026-11-23T19:19:22+01:00", REFUSED},
	{"2026-11-23 ", REFUSED},
	{" 2026-11-23", REFUSED},
	{"2026-11-2", REFUSED},
	{"26-11-23", REFUSED},
	{"@", REFUSED},
	{"@-1", REFUSED},
	{"-1", REFUSED},
	{"+1", REFUSED},
	{"1.5h", REFUSED},
	{"@7d", REFUSED},
	{"now", REFUSED},
	{"", REFUSED},
	{NULL, REFUSED},
};

START_TEST(test_time)
{
	int64_t got = REFUSED;

	if (!clock_parse_time(times[_i].text, NOW, &got))
		got = REFUSED;
	ck_assert_msg(got == times[_i].want, "'%s': got %" PRId64 ", want %" PRId64, times[_i].text,
		got, times[_i].want);
}
END_TEST

static const struct {
	const char *text;
	int64_t want;
} durations[] = {
	{"20s", 20},
	{"5m", 300},
	{"36h", 129600},
	{"7d", 604800},
	{"2w", 1209600},
	{"0d", 0},
	{"9223372036854775807s", INT64_MAX},
	{"9223372036854775808s", REFUSED},
	{"15250284452472w", REFUSED},
	{"15250284452471w", INT64_C(15250284452471) * 604800},
	{"20", REFUSED},
	{"", REFUSED},
	{"s", REFUSED},
	{"20 s", REFUSED},
	{"20s ", REFUSED},
	{"20S", REFUSED},
	{"20y", REFUSED},
	{"-20s", REFUSED},
	{"1h30m", REFUSED},
	{"20ms", REFUSED},
	{NULL, REFUSED},
};

START_TEST(test_duration)
{
	int64_t got = REFUSED;

	if (!clock_parse_duration(durations[_i].text, &got))
		got = REFUSED;
	ck_assert_msg(got == durations[_i].want, "'%s': got %" PRId64 ", want %" PRId64,
		durations[_i].text, got, durations[_i].want);
}
END_TEST

static const struct {
	const char *text;
	int64_t want;
} sizes[] = {
	{"512", 512},
	{"0", 0},
	{"64K", 65536},
	{"64k", 65536},
	{"20M", 20971520},
	{"1G", 1073741824},
	{"8589934591G", INT64_C(8589934591) << 30},
	{"8589934592G", REFUSED},
	{"9223372036854775808", REFUSED},
	{"1T", REFUSED},
	{"1KB", REFUSED},
	{"1 K", REFUSED},
	{"K", REFUSED},
	{"-1", REFUSED},
	{"", REFUSED},
	{NULL, REFUSED},
};

START_TEST(test_size)
{
	uint64_t bytes = 0;
	int64_t got = clock_parse_size(sizes[_i].text, &bytes) ? (int64_t)bytes : REFUSED;

	ck_assert_msg(got == sizes[_i].want, "'%s': got %" PRId64 ", want %" PRId64, sizes[_i].text,
		got, sizes[_i].want);
}
END_TEST

static const struct {
	int64_t seconds;
	const char *iso, *day, *rfc5322;
} formats[] = {
	{NOW, "2026-11-23T19:19:22Z", "2026-11-23", "Mon, 23 Nov 2026 19:19:22 +0000"},
	{0, "1970-01-01T00:00:00Z", "1970-01-01", "Thu, 01 Jan 1970 00:00:00 +0000"},
	{-1, "1969-12-31T23:59:59Z", "1969-12-31", "Wed, 31 Dec 1969 23:59:59 +0000"},
	{951782400, "2000-02-29T00:00:00Z", "2000-02-29", "Tue, 29 Feb 2000 00:00:00 +0000"},
	{INT64_MAX, "9999-12-31T23:59:59Z", "9999-12-31", "Fri, 31 Dec 9999 23:59:59 +0000"},
	{INT64_MIN, "0000-01-01T00:00:00Z", "0000-01-01", "Sat, 01 Jan 0000 00:00:00 +0000"},
};

START_TEST(test_format)
{
	char text[CLOCK_TEXT_MAX];
	int64_t back;

	clock_format_iso(formats[_i].seconds, text);
	ck_assert_str_eq(text, formats[_i].iso);
	if (formats[_i].seconds != INT64_MIN && formats[_i].seconds != INT64_MAX) {
		ck_assert(clock_parse_time(text, NOW, &back));
		ck_assert_int_eq(back, formats[_i].seconds);
	}
	clock_format_day(formats[_i].seconds, text);
	ck_assert_str_eq(text, formats[_i].day);
	clock_format_rfc5322(formats[_i].seconds, text);
	ck_assert_str_eq(text, formats[_i].rfc5322);
}
END_TEST

static const struct {
	int64_t seconds, want;
} days[] = {
	{0, 0},
	{86399, 0},
	{86400, 1},
	{-1, -1},
	{-86400, -1},
	{-86401, -2},
	{NOW, 20780},
};

START_TEST(test_day)
{
	int64_t got = clock_day(days[_i].seconds);

	ck_assert_msg(got == days[_i].want, "%" PRId64 ": got %" PRId64 ", want %" PRId64,
		days[_i].seconds, got, days[_i].want);
}
END_TEST

START_TEST(test_now)
{
	int64_t before = (int64_t)time(NULL);
	int64_t now = clock_now();

	ck_assert_int_ge(now, before);
	ck_assert_int_le(now, (int64_t)time(NULL));
	clock_fix(NOW);
	ck_assert_int_eq(clock_now(), NOW);
	clock_fix(0);
	ck_assert_int_eq(clock_now(), 0);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	TCase *tcase = tcase_create("clock");
	Suite *suite = suite_create("clock");
	SRunner *runner;
	int failures;

	tcase_add_loop_test(tcase, test_time, 0, COUNT(times));
	tcase_add_loop_test(tcase, test_duration, 0, COUNT(durations));
	tcase_add_loop_test(tcase, test_size, 0, COUNT(sizes));
	tcase_add_loop_test(tcase, test_format, 0, COUNT(formats));
	tcase_add_loop_test(tcase, test_day, 0, COUNT(days));
	tcase_add_test(tcase, test_now);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
