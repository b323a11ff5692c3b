/*
 * org_domain.c: in charge of organisational domains. The Public Suffix List knows under which names
 * strangers register side by side; how many labels a name has says nothing ("co.uk").
 *
 * The example domains of RFC 2606 are such names as well: everybody's documentation and test
 * networks are below them, and two of those are no more one organisation than two names below .com.
 */
#include "net/org_domain.h"

#include <libpsl.h>
#include <stddef.h>
#include <string.h>

#include "base/netaddr.h"

static bool is_everybodys(const char *domain)
{
	static const char *const names[] = {"example.com", "example.net", "example.org"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(domain, names[i]) == 0)
			return true;
	}
	return false;
}

/* One label more of name than its part `domain`; NULL when there is none. */
static const char *widen(const char *name, const char *domain)
{
	const char *start = domain;

	if (start - name < 2 || start[-1] != '.')
		return NULL;
	for (start--; start > name && start[-1] != '.'; start--) {
	}
	return start;
}

static const char *find_registered(const char *name)
{
	struct netaddr address;

	if (name == NULL || *name == '\0' || *name == '.' || netaddr_parse(name, &address))
		return NULL;
	return psl_registrable_domain(psl_builtin(), name);
}

const char *org_domain_find(const char *name)
{
	const char *domain = find_registered(name);

	return domain != NULL && is_everybodys(domain) ? widen(name, domain) : domain;
}

/* True when name is domain or below it, and domain is registered: somebody's. */
static bool is_within(const char *name, const char *domain)
{
	size_t name_size = strlen(name), size = strlen(domain);

	if (find_registered(domain) == NULL || name_size < size ||
		strcmp(name + name_size - size, domain) != 0)
		return false;
	return name_size == size || name[name_size - size - 1] == '.';
}

bool org_domain_is_shared(const char *a, const char *b)
{
	const char *org_a = org_domain_find(a), *org_b = org_domain_find(b);

	if (a == NULL || b == NULL)
		return false;
	if (is_within(a, b) || is_within(b, a))
		return true;
	return org_a != NULL && org_b != NULL && strcmp(org_a, org_b) == 0;
}
