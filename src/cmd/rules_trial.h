/* rules_trial.h: the examination of one rule by `backstop rules check`: what it has found, and the
 * trial of what no sample shows. */
#ifndef BACKSTOP_CMD_RULES_TRIAL_H
#define BACKSTOP_CMD_RULES_TRIAL_H

#include "classify/bounce.h"
#include "classify/rule.h"
#include "cmd/rules_check.h"

struct examination {
	void *context;
	const struct rules *rules; /* those of its file */
	const struct rule *rule;
	struct rules_findings *findings;
	size_t lost; /* alternatives of the line that is tried which another rule wins */
	const struct rule *winner; /* of the last that was lost */
	bool is_added;		   /* examples stand behind what was found, not in its place */
};

/* A reason's sample: a diagnostic, and what stands around it. */
struct case_of_reason {
	char *fields[4], *report, *diagnostic; /* Status, Reply, Remote, Dialect */
};

/* Prints a fault with file and line. */
void trial_complain(struct examination *examination, int line, const char *what);

/* "NAME (FILE:LINE)" of a rule; "no rule" for NULL. */
const char *trial_describe(const void *context, const struct rule *rule);

/* The same of a rule for a reason, by its name, or of a row of status.rules. */
const char *trial_describe_reason(const struct examination *examination, const char *name);

/* True when the rule won the message: it gave the kind; or, of those that only let a message in to
 * generic.rules, or say something of it there, it was the first to do so. */
bool trial_is_won(const void *context, const struct rule *rule, const struct mail *mail,
	const struct bounce *bounce);

/* What the reasons say of a diagnostic in that case. */
struct recipient trial_judge(
	const void *context, const struct case_of_reason *what, const char *diagnostic);

/* Puts each quoted phrase and each alternative of a regex into the samples, in the place of what
 * the rule found there, and complains of those that an earlier rule takes in each sample where the
 * rule itself would fit. */
void trial_messages(
	struct examination *examination, const struct rule_sample *samples, size_t count);

/* The same for the phrases of a reason, in the place of the diagnostic. */
void trial_reasons(
	struct examination *examination, const struct case_of_reason *cases, size_t count);

#endif
