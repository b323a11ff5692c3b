/*
 * sent.c: `backstop sent`: feeds the ledger with mail that went out another way than through
 * `submit`: a message on standard input, a table of any other system, or Postfix's own log.
 *
 * In charge of what becomes an entry, and of saying which lines do not. Leaves the lines of a log
 * to postfix_log.c and what an entry is worth to the ledger. Surprising: a time in the future or
 * before 2000 is refused, since the ledger vouches for the whole span between its first and last
 * entry: one wrong unit would make it call every unknown message forged.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/lines.h"
#include "cmd/postfix_log.h"
#include "cmd/progress.h"
#include "read/header.h"
#include "read/source.h"
#include "state/ledger.h"

#define BATCH_MAX 10000	 /* entries in one write transaction */
#define DOMAINS_MAX 64	 /* sender domains of one feeding */
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
	{"postfix-log", OPTION_VALUE, "FILE", "the mail log of Postfix; - is standard input"},
	{.name = NULL},
};

/* A feeding under way: entries wait in a batch. */
/* A sender domain in what is fed. */
struct fed_domain {
	const char *name;
	int64_t earliest_s, latest_s;
};

struct feed {
	struct command_run *run;
	const char *path; /* for messages */
	struct lines *lines;
	void *batch_context; /* owns the strings of the batch */
	struct ledger_entry *batch;
	size_t batch_count;
	void *line_context; /* freed with each line */
	uint64_t read;	    /* lines with data */
	uint64_t added;
	uint64_t bad;
	struct fed_domain domains[DOMAINS_MAX];
	size_t domain_count;
	bool is_message; /* one message, as it is sent */
	struct progress progress;
};

static void feed_init(struct feed *feed, struct command_run *run, const char *path)
{
	memset(feed, 0, sizeof *feed);
	feed->run = run;
	feed->path = strcmp(path, SOURCE_STDIN) == 0 ? "standard input" : path;
	feed->batch = mem_new_array(run->context, struct ledger_entry, BATCH_MAX);
	feed->batch_context = mem_context(run->context, "batch");
	feed->line_context = mem_context(run->context, "line");
}

static enum status open_lines(struct feed *feed, const char *path)
{
	enum status status = lines_open(feed->run->context, path, &feed->lines);

	if (status != STATUS_OK)
		return command_failed(feed->run, status, "%s: %s", path, strerror(errno));
	/* Of a pipe nobody knows how much is to come. */
	if (lines_size(feed->lines) > 0)
		progress_begin(&feed->progress, lines_size(feed->lines));
	return STATUS_OK;
}

/* The next line; what was made for the last one is gone. */
static enum status next_line(struct feed *feed, struct line *line_out)
{
	enum status status = lines_next(feed->lines, line_out);

	talloc_free_children(feed->line_context);
	progress_show(&feed->progress, lines_offset(feed->lines), feed->read);
	if (status == STATUS_IO) {
		progress_clear(&feed->progress);
		command_failed(
			feed->run, status, "%s: reading failed: %s", feed->path, strerror(errno));
	}
	return status;
}

/* Writes the batch. The entries of earlier batches stay whatever becomes of this one. */
static enum status flush(struct feed *feed)
{
	size_t added = 0;
	enum status status = ledger_add(feed->run->state, LEDGER_FEED_BATCH, feed->run->now,
		feed->batch, feed->batch_count, &added);

	talloc_free_children(feed->batch_context);
	feed->batch_count = 0;
	feed->added += added;
	if (status == STATUS_OK)
		return STATUS_OK;
	progress_clear(&feed->progress);
	return command_failed(feed->run, status,
		"%s: the ledger in %s could not be written (%s); %" PRIu64
		" new entries are in it already, and the same file can be fed again",
		feed->path, state_directory(feed->run->state), status_text(status), feed->added);
}

/* Remembers that mail of the domain is in what is fed. Those beyond DOMAINS_MAX are not vouched
 * for. */
