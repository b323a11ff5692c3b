/*
 * log.h: where the program speaks. To syslog (facility mail), to standard error, or to a file;
 * always one line a call, cleaned of control characters.
 *
 * Levels: info is a decided message; warning means that the operator should look; error means that
 * the message was deferred; debug is each check tried.
 */
#ifndef BACKSTOP_BASE_LOG_H
#define BACKSTOP_BASE_LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* target: "syslog", "stderr", or an absolute path that lines are appended to. A file that cannot
 * be opened falls back to syslog. Before log_open, warnings and errors go to standard error. */
void log_open(const char *target, enum log_level least);

/* One line. Errors go to standard error as well, with "backstop: " in front: the MTA shows its
 * first line to the postmaster, and a line that began with "5.1.1" would make it bounce. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
