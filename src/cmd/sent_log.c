/*
 * sent_log.c: `backstop sent --postfix-log`: once to the end, or for ever.
 *
 * In charge of whose deliveries count, of when the ledger and the position are written, and of what
 * the log vouches for. Leaves the lines to postfix_log.c, files to log_tail.c. The order is: ledger
 * first, then the position, so that a death between them costs a second reading and no entry.
 *
 * Surprising: spam that is forged in our name arrives from outside, with the same Message-ID as its
 * bounces. What was delivered on this host therefore counts only where it is known to come from us.
 * What we passed on, to the target of an alias or as a backup MX, counts unless it is known to come
 * from a stranger; then it is noted as passed on, which proves nothing. It must not be left out: it
 * may be a post of ours on its way back, and a bounce of it must not look like one of a message
 * that never was.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/netaddr.h"
#include "cmd/command.h"
#include "cmd/feed.h"
#include "cmd/log_position.h"
#include "cmd/log_tail.h"
#include "cmd/postfix_log.h"
#include "read/source.h"

#define POLL_S 1
#define SAVE_LINES 1000000 /* between two writings of the position, while there is more to read */
#define SAVE_S 30	   /* the same while following */
#define VOUCH_S 10	   /* at most so often where nothing was sent */
#define LIVE_MARGIN_S 2	   /* a line may be written within the second that we looked */
#define SILENCE_S (7 * 24 * 60 * 60) /* no Postfix is silent that long */

struct reading {
	struct feed feed;
	struct postfix_log *log;
	struct log_tail *tail; /* NULL: lines of standard input */
	char *position;	       /* the file's name; NULL: none is kept */
	bool is_following;
	bool was_resumed; /* goes on from an earlier run */
	uint64_t lines, postfix, unjoined;
	uint64_t unsaved; /* lines since the position was written */
	int64_t saved_s, vouched_s;
	int64_t line_s;		/* the latest time in a line so far */
	bool is_live;		/* the end of the log has been reached once */
	const char *compressed; /* where lines that are missing may be, or NULL */
	bool has_gap;		/* something is missing in front of the next line */
	int64_t broken_s; /* the last delivery that could not be used, or the first behind a gap */
};

static volatile sig_atomic_t is_stopping;

static void stop(int signal_number)
{
	(void)signal_number;
	is_stopping = 1;
}

/* ---- whose mail ---- */

enum origin {
	ORIGIN_UNKNOWN,
	ORIGIN_OURS,
	ORIGIN_FOREIGN,
};

static bool is_sender_host(const struct domain_config *domain, const char *client)
{
	struct netaddr address;

	if (!netaddr_parse(client, &address))
		return false;
	if (netaddr_is_internal(&address))
		return true;
	for (size_t i = 0; domain != NULL && i < domain->sender_count; i++) {
		if (netblock_contains(&domain->senders[i], &address))
			return true;
	}
	return false;
}

/* Only who lists his senders says that others are none; SPF is not asked. */
static enum origin judge_client(const struct domain_config *domain, const char *client)
{
	struct netaddr address;

	if (is_sender_host(domain, client))
		return ORIGIN_OURS;
	if (domain == NULL || domain->sender_count == 0 || !netaddr_parse(client, &address))
		return ORIGIN_UNKNOWN;
	return ORIGIN_FOREIGN;
}

/* A content filter hands back in from this host what a stranger brought: both clients count. */
static enum origin find_origin(const struct domain_config *domain, const struct postfix_sent *sent)
{
	enum origin last = sent->is_known ? ORIGIN_OURS : ORIGIN_UNKNOWN;
	enum origin first = ORIGIN_OURS;

	if (sent->is_authenticated)
		return ORIGIN_OURS;
	if (sent->client != NULL)
		last = judge_client(domain, sent->client);
	if (sent->first_client != NULL)
		first = judge_client(domain, sent->first_client);
	if (last == ORIGIN_FOREIGN || first == ORIGIN_FOREIGN)
		return ORIGIN_FOREIGN;
	return last == ORIGIN_OURS ? first : ORIGIN_UNKNOWN;
}

