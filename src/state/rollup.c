/*
 * rollup.c: numbers for each hour and list.
 *
 * Key: the hour's first second, then 's' and the list, or 'h' and its SHA-256 where it has more
 * than 200 bytes, or 'n' for mail of no list. The value has three tables, of which only the cells
 * that are not 0 are stored: an hour of one list has a handful. The tables are apart, and not one
 * of all combinations, so that no choice of reports makes a record grow beyond 1300 bytes and the
 * name. A value that does not decode is left as it is: a newer program may have written it.
 */
#include "state/rollup.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"

enum { ROLLUP_VERSION = 1, NAME_KEY_MAX = 200, NAME_MAX_STORED = 512 };

struct rollup_key {
	unsigned char bytes[CODEC_U64_SIZE + 1 + NAME_KEY_MAX];
	size_t size;
};

/* A table as cells behind each other. */
struct cells {
	uint32_t *numbers;
	uint8_t rows;
	uint8_t columns;
};

#define TABLE_COUNT 3

static void find_tables(struct rollup *rollup, struct cells tables_out[TABLE_COUNT])
{
	tables_out[0] = (struct cells){&rollup->judged[0][0], KIND_COUNT, VERDICT_COUNT};
	tables_out[1] = (struct cells){&rollup->actions[0][0], ACTION_COUNT, ACTION_COUNT};
	tables_out[2] = (struct cells){&rollup->reasons[0][0], REASON_COUNT, VERDICT_COUNT};
}

_Static_assert(KIND_COUNT *VERDICT_COUNT <= UINT8_MAX && ACTION_COUNT * ACTION_COUNT <= UINT8_MAX &&
		       REASON_COUNT * VERDICT_COUNT <= UINT8_MAX,
	"the number of cells is stored in a byte");

int64_t rollup_hour(int64_t time_s)
{
	return time_s < 0 ? 0 : time_s - time_s % ROLLUP_S;
}

static void make_key(int64_t hour_s, const char *list, struct rollup_key *key_out)
{
	unsigned char *name = key_out->bytes + CODEC_U64_SIZE;
	size_t length = list != NULL ? strlen(list) : 0;

	codec_store_u64(key_out->bytes, (uint64_t)hour_s);
	key_out->size = CODEC_U64_SIZE + 1;
	name[0] = length == 0 ? 'n' : length <= NAME_KEY_MAX ? 's' : 'h';
	if (length > NAME_KEY_MAX) {
		key_out->size += HASH_SHA256_SIZE;
		hash_sha256(list, length, name + 1);
		return;
	}
	if (length > 0)
		memcpy(name + 1, list, length);
	key_out->size += length;
}

static void encode_table(struct codec_writer *writer, const struct cells *table)
{
	uint8_t count = 0;

	for (size_t i = 0; i < (size_t)table->rows * table->columns; i++)
		count = (uint8_t)(count + (table->numbers[i] != 0));
	codec_put_u8(writer, count);
	for (size_t i = 0; i < (size_t)table->rows * table->columns; i++) {
		if (table->numbers[i] == 0)
			continue;
		codec_put_u8(writer, (uint8_t)(i / table->columns));
		codec_put_u8(writer, (uint8_t)(i % table->columns));
		codec_put_u32(writer, table->numbers[i]);
	}
}

/* A newer program's words beyond ours are read and forgotten. */
static void decode_table(struct codec_reader *reader, const struct cells *table)
{
	uint8_t count = codec_get_u8(reader);

	for (unsigned i = 0; i < count; i++) {
		uint8_t row = codec_get_u8(reader);
		uint8_t column = codec_get_u8(reader);
		uint32_t number = codec_get_u32(reader);

		if (row < table->rows && column < table->columns)
			table->numbers[row * table->columns + column] = number;
	}
}

static bool decode(
	const MDB_val *key, const MDB_val *value, const void *context, struct rollup *rollup_out)
{
	struct cells tables[TABLE_COUNT];
	struct codec_reader reader;

	*rollup_out = (struct rollup){0};
	if (key->mv_size <= CODEC_U64_SIZE)
		return false;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != ROLLUP_VERSION)
		return false;
	rollup_out->hour_s = (int64_t)codec_load_u64(key->mv_data);
	rollup_out->list = codec_get_string(&reader, context);
	rollup_out->released = codec_get_u64(&reader);
	find_tables(rollup_out, tables);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		decode_table(&reader, &tables[i]);
	return codec_is_complete(&reader);
}

