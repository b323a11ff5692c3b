/*
 * sendmail_args.h: sendmail's command line, as far as a stand-in for it must understand it: who
 * sends, to whom, and whether this is a submission at all. What it does not know it keeps as it
 * stands, for the real one to judge. Pure: looks at words only.
 */
#ifndef BACKSTOP_CMD_SENDMAIL_ARGS_H
#define BACKSTOP_CMD_SENDMAIL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct sendmail_args {
	bool is_submission; /* false: -bs, -bp, -q and their kin, or a value is missing */
	const char *sender; /* of the last -f or -r, as written; NULL: none given; "" is null */
	bool reads_header;  /* -t: the header names the recipients */
	const char *envelope_id; /* of the last -V, or NULL */
	bool ignores_dots;	 /* -i, -oi: a line with a single dot does not end the message */
	const char *const *recipients; /* the words that are no options, as written */
	size_t recipient_count;
	const char *const *kept; /* options and their values but -f, -r, -t, -i and -bm */
	size_t kept_count;
};

/* Takes the words behind the program's name apart, as getopt(3) does: clusters (-ti), values joined
 * or separate, options behind recipients, "--". Arrays are on context, words are lent or on
 * context. */
void sendmail_args_parse(
	const void *context, char *const *words, size_t word_count, struct sendmail_args *args_out);

#endif
