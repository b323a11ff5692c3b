/*
 * held_place.h: for the tests of backstop held: a real state, a shell script in place of sendmail,
 * and what main.c gives a command in a simpler form; the front door itself is for tests/cli/.
 * Included by one file of a program: it defines what commands call.
 */
#ifndef TESTS_HELD_PLACE_H
#define TESTS_HELD_PLACE_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act.h"
#include "base/memory.h"
#include "cmd/command.h"
#include "state/box.h"
#include "state/record.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define NOW 1795461562
#define OPTIONS_MAX 32
#define ORIGINAL "From: x\nSubject: \033[2Jred\n\nbody\t\xE9\r\nlast"

static void *context;
static char *folder;
static struct state *state;
static const struct config *config;
static char *said; /* what went to standard error */
static char *out;  /* what went to standard output */

/* ---- what main.c does ---- */

const char *command_option(const struct command_run *run, const char *name)
{
	for (size_t i = 0; held_options[i].name != NULL; i++) {
		if (strcmp(held_options[i].name, name) == 0)
			return run->option_values[i];
	}
	ck_abort_msg("option %s has no row", name);
	return NULL;
}

static inline void keep_saying(const char *format, va_list arguments)
{
	char text[1000];

	vsnprintf(text, sizeof text, format, arguments);
	said = mem_append(said, "%s\n", text);
}

enum status command_misused(const struct command_run *run, const char *format, ...)
{
	va_list arguments;

	(void)run;
	va_start(arguments, format);
	keep_saying(format, arguments);
	va_end(arguments);
	return STATUS_USAGE;
}

enum status command_failed(
	const struct command_run *run, enum status status, const char *format, ...)
{
	va_list arguments;

	(void)run;
	va_start(arguments, format);
	keep_saying(format, arguments);
	va_end(arguments);
	return status;
}

/* ---- a place, and a run in it ---- */

static inline char *path_of(const char *name)
{
	return mem_printf(context, "%s/%s", folder, name);
}

static inline char *read_file(const char *path)
{
	char *text = mem_alloc(context, 65536);
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return NULL;
	text[fread(text, 1, 65535, file)] = '\0';
	fclose(file);
	return text;
}

static inline void write_sendmail(int exit_code)
{
	const char *path = path_of("sendmail");
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\nprintf '%%s ' \"$@\" >>'%s'\ncat >'%s'\nexit %d\n",
		path_of("argv"), path_of("message"), exit_code);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
}

static inline const struct config *read_config(void)
{
	const char *path = path_of("backstop.conf");
	const struct config *read = NULL;
	struct config_faults faults = {NULL, 0};
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file,
		"state = \"%s/state\"\nsendmail = \"%s/sendmail\"\n"
		"domain \"lists.example.org\" { }\n"
		"list \"forward@lists.example.org\" { owners = {\"alice@example.org\"} }\n"
		"list \"file@lists.example.org\" { owners = {\"alice@example.org\"}\n"
		"	genuine = \"maildir:%s/box\" }\n"
		"list \"pipe@lists.example.org\" { owners = {\"alice@example.org\"}\n"
		"	genuine = \"pipe:{ echo $BACKSTOP_VERDICT; cat; } >%s/piped\" }\n",
		folder, folder, folder, folder);
	ck_assert_int_eq(fclose(file), 0);
	config_read(context, path, &read, &faults);
	ck_assert_msg(read != NULL, "%s", faults.count > 0 ? faults.items[0].text : "no config");
	return read;
}

