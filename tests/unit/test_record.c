/* test_record.c: events and counters: one transaction each, all or nothing, in order. */
#include "state/record.h"

#include "record_seen.h"

START_TEST(event_comes_back)
{
	struct state *state = open_state(STATE_WRITE);
	struct event want = sample(1795461562);
	struct seen seen;

	ck_assert_status(record_event(state, &want, NULL, 0), STATUS_OK);
	ck_assert_uint_eq(want.id >> 20, 1795461562);
	state_close(state);
	seen = see_events(open_state(STATE_READ), 0, INT64_MAX);
	ck_assert_int_eq(seen.count, 1);
	check_event(&seen.last, &want);
}
END_TEST

START_TEST(event_without_strings_comes_back)
{
	struct state *state = open_state(STATE_WRITE);
	struct event want = {.time_s = -5, .score = INT32_MIN};
	struct seen seen;

	ck_assert_status(record_event(state, &want, NULL, 0), STATUS_OK);
	seen = see_events(state, INT64_MIN, INT64_MAX);
	ck_assert_int_eq(seen.count, 1);
	check_event(&seen.last, &want);
}
END_TEST

START_TEST(foreign_strings_are_capped)
{
	struct state *state = open_state(STATE_WRITE);
	struct event event = sample(10);
	char *text = mem_alloc(context, 100001);
	struct counter *counter;
	struct seen seen;

	memset(text, 'x', 100000);
	event.list = event.reporter = event.sender = event.recipient = event.failed = text;
	event.message_id = event.queue_id = event.evidence = event.status = text;
	ck_assert_status(record_event(state, &event, "file", 0), STATUS_OK);
	seen = see_events(state, 0, INT64_MAX);
	ck_assert_int_eq(seen.count, 1);
	ck_assert_uint_eq(strlen(seen.last.list), 512);
	ck_assert_uint_eq(strlen(seen.last.failed), 512);
	ck_assert_uint_eq(strlen(seen.last.evidence), 512);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_LIST, text, &counter), STATUS_OK);
	ck_assert_uint_eq(strlen(counter->name), 512);
	text[99999] = '\0';
	ck_assert_status(record_find_counter(state, context, COUNTER_LIST, text, &counter),
		STATUS_NOT_FOUND);
	ck_assert_ptr_null(counter);
}
END_TEST

START_TEST(ids_ascend_when_the_clock_goes_back)
{
	static const int64_t times[] = {1000, 1000, 1000, 1001, 500, -3, INT64_MAX, 1002};
	struct state *state = open_state(STATE_WRITE);
	uint64_t last = 0;
	struct seen seen;

	for (int i = 0; i < ROWS(times); i++) {
		uint64_t id = record(state, times[i]);

		ck_assert_msg(id > last, "event %d: got id %llX after %llX", i,
			(unsigned long long)id, (unsigned long long)last);
		last = id;
		if (i == 4) {
			state_close(state);
			state = open_state(STATE_WRITE);
		}
	}
	seen = see_events(state, INT64_MIN, INT64_MAX);
	ck_assert_int_eq(seen.count, ROWS(times) - 1); /* the end is exclusive */
	for (int i = 1; i < seen.count; i++)
		ck_assert_uint_gt(seen.ids[i], seen.ids[i - 1]);
}
END_TEST

/* Recorded at 100, 200, 300, then, with the clock put back, 150. */
static const struct {
	int64_t from_s;
	int64_t until_s;
	int want;
} spans[] = {
	{INT64_MIN, INT64_MAX, 4},
	{0, 1000, 4},
	{100, 101, 1},
	{100, 100, 0},
	{101, 200, 1}, /* the one out of order */
	{150, 151, 1},
	{200, 300, 1},
	{200, 301, 2},
	{301, 1000, 0},
	{0, 100, 0},
	{300, 0, 0},
	{INT64_MAX, INT64_MAX, 0},
};

START_TEST(walk_keeps_to_its_span)
{
	struct state *state = open_state(STATE_WRITE);
	struct seen seen;

	record(state, 100);
	record(state, 200);
	record(state, 300);
	record(state, 150);
	seen = see_events(state, spans[_i].from_s, spans[_i].until_s);
	ck_assert_msg(seen.count == spans[_i].want, "row %d: got %d, want %d", _i, seen.count,
		spans[_i].want);
}
END_TEST

/* More than one page of a walk holds. */
START_TEST(long_walk_sees_each_once)
{
	enum { COUNT = 600 };
	struct state *state = open_state(STATE_WRITE);
	struct seen seen;

	mdb_env_set_flags(state->env, MDB_NOSYNC, 1); /* 600 syncs would take the test's time */
	for (int i = 0; i < COUNT; i++)
		record(state, 1000 + i / 7);
	seen = see_events(state, 0, INT64_MAX);
	ck_assert_int_eq(seen.count, COUNT);
	for (int i = 1; i < COUNT; i++)
		ck_assert_uint_gt(seen.ids[i], seen.ids[i - 1]);
	seen = (struct seen){.stop_at = 300};
	ck_assert_status(
		record_walk_events(state, 0, INT64_MAX, see_event, &seen), STATUS_DIFFERENT);
	ck_assert_int_eq(seen.count, 300);
}
END_TEST

