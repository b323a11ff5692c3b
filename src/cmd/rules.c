/*
 * rules.c: in charge of showing the rules that are in force, and of counting what each one wins.
 * What is wrong with one is rules_check.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rules.h"
#include "classify/classify.h"
#include "classify/rule_set.h"
#include "cmd/command.h"
#include "cmd/rules_check.h"
#include "cmd/rules_trial.h"
#include "read/source.h"

const struct option_row rules_options[] = {
	{NULL, OPTION_FLAG, NULL, NULL},
};

#define FORMS_MAX 300

/* How often a rule won, or a form that no rule is about. */
struct win {
	const struct rule *rule; /* NULL: a form, or a row of status.rules */
	const char *type, *name;
	size_t count, number; /* number: its place among all */
};

struct survey {
	struct command_run *run;
	struct rules_findings findings;
	size_t rules, messages;
	struct win *wins; /* of each rule, in the order in which they are asked; then of forms */
	size_t win_count;
};

static void list_rules(struct survey *survey)
{
	for (size_t f = 0; rule_set_files[f] != NULL; f++)
		survey->rules += rule_set_find(rule_set_files[f])->count;
	survey->wins = mem_new_array(survey->run->context, struct win, survey->rules + FORMS_MAX);
	for (size_t f = 0; rule_set_files[f] != NULL; f++) {
		const struct rules *rules = rule_set_find(rule_set_files[f]);
		for (size_t i = 0; i < rules->count; i++)
			survey->wins[survey->win_count++] = (struct win){&rules->items[i],
				rule_type_name(rules->items[i].type), rules->items[i].name, 0, 0};
	}
}

/* Counts what has that type and name; forms and codes are listed when they are first met. */
static void add_win(struct survey *survey, const char *type, const char *name)
{
	for (size_t i = 0; i < survey->win_count; i++) {
		if (strcmp(survey->wins[i].name, name) == 0 &&
			strcmp(survey->wins[i].type, type) == 0) {
			survey->wins[i].count++;
			return;
		}
	}
	if (survey->win_count < survey->rules + FORMS_MAX)
		survey->wins[survey->win_count++] = (struct win){NULL, type, name, 1, 0};
}

static void add_reason(struct survey *survey, const char *name)
{
	const char *type = "code";

	for (size_t i = 0; i < survey->rules; i++) {
		if (survey->wins[i].rule->type == RULE_REASON &&
			strcmp(survey->wins[i].name, name) == 0)
			type = survey->wins[i].type;
	}
	add_win(survey, type, name);
}

static enum status count_wins(void *argument, const struct source_message *message)
{
	struct survey *survey = argument;
	void *context = mem_context(NULL, "message");
	const struct mail *mail = mail_read(context, message->bytes, NULL);
	const struct bounce *bounce = classify_mail(context, mail);

	survey->messages++;
	for (size_t i = 0; i < survey->rules; i++) {
		const struct rule *rule = survey->wins[i].rule;
		bool may_win = rule == bounce->rule || rule->type == RULE_KIND;
		survey->wins[i].count += may_win && trial_is_won(context, rule, mail, bounce);
	}
	if (bounce->rule == NULL && bounce->dialect != NULL)
		add_win(survey, "form", bounce->dialect);
	for (size_t i = 0; i < bounce->recipient_count; i++) {
		if (bounce->recipients[i].reason_by != NULL)
			add_reason(survey, bounce->recipients[i].reason_by);
		if (bounce->recipients[i].detail_by != NULL)
			add_win(survey, "detail", bounce->recipients[i].detail_by);
	}
	mem_free(context);
	return STATUS_OK;
}

/* The types apart, the most wins first; those that win as often stay in the order in which they are
 * asked. */
static int compare_wins(const void *a, const void *b)
{
	const struct win *one = a, *other = b;
	int types = strcmp(one->type, other->type);

	if (types != 0)
		return types;
	if (one->count != other->count)
		return one->count > other->count ? -1 : 1;
	return one->number < other->number ? -1 : 1;
}

/* Those that won nothing too: a 0 is what to look at. */
static void print_wins(struct survey *survey)
{
	printf("won, of %zu message%s (dialects, kinds, forms) and their recipients (reasons, "
	       "details, codes):\n",
		survey->messages, survey->messages == 1 ? "" : "s");
	for (size_t i = 0; i < survey->win_count; i++)
		survey->wins[i].number = i;
	qsort(survey->wins, survey->win_count, sizeof(*survey->wins), compare_wins);
	for (size_t i = 0; i < survey->win_count; i++) {
		const struct win *win = &survey->wins[i];
		if (win->rule == NULL)
			printf("  %6zu  %-8s %s\n", win->count, win->type, win->name);
		else
			printf("  %6zu  %-8s %-32s %s:%d\n", win->count, win->type, win->name,
				win->rule->file, win->rule->line);
	}
}

static void report_problem(void *argument, const char *path, const char *why)
{
	command_failed(((struct survey *)argument)->run, STATUS_NO_INPUT, "%s: %s", path, why);
}

static enum status check_rules(struct command_run *run)
{
	struct survey *survey = mem_new(run->context, struct survey);
	enum status status = STATUS_OK;

	*survey = (struct survey){.run = run};
	survey->findings.is_verbose = run->is_verbose;
	list_rules(survey);
	for (size_t f = 0; rule_set_files[f] != NULL; f++) {
		const struct rules *rules = rule_set_find(rule_set_files[f]);
		for (size_t i = 0; i < rules->count; i++)
			rules_check_one(rules, i, &survey->findings);
	}
	for (size_t i = 1; i < run->argument_count && status == STATUS_OK; i++)
		status = source_walk(run->arguments[i], count_wins, report_problem, survey);
	if (run->argument_count > 1)
		print_wins(survey);
	printf("%zu samples, %zu alternatives tried, %zu not\n", survey->findings.samples,
		survey->findings.tried, survey->findings.untried);
	if (survey->findings.faults > 0) {
		printf("%zu rules, %zu faults\n", survey->rules, survey->findings.faults);
		return STATUS_DATA;
	}
	printf("%zu rules, no faults\n", survey->rules);
	return status;
}

/* True when a rule is asked for: by its name, or by the reason that it gives. */
static bool is_asked(const struct rule *rule, const char *name)
{
	return name == NULL || strcmp(rule->name, name) == 0 ||
	       (rule->type == RULE_REASON && strcmp(reason_name(rule->reason), name) == 0);
}

static void show_rule(const void *context, const struct rule *rule, bool is_full)
{
	struct rule_sample *samples;
	size_t count = is_full ? rule_read_samples(context, rule, &samples) : 0;

	printf("%-8s %-32s %s:%d\n", rule_type_name(rule->type), rule->name, rule->file,
		rule->line);
	for (size_t i = 0; i < count; i++)
		printf("\n%s\nexpect %s\n", samples[i].text,
			samples[i].expect == NULL ? "-" : samples[i].expect);
}

/* Every rule by name, or those of the one name that was asked for with what they say. */
static size_t show_rules(const void *context, const char *name)
{
	size_t shown = 0;

	for (size_t f = 0; rule_set_files[f] != NULL; f++) {
		const struct rules *rules = rule_set_find(rule_set_files[f]);
		for (size_t i = 0; i < rules->count; i++) {
			if (!is_asked(&rules->items[i], name))
				continue;
			show_rule(context, &rules->items[i], name != NULL);
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
	if (show_rules(run->context, name) == 0)
		return command_failed(run, STATUS_NOT_FOUND,
			"no rule is called \"%s\"; 'backstop rules show' lists them", name);
	return STATUS_OK;
}