static inline void set_up(void)
{
	const char *parent = getenv("TMPDIR");
	const char *error = NULL;
	enum status status;

	context = mem_context(NULL, "test");
	folder = mem_printf(context, "%s/backstop-held.XXXXXX", parent != NULL ? parent : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	/* config_read says when there is no such program. */
	write_sendmail(0);
	config = read_config();
	status = state_open(context, config->state, STATE_WRITE, &state, &error);
	ck_assert_msg(status == STATUS_OK, "state: got %s: %s", status_text(status), error);
}

static inline int remove_entry(
	const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline void tear_down(void)
{
	state_close(state);
	nftw(folder, remove_entry, 10, FTW_DEPTH | FTW_PHYS);
	mem_free(context);
}

/* A held message with this record, and its id as text. */
static inline char *hold_event(struct event event, int64_t expires_s)
{
	struct bytes original = {(const unsigned char *)ORIGINAL, sizeof ORIGINAL - 1};
	char *id = mem_alloc(context, EVENT_ID_TEXT_MAX);
	const char *error = NULL;
	char *file = NULL;

	ck_assert_int_eq(hold_keep(context, config->state, original, &file, &error), STATUS_OK);
	event.stored = hold_stored(config->state, file);
	ck_assert_int_eq(record_event(state, &event, file, expires_s), STATUS_OK);
	event_id_format(event.id, id);
	return id;
}

static inline char *hold(const char *list, enum verdict verdict, int64_t time_s, int64_t expires_s)
{
	const struct event event = {.time_s = time_s,
		.kind = KIND_FAILED,
		.verdict = verdict,
		.action = expires_s == 0 ? ACTION_HOLD : ACTION_DROP,
		.policy = expires_s == 0 ? ACTION_HOLD : ACTION_DROP,
		.score = -42,
		.list = list,
		.sender = "",
		.recipient = "bounces@other.example",
		.failed = "ann@example.net, \033bob@example.net",
		.size = sizeof ORIGINAL - 1};

	return hold_event(event, expires_s);
}

/* The file of that message. */
static inline const char *file_of(const char *id_text)
{
	struct held *held = NULL;
	uint64_t id;

	ck_assert(event_id_parse(id_text, &id));
	ck_assert_int_eq(record_find_held(state, context, id, &held), STATUS_OK);
	return held->file;
}

/* Runs it on words: the arguments and "--option" or "--option=value". Sets out and said. */
static inline enum status run_held(const char *const *words)
{
	static const struct command command = {.name = "held", .options = held_options};
	const char *values[OPTIONS_MAX] = {NULL};
	char *arguments[OPTIONS_MAX + 1] = {NULL};
	struct command_run run = {.command = &command,
		.context = mem_context(context, "run"),
		.config = config,
		.has_config = true,
		.state = state,
		.now = NOW,
		.arguments = arguments,
		.option_values = values};
	int kept = dup(STDOUT_FILENO);
	int file = open(path_of("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	enum status status;

	for (; *words != NULL; words++) {
		size_t length = strcspn(*words, "=");
		size_t row = 0;

		if (strncmp(*words, "--", 2) != 0) {
			arguments[run.argument_count++] = mem_strdup(context, *words);
			continue;
		}
		while (held_options[row].name != NULL &&
			(strlen(held_options[row].name) != length - 2 ||
				strncmp(held_options[row].name, *words + 2, length - 2) != 0))
			row++;
		ck_assert_msg(held_options[row].name != NULL, "%s: no such option", *words);
		values[row] = (*words)[length] == '=' ? *words + length + 1 : "";
	}
	said = mem_strdup(context, "");
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	close(file);
	status = held_run(&run);
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	out = read_file(path_of("out"));
	return status;
}

#define RUN(...) run_held((const char *const[]){__VA_ARGS__, NULL})

#define CHECK_STATUS(got, want)                                                                    \
	ck_assert_msg((got) == (want), "got %s, want %s; said: %sout: %s", status_text(got),       \
		status_text(want), said, out)

static inline void check_said(const char *want)
{
	ck_assert_msg(strstr(said, want) != NULL, "want \"%s\" in: %s", want, said);
}

static inline void check_out(const char *want)
{
	ck_assert_msg(strstr(out, want) != NULL, "want \"%s\" in: %s", want, out);
}

/* How many are held: records, and files. */
static inline void check_held(uint64_t records, size_t files)
{
	struct state_size size;
	char *command = mem_printf(context, "exit $(ls '%s/held/new' | wc -l)", config->state);
	int status = system(command);

	ck_assert_int_eq(state_measure(state, &size), STATUS_OK);
	ck_assert_msg(
		size.held == records, "got %d records, want %d", (int)size.held, (int)records);
	ck_assert_msg(WEXITSTATUS(status) == (int)files, "got %d files, want %zu",
		WEXITSTATUS(status), files);
}

#define FORWARD "forward@lists.example.org"

/* What each program ends with. */
static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failures;

	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}

#endif
