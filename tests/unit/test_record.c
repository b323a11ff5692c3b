/* test_record.c: events, counters and held mail: one transaction each, all or nothing, in order. */
#include "state/record.h"

#include <signal.h>

#include "state/codec.h"
#include "state_place.h"

enum { WRITERS = 16, EVENTS_EACH = 30 };

static struct event sample(int64_t time_s)
{
	return (struct event){.time_s = time_s,
		.kind = KIND_FAILED,
		.verdict = VERDICT_BACKSCATTER,
		.action = ACTION_FORWARD,
		.policy = ACTION_DROP,
		.score = -62,
		.list = "announce@lists.example.org",
		.reporter = "198.51.100.7",
		.sender = "",
		.recipient = "announce-bounces@lists.example.org",
		.failed = "ann@example.net, bob@example.net",
		.message_id = "<1@lists.example.org>",
		.queue_id = "4F2",
		.evidence = "tag:missing-40 sent:absent-40",
		.reason = "userunknown",
		.status = "5.1.1",
		.permanence = "permanent",
		.size = 123456789012};
}

static uint64_t record(struct state *state, int64_t time_s)
{
	struct event event = sample(time_s);

	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	return event.id;
}

static uint64_t record_held(
	struct state *state, int64_t time_s, const char *file, int64_t expires_s)
{
	struct event event = sample(time_s);

	ck_assert_status(record_event(state, &event, file, expires_s), STATUS_OK);
	return event.id;
}

/* What a walk saw. */
struct seen {
	int count;
	uint64_t ids[1024];
	struct event last; /* strings on context */
	int stop_at;	   /* ends the walk with STATUS_DIFFERENT; 0: never */
};

static const char *keep(const char *text)
{
	return text != NULL ? mem_strdup(context, text) : NULL;
}

static enum status see_event(void *argument, const struct event *event)
{
	struct seen *seen = argument;

	seen->ids[seen->count++ % ROWS(seen->ids)] = event->id;
	seen->last = *event;
	seen->last.list = keep(event->list);
	seen->last.reporter = keep(event->reporter);
	seen->last.sender = keep(event->sender);
	seen->last.recipient = keep(event->recipient);
	seen->last.failed = keep(event->failed);
	seen->last.message_id = keep(event->message_id);
	seen->last.queue_id = keep(event->queue_id);
	seen->last.evidence = keep(event->evidence);
	seen->last.reason = keep(event->reason);
	seen->last.status = keep(event->status);
	seen->last.permanence = keep(event->permanence);
	return seen->count == seen->stop_at ? STATUS_DIFFERENT : STATUS_OK;
}

static struct seen see_events(struct state *state, int64_t from_s, int64_t until_s)
{
	struct seen seen = {.count = 0};

	ck_assert_status(record_walk_events(state, from_s, until_s, see_event, &seen), STATUS_OK);
	return seen;
}

static void check_string(const char *name, const char *got, const char *want)
{
	ck_assert_msg((got == NULL) == (want == NULL) && (got == NULL || strcmp(got, want) == 0),
		"%s: got %s, want %s", name, got, want);
}

static void check_event(const struct event *got, const struct event *want)
{
	ck_assert_uint_eq(got->id, want->id);
	ck_assert_int_eq(got->time_s, want->time_s);
	ck_assert_int_eq(got->kind, want->kind);
	ck_assert_int_eq(got->verdict, want->verdict);
	ck_assert_int_eq(got->action, want->action);
	ck_assert_int_eq(got->policy, want->policy);
	ck_assert_int_eq(got->score, want->score);
	ck_assert_uint_eq(got->size, want->size);
	check_string("list", got->list, want->list);
	check_string("reporter", got->reporter, want->reporter);
	check_string("sender", got->sender, want->sender);
	check_string("recipient", got->recipient, want->recipient);
	check_string("failed", got->failed, want->failed);
	check_string("message_id", got->message_id, want->message_id);
	check_string("queue_id", got->queue_id, want->queue_id);
	check_string("evidence", got->evidence, want->evidence);
	check_string("reason", got->reason, want->reason);
	check_string("status", got->status, want->status);
	check_string("permanence", got->permanence, want->permanence);
}

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