START_TEST(counters_add_up)
{
	struct state *state = open_state(STATE_WRITE);
	struct event event = sample(2000);
	struct counter *host;
	struct counter *list;
	struct counter *reporter;

	ck_assert_status(
		record_find_counter(state, context, COUNTER_HOST, "", &host), STATUS_NOT_FOUND);
	record(state, 1000);
	event.verdict = VERDICT_GENUINE;
	event.action = ACTION_FILE;
	event.kind = KIND_DELAYED;
	event.list = "other@lists.example.org";
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	event.list = NULL;
	event.reporter = "";
	event.time_s = 500;
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	state_close(state);
	state = open_state(STATE_READ);
	ck_assert_status(record_find_counter(state, context, COUNTER_HOST, NULL, &host), STATUS_OK);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_LIST, "other@lists.example.org", &list),
		STATUS_OK);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_REPORTER, "198.51.100.7", &reporter),
		STATUS_OK);
	ck_assert_uint_eq(host->total, 3);
	ck_assert_str_eq(host->name, "");
	ck_assert_uint_eq(host->verdicts[VERDICT_GENUINE], 2);
	ck_assert_uint_eq(host->verdicts[VERDICT_BACKSCATTER], 1);
	ck_assert_uint_eq(host->actions[ACTION_FILE], 2);
	ck_assert_uint_eq(host->actions[ACTION_FORWARD], 1);
	ck_assert_uint_eq(host->kinds[KIND_DELAYED], 2);
	ck_assert_int_eq(host->first_s, 500);
	ck_assert_int_eq(host->last_s, 2000);
	ck_assert_uint_eq(list->total, 1);
	ck_assert_str_eq(list->name, "other@lists.example.org");
	ck_assert_uint_eq(list->verdicts[VERDICT_GENUINE], 1);
	ck_assert_int_eq(list->first_s, 2000);
	ck_assert_uint_eq(reporter->total, 2);
	ck_assert_int_eq(reporter->last_s, 2000);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_REPORTER, "", &list), STATUS_NOT_FOUND);
}
END_TEST

START_TEST(a_release_is_no_message)
{
	struct state *state = open_state(STATE_WRITE);
	struct event event = sample(1000);
	struct counter *host;

	record(state, 1000);
	event.evidence = EVENT_RELEASED;
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	ck_assert_status(record_find_counter(state, context, COUNTER_HOST, "", &host), STATUS_OK);
	ck_assert_uint_eq(host->total, 1);
	ck_assert_int_eq(see_events(state, 0, INT64_MAX).count, 2);
	event.evidence = "released-not:really+1";
	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	ck_assert_status(record_find_counter(state, context, COUNTER_HOST, "", &host), STATUS_OK);
	ck_assert_uint_eq(host->total, 2);
}
END_TEST

/* Names that fit a key, that just do, and that are hashed. */
START_TEST(counters_are_walked)
{
	static const size_t lengths[] = {1, 200, 201, 400};
	struct state *state = open_state(STATE_WRITE);
	char *names = mem_strdup(context, "");

	ck_assert_status(record_walk_counters(state, COUNTER_HOST, see_counter, &names), STATUS_OK);
	ck_assert_str_eq(names, "");
	for (int i = 0; i < ROWS(lengths); i++) {
		struct event event = sample(10);
		char *list = mem_alloc(context, lengths[i] + 1);
		struct counter *counter;

		memset(list, 'n', lengths[i]);
		event.list = list;
		ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
		ck_assert_status(record_find_counter(state, context, COUNTER_LIST, list, &counter),
			STATUS_OK);
		ck_assert_str_eq(counter->name, list);
		ck_assert_uint_eq(counter->total, 1);
	}
	ck_assert_status(record_walk_counters(state, COUNTER_LIST, see_counter, &names), STATUS_OK);
	ck_assert_msg(strlen(names) == strlen("1:1 200:1 201:1 400:1 ") &&
			      strstr(names, "201:1 ") && strstr(names, "400:1 ") &&
			      strstr(names, "200:1 "),
		"got %s", names);
	names = mem_strdup(context, "");
	ck_assert_status(
		record_walk_counters(state, COUNTER_REPORTER, see_counter, &names), STATUS_OK);
	ck_assert_str_eq(names, "12:4 ");
	names = mem_strdup(context, "");
	ck_assert_status(record_walk_counters(state, COUNTER_HOST, see_counter, &names), STATUS_OK);
	ck_assert_str_eq(names, "0:4 ");
}
END_TEST

