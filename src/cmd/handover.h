/*
 * handover.h: giving a submitted message to the real sendmail, in one run or in one for each
 * recipient, and what comes of it as one exit code.
 */
#ifndef BACKSTOP_CMD_HANDOVER_H
#define BACKSTOP_CMD_HANDOVER_H

#include <stddef.h>

#include "base/bytes.h"
#include "cmd/sendmail_args.h"

/* One start of the real sendmail with a sender of our making. */
struct run {
	const char *word;    /* the recipient; NULL: those of the command line, or of -t */
	const char *address; /* normalised, or NULL */
	const char *sender;  /* for -f; NULL: as it was given */
	const char *id;	     /* opaque id in the sender's tag, or NULL */
	int code;	     /* how it ended: 0 when it was handed over */
};

struct handover {
	const char *sendmail;
	char *const *words; /* its command line as it was given to us */
	size_t word_count;
	const struct sendmail_args *args; /* the same, taken apart */
	const char *envelope_id;	  /* for -V of our making, or NULL */
	const struct bytes *pieces;	  /* the message */
	size_t piece_count;
	struct run *runs; /* instead of one run of the words as they are */
	size_t run_count; /* 0: none */
};

/* Runs and waits. The exit code that submit has to end with: 0 when all was handed over; the real
 * sendmail's own when nothing was, or when it refused single addresses; EX_TEMPFAIL when a part was
 * not. Logs all but 0 and what the real one has said itself. */
int handover_run(const void *context, const struct handover *handover);

#endif
