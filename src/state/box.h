/*
 * box.h: what the files of src/state/ share: the open environment, its databases, and the two ways
 * to run a transaction. LMDB shows here and nowhere outside this folder.
 *
 * At most one transaction of a process is open at any time: to grow the map is to unmap it first,
 * and that would pull the pages away under a second one.
 */
#ifndef BACKSTOP_STATE_BOX_H
#define BACKSTOP_STATE_BOX_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"
#include "state/record.h"
#include "state/state.h"

/* The map is address space, not disk: the file grows with what is in it. */
#define BOX_MAP_INITIAL ((size_t)64 << 20)

enum box_db {
	BOX_SENT,
	BOX_IDS,
	BOX_EVENTS,
	BOX_LISTS,
	BOX_REPORTERS,
	BOX_HELD,
	BOX_EXPIRY,
	BOX_META,
	BOX_ROSTER,
	BOX_PROOFS,
	BOX_PROOF_TIMES,
	BOX_DNS,
	BOX_AUDIT,
	BOX_ROLLUPS,
	BOX_RATES,
	BOX_STORMS,
	BOX_OWED,
	BOX_DB_COUNT
};

#define BOX_NO_DBI ((MDB_dbi)-1) /* in place of a database that is not there */

struct state {
	const char *directory;
	MDB_env *env;
	MDB_dbi dbis[BOX_DB_COUNT];
	pid_t pid;	  /* who opened it: LMDB must not be used across fork() */
	bool is_unmapped; /* a new map could not be had; any use would fault */
	bool is_damaged;  /* a fault while it was read; LMDB's own memory is not to be trusted */
	bool has_transaction;
	int64_t sent_lifetime_s;	 /* ledger_set_lifetime */
	struct record_policy policy;	 /* record_set_policy */
	struct dns_cache_entry *dns_new; /* answers for the next event (dns_cache.c) */
	size_t dns_new_count;
};

/* state_open with the map size that a new environment starts with, which tests make small. */
enum status box_open(const void *context, const char *directory, enum state_access access,
	size_t initial_map_bytes, struct state **state_out, const char **error_out);

/* The directory with a lock file in it, made if missing, by the rules of state_open for writing.
 * error_out: a sentence, on context. */
enum status box_make_place(const void *context, const char *directory, const char **error_out);

/* LMDB's name of a database. */
const char *box_name(enum box_db database);

/* False when the state was made by a version that did not have the database, and is open for
 * reading only: nothing is in it. A walk finds nothing then; a job must ask first. */
bool box_has(const struct state *state, enum box_db database);

/* False when the environment must not be touched: another process opened it, its map is gone, or it
 * is damaged. */
bool box_is_usable(const struct state *state);

/* What a transaction does. Returns 0 or LMDB's code or an errno, which ends the transaction without
 * a commit. It runs again from the start when the map had to grow, so it sets all its results anew
 * each time. */
typedef int box_job(struct state *state, MDB_txn *transaction, void *argument);

/* Runs job in a read transaction, following a map that another process grew. */
enum status box_read(struct state *state, box_job *job, void *argument);

/* Runs job in ONE write transaction and commits it, durable when this returns STATUS_OK. Grows the
 * map as often as it is full; STATUS_NO_SPACE when it cannot grow, or the disk is full. Waits
 * for another writer: guard_set_deadline() and guard_limit_waits() bound that. */
enum status box_write(struct state *state, box_job *job, void *argument);

/* The status for what LMDB returned. MDB_NOTFOUND is STATUS_NOT_FOUND. */
enum status box_status(int code);

/* Lent its arguments for the call. */
typedef enum status box_visitor(void *argument, const MDB_val *key, const MDB_val *value);

/* Visits the records from the key `from` on (size 0: the first), in order. Reads a page of them in
 * one short transaction and visits it with none open, so the visitor may use the state. Ends at the
 * first result other than STATUS_OK, which it returns. */
enum status box_walk(struct state *state, enum box_db database, MDB_val from, box_visitor *visitor,
	void *argument);

/* Below, at or above 0, in the order of every database. */
int box_compare_keys(const MDB_val *left, const MDB_val *right);

/* What a job returns when the kernel has no random bytes. */
#define BOX_RANDOM_FAILED MDB_PANIC

#endif
