/*
 * proof.c: uses of proofs, counted.
 *
 * In charge of "proofs" and of "proof-times", an index of them by the time of their first use, by
 * which a few old ones go with each message. Leaves what a count means to weigh/replay.c.
 */
#include "state/proof.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"

enum {
	PROOF_VERSION = 1,
	TIME_VERSION = 1,
	REPORTS_MAX = 8, /* that are remembered of one proof */
	TIME_KEY_SIZE = CODEC_U64_SIZE + PROOF_KEY_SIZE,
	SWEEP_PROOFS_MAX = 8, /* old ones that go with one message */
	VALUE_SIZE_MAX =
		1 + 2 * CODEC_U64_SIZE + 4 * PROOF_CLASS_COUNT + 1 + REPORTS_MAX * CODEC_U64_SIZE
};

struct proof {
	int64_t first_s;
	int64_t last_s;
	uint32_t counts[PROOF_CLASS_COUNT];
	size_t report_count;
	uint64_t reports[REPORTS_MAX]; /* the last ones, newest first */
};

void proof_add(struct proof_use *use, const char *what, const char *first, const char *second)
{
	unsigned char hash[HASH_SHA256_SIZE];
	char *text;

	/* A newline stands in no address and in no Message-ID that was unfolded. */
	text = mem_printf(
		NULL, "%s\n%s\n%s", what, first == NULL ? "" : first, second == NULL ? "" : second);
	hash_sha256(text, strlen(text), hash);
	mem_free(text);
	for (size_t i = 0; i < use->count; i++) {
		if (memcmp(use->keys[i], hash, PROOF_KEY_SIZE) == 0)
			return;
	}
	if (use->count < PROOF_COUNT_MAX)
		memcpy(use->keys[use->count++], hash, PROOF_KEY_SIZE);
}

uint64_t proof_hash(struct bytes shown)
{
	unsigned char hash[HASH_SHA256_SIZE];

	hash_sha256(shown.data, shown.size, hash);
	return codec_load_u64(hash);
}

static bool decode_proof(const MDB_val *value, struct proof *proof_out)
{
	struct codec_reader reader;

	*proof_out = (struct proof){0};
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != PROOF_VERSION)
		return false;
	proof_out->first_s = codec_get_i64(&reader);
	proof_out->last_s = codec_get_i64(&reader);
	for (size_t i = 0; i < PROOF_CLASS_COUNT; i++)
		proof_out->counts[i] = codec_get_u32(&reader);
	proof_out->report_count = codec_get_below(&reader, REPORTS_MAX + 1);
	for (size_t i = 0; i < proof_out->report_count; i++)
		proof_out->reports[i] = codec_get_u64(&reader);
	return codec_is_complete(&reader);
}

bool proof_check(const MDB_val *key, const MDB_val *value)
{
	struct proof proof;

	return key->mv_size == PROOF_KEY_SIZE && decode_proof(value, &proof);
}

bool proof_check_time(const MDB_val *key, const MDB_val *value)
{
	return key->mv_size == TIME_KEY_SIZE && value->mv_size == 1 &&
	       *(const unsigned char *)value->mv_data == TIME_VERSION;
}

/* One that does not decode counts from nothing again, as if it were not there. */
static int get_proof(struct state *state, MDB_txn *transaction, const unsigned char *bytes,
	struct proof *proof_out)
{
	MDB_val key = {.mv_size = PROOF_KEY_SIZE, .mv_data = (void *)bytes}, value;
	int code = mdb_get(transaction, state->dbis[BOX_PROOFS], &key, &value);

	*proof_out = (struct proof){0};
	if (code == MDB_SUCCESS && !decode_proof(&value, proof_out))
		*proof_out = (struct proof){0};
	return code;
}

/* What counts once for a proof. */
static uint64_t find_shown(const struct proof_use *use, size_t i)
{
	return use->instead[i] != 0 ? use->instead[i] : use->report;
}

static bool has_report(const struct proof *proof, uint64_t report)
{
	for (size_t i = 0; i < proof->report_count; i++) {
		if (proof->reports[i] == report)
			return true;
	}
	return false;
}

struct proof_search {
	const struct proof_use *use;
	uint64_t *earlier;
};

static int find_proofs(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct proof_search *search = argument;
	const struct proof_use *use = search->use;

	for (size_t i = 0; i < use->count; i++) {
		struct proof proof;
		int code = get_proof(state, transaction, use->keys[i], &proof);
		if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
			return code;
		search->earlier[i] = proof.counts[use->class];
		if (search->earlier[i] > 0 && has_report(&proof, find_shown(use, i)))
			search->earlier[i]--;
	}
	return MDB_SUCCESS;
}

enum status proof_find(
	struct state *state, const struct proof_use *use, uint64_t earlier_out[PROOF_COUNT_MAX])
{
	struct proof_search search = {use, earlier_out};

