/* held_release.h: the delivery of a held message. */
#ifndef BACKSTOP_CMD_HELD_RELEASE_H
#define BACKSTOP_CMD_HELD_RELEASE_H

#include "cmd/command.h"
#include "state/record.h"

/* The message, on context. error_out: a phrase, on context, set on failure; STATUS_DATA when the
 * file is damaged or has not as many bytes as were kept. */
enum status held_read(const struct command_run *run, const void *context, const struct held *held,
	struct bytes *message_out, const char **error_out);

/* Delivers the held message to the genuine target of its list, or to the address to if that is not
 * NULL. action_out: what was done. error_out: a phrase, on context, set on failure; STATUS_CONFIG
 * where no list is configured for the message. Nothing is removed. */
enum status held_deliver(const struct command_run *run, const void *context,
	const struct held *held, const char *to, enum action *action_out, const char **error_out);

#endif
