/*
 * prune.c: removes old records when told to.
 *
 * A table says where the time of a record is. Leaves held mail to cmd/held.c, whose files go with
 * the records, and the roster to its file. A pruned ledger covers less before the first entry goes,
 * in the same transaction: what is gone must never be taken for absent.
 */
#include "state/prune.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "state/parts.h"
#include "state/place.h"

enum { SLICE_RECORDS = 4096, KEY_MAX = 511, EVENT_ID_BITS = 20 };

static bool time_of_event(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	(void)value;
	*time_s_out = 0;
	if (key->mv_size != CODEC_U64_SIZE)
		return false;
	*time_s_out = (int64_t)(codec_load_u64(key->mv_data) >> EVENT_ID_BITS);
	return true;
}

static bool time_of_sent(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	(void)key;
	return ledger_decode_sent(value, time_s_out);
}

static bool time_of_id(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	(void)key;
	return ids_decode_used(value, time_s_out);
}

static bool time_of_counter(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	(void)key;
	return counter_decode_last(value, time_s_out);
}

static bool time_of_proof(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	if (!proof_check_time(key, value))
		return false;
	*time_s_out = (int64_t)codec_load_u64(key->mv_data);
	return true;
}

/* The last second of its hour. */
static bool time_of_rollup(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	(void)value;
	*time_s_out = 0;
	if (key->mv_size < CODEC_U64_SIZE)
		return false;
	*time_s_out = (int64_t)codec_load_u64(key->mv_data) + ROLLUP_S - 1;
	return true;
}

static bool time_of_storm(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	(void)value;
	return place_decode_past_end(key, time_s_out);
}

static bool time_of_rate(const MDB_val *key, const MDB_val *value, int64_t *time_s_out)
{
	(void)key;
	return rate_decode_last(value, time_s_out);
}

typedef int remover(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *key);

static int remove_record(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *key)
{
	(void)state;
	(void)transaction;
	(void)key;
	return mdb_cursor_del(cursor, 0);
}

const struct prune_kind prune_kinds[] = {
	{"events", "decisions, by when they were taken; the numbers of their hours stay"},
	{"rollups", "the numbers of hours that are over"},
	{"sent", "the ledger of sent mail, by when it was sent; it covers no more than is left"},
	{"ids", "recipients' ids in tags, by their last use"},
	{"lists", "counters of lists, by their last message"},
	{"reporters", "counters of reporters, by their last message"},
	{"proofs", "uses of proofs, by the first"},
	{"rates", "rates of networks, names in HELO and recipients, by their last report"},
	{"storms", "storms that are over, by their end; what is usual at a list stays"},
	{NULL, NULL},
};

/* In the order of prune_kinds. */
static const struct {
	enum box_db database;
	bool (*find_time)(const MDB_val *key, const MDB_val *value, int64_t *time_s_out);
	remover *remove;
	bool is_ordered; /* by time: the first that stays is the last to look at */
	bool cuts_coverage;
} rows[] = {
	{BOX_EVENTS, time_of_event, ageing_forget_event, true, false},
	{BOX_ROLLUPS, time_of_rollup, ageing_forget_rollup, true, false},
	{BOX_SENT, time_of_sent, remove_record, false, true},
	{BOX_IDS, time_of_id, remove_record, false, false},
	{BOX_LISTS, time_of_counter, remove_record, false, false},
	{BOX_REPORTERS, time_of_counter, remove_record, false, false},
	{BOX_PROOF_TIMES, time_of_proof, proof_forget, true, false},
	{BOX_RATES, time_of_rate, remove_record, false, false},
	{BOX_STORMS, time_of_storm, remove_record, false, false},
};

struct pruning {
	size_t row;
	int64_t before_s;
	bool is_dry;
	unsigned char from[KEY_MAX]; /* the key that the next slice begins with */
	size_t from_size;
	/* The results of a slice. */
	unsigned char next[KEY_MAX];
	size_t next_size;
	bool is_at_end;
	struct prune_result slice;
};

