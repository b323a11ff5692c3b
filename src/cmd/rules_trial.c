/*
 * rules_trial.c: in charge of trying what no sample shows. A rule may list a hundred phrases, a
 * regex as many alternatives: one that an earlier rule always takes would never be missed. So each
 * is put into the samples in the place of what the rule found there. Where the rule itself then
 * does not fit (the example misses what the regex looks around for, or the words of the sample are
 * encoded), nothing is known, and nothing is said but with --verbose.
 */
#include "cmd/rules_trial.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/classify.h"
#include "classify/evidence.h"
#include "classify/reader.h"
#include "classify/reason.h"
#include "classify/rule_example.h"
#include "classify/rule_set.h"

#define EXAMPLES_MAX 2000 /* of one pattern */
#define LOST_MAX 3	  /* alternatives of one line that are complained of one by one */

enum outcome { OUTCOME_UNFIT = 0, OUTCOME_LOST, OUTCOME_WON };

void trial_complain(struct examination *examination, int line, const char *what)
{
	const struct rule *rule = examination->rule;

	printf("%s:%d: %s: %s\n", rule->file, line, rule->name, what);
	examination->findings->faults++;
}

const char *trial_describe(const void *context, const struct rule *rule)
{
	return rule == NULL ? "no rule"
			    : mem_printf(context, "%s (%s:%d)", rule->name, rule->file, rule->line);
}

static const struct rule *find_reason(const struct rules *rules, const char *name)
{
	for (size_t i = 0; name != NULL && i < rules->count; i++) {
		if (strcmp(rules->items[i].name, name) == 0)
			return &rules->items[i];
	}
	return NULL;
}

const char *trial_describe_reason(const struct examination *examination, const char *name)
{
	const struct rule *rule = find_reason(examination->rules, name);

	return rule != NULL || name == NULL
		       ? trial_describe(examination->context, rule)
		       : mem_printf(examination->context, "the status code %s", name);
}

/* What became of an alternative. */
static void report(struct examination *examination, const struct rule_line *line,
	const char *example, enum outcome outcome)
{
	const struct rule *rule = examination->rule;
	const char *words = text_clean_string(examination->context, example, 100);

	examination->findings->tried += outcome != OUTCOME_UNFIT;
	examination->findings->untried += outcome == OUTCOME_UNFIT;
	if (outcome == OUTCOME_LOST && examination->lost++ < LOST_MAX)
		trial_complain(examination, rule->line + line->below,
			mem_printf(examination->context,
				"its words \"%s\" are won by %s: they are shadowed", words,
				trial_describe(examination->context, examination->winner)));
	if (outcome == OUTCOME_UNFIT && examination->findings->is_verbose)
		printf("%s:%d: %s: not tried: \"%s\"\n", rule->file, rule->line + line->below,
			rule->name, words);
}

static bool is_generic(const struct rule *rule)
{
	const struct rules *generic = rule_set_find("generic.rules");

	return rule >= generic->items && rule < generic->items + generic->count;
}

/* True when the rule's line that announces the original finds one. */
static bool finds_original(const struct rule *rule, struct evidence_text *text)
{
	const struct rule_line *line;
	struct match match;
	size_t index = 0;

	while ((line = rule_next_line(rule, RULE_ORIGINAL, &index)) != NULL) {
		if (rule_line_find(line, evidence_find_prose(text), 0, &match))
			return true;
	}
	return false;
}

/* Kinds of generic.rules, and the kind "failed", give a message no name: they let it in, make a
 * delay of it, or say where the original begins. */
static bool is_mark_won(
	const struct rule *rule, const struct bounce *bounce, struct evidence_text *text)
{
	if (is_generic(rule) && rule->kind == KIND_ORDINARY)
		return finds_original(rule, text);
	if (bounce->kind != rule->kind || !evidence_fits(rule, text))
		return false;
	return !is_generic(rule) || evidence_find_mark(rule->kind, text) == rule;
}

static struct bytes as_bytes(const char *text)
{
	return (struct bytes){(const unsigned char *)text, strlen(text)};
}

bool trial_is_won(const void *context, const struct rule *rule, const struct mail *mail,
	const struct bounce *bounce)
{
	struct evidence_text text;

	if (bounce->rule == rule)
		return true;
	if (rule->type != RULE_KIND || (rule->kind != KIND_FAILED && !is_generic(rule)))
		return false;
	evidence_text_open(context, mail, &text);
	return is_mark_won(rule, bounce, &text);
}

/* The sample with example in the place of what was found; NULL when that does not stand there as
 * it was found, being encoded or folded. */
