/*
 * reputation.c: in charge of what counts for a reporter's name, and of what the counts weigh.
 *
 * The weight is that of (genuine + PRIOR) to (backscatter + PRIOR): little evidence says little. A
 * good name is measured by proven reports, a bad one by all genuine ones (reputation.h says why).
 */
#include "state/reputation.h"

#include <math.h>

#include "base/clock.h"

#define PRIOR 4.0	     /* reports of either kind that everybody is taken to have had */
#define MIXED_FROM 0.02	     /* the share of the rarer kind from which on less is left... */
#define MIXED_UNTIL 0.10     /* ...and from which on nothing */
#define CLOCK_BEHIND_S 86400 /* that changes nothing */

static void fade_count(double *count, double left)
{
	*count *= left;
	if (*count < 0.001)
		*count = 0;
}

void reputation_fade(struct reputation *reputation, int64_t now)
{
	int64_t age_s = now - reputation->time_s;
	double left;

	if (age_s <= 0) {
		if (age_s < -CLOCK_BEHIND_S)
			reputation->time_s = now;
		return;
	}
	left = exp2(-(double)age_s / REPUTATION_HALF_LIFE_S);
	fade_count(&reputation->proven, left);
	fade_count(&reputation->genuine, left);
	fade_count(&reputation->backscatter, left);
	reputation->time_s = now;
}

static void count_one(struct reputation *reputation, int of, double *count)
{
	if (reputation->today[of] >= REPUTATION_DAY_MAX)
		return;
	reputation->today[of]++;
	*count += 1;
}

void reputation_add(struct reputation *reputation, enum reputation_use use, int64_t now)
{
	enum { PROVEN, GENUINE, BACKSCATTER, COUNT };
	int64_t day = clock_day(now);

	if (use == REPUTATION_NONE)
		return;
	reputation_fade(reputation, now);
	if (day != reputation->day) {
		reputation->day = day;
		for (int i = 0; i < COUNT; i++)
			reputation->today[i] = 0;
	}
	if (use == REPUTATION_PROVEN)
		count_one(reputation, PROVEN, &reputation->proven);
	if (use == REPUTATION_BACKSCATTER)
		count_one(reputation, BACKSCATTER, &reputation->backscatter);
	else
		count_one(reputation, GENUINE, &reputation->genuine);
}

double reputation_share(const struct reputation *reputation)
{
	double sum = reputation->genuine + reputation->backscatter;

	return sum > 0 ? reputation->genuine / sum : -1;
}

/* What the rarer kind leaves of a name: 1 all of it, 0 nothing. */
static double find_rest(const struct reputation *reputation)
{
	double share = reputation_share(reputation);
	double rarer = share < 0.5 ? share : 1 - share;

	if (rarer <= MIXED_FROM)
		return 1;
	return rarer >= MIXED_UNTIL ? 0 : (MIXED_UNTIL - rarer) / (MIXED_UNTIL - MIXED_FROM);
}

static double measure(double genuine, double backscatter)
{
	return 10 * log10((genuine + PRIOR) / (backscatter + PRIOR));
}

int reputation_weight(const struct reputation *reputation, int64_t now)
{
	struct reputation faded = *reputation;
	double weight;

	reputation_fade(&faded, now);
	if (faded.genuine + faded.backscatter <= 0)
		return 0;
	weight = faded.genuine < faded.backscatter ? measure(faded.genuine, faded.backscatter)
						   : measure(faded.proven, faded.backscatter);
	/* Few proofs among many genuine reports give no bad name. */
	if (faded.genuine >= faded.backscatter && weight < 0)
		weight = 0;
	weight *= find_rest(&faded);
	if (weight > REPUTATION_MAX)
		weight = REPUTATION_MAX;
	if (weight < -REPUTATION_MAX)
		weight = -REPUTATION_MAX;
	return (int)weight;
}
