/* rules_check.h: what is wrong with one rule among those in force. */
#ifndef BACKSTOP_CMD_RULES_CHECK_H
#define BACKSTOP_CMD_RULES_CHECK_H

#include "classify/rule.h"

/* Prints a line for each fault of a rule, its file and line first: a regex that does not compile,
 * no literal or sample, another rule of its name, a sample or a phrase that another rule wins.
 * Gives back their number. */
size_t rules_check_one(const struct rules *rules, size_t index);

#endif
