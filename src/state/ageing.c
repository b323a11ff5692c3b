/*
 * ageing.c: lets old events, rollups and reporters go, a few with each message, and knows from when
 * on there are any.
 *
 * Events stand in the order in which they were written, so the oldest are at the front. Those that
 * a clock that ran ahead put there are stepped over, not waited for: the place up to which they
 * reach is kept, and the next message goes on behind it. The newest event goes by hand only, since
 * ids count on from it. What is remembered of all this is one record in "meta", the horizon,
 * written with whatever it is about.
 */
#include <string.h>

#include "base/memory.h"
#include "state/parts.h"

enum {
	HORIZON_VERSION = 1,
	EVENTS_BUDGET = 8,  /* looked at with one message */
	ROLLUPS_BUDGET = 4, /* that go with one */
	REPORTERS_BUDGET = 4,
	HORIZON_SIZE = 1 + 6 * CODEC_U64_SIZE
};

/* What the caller sees, and where the search for old events goes on. */
struct horizon {
	struct record_horizon seen;
	uint64_t place;	   /* the id; 0: at the front */
	uint64_t floor_id; /* ids are above it; 0: those of the events that are there say so */
};

static bool decode_horizon(const MDB_val *value, struct horizon *horizon_out)
{
	struct codec_reader reader;

	*horizon_out = (struct horizon){.place = 0};
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != HORIZON_VERSION)
		return false;
	horizon_out->seen.events_from_s = codec_get_i64(&reader);
	horizon_out->seen.rollups_from_s = codec_get_i64(&reader);
	horizon_out->seen.rolled_id = codec_get_u64(&reader);
	horizon_out->seen.skewed_id = codec_get_u64(&reader);
	horizon_out->place = codec_get_u64(&reader);
	horizon_out->floor_id = codec_get_u64(&reader);
	return codec_is_complete(&reader);
}

bool ageing_check(const MDB_val *key, const MDB_val *value)
{
	struct horizon horizon;

	(void)key;
	return decode_horizon(value, &horizon);
}

static MDB_val horizon_key(void)
{
	return (MDB_val){.mv_size = strlen(META_HORIZON), .mv_data = (void *)META_HORIZON};
}

/* MDB_NOTFOUND when there is none yet, MDB_CORRUPTED when a newer program wrote it. */
static int get_horizon(struct state *state, MDB_txn *transaction, struct horizon *horizon_out)
{
	MDB_val key = horizon_key(), value;
	int code = mdb_get(transaction, state->dbis[BOX_META], &key, &value);

	*horizon_out = (struct horizon){.place = 0};
	if (code == MDB_SUCCESS && !decode_horizon(&value, horizon_out))
		code = MDB_CORRUPTED;
	return code;
}

