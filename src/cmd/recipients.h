/*
 * recipients.h: to whom a message handed to sendmail goes, from its command line and, with -t, its
 * header.
 */
#ifndef BACKSTOP_CMD_RECIPIENTS_H
#define BACKSTOP_CMD_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/sendmail_args.h"
#include "read/header.h"

struct addressee {
	const char *word;    /* as it was written, for the real sendmail */
	const char *address; /* normalised; NULL when word is not exactly one full address */
};

struct addressees {
	/* True when items are all there is, each can have a run of its own, and -t is not needed.
	 * Two spellings of one address are one item. */
	bool can_split;
	struct addressee *items;
	size_t count;
	/* All full addresses found, normalised, for the ledger; whether or not it can be split. */
	const char **addresses;
	size_t address_count;
};

/* On context; lends from args. headers: of a message that begins with them (is_header_whole), used
 * only with -t. */
void recipients_collect(const void *context, const struct sendmail_args *args,
	const struct headers *headers, bool is_header_whole, struct addressees *recipients_out);

/* True for a field that must not reach a recipient: Bcc, Resent-Bcc. */
bool recipients_is_secret(const char *field_name);

#endif
