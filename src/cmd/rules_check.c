/*
 * rules_check.c: in charge of finding what is wrong with one rule: a regex that does not compile, a
 * rule without the literal that is looked for first, two of one name, a sample that another rule
 * wins. A reason can have a hundred phrases; each is tried in the place of its sample's diagnostic,
 * as one that an earlier rule always takes would never be missed.
 */
#include "cmd/rules_check.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/classify.h"
#include "classify/detail.h"
#include "classify/dialect.h"
#include "classify/reason.h"

struct examination {
	void *context;
	const struct rules *rules;
	const struct rule *rule;
	size_t faults;
};

static void complain(struct examination *examination, const char *what)
{
	const struct rule *rule = examination->rule;

	printf("%s:%d: %s: %s\n", rule->file, rule->line, rule->name, what);
	examination->faults++;
}

static bool has_part(const struct rule *rule, enum rule_part part)
{
	size_t index = 0;

	return rule_next_line(rule, part, &index) != NULL;
}

static void check_patterns(struct examination *examination)
{
	const struct rule *rule = examination->rule;
	bool is_taking = rule->type == RULE_DIALECT || rule->type == RULE_DETAIL;

	for (size_t i = 0; i < rule->line_count; i++) {
		const char *error;
		if (rule_line_is_broken(examination->context, &rule->lines[i], is_taking, &error))
			complain(examination, error);
	}
}

static void check_names(struct examination *examination)
{
	const struct rule *rule = examination->rule;

	for (const struct rule *other = examination->rules->items; other < rule; other++) {
		if (other->type == rule->type && strcmp(other->name, rule->name) == 0)
			complain(examination,
				mem_printf(examination->context,
					"%s:%d has this name too: two rules have this name",
					other->file, other->line));
	}
}

