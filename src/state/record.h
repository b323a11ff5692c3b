/*
 * record.h: what was decided: events, the counters that they move, and the messages that are held
 * or were dropped and are still kept.
 *
 * Event ids: (seconds << 20 | number within the second), so ascending in time and unique; printed
 * in upper-case hex.
 */
#ifndef BACKSTOP_STATE_RECORD_H
#define BACKSTOP_STATE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/privacy.h"
#include "base/status.h"
#include "base/words.h"
#include "state/audit.h"
#include "state/owed.h"
#include "state/proof.h"
#include "state/rate.h"
#include "state/reputation.h"
#include "state/state.h"
#include "state/storm.h"

#define EVENT_ID_TEXT_MAX 17

/* Strings may be NULL; they are capped at 512 bytes when written. reason, status and permanence are
 * of one recipient: the proven one, else the first that the report names. An event that a version
 * before them wrote has NULL there. */
struct event {
	uint64_t id; /* set by record_event */
	int64_t time_s;
	enum kind kind;
	enum verdict verdict;
	enum action action;	/* what was done */
	enum action policy;	/* what the policy asks for; differs from action in observe mode */
	int score;		/* decibans */
	const char *list;	/* the list's address, or NULL */
	const char *reporter;	/* its IP address, or NULL */
	const char *sender;	/* envelope sender; "" is the null sender */
	const char *recipient;	/* envelope recipient */
	const char *failed;	/* failed recipients, ", " between */
	const char *message_id; /* of the original */
	const char *queue_id;
	const char *evidence;		/* "tag:valid+60 sent:absent-39" */
	const char *reason;		/* why the recipient failed: a word of words.h, or NULL */
	const char *status;		/* his enhanced status code, RFC 3463; or NULL */
	const char *permanence;		/* "permanent", "temporary"; NULL: not said */
	uint64_t size;			/* bytes of the message */
	uint64_t stored;		/* bytes of disk that its kept file takes, part of the held
					   record alone; 0: as many as the message has */
	const struct proof_use *proofs; /* to be counted with it, not part of the record; or NULL */
	enum reputation_use reputation; /* how it counts for its reporter; not part of the record.
					   Genuine becomes proven where its proofs are new */
	const struct audit_entry *audit; /* to be written with it, not part of it; or NULL */
	const struct rate_use *rates;	 /* likewise */
	/* Set by record_event where rates are counted: what the event did to the storm of its list,
	 * and of the host. Not part of the record. */
	enum storm_change list_storm;
	enum storm_change host_storm;
	const struct owed_use *owed; /* likewise; only where there is a list */
};

/* What stands in place of evidence in the event of a release, and nowhere else: evidence is made of
 * CHECK:RESULT. Text may follow behind a space. A release is an event, and no message. */
#define EVENT_RELEASED "released"
bool event_is_release(const struct event *event);

/* A message that is kept: dropped (until it expires) or held (until somebody decides). */
struct held {
	struct event event;
	const char *file;  /* its name below STATE/held/new */
	int64_t expires_s; /* 0: never (held, not dropped) */
};

/* Writes the event, adds to the rollup of its hour and to the counters of its list, its reporter
 * and the host, and, when
 * held_file is not NULL, the held record, all in ONE write transaction, durable when it returns
 * STATUS_OK. Sets event->id. STATUS_DATA, and nothing is written, when a word is none of words.h or
 * held_file has over 512 bytes. */
enum status record_event(
	struct state *state, struct event *event, const char *held_file, int64_t expires_s);

#define SWEEP_MAX 8	   /* kept messages that may go with one event */
#define SWEEP_NAME_MAX 513 /* of a file's name */

/* What goes of the dropped mail that is kept: what is over, and the oldest while all of it takes
 * more than limit_bytes. The caller removes the files, after the commit that names them here. */
struct sweep {
	uint64_t limit_bytes; /* 0: no limit */
	size_t count;
	char files[SWEEP_MAX][SWEEP_NAME_MAX];
};

/* The same, and in the same transaction a few of the oldest kept messages go (sweep; may be NULL).
 */
enum status record_event_and_sweep(struct state *state, struct event *event, const char *held_file,
	int64_t expires_s, struct sweep *sweep);

/* How long what is recorded stays, and what is recorded of addresses. Holds for what this process
 * records from now on; without it nothing goes, and addresses are kept. Lent for the call.
 *
 * With each event, up to 8 that are older go, and up to 4 rollups (rollup.h); a reporter's counter
 * goes when nothing came from it for as long as events stay. */
struct record_policy {
	int64_t events_s;     /* 0: for ever */
	int64_t rollups_s;    /* 0: for ever */
	enum privacy privacy; /* of sender, recipient and failed, in events and held records */
};
void record_set_policy(struct state *state, const struct record_policy *policy);

/* From when on there is what. */
struct record_horizon {
	int64_t events_from_s;	/* all events of then and later are there; 0: none has gone yet */
	int64_t rollups_from_s; /* the same for rollups, to the hour */
	uint64_t rolled_id; /* events with lower ids are in no rollup (an older version wrote them)
			     */
	int64_t events_s;   /* of the policy: what is older may go at any time; 0: nothing */
	uint64_t skewed_id; /* behind it, ids and times are in the same order */
};
enum status record_find_horizon(struct state *state, struct record_horizon *horizon_out);

/* The mark that stands in the records in place of this address (PRIVACY_HASH); PRIVACY_MARK_MAX
 * bytes. STATUS_NOT_FOUND when none was made yet. */
enum status record_find_mark(struct state *state, const char *address, char *mark_out);

/* Counters: how many messages of each verdict and action a list or reporter has had; a release is
 * none. Those of a reporter that is silent go (record_set_policy); the others stay. */
struct counter {
	const char *name; /* list address, reporter address, or "" for the host */
	uint64_t total;
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t actions[ACTION_COUNT];
	uint64_t kinds[KIND_COUNT];
	int64_t first_s;
	int64_t last_s;
	struct reputation reputation; /* of a reporter */
};
enum counter_of { COUNTER_HOST, COUNTER_LIST, COUNTER_REPORTER };
/* One counter, on context; STATUS_NOT_FOUND. */
enum status record_find_counter(struct state *state, const void *context, enum counter_of of,
	const char *name, struct counter **counter_out);

/* Visitors are lent their argument for the call; a value other than STATUS_OK ends the walk. The
 * walk pages through fresh read transactions, so it never pins old pages, and the visitor may open
 * a transaction of its own. */
typedef enum status event_visitor(void *argument, const struct event *event);
/* Events with from_s <= time_s < until_s, in the order in which they were written. */
enum status record_walk_events(struct state *state, int64_t from_s, int64_t until_s,
	event_visitor *visitor, void *argument);

typedef enum status counter_visitor(void *argument, const struct counter *counter);
enum status record_walk_counters(
	struct state *state, enum counter_of of, counter_visitor *visitor, void *argument);

typedef enum status held_visitor(void *argument, const struct held *held);
/* Oldest first. */
enum status record_walk_held(struct state *state, held_visitor *visitor, void *argument);
enum status record_find_held(
	struct state *state, const void *context, uint64_t id, struct held **held_out);
/* Removes the held record; STATUS_NOT_FOUND. The file is the caller's. */
enum status record_remove_held(struct state *state, uint64_t id);
/* The same, and in the same transaction who did it. */
enum status record_purge_held(struct state *state, uint64_t id, const struct audit_entry *audit);

/* Hex, and back. */
void event_id_format(uint64_t id, char *text_out);
bool event_id_parse(const char *text, uint64_t *id_out);

#endif
