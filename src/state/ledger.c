/*
 * ledger.c: what was sent.
 *
 * In charge of the form of "sent", and of asking it. Leaves feeding it to ledger_feed.c, and what
 * an answer weighs to weigh/.
 */
#include "state/ledger.h"

#include <string.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/message_id.h"
#include "state/parts.h"

enum {
	MESSAGE_SIZE = LEDGER_MESSAGE_SIZE,
	RECIPIENT_SIZE = LEDGER_RECIPIENT_SIZE,
	KEY_SIZE = LEDGER_KEY_SIZE,
	WALK_MAX = 64 /* entries of one message; who passes through us may bring it to many */
};

static void hash_text(const char *text, unsigned char *hash_out)
{
	unsigned char hash[HASH_SHA256_SIZE];

	hash_sha256(text, strlen(text), hash);
	memcpy(hash_out, hash, MESSAGE_SIZE);
}

bool ledger_hash_message(const char *message_id, unsigned char *hash_out)
{
	char *id = message_id_normalise(NULL, message_id);

	if (id == NULL)
		return false;
	hash_text(id, hash_out);
	mem_free(id);
	return true;
}

/* As older versions stored it, with the case of its domain. False also when that is the same. */
static bool hash_old_message_id(const char *message_id, unsigned char *hash_out)
{
	char *id = message_id_normalise(NULL, message_id);
	char *old = message_id_strip(NULL, message_id);
	bool is_other = id != NULL && strcmp(id, old) != 0;

	if (is_other)
		hash_text(old, hash_out);
	mem_free(id);
	mem_free(old);
	return is_other;
}

bool ledger_hash_recipient(const char *recipient, unsigned char *hash_out)
{
	unsigned char hash[HASH_SHA256_SIZE];
	char *normalised = recipient != NULL ? address_normalise(NULL, recipient) : NULL;

	if (normalised == NULL)
		return false;
	hash_sha256(normalised, strlen(normalised), hash);
	mem_free(normalised);
	memcpy(hash_out, hash, RECIPIENT_SIZE);
	return true;
}

bool ledger_is_passed_on(const MDB_val *value)
{
	return value->mv_size > 0 &&
	       *(const unsigned char *)value->mv_data == LEDGER_PASSED_ON_VERSION;
}

bool ledger_decode_sent(const MDB_val *value, int64_t *sent_s_out)
{
	struct codec_reader reader;
	unsigned version;

	*sent_s_out = 0;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	version = codec_get_u8(&reader);
	if (version != LEDGER_SENT_VERSION && version != LEDGER_PASSED_ON_VERSION)
		return false;
	*sent_s_out = codec_get_i64(&reader);
	return codec_is_complete(&reader);
}

bool ledger_check_sent(const MDB_val *key, const MDB_val *value)
{
	int64_t sent_s;

	return key->mv_size == KEY_SIZE && ledger_decode_sent(value, &sent_s);
}

struct lookup {
	unsigned char message[MESSAGE_SIZE];
	const unsigned char *recipients; /* RECIPIENT_SIZE each */
	size_t count;
	bool has_named; /* an entry with a recipient, of either sort */
	struct ledger_answer answer;
};

/* True when the walk has seen what there is to learn. */
static bool take_entry(struct lookup *lookup, const MDB_val *value, bool is_named)
{
	struct ledger_answer *answer = &lookup->answer;

	if (ledger_is_passed_on(value)) {
		answer->is_passed_on = true;
	} else {
		answer->has_message = true;
		answer->records_recipients |= is_named;
		if (answer->sent_s == 0)
			ledger_decode_sent(value, &answer->sent_s);
	}
	answer->has_several |= is_named && lookup->has_named;
	lookup->has_named |= is_named;
	return answer->has_several && answer->records_recipients;
}

