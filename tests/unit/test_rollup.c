/* test_rollup.c: an hour adds up to its events, whether they are still there or not: over borders
 * of hours, with a clock that goes back or runs ahead, with writers that are killed, with events of
 * a version that knew no rollups. What is too old goes, and the file stops growing. */
#include "state/rollup.h"

#include <signal.h>
#include <time.h>

#include "state/parts.h"
#include "state_place.h"

#define HOUR ((int64_t)ROLLUP_S)
#define DAY (24 * HOUR)
#define START (20000 * DAY)

static const char *const lists[] = {"announce@lists.example.org", "news@lists.example.org", NULL};

static struct state *state;

static void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
	mdb_env_set_flags(state->env, MDB_NOSYNC, 1);
}

static void keep_for(int64_t events_s, int64_t rollups_s)
{
	const struct record_policy policy = {.events_s = events_s, .rollups_s = rollups_s};

	record_set_policy(state, &policy);
}

/* The i-th of a row of events that differ in all that is added up. */
static struct event make_event(int i, int64_t time_s)
{
	return (struct event){.time_s = time_s,
		.kind = (enum kind)(i % KIND_COUNT),
		.verdict = (enum verdict)(i / 2 % VERDICT_COUNT),
		.action = (enum action)(i / 3 % ACTION_COUNT),
		.policy = (enum action)(i / 5 % ACTION_COUNT),
		.list = lists[i % ROWS(lists)],
		.reporter = "198.51.100.7",
		.sender = "",
		.recipient = "announce-bounces@lists.example.org",
		.failed = "ann@example.net",
		.message_id = "<1@lists.example.org>",
		.reason = i % 4 == 0 ? NULL : reason_name((enum reason)(i % REASON_COUNT)),
		.evidence = i % 11 == 0 ? EVENT_RELEASED : "tag:missing-40 sent:absent-40"};
}

static void record(int i, int64_t time_s)
{
	struct event event = make_event(i, time_s);

	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
}

static void add_up(struct rollup *sum, const struct rollup *rollup)
{
	uint32_t *to = &sum->judged[0][0];
	const uint32_t *from = &rollup->judged[0][0];

	/* The three tables stand behind each other. */
	for (size_t i = 0; i < (sizeof *sum - offsetof(struct rollup, judged)) / sizeof *to; i++)
		to[i] += from[i];
	sum->released += rollup->released;
}

static uint64_t messages_of(const struct rollup *rollup)
{
	uint64_t sum = 0;

	for (int i = 0; i < KIND_COUNT * VERDICT_COUNT; i++)
		sum += rollup->judged[i / VERDICT_COUNT][i % VERDICT_COUNT];
	return sum;
}

static enum status sum_rollup(void *argument, const struct rollup *rollup)
{
	add_up(argument, rollup);
	return STATUS_OK;
}

static struct rollup rollups_of(int64_t from_s, int64_t until_s)
{
	struct rollup sum = {.hour_s = 0};

	ck_assert_status(rollup_walk(state, from_s, until_s, sum_rollup, &sum), STATUS_OK);
	return sum;
}

static enum status sum_event(void *argument, const struct event *event)
{
	rollup_count(argument, event);
	return STATUS_OK;
}

static struct rollup events_of(int64_t from_s, int64_t until_s)
{
	struct rollup sum = {.hour_s = 0};

	ck_assert_status(record_walk_events(state, from_s, until_s, sum_event, &sum), STATUS_OK);
	return sum;
}

static void check_equal(const struct rollup *got, const struct rollup *want, const char *where)
{
	ck_assert_msg(messages_of(got) == messages_of(want) && got->released == want->released &&
			      memcmp(got->judged, want->judged, sizeof got->judged) == 0 &&
			      memcmp(got->actions, want->actions, sizeof got->actions) == 0 &&
			      memcmp(got->reasons, want->reasons, sizeof got->reasons) == 0,
		"%s: got %llu messages, %llu released, want %llu and %llu, or the tables differ",
		where, (unsigned long long)messages_of(got), (unsigned long long)got->released,
		(unsigned long long)messages_of(want), (unsigned long long)want->released);
}

static void check_hours(int64_t from_s, int64_t until_s)
{
	for (int64_t hour = from_s; hour < until_s; hour += HOUR) {
		struct rollup got = rollups_of(hour, hour + HOUR);
		struct rollup want = events_of(hour, hour + HOUR);
		char where[40];

		snprintf(where, sizeof where, "hour %lld", (long long)((hour - from_s) / HOUR));
		check_equal(&got, &want, where);
	}
}

static void check_verifies(void)
{
	uint64_t records, faults;

	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}

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

/* ---- expiry ---- */

static struct record_horizon horizon_of_state(void)
{
	struct record_horizon horizon;

	ck_assert_status(record_find_horizon(state, &horizon), STATUS_OK);
	return horizon;
}

static uint64_t file_bytes(void)
{
	struct stat info;

	ck_assert_int_eq(stat(data_file, &info), 0);
	return (uint64_t)info.st_size;
}

static uint64_t count_events(void)
{
	struct state_size size;

	ck_assert_status(state_measure(state, &size), STATUS_OK);
	return size.events;
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
	tcase_add_test(tcase, the_file_stops_growing);
	tcase_add_test(tcase, silent_reporters_go);
	tcase_add_test(tcase, at_most_a_few_go_with_one_message);
	tcase_add_test(tcase, events_of_the_future_do_not_block);
	tcase_add_test(tcase, a_clock_that_fell_back_removes_nothing);
	tcase_add_test(tcase, a_walk_stops_where_it_may);
	tcase_add_test(tcase, a_strange_horizon_is_left_alone);
	tcase_add_test(tcase, old_events_are_added_when_they_go);
	tcase_add_loop_test(tcase, pruning_keeps_the_numbers, 0, 2);
	tcase_add_test(tcase, ids_go_on_when_all_are_pruned);
	tcase_add_test(tcase, a_kill_leaves_the_numbers_right);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
