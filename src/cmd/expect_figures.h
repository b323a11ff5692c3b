/*
 * expect_figures.h: the running figures of a comparison with labels, and how they are printed.
 */
#ifndef BACKSTOP_CMD_EXPECT_FIGURES_H
#define BACKSTOP_CMD_EXPECT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/words.h"

#define FIGURES_DIALECTS_MAX 200

struct tally {
	size_t total, right;
};

/* What one dialect's messages came to. */
struct dialect_figures {
	const char *name; /* "-": read by none */
	struct tally kinds, recipients;
	struct tally expected; /* of those that labels name */
	size_t missed;	       /* of these, read by none */
};

struct figures {
	size_t kinds[KIND_COUNT][KIND_COUNT];	       /* [expected][found] */
	size_t verdicts[VERDICT_COUNT][VERDICT_COUNT]; /* the same */
	struct tally recipients[KIND_COUNT];	       /* by expected kind */
	struct tally report_kinds, report_recipients;  /* of those with a delivery-status part */
	struct tally reasons[REASON_COUNT];	       /* by expected reason */
	size_t reasons_missed[REASON_COUNT];	       /* found undefined */
	struct dialect_figures dialects[FIGURES_DIALECTS_MAX];
	size_t dialect_count;
};

/* The figures of a dialect by its name (NULL: none), made when it is new; NULL when there are too
 * many. The name must live as long as the figures. */
struct dialect_figures *figures_find_dialect(struct figures *figures, const char *name);

/* The confusion matrix, and of each kind what was found, missed (called ordinary) and wrong. */
void figures_print_kinds(const struct figures *figures, FILE *out);
/* has_labels: what labels expect of each dialect as well. */
void figures_print_dialects(const struct figures *figures, bool has_labels, FILE *out);
void figures_print_reasons(const struct figures *figures, FILE *out);
void figures_print_verdicts(const struct figures *figures, FILE *out);
/* The totals, a line each. */
void figures_print_totals(const struct figures *figures, FILE *out);

#endif
