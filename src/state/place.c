/*
 * place.c: "storms" as bytes: the places, the row of each that is open, and the storms that are
 * over.
 *
 * Keys: that of a place (place.h); 'a' and that key for an open one, so that what is due is found
 * without looking at every list; 'p', the end (8 bytes) and 8 of SHA-256 of the name for a storm
 * that is over. Lists are those of the configuration: no stranger makes places.
 */
#include "state/place.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"

enum {
	PLACE_VERSION = 1,
	PAST_VERSION = 1,
	OPEN_VERSION = 1,
	PAST_HASH_SIZE = 8,
	PAST_KEY_SIZE = 1 + CODEC_U64_SIZE + PAST_HASH_SIZE,
	NAME_STORED_MAX = 512,
	PAST_SWEEP_MAX = 8 /* that go with one that comes */
};

#define TIME_MAX ((int64_t)1 << 50) /* what is beyond is damage */

static void put_storm(struct codec_writer *writer, const struct storm *storm)
{
	const uint64_t numbers[] = {
		storm->total, storm->genuine, storm->unproven, storm->backscatter, storm->held};

	codec_put_i64(writer, storm->began_s);
	codec_put_i64(writer, storm->ended_s);
	rate_put_number(writer, storm->usual);
	rate_put_number(writer, storm->limit);
	rate_put_number(writer, storm->peak);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		codec_put_u64(writer, numbers[i]);
}

static int64_t get_time(struct codec_reader *reader)
{
	int64_t time_s = codec_get_i64(reader);

	if (time_s > -TIME_MAX && time_s < TIME_MAX)
		return time_s;
	reader->is_bad = true;
	return 0;
}

static void get_storm(struct codec_reader *reader, struct storm *storm)
{
	uint64_t *const numbers[] = {&storm->total, &storm->genuine, &storm->unproven,
		&storm->backscatter, &storm->held};

	storm->began_s = get_time(reader);
	storm->ended_s = get_time(reader);
	storm->usual = rate_get_number(reader);
	storm->limit = rate_get_number(reader);
	storm->peak = rate_get_number(reader);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		*numbers[i] = codec_get_u64(reader);
}

static void encode(struct codec_writer *writer, const struct place *place)
{
	codec_put_u8(writer, PLACE_VERSION);
	codec_put_string(writer, place->name, NAME_STORED_MAX);
	rate_encode(writer, &place->rate);
	rate_put_number(writer, place->recent);
	rate_put_number(writer, place->past);
	codec_put_i64(writer, place->past_s);
	codec_put_u8(writer, place->is_on);
	codec_put_i64(writer, place->quiet_s);
	put_storm(writer, &place->storm);
	for (size_t i = 0; i < STORM_NOTICE_COUNT; i++) {
		codec_put_i64(writer, place->notices[i].due_s);
		codec_put_i64(writer, place->notices[i].told_s);
		codec_put_u64(writer, place->notices[i].number);
	}
	codec_put_u64(writer, place->last_number);
	codec_put_i64(writer, place->lease_s);
	codec_put_u64(writer, place->lease);
}

static bool decode(const MDB_val *value, const void *context, struct place *place_out)
{
	struct codec_reader reader;
	struct place place = {.name = NULL};

	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != PLACE_VERSION)
		return false;
	place.name = codec_get_string(&reader, context);
	rate_decode(&reader, &place.rate);
	place.recent = rate_get_number(&reader);
	place.past = rate_get_number(&reader);
	place.past_s = get_time(&reader);
	place.is_on = codec_get_below(&reader, 2) != 0;
	place.quiet_s = get_time(&reader);
	get_storm(&reader, &place.storm);
	for (size_t i = 0; i < STORM_NOTICE_COUNT; i++) {
		place.notices[i].due_s = get_time(&reader);
		place.notices[i].told_s = get_time(&reader);
		place.notices[i].number = codec_get_u64(&reader);
	}
	place.last_number = codec_get_u64(&reader);
	place.lease_s = get_time(&reader);
	place.lease = codec_get_u64(&reader);
	*place_out = place;
	return codec_is_complete(&reader) && place.name != NULL;
}

static bool decode_past(const MDB_val *value, const void *context, struct storm *storm_out)
{
	struct codec_reader reader;

	*storm_out = (struct storm){.list = NULL};
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != PAST_VERSION)
		return false;
	storm_out->list = codec_get_string(&reader, context);
	get_storm(&reader, storm_out);
	return codec_is_complete(&reader) && storm_out->list != NULL;
}

