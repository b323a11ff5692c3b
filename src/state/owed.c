/*
 * owed.c: which reports wait for a list's owners, and how many were sent in its window.
 *
 * In charge of "owed", which has two kinds of records. 'l' and 16 bytes of SHA-256 of the list's
 * address: the list, as in struct owed; there are no more than lists. 'm', the same bytes and the
 * event's id: a report that waits, and whom its proof is about. `waiting` is the number of those at
 * all times: a held record that is released or purged meanwhile takes its own with it. Leaves
 * messages and their expiry to held.c, and what is written to the owners to the caller.
 */
#include "state/owed.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"

enum {
	OWED_VERSION = 1,
	LIST_HASH_SIZE = 16,
	LIST_KEY_SIZE = 1 + LIST_HASH_SIZE,
	REPORT_KEY_SIZE = LIST_KEY_SIZE + CODEC_U64_SIZE,
	CLOCK_SKEW_S = 5 * 60 /* the clocks of two deliveries may differ by what one waited */
};

#define LIST_MARK 'l'
#define REPORT_MARK 'm'

static void make_key(char mark, const char *list, uint64_t id, unsigned char *key_out)
{
	unsigned char hash[HASH_SHA256_SIZE];

	hash_sha256(list, strlen(list), hash);
	key_out[0] = (unsigned char)mark;
	memcpy(key_out + 1, hash, LIST_HASH_SIZE);
	codec_store_u64(key_out + LIST_KEY_SIZE, id);
}

static void encode(struct codec_writer *writer, const struct owed *owed)
{
	codec_put_u8(writer, OWED_VERSION);
	codec_put_string(writer, owed->list, EVENT_STRING_MAX);
	codec_put_i64(writer, owed->window_began_s);
	codec_put_i64(writer, owed->window_ends_s);
	codec_put_u64(writer, owed->sent);
	codec_put_u64(writer, owed->waiting);
	codec_put_i64(writer, owed->oldest_s);
	codec_put_i64(writer, owed->due_s);
	codec_put_i64(writer, owed->claimed_s);
}

static bool decode(const MDB_val *value, const void *context, struct owed *owed_out)
{
	struct codec_reader reader;
	struct owed owed = {.list = NULL};

	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != OWED_VERSION)
		return false;
	owed.list = codec_get_string(&reader, context);
	owed.window_began_s = codec_get_i64(&reader);
	owed.window_ends_s = codec_get_i64(&reader);
	owed.sent = codec_get_u64(&reader);
	owed.waiting = codec_get_u64(&reader);
	owed.oldest_s = codec_get_i64(&reader);
	owed.due_s = codec_get_i64(&reader);
	owed.claimed_s = codec_get_i64(&reader);
	*owed_out = owed;
	return codec_is_complete(&reader) && owed.list != NULL;
}

static bool has_mark(const MDB_val *key, char mark)
{
	return key->mv_size > 0 && *(const unsigned char *)key->mv_data == (unsigned char)mark;
}

static bool decode_report(
	const MDB_val *key, const MDB_val *value, const void *context, struct owed_report *report)
{
	struct codec_reader reader;

	if (key->mv_size != REPORT_KEY_SIZE)
		return false;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != OWED_VERSION)
		return false;
	report->id = codec_load_u64((const unsigned char *)key->mv_data + LIST_KEY_SIZE);
	report->proven = codec_get_string(&reader, context);
	return codec_is_complete(&reader);
}

bool owed_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "owed");
	struct owed_report report;
	struct owed owed;
	bool is_good = false;

	if (has_mark(key, LIST_MARK))
		is_good = key->mv_size == LIST_KEY_SIZE && decode(value, context, &owed);
	else if (has_mark(key, REPORT_MARK))
		is_good = decode_report(key, value, context, &report);
	mem_free(context);
	return is_good;
}

/* ---- the record of a list ---- */