START_TEST(each_record_is_one_transaction)
{
	struct state *state = open_state(STATE_WRITE);
	uint64_t before = state_transaction_count(state);

	record(state, 1);
	ck_assert_uint_eq(state_transaction_count(state), before + 1);
	record_held(state, 2, "file", 7);
	ck_assert_uint_eq(state_transaction_count(state), before + 2);
	ck_assert_status(record_remove_held(state, 12345), STATUS_NOT_FOUND);
	see_events(state, 0, 10);
	ck_assert_uint_eq(state_transaction_count(state), before + 2);
}
END_TEST

static const struct {
	const char *name;
	int kind, verdict, action, policy;
	size_t file_length;
	enum status want;
} faulty[] = {
	{"good", 1, 1, 1, 1, 512, STATUS_OK},
	{"kind", KIND_COUNT, 1, 1, 1, 4, STATUS_DATA},
	{"negative kind", -1, 1, 1, 1, 4, STATUS_DATA},
	{"verdict", 1, VERDICT_COUNT, 1, 1, 4, STATUS_DATA},
	{"action", 1, 1, ACTION_COUNT, 1, 4, STATUS_DATA},
	{"policy", 1, 1, 1, ACTION_COUNT, 4, STATUS_DATA},
	{"file name", 1, 1, 1, 1, 513, STATUS_DATA},
};

START_TEST(faulty_events_are_refused)
{
	struct state *state = open_state(STATE_WRITE);
	struct event event = {.kind = (enum kind)faulty[_i].kind,
		.verdict = (enum verdict)faulty[_i].verdict,
		.action = (enum action)faulty[_i].action,
		.policy = (enum action)faulty[_i].policy};
	char file[600] = "";
	enum status got;

	memset(file, 'f', faulty[_i].file_length);
	got = record_event(state, &event, file, 0);
	ck_assert_msg(got == faulty[_i].want, "%s: got %s", faulty[_i].name, status_text(got));
	ck_assert_int_eq(see_events(state, 0, INT64_MAX).count, got == STATUS_OK);
}
END_TEST

START_TEST(reader_may_not_record)
{
	struct event event = sample(1);

	state_close(open_state(STATE_WRITE));
	ck_assert_status(record_event(open_state(STATE_READ), &event, NULL, 0), STATUS_PERMISSION);
}
END_TEST

static const struct {
	const char *text;
	bool is_good;
	uint64_t id;
} id_texts[] = {
	{"0", true, 0},
	{"4F2", true, 0x4f2},
	{"4f2", true, 0x4f2},
	{"FFFFFFFFFFFFFFFF", true, UINT64_MAX},
	{"6B04FF3A00000", true, 0x6b04ff3a00000},
	{"00000000000000001", false, 0},
	{"10000000000000000", false, 0},
	{"", false, 0},
	{"4G2", false, 0},
	{" 4F2", false, 0},
	{"4F2 ", false, 0},
	{"-1", false, 0},
	{"0x4F", false, 0},
	{NULL, false, 0},
};

START_TEST(id_texts_are_parsed)
{
	uint64_t id = 0;
	bool is_good = event_id_parse(id_texts[_i].text, &id);

	ck_assert_msg(is_good == id_texts[_i].is_good && id == id_texts[_i].id, "%s: got %d %llX",
		id_texts[_i].text, is_good, (unsigned long long)id);
}
END_TEST

START_TEST(ids_are_printed)
{
	char text[EVENT_ID_TEXT_MAX];
	uint64_t id = 1;

	for (int i = 0; i < 64; i++, id = id << 1 | 1) {
		uint64_t back = 0;

		event_id_format(id, text);
		ck_assert(event_id_parse(text, &back));
		ck_assert_uint_eq(back, id);
	}
	event_id_format(0x4f2, text);
	ck_assert_str_eq(text, "4F2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tests = tcase_create("record");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, event_comes_back);
	tcase_add_test(tests, event_without_strings_comes_back);
	tcase_add_test(tests, foreign_strings_are_capped);
	tcase_add_test(tests, ids_ascend_when_the_clock_goes_back);
	tcase_add_loop_test(tests, walk_keeps_to_its_span, 0, ROWS(spans));
	tcase_add_test(tests, long_walk_sees_each_once);
	tcase_add_test(tests, counters_add_up);
	tcase_add_test(tests, a_release_is_no_message);
	tcase_add_test(tests, counters_are_walked);
	tcase_add_test(tests, each_record_is_one_transaction);
	tcase_add_loop_test(tests, faulty_events_are_refused, 0, ROWS(faulty));
	tcase_add_test(tests, reader_may_not_record);
	tcase_add_loop_test(tests, id_texts_are_parsed, 0, ROWS(id_texts));
	tcase_add_test(tests, ids_are_printed);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