/* True for mail of our domains; of every domain where none is configured. The null sender's never
 * comes back. */
static bool has_our_sender(
	const struct config *config, const struct postfix_sent *sent, enum origin *origin_out)
{
	const char *name = address_domain(sent->sender);
	const struct domain_config *domain = config_find_domain(config, name);

	if (name == NULL || (config->domain_count > 0 && domain == NULL))
		return false;
	*origin_out = find_origin(domain, sent);
	return true;
}

static enum status feed_recipient(struct feed *feed, const struct postfix_sent *sent,
	enum origin origin, const char *recipient)
{
	if (origin == ORIGIN_FOREIGN)
		return feed_add_passed_on(feed, sent->time_s, sent->message_id, recipient);
	return feed_add(
		feed, sent->time_s, sent->message_id, address_domain(sent->sender), recipient);
}

/* A report may name the address before or behind our own aliases: both count. */
static enum status feed_sent(struct feed *feed, const struct postfix_sent *sent)
{
	const char *original = sent->original_recipient;
	enum origin origin;
	enum status status;

	if (!has_our_sender(feed->run->config, sent, &origin) ||
		(sent->is_local && origin != ORIGIN_OURS))
		return STATUS_OK;
	if (origin == ORIGIN_FOREIGN)
		feed->passed_on++;
	else
		feed->read++;
	status = feed_recipient(feed, sent, origin, sent->recipient);
	if (status == STATUS_OK && original != NULL &&
		(sent->recipient == NULL || strcmp(original, sent->recipient) != 0))
		status = feed_recipient(feed, sent, origin, original);
	return status;
}

/* Strangers' mail without a usable Message-ID passes through us, too, and says nothing. */
static bool is_missing(const struct config *config, const struct postfix_sent *sent)
{
	enum origin origin;

	return has_our_sender(config, sent, &origin) && origin == ORIGIN_OURS;
}

/* A line was written after those above it, whatever the clock said then: one that starts before it
 * is set, in January or in 1970, must not have the ledger cover the time since. */
static void straighten(struct reading *reading, int64_t *time_s)
{
	bool has_jumped = reading->line_s != 0 && *time_s > reading->line_s + SILENCE_S;

	if (has_jumped && !reading->is_live) {
		log_warning("sent: %s: nothing for %" PRId64 " days, or the clock was set; the "
			    "ledger begins to be complete behind that",
			reading->feed.path, (*time_s - reading->line_s) / (24 * 60 * 60));
		reading->has_gap = true;
	}
	if (*time_s > reading->line_s)
		reading->line_s = *time_s;
	*time_s = reading->line_s;
}

static enum status read_line(struct reading *reading, struct bytes text)
{
	struct postfix_sent sent;
	enum postfix_line kind = postfix_log_read(reading->log, text, &sent);

	if (kind != POSTFIX_LINE_FOREIGN)
		straighten(reading, &sent.time_s);
	if (kind == POSTFIX_LINE_SENT && sent.message_id == NULL)
		kind = is_missing(reading->feed.run->config, &sent) ? POSTFIX_LINE_UNJOINED
								    : POSTFIX_LINE_OTHER;
	reading->lines++;
	reading->unsaved++;
	reading->postfix += kind != POSTFIX_LINE_FOREIGN;
	reading->unjoined += kind == POSTFIX_LINE_UNJOINED;
	if (kind != POSTFIX_LINE_SENT && kind != POSTFIX_LINE_UNJOINED)
		return STATUS_OK;
	if ((reading->has_gap || kind == POSTFIX_LINE_UNJOINED) && sent.time_s > reading->broken_s)
		reading->broken_s = sent.time_s;
	reading->has_gap = false;
	return kind == POSTFIX_LINE_SENT ? feed_sent(&reading->feed, &sent) : STATUS_OK;
}

/* ---- what the log vouches for ---- */

static enum status vouch_domain(struct reading *reading, struct fed_domain *domain, int64_t until_s)
{
	struct state *state = reading->feed.run->state;
	int64_t from_s = domain->has_entries ? domain->earliest_s : reading->broken_s + 1;
	enum status status = STATUS_OK;

