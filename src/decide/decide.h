/* decide.h: a verdict and the list's policy to an action. Pure. */
#ifndef BACKSTOP_DECIDE_DECIDE_H
#define BACKSTOP_DECIDE_DECIDE_H

#include <stdbool.h>

#include "base/config.h"
#include "base/words.h"

struct decide_input {
	enum kind kind;
	enum verdict verdict;
	enum mode mode;
	const struct list_config *list; /* NULL: no list is configured for the address */
	bool is_looping;		/* the message is, or returns, a mail of our own */
	bool is_storm;			/* the list is in a storm */
	bool is_storm_alone;		/* without the storm the verdict would be genuine */
	bool is_over_limit;		/* the owners have had as many as the list's owner-limit */
};

struct decision {
	struct target target; /* what will be done */
	enum action policy; /* what the policy asks for, or a storm; differs in observe mode and for
			       loops */
	bool is_collected;  /* held for the owners' digest, where policy says forward */
	const char *why;    /* a phrase for people; static */
};

/* Never drops or holds in observe mode, never drops without VERDICT_BACKSCATTER (or a genuine
 * automatic reply by policy), never forwards what loops. ACTION_FILE with argument NULL means the
 * state's Maildir "unclaimed", for mail that nobody is configured for. In a storm what is not
 * genuine is held instead of forwarded; what it alone makes unproven is held for the digest also
 * where the policy holds what is unproven and forwards what is genuine. Above the owner-limit, and
 * in a storm, what is left is held for the digest, ordinary mail apart: a person may wait for an
 * answer. */
struct decision decide_action(const struct decide_input *input);

#endif
