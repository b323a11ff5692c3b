/*
 * dns_cache.c: answers of DNS, in "dns".
 *
 * Two kinds of keys: 'n' and a hash of name and type has the answer; 'x', the expiry and that hash
 * is its row in the order of expiry, so that a few of the oldest can go with each event without a
 * search. Names are a stranger's choice, so they are hashed; the hash is cryptographic, and an
 * answer says itself which question it is to.
 */
#include "state/dns_cache.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"

enum {
	CACHE_VERSION = 1,
	HASH_SIZE = 16,
	NAME_KEY_SIZE = 1 + HASH_SIZE,
	ROW_KEY_SIZE = 1 + CODEC_U64_SIZE + HASH_SIZE,
	VALUE_HEAD = 1 + CODEC_U64_SIZE, /* version, expiry; the message follows */
	SWEEP_ROWS = 8
};

/* An answer that waits for the next event. */
struct dns_cache_entry {
	struct dns_cache_entry *next;
	unsigned char hash[HASH_SIZE];
	int64_t expires_s;
	size_t size;
	void *data;
};

static void hash_question(const char *name, unsigned type, unsigned char *hash_out)
{
	unsigned char whole[HASH_SHA256_SIZE];
	char *text = mem_printf(NULL, "%u %s", type, name);

	hash_sha256(text, strlen(text), whole);
	mem_free(text);
	memcpy(hash_out, whole, HASH_SIZE);
}

static MDB_val name_key(unsigned char *bytes, const unsigned char *hash)
{
	bytes[0] = 'n';
	memcpy(bytes + 1, hash, HASH_SIZE);
	return (MDB_val){.mv_size = NAME_KEY_SIZE, .mv_data = bytes};
}

static MDB_val row_key(unsigned char *bytes, int64_t expires_s, const unsigned char *hash)
{
	bytes[0] = 'x';
	codec_store_u64(bytes + 1, (uint64_t)expires_s);
	memcpy(bytes + 1 + CODEC_U64_SIZE, hash, HASH_SIZE);
	return (MDB_val){.mv_size = ROW_KEY_SIZE, .mv_data = bytes};
}

/* The message stays where it is. */
static bool decode(const MDB_val *value, int64_t *expires_s_out, struct bytes *message_out)
{
	const unsigned char *data = value->mv_data;

	if (value->mv_size <= VALUE_HEAD || value->mv_size > VALUE_HEAD + DNS_CACHE_MESSAGE_MAX ||
		data[0] != CACHE_VERSION)
		return false;
	*expires_s_out = (int64_t)codec_load_u64(data + 1);
	*message_out = (struct bytes){data + VALUE_HEAD, value->mv_size - VALUE_HEAD};
	return true;
}

bool dns_cache_check(const MDB_val *key, const MDB_val *value)
{
	const unsigned char *bytes = key->mv_data;
	struct bytes message;
	int64_t expires_s;

	if (key->mv_size == NAME_KEY_SIZE && bytes[0] == 'n')
		return decode(value, &expires_s, &message);
	return key->mv_size == ROW_KEY_SIZE && bytes[0] == 'x' && value->mv_size == 1 &&
	       *(const unsigned char *)value->mv_data == CACHE_VERSION;
}

struct search {
	const void *context;
	unsigned char hash[HASH_SIZE];
	int64_t now_s;
	void *data; /* the result, or NULL */
	size_t size;
};

static int find(struct state *state, MDB_txn *transaction, void *argument)
{
	struct search *search = argument;
	unsigned char bytes[NAME_KEY_SIZE];
	MDB_val key = name_key(bytes, search->hash), value;
	struct bytes message;
	int64_t expires_s;
	int code = mdb_get(transaction, state->dbis[BOX_DNS], &key, &value);

	/* An expiry further away than any is one of a clock that was wrong. */
	if (code != MDB_SUCCESS || !decode(&value, &expires_s, &message) ||
		expires_s <= search->now_s || expires_s > search->now_s + DNS_CACHE_TTL_MAX)
		return code;
	search->data = mem_memdup(search->context, message.data, message.size);
	search->size = message.size;
	return MDB_SUCCESS;
}

bool dns_cache_find(struct state *state, const void *context, const char *name, unsigned type,
	int64_t now_s, const void **data_out, size_t *size_out)
{
	struct search search = {.context = context, .now_s = now_s};

	hash_question(name, type, search.hash);
	if (!box_has(state, BOX_DNS) || box_read(state, find, &search) != STATUS_OK ||
		search.data == NULL)
		return false;
	*data_out = search.data;
	*size_out = search.size;
	return true;
}

