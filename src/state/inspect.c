/*
 * inspect.c: how large the state is, and whether every record of it decodes.
 *
 * Changes nothing. Leaves to each module what a good record of its database is.
 */
#include <string.h>

#include "state/parts.h"

static bool meta_check(const MDB_val *key, const MDB_val *value);

static record_check *const checks[BOX_DB_COUNT] = {
	[BOX_SENT] = ledger_check_sent,
	[BOX_IDS] = ids_check,
	[BOX_EVENTS] = event_check,
	[BOX_LISTS] = counter_check,
	[BOX_REPORTERS] = counter_check,
	[BOX_HELD] = held_check,
	[BOX_EXPIRY] = expiry_check,
	[BOX_META] = meta_check,
	[BOX_ROSTER] = roster_check_member,
	[BOX_PROOFS] = proof_check,
	[BOX_PROOF_TIMES] = proof_check_time,
	[BOX_DNS] = dns_cache_check,
	[BOX_AUDIT] = audit_check,
	[BOX_ROLLUPS] = rollup_check,
	[BOX_RATES] = rate_check,
	[BOX_STORMS] = place_check,
	[BOX_OWED] = owed_check,
};

/* The first row that the key begins with. */
static const struct {
	const char *key;
	record_check *check;
	bool is_prefix;
} meta_checks[] = {
	{META_COVERAGE, ledger_check_coverage, true},
	{META_HORIZON, ageing_check, false},
	{META_CONFIG, settings_check, true},
	{META_CONFIG_PATH, settings_check_source, false},
	{META_HOST, counter_check, false},
	{META_KEPT, expiry_check_kept, false},
	{META_ROSTER, roster_check_head, true},
	{META_SECRET, hide_check_secret, false},
	{META_SWEEP_IDS, sweep_check, false},
	{META_SWEEP_REPORTERS, sweep_check, false},
	{META_SWEEP_RATES, sweep_check, false},
	{META_SWEEP_SENT, sweep_check, false},
};

static bool meta_check(const MDB_val *key, const MDB_val *value)
{
	for (size_t i = 0; i < sizeof meta_checks / sizeof meta_checks[0]; i++) {
		size_t size = strlen(meta_checks[i].key);

		if ((meta_checks[i].is_prefix ? size < key->mv_size : size == key->mv_size) &&
			memcmp(meta_checks[i].key, key->mv_data, size) == 0)
			return meta_checks[i].check(key, value);
	}
	return false;
}

record_check *box_check(enum box_db database)
{
	return checks[database];
}

struct verification {
	record_check *check;
	uint64_t records;
	uint64_t faults;
};

static enum status verify_record(void *argument, const MDB_val *key, const MDB_val *value)
{
	struct verification *verification = argument;

	verification->records++;
	if (!verification->check(key, value))
		verification->faults++;
	return STATUS_OK;
}

size_t state_database_count(void)
{
	return BOX_DB_COUNT;
}

enum status state_verify_database(
	struct state *state, size_t index, struct state_database *database)
{
	struct verification verification = {.check = checks[index]};
	enum status status = box_walk(
		state, (enum box_db)index, (MDB_val){.mv_size = 0}, verify_record, &verification);

	database->name = box_name((enum box_db)index);
	database->is_there = box_has(state, (enum box_db)index);
	database->records = verification.records;
	database->faults = verification.faults;
	return status;
}

enum status state_verify(struct state *state, uint64_t *records_out, uint64_t *faults_out)
{
	struct verification verification = {.records = 0};
	enum status status = STATUS_OK;

	for (size_t i = 0; i < BOX_DB_COUNT && status == STATUS_OK; i++) {
		verification.check = checks[i];
		status = box_walk(state, (enum box_db)i, (MDB_val){.mv_size = 0}, verify_record,
			&verification);
	}
	*records_out = verification.records;
	*faults_out = verification.faults;
	return status;
}

uint64_t state_transaction_count(struct state *state)
{
	MDB_envinfo info = {0};

	if (box_is_usable(state))
		mdb_env_info(state->env, &info);
	return info.me_last_txnid;
}

enum { META_PAGES = 2, FREE_DBI = 0, MAIN_DBI = 1 };

static int add_pages(MDB_txn *transaction, MDB_dbi dbi, MDB_stat *figures, uint64_t *bytes)
{
	int code = mdb_stat(transaction, dbi, figures);

	if (code == MDB_SUCCESS)
		*bytes += (figures->ms_branch_pages + figures->ms_leaf_pages +
				  figures->ms_overflow_pages) *
			  (uint64_t)figures->ms_psize;
	return code;
}

/* Pages of all trees, LMDB's own two among them. */
static int measure(struct state *state, MDB_txn *transaction, void *argument)
{
	struct state_size *size = argument;
	uint64_t entries[BOX_DB_COUNT] = {0};
	MDB_stat figures = {0};
	uint64_t bytes = 0;
	int code = add_pages(transaction, FREE_DBI, &figures, &bytes);

	if (code == MDB_SUCCESS)
		code = add_pages(transaction, MAIN_DBI, &figures, &bytes);
	for (size_t i = 0; i < BOX_DB_COUNT && code == MDB_SUCCESS; i++) {
		if (!box_has(state, (enum box_db)i))
			continue;
		code = add_pages(transaction, state->dbis[i], &figures, &bytes);
		entries[i] = figures.ms_entries;
	}
	size->used_bytes = bytes + META_PAGES * (uint64_t)figures.ms_psize;
	size->sent_entries = entries[BOX_SENT];
	size->events = entries[BOX_EVENTS];
	size->held = entries[BOX_HELD];
	return code;
}

static int measure_databases(struct state *state, MDB_txn *transaction, void *argument)
{
	struct state_database *databases = argument;
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < BOX_DB_COUNT && code == MDB_SUCCESS; i++) {
		MDB_stat figures = {0};

		databases[i] = (struct state_database){.name = box_name((enum box_db)i),
			.is_there = box_has(state, (enum box_db)i)};
		if (databases[i].is_there)
			code = add_pages(
				transaction, state->dbis[i], &figures, &databases[i].bytes);
		databases[i].records = figures.ms_entries;
	}
	return code;
}

enum status state_measure_databases(struct state *state, struct state_database *databases_out)
{
	return box_read(state, measure_databases, databases_out);
}

enum status state_count(struct state *state, uint64_t *records_out)
{
	struct state_database databases[BOX_DB_COUNT];
	enum status status = state_measure_databases(state, databases);

	*records_out = 0;
	for (size_t i = 0; i < BOX_DB_COUNT && status == STATUS_OK; i++)
		*records_out += databases[i].records;
	return status;
}

/* One line of text for a heading, then one a slot in use. */
static int count_line(const char *line, void *argument)
{
	unsigned *lines = argument;

	(void)line;
	++*lines;
	return 0;
}

enum status state_measure(struct state *state, struct state_size *size_out)
{
	MDB_envinfo info = {0};
	MDB_stat figures = {0};
	unsigned lines = 0;
	enum status status;

	*size_out = (struct state_size){0};
	status = box_read(state, measure, size_out);
	if (status != STATUS_OK)
		return status;
	mdb_env_info(state->env, &info);
	mdb_env_stat(state->env, &figures);
	size_out->map_bytes = info.me_mapsize;
	size_out->file_bytes = ((uint64_t)info.me_last_pgno + 1) * figures.ms_psize;
	size_out->transactions = info.me_last_txnid;
	mdb_reader_list(state->env, count_line, &lines);
	size_out->readers = lines > 0 ? lines - 1 : 0;
	return STATUS_OK;
}
