/*
 * decide.c: in charge of policy. What the list's owner configured for a verdict is looked up in a
 * table; what must never happen (DESIGN.md section 7) is a rule in front of it.
 */
#include "decide/decide.h"

#include <stddef.h>

/* Where in the list's policy the target of a kind and verdict stands. */
static const struct target *find_policy(const struct decide_input *input)
{
	const struct list_config *list = input->list;

	if (!kind_is_judged(input->kind))
		return &list->ordinary;
	switch (input->verdict) {
	case VERDICT_BACKSCATTER:
		return &list->backscatter;
	case VERDICT_UNPROVEN:
		return &list->unproven;
	case VERDICT_GENUINE:
		switch (input->kind) {
		case KIND_AUTOREPLY:
		case KIND_CHALLENGE:
		case KIND_MDN:
		case KIND_VIRUSNOTICE:
			return &list->autoreplies;
		case KIND_FAILED:
		case KIND_DELAYED:
		case KIND_DELIVERED:
		case KIND_ORDINARY:
		case KIND_FEEDBACK:
		case KIND_COUNT:
			return &list->genuine;
		}
		break;
	case VERDICT_NONE:
	case VERDICT_COUNT:
		break;
	}
	return &list->ordinary;
}

static const char *find_why(const struct decide_input *input)
{
	static const char *const texts[VERDICT_COUNT] = {
		[VERDICT_UNPROVEN] =
			"unproven is not disproven: the list's policy for unproven mail",
		[VERDICT_GENUINE] = "the list's policy for genuine mail of this kind",
		[VERDICT_BACKSCATTER] = "proven not to be ours: the list's policy for backscatter",
		[VERDICT_NONE] = "not a bounce: the list's policy for ordinary mail",
	};

	return texts[input->verdict];
}

static bool takes_away(enum action action)
{
	return action == ACTION_DROP || action == ACTION_HOLD;
}

/* Only what would make mail for the owners: a Maildir or a program can take it all. What would be
 * genuine in calm times is the owners' to see: it is collected instead. */
static bool is_held_by_storm(const struct decide_input *input, enum action action)
{
	return input->is_storm && !input->is_storm_alone && action == ACTION_FORWARD &&
	       (input->verdict == VERDICT_UNPROVEN || input->verdict == VERDICT_BACKSCATTER);
}

/* A list that holds what is unproven means what is so at any time. What the storm alone makes
 * unproven the owners would be sent without it: nobody looks for it among what is held. */
static bool is_theirs_in_calm(const struct decide_input *input, enum action action)
{
	struct decide_input calm = *input;

	calm.verdict = VERDICT_GENUINE;
	return input->is_storm_alone && !input->is_looping && input->mode != MODE_OBSERVE &&
	       action == ACTION_HOLD && find_policy(&calm)->action == ACTION_FORWARD;
}

/* What would make one more mail for owners who have had theirs, or have a storm. */
static bool is_collected(const struct decide_input *input, const struct decision *decision)
{
	return (input->is_over_limit || input->is_storm) &&
	       decision->target.action == ACTION_FORWARD && input->mode != MODE_OBSERVE &&
	       input->kind != KIND_ORDINARY;
}

struct decision decide_action(const struct decide_input *input)
{
	struct decision decision = {.target = {ACTION_FILE, NULL}, .policy = ACTION_FILE};

	if (input->list == NULL) {
		decision.why =
			"no list is configured for the address: kept in the unclaimed Maildir";
		return decision;
	}
	decision.target = *find_policy(input);
	if (is_theirs_in_calm(input, decision.target.action))
		decision.target.action = ACTION_FORWARD;
	decision.policy = decision.target.action;
	decision.why = find_why(input);
	if (is_held_by_storm(input, decision.policy)) {
		decision.policy = ACTION_HOLD;
		decision.why = "the list is in a storm: held instead of forwarded";
		/* In observe mode it goes where it would go without. */
		if (input->mode != MODE_OBSERVE)
			decision.target = (struct target){ACTION_HOLD, NULL};
	}
	if (input->is_looping && !takes_away(decision.target.action)) {
		decision.target = (struct target){ACTION_FILE, NULL};
		decision.why = "a mail of our own came back: not sent out again";
	} else if (input->mode == MODE_OBSERVE && takes_away(decision.target.action)) {
		decision.target = input->is_looping ? (struct target){ACTION_FILE, NULL}
						    : input->list->genuine;
		decision.why = "observe mode: nothing is dropped or held";
	}
	if (is_collected(input, &decision)) {
		decision.target = (struct target){ACTION_HOLD, NULL};
		decision.is_collected = true;
		decision.why = input->is_storm ? "the list is in a storm: kept for the message at "
						 "its end"
					       : "above the list's owner-limit: kept for the "
						 "owners' digest";
	}
	return decision;
}
