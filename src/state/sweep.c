/*
 * sweep.c: lets old records go, a few with each write, from databases whose keys are hashes.
 *
 * An index by time would cost as many bytes as an entry of the ledger itself. So a place in the
 * database moves on with each write, a few records for each one added, and comes round again. With
 * two looked at for each one added, a record goes at the latest half its lifetime late. That is
 * safe: what is old is never taken for absent, since the coverage is cut before (ledger.c).
 */
#include <errno.h>
#include <string.h>

#include "state/parts.h"

enum { SWEEP_VERSION = 1, POSITION_MAX = 64 };

/* The key at which the last sweep stopped, behind a version byte. */
struct position {
	unsigned char bytes[1 + POSITION_MAX];
	size_t size;
};

bool sweep_check(const MDB_val *key, const MDB_val *value)
{
	(void)key;
	return value->mv_size >= 1 && value->mv_size <= 1 + POSITION_MAX &&
	       *(const unsigned char *)value->mv_data == SWEEP_VERSION;
}

static int get_position(
	struct state *state, MDB_txn *transaction, const char *name, struct position *position)
{
	MDB_val key = {.mv_size = strlen(name), .mv_data = (void *)name}, value;
	int code = mdb_get(transaction, state->dbis[BOX_META], &key, &value);

	position->size = 0;
	if (code == MDB_SUCCESS && sweep_check(&key, &value)) {
		position->size = value.mv_size - 1;
		memcpy(position->bytes, value.mv_data, value.mv_size);
	}
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* next NULL: the end was reached, and the next sweep begins at the start. */
static int put_position(
	struct state *state, MDB_txn *transaction, const char *name, const MDB_val *next)
{
	unsigned char bytes[1 + POSITION_MAX] = {SWEEP_VERSION};
	MDB_val key = {.mv_size = strlen(name), .mv_data = (void *)name};
	MDB_val value = {.mv_size = 1, .mv_data = bytes};

	if (next != NULL && next->mv_size <= POSITION_MAX) {
		memcpy(bytes + 1, next->mv_data, next->mv_size);
		value.mv_size += next->mv_size;
	}
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

static int look_at(MDB_cursor *cursor, const struct sweep_plan *plan, MDB_val *key, MDB_val *value)
{
	int64_t time_s;
	int code;

	if (!plan->decode_time(value, &time_s) || time_s >= plan->limit_s)
		return mdb_cursor_get(cursor, key, value, MDB_NEXT);
	code = mdb_cursor_del(cursor, 0);
	/* The cursor stands on what followed. */
	if (code == MDB_SUCCESS)
		code = mdb_cursor_get(cursor, key, value, MDB_GET_CURRENT);
	/* Behind the last one LMDB says either, by version. */
	return code == EINVAL ? MDB_NOTFOUND : code;
}

int sweep_run(struct state *state, MDB_txn *transaction, const struct sweep_plan *plan)
{
	struct position position;
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int code = get_position(state, transaction, plan->position_name, &position);

	if (code == MDB_SUCCESS)
		code = mdb_cursor_open(transaction, state->dbis[plan->database], &cursor);
	if (code != MDB_SUCCESS)
		return code;
	key = (MDB_val){.mv_size = position.size, .mv_data = position.bytes + 1};
	code = mdb_cursor_get(cursor, &key, &value, position.size == 0 ? MDB_FIRST : MDB_SET_RANGE);
	for (size_t i = 0; i < plan->budget && code == MDB_SUCCESS; i++)
		code = look_at(cursor, plan, &key, &value);
	if (code == MDB_SUCCESS || code == MDB_NOTFOUND)
		code = put_position(
			state, transaction, plan->position_name, code == MDB_SUCCESS ? &key : NULL);
	mdb_cursor_close(cursor);
	return code;
}
