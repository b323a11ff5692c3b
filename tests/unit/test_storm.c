/* test_storm.c: when a storm begins and ends, what strangers can make of it, and what is told. The
 * same in a state is for test_storm_kept.c. */
#include "state/storm.h"

#include <math.h>

#include "state/parts.h"
#include "state/place.h"
#include "storm_case.h"

/* ---- places without a database ---- */

static enum storm_change step(struct place *at, enum rate_class class, int64_t now)
{
	const struct place_report report = {.class = class, .limits = &standard};
	int64_t resumed_s;

	return place_step(at, &report, now, &resumed_s);
}

/* Reports of one class, evenly, from a time on; when a storm began, or 0. */
static int64_t pour(
	struct place *at, enum rate_class class, int64_t from_s, int64_t span_s, double per_hour)
{
	int count = (int)(per_hour * (double)span_s / HOUR);
	int64_t began_s = 0;

	for (int i = 0; i < count; i++) {
		int64_t now = from_s + (int64_t)(i * (double)span_s / count);
		if (step(at, class, now) == STORM_BEGAN && began_s == 0)
			began_s = now;
	}
	return began_s;
}

/* What is poured on a list that was quiet: is it a storm, and within how many seconds? */
static const struct {
	const char *name;
	enum rate_class class;
	double per_hour;
	int64_t span_s;
	int64_t within_s; /* 0: it is none */
} floods[] = {
	{"50,000 forged an hour", RATE_BACKSCATTER, 50000, HOUR, 5},
	{"50,000 unproven an hour", RATE_UNPROVEN, 50000, HOUR, 10},
	{"5,000 unproven an hour", RATE_UNPROVEN, 5000, HOUR, 660},
	{"50,000 genuine an hour", RATE_GENUINE, 50000, HOUR, 0},
	{"500 unproven an hour, for a day", RATE_UNPROVEN, 500, DAY, 0},
	{"700 unproven an hour", RATE_UNPROVEN, 700, DAY, 4 * HOUR},
	{"60 unproven at once", RATE_UNPROVEN, 60 * 3600, 1, 0},
	{"200 unproven in five minutes", RATE_UNPROVEN, 2400, 300, 0},
	{"50 forged at once", RATE_BACKSCATTER, 50 * 3600, 1, 0},
	{"100 forged in an hour", RATE_BACKSCATTER, 100, HOUR, 0},
	{"1,000 unproven at once", RATE_UNPROVEN, 60000, 60, 10},
};

START_TEST(floods_are_storms)
{
	struct place at = {.name = LIST};
	int64_t began_s;

	pour(&at, RATE_UNPROVEN, NOON - 7 * DAY, 7 * DAY, 0.5);
	began_s = pour(&at, floods[_i].class, NOON, floods[_i].span_s, floods[_i].per_hour);
	if (floods[_i].within_s == 0)
		ck_assert_msg(began_s == 0, "%s: a storm after %lld s", floods[_i].name,
			(long long)(began_s - NOON));
	else
		ck_assert_msg(began_s != 0 && began_s - NOON <= floods[_i].within_s,
			"%s: after %lld s", floods[_i].name, (long long)(began_s - NOON));
}
END_TEST

/* However large the flood was, it is over in time. */
static const struct {
	enum rate_class class;
	double per_hour;
	int64_t span_s;
} ends[] = {
	{RATE_BACKSCATTER, 50000, HOUR},
	{RATE_UNPROVEN, 50000, HOUR},
	{RATE_UNPROVEN, 2000000, HOUR},
	{RATE_UNPROVEN, 50000, 5 * DAY},
	{RATE_UNPROVEN, 60000, 60},
};

START_TEST(storms_end_in_time)
{
	struct place at = {.name = LIST};
	int64_t over_s = NOON + ends[_i].span_s;

	pour(&at, ends[_i].class, NOON, ends[_i].span_s, ends[_i].per_hour);
	ck_assert(place_is_in_storm(&at, over_s));
	/* Nothing comes any more, or what is usual. */
	ck_assert_msg(!place_is_in_storm(&at, over_s + HOUR), "lasts longer than an hour");
	pour(&at, RATE_UNPROVEN, over_s, 2 * HOUR, 30);
	ck_assert(!place_is_in_storm(&at, over_s + 2 * HOUR));
	ck_assert_msg(at.storm.ended_s > over_s && at.storm.ended_s <= over_s + HOUR,
		"ended %lld s after the flood", (long long)(at.storm.ended_s - over_s));
}
END_TEST

