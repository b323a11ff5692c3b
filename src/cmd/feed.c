/*
 * feed.c: in charge of batches, of counting, and of vouching for what was fed to its end. Leaves to
 * sent.c and sent_log.c what becomes an entry.
 */
#include "cmd/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "read/source.h"

void feed_init(struct feed *feed, struct command_run *run, const char *path)
{
	memset(feed, 0, sizeof *feed);
	feed->run = run;
	feed->path = strcmp(path, SOURCE_STDIN) == 0 ? "standard input" : path;
	feed->batch = ledger_batch_new(run->context);
	feed->line_context = mem_context(run->context, "line");
}

enum status feed_open(struct feed *feed, const char *path)
{
	enum status status = lines_open(feed->run->context, path, &feed->lines);

	if (status != STATUS_OK)
		return command_failed(feed->run, status, "%s: %s", path, strerror(errno));
	/* Of a pipe nobody knows how much is to come. */
	if (lines_size(feed->lines) > 0)
		progress_begin(&feed->progress, lines_size(feed->lines));
	return STATUS_OK;
}

enum status feed_next_line(struct feed *feed, struct line *line_out)
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

enum status feed_flush(struct feed *feed)
{
	size_t added = 0;
	enum status status =
		ledger_batch_write(feed->run->state, feed->batch, feed->run->now, &added);

	feed->added += added;
	if (status == STATUS_OK)
		return STATUS_OK;
	progress_clear(&feed->progress);
	return command_failed(feed->run, status,
		"%s: the ledger in %s could not be written (%s); %" PRIu64
		" new entries are in it already, and the same file can be fed again",
		feed->path, state_directory(feed->run->state), status_text(status), feed->added);
}

struct fed_domain *feed_find_domain(struct feed *feed, const char *name)
{
	size_t i = 0;

	while (i < feed->domain_count && !text_equal_fold(feed->domains[i].name, name))
		i++;
	if (i == FEED_DOMAINS_MAX)
		return NULL;
	if (i == feed->domain_count)
		feed->domains[feed->domain_count++] =
			(struct fed_domain){.name = text_lower(feed->run->context, name)};
	return &feed->domains[i];
}

/* Remembers that mail of the domain is in what is fed. */
static void note_domain(struct feed *feed, const char *name, int64_t sent_s)
{
	struct fed_domain *domain = name == NULL ? NULL : feed_find_domain(feed, name);

	if (domain == NULL)
		return;
	if (!domain->has_entries || sent_s < domain->earliest_s)
		domain->earliest_s = sent_s;
	if (!domain->has_entries || sent_s > domain->latest_s)
		domain->latest_s = sent_s;
	domain->has_entries = true;
}

static enum status vouch_domain(struct feed *feed, const struct fed_domain *domain, int64_t until_s)
{
	char since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];
	enum status status;

	if (until_s < domain->latest_s)
		until_s = domain->latest_s;
	if (feed->complete_since_s == 0)
		return ledger_cover(feed->run->state, domain->name, domain->earliest_s, until_s);
	if (until_s < feed->complete_since_s)
		return command_failed(feed->run, STATUS_DATA,
			"%s: --complete-since is later than the file, which was written before",
			feed->path);
	status = ledger_vouch(feed->run->state, domain->name, feed->complete_since_s, until_s);
	clock_format_iso(feed->complete_since_s, since);
	clock_format_iso(until_s, until);
	if (status == STATUS_OK)
		printf("%s: taken as complete for %s from %s to %s\n", feed->path, domain->name,
			since, until);
	return status;
}

enum status feed_vouch(struct feed *feed)
{
	struct stat file;
	bool is_file = stat(feed->path, &file) == 0 && S_ISREG(file.st_mode);
	enum status status = STATUS_OK;

	if (feed->bad > 0) {
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
		status = vouch_domain(feed, domain, until_s);
	}
	return status;
}

/* After an entry was put into the batch, or was not. */
static enum status end_add(struct feed *feed, enum status status)
{
	if (status != STATUS_OK)
		return command_failed(feed->run, status,
			"%s: no hash of an entry could be made: %s", feed->path,
			status_text(status));
	return ledger_batch_count(feed->batch) >= FEED_BATCH_MAX ? feed_flush(feed) : STATUS_OK;
}

enum status feed_add(struct feed *feed, int64_t sent_s, const char *message_id, const char *domain,
	const char *recipient)
{
	enum status status = ledger_batch_add(feed->batch, sent_s, message_id, recipient);

	if (status == STATUS_OK)
		note_domain(feed, domain, sent_s);
	return end_add(feed, status);
}

enum status feed_add_passed_on(
	struct feed *feed, int64_t sent_s, const char *message_id, const char *recipient)
{
	return end_add(
		feed, ledger_batch_add_passed_on(feed->batch, sent_s, message_id, recipient));
}

void feed_print_counts(struct feed *feed, const char *what)
{
	progress_clear(&feed->progress);
	printf("%s: %" PRIu64 " %s read, %" PRIu64 " new, %" PRIu64 " bad\n", feed->path,
		feed->read, what, feed->added, feed->bad);
}