static void encode(struct codec_writer *writer, struct rollup *rollup)
{
	struct cells tables[TABLE_COUNT];

	codec_put_u8(writer, ROLLUP_VERSION);
	codec_put_string(writer, rollup->list, NAME_MAX_STORED);
	codec_put_u64(writer, rollup->released);
	find_tables(rollup, tables);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		encode_table(writer, &tables[i]);
}

static void add_one(uint32_t *number)
{
	if (*number < UINT32_MAX)
		++*number;
}

void rollup_count(struct rollup *rollup, const struct event *event)
{
	enum reason reason = REASON_UNDEFINED;

	if (event_is_release(event)) {
		rollup->released++;
		return;
	}
	if (event->reason != NULL && !reason_parse(event->reason, &reason))
		reason = REASON_UNDEFINED;
	add_one(&rollup->judged[event->kind][event->verdict]);
	add_one(&rollup->actions[event->policy][event->action]);
	add_one(&rollup->reasons[reason][event->verdict]);
}

int rollup_add(struct state *state, MDB_txn *transaction, const struct event *event)
{
	MDB_dbi dbi = state->dbis[BOX_ROLLUPS];
	void *context = mem_context(NULL, "rollup");
	const char *list = event->list != NULL && event->list[0] != '\0' ? event->list : NULL;
	struct rollup rollup = {.list = list};
	struct codec_writer writer;
	struct rollup_key bytes;
	MDB_val key, value;
	int code;

	make_key(rollup_hour(event->time_s), list, &bytes);
	key = (MDB_val){.mv_size = bytes.size, .mv_data = bytes.bytes};
	code = mdb_get(transaction, dbi, &key, &value);
	if (code == MDB_SUCCESS && !decode(&key, &value, context, &rollup))
		goto out;
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		goto out;
	rollup_count(&rollup, event);
	codec_writer_init(&writer, context);
	encode(&writer, &rollup);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	code = mdb_put(transaction, dbi, &key, &value, 0);
out:
	mem_free(context);
	return code;
}

int rollup_expire(struct state *state, MDB_txn *transaction, const struct rollup_expiry *expiry)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_ROLLUPS], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	for (size_t i = 0; i < expiry->budget && code == MDB_SUCCESS; i++) {
		int64_t end_s = 0;

		code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		if (code == MDB_SUCCESS && key.mv_size >= CODEC_U64_SIZE)
			end_s = (int64_t)codec_load_u64(key.mv_data) + ROLLUP_S;
		if (code != MDB_SUCCESS || end_s > expiry->before_s)
			break;
		code = mdb_cursor_del(cursor, 0);
		if (code == MDB_SUCCESS && end_s > *expiry->from_s)
			*expiry->from_s = end_s;
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

bool rollup_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "rollup");
	struct rollup rollup;
	bool is_good = decode(key, value, context, &rollup);

	mem_free(context);
	return is_good;
}

struct walk {
	int64_t until_s;
	rollup_visitor *visitor;
	void *argument;
	bool is_over;
};

static enum status visit(void *argument, const MDB_val *key, const MDB_val *value)
{
	struct walk *walk = argument;
	void *context;
	enum status status = STATUS_OK;
	struct rollup rollup;

	if (key->mv_size >= CODEC_U64_SIZE &&
		(int64_t)codec_load_u64(key->mv_data) >= walk->until_s) {
		walk->is_over = true;
		return STATUS_DIFFERENT;
	}
	context = mem_context(NULL, "rollup");
	if (decode(key, value, context, &rollup))
		status = walk->visitor(walk->argument, &rollup);
	mem_free(context);
	return status;
}

enum status rollup_walk(struct state *state, int64_t from_s, int64_t until_s,
	rollup_visitor *visitor, void *argument)
{
	struct walk walk = {until_s, visitor, argument, false};
	unsigned char first[CODEC_U64_SIZE];
	MDB_val from = {.mv_size = sizeof first, .mv_data = first};
	enum status status;

	codec_store_u64(first, from_s < 0 ? 0 : (uint64_t)from_s);
	status = box_walk(state, BOX_ROLLUPS, from, visit, &walk);
	return walk.is_over ? STATUS_OK : status;
}
