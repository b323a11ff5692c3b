/*
 * owed.h: what a list's owners have not been sent yet: the reports above its owner-limit, or of a
 * storm, which are kept for one message about all of them (backstop digest).
 *
 * A window of the limit begins with the first report behind the last window's end. The messages
 * themselves are held records that do not expire until their owners were told.
 *
 * Sending is: owed_claim, send, owed_told. A claim is a lease: while it is fresh nobody else gets
 * one for the list, and a process that is killed behind it leaves what it claimed to the next one
 * after that. So a report is told of once, after a kill between sending and owed_told twice, never
 * not at all.
 */
#ifndef BACKSTOP_STATE_OWED_H
#define BACKSTOP_STATE_OWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "state/state.h"

#define OWED_LEASE_S (10 * 60)
#define OWED_WAIT_MAX_S (24 * 60 * 60) /* the oldest report waits no longer, storm or not */
#define OWED_BATCH_MAX 5000	       /* reports of one claim; the rest is due at once */

/* A list's window, and what waits for its owners. */
struct owed {
	const char *list; /* address */
	int64_t window_began_s;
	int64_t window_ends_s; /* 0: there was none yet */
	uint64_t sent;	       /* reports sent one by one in that window */
	uint64_t waiting;      /* reports kept for the digest */
	int64_t oldest_s;      /* when the first of them came */
	int64_t due_s;	       /* end of the window that it came in; 0: it came in none */
	int64_t claimed_s;     /* when somebody claimed them; 0: nobody has */
};

/* One report for a list's owners, counted in the transaction of its event. */
struct owed_use {
	int64_t window_s;   /* of the list's owner-limit; 0: it has none */
	bool is_kept;	    /* for the digest; else it was sent */
	const char *proven; /* the recipient whom alone its proof is about, or NULL; kept with it */
};

/* On context; STATUS_NOT_FOUND where nothing was ever counted. */
enum status owed_find(
	struct state *state, const void *context, const char *list, struct owed **owed_out);

/* Lent for the call; a value other than STATUS_OK ends the walk. */
typedef enum status owed_visitor(void *argument, const struct owed *owed);
/* Each list of which something was counted, in no order that means anything. */
enum status owed_walk(struct state *state, owed_visitor *visitor, void *argument);

/* How many reports were sent one by one in the window that now is in. NULL: 0. */
uint64_t owed_sent(const struct owed *owed, int64_t now);

/* Whether what waits should go out: the window is over in which the first report came and no storm
 * lasts, or that report has waited for OWED_WAIT_MAX_S. A clock that went back makes it due. */
bool owed_is_due(const struct owed *owed, bool is_storm, int64_t now);
/* When that will be, a storm apart. */
int64_t owed_due_time(const struct owed *owed);
/* Whether a claim on it is still fresh. */
bool owed_is_claimed(const struct owed *owed, int64_t now);

struct owed_question {
	const char *list;
	int64_t now;
	bool is_storm;	/* one lasts */
	bool takes_all; /* also what is not due */
};

struct owed_report {
	uint64_t id; /* of its event */
	const char *proven;
};

/* What one claim covers. */
struct owed_batch {
	struct owed_report *reports; /* oldest first; on context */
	size_t count;
	uint64_t left; /* that are still waiting behind it */
};

/* Claims what waits. STATUS_NOT_FOUND: nothing is due, or somebody else is sending it. */
enum status owed_claim(struct state *state, const void *context,
	const struct owed_question *question, struct owed_batch *batch_out);

/* The owners were sent the batch: it no longer waits, the held records of it expire at expires_s,
 * and the claim ends. One transaction. */
enum status owed_told(
	struct state *state, const char *list, const struct owed_batch *batch, int64_t expires_s);

/* It could not be sent: the claim ends, all goes on waiting. */
enum status owed_give_back(struct state *state, const char *list);

#endif
