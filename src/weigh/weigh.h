/*
 * weigh.h: was the mail that this report is about really ours? Each check turns one fact into a
 * piece of evidence; their weights (decibans: 10 log10 of the odds) are added up to a verdict.
 *
 * To add a check: one file here with a function of type `check`, one row in weigh.c, its weights in
 * rules/weights.rules, its test.
 */
#ifndef BACKSTOP_WEIGH_WEIGH_H
#define BACKSTOP_WEIGH_WEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/prvs.h"
#include "base/tag.h"
#include "base/words.h"
#include "classify/bounce.h"
#include "net/resolver.h"
#include "state/state.h"
#include "weigh/dkim.h"

#define WEIGH_GENUINE 20       /* decibans, at least: 100 to 1 for */
#define WEIGH_BACKSCATTER -20  /* at most: 100 to 1 against */
#define WEIGH_FORGEABLE_MAX 15 /* what a forger can write himself never adds up to more */
#define EVIDENCE_MAX 16

/* What one check saw. */
struct evidence {
	const char *check;     /* "tag" */
	const char *result;    /* "valid"; "unavailable" when the check could not run */
	const char *detail;    /* a sentence for people, or NULL */
	const char *recipient; /* the one that the proof is about, where it is about one; or NULL */
	const char *missed;    /* the result in favour that only a dead DNS kept from it; or NULL */
	int weight;	       /* decibans that count in the score */
	bool is_forgeable;     /* a forger could have written it himself */
	bool is_post;	       /* shows that the post is ours, not that the report is true */
	bool is_supporting; /* about the report, not the mail: against, it makes nothing backscatter
			     */
	bool has_weight;    /* the check has set weight itself, out of rows of its own */
	const struct proof_use *proofs; /* whose use is to be counted when the message is recorded,
					   unless it is backscatter; or NULL */
};

struct weighing {
	enum verdict verdict;
	int score;
	struct evidence items[EVIDENCE_MAX];
	size_t count;
};

/* What one check finds out and another needs too; filled by whoever asks first. */
struct weigh_notes {
	bool has_standing;
	int standing;	       /* enum standing, weigh/standing.h */
	bool is_standing_open; /* a question to DNS had no answer */
	const char *standing_why;
	const struct way *way; /* weigh/way.h; NULL: nobody has asked */
};

/* What the checks may look at. state, keys and resolver may be NULL:
 * then what needs them is unavailable. */
struct weigh_input {
	const struct mail *mail;
	const struct bounce *bounce;
	const struct config *config;	    /* NULL: the defaults */
	const struct domain_config *domain; /* of the address that the report came to; or NULL */
	const struct list_config *list;	    /* or NULL */
	const struct tag_keys *tag_keys;    /* of that domain */
	const char *tag_problem;	    /* why tag_keys is NULL though configured; or NULL */
	const struct dkim_records *dkim_records; /* DKIM keys in DNS; NULL: DNS is not asked */
	const struct prvs_keys *prvs_keys;	 /* the same for tags of another program */
	const char *prvs_problem;
	struct state *state;
	struct resolver *resolver;     /* NULL: DNS is not asked */
	struct weigh_notes *notes;     /* set by weigh_bounce */
	struct roster_memory *rosters; /* where rosters may be read into memory; NULL: they may not,
					  since this is one delivery of many */
	int64_t now;
	const struct weighing
		*so_far; /* what the checks before this one saw; weigh_bounce sets it */
};

/* Fills result and detail (on context) of *evidence_out; weight and is_forgeable come from the
 * table of weights, the weight unless the check sets has_weight. */
typedef void check(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out);

check tag_weigh;      /* the envelope recipient carries our signature */
check sent_weigh;     /* the ledger has the Message-ID and the recipient */
check dkim_weigh;     /* our signature is on the returned headers */
check hop_weigh;      /* the hop that the reporter itself recorded is one of ours */
check standing_weigh; /* the client may speak for the recipients */
check reporter_weigh; /* what is known of the client by its HELO and by DNS lists */
check roster_weigh;   /* the failed recipient is a member of the list */
check replay_weigh;   /* what tag and ledger prove was shown before, by other reports */
check shape_weigh;    /* what is odd about the report as a message */
check storm_weigh;    /* the list gets far more than its past explains */

/* Room for rosters that are read once a run (scan, explain), on context. */
struct roster_memory *roster_memory_new(const void *context);

/* What the proofs of tag and ledger count for in the sum: the most that replay takes away. */
int replay_measure_gain(const struct weighing *so_far);

/* Runs all checks and adds them up. A kind that is not judged gets VERDICT_NONE and no evidence. */
void weigh_bounce(
	const void *context, const struct weigh_input *input, struct weighing *result_out);

/* Adds up what the checks found. What is backscatter only because DNS gave no answer is unproven:
 * an outage drops nothing that would not be dropped otherwise. */
void weigh_conclude(const struct config *config, struct weighing *weighing);

/* Adds up evidence and sets score and verdict. Pure.
 *
 * Forgeable evidence in favour counts for WEIGH_FORGEABLE_MAX at most, all of it together. Evidence
 * of the post shares that limit, since whoever got the post has it too; but what is over the limit
 * still balances what speaks against, up to a sum of 0. So a replayed post proves no report, and a
 * post that we did send is not taken for backscatter because its path looks foreign.
 *
 * Supporting evidence says who reports, and how, not whether the mail was ours. Against a bounce it
 * adds to what the other checks found, but never lowers the score to WEIGH_BACKSCATTER by itself.
 */
void weigh_add_up(struct weighing *weighing);

/* The verdict as it would be if one check weighed nothing. */
enum verdict weigh_verdict_without(
	const struct config *config, const struct weighing *weighing, const char *check_name);

/* The result of a check that has run, or NULL. */
const char *weigh_find_result(const struct weighing *weighing, const char *check_name);

/* True when the check `sent` found the message in the ledger, to whomever it went, and also where
 * we only passed it on: it may be ours on its way back. */
bool weigh_is_sent(const struct weighing *weighing);

/* Sets the weight of evidence by its check and result, unless has_weight, and what its row is
 * marked with. Without a row it weighs nothing. */
void weigh_look_up(const struct config *config, struct evidence *evidence);

/* The weight of a check's result: from the configuration's `weights` (NULL: none), else from
 * rules/weights.rules; false when there is none. */
bool weigh_find_weight(
	const struct config *config, const char *check_name, const char *result, int *weight_out);

#endif
