/*
 * event.c: what was decided, one record a message, for as long as it is kept.
 *
 * Key: the event's id. In charge of ids and of the bytes of an event; leaves the transaction that
 * writes it to record.c. An id never goes back: while the clock is behind the last event, ids count
 * on from that, so a walk over a span of time may not stop at the id of its end unless it is behind
 * the last one of these.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "state/parts.h"

enum { EVENT_VERSION = 2, ID_NUMBER_BITS = 20, ID_DIGITS_MAX = 16 };

/* Strings of a version 1 event; in version 2 reason, status and permanence follow. */
#define STRINGS_BEFORE_REASON 8

#define ID_SECONDS_MAX ((int64_t)1 << (63 - ID_NUMBER_BITS))

void event_encode(struct codec_writer *writer, const struct event *event)
{
	const char *const strings[] = {event->list, event->reporter, event->sender,
		event->recipient, event->failed, event->message_id, event->queue_id,
		event->evidence, event->reason, event->status, event->permanence};

	codec_put_u8(writer, EVENT_VERSION);
	codec_put_i64(writer, event->time_s);
	codec_put_u8(writer, (uint8_t)event->kind);
	codec_put_u8(writer, (uint8_t)event->verdict);
	codec_put_u8(writer, (uint8_t)event->action);
	codec_put_u8(writer, (uint8_t)event->policy);
	codec_put_i64(writer, event->score);
	codec_put_u64(writer, event->size);
	for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
		codec_put_string(writer, strings[i], EVENT_STRING_MAX);
}

bool event_decode(struct codec_reader *reader, const void *context, struct event *event_out)
{
	struct event event = {.id = 0};
	const char **const strings[] = {&event.list, &event.reporter, &event.sender,
		&event.recipient, &event.failed, &event.message_id, &event.queue_id,
		&event.evidence, &event.reason, &event.status, &event.permanence};
	size_t count = sizeof strings / sizeof strings[0];
	uint8_t version = codec_get_u8(reader);

	if (version < 1 || version > EVENT_VERSION)
		return false;
	if (version == 1)
		count = STRINGS_BEFORE_REASON;
	event.time_s = codec_get_i64(reader);
	event.kind = codec_get_below(reader, KIND_COUNT);
	event.verdict = codec_get_below(reader, VERDICT_COUNT);
	event.action = codec_get_below(reader, ACTION_COUNT);
	event.policy = codec_get_below(reader, ACTION_COUNT);
	event.score = (int)codec_get_i64(reader);
	event.size = codec_get_u64(reader);
	for (size_t i = 0; i < count; i++)
		*strings[i] = codec_get_string(reader, context);
	*event_out = event;
	return codec_is_complete(reader);
}

static uint64_t first_id_of(int64_t time_s)
{
	if (time_s < 0)
		return 0;
	if (time_s >= ID_SECONDS_MAX)
		time_s = ID_SECONDS_MAX - 1;
	return (uint64_t)time_s << ID_NUMBER_BITS;
}

int event_next_id_in(struct state *state, MDB_txn *transaction, enum box_db database,
	int64_t time_s, uint64_t *id_out)
{
	MDB_cursor *cursor = NULL;
	MDB_val key;
	uint64_t id = first_id_of(time_s);
	int code = mdb_cursor_open(transaction, state->dbis[database], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(cursor, &key, NULL, MDB_LAST);
	if (code == MDB_SUCCESS && key.mv_size == CODEC_U64_SIZE) {
		uint64_t last = codec_load_u64(key.mv_data);

		if (last >= id)
			id = last + 1; /* 0 when no id is left */
		if (last == UINT64_MAX)
			code = MDB_CORRUPTED;
	} else if (code == MDB_SUCCESS) {
		code = MDB_CORRUPTED;
	}
	mdb_cursor_close(cursor);
	*id_out = id;
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

int event_next_id(struct state *state, MDB_txn *transaction, int64_t time_s, uint64_t *id_out)
{
	return event_next_id_in(state, transaction, BOX_EVENTS, time_s, id_out);
}

bool event_decode_record(
	const MDB_val *key, const MDB_val *value, const void *context, struct event *event_out)
{
	struct codec_reader reader;

	if (key->mv_size != CODEC_U64_SIZE)
		return false;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (!event_decode(&reader, context, event_out))
		return false;
	event_out->id = codec_load_u64(key->mv_data);
	return true;
}

bool event_is_skewed(const struct event *event)
{
	return event->id >> ID_NUMBER_BITS != first_id_of(event->time_s) >> ID_NUMBER_BITS;
}

bool event_is_release(const struct event *event)
{
	size_t length = strlen(EVENT_RELEASED);

	return event->evidence != NULL && strncmp(event->evidence, EVENT_RELEASED, length) == 0 &&
	       (event->evidence[length] == '\0' || event->evidence[length] == ' ');
}

bool event_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "event");
	struct event event;
	bool is_good = event_decode_record(key, value, context, &event);

	mem_free(context);
	return is_good;
}

struct event_walk {
	int64_t from_s;
	int64_t until_s;
	event_visitor *visitor;
	void *argument;
	uint64_t end_id; /* no event of the span has this id or a higher one */
	bool is_over;
};

static enum status visit_event(void *argument, const MDB_val *key, const MDB_val *value)
{
	struct event_walk *walk = argument;
	enum status status = STATUS_OK;
	struct event event;
	void *context;

	if (key->mv_size == CODEC_U64_SIZE && codec_load_u64(key->mv_data) >= walk->end_id) {
		walk->is_over = true;
		return STATUS_DIFFERENT;
	}
	context = mem_context(NULL, "event");
	if (event_decode_record(key, value, context, &event) && event.time_s >= walk->from_s &&
		event.time_s < walk->until_s)
		status = walk->visitor(walk->argument, &event);
	mem_free(context);
	return status;
}

/* Ids tell the time, but for those from a time when the clock had gone back. Where the horizon does
 * not decode, all are looked at. */
static uint64_t find_end(struct state *state, int64_t until_s)
{
	struct record_horizon horizon;
	uint64_t end_id = first_id_of(until_s);

	if (record_find_horizon(state, &horizon) != STATUS_OK || until_s >= ID_SECONDS_MAX - 1 ||
		horizon.skewed_id == UINT64_MAX)
		return UINT64_MAX;
	return end_id > horizon.skewed_id ? end_id : horizon.skewed_id + 1;
}

enum status record_walk_events(struct state *state, int64_t from_s, int64_t until_s,
	event_visitor *visitor, void *argument)
{
	struct event_walk walk = {.from_s = from_s,
		.until_s = until_s,
		.visitor = visitor,
		.argument = argument,
		.end_id = find_end(state, until_s)};
	unsigned char first[CODEC_U64_SIZE];
	MDB_val from = {.mv_size = sizeof first, .mv_data = first};
	enum status status;

	codec_store_u64(first, first_id_of(from_s));
	status = box_walk(state, BOX_EVENTS, from, visit_event, &walk);
	return walk.is_over ? STATUS_OK : status;
}

void event_id_format(uint64_t id, char *text_out)
{
	snprintf(text_out, EVENT_ID_TEXT_MAX, "%" PRIX64, id);
}

bool event_id_parse(const char *text, uint64_t *id_out)
{
	size_t length = text != NULL ? strnlen(text, ID_DIGITS_MAX + 1) : 0;
	uint64_t id = 0;

	if (length == 0 || length > ID_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		int digit = text_hex_digit(text[i]);

		if (digit < 0)
			return false;
		id = id << 4 | (unsigned)digit;
	}
	*id_out = id;
	return true;
}
