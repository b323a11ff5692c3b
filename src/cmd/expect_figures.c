/* expect_figures.c: in charge of counting and of the tables that `scan --expect` ends with. */
#include "cmd/expect_figures.h"

#include <string.h>

static double percent(size_t part, size_t whole)
{
	return whole == 0 ? 100.0 : 100.0 * (double)part / (double)whole;
}

struct dialect_figures *figures_find_dialect(struct figures *figures, const char *name)
{
	if (name == NULL)
		name = "-";
	for (size_t i = 0; i < figures->dialect_count; i++) {
		if (strcmp(figures->dialects[i].name, name) == 0)
			return &figures->dialects[i];
	}
	if (figures->dialect_count == FIGURES_DIALECTS_MAX)
		return NULL;
	struct dialect_figures *dialect = &figures->dialects[figures->dialect_count++];
	*dialect = (struct dialect_figures){.name = name};
	return dialect;
}

static void print_tally(FILE *out, const char *what, const struct tally *tally)
{
	fprintf(out, "%-44s %5zu of %5zu  %5.1f %%\n", what, tally->right, tally->total,
		percent(tally->right, tally->total));
}

static void print_outcome_head(FILE *out, const char *what)
{
	fprintf(out, "\n%-30s %9s %9s %9s %9s\n", what, "expected", "found", "missed", "wrong");
}

static void print_outcome(FILE *out, const char *name, const struct tally *tally, size_t missed)
{
	fprintf(out, "%-30s %9zu %9zu %9zu %9zu\n", name, tally->total, tally->right, missed,
		tally->total - tally->right - missed);
}

static size_t count_expected(const struct figures *figures, size_t kind)
{
	size_t total = 0;

	for (size_t found = 0; found < KIND_COUNT; found++)
		total += figures->kinds[kind][found];
	return total;
}

void figures_print_kinds(const struct figures *figures, FILE *out)
{
	fprintf(out, "\nkinds (rows: expected, columns: found)\n%-12s", "");
	for (size_t found = 0; found < KIND_COUNT; found++)
		fprintf(out, "%12s", kind_name((enum kind)found));
	fprintf(out, "%9s\n", "right");
	for (size_t expected = 0; expected < KIND_COUNT; expected++) {
		size_t total = count_expected(figures, expected);
		if (total == 0)
			continue;
		fprintf(out, "%-12s", kind_name((enum kind)expected));
		for (size_t found = 0; found < KIND_COUNT; found++)
			fprintf(out, "%12zu", figures->kinds[expected][found]);
		fprintf(out, "%7.1f %%\n", percent(figures->kinds[expected][expected], total));
	}
	print_outcome_head(out, "kind");
	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		struct tally tally = {count_expected(figures, kind), figures->kinds[kind][kind]};
		if (tally.total > 0)
			print_outcome(out, kind_name((enum kind)kind), &tally,
				kind == KIND_ORDINARY ? 0 : figures->kinds[kind][KIND_ORDINARY]);
	}
}

void figures_print_dialects(const struct figures *figures, bool has_labels, FILE *out)
{
	if (figures->dialect_count == 0)
		return;
	fprintf(out, "\n%-30s %9s %14s %18s\n", "dialect", "messages", "kind right",
		"recipients right");
	for (size_t i = 0; i < figures->dialect_count; i++) {
		const struct dialect_figures *dialect = &figures->dialects[i];
		if (dialect->kinds.total > 0)
			fprintf(out, "%-30s %9zu %14zu %18zu\n", dialect->name,
				dialect->kinds.total, dialect->kinds.right,
				dialect->recipients.right);
	}
	if (has_labels)
		print_outcome_head(out, "dialect");
	for (size_t i = 0; has_labels && i < figures->dialect_count; i++) {
		if (figures->dialects[i].expected.total > 0)
			print_outcome(out, figures->dialects[i].name,
				&figures->dialects[i].expected, figures->dialects[i].missed);
	}
}

void figures_print_reasons(const struct figures *figures, FILE *out)
{
	bool is_any = false;

	for (size_t i = 0; i < REASON_COUNT; i++) {
		const struct tally *tally = &figures->reasons[i];
		if (tally->total == 0)
			continue;
		if (!is_any)
			print_outcome_head(out, "reason");
		is_any = true;
		print_outcome(out, reason_name((enum reason)i), tally, figures->reasons_missed[i]);
	}
}

void figures_print_verdicts(const struct figures *figures, FILE *out)
{
	fprintf(out, "\nverdicts (rows: expected, columns: found)\n%-12s", "");
	for (size_t found = 0; found < VERDICT_COUNT; found++)
		fprintf(out, "%12s", verdict_name((enum verdict)found));
	fputc('\n', out);
	for (size_t expected = 0; expected < VERDICT_COUNT; expected++) {
		fprintf(out, "%-12s", verdict_name((enum verdict)expected));
		for (size_t found = 0; found < VERDICT_COUNT; found++)
			fprintf(out, "%12zu", figures->verdicts[expected][found]);
		fputc('\n', out);
	}
}

void figures_print_totals(const struct figures *figures, FILE *out)
{
	struct tally kinds = {0, 0}, reasons = {0, 0};

	for (size_t e = 0; e < KIND_COUNT; e++) {
		kinds.right += figures->kinds[e][e];
		for (size_t f = 0; f < KIND_COUNT; f++)
			kinds.total += figures->kinds[e][f];
	}
	for (size_t i = 0; i < REASON_COUNT; i++) {
		reasons.total += figures->reasons[i].total;
		reasons.right += figures->reasons[i].right;
	}
	fputc('\n', out);
	print_tally(out, "kind right", &kinds);
	print_tally(out, "recipients exactly right, failed", &figures->recipients[KIND_FAILED]);
	print_tally(out, "recipients exactly right, delayed", &figures->recipients[KIND_DELAYED]);
	if (reasons.total > 0)
		print_tally(out, "reason right", &reasons);
	print_tally(out, "with a delivery-status part: kind", &figures->report_kinds);
	print_tally(out, "with a delivery-status part: recipients", &figures->report_recipients);
}
