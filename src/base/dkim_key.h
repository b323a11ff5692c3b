/*
 * dkim_key.h: public keys of DKIM (RFC 6376 section 3.6.1, RFC 8463), out of files and DNS records.
 */
#ifndef BACKSTOP_BASE_DKIM_KEY_H
#define BACKSTOP_BASE_DKIM_KEY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

#define DKIM_KEY_FILE_MAX (16 * 1024)
#define DKIM_KEY_BITS_MIN 1024 /* of RSA, RFC 8301 section 3.2 */

struct dkim_key {
	const char *type;   /* "rsa" or "ed25519"; static */
	const char *record; /* "k=rsa; p=BASE64": RSA as SubjectPublicKeyInfo, Ed25519 as bytes */
	int bits;	    /* 256 for Ed25519 */
};

/* Reads a key as people keep it: PEM ("BEGIN PUBLIC KEY", "BEGIN RSA PUBLIC KEY"), the text of a
 * DNS record ("v=DKIM1; k=rsa; p=..."), the same in quotes as a zone file has it, or bare base64.
 * Of a record, the limits of use (h=, s=, t=) are not looked at. STATUS_DATA: it is none;
 * STATUS_NOT_FOUND: it is revoked (an empty p=). error_out: a phrase for people, on context, that
 * repeats nothing of the text; NULL when all is well. STATUS_IO: OpenSSL cannot be loaded. */
enum status dkim_key_parse(
	const void *context, struct bytes text, struct dkim_key *key_out, const char **error_out);

/* The same from a file. A private key is refused with STATUS_PERMISSION, and so is a file that
 * every user may write. error_out begins with the path. */
enum status dkim_key_read(
	const void *context, const char *path, struct dkim_key *key_out, const char **error_out);

/* True when an RSA signature (base64, white space ignored) was made with the private half of key,
 * whatever it signs: its padding is right (RFC 8017 section 8.2.2). That it was not is known only
 * when *is_known_out; of Ed25519, and of a signature whose length is not the key's, it never is. */
bool dkim_key_has_made(const struct dkim_key *key, const char *signature, bool *is_known_out);

#endif
