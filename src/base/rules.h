/* rules.h: the default rules, compiled in from rules/ at build time (embed.awk). */
#ifndef BACKSTOP_BASE_RULES_H
#define BACKSTOP_BASE_RULES_H

struct rules_text {
	const char *name; /* file name, "weights.rules" */
	const char *text;
};

/* Ends with a row of NULLs. */
extern const struct rules_text rules_embedded[];

/* The text of one file, or NULL. */
const char *rules_find(const char *name);

#endif
