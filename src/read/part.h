/* part.h: builds the tree of parts from a GMime object; internal to read/. */
#ifndef BACKSTOP_READ_PART_H
#define BACKSTOP_READ_PART_H

#include "base/bytes.h"
#include "read/mail.h"

/* Takes bytes (a whole message) apart below parent, which is a message part or NULL. count is the
 * number of parts so far and is moved on; is_truncated_out is set when a cap was reached. Returns
 * the root of the body. */
struct part *part_build(const void *context, struct bytes message, const struct part *parent,
	size_t *count, bool *is_truncated);

#endif