/* The key is the fact; a value that does not decode only loses the time. */
static int find_message(MDB_cursor *cursor, struct lookup *lookup)
{
	unsigned char bytes[KEY_SIZE] = {0};
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value;
	int code;

	memcpy(bytes, lookup->message, MESSAGE_SIZE);
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	for (int i = 0; i < WALK_MAX && code == MDB_SUCCESS && key.mv_size == KEY_SIZE &&
			memcmp(key.mv_data, lookup->message, MESSAGE_SIZE) == 0;
		i++) {
		/* Only the first can be the one without a recipient, so this ends soon. */
		if (take_entry(lookup, &value, memcmp(key.mv_data, bytes, KEY_SIZE) != 0))
			return MDB_SUCCESS;
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	/* The cursor ran over the last of the message: what was found stands. */
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* That we sent it to one of them counts for more than that it was passed on to another. */
static void take_recipient(struct ledger_answer *answer, const MDB_val *value)
{
	if (ledger_is_passed_on(value)) {
		answer->is_recipient_passed_on = true;
		return;
	}
	answer->has_message = answer->records_recipients = answer->has_recipient = true;
	ledger_decode_sent(value, &answer->sent_s);
}

static int find_recipients(MDB_cursor *cursor, struct lookup *lookup)
{
	unsigned char bytes[KEY_SIZE];
	int code;

	memcpy(bytes, lookup->message, MESSAGE_SIZE);
	for (size_t i = 0; i < lookup->count && !lookup->answer.has_recipient; i++) {
		MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
		MDB_val value;

		memcpy(bytes + MESSAGE_SIZE, lookup->recipients + i * RECIPIENT_SIZE,
			RECIPIENT_SIZE);
		code = mdb_cursor_get(cursor, &key, &value, MDB_SET);
		if (code == MDB_SUCCESS)
			take_recipient(&lookup->answer, &value);
		else if (code != MDB_NOTFOUND)
			return code;
	}
	return MDB_SUCCESS;
}

static int look_up(struct state *state, MDB_txn *transaction, void *argument)
{
	struct lookup *lookup = argument;
	MDB_cursor *cursor = NULL;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_SENT], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	lookup->answer = (struct ledger_answer){0};
	lookup->has_named = false;
	code = find_message(cursor, lookup);
	if (code == MDB_SUCCESS && lookup->has_named)
		code = find_recipients(cursor, lookup);
	mdb_cursor_close(cursor);
	return code;
}

/* Hashes what can be asked for, behind one another. */
static size_t hash_recipients(
	const char *const *recipients, size_t recipient_count, unsigned char *hashes)
{
	size_t count = 0;

	for (size_t i = 0; i < recipient_count; i++)
		count += ledger_hash_recipient(recipients[i], hashes + count * RECIPIENT_SIZE);
	return count;
}

/* What is known of one message under two keys. */
static void merge(struct ledger_answer *answer, const struct ledger_answer *other)
{
	bool both = answer->records_recipients && other->records_recipients;

	if (other->has_recipient || !answer->has_message)
		answer->sent_s = other->sent_s;
	answer->has_message |= other->has_message;
	answer->records_recipients |= other->records_recipients;
	answer->has_recipient |= other->has_recipient;
	answer->has_several |= other->has_several || both;
	answer->is_passed_on |= other->is_passed_on;
	answer->is_recipient_passed_on |= other->is_recipient_passed_on;
}

static enum status find_both(struct state *state, const char *message_id, struct lookup *lookup,
	struct ledger_answer *answer_out)
{
	enum status status = box_read(state, look_up, lookup);

	if (status != STATUS_OK)
		return status;
	*answer_out = lookup->answer;
	if (!hash_old_message_id(message_id, lookup->message))
		return STATUS_OK;
	status = box_read(state, look_up, lookup);
	if (status == STATUS_OK)
		merge(answer_out, &lookup->answer);
	return status;
}

enum status ledger_find(struct state *state, const char *message_id, const char *const *recipients,
	size_t recipient_count, struct ledger_answer *answer_out)
{
	struct ledger_answer answer = {0};
	struct lookup lookup = {.count = 0};
	unsigned char *hashes;
	enum status status;

	*answer_out = (struct ledger_answer){0};
	if (!ledger_hash_message(message_id, lookup.message))
		return STATUS_OK;
	hashes = mem_alloc(NULL, recipient_count * RECIPIENT_SIZE + 1);
	lookup.recipients = hashes;
	lookup.count = hash_recipients(recipients, recipient_count, hashes);
	status = find_both(state, message_id, &lookup, &answer);
	if (status == STATUS_OK)
		*answer_out = answer;
	mem_free(hashes);
	return status;
}
