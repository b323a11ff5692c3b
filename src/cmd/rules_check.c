/*
 * rules_check.c: in charge of finding what is wrong with one rule: a regex that does not compile, a
 * rule without the literal that is looked for first, two of one name, a sample that another rule
 * wins. What no sample shows is rules_trial.c's.
 */
#include "cmd/rules_check.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/classify.h"
#include "classify/detail.h"
#include "classify/evidence.h"
#include "classify/rule_fault.h"
#include "cmd/rules_trial.h"

static void check_names(struct examination *examination)
{
	const struct rule *rule = examination->rule;

	for (const struct rule *other = examination->rules->items; other < rule; other++) {
		if (other->type == rule->type && strcmp(other->name, rule->name) == 0)
			trial_complain(examination, rule->line,
				mem_printf(examination->context,
					"%s:%d has this name too: two rules have this name",
					other->file, other->line));
	}
}

/* The addresses that were found, in the order in which they stand, with commas between. */
static char *join_recipients(const void *context, const struct bounce *bounce)
{
	char *text = mem_strdup(context, "");

	for (size_t i = 0; i < bounce->recipient_count; i++)
		text = mem_append(text, "%s%s", i == 0 ? "" : ",", bounce->recipients[i].address);
	return *text == '\0' ? mem_strdup(context, "-") : text;
}

/* The words of "expect" against what was found, as far as they go. */
static void check_expected(struct examination *examination, const struct rule_sample *sample,
	const char *const *found, size_t found_count)
{
	char *rest = mem_strdup(examination->context, sample->expect == NULL ? "" : sample->expect);
	char *word;

	for (size_t i = 0; (word = strsep(&rest, " \t")) != NULL;) {
		if (*word == '\0')
			continue;
		if (i == found_count)
			trial_complain(examination, sample->line,
				mem_printf(examination->context, "expect has a word too many: %s",
					word));
		else if (strcmp(word, found[i]) != 0)
			trial_complain(examination, sample->line,
				mem_printf(examination->context,
					"its sample gives \"%s\", expected is \"%s\"", found[i],
					word));
		if (i++ >= found_count)
			return;
	}
}

/* Why a rule did not win its sample: it does not fit, or another was asked before. */
static const char *explain_loss(
	const struct examination *examination, const struct mail *mail, const struct bounce *bounce)
{
	const void *context = examination->context;
	const struct rule *rule = examination->rule;
	struct evidence_text text;

	evidence_text_open(context, mail, &text);
	const struct rule_line *line = evidence_find_misfit(rule, &text);
	if (line != NULL)
		return mem_printf(context,
			"its sample is not what the rule looks for: the \"%s%s\" of line %d does "
			"not hold",
			line->is_not ? "not " : "", rule_part_name(line->part),
			rule->line + line->below);
	if (bounce->rule == NULL && bounce->dialect == NULL)
		return "its sample is won by no rule: it is no mail of a mail system (null sender, "
		       "MAILER-DAEMON, postmaster), or names no recipient";
	return mem_printf(context, "its sample is won by %s (%s): this rule is shadowed",
		bounce->rule == NULL ? bounce->dialect : trial_describe(context, bounce->rule),
		kind_name(bounce->kind));
}

/* "KIND [ADDRESS,... [REASON]]". */
static void check_message(struct examination *examination, const struct rule_sample *sample)
{
	const void *context = examination->context;
	struct bytes raw = {(const unsigned char *)sample->text, strlen(sample->text)};
	const struct mail *mail = mail_read(context, raw, NULL);
	const struct bounce *bounce = classify_mail(context, mail);
	const char *found[] = {kind_name(bounce->kind), join_recipients(context, bounce),
		reason_name(bounce->recipient_count == 0 ? REASON_UNDEFINED
							 : bounce->recipients[0].reason)};

	if (!trial_is_won(context, examination->rule, mail, bounce))
		trial_complain(examination, sample->line, explain_loss(examination, mail, bounce));
	check_expected(examination, sample, found, sizeof(found) / sizeof(found[0]));
}

static const char *const field_names[] = {"Status:", "Reply:", "Remote:", "Dialect:"};

static void read_case(
	const void *context, const struct rule_sample *sample, struct case_of_reason *case_out)
{
	char *rest = mem_strdup(context, sample->text), *line;

	*case_out = (struct case_of_reason){
		.report = mem_strdup(context, ""), .diagnostic = mem_strdup(context, "")};
	while ((line = strsep(&rest, "\n")) != NULL) {
		size_t i = 0;
		while (i < 4 && !text_starts_fold(line, field_names[i]))
			i++;
		if (i < 4) {
			const char *value = line + strlen(field_names[i]);
			case_out->fields[i] = mem_strdup(context, value + strspn(value, " "));
		} else if (text_starts_fold(line, "Report:")) {
			case_out->report = mem_append(case_out->report, "%s ", line + 7);
		} else if (*line != '\0') {
			case_out->diagnostic = mem_append(case_out->diagnostic, "%s%s",
				*case_out->diagnostic == '\0' ? "" : " ", line);
		}
	}
}

