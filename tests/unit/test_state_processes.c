/* test_state_processes.c: one state, several processes: the map grows, some are killed, some are
 * forked with it open, all create it at once. */
#include "state/state.h"

#include <fcntl.h>
#include <signal.h>

#include "state_filled.h"

#define SMALL_MAP ((size_t)64 * 1024)

static struct state *open_small(void)
{
	struct state *state = NULL;
	const char *error = NULL;
	enum status status = box_open(context, place, STATE_WRITE, SMALL_MAP, &state, &error);

	ck_assert_msg(status == STATUS_OK, "got %s (%s)", status_text(status), error);
	return state;
}

START_TEST(a_full_map_grows)
{
	struct state *state = open_small();
	uint64_t before = state_transaction_count(state);
	struct state_size size;
	uint64_t records;
	uint64_t faults;

	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_eq(size.map_bytes, SMALL_MAP);
	for (int i = 0; i < 6; i++)
		ck_assert_status(fill(state, i * 4000, 4000), STATUS_OK);
	ck_assert_uint_eq(state_transaction_count(state), before + 6);
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_gt(size.map_bytes, SMALL_MAP * 8);
	ck_assert_uint_lt(size.used_bytes, size.map_bytes);
	state_close(state);
	state = open_state(STATE_READ);
	for (int i = 0; i < 6 * 4000; i += 311)
		ck_assert_msg(has_entry(state, i), "entry %d is lost", i);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(records, 6 * 4000);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

/* Two processes that take turns: `go` wakes the child, `done` the parent. */
struct turns {
	int go[2];
	int done[2];
	enum state_access access;
};

static void open_turns(struct turns *turns)
{
	ck_assert_int_eq(pipe(turns->go), 0);
	ck_assert_int_eq(pipe(turns->done), 0);
}

static bool give(const int *ends)
{
	return write(ends[1], "x", 1) == 1;
}

static bool await(const int *ends)
{
	char byte;

	return read(ends[0], &byte, 1) == 1;
}

static int outlive_growth(void *argument)
{
	struct turns *turns = argument;
	struct state *state = NULL;
	const char *error = NULL;

	if (state_open(context, place, turns->access, &state, &error) != STATUS_OK)
		return 2;
	if (!has_entry(state, 5) || !give(turns->done) || !await(turns->go))
		return 3;
	/* Now the file is many times the map that this process has. */
	if (!has_entry(state, 19999) || !has_entry(state, 5))
		return 4;
	if (turns->access == STATE_WRITE && fill(state, 20000, 3000) != STATUS_OK)
		return 5;
	if (turns->access == STATE_WRITE && !has_entry(state, 22999))
		return 6;
	state_close(state);
	return 0;
}

START_TEST(others_follow_a_map_that_grew)
{
	struct turns turns = {.access = _i == 0 ? STATE_READ : STATE_WRITE};
	struct state *state;
	pid_t child;

	state = open_small();
	ck_assert_status(fill(state, 0, 10), STATUS_OK);
	state_close(state);
	open_turns(&turns);
	child = start(outlive_growth, &turns);
	ck_assert(await(turns.done));
	state = open_state(STATE_WRITE);
	ck_assert_status(fill(state, 10, 19990), STATUS_OK);
	ck_assert(give(turns.go));
	ck_assert_int_eq(finish(child), 0);
	ck_assert_int_eq(has_entry(state, 22999), turns.access == STATE_WRITE);
	ck_assert_status(fill(state, 50000, 10), STATUS_OK);
}
END_TEST

static int hold_a_slot(struct state *state, MDB_txn *transaction, void *argument)
{
	struct turns *turns = argument;

	(void)state;
	(void)transaction;
	give(turns->done);
	await(turns->go);
	return MDB_SUCCESS;
}

static int read_until_killed(void *argument)
{
	struct state *state = NULL;
	const char *error = NULL;

	if (state_open(context, place, STATE_READ, &state, &error) != STATUS_OK)
		return 2;
	box_read(state, hold_a_slot, argument);
	return 3;
}

static unsigned count_readers(void)
{
	struct state *state = open_state(STATE_READ);
	struct state_size size;

	ck_assert_status(state_measure(state, &size), STATUS_OK);
	state_close(state);
	return size.readers;
}

/* One reader stays, since the first to open when nobody has it open begins the table anew. */
START_TEST(slots_of_the_killed_are_cleared)
{
	struct turns turns[2];
	pid_t children[2];

	make_state();
	for (int i = 0; i < 2; i++) {
		open_turns(&turns[i]);
		children[i] = start(read_until_killed, &turns[i]);
		ck_assert(await(turns[i].done));
	}
	ck_assert_uint_eq(count_readers(), 2);
	kill(children[0], SIGKILL);
	ck_assert_int_eq(finish(children[0]), 128 + SIGKILL);
	ck_assert_uint_eq(count_readers(), 1);
	kill(children[1], SIGKILL);
	ck_assert_int_eq(finish(children[1]), 128 + SIGKILL);
}
END_TEST

static int lock_until_killed(struct state *state, MDB_txn *transaction, void *argument)
{
	MDB_val key = {4, (void *)"host"};
	MDB_val value = {4, (void *)"lost"};

	mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
	return hold_a_slot(state, transaction, argument);
}

static int write_until_killed(void *argument)
{
	struct state *state = NULL;
	const char *error = NULL;

	if (state_open(context, place, STATE_WRITE, &state, &error) != STATUS_OK)
		return 2;
	box_write(state, lock_until_killed, argument);
	return 3;
}

/* Killed inside its transaction, with the write lock. */
START_TEST(lock_of_the_killed_is_taken_over)
{
	struct turns turns;
	struct state *state;
	uint64_t records;
	uint64_t faults;
	pid_t child;

	make_state();
	open_turns(&turns);
	child = start(write_until_killed, &turns);
	ck_assert(await(turns.done));
	state = open_state(STATE_WRITE);
	kill(child, SIGKILL);
	ck_assert_int_eq(finish(child), 128 + SIGKILL);
	ck_assert_status(add_event(state), STATUS_OK);
	ck_assert_uint_eq(count_events(state), 2);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

static int use_inherited(void *argument)
{
	struct state *state = argument;
	struct event event = {.time_s = 1};
	struct ledger_answer answer;

	if (record_event(state, &event, NULL, 0) != STATUS_STATE)
		return 2;
	if (ledger_find(state, "<1@x.example>", NULL, 0, &answer) != STATUS_STATE)
		return 3;
	if (state_transaction_count(state) != 0)
		return 4;
	state_close(state);
	return 0;
}

/* What fork() handed down must not be used, and closing it must not disturb the parent. */
START_TEST(inherited_state_is_refused)
{
	struct state *state = open_state(STATE_WRITE);

	ck_assert_status(add_event(state), STATUS_OK);
	ck_assert_int_eq(finish(start(use_inherited, state)), 0);
	ck_assert_status(add_event(state), STATUS_OK);
	ck_assert_uint_eq(count_events(state), 2);
}
END_TEST

START_TEST(programs_inherit_no_descriptor)
{
	int count = 0;

	open_state(STATE_WRITE);
	for (int descriptor = 3; descriptor < 256; descriptor++) {
		char *link = mem_printf(context, "/proc/self/fd/%d", descriptor);
		char path[PATH_MAX] = "";

		if (readlink(link, path, sizeof path - 1) < 0 || strstr(path, ".mdb") == NULL)
			continue;
		count++;
		ck_assert_msg(
			fcntl(descriptor, F_GETFD) & FD_CLOEXEC, "%s would be inherited", path);
	}
	ck_assert_int_ge(count, 2);
}
END_TEST

static int close_inherited(void *argument)
{
	state_close(argument);
	return 0;
}

static int count_line(const char *line, void *argument)
{
	(void)line;
	++*(int *)argument;
	return 0;
}

static int fork_while_reading(struct state *state, MDB_txn *transaction, void *argument)
{
	(void)transaction;
	ck_assert_int_eq(finish(start(close_inherited, state)), 0);
	mdb_reader_list(state->env, count_line, argument);
	return MDB_SUCCESS;
}

START_TEST(closing_in_a_child_keeps_our_slot)
{
	int lines = 0;

	ck_assert_status(box_read(open_state(STATE_WRITE), fork_while_reading, &lines), STATUS_OK);
	ck_assert_int_eq(lines, 2); /* the heading, and our slot */
}
END_TEST

static int open_and_add(void *argument)
{
	struct turns *turns = argument;
	struct state *state = NULL;
	const char *error = NULL;
	enum status status = STATUS_IO;

	if (await(turns->go))
		status = state_open(context, place, STATE_WRITE, &state, &error);
	if (status != STATUS_OK) {
		fprintf(stderr, "open: %s\n", error != NULL ? error : "no turn");
		return 2;
	}
	for (int i = 0; i < 3; i++) {
		if (add_event(state) != STATUS_OK)
			return 3;
	}
	state_close(state);
	return 0;
}

START_TEST(many_may_create_at_once)
{
	enum { OPENERS = 12 };
	pid_t children[OPENERS];
	struct turns turns;

	open_turns(&turns);
	for (int i = 0; i < OPENERS; i++)
		children[i] = start(open_and_add, &turns);
	for (int i = 0; i < OPENERS; i++)
		ck_assert(give(turns.go));
	for (int i = 0; i < OPENERS; i++)
		ck_assert_int_eq(finish(children[i]), 0);
	ck_assert_uint_eq(count_events(open_state(STATE_READ)), OPENERS * 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state processes");
	TCase *tests = tcase_create("state processes");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_full_map_grows);
	tcase_add_loop_test(tests, others_follow_a_map_that_grew, 0, 2);
	tcase_add_test(tests, slots_of_the_killed_are_cleared);
	tcase_add_test(tests, lock_of_the_killed_is_taken_over);
	tcase_add_test(tests, inherited_state_is_refused);
	tcase_add_test(tests, programs_inherit_no_descriptor);
	tcase_add_test(tests, closing_in_a_child_keeps_our_slot);
	tcase_add_test(tests, many_may_create_at_once);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
