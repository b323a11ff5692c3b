/* dns_name.h: which names can be asked for in DNS, and in which spelling. */
#ifndef BACKSTOP_NET_DNS_NAME_H
#define BACKSTOP_NET_DNS_NAME_H

#include <stdbool.h>

#define DNS_NAME_MAX 253 /* RFC 1035 section 2.3.4, as text without the final dot */

/* The one spelling of a name: ASCII, lower case, without final dot; names in UTF-8 in their A-label
 * form (RFC 5891). NULL for what cannot be asked for: NULL, "", empty labels, labels over 63 and
 * names over DNS_NAME_MAX octets, white space, control characters, backslashes, 8-bit bytes that
 * are no name. Whatever else stands in a label may: SPF macros put local parts there. */
char *dns_name_canonical(const void *context, const char *name);

/* True when expanded, as c-ares writes names out of messages, is the canonical name. */
bool dns_name_equal(const char *canonical, const char *expanded);

#endif
