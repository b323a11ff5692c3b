/* rollup_sums.h: for the tests of state/rollup.h: events that differ in all that is added up, and
 * their sums, from the rollups and from the events. */
#ifndef TESTS_ROLLUP_SUMS_H
#define TESTS_ROLLUP_SUMS_H

#include "state/parts.h"
#include "state/rollup.h"
#include "state_place.h"

#define HOUR ((int64_t)ROLLUP_S)
#define DAY (24 * HOUR)
#define START (20000 * DAY)

static const char *const lists[] = {"announce@lists.example.org", "news@lists.example.org", NULL};

static struct state *state;

static inline void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
	mdb_env_set_flags(state->env, MDB_NOSYNC, 1);
}

static inline void keep_for(int64_t events_s, int64_t rollups_s)
{
	const struct record_policy policy = {.events_s = events_s, .rollups_s = rollups_s};

	record_set_policy(state, &policy);
}

/* The i-th of a row of events that differ in all that is added up. */
static inline struct event make_event(int i, int64_t time_s)
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

static inline void record(int i, int64_t time_s)
{
	struct event event = make_event(i, time_s);

	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
}

static inline void add_up(struct rollup *sum, const struct rollup *rollup)
{
	uint32_t *to = &sum->judged[0][0];
	const uint32_t *from = &rollup->judged[0][0];

	/* The three tables stand behind each other. */
	for (size_t i = 0; i < (sizeof *sum - offsetof(struct rollup, judged)) / sizeof *to; i++)
		to[i] += from[i];
	sum->released += rollup->released;
}

static inline uint64_t messages_of(const struct rollup *rollup)
{
	uint64_t sum = 0;

	for (int i = 0; i < KIND_COUNT * VERDICT_COUNT; i++)
		sum += rollup->judged[i / VERDICT_COUNT][i % VERDICT_COUNT];
	return sum;
}

static inline enum status sum_rollup(void *argument, const struct rollup *rollup)
{
	add_up(argument, rollup);
	return STATUS_OK;
}

static inline struct rollup rollups_of(int64_t from_s, int64_t until_s)
{
	struct rollup sum = {.hour_s = 0};

	ck_assert_status(rollup_walk(state, from_s, until_s, sum_rollup, &sum), STATUS_OK);
	return sum;
}

static inline enum status sum_event(void *argument, const struct event *event)
{
	rollup_count(argument, event);
	return STATUS_OK;
}

static inline struct rollup events_of(int64_t from_s, int64_t until_s)
{
	struct rollup sum = {.hour_s = 0};

	ck_assert_status(record_walk_events(state, from_s, until_s, sum_event, &sum), STATUS_OK);
	return sum;
}

static inline void check_equal(
	const struct rollup *got, const struct rollup *want, const char *where)
{
	ck_assert_msg(messages_of(got) == messages_of(want) && got->released == want->released &&
			      memcmp(got->judged, want->judged, sizeof got->judged) == 0 &&
			      memcmp(got->actions, want->actions, sizeof got->actions) == 0 &&
			      memcmp(got->reasons, want->reasons, sizeof got->reasons) == 0,
		"%s: got %llu messages, %llu released, want %llu and %llu, or the tables differ",
		where, (unsigned long long)messages_of(got), (unsigned long long)got->released,
		(unsigned long long)messages_of(want), (unsigned long long)want->released);
}

static inline void check_hours(int64_t from_s, int64_t until_s)
{
	for (int64_t hour = from_s; hour < until_s; hour += HOUR) {
		struct rollup got = rollups_of(hour, hour + HOUR);
		struct rollup want = events_of(hour, hour + HOUR);
		char where[40];

		snprintf(where, sizeof where, "hour %lld", (long long)((hour - from_s) / HOUR));
		check_equal(&got, &want, where);
	}
}

static inline void check_verifies(void)
{
	uint64_t records, faults;

	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}

static inline struct record_horizon horizon_of_state(void)
{
	struct record_horizon horizon;

	ck_assert_status(record_find_horizon(state, &horizon), STATUS_OK);
	return horizon;
}

static inline uint64_t count_events(void)
{
	struct state_size size;

	ck_assert_status(state_measure(state, &size), STATUS_OK);
	return size.events;
}

#endif
