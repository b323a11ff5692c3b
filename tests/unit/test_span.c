/* test_span.c: whatever span is asked for, and whatever has expired, the numbers are those of all
 * messages that were ever decided in what the report says is its span. */
#include "report/span.h"

#include "state/box.h"
#include "state/parts.h"
#include "state_place.h"

#define HOUR ((int64_t)ROLLUP_S)
#define DAY (24 * HOUR)
#define START (20000 * DAY)
#define EVENTS 6000

/* All that was recorded, as the test itself remembers it. */
static struct event all[EVENTS];
static int all_count;
static struct state *state;
static int64_t now_s; /* of the last that was recorded */

static void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
	mdb_env_set_flags(state->env, MDB_NOSYNC, 1);
	all_count = 0;
}

static void keep_for(int64_t events_s, int64_t rollups_s)
{
	const struct record_policy policy = {.events_s = events_s, .rollups_s = rollups_s};

	record_set_policy(state, &policy);
}

static void record(int64_t time_s)
{
	static const char *const lists[] = {"a@example.org", "b@example.org", NULL};
	int i = all_count;
	struct event event = {.time_s = time_s,
		.kind = (enum kind)(i % KIND_COUNT),
		.verdict = (enum verdict)(i / 2 % VERDICT_COUNT),
		.action = (enum action)(i / 3 % ACTION_COUNT),
		.list = lists[i % ROWS(lists)],
		.reason = reason_name((enum reason)(i % REASON_COUNT)),
		.evidence = i % 13 == 0 ? EVENT_RELEASED : NULL};

	ck_assert_int_lt(all_count, EVENTS);
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	all[all_count++] = event;
	now_s = time_s;
}

struct sums {
	uint64_t messages, released, hash;
};

/* Each cell of each table counts with a factor of its own. */
static void add(struct sums *sums, const struct rollup *rollup)
{
	uint64_t list = rollup->list == NULL ? 3 : (uint64_t)rollup->list[0];

	sums->messages += rollup_messages(rollup);
	sums->released += rollup->released;
	for (int i = 0; i < KIND_COUNT * VERDICT_COUNT; i++)
		sums->hash += (uint64_t)(7 * i + 1) * list *
			      rollup->judged[i / VERDICT_COUNT][i % VERDICT_COUNT];
	for (int i = 0; i < ACTION_COUNT * ACTION_COUNT; i++)
		sums->hash += (uint64_t)(1009 * i + 1) *
			      rollup->actions[i / ACTION_COUNT][i % ACTION_COUNT];
	for (int i = 0; i < REASON_COUNT * VERDICT_COUNT; i++)
		sums->hash += (uint64_t)(100003 * i + 1) *
			      rollup->reasons[i / VERDICT_COUNT][i % VERDICT_COUNT];
}

static enum status add_visited(void *argument, const struct rollup *rollup)
{
	add(argument, rollup);
	return STATUS_OK;
}

static enum status count_event(void *argument, const struct event *event)
{
	(void)event;
	++*(int *)argument;
	return STATUS_OK;
}

/* Asks for a span, and checks what comes back against all that was recorded. */
static struct span check_span(int64_t from_s, int64_t until_s)
{
	struct sums got = {0}, want = {0};
	struct span span;
	int details = 0, want_details = 0;
	const struct span_wish wish = {from_s, until_s, all_count > 0 ? now_s : START};

	ck_assert_status(span_find(state, &wish, &span), STATUS_OK);
	ck_assert_status(span_walk(state, &span, add_visited, &got), STATUS_OK);
	ck_assert_status(span_walk_events(state, &span, count_event, &details), STATUS_OK);
	for (int i = 0; i < all_count; i++) {
		struct rollup one = {.list = all[i].list};

		if (all[i].time_s < span.from_s || all[i].time_s >= span.until_s)
			continue;
		rollup_count(&one, &all[i]);
		add(&want, &one);
		want_details += all[i].time_s >= span.details_s;
	}
	ck_assert_msg(got.messages == want.messages && got.released == want.released &&
			      got.hash == want.hash,
		"%lld to %lld: got %llu messages, %llu released, want %llu and %llu, or a table "
		"differs",
		(long long)(from_s - START), (long long)(until_s - START),
		(unsigned long long)got.messages, (unsigned long long)got.released,
		(unsigned long long)want.messages, (unsigned long long)want.released);
	ck_assert_msg(details == want_details, "%lld to %lld: got %d events, want %d",
		(long long)(from_s - START), (long long)(until_s - START), details, want_details);
	/* It is not wider than it must be, nor narrower but where all is gone. */
	ck_assert_int_le(span.from_s, from_s < span.from_s ? span.from_s : from_s);
	ck_assert(span.is_cut || span.from_s > from_s - HOUR);
	ck_assert_int_lt(span.until_s, (until_s > span.from_s ? until_s : span.from_s) + HOUR);
	return span;
}

/* The same numbers in every run. */
static int64_t pick(int64_t below)
{
	static uint64_t number = 1;

	number = number * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)(number >> 33) % below;
}

