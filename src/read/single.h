/* single.h: a message that is one text, told without taking it apart; internal to read/. */
#ifndef BACKSTOP_READ_SINGLE_H
#define BACKSTOP_READ_SINGLE_H

#include "read/leaf.h"
#include "read/part.h"

struct single {
	const char *type;	 /* "text/plain", lower case; NULL: not declared */
	const char *report_type; /* Content-Type's report-type, lower case, or NULL */
	struct leaf leaf;
};

/* True when the header leaves no doubt that the message is one text, and that GMime would read it
 * in the same way. On context; the leaf lends from the message. */
bool single_read(const void *context, const struct message *message, struct single *single_out);

#endif
