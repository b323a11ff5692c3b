/* rule_fault.h: what is wrong with a rule by itself, whatever others there are. */
#ifndef BACKSTOP_CLASSIFY_RULE_FAULT_H
#define BACKSTOP_CLASSIFY_RULE_FAULT_H

#include "classify/rule.h"

/* Bytes; but in a reason or a subject one is enough. A shorter one is in every message. */
#define LITERAL_SIZE_MIN 2

/* What is wrong, a sentence on context, and the line of the file; NULL when nothing is: a pattern
 * that is no UTF-8, a regex that does not compile or lacks the group that its line is for, no
 * literal. */
const char *rule_fault_find(const void *context, const struct rule *rule, int *line_out);

#endif