/* True when nothing but a regex can make the rule dear. */
static bool needs_literal(const struct rule *rule)
{
	if (rule->type == RULE_DIALECT || rule->type == RULE_DETAIL)
		return true;
	for (size_t i = 0; i < rule->line_count && rule->type == RULE_REASON; i++) {
		const struct rule_line *line = &rule->lines[i];
		for (size_t k = 0; k < line->pattern_count; k++) {
			if ((line->part == RULE_BODY || line->part == RULE_REPORT) &&
				!line->is_not && rule_line_words(line, k) == NULL)
				return true;
		}
	}
	return false;
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
static void check_expected(
	struct examination *examination, const char *const *found, size_t found_count)
{
	const struct rule *rule = examination->rule;
	char *rest = mem_strdup(examination->context, rule->expect == NULL ? "" : rule->expect);
	char *word;

	for (size_t i = 0; (word = strsep(&rest, " \t")) != NULL;) {
		if (*word == '\0')
			continue;
		if (i == found_count)
			complain(examination, mem_printf(examination->context,
						      "expect has a word too many: %s", word));
		else if (strcmp(word, found[i]) != 0)
			complain(examination, mem_printf(examination->context,
						      "its sample gives \"%s\", expected is \"%s\"",
						      found[i], word));
		if (i++ >= found_count)
			return;
	}
}

static bool is_winner(const struct rule *rule, const struct bounce *bounce)
{
	if (rule->type == RULE_KIND && rule->kind == KIND_ORDINARY)
		return bounce->kind == KIND_ORDINARY;
	/* It lets the mail in to the generic rules; which of them finds somebody is theirs. */
	if (rule->type == RULE_KIND && rule->kind == KIND_FAILED)
		return bounce->kind == KIND_FAILED;
	return bounce->dialect != NULL && (strcmp(bounce->dialect, rule->name) == 0 ||
						  (strcmp(bounce->dialect, "generic") == 0 &&
							  text_starts_fold(rule->name, "generic")));
}

/* "KIND [ADDRESS,... [REASON]]". */
static void check_message(struct examination *examination)
{
	const void *context = examination->context;
	const struct rule *rule = examination->rule;
	const char *sample = rule_sample(context, rule);
	struct bytes raw = {(const unsigned char *)sample, strlen(sample)};
	const struct bounce *bounce = classify_mail(context, mail_read(context, raw, NULL));
	const char *found[] = {kind_name(bounce->kind), join_recipients(context, bounce),
		reason_name(bounce->recipient_count == 0 ? REASON_UNDEFINED
							 : bounce->recipients[0].reason)};

	if (!is_winner(rule, bounce))
		complain(examination,
			mem_printf(context, "its sample is won by %s (%s): this rule is shadowed",
				bounce->dialect == NULL ? "no rule" : bounce->dialect,
				kind_name(bounce->kind)));
	check_expected(examination, found, sizeof(found) / sizeof(found[0]));
}

/* A reason's sample: a diagnostic, and what stands around it. */
struct case_of_reason {
	char *fields[4], *report, *diagnostic;
};

static const char *const field_names[] = {"Status:", "Reply:", "Remote:", "Dialect:"};

static void read_case(const void *context, const struct rule *rule, struct case_of_reason *case_out)
{
	char *rest = rule_sample(context, rule), *line;

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

/* What the reasons say of a diagnostic in that case. */
static struct recipient judge(
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

/* "NAME" with its place, of a reason that took what another should have had. */
static char *describe_winner(const struct examination *examination, const char *name)
{
	const struct rules *rules = examination->rules;

	for (size_t i = 0; name != NULL && i < rules->count; i++) {
		if (strcmp(rules->items[i].name, name) == 0)
			return mem_printf(examination->context, "%s (%s:%d)", name,
				rules->items[i].file, rules->items[i].line);
	}
	return mem_printf(examination->context, "%s%s",
		name == NULL ? "no rule" : "the status code ", name == NULL ? "" : name);
}

/* Each phrase of a body line in the place of the diagnostic: a rule for the same reason wins it. */
static void check_phrases(struct examination *examination, const struct case_of_reason *what)
{
	const struct rule *rule = examination->rule;
	const struct rule_line *line;
	size_t index = 0;

	while ((line = rule_next_line(rule, RULE_BODY, &index)) != NULL) {
		for (size_t i = 0; i < line->pattern_count && !line->is_not; i++) {
			const char *words = rule_line_words(line, i);
			if (words == NULL)
				continue;
			struct recipient got = judge(examination->context, what, words);
			if (got.reason == rule->reason && got.reason_by != NULL)
				continue;
			complain(examination,
				mem_printf(examination->context,
					"its words \"%s\" are won by %s: they are shadowed", words,
					describe_winner(examination, got.reason_by)));
		}
	}
}

/* "REASON [permanent|temporary|unknown]". */
static void check_reason(struct examination *examination)
{
	static const char *const permanences[] = {[PERMANENCE_UNKNOWN] = "unknown",
		[PERMANENCE_TEMPORARY] = "temporary",
		[PERMANENCE_PERMANENT] = "permanent"};
	const struct rule *rule = examination->rule;
	struct case_of_reason what;

	read_case(examination->context, rule, &what);
	struct recipient got = judge(examination->context, &what, what.diagnostic);
	const char *found[] = {reason_name(got.reason), permanences[got.permanence]};
	if (got.reason_by == NULL || strcmp(got.reason_by, rule->name) != 0)
		complain(examination, mem_printf(examination->context,
					      "its sample is won by %s: this rule is shadowed",
					      describe_winner(examination, got.reason_by)));
	check_expected(examination, found, sizeof(found) / sizeof(found[0]));
	check_phrases(examination, &what);
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
static void check_detail(struct examination *examination)
{
	const void *context = examination->context;
	const struct rule *rule = examination->rule;
	char *sample = rule_sample(context, rule);
	struct bytes raw = {(const unsigned char *)sample, strlen(sample)};
	struct haystack text = haystack_make(context, text_clean(context, raw, raw.size + 1));
	struct recipient alone = {0}, together = {0};

	detail_take_by(context, rule, &text, &alone);
	detail_take(context, &text, &together);
	char *found = format_details(context, &alone), *all = format_details(context, &together);
	if (rule->expect == NULL || strcmp(rule->expect, found) != 0)
		complain(examination,
			mem_printf(context, "its sample gives \"%s\", expected is \"%s\"", found,
				rule->expect == NULL ? "" : rule->expect));
	if (strcmp(found, all) != 0)
		complain(examination,
			mem_printf(context,
				"with the others its sample gives \"%s\": this rule is "
				"shadowed",
				all));
}

size_t rules_check_one(const struct rules *rules, size_t index)
{
	const struct rule *rule = &rules->items[index];
	struct examination examination = {mem_context(NULL, "rule"), rules, rule, 0};

	check_patterns(&examination);
	check_names(&examination);
	if (needs_literal(rule) && !has_part(rule, RULE_LITERAL))
		complain(&examination, "has no literal, the words that are looked for first");
	if (rule->sample == NULL && !(rule->type == RULE_KIND && rule->expect == NULL))
		complain(&examination, "has no sample");
	else if (rule->sample != NULL && rule->type == RULE_REASON)
		check_reason(&examination);
	else if (rule->sample != NULL && rule->type == RULE_DETAIL)
		check_detail(&examination);
	else if (rule->sample != NULL)
		check_message(&examination);
	mem_free(examination.context);
	return examination.faults;
}
