/*
 * audit.h: who did what, when: each entry is one act of a person or of a command that he ran.
 *
 *	const struct audit_entry entry = {.time_s = run->now, .command = "db prune",
 *		.object = "events", .before = "1200 records", .after = "300 records"};
 *	audit_record(state, &entry);
 */
#ifndef BACKSTOP_STATE_AUDIT_H
#define BACKSTOP_STATE_AUDIT_H

#include <stdint.h>

#include "base/status.h"
#include "base/who.h"
#include "state/state.h"

#define AUDIT_TEXT_MAX 8192	       /* bytes of before and after; more is cut */
#define AUDIT_LIFETIME_S (730 * 86400) /* unless record_set_policy says otherwise, for rollups */

/* Strings may be NULL, and can hold foreign text: whoever prints them cleans them. */
struct audit_entry {
	uint64_t id; /* as of an event; set when it is read */
	int64_t time_s;
	struct who who;	     /* login NULL: this process; it is found out when it is written */
	const char *command; /* "held release" */
	const char *object;  /* what it was done to */
	const char *before;
	const char *after; /* may have several lines, as before may */
	const char *note;  /* how it is known, where that is not plain; one line */
};

/* Writes one entry in a transaction of its own, durable when it returns STATUS_OK; a few entries
 * that are too old go with it. */
enum status audit_record(struct state *state, const struct audit_entry *entry);

/* Lent its argument for the call; a result other than STATUS_OK ends the walk. */
typedef enum status audit_visitor(void *argument, const struct audit_entry *entry);

/* Entries with from_s <= time_s < until_s, in the order of writing. A state that was made before
 * there were any has none. */
enum status audit_walk(struct state *state, int64_t from_s, int64_t until_s, audit_visitor *visitor,
	void *argument);

#endif
