/*
 * lists.c: backstop lists: the lists that are configured and those that mail came for.
 *
 * In charge of the command line and of how it looks. It opens the state itself, since there may be
 * none yet.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/lists_survey.h"

#define SPAN_S (7 * 24 * 60 * 60) /* of the events that are looked at */

enum { WORD_SHOWN_MAX = 60, ADDRESS_SHOWN_MAX = 320, PROBLEM_SHOWN_MAX = 1000 };

const struct option_row lists_options[] = {
	{"since", OPTION_VALUE, "TIME",
		"look at the reports from then on: a time, or an age such as 24h; else 7 days"},
	{"format", OPTION_VALUE, "text|json|csv", "for people, one JSON object a line, or a table"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* A row as clean text. */
struct shown {
	const void *context;
	const struct list_row *row;
	const char *address;
	const char *first, *last; /* NULL: never, or not known */
	const char *storm;	  /* since when there is one, or NULL */
	const char *owed;	  /* since when reports wait for the owners, or NULL */
	const char **problems;	  /* as many as the row has */
};

typedef enum status row_printer(const struct shown *shown);

static const char *format_time(const void *context, int64_t time_s)
{
	char text[CLOCK_TEXT_MAX];

	if (time_s == 0)
		return NULL;
	clock_format_iso(time_s, text);
	return mem_strdup(context, text);
}

static void show(const void *context, const struct list_row *row, struct shown *shown_out)
{
	*shown_out = (struct shown){.context = context, .row = row};
	shown_out->address = text_clean_string(context, row->address, ADDRESS_SHOWN_MAX);
	shown_out->first = format_time(context, row->counter.first_s);
	shown_out->last = format_time(context, row->counter.last_s);
	shown_out->storm = format_time(context, row->storm_since_s);
	shown_out->owed = format_time(context, row->owed_since_s);
	shown_out->problems = mem_new_array(context, const char *, row->problem_count);
	for (size_t i = 0; i < row->problem_count; i++)
		shown_out->problems[i] = mem_printf(context, "%s: %s",
			row->problems[i].is_fault ? "fault" : "warning",
			text_clean_string(context, row->problems[i].text, PROBLEM_SHOWN_MAX));
}

static const char *or_dash(const char *text)
{
	return text == NULL ? "-" : text;
}

static enum status print_text(const struct shown *shown)
{
	const struct counter *counter = &shown->row->counter;

	printf("%-36s  %-10s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %11" PRIu64
	       " %8.0f  %-20s  %s\n",
		shown->address, list_status_name(shown->row->status), counter->total,
		counter->verdicts[VERDICT_GENUINE], counter->verdicts[VERDICT_UNPROVEN],
		counter->verdicts[VERDICT_BACKSCATTER], shown->row->per_hour, or_dash(shown->first),
		or_dash(shown->last));
	if (shown->storm != NULL)
		printf("  in a storm since %s\n", shown->storm);
	if (shown->owed != NULL)
		printf("  waiting for a digest to its owners: %" PRIu64 ", the first since %s\n",
			shown->row->owed, shown->owed);
	for (size_t i = 0; i < shown->row->problem_count; i++)
		printf("  %s\n", shown->problems[i]);
	return STATUS_OK;
}

static enum status print_json(const struct shown *shown)
{
	const struct counter *counter = &shown->row->counter;
	enum status status = STATUS_IO;
	json_t *problems = json_array();
	json_t *object;

	for (size_t i = 0; i < shown->row->problem_count; i++)
		json_array_append_new(problems, json_string(shown->problems[i]));
	object = json_pack("{ss ss sI ss? ss? sI sI sI sI sI ss? sI ss? so}", "address",
		shown->address, "status", list_status_name(shown->row->status), "line",
		(json_int_t)(shown->row->list == NULL ? 0 : shown->row->list->line), "first_seen",
		shown->first, "last_seen", shown->last, "messages", (json_int_t)counter->total,
		"genuine", (json_int_t)counter->verdicts[VERDICT_GENUINE], "unproven",
		(json_int_t)counter->verdicts[VERDICT_UNPROVEN], "backscatter",
		(json_int_t)counter->verdicts[VERDICT_BACKSCATTER], "per_hour",
		(json_int_t)(shown->row->per_hour + 0.5), "storm_since", shown->storm, "owed",
		(json_int_t)shown->row->owed, "owed_since", shown->owed, "problems", problems);
	if (object != NULL && json_dumpf(object, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF)
		status = STATUS_OK;
	json_decref(object);
	return status;
}

static enum status print_csv(const struct shown *shown)
{
	const struct counter *counter = &shown->row->counter;
	const void *context = shown->context;
	char *line = csv_append(NULL, context, shown->address);
	char *problems = mem_strdup(context, "");

	for (size_t i = 0; i < shown->row->problem_count; i++)
		problems = mem_append(problems, "%s%s", i == 0 ? "" : "; ", shown->problems[i]);
	line = csv_append(line, context, list_status_name(shown->row->status));
	line = csv_append(line, context, shown->first);
	line = csv_append(line, context, shown->last);
	line = mem_append(line, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, counter->total,
		counter->verdicts[VERDICT_GENUINE], counter->verdicts[VERDICT_UNPROVEN],
		counter->verdicts[VERDICT_BACKSCATTER]);
	line = mem_append(line, ",%.0f", shown->row->per_hour);
	line = csv_append(line, context, shown->storm);
	line = mem_append(line, ",%" PRIu64, shown->row->owed);
	line = csv_append(line, context, shown->owed);
	line = csv_append(line, context, problems);
	puts(line);
	return STATUS_OK;
}

static const struct format {
	const char *name;
	const char *head; /* or NULL */
	row_printer *print;
} formats[] = {
	{"text",
		"LIST                                  STATUS      MESSAGES   GENUINE  UNPROVEN "
		"BACKSCATTER PER HOUR  FIRST SEEN            LAST SEEN",
		print_text},
	{"json", NULL, print_json},
	{"csv",
		"address,status,first_seen,last_seen,messages,genuine,unproven,backscatter,"
		"per_hour,storm_since,owed,owed_since,problems",
		print_csv},
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (name == NULL || strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

/* Prints all rows; what comes back is STATUS_DIFFERENT when there is a fault. */
static enum status print_rows(const struct lists_survey *survey, const struct format *format)
{
	enum status status = STATUS_OK;
	uint64_t more = tally_uncounted(survey->names);
	bool has_fault = false;

	if (format->head != NULL)
		puts(format->head);
	for (size_t i = 0; i < survey->count && status == STATUS_OK; i++) {
		const struct list_row *row = &survey->rows[i];
		void *context = mem_context(NULL, "list");
		struct shown shown;

		for (size_t k = 0; k < row->problem_count; k++)
			has_fault |= row->problems[k].is_fault;
		show(context, row, &shown);
		status = format->print(&shown);
		mem_free(context);
	}
	if (more > 0 && format->print == print_text)
		printf("and %" PRIu64 " messages to further addresses that no list claims\n", more);
	return status == STATUS_OK && has_fault ? STATUS_DIFFERENT : status;
}

static enum status survey_lists(
	struct command_run *run, const struct format *format, int64_t from_s)
{
	struct lists_survey survey = {
		.context = run->context, .config = run->config, .now = run->now};
	struct state *state = NULL;
	const char *error = NULL;
	enum status status =
		state_open(run->context, run->config->state, STATE_READ, &state, &error);

	/* None yet: then nothing was seen. */
	if (status != STATUS_OK && status != STATUS_NO_INPUT)
		return command_failed(run, status, "state %s: %s", run->config->state,
			error == NULL ? status_text(status) : error);
	status = lists_survey_run(&survey, state, from_s);
	state_close(state);
	if (status != STATUS_OK)
		return command_failed(
			run, status, "the state cannot be read: %s", status_text(status));
	return print_rows(&survey, format);
}

enum status lists_run(struct command_run *run)
{
	const char *name = command_option(run, "format");
	const char *since = command_option(run, "since");
	const struct format *format = find_format(name);
	int64_t from_s = run->now - SPAN_S;

	if (run->argument_count > 0)
		return command_misused(run, "takes no arguments");
	if (format == NULL)
		return command_misused(run, "--format=%s: want text, json or csv",
			text_clean_string(run->context, name, WORD_SHOWN_MAX));
	if (since != NULL && !clock_parse_time(since, run->now, &from_s))
		return command_misused(run,
			"--since=%s: not a time; want 2026-11-23, 2026-11-23T19:19:22Z or an age "
			"such as 7d",
			text_clean_string(run->context, since, WORD_SHOWN_MAX));
	return survey_lists(run, format, from_s);
}
