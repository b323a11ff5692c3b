/* test_rollup_expiry.c: what is too old goes, and the file stops growing; with a clock that goes
 * back or runs ahead, too. */
#include "state/rollup.h"

#include "rollup_sums.h"

static uint64_t file_bytes(void)
{
	struct stat info;

	ck_assert_int_eq(stat(data_file, &info), 0);
	return (uint64_t)info.st_size;
}

/* Months of mail, an event each ten minutes, now and then a burst: what is within its lifetime is
 * all there, hours add up, and pages in use stay where they were. */
START_TEST(the_file_stops_growing)
{
	enum { DAYS = 60, EACH_DAY = 144, BURST = 300 };
	uint64_t used_then = 0, file_then = 0, number = 0;
	struct state_size size = {0};
	struct rollup sum = {.hour_s = 0};

	keep_for(5 * DAY, 20 * DAY);
	for (int day = 0; day < DAYS; day++) {
		int count = EACH_DAY + (day % 10 == 3 ? BURST : 0);

		for (int i = 0; i < count; i++, number++) {
			int64_t now = START + day * DAY + i * (DAY / count);
			struct event event = make_event((int)number, now);
			char reporter[32];

			snprintf(reporter, sizeof reporter, "2001:db8:%x::1", (unsigned)number);
			event.reporter = reporter;
			ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
			if (day == 10)
				rollup_count(&sum, &event);
		}
		ck_assert_status(state_measure(state, &size), STATUS_OK);
		if (day == 29) {
			used_then = size.used_bytes;
			file_then = file_bytes();
			/* Its events are gone. */
			struct rollup got = rollups_of(START + 10 * DAY, START + 11 * DAY);

			check_equal(&got, &sum, "a day whose events are gone");
		}
	}
	ck_assert_msg(size.used_bytes <= used_then + used_then / 50,
		"got %llu bytes in use after 60 days, want those of 30 days, %llu",
		(unsigned long long)size.used_bytes, (unsigned long long)used_then);
	ck_assert_msg(file_bytes() <= file_then + file_then / 20,
		"got a file of %llu bytes after 60 days, want that of 30 days, %llu",
		(unsigned long long)file_bytes(), (unsigned long long)file_then);
	ck_assert_uint_le(size.events, 5 * EACH_DAY + BURST + 1);
	check_hours(START + (DAYS - 4) * DAY, START + DAYS * DAY);
	ck_assert_int_gt(horizon_of_state().events_from_s, START + (DAYS - 6) * DAY);
	ck_assert_int_le(horizon_of_state().events_from_s, START + (DAYS - 5) * DAY + 1);
	ck_assert_int_gt(horizon_of_state().rollups_from_s, START + (DAYS - 21) * DAY);
	sum = rollups_of(0, horizon_of_state().rollups_from_s);
	ck_assert_uint_eq(messages_of(&sum), 0);
	sum = rollups_of(START + 11 * DAY, START + 12 * DAY);
	ck_assert_uint_eq(messages_of(&sum) + sum.released, 0);
	check_verifies();
}
END_TEST

static enum status count_counter(void *argument, const struct counter *counter)
{
	(void)counter;
	++*(int *)argument;
	return STATUS_OK;
}

/* Reporters are a stranger's to multiply: a silent one is forgotten. */
START_TEST(silent_reporters_go)
{
	int count = 0;

	keep_for(2 * DAY, 20 * DAY);
	for (int i = 0; i < 3000; i++) {
		struct event event = make_event(1, START + i * 600);
		char reporter[32];

		snprintf(reporter, sizeof reporter, "2001:db8:%x::1", (unsigned)i);
		event.reporter = reporter;
		ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	}
	ck_assert_status(
		record_walk_counters(state, COUNTER_REPORTER, count_counter, &count), STATUS_OK);
	/* 288 in two days, and at most half as many again that wait for their turn. */
	ck_assert_msg(count >= 288 && count <= 288 * 3 / 2 + 2, "got %d reporters", count);
}
END_TEST