/* What is sent again and again, just before or behind the end: a handful keeps no storm up. */
static const struct {
	int count;
	enum rate_class class;
	int64_t every_s;
	bool lasts;
} handfuls[] = {
	{10, RATE_BACKSCATTER, STORM_CALM_S - 60, false},
	{20, RATE_BACKSCATTER, STORM_CALM_S + 60, false},
	{20, RATE_UNPROVEN, STORM_CALM_S - 60, false},
	{60, RATE_UNPROVEN, STORM_CALM_S - 60, true},
};

START_TEST(a_handful_keeps_no_storm_up)
{
	struct place at = {.name = LIST};
	int64_t now = NOON + HOUR;

	pour(&at, RATE_UNPROVEN, NOON, HOUR, 50000);
	for (; now < NOON + 12 * HOUR; now += handfuls[_i].every_s)
		pour(&at, handfuls[_i].class, now, 1, handfuls[_i].count * HOUR);
	ck_assert_msg(place_is_in_storm(&at, now) == handfuls[_i].lasts, "%d every %lld s %s",
		handfuls[_i].count, (long long)handfuls[_i].every_s,
		handfuls[_i].lasts ? "are too few" : "keep it up");
}
END_TEST

/* It lasts while the flood does, and its past does not learn from it. */
START_TEST(a_long_flood_stays_a_storm)
{
	struct place at = {.name = LIST};

	pour(&at, RATE_UNPROVEN, NOON - 7 * DAY, 7 * DAY, 30);
	pour(&at, RATE_UNPROVEN, NOON, 21 * DAY, 1500);
	ck_assert(place_is_in_storm(&at, NOON + 21 * DAY));
	ck_assert_msg(at.storm.usual < 60, "usual: %f", at.storm.usual);
	ck_assert_msg(rate_to_hourly(at.past, 7 * DAY) < 60, "the past is %f an hour",
		rate_to_hourly(at.past, 7 * DAY));
}
END_TEST

/* Twenty times what is too much for others is usual here. */
START_TEST(a_busy_list_has_its_own_measure)
{
	struct place at = {.name = LIST};

	ck_assert_int_ne(pour(&at, RATE_UNPROVEN, NOON, HOUR, 2000), 0);
	at = (struct place){.name = LIST};
	for (int day = 0; day < 28; day++)
		ck_assert_int_eq(pour(&at, RATE_UNPROVEN, NOON + day * DAY, DAY, 200), 0);
	ck_assert_int_eq(pour(&at, RATE_UNPROVEN, NOON + 28 * DAY, HOUR, 2000), 0);
	ck_assert_int_ne(pour(&at, RATE_UNPROVEN, NOON + 29 * DAY, HOUR, 10000), 0);
}
END_TEST

/* A large posting: all that is proven is no storm, nor what few unproven ones come with it. */
START_TEST(a_large_posting_is_no_storm)
{
	struct place at = {.name = LIST};

	for (int i = 0; i < 20000; i++) {
		enum rate_class class = i % 40 == 0 ? RATE_UNPROVEN : RATE_GENUINE;
		ck_assert_int_eq(step(&at, class, NOON + i / 20), STORM_SAME);
	}
}
END_TEST

/* While the host is in a storm, a list that gets part of it is in one sooner; a quiet one is not.
 */
static const struct {
	double usual, now;
	bool is_storm;
} in_host_storms[] = {
	{0, 20, false},
	{0, 50, false},
	{0, 200, true},
	{30, 200, false},
	{30, 400, true},
};

START_TEST(a_storm_of_the_host_spares_quiet_lists)
{
	struct place at = {.name = LIST};
	bool has_begun = false;
	int count = (int)in_host_storms[_i].now * 4;
	const struct place_report report = {
		.class = RATE_UNPROVEN, .is_host_storm = true, .limits = &standard};
	int64_t resumed_s;

	pour(&at, RATE_UNPROVEN, NOON - 28 * DAY, 28 * DAY, in_host_storms[_i].usual);
	for (int i = 0; i < count; i++)
		has_begun |= place_step(&at, &report, NOON + 4 * HOUR * i / count, &resumed_s) ==
			     STORM_BEGAN;
	ck_assert_msg(has_begun == in_host_storms[_i].is_storm, "row %d: %s", _i,
		has_begun ? "a storm" : "none");
}
END_TEST

/* Forged reports that a stranger spreads over lists do not become a burst at each by that. */
START_TEST(a_burst_is_one_in_a_storm_of_the_host_too)
{
	struct place at = {.name = LIST};
	const struct place_report report = {
		.class = RATE_BACKSCATTER, .is_host_storm = true, .limits = &standard};
	int64_t resumed_s;

	/* Three or four a minute. */
	for (int i = 0; i < 70; i++)
		ck_assert_int_eq(place_step(&at, &report, NOON + i * 17, &resumed_s), STORM_SAME);
}
END_TEST

