/* test_rollup.c: an hour adds up to its events, whether they are still there or not: over borders
 * of hours, with events of a version that knew no rollups, with what is pruned by hand, with
 * writers that are killed. */
#include "state/rollup.h"

#include <signal.h>
#include <time.h>

#include "rollup_sums.h"

/* Times that stand on both sides of a border, and a clock that went back over it. */
START_TEST(an_hour_is_its_events)
{
	static const int64_t offsets[] = {0, 1, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR - 1, 30,
		2 * HOUR, HOUR - 2, 5 * HOUR, 3 * HOUR, 5 * HOUR + 1};
	struct rollup all;

	for (int i = 0; i < 40 * ROWS(offsets); i++)
		record(i, START + offsets[i % ROWS(offsets)]);
	check_hours(START, START + 6 * HOUR);
	all = rollups_of(0, INT64_MAX);
	ck_assert_uint_eq(messages_of(&all) + all.released, 40 * ROWS(offsets));
	ck_assert_uint_gt(all.released, 0);
	check_verifies();
}
END_TEST

static enum status see_list(void *argument, const struct rollup *rollup)
{
	char **text = argument;

	*text = mem_append(*text, "%lld:%s:%llu ", (long long)(rollup->hour_s - START) / HOUR,
		rollup->list == NULL	     ? "-"
		: strlen(rollup->list) > 100 ? "long"
					     : rollup->list,
		(unsigned long long)messages_of(rollup));
	return STATUS_OK;
}

START_TEST(lists_are_apart)
{
	char *text = mem_strdup(context, "");
	struct event event = make_event(1, START);
	char name[400];

	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	event.list = name;
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	event.list = "";
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	event.list = "a@example.org";
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	event.time_s = START + HOUR;
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	ck_assert_status(rollup_walk(state, START, START + 2 * HOUR, see_list, &text), STATUS_OK);
	ck_assert_str_eq(text, "0:long:2 0:-:1 0:a@example.org:1 1:a@example.org:1 ");
	text = mem_strdup(context, "");
	ck_assert_status(rollup_walk(state, START + 1, START + HOUR, see_list, &text), STATUS_OK);
	ck_assert_str_eq(text, "");
}
END_TEST

/* No choice of reports makes a record leave its page. */
START_TEST(a_record_stays_small)
{
	MDB_stat figures;
	MDB_txn *transaction;

	for (int i = 0; i < KIND_COUNT * VERDICT_COUNT * REASON_COUNT; i++) {
		struct event event = make_event(1, START);

		event.kind = (enum kind)(i % KIND_COUNT);
		event.verdict = (enum verdict)(i / KIND_COUNT % VERDICT_COUNT);
		event.reason = reason_name((enum reason)(i / KIND_COUNT / VERDICT_COUNT));
		event.action = (enum action)(i % ACTION_COUNT);
		event.policy = (enum action)(i / ACTION_COUNT % ACTION_COUNT);
		ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	}
	ck_assert_int_eq(mdb_txn_begin(state->env, NULL, MDB_RDONLY, &transaction), 0);
	ck_assert_int_eq(mdb_stat(transaction, state->dbis[BOX_ROLLUPS], &figures), 0);
	mdb_txn_abort(transaction);
	ck_assert_uint_eq(figures.ms_entries, 1);
	ck_assert_uint_eq(figures.ms_overflow_pages, 0);
	check_hours(START, START + HOUR);
}
END_TEST

/* ---- older versions, newer ones, and killed writers ---- */

static int spoil_horizon(struct state *box, MDB_txn *transaction, void *argument)
{
	MDB_val key = {.mv_size = strlen(META_HORIZON), .mv_data = (void *)META_HORIZON};
	MDB_val value = {2, (void *)"\x63!"};

	(void)argument;
	return mdb_put(transaction, box->dbis[BOX_META], &key, &value, 0);
}

/* What a newer program keeps there is left alone: nothing goes, nothing is counted twice, and the
 * events are recorded and found all the same. */
