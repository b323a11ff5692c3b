/*
 * address.h: mail addresses as strings (RFC 5321 section 4.1.2): one spelling for comparing and
 * hashing. Knows nothing of headers; read/ takes addresses out of those.
 */
#ifndef BACKSTOP_BASE_ADDRESS_H
#define BACKSTOP_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_MAX 998 /* longer is no address; RFC 5321 allows 254, X.400 gateways write more */

/* One spelling: without white space around it, angle brackets, a source route (@a,@b:), "rfc822;"
 * in front, needless quotes, a dot behind the domain; in lower case throughout. Local parts are
 * compared without case, as all mail software that we meet does. Empty input, no text before or
 * after the last @, or more than ADDRESS_MAX gives NULL. */
char *address_normalise(const void *context, const char *address);

/* True when both normalise to the same text. */
bool address_equal(const char *a, const char *b);

/* The part behind the last @, or NULL. Lent from address. */
const char *address_domain(const char *address);

/* A copy of the part before the last @, or of the whole when there is none. */
char *address_local(const void *context, const char *address);

/* "", "<>", and MAILER-DAEMON with or without a domain: what MTAs hand over for the null
 * reverse-path (Postfix pipe(8) ${sender}). */
bool address_is_null_sender(const char *sender);

/* The address that a VERP local part names, or NULL: behind the first '+' or "-bounces-" style
 * delimiter, "user=domain" (Mailman, Postfix XVERP, ezmlm, mlmmj). */
char *address_from_verp(const void *context, const char *local_part);

/* True when address is mailbox@domain itself, or it with something behind the recipient delimiter
 * '+': mailbox+anything@domain, or mailbox-anything@domain where anything contains a '=' (VERP with
 * '-'). Both normalised first. */
bool address_is_form_of(const char *address, const char *base);

#endif
