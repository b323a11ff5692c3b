/*
 * origins.h: where messages came from first, remembered beyond their end, by Message-ID and sender.
 *
 * A content filter takes a message and hands it in again, with another queue id; local(8) does so
 * for an alias. Mailman, which hands in what a member wrote under the same Message-ID, has a sender
 * of its own, and that is another message.
 */
#ifndef BACKSTOP_CMD_ORIGINS_H
#define BACKSTOP_CMD_ORIGINS_H

#include <stdbool.h>

#include "base/netaddr.h"

struct origin {
	bool is_here; /* made on this host, or by who had logged in; then client is not set */
	struct netaddr client;
};

struct origins;

/* 2.5 MB; freed with context. */
struct origins *origins_new(const void *context);

/* The origin that was noted first; lent until the next call. NULL: none, and own is noted, unless
 * that is NULL too. A message is forgotten when another takes its place: of 65536 others, two in
 * three do. */
const struct origin *origins_find_or_note(struct origins *origins, const char *message_id,
	const char *sender, const struct origin *own);

#endif
