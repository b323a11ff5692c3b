/*
 * expiry.c: in which order what is kept of dropped mail goes, and how much disk it takes.
 *
 * "expiry" is an index over "held": when, id. The oldest stands first, so a few can go with each
 * message without a search. The bytes of all that is in it are one number in "meta". Held mail,
 * which waits for a person, is in neither: it never goes by itself.
 */
#include <string.h>

#include "base/memory.h"
#include "state/parts.h"

enum { EXPIRY_VERSION = 1, KEPT_VERSION = 1, EXPIRY_KEY_SIZE = 2 * CODEC_U64_SIZE };

static void make_key(unsigned char *bytes, int64_t expires_s, uint64_t id)
{
	codec_store_u64(bytes, (uint64_t)expires_s);
	codec_store_u64(bytes + CODEC_U64_SIZE, id);
}

static bool decode_number(const MDB_val *value, uint8_t version, uint64_t *number_out)
{
	struct codec_reader reader;

	*number_out = 0;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != version)
		return false;
	*number_out = codec_get_u64(&reader);
	return codec_is_complete(&reader);
}

bool expiry_check(const MDB_val *key, const MDB_val *value)
{
	uint64_t size;

	return key->mv_size == EXPIRY_KEY_SIZE && decode_number(value, EXPIRY_VERSION, &size);
}

bool expiry_check_kept(const MDB_val *key, const MDB_val *value)
{
	uint64_t bytes;

	(void)key;
	return decode_number(value, KEPT_VERSION, &bytes);
}

static MDB_val kept_key(void)
{
	return (MDB_val){.mv_size = strlen(META_KEPT), .mv_data = (void *)META_KEPT};
}

static int get_kept(struct state *state, MDB_txn *transaction, uint64_t *bytes_out)
{
	MDB_val key = kept_key(), value;
	int code = mdb_get(transaction, state->dbis[BOX_META], &key, &value);

	*bytes_out = 0;
	if (code == MDB_SUCCESS)
		decode_number(&value, KEPT_VERSION, bytes_out);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static int put_kept(struct state *state, MDB_txn *transaction, uint64_t bytes)
{
	unsigned char data[1 + CODEC_U64_SIZE] = {KEPT_VERSION};
	MDB_val key = kept_key(), value = {.mv_size = sizeof data, .mv_data = data};

	codec_store_u64(data + 1, bytes);
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

int expiry_put(struct state *state, MDB_txn *transaction, const struct held *held)
{
	unsigned char bytes[EXPIRY_KEY_SIZE], data[1 + CODEC_U64_SIZE] = {EXPIRY_VERSION};
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value = {.mv_size = sizeof data, .mv_data = data};
	uint64_t kept;
	int code;

	if (held->expires_s == 0)
		return MDB_SUCCESS;
	make_key(bytes, held->expires_s, held->event.id);
	codec_store_u64(data + 1, held_stored(&held->event));
	code = mdb_put(transaction, state->dbis[BOX_EXPIRY], &key, &value, 0);
	if (code == MDB_SUCCESS)
		code = get_kept(state, transaction, &kept);
	if (code == MDB_SUCCESS)
		code = put_kept(state, transaction, kept + held_stored(&held->event));
	return code;
}

int expiry_remove(struct state *state, MDB_txn *transaction, const struct held *held)
{
	unsigned char bytes[EXPIRY_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	uint64_t kept;
	int code;

	make_key(bytes, held->expires_s, held->event.id);
	code = mdb_del(transaction, state->dbis[BOX_EXPIRY], &key, NULL);
	if (code != MDB_SUCCESS) /* not in the index: nothing to take away */
		return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
	code = get_kept(state, transaction, &kept);
	if (code != MDB_SUCCESS)
		return code;
	return put_kept(state, transaction,
		kept > held_stored(&held->event) ? kept - held_stored(&held->event) : 0);
}

/* The first of the index; MDB_NOTFOUND when it is empty. */
static int find_oldest(
	struct state *state, MDB_txn *transaction, int64_t *expires_s_out, uint64_t *id_out)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_EXPIRY], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	if (code == MDB_SUCCESS && key.mv_size == EXPIRY_KEY_SIZE) {
		*expires_s_out = (int64_t)codec_load_u64(key.mv_data);
		*id_out = codec_load_u64((const unsigned char *)key.mv_data + CODEC_U64_SIZE);
	} else if (code == MDB_SUCCESS) {
		code = mdb_cursor_del(cursor, 0);
		*id_out = 0;
	}
	mdb_cursor_close(cursor);
	return code;
}

/* An index row whose record is gone: only the row goes. */
static int remove_row(struct state *state, MDB_txn *transaction, int64_t expires_s, uint64_t id)
{
	unsigned char bytes[EXPIRY_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};

	make_key(bytes, expires_s, id);
	return mdb_del(transaction, state->dbis[BOX_EXPIRY], &key, NULL);
}

int expiry_sweep(
	struct state *state, MDB_txn *transaction, const struct event *event, struct sweep *sweep)
{
	int code = MDB_SUCCESS;

	sweep->count = 0;
	for (size_t i = 0; i < SWEEP_MAX && code == MDB_SUCCESS; i++) {
		int64_t expires_s = 0;
		uint64_t id = 0, kept;

		code = get_kept(state, transaction, &kept);
		if (code == MDB_SUCCESS)
			code = find_oldest(state, transaction, &expires_s, &id);
		if (code != MDB_SUCCESS || id == event->id)
			break;
		if (expires_s > event->time_s &&
			(sweep->limit_bytes == 0 || kept <= sweep->limit_bytes))
			break;
		code = held_take(state, transaction, id, sweep->files[sweep->count]);
		if (code == MDB_SUCCESS)
			sweep->count++;
		else if (code == MDB_NOTFOUND || code == MDB_CORRUPTED)
			code = remove_row(state, transaction, expires_s, id);
	}
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}
