/*
 * rules.c: in charge of showing the rules that are in force, and of counting what each one wins.
 * What is wrong with one is rules_check.c's.
 */
#include <string.h>

#include "base/memory.h"
#include "base/rules.h"
#include "classify/classify.h"
#include "classify/rule_set.h"
#include "cmd/command.h"
#include "cmd/rules_check.h"
#include "read/source.h"

#define WINS_MAX 1000

const struct option_row rules_options[] = {
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* What won messages or recipients of a folder, and how many. */
struct wins {
	struct {
		const char *name;
		size_t count;
	} items[WINS_MAX];
	size_t count;
};

struct survey {
	struct command_run *run;
	size_t rules, faults;
	struct wins messages, recipients;
};

static void add_win(struct wins *wins, const char *name)
{
	size_t i = 0;

	while (i < wins->count && strcmp(wins->items[i].name, name) != 0)
		i++;
	if (i == WINS_MAX)
		return;
	if (i == wins->count) {
		wins->items[i].name = name;
		wins->count++;
	}
	wins->items[i].count++;
}

static enum status count_wins(void *argument, const struct source_message *message)
{
	struct survey *survey = argument;
	void *context = mem_context(NULL, "message");
	struct bounce *bounce = classify_mail(context, mail_read(context, message->bytes, NULL));

	add_win(&survey->messages, bounce->dialect == NULL ? "-" : bounce->dialect);
	for (size_t i = 0; i < bounce->recipient_count; i++) {
		if (bounce->recipients[i].reason_by != NULL)
			add_win(&survey->recipients, bounce->recipients[i].reason_by);
	}
	mem_free(context);
	return STATUS_OK;
}

static size_t find_count(const struct wins *wins, const char *name)
{
	for (size_t i = 0; i < wins->count; i++) {
		if (strcmp(wins->items[i].name, name) == 0)
			return wins->items[i].count;
	}
	return 0;
}

/* Rules in the order in which they are asked, those that won nothing too: a 0 is what to look at.
 */
static void print_wins(const struct wins *messages, const struct wins *recipients)
{
	for (size_t f = 0; rule_set_files[f] != NULL; f++) {
		const struct rules *rules = rule_set_find(rule_set_files[f]);
		for (size_t i = 0; i < rules->count; i++) {
			const struct rule *rule = &rules->items[i];
			printf("  %6zu  %-8s %s\n",
				find_count(rule->type == RULE_REASON ? recipients : messages,
					rule->name),
				rule_type_name(rule->type), rule->name);
		}
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
	for (size_t f = 0; rule_set_files[f] != NULL; f++) {
		const struct rules *rules = rule_set_find(rule_set_files[f]);
		for (size_t i = 0; i < rules->count; i++)
			survey->faults += rules_check_one(rules, i);
		survey->rules += rules->count;
	}
	for (size_t i = 1; i < run->argument_count && status == STATUS_OK; i++)
		status = source_walk(run->arguments[i], count_wins, report_problem, survey);
	if (survey->messages.count > 0) {
		puts("won: messages by dialects and kinds, recipients by reasons");
		print_wins(&survey->messages, &survey->recipients);
	}
	if (survey->faults > 0) {
		printf("%zu rules, %zu faults\n", survey->rules, survey->faults);
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
	printf("%-8s %-32s %s:%d\n", rule_type_name(rule->type), rule->name, rule->file,
		rule->line);
	if (is_full && rule->sample != NULL)
		printf("\n%s\nexpect %s\n", rule_sample(context, rule),
			rule->expect == NULL ? "-" : rule->expect);
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
