/*
 * hash.h: hashes, authentication codes and random bytes.
 *
 * By nettle and the C library, which need no setting up: a delivery is one process, and OpenSSL's
 * start alone took a tenth of it. OpenSSL stays where keys of DKIM are read (dkim_key.h).
 */
#ifndef BACKSTOP_BASE_HASH_H
#define BACKSTOP_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>

#define HASH_SHA1_SIZE 20
#define HASH_SHA256_SIZE 32

struct hash_part {
	const void *data;
	size_t size;
};

/* SHA-256 (FIPS 180-4) of the parts, one behind the other. hash_out: HASH_SHA256_SIZE bytes. */
void hash_sha256_parts(const struct hash_part *parts, size_t count, unsigned char *hash_out);
void hash_sha256(const void *data, size_t size, unsigned char *hash_out);

/* HMAC (RFC 2104) with SHA-256 and with SHA-1, HASH_..._SIZE bytes each. */
void hash_hmac_sha256(const unsigned char *key, size_t key_size, const void *data, size_t size,
	unsigned char *mac_out);
void hash_hmac_sha1(const unsigned char *key, size_t key_size, const void *data, size_t size,
	unsigned char *mac_out);

/* In a time that does not tell where they differ. */
bool hash_equal(const unsigned char *a, const unsigned char *b, size_t size);

/* From the kernel's generator; at most 256 bytes. False: it has none, and data is not filled. */
bool hash_random(void *data, size_t size);

#endif
