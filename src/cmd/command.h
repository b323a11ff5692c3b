/*
 * command.h: a subcommand is a row of the table in main.c: what it is called, what it needs opened,
 * which options it takes. Usage, help and the man page's list come from the row.
 *
 * To add a command: one file here with a function of type `command_function` and its option rows,
 * one row in main.c, one page in src/man/, one test in tests/cli/.
 */
#ifndef BACKSTOP_CMD_COMMAND_H
#define BACKSTOP_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "pipeline.h"
#include "state/state.h"

enum command_needs {
	NEEDS_NOTHING = 0,
	NEEDS_CONFIG = 1 << 0, /* a configuration must be there and be right */
	TAKES_CONFIG = 1 << 1, /* used if given by -c, $BACKSTOP_CONF or at the default place */
	NEEDS_STATE = 1 << 2,  /* opened for reading; it must be there */
	NEEDS_STATE_WRITE = 1 << 3, /* opened for writing; created if missing; it must open */
	TAKES_STATE_WRITE = 1 << 4, /* opened for writing if possible, else NULL and a warning */
	TAKES_STATE = 1 << 5,	    /* opened for reading if --state was given, else NULL */
	ASKS_DNS = 1 << 9,	    /* the checks may ask DNS, unless the configuration says no */
	TAKES_DNS = 1 << 10,	    /* the same if --dns was given */
	NOTES_CHANGES = 1 << 11, /* enters what changed in the configuration; not with --dry-run */
	USES_RULES = 1 << 7,	 /* recognises bounces: rules-dir is read */
	/* With --dry-run, or when the first argument is list or show, NEEDS_STATE_WRITE only
	 * creates a state that is not there: one that is, is opened for reading. */
	MAY_ONLY_LOOK = 1 << 12,
	DEFERS = 1 << 8,     /* a configuration that is wrong is 75: who calls it tries again */
	IS_DELIVERY = 1 << 6 /* exit 0 or 75 only (guard.h); nothing on standard output */
};

enum option_argument { OPTION_FLAG = 0, OPTION_VALUE, OPTION_MAYBE };

/* Options that every command has: -c FILE / --config=FILE, --now=TIME, --help. */
struct option_row {
	const char *name;	       /* "format" for --format; the list ends with NULL */
	enum option_argument argument; /* --name, --name=VALUE, --name[=VALUE] */
	const char *value;	       /* "text|json", for the help */
	const char *help;
};

struct command_run;
typedef enum status command_function(struct command_run *run);

struct command {
	const char *name;
	command_function *function;
	unsigned needs; /* enum command_needs */
	const struct option_row *options;
	const char *arguments; /* "PATH...", for the usage line */
	const char *summary;   /* one line, lower case, no full stop */
};

/* One run of a command. Everything is lent for the call. */
struct command_run {
	const struct command *command;
	const void *context;	     /* memory of the whole run */
	const struct config *config; /* config_none() where none was given */
	const char *config_path;     /* the file that was or would be read */
	bool has_config;	     /* a file was read */
	bool is_verbose;
	struct state *state;
	struct pipeline *pipeline; /* with this config and state */
	int64_t now;
	char **arguments; /* what stands behind the options, NULL-terminated */
	size_t argument_count;
	const char *const *option_values; /* by row of command->options; NULL: not given */
};

/* The value of an option of this command, by name: NULL when it was not given, "" for a flag or an
 * option without value. */
const char *command_option(const struct command_run *run, const char *name);

/* Says what is wrong with the command line, as "backstop COMMAND: text" and a hint at --help, and
 * returns STATUS_USAGE. */
enum status command_misused(const struct command_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Says what went wrong, as "backstop COMMAND: text", and returns status. */
enum status command_failed(const struct command_run *run, enum status status, const char *format,
	...) __attribute__((format(printf, 3, 4)));

command_function deliver_run;
command_function scan_run;
command_function explain_run;
command_function report_run;
command_function held_run;
command_function digest_run;
command_function tag_run;
command_function submit_run;
command_function sent_run;
command_function check_run;
command_function rules_run;
command_function audit_run;
command_function lists_run;
command_function db_run;

extern const struct option_row deliver_options[];
extern const struct option_row scan_options[];
extern const struct option_row explain_options[];
extern const struct option_row report_options[];
extern const struct option_row held_options[];
extern const struct option_row digest_options[];
extern const struct option_row tag_options[];
extern const struct option_row submit_options[];
extern const struct option_row sent_options[];
extern const struct option_row check_options[];
extern const struct option_row rules_options[];
extern const struct option_row audit_options[];
extern const struct option_row lists_options[];
extern const struct option_row db_options[];

#endif
