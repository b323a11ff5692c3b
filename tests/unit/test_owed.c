/* test_owed.c: windows of an owner-limit, what waits for a list's owners, and that it is claimed by
 * one at a time and told of once. */
#include "state/owed.h"

#include "state/parts.h"
#include "state_place.h"

#define NOW ((int64_t)1795461562)
#define HOUR ((int64_t)3600)
#define LIST "announce@lists.example.org"
#define OTHER "dev@lists.example.org"

static struct state *state;

static void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
}

/* Records a report; window_s and is_kept as in struct owed_use. Returns its id. */
static uint64_t add_to(const char *list, int64_t time_s, int64_t window_s, bool is_kept)
{
	const struct owed_use use = {window_s, is_kept, is_kept ? "ann@example.net" : NULL};
	struct event event = {
		.time_s = time_s,
		.kind = KIND_FAILED,
		.verdict = VERDICT_GENUINE,
		.action = is_kept ? ACTION_HOLD : ACTION_FORWARD,
		.policy = ACTION_FORWARD,
		.list = list,
		.owed = &use,
		.size = 100,
	};

	ck_assert_status(record_event(state, &event, is_kept ? "file" : NULL, 0), STATUS_OK);
	return event.id;
}

static uint64_t add(int64_t time_s, bool is_kept)
{
	return add_to(LIST, time_s, HOUR, is_kept);
}

static struct owed find(const char *list)
{
	struct owed *owed = NULL;

	ck_assert_status(owed_find(state, context, list, &owed), STATUS_OK);
	return *owed;
}

static enum status claim_at(int64_t now, bool is_storm, bool takes_all, struct owed_batch *batch)
{
	const struct owed_question question = {LIST, now, is_storm, takes_all};

	return owed_claim(state, context, &question, batch);
}

static int64_t expiry_of(uint64_t id)
{
	struct held *held = NULL;

	ck_assert_status(record_find_held(state, context, id, &held), STATUS_OK);
	return held->expires_s;
}

static void expect_sound(void)
{
	uint64_t records = 0, faults = 0;

	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_gt(records, 0);
	ck_assert_uint_eq(faults, 0);
}

/* ---- windows ---- */

/* Reports sent at these seconds behind NOW, in windows of an hour; then what the window at `at` has
 * seen. */
static const struct {
	int64_t sent[5];
	int count;
	int64_t at;
	uint64_t want;
	const char *what;
} window_rows[] = {
	{{0}, 0, 0, 0, "nothing"},
	{{0, 10, 20}, 3, 30, 3, "three in a window"},
	{{0, 10, 20}, 3, HOUR - 1, 3, "until its last second"},
	{{0, 10, 20}, 3, HOUR, 0, "and not at its end"},
	{{0, HOUR - 1, HOUR}, 3, HOUR, 1, "the next begins with the next report"},
	{{0, HOUR + 500, 2 * HOUR + 499}, 3, 2 * HOUR + 499, 2, "not on the hour"},
	{{0, -20, 5}, 3, 10, 3, "deliveries whose clocks differ a little"},
	{{0, -20, 5}, 3, -25, 3, "or that ask"},
	{{5 * HOUR, 0, 5}, 3, 10, 2, "a clock that went back begins a window"},
	{{5 * HOUR}, 1, 10, 0, "and the one to come does not count"},
};

START_TEST(windows_roll)
{
	struct owed *owed = NULL;

	for (int i = 0; i < window_rows[_i].count; i++)
		add(NOW + window_rows[_i].sent[i], false);
	owed_find(state, context, LIST, &owed);
	ck_assert_msg(owed_sent(owed, NOW + window_rows[_i].at) == window_rows[_i].want,
		"%s: got %llu, want %llu", window_rows[_i].what,
		(unsigned long long)owed_sent(owed, NOW + window_rows[_i].at),
		(unsigned long long)window_rows[_i].want);
}
END_TEST

START_TEST(lists_count_apart)
{
	struct owed *owed = NULL;

	ck_assert_status(owed_find(state, context, LIST, &owed), STATUS_NOT_FOUND);
	ck_assert_ptr_null(owed);
	add(NOW, false);
	add_to(OTHER, NOW, HOUR, true);
	ck_assert_uint_eq(find(LIST).sent, 1);
	ck_assert_uint_eq(find(LIST).waiting, 0);
	ck_assert_uint_eq(find(OTHER).sent, 0);
	ck_assert_uint_eq(find(OTHER).waiting, 1);
	ck_assert_str_eq(find(OTHER).list, OTHER);
	expect_sound();
}
END_TEST

