/*
 * dkim.h: where the check dkim gets public keys from that are in DNS. Behind an interface, so that
 * a test is its own DNS.
 */
#ifndef BACKSTOP_WEIGH_DKIM_H
#define BACKSTOP_WEIGH_DKIM_H

#include "net/resolver.h"

struct dkim_records {
	/* The TXT record at name (SELECTOR._domainkey.DOMAIN), its strings joined, on context:
	 * text_out is set for DNS_FOUND alone. */
	enum dns_outcome (*find)(
		void *argument, const void *context, const char *name, const char **text_out);
	void *argument;
};

/* The records as a resolver finds them: of several at a name, the first that has a key (p=). The
 * resolver must outlive records_out. */
void dkim_records_open(struct resolver *resolver, struct dkim_records *records_out);

#endif
