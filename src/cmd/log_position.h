/*
 * log_position.h: where the reading of a log stopped, and which messages were in the queue then: a
 * file in the state directory, written as a whole. Losing it costs a second reading, nothing else:
 * entries that are in the ledger already keep their time.
 */
#ifndef BACKSTOP_CMD_LOG_POSITION_H
#define BACKSTOP_CMD_LOG_POSITION_H

#include "base/status.h"
#include "cmd/feed.h"
#include "cmd/log_tail.h"
#include "cmd/postfix_log.h"

/* The name of the file for a log, on context. */
char *log_position_name(const void *context, const char *directory, const char *log_path);

/* Reads it: the place, the open messages into log, the domains that are vouched for into feed.
 * STATUS_NOT_FOUND when there is none, STATUS_DATA when it is not whole; then nothing is changed
 * that counts: the log has to be read from its begin. */
enum status log_position_read(const void *context, const char *name, struct log_place *place_out,
	struct postfix_log *log, struct feed *feed);

/* Writes it, durable when this returns STATUS_OK; else with errno. */
enum status log_position_write(const char *name, const struct log_place *place,
	const struct postfix_log *log, const struct feed *feed);

#endif