static int get_list(struct state *state, MDB_txn *transaction, const void *context,
	const char *list, struct owed *owed_out)
{
	unsigned char bytes[REPORT_KEY_SIZE];
	MDB_val key = {.mv_size = LIST_KEY_SIZE, .mv_data = bytes};
	MDB_val value;
	int code;

	memset(owed_out, 0, sizeof *owed_out);
	owed_out->list = list;
	make_key(LIST_MARK, list, 0, bytes);
	code = mdb_get(transaction, state->dbis[BOX_OWED], &key, &value);
	if (code == MDB_SUCCESS && !decode(&value, context, owed_out))
		code = MDB_CORRUPTED;
	return code;
}

static int put_list(struct state *state, MDB_txn *transaction, const struct owed *owed)
{
	void *context = mem_context(NULL, "owed");
	unsigned char bytes[REPORT_KEY_SIZE];
	MDB_val key = {.mv_size = LIST_KEY_SIZE, .mv_data = bytes};
	struct codec_writer writer;
	MDB_val value;
	int code;

	codec_writer_init(&writer, context);
	encode(&writer, owed);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	make_key(LIST_MARK, owed->list, 0, bytes);
	code = mdb_put(transaction, state->dbis[BOX_OWED], &key, &value, 0);
	mem_free(context);
	return code;
}

/* ---- the records of what waits ---- */

/* Calls back for each report that waits for the list, oldest first, until it says false. */
typedef bool report_visitor(void *argument, const MDB_val *key, const MDB_val *value);