/* "REASON [permanent|temporary|unknown]". */
static void check_reason(struct examination *examination, const struct rule_sample *sample,
	struct case_of_reason *case_out)
{
	static const char *const permanences[] = {[PERMANENCE_UNKNOWN] = "unknown",
		[PERMANENCE_TEMPORARY] = "temporary",
		[PERMANENCE_PERMANENT] = "permanent"};
	const struct rule *rule = examination->rule;

	read_case(examination->context, sample, case_out);
	struct recipient got = trial_judge(examination->context, case_out, case_out->diagnostic);
	const char *found[] = {reason_name(got.reason), permanences[got.permanence]};
	if (got.reason_by == NULL || strcmp(got.reason_by, rule->name) != 0)
		trial_complain(examination, sample->line,
			mem_printf(examination->context,
				"its sample is won by %s: this rule is shadowed",
				trial_describe_reason(examination, got.reason_by)));
	check_expected(examination, sample, found, sizeof(found) / sizeof(found[0]));
}

/* "remote=... status=... reply=... diagnostic=...", those that were taken. */
static char *format_details(const void *context, const struct recipient *recipient)
{
	const char *const words[][2] = {{"remote", recipient->remote_mta},
		{"status", recipient->status}, {"reply", recipient->reply},
		{"diagnostic", recipient->diagnostic}};
	char *text = mem_strdup(context, "");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i][1] != NULL)
			text = mem_append(text, "%s%s=%s", *text == '\0' ? "" : " ", words[i][0],
				words[i][1]);
	}
	return text;
}

/* What the rule takes alone is what all of them take. */
static void check_detail(struct examination *examination, const struct rule_sample *sample)
{
	const void *context = examination->context;
	const struct rule *rule = examination->rule;
	struct bytes raw = {(const unsigned char *)sample->text, strlen(sample->text)};
	struct haystack text = haystack_make(context, text_clean(context, raw, raw.size + 1));
	struct recipient alone = {0}, together = {0};

	detail_take_by(context, rule, &text, &alone);
	detail_take(context, &text, &together);
	char *found = format_details(context, &alone), *all = format_details(context, &together);
	if (sample->expect != NULL && strcmp(sample->expect, found) != 0)
		trial_complain(examination, sample->line,
			mem_printf(context, "its sample gives \"%s\", expected is \"%s\"", found,
				sample->expect));
	if (strcmp(found, all) != 0)
		trial_complain(examination, sample->line,
			mem_printf(context,
				"with the others its sample gives \"%s\": this rule is "
				"shadowed",
				all));
}

static const char *find_example(enum rule_type type)
{
	static const char *const examples[RULE_TYPE_COUNT] = {
		[RULE_DIALECT] = "failed ann@example.net userunknown",
		[RULE_KIND] = "autoreply",
		[RULE_REASON] = "mailboxfull permanent",
		[RULE_DETAIL] = "remote=mx.example.net reply=550"};

	return examples[type];
}

static void check_samples(
	struct examination *examination, const struct rule_sample *samples, size_t count)
{
	struct case_of_reason *cases =
		mem_new_array(examination->context, struct case_of_reason, count + 1);
	enum rule_type type = examination->rule->type;

	for (size_t i = 0; i < count; i++) {
		if (samples[i].expect == NULL)
			trial_complain(examination, samples[i].line,
				mem_printf(examination->context,
					"its sample has no expect: want, for instance, expect %s",
					find_example(type)));
		if (type == RULE_REASON)
			check_reason(examination, &samples[i], &cases[i]);
		else if (type == RULE_DETAIL)
			check_detail(examination, &samples[i]);
		else
			check_message(examination, &samples[i]);
	}
	if (type == RULE_REASON)
		trial_reasons(examination, cases, count);
	else if (type != RULE_DETAIL)
		trial_messages(examination, samples, count);
}

void rules_check_one(const struct rules *rules, size_t index, struct rules_findings *findings)
{
	const struct rule *rule = &rules->items[index];
	struct examination examination = {.context = mem_context(NULL, "rule"),
		.rules = rules,
		.rule = rule,
		.findings = findings};
	struct rule_sample *samples;
	int line;

	const char *fault = rule_fault_find(examination.context, rule, &line);
	if (fault != NULL)
		trial_complain(&examination, line, fault);
	check_names(&examination);
	size_t count = rule_read_samples(examination.context, rule, &samples);
	findings->samples += count;
	if (count == 0)
		trial_complain(&examination, rule->line, "has no sample");
	check_samples(&examination, samples, count);
	mem_free(examination.context);
}
