/*
 * db.c: `backstop db stat|check|dump|load|prune|copy`: the state, by hand.
 *
 * In charge of the words and of what is said. Leaves what is done to state/. Surprising: main.c
 * opens no state for it, since each word wants another one: load none at all, dump and copy no more
 * than to read, also where the file is of an older version.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/db_print.h"
#include "cmd/held_files.h"
#include "state/audit.h"
#include "state/dump.h"
#include "state/prune.h"

#define SHOWN_MAX 200

const struct option_row db_options[] = {
	{"state", OPTION_VALUE, "DIR", "the state, instead of the one in the configuration"},
	{"format", OPTION_VALUE, "text|json", "stat, check: a table, or one JSON object"},
	{"replace", OPTION_FLAG, NULL, "load: also where there is a state; it is kept beside"},
	{"before", OPTION_VALUE, "TIME", "prune: what is older: a time, or an age such as 90d"},
	{"dry-run", OPTION_FLAG, NULL, "prune: only say how much it is"},
	{.name = NULL},
};

static const char *find_directory(const struct command_run *run)
{
	const char *asked = command_option(run, "state");

	return asked != NULL && *asked != '\0' ? asked : run->config->state;
}

static enum status open_state(struct command_run *run, enum state_access access_mode)
{
	const char *directory = find_directory(run);
	const char *error = NULL;
	struct state *state = NULL;
	enum status status = state_open(run->context, directory, access_mode, &state, &error);

	run->state = state;
	if (status == STATUS_OK)
		return status;
	return command_failed(run, status, "state %s: %s", directory,
		error != NULL ? error : status_text(status));
}

static enum status fail_state(struct command_run *run, enum status status)
{
	return command_failed(
		run, status, "state %s: %s", find_directory(run), status_text(status));
}

/* False, and said so, when the option's value is none of both. */
static bool read_format(struct command_run *run, bool *is_json_out)
{
	const char *format = command_option(run, "format");

	*is_json_out = format != NULL && strcmp(format, "json") == 0;
	if (format == NULL || *is_json_out || strcmp(format, "text") == 0)
		return true;
	command_misused(run, "--format=%s: want text or json",
		text_clean_string(run->context, format, SHOWN_MAX));
	return false;
}

static enum status run_stat(struct command_run *run)
{
	struct db_figures figures = {.directory = find_directory(run)};
	bool is_json;
	enum status status;

	if (!read_format(run, &is_json))
		return STATUS_USAGE;
	status = open_state(run, STATE_READ);
	if (status != STATUS_OK)
		return status;
	figures.databases =
		mem_new_array(run->context, struct state_database, state_database_count());
	status = state_measure(run->state, &figures.size);
	if (status == STATUS_OK)
		status = state_measure_databases(run->state, figures.databases);
	if (status != STATUS_OK)
		return fail_state(run, status);
	return db_print_figures(&figures, is_json, stdout);
}

/* Goes on behind a database that cannot be read: how much is damaged is what is asked. */
static enum status run_check(struct command_run *run)
{
	size_t count = state_database_count();
	struct db_verdict verdict = {.directory = find_directory(run)};
	bool is_json;
	enum status status;

	if (!read_format(run, &is_json))
		return STATUS_USAGE;
	status = open_state(run, STATE_READ);
	if (status != STATUS_OK)
		return status;
	verdict.databases = mem_new_array(run->context, struct state_database, count);
	verdict.results = mem_new_array(run->context, enum status, count);
	for (size_t i = 0; i < count; i++) {
		verdict.results[i] = state_verify_database(run->state, i, &verdict.databases[i]);
		verdict.faults += verdict.databases[i].faults;
		verdict.unreadable += verdict.results[i] != STATUS_OK;
	}
	status = db_print_verdict(&verdict, is_json, stdout);
	if (status == STATUS_OK && (verdict.faults > 0 || verdict.unreadable > 0))
		status = STATUS_DATA;
	return status;
}

static enum status run_dump(struct command_run *run)
{
	struct dump_result result;
	enum status status = open_state(run, STATE_READ);

