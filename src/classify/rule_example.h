/* rule_example.h: texts that a pattern of a rule should find, one for each of its alternatives:
 * with them each can be tried, though nobody wrote a sample for it. */
#ifndef BACKSTOP_CLASSIFY_RULE_EXAMPLE_H
#define BACKSTOP_CLASSIFY_RULE_EXAMPLE_H

#include "classify/rule.h"

/* Example number (from 0 on) of pattern number index of the line: the words of a literal; of a
 * regex the shortest text that takes its number-th alternative, counting those inside of groups;
 * has_filler puts a word where any may stand. It may miss what the regex looks around for, so the
 * caller must see whether it fits. NULL when there are no more, or when the regex has syntax that
 * is not known here. On context. */
char *rule_line_example(const void *context, const struct rule_line *line, size_t index,
	size_t number, bool has_filler);

/* True when pattern number index of the line finds something in the text. */
bool rule_line_finds(
	const void *context, const struct rule_line *line, size_t index, const char *text);

#endif
