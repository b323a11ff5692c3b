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
	SWEEP_LEAST = 16, /* records looked at with each feeding, however small */
	SPANS_MAX = 64 /* sender domains of one feeding; those of further ones are not extended */
};

/* An entry that is ready to be written. */
struct prepared {
	unsigned char key[LEDGER_KEY_SIZE];
	int64_t sent_s;
};

struct feeding {
	enum ledger_feed feed;
	int64_t now;
	const struct ledger_entry *entries;
	size_t count;
	struct prepared *prepared;
	size_t prepared_count;
	struct fed_span spans[SPANS_MAX];
	size_t span_count;
	size_t added; /* the result */
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
	enum status status = ledger_hash_message(entry->message_id, prepared->key);

	prepared->sent_s = entry->sent_s;
	if (status != STATUS_OK)
		return status;
	status = ledger_hash_recipient(entry->recipient, prepared->key + LEDGER_MESSAGE_SIZE);
	return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* zeros stand for none */
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
		*span = (struct fed_span){
			feeding->feed, feeding->now, entry->domain, entry->sent_s, entry->sent_s};
		feeding->span_count++;
	}
	if (entry->sent_s < span->earliest_s)
		span->earliest_s = entry->sent_s;
	if (entry->sent_s > span->latest_s)
		span->latest_s = entry->sent_s;
}

static enum status prepare(struct feeding *feeding)
{
	for (size_t i = 0; i < feeding->count; i++) {
		const struct ledger_entry *entry = &feeding->entries[i];
		enum status status =
			prepare_entry(entry, &feeding->prepared[feeding->prepared_count]);

		if (status == STATUS_OK) {
			extend_span(feeding, entry);
			feeding->prepared_count++;
		} else if (status != STATUS_NOT_FOUND) {
			return status;
		}
	}
	qsort(feeding->prepared, feeding->prepared_count, sizeof *feeding->prepared,
		compare_prepared);
	return STATUS_OK;
}

static int put_sent(struct state *state, MDB_txn *transaction, struct feeding *feeding)
{
	MDB_cursor *cursor = NULL;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_SENT], &cursor);

	for (size_t i = 0; i < feeding->prepared_count && code == MDB_SUCCESS; i++) {
		struct prepared *entry = &feeding->prepared[i];
		unsigned char bytes[SENT_VALUE_SIZE] = {LEDGER_SENT_VERSION};
		MDB_val key = {.mv_size = LEDGER_KEY_SIZE, .mv_data = entry->key};
		MDB_val value = {.mv_size = sizeof bytes, .mv_data = bytes};

		codec_store_u64(bytes + 1, (uint64_t)entry->sent_s);
		code = mdb_cursor_put(cursor, &key, &value, MDB_NOOVERWRITE);
		if (code == MDB_SUCCESS)
			feeding->added++;
		else if (code == MDB_KEYEXIST)
			code = MDB_SUCCESS;
	}
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
static int expire(struct state *state, MDB_txn *transaction, const struct feeding *feeding)
{
	const int64_t limit_s = feeding->now - state->sent_lifetime_s;
	const struct sweep_plan plans[] = {
		{BOX_SENT, META_SWEEP_SENT, ledger_decode_sent, limit_s,
			2 * feeding->count + SWEEP_LEAST},
		{BOX_IDS, META_SWEEP_IDS, ids_decode_used, limit_s, SWEEP_LEAST},
	};
	int code;

	if (state->sent_lifetime_s <= 0)
		return MDB_SUCCESS;
	code = coverage_cut_all(state, transaction, feeding->now);
	for (size_t i = 0; i < sizeof plans / sizeof plans[0] && code == MDB_SUCCESS; i++)
		code = sweep_run(state, transaction, &plans[i]);
	return code;
}

static int feed_all(struct state *state, MDB_txn *transaction, void *argument)
{
	struct feeding *feeding = argument;
	int code;

	feeding->added = 0;
	code = put_sent(state, transaction, feeding);
	if (code == MDB_SUCCESS)
		code = put_ids(state, transaction, feeding);
	if (code == MDB_SUCCESS)
		code = put_coverage(state, transaction, feeding);
	if (code == MDB_SUCCESS)
		code = expire(state, transaction, feeding);
	return code;
}

enum status ledger_add(struct state *state, enum ledger_feed feed, int64_t now,
	const struct ledger_entry *entries, size_t count, size_t *added_out)
{
	struct feeding feeding = {.feed = feed, .now = now, .entries = entries, .count = count};
	enum status status = STATUS_OK;

	if (count > 0) {
		feeding.prepared = mem_new_array(NULL, struct prepared, count);
		status = prepare(&feeding);
		if (status == STATUS_OK)
			status = box_write(state, feed_all, &feeding);
		mem_free(feeding.prepared);
	}
	if (added_out != NULL)
		*added_out = status == STATUS_OK ? feeding.added : 0;
	return status;
}
