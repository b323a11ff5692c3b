/*
 * hash.c: in charge of nothing but the calls; what is hashed, and why, its callers know.
 */
#include "base/hash.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

void hash_sha256_parts(const struct hash_part *parts, size_t count, unsigned char *hash_out)
{
	struct sha256_ctx context;

	sha256_init(&context);
	for (size_t i = 0; i < count; i++)
		sha256_update(&context, parts[i].size, parts[i].data);
	sha256_digest(&context, HASH_SHA256_SIZE, hash_out);
}

void hash_sha256(const void *data, size_t size, unsigned char *hash_out)
{
	struct hash_part part = {data, size};

	hash_sha256_parts(&part, 1, hash_out);
}

void hash_hmac_sha256(const unsigned char *key, size_t key_size, const void *data, size_t size,
	unsigned char *mac_out)
{
	struct hmac_sha256_ctx context;

	hmac_sha256_set_key(&context, key_size, key);
	hmac_sha256_update(&context, size, data);
	hmac_sha256_digest(&context, HASH_SHA256_SIZE, mac_out);
	explicit_bzero(&context, sizeof context);
}

void hash_hmac_sha1(const unsigned char *key, size_t key_size, const void *data, size_t size,
	unsigned char *mac_out)
{
	struct hmac_sha1_ctx context;

	hmac_sha1_set_key(&context, key_size, key);
	hmac_sha1_update(&context, size, data);
	hmac_sha1_digest(&context, HASH_SHA1_SIZE, mac_out);
	explicit_bzero(&context, sizeof context);
}

bool hash_equal(const unsigned char *a, const unsigned char *b, size_t size)
{
	return memeql_sec(a, b, size) != 0;
}

bool hash_random(void *data, size_t size)
{
	return getentropy(data, size) == 0;
}
