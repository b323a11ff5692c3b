/*
 * digest.c: backstop digest: sends the owners of lists what is due to them, from cron or a timer.
 *
 * In charge of options and of what is printed; leaves to pipeline_digest.c what is due and how it
 * is sent. What was sent is printed, and what could not be goes to standard error, so that cron
 * mails no more than that when standard output is thrown away.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/address.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "pipeline_digest.h"

enum { WORD_TEXT_MAX = 300 };

const struct option_row digest_options[] = {
	{"list", OPTION_VALUE, "ADDRESS", "only what this list's owners are owed"},
	{"all", OPTION_FLAG, NULL, "also what is not due yet"},
	{"dry-run", OPTION_FLAG, NULL, "print what waits and when it is due; send nothing"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

struct telling {
	struct command_run *run;
	bool is_dry;
	size_t count;
};

static void print_digest(void *argument, const char *list, enum status status, const char *what)
{
	struct telling *telling = argument;
	char *name = text_clean_string(telling->run->context, list, WORD_TEXT_MAX);

	telling->count++;
	if (status != STATUS_OK) {
		command_failed(telling->run, status, "%s: %s", name, what);
	} else {
		printf("%s%s: %s\n", telling->is_dry ? "" : "sent ", name, what);
		if (!telling->is_dry)
			log_info("digest list=%s sent: %s", name, what);
	}
	mem_free(name);
}

enum status digest_run(struct command_run *run)
{
	struct telling telling = {.run = run, .is_dry = command_option(run, "dry-run") != NULL};
	struct digest_run digest = {
		.pipeline = run->pipeline,
		.takes_all = command_option(run, "all") != NULL,
		.is_dry = telling.is_dry,
		.tell = print_digest,
		.argument = &telling,
	};
	const char *list = command_option(run, "list");
	enum status status;

	if (run->argument_count > 0)
		return command_misused(run, "takes no arguments");
	if (list != NULL && (digest.list = address_normalise(run->context, list)) == NULL)
		return command_misused(run, "--list=%s: not an address",
			text_clean_string(run->context, list, WORD_TEXT_MAX));
	status = pipeline_send_digests(&digest);
	if (status != STATUS_OK && telling.count == 0)
		return command_failed(
			run, status, "the state cannot be read: %s", status_text(status));
	if (telling.is_dry && telling.count == 0)
		puts("nothing waits for the owners");
	return status;
}