static bool is_open_row(const MDB_val *value)
{
	return value->mv_size == 1 && *(const unsigned char *)value->mv_data == OPEN_VERSION;
}

bool place_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "place");
	struct place place;
	struct storm storm;
	bool is_good = false;

	switch (*(const char *)key->mv_data) {
	case 'a':
		is_good = is_open_row(value);
		break;
	case 'p':
		is_good = key->mv_size == PAST_KEY_SIZE && decode_past(value, context, &storm);
		break;
	case 'h':
	case 'l':
	case 'L':
		is_good = decode(value, context, &place);
		break;
	}
	mem_free(context);
	return is_good;
}

static void make_key(const char *name, struct place_key *key_out)
{
	size_t length = strlen(name);

	key_out->bytes[0] = length == 0 ? 'h' : length <= PLACE_NAME_MAX ? 'l' : 'L';
	key_out->size = 1 + length;
	if (length <= PLACE_NAME_MAX) {
		memcpy(key_out->bytes + 1, name, length);
		return;
	}
	key_out->size = 1 + HASH_SHA256_SIZE;
	hash_sha256(name, length, key_out->bytes + 1);
}

int place_get(struct state *state, MDB_txn *transaction, const void *context, const char *name,
	struct place *place_out)
{
	struct place_key bytes;
	MDB_val key, value;
	int code;

	*place_out = (struct place){.name = name};
	make_key(name, &bytes);
	key = (MDB_val){.mv_size = bytes.size, .mv_data = bytes.bytes};
	code = mdb_get(transaction, state->dbis[BOX_STORMS], &key, &value);
	if (code == MDB_SUCCESS && !decode(&value, context, place_out)) {
		*place_out = (struct place){.name = name};
		code = MDB_NOTFOUND;
	}
	return code;
}

/* The row in or out, when that is not as it should be. */
static int put_open(
	struct state *state, MDB_txn *transaction, const struct place_key *place_key, bool is_open)
{
	unsigned char bytes[1 + sizeof place_key->bytes] = {'a'}, data[] = {OPEN_VERSION};
	MDB_val key = {.mv_size = 1 + place_key->size, .mv_data = bytes};
	MDB_val value = {.mv_size = sizeof data, .mv_data = data}, there;
	MDB_dbi dbi = state->dbis[BOX_STORMS];
	int code;

	memcpy(bytes + 1, place_key->bytes, place_key->size);
	code = mdb_get(transaction, dbi, &key, &there);
	if (code == MDB_NOTFOUND && is_open)
		return mdb_put(transaction, dbi, &key, &value, 0);
	if (code == MDB_SUCCESS && !is_open)
		return mdb_del(transaction, dbi, &key, NULL);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

int place_put(struct state *state, MDB_txn *transaction, const struct place *place)
{
	void *context = mem_context(NULL, "place");
	struct codec_writer writer;
	struct place_key bytes;
	MDB_val key, value;
	int code;

	make_key(place->name, &bytes);
	codec_writer_init(&writer, context);
	encode(&writer, place);
	key = (MDB_val){.mv_size = bytes.size, .mv_data = bytes.bytes};
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	code = mdb_put(transaction, state->dbis[BOX_STORMS], &key, &value, 0);
	if (code == MDB_SUCCESS)
		code = put_open(state, transaction, &bytes, place_is_open(place));
	mem_free(context);
	return code;
}

static bool is_row_of_open(const MDB_val *key)
{
	return key->mv_size > 1 && key->mv_size <= 2 + PLACE_NAME_MAX &&
	       *(const char *)key->mv_data == 'a';
}

int place_next_open(struct state *state, MDB_txn *transaction, const void *context,
	struct place_key *key, struct place *place_out)
{
	MDB_cursor *cursor = NULL;
	MDB_val row = {.mv_size = key->size, .mv_data = key->bytes}, value;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_STORMS], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	if (key->size == 0)
		row = (MDB_val){.mv_size = 1, .mv_data = "a"};
	code = mdb_cursor_get(cursor, &row, &value, MDB_SET_RANGE);
	if (code == MDB_SUCCESS && row.mv_size == key->size &&
		memcmp(row.mv_data, key->bytes, key->size) == 0)
		code = mdb_cursor_get(cursor, &row, &value, MDB_NEXT);
	while (code == MDB_SUCCESS) {
		if (!is_row_of_open(&row)) {
			code = MDB_NOTFOUND;
			break;
		}
		key->size = row.mv_size;
		memcpy(key->bytes, row.mv_data, row.mv_size);
		row = (MDB_val){.mv_size = key->size - 1, .mv_data = key->bytes + 1};
		code = mdb_get(transaction, state->dbis[BOX_STORMS], &row, &value);
		if (code == MDB_SUCCESS && decode(&value, context, place_out))
			break;
		/* What cannot be read is passed over. */
		code = code == MDB_SUCCESS || code == MDB_NOTFOUND
			       ? mdb_cursor_get(cursor, &row, &value, MDB_NEXT)
			       : code;
	}
	mdb_cursor_close(cursor);
	return code;
}

