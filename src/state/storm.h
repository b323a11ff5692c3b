/*
 * storm.h: storms: a list, or the host, gets far more reports that are not proven genuine than its
 * own past explains.
 *
 * One begins when the rate of such reports over the last hour, and of the last minutes too, is
 * above `factor` times what is usual (an average of weeks, frozen while a storm lasts, and
 * `minimum` at least); or, once as many came as `minimum` has in an hour, when the rate of the last
 * minute is five times that, or proven backscatter alone twice: no posting of ours causes it. While
 * the host is in a storm, the minimum is not multiplied for its lists: a flood spread over many
 * lists is seen earlier at each, and a quiet list stays what it is. It ends STORM_CALM_S after the
 * rate of the last minutes fell below half of where it began.
 *
 * All of it is counted in the transaction of record_event. Owners are told when one began, each day
 * that it lasts, and when it ended; what is due is claimed under a lease.
 */
#ifndef BACKSTOP_STATE_STORM_H
#define BACKSTOP_STATE_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "state/state.h"

#define STORM_CALM_S (15 * 60)
#define STORM_LEASE_S (10 * 60)
/* Between two notices of the same sort about one list: one who makes storms come and go does not
 * make mail for its owners of each. */
#define STORM_NOTICE_GAP_S (6 * 60 * 60)
#define STORM_LASTS_S (24 * 60 * 60) /* between two notices that it still lasts */
#define STORM_KEPT_S (30 * 24 * 60 * 60LL)
#define STORM_KEPT_MAX 1000 /* storms that are over; the oldest go first */

/* Section storm of the configuration. */
struct storm_limits {
	int factor;
	double minimum_per_hour;
};

enum storm_notice {
	STORM_NOTICE_BEGAN,
	STORM_NOTICE_LASTS,
	STORM_NOTICE_ENDED, /* with the numbers of all of it */
	STORM_NOTICE_COUNT
};

/* What one report did to a storm. */
enum storm_change { STORM_SAME, STORM_BEGAN, STORM_ENDED };

struct storm {
	const char *list; /* address; "" is the host */
	bool is_on;
	int64_t began_s;
	int64_t ended_s;  /* 0 while it lasts */
	double usual;	  /* doubtful reports (unproven and backscatter) an hour before it */
	double limit;	  /* above which it began */
	double peak;	  /* highest rate of a minute or an hour, as reports an hour */
	uint64_t total;	  /* reports since it began, and of these: */
	uint64_t genuine; /* verdicts leave aside that there is a storm */
	uint64_t unproven;
	uint64_t backscatter;
	uint64_t held;

	enum storm_notice notice; /* from storm_claim_due */
	uint64_t claim;		  /* its number */
};

/* The storm of a list ("": the host) as of now, on context. STATUS_NOT_FOUND when there is none,
 * which ends one by itself: a storm is over when its time is, whether or not a report came since.
 */
enum status storm_find(struct state *state, const void *context, const char *list, int64_t now,
	struct storm **storm_out);

/* What is to be told next, of this list or (NULL) of any: on context, with notice set, and claimed
 * for STORM_LEASE_S. STATUS_NOT_FOUND: nothing is due, or another process is about to tell it; then
 * nothing is written. Send it to the list's owners, then call storm_told. The host's storm is never
 * due: it has no owners. The list may be gone from the configuration by now: then call storm_told
 * at once. */
enum status storm_claim_due(struct state *state, const void *context, int64_t now, const char *list,
	struct storm **storm_out);

/* It was told. Nothing happens when it is not what is claimed any more. Killed before this, the
 * next claim gives it again: twice at worst, never not at all. */
enum status storm_told(struct state *state, const struct storm *storm, int64_t now);

/* It could not be told: the claim ends, and it is due as before. Nothing happens when it is not
 * what is claimed any more. */
enum status storm_give_back(struct state *state, const struct storm *storm);

/* Every storm that is remembered, in no order that can be relied on: over or not as of now. Lent
 * for the call; a value other than STATUS_OK ends the walk. */
typedef enum status storm_visitor(void *argument, const struct storm *storm);
enum status storm_walk(struct state *state, int64_t now, storm_visitor *visitor, void *argument);
/* Each list of which storm_claim_due would give something now, with notice set; claims nothing. */
enum status storm_walk_due(
	struct state *state, int64_t now, storm_visitor *visitor, void *argument);

#endif
