/*
 * main.c: in charge of the command table: finds the row, reads the options, opens what the row
 * needs, runs it, makes sure that what was printed was written, and turns the status into an exit
 * code.
 *
 * A delivery (IS_DELIVERY) ends with 0 or 75 whatever happens, a wrong flag included; all else with
 * sysexits(3).
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/config_watch.h"
#include "cmd/rules_dir.h"

#define OPTIONS_MAX 32

static const struct command commands[] = {
	{"deliver", deliver_run,
		NEEDS_CONFIG | TAKES_STATE_WRITE | USES_RULES | ASKS_DNS | IS_DELIVERY,
		deliver_options, "< MESSAGE", "final delivery of one message from a mail server"},
	{"scan", scan_run, TAKES_CONFIG | TAKES_STATE | TAKES_DNS | USES_RULES, scan_options,
		"PATH...", "say what the messages in files, mbox files and Maildirs are"},
	{"explain", explain_run, TAKES_CONFIG | TAKES_STATE | TAKES_DNS | USES_RULES,
		explain_options, "PATH", "one message, every step and piece of evidence, in words"},
	{"report", report_run, NEEDS_CONFIG | NEEDS_STATE, report_options,
		"summary|lists|recipients|reporters|reasons|storms|dropped",
		"what was decided, added up"},
	{"held", held_run, NEEDS_CONFIG | NEEDS_STATE_WRITE | USES_RULES | MAY_ONLY_LOOK,
		held_options, "list|show|release|purge [ID...]",
		"held and dropped mail that is still kept"},
	{"digest", digest_run,
		NEEDS_CONFIG | NEEDS_STATE_WRITE | USES_RULES | NOTES_CHANGES | MAY_ONLY_LOOK,
		digest_options, "", "send the owners of lists what is due to them"},
	{"lists", lists_run, NEEDS_CONFIG | NOTES_CHANGES, lists_options, "",
		"the lists that are configured or seen, and what is wrong with them"},
	{"audit", audit_run, NEEDS_CONFIG | NEEDS_STATE, audit_options, "",
		"who released, purged, made keys or changed a list, and when"},
	{"tag", tag_run, TAKES_CONFIG, tag_options, "new-key|make|check [ARGUMENT...]",
		"signed bounce addresses"},
	{"submit", submit_run, TAKES_CONFIG | TAKES_STATE_WRITE | DEFERS, submit_options,
		"-- SENDMAIL-ARGUMENTS < MESSAGE",
		"sendmail, with a tagged envelope sender and a record in the ledger"},
	{"sent", sent_run, NEEDS_CONFIG | NEEDS_STATE_WRITE, sent_options, "[RECIPIENT...]",
		"feed the ledger of sent mail"},
	{"rules", rules_run, TAKES_CONFIG | USES_RULES, rules_options, "check|show [ARGUMENT...]",
		"the rules by which bounces are recognised"},
	{"db", db_run, TAKES_CONFIG, db_options, "stat|check|dump|load|prune|copy [ARGUMENT]",
		"the state, by hand: figures, faults, backup and restoring, removal of old "
		"records"},
	{"check", check_run, TAKES_CONFIG, check_options, "",
		"find what is wrong with configuration, rules and state"},
};

static const struct option_row common_options[] = {
	{"config", OPTION_VALUE, "FILE", "the configuration (also -c FILE)"},
	{"now", OPTION_VALUE, "TIME", "fix the clock, for tests"},
	{"verbose", OPTION_FLAG, NULL, "log each check as well"},
	{"help", OPTION_FLAG, NULL, "this help"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* What the command line said. */
struct request {
	const struct command *command;
	const char *common[OPTIONS_MAX]; /* by row of common_options */
	const char *own[OPTIONS_MAX];	 /* by row of the command's options */
	char **arguments;
	size_t argument_count;
};

static void print_help(FILE *out)
{
	fputs("usage: backstop COMMAND [OPTION...] [ARGUMENT...]\n\n"
	      "Weighs the bounces that a mail server hands it: genuine ones go to the list's "
	      "owner,\n"
	      "backscatter is dropped, the rest is handed on or held.\n\ncommands:\n",
		out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'backstop COMMAND --help' says more of one. 'backstop --version' names the "
	      "version.\n"
	      "The configuration is -c FILE, else $BACKSTOP_CONF, else " CONFIG_DEFAULT_PATH ".\n",
		out);
}