void dns_cache_add(struct state *state, const char *name, unsigned type, const void *data,
	size_t size, int64_t expires_s)
{
	struct dns_cache_entry *entry;

	if (size == 0 || size > DNS_CACHE_MESSAGE_MAX || state->dns_new_count >= DNS_CACHE_NEW_MAX)
		return;
	entry = mem_new(state, struct dns_cache_entry);
	hash_question(name, type, entry->hash);
	entry->data = mem_memdup(entry, data, size);
	entry->size = size;
	entry->expires_s = expires_s;
	entry->next = state->dns_new;
	state->dns_new = entry;
	state->dns_new_count++;
}

/* ---- within the transaction of an event ---- */

static int delete_key(struct state *state, MDB_txn *transaction, MDB_val key)
{
	int code = mdb_del(transaction, state->dbis[BOX_DNS], &key, NULL);

	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* The row of an answer that is about to be replaced. */
static int delete_old_row(
	struct state *state, MDB_txn *transaction, MDB_val key, const unsigned char *hash)
{
	unsigned char bytes[ROW_KEY_SIZE];
	struct bytes message;
	int64_t expires_s;
	MDB_val value;
	int code = mdb_get(transaction, state->dbis[BOX_DNS], &key, &value);

	if (code != MDB_SUCCESS || !decode(&value, &expires_s, &message))
		return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
	return delete_key(state, transaction, row_key(bytes, expires_s, hash));
}

static int put_entry(struct state *state, MDB_txn *transaction, const struct dns_cache_entry *entry,
	int64_t expires_s)
{
	unsigned char name[NAME_KEY_SIZE], row[ROW_KEY_SIZE];
	unsigned char data[VALUE_HEAD + DNS_CACHE_MESSAGE_MAX] = {CACHE_VERSION};
	MDB_val key = name_key(name, entry->hash);
	MDB_val value = {.mv_size = VALUE_HEAD + entry->size, .mv_data = data};
	int code = delete_old_row(state, transaction, key, entry->hash);

	codec_store_u64(data + 1, (uint64_t)expires_s);
	memcpy(data + VALUE_HEAD, entry->data, entry->size);
	if (code == MDB_SUCCESS)
		code = mdb_put(transaction, state->dbis[BOX_DNS], &key, &value, 0);
	key = row_key(row, expires_s, entry->hash);
	value.mv_size = 1;
	if (code == MDB_SUCCESS)
		code = mdb_put(transaction, state->dbis[BOX_DNS], &key, &value, 0);
	return code;
}

/* Removes the answer that expires first, if it has expired or there are too many, or if its expiry
 * is one of a clock that was wrong. MDB_NOTFOUND when there is none to remove. */
static int remove_first(struct state *state, MDB_txn *transaction, int64_t now_s)
{
	unsigned char name[NAME_KEY_SIZE], row[ROW_KEY_SIZE];
	unsigned char first = 'x';
	MDB_val key = {.mv_size = 1, .mv_data = &first}, value;
	MDB_cursor *cursor = NULL;
	MDB_stat figures = {0};
	int code = mdb_stat(transaction, state->dbis[BOX_DNS], &figures);

	if (code == MDB_SUCCESS)
		code = mdb_cursor_open(transaction, state->dbis[BOX_DNS], &cursor);
	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	if (code == MDB_SUCCESS && key.mv_size == ROW_KEY_SIZE)
		memcpy(row, key.mv_data, ROW_KEY_SIZE);
	else if (code == MDB_SUCCESS)
		code = MDB_NOTFOUND;
	mdb_cursor_close(cursor);
	if (code != MDB_SUCCESS)
		return code;
	/* Two keys an answer. */
	if ((int64_t)codec_load_u64(row + 1) > now_s &&
		figures.ms_entries <= 2 * (size_t)DNS_CACHE_ENTRIES_MAX)
		return MDB_NOTFOUND;
	code = delete_key(state, transaction, name_key(name, row + 1 + CODEC_U64_SIZE));
	if (code == MDB_SUCCESS)
		code = delete_key(
			state, transaction, (MDB_val){.mv_size = sizeof row, .mv_data = row});
	return code;
}

int dns_cache_write(struct state *state, MDB_txn *transaction, int64_t now_s)
{
	const struct dns_cache_entry *entry = state->dns_new;
	int code = MDB_SUCCESS;

	for (; entry != NULL && code == MDB_SUCCESS; entry = entry->next) {
		int64_t most_s = now_s + DNS_CACHE_TTL_MAX;

		code = put_entry(state, transaction, entry,
			entry->expires_s < most_s ? entry->expires_s : most_s);
	}
	/* More than can come in, so that there are never many too many. */
	for (size_t i = 0; i < SWEEP_ROWS + state->dns_new_count && code == MDB_SUCCESS; i++)
		code = remove_first(state, transaction, now_s);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

void dns_cache_forget_new(struct state *state)
{
	while (state->dns_new != NULL) {
		struct dns_cache_entry *entry = state->dns_new;

		state->dns_new = entry->next;
		mem_free(entry);
	}
	state->dns_new_count = 0;
}
