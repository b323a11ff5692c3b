/*
 * ledger.c: what was sent, and for which span of time its absence means anything.
 *
 * In charge of "sent" and of the coverage in "meta". Leaves opaque ids to ids.c, and what an answer
 * weighs to weigh/. A batch is sorted by key
 * before it is written: hashes scatter over the whole tree, and in order each page is touched once.
 */
#include "state/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "state/parts.h"

enum {
	SENT_VERSION = 1,
	COVERAGE_VERSION = 1,
	MESSAGE_SIZE = 16,  /* bytes of the hash of a Message-ID in a key */
	RECIPIENT_SIZE = 8, /* bytes of the hash of a recipient behind it; zeros: not recorded */
	KEY_SIZE = MESSAGE_SIZE + RECIPIENT_SIZE,
	SENT_VALUE_SIZE = 9,
	DOMAIN_MAX = 255,  /* RFC 1035; a longer one covers nothing */
	GAP_MAX_S = 86400, /* between two batches of a log that is fed piece by piece */
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

/* The name of a domain's coverage; bytes has room for COVERAGE_KEY_SIZE. False when the domain is
 * none. */
#define COVERAGE_KEY_SIZE (sizeof META_COVERAGE + DOMAIN_MAX)
static bool make_coverage_key(const char *domain, char *bytes, MDB_val *key_out)
{
	int size;

	if (domain == NULL || *domain == '\0' || strlen(domain) > DOMAIN_MAX)
		return false;
	size = snprintf(bytes, COVERAGE_KEY_SIZE, "%s%s", META_COVERAGE, domain);
	*key_out = (MDB_val){.mv_size = (size_t)size, .mv_data = bytes};
	return true;
}

static bool decode_coverage(const MDB_val *value, struct ledger_coverage *coverage_out)
{
	struct codec_reader reader;

	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != COVERAGE_VERSION)
		return false;
	coverage_out->from_s = codec_get_i64(&reader);
	coverage_out->until_s = codec_get_i64(&reader);
	coverage_out->is_any = true;
	return codec_is_complete(&reader);
}

bool ledger_check_coverage(const MDB_val *key, const MDB_val *value)
{
	struct ledger_coverage coverage;

	(void)key;
	return decode_coverage(value, &coverage);
}

struct coverage_look_up {
	MDB_val key;
	struct ledger_coverage *coverage;
};

/* MDB_NOTFOUND when it was never fed, MDB_CORRUPTED when the record does not decode. */
static int get_coverage(struct state *state, MDB_txn *transaction, void *argument)
{
	struct coverage_look_up *look_up_of = argument;
	struct ledger_coverage *coverage = look_up_of->coverage;
	MDB_val key = look_up_of->key;
	MDB_val value;
	int code = mdb_get(transaction, state->dbis[BOX_META], &key, &value);

	*coverage = (struct ledger_coverage){.is_any = false};
	if (code != MDB_SUCCESS || decode_coverage(&value, coverage))
		return code;
	*coverage = (struct ledger_coverage){.is_any = false};
	return MDB_CORRUPTED;
}

enum status ledger_coverage(
	struct state *state, const char *domain, struct ledger_coverage *coverage_out)
{
	char bytes[COVERAGE_KEY_SIZE];
	struct coverage_look_up look_up_of = {.coverage = coverage_out};
	enum status status = STATUS_NOT_FOUND;

	if (make_coverage_key(domain, bytes, &look_up_of.key))
		status = box_read(state, get_coverage, &look_up_of);
	if (status != STATUS_OK)
		*coverage_out = (struct ledger_coverage){.is_any = false};
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* An entry that is ready to be written. */
struct prepared {
	unsigned char key[KEY_SIZE];
	int64_t sent_s;
};

/* The entries of one sender domain in a feeding. */
struct span {
	const char *domain;
	int64_t earliest_s;
	int64_t latest_s;
};

struct feeding {
	enum ledger_feed feed;
	int64_t now;
	const struct ledger_entry *entries;
	size_t count;
	struct prepared *prepared;
	size_t prepared_count;
	struct span spans[SPANS_MAX];
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
	struct span *span = feeding->spans;
	struct span *end = feeding->spans + feeding->span_count;

	if (entry->domain == NULL)
		return;
	while (span < end && strcmp(span->domain, entry->domain) != 0)
		span++;
	if (span == end && feeding->span_count == SPANS_MAX)
		return;
	if (span == end) {
		*span = (struct span){entry->domain, entry->sent_s, entry->sent_s};
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

/* `from` is set once: entries from before the first feeding are there only by chance, and what is
 * missing among them proves nothing. A continuous feed that takes over from batches begins anew:
 * nobody knows what was sent between the last batch and now. */
static void extend_coverage(
	struct ledger_coverage *coverage, const struct feeding *feeding, const struct span *span)
{
	bool is_batch = feeding->feed == LEDGER_FEED_BATCH;
	int64_t until_s = span->latest_s > feeding->now ? span->latest_s : feeding->now;

	bool has_gap = is_batch ? coverage->until_s < span->earliest_s - GAP_MAX_S
				: coverage->until_s < feeding->now;

	if (!coverage->is_any || has_gap) {
		coverage->from_s = is_batch ? span->earliest_s : feeding->now;
		coverage->until_s = INT64_MIN;
		coverage->is_any = true;
	}
	if (!is_batch)
		until_s = INT64_MAX;
	if (until_s > coverage->until_s)
		coverage->until_s = until_s;
}

static int put_span(struct state *state, MDB_txn *transaction, const struct feeding *feeding,
	const struct span *span)
{
	unsigned char bytes[1 + 2 * CODEC_U64_SIZE] = {COVERAGE_VERSION};
	MDB_val value = {.mv_size = sizeof bytes, .mv_data = bytes};
	char name[COVERAGE_KEY_SIZE];
	struct ledger_coverage coverage;
	struct coverage_look_up look_up_of = {.coverage = &coverage};
	int code;

	if (!make_coverage_key(span->domain, name, &look_up_of.key))
		return MDB_SUCCESS;
	code = get_coverage(state, transaction, &look_up_of);
	/* A record that does not decode covers nothing: begin anew, which claims the least. */
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND && code != MDB_CORRUPTED)
		return code;
	extend_coverage(&coverage, feeding, span);
	codec_store_u64(bytes + 1, (uint64_t)coverage.from_s);
	codec_store_u64(bytes + 1 + CODEC_U64_SIZE, (uint64_t)coverage.until_s);
	return mdb_put(transaction, state->dbis[BOX_META], &look_up_of.key, &value, 0);
}

static int put_coverage(struct state *state, MDB_txn *transaction, const struct feeding *feeding)
{
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < feeding->span_count && code == MDB_SUCCESS; i++)
		code = put_span(state, transaction, feeding, &feeding->spans[i]);
	return code;
}

static int cover(struct state *state, MDB_txn *transaction, void *argument)
{
	return put_coverage(state, transaction, argument);
}

enum status ledger_cover(
	struct state *state, const char *domain, int64_t earliest_s, int64_t until_s)
{
	struct feeding feeding = {.feed = LEDGER_FEED_BATCH, .now = until_s, .span_count = 1};

	feeding.spans[0] = (struct span){domain, earliest_s, earliest_s};
	return box_write(state, cover, &feeding);
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
