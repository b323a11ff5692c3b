/*
 * netaddr.c: IP addresses and blocks. inet_pton and inet_ntop do the text; in charge here are the
 * shapes that mail puts around it and the one form (16 bytes, IPv4 mapped) that all else compares.
 */
#include "base/netaddr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
/* RFC 6052, section 2.1: what a host behind NAT64 sees of an IPv4 client. */
static const uint8_t translated[12] = {0x00, 0x64, 0xFF, 0x9B};

enum { MAPPED_BITS = 96 };

/* Longer than any address in any of the forms, "[IPv6:" and "]" included. */
#define INPUT_MAX 64

static bool parse(const char *text, bool *is_v4_out, struct netaddr *address_out)
{
	char copy[INPUT_MAX];
	char *start = copy;
	size_t size = strnlen(text, sizeof copy);
	bool must_be_v6;

	if (size == 0 || size == sizeof copy)
		return false;
	memcpy(copy, text, size + 1);
	if (*start == '[') {
		if (copy[size - 1] != ']')
			return false;
		copy[size - 1] = '\0';
		start++;
	}
	must_be_v6 = text_starts_fold(start, "IPv6:");
	if (must_be_v6)
		start += strlen("IPv6:");
	*is_v4_out = !must_be_v6 && strchr(start, ':') == NULL;
	if (!*is_v4_out)
		return inet_pton(AF_INET6, start, address_out->bytes) == 1;
	memcpy(address_out->bytes, mapped, sizeof mapped);
	return inet_pton(AF_INET, start, address_out->bytes + sizeof mapped) == 1;
}

bool netaddr_parse(const char *text, struct netaddr *address_out)
{
	struct netaddr address;
	bool is_v4;

	if (text == NULL || !parse(text, &is_v4, &address))
		return false;
	if (memcmp(address.bytes, translated, sizeof translated) == 0)
		memcpy(address.bytes, mapped, sizeof mapped);
	*address_out = address;
	return true;
}

/* One to three digits. */
static bool parse_bits(const char *text, unsigned most, unsigned *bits_out)
{
	unsigned bits = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits] != '\0')
		return false;
	for (size_t i = 0; i < digits; i++)
		bits = bits * 10 + (unsigned)(text[i] - '0');
	*bits_out = bits;
	return bits <= most;
}

/* The bits of byte i that belong to the prefix. */
static uint8_t prefix_mask(unsigned prefix, unsigned i)
{
	if (prefix >= (i + 1) * 8)
		return 0xFF;
	if (prefix <= i * 8)
		return 0;
	return (uint8_t)(0xFF00u >> (prefix - i * 8));
}

bool netblock_parse(const char *text, struct netblock *block_out)
{
	const char *slash = text != NULL ? strchr(text, '/') : NULL;
	struct netblock block = {.prefix = 128};
	char address[INPUT_MAX];
	bool is_v4;
	unsigned bits;

	if (slash == NULL) {
		if (!netaddr_parse(text, &block.base))
			return false;
		*block_out = block;
		return true;
	}
	if ((size_t)(slash - text) >= sizeof address)
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!parse(address, &is_v4, &block.base) || !parse_bits(slash + 1, is_v4 ? 32 : 128, &bits))
		return false;
	block.prefix = is_v4 ? MAPPED_BITS + bits : bits;
	for (unsigned i = 0; i < sizeof block.base.bytes; i++) {
		if (block.base.bytes[i] & ~prefix_mask(block.prefix, i))
			return false;
	}
	*block_out = block;
	return true;
}

void netaddr_format(const struct netaddr *address, char *text_out)
{
	bool is_v4 = memcmp(address->bytes, mapped, sizeof mapped) == 0;
	const void *bytes = is_v4 ? address->bytes + sizeof mapped : address->bytes;

	/* Cannot fail: the family is known and NETADDR_TEXT_MAX is INET6_ADDRSTRLEN. */
	inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, text_out, NETADDR_TEXT_MAX);
}

_Static_assert(NETADDR_TEXT_MAX >= INET6_ADDRSTRLEN, "an IPv6 address fits");

bool netblock_contains(const struct netblock *block, const struct netaddr *address)
{
	for (unsigned i = 0; i < sizeof address->bytes; i++) {
		uint8_t differing = block->base.bytes[i] ^ address->bytes[i];

		if (differing & prefix_mask(block->prefix, i))
			return false;
	}
	return true;
}

#define V4(a, b, bits)                                                                             \
	{                                                                                          \
		{{[10] = 0xFF, [11] = 0xFF, [12] = (a), [13] = (b)}}, MAPPED_BITS + (bits)         \
	}

bool netaddr_is_internal(const struct netaddr *address)
{
	static const struct netblock blocks[] = {
		V4(0, 0, 8),	      /* this network: RFC 1122 section 3.2.1.3 */
		V4(10, 0, 8),	      /* private: RFC 1918 */
		V4(100, 64, 10),      /* carrier-grade NAT: RFC 6598 */
		V4(127, 0, 8),	      /* loopback */
		V4(169, 254, 16),     /* link-local: RFC 3927 */
		V4(172, 16, 12),      /* private */
		V4(192, 168, 16),     /* private */
		{{{0}}, 127},	      /* :: and ::1 */
		{{{0xFC}}, 7},	      /* unique local: RFC 4193 */
		{{{0xFE, 0x80}}, 10}, /* link-local: RFC 4291 */
	};

	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
		if (netblock_contains(&blocks[i], address))
			return true;
	}
	return false;
}
