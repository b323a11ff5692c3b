/*
 * reputation.h: the name that a reporter has made for itself: what share of its reports was
 * genuine, as a likelihood that grows with evidence and fades with time.
 *
 * Who might want to give it a wrong one, and what stands against it:
 *
 * - A stranger who wants a good name for his own host needs proofs: only a report counts for it
 *   whose proofs (a recipient's tag, Message-ID and recipient in the ledger) were never shown
 *   before, so each is a message that we really sent to him. What he makes up around a post that
 *   he has (hop, signature) does not count. A subscriber can earn it, slowly; it counts as what a
 *   forger can write himself, so it never proves a report (weigh.h), and it does not count at all
 *   where something speaks against the report (weigh/reporter.c).
 * - A stranger who wants a bad name for somebody else's server can have it return forged mail, as
 *   much as he likes: that is backscatter, and really comes from there. So a day counts for a few
 *   reports at most, however many come: a flood of one day moves it by 3, and a bad
 *   name takes days. Genuine reports of every kind stand against it, proven or not, and one in
 *   ten is enough to take the name away altogether. It makes nothing backscatter, and outweighs
 *   neither tag nor ledger.
 * - A large provider relays both kinds, so the rarer kind takes the name away: from a share of 2 %
 *   on less and less is left, from 10 % nothing.
 * - A name must not feed itself: only verdicts count that would be the same without it (the
 *   caller's to see to).
 */
#ifndef BACKSTOP_STATE_REPUTATION_H
#define BACKSTOP_STATE_REPUTATION_H

#include <stdint.h>

#define REPUTATION_MAX 10 /* decibans, either way */
#define REPUTATION_HALF_LIFE_S (30 * 86400)
#define REPUTATION_DAY_MAX 4 /* reports of each kind that count on one day (UTC) */

/* How a report counts for its reporter. */
enum reputation_use {
	REPUTATION_NONE = 0,
	REPUTATION_GENUINE, /* against a bad name */
	REPUTATION_PROVEN,  /* and for a good one: by proofs that nobody showed before */
	REPUTATION_BACKSCATTER
};

/* All zeros: nothing is known. */
struct reputation {
	int64_t time_s; /* what the counts are as of */
	double proven, genuine, backscatter;
	int64_t day;	  /* of the counts of one day: days since 1970 */
	uint8_t today[3]; /* proven, genuine, backscatter */
};

/* Lets the counts fade to now. A clock that is behind by up to a day changes nothing; one that is
 * further behind is followed, and nothing fades. Pure, as the others are. */
void reputation_fade(struct reputation *reputation, int64_t now);

/* Counts one report, unless the day has had its share of them. */
void reputation_add(struct reputation *reputation, enum reputation_use use, int64_t now);

/* The likelihood ratio in decibans as of now, REPUTATION_MAX at most either way; 0 where little or
 * nothing is known. */
int reputation_weight(const struct reputation *reputation, int64_t now);

/* The share of genuine ones among the reports that count, 0 to 1; -1 where there are none. */
double reputation_share(const struct reputation *reputation);

#endif
