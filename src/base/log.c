/*
 * log.c: one line to where the program speaks.
 *
 * In charge of cleaning and of how a line begins. Leaves to its callers what is said, and to them
 * alone: nothing here adds a message's id. A line that the file does not take (disk full) goes to
 * syslog: losing it silently would be worse than finding it elsewhere. errno is kept, so that a
 * caller may log first and look at it after.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

/* Postfix reads 4096 bytes of standard error, syslog daemons cut at 2048 or more. */
#define LINE_MAX_BYTES 2000
/* Before cleaning, which can shorten it. */
#define RAW_MAX 8192

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
	[LOG_LEVEL_INFO] = {"info", LOG_INFO},
	[LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
	[LOG_LEVEL_ERROR] = {"error", LOG_ERR},
};

_Static_assert(sizeof levels / sizeof levels[0] == LOG_LEVEL_ERROR + 1, "a level has no row");

enum target { TO_STDERR, TO_SYSLOG, TO_FILE };

static struct {
	enum target target;
	enum log_level least;
	int file;
} state = {TO_STDERR, LOG_LEVEL_WARNING, -1};

static void write_syslog(enum log_level level, const char *text)
{
	syslog(levels[level].priority, "%s", text);
}

/* False when the line is not there in full. One write a line: several processes append. */
static bool write_line(int descriptor, const char *prefix, const char *text)
{
	char line[LINE_MAX_BYTES + 1];
	int room = (int)(sizeof line - strlen(prefix) - 2);
	char *clean;
	size_t length;

	/* The text is clean; this only cuts it at a character, for the prefix's sake. */
	clean = text_clean_string(NULL, text, (size_t)room);
	length = (size_t)snprintf(line, sizeof line, "%s%s\n", prefix, clean);
	mem_free(clean);
	return write(descriptor, line, length) == (ssize_t)length;
}

static void write_stderr(enum log_level level, const char *text)
{
	char prefix[64];

	snprintf(prefix, sizeof prefix, "backstop: %s: ", levels[level].name);
	write_line(STDERR_FILENO, prefix, text);
}

static void write_file(enum log_level level, const char *text)
{
	char now[CLOCK_TEXT_MAX];
	char prefix[128];

	clock_format_iso(clock_now(), now);
	snprintf(prefix, sizeof prefix, "%s backstop[%ld] %s: ", now, (long)getpid(),
		levels[level].name);
	if (!write_line(state.file, prefix, text))
		write_syslog(level, text);
}

void log_open(const char *target, enum log_level least)
{
	int error;

	if (state.file != -1)
		close(state.file);
	state.file = -1;
	state.least = least;
	state.target = TO_SYSLOG;
	if (strcmp(target, "stderr") == 0) {
		state.target = TO_STDERR;
		return;
	}
	openlog("backstop", LOG_PID, LOG_MAIL);
	if (strcmp(target, "syslog") == 0)
		return;
	/* Without O_NONBLOCK a named pipe that nobody reads would hold us until the deadline. */
	state.file = open(
		target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	error = errno;
	if (state.file != -1)
		state.target = TO_FILE;
	else
		log_warning("cannot open the log file %s (%s), logging to syslog", target,
			strerror(error));
}

void log_write(enum log_level level, const char *format, ...)
{
	int error = errno;
	char raw[RAW_MAX];
	char *text;
	va_list arguments;

	if (level < state.least)
		return;
	va_start(arguments, format);
	if (vsnprintf(raw, sizeof raw, format, arguments) < 0)
		snprintf(raw, sizeof raw, "%s", format);
	va_end(arguments);
	text = text_clean_string(NULL, raw, LINE_MAX_BYTES);
	if (state.target == TO_FILE)
		write_file(level, text);
	else if (state.target == TO_SYSLOG)
		write_syslog(level, text);
	if (state.target == TO_STDERR || level == LOG_LEVEL_ERROR)
		write_stderr(level, text);
	mem_free(text);
	errno = error;
}
