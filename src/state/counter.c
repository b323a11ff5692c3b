/*
 * counter.c: how many messages of each kind, verdict and action the host, a list or a reporter has
 * had, ever.
 *
 * Key: 's' and the name, or 'h' and its SHA-256 where the name is longer than 200 bytes; the name
 * stands in the value too. The host's counter is a record in "meta". Each array is stored behind
 * its length, so new words (words.h adds them at the end) need no new version. A value that does
 * not decode is left as it is and not counted on: a newer program may have written it.
 */
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"

/* Version 2 added the reputation. */
enum { COUNTER_VERSION = 2, NAME_KEY_MAX = 200, NAME_MAX_STORED = 512 };

static const enum box_db databases[] = {
	[COUNTER_HOST] = BOX_META,
	[COUNTER_LIST] = BOX_LISTS,
	[COUNTER_REPORTER] = BOX_REPORTERS,
};

struct counter_key {
	unsigned char bytes[1 + NAME_KEY_MAX];
	size_t size;
};

static void make_key(enum counter_of of, const char *name, struct counter_key *key_out)
{
	size_t length = strlen(name);

	if (of == COUNTER_HOST) {
		key_out->size = strlen(META_HOST);
		memcpy(key_out->bytes, META_HOST, key_out->size);
		return;
	}
	if (length <= NAME_KEY_MAX) {
		key_out->bytes[0] = 's';
		memcpy(key_out->bytes + 1, name, length);
		key_out->size = 1 + length;
		return;
	}
	key_out->bytes[0] = 'h';
	key_out->size = 1 + HASH_SHA256_SIZE;
	hash_sha256(name, length, key_out->bytes + 1);
}

static void encode_array(struct codec_writer *writer, const uint64_t *numbers, uint8_t count)
{
	codec_put_u8(writer, count);
	for (uint8_t i = 0; i < count; i++)
		codec_put_u64(writer, numbers[i]);
}

/* A newer program's words beyond ours are read and forgotten. */
static void decode_array(struct codec_reader *reader, uint64_t *numbers, uint8_t count)
{
	uint8_t stored = codec_get_u8(reader);

	for (unsigned i = 0; i < stored; i++) {
		uint64_t number = codec_get_u64(reader);

		if (i < count)
			numbers[i] = number;
	}
}

/* Counts are stored in millionths: a double has no byte order of its own. */
#define COUNT_UNIT 1e6

static void encode_reputation(struct codec_writer *writer, const struct reputation *reputation)
{
	codec_put_i64(writer, reputation->time_s);
	codec_put_u64(writer, (uint64_t)(reputation->proven * COUNT_UNIT));
	codec_put_u64(writer, (uint64_t)(reputation->genuine * COUNT_UNIT));
	codec_put_u64(writer, (uint64_t)(reputation->backscatter * COUNT_UNIT));
	codec_put_i64(writer, reputation->day);
	codec_put_bytes(writer, reputation->today, sizeof reputation->today);
}

static void decode_reputation(struct codec_reader *reader, struct reputation *reputation)
{
	reputation->time_s = codec_get_i64(reader);
	reputation->proven = (double)codec_get_u64(reader) / COUNT_UNIT;
	reputation->genuine = (double)codec_get_u64(reader) / COUNT_UNIT;
	reputation->backscatter = (double)codec_get_u64(reader) / COUNT_UNIT;
	reputation->day = codec_get_i64(reader);
	for (size_t i = 0; i < sizeof reputation->today; i++)
		reputation->today[i] = codec_get_u8(reader);
}

static void encode(struct codec_writer *writer, const struct counter *counter)
{
	codec_put_u8(writer, COUNTER_VERSION);
	codec_put_string(writer, counter->name, NAME_MAX_STORED);
	codec_put_i64(writer, counter->first_s);
	codec_put_i64(writer, counter->last_s);
	codec_put_u64(writer, counter->total);
	encode_array(writer, counter->verdicts, VERDICT_COUNT);
	encode_array(writer, counter->actions, ACTION_COUNT);
	encode_array(writer, counter->kinds, KIND_COUNT);
	encode_reputation(writer, &counter->reputation);
}

static bool decode(const MDB_val *value, const void *context, struct counter *counter_out)
{
	struct counter counter = {.total = 0};
	struct codec_reader reader;
	uint8_t version;

	codec_reader_init(&reader, value->mv_data, value->mv_size);
	version = codec_get_u8(&reader);
	if (version == 0 || version > COUNTER_VERSION)
		return false;
	counter.name = codec_get_string(&reader, context);
	counter.first_s = codec_get_i64(&reader);
	counter.last_s = codec_get_i64(&reader);
	counter.total = codec_get_u64(&reader);
	decode_array(&reader, counter.verdicts, VERDICT_COUNT);
	decode_array(&reader, counter.actions, ACTION_COUNT);
	decode_array(&reader, counter.kinds, KIND_COUNT);
	if (version > 1)
		decode_reputation(&reader, &counter.reputation);
	*counter_out = counter;
	return codec_is_complete(&reader) && counter.name != NULL;
}

