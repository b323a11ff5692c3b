/*
 * coverage.c: for which span of time it means anything that a message is not in the ledger.
 *
 * In charge of the records in "meta", one a sender domain. Whatever is in doubt covers less.
 */
#include <stdio.h>
#include <string.h>

#include "state/ledger.h"
#include "state/parts.h"

enum {
	COVERAGE_VERSION = 1,
	DOMAIN_MAX = 255, /* RFC 1035; a longer one covers nothing */
	GAP_MAX_S = 86400 /* between two batches of a log that is fed piece by piece */
};

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

/* `from` is set once: entries from before the first feeding are there only by chance, and what is
 * missing among them proves nothing. A continuous feed that takes over from batches begins anew:
 * nobody knows what was sent between the last batch and now. */
static void extend_coverage(struct ledger_coverage *coverage, const struct fed_span *span)
{
	bool is_batch = span->feed == LEDGER_FEED_BATCH;
	int64_t until_s = span->latest_s > span->now ? span->latest_s : span->now;

	bool has_gap = is_batch ? coverage->until_s < span->earliest_s - GAP_MAX_S
				: coverage->until_s < span->now;

	if (!coverage->is_any || has_gap) {
		coverage->from_s = is_batch ? span->earliest_s : span->now;
		coverage->until_s = INT64_MIN;
		coverage->is_any = true;
	}
	if (!is_batch)
		until_s = INT64_MAX;
	if (until_s > coverage->until_s)
		coverage->until_s = until_s;
}

static int put_coverage_record(struct state *state, MDB_txn *transaction, MDB_val *key,
	const struct ledger_coverage *coverage)
{
	unsigned char bytes[1 + 2 * CODEC_U64_SIZE] = {COVERAGE_VERSION};
	MDB_val value = {.mv_size = sizeof bytes, .mv_data = bytes};

	codec_store_u64(bytes + 1, (uint64_t)coverage->from_s);
	codec_store_u64(bytes + 1 + CODEC_U64_SIZE, (uint64_t)coverage->until_s);
	return mdb_put(transaction, state->dbis[BOX_META], key, &value, 0);
}

/* What may have gone by its age is not covered. */
static int64_t find_limit(const struct state *state, int64_t now)
{
	return state->sent_lifetime_s > 0 ? now - state->sent_lifetime_s : INT64_MIN;
}

static void cut_coverage(const struct state *state, struct ledger_coverage *coverage, int64_t now)
{
	int64_t limit_s = find_limit(state, now);

	if (coverage->from_s < limit_s)
		coverage->from_s = limit_s;
}

int coverage_extend(struct state *state, MDB_txn *transaction, const struct fed_span *span)
{
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
	extend_coverage(&coverage, span);
	cut_coverage(state, &coverage, span->now);
	return put_coverage_record(state, transaction, &look_up_of.key, &coverage);
}

struct vouching {
	const char *domain;
	int64_t from_s;
	int64_t until_s;
	enum { VOUCH_CONTINUE, VOUCH_JOIN, VOUCH_BEGIN } how;
};

/* False when nothing changes. */
static bool apply(struct ledger_coverage *coverage, const struct vouching *vouching)
{
	bool is_apart = !coverage->is_any || vouching->from_s > coverage->until_s ||
			vouching->until_s < coverage->from_s;
	bool is_new = false;

	switch (vouching->how) {
	case VOUCH_CONTINUE:
		if (!coverage->is_any)
			return false;
		break;
	case VOUCH_JOIN:
		if (is_apart && coverage->is_any && coverage->until_s > vouching->until_s)
			return false;
		is_new = is_apart;
		if (vouching->from_s < coverage->from_s)
			coverage->from_s = vouching->from_s;
		break;
	case VOUCH_BEGIN:
		if (coverage->is_any && coverage->until_s == INT64_MAX)
			return false;
		is_new = true;
		break;
	}
	if (is_new)
		*coverage = (struct ledger_coverage){true, vouching->from_s, vouching->until_s};
	if (vouching->until_s > coverage->until_s)
		coverage->until_s = vouching->until_s;
	return true;
}

static int vouch(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct vouching *vouching = argument;
	struct ledger_coverage coverage;
	struct coverage_look_up look_up_of = {.coverage = &coverage};
	char name[COVERAGE_KEY_SIZE];
	int code;

	if (!make_coverage_key(vouching->domain, name, &look_up_of.key))
		return MDB_SUCCESS;
	code = get_coverage(state, transaction, &look_up_of);
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND && code != MDB_CORRUPTED)
		return code;
	if (!apply(&coverage, vouching))
		return MDB_SUCCESS;
	cut_coverage(state, &coverage, vouching->until_s);
	return put_coverage_record(state, transaction, &look_up_of.key, &coverage);
}

enum status ledger_continue(struct state *state, const char *domain, int64_t until_s)
{
	struct vouching vouching = {domain, until_s, until_s, VOUCH_CONTINUE};

	return box_write(state, vouch, &vouching);
}

enum status ledger_vouch(struct state *state, const char *domain, int64_t from_s, int64_t until_s)
{
	struct vouching vouching = {domain, from_s, until_s, VOUCH_JOIN};

	return box_write(state, vouch, &vouching);
}

enum status ledger_begin(struct state *state, const char *domain, int64_t from_s, int64_t until_s)
{
	struct vouching vouching = {domain, from_s, until_s, VOUCH_BEGIN};

	return box_write(state, vouch, &vouching);
}

/* The coverage of every domain is cut before the first entry goes that it is about, also of those
 * that send no more. There are as many as sender domains. */
int coverage_cut_to(struct state *state, MDB_txn *transaction, int64_t limit_s)
{
	MDB_cursor *cursor = NULL;
	MDB_val key = {.mv_size = strlen(META_COVERAGE), .mv_data = (void *)META_COVERAGE}, value;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_META], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (code == MDB_SUCCESS && key.mv_size > strlen(META_COVERAGE) &&
		memcmp(key.mv_data, META_COVERAGE, strlen(META_COVERAGE)) == 0) {
		struct ledger_coverage coverage = {.is_any = false};

		if (decode_coverage(&value, &coverage) && coverage.from_s < limit_s) {
			unsigned char bytes[1 + 2 * CODEC_U64_SIZE] = {COVERAGE_VERSION};

			codec_store_u64(bytes + 1, (uint64_t)limit_s);
			codec_store_u64(bytes + 1 + CODEC_U64_SIZE, (uint64_t)coverage.until_s);
			value = (MDB_val){.mv_size = sizeof bytes, .mv_data = bytes};
			code = mdb_cursor_put(cursor, &key, &value, MDB_CURRENT);
		}
		if (code == MDB_SUCCESS)
			code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

int coverage_cut_all(struct state *state, MDB_txn *transaction, int64_t now)
{
	return coverage_cut_to(state, transaction, find_limit(state, now));
}

static int cover(struct state *state, MDB_txn *transaction, void *argument)
{
	return coverage_extend(state, transaction, argument);
}

enum status ledger_cover(
	struct state *state, const char *domain, int64_t earliest_s, int64_t until_s)
{
	struct fed_span span = {LEDGER_FEED_BATCH, until_s, domain, earliest_s, earliest_s};

	return box_write(state, cover, &span);
}
