/*
 * ledger.c: what was sent.
 *
 * In charge of "sent". Leaves the spans of time to coverage.c, opaque ids to ids.c, the walk for
 * what is too old to sweep.c, and what an answer weighs to weigh/. A batch is sorted by key before
 * it is written: hashes scatter over the whole tree, and in order each page is touched once.
 */
#include "state/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "state/parts.h"

enum {
	SENT_VERSION = 1,
	MESSAGE_SIZE = 16,  /* bytes of the hash of a Message-ID in a key */
	RECIPIENT_SIZE = 8, /* bytes of the hash of a recipient behind it; zeros: not recorded */
	KEY_SIZE = MESSAGE_SIZE + RECIPIENT_SIZE,
	SENT_VALUE_SIZE = 9,
	SWEEP_LEAST = 16, /* records looked at with each feeding, however small */
	SPANS_MAX = 64 /* sender domains of one feeding; those of further ones are not extended */
};

/* Message-IDs: without white space and angle brackets around it, case kept. STATUS_NOT_FOUND when
 * nothing is left. A hash that cannot be had is an error of its own: it must never look like a
 * message that was not sent. */
static enum status hash_message_id(const char *message_id, unsigned char *hash_out)
{
	static const char around[] = " \t\r\n<>";
	unsigned char hash[BOX_HASH_SIZE];
	size_t length;

	if (message_id == NULL)
		return STATUS_NOT_FOUND;
	message_id += strspn(message_id, around);
	length = strlen(message_id);
	while (length > 0 && strchr(around, message_id[length - 1]) != NULL)
		length--;
	if (length == 0)
		return STATUS_NOT_FOUND;
	if (!box_hash(message_id, length, hash))
		return STATUS_STATE;
	memcpy(hash_out, hash, MESSAGE_SIZE);
	return STATUS_OK;
}

/* STATUS_NOT_FOUND when it is no address. */
static enum status hash_recipient(const char *recipient, unsigned char *hash_out)
{
	unsigned char hash[BOX_HASH_SIZE];
	char *normalised = recipient != NULL ? address_normalise(NULL, recipient) : NULL;
	bool is_hashed;

	if (normalised == NULL)
		return STATUS_NOT_FOUND;
	is_hashed = box_hash(normalised, strlen(normalised), hash);
	mem_free(normalised);
	if (!is_hashed)
		return STATUS_STATE;
	memcpy(hash_out, hash, RECIPIENT_SIZE);
	return STATUS_OK;
}

static bool decode_sent(const MDB_val *value, int64_t *sent_s_out)
{
	struct codec_reader reader;

	*sent_s_out = 0;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != SENT_VERSION)
		return false;
	*sent_s_out = codec_get_i64(&reader);
	return codec_is_complete(&reader);
}

bool ledger_check_sent(const MDB_val *key, const MDB_val *value)
{
	int64_t sent_s;

	return key->mv_size == KEY_SIZE && decode_sent(value, &sent_s);
}

struct lookup {
	unsigned char message[MESSAGE_SIZE];
	const unsigned char *recipients; /* RECIPIENT_SIZE each */
	size_t count;
	struct ledger_answer answer;
};

/* The key is the fact; a value that does not decode only loses the time. */
static int find_message(MDB_cursor *cursor, struct lookup *lookup)
{
	unsigned char bytes[KEY_SIZE] = {0};
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value;
	int code;

	memcpy(bytes, lookup->message, MESSAGE_SIZE);
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (code == MDB_SUCCESS && key.mv_size == KEY_SIZE &&
		memcmp(key.mv_data, lookup->message, MESSAGE_SIZE) == 0) {
		lookup->answer.has_message = true;
		if (lookup->answer.sent_s == 0)
			decode_sent(&value, &lookup->answer.sent_s);
		/* Only the first can be the one without a recipient, so this ends soon. */
		lookup->answer.records_recipients = memcmp(key.mv_data, bytes, KEY_SIZE) != 0;
		if (lookup->answer.records_recipients)
			return MDB_SUCCESS;
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	return code;
}

static int find_recipients(MDB_cursor *cursor, struct lookup *lookup)
{
	unsigned char bytes[KEY_SIZE];
	int code = MDB_NOTFOUND;

	memcpy(bytes, lookup->message, MESSAGE_SIZE);
	for (size_t i = 0; i < lookup->count && code == MDB_NOTFOUND; i++) {
		MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
		MDB_val value;

		memcpy(bytes + MESSAGE_SIZE, lookup->recipients + i * RECIPIENT_SIZE,
			RECIPIENT_SIZE);
		code = mdb_cursor_get(cursor, &key, &value, MDB_SET);
		if (code == MDB_SUCCESS) {
			lookup->answer.has_recipient = true;
			decode_sent(&value, &lookup->answer.sent_s);
		}
	}
	return code;
}

static int look_up(struct state *state, MDB_txn *transaction, void *argument)
{
	struct lookup *lookup = argument;
	MDB_cursor *cursor = NULL;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_SENT], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	lookup->answer = (struct ledger_answer){0};
	code = find_message(cursor, lookup);
	if (code == MDB_SUCCESS && lookup->answer.records_recipients)
		code = find_recipients(cursor, lookup);
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* Hashes what can be asked for, behind one another. */
static enum status hash_recipients(const char *const *recipients, size_t recipient_count,
	unsigned char *hashes, size_t *count_out)
{
	size_t count = 0;

	for (size_t i = 0; i < recipient_count; i++) {
		enum status status = hash_recipient(recipients[i], hashes + count * RECIPIENT_SIZE);

		if (status == STATUS_OK)
			count++;
		else if (status != STATUS_NOT_FOUND)
			return status;
	}
	*count_out = count;
	return STATUS_OK;
}

enum status ledger_find(struct state *state, const char *message_id, const char *const *recipients,
	size_t recipient_count, struct ledger_answer *answer_out)
{
	struct lookup lookup = {.count = 0};
	unsigned char *hashes;
	enum status status;

	*answer_out = (struct ledger_answer){0};
	status = hash_message_id(message_id, lookup.message);
	if (status != STATUS_OK)
		return status == STATUS_NOT_FOUND ? STATUS_OK : status;
	hashes = mem_alloc(NULL, recipient_count * RECIPIENT_SIZE + 1);
	lookup.recipients = hashes;
	status = hash_recipients(recipients, recipient_count, hashes, &lookup.count);
	if (status == STATUS_OK)
		status = box_read(state, look_up, &lookup);
	if (status == STATUS_OK)
		*answer_out = lookup.answer;
	mem_free(hashes);
	return status;
}

/* An entry that is ready to be written. */
struct prepared {
	unsigned char key[KEY_SIZE];
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
	int order = memcmp(left->key, right->key, KEY_SIZE);

	if (order != 0)
		return order;
	return (left->sent_s > right->sent_s) - (left->sent_s < right->sent_s);
}

static enum status prepare_entry(const struct ledger_entry *entry, struct prepared *prepared)
{
	enum status status = hash_message_id(entry->message_id, prepared->key);

	prepared->sent_s = entry->sent_s;
	if (status != STATUS_OK)
		return status;
	status = hash_recipient(entry->recipient, prepared->key + MESSAGE_SIZE);
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
		unsigned char bytes[SENT_VALUE_SIZE] = {SENT_VERSION};
		MDB_val key = {.mv_size = KEY_SIZE, .mv_data = entry->key};
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
		{BOX_SENT, META_SWEEP_SENT, decode_sent, limit_s, 2 * feeding->count + SWEEP_LEAST},
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