static void count_event(struct counter *counter, const struct event *event)
{
	if (counter->total == 0) {
		counter->first_s = event->time_s;
		counter->last_s = event->time_s;
	}
	if (event->time_s < counter->first_s)
		counter->first_s = event->time_s;
	if (event->time_s > counter->last_s)
		counter->last_s = event->time_s;
	counter->total++;
	counter->verdicts[event->verdict]++;
	counter->actions[event->action]++;
	counter->kinds[event->kind]++;
}

static int put(MDB_txn *transaction, MDB_dbi dbi, MDB_val *key, const struct counter *counter,
	void *context)
{
	struct codec_writer writer;
	MDB_val value;

	codec_writer_init(&writer, context);
	encode(&writer, counter);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	return mdb_put(transaction, dbi, key, &value, 0);
}

int counter_add(struct state *state, MDB_txn *transaction, enum counter_of of, const char *name,
	const struct event *event)
{
	MDB_dbi dbi = state->dbis[databases[of]];
	void *context = mem_context(NULL, "counter");
	struct counter counter = {.name = name};
	struct counter_key bytes;
	MDB_val key;
	MDB_val value;
	int code;

	make_key(of, name, &bytes);
	key = (MDB_val){.mv_size = bytes.size, .mv_data = bytes.bytes};
	code = mdb_get(transaction, dbi, &key, &value);
	if (code == MDB_SUCCESS && !decode(&value, context, &counter))
		goto out;
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		goto out;
	count_event(&counter, event);
	if (of == COUNTER_REPORTER)
		reputation_add(&counter.reputation, event->reputation, event->time_s);
	code = put(transaction, dbi, &key, &counter, context);
out:
	mem_free(context);
	return code;
}

bool counter_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "counter");
	struct counter counter;
	bool is_good = decode(value, context, &counter);

	(void)key;
	mem_free(context);
	return is_good;
}

bool counter_decode_last(const MDB_val *value, int64_t *last_s_out)
{
	void *context = mem_context(NULL, "counter");
	struct counter counter;
	bool is_good = decode(value, context, &counter);

	*last_s_out = is_good ? counter.last_s : 0;
	mem_free(context);
	return is_good;
}

struct search {
	enum counter_of of;
	const char *name;
	const void *context;
	struct counter *counter; /* the result */
};

static int find_counter(struct state *state, MDB_txn *transaction, void *argument)
{
	struct search *search = argument;
	struct counter_key bytes;
	MDB_val key;
	MDB_val value;
	int code;

	make_key(search->of, search->name, &bytes);
	key = (MDB_val){.mv_size = bytes.size, .mv_data = bytes.bytes};
	code = mdb_get(transaction, state->dbis[databases[search->of]], &key, &value);
	if (code != MDB_SUCCESS)
		return code;
	search->counter = mem_new(search->context, struct counter);
	if (decode(&value, search->counter, search->counter))
		return MDB_SUCCESS;
	mem_free(search->counter);
	search->counter = NULL;
	return MDB_CORRUPTED;
}

enum status record_find_counter(struct state *state, const void *context, enum counter_of of,
	const char *name, struct counter **counter_out)
{
	struct search search = {.of = of, .name = name != NULL ? name : "", .context = context};
	enum status status = box_read(state, find_counter, &search);

	*counter_out = search.counter;
	return status;
}

struct counter_walk {
	counter_visitor *visitor;
	void *argument;
};

static enum status visit_counter(void *argument, const MDB_val *key, const MDB_val *value)
{
	const struct counter_walk *walk = argument;
	void *context = mem_context(NULL, "counter");
	enum status status = STATUS_OK;
	struct counter counter;

	(void)key;
	if (decode(value, context, &counter))
		status = walk->visitor(walk->argument, &counter);
	mem_free(context);
	return status;
}

static enum status visit_host(struct state *state, counter_visitor *visitor, void *argument)
{
	void *context = mem_context(NULL, "counter");
	struct counter *counter = NULL;
	enum status status = record_find_counter(state, context, COUNTER_HOST, "", &counter);

	if (status == STATUS_OK)
		status = visitor(argument, counter);
	else if (status == STATUS_NOT_FOUND)
		status = STATUS_OK;
	mem_free(context);
	return status;
}

enum status record_walk_counters(
	struct state *state, enum counter_of of, counter_visitor *visitor, void *argument)
{
	struct counter_walk walk = {visitor, argument};

	if (of == COUNTER_HOST)
		return visit_host(state, visitor, argument);
	return box_walk(state, databases[of], (MDB_val){.mv_size = 0}, visit_counter, &walk);
}