	memset(earlier_out, 0, PROOF_COUNT_MAX * sizeof *earlier_out);
	if (!box_has(state, BOX_PROOFS))
		return STATUS_OK;
	return box_read(state, find_proofs, &search);
}

static void make_time_key(unsigned char *bytes, int64_t first_s, const unsigned char *key)
{
	codec_store_u64(bytes, (uint64_t)first_s);
	memcpy(bytes + CODEC_U64_SIZE, key, PROOF_KEY_SIZE);
}

static int put_proof(struct state *state, MDB_txn *transaction, const unsigned char *bytes,
	const struct proof *proof)
{
	unsigned char data[VALUE_SIZE_MAX], *end = data;
	MDB_val key = {.mv_size = PROOF_KEY_SIZE, .mv_data = (void *)bytes}, value;

	*end++ = PROOF_VERSION;
	codec_store_u64(end, (uint64_t)proof->first_s);
	codec_store_u64(end + CODEC_U64_SIZE, (uint64_t)proof->last_s);
	end += 2 * CODEC_U64_SIZE;
	for (size_t i = 0; i < PROOF_CLASS_COUNT; i++) {
		for (int shift = 24; shift >= 0; shift -= 8)
			*end++ = (unsigned char)(proof->counts[i] >> shift);
	}
	*end++ = (unsigned char)proof->report_count;
	for (size_t i = 0; i < proof->report_count; i++, end += CODEC_U64_SIZE)
		codec_store_u64(end, proof->reports[i]);
	value = (MDB_val){.mv_size = (size_t)(end - data), .mv_data = data};
	return mdb_put(transaction, state->dbis[BOX_PROOFS], &key, &value, 0);
}

static int put_time(
	struct state *state, MDB_txn *transaction, const unsigned char *proof_key, int64_t first_s)
{
	unsigned char bytes[TIME_KEY_SIZE], data[] = {TIME_VERSION};
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value = {.mv_size = sizeof data, .mv_data = data};

	make_time_key(bytes, first_s, proof_key);
	return mdb_put(transaction, state->dbis[BOX_PROOF_TIMES], &key, &value, 0);
}

static int count_use(struct state *state, MDB_txn *transaction, const struct proof_use *use,
	size_t i, int64_t now)
{
	const unsigned char *key = use->keys[i];
	uint64_t shown = find_shown(use, i);
	struct proof proof;
	int code = get_proof(state, transaction, key, &proof);

	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		return code;
	if (has_report(&proof, shown))
		return MDB_SUCCESS;
	code = MDB_SUCCESS;
	if (proof.first_s == 0) {
		proof.first_s = now;
		code = put_time(state, transaction, key, now);
	}
	proof.last_s = now;
	if (proof.counts[use->class] < UINT32_MAX)
		proof.counts[use->class]++;
	if (proof.report_count < REPORTS_MAX)
		proof.report_count++;
	memmove(proof.reports + 1, proof.reports,
		(proof.report_count - 1) * sizeof proof.reports[0]);
	proof.reports[0] = shown;
	return code == MDB_SUCCESS ? put_proof(state, transaction, key, &proof) : code;
}

int proof_count(struct state *state, MDB_txn *transaction, const struct proof_use *use, int64_t now)
{
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < use->count && code == MDB_SUCCESS; i++)
		code = count_use(state, transaction, use, i, now);
	return code;
}

int proof_is_new(
	struct state *state, MDB_txn *transaction, const struct proof_use *use, bool *is_new_out)
{
	*is_new_out = use->count > 0;
	for (size_t i = 0; i < use->count; i++) {
		struct proof proof;
		int code = get_proof(state, transaction, use->keys[i], &proof);

		if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
			return code;
		if (proof.first_s != 0)
			*is_new_out = false;
	}
	return MDB_SUCCESS;
}

/* The row under the cursor is over: it goes, and the proof with it. */
int proof_forget(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *time_key)
{
	unsigned char bytes[PROOF_KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	int code;

	memcpy(bytes, (const unsigned char *)time_key->mv_data + CODEC_U64_SIZE, sizeof bytes);
	code = mdb_cursor_del(cursor, 0);
	if (code == MDB_SUCCESS)
		code = mdb_del(transaction, state->dbis[BOX_PROOFS], &key, NULL);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

int proof_sweep(struct state *state, MDB_txn *transaction, int64_t now)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_PROOF_TIMES], &cursor);

	for (size_t i = 0; i < SWEEP_PROOFS_MAX && code == MDB_SUCCESS; i++) {
		code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		if (code == MDB_SUCCESS && key.mv_size != TIME_KEY_SIZE)
			code = mdb_cursor_del(cursor, 0);
		else if (code == MDB_SUCCESS &&
			 (int64_t)codec_load_u64(key.mv_data) + PROOF_KEPT_S <= now)
			code = proof_forget(state, transaction, cursor, &key);
		else
			break;
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}
