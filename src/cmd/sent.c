/*
 * sent.c: `backstop sent`: feeds the ledger with mail that went out another way than through
 * `submit`: a message on standard input, a table of any other system, or Postfix's own log.
 *
 * In charge of the message and of the table: what becomes an entry, and which lines do not. Leaves
 * the log to sent_log.c, the batches to feed.c and what an entry is worth to the ledger.
 * Surprising: a time in the future or before 2000 is refused, since the ledger vouches for the
 * whole span between its first and last entry: one wrong unit would make it call every unknown
 * message forged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/feed.h"
#include "read/header.h"
#include "read/source.h"
#include "state/ledger.h"

#define BAD_SHOWN_MAX 10 /* bad lines that are told one by one */
#define MESSAGE_ID_MAX 998
#define SHOWN_MAX 80		      /* bytes of a bad value in a message */
#define EARLIEST_S INT64_C(946684800) /* 2000-01-01 */
#define CLOCK_SKEW_S (24 * 60 * 60)   /* of the system that wrote the table, or its time zone */

const struct option_row sent_options[] = {
	{"recipient", OPTION_VALUE, "ADDRESS,...", "to whom the message on standard input went"},
	{"tsv", OPTION_VALUE, "FILE",
		"lines of time, Message-ID, envelope sender, recipient, with tabs between; - is "
		"standard input"},
	{"complete-since", OPTION_VALUE, "TIME",
		"with --tsv: the table has all that was sent since then"},
	{"postfix-log", OPTION_VALUE, "FILE",
		"the mail log of Postfix, from where the last run stopped; - is standard input"},
	{"follow", OPTION_FLAG, NULL, "with --postfix-log: stay, and read what is added"},
	{"from-start", OPTION_FLAG, NULL, "with --postfix-log: from the begin of the file"},
	{.name = NULL},
};

/* The table: time, Message-ID, sender, recipient. */

enum column { COLUMN_TIME, COLUMN_MESSAGE_ID, COLUMN_SENDER, COLUMN_RECIPIENT, COLUMN_COUNT };

static void complain(
	struct feed *feed, uint64_t number, const char *what, const char *value, const char *want)
{
	if (feed->bad++ >= BAD_SHOWN_MAX)
		return;
	progress_clear(&feed->progress);
	fprintf(stderr, "backstop sent: %s:%" PRIu64 ": %s \"%s\": want %s\n", feed->path, number,
		what, text_clean_string(feed->line_context, value, SHOWN_MAX), want);
}

/* Seconds since 1970, with or without a fraction, or ISO. Ages ("7d") are times for
 * clock_parse_time, but in a table they are mistakes. */
static bool read_time(char *text, int64_t now, int64_t *seconds_out)
{
	size_t digits = strspn(text, "0123456789");
	size_t length = strlen(text);

	if (text[digits] == '.' && digits > 0 &&
		digits + 1 + strspn(text + digits + 1, "0123456789") == length)
		text[digits] = '\0';
	if (length == 0 || strchr("0123456789Z", text[strlen(text) - 1]) == NULL)
		return false;
	return clock_parse_time(text, now, seconds_out);
}

static bool is_message_id(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= MESSAGE_ID_MAX && strcmp(text, "<>") != 0 &&
	       strcmp(text, "-") != 0 && strpbrk(text, " \t") == NULL;
}

/* Splits a line at its tabs; more columns than we know are left alone. */
static size_t split_columns(char *text, char **columns)
{
	size_t count = 0;
	char *rest = text;

	while (count < COLUMN_COUNT && rest != NULL)
		columns[count++] = strsep(&rest, "\t");
	return count;
}

/* Checks a row; false after a complaint. */
static bool read_row(struct feed *feed, uint64_t number, char **columns, int64_t *sent_s_out)
{
	const char *recipient = columns[COLUMN_RECIPIENT];

	if (!read_time(columns[COLUMN_TIME], feed->run->now, sent_s_out)) {
		complain(feed, number, "time", columns[COLUMN_TIME],
			"seconds since 1970, or 2026-11-23T19:19:22Z");
		return false;
	}
	if (*sent_s_out < EARLIEST_S || *sent_s_out > feed->run->now + CLOCK_SKEW_S) {
		complain(feed, number, "time", columns[COLUMN_TIME],
			"one after 2000 and not in the future, in seconds");
		return false;
	}
	if (!is_message_id(columns[COLUMN_MESSAGE_ID])) {
		complain(feed, number, "Message-ID", columns[COLUMN_MESSAGE_ID], "<id@domain>");
		return false;
	}
	columns[COLUMN_RECIPIENT] = NULL;
	if (*recipient == '\0' || strcmp(recipient, "-") == 0)
		return true;
	columns[COLUMN_RECIPIENT] = address_normalise(feed->line_context, recipient);
	if (columns[COLUMN_RECIPIENT] == NULL)
		complain(feed, number, "recipient", recipient,
			"user@domain, or - where it is not known");
	return columns[COLUMN_RECIPIENT] != NULL;
}

static enum status feed_row(struct feed *feed, const struct line *line)
{
	char *text =
		mem_strndup(feed->line_context, (const char *)line->text.data, line->text.size);
	char *columns[COLUMN_COUNT] = {NULL};
	bool is_cut = line->is_cut || strlen(text) != line->text.size;
	int64_t sent_s;