static void print_options(const struct option_row *options, FILE *out)
{
	for (; options->name != NULL; options++) {
		char left[80];
		snprintf(left, sizeof(left), "--%s%s%s%s", options->name,
			options->argument == OPTION_FLAG    ? ""
			: options->argument == OPTION_MAYBE ? "[="
							    : "=",
			options->value == NULL ? "" : options->value,
			options->argument == OPTION_MAYBE ? "]" : "");
		fprintf(out, "  %-34s %s\n", left, options->help);
	}
}

/* Help is a success; but where a mail server pipes a message in and --help stands in its wiring by
 * mistake, a success would lose the message, and standard output is not ours to write to. */
static enum status print_command_help(const struct command *command)
{
	struct stat input;

	if ((command->needs & IS_DELIVERY) && fstat(STDIN_FILENO, &input) == 0 &&
		!S_ISCHR(input.st_mode)) {
		log_error("%s: --help is no way to deliver a message", command->name);
		return STATUS_USAGE;
	}
	printf("usage: backstop %s [OPTION...] %s\n\n%s\n\noptions:\n", command->name,
		command->arguments, command->summary);
	print_options(command->options, stdout);
	print_options(common_options, stdout);
	printf("\nbackstop-%s(1) says more.\n", command->name);
	return STATUS_OK;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

const char *command_option(const struct command_run *run, const char *name)
{
	for (size_t i = 0; run->command->options[i].name != NULL; i++) {
		if (strcmp(run->command->options[i].name, name) == 0)
			return run->option_values[i];
	}
	return NULL;
}

/* Deliveries speak through the log: their standard error goes into the mail server's own. */
static void say(const struct command *command, const char *format, va_list list)
{
	char text[1000];

	vsnprintf(text, sizeof(text), format, list);
	char *clean =
		text_clean_string(NULL, text, sizeof(text)); /* a file's name is foreign too */
	if (command->needs & IS_DELIVERY)
		log_error("%s: %s", command->name, clean);
	else
		fprintf(stderr, "backstop %s: %s\n", command->name, clean);
	mem_free(clean);
}

enum status command_misused(const struct command_run *run, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(run->command, format, list);
	va_end(list);
	if (!(run->command->needs & IS_DELIVERY))
		fprintf(stderr, "'backstop %s --help' shows how it is used.\n", run->command->name);
	return STATUS_USAGE;
}

enum status command_failed(
	const struct command_run *run, enum status status, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(run->command, format, list);
	va_end(list);
	return status;
}

/* A row as getopt_long wants it; value: where the option is found again. */
static void add_options(
	struct option *options, size_t *count, const struct option_row *rows, int first_value)
{
	for (size_t i = 0; rows[i].name != NULL && *count < OPTIONS_MAX * 2; i++) {
		static const int kinds[] = {
			[OPTION_FLAG] = no_argument,
			[OPTION_VALUE] = required_argument,
			[OPTION_MAYBE] = optional_argument,
		};
		options[(*count)++] = (struct option){
			rows[i].name, kinds[rows[i].argument], NULL, first_value + (int)i};
	}
}

static enum status misused_option(const struct command *command, int problem, char **argv)
{
	struct command_run run = {.command = command};

	if (problem == ':')
		return command_misused(
			&run, "%s wants a value: %s=VALUE", argv[optind - 1], argv[optind - 1]);
	if (problem == '2') /* one recipient would get nothing */
		return command_misused(
			&run, "%s stands twice; one delivery has one envelope", argv[optind - 1]);
	return command_misused(&run, "%s is no option of this command", argv[optind - 1]);
}

/* Reads the options behind the command's name. */
static enum status read_options(int argc, char **argv, struct request *request)
{
	enum { FIRST_COMMON = 1000, FIRST_OWN = 2000 };
	struct option options[OPTIONS_MAX * 2 + 1] = {0};
	size_t count = 0;
	int found;

	add_options(options, &count, common_options, FIRST_COMMON);
	add_options(options, &count, request->command->options, FIRST_OWN);
	opterr = 0;
	while ((found = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
		const char *value = optarg == NULL ? "" : optarg;
		if (found == '?' || found == ':')
			return misused_option(request->command, found, argv);
		if (found == 'c')
			request->common[0] = value;
		else if (found == 'h')
			request->common[3] = value;
		else if (found >= FIRST_OWN && request->own[found - FIRST_OWN] != NULL &&
			 (request->command->needs & IS_DELIVERY))
			return misused_option(request->command, '2', argv);
		else if (found >= FIRST_OWN)
			request->own[found - FIRST_OWN] = value;
		else
			request->common[found - FIRST_COMMON] = value;
	}
	request->arguments = argv + optind;
	request->argument_count = (size_t)(argc - optind);
	return STATUS_OK;
}

/* Says the faults of a configuration. Warnings are check's to say. */
static void print_faults(const struct command *command, const struct config_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		if (faults->items[i].is_warning)
			continue;
		if (command->needs & IS_DELIVERY)
			log_error("%s", faults->items[i].text);
		else
			fprintf(stderr, "backstop %s: %s\n", command->name, faults->items[i].text);
	}
}

/* True when a configuration is to be read: it is needed, or one was named, or there is one. */
static bool wants_config(const struct request *request, const char *path)
{
	unsigned needs = request->command->needs;

	if (needs & NEEDS_CONFIG)
		return true;
	if (!(needs & TAKES_CONFIG))
		return false;
	/* A file that is there and cannot be read is wrong, not absent. */
	return request->common[0] != NULL || getenv("BACKSTOP_CONF") != NULL ||
	       access(path, F_OK) == 0;
}

/* check reads the file itself, faults and all. */
static enum status open_config(const struct request *request, struct command_run *run)
{
	const char *path = config_path(request->common[0]);
	struct config_faults faults = {NULL, 0};

