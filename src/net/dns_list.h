/* dns_list.h: is an IP address in a DNS list (RFC 5782)? */
#ifndef BACKSTOP_NET_DNS_LIST_H
#define BACKSTOP_NET_DNS_LIST_H

#include "base/netaddr.h"
#include "net/resolver.h"

enum dns_list_result {
	DNS_LIST_UNAVAILABLE = 0, /* no answer, or one that a list does not give */
	DNS_LIST_ABSENT,
	DNS_LIST_PRESENT
};

/* Asks the list whose zone it is ("ips.example.org"). Answers outside 127.0.0.0/8 come from
 * resolvers that answer everything; 127.255.255.0/24 are the errors of Spamhaus and others (too
 * many questions, a public resolver); 127.0.0.1 is the sign of a zone that was taken off (RFC 5782
 * section 5): all of them are DNS_LIST_UNAVAILABLE. why_out: a phrase for people, on context, of
 * DNS_LIST_UNAVAILABLE; of DNS_LIST_PRESENT the address that was answered; else NULL. */
enum dns_list_result dns_list_ask(struct resolver *resolver, const void *context, const char *zone,
	const struct netaddr *address, const char **why_out);

#endif
