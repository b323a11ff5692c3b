/*
 * parts.h: what the modules of src/state/ lend each other: pieces of a transaction, and for each
 * database whether a record of it decodes.
 */
#ifndef BACKSTOP_STATE_PARTS_H
#define BACKSTOP_STATE_PARTS_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "state/audit.h"
#include "state/box.h"
#include "state/codec.h"
#include "state/dns_cache.h"
#include "state/ledger.h"
#include "state/owed.h"
#include "state/proof.h"
#include "state/rate.h"
#include "state/record.h"
#include "state/rollup.h"

#define EVENT_STRING_MAX 512

/* Names of the records in "meta". */
#define META_COVERAGE "coverage:" /* and the domain */
#define META_HOST "host"
#define META_SWEEP_IDS "sweep:ids"
#define META_SWEEP_RATES "sweep:rates"
#define META_SWEEP_SENT "sweep:sent"
#define META_KEPT "kept"
#define META_HORIZON "horizon"
#define META_SECRET "privacy-secret"
#define META_SWEEP_REPORTERS "sweep:reporters"
#define META_CONFIG_PATH "config-path"
#define META_CONFIG "config:" /* and 16 bytes of SHA-256 of what the section is called */
#define META_ROSTER "roster:" /* and the SHA-256 of its path */

/* Event: appended to a value, and read from one; strings on context. False when it does not decode.
 */
void event_encode(struct codec_writer *writer, const struct event *event);
bool event_decode(struct codec_reader *reader, const void *context, struct event *event_out);
/* A whole record of "events". */
bool event_decode_record(
	const MDB_val *key, const MDB_val *value, const void *context, struct event *event_out);
/* True when the id does not tell the time: the clock had gone back. */
bool event_is_skewed(const struct event *event);
/* The id that the next event gets: ascending even when the clock went back. LMDB's code. */
int event_next_id(struct state *state, MDB_txn *transaction, int64_t time_s, uint64_t *id_out);
/* The same for another database with such keys. */
int event_next_id_in(struct state *state, MDB_txn *transaction, enum box_db database,
	int64_t time_s, uint64_t *id_out);

/* Writes an entry, and lets a few go that are too old. LMDB's code. */
int audit_put(struct state *state, MDB_txn *transaction, const struct audit_entry *entry);

/* Adds the event to one counter. name is not used for the host. LMDB's code. */
int counter_add(struct state *state, MDB_txn *transaction, enum counter_of of, const char *name,
	const struct event *event);

/* The bytes of disk that the kept file of the event takes. */
uint64_t held_stored(const struct event *event);
/* When the last message that it counts came. */
bool counter_decode_last(const MDB_val *value, int64_t *last_s_out);

/* What the policy leaves of the event's addresses; strings on context. LMDB's code. */
int hide_addresses(
	struct state *state, MDB_txn *transaction, const void *context, struct event *event);

/* Adds an event to the rollup of its hour and list. LMDB's code. */
int rollup_add(struct state *state, MDB_txn *transaction, const struct event *event);
/* Lets the oldest rollups go that end before before_s, `budget` at most. LMDB's code. */
struct rollup_expiry {
	int64_t before_s;
	size_t budget;
	int64_t *from_s; /* moved on to where there are any */
};
int rollup_expire(struct state *state, MDB_txn *transaction, const struct rollup_expiry *expiry);

/* Adds an event that was just written to its rollup; lets a few old ones go, with a few rollups and
 * reporters. LMDB's code. */
int ageing_run(struct state *state, MDB_txn *transaction, const struct event *event);
/* Remove the record under the cursor, whose key this is, by hand: the event stays in the numbers of
 * its hour, and the horizon moves. LMDB's code. */
int ageing_forget_event(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *key);
int ageing_forget_rollup(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *key);
/* An id that no event had that was removed by hand, from one that none has that is there. LMDB's
 * code. */
int ageing_raise_id(struct state *state, MDB_txn *transaction, uint64_t *id);

/* Writes the held record of an event that has its id, and its row in the index. LMDB's code. */
int held_put(struct state *state, MDB_txn *transaction, const struct held *held);
/* Removes a held record and its row, and gives the name of its file (SWEEP_NAME_MAX bytes). LMDB's
 * code; MDB_CORRUPTED when it does not decode, and then it stays. */
int held_take(struct state *state, MDB_txn *transaction, uint64_t id, char *file_out);

/* From now on it expires at expires_s. LMDB's code. */
int held_expire(struct state *state, MDB_txn *transaction, uint64_t id, int64_t expires_s);

/* Counts a report for a list's owners (event->owed), which has its id. LMDB's code. */
int owed_count(struct state *state, MDB_txn *transaction, const struct event *event);
/* It no longer waits, if it did; list may be NULL. LMDB's code. */
int owed_forget(struct state *state, MDB_txn *transaction, const char *list, uint64_t id);

/* The index by expiry: a row in, a row out, and the oldest ones out that are over or too much for
 * sweep->limit_bytes, never that of the event itself. LMDB's code. */
int expiry_put(struct state *state, MDB_txn *transaction, const struct held *held);
int expiry_remove(struct state *state, MDB_txn *transaction, const struct held *held);
int expiry_sweep(
	struct state *state, MDB_txn *transaction, const struct event *event, struct sweep *sweep);

