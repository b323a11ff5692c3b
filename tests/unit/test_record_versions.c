/* test_record_versions.c: what an older version wrote is read, what a newer one wrote or what is
 * damaged is skipped, counted and left alone. */
#include "state/record.h"

#include "record_seen.h"
#include "state/codec.h"

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

int main(void)
{
	Suite *suite = suite_create("record versions");
	TCase *tests = tcase_create("record versions");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, event_of_the_first_version_is_read);
	tcase_add_test(tests, strange_values_are_skipped_and_counted);
	tcase_add_test(tests, strange_counter_is_left_alone);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
