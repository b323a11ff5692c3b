/* netaddr.h: IP addresses and blocks of them. IPv4 is kept as ::ffff:a.b.c.d, so that one
 * comparison serves both and a mapped address (Courier, slimta) equals the plain one;
 * so does one that NAT64 made of it (RFC 6052). */
#ifndef BACKSTOP_BASE_NETADDR_H
#define BACKSTOP_BASE_NETADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netaddr {
	uint8_t bytes[16];
};

struct netblock {
	struct netaddr base;
	unsigned prefix; /* bits, 0 to 128; an IPv4 /24 is 96 + 24 */
};

#define NETADDR_TEXT_MAX 46

/* "192.0.2.1", "2001:db8::1", "IPv6:2001:db8::1" (RFC 5321 literal), with or without brackets. */
bool netaddr_parse(const char *text, struct netaddr *address_out);
/* The same with "/bits"; without it the one address. Bits set behind the prefix are an error. */
bool netblock_parse(const char *text, struct netblock *block_out);
/* Dotted quad or RFC 5952 form. text_out has NETADDR_TEXT_MAX bytes. */
void netaddr_format(const struct netaddr *address, char *text_out);
bool netblock_contains(const struct netblock *block, const struct netaddr *address);
/* Loopback, link-local, private and carrier-grade NAT: addresses that a host's own network writes
 * into Received lines and that say nothing about who handed the mail in. */
bool netaddr_is_internal(const struct netaddr *address);

#endif
