/*
 * ledger_feed.c: entries on their way into "sent".
 *
 * In charge of the order in which they are written. Leaves the form of a record to ledger.c, the
 * spans of time to coverage.c, opaque ids to ids.c, the walk for what is too old to sweep.c. A
 * batch is sorted by key before it is written: hashes scatter over the whole tree, and in order
 * each page is touched once.
 */
#include "state/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "state/parts.h"

enum {
	SENT_VALUE_SIZE = 9,
	SLICE_ENTRIES = 16384, /* of a batch, in one transaction */
	BATCH_FIRST = 256,     /* entries that a batch has room for at first */
	SWEEP_LEAST = 16,      /* records looked at with each feeding, however small */
	SPANS_MAX = 64 /* sender domains of one feeding; those of further ones are not extended */
};

/* Added to the time of what was only passed on: of equal keys those of mail that we sent stand
 * first, in 32 bytes an entry. */
#define PASSED_ON (INT64_C(1) << 62)

/* An entry that is ready to be written. */
struct prepared {
	unsigned char key[LEDGER_KEY_SIZE];
	int64_t sent_s; /* with PASSED_ON or without */
};

/* Sorted entries, put in one transaction. */
struct slice {
	int64_t now;
	const struct prepared *entries;
	size_t count;
	size_t added; /* the result */
};

struct feeding {
	enum ledger_feed feed;
	const struct ledger_entry *entries;
	size_t count;
	struct prepared *prepared;
	struct slice slice; /* of prepared: all of it */
	struct fed_span spans[SPANS_MAX];
	size_t span_count;
};

/* Of equals the earliest stands first and is the one that is written. */
static int compare_prepared(const void *a, const void *b)
{
	const struct prepared *left = a;
	const struct prepared *right = b;
	int order = memcmp(left->key, right->key, LEDGER_KEY_SIZE);

	if (order != 0)
		return order;
	return (left->sent_s > right->sent_s) - (left->sent_s < right->sent_s);
}

static enum status prepare_entry(const struct ledger_entry *entry, struct prepared *prepared)
{
	prepared->sent_s = entry->sent_s;
	if (!ledger_hash_message(entry->message_id, prepared->key))
		return STATUS_NOT_FOUND;
	/* Zeros stand for no recipient. */
	ledger_hash_recipient(entry->recipient, prepared->key + LEDGER_MESSAGE_SIZE);
	return STATUS_OK;
}

/* Only messages count: an entry that is there for its id alone says nothing of what was sent. */
static void extend_span(struct feeding *feeding, const struct ledger_entry *entry)
{
	struct fed_span *span = feeding->spans;
	struct fed_span *end = feeding->spans + feeding->span_count;

	if (entry->domain == NULL)
		return;
	while (span < end && strcmp(span->domain, entry->domain) != 0)
		span++;
	if (span == end && feeding->span_count == SPANS_MAX)
		return;
	if (span == end) {
		*span = (struct fed_span){feeding->feed, feeding->slice.now, entry->domain,
			entry->sent_s, entry->sent_s};
		feeding->span_count++;
	}
	if (entry->sent_s < span->earliest_s)
		span->earliest_s = entry->sent_s;
	if (entry->sent_s > span->latest_s)
		span->latest_s = entry->sent_s;
}

static void sort(struct prepared *entries, size_t count)
{
	if (count > 0) /* else there may be none, and qsort(3) wants a pointer */
		qsort(entries, count, sizeof *entries, compare_prepared);
}

static enum status prepare(struct feeding *feeding)
{
	struct slice *slice = &feeding->slice;

	for (size_t i = 0; i < feeding->count; i++) {
		const struct ledger_entry *entry = &feeding->entries[i];
		enum status status = prepare_entry(entry, &feeding->prepared[slice->count]);

		if (status == STATUS_OK) {
			extend_span(feeding, entry);
			slice->count++;
		} else if (status != STATUS_NOT_FOUND) {
			return status;
		}
	}
	sort(feeding->prepared, slice->count);
	slice->entries = feeding->prepared;
	return STATUS_OK;
}

