/* privacy.c: in charge of what a mark is made of; leaves where the secret is kept, and which
 * addresses are replaced, to state/hide.c. */
#include "base/privacy.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

#define MARK_PREFIX "h:"
#define MARK_DIGITS 16

void privacy_mark(const unsigned char *secret, const char *address, char *mark_out)
{
	unsigned char hash[HASH_SHA256_SIZE];
	char *lower = text_lower(NULL, address);

	hash_hmac_sha256(secret, PRIVACY_SECRET_SIZE, lower, strlen(lower), hash);
	mem_free(lower);
	memcpy(mark_out, MARK_PREFIX, sizeof MARK_PREFIX);
	for (size_t i = 0; i < MARK_DIGITS / 2; i++)
		snprintf(mark_out + strlen(MARK_PREFIX) + 2 * i, 3, "%02x", hash[i]);
}

/* The length of the mark that a text begins with; 0: with none. */
static size_t measure_mark(const char *text)
{
	if (strncmp(text, MARK_PREFIX, strlen(MARK_PREFIX)) != 0 ||
		strspn(text + strlen(MARK_PREFIX), "0123456789abcdef") != MARK_DIGITS)
		return 0;
	return PRIVACY_MARK_MAX - 1;
}

bool privacy_is_mark(const char *text)
{
	size_t length = text == NULL ? 0 : measure_mark(text);

	return length > 0 && text[length] == '\0';
}

bool privacy_has_marks(const char *addresses)
{
	size_t length = addresses == NULL ? 0 : measure_mark(addresses);

	return length > 0 && (addresses[length] == '\0' || addresses[length] == ',');
}