static void note_domain(struct feed *feed, const char *domain, int64_t sent_s)
{
	size_t i = 0;

	if (domain == NULL)
		return;
	while (i < feed->domain_count && !text_equal_fold(feed->domains[i].name, domain))
		i++;
	if (i == DOMAINS_MAX)
		return;
	if (i == feed->domain_count)
		feed->domains[feed->domain_count++] =
			(struct fed_domain){text_lower(feed->run->context, domain), sent_s, sent_s};
	if (sent_s < feed->domains[i].earliest_s)
		feed->domains[i].earliest_s = sent_s;
	if (sent_s > feed->domains[i].latest_s)
		feed->domains[i].latest_s = sent_s;
}

/* What was fed to its end, without a line that could not be used, is all that was sent up to when
 * the file was last written: only then does a Message-ID that is missing mean anything. */
static enum status vouch(struct feed *feed, uint64_t unused)
{
	struct stat file;
	bool is_file = stat(feed->path, &file) == 0 && S_ISREG(file.st_mode);
	enum status status = STATUS_OK;

	if (unused > 0 || feed->bad > 0) {
		printf("%s: not all of it could be used, so the ledger does not vouch for the time "
		       "that it is about\n",
			feed->path);
		return STATUS_OK;
	}
	for (size_t i = 0; i < feed->domain_count && status == STATUS_OK; i++) {
		const struct fed_domain *domain = &feed->domains[i];
		int64_t until_s = is_file ? (int64_t)file.st_mtime : domain->latest_s;
		if (until_s > feed->run->now || feed->is_message)
			until_s = feed->run->now;
		status = ledger_cover(feed->run->state, domain->name, domain->earliest_s,
			until_s > domain->latest_s ? until_s : domain->latest_s);
	}
	return status;
}

/* Strings are copied. The sender's domain and the recipient may be NULL. */
static enum status add_entry(struct feed *feed, int64_t sent_s, const char *message_id,
	const char *domain, const char *recipient)
{
	struct ledger_entry *entry = &feed->batch[feed->batch_count++];

	*entry = (struct ledger_entry){
		.sent_s = sent_s,
		.message_id = mem_strdup(feed->batch_context, message_id),
		.recipient = recipient != NULL ? mem_strdup(feed->batch_context, recipient) : NULL,
	};
	note_domain(feed, domain, sent_s);
	return feed->batch_count == BATCH_MAX ? flush(feed) : STATUS_OK;
}

static void print_counts(struct feed *feed, const char *what)
{
	progress_clear(&feed->progress);
	printf("%s: %" PRIu64 " %s read, %" PRIu64 " new, %" PRIu64 " bad\n", feed->path,
		feed->read, what, feed->added, feed->bad);
}

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
	return add_entry(feed, sent_s, columns[COLUMN_MESSAGE_ID],
		address_domain(columns[COLUMN_SENDER]), columns[COLUMN_RECIPIENT]);
}

/* What was read before an error is kept. */
static enum status feed_rows(struct feed *feed)
{
	struct line line;
	enum status status, flushed;

	while ((status = next_line(feed, &line)) == STATUS_OK) {
		status = feed_row(feed, &line);
		if (status != STATUS_OK)
			return status;
	}
	flushed = flush(feed);
	return status == STATUS_NOT_FOUND ? flushed : status;
}

static enum status feed_tsv(struct command_run *run, const char *path)
{
	struct feed feed;
	enum status status;

	feed_init(&feed, run, path);
	status = open_lines(&feed, path);
	if (status == STATUS_OK)
		status = feed_rows(&feed);
	if (status != STATUS_OK)
		return status;
	if (feed.bad > BAD_SHOWN_MAX) {
		progress_clear(&feed.progress);
		fprintf(stderr, "backstop sent: %s: %" PRIu64 " bad lines in all\n", feed.path,
			feed.bad);
	}
	print_counts(&feed, "entries");
	status = vouch(&feed, 0);
	return status == STATUS_OK && feed.bad > 0 ? STATUS_DATA : status;
}

/* Postfix's log. */

struct log_counts {
	uint64_t lines;
	uint64_t postfix; /* lines that are Postfix's */
	uint64_t unjoined;
};