/* ---- when it is due ---- */

#define DAY OWED_WAIT_MAX_S
static const struct {
	struct owed owed; /* times behind NOW */
	bool is_storm;
	int64_t at;
	bool want;
	const char *what;
} due_rows[] = {
	{{.waiting = 0, .oldest_s = 0, .due_s = 0}, false, 5 * DAY, false, "nothing waits"},
	{{.waiting = 1, .oldest_s = 0, .due_s = HOUR}, false, HOUR - 1, false, "in the window"},
	{{.waiting = 1, .oldest_s = 0, .due_s = HOUR}, false, HOUR, true, "behind it"},
	{{.waiting = 1, .oldest_s = 0, .due_s = HOUR}, true, HOUR, false, "a storm lasts"},
	{{.waiting = 1, .oldest_s = 0, .due_s = HOUR}, true, DAY - 1, false, "for a day"},
	{{.waiting = 1, .oldest_s = 0, .due_s = HOUR}, true, DAY, true,
		"the oldest waits no longer"},
	{{.waiting = 1, .oldest_s = 0, .due_s = -NOW}, false, 0, true, "kept without a window"},
	{{.waiting = 1, .oldest_s = 0, .due_s = -NOW}, true, 0, false, "in a storm"},
	{{.waiting = 1, .oldest_s = 0, .due_s = 9 * DAY}, false, DAY, true, "a long window"},
	{{.waiting = 1, .oldest_s = 0, .due_s = HOUR}, false, -10, false, "a clock that differs"},
	{{.waiting = 1, .oldest_s = 0, .due_s = HOUR}, false, -HOUR, true,
		"a clock that went back"},
};

START_TEST(it_is_due)
{
	struct owed owed = due_rows[_i].owed;

	owed.oldest_s += NOW;
	owed.due_s += NOW;
	ck_assert_msg(owed_is_due(&owed, due_rows[_i].is_storm, NOW + due_rows[_i].at) ==
			      due_rows[_i].want,
		"%s: got %d, want %d", due_rows[_i].what, !due_rows[_i].want, due_rows[_i].want);
}
END_TEST

/* ---- claiming and telling ---- */

