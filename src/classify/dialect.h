/*
 * dialect.h: bounces that are not RFC 3464, by rules (rules/providers.rules, rules/mta.rules,
 * rules/generic.rules).
 */
#ifndef BACKSTOP_CLASSIFY_DIALECT_H
#define BACKSTOP_CLASSIFY_DIALECT_H

#include "classify/bounce.h"
#include "classify/evidence.h"
#include "classify/rule.h"

/* Takes the recipients that the rule names, which fitted last, with nothing but their addresses. */
void dialect_name_recipients(const void *context, const struct rule *rule,
	struct evidence_text *text, struct bounce *bounce);

/* Finds the recipients in the words of a report that another reader recognised but that names none
 * in its fields. */
void dialect_add_recipients(const void *context, const struct mail *mail, struct bounce *bounce);

#endif
