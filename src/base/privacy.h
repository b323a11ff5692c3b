/*
 * privacy.h: what is kept of the addresses of people: the address, a mark in its place by which the
 * same address is known again, or nothing.
 */
#ifndef BACKSTOP_BASE_PRIVACY_H
#define BACKSTOP_BASE_PRIVACY_H

#include <stdbool.h>

enum privacy { PRIVACY_FULL = 0, PRIVACY_HASH, PRIVACY_NONE };

#define PRIVACY_SECRET_SIZE 32
#define PRIVACY_MARK_MAX 19 /* "h:", 16 hex digits, NUL */

/* The mark of an address: "h:" and 64 bits of HMAC-SHA-256 over it in lower case. Without the
 * secret it can neither be undone nor compared with that of another host. mark_out: room for
 * PRIVACY_MARK_MAX. */
void privacy_mark(const unsigned char *secret, const char *address, char *mark_out);

/* True for a text that is a mark, and no address. */
bool privacy_is_mark(const char *text);

/* The same of the first of "a, b": whether addresses were replaced. NULL: no. */
bool privacy_has_marks(const char *addresses);

#endif