	if (status != STATUS_OK)
		return status;
	status = state_dump(run->state, stdout, &result);
	if (status == STATUS_IO && ferror(stdout)) /* main.c says why */
		return status;
	if (status != STATUS_OK)
		return fail_state(run, status);
	if (result.left_out == 0 && result.unreadable == 0)
		return STATUS_OK;
	return command_failed(run, STATUS_DATA,
		"%" PRIu64 " records were written; %" PRIu64
		" could not be understood and %u databases not be read to their end: the dump can "
		"be loaded, and has all else",
		result.records, result.left_out, result.unreadable);
}

static enum status audit(struct command_run *run, const struct audit_entry *entry)
{
	enum status status = audit_record(run->state, entry);

	if (status == STATUS_OK)
		return status;
	return command_failed(run, status,
		"it was done, but could not be written down for audit: %s", status_text(status));
}

/* A report that was held behind the dump may be a genuine one that its owners were to be told of.
 */
static enum status say_unrecorded(struct command_run *run)
{
	const char *directory = find_directory(run);
	uint64_t count;
	enum status status = held_count_files(run, &count);

	if (status != STATUS_OK)
		return command_failed(run, status,
			"it was done, but the files in %s/held cannot be compared with it: %s",
			directory, status_text(status));
	if (count > 0)
		printf("%" PRIu64 " held file%s in %s/held %s no record in it, as what came after "
		       "the dump; once a day old, backstop held purge --expired moves %s to "
		       "%s/unclaimed, where they can be read and sent on\n",
			count, count == 1 ? "" : "s", directory, count == 1 ? "has" : "have",
			count == 1 ? "it" : "them", directory);
	return STATUS_OK;
}

static enum status audit_load(
	struct command_run *run, const char *file, const struct load_result *result)
{
	const struct audit_entry entry = {
		.time_s = run->now,
		.command = "db load",
		.object = file,
		.before = result->set_aside != NULL ? result->set_aside : "no state",
		.after = mem_printf(run->context, "%" PRIu64 " records", result->records),
	};
	enum status status = open_state(run, STATE_WRITE);

	if (status == STATUS_OK)
		status = audit(run, &entry);
	return status == STATUS_OK ? say_unrecorded(run) : status;
}

static enum status load_from(struct command_run *run, FILE *in, const char *file)
{
	struct load_result result;
	const char *error = NULL;
	enum status status = state_load(run->context, find_directory(run), in,
		command_option(run, "replace") != NULL, &result, &error);

	if (status != STATUS_OK)
		return command_failed(run, status, "%s: %s; nothing was changed", file,
			error != NULL ? error : status_text(status));
	printf("%s: %" PRIu64 " records loaded\n", file, result.records);
	if (result.set_aside != NULL)
		printf("what was there is now %s; remove it when it is not needed\n",
			result.set_aside);
	return audit_load(run, file, &result);
}

static enum status run_load(struct command_run *run)
{
	const char *path = run->argument_count > 1 ? run->arguments[1] : "-";
	bool is_stdin = strcmp(path, "-") == 0;
	const char *shown =
		is_stdin ? "standard input" : text_clean_string(run->context, path, SHOWN_MAX);
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	enum status status;

	if (in == NULL)
		return command_failed(
			run, status_from_errno(errno), "%s: %s", shown, strerror(errno));
	status = load_from(run, in, shown);
	if (!is_stdin)
		fclose(in);
	return status;
}

static enum status list_kinds(struct command_run *run)
{
	char *names = mem_strdup(run->context, "");

	for (const struct prune_kind *kind = prune_kinds; kind->name != NULL; kind++)
		names = mem_append(names, "%s%s", kind == prune_kinds ? "" : ", ", kind->name);
	return command_misused(run, "prune what? One of: %s", names);
}

