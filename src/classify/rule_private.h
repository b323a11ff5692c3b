/* rule_private.h: what the parser of rules (rule.c), their matcher (rule_match.c) and the reader of
 * their samples (rule_sample.c) share. */
#ifndef BACKSTOP_CLASSIFY_RULE_PRIVATE_H
#define BACKSTOP_CLASSIFY_RULE_PRIVATE_H

#include "classify/rule.h"

struct pattern {
	struct word word; /* of a literal in lower case; of a regex as written */
	bool is_regex;
	struct regex *regex; /* NULL until first needed */
};

/* What stands in front of each line of a sample. */
struct indent {
	const char *text;
	size_t size; /* 0: no line stands further to the right */
};

/* That of the sample which begins at text, below the line at line that says "sample". */
struct indent rule_sample_indent(const char *line, const char *text);

/* True when the line at text is one of the sample: indented so, or blank. */
bool rule_sample_has(const char *text, const struct indent *indent);

#endif