/* True when the entry, and so all that follow it, come behind what is there: such a page is filled
 * rather than split in halves. */
static int find_is_behind(MDB_cursor *cursor, const struct prepared *entry, bool *is_behind_out)
{
	MDB_val last, value;
	int code = mdb_cursor_get(cursor, &last, &value, MDB_LAST);

	*is_behind_out = code == MDB_NOTFOUND ||
			 (code == MDB_SUCCESS && last.mv_size == LEDGER_KEY_SIZE &&
				 memcmp(entry->key, last.mv_data, LEDGER_KEY_SIZE) > 0);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* LMDB hands out the value that is there already, though not with MDB_APPEND: there it is one of
 * this slice, and the sooner of the two was the better. */
static int put_entry(
	MDB_cursor *cursor, const struct prepared *entry, unsigned flags, struct slice *slice)
{
	bool is_passed_on = entry->sent_s >= PASSED_ON;
	unsigned char bytes[SENT_VALUE_SIZE] = {
		is_passed_on ? LEDGER_PASSED_ON_VERSION : LEDGER_SENT_VERSION};
	MDB_val key = {.mv_size = LEDGER_KEY_SIZE, .mv_data = (void *)entry->key};
	MDB_val value = {.mv_size = sizeof bytes, .mv_data = bytes};
	int code;

	codec_store_u64(
		bytes + 1, (uint64_t)(is_passed_on ? entry->sent_s - PASSED_ON : entry->sent_s));
	code = mdb_cursor_put(cursor, &key, &value, flags);
	if (code == MDB_KEYEXIST && flags == MDB_NOOVERWRITE && !is_passed_on &&
		ledger_is_passed_on(&value)) {
		value = (MDB_val){.mv_size = sizeof bytes, .mv_data = bytes};
		code = mdb_cursor_put(cursor, &key, &value, 0);
	}
	if (code == MDB_SUCCESS)
		slice->added++;
	return code == MDB_KEYEXIST ? MDB_SUCCESS : code;
}

static int put_sent(struct state *state, MDB_txn *transaction, struct slice *slice)
{
	MDB_cursor *cursor = NULL;
	bool is_behind = false;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_SENT], &cursor);

	slice->added = 0;
	if (code == MDB_SUCCESS && slice->count > 0)
		code = find_is_behind(cursor, slice->entries, &is_behind);
	for (size_t i = 0; i < slice->count && code == MDB_SUCCESS; i++)
		code = put_entry(cursor, &slice->entries[i],
			is_behind ? MDB_APPEND : MDB_NOOVERWRITE, slice);
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	return code;
}

static int put_ids(struct state *state, MDB_txn *transaction, const struct feeding *feeding)
{
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < feeding->count && code == MDB_SUCCESS; i++) {
		const struct ledger_entry *entry = &feeding->entries[i];

		if (entry->recipient_id != NULL && entry->recipient != NULL)
			code = ids_put(state, transaction, entry);
	}
	return code;
}

static int put_coverage(struct state *state, MDB_txn *transaction, const struct feeding *feeding)
{
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < feeding->span_count && code == MDB_SUCCESS; i++)
		code = coverage_extend(state, transaction, &feeding->spans[i]);
	return code;
}

void ledger_set_lifetime(struct state *state, int64_t lifetime_s)
{
	if (state != NULL)
		state->sent_lifetime_s = lifetime_s;
}

/* A few old ones go with each feeding: twice as many are looked at as were added. */
static int expire(struct state *state, MDB_txn *transaction, const struct slice *slice)
{
	const int64_t limit_s = slice->now - state->sent_lifetime_s;
	const struct sweep_plan plans[] = {
		{BOX_SENT, META_SWEEP_SENT, ledger_decode_sent, limit_s,
			2 * slice->count + SWEEP_LEAST},
		{BOX_IDS, META_SWEEP_IDS, ids_decode_used, limit_s, SWEEP_LEAST},
	};
	int code;

	if (state->sent_lifetime_s <= 0)
		return MDB_SUCCESS;
	code = coverage_cut_all(state, transaction, slice->now);
	for (size_t i = 0; i < sizeof plans / sizeof plans[0] && code == MDB_SUCCESS; i++)
		code = sweep_run(state, transaction, &plans[i]);
	return code;
}

