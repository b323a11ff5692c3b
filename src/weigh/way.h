/*
 * way.h: by which way the original reached the reporter, as its returned Received lines tell it.
 * Shared by the checks that must know of forwarders.
 */
#ifndef BACKSTOP_WEIGH_WAY_H
#define BACKSTOP_WEIGH_WAY_H

#include "weigh/trace.h"
#include "weigh/weigh.h"

enum way_kind {
	WAY_UNKNOWN = 0, /* it cannot be told */
	WAY_OURS,	 /* the reporter got it from a host of ours */
	WAY_OTHERS,	 /* it did not, but another line names one: a forwarder, or a fake */
	WAY_FOREIGN,	 /* no line names a host of ours */
	WAY_DOUBTFUL	 /* the same, by a record that ends with ~all */
};

struct way {
	enum way_kind kind;
	struct trace trace;
	const char *why; /* of WAY_UNKNOWN, for people */
	bool is_linked;	 /* of WAY_OTHERS: who handed it to the reporter has written a line, too, or
			    may have */
	bool is_named;	 /* a line that is not the reporter's own hop names a host of ours */
	bool is_open; /* whether one does could not be found out: DNS gave no answer, or the trace
			 is not whole */
};

/* Found once a message, which may ask DNS for SPF records; kept in the notes of input. Lent from
 * context. */
const struct way *way_find(const void *context, const struct weigh_input *input);

#endif
