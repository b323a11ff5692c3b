/* report.c: in charge of the command line of backstop report: which report, of which time, in which
 * form. What is counted and how it looks is report/'s. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "report/pages.h"
#include "report/storms.h"
#include "report/summary.h"

#define SPAN_S (7 * 24 * 60 * 60) /* what is reported on where no --since is given */
#define WORD_SHOWN_MAX 60

enum {
	LIMIT_FOR_PEOPLE = 50,
	LIMIT_FOR_PROGRAMS = 10000,
	LIMIT_MAX = TALLY_NAMES_MAX,
	LIMIT_DIGITS_MAX = 6
};

const struct option_row report_options[] = {
	{"since", OPTION_VALUE, "TIME", "from then on: a time, or an age such as 24h; else 7 days"},
	{"until", OPTION_VALUE, "TIME", "up to then, exclusive; else until now"},
	{"format", OPTION_VALUE, "text|json|csv|html|prometheus",
		"text by default; prometheus: of summary only"},
	{"limit", OPTION_VALUE, "NUMBER", "at most so many rows; else 50, in json and csv 10000"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

enum report_format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_CSV,
	FORMAT_HTML,
	FORMAT_PROMETHEUS,
	FORMAT_COUNT
};

static const char *const format_names[FORMAT_COUNT] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_JSON] = "json",
	[FORMAT_CSV] = "csv",
	[FORMAT_HTML] = "html",
	[FORMAT_PROMETHEUS] = "prometheus",
};

/* What the command line asks for. */
struct report_request {
	struct span_wish wish;
	enum report_format format;
	size_t limit;
};

struct report_row;
typedef enum status report_function(struct command_run *run, const struct report_row *report,
	const struct report_request *request);

struct report_row {
	const char *name;
	report_function *function;
	page_builder *builder;
};

static enum status unreadable(struct command_run *run, enum status status)
{
	return command_failed(run, status, "the events cannot be read: %s", status_text(status));
}

static enum status report_page(struct command_run *run, const struct report_row *report,
	const struct report_request *request)
{
	struct page page = {.name = report->name};
	enum status status = span_find(run->state, &request->wish, &page.span);

	if (status == STATUS_OK)
		status = report->builder(run->context, run->state, request->limit, &page);
	if (status != STATUS_OK)
		return unreadable(run, status);
	switch (request->format) {
	case FORMAT_JSON:
		return page_print_json(&page, stdout);
	case FORMAT_CSV:
		page_print_csv(&page, stdout);
		break;
	case FORMAT_HTML:
		page_print_html(&page, stdout);
		break;
	case FORMAT_PROMETHEUS:
		return command_misused(run, "--format=prometheus is of summary");
	case FORMAT_TEXT:
	case FORMAT_COUNT:
		page_print_text(&page, stdout);
		break;
	}
	return STATUS_OK;
}

/* Text and JSON have a form of their own; numbers for a monitoring system are not of a span. */
static enum status report_summary(struct command_run *run, const struct report_row *report,
	const struct report_request *request)
{
	struct summary *summary;
	struct span span;
	enum status status;

	if (request->format == FORMAT_CSV || request->format == FORMAT_HTML)
		return report_page(run, report, request);
	if (request->format == FORMAT_PROMETHEUS) {
		if (command_option(run, "since") != NULL || command_option(run, "until") != NULL)
			return command_misused(run,
				"--format=prometheus counts from the beginning, "
				"without --since and --until");
		status = prometheus_print(run->context, run->state, stdout);
		return status == STATUS_OK ? STATUS_OK : unreadable(run, status);
	}
	summary = summary_new(run->context, request->wish.from_s, request->wish.until_s);
	status = span_find(run->state, &request->wish, &span);
	if (status == STATUS_OK)
		status = summary_collect(summary, run->state, &span);
	if (status != STATUS_OK)
		return unreadable(run, status);
	if (request->format == FORMAT_JSON)
		return summary_print_json(summary, stdout);
	summary_print_text(summary, stdout);
	return STATUS_OK;
}

static enum status report_storms(struct command_run *run, const struct report_row *report,
	const struct report_request *request)
{
	struct storms storms = {.from_s = request->wish.from_s, .until_s = request->wish.until_s};
	enum status status;

	if (request->format == FORMAT_HTML || request->format == FORMAT_PROMETHEUS)
		return command_misused(run, "%s: want text, json or csv", report->name);
	status = storms_collect(run->context, run->state, run->now, &storms);
	if (status != STATUS_OK)
		return command_failed(
			run, status, "the storms cannot be read: %s", status_text(status));
	if (request->format == FORMAT_JSON)
		return storms_print_json(&storms, stdout);
	if (request->format == FORMAT_CSV)
		storms_print_csv(&storms, stdout);
	else
		storms_print_text(&storms, stdout);
	return STATUS_OK;
}

static const struct report_row reports[] = {
	{"summary", report_summary, page_summary},
	{"lists", report_page, page_lists},
	{"recipients", report_page, page_recipients},
	{"reporters", report_page, page_reporters},
	{"reasons", report_page, page_reasons},
	{"storms", report_storms, NULL},
	{"dropped", report_page, page_dropped},
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

static bool read_format(struct command_run *run, enum report_format *format_out)
{
	const char *name = command_option(run, "format");

	*format_out = FORMAT_TEXT;
	for (size_t i = 0; name != NULL && i < FORMAT_COUNT; i++) {
		if (strcmp(format_names[i], name) != 0)
			continue;
		*format_out = (enum report_format)i;
		return true;
	}
	if (name == NULL)
		return true;
	command_misused(run, "--format=%s: want text, json, csv, html or prometheus",
		clean_word(run, name));
	return false;
}

static bool read_limit(struct command_run *run, struct report_request *request)
{
	const char *text = command_option(run, "limit");
	bool is_for_people = request->format == FORMAT_TEXT || request->format == FORMAT_HTML;

	request->limit = is_for_people ? LIMIT_FOR_PEOPLE : LIMIT_FOR_PROGRAMS;
	if (text == NULL)
		return true;
	request->limit = strtoul(text, NULL, 10);
	if (strlen(text) == strspn(text, "0123456789") && strlen(text) <= LIMIT_DIGITS_MAX &&
		request->limit > 0 && request->limit <= LIMIT_MAX)
		return true;
	command_misused(
		run, "--limit=%s: want a number from 1 to %d", clean_word(run, text), LIMIT_MAX);
	return false;
}

static enum status read_request(struct command_run *run, struct report_request *request_out)
{
	request_out->wish.now = run->now;
	/* What was decided within this very second belongs to it. */
	if (!read_time(run, "until", run->now + 1, &request_out->wish.until_s) ||
		!read_time(run, "since", request_out->wish.until_s - SPAN_S,
			&request_out->wish.from_s))
		return STATUS_USAGE;
	if (request_out->wish.from_s >= request_out->wish.until_s)
		return command_misused(run, "--since has to be before --until, and before now");
	if (!read_format(run, &request_out->format) || !read_limit(run, request_out))
		return STATUS_USAGE;
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
	return status == STATUS_OK ? report->function(run, report, &request) : status;
}
