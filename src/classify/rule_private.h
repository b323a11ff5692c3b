/* rule_private.h: what the parser of rules (rule.c) and their matcher (rule_match.c) share. */
#ifndef BACKSTOP_CLASSIFY_RULE_PRIVATE_H
#define BACKSTOP_CLASSIFY_RULE_PRIVATE_H

#include "classify/rule.h"

struct pattern {
	struct word word; /* of a literal in lower case; of a regex as written */
	bool is_regex;
	struct regex *regex; /* NULL until first needed */
};

#endif
