/* test_record_held.c: messages that are kept: found, removed, and gone when they are over or too
 * much. */
#include "state/record.h"

#include "record_seen.h"

START_TEST(held_mail_is_found_and_removed)
{
	struct state *state = open_state(STATE_WRITE);
	struct event want = sample(1000);
	struct held *held = NULL;
	uint64_t other;

	want.stored = 8192;
	ck_assert_status(record_event(state, &want, "1000.M1P2.host", 99), STATUS_OK);
	other = record_held(state, 1001, "second", 0);
	ck_assert_status(record_find_held(state, context, want.id, &held), STATUS_OK);
	check_event(&held->event, &want);
	ck_assert_str_eq(held->file, "1000.M1P2.host");
	ck_assert_int_eq(held->expires_s, 99);
	ck_assert_uint_eq(held->event.stored, 8192);
	ck_assert_status(record_remove_held(state, want.id), STATUS_OK);
	ck_assert_status(record_remove_held(state, want.id), STATUS_NOT_FOUND);
	ck_assert_status(record_find_held(state, context, want.id, &held), STATUS_NOT_FOUND);
	ck_assert_ptr_null(held);
	ck_assert_status(record_find_held(state, context, other, &held), STATUS_OK);
	ck_assert_int_eq(held->expires_s, 0);
	ck_assert_int_eq(see_events(state, 0, INT64_MAX).count, 2);
}
END_TEST

struct purge {
	struct state *state;
	int count;
	uint64_t last;
};

static enum status purge_odd(void *argument, const struct held *held)
{
	struct purge *purge = argument;

	ck_assert_uint_gt(held->event.id, purge->last);
	purge->last = held->event.id;
	purge->count++;
	return purge->count % 2 == 1 ? record_remove_held(purge->state, held->event.id) : STATUS_OK;
}

START_TEST(visitor_may_remove)
{
	enum { COUNT = 700 };
	struct state *state = open_state(STATE_WRITE);
	struct purge purge = {.state = state};

	mdb_env_set_flags(state->env, MDB_NOSYNC, 1);
	for (int i = 0; i < COUNT; i++)
		record_held(state, 1000, "file", 0);
	ck_assert_status(record_walk_held(state, purge_odd, &purge), STATUS_OK);
	ck_assert_int_eq(purge.count, COUNT);
	purge = (struct purge){.state = state};
	ck_assert_status(record_walk_held(state, purge_odd, &purge), STATUS_OK);
	ck_assert_int_eq(purge.count, COUNT / 2);
}
END_TEST

/* Records a dropped message of that size and lets the sweep run; how many files went. */
static size_t drop(
	struct state *state, int64_t time_s, uint64_t size, uint64_t limit, struct sweep *sweep)
{
	struct event event = sample(time_s);
	char file[32];

	snprintf(file, sizeof file, "f%lld", (long long)time_s);
	event.size = size;
	sweep->limit_bytes = limit;
	ck_assert_status(
		record_event_and_sweep(state, &event, file, time_s + 100, sweep), STATUS_OK);
	return sweep->count;
}

START_TEST(what_is_over_goes)
{
	struct state *state = open_state(STATE_WRITE);
	struct sweep sweep;
	uint64_t before, records, faults;
	int count = 0;

	for (int i = 0; i < 20; i++)
		ck_assert_uint_eq(drop(state, 1000 + i, 10, 0, &sweep), 0);
	record_held(state, 1000, "held", 0);
	before = state_transaction_count(state);
	ck_assert_uint_eq(drop(state, 1104, 10, 0, &sweep), 5); /* 1000 to 1004 are over */
	ck_assert_uint_eq(state_transaction_count(state), before + 1);
	ck_assert_str_eq(sweep.files[0], "f1000");
	ck_assert_str_eq(sweep.files[4], "f1004");
	ck_assert_uint_eq(drop(state, 1200, 10, 0, &sweep), SWEEP_MAX); /* a few a message */
	ck_assert_uint_eq(drop(state, 1201, 10, 0, &sweep), 7);
	ck_assert_status(record_walk_held(state, see_held, &count), STATUS_OK);
	ck_assert_int_eq(count, 4); /* f1104, f1200, f1201, and the held one, which stays */
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
	state_close(state);
}
END_TEST

START_TEST(the_oldest_go_when_it_is_too_much)
{
	struct state *state = open_state(STATE_WRITE);
	struct sweep sweep;
	struct event event = sample(5);
	uint64_t id;

	ck_assert_uint_eq(drop(state, 1, 400, 1000, &sweep), 0);
	ck_assert_uint_eq(drop(state, 2, 400, 1000, &sweep), 0);
	ck_assert_uint_eq(drop(state, 3, 400, 1000, &sweep), 1);
	ck_assert_str_eq(sweep.files[0], "f1");
	id = record_held(state, 4, "by hand", 104); /* 123456789012 bytes, no sweep */
	ck_assert_status(record_remove_held(state, id), STATUS_OK);
	ck_assert_uint_eq(drop(state, 4, 100, 1000, &sweep), 0);  /* what went counts no more */
	ck_assert_uint_eq(drop(state, 6, 5000, 1000, &sweep), 3); /* all but the new one */
	ck_assert_status(record_event_and_sweep(state, &event, NULL, 0, NULL), STATUS_OK);
	state_close(state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record held");
	TCase *tests = tcase_create("record held");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, held_mail_is_found_and_removed);
	tcase_add_test(tests, visitor_may_remove);
	tcase_add_test(tests, what_is_over_goes);
	tcase_add_test(tests, the_oldest_go_when_it_is_too_much);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
