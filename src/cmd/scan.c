/*
 * scan.c: in charge of judging messages in files, without doing anything to them and without
 * remembering anything: what a postmaster tries first, on mail of his own.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/command.h"
#include "cmd/expect.h"
#include "cmd/judgement_format.h"
#include "cmd/progress.h"
#include "read/source.h"

const struct option_row scan_options[] = {
	{"format", OPTION_VALUE, "text|json|csv", "how to print a message; text by default"},
	{"expect", OPTION_VALUE, "LABELS.TSV",
		"compare with labels: print what differs, and figures"},
	{"diff", OPTION_FLAG, NULL, "with --expect: only what differs, no figures"},
	{"state", OPTION_MAYBE, "DIRECTORY",
		"ask the state (that of the configuration); never writes"},
	{"dns", OPTION_FLAG, NULL, "let the checks ask DNS"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

#define MESSAGE_POOL_SIZE (64 * 1024) /* what most messages come to */

/* A way to print a message, and what stands on top. */
struct format {
	const char *name;
	const char *head; /* NULL: none */
	char *(*print)(const void *context, const struct judgement *judgement, const char *source,
		size_t index);
};

static const struct format formats[] = {
	{"text", judgement_text_head, judgement_format_text},
	{"json", NULL, judgement_format_json},
	{"csv", judgement_csv_head, judgement_format_csv},
};

struct scan {
	struct command_run *run;
	const struct format *format;
	struct expect *expect;
	struct progress progress;
	size_t kinds[KIND_COUNT];
	size_t count;
	uint64_t offset; /* bytes of the paths before this one */
};

static enum status scan_message(void *argument, const struct source_message *message)
{
	struct scan *scan = argument;
	void *context = mem_pool(NULL, "message", MESSAGE_POOL_SIZE);
	struct judgement judgement;

	pipeline_judge(scan->run->pipeline, context, message->bytes, NULL, &judgement);
	scan->kinds[judgement.bounce->kind]++;
	scan->count++;
	progress_clear(&scan->progress);
	if (scan->expect != NULL)
		expect_compare(scan->expect, message->source, message->index, &judgement, stdout);
	else
		puts(scan->format->print(context, &judgement, message->source, message->index));
	mem_free(context);
	progress_show(&scan->progress, scan->offset + message->file_offset, scan->count);
	return ferror(stdout) ? STATUS_IO : STATUS_OK;
}

static void scan_problem(void *argument, const char *path, const char *why)
{
	struct scan *scan = argument;

	progress_clear(&scan->progress);
	command_failed(scan->run, STATUS_NO_INPUT, "%s: %s", path, why);
}

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (name == NULL || strcmp(name, formats[i].name) == 0)
			return &formats[i];
	}
	return NULL;
}

/* Walks all paths; a bad one does not keep the others from being read. */
static enum status scan_paths(struct scan *scan)
{
	enum status worst = STATUS_OK;
	uint64_t total = 0;

	if (progress_is_wanted()) {
		for (size_t i = 0; i < scan->run->argument_count; i++)
			total += source_measure(scan->run->arguments[i]);
	}
	progress_begin(&scan->progress, total);
	for (size_t i = 0; i < scan->run->argument_count; i++) {
		const char *path = scan->run->arguments[i];
		enum status status = source_walk(path, scan_message, scan_problem, scan);
		if (status != STATUS_OK)
			worst = status;
		scan->offset += progress_is_wanted() ? source_measure(path) : 0;
	}
	progress_clear(&scan->progress);
	return worst;
}

/* People get a count at the end; programs that read the output do not. */
static void print_count(const struct scan *scan)
{
	fprintf(stderr, "%zu message%s", scan->count, scan->count == 1 ? "" : "s");
	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		if (scan->kinds[kind] > 0)
			fprintf(stderr, ", %zu %s", scan->kinds[kind], kind_name(kind));
	}
	fputc('\n', stderr);
}

enum status scan_run(struct command_run *run)
{
	const char *labels = command_option(run, "expect");
	const char *name = command_option(run, "format");
	struct scan scan = {.run = run, .format = find_format(name)};
	const char *error = NULL;
	enum status status = STATUS_OK;

	if (scan.format == NULL)
		return command_misused(run, "--format=%s: want text, json or csv", name);
	if (run->argument_count == 0)
		return command_misused(
			run, "want PATH...: a file, an mbox, a Maildir or a folder; or -");
	if (labels == NULL && command_option(run, "diff") != NULL)
		return command_misused(run, "--diff is of use with --expect=LABELS.TSV only");
	if (labels != NULL)
		status = expect_read(run->context, labels, &scan.expect, &error);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s", error);
	if (scan.expect == NULL && scan.format->head != NULL)
		puts(scan.format->head);
	status = scan_paths(&scan);
	if (scan.expect != NULL) {
		enum status compared =
			expect_print(scan.expect, command_option(run, "diff") != NULL, stdout);
		return status != STATUS_OK ? status : compared;
	}
	if (scan.format == &formats[0] && isatty(STDERR_FILENO))
		print_count(&scan);
	return status;
}
