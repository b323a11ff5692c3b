/*
 * prvs.h: checks the tags that another program signs: "prvs=KDDDSSSSSS=USER@DOMAIN" of the BATV
 * draft (draft-levine-smtp-batv-01), as Exim, batv-tools and several filters make them.
 *
 *   K      = number of the key, one digit
 *   DDD    = the day on which it expires: days since 1970, modulo 1000
 *   SSSSSS = the first 3 bytes, in hex, of HMAC-SHA1(key, KDDD + USER@DOMAIN)
 *
 * 24 bits, for the sender alone: whoever has got a mail of this sender in the last days has a valid
 * one. So a valid one proves little; a bad one says much.
 */
#ifndef BACKSTOP_BASE_PRVS_H
#define BACKSTOP_BASE_PRVS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define PRVS_KEYS_MAX 32
#define PRVS_SECRET_MAX 256 /* bytes */

struct prvs_key {
	unsigned id; /* 0 to 9 */
	size_t size;
	unsigned char secret[PRVS_SECRET_MAX];
};

struct prvs_keys {
	const char *path;
	size_t count;
	struct prvs_key items[PRVS_KEYS_MAX];
};

enum prvs_result {
	PRVS_ABSENT = 0, /* no tag of this form */
	PRVS_VALID,
	PRVS_EXPIRED, /* the signature is right, the day is not */
	PRVS_BAD,     /* there is a key of that number, and no such key signed it */
	PRVS_NO_KEY   /* no key of that number */
};

/* Reads a key file: one key a line, "NUMBER SECRET", or the secret alone, which has number 0; '#'
 * comments. Several keys may have one number. A secret that is an even number of hex digits, 16 at
 * least, counts both as text and as the bytes that it spells. Who may read the file, and
 * error_out, as for tag_keys_read. STATUS_DATA names the line. */
enum status prvs_keys_read(
	const void *context, const char *path, struct prvs_keys **keys_out, const char **error_out);

/* Checks tag (KDDDSSSSSS) around address, which is tried as it is and in lower case. lifetime_s:
 * how long the signer's tags live; right across the wrap of the day: (DDD - today) modulo 1000 is
 * at most that many days. keys NULL: none. */
enum prvs_result prvs_check(const struct prvs_keys *keys, const char *tag, const char *address,
	int64_t lifetime_s, int64_t now);

const char *prvs_result_name(enum prvs_result result);

#endif
