/*
 * held.c: messages that are still kept: dropped ones until they expire, held ones until somebody
 * decides.
 *
 * Key: the id of the event. The record repeats the event, so that it outlives it. Leaves the files
 * themselves to whoever filed them.
 */
#include <stdio.h>

#include "base/memory.h"
#include "state/parts.h"

enum { HELD_VERSION = 2 };

uint64_t held_stored(const struct event *event)
{
	return event->stored != 0 ? event->stored : event->size;
}

/* Version 1 had no number of bytes on disk: its files are not compressed. */
static void encode(struct codec_writer *writer, const struct held *held)
{
	codec_put_u8(writer, HELD_VERSION);
	codec_put_i64(writer, held->expires_s);
	codec_put_u64(writer, held_stored(&held->event));
	codec_put_string(writer, held->file, EVENT_STRING_MAX);
	event_encode(writer, &held->event);
}

static bool decode(
	const MDB_val *key, const MDB_val *value, const void *context, struct held *held_out)
{
	struct codec_reader reader;
	uint64_t stored = 0;
	uint8_t version;

	if (key->mv_size != CODEC_U64_SIZE)
		return false;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	version = codec_get_u8(&reader);
	if (version < 1 || version > HELD_VERSION)
		return false;
	held_out->expires_s = codec_get_i64(&reader);
	if (version > 1)
		stored = codec_get_u64(&reader);
	held_out->file = codec_get_string(&reader, context);
	if (!event_decode(&reader, context, &held_out->event))
		return false;
	held_out->event.stored = stored != 0 ? stored : held_out->event.size;
	held_out->event.id = codec_load_u64(key->mv_data);
	return held_out->file != NULL;
}

int held_put(struct state *state, MDB_txn *transaction, const struct held *held)
{
	void *context = mem_context(NULL, "held");
	unsigned char id[CODEC_U64_SIZE];
	MDB_val key = {.mv_size = sizeof id, .mv_data = id};
	struct codec_writer writer;
	MDB_val value;
	int code;

	codec_store_u64(id, held->event.id);
	codec_writer_init(&writer, context);
	encode(&writer, held);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	code = mdb_put(transaction, state->dbis[BOX_HELD], &key, &value, 0);
	if (code == MDB_SUCCESS)
		code = expiry_put(state, transaction, held);
	mem_free(context);
	return code;
}

int held_take(struct state *state, MDB_txn *transaction, uint64_t id, char *file_out)
{
	void *context = mem_context(NULL, "held");
	unsigned char bytes[CODEC_U64_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value;
	struct held held;
	int code;

	codec_store_u64(bytes, id);
	code = mdb_get(transaction, state->dbis[BOX_HELD], &key, &value);
	if (code == MDB_SUCCESS && !decode(&key, &value, context, &held))
		code = MDB_CORRUPTED;
	if (code == MDB_SUCCESS)
		code = expiry_remove(state, transaction, &held);
	if (code == MDB_SUCCESS && held.expires_s == 0)
		code = owed_forget(state, transaction, held.event.list, id);
	if (code == MDB_SUCCESS) {
		snprintf(file_out, SWEEP_NAME_MAX, "%s", held.file);
		code = mdb_del(transaction, state->dbis[BOX_HELD], &key, NULL);
	}
	mem_free(context);
	return code;
}

int held_expire(struct state *state, MDB_txn *transaction, uint64_t id, int64_t expires_s)
{
	void *context = mem_context(NULL, "held");
	unsigned char bytes[CODEC_U64_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value;
	struct held held;
	int code;

	codec_store_u64(bytes, id);
	code = mdb_get(transaction, state->dbis[BOX_HELD], &key, &value);
	if (code == MDB_SUCCESS && decode(&key, &value, context, &held)) {
		code = expiry_remove(state, transaction, &held);
		held.expires_s = expires_s;
		if (code == MDB_SUCCESS)
			code = held_put(state, transaction, &held);
	}
	mem_free(context);
	return code;
}

bool held_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "held");
	struct held held;
	bool is_good = decode(key, value, context, &held);

	mem_free(context);
	return is_good;
}

struct held_walk {
	held_visitor *visitor;
	void *argument;
};

static enum status visit_held(void *argument, const MDB_val *key, const MDB_val *value)
{
	const struct held_walk *walk = argument;
	void *context = mem_context(NULL, "held");
	enum status status = STATUS_OK;
	struct held held;

	if (decode(key, value, context, &held))
		status = walk->visitor(walk->argument, &held);
	mem_free(context);
	return status;
}

enum status record_walk_held(struct state *state, held_visitor *visitor, void *argument)
{
	struct held_walk walk = {visitor, argument};

	return box_walk(state, BOX_HELD, (MDB_val){.mv_size = 0}, visit_held, &walk);
}

struct search {
	uint64_t id;
	const void *context;
	struct held *held; /* the result */
};

static int find_held(struct state *state, MDB_txn *transaction, void *argument)
{
	struct search *search = argument;
	unsigned char id[CODEC_U64_SIZE];
	MDB_val key = {.mv_size = sizeof id, .mv_data = id};
	MDB_val value;
	int code;

	codec_store_u64(id, search->id);
	code = mdb_get(transaction, state->dbis[BOX_HELD], &key, &value);
	if (code != MDB_SUCCESS)
		return code;
	search->held = mem_new(search->context, struct held);
	if (decode(&key, &value, search->held, search->held))
		return MDB_SUCCESS;
	mem_free(search->held);
	search->held = NULL;
	return MDB_CORRUPTED;
}

enum status record_find_held(
	struct state *state, const void *context, uint64_t id, struct held **held_out)
{
	struct search search = {.id = id, .context = context};
	enum status status = box_read(state, find_held, &search);

	*held_out = search.held;
	return status;
}

struct removal {
	uint64_t id;
	const struct audit_entry *audit; /* or NULL */
};

static int remove_held(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct removal *removal = argument;
	unsigned char id[CODEC_U64_SIZE];
	MDB_val key = {.mv_size = sizeof id, .mv_data = id};
	char file[SWEEP_NAME_MAX];
	int code = held_take(state, transaction, removal->id, file);

	if (code == MDB_CORRUPTED) {
		/* A record that cannot be read must still be removable. */
		codec_store_u64(id, removal->id);
		code = mdb_del(transaction, state->dbis[BOX_HELD], &key, NULL);
	}
	if (code == MDB_SUCCESS && removal->audit != NULL)
		code = audit_put(state, transaction, removal->audit);
	return code;
}

enum status record_purge_held(struct state *state, uint64_t id, const struct audit_entry *audit)
{
	struct removal removal = {id, audit};

	return box_write(state, remove_held, &removal);
}

enum status record_remove_held(struct state *state, uint64_t id)
{
	return record_purge_held(state, id, NULL);
}
