/*
 * resolver.h: DNS (c-ares), one resolver for all that ask: DKIM keys, SPF, DNS lists, host names.
 *
 * Every question of a message is paid for from one budget of time: when that is spent, all further
 * answers are DNS_FAILED at once. So they are for a minute after no server answered at all, in this
 * process and, by the cache, in others: an outage must not make the mail server's queue grow. A
 * failed answer never counts against a bounce: who asked says "unavailable".
 */
#ifndef BACKSTOP_NET_RESOLVER_H
#define BACKSTOP_NET_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/status.h"

#define DNS_RECORDS_MAX 100 /* of one answer; more are left out */

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };

enum dns_outcome {
	DNS_FOUND = 0,
	DNS_NO_DATA,   /* the name exists, without records of this type */
	DNS_NO_DOMAIN, /* the name does not exist */
	DNS_FAILED     /* no server answered in time, or none that made sense */
};

struct dns_record {
	const char *text; /* PTR, MX: host name, lower case, without final dot; TXT: its strings
			     joined, `size` bytes and a NUL; A, AAAA: NULL */
	size_t size;
	struct netaddr address; /* A, AAAA */
	unsigned preference;	/* MX */
};

/* Strings live on the context given to resolver_ask. */
struct dns_answer {
	enum dns_outcome outcome;
	const struct dns_record *records;
	size_t count;
	int64_t ttl_s;	 /* the lowest of the records' */
	const char *why; /* of DNS_FAILED, a phrase for people; static */
};

/* Answers that outlive the process; the pipeline introduces the state to the resolver with it.
 * What is stored is a message in DNS wire format (RFC 1035 section 4). */
struct resolver_cache {
	/* True when there is an answer that has not expired; *data_out on context. */
	bool (*find)(void *argument, const void *context, const char *name, enum dns_type type,
		const void **data_out, size_t *size_out);
	void (*store)(void *argument, const char *name, enum dns_type type, const void *data,
		size_t size, int64_t ttl_s);
	void *argument;
};

struct resolver_options {
	const char *const *servers; /* "ADDRESS", "ADDRESS:PORT", "[IPV6]:PORT"; none: those of
				       /etc/resolv.conf */
	size_t server_count;
	int timeout_ms;		     /* of one question to one server */
	int budget_ms;		     /* of all questions of one message together */
	struct resolver_cache cache; /* find and store NULL: none */
};

struct resolver;

/* Asks nothing yet, and opens nothing: that waits for the first question. options and what it
 * points to must outlive the resolver. Never NULL; a library that cannot be set up is DNS_FAILED
 * later. error_out (may be NULL) is set to NULL. Closed with its context. */
struct resolver *resolver_new(
	const void *context, const struct resolver_options *options, const char **error_out);

/* Gives the next message its whole budget: the clock runs from here. Names that could not be found
 * out for the message before are tried again. */
void resolver_begin_message(struct resolver *resolver);

/* Asks, or takes the answer from memory: a name is asked for once a message. Waits for the answer.
 * Names that cannot be names in DNS are DNS_NO_DOMAIN. */
void resolver_ask(struct resolver *resolver, const void *context, const char *name,
	enum dns_type type, struct dns_answer *answer_out);

/* Milliseconds of the message's budget that are left. */
int resolver_budget_ms(const struct resolver *resolver);

#endif