/* ---- storms that are over ---- */

static void make_past_key(const char *name, int64_t ended_s, unsigned char *bytes)
{
	unsigned char hash[HASH_SHA256_SIZE];

	bytes[0] = 'p';
	codec_store_u64(bytes + 1, (uint64_t)ended_s);
	hash_sha256(name, strlen(name), hash);
	memcpy(bytes + 1 + CODEC_U64_SIZE, hash, PAST_HASH_SIZE);
}

static bool is_past(const MDB_val *key)
{
	return key->mv_size == PAST_KEY_SIZE && *(const char *)key->mv_data == 'p';
}

bool place_decode_past_end(const MDB_val *key, int64_t *ended_s_out)
{
	*ended_s_out = 0;
	if (!is_past(key))
		return false;
	*ended_s_out = (int64_t)codec_load_u64((const unsigned char *)key->mv_data + 1);
	return true;
}

/* How many there are, as far as that matters. */
static size_t count_past(MDB_cursor *cursor)
{
	MDB_val key = {.mv_size = 1, .mv_data = "p"}, value;
	size_t count = 0;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	for (; code == MDB_SUCCESS && is_past(&key) && count <= STORM_KEPT_MAX; count++)
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	return count;
}

/* A storm that ends is rare, so counting them all is cheap enough. */
static int sweep_past(struct state *state, MDB_txn *transaction, int64_t now)
{
	MDB_cursor *cursor = NULL;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_STORMS], &cursor);
	size_t count = code == MDB_SUCCESS ? count_past(cursor) : 0;

	for (size_t i = 0; i < PAST_SWEEP_MAX && code == MDB_SUCCESS; i++, count--) {
		MDB_val key = {.mv_size = 1, .mv_data = "p"}, value;
		code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
		if (code != MDB_SUCCESS || !is_past(&key))
			break;
		if (count <= STORM_KEPT_MAX &&
			(int64_t)codec_load_u64((unsigned char *)key.mv_data + 1) >
				now - STORM_KEPT_S)
			break;
		code = mdb_cursor_del(cursor, 0);
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

int place_put_past(
	struct state *state, MDB_txn *transaction, const struct storm *storm, int64_t now)
{
	void *context = mem_context(NULL, "past storm");
	unsigned char bytes[PAST_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
	struct codec_writer writer;
	int code;

	make_past_key(storm->list, storm->ended_s, bytes);
	codec_writer_init(&writer, context);
	codec_put_u8(&writer, PAST_VERSION);
	codec_put_string(&writer, storm->list, NAME_STORED_MAX);
	put_storm(&writer, storm);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	code = mdb_put(transaction, state->dbis[BOX_STORMS], &key, &value, 0);
	if (code == MDB_SUCCESS)
		code = sweep_past(state, transaction, now);
	mem_free(context);
	return code;
}

int place_remove_past(struct state *state, MDB_txn *transaction, const char *name, int64_t ended_s)
{
	unsigned char bytes[PAST_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	int code;

	make_past_key(name, ended_s, bytes);
	code = mdb_del(transaction, state->dbis[BOX_STORMS], &key, NULL);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

struct past_walk {
	storm_visitor *visitor;
	void *argument;
};

static enum status visit_past(void *argument, const MDB_val *key, const MDB_val *value)
{
	const struct past_walk *walk = argument;
	void *context = mem_context(NULL, "past storm");
	enum status status = STATUS_OK;
	struct storm storm;

	if (is_past(key) && decode_past(value, context, &storm))
		status = walk->visitor(walk->argument, &storm);
	mem_free(context);
	return status;
}

enum status place_walk_past(struct state *state, storm_visitor *visitor, void *argument)
{
	struct past_walk walk = {visitor, argument};

	return box_walk(
		state, BOX_STORMS, (MDB_val){.mv_size = 1, .mv_data = "p"}, visit_past, &walk);
}
