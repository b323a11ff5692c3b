/*
 * ledger.h: what we sent: pairs of Message-ID and recipient.
 *
 * Key: 16 bytes of SHA-256 over the Message-ID (base/message_id.h; older versions kept the case of
 * its domain, and what they wrote is found as well), 8 bytes over the normalised recipient (zero
 * when it is not recorded). Value: version, time. So "was this Message-ID ever sent" is a prefix
 * look-up, and an entry costs well under 100 bytes.
 *
 * Mail that came from elsewhere with a sender of ours and that we only passed on has entries of its
 * own version: it is known, but not ours to vouch for. One of mail that we sent takes its place.
 *
 * A ledger vouches for absence only for the time that it covers, which is kept for each sender
 * domain of its own: from the domain's first feeding on, and, when it is fed in batches, up to the
 * last feeding.
 */
#ifndef BACKSTOP_STATE_LEDGER_H
#define BACKSTOP_STATE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "state/state.h"

struct ledger_entry {
	int64_t sent_s;
	const char *message_id;	  /* with or without angle brackets; NULL: only the id is stored */
	const char *recipient;	  /* NULL: not known */
	const char *recipient_id; /* the opaque id that a tag carries for it (tag.h), or NULL */
	const char *domain;	  /* of the sender, whose coverage this extends; NULL: nobody's */
};

enum ledger_feed {
	LEDGER_FEED_CONTINUOUS, /* submit: each message as it is sent; covers until now */
	LEDGER_FEED_BATCH	/* sent: covers until `now`, or the latest entry */
};

struct ledger_answer {
	bool has_message;	     /* this Message-ID was sent */
	bool records_recipients;     /* and at least one recipient of it is recorded */
	bool has_recipient;	     /* and one of those asked for is among them */
	bool has_several;	     /* more than one recipient is recorded, of either sort */
	bool is_passed_on;	     /* this Message-ID was (also) passed on; not in has_message */
	bool is_recipient_passed_on; /* and to one of those asked for */
	int64_t sent_s;		     /* of the matching entry, else of any; 0 when none */
};

struct ledger_coverage {
	bool is_any;	/* mail of this domain was fed at least once */
	int64_t from_s; /* the earliest entry of the first feeding; of a continuous one its begin */
	int64_t until_s; /* INT64_MAX when a continuous feed keeps it up to date */
};

/* Asks for a Message-ID and, below it, for each of the recipients (normalised; none: count 0). */
enum status ledger_find(struct state *state, const char *message_id, const char *const *recipients,
	size_t recipient_count, struct ledger_answer *answer_out);

/* The span of time for which the mail of one domain (lower case) is in the ledger. */
enum status ledger_coverage(
	struct state *state, const char *domain, struct ledger_coverage *coverage_out);

/* Adds count entries in one write transaction, growing the map as needed. Entries that are there
 * already keep their time. added_out: how many were new; may be NULL. */
enum status ledger_add(struct state *state, enum ledger_feed feed, int64_t now,
	const struct ledger_entry *entries, size_t count, size_t *added_out);

/* A long feeding: entries are taken as hashes, 32 bytes each, and a large number of them is written
 * together: half a million at a time are several times faster than ten thousand, and the file stays
 * close to the size of its records. Freed with context. */
struct ledger_batch;
struct ledger_batch *ledger_batch_new(const void *context);
/* recipient may be NULL. What is no Message-ID is left out. STATUS_STATE: no hash was to be had. */
enum status ledger_batch_add(
	struct ledger_batch *batch, int64_t sent_s, const char *message_id, const char *recipient);
/* The same for what was only passed on. */
enum status ledger_batch_add_passed_on(
	struct ledger_batch *batch, int64_t sent_s, const char *message_id, const char *recipient);
size_t ledger_batch_count(const struct ledger_batch *batch);
/* Writes and empties it, in as many transactions as are needed: after a failure a part of it may be
 * in, of which added_out counts the new ones, and nothing is covered that was not before. Each
 * transaction is short, so that deliveries get in between. */
enum status ledger_batch_write(
	struct state *state, struct ledger_batch *batch, int64_t now, size_t *added_out);

/* Vouches for a domain's mail of a whole feeding, once that is in the ledger to its end: from
 * earliest_s on, up to until_s. What lies more than a day behind what was covered so far begins
 * anew: nobody knows what was sent between. One write transaction. */
enum status ledger_cover(
	struct state *state, const char *domain, int64_t earliest_s, int64_t until_s);

/* The same for a feeding that goes on where the last one ended: nothing was sent between that is
 * not in the ledger, so what was covered stays covered, up to until_s. Covers nothing where the
 * domain was never fed. */
enum status ledger_continue(struct state *state, const char *domain, int64_t until_s);

/* Vouches by the word of the operator: all that the domain sent from from_s to until_s is in the
 * ledger. Joined to what is covered where they touch; else the later of the two counts. */
enum status ledger_vouch(struct state *state, const char *domain, int64_t from_s, int64_t until_s);

/* Forgets what was covered, and covers from_s to until_s: it is known that something before from_s
 * is missing. Not where a continuous feed keeps the domain up to date. */
enum status ledger_begin(struct state *state, const char *domain, int64_t from_s, int64_t until_s);

/* Entries older than lifetime_s go from now on, a few with each ledger_add, and no domain is
 * covered for longer; ids that were not used for that long go too. 0 (what holds at first): nothing
 * goes. */
void ledger_set_lifetime(struct state *state, int64_t lifetime_s);

/* The recipient that an opaque id stands for, on context; STATUS_NOT_FOUND. */
enum status ledger_find_id(
	struct state *state, const void *context, const char *recipient_id, char **recipient_out);

#endif
