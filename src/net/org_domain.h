/*
 * org_domain.h: which host and domain names belong to one organisation (RFC 7489 section 3.2), by
 * the Public Suffix List (libpsl).
 */
#ifndef BACKSTOP_NET_ORG_DOMAIN_H
#define BACKSTOP_NET_ORG_DOMAIN_H

#include <stdbool.h>

/* The organisational domain of a name in lower case: "mx.mail.example.co.uk" gives
 * "example.co.uk". Lent from name; NULL for a public suffix itself, an IP address, or no name. */
const char *org_domain_find(const char *name);

/* True when both names have the same organisational domain, or one is below the other and that is
 * no public suffix. NULL shares nothing. */
bool org_domain_is_shared(const char *a, const char *b);

#endif