	if (line->text.size == 0 || *text == '#' ||
		(line->number == 1 && text_starts_fold(text, "time")))
		return STATUS_OK;
	feed->read++;
	if (is_cut || split_columns(text, columns) < COLUMN_COUNT) {
		complain(feed, line->number, "line", text,
			"time, Message-ID, envelope sender and recipient with tabs between them");
		return STATUS_OK;
	}
	if (!read_row(feed, line->number, columns, &sent_s))
		return STATUS_OK;
	if (sent_s > feed->run->now)
		sent_s = feed->run->now;
	return feed_add(feed, sent_s, columns[COLUMN_MESSAGE_ID],
		address_domain(columns[COLUMN_SENDER]), columns[COLUMN_RECIPIENT]);
}

/* What was read before an error is kept. */
static enum status feed_rows(struct feed *feed)
{
	struct line line;
	enum status status, flushed;

	while ((status = feed_next_line(feed, &line)) == STATUS_OK) {
		status = feed_row(feed, &line);
		if (status != STATUS_OK)
			return status;
	}
	flushed = feed_flush(feed);
	return status == STATUS_NOT_FOUND ? flushed : status;
}

static enum status feed_tsv(struct command_run *run, const char *path, const char *since)
{
	struct feed feed;
	enum status status;

	feed_init(&feed, run, path);
	if (since != NULL && (!clock_parse_time(since, run->now, &feed.complete_since_s) ||
				     feed.complete_since_s > run->now))
		return command_misused(run,
			"--complete-since=\"%s\": want a time that is over, such as "
			"2026-11-23T19:19:22Z, or an age, such as 30d",
			text_clean_string(run->context, since, SHOWN_MAX));
	status = feed_open(&feed, path);
	if (status == STATUS_OK)
		status = feed_rows(&feed);
	if (status != STATUS_OK)
		return status;
	if (feed.bad > BAD_SHOWN_MAX) {
		progress_clear(&feed.progress);
		fprintf(stderr, "backstop sent: %s: %" PRIu64 " bad lines in all\n", feed.path,
			feed.bad);
	}
	feed_print_counts(&feed, "entries");
	status = feed_vouch(&feed);
	return status == STATUS_OK && feed.bad > 0 ? STATUS_DATA : status;
}

/* One message. */

/* Whose mail it is, where the message says so: by Return-Path, or because only one domain is ours.
 */
static const char *find_domain(const struct command_run *run, const struct headers *headers)
{
	const char *sender = header_address(run->context, headers_find(headers, "Return-Path"));
	const char *domain = sender == NULL ? NULL : address_domain(sender);

	if (domain != NULL && config_find_domain(run->config, domain) != NULL)
		return domain;
	return run->config->domain_count == 1 ? run->config->domains[0].name : NULL;
}

/* The addresses of --recipient, which has commas between them, and of the arguments. */
static enum status add_recipients(
	struct feed *feed, const char *message_id, const char *domain, const char *word)
{
	char *rest = mem_strdup(feed->line_context, word);
	const char *item;

	while ((item = strsep(&rest, ",")) != NULL) {
		const char *address = address_normalise(feed->line_context, item);
		enum status status;

		if (address == NULL)
			return command_misused(feed->run,
				"the recipient \"%s\" is no address; want user@domain",
				text_clean_string(feed->line_context, item, SHOWN_MAX));
		status = feed_add(feed, feed->run->now, message_id, domain, address);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status feed_message(struct command_run *run)
{
	const char *recipients = command_option(run, "recipient");
	struct headers headers;
	struct bytes message;
	const char *message_id, *domain;
	struct feed feed;
	enum status status;

	feed_init(&feed, run, SOURCE_STDIN);
	status = source_read_all(run->context, STDIN_FILENO, &message);
	if (status != STATUS_OK)
		return command_failed(run, status, "standard input: %s", status_text(status));
	headers_parse(run->context, message, &headers, NULL);
	message_id = header_message_id(run->context, headers_find(&headers, "Message-ID"));
	if (message_id == NULL || !is_message_id(message_id))
		return command_failed(run, STATUS_DATA,
			"standard input: the message has no Message-ID, so there is nothing to "
			"record it by; want it as it went out, with all its header fields");
	domain = find_domain(run, &headers);
	if (recipients != NULL && *recipients != '\0')
		status = add_recipients(&feed, message_id, domain, recipients);
	for (size_t i = 0; i < run->argument_count && status == STATUS_OK; i++)
		status = add_recipients(&feed, message_id, domain, run->arguments[i]);
	if (status == STATUS_OK && ledger_batch_count(feed.batch) == 0 && feed.added == 0)
		status = feed_add(&feed, run->now, message_id, domain, NULL);
	if (status == STATUS_OK)
		status = feed_flush(&feed);
	feed.is_message = true;
	return status == STATUS_OK ? feed_vouch(&feed) : status;
}

enum status sent_run(struct command_run *run)
{
	const char *table = command_option(run, "tsv");
	const char *log = command_option(run, "postfix-log");
	const char *since = command_option(run, "complete-since");
	bool is_following =
		command_option(run, "follow") != NULL || command_option(run, "from-start") != NULL;
	bool has_recipient = command_option(run, "recipient") != NULL || run->argument_count > 0;

	if (table != NULL && log != NULL)
		return command_misused(run, "--tsv and --postfix-log cannot be used together");
	if ((table != NULL || log != NULL) && has_recipient)
		return command_misused(run, "recipients are for a message on standard input; a "
					    "table or a log names its own");
	if (since != NULL && table == NULL)
		return command_misused(run, "--complete-since is about a table: --tsv=FILE");
	if (is_following && log == NULL)
		return command_misused(
			run, "--follow and --from-start are about a log: --postfix-log=FILE");
	ledger_set_lifetime(run->state, run->config->sent_lifetime_s);
	if (table != NULL)
		return feed_tsv(run, table, since);
	if (log != NULL)
		return sent_log_run(run, log);
	return feed_message(run);
}
