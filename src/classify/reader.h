/*
 * reader.h: what the readers of one form each (dsn.c, arf.c, mdn.c, kinds.c, daemon.c) have in
 * common. classify.c asks them in the order of its table; the first that recognises the message
 * wins.
 */
#ifndef BACKSTOP_CLASSIFY_READER_H
#define BACKSTOP_CLASSIFY_READER_H

#include "classify/bounce.h"

/* True when the message has the form; then kind, dialect, recipients and ids are filled in. When
 * false, *bounce is as it was. */
typedef bool reader(const void *context, const struct mail *mail, struct bounce *bounce);

reader dsn_read;    /* RFC 3464, 6522, 6533: any message with a delivery-status part */
reader arf_read;    /* RFC 5965 feedback reports */
reader mdn_read;    /* RFC 8098 disposition notifications */
reader daemon_read; /* a bounce by its envelope and author, in no form that we know */

/* The same by the rules of rules/. They share one evidence_text (evidence.h), so that the words of
 * a message are read once. */
struct evidence_text;
typedef bool rule_reader(const void *context, struct evidence_text *text, struct bounce *bounce);

rule_reader kinds_read_early; /* kinds.rules: those that are marked "early" */
rule_reader declared_read;    /* a report whose header says so, though its fields are lost */
rule_reader kinds_read;	      /* the others: RFC 3834 and what was in use before it */
rule_reader dialect_read;     /* what mail software writes in words of its own: rules/mta.rules */
rule_reader generic_read;     /* a report in no dialect that is known: rules/generic.rules */

/* True for a kind that is asked before the dialects. */
struct rule;
bool kinds_is_early(const struct rule *rule);

#endif
