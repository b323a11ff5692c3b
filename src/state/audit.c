/*
 * audit.c: the account of who did what.
 *
 * Key: an id as of an event, counted apart. Entries are few (people write them), so the oldest go
 * with the next one that is written, by order of key.
 */
#include "state/audit.h"

#include "base/memory.h"
#include "state/parts.h"

enum {
	AUDIT_VERSION = 1,
	COMMAND_MAX = 64,
	LOGIN_MAX = 256,
	OBJECT_MAX = 512,
	SWEEP_ENTRIES_MAX = 16 /* old ones that go with one */
};

static void encode(struct codec_writer *writer, const struct audit_entry *entry)
{
	codec_put_u8(writer, AUDIT_VERSION);
	codec_put_i64(writer, entry->time_s);
	codec_put_u32(writer, entry->who.user);
	codec_put_u32(writer, entry->who.effective_user);
	codec_put_string(writer, entry->who.login, LOGIN_MAX);
	codec_put_string(writer, entry->who.source, COMMAND_MAX);
	codec_put_string(writer, entry->command, COMMAND_MAX);
	codec_put_string(writer, entry->object, OBJECT_MAX);
	codec_put_string(writer, entry->before, AUDIT_TEXT_MAX);
	codec_put_string(writer, entry->after, AUDIT_TEXT_MAX);
	codec_put_string(writer, entry->note, OBJECT_MAX);
}

static bool decode(const MDB_val *key, const MDB_val *value, const void *context,
	struct audit_entry *entry_out)
{
	struct codec_reader reader;

	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (key->mv_size != CODEC_U64_SIZE || codec_get_u8(&reader) != AUDIT_VERSION)
		return false;
	entry_out->id = codec_load_u64(key->mv_data);
	entry_out->time_s = codec_get_i64(&reader);
	entry_out->who.user = codec_get_u32(&reader);
	entry_out->who.effective_user = codec_get_u32(&reader);
	entry_out->who.login = codec_get_string(&reader, context);
	entry_out->who.source = codec_get_string(&reader, context);
	entry_out->command = codec_get_string(&reader, context);
	entry_out->object = codec_get_string(&reader, context);
	entry_out->before = codec_get_string(&reader, context);
	entry_out->after = codec_get_string(&reader, context);
	entry_out->note = codec_get_string(&reader, context);
	return codec_is_complete(&reader);
}

bool audit_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "audit");
	struct audit_entry entry;
	bool is_good = decode(key, value, context, &entry);

	mem_free(context);
	return is_good;
}

/* Lets the oldest entries go while they are too old. One that does not decode ends it: a newer
 * program may have written it. */
static int sweep(struct state *state, MDB_txn *transaction, int64_t now)
{
	int64_t lifetime_s =
		state->policy.rollups_s > 0 ? state->policy.rollups_s : AUDIT_LIFETIME_S;
	void *context = mem_context(NULL, "audit");
	MDB_cursor *cursor = NULL;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_AUDIT], &cursor);

	for (int i = 0; i < SWEEP_ENTRIES_MAX && code == MDB_SUCCESS; i++) {
		struct audit_entry entry;
		MDB_val key, value;

		code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		if (code != MDB_SUCCESS || !decode(&key, &value, context, &entry) ||
			entry.time_s + lifetime_s > now)
			break;
		code = mdb_cursor_del(cursor, 0);
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	mem_free(context);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

int audit_put(struct state *state, MDB_txn *transaction, const struct audit_entry *entry)
{
	void *context = mem_context(NULL, "audit");
	struct audit_entry whole = *entry;
	unsigned char id[CODEC_U64_SIZE];
	MDB_val key = {.mv_size = sizeof id, .mv_data = id};
	struct codec_writer writer;
	MDB_val value;
	int code = event_next_id_in(state, transaction, BOX_AUDIT, entry->time_s, &whole.id);

	if (whole.who.login == NULL)
		who_find(context, &whole.who);
	codec_store_u64(id, whole.id);
	codec_writer_init(&writer, context);
	encode(&writer, &whole);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	if (code == MDB_SUCCESS)
		code = mdb_put(transaction, state->dbis[BOX_AUDIT], &key, &value, 0);
	if (code == MDB_SUCCESS)
		code = sweep(state, transaction, entry->time_s);
	mem_free(context);
	return code;
}

static int write_entry(struct state *state, MDB_txn *transaction, void *argument)
{
	return audit_put(state, transaction, argument);
}

enum status audit_record(struct state *state, const struct audit_entry *entry)
{
	struct audit_entry own = *entry;

	return box_write(state, write_entry, &own);
}

struct walk {
	int64_t from_s, until_s;
	audit_visitor *visitor;
	void *argument;
};

static enum status visit(void *argument, const MDB_val *key, const MDB_val *value)
{
	const struct walk *walk = argument;
	void *context = mem_context(NULL, "audit");
	enum status status = STATUS_OK;
	struct audit_entry entry;

	if (decode(key, value, context, &entry) && entry.time_s >= walk->from_s &&
		entry.time_s < walk->until_s)
		status = walk->visitor(walk->argument, &entry);
	mem_free(context);
	return status;
}

enum status audit_walk(struct state *state, int64_t from_s, int64_t until_s, audit_visitor *visitor,
	void *argument)
{
	struct walk walk = {from_s, until_s, visitor, argument};

	return box_walk(state, BOX_AUDIT, (MDB_val){.mv_size = 0}, visit, &walk);
}