START_TEST(a_batch_is_claimed_once)
{
	struct owed_batch batch, other;
	uint64_t first, second;

	add(NOW, false);
	first = add(NOW + 10, true);
	second = add(NOW + 20, true);
	ck_assert_status(claim_at(NOW + HOUR - 1, false, false, &batch), STATUS_NOT_FOUND);
	ck_assert_status(claim_at(NOW + HOUR, true, false, &batch), STATUS_NOT_FOUND);
	ck_assert_status(claim_at(NOW + HOUR, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 2);
	ck_assert_uint_eq(batch.reports[0].id, first);
	ck_assert_uint_eq(batch.reports[1].id, second);
	ck_assert_str_eq(batch.reports[1].proven, "ann@example.net");
	ck_assert_uint_eq(batch.left, 0);
	ck_assert_status(claim_at(NOW + HOUR + 1, false, true, &other), STATUS_NOT_FOUND);
	ck_assert_int_eq(expiry_of(first), 0);

	ck_assert_status(owed_told(state, LIST, &batch, NOW + 99 * HOUR), STATUS_OK);
	ck_assert_uint_eq(find(LIST).waiting, 0);
	ck_assert_int_eq(find(LIST).claimed_s, 0);
	ck_assert_int_eq(expiry_of(first), NOW + 99 * HOUR);
	ck_assert_int_eq(expiry_of(second), NOW + 99 * HOUR);
	ck_assert_status(claim_at(NOW + 9 * HOUR, false, true, &other), STATUS_NOT_FOUND);
	expect_sound();
}
END_TEST

START_TEST(a_claim_runs_out)
{
	struct owed_batch batch;
	int64_t due_s = NOW + HOUR;

	add(NOW, true);
	ck_assert_status(claim_at(due_s, false, false, &batch), STATUS_OK);
	ck_assert_status(
		claim_at(due_s + OWED_LEASE_S - 1, false, false, &batch), STATUS_NOT_FOUND);
	ck_assert_status(claim_at(due_s + OWED_LEASE_S, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 1);
	/* A clock that went back holds it no longer than one that goes on. */
	ck_assert_status(claim_at(NOW - 5 * HOUR, false, false, &batch), STATUS_OK);
	ck_assert_status(owed_give_back(state, LIST), STATUS_OK);
	ck_assert_status(claim_at(due_s, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 1);
}
END_TEST

START_TEST(what_comes_meanwhile_waits_on)
{
	struct owed_batch batch;
	uint64_t first = add(NOW, true), late;

	ck_assert_status(claim_at(NOW + HOUR, false, false, &batch), STATUS_OK);
	add(NOW + HOUR + 1, false);
	late = add(NOW + HOUR + 2, true);
	ck_assert_status(owed_told(state, LIST, &batch, NOW + 99 * HOUR), STATUS_OK);
	ck_assert_uint_eq(find(LIST).waiting, 1);
	ck_assert_int_eq(expiry_of(late), 0);
	ck_assert_int_ne(expiry_of(first), 0);
	ck_assert_status(claim_at(NOW + 2 * HOUR, false, false, &batch), STATUS_NOT_FOUND);
	ck_assert_status(claim_at(NOW + 2 * HOUR + 1, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 1);
	ck_assert_uint_eq(batch.reports[0].id, late);
}
END_TEST

START_TEST(what_is_released_waits_no_longer)
{
	struct owed_batch batch;
	uint64_t first = add(NOW, true), second = add(NOW, true), third = add(NOW, true);

	ck_assert_status(record_remove_held(state, first), STATUS_OK);
	ck_assert_uint_eq(find(LIST).waiting, 2);
	ck_assert_status(claim_at(NOW + HOUR, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 2);
	ck_assert_uint_eq(batch.reports[0].id, second);
	ck_assert_status(record_remove_held(state, third), STATUS_OK);
	ck_assert_status(owed_told(state, LIST, &batch, NOW + 99 * HOUR), STATUS_OK);
	ck_assert_uint_eq(find(LIST).waiting, 0);
	ck_assert_int_ne(expiry_of(second), 0);
	expect_sound();
}
END_TEST

/* Mail that was dropped, or is held by policy, is nobody's to tell of. */
START_TEST(other_held_mail_is_left_alone)
{
	struct event event = {.time_s = NOW,
		.kind = KIND_FAILED,
		.verdict = VERDICT_UNPROVEN,
		.action = ACTION_HOLD,
		.policy = ACTION_HOLD,
		.list = LIST};
	struct owed_batch batch;

	add(NOW, true);
	ck_assert_status(record_event(state, &event, "file", 0), STATUS_OK);
	ck_assert_status(claim_at(NOW + HOUR, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 1);
	ck_assert_status(owed_told(state, LIST, &batch, NOW + 99 * HOUR), STATUS_OK);
	ck_assert_int_eq(expiry_of(event.id), 0);
	ck_assert_status(record_remove_held(state, event.id), STATUS_OK);
	ck_assert_uint_eq(find(LIST).waiting, 0);
}
END_TEST

/* All in one transaction: a sync for each would take minutes. */
static int count_many(struct state *box, MDB_txn *transaction, void *argument)
{
	const struct owed_use use = {HOUR, true, NULL};
	struct event event = {.time_s = NOW, .list = LIST, .owed = &use};
	int code = MDB_SUCCESS;

	for (event.id = 1; event.id <= OWED_BATCH_MAX + 5 && code == MDB_SUCCESS; event.id++)
		code = owed_count(box, transaction, &event);
	(void)argument;
	return code;
}

START_TEST(a_batch_has_an_end)
{
	struct owed_batch batch;

	ck_assert_status(box_write(state, count_many, NULL), STATUS_OK);
	ck_assert_status(claim_at(NOW + HOUR, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, OWED_BATCH_MAX);
	ck_assert_uint_eq(batch.left, 5);
	ck_assert_status(owed_told(state, LIST, &batch, NOW + 99 * HOUR), STATUS_OK);
	ck_assert_status(claim_at(NOW + HOUR, false, false, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 5);
	ck_assert_uint_eq(batch.reports[0].id, OWED_BATCH_MAX + 1);
	ck_assert_status(owed_told(state, LIST, &batch, NOW + 99 * HOUR), STATUS_OK);
	ck_assert_uint_eq(find(LIST).waiting, 0);
}
END_TEST

static int spoil(struct state *box, MDB_txn *transaction, void *argument)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value = {.mv_size = 1, .mv_data = (void *)"\377"};
	int code = mdb_cursor_open(transaction, box->dbis[BOX_OWED], &cursor);

	(void)argument;
	if (code == MDB_SUCCESS)
		code = mdb_cursor_get(cursor, &key, NULL, MDB_FIRST);
	if (code == MDB_SUCCESS)
		code = mdb_put(transaction, box->dbis[BOX_OWED], &key, &value, 0);
	mdb_cursor_close(cursor);
	return code;
}

/* A record of the list that does not decode loses no report. */
START_TEST(a_spoilt_record_is_made_good)
{
	struct owed_batch batch;
	uint64_t records, faults;

	add(NOW, true);
	add(NOW, true);
	ck_assert_status(box_write(state, spoil, NULL), STATUS_OK);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 1);
	add(NOW + 5, true);
	ck_assert_uint_eq(find(LIST).waiting, 3);
	ck_assert_status(claim_at(NOW + 5 + HOUR, false, true, &batch), STATUS_OK);
	ck_assert_uint_eq(batch.count, 3);
	expect_sound();
}
END_TEST

/* ---- several at once ---- */

enum { WORKERS = 4, EACH = 10 };

static int send_some(void *argument)
{
	(void)argument;
	context = mem_context(NULL, "child");
	state = open_state(STATE_WRITE);
	for (int i = 0; i < EACH; i++)
		add(NOW + i, i % 2 == 0);
	state_close(state);
	return 0;
}

static int claim_one(void *argument)
{
	struct owed_batch batch;
	enum status status;

	(void)argument;
	context = mem_context(NULL, "child");
	state = open_state(STATE_WRITE);
	status = claim_at(NOW + HOUR, false, true, &batch);
	state_close(state);
	return status == STATUS_OK ? (int)batch.count : status == STATUS_NOT_FOUND ? 0 : 99;
}

static int run_all(int (*work)(void *))
{
	pid_t children[WORKERS];
	int sum = 0;

	for (int i = 0; i < WORKERS; i++)
		children[i] = start(work, NULL);
	for (int i = 0; i < WORKERS; i++)
		sum += finish(children[i]);
	return sum;
}

START_TEST(deliveries_at_once_count_exactly)
{
	state_close(state);
	ck_assert_int_eq(run_all(send_some), 0);
	ck_assert_int_eq(run_all(claim_one), WORKERS * EACH / 2);
	state = open_state(STATE_WRITE);
	ck_assert_uint_eq(find(LIST).sent, WORKERS * EACH / 2);
	ck_assert_uint_eq(find(LIST).waiting, WORKERS * EACH / 2);
	expect_sound();
}
END_TEST

static enum status note_list(void *argument, const struct owed *owed)
{
	unsigned *seen = argument;

	*seen += strcmp(owed->list, LIST) == 0 ? 1 : strcmp(owed->list, OTHER) == 0 ? 10 : 100;
	return STATUS_OK;
}

START_TEST(each_list_is_visited_once)
{
	unsigned seen = 0;

	ck_assert_status(owed_walk(state, note_list, &seen), STATUS_OK);
	ck_assert_uint_eq(seen, 0);
	for (int i = 0; i < 5; i++)
		add_to(i % 2 == 0 ? LIST : OTHER, NOW, 0, true);
	ck_assert_status(owed_walk(state, note_list, &seen), STATUS_OK);
	ck_assert_uint_eq(seen, 11);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owed");
	TCase *cases = tcase_create("owed");

	tcase_add_checked_fixture(cases, set_up_state, tear_down);
	tcase_add_loop_test(cases, windows_roll, 0, ROWS(window_rows));
	tcase_add_test(cases, lists_count_apart);
	tcase_add_loop_test(cases, it_is_due, 0, ROWS(due_rows));
	tcase_add_test(cases, a_batch_is_claimed_once);
	tcase_add_test(cases, a_claim_runs_out);
	tcase_add_test(cases, what_comes_meanwhile_waits_on);
	tcase_add_test(cases, what_is_released_waits_no_longer);
	tcase_add_test(cases, other_held_mail_is_left_alone);
	tcase_add_test(cases, a_batch_has_an_end);
	tcase_add_test(cases, a_spoilt_record_is_made_good);
	tcase_add_test(cases, deliveries_at_once_count_exactly);
	tcase_add_test(cases, each_list_is_visited_once);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
