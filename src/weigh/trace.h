/*
 * trace.h: the hop by which the original reached the host that reports on it, out of the headers
 * that came back. Shared by the checks that look at it.
 */
#ifndef BACKSTOP_WEIGH_TRACE_H
#define BACKSTOP_WEIGH_TRACE_H

#include "classify/bounce.h"
#include "read/mail.h"
#include "read/received.h"

struct trace {
	const struct hop *hops; /* all, topmost first */
	size_t count;
	const struct hop *entry; /* the topmost that says who connected from outside; NULL when that
				    cannot be told */
	const char *why;	 /* why entry is NULL; static */
	bool is_cut;		 /* there may be more lines below than came back, or were read */
};

/* Reads the returned headers. Lines below `entry` are for the forger to write, and are not trusted.
 */
void trace_read(const void *context, const struct original *original, struct trace *trace_out);

/* The addresses that the reporting host itself recorded for the original: "for <...>" of its own
 * hops, Delivered-To and X-Original-To above them. At most max into addresses_out; returns how
 * many. */
size_t trace_recipients(const void *context, const struct original *original,
	const struct trace *trace, const char **addresses_out, size_t max);

/* True when our own server made the report: it was handed in on the spot or came from inside, by
 * each of its Received lines and by what our server told of the client. False when there is none:
 * then it is not known. Who reports from outside always has a line of our server on top. */
bool trace_is_own_report(const void *context, const struct mail *mail);

#endif
