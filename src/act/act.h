/*
 * act.h: doing what was decided, so that nothing is lost. One file an action; each returns
 * STATUS_OK only when the message is on disk or handed over with a checked exit status.
 *
 * Our own mail cannot bounce or loop (DESIGN.md section 7.5): null sender, Auto-Submitted, and the
 * loop header below. error_out: one phrase without mail addresses, on context; set on failure.
 */
#ifndef BACKSTOP_ACT_ACT_H
#define BACKSTOP_ACT_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/config.h"
#include "base/status.h"
#include "base/words.h"

#define ACT_LOOP_HEADER "X-Backstop-Loop"

/* What a forwarded message says about the report, as lines of text and headers. Clean UTF-8. */
struct notice {
	const char *list; /* address, or NULL */
	const char *subject;
	const char *verdict; /* word */
	const char *kind;    /* word */
	int score;
	const char *text;	       /* the summary, several lines, LF */
	struct bytes report;	       /* the delivery-status part as it came, or empty */
	struct bytes original_headers; /* the returned headers as they came, or empty */
	int64_t time_s;
};

/* Sends to the owners through config->sendmail with the null sender. OWNER_SEES_SUMMARY: a new
 * message (multipart/report) with the summary, the delivery-status and the returned headers;
 * OWNER_SEES_ORIGINAL: our header lines, then the original bytes unchanged. */
enum status forward_send(const void *context, const struct config *config,
	const char *const *recipients, size_t recipient_count, enum owner_sees owner_sees,
	const struct notice *notice, struct bytes original, const char **error_out);

/* Sends a message of ours about many reports, or a storm, in the same way: text alone, of the
 * notice its list, subject, kind, text and time. Success when one of the recipients was served. A
 * sendmail that takes longer than the deadline is ended (STATUS_TIMEOUT), and no further one is
 * tried. */
enum status forward_text(const void *context, const struct config *config,
	const char *const *recipients, size_t recipient_count, const struct notice *notice,
	const char **error_out);

/* Into a Maildir, durably, byte for byte. name_out: the file's name, on context; may be NULL. */
enum status file_deliver(const void *context, const char *maildir, struct bytes original,
	char **name_out, const char **error_out);

/* What a pipe: command is told about the message. Strings may be NULL. */
struct pipe_facts {
	enum kind kind;
	enum verdict verdict;
	int score;
	const char *list;
	const char *failed;    /* failed recipients, ", " or " " between */
	const char *sender;    /* of the envelope; "" is the null sender */
	const char *recipient; /* of the envelope */
};

#define PIPE_VALUE_MAX (64 * 1024) /* bytes of one variable; execve(2) refuses 128 KiB for good */

/* The environment for pipe_run: BACKSTOP_KIND, BACKSTOP_VERDICT, BACKSTOP_SCORE, BACKSTOP_LIST,
 * BACKSTOP_RECIPIENTS (failed ones, spaces between; cut behind a whole one), SENDER, RECIPIENT. All
 * are set, to "" where nothing is known; clean text on one line. NULL-terminated, on context. */
const char *const *pipe_environment(const void *context, const struct pipe_facts *facts);

/* Into a shell command's standard input, byte for byte; exit 0 is success. env: "NAME=value",
 * NULL-terminated, as pipe_environment makes it; or NULL. */
enum status pipe_run(const void *context, const char *command, const char *const *env,
	struct bytes original, const char **error_out);

/* Into STATE/held, durably, in gzip format. file_out: the name for the held record. */
enum status hold_keep(const void *context, const char *state_directory, struct bytes original,
	char **file_out, const char **error_out);
/* The bytes of disk that the file takes: whole blocks of 4096, the same on every file system; 0
 * when it is not there. */
uint64_t hold_stored(const char *state_directory, const char *file);
/* Takes one back out: its bytes (on context), and removing it. STATUS_NO_INPUT: not there;
 * STATUS_DATA: cut or damaged. */
enum status hold_read(const void *context, const char *state_directory, const char *file,
	struct bytes *bytes_out, const char **error_out);
enum status hold_remove(const char *state_directory, const char *file);

/* Moves the files last written before before_s that no record names into STATE/unclaimed, unpacked:
 * what a kill between the file and its record leaves behind. A damaged one goes there as it is.
 * is_known says whether a record names a file. A file that cannot be removed does not end it.
 * removed_out: how many went. */
typedef bool hold_is_known(void *argument, const char *file);
enum status hold_sweep(const char *state_directory, int64_t before_s, hold_is_known *is_known,
	void *argument, uint64_t *removed_out);

#endif
