/*
 * received.h: Received fields (RFC 5321 section 4.4) as Postfix, Exim, sendmail, qmail, Exchange,
 * Courier, OpenSMTPD and others really write them: who connected, to whom, when.
 */
#ifndef BACKSTOP_READ_RECEIVED_H
#define BACKSTOP_READ_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/netaddr.h"
#include "read/header.h"

#define HOP_COUNT_MAX 100 /* fields of one block that are read */

struct hop {
	bool has_client;
	struct netaddr client;	 /* the address that connected; never what it said in HELO */
	const char *client_name; /* the name by reverse DNS, where the writer gives one */
	const char *helo;
	const char *by;		 /* the host that wrote the field, lower case */
	const char *for_address; /* normalised */
	bool is_qmail;		 /* "(qmail N invoked ...)": an inner hop without addresses */
	bool is_local;		 /* handed in by a user or program on the host itself */
	long long time_s;	 /* 0 when there is no date */
};

/* Takes one value apart. False when it is not recognisable as a Received field. */
bool received_parse(const void *context, const char *value, struct hop *hop_out);

/* The Received fields of a block, topmost first; count_out of them, at most
 * HOP_COUNT_MAX. */
struct hop *received_chain(const void *context, const struct headers *headers, size_t *count_out);

#endif