static int feed_all(struct state *state, MDB_txn *transaction, void *argument)
{
	struct feeding *feeding = argument;
	int code = put_sent(state, transaction, &feeding->slice);

	if (code == MDB_SUCCESS)
		code = put_ids(state, transaction, feeding);
	if (code == MDB_SUCCESS)
		code = put_coverage(state, transaction, feeding);
	if (code == MDB_SUCCESS)
		code = expire(state, transaction, &feeding->slice);
	return code;
}

enum status ledger_add(struct state *state, enum ledger_feed feed, int64_t now,
	const struct ledger_entry *entries, size_t count, size_t *added_out)
{
	struct feeding feeding = {
		.feed = feed, .entries = entries, .count = count, .slice = {.now = now}};
	enum status status = STATUS_OK;

	if (count > 0) {
		feeding.prepared = mem_new_array(NULL, struct prepared, count);
		status = prepare(&feeding);
		if (status == STATUS_OK)
			status = box_write(state, feed_all, &feeding);
		mem_free(feeding.prepared);
	}
	if (added_out != NULL)
		*added_out = status == STATUS_OK ? feeding.slice.added : 0;
	return status;
}

struct ledger_batch {
	struct prepared *entries;
	size_t count;
	size_t capacity;
};

struct ledger_batch *ledger_batch_new(const void *context)
{
	return mem_new(context, struct ledger_batch);
}

enum status ledger_batch_add(
	struct ledger_batch *batch, int64_t sent_s, const char *message_id, const char *recipient)
{
	const struct ledger_entry entry = {
		.sent_s = sent_s, .message_id = message_id, .recipient = recipient};
	enum status status;

	if (batch->count == batch->capacity) {
		batch->capacity = batch->capacity > 0 ? 2 * batch->capacity : BATCH_FIRST;
		batch->entries = mem_realloc(
			batch, batch->entries, batch->capacity * sizeof *batch->entries);
	}
	batch->entries[batch->count] = (struct prepared){.sent_s = 0};
	status = prepare_entry(&entry, &batch->entries[batch->count]);
	if (status == STATUS_OK)
		batch->count++;
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status ledger_batch_add_passed_on(
	struct ledger_batch *batch, int64_t sent_s, const char *message_id, const char *recipient)
{
	size_t count = batch->count;
	enum status status = ledger_batch_add(batch, sent_s, message_id, recipient);

	if (batch->count > count)
		batch->entries[count].sent_s += PASSED_ON;
	return status;
}

size_t ledger_batch_count(const struct ledger_batch *batch)
{
	return batch->count;
}

static int write_slice(struct state *state, MDB_txn *transaction, void *argument)
{
	struct slice *slice = argument;
	int code = put_sent(state, transaction, slice);

	return code == MDB_SUCCESS ? expire(state, transaction, slice) : code;
}

enum status ledger_batch_write(
	struct state *state, struct ledger_batch *batch, int64_t now, size_t *added_out)
{
	enum status status = STATUS_OK;

	*added_out = 0;
	sort(batch->entries, batch->count);
	for (size_t i = 0; i < batch->count && status == STATUS_OK; i += SLICE_ENTRIES) {
		size_t left = batch->count - i;
		struct slice slice = {.now = now,
			.entries = batch->entries + i,
			.count = left < SLICE_ENTRIES ? left : SLICE_ENTRIES};

		status = box_write(state, write_slice, &slice);
		if (status == STATUS_OK)
			*added_out += slice.added;
	}
	batch->count = 0;
	return status;
}
