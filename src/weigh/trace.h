/*
 * trace.h: the hop by which the original reached the host that reports on it, out of the headers
 * that came back. Shared by the checks that look at it.
 */
#ifndef BACKSTOP_WEIGH_TRACE_H
#define BACKSTOP_WEIGH_TRACE_H

#include "classify/bounce.h"
#include "read/received.h"

struct trace {
	const struct hop *hops; /* all, topmost first */
	size_t count;
	const struct hop *entry; /* the topmost that says who connected from outside; NULL when that
				    cannot be told */
	const char *why;	 /* why entry is NULL; static */
};

/* Reads the returned headers. Lines below `entry` are for the forger to write, and are not trusted.
 */
void trace_read(const void *context, const struct original *original, struct trace *trace_out);

/* The addresses that the reporting host itself recorded for the original: "for <...>" of its own
 * hops, Delivered-To and X-Original-To above them. At most max into addresses_out; returns how
 * many. */
size_t trace_recipients(const void *context, const struct original *original,
	const struct trace *trace, const char **addresses_out, size_t max);

#endif