	run->config = config_none(run->context);
	run->config_path = path;
	if (request->command->function == check_run || !wants_config(request, path))
		return STATUS_OK;
	const struct config *config;
	enum status status = config_read(run->context, path, &config, &faults);
	print_faults(request->command, &faults);
	if (status != STATUS_OK) {
		if (faults.count == 0)
			command_failed(run, status, "%s: %s", path, status_text(status));
		return status;
	}
	run->config = config;
	run->has_config = true;
	return STATUS_OK;
}

#define ACTS (TAKES_STATE_WRITE | NEEDS_STATE_WRITE)

/* A file of rules that is left out: for a delivery, and whatever else acts, no more than a warning.
 */
static void report_rules(void *argument, const char *what)
{
	struct command_run *run = argument;
	unsigned needs = run->command->needs;

	if (needs & IS_DELIVERY)
		log_warning("%s; this file is left out", what);
	else if (needs & ACTS)
		command_failed(run, STATUS_CONFIG, "warning: %s; this file is left out", what);
	else
		command_failed(run, STATUS_CONFIG, "%s", what);
}

/* A regex of the rules-dir that went on too long. */
static void report_slow_rule(void *argument, const char *what)
{
	struct command_run *run = argument;

	if (run->command->needs & IS_DELIVERY)
		log_warning("%s", what);
	else
		command_failed(run, STATUS_OK, "warning: %s", what);
}

/* Rules that are wrong stop no mail: what acts on it goes on with those that are compiled in. */
static enum status open_rules(struct command_run *run)
{
	unsigned needs = run->command->needs;
	enum status status = STATUS_OK;

	if ((needs & USES_RULES) && run->config->rules_dir != NULL)
		status = rules_dir_read(run->context, run->config->rules_dir, report_rules, run);
	return needs & ACTS ? STATUS_OK : status;
}

/* Before the state is opened: one process opens a state once. */
static void note_changes(const struct command_run *run)
{
	enum status status;

	if (!(run->command->needs & NOTES_CHANGES) || command_option(run, "dry-run") != NULL)
		return;
	status = config_watch(run->config, run->now, run->command->name);
	if (status != STATUS_OK && status != STATUS_NO_INPUT)
		command_failed(run, status,
			"warning: what changed in the configuration could not be entered in the "
			"account of changes: %s",
			status_text(status));
}

/* Whoever only looks may do so where nothing can be written. */
static bool only_looks(const struct command_run *run)
{
	const char *word = run->argument_count > 0 ? run->arguments[0] : "";

	return (run->command->needs & MAY_ONLY_LOOK) &&
	       (command_option(run, "dry-run") != NULL || strcmp(word, "list") == 0 ||
		       strcmp(word, "show") == 0);
}

static enum status open_state(const struct request *request, struct command_run *run)
{
	unsigned needs = request->command->needs;
	const char *asked = command_option(run, "state");
	const char *directory = asked != NULL && *asked != '\0' ? asked : run->config->state;
	const char *error = NULL;
	bool is_asked = (needs & TAKES_STATE) && asked != NULL;
	enum state_access access_mode =
		needs & (NEEDS_STATE_WRITE | TAKES_STATE_WRITE) ? STATE_WRITE : STATE_READ;