	if (domain->has_entries && until_s < domain->latest_s)
		until_s = domain->latest_s;
	if (reading->broken_s > 0) {
		/* All behind the last delivery that is missing is there. */
		if (from_s <= reading->broken_s)
			from_s = reading->broken_s + 1;
		if (until_s < from_s)
			until_s = from_s;
		status = ledger_begin(state, domain->name, from_s, until_s);
	} else if (domain->is_vouched) {
		status = ledger_continue(state, domain->name, until_s);
	} else if (domain->has_entries) {
		status = ledger_cover(state, domain->name, from_s, until_s);
	}
	domain->is_vouched = true;
	domain->has_entries = false;
	return status;
}

/* All that was sent is in the ledger up to when the log was last written; only then does a
 * Message-ID that is missing mean anything. */
static enum status vouch(struct reading *reading)
{
	int64_t now = clock_now();
	int64_t until_s = reading->tail == NULL ? 0 : log_tail_written(reading->tail);
	enum status status = STATUS_OK;

	if (reading->has_gap)
		return STATUS_OK; /* not before it is known where it ends */
	if (reading->is_following)
		until_s -= LIVE_MARGIN_S;
	if (until_s > now)
		until_s = now;
	for (size_t i = 0; i < reading->feed.domain_count && status == STATUS_OK; i++)
		status = vouch_domain(reading, &reading->feed.domains[i], until_s);
	reading->broken_s = 0;
	reading->vouched_s = now;
	if (status == STATUS_OK)
		return status;
	return command_failed(reading->feed.run, status, "the ledger in %s: %s",
		state_directory(reading->feed.run->state), status_text(status));
}

/* ---- reading ---- */

/* Not to have it is no failure: the next run reads some of it again. */
static void save(struct reading *reading)
{
	struct log_place place;

	reading->unsaved = 0;
	reading->saved_s = clock_now();
	if (reading->position == NULL)
		return;
	log_tail_place(reading->tail, &place);
	if (log_position_write(reading->position, &place, reading->log, &reading->feed) !=
		STATUS_OK)
		log_warning("sent: %s cannot be written (%s); the next run reads more than it "
			    "needs to",
			reading->position, strerror(errno));
}

/* Everything so far is in the ledger. */
static enum status settle(struct reading *reading, bool is_at_end, bool is_last)
{
	bool is_new = ledger_batch_count(reading->feed.batch) > 0;
	int64_t now = clock_now();
	enum status status = feed_flush(&reading->feed);

	reading->is_live |= is_at_end;
	if (status == STATUS_OK && is_at_end &&
		(is_new || is_last || now - reading->vouched_s >= VOUCH_S))
		status = vouch(reading);
	if (status == STATUS_OK && reading->unsaved > 0 &&
		(is_last || !is_at_end || now - reading->saved_s >= SAVE_S))
		save(reading);
	return status;
}

static void note_gap(struct reading *reading)
{
	const char *compressed = log_tail_compressed(reading->tail);

	reading->has_gap = true;
	if (compressed != NULL)
		reading->compressed = mem_strdup(reading->feed.run->context, compressed);
	log_warning("sent: %s: the place where the last reading ended is in no file any more%s%s; "
		    "the ledger begins to be complete anew",
		reading->feed.path, compressed != NULL ? ", at most in the compressed " : "",
		compressed != NULL ? compressed : "");
}

static enum status next(struct reading *reading, struct line *line)
{
	enum status status;

	if (reading->tail == NULL)
		return feed_next_line(&reading->feed, line);
	status = log_tail_next(reading->tail, line);
	if (!reading->is_following)
		progress_show(&reading->feed.progress, log_tail_offset(reading->tail),
			reading->feed.read);
	if (log_tail_take_gap(reading->tail))
		note_gap(reading);
	if (status == STATUS_IO)
		return command_failed(reading->feed.run, status, "%s: reading failed: %s",
			reading->feed.path, strerror(errno));
	return status;
}