static int put_horizon(struct state *state, MDB_txn *transaction, const struct horizon *horizon)
{
	const uint64_t numbers[] = {(uint64_t)horizon->seen.events_from_s,
		(uint64_t)horizon->seen.rollups_from_s, horizon->seen.rolled_id,
		horizon->seen.skewed_id, horizon->place, horizon->floor_id};
	unsigned char data[HORIZON_SIZE] = {HORIZON_VERSION};
	MDB_val key = horizon_key(), value = {.mv_size = sizeof data, .mv_data = data};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		codec_store_u64(data + 1 + i * CODEC_U64_SIZE, numbers[i]);
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

/* ---- events ---- */

/* A search for events of before before_s. */
struct expiry {
	int64_t now;
	int64_t before_s;
	size_t budget;
};

/* The event under the cursor goes. One that no rollup has yet is added to its hour's first. */
static int let_go(struct state *state, MDB_txn *transaction, MDB_cursor *cursor,
	const struct event *event, struct horizon *horizon)
{
	int code = MDB_SUCCESS;

	if (event->id < horizon->seen.rolled_id)
		code = rollup_add(state, transaction, event);
	if (code == MDB_SUCCESS)
		code = mdb_cursor_del(cursor, 0);
	if (code == MDB_SUCCESS && event->time_s >= horizon->seen.events_from_s)
		horizon->seen.events_from_s = event->time_s + 1;
	return code;
}

/* The first event at or behind the place. MDB_NOTFOUND: none that may go; the newest may not. */
static int seek_event(MDB_cursor *cursor, uint64_t place, MDB_val *key, MDB_val *value)
{
	unsigned char bytes[CODEC_U64_SIZE], newest[CODEC_U64_SIZE];
	int code = mdb_cursor_get(cursor, key, NULL, MDB_LAST);

	if (code != MDB_SUCCESS || key->mv_size != sizeof newest)
		return code == MDB_SUCCESS ? MDB_NOTFOUND : code;
	memcpy(newest, key->mv_data, sizeof newest);
	codec_store_u64(bytes, place);
	*key = (MDB_val){.mv_size = sizeof bytes, .mv_data = bytes};
	code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (code == MDB_SUCCESS && memcmp(key->mv_data, newest, sizeof newest) == 0)
		code = MDB_NOTFOUND;
	return code;
}

/* True when the search is at its end: nothing behind is older. */
static int look_at(struct state *state, MDB_txn *transaction, MDB_cursor *cursor,
	struct expiry *expiry, struct horizon *horizon, bool *is_end_out)
{
	void *context;
	struct event event;
	MDB_val key, value;
	int code = seek_event(cursor, horizon->place, &key, &value);

	*is_end_out = code != MDB_SUCCESS;
	if (code != MDB_SUCCESS)
		return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
	context = mem_context(NULL, "event");
	if (!event_decode_record(&key, &value, context, &event)) {
		horizon->place = codec_load_u64(key.mv_data) + 1; /* a newer program's: it stays */
	} else if (event.time_s > expiry->now) {
		horizon->place = event.id + 1;
	} else if (event.time_s >= expiry->before_s) {
		*is_end_out = true;
	} else {
		code = let_go(state, transaction, cursor, &event, horizon);
	}
	mem_free(context);
	return code;
}

static int expire_events(
	struct state *state, MDB_txn *transaction, struct expiry *expiry, struct horizon *horizon)
{
	MDB_cursor *cursor = NULL;
	bool is_end = false;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_EVENTS], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	for (size_t i = 0; i < expiry->budget && code == MDB_SUCCESS && !is_end; i++)
		code = look_at(state, transaction, cursor, expiry, horizon, &is_end);
	if (is_end)
		horizon->place = 0;
	mdb_cursor_close(cursor);
	return code;
}

/* ---- with each message ---- */

static int expire_all(
	struct state *state, MDB_txn *transaction, int64_t now, struct horizon *horizon)
{
	const struct record_policy *policy = &state->policy;
	int code = MDB_SUCCESS;

	if (policy->events_s > 0) {
		struct expiry expiry = {now, now - policy->events_s, EVENTS_BUDGET};
		const struct sweep_plan reporters = {BOX_REPORTERS, META_SWEEP_REPORTERS,
			counter_decode_last, now - policy->events_s, REPORTERS_BUDGET};

		code = expire_events(state, transaction, &expiry, horizon);
		if (code == MDB_SUCCESS)
			code = sweep_run(state, transaction, &reporters);
	}
	if (policy->rollups_s > 0 && code == MDB_SUCCESS) {
		const struct rollup_expiry expiry = {
			now - policy->rollups_s, ROLLUPS_BUDGET, &horizon->seen.rollups_from_s};

		code = rollup_expire(state, transaction, &expiry);
	}
	return code;
}

int ageing_run(struct state *state, MDB_txn *transaction, const struct event *event)
{
	struct horizon horizon, before;
	int code = get_horizon(state, transaction, &horizon);
	bool is_new = code == MDB_NOTFOUND;

	if (code == MDB_CORRUPTED)
		return MDB_SUCCESS;
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		return code;
	before = horizon;
	if (is_new || horizon.seen.rolled_id == UINT64_MAX) {
		horizon.seen.rolled_id = event->id;
		horizon.seen.skewed_id = event->id; /* nothing is known of those before */
	}
	if (event_is_skewed(event))
		horizon.seen.skewed_id = event->id;
	code = rollup_add(state, transaction, event);
	if (code == MDB_SUCCESS)
		code = expire_all(state, transaction, event->time_s, &horizon);
	if (code == MDB_SUCCESS && (is_new || memcmp(&before, &horizon, sizeof before) != 0))
		code = put_horizon(state, transaction, &horizon);
	return code;
}

