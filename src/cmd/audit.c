/*
 * audit.c: backstop audit: who did what, when.
 *
 * In charge of choosing entries and of how they look. A name can be foreign text (the environment
 * of whoever called, a list's name in a file), so all of it is cleaned. Of a text of several lines,
 * a section of the configuration say, only the lines are shown that differ.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "state/audit.h"

enum { WORD_SHOWN_MAX = 60, LINE_SHOWN_MAX = 1000 };

const struct option_row audit_options[] = {
	{"since", OPTION_VALUE, "TIME", "from then on: a time, or an age such as 7d; else all"},
	{"until", OPTION_VALUE, "TIME", "up to then, exclusive; else until now"},
	{"format", OPTION_VALUE, "text|json|csv", "for people, one JSON object a line, or a table"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

typedef enum status entry_printer(const void *context, const struct audit_entry *entry);

static const char *clean(const void *context, const char *text)
{
	return text_clean_string(context, text, LINE_SHOWN_MAX);
}

/* Each line of it clean; NULL stays NULL. */
static char *clean_lines(const void *context, const char *text)
{
	char *result = text == NULL ? NULL : mem_strdup(context, "");

	while (text != NULL && *text != '\0') {
		size_t size = strcspn(text, "\n");
		result = mem_append(result, "%s%s",
			text_clean(context, (struct bytes){(const unsigned char *)text, size},
				LINE_SHOWN_MAX),
			text[size] == '\0' || text[size + 1] == '\0' ? "" : "\n");
		text += size + (text[size] != '\0');
	}
	return result;
}

/* ---- text ---- */

static bool has_line(const char *text, const char *line, size_t size)
{
	while (text != NULL && *text != '\0') {
		size_t length = strcspn(text, "\n");

		if (length == size && memcmp(text, line, size) == 0)
			return true;
		text += length + (text[length] != '\0');
	}
	return false;
}

/* The lines that the other text does not have. */
static void print_lines(const char *text, const char *other, char mark)
{
	while (text != NULL && *text != '\0') {
		size_t size = strcspn(text, "\n");

		if (!has_line(other, text, size))
			printf("  %c %.*s\n", mark, (int)size, text);
		text += size + (text[size] != '\0');
	}
}

static enum status print_text(const void *context, const struct audit_entry *entry)
{
	const char *before = clean_lines(context, entry->before);
	const char *after = clean_lines(context, entry->after);
	const char *object = clean(context, entry->object);
	const char *note = clean(context, entry->note);
	char time[CLOCK_TEXT_MAX];

	clock_format_iso(entry->time_s, time);
	printf("%s  %s (%s", time, clean(context, entry->who.login),
		clean(context, entry->who.source));
	if (strcmp(entry->who.source, "user") != 0)
		printf(", uid %u", (unsigned)entry->who.user);
	if (entry->who.effective_user != entry->who.user)
		printf(", effective uid %u", (unsigned)entry->who.effective_user);
	printf(")  %s", clean(context, entry->command));
	printf(object == NULL ? "\n" : "  %s\n", object);
	if (note != NULL)
		printf("  (%s)\n", note);
	print_lines(before, after, '-');
	print_lines(after, before, '+');
	return STATUS_OK;
}

/* ---- json and csv ---- */

static enum status print_json(const void *context, const struct audit_entry *entry)
{
	enum status status = STATUS_IO;
	char time[CLOCK_TEXT_MAX];
	json_t *object;

	clock_format_iso(entry->time_s, time);
	object = json_pack("{ss ss? ss? sI sI ss? ss? ss? ss? ss?}", "time", time, "login",
		clean(context, entry->who.login), "login_from", clean(context, entry->who.source),
		"uid", (json_int_t)entry->who.user, "euid", (json_int_t)entry->who.effective_user,
		"command", clean(context, entry->command), "object", clean(context, entry->object),
		"before", clean_lines(context, entry->before), "after",
		clean_lines(context, entry->after), "note", clean(context, entry->note));
	if (object != NULL && json_dumpf(object, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF)
		status = STATUS_OK;
	json_decref(object);
	return status;
}

static enum status print_csv(const void *context, const struct audit_entry *entry)
{
	char time[CLOCK_TEXT_MAX];
	char *line = NULL;

	clock_format_iso(entry->time_s, time);
	line = csv_append(line, context, time);
	line = csv_append(line, context, entry->who.login);
	line = csv_append(line, context, entry->who.source);
	line = mem_append(
		line, ",%u,%u", (unsigned)entry->who.user, (unsigned)entry->who.effective_user);
	line = csv_append(line, context, entry->command);
	line = csv_append(line, context, entry->object);
	line = csv_append(line, context, entry->before);
	line = csv_append(line, context, entry->after);
	line = csv_append(line, context, entry->note);
	puts(line);
	return STATUS_OK;
}

static const struct format {
	const char *name;
	const char *head; /* or NULL */
	entry_printer *print;
} formats[] = {
	{"text", NULL, print_text},
	{"json", NULL, print_json},
	{"csv", "time,login,login_from,uid,euid,command,object,before,after,note", print_csv},
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (name == NULL || strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

/* ---- the command ---- */

struct listing {
	const struct format *format;
	size_t count;
};

static enum status list_entry(void *argument, const struct audit_entry *entry)
{
	struct listing *listing = argument;
	void *context = mem_context(NULL, "audit");
	enum status status = listing->format->print(context, entry);

	listing->count++;
	mem_free(context);
	return status;
}

/* False, and said so, when an option's value is no time. */
static bool read_time(struct command_run *run, const char *option, int64_t *time_out)
{
	const char *text = command_option(run, option);

	if (text == NULL || clock_parse_time(text, run->now, time_out))
		return true;
	command_misused(run,
		"--%s=%s: not a time; want 2026-11-23, 2026-11-23T19:19:22Z or an age such as 7d",
		option, text_clean_string(run->context, text, WORD_SHOWN_MAX));
	return false;
}

enum status audit_run(struct command_run *run)
{
	const char *format = command_option(run, "format");
	struct listing listing = {find_format(format), 0};
	int64_t from_s = INT64_MIN, until_s = INT64_MAX;
	enum status status;

	if (run->argument_count > 0)
		return command_misused(run, "takes no arguments");
	if (listing.format == NULL)
		return command_misused(run, "--format=%s: want text, json or csv",
			text_clean_string(run->context, format, WORD_SHOWN_MAX));
	if (!read_time(run, "since", &from_s) || !read_time(run, "until", &until_s))
		return STATUS_USAGE;
	if (listing.format->head != NULL)
		puts(listing.format->head);
	status = audit_walk(run->state, from_s, until_s, list_entry, &listing);
	if (status != STATUS_OK)
		return command_failed(
			run, status, "the account cannot be read: %s", status_text(status));
	if (listing.count == 0 && listing.format->print == print_text)
		puts("nothing was done");
	return STATUS_OK;
}