static char *substitute(const struct examination *examination, const char *sample,
	const struct rule_line *line, const struct evidence_text *text, const char *example)
{
	bool is_body =
		line->part == RULE_LITERAL || line->part == RULE_BODY || line->part == RULE_OPENING;
	const char *from = is_body ? strstr(sample, "\n\n") : sample;
	const char *place = NULL;

	if (from != NULL && text->found_size > 0)
		place = memmem(from, strlen(from), text->found, text->found_size);
	if (place == NULL)
		return NULL;
	size_t kept = (size_t)(place - sample) + (examination->is_added ? text->found_size : 0);
	return mem_printf(text->context, "%.*s%s%s%s", (int)kept, sample,
		examination->is_added ? " " : "", example, place + text->found_size);
}

/* When a rule is asked, as compared with others. */
static size_t find_turn(const struct rule *rule)
{
	static const char *const files[] = {
		"providers.rules", "mta.rules", "kinds.rules", "generic.rules"};
	for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		const struct rules *rules = rule_set_find(files[f]);
		size_t number = (size_t)(rule - rules->items);
		if (rule >= rules->items && number < rules->count)
			return kinds_is_early(rule) ? number : 100000 * (f + 1) + number;
	}
	return 0;
}

/* The sample with the example put in: does the rule fit, and win? A rule for the same kind may take
 * it as well. */
static enum outcome try_message(struct examination *examination, const char *raw)
{
	const struct rule *rule = examination->rule;
	void *context = mem_context(examination->context, "trial");
	const struct mail *mail = mail_read(context, as_bytes(raw), NULL);
	enum outcome outcome = OUTCOME_UNFIT;
	struct evidence_text text;

	evidence_text_open(context, mail, &text);
	if (evidence_fits(rule, &text)) {
		const struct bounce *bounce = classify_mail(context, mail);
		bool is_same = rule->type == RULE_KIND && bounce->kind == rule->kind;
		if (is_same || trial_is_won(context, rule, mail, bounce)) {
			outcome = OUTCOME_WON;
		} else if (bounce->rule != NULL && find_turn(bounce->rule) < find_turn(rule)) {
			outcome = OUTCOME_LOST;
			examination->winner = bounce->rule;
		}
	}
	mem_free(context);
	return outcome;
}

/* One alternative in one sample. */
static enum outcome try_example(struct examination *examination, const struct rule_line *line,
	const void *samples, size_t index, const char *example)
{
	const char *sample = ((const struct rule_sample *)samples)[index].text;
	void *context = mem_context(examination->context, "example");
	enum outcome outcome = OUTCOME_UNFIT;
	struct evidence_text text;

	evidence_text_open(context, mail_read(context, as_bytes(sample), NULL), &text);
	text.notes_found = true;
	if (evidence_line_fits(line, &text)) {
		const char *raw = substitute(examination, sample, line, &text, example);
		if (raw != NULL)
			outcome = try_message(examination, raw);
	}
	mem_free(context);
	return outcome;
}

static bool is_tried(const struct rule_line *line)
{
	return !line->is_not && line->pattern_count > 0 &&
	       (line->part == RULE_LITERAL || line->part == RULE_BODY ||
		       line->part == RULE_OPENING || line->part == RULE_SUBJECT ||
		       line->part == RULE_FROM || line->part == RULE_HEADER ||
		       line->part == RULE_RETURNED);
}

/* Tries one alternative of a line in one of the samples: try_example or try_case. */
typedef enum outcome trial(struct examination *examination, const struct rule_line *line,
	const void *samples, size_t index, const char *example);

struct trials {
	trial *try;
	const void *samples; /* struct rule_sample or struct case_of_reason */
	size_t count;
};

/* One alternative in each of the samples, until the rule wins one. */
static enum outcome try_alternative(struct examination *examination, const struct rule_line *line,
	const struct trials *trials, const char *example)
{
	enum outcome best = OUTCOME_UNFIT;

	for (size_t i = 0; i < trials->count && best != OUTCOME_WON; i++) {
		enum outcome outcome = trials->try(examination, line, trials->samples, i, example);
		best = outcome > best ? outcome : best;
	}
	return best;
}

/* The alternative behind what was found, where it would not do in its place. */
static bool is_won_added(struct examination *examination, const struct rule_line *line,
	size_t index, const struct trials *trials, const char *example)
{
	examination->is_added = true;
	bool is_won = rule_line_finds(examination->context, line, index, example) &&
		      try_alternative(examination, line, trials, example) == OUTCOME_WON;
	examination->is_added = false;
	return is_won;
}