START_TEST(at_most_a_few_go_with_one_message)
{
	keep_for(0, 0);
	for (int i = 0; i < 100; i++)
		record(i, START + i * HOUR);
	keep_for(DAY, 2 * DAY);
	record(0, START + 1000 * HOUR);
	ck_assert_uint_eq(count_events(), 101 - 8);
	ck_assert_int_eq(horizon_of_state().events_from_s, START + 7 * HOUR + 1);
	ck_assert_int_eq(horizon_of_state().rollups_from_s, START + 4 * HOUR);
	for (int i = 0; i < 20; i++)
		record(0, START + 1000 * HOUR);
	ck_assert_uint_eq(count_events(), 21);
	record(0, START + 9000 * HOUR);
	record(0, START + 9000 * HOUR);
	record(0, START + 9000 * HOUR);
	ck_assert_uint_eq(count_events(), 3);
	record(0, START + 19000 * HOUR); /* the newest stays */
	ck_assert_uint_eq(count_events(), 1);
}
END_TEST

/* A clock that ran a year ahead for a while: its events do not keep the others from going. */
START_TEST(events_of_the_future_do_not_block)
{
	uint64_t most = 0;

	keep_for(DAY, 20 * DAY);
	for (int i = 0; i < 50; i++)
		record(i, START + i);
	for (int i = 0; i < 100; i++)
		record(i, START + 365 * DAY + i);
	for (int i = 0; i < 2000; i++) {
		record(i, START + 200 + i * 600);
		if (count_events() > most)
			most = count_events();
	}
	/* A day of them is 144. The search takes its turn over the hundred. */
	ck_assert_msg(most <= 50 + 100 + 144 + 40, "got %llu", (unsigned long long)most);
	check_hours(START + 13 * DAY, START + 14 * DAY);
	struct rollup sum = events_of(START + 365 * DAY, INT64_MAX);
	ck_assert_uint_eq(messages_of(&sum) + sum.released, 100);
}
END_TEST

/* A clock that fell back to 1970: nothing goes for its sake, and its own events go with those that
 * stand before them. */
START_TEST(a_clock_that_fell_back_removes_nothing)
{
	keep_for(DAY, 20 * DAY);
	for (int i = 0; i < 50; i++)
		record(i, START + i);
	for (int i = 0; i < 50; i++)
		record(i, 1000 + i);
	for (int i = 0; i < 50; i++)
		record(i, START + 100 + i);
	ck_assert_uint_eq(count_events(), 150);
	check_hours(START, START + HOUR);
	struct rollup sum = rollups_of(0, HOUR);
	ck_assert_uint_eq(messages_of(&sum) + sum.released, 0); /* 1970 is more than 20 days ago */
	for (int i = 0; i < 20; i++)
		record(i, START + 2 * DAY);
	ck_assert_uint_eq(count_events(), 20);
	ck_assert_int_eq(horizon_of_state().events_from_s, START + 100 + 49 + 1);
}
END_TEST

/* A walk that stops at the end of its span misses none that a clock put behind it. */
START_TEST(a_walk_stops_where_it_may)
{
	struct rollup sum;

	for (int i = 1; i < 4; i++)
		record(i, START + 10 * HOUR + i);
	record(4, START); /* gone back */
	for (int i = 5; i < 9; i++)
		record(i, START + 20 * HOUR + i);
	sum = events_of(START, START + HOUR);
	ck_assert_uint_eq(messages_of(&sum), 1);
	sum = events_of(START + 10 * HOUR, START + 11 * HOUR);
	ck_assert_uint_eq(messages_of(&sum), 3);
	sum = events_of(START + 20 * HOUR, START + 21 * HOUR);
	ck_assert_uint_eq(messages_of(&sum), 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rollup expiry");
	TCase *tcase = tcase_create("rollup expiry");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up_state, tear_down);
	tcase_add_test(tcase, the_file_stops_growing);
	tcase_add_test(tcase, silent_reporters_go);
	tcase_add_test(tcase, at_most_a_few_go_with_one_message);
	tcase_add_test(tcase, events_of_the_future_do_not_block);
	tcase_add_test(tcase, a_clock_that_fell_back_removes_nothing);
	tcase_add_test(tcase, a_walk_stops_where_it_may);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