	if (!(needs & (NEEDS_STATE | NEEDS_STATE_WRITE | TAKES_STATE_WRITE)) && !is_asked)
		return STATUS_OK;
	if ((needs & TAKES_STATE_WRITE) && !run->has_config)
		return STATUS_OK;
	enum status status = STATUS_NO_INPUT;
	if (only_looks(run))
		status = state_open(run->context, directory, STATE_READ, &run->state, &error);
	if (status == STATUS_NO_INPUT)
		status = state_open(run->context, directory, access_mode, &run->state, &error);
	if (status == STATUS_OK)
		return STATUS_OK;
	run->state = NULL;
	if (needs & TAKES_STATE_WRITE) {
		log_warning("state %s: %s", directory, error == NULL ? status_text(status) : error);
		return STATUS_OK;
	}
	return command_failed(run, status, "state %s: %s", directory,
		error == NULL ? status_text(status) : error);
}

static enum status open_clock(const struct request *request, struct command_run *run)
{
	int64_t now;

	if (request->common[1] != NULL) {
		if (!clock_parse_time(request->common[1], clock_now(), &now))
			return command_misused(run,
				"--now=%s is no time: want 2026-11-23T19:19:22Z or seconds since "
				"1970",
				request->common[1]);
		clock_fix(now);
	}
	run->now = clock_now();
	return STATUS_OK;
}

static enum status run_command(const struct request *request, const void *context)
{
	struct command_run run = {.command = request->command,
		.context = context,
		.arguments = request->arguments,
		.argument_count = request->argument_count,
		.option_values = request->own,
		.is_verbose = request->common[2] != NULL};
	enum status status = open_clock(request, &run);

	if (status == STATUS_OK)
		status = open_config(request, &run);
	if (status != STATUS_OK)
		return status;
	if (request->command->needs & IS_DELIVERY)
		guard_set_deadline((unsigned)run.config->deadline_s);
	else if (!(request->command->needs & DEFERS)) /* which hands the message on all the same */
		guard_limit_waits((unsigned)run.config->deadline_s);
	if (run.has_config)
		log_open(run.config->log,
			request->common[2] != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	else if (request->common[2] != NULL)
		log_open("stderr", LOG_LEVEL_DEBUG);
	status = open_rules(&run);
	if (status == STATUS_OK) {
		note_changes(&run);
		status = open_state(request, &run);
	}
	if (status == STATUS_OK) {
		unsigned needs = request->command->needs;
		run.pipeline = pipeline_new(context, run.config, run.state);
		if (!(needs & IS_DELIVERY))
			run.pipeline->rosters = roster_memory_new(context);
		if ((needs & ASKS_DNS) ||
			((needs & TAKES_DNS) && command_option(&run, "dns") != NULL))
			pipeline_use_dns(run.pipeline);
		mail_library_open();
		status = request->command->function(&run);
		rules_dir_report_slow(report_slow_rule, &run);
	}
	state_close(run.state);
	return status;
}

/* What was printed must have arrived: a full disk behind a redirection is a failure. */
static enum status close_output(const struct command *command, enum status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		fprintf(stderr, "backstop %s: standard output: %s\n", command->name,
			strerror(errno));
	return status == STATUS_OK ? STATUS_IO : status;
}

static int find_exit_code(const struct command *command, enum status status)
{
	if (command->needs & IS_DELIVERY)
		return status == STATUS_OK ? 0 : GUARD_TEMPFAIL;
	if ((command->needs & DEFERS) && status != STATUS_OK && status != STATUS_USAGE)
		return GUARD_TEMPFAIL;
	return status_exit_code(status);
}

/* True when a mail server's wiring is wrong so that the command is not where it should be, or is
 * misspelt: 64 would have the server bounce the message. */
static bool is_meant_as_delivery(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "deliv", 5) == 0)
			return true;
	}
	return false;
}

static int refuse_delivery(void)
{
	log_error("want: backstop deliver [OPTION...], the command first");
	return GUARD_TEMPFAIL;
}

int main(int argc, char **argv)
{
	struct request request = {0};

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
				 strcmp(argv[1], "help") == 0)) {
		print_help(stdout);
		return 0;
	}
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		puts("backstop " BACKSTOP_VERSION);
		return 0;
	}
	request.command = argc < 2 ? NULL : find_command(argv[1]);
	if (request.command == NULL) {
		if (is_meant_as_delivery(argc, argv))
			return refuse_delivery();
		if (argc >= 2)
			fprintf(stderr, "backstop: no command is called \"%s\"\n", argv[1]);
		print_help(stderr);
		return status_exit_code(STATUS_USAGE);
	}
	if (request.command->needs & IS_DELIVERY)
		guard_enter();
	void *context = mem_context(NULL, "backstop");
	enum status status = read_options(argc - 1, argv + 1, &request);
	if (status == STATUS_OK && request.common[3] != NULL)
		status = print_command_help(request.command);
	else if (status == STATUS_OK)
		status = run_command(&request, context);
	status = close_output(request.command, status);
	int code = find_exit_code(request.command, status);
	mem_free(context);
	return code;
}