START_TEST(a_strange_horizon_is_left_alone)
{
	struct record_horizon horizon;
	uint64_t records, faults;

	keep_for(DAY, DAY);
	record(1, START);
	ck_assert_status(box_write(state, spoil_horizon, NULL), STATUS_OK);
	record(2, START + 5 * DAY);
	ck_assert_uint_eq(count_events(), 2);
	struct rollup sum = events_of(START, START + 1);
	ck_assert_uint_eq(messages_of(&sum), 1);
	ck_assert_status(record_find_horizon(state, &horizon), STATUS_STATE);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 1);
}
END_TEST

/* As a version without rollups left it. */
static int forget_rollups(struct state *box, MDB_txn *transaction, void *argument)
{
	MDB_val key = {.mv_size = strlen(META_HORIZON), .mv_data = (void *)META_HORIZON};
	int code = mdb_drop(transaction, box->dbis[BOX_ROLLUPS], 0);

	(void)argument;
	return code == MDB_SUCCESS ? mdb_del(transaction, box->dbis[BOX_META], &key, NULL) : code;
}

static enum status sum_unrolled(void *argument, const struct event *event)
{
	if (event->id < horizon_of_state().rolled_id)
		rollup_count(argument, event);
	return STATUS_OK;
}

/* Whatever has gone of the old events: what is in the rollups, and what is not yet, is all. */
START_TEST(old_events_are_added_when_they_go)
{
	struct rollup want = {.hour_s = 0};

	for (int i = 0; i < 100; i++) {
		struct event event = make_event(i, START + i * 360);

		rollup_count(&want, &event);
		record(i, START + i * 360);
	}
	ck_assert_status(box_write(state, forget_rollups, NULL), STATUS_OK);
	ck_assert_uint_eq(horizon_of_state().rolled_id, UINT64_MAX);
	keep_for(DAY, 100 * DAY);
	for (int i = 100; i < 130; i++) {
		struct event event = make_event(i, START + DAY + (i - 95) * 360);
		struct rollup got;

		ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
		rollup_count(&want, &event);
		got = rollups_of(0, INT64_MAX);
		ck_assert_status(
			record_walk_events(state, 0, INT64_MAX, sum_unrolled, &got), STATUS_OK);
		check_equal(&got, &want, "rollups, and what is in none yet");
	}
	ck_assert_uint_lt(count_events(), 130);
}
END_TEST

typedef int forget_function(
	struct state *box, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *key);

struct pruning {
	enum box_db database;
	forget_function *forget;
	uint64_t before; /* keys that begin with a lower number */
	int removed;
};