/* It begins before an hour has had as many as the limit says; the peak is no less all the same. */
START_TEST(the_peak_of_a_burst_is_above_the_limit)
{
	struct place at = {.name = LIST};
	int i = 0;

	while (i < 1000 && step(&at, RATE_BACKSCATTER, NOON + i / 30) != STORM_BEGAN)
		i++;
	ck_assert_int_lt(i, 600);
	ck_assert_msg(at.storm.peak > at.storm.limit, "peak %.0f, limit %.0f", at.storm.peak,
		at.storm.limit);
}
END_TEST

static const struct storm_limits lowest = {.factor = 2, .minimum_per_hour = 1.0 / 24};

START_TEST(the_lowest_limits_take_some_reports)
{
	struct place at = {.name = LIST};
	const struct place_report report = {.class = RATE_BACKSCATTER, .limits = &lowest};
	int64_t resumed_s;

	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(place_step(&at, &report, NOON + i * 60, &resumed_s), STORM_SAME);
	/* But they are limits. */
	for (int i = 9; i < 12 && !at.is_on; i++)
		place_step(&at, &report, NOON + i * 60, &resumed_s);
	ck_assert(at.is_on);
}
END_TEST

START_TEST(use_no_ends_a_storm)
{
	struct place at = {.name = LIST};
	const struct place_report report = {.class = RATE_UNPROVEN};
	int64_t resumed_s;

	pour(&at, RATE_UNPROVEN, NOON, HOUR, 50000);
	ck_assert_int_eq(place_step(&at, &report, NOON + HOUR, &resumed_s), STORM_ENDED);
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(place_step(&at, &report, NOON + HOUR, &resumed_s), STORM_SAME);
}
END_TEST

static const int64_t jumps[] = {-400 * DAY, -2 * HOUR, -20, 2 * HOUR, 400 * DAY};

/* A clock that was wrong leaves no storm for ever, and no number that is none. */
START_TEST(a_clock_that_jumps_leaves_no_storm_behind)
{
	struct place at = {.name = LIST};
	int64_t now = NOON + HOUR + jumps[_i];

	pour(&at, RATE_UNPROVEN, NOON, HOUR, 50000);
	pour(&at, RATE_UNPROVEN, now, HOUR, 50000);
	pour(&at, RATE_UNPROVEN, now + HOUR, 2 * HOUR, 10);
	ck_assert(!place_is_in_storm(&at, now + 3 * HOUR));
	ck_assert_msg(isfinite(at.recent) && isfinite(at.past) && at.past < 110000, "%f, %f",
		at.recent, at.past);
	/* Nor does one that nobody reports to any more. */
	at = (struct place){.name = LIST};
	pour(&at, RATE_UNPROVEN, NOON + 400 * DAY, HOUR, 50000);
	ck_assert(!place_is_in_storm(&at, NOON));
}
END_TEST

/* ---- notices ---- */

static enum storm_notice due(const struct place *at, int64_t now)
{
	enum storm_notice notice = STORM_NOTICE_COUNT;

	place_find_due(at, now, &notice);
	return notice;
}

/* Claims and tells what is due, as a digest every few minutes would. */
static int tell_all(struct place *at, int64_t now)
{
	enum storm_notice notice;
	int count = 0;

	place_settle(at, now);
	while (place_find_due(at, now, &notice)) {
		struct storm storm = place_storm(at, now);
		storm.notice = notice;
		storm.claim = at->notices[notice].number;
		place_claim(at, notice, now);
		ck_assert(place_told(at, &storm, now));
		count++;
	}
	return count;
}

START_TEST(one_at_the_start_and_one_at_the_end)
{
	struct place at = {.name = LIST};

	pour(&at, RATE_UNPROVEN, NOON, HOUR / 2, 50000);
	ck_assert_int_eq(due(&at, NOON + HOUR / 2), STORM_NOTICE_BEGAN);
	ck_assert_int_eq(tell_all(&at, NOON + HOUR / 2), 1);
	pour(&at, RATE_UNPROVEN, NOON + HOUR / 2, HOUR / 2, 50000);
	ck_assert_int_eq(tell_all(&at, NOON + HOUR), 0);
	place_settle(&at, NOON + 3 * HOUR);
	ck_assert_int_eq(due(&at, NOON + 3 * HOUR), STORM_NOTICE_ENDED);
	ck_assert_int_eq(tell_all(&at, NOON + 3 * HOUR), 1);
	ck_assert_int_eq(tell_all(&at, NOON + 30 * DAY), 0);
	ck_assert(!place_is_open(&at));
}
END_TEST

