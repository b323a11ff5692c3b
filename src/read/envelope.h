/*
 * envelope.h: who handed the message over, from and to whom (RFC 5321). The mail server tells us on
 * the command line; offline it is read from the trace fields that a final delivery adds.
 */
#ifndef BACKSTOP_READ_ENVELOPE_H
#define BACKSTOP_READ_ENVELOPE_H

#include <stdbool.h>

#include "base/netaddr.h"
#include "read/header.h"

struct envelope {
	bool has_sender;
	const char *sender;    /* normalised; "" is the null reverse-path */
	const char *recipient; /* as handed over, NULL when not known */
	const char *original_recipient;
	bool is_original_hearsay; /* it stands in a field, though the recipient was told: a stranger
				     may have written it, so the recipient comes first */
	bool is_recipient_told;	  /* by the mail server, not found in a field */
	bool has_client;
	struct netaddr client; /* who connected to our server */
	const char *client_helo;
	const char *client_name; /* by reverse DNS, checked by our server; "unknown" is NULL */
	const char *queue_id;
};

/* Fills what is not set yet from Return-Path (or the mbox From line's sender, may be NULL),
 * X-Original-To and Delivered-To, and the topmost Received field. Strings on context. */
void envelope_complete(const void *context, const struct headers *headers,
	const char *from_line_sender, struct envelope *envelope);

/* The address that this message came in for, in the form the sender used: the original recipient if
 * known, else the recipient; NULL. */
const char *envelope_address(const struct envelope *envelope);

#endif
