/* test_storm_kept.c: storms in a state: counted with each event, claimed by one teller, kept for a
 * while, damaged. */
#include "state/storm.h"

#include "state/parts.h"
#include "state/place.h"
#include "storm_case.h"

static void report(struct state *state, const char *list, enum rate_class class, int64_t time_s)
{
	const struct rate_use use = {.class = class, .limits = &standard};
	struct event event = {.time_s = time_s, .kind = KIND_FAILED, .list = list, .rates = &use};

	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
}

/* Many reports in one transaction, as record_event counts each. */
struct flood {
	const char *list;
	enum rate_class class;
	int64_t from_s;
	int count;
	int per_second;
};

static int count_flood(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct flood *flood = argument;
	int code = MDB_SUCCESS;

	for (int i = 0; i < flood->count && code == MDB_SUCCESS; i++) {
		const struct rate_use use = {.class = flood->class, .limits = &standard};
		struct event event = {.time_s = flood->from_s + i / flood->per_second,
			.list = flood->list,
			.action = ACTION_HOLD,
			.rates = &use};
		code = storm_count(state, transaction, &event);
	}
	return code;
}

static void flood(struct state *state, const char *list, int64_t from_s, int count)
{
	struct flood flood = {list, RATE_UNPROVEN, from_s, count, 14};

	ck_assert_status(box_write(state, count_flood, &flood), STATUS_OK);
}

static bool is_in_storm(struct state *state, const char *list, int64_t now)
{
	struct storm *storm;
	enum status status = storm_find(state, context, list, now, &storm);

	ck_assert_msg(
		status == STATUS_OK || status == STATUS_NOT_FOUND, "got %s", status_text(status));
	ck_assert((status == STATUS_OK) == (storm != NULL));
	if (storm != NULL) {
		ck_assert_str_eq(storm->list, list);
		ck_assert(storm->is_on);
	}
	return storm != NULL;
}

START_TEST(record_event_says_what_it_did)
{
	struct state *state = open_state(STATE_WRITE);
	const struct rate_use use = {.class = RATE_BACKSCATTER, .limits = &standard};
	int began = 0, host_began = 0;

	for (int i = 0; i < 70; i++) {
		struct event event = {.time_s = NOON, .list = LIST, .rates = &use};
		ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
		began += event.list_storm == STORM_BEGAN;
		host_began += event.host_storm == STORM_BEGAN;
	}
	ck_assert_int_eq(began, 1);
	ck_assert_int_eq(host_began, 1);
	ck_assert(is_in_storm(state, LIST, NOON + 60));
	ck_assert(is_in_storm(state, "", NOON + 60));
	ck_assert(!is_in_storm(state, "other@lists.example.org", NOON + 60));
	ck_assert(!is_in_storm(state, LIST, NOON + HOUR));
	report(state, LIST, RATE_UNPROVEN, NOON + HOUR);
	report(state, "other@lists.example.org", RATE_UNPROVEN, NOON + HOUR);
}
END_TEST

