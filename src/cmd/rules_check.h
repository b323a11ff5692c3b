/* rules_check.h: what is wrong with one rule among those in force. */
#ifndef BACKSTOP_CMD_RULES_CHECK_H
#define BACKSTOP_CMD_RULES_CHECK_H

#include "classify/rule.h"

/* What the checks of several rules came to. */
struct rules_findings {
	size_t faults;
	size_t samples;
	size_t tried;	 /* alternatives that were tried in a sample */
	size_t untried;	 /* those that could not be put into one */
	bool is_verbose; /* print those as well */
};

/* Prints a line for each fault of a rule, its file and line first: what rule_fault.h finds, another
 * rule of its name, no sample, a sample or an alternative that another rule wins. Adds to the
 * findings. */
void rules_check_one(const struct rules *rules, size_t index, struct rules_findings *findings);

#endif
