/* evidence.h: a message as rules see it: dialects, kinds, and what generic.rules asks of all mail.
 */
#ifndef BACKSTOP_CLASSIFY_EVIDENCE_H
#define BACKSTOP_CLASSIFY_EVIDENCE_H

#include "classify/bounce.h"
#include "classify/rule.h"

#define VALUE_CACHE_SIZE 16
#define FACT_COUNT 6 /* conditions on the message as a whole */

/* What a rule is held against: the message's words and the fields that conditions name. */
struct evidence_text {
	enum { FACT_UNKNOWN = 0, FACT_YES, FACT_NO } facts[FACT_COUNT];
	const struct mail *mail;
	struct haystack subject, from;
	const char *values[VALUE_CACHE_SIZE]; /* fields that were asked for, by turns */
	struct haystack folded[VALUE_CACHE_SIZE];
	size_t value_count;
	const char *author, *addressee; /* the first address of From and of To, or NULL */
	struct haystack prose;		/* empty until something needs it */
	bool has_prose;
	struct haystack opening; /* its first words, without what they quote */
	bool has_opening;
	struct haystack unknown; /* the prose up to the original, for generic rules */
	bool has_unknown;
	bool is_inside;		  /* it is a bounce that another mail passed on */
	bool is_self;		  /* the one who is addressed may have failed */
	bool is_asked, is_system; /* whether a mail system wrote it, once that was asked */
	const char *named; /* by the group "address" of a header condition that fitted last */
	bool notes_found;  /* whether found is wanted */
	const char *found; /* what the condition found that fitted last; not ended by a NUL */
	size_t found_size;
	const void *context;
};

void evidence_text_open(
	const void *context, const struct mail *mail, struct evidence_text *text_out);

/* The words of the message, read when first needed. */
const struct haystack *evidence_find_prose(struct evidence_text *text);

/* The words up to the line that announces the original, by the rule. */
struct haystack evidence_cut_original(const struct rule *rule, const struct haystack *prose);

/* The words up to the disclaimer of a gateway ("kind ordinary disclaimer" in generic.rules), where
 * something is said in front of it. */
struct haystack evidence_cut_disclaimer(const struct haystack *prose);

/* The words up to the original and the disclaimer, for any software: the original's line is one of
 * those that "kind ordinary" in generic.rules lists, or the header fields begin without one. On
 * context. */
struct haystack evidence_cut_unknown(const void *context, const struct haystack *prose);

/* True when envelope, author or subject say that a mail system wrote it. */
bool evidence_is_asked(struct evidence_text *text);

/* True when every condition of the rule holds. */
bool evidence_fits(const struct rule *rule, struct evidence_text *text);

/* The first condition that does not hold, or NULL. */
const struct rule_line *evidence_find_misfit(const struct rule *rule, struct evidence_text *text);

/* True when the one condition holds, which then found text->found (if it has a pattern, and
 * that is wanted). */
bool evidence_line_fits(const struct rule_line *line, struct evidence_text *text);

/* The first "kind" rule of generic.rules for that kind that fits, or NULL. */
const struct rule *evidence_find_mark(enum kind kind, struct evidence_text *text);

/* True when a "kind" rule of generic.rules for that kind fits. */
bool evidence_is_marked(enum kind kind, struct evidence_text *text);

#endif