/* Each alternative, in its shortest form, and with words put in where that one did not win. */
static void try_pattern(struct examination *examination, const struct rule_line *line, size_t index,
	const struct trials *trials)
{
	char *example = NULL, *last = NULL;

	for (size_t n = 0; n < EXAMPLES_MAX; n++, last = example) {
		void *context = mem_context(examination->context, "example");
		example = rule_line_example(examination->context, line, index, n, false);
		bool is_known = example != NULL && last != NULL && strcmp(example, last) == 0;
		enum outcome outcome = OUTCOME_WON;
		if (example != NULL && !is_known) {
			outcome = try_alternative(examination, line, trials, example);
			const char *longer = rule_line_example(context, line, index, n, true);
			if (outcome != OUTCOME_WON && strcmp(longer, example) != 0 &&
				try_alternative(examination, line, trials, longer) == OUTCOME_WON)
				outcome = OUTCOME_WON;
			if (outcome == OUTCOME_UNFIT &&
				is_won_added(examination, line, index, trials, example))
				outcome = OUTCOME_WON;
			report(examination, line, example, outcome);
		}
		mem_free(context);
		mem_free(last);
		if (example == NULL)
			return;
	}
}

static void try_line(
	struct examination *examination, const struct rule_line *line, const struct trials *trials)
{
	examination->lost = 0;
	for (size_t i = 0; i < line->pattern_count; i++)
		try_pattern(examination, line, i, trials);
	if (examination->lost > LOST_MAX)
		trial_complain(examination, examination->rule->line + line->below,
			mem_printf(examination->context, "and %zu more of its words are shadowed",
				examination->lost - LOST_MAX));
}

void trial_messages(
	struct examination *examination, const struct rule_sample *samples, size_t count)
{
	const struct rule *rule = examination->rule;
	const struct trials trials = {try_example, samples, count};

	for (size_t i = 0; i < rule->line_count && count > 0; i++) {
		if (is_tried(&rule->lines[i]))
			try_line(examination, &rule->lines[i], &trials);
	}
}

struct recipient trial_judge(
	const void *context, const struct case_of_reason *what, const char *diagnostic)
{
	struct recipient recipient = {.address = "ann@example.net", .action = "failed"};

	recipient.diagnostic = diagnostic;
	recipient.status = what->fields[0];
	if (recipient.status == NULL)
		recipient.status = reason_find_status(context, diagnostic);
	recipient.reply = what->fields[1];
	if (recipient.reply == NULL)
		recipient.reply = reason_find_reply(context, diagnostic);
	recipient.remote_mta = what->fields[2];
	reason_judge(context, &(struct bounce){.dialect = what->fields[3]},
		mem_printf(context, "%s %s", diagnostic, what->report), &recipient);
	return recipient;
}

/* One phrase in one case: alone as the diagnostic, or in the place of what the line found in it. A
 * rule for the same reason may win it as well. */
static enum outcome try_case(struct examination *examination, const struct rule_line *line,
	const void *cases, size_t index, const char *example)
{
	const struct case_of_reason *what = (const struct case_of_reason *)cases + index;
	const struct rule *rule = examination->rule;
	const void *context = examination->context;
	struct haystack text = haystack_make(context, what->diagnostic);
	const char *diagnostics[] = {example, NULL};
	enum outcome outcome = OUTCOME_UNFIT;
	struct match match;

	if (examination->is_added)
		diagnostics[0] = mem_printf(context, "%s %s", what->diagnostic, example);
	else if (rule_line_find(line, &text, 0, &match))
		diagnostics[1] = mem_printf(context, "%.*s%s%s", (int)match.start, text.text,
			example, text.text + match.end);
	for (size_t i = 0; i < 2 && diagnostics[i] != NULL; i++) {
		struct recipient got = trial_judge(context, what, diagnostics[i]);
		const struct rule *winner = find_reason(examination->rules, got.reason_by);
		if (got.reason == rule->reason && got.reason_by != NULL)
			return OUTCOME_WON;
		text = haystack_make(context, diagnostics[i]);
		if (winner == NULL || winner > rule || !rule_line_find(line, &text, 0, &match))
			continue;
		outcome = OUTCOME_LOST;
		examination->winner = winner;
	}
	return outcome;
}

void trial_reasons(
	struct examination *examination, const struct case_of_reason *cases, size_t count)
{
	const struct rule *rule = examination->rule;
	const struct trials trials = {try_case, cases, count};

	for (size_t i = 0; i < rule->line_count && count > 0; i++) {
		if (rule->lines[i].part == RULE_BODY && !rule->lines[i].is_not)
			try_line(examination, &rule->lines[i], &trials);
	}
}