/* As a version 1 program wrote an event: no reason, status or permanence. */
static void encode_first_version(struct codec_writer *writer, const struct event *event)
{
	const char *const strings[] = {event->list, event->reporter, event->sender,
		event->recipient, event->failed, event->message_id, event->queue_id,
		event->evidence};

	codec_put_u8(writer, 1);
	codec_put_i64(writer, event->time_s);
	codec_put_u8(writer, (uint8_t)event->kind);
	codec_put_u8(writer, (uint8_t)event->verdict);
	codec_put_u8(writer, (uint8_t)event->action);
	codec_put_u8(writer, (uint8_t)event->policy);
	codec_put_i64(writer, event->score);
	codec_put_u64(writer, event->size);
	for (int i = 0; i < ROWS(strings); i++)
		codec_put_string(writer, strings[i], 512);
}

/* The event, and a held record, whose first version had no number of bytes on disk. */
static int put_first_version(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct event *event = argument;
	unsigned char id[8];
	MDB_val key = {8, id};
	struct codec_writer writer;
	MDB_val value;
	int code;

	codec_store_u64(id, event->id);
	codec_writer_init(&writer, context);
	encode_first_version(&writer, event);
	value = (MDB_val){writer.size, writer.data};
	code = mdb_put(transaction, state->dbis[BOX_EVENTS], &key, &value, 0);
	codec_writer_init(&writer, context);
	codec_put_u8(&writer, 1);
	codec_put_i64(&writer, 99);
	codec_put_string(&writer, "7.M1P2.host", 512);
	encode_first_version(&writer, event);
	value = (MDB_val){writer.size, writer.data};
	if (code == MDB_SUCCESS)
		code = mdb_put(transaction, state->dbis[BOX_HELD], &key, &value, 0);
	return code;
}

