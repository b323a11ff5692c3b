/* privacy.c: in charge of what a mark is made of; leaves where the secret is kept, and which
 * addresses are replaced, to state/hide.c. */
#include "base/privacy.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define MARK_PREFIX "h:"
#define MARK_DIGITS 16

bool privacy_mark(const unsigned char *secret, const char *address, char *mark_out)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	char *lower = text_lower(NULL, address);
	bool is_made = HMAC(EVP_sha256(), secret, PRIVACY_SECRET_SIZE, (unsigned char *)lower,
			       strlen(lower), hash, &size) != NULL &&
		       size >= MARK_DIGITS / 2;

	mem_free(lower);
	if (!is_made)
		return false;
	memcpy(mark_out, MARK_PREFIX, sizeof MARK_PREFIX);
	for (size_t i = 0; i < MARK_DIGITS / 2; i++)
		snprintf(mark_out + strlen(MARK_PREFIX) + 2 * i, 3, "%02x", hash[i]);
	return true;
}

bool privacy_is_mark(const char *text)
{
	return text != NULL && strncmp(text, MARK_PREFIX, strlen(MARK_PREFIX)) == 0 &&
	       strlen(text) == PRIVACY_MARK_MAX - 1 &&
	       strspn(text + strlen(MARK_PREFIX), "0123456789abcdef") == MARK_DIGITS;
}
