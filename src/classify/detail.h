/* detail.h: what the text about one recipient says of the server that refused: its name, its codes,
 * its words; by the lines of his dialect, and by rules/details.rules for all. */
#ifndef BACKSTOP_CLASSIFY_DETAIL_H
#define BACKSTOP_CLASSIFY_DETAIL_H

#include "classify/bounce.h"
#include "classify/rule.h"

/* Sets those of remote_mta, status, reply and diagnostic that are not known yet and that the rule
 * finds in the text, on context. True when it found any. */
bool detail_take_by(const void *context, const struct rule *rule, const struct haystack *text,
	struct recipient *recipient);

/* The same by each "detail" of details.rules in turn. */
void detail_take(const void *context, const struct haystack *text, struct recipient *recipient);

#endif