/* Looks at the record under the cursor, and moves on. */
static int look_at(struct state *state, MDB_txn *transaction, MDB_cursor *cursor,
	struct pruning *pruning, MDB_val *key, MDB_val *value)
{
	int64_t time_s;
	bool is_known = rows[pruning->row].find_time(key, value, &time_s);
	int code;

	pruning->slice.looked_at++;
	if (is_known && time_s >= pruning->before_s && rows[pruning->row].is_ordered)
		return MDB_NOTFOUND;
	if (!is_known || time_s >= pruning->before_s)
		return mdb_cursor_get(cursor, key, value, MDB_NEXT);
	pruning->slice.removed++;
	if (pruning->is_dry)
		return mdb_cursor_get(cursor, key, value, MDB_NEXT);
	code = rows[pruning->row].remove(state, transaction, cursor, key);
	/* The cursor stands on what followed; behind the last one LMDB says either, by version. */
	if (code == MDB_SUCCESS)
		code = mdb_cursor_get(cursor, key, value, MDB_GET_CURRENT);
	return code == EINVAL ? MDB_NOTFOUND : code;
}

static int prune_slice(struct state *state, MDB_txn *transaction, void *argument)
{
	struct pruning *pruning = argument;
	MDB_val key = {.mv_size = pruning->from_size, .mv_data = pruning->from}, value;
	MDB_cursor *cursor = NULL;
	int code = MDB_SUCCESS;

	pruning->slice = (struct prune_result){0};
	if (rows[pruning->row].cuts_coverage && !pruning->is_dry)
		code = coverage_cut_to(state, transaction, pruning->before_s);
	if (code == MDB_SUCCESS)
		code = mdb_cursor_open(
			transaction, state->dbis[rows[pruning->row].database], &cursor);
	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(
		cursor, &key, &value, pruning->from_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
	for (size_t i = 0; i < SLICE_RECORDS && code == MDB_SUCCESS; i++)
		code = look_at(state, transaction, cursor, pruning, &key, &value);
	pruning->is_at_end = code == MDB_NOTFOUND;
	if (code == MDB_SUCCESS && box_compare_keys(&key, &(MDB_val){.mv_size = pruning->from_size,
								  .mv_data = pruning->from}) <= 0)
		code = MDB_CORRUPTED; /* a damaged page would send it round in circles */
	if (code == MDB_SUCCESS && key.mv_size <= sizeof pruning->next) {
		memcpy(pruning->next, key.mv_data, key.mv_size);
		pruning->next_size = key.mv_size;
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static enum status prune(struct state *state, struct pruning *pruning, struct prune_result *result)
{
	enum status status;

	do {
		status = pruning->is_dry ? box_read(state, prune_slice, pruning)
					 : box_write(state, prune_slice, pruning);
		if (status != STATUS_OK)
			return status;
		result->looked_at += pruning->slice.looked_at;
		result->removed += pruning->slice.removed;
		memcpy(pruning->from, pruning->next, pruning->next_size);
		pruning->from_size = pruning->next_size;
	} while (!pruning->is_at_end);
	return STATUS_OK;
}

enum status state_prune(struct state *state, const char *name, int64_t before_s, bool is_dry,
	struct prune_result *result_out)
{
	struct pruning pruning = {.before_s = before_s, .is_dry = is_dry};

	_Static_assert(
		sizeof rows / sizeof rows[0] == sizeof prune_kinds / sizeof prune_kinds[0] - 1,
		"each kind has a row");
	*result_out = (struct prune_result){0};
	while (prune_kinds[pruning.row].name != NULL &&
		strcmp(prune_kinds[pruning.row].name, name) != 0)
		pruning.row++;
	if (prune_kinds[pruning.row].name == NULL)
		return STATUS_NOT_FOUND;
	if (!box_has(state, rows[pruning.row].database))
		return STATUS_OK;
	return prune(state, &pruning, result_out);
}
