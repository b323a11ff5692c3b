/* report.c: in charge of the command line of backstop report: which report, of which time, in which
 * form. What is counted and how it looks is report/'s. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "report/summary.h"

#define SPAN_S (7 * 24 * 60 * 60) /* what is reported on where no --since is given */
#define WORD_SHOWN_MAX 60

const struct option_row report_options[] = {
	{"since", OPTION_VALUE, "TIME", "from then on: a time, or an age such as 24h; else 7 days"},
	{"until", OPTION_VALUE, "TIME", "up to then, exclusive; else until now"},
	{"format", OPTION_VALUE, "text|json", "tables for people, or one JSON object"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* What the command line asks for. */
struct report_request {
	int64_t from_s;
	int64_t until_s;
	bool is_json;
};

typedef enum status report_function(struct command_run *run, const struct report_request *request);

static enum status report_summary(struct command_run *run, const struct report_request *request)
{
	struct summary *summary = summary_new(run->context, request->from_s, request->until_s);
	enum status status = summary_collect(summary, run->state);

	if (status != STATUS_OK)
		return command_failed(
			run, status, "the events cannot be read: %s", status_text(status));
	if (request->is_json)
		return summary_print_json(summary, stdout);
	summary_print_text(summary, stdout);
	return STATUS_OK;
}

static const struct report_row {
	const char *name;
	report_function *function;
} reports[] = {
	{"summary", report_summary},
};

static const size_t report_count = sizeof(reports) / sizeof(reports[0]);

static const struct report_row *find_report(const char *name)
{
	for (size_t i = 0; i < report_count; i++) {
		if (strcmp(reports[i].name, name) == 0)
			return &reports[i];
	}
	return NULL;
}

static const char *list_reports(const struct command_run *run)
{
	char *names = mem_strdup(run->context, "");

	for (size_t i = 0; i < report_count; i++)
		names = mem_append(names, "%s%s", i == 0 ? "" : ", ", reports[i].name);
	return names;
}

static const char *clean_word(const struct command_run *run, const char *word)
{
	return text_clean_string(run->context, word, WORD_SHOWN_MAX);
}

/* False, and said so, when an option's value is no time. */
static bool read_time(
	struct command_run *run, const char *option, int64_t standard, int64_t *time_out)
{
	const char *text = command_option(run, option);

	*time_out = standard;
	if (text == NULL || clock_parse_time(text, run->now, time_out))
		return true;
	command_misused(run,
		"--%s=%s: not a time; want 2026-11-23, 2026-11-23T19:19:22Z or an age such as 7d",
		option, clean_word(run, text));
	return false;
}

static enum status read_request(struct command_run *run, struct report_request *request_out)
{
	const char *format = command_option(run, "format");

	/* What was decided within this very second belongs to it. */
	if (!read_time(run, "until", run->now + 1, &request_out->until_s) ||
		!read_time(run, "since", request_out->until_s - SPAN_S, &request_out->from_s))
		return STATUS_USAGE;
	if (request_out->from_s >= request_out->until_s)
		return command_misused(run, "--since has to be before --until, and before now");
	request_out->is_json = format != NULL && strcmp(format, "json") == 0;
	if (format != NULL && !request_out->is_json && strcmp(format, "text") != 0)
		return command_misused(
			run, "--format=%s: want text or json", clean_word(run, format));
	return STATUS_OK;
}

enum status report_run(struct command_run *run)
{
	struct report_request request;
	const struct report_row *report;
	enum status status;

	if (run->argument_count == 0)
		return command_misused(run, "which report? There is: %s", list_reports(run));
	report = find_report(run->arguments[0]);
	if (report == NULL)
		return command_misused(run, "no report is called \"%s\"; there is: %s",
			clean_word(run, run->arguments[0]), list_reports(run));
	if (run->argument_count > 1)
		return command_misused(run, "one report at a time; unexpected: %s",
			clean_word(run, run->arguments[1]));
	status = read_request(run, &request);
	return status == STATUS_OK ? report->function(run, &request) : status;
}
