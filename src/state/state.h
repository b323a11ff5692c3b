/*
 * state.h: the box that holds what backstop remembers, an LMDB environment in the state directory.
 * Only this folder knows LMDB.
 *
 * Databases: "sent" (ledger.h), "ids" (ledger.h), "events", "lists", "reporters", "held"
 * (record.h), "rollups" (rollup.h), "roster" (roster.h), "proofs" (proof.h), "audit" (audit.h),
 * "rates" (rate.h), "storms" (storm.h), "meta". Keys are big-endian, values begin
 * with a version byte; strings that a stranger sizes are hashed in keys and capped in values.
 *
 * One write transaction a message (record.h); read transactions are short. State that cannot be
 * opened is not fatal to mail: the caller carries on with NULL and says "unavailable".
 *
 * Open a directory once a process. A forked child that does not exec must open its own: what it
 * inherited is STATUS_STATE to every call.
 */
#ifndef BACKSTOP_STATE_STATE_H
#define BACKSTOP_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum state_access {
	STATE_READ, /* never creates or changes anything; STATUS_NO_INPUT when there is none */
	STATE_WRITE /* creates the directory (0770 less umask) and the environment if missing */
};

struct state;

/* Opens the state in directory. Clears stale readers, retries while another process opens or
 * closes. Refuses, with STATUS_PERMISSION, to let root write into a state that belongs to another
 * user: a root-owned file would lock the agent out. error_out: a sentence for the log, on context.
 */
enum status state_open(const void *context, const char *directory, enum state_access access,
	struct state **state_out, const char **error_out);
/* NULL is fine. */
void state_close(struct state *state);

/* The directory that it was opened with. Lent. */
const char *state_directory(const struct state *state);

/* True when it was opened with STATE_WRITE. */
bool state_is_writable(const struct state *state);

/* The number of write transactions ever committed (LMDB's last transaction id), for tests and
 * check. */
uint64_t state_transaction_count(struct state *state);

struct state_size {
	uint64_t map_bytes;  /* the map, the most that the file can grow to before it is enlarged */
	uint64_t used_bytes; /* pages in use */
	uint64_t file_bytes; /* of data.mdb; what is not in use is free for what comes */
	uint64_t transactions; /* write transactions ever committed */
	uint64_t sent_entries;
	uint64_t events;
	uint64_t held;
	unsigned readers; /* slots in use */
};
enum status state_measure(struct state *state, struct state_size *size_out);

/* One database: its name in LMDB, static. Arrays of them have state_database_count() places. */
struct state_database {
	const char *name;
	bool is_there; /* a later version makes it, with its first write */
	uint64_t records;
	uint64_t bytes;	 /* of its pages (state_measure_databases) */
	uint64_t faults; /* records that do not decode (state_verify_database) */
};
size_t state_database_count(void);
enum status state_measure_databases(struct state *state, struct state_database *databases_out);
/* The records of all databases. */
enum status state_count(struct state *state, uint64_t *records_out);
/* Reads every record of one database; what was read before a failure is in database_out. */
enum status state_verify_database(
	struct state *state, size_t index, struct state_database *database_out);

/* Reads every record of every database and checks that it decodes. faults_out counts those that do
 * not. */
enum status state_verify(struct state *state, uint64_t *records_out, uint64_t *faults_out);

#endif