static enum status read_all(struct reading *reading)
{
	const struct timespec pause = {.tv_sec = POLL_S};
	enum status status = STATUS_OK;
	struct line line;

	while (status == STATUS_OK && !is_stopping) {
		status = next(reading, &line);
		if (status == STATUS_OK) {
			status = read_line(reading, line.text);
			if (status == STATUS_OK && reading->unsaved >= SAVE_LINES)
				status = settle(reading, false, false);
		} else if (status == STATUS_NOT_FOUND && reading->is_following) {
			status = settle(reading, true, false);
			if (status == STATUS_OK)
				nanosleep(&pause, NULL);
			postfix_log_set_now(reading->log, clock_now());
		}
	}
	if (status != STATUS_OK && status != STATUS_NOT_FOUND)
		return status;
	return settle(reading, status == STATUS_NOT_FOUND || reading->tail == NULL, true);
}

/* Where the last run stopped, and opens the log there. */
static enum status open_log(struct reading *reading, const char *path)
{
	struct command_run *run = reading->feed.run;
	struct log_place place;
	enum status status = STATUS_NOT_FOUND;

	reading->position = log_position_name(run->context, run->config->state, path);
	if (command_option(run, "from-start") == NULL)
		status = log_position_read(
			run->context, reading->position, &place, reading->log, &reading->feed);
	reading->was_resumed = status == STATUS_OK;
	if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
		log_warning("sent: %s cannot be used (%s); %s is read from its begin",
			reading->position, status_text(status), path);
		feed_init(&reading->feed, run, path);
		reading->log = postfix_log_new(run->context, run->now, POSTFIX_LOG_TRACKED_MAX);
	}
	status = log_tail_open(
		run->context, path, reading->was_resumed ? &place : NULL, &reading->tail);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s: %s", path, strerror(errno));
	if (!reading->is_following)
		progress_begin(&reading->feed.progress, log_tail_size(reading->tail));
	return STATUS_OK;
}

static enum status print_result(struct reading *reading)
{
	const char *path = reading->feed.path;

	feed_print_counts(&reading->feed, "deliveries");
	if (reading->feed.passed_on > 0)
		printf("%s: %" PRIu64
		       " more came from elsewhere with a sender of ours, and were passed on: they "
		       "are noted as that, which proves nothing\n",
			path, reading->feed.passed_on);
	if (reading->unjoined > 0)
		printf("%s: %" PRIu64
		       " more could not be used: their messages' first lines are not in "
		       "this file, or give no Message-ID\n",
			path, reading->unjoined);
	if (reading->compressed != NULL)
		printf("%s: compressed, and not read; what was sent between the last reading and "
		       "the begin of %s is missing (logrotate: delaycompress)\n",
			reading->compressed, path);
	if (reading->lines == 0 || reading->postfix > 0 || reading->was_resumed)
		return STATUS_OK;
	return command_failed(reading->feed.run, STATUS_DATA,
		"%s: none of %" PRIu64 " lines is Postfix's; want \"Nov 23 19:19:22 host "
		"postfix/smtp[1]: ...\" or "
		"\"2026-11-23T19:19:22+00:00 host postfix/smtp[1]: ...\"",
		path, reading->lines);
}

enum status sent_log_run(struct command_run *run, const char *path)
{
	const struct sigaction action = {.sa_handler = stop};
	struct reading *reading = mem_new(run->context, struct reading);
	bool is_stream = strcmp(path, SOURCE_STDIN) == 0;
	enum status status;
	struct stat about;

	reading->is_following = command_option(run, "follow") != NULL;
	if (!is_stream && stat(path, &about) == 0)
		is_stream = !S_ISREG(about.st_mode);
	if (is_stream && reading->is_following)
		return command_misused(run, "--follow wants a file: %s is none", path);
	feed_init(&reading->feed, run, path);
	reading->log = postfix_log_new(run->context, run->now, POSTFIX_LOG_TRACKED_MAX);
	status = is_stream ? feed_open(&reading->feed, path) : open_log(reading, path);
	if (status != STATUS_OK)
		return status;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	status = read_all(reading);
	return status == STATUS_OK ? print_result(reading) : status;
}
