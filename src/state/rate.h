/*
 * rate.h: how many reports come in, and of which verdict: counters that decay exponentially, so
 * that a rate is one record and not a log.
 *
 * Kept for each list and for the host (with their storms, storm.h), and for the network of the
 * reporter, the name in HELO, and each recipient that a report names. The latter are names that
 * strangers choose: they are hashed, go by themselves when they have faded, and are only so many.
 */
#ifndef BACKSTOP_STATE_RATE_H
#define BACKSTOP_STATE_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/status.h"
#include "state/state.h"

/* Of what there are rates. */
enum rate_of {
	RATE_HOST,
	RATE_LIST,
	RATE_NETWORK,	/* rate_network_format */
	RATE_HELO,	/* organisational domain of the name in HELO, lower case */
	RATE_RECIPIENT, /* normalised address; under privacy = hash its mark (record_find_mark) */
	RATE_OF_COUNT
};

/* What a report was found to be, leaving aside that there is a storm: else a storm, which weighs
 * against every report, would feed itself. */
enum rate_class { RATE_GENUINE, RATE_UNPROVEN, RATE_BACKSCATTER, RATE_CLASS_COUNT };

/* Sets of classes. */
#define RATE_DOUBTFUL (1u << RATE_UNPROVEN | 1u << RATE_BACKSCATTER)
#define RATE_ALL (1u << RATE_GENUINE | RATE_DOUBTFUL)

/* The half-life of a counter. */
enum rate_window { RATE_MINUTE, RATE_HOUR, RATE_DAY, RATE_WINDOW_COUNT };

struct rate {
	int64_t time_s; /* what the counts are as of */
	double counts[RATE_CLASS_COUNT][RATE_WINDOW_COUNT];
};

#define RATE_RECIPIENTS_MAX 8 /* that are counted of one report */
#define RATE_NAMES_MAX 200000 /* records of strangers' names, about; above it the rare ones go */

/* One report, for record_event. Lent for that call. Names may be NULL. */
struct rate_use {
	enum rate_class class;
	const char *network;
	const char *helo;
	const char *recipients[RATE_RECIPIENTS_MAX];
	size_t recipient_count;
	const struct storm_limits *limits; /* storm.h; NULL: no storm begins, and one ends */
};

/* Lets the counts fade to now. A clock that went back a little (processes that waited for each
 * other) changes nothing; one that went back further is followed, and nothing fades. Pure. */
void rate_decay(struct rate *rate, int64_t now);
/* Counts one report, at now. Pure. */
void rate_add(struct rate *rate, enum rate_class class, int64_t now);
/* Reports an hour, of a set of classes, as the counter of one half-life sees it: right when they
 * came evenly for some half-lives, too low when they have just begun. Pure. */
double rate_per_hour(const struct rate *rate, unsigned classes, enum rate_window window);

/* The rate of one name as of now; name is not used for the host. STATUS_NOT_FOUND, and zeros, when
 * nothing was counted, or it has faded. */
enum status rate_find(
	struct state *state, enum rate_of of, const char *name, int64_t now, struct rate *rate_out);

/* "192.0.2.0/24" or "2001:db8::/64", the network that an address counts for. text_out has
 * RATE_NETWORK_MAX bytes. */
#define RATE_NETWORK_MAX (NETADDR_TEXT_MAX + 4)
void rate_network_format(const struct netaddr *address, char *text_out);

#endif
