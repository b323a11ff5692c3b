/*
 * feed.h: a feeding of the ledger under way: lines come in, entries go out in batches, and at the
 * end it is said for which domains and which time all is there. Shared by what `sent` reads.
 */
#ifndef BACKSTOP_CMD_FEED_H
#define BACKSTOP_CMD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/command.h"
#include "cmd/lines.h"
#include "cmd/progress.h"
#include "state/ledger.h"

#define FEED_BATCH_MAX 1000000 /* entries that are sorted and written together; 32 MB */
#define FEED_DOMAINS_MAX 64    /* sender domains of one feeding; further ones are not vouched for */

/* A sender domain in what is fed. */
struct fed_domain {
	const char *name;
	int64_t earliest_s, latest_s; /* of its entries since it was vouched for; if has_entries */
	bool has_entries;
	bool is_vouched; /* by what was read before, which goes on without a gap */
};

struct feed {
	struct command_run *run;
	const char *path; /* for messages */
	struct lines *lines;
	struct ledger_batch *batch;
	void *line_context; /* freed with each line */
	uint64_t read;	    /* lines with data */
	uint64_t added;
	uint64_t bad;
	uint64_t passed_on; /* deliveries of mail that is not ours; not in read */
	struct fed_domain domains[FEED_DOMAINS_MAX];
	size_t domain_count;
	bool is_message;	  /* one message, as it is sent */
	int64_t complete_since_s; /* by the word of the operator; 0: not given */
	struct progress progress;
};

/* path: a file, or "-". */
void feed_init(struct feed *feed, struct command_run *run, const char *path);

/* Opens it as lines; says what is wrong. */
enum status feed_open(struct feed *feed, const char *path);

/* The next line; what hung on line_context is gone. */
enum status feed_next_line(struct feed *feed, struct line *line_out);

/* Adds an entry, and writes the batch when it is full. Strings are copied. The sender's domain and
 * the recipient may be NULL. */
enum status feed_add(struct feed *feed, int64_t sent_s, const char *message_id, const char *domain,
	const char *recipient);

/* The same for what was passed on: it says nothing of what its sender's domain sends. */
enum status feed_add_passed_on(
	struct feed *feed, int64_t sent_s, const char *message_id, const char *recipient);

/* Writes the batch; says what is wrong. The entries of earlier batches stay whatever becomes of
 * this one. */
enum status feed_flush(struct feed *feed);

/* The place of a domain, made if there is room; or NULL. */
struct fed_domain *feed_find_domain(struct feed *feed, const char *name);

/* After the end of a table or a message: what was fed to its end, without a line that could not be
 * used, is all that was sent up to when the file was last written. */
enum status feed_vouch(struct feed *feed);

/* "FILE: 4 entries read, 4 new, 0 bad" */
void feed_print_counts(struct feed *feed, const char *what);

/* sent_log.c: `sent --postfix-log`. */
enum status sent_log_run(struct command_run *run, const char *path);

#endif