/* ---- by hand ---- */

/* The horizon, or one that says that no event is in a rollup yet. */
static int get_or_begin(struct state *state, MDB_txn *transaction, struct horizon *horizon_out)
{
	int code = get_horizon(state, transaction, horizon_out);

	if (code != MDB_NOTFOUND)
		return code;
	horizon_out->seen.rolled_id = UINT64_MAX;
	horizon_out->seen.skewed_id = UINT64_MAX;
	return MDB_SUCCESS;
}

/* With the newest, what ids count on from would be gone. */
static int keep_floor(MDB_cursor *cursor, const struct event *event, struct horizon *horizon)
{
	MDB_val key, value;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);

	if (code == MDB_NOTFOUND && event->id >= horizon->floor_id)
		horizon->floor_id = event->id;
	if (code == MDB_NOTFOUND)
		return mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	return code == MDB_SUCCESS ? mdb_cursor_get(cursor, &key, &value, MDB_PREV) : code;
}

int ageing_forget_event(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *key)
{
	void *context = mem_context(NULL, "event");
	struct horizon horizon;
	struct event event;
	MDB_val at, value;
	int code = get_or_begin(state, transaction, &horizon);

	(void)key; /* it is the cursor's */
	if (code == MDB_SUCCESS)
		code = mdb_cursor_get(cursor, &at, &value, MDB_GET_CURRENT);
	if (code == MDB_SUCCESS && !event_decode_record(&at, &value, context, &event)) {
		code = mdb_cursor_del(cursor, 0);
	} else if (code == MDB_SUCCESS) {
		code = keep_floor(cursor, &event, &horizon);
		if (code == MDB_SUCCESS)
			code = let_go(state, transaction, cursor, &event, &horizon);
		if (code == MDB_SUCCESS)
			code = put_horizon(state, transaction, &horizon);
	}
	mem_free(context);
	return code;
}

int ageing_forget_rollup(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *key)
{
	int64_t end_s = key->mv_size < CODEC_U64_SIZE
				? 0
				: (int64_t)codec_load_u64(key->mv_data) + ROLLUP_S;
	struct horizon horizon;
	int code = get_or_begin(state, transaction, &horizon);

	if (code == MDB_SUCCESS)
		code = mdb_cursor_del(cursor, 0);
	if (code != MDB_SUCCESS || end_s <= horizon.seen.rollups_from_s)
		return code;
	horizon.seen.rollups_from_s = end_s;
	return put_horizon(state, transaction, &horizon);
}

int ageing_raise_id(struct state *state, MDB_txn *transaction, uint64_t *id)
{
	struct horizon horizon;
	int code = get_horizon(state, transaction, &horizon);

	if (code == MDB_SUCCESS && horizon.floor_id != 0 && *id <= horizon.floor_id)
		*id = horizon.floor_id + 1;
	return code == MDB_NOTFOUND || code == MDB_CORRUPTED ? MDB_SUCCESS : code;
}

/* ---- what is there ---- */

static int find_horizon(struct state *state, MDB_txn *transaction, void *argument)
{
	return get_horizon(state, transaction, argument);
}

enum status record_find_horizon(struct state *state, struct record_horizon *horizon_out)
{
	struct horizon horizon;
	enum status status = box_read(state, find_horizon, &horizon);

	*horizon_out = horizon.seen;
	if (status == STATUS_NOT_FOUND)
		*horizon_out =
			(struct record_horizon){.rolled_id = UINT64_MAX, .skewed_id = UINT64_MAX};
	horizon_out->events_s = state->policy.events_s;
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

void record_set_policy(struct state *state, const struct record_policy *policy)
{
	state->policy = *policy;
}
