/*
 * rules.c: in charge of showing the rules that are in force and of finding what is wrong with them:
 * a regex that does not compile, a rule without the literal that is looked for first, two of one
 * name, a sample that another rule wins.
 */
#include <string.h>

#include "base/memory.h"
#include "base/rules.h"
#include "base/text.h"
#include "classify/classify.h"
#include "classify/rule_set.h"
#include "cmd/command.h"
#include "read/source.h"

#define WINS_MAX 1000

const struct option_row rules_options[] = {
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* A rule and how many messages of a folder it won. */
struct win {
	const char *name;
	size_t count;
};

struct survey {
	struct command_run *run;
	size_t rules, faults;
	struct win wins[WINS_MAX];
	size_t win_count;
};

static void complain(struct survey *survey, const struct rule *rule, const char *what)
{
	printf("%s:%d: %s: %s\n", rule->file, rule->line, rule->name, what);
	survey->faults++;
}

static bool has_part(const struct rule *rule, enum rule_part part)
{
	for (size_t i = 0; i < rule->line_count; i++) {
		if (rule->lines[i].part == part)
			return true;
	}
	return false;
}

static void check_patterns(struct survey *survey, const void *context, const struct rule *rule)
{
	for (size_t i = 0; i < rule->line_count; i++) {
		const char *error;
		if (rule_line_is_broken(context, &rule->lines[i], &error))
			complain(survey, rule, error);
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

/* "KIND [ADDRESS,... [REASON]]" against what was found. */
static void check_expected(struct survey *survey, const void *context, const struct rule *rule,
	const struct bounce *bounce)
{
	char *rest = mem_strdup(context, rule->expect == NULL ? "" : rule->expect);
	const char *found[] = {kind_name(bounce->kind), join_recipients(context, bounce),
		reason_name(bounce->recipient_count == 0 ? REASON_UNDEFINED
							 : bounce->recipients[0].reason)};

	for (size_t i = 0; i < 3 && rest != NULL; i++) {
		const char *word = strsep(&rest, " \t");
		if (*word != '\0' && strcmp(word, found[i]) != 0)
			complain(survey, rule,
				mem_printf(context, "its sample gives \"%s\", expected is \"%s\"",
					found[i], word));
	}
}

static bool is_winner(const struct rule *rule, const struct bounce *bounce)
{
	if (rule->type == RULE_KIND)
		return bounce->kind == rule->kind;
	return bounce->dialect != NULL && (strcmp(bounce->dialect, rule->name) == 0 ||
						  (strcmp(bounce->dialect, "generic") == 0 &&
							  text_starts_fold(rule->name, "generic")));
}

static void check_sample(struct survey *survey, const void *context, const struct rule *rule)
{
	struct bytes raw = {(const unsigned char *)rule->sample, strlen(rule->sample)};
	struct mail *mail = mail_read(context, raw, NULL);
	struct bounce *bounce = classify_mail(context, mail);

	if (!is_winner(rule, bounce))
		complain(survey, rule,
			mem_printf(context, "its sample is won by %s (%s): this rule is shadowed",
				bounce->dialect == NULL ? "no rule" : bounce->dialect,
				kind_name(bounce->kind)));
	check_expected(survey, context, rule, bounce);
}

static void check_rule(struct survey *survey, const struct rules *rules, size_t index)
{
	const struct rule *rule = &rules->items[index];
	void *context = mem_context(NULL, "rule");

	survey->rules++;
	check_patterns(survey, context, rule);
	for (size_t i = 0; i < index && rule->type == RULE_DIALECT; i++) {
		if (strcmp(rules->items[i].name, rule->name) == 0)
			complain(survey, rule, "two rules have this name");
	}
	if (rule->type == RULE_DIALECT && !has_part(rule, RULE_LITERAL))
		complain(survey, rule, "has no literal, the words that are looked for first");
	if (rule->type == RULE_DIALECT && rule->sample == NULL)
		complain(survey, rule, "has no sample");
	if (rule->sample != NULL)
		check_sample(survey, context, rule);
	mem_free(context);
}

static enum status count_win(void *argument, const struct source_message *message)
{
	struct survey *survey = argument;
	void *context = mem_context(NULL, "message");
	struct bounce *bounce = classify_mail(context, mail_read(context, message->bytes, NULL));
	const char *name = bounce->dialect == NULL ? "-" : bounce->dialect;
	size_t i = 0;

	while (i < survey->win_count && strcmp(survey->wins[i].name, name) != 0)
		i++;
	if (i == survey->win_count && i < WINS_MAX)
		survey->wins[survey->win_count++] = (struct win){name, 0};
	if (i < survey->win_count)
		survey->wins[i].count++;
	mem_free(context);
	return STATUS_OK;
}

static void report_problem(void *argument, const char *path, const char *why)
{
	command_failed(((struct survey *)argument)->run, STATUS_NO_INPUT, "%s: %s", path, why);
}

static enum status check_rules(struct command_run *run)
{
	struct survey *survey = mem_new(run->context, struct survey);
	enum status status = STATUS_OK;

	survey->run = run;
	for (size_t f = 0; rule_set_files[f] != NULL; f++) {
		const struct rules *rules = rule_set_find(rule_set_files[f]);
		for (size_t i = 0; i < rules->count; i++)
			check_rule(survey, rules, i);
	}
	for (size_t i = 1; i < run->argument_count && status == STATUS_OK; i++)
		status = source_walk(run->arguments[i], count_win, report_problem, survey);
	if (survey->win_count > 0)
		puts("messages won:");
	for (size_t i = 0; i < survey->win_count; i++)
		printf("  %6zu  %s\n", survey->wins[i].count, survey->wins[i].name);
	if (survey->faults > 0) {
		printf("%zu rules, %zu faults\n", survey->rules, survey->faults);
		return STATUS_DATA;
	}
	printf("%zu rules, no faults\n", survey->rules);
	return status;
}

static const char *type_name(enum rule_type type)
{
	static const char *const names[] = {
		[RULE_DIALECT] = "dialect", [RULE_KIND] = "kind", [RULE_REASON] = "reason"};

	return names[type];
}

/* Every rule by name, or those of the one name that was asked for with what they say. */
static size_t show_rules(const char *name)
{
	size_t shown = 0;

	for (size_t f = 0; rule_set_files[f] != NULL; f++) {
		const struct rules *rules = rule_set_find(rule_set_files[f]);
		for (size_t i = 0; i < rules->count; i++) {
			const struct rule *rule = &rules->items[i];
			if (name != NULL && strcmp(rule->name, name) != 0)
				continue;
			printf("%-8s %-32s %s:%d\n", type_name(rule->type), rule->name, rule->file,
				rule->line);
			if (name != NULL && rule->sample != NULL)
				printf("\n%s\nexpect %s\n", rule->sample,
					rule->expect == NULL ? "-" : rule->expect);
			shown++;
		}
	}
	return shown;
}

/* "show weights" is the file weights.rules as it is compiled in; likewise any other. */
static bool show_file(const void *context, const char *name)
{
	const char *text = rules_find(mem_printf(context, "%s.rules", name));

	if (text != NULL)
		fputs(text, stdout);
	return text != NULL;
}

/* The weights that the configuration sets in place of those of the table. */
static void show_changes(const struct config *config)
{
	if (config->weight_count > 0)
		printf("\n# Changed by %s:\n", config->path);
	for (size_t i = 0; i < config->weight_count; i++)
		printf("%s\t%s\t%d\n", config->weights[i].check, config->weights[i].result,
			config->weights[i].decibans);
}

enum status rules_run(struct command_run *run)
{
	const char *what = run->argument_count == 0 ? "" : run->arguments[0];
	const char *name = run->argument_count < 2 ? NULL : run->arguments[1];

	if (strcmp(what, "check") == 0)
		return check_rules(run);
	if (strcmp(what, "show") != 0)
		return command_misused(run, "want check [PATH...] or show [NAME]");
	if (name != NULL && show_file(run->context, name)) {
		if (strcmp(name, "weights") == 0)
			show_changes(run->config);
		return STATUS_OK;
	}
	if (show_rules(name) == 0)
		return command_failed(run, STATUS_NOT_FOUND,
			"no rule is called \"%s\"; 'backstop rules show' lists them", name);
	return STATUS_OK;
}