static enum status prune(struct command_run *run, const char *name, int64_t before_s)
{
	bool is_dry = command_option(run, "dry-run") != NULL;
	struct prune_result result;
	char before[CLOCK_TEXT_MAX];
	enum status status = open_state(run, is_dry ? STATE_READ : STATE_WRITE);
	struct audit_entry entry = {.time_s = run->now, .command = "db prune", .object = name};

	if (status != STATUS_OK)
		return status;
	status = state_prune(run->state, name, before_s, is_dry, &result);
	if (status == STATUS_NOT_FOUND)
		return list_kinds(run);
	if (status != STATUS_OK)
		return command_failed(run, status,
			"%s: %s; %" PRIu64 " records were removed before that", name,
			status_text(status), result.removed);
	clock_format_iso(before_s, before);
	printf("%s: %" PRIu64 " records of before %s %s\n", name, result.removed, before,
		is_dry ? "would be removed" : "removed");
	if (is_dry)
		return STATUS_OK;
	entry.before = mem_printf(run->context, "all records of before %s", before);
	entry.after = mem_printf(run->context, "%" PRIu64 " records removed", result.removed);
	return audit(run, &entry);
}

static enum status run_prune(struct command_run *run)
{
	const char *before = command_option(run, "before");
	int64_t before_s;

	if (run->argument_count < 2)
		return list_kinds(run);
	if (before == NULL)
		return command_misused(
			run, "prune wants --before=TIME: a time, or an age such as 90d");
	if (!clock_parse_time(before, run->now, &before_s) || before_s > run->now)
		return command_misused(run,
			"--before=%s: want a time that is over, such as 2026-11-23, or an age such "
			"as "
			"90d",
			text_clean_string(run->context, before, SHOWN_MAX));
	return prune(run, run->arguments[1], before_s);
}

static enum status run_copy(struct command_run *run)
{
	const char *target = run->argument_count > 1 ? run->arguments[1] : NULL;
	const char *error = NULL;
	enum status status;

	if (target == NULL)
		return command_misused(run, "copy wants the folder to copy into");
	status = open_state(run, STATE_READ);
	if (status != STATUS_OK)
		return status;
	status = state_copy(run->context, run->state, target, &error);
	if (status != STATUS_OK)
		return command_failed(
			run, status, "%s", error != NULL ? error : status_text(status));
	printf("copied to %s/data.mdb; held mail lies beside the state in %s/held\n",
		text_clean_string(run->context, target, SHOWN_MAX), find_directory(run));
	return STATUS_OK;
}

static const struct {
	const char *name;
	command_function *function;
	size_t arguments_max; /* behind the word */
	const char *options;  /* that it takes, beside --state: each with a space behind it */
} words[] = {
	{"stat", run_stat, 0, "format "},
	{"check", run_check, 0, "format "},
	{"dump", run_dump, 0, ""},
	{"load", run_load, 1, "replace "},
	{"prune", run_prune, 1, "before dry-run "},
	{"copy", run_copy, 1, ""},
};

/* An option that is left unused would have somebody believe in it. */
static const char *find_foreign_option(const struct command_run *run, const char *options)
{
	for (const struct option_row *row = db_options + 1; row->name != NULL; row++) {
		const char *found = strstr(options, row->name);

		if (command_option(run, row->name) != NULL && found == NULL)
			return row->name;
	}
	return NULL;
}

enum status db_run(struct command_run *run)
{
	enum status status;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const char *foreign;

		if (run->argument_count == 0 || strcmp(words[i].name, run->arguments[0]) != 0)
			continue;
		if (run->argument_count - 1 > words[i].arguments_max)
			return command_misused(run, "%s: unexpected: %s", words[i].name,
				text_clean_string(run->context,
					run->arguments[1 + words[i].arguments_max], SHOWN_MAX));
		foreign = find_foreign_option(run, words[i].options);
		if (foreign != NULL)
			return command_misused(
				run, "%s has no option --%s", words[i].name, foreign);
		status = words[i].function(run);
		state_close(run->state);
		run->state = NULL;
		return status;
	}
	return command_misused(run, "want one of: stat, check, dump, load, prune, copy");
}