static int walk_reports(struct state *state, MDB_txn *transaction, const char *list,
	report_visitor *visitor, void *argument)
{
	unsigned char first[REPORT_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof first, .mv_data = first};
	MDB_cursor *cursor = NULL;
	MDB_val value;
	int code;

	make_key(REPORT_MARK, list, 0, first);
	code = mdb_cursor_open(transaction, state->dbis[BOX_OWED], &cursor);
	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (code == MDB_SUCCESS && key.mv_size == sizeof first &&
		memcmp(key.mv_data, first, LIST_KEY_SIZE) == 0 && visitor(argument, &key, &value))
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static bool count_one(void *argument, const MDB_val *key, const MDB_val *value)
{
	(void)key;
	(void)value;
	++*(uint64_t *)argument;
	return true;
}

/* ---- counting, with the event ---- */

static void roll_window(struct owed *owed, int64_t window_s, int64_t now)
{
	int64_t began_s = owed->window_began_s;

	if (now < began_s - CLOCK_SKEW_S || now >= began_s + window_s) {
		owed->window_began_s = now;
		owed->sent = 0;
	}
	owed->window_ends_s = owed->window_began_s + window_s;
}

static int put_report(struct state *state, MDB_txn *transaction, const struct event *event)
{
	void *context = mem_context(NULL, "owed");
	unsigned char bytes[REPORT_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	struct codec_writer writer;
	MDB_val value;
	int code;

	codec_writer_init(&writer, context);
	codec_put_u8(&writer, OWED_VERSION);
	codec_put_string(&writer, event->owed->proven, EVENT_STRING_MAX);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	make_key(REPORT_MARK, event->list, event->id, bytes);
	code = mdb_put(transaction, state->dbis[BOX_OWED], &key, &value, 0);
	mem_free(context);
	return code;
}

static void count_waiting(struct owed *owed, const struct owed_use *use, int64_t now)
{
	if (owed->waiting++ > 0)
		return;
	owed->oldest_s = now;
	owed->due_s = use->window_s > 0 ? owed->window_ends_s : 0;
}

int owed_count(struct state *state, MDB_txn *transaction, const struct event *event)
{
	void *context = mem_context(NULL, "owed");
	const struct owed_use *use = event->owed;
	struct owed owed;
	int code = get_list(state, transaction, context, event->list, &owed);

	/* One that does not decode is written anew. */
	if (code == MDB_CORRUPTED)
		code = walk_reports(state, transaction, event->list, count_one, &owed.waiting);
	if (code == MDB_NOTFOUND)
		code = MDB_SUCCESS;
	if (use->window_s > 0)
		roll_window(&owed, use->window_s, event->time_s);
	if (code == MDB_SUCCESS && use->is_kept) {
		code = put_report(state, transaction, event);
		count_waiting(&owed, use, event->time_s);
	} else {
		owed.sent++;
	}
	if (code == MDB_SUCCESS)
		code = put_list(state, transaction, &owed);
	mem_free(context);
	return code;
}

int owed_forget(struct state *state, MDB_txn *transaction, const char *list, uint64_t id)
{
	void *context = mem_context(NULL, "owed");
	unsigned char bytes[REPORT_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	struct owed owed;
	int code = MDB_NOTFOUND;

	if (list != NULL) {
		make_key(REPORT_MARK, list, id, bytes);
		code = mdb_del(transaction, state->dbis[BOX_OWED], &key, NULL);
	}
	if (code == MDB_SUCCESS)
		code = get_list(state, transaction, context, list, &owed);
	if (code == MDB_SUCCESS && owed.waiting > 0)
		owed.waiting--;
	if (code == MDB_SUCCESS)
		code = put_list(state, transaction, &owed);
	mem_free(context);
	return code == MDB_NOTFOUND || code == MDB_CORRUPTED ? MDB_SUCCESS : code;
}

/* ---- asking ---- */

struct search {
	const char *list;
	const void *context;
	struct owed *owed; /* the result */
};

static int find_owed(struct state *state, MDB_txn *transaction, void *argument)
{
	struct search *search = argument;
	int code;

	search->owed = mem_new(search->context, struct owed);
	code = get_list(state, transaction, search->owed, search->list, search->owed);
	if (code != MDB_SUCCESS) {
		mem_free(search->owed);
		search->owed = NULL;
	}
	return code;
}

enum status owed_find(
	struct state *state, const void *context, const char *list, struct owed **owed_out)
{
	struct search search = {.list = list, .context = context};
	enum status status = STATUS_NOT_FOUND;

	if (box_has(state, BOX_OWED))
		status = box_read(state, find_owed, &search);
	*owed_out = search.owed;
	return status;
}

struct walk {
	owed_visitor *visitor;
	void *argument;
	bool is_over;
};

static enum status visit_owed(void *argument, const MDB_val *key, const MDB_val *value)
{
	struct walk *walk = argument;
	void *context = mem_context(NULL, "owed");
	enum status status = STATUS_OK;
	struct owed owed;

	/* The reports stand behind the lists. */
	walk->is_over = !has_mark(key, LIST_MARK);
	if (walk->is_over)
		status = STATUS_NOT_FOUND;
	else if (decode(value, context, &owed))
		status = walk->visitor(walk->argument, &owed);
	mem_free(context);
	return status;
}

enum status owed_walk(struct state *state, owed_visitor *visitor, void *argument)
{
	struct walk walk = {.visitor = visitor, .argument = argument};
	enum status status = box_walk(state, BOX_OWED, (MDB_val){.mv_size = 0}, visit_owed, &walk);

	return walk.is_over ? STATUS_OK : status;
}

uint64_t owed_sent(const struct owed *owed, int64_t now)
{
	if (owed == NULL || now < owed->window_began_s - CLOCK_SKEW_S || now >= owed->window_ends_s)
		return 0;
	return owed->sent;
}

int64_t owed_due_time(const struct owed *owed)
{
	int64_t latest_s = owed->oldest_s + OWED_WAIT_MAX_S;

	if (owed->due_s < owed->oldest_s)
		return owed->oldest_s;
	return owed->due_s < latest_s ? owed->due_s : latest_s;
}

bool owed_is_due(const struct owed *owed, bool is_storm, int64_t now)
{
	if (owed->waiting == 0)
		return false;
	if (now < owed->oldest_s - CLOCK_SKEW_S)
		return true;
	return now >= (is_storm ? owed->oldest_s + OWED_WAIT_MAX_S : owed_due_time(owed));
}

bool owed_is_claimed(const struct owed *owed, int64_t now)
{
	return owed->claimed_s != 0 && now < owed->claimed_s + OWED_LEASE_S &&
	       now > owed->claimed_s - OWED_LEASE_S;
}

/* ---- claiming, and what follows ---- */

struct claiming {
	const struct owed_question *question;
	const void *context;
	struct owed_batch *batch;
};

/* One that does not decode is told of without what it says: only its id. */
static bool add_report(void *argument, const MDB_val *key, const MDB_val *value)
{
	struct owed_batch *batch = argument;
	struct owed_report *report = &batch->reports[batch->count++];

	if (!decode_report(key, value, batch->reports, report))
		*report = (struct owed_report){
			codec_load_u64((const unsigned char *)key->mv_data + LIST_KEY_SIZE), NULL};
	return batch->count < OWED_BATCH_MAX;
}

static int list_reports(struct state *state, MDB_txn *transaction, const struct owed *owed,
	const struct claiming *claiming)
{
	struct owed_batch *batch = claiming->batch;
	int code;

	mem_free(batch->reports);
	batch->reports = mem_new_array(claiming->context, struct owed_report, OWED_BATCH_MAX);
	batch->count = 0;
	code = walk_reports(state, transaction, owed->list, add_report, batch);
	batch->left = owed->waiting > batch->count ? owed->waiting - batch->count : 0;
	return code;
}

static int claim(struct state *state, MDB_txn *transaction, void *argument)
{
	struct claiming *claiming = argument;
	const struct owed_question *question = claiming->question;
	void *context = mem_context(NULL, "owed");
	struct owed owed;
	int code = get_list(state, transaction, context, question->list, &owed);

	if (code == MDB_SUCCESS &&
		(owed.waiting == 0 || owed_is_claimed(&owed, question->now) ||
			!(question->takes_all ||
				owed_is_due(&owed, question->is_storm, question->now))))
		code = MDB_NOTFOUND;
	if (code == MDB_SUCCESS)
		code = list_reports(state, transaction, &owed, claiming);
	if (code == MDB_SUCCESS) {
		owed.claimed_s = question->now;
		code = put_list(state, transaction, &owed);
	}
	mem_free(context);
	return code;
}

enum status owed_claim(struct state *state, const void *context,
	const struct owed_question *question, struct owed_batch *batch_out)
{
	struct claiming claiming = {question, context, batch_out};

	memset(batch_out, 0, sizeof *batch_out);
	return box_write(state, claim, &claiming);
}

struct telling {
	const char *list;
	const struct owed_batch *batch; /* NULL: it was not sent */
	int64_t expires_s;
};

/* A report that is no longer there was released or purged while the digest was on its way. */
static int settle(struct state *state, MDB_txn *transaction, const struct telling *telling,
	uint64_t id, struct owed *owed)
{
	unsigned char bytes[REPORT_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	int code;

	make_key(REPORT_MARK, telling->list, id, bytes);
	code = mdb_del(transaction, state->dbis[BOX_OWED], &key, NULL);
	if (code == MDB_SUCCESS && owed->waiting > 0)
		owed->waiting--;
	if (code == MDB_SUCCESS)
		code = held_expire(state, transaction, id, telling->expires_s);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static int tell(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct telling *telling = argument;
	const struct owed_batch *batch = telling->batch;
	void *context = mem_context(NULL, "owed");
	struct owed owed;
	int code = get_list(state, transaction, context, telling->list, &owed);

	for (size_t i = 0; batch != NULL && i < batch->count && code == MDB_SUCCESS; i++)
		code = settle(state, transaction, telling, batch->reports[i].id, &owed);
	/* What waits now came while the others were being sent. */
	if (code == MDB_SUCCESS && batch != NULL && batch->left == 0) {
		owed.oldest_s = owed.claimed_s;
		owed.due_s = owed.window_ends_s;
	}
	if (code == MDB_SUCCESS) {
		owed.claimed_s = 0;
		code = put_list(state, transaction, &owed);
	}
	mem_free(context);
	return code;
}

enum status owed_told(
	struct state *state, const char *list, const struct owed_batch *batch, int64_t expires_s)
{
	struct telling telling = {list, batch, expires_s};

	return box_write(state, tell, &telling);
}

enum status owed_give_back(struct state *state, const char *list)
{
	struct telling telling = {.list = list};

	return box_write(state, tell, &telling);
}