START_TEST(event_of_the_first_version_is_read)
{
	struct state *state = open_state(STATE_WRITE);
	struct event want = sample(7);
	uint64_t records;
	uint64_t faults;
	struct held *held = NULL;
	struct seen seen;

	want.id = 7 << 20;
	ck_assert_status(box_write(state, put_first_version, &want), STATUS_OK);
	want.reason = want.status = want.permanence = NULL;
	seen = see_events(state, 0, INT64_MAX);
	ck_assert_int_eq(seen.count, 1);
	check_event(&seen.last, &want);
	ck_assert_status(record_find_held(state, context, want.id, &held), STATUS_OK);
	check_event(&held->event, &want);
	ck_assert_str_eq(held->file, "7.M1P2.host");
	ck_assert_int_eq(held->expires_s, 99);
	ck_assert_uint_eq(held->event.stored, want.size); /* it was not compressed */
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
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

static enum status see_counter(void *argument, const struct counter *counter)
{
	char **names = argument;

	*names = mem_append(
		*names, "%zu:%llu ", strlen(counter->name), (unsigned long long)counter->total);
	return STATUS_OK;
}

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

static enum status see_held(void *argument, const struct held *held)
{
	(void)held;
	++*(int *)argument;
	return STATUS_OK;
}

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

/* Puts a value of a version to come, and one cut short, beside good ones. */
static int put_strange(struct state *state, MDB_txn *transaction, void *argument)
{
	static const enum box_db databases[] = {
		BOX_EVENTS, BOX_HELD, BOX_LISTS, BOX_REPORTERS, BOX_ROLLUPS};
	static const MDB_val values[] = {
		{1, (void *)"\x63"}, {3, (void *)"\x01zz"}, {0, (void *)""}};
	int code = MDB_SUCCESS;

	(void)argument;
	for (int i = 0; i < ROWS(databases) * ROWS(values) && code == MDB_SUCCESS; i++) {
		char name[9] = {0, 0, 0, 0, 0, 0, 0, (char)(i + 1)};
		MDB_val key = {8, name};
		MDB_val value = values[i % ROWS(values)];

		code = mdb_put(
			transaction, state->dbis[databases[i / ROWS(values)]], &key, &value, 0);
	}
	return code;
}

START_TEST(strange_values_are_skipped_and_counted)
{
	struct state *state = open_state(STATE_WRITE);
	char *names = mem_strdup(context, "");
	struct held *held;
	uint64_t records;
	uint64_t faults;
	int count = 0;

	record_held(state, 1, "file", 0);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	/* event, held, host, list, reporter, rollup, horizon */
	ck_assert_uint_eq(records, 7);
	ck_assert_uint_eq(faults, 0);
	ck_assert_status(box_write(state, put_strange, NULL), STATUS_OK);
	ck_assert_int_eq(see_events(state, 0, INT64_MAX).count, 1);
	ck_assert_status(record_walk_held(state, see_held, &count), STATUS_OK);
	ck_assert_int_eq(count, 1);
	ck_assert_status(
		record_walk_counters(state, COUNTER_REPORTER, see_counter, &names), STATUS_OK);
	ck_assert_str_eq(names, "12:1 ");
	ck_assert_status(record_find_held(state, context, 4, &held), STATUS_STATE);
	ck_assert_ptr_null(held);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(records, 7 + 15);
	ck_assert_uint_eq(faults, 15);
}
END_TEST

static int spoil_host(struct state *state, MDB_txn *transaction, void *argument)
{
	MDB_val key = {4, (void *)"host"};
	MDB_val value = {2, (void *)"\x63!"};

	(void)argument;
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

/* A newer program's counter is not overwritten, and the event is recorded all the same. */
START_TEST(strange_counter_is_left_alone)
{
	struct state *state = open_state(STATE_WRITE);
	struct counter *counter;

	ck_assert_status(box_write(state, spoil_host, NULL), STATUS_OK);
	record(state, 1);
	ck_assert_int_eq(see_events(state, 0, INT64_MAX).count, 1);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_HOST, "", &counter), STATUS_STATE);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_REPORTER, "198.51.100.7", &counter),
		STATUS_OK);
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
	Suite *suite = suite_create("record");
	TCase *tests = tcase_create("record");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, event_comes_back);
	tcase_add_test(tests, event_of_the_first_version_is_read);
	tcase_add_test(tests, event_without_strings_comes_back);
	tcase_add_test(tests, foreign_strings_are_capped);
	tcase_add_test(tests, ids_ascend_when_the_clock_goes_back);
	tcase_add_loop_test(tests, walk_keeps_to_its_span, 0, ROWS(spans));
	tcase_add_test(tests, long_walk_sees_each_once);
	tcase_add_test(tests, counters_add_up);
	tcase_add_test(tests, a_release_is_no_message);
	tcase_add_test(tests, counters_are_walked);
	tcase_add_test(tests, held_mail_is_found_and_removed);
	tcase_add_test(tests, visitor_may_remove);
	tcase_add_test(tests, what_is_over_goes);
	tcase_add_test(tests, the_oldest_go_when_it_is_too_much);
	tcase_add_test(tests, each_record_is_one_transaction);
	tcase_add_loop_test(tests, faulty_events_are_refused, 0, ROWS(faulty));
	tcase_add_test(tests, reader_may_not_record);
	tcase_add_test(tests, strange_values_are_skipped_and_counted);
	tcase_add_test(tests, strange_counter_is_left_alone);
	tcase_add_loop_test(tests, id_texts_are_parsed, 0, ROWS(id_texts));
	tcase_add_test(tests, ids_are_printed);
	tcase_add_test(tests, many_writers_lose_nothing);
	tcase_add_test(tests, killed_writer_loses_nothing);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
