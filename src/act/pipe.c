/*
 * pipe.c: a message into a shell command of the configuration.
 *
 * In charge of what the command is told. Values are foreign text: they go into the environment,
 * never into the command line, so that no shell reads them. They are cleaned and capped here,
 * because a report with thousands of recipients would make execve fail each time it is tried again.
 */
#include "act/act.h"

#include <string.h>

#include "act/child.h"
#include "base/memory.h"
#include "base/text.h"

/* Commas are taken out: one address a word. */
static char *separate_by_spaces(const void *context, const char *addresses)
{
	char *words = text_clean_string(context, addresses, (size_t)PIPE_VALUE_MAX * 2);
	size_t length = 0;

	for (const char *c = words; *c != '\0'; c++) {
		if (c[0] == ',' && c[1] == ' ')
			continue;
		words[length++] = *c;
	}
	words[length] = '\0';
	if (length <= PIPE_VALUE_MAX)
		return words;
	while (length > 0 && (length > PIPE_VALUE_MAX || words[length] != ' '))
		length--;
	words[length] = '\0';
	return words;
}

static const char *make_variable(const void *context, const char *name, const char *value)
{
	char *clean = text_clean_string(context, value != NULL ? value : "", PIPE_VALUE_MAX);

	return mem_printf(context, "%s=%s", name, clean);
}

const char *const *pipe_environment(const void *context, const struct pipe_facts *facts)
{
	const char *failed = facts->failed != NULL ? facts->failed : "";
	const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{"BACKSTOP_KIND", kind_name(facts->kind)},
		{"BACKSTOP_VERDICT", verdict_name(facts->verdict)},
		{"BACKSTOP_SCORE", mem_printf(context, "%d", facts->score)},
		{"BACKSTOP_LIST", facts->list},
		{"BACKSTOP_RECIPIENTS", separate_by_spaces(context, failed)},
		{"SENDER", facts->sender},
		{"RECIPIENT", facts->recipient},
	};
	const size_t count = sizeof rows / sizeof rows[0];
	const char **env = mem_new_array(context, const char *, count + 1);

	for (size_t i = 0; i < count; i++)
		env[i] = make_variable(context, rows[i].name, rows[i].value);
	return env;
}

enum status pipe_run(const void *context, const char *command, const char *const *env,
	struct bytes original, const char **error_out)
{
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	const struct process_request request = {
		.argv = argv, .env = env, .input = &original, .input_count = 1};

	return child_run(context, "the pipe command", &request, error_out);
}
