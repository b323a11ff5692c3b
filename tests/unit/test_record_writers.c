/* test_record_writers.c: many processes record at once, and some are killed: nothing is lost, no
 * part is left. */
#include "state/record.h"

#include <signal.h>

#include "record_seen.h"

enum { WRITERS = 16, EVENTS_EACH = 30 };

static int write_many(void *argument)
{
	int number = *(int *)argument;
	struct state *state = NULL;
	const char *error = NULL;

	if (state_open(NULL, place, STATE_WRITE, &state, &error) != STATUS_OK)
		return 2;
	for (int i = 0; i < EVENTS_EACH; i++) {
		struct event event = sample(1000);

		event.verdict = number % 2 == 0 ? VERDICT_GENUINE : VERDICT_BACKSCATTER;
		event.size = (uint64_t)(number * EVENTS_EACH + i);
		if (record_event(state, &event, number == 3 ? "file" : NULL, 0) != STATUS_OK)
			return 3;
	}
	state_close(state);
	return 0;
}

static enum status tick_off(void *argument, const struct event *event)
{
	int *ticks = argument;

	ck_assert_uint_lt(event->size, WRITERS * EVENTS_EACH);
	ticks[event->size]++;
	return STATUS_OK;
}

START_TEST(many_writers_lose_nothing)
{
	struct state *state = open_state(STATE_WRITE);
	uint64_t before = state_transaction_count(state);
	int ticks[WRITERS * EVENTS_EACH] = {0};
	int numbers[WRITERS];
	pid_t children[WRITERS];
	struct counter *counter;
	struct state_size size;

	state_close(state);
	for (int i = 0; i < WRITERS; i++) {
		numbers[i] = i;
		children[i] = start(write_many, &numbers[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(finish(children[i]), 0);
	state = open_state(STATE_WRITE);
	ck_assert_uint_eq(state_transaction_count(state), before + WRITERS * EVENTS_EACH);
	ck_assert_status(record_walk_events(state, 0, INT64_MAX, tick_off, ticks), STATUS_OK);
	for (int i = 0; i < ROWS(ticks); i++)
		ck_assert_msg(ticks[i] == 1, "event %d: got %d of it, want 1", i, ticks[i]);
	for (int of = COUNTER_HOST; of <= COUNTER_REPORTER; of++) {
		static const char *const names[] = {
			"", "announce@lists.example.org", "198.51.100.7"};

		ck_assert_status(record_find_counter(
					 state, context, (enum counter_of)of, names[of], &counter),
			STATUS_OK);
		ck_assert_uint_eq(counter->total, WRITERS * EVENTS_EACH);
		ck_assert_uint_eq(counter->verdicts[VERDICT_GENUINE], WRITERS * EVENTS_EACH / 2);
		ck_assert_uint_eq(
			counter->verdicts[VERDICT_BACKSCATTER], WRITERS * EVENTS_EACH / 2);
	}
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_eq(size.events, WRITERS * EVENTS_EACH);
	ck_assert_uint_eq(size.held, EVENTS_EACH);
}
END_TEST

/* Records without end, and tells of each success. */
static int write_until_killed(void *argument)
{
	int pipe_end = *(int *)argument;
	struct state *state = NULL;
	const char *error = NULL;

	if (state_open(NULL, place, STATE_WRITE, &state, &error) != STATUS_OK)
		return 2;
	for (;;) {
		struct event event = sample(1000);

		if (record_event(state, &event, "file", 0) != STATUS_OK)
			return 3;
		if (write(pipe_end, &event.id, sizeof event.id) != sizeof event.id)
			return 4;
	}
}

START_TEST(killed_writer_loses_nothing)
{
	static const useconds_t waits_us[] = {3000, 7000, 11000, 16000};
	uint64_t reported[4096];
	size_t count = 0;
	int ends[2];
	struct state *state;
	struct counter *counter;
	struct state_size size;

	ck_assert_int_eq(pipe(ends), 0);
	for (int i = 0; i < ROWS(waits_us); i++) {
		pid_t child = start(write_until_killed, &ends[1]);

		/* From its first event on, so that it is killed at work. */
		ck_assert_int_eq(read(ends[0], &reported[count++], 8), 8);
		usleep(waits_us[i]);
		kill(child, SIGKILL);
		ck_assert_int_eq(finish(child), 128 + SIGKILL);
	}
	close(ends[1]);
	while (count < ROWS(reported) && read(ends[0], &reported[count], 8) == 8)
		count++;
	close(ends[0]);
	state = open_state(STATE_WRITE);
	for (size_t i = 0; i < count; i++) {
		struct held *held;

		ck_assert_status(record_find_held(state, context, reported[i], &held), STATUS_OK);
	}
	/* Each kill may leave one event that was committed and not yet told of, but never a part.
	 */
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_ge(size.events, count);
	ck_assert_uint_le(size.events, count + ROWS(waits_us));
	ck_assert_uint_eq(size.held, size.events);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_HOST, "", &counter), STATUS_OK);
	ck_assert_uint_eq(counter->total, size.events);
	record(state, 2000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record writers");
	TCase *tests = tcase_create("record writers");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, many_writers_lose_nothing);
	tcase_add_test(tests, killed_writer_loses_nothing);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