/* As db prune does it: the records from the front. */
static int prune_front(struct state *box, MDB_txn *transaction, void *argument)
{
	struct pruning *pruning = argument;
	MDB_cursor *cursor;
	MDB_val key, value;
	int code = mdb_cursor_open(transaction, box->dbis[pruning->database], &cursor);

	pruning->removed = 0;
	while (code == MDB_SUCCESS) {
		code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		if (code != MDB_SUCCESS || codec_load_u64(key.mv_data) >= pruning->before)
			break;
		code = pruning->forget(box, transaction, cursor, &key);
		pruning->removed++;
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static int prune(enum box_db database, forget_function *forget, uint64_t before)
{
	struct pruning pruning = {database, forget, before, 0};

	ck_assert_status(box_write(state, prune_front, &pruning), STATUS_OK);
	return pruning.removed;
}

START_TEST(pruning_keeps_the_numbers)
{
	struct rollup want, got;

	for (int i = 0; i < 2500; i++)
		record(i, START + i * 900);
	if (_i == 1) /* a state of an older version: the events are added as they go */
		ck_assert_status(box_write(state, forget_rollups, NULL), STATUS_OK);
	want = events_of(START + 5 * DAY, START + 20 * DAY);
	ck_assert_int_eq(prune(BOX_EVENTS, ageing_forget_event, (uint64_t)(START + 20 * DAY) << 20),
		20 * 96);
	ck_assert_int_eq(
		prune(BOX_ROLLUPS, ageing_forget_rollup, (uint64_t)(START + 5 * DAY)), 5 * 24 * 3);
	got = rollups_of(0, START + 20 * DAY);
	check_equal(&got, &want, "what is left");
	ck_assert_uint_eq(count_events(), 2500 - 20 * 96);
	ck_assert_int_eq(horizon_of_state().events_from_s, START + 20 * DAY - 900 + 1);
	ck_assert_int_eq(horizon_of_state().rollups_from_s, START + 5 * DAY);
	check_verifies();
}
END_TEST

/* All may go by hand; the next event has an id that none had before: it may name a held message. */
START_TEST(ids_go_on_when_all_are_pruned)
{
	struct event event = make_event(1, START), next = make_event(2, START);
	uint64_t first;

	ck_assert_status(record_event(state, &event, "file", 0), STATUS_OK);
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	first = event.id;
	ck_assert_int_eq(prune(BOX_EVENTS, ageing_forget_event, UINT64_MAX), 2);
	ck_assert_uint_eq(count_events(), 0);
	ck_assert_status(record_event(state, &next, NULL, 0), STATUS_OK);
	ck_assert_uint_eq(next.id, first + 1);
	next.time_s = START - DAY;
	ck_assert_status(record_event(state, &next, NULL, 0), STATUS_OK);
	ck_assert_uint_eq(next.id, first + 2);
	next.time_s = START + DAY;
	ck_assert_status(record_event(state, &next, NULL, 0), STATUS_OK);
	ck_assert_uint_eq(next.id >> 20, START + DAY);
}
END_TEST

static int record_until_killed(void *argument)
{
	struct state *mine;

	(void)argument;
	context = mem_context(NULL, "child");
	if (state_open(context, place, STATE_WRITE, &mine, NULL) != STATUS_OK)
		return 1;
	mdb_env_set_flags(mine->env, MDB_NOSYNC, 1);
	record_set_policy(mine, &(struct record_policy){.events_s = DAY, .rollups_s = 3 * DAY});
	for (int i = 0;; i++) {
		struct event event = make_event(i, START + i * 97);

		if (record_event(mine, &event, NULL, 0) != STATUS_OK)
			return 2;
	}
}

/* At whatever point: the state opens, and each hour that has all its events adds up to them. */
START_TEST(a_kill_leaves_the_numbers_right)
{
	state_close(state);
	for (int round = 0; round < 12; round++) {
		const struct timespec wait = {.tv_nsec = (5 + round * 7) * 1000000L};
		pid_t child = start(record_until_killed, NULL);
		struct record_horizon horizon;

		nanosleep(&wait, NULL);
		kill(child, SIGKILL);
		ck_assert_int_eq(finish(child), 128 + SIGKILL);
		state = open_state(STATE_WRITE);
		horizon = horizon_of_state();
		if (horizon.events_from_s < START)
			check_hours(START, START + DAY);
		else
			check_hours(rollup_hour(horizon.events_from_s) + HOUR,
				horizon.events_from_s + 2 * DAY);
		check_verifies();
		state_close(state);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rollup");
	TCase *tcase = tcase_create("rollup");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up_state, tear_down);
	tcase_add_test(tcase, an_hour_is_its_events);
	tcase_add_test(tcase, lists_are_apart);
	tcase_add_test(tcase, a_record_stays_small);
	tcase_add_test(tcase, a_strange_horizon_is_left_alone);
	tcase_add_test(tcase, old_events_are_added_when_they_go);
	tcase_add_loop_test(tcase, pruning_keeps_the_numbers, 0, 2);
	tcase_add_test(tcase, ids_go_on_when_all_are_pruned);
	tcase_add_test(tcase, a_kill_leaves_the_numbers_right);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