/* A key of "sent", and the versions of its values: they have one form. */
enum {
	LEDGER_SENT_VERSION = 1,
	LEDGER_PASSED_ON_VERSION = 2, /* brought by a stranger: not sent by us */
	LEDGER_MESSAGE_SIZE = 16,     /* bytes of the hash of a Message-ID in a key */
	LEDGER_RECIPIENT_SIZE = 8, /* of the hash of a recipient behind it; zeros: not recorded */
	LEDGER_KEY_SIZE = LEDGER_MESSAGE_SIZE + LEDGER_RECIPIENT_SIZE
};
/* The halves of a key. False when it is no Message-ID or no address. */
bool ledger_hash_message(const char *message_id, unsigned char *hash_out);
bool ledger_hash_recipient(const char *recipient, unsigned char *hash_out);
bool ledger_decode_sent(const MDB_val *value, int64_t *sent_s_out);
bool ledger_is_passed_on(const MDB_val *value);

/* Remembers the recipient of an entry under its id. LMDB's code. */
int ids_put(struct state *state, MDB_txn *transaction, const struct ledger_entry *entry);

/* Counts the uses of one report; lets a few proofs go that are too old. LMDB's code. */
int proof_count(
	struct state *state, MDB_txn *transaction, const struct proof_use *use, int64_t now);
/* Whether nobody has shown any of these proofs before. LMDB's code. */
int proof_is_new(
	struct state *state, MDB_txn *transaction, const struct proof_use *use, bool *is_new_out);
int proof_sweep(struct state *state, MDB_txn *transaction, int64_t now);
/* The entries of one sender domain in a feeding. */
struct fed_span {
	enum ledger_feed feed;
	int64_t now;
	const char *domain;
	int64_t earliest_s;
	int64_t latest_s;
};

/* The coverage of the span's domain, extended by it. LMDB's code. */
int coverage_extend(struct state *state, MDB_txn *transaction, const struct fed_span *span);
/* Cuts the coverage of every domain before the first entry goes that it is about, also of those
 * that send no more. There are as many as sender domains. LMDB's code. */
int coverage_cut_all(struct state *state, MDB_txn *transaction, int64_t now);

/* Goes on through a database where the last call stopped, round and round: looks at `budget`
 * records and deletes those that are of before limit_s. position_name: of the record in "meta" that
 * keeps the place. LMDB's code. */
struct sweep_plan {
	enum box_db database;
	const char *position_name;
	bool (*decode_time)(
		const MDB_val *value, int64_t *time_s_out); /* false: the record stays */
	int64_t limit_s;
	size_t budget;
};
int sweep_run(struct state *state, MDB_txn *transaction, const struct sweep_plan *plan);

/* Removes a proof and its row under the cursor, which stands in "proof-times". LMDB's code. */
int proof_forget(
	struct state *state, MDB_txn *transaction, MDB_cursor *cursor, const MDB_val *time_key);
/* No coverage of any domain begins before limit_s. LMDB's code. */
int coverage_cut_to(struct state *state, MDB_txn *transaction, int64_t limit_s);

/* The last use of an id. */
bool ids_decode_used(const MDB_val *value, int64_t *used_s_out);
/* Writes the answers that dns_cache_add took, and lets a few go that have expired. LMDB's code. */
int dns_cache_write(struct state *state, MDB_txn *transaction, int64_t now_s);
/* Behind the commit: they are written. */
void dns_cache_forget_new(struct state *state);

/* What a count fades to, and how long that is: the time moves on to now as in rate_decay. Pure. */
double rate_elapse(int64_t *time_s, int64_t now);
double rate_faded(double count, double elapsed_s, double half_life_s);
/* Reports an hour at which a counter of that half-life comes to rest. Pure. */
double rate_to_hourly(double count, double half_life_s);
/* Rates and numbers as bytes; the reader is bad when a number is none, or below 0. */
void rate_put_number(struct codec_writer *writer, double number);
double rate_get_number(struct codec_reader *reader);
void rate_encode(struct codec_writer *writer, const struct rate *rate);
void rate_decode(struct codec_reader *reader, struct rate *rate_out);
/* When the last report came that a record of "rates" counts. */
bool rate_decode_last(const MDB_val *value, int64_t *last_s_out);
/* Counts one report for its names, and lets a few go that have faded. LMDB's code. */
int rate_count(struct state *state, MDB_txn *transaction, const struct rate_use *use, int64_t now);
/* Counts it for the host and its list, with their storms; sets list_storm and host_storm of the
 * event, which has rates. LMDB's code. */
int storm_count(struct state *state, MDB_txn *transaction, struct event *event);

/* Whether a record decodes. */
typedef bool record_check(const MDB_val *key, const MDB_val *value);
/* That of a database. */
record_check *box_check(enum box_db database);
record_check event_check;
record_check counter_check;
record_check rollup_check;
record_check ageing_check;
record_check hide_check_secret;
record_check held_check;
record_check expiry_check;
record_check expiry_check_kept;
record_check ledger_check_sent;
record_check ids_check;
record_check ledger_check_coverage;
record_check roster_check_member;
record_check roster_check_head;
record_check proof_check;
record_check proof_check_time;
record_check sweep_check;
record_check dns_cache_check;
record_check audit_check;
record_check settings_check;
record_check rate_check;
record_check place_check;
record_check settings_check_source;
record_check owed_check;

#endif