/* Mail of our domains; of every domain where none is configured. The null sender's never comes
 * back. */
static bool is_ours(const struct config *config, const char *sender)
{
	const char *domain = address_domain(sender);

	if (domain == NULL)
		return false;
	return config->domain_count == 0 || config_find_domain(config, domain) != NULL;
}

/* A report may name the address before or behind our own aliases: both count. */
static enum status feed_sent(struct feed *feed, const struct postfix_sent *sent)
{
	const char *original = sent->original_recipient;
	const char *domain = address_domain(sent->sender);
	enum status status;

	if (!is_ours(feed->run->config, sent->sender))
		return STATUS_OK;
	feed->read++;
	status = add_entry(feed, sent->time_s, sent->message_id, domain, sent->recipient);
	if (status == STATUS_OK && original != NULL && strcmp(original, sent->recipient) != 0)
		status = add_entry(feed, sent->time_s, sent->message_id, domain, original);
	return status;
}

static enum status feed_log_lines(
	struct feed *feed, struct postfix_log *log, struct log_counts *counts)
{
	struct postfix_sent sent;
	struct line line;
	enum status status, flushed;

	while ((status = next_line(feed, &line)) == STATUS_OK) {
		enum postfix_line kind = postfix_log_read(log, line.text, &sent);

		counts->lines++;
		counts->postfix += kind != POSTFIX_LINE_FOREIGN;
		counts->unjoined += kind == POSTFIX_LINE_UNJOINED;
		if (kind == POSTFIX_LINE_SENT)
			status = feed_sent(feed, &sent);
		if (status != STATUS_OK)
			return status;
	}
	flushed = flush(feed);
	return status == STATUS_NOT_FOUND ? flushed : status;
}

static enum status feed_postfix_log(struct command_run *run, const char *path)
{
	struct log_counts counts = {.lines = 0};
	struct feed feed;
	struct postfix_log *log;
	enum status status;

	feed_init(&feed, run, path);
	status = open_lines(&feed, path);
	if (status != STATUS_OK)
		return status;
	log = postfix_log_new(run->context, run->now, POSTFIX_LOG_TRACKED_MAX);
	status = feed_log_lines(&feed, log, &counts);
	if (status != STATUS_OK)
		return status;
	print_counts(&feed, "deliveries");
	status = vouch(&feed, counts.unjoined);
	if (status != STATUS_OK)
		return status;
	if (counts.unjoined > 0)
		printf("%s: %" PRIu64
		       " more could not be used: their messages' first lines are not in "
		       "this file\n",
			feed.path, counts.unjoined);
	if (counts.lines > 0 && counts.postfix == 0)
		return command_failed(run, STATUS_DATA,
			"%s: none of %" PRIu64 " lines is Postfix's; want \"Nov 23 19:19:22 host "
			"postfix/smtp[1]: ...\" or "
			"\"2026-11-23T19:19:22+00:00 host postfix/smtp[1]: ...\"",
			feed.path, counts.lines);
	return STATUS_OK;
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
		status = add_entry(feed, feed->run->now, message_id, domain, address);
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
	if (status == STATUS_OK && feed.batch_count == 0 && feed.added == 0)
		status = add_entry(&feed, run->now, message_id, domain, NULL);
	if (status == STATUS_OK)
		status = flush(&feed);
	feed.is_message = true;
	return status == STATUS_OK ? vouch(&feed, 0) : status;
}

enum status sent_run(struct command_run *run)
{
	const char *table = command_option(run, "tsv");
	const char *log = command_option(run, "postfix-log");
	bool has_recipient = command_option(run, "recipient") != NULL || run->argument_count > 0;

	if (table != NULL && log != NULL)
		return command_misused(run, "--tsv and --postfix-log cannot be used together");
	if ((table != NULL || log != NULL) && has_recipient)
		return command_misused(run, "recipients are for a message on standard input; a "
					    "table or a log names its own");
	if (table != NULL)
		return feed_tsv(run, table);
	if (log != NULL)
		return feed_postfix_log(run, log);
	return feed_message(run);
}
