/* dns_message.h: a message from a DNS server (RFC 1035 section 4) to an answer. Pure. */
#ifndef BACKSTOP_NET_DNS_MESSAGE_H
#define BACKSTOP_NET_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/resolver.h"

/* What the message answers to the question for name (canonical) and type. CNAMEs are followed
 * within the message, DNS_ALIASES_MAX of them; records of other names and types are passed over.
 * False, and the answer is DNS_FAILED, when it is no answer to this question: another question,
 * bytes that make no sense, or an error of the server. Records live on context; of an answer
 * without records ttl_s is that of its not being there (RFC 2308), or 0. */
bool dns_message_read(const void *context, const void *data, size_t size, const char *name,
	enum dns_type type, struct dns_answer *answer_out);

#define DNS_ALIASES_MAX 8
#define DNS_MESSAGE_RECORDS_MAX 2000 /* looked at in one section; a message has 64 KB */

#endif
