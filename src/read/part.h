/* part.h: builds the tree of parts from a GMime object; internal to read/. */
#ifndef BACKSTOP_READ_PART_H
#define BACKSTOP_READ_PART_H

#include "base/bytes.h"
#include "read/budget.h"
#include "read/mail.h"

/* A whole message, whose header was read. */
struct message {
	struct bytes bytes;
	const struct headers *headers;
	size_t header_size; /* the empty line included */
};

/* Takes a message apart below parent, which is a message part or NULL. budget is what the outermost
 * message has spent so far, and is moved on. Returns the root of the body. */
struct part *part_build(const void *context, const struct message *message,
	const struct part *parent, struct budget *budget);

#endif