/* Who hears of it only when it is over hears once. */
START_TEST(what_is_over_is_told_once)
{
	struct place at = {.name = LIST};

	pour(&at, RATE_UNPROVEN, NOON, HOUR, 50000);
	place_settle(&at, NOON + 3 * HOUR);
	ck_assert_int_eq(due(&at, NOON + 3 * HOUR), STORM_NOTICE_ENDED);
	ck_assert_int_eq(tell_all(&at, NOON + 3 * HOUR), 1);
	ck_assert(!place_is_open(&at));
}
END_TEST

/* One that is kept up does not keep the owners in the dark. */
START_TEST(a_storm_that_lasts_is_told_each_day)
{
	struct place at = {.name = LIST};
	int told = 0;

	for (int i = 0; i < 10 * 24; i++) {
		pour(&at, RATE_UNPROVEN, NOON + i * HOUR, HOUR, 1500);
		told += tell_all(&at, NOON + (i + 1) * HOUR);
	}
	ck_assert_int_eq(told, 1 + 9);
}
END_TEST

/* Whoever makes storms come and go makes no mail of it. */
START_TEST(storms_that_come_and_go_are_told_seldom)
{
	struct place at = {.name = LIST};
	int told = 0;

	for (int i = 0; i < 24; i++) {
		pour(&at, RATE_BACKSCATTER, NOON + i * HOUR, 60, 9000);
		for (int minute = 1; minute < 60; minute++)
			told += tell_all(&at, NOON + i * HOUR + minute * 60);
	}
	ck_assert_msg(told >= 2 && told <= 10, "%d notices in a day", told);
	for (int i = 24; i < 48; i++)
		told += tell_all(&at, NOON + i * HOUR);
	ck_assert_msg(!place_is_open(&at), "something is due for ever");
	ck_assert_uint_gt(at.storm.backscatter, 0);
}
END_TEST

/* An end that was not told yet, and it goes on: one storm, all its numbers. */
START_TEST(an_untold_end_is_none)
{
	struct place at = {.name = LIST};
	const struct place_report report = {.class = RATE_UNPROVEN, .limits = &standard};
	int64_t resumed_s = 0, began_s, ended_s;
	uint64_t total;

	began_s = pour(&at, RATE_UNPROVEN, NOON, HOUR, 50000);
	tell_all(&at, NOON + HOUR);
	place_settle(&at, NOON + 3 * HOUR);
	total = at.storm.total;
	ended_s = at.storm.ended_s;
	for (int i = 0; i < 5000 && resumed_s == 0; i++)
		place_step(&at, &report, NOON + 3 * HOUR, &resumed_s);
	ck_assert_int_eq(resumed_s, ended_s);
	ck_assert_int_eq(at.storm.began_s, began_s);
	ck_assert_int_eq(at.storm.ended_s, 0);
	ck_assert_uint_gt(at.storm.total, total);
	ck_assert_int_eq(due(&at, NOON + 3 * HOUR), STORM_NOTICE_COUNT);
}
END_TEST

START_TEST(the_host_has_no_owners)
{
	struct place at = {.name = ""};

	pour(&at, RATE_UNPROVEN, NOON, HOUR, 50000);
	ck_assert(at.is_on);
	ck_assert_int_eq(due(&at, NOON + 2 * DAY), STORM_NOTICE_COUNT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("storm");
	TCase *pure = make_case("pure"), *notices = make_case("notices");

	tcase_add_loop_test(pure, floods_are_storms, 0, ROWS(floods));
	tcase_add_loop_test(pure, storms_end_in_time, 0, ROWS(ends));
	tcase_add_loop_test(pure, a_handful_keeps_no_storm_up, 0, ROWS(handfuls));
	tcase_add_test(pure, a_long_flood_stays_a_storm);
	tcase_add_test(pure, a_busy_list_has_its_own_measure);
	tcase_add_test(pure, a_large_posting_is_no_storm);
	tcase_add_loop_test(pure, a_storm_of_the_host_spares_quiet_lists, 0, ROWS(in_host_storms));
	tcase_add_test(pure, a_burst_is_one_in_a_storm_of_the_host_too);
	tcase_add_test(pure, the_peak_of_a_burst_is_above_the_limit);
	tcase_add_test(pure, the_lowest_limits_take_some_reports);
	tcase_add_test(pure, use_no_ends_a_storm);
	tcase_add_loop_test(pure, a_clock_that_jumps_leaves_no_storm_behind, 0, ROWS(jumps));
	tcase_add_test(notices, one_at_the_start_and_one_at_the_end);
	tcase_add_test(notices, what_is_over_is_told_once);
	tcase_add_test(notices, a_storm_that_lasts_is_told_each_day);
	tcase_add_test(notices, storms_that_come_and_go_are_told_seldom);
	tcase_add_test(notices, an_untold_end_is_none);
	tcase_add_test(notices, the_host_has_no_owners);
	suite_add_tcase(suite, pure);
	suite_add_tcase(suite, notices);
	return run_suite(suite);
}
