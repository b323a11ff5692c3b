/*
 * postfix_log.h: from the lines of Postfix's log to what was sent: a Message-ID (cleanup), its
 * envelope sender (qmgr) and its recipients (smtp, lmtp, relay; local, virtual, pipe), joined by
 * the queue id; and where it came from (smtpd, pickup), also where a content filter or an alias
 * made a new message of it.
 *
 * Reads "Nov 23 19:19:22 host postfix/smtp[1]: ..." and "2026-11-23T19:19:22.5+01:00 host ...",
 * of several instances ("postfix-out/smtp") and with either form of queue id. Touches no files and
 * no state.
 */
#ifndef BACKSTOP_CMD_POSTFIX_LOG_H
#define BACKSTOP_CMD_POSTFIX_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define POSTFIX_LOG_TRACKED_MAX 100000 /* messages in the queue; the oldest is forgotten */

enum postfix_line {
	POSTFIX_LINE_FOREIGN = 0, /* not a line of Postfix */
	POSTFIX_LINE_OTHER,	  /* Postfix, but nothing was sent */
	POSTFIX_LINE_SENT,	  /* delivered, or tried to */
	POSTFIX_LINE_UNJOINED	  /* the same, but its message's first lines stand before our time,
				     or the line was cut */
};

/* Lent until the next line. Addresses are normalised. */
struct postfix_sent {
	int64_t time_s;		/* never later than now */
	const char *message_id; /* as logged, with its angle brackets; NULL: none, or overlong */
	const char *sender;	/* "" is the null sender */
	const char *recipient;	/* NULL: it cannot be read */
	const char *original_recipient; /* before aliases were expanded, or NULL */
	const char
		*client; /* the address that the message came from; NULL: not by SMTP, or unknown */
	bool is_known;	 /* its first line was seen: client NULL means that it was made here */
	bool is_authenticated;	  /* the client had logged in */
	const char *first_client; /* who had brought the same message before it was handed in anew,
				     if that was a client that had not logged in; or NULL */
	bool is_local;		  /* delivered on this host: local, virtual, pipe */
};

/* A message in the queue, for keeping over a restart. Strings may be NULL; lent. */
struct postfix_open {
	const char *queue_id, *instance;
	const char *message_id, *sender;
	const char *client, *first_client;
	bool is_known, is_authenticated;
};

struct postfix_log;

/* now: syslog's times have no year; they are taken to be not later. tracked_max: as above, or less
 * in tests. */
struct postfix_log *postfix_log_new(const void *context, int64_t now, size_t tracked_max);

/* The next line, without its end. sent_out is set for POSTFIX_LINE_SENT; its time also for
 * whatever else Postfix wrote. */
enum postfix_line postfix_log_read(
	struct postfix_log *log, struct bytes line, struct postfix_sent *sent_out);

/* Time goes on, where one log is read for long. */
void postfix_log_set_now(struct postfix_log *log, int64_t now);

/* Visits the messages in the queue, oldest first. */
typedef void postfix_open_visitor(void *argument, const struct postfix_open *open);
void postfix_log_walk(const struct postfix_log *log, postfix_open_visitor *visitor, void *argument);

/* Puts one back, as the newest. Names that no queue has are left out. */
void postfix_log_restore(struct postfix_log *log, const struct postfix_open *open);

/* How many messages are remembered at present. */
size_t postfix_log_tracked(const struct postfix_log *log);

#endif