static void check_many_spans(int64_t length_s)
{
	for (int i = 0; i < 150; i++) {
		int64_t from_s = START - HOUR + pick(length_s);
		int64_t until_s = from_s + 1 + pick(i % 3 == 0 ? 2 * HOUR : length_s);

		check_span(from_s, until_s);
		check_span(from_s - from_s % HOUR, until_s - until_s % HOUR + HOUR);
	}
	check_span(0, INT64_MAX / 2);
	check_span(START, START + 1);
}

/* Steps of some minutes, with a clock that now and then goes back some hours. */
static void record_days(int days)
{
	int64_t now = START;

	for (int i = 0; now < START + days * DAY; i++) {
		now += 1 + pick(1500);
		record(i % 50 == 7 ? now - pick(6 * HOUR) : now);
	}
}

START_TEST(nothing_has_gone)
{
	record_days(6);
	check_many_spans(7 * DAY);
	ck_assert_int_eq(check_span(START + 17, START + DAY + 18).from_s, START + 17);
	ck_assert_int_eq(check_span(START + 17, START + DAY + 18).until_s, START + DAY + 18);
}
END_TEST

START_TEST(events_have_gone)
{
	struct span span;

	keep_for(2 * DAY, 100 * DAY);
	record_days(9);
	check_many_spans(10 * DAY);
	span = check_span(START + 17, START + DAY + 18); /* to whole hours */
	ck_assert_int_eq(span.from_s, START);
	ck_assert_int_eq(span.until_s, START + DAY + HOUR);
	ck_assert_int_eq(span.details_s, span.until_s);
	ck_assert(!span.is_cut);
	span = check_span(START + 17, START + 9 * DAY + 18);
	ck_assert_int_gt(span.details_s, START + 6 * DAY);
	ck_assert_int_eq(span.until_s, START + 9 * DAY + 18);
}
END_TEST

/* What is gone altogether is not in the span that the report says. */
START_TEST(rollups_have_gone)
{
	struct span span;

	keep_for(2 * DAY, 5 * DAY);
	record_days(12);
	span = check_span(START, START + 12 * DAY);
	ck_assert(span.is_cut);
	ck_assert_int_gt(span.from_s, START + 6 * DAY);
	ck_assert_int_lt(span.from_s, START + 8 * DAY);
	check_many_spans(13 * DAY);
	ck_assert_int_eq(check_span(START, START + DAY).until_s, span.from_s);
}
END_TEST

static int forget_rollups(struct state *box, MDB_txn *transaction, void *argument)
{
	MDB_val key = {.mv_size = strlen(META_HORIZON), .mv_data = (void *)META_HORIZON};
	int code = mdb_drop(transaction, box->dbis[BOX_ROLLUPS], 0);

	(void)argument;
	return code == MDB_SUCCESS ? mdb_del(transaction, box->dbis[BOX_META], &key, NULL) : code;
}

/* A state of an older version, before the first message, after it, and while its events go. */
START_TEST(rollups_came_later)
{
	record_days(4);
	ck_assert_status(box_write(state, forget_rollups, NULL), STATUS_OK);
	check_many_spans(5 * DAY);
	keep_for(3 * DAY, 100 * DAY);
	record(START + 4 * DAY + 100);
	check_many_spans(5 * DAY);
	for (int i = 0; i < 60; i++) {
		record(START + 4 * DAY + 200 + i * 1000);
		if (i % 12 == 0)
			check_many_spans(5 * DAY);
	}
	check_many_spans(5 * DAY);
}
END_TEST

#define OLD 400 /* events, 20 s apart */

static int write_while_read(void *argument)
{
	(void)argument;
	context = mem_context(NULL, "child");
	state = open_state(STATE_WRITE);
	mdb_env_set_flags(state->env, MDB_NOSYNC, 1);
	keep_for(DAY, 100 * DAY);
	for (int i = 0; i < 60; i++)
		record(START + 30 * DAY + i);
	return 0;
}

/* The old events go while reports are made of them: each report is right all the same. */
START_TEST(reports_beside_writers)
{
	pid_t writers[3];
	int running = ROWS(writers), reports = 0;

	for (int i = 0; i < OLD; i++)
		record(START + i * 20);
	state_close(state);
	for (int i = 0; i < ROWS(writers); i++)
		writers[i] = start(write_while_read, NULL);
	state = open_state(STATE_READ);
	keep_for(DAY, 100 * DAY);
	now_s = START + 30 * DAY;
	while (running > 0) {
		check_span(START + 17, START + 2 * HOUR - 5);
		check_span(START + 3 * HOUR / 2, START + 4 * HOUR);
		reports++;
		for (int i = 0; i < ROWS(writers); i++) {
			if (writers[i] != 0 && waitpid(writers[i], &(int){0}, WNOHANG) != 0) {
				writers[i] = 0;
				running--;
			}
		}
	}
	ck_assert_int_ge(reports, 2);
	struct state_size size;
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_eq(size.events, 180); /* all the old ones have gone */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("span");
	TCase *tcase = tcase_create("span");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up_state, tear_down);
	tcase_add_test(tcase, nothing_has_gone);
	tcase_add_test(tcase, events_have_gone);
	tcase_add_test(tcase, rollups_have_gone);
	tcase_add_test(tcase, rollups_came_later);
	tcase_add_test(tcase, reports_beside_writers);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
