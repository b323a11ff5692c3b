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
};

struct decision {
	struct target target; /* what will be done */
	enum action policy; /* what the policy asks for, or a storm; differs in observe mode and for
			       loops */
	const char *why;    /* a phrase for people; static */
};

/* Never drops or holds in observe mode, never drops without VERDICT_BACKSCATTER (or a genuine
 * automatic reply by policy), never forwards what loops. ACTION_FILE with argument NULL means the
 * state's Maildir "unclaimed", for mail that nobody is configured for. In a storm what is not
 * genuine is held instead of forwarded. */
struct decision decide_action(const struct decide_input *input);

#endif
