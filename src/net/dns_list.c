/*
 * dns_list.c: in charge of the name under which a list has an address (RFC 5782 sections 2.1 and
 * 2.4) and of taking nothing but a listing for a listing. What that weighs is the weigher's
 * business.
 */
#include "net/dns_list.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

/* "1.2.0.192.ZONE"; for IPv6 the 32 hexadecimal digits, last first. */
static char *make_name(const void *context, const char *zone, const struct netaddr *address)
{
	const uint8_t *bytes = address->bytes;
	char *name;

	if (memcmp(bytes, mapped, sizeof mapped) == 0)
		return mem_printf(context, "%u.%u.%u.%u.%s", bytes[15], bytes[14], bytes[13],
			bytes[12], zone);
	name = mem_strdup(context, "");
	for (size_t i = sizeof address->bytes; i > 0; i--)
		name = mem_append(name, "%x.%x.", bytes[i - 1] & 0x0F, bytes[i - 1] >> 4);
	return mem_append(name, "%s", zone);
}

static const struct {
	struct netblock block;
	const char *why;
} no_listings[] = {
	{{{{[10] = 0xFF, 0xFF, 127, 255, 255, 0}}, 120}, "the list refuses to answer us"},
	{{{{[10] = 0xFF, 0xFF, 127, 0, 0, 1}}, 128}, "the list is out of service"},
};

/* NULL when the answer is a listing. */
static const char *find_objection(const struct netaddr *answer)
{
	static const struct netblock listings = {{{[10] = 0xFF, 0xFF, 127}}, 104};

	if (!netblock_contains(&listings, answer))
		return "the answer is none that a list gives; the resolver may answer everything";
	for (size_t i = 0; i < sizeof no_listings / sizeof no_listings[0]; i++) {
		if (netblock_contains(&no_listings[i].block, answer))
			return no_listings[i].why;
	}
	return NULL;
}

/* Every record must be a listing: one that is not spoils the answer. */
static enum dns_list_result judge(
	const void *context, const struct dns_answer *answer, const char **why_out)
{
	char shown[NETADDR_TEXT_MAX];

	for (size_t i = 0; i < answer->count; i++) {
		const char *objection = find_objection(&answer->records[i].address);

		if (objection == NULL)
			continue;
		*why_out = mem_strdup(context, objection);
		return DNS_LIST_UNAVAILABLE;
	}
	netaddr_format(&answer->records[0].address, shown);
	*why_out = mem_strdup(context, shown);
	return DNS_LIST_PRESENT;
}

enum dns_list_result dns_list_ask(struct resolver *resolver, const void *context, const char *zone,
	const struct netaddr *address, const char **why_out)
{
	void *scratch = mem_context(NULL, "list");
	enum dns_list_result result = DNS_LIST_UNAVAILABLE;
	struct dns_answer answer;

	*why_out = NULL;
	resolver_ask(resolver, scratch, make_name(scratch, zone, address), DNS_A, &answer);
	switch (answer.outcome) {
	case DNS_FOUND:
		result = judge(context, &answer, why_out);
		break;
	case DNS_NO_DATA:
	case DNS_NO_DOMAIN:
		result = DNS_LIST_ABSENT;
		break;
	case DNS_FAILED:
		*why_out = mem_strdup(context, answer.why);
		break;
	}
	mem_free(scratch);
	return result;
}
