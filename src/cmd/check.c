/*
 * check.c: in charge of what is checked, in which order, and of what comes of it. main.c leaves the
 * configuration to this command, so that all its faults and warnings are said.
 *
 * Findings go to standard output: they are what was asked for. Warnings alone are a success.
 */
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/check_parts.h"
#include "cmd/command.h"
#include "cmd/config_watch.h"

const struct option_row check_options[] = {
	{"dns", OPTION_FLAG, NULL, "ask DNS too, whether what the checks need is there"},
	{"mta", OPTION_FLAG, NULL, "ask the mail server (Postfix) too, how it calls backstop"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

static void check_config(struct survey *survey)
{
	struct config_faults faults = {NULL, 0};
	enum status status =
		config_read(survey->context, survey->config_path, &survey->config, &faults);

	for (size_t i = 0; i < faults.count; i++)
		check_say(survey, faults.items[i].is_warning ? FINDING_WARNING : FINDING_FAULT,
			"%s", faults.items[i].text);
	if (status != STATUS_OK && survey->counts[FINDING_FAULT] == 0)
		check_fault(survey, "%s: %s", survey->config_path, status_text(status));
	if (status != STATUS_OK)
		check_note(survey, "files, folders and state are checked when the configuration is "
				   "right");
}

static void state_config(struct survey *survey)
{
	static const char *const shares[] = {
		[SHARE_NONE] = "none", [SHARE_SOME] = "some", [SHARE_ALL] = "all"};
	static const char *const logs[] = {[SENT_LOG_NONE] = "none",
		[SENT_LOG_PARTIAL] = "partial",
		[SENT_LOG_COMPLETE] = "complete"};
	const struct config *config = survey->config;

	check_fact(survey, "mode %s",
		config->mode == MODE_ENFORCE ? "enforce" : "observe: nothing is dropped or held");
	for (size_t i = 0; i < config->domain_count; i++) {
		const struct domain_config *domain = &config->domains[i];
		check_fact(survey, "domain %s: %zu sender%s, tagged %s, signed %s, sent-log %s",
			domain->name, domain->sender_count, domain->sender_count == 1 ? "" : "s",
			shares[domain->tagged], shares[domain->dkim_signed],
			logs[domain->sent_log]);
	}
	check_fact(survey, "%zu list%s", config->list_count, config->list_count == 1 ? "" : "s");
	if (config->list_count == 0)
		check_warn(survey, "%s: no list is configured: all mail goes to %s/unclaimed",
			survey->config_path, config->state);
}

/* Whose rights count, and whose the answers are about. */
static void check_with_rights(struct survey *survey, const struct check_account *account)
{
	bool is_root = geteuid() == 0;

	if (is_root && account->name != NULL) {
		check_note(survey, "files and folders were checked as user %s", account->name);
		check_places_as(survey, account);
		return;
	}
	if (is_root)
		check_note(survey,
			"permissions were checked as root; run it as the user that backstop runs "
			"as: runuser -u USER -- backstop check");
	else if (account->name != NULL && geteuid() != account->user)
		check_note(survey,
			"permissions were checked for the user who runs this; for user %s, run it "
			"as that user or as root",
			account->name);
	check_places(survey);
}

/* Whoever changes a configuration is told to run this command, so it enters what changed. */
static void note_changes(struct survey *survey)
{
	enum status status = config_watch(survey->config, survey->now, "check");

	if (status != STATUS_OK && status != STATUS_NO_INPUT)
		check_note(survey,
			"what changed in the configuration could not be entered in the account of "
			"changes: %s",
			status_text(status));
}

static void print_result(const struct survey *survey)
{
	size_t faults = survey->counts[FINDING_FAULT];
	size_t warnings = survey->counts[FINDING_WARNING];

	if (faults == 0)
		printf("%s: no faults", survey->config_path);
	else
		printf("%s: %zu fault%s", survey->config_path, faults, faults == 1 ? "" : "s");
	if (warnings > 0)
		printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	printf("\n%s", survey->facts);
}

enum status check_run(struct command_run *run)
{
	struct survey survey = {.context = run->context,
		.config_path = run->config_path,
		.now = run->now,
		.facts = mem_strdup(run->context, "")};
	struct check_account account = {NULL, 0, 0};

	if (run->argument_count > 0)
		return command_misused(run, "takes no arguments");
	check_config(&survey);
	if (survey.config != NULL)
		state_config(&survey);
	if (survey.config != NULL)
		check_dns(&survey, command_option(run, "dns") != NULL);
	check_rules(&survey);
	if (command_option(run, "mta") != NULL)
		check_mta(&survey, &account);
	if (survey.config != NULL)
		check_with_rights(&survey, &account);
	if (survey.config != NULL)
		note_changes(&survey);
	print_result(&survey);
	return survey.counts[FINDING_FAULT] == 0 ? STATUS_OK : STATUS_CONFIG;
}