START_TEST(a_reader_sees_it)
{
	struct state *state = open_state(STATE_WRITE);
	struct storm *storm;
	uint64_t records, faults;

	flood(state, LIST, NOON, 20000);
	state_close(state);
	state = open_state(STATE_READ);
	ck_assert_status(storm_find(state, context, LIST, NOON + 1400, &storm), STATUS_OK);
	ck_assert_uint_gt(storm->held, 18000);
	ck_assert_uint_eq(storm->held, storm->total);
	ck_assert_uint_eq(storm->unproven, storm->total);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

START_TEST(a_claim_is_for_one)
{
	struct state *state = open_state(STATE_WRITE);
	struct storm *first, *second;
	int64_t now = NOON + 1400;
	uint64_t before;

	flood(state, LIST, NOON, 20000);
	before = state_transaction_count(state);
	ck_assert_status(storm_claim_due(state, context, now, "other@lists.example.org", &first),
		STATUS_NOT_FOUND);
	ck_assert_uint_eq(state_transaction_count(state), before);
	ck_assert_status(storm_claim_due(state, context, now, NULL, &first), STATUS_OK);
	ck_assert_str_eq(first->list, LIST);
	ck_assert_int_eq(first->notice, STORM_NOTICE_BEGAN);
	ck_assert_status(storm_claim_due(state, context, now + 1, NULL, &second), STATUS_NOT_FOUND);
	ck_assert_status(storm_claim_due(state, context, now + 1, LIST, &second), STATUS_NOT_FOUND);
	/* What was given back is due at once, and only what one has can be given back. */
	ck_assert_status(storm_give_back(state, first), STATUS_OK);
	ck_assert_status(storm_claim_due(state, context, now, LIST, &second), STATUS_OK);
	ck_assert_int_eq(second->notice, STORM_NOTICE_BEGAN);
	second->claim++;
	ck_assert_status(storm_give_back(state, second), STATUS_OK);
	ck_assert_status(storm_claim_due(state, context, now + 1, LIST, &second), STATUS_NOT_FOUND);
	/* Whoever has it was killed. */
	now += STORM_LEASE_S;
	ck_assert_status(storm_claim_due(state, context, now, LIST, &second), STATUS_OK);
	ck_assert_int_eq(second->notice, STORM_NOTICE_BEGAN);
	ck_assert_status(storm_told(state, second, now), STATUS_OK);
	ck_assert_status(storm_told(state, first, now), STATUS_OK);
	ck_assert_status(storm_claim_due(state, context, now, NULL, &first), STATUS_NOT_FOUND);
	/* Without another report it is over all the same. */
	now += HOUR;
	ck_assert_status(storm_claim_due(state, context, now, NULL, &first), STATUS_OK);
	ck_assert_int_eq(first->notice, STORM_NOTICE_ENDED);
	ck_assert(!first->is_on);
	ck_assert_uint_gt(first->total, 18000);
	ck_assert_status(storm_told(state, first, now), STATUS_OK);
	ck_assert_status(
		storm_claim_due(state, context, now + 30 * DAY, NULL, &first), STATUS_NOT_FOUND);
}
END_TEST

/* What was claimed long ago must not take away what is due since. */
START_TEST(a_late_teller_takes_nothing_away)
{
	struct state *state = open_state(STATE_WRITE);
	struct storm *late, *next;

	flood(state, LIST, NOON, 20000);
	ck_assert_status(storm_claim_due(state, context, NOON + HOUR, LIST, &late), STATUS_OK);
	ck_assert_status(storm_claim_due(state, context, NOON + 2 * HOUR, LIST, &next), STATUS_OK);
	ck_assert_int_eq(next->notice, STORM_NOTICE_ENDED);
	ck_assert_status(storm_told(state, late, NOON + 2 * HOUR), STATUS_OK);
	ck_assert_status(storm_told(state, next, NOON + 2 * HOUR), STATUS_OK);
	flood(state, LIST, NOON + 9 * HOUR, 20000);
	ck_assert_status(storm_told(state, late, NOON + 9 * HOUR), STATUS_OK);
	ck_assert_status(storm_told(state, next, NOON + 9 * HOUR), STATUS_OK);
	ck_assert_status(
		storm_claim_due(state, context, NOON + 9 * HOUR + 1500, NULL, &next), STATUS_OK);
	ck_assert_int_eq(next->notice, STORM_NOTICE_BEGAN);
}
END_TEST

struct storms {
	size_t count;
	size_t on;
};

static enum status see(void *argument, const struct storm *storm)
{
	struct storms *storms = argument;

	storms->count++;
	storms->on += storm->is_on;
	ck_assert((storm->ended_s == 0) == storm->is_on);
	return STATUS_OK;
}

static struct storms see_all(struct state *state, int64_t now)
{
	struct storms storms = {0};

	ck_assert_status(storm_walk(state, now, see, &storms), STATUS_OK);
	return storms;
}

START_TEST(all_storms_are_walked)
{
	struct state *state = open_state(STATE_WRITE);
	struct storm *storm;
	struct storms storms;

	flood(state, LIST, NOON, 5000);
	flood(state, "other@lists.example.org", NOON + HOUR / 2, 5000);
	storms = see_all(state, NOON + HOUR / 2 + 360);
	ck_assert_uint_eq(storms.count, 3);
	ck_assert_uint_eq(storms.on, 3);
	storms = see_all(state, NOON + 3 * HOUR);
	ck_assert_uint_eq(storms.count, 3);
	ck_assert_uint_eq(storms.on, 0);
	while (storm_claim_due(state, context, NOON + 3 * HOUR, NULL, &storm) == STATUS_OK)
		ck_assert_status(storm_told(state, storm, NOON + 3 * HOUR), STATUS_OK);
	report(state, LIST, RATE_GENUINE, NOON + 4 * HOUR);
	storms = see_all(state, NOON + 4 * HOUR);
	ck_assert_uint_eq(storms.count, 3);
	ck_assert_uint_eq(storms.on, 0);
}
END_TEST

static int add_past(struct state *state, MDB_txn *transaction, void *argument)
{
	const int64_t *step_s = argument;
	int code = MDB_SUCCESS;

	for (int i = 0; i < 3 * STORM_KEPT_MAX && code == MDB_SUCCESS; i++) {
		const struct storm storm = {.list = LIST, .ended_s = NOON + i * *step_s};
		code = place_put_past(state, transaction, &storm, storm.ended_s);
	}
	return code;
}

static int64_t past_steps[] = {60, HOUR};

START_TEST(the_history_is_bounded)
{
	struct state *state = open_state(STATE_WRITE);
	int64_t step_s = past_steps[_i];
	size_t most = step_s == 60 ? STORM_KEPT_MAX : (size_t)(STORM_KEPT_S / step_s);
	struct storms storms;

	ck_assert_status(box_write(state, add_past, &step_s), STATUS_OK);
	storms = see_all(state, NOON + 3 * STORM_KEPT_MAX * step_s);
	ck_assert_msg(storms.count >= most - 1 && storms.count <= most + 1, "%zu storms, want %zu",
		storms.count, most);
}
END_TEST

static int tear_list(struct state *state, MDB_txn *transaction, void *argument)
{
	MDB_val key = {.mv_size = strlen("l" LIST), .mv_data = "l" LIST};
	MDB_val value = {.mv_size = 30, .mv_data = argument};

	return mdb_put(transaction, state->dbis[BOX_STORMS], &key, &value, 0);
}

/* A record that is damaged begins anew; it stops neither mail nor digest. */
START_TEST(damage_is_passed_over)
{
	struct state *state = open_state(STATE_WRITE);
	char bytes[30] = {1};
	uint64_t records, faults;
	struct storm *storm;

	flood(state, LIST, NOON, 5000);
	flood(state, "zoo@lists.example.org", NOON, 5000);
	ck_assert_status(box_write(state, tear_list, bytes), STATUS_OK);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 1);
	ck_assert(!is_in_storm(state, LIST, NOON + 360));
	ck_assert_status(storm_claim_due(state, context, NOON + 360, NULL, &storm), STATUS_OK);
	ck_assert_str_eq(storm->list, "zoo@lists.example.org");
	ck_assert_uint_eq(see_all(state, NOON + 360).count, 2);
	report(state, LIST, RATE_UNPROVEN, NOON + 361);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

/* Longer than a key may be. */
START_TEST(long_names_are_places_too)
{
	struct state *state = open_state(STATE_WRITE);
	char *name = mem_alloc(context, 401);
	struct storm *storm;

	memset(name, 'x', 400);
	name[400] = '\0';
	flood(state, name, NOON, 5000);
	ck_assert(is_in_storm(state, name, NOON + 360));
	ck_assert_status(storm_claim_due(state, context, NOON + 360, NULL, &storm), STATUS_OK);
	ck_assert_str_eq(storm->list, name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("storm kept");
	TCase *kept = make_case("kept");

	tcase_add_test(kept, record_event_says_what_it_did);
	tcase_add_test(kept, a_reader_sees_it);
	tcase_add_test(kept, a_claim_is_for_one);
	tcase_add_test(kept, a_late_teller_takes_nothing_away);
	tcase_add_test(kept, all_storms_are_walked);
	tcase_add_loop_test(kept, the_history_is_bounded, 0, ROWS(past_steps));
	tcase_add_test(kept, damage_is_passed_over);
	tcase_add_test(kept, long_names_are_places_too);
	suite_add_tcase(suite, kept);
	return run_suite(suite);
}
