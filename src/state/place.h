/*
 * place.h: the record of a list or the host in "storms": its rates, what is usual there, its storm,
 * and what its owners are still to be told. Inside src/state/ only.
 *
 * The functions on a struct place are pure (storm.c); place.c brings it from and to the database.
 */
#ifndef BACKSTOP_STATE_PLACE_H
#define BACKSTOP_STATE_PLACE_H

#include "state/box.h"
#include "state/rate.h"
#include "state/storm.h"

/* A notice that is due, or was told. */
struct place_notice {
	int64_t due_s;	 /* 0: nothing to be told */
	int64_t told_s;	 /* the last time that one of this sort was told; 0: never */
	uint64_t number; /* of what is due: a new one each time */
};

struct place {
	const char *name; /* the list's address; "" is the host */
	struct rate rate;
	double recent; /* doubtful reports of the last minutes; it has a ceiling, so that a flood is
			  over for it soon after its end however large it was */
	double past;   /* doubtful reports of the last weeks, less those of storms */
	int64_t past_s;	    /* as of then */
	bool is_on;	    /* as of the last report; see place_is_in_storm */
	int64_t quiet_s;    /* when `recent` has fallen, or will have, below half of the limit */
	struct storm storm; /* the present one, or the last; list is not used */
	struct place_notice notices[STORM_NOTICE_COUNT];
	uint64_t last_number;
	int64_t lease_s; /* since when a notice is claimed; 0: none is */
	uint64_t lease;	 /* its number */
};

/* What a report says to a place. */
struct place_report {
	enum rate_class class;
	bool is_held;
	bool is_host_storm;		   /* for a list: the host is in one */
	const struct storm_limits *limits; /* NULL: no storm may begin or last */
};

/* Counts a report. Behind STORM_ENDED, place->storm belongs to the history. resumed_s_out: when a
 * storm goes on that was over, the end that the history has it under; else 0. */
enum storm_change place_step(struct place *place, const struct place_report *report, int64_t now,
	int64_t *resumed_s_out);
/* Ends the storm if it is over by now; true when it did. */
bool place_settle(struct place *place, int64_t now);
/* True while a storm is on, as of now. */
bool place_is_in_storm(const struct place *place, int64_t now);
/* The notice that is due by now; false when none is, or one is claimed. */
bool place_find_due(const struct place *place, int64_t now, enum storm_notice *notice_out);
void place_claim(struct place *place, enum storm_notice notice, int64_t now);
/* False when it was not claimed any more. */
bool place_told(struct place *place, const struct storm *storm, int64_t now);
/* The claim of place_claim ends; false when it was not claimed any more. */
bool place_give_back(struct place *place, const struct storm *storm);
/* The storm as others see it, as of now. */
struct storm place_storm(const struct place *place, int64_t now);
/* True when there is a storm to be ended or something to be told. */
bool place_is_open(const struct place *place);

/* Reads a place, with its name; one that is not there, or does not decode, is empty. Strings on
 * context. LMDB's code; MDB_NOTFOUND for an empty one. */
int place_get(struct state *state, MDB_txn *transaction, const void *context, const char *name,
	struct place *place_out);
/* Writes it, and its row among the open ones. LMDB's code. */
int place_put(struct state *state, MDB_txn *transaction, const struct place *place);
/* The key of a place: 'h' for the host, 'l' and a list's address, or 'L' and its SHA-256 where it
 * is long. */
#define PLACE_NAME_MAX 200
struct place_key {
	unsigned char
		bytes[2 + PLACE_NAME_MAX]; /* with one more in front: a row of the open ones */
	size_t size;
};
/* The open places one after the other: that behind *key (size 0: the first), which moves on.
 * LMDB's code; MDB_NOTFOUND behind the last. */
int place_next_open(struct state *state, MDB_txn *transaction, const void *context,
	struct place_key *key, struct place *place_out);

/* The history: a storm that is over in, and the oldest out; one that goes on after all out. LMDB's
 * code. */
int place_put_past(
	struct state *state, MDB_txn *transaction, const struct storm *storm, int64_t now);
int place_remove_past(struct state *state, MDB_txn *transaction, const char *name, int64_t ended_s);

/* When the storm ended that a record of the history is of, by its key; false for any other record.
 */
bool place_decode_past_end(const MDB_val *key, int64_t *ended_s_out);
/* Storms that are over, by their ends. */
enum status place_walk_past(struct state *state, storm_visitor *visitor, void *argument);

#endif
