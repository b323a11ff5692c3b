/*
 * dump.h: the whole state as text, and back.
 *
 *	backstop-dump 1
 *	database events
 *	=\00\00\65 \01...
 *	end 1
 *
 * One record a line: its key, a space, its value. Bytes that are printable ASCII stand for
 * themselves, but for the backslash; all others are a backslash and two hex digits; "\e" alone is
 *an empty value. Records ascend by the bytes of their keys. Without the last line, which has their
 * number, a dump is cut short.
 */
#ifndef BACKSTOP_STATE_DUMP_H
#define BACKSTOP_STATE_DUMP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "state/state.h"

struct dump_result {
	uint64_t records;
	uint64_t left_out;   /* records that do not decode */
	unsigned unreadable; /* databases that could be read in part only, by damage */
};

/* Writes all records to out, from one snapshot: while it is read, the file grows by what others
 * write. Records that do not decode, and what damage hides, are left out and counted. STATUS_IO
 * when out cannot be written. */
enum status state_dump(struct state *state, FILE *out, struct dump_result *result_out);

struct load_result {
	uint64_t records;
	const char
		*set_aside; /* where the replaced file is now, on context; NULL: there was none */
};

/* Makes a state of a dump: reads and checks all of it into an environment of its own, and puts that
 * in place at once, so that a failure or a kill leaves what was there. What was there has to be
 * empty, or is_replacing: then it is kept under another name. STATUS_DATA when the dump is no good,
 * STATUS_DIFFERENT when there is something, STATUS_TIMEOUT when the state is in use all the time.
 * error_out: a sentence, on context. The directory must not be open in this process. */
enum status state_load(const void *context, const char *directory, FILE *in, bool is_replacing,
	struct load_result *result_out, const char **error_out);

/* A copy of the database that can be used as a state, made while others write: data.mdb in target,
 * a directory that is made if it is not there, and must have no data.mdb. Without free pages, and
 * durable when this returns STATUS_OK. error_out: a sentence, on context. */
enum status state_copy(
	const void *context, struct state *state, const char *target, const char **error_out);

#endif
