/*
 * way.c: in charge of the way by which the original reached the reporter: was the client of the hop
 * that it recorded one of our hosts, or does a line further down name one? The domain's `senders`
 * say so; where none are configured, its SPF record does. What that weighs is hop.c's business.
 *
 * A softfail is "doubtful": a domain that ends its record with ~all does not say that others are
 * forgers. What is between (neutral, none, errors) is not known.
 */
#include "weigh/way.h"

#include <string.h>

#include "base/memory.h"
#include "net/org_domain.h"
#include "net/spf.h"

#define SPF_HOPS_MAX 3 /* lines of a chain whose clients SPF is asked about */

/* Whether an address is a host of ours. */
enum owner { OWNER_UNKNOWN = 0, OWNER_OURS, OWNER_FOREIGN, OWNER_DOUBTFUL };

static enum owner find_by_senders(const struct domain_config *domain, const struct netaddr *address)
{
	for (size_t i = 0; i < domain->sender_count; i++) {
		if (netblock_contains(&domain->senders[i], address))
			return OWNER_OURS;
	}
	return OWNER_FOREIGN;
}

/* What the domain's own SPF record says of the address. */
static enum owner find_by_spf(const void *context, const struct weigh_input *input,
	const struct hop *hop, bool *is_open_out)
{
	static const enum owner owners[] = {
		[SPF_PASS] = OWNER_OURS,
		[SPF_FAIL] = OWNER_FOREIGN,
		[SPF_SOFTFAIL] = OWNER_DOUBTFUL,
		[SPF_PERMERROR] = OWNER_UNKNOWN,
	};
	const struct spf_question question = {
		.client = hop->client,
		.helo = hop->helo,
		.sender = mem_printf(context, "postmaster@%s", input->domain->name),
	};
	const char *why;
	enum spf_result result = spf_check(input->resolver, context, &question, &why);

	if (result == SPF_UNAVAILABLE || result == SPF_TEMPERROR)
		*is_open_out = true;
	return owners[result];
}

/* Whether the client of a line is ours: by the configured senders, else by SPF. */
static enum owner find_owner(const void *context, const struct weigh_input *input,
	const struct hop *hop, bool *is_open_out)
{
	return input->domain->sender_count > 0 ? find_by_senders(input->domain, &hop->client)
					       : find_by_spf(context, input, hop, is_open_out);
}

static bool is_below(const char *name, const char *domain)
{
	size_t name_size = strlen(name), domain_size = strlen(domain);

	return name_size > domain_size && name[name_size - domain_size - 1] == '.' &&
	       strcmp(name + name_size - domain_size, domain) == 0;
}

static bool is_by_us(const struct weigh_input *input, const struct hop *hop)
{
	const char *name = input->domain->name;

	return hop->by != NULL && (strcmp(hop->by, name) == 0 || is_below(hop->by, name));
}

/* True when the line has the name that our own server put on top of the report, which need not be
 * below the domain. */
static bool is_by_our_server(
	const void *context, const struct weigh_input *input, const struct hop *hop)
{
	size_t count = 0;
	const struct hop *hops = received_chain(context, &input->mail->headers, &count);

	return count > 0 && hops[0].by != NULL && hop->by != NULL &&
	       strcmp(hops[0].by, hop->by) == 0;
}

/* True when a line below the entry could be the trace of a forwarder: somebody else says that he
 * got the mail from us, or from where he does not say. A line of our own right below the entry is
 * no such trace: it would mean that we handed the mail to the reporter, from an address that is not
 * ours. */
static bool is_handover(
	const struct weigh_input *input, const struct trace *trace, const struct hop *hop)
{
	if (!is_by_us(input, hop))
		return true;
	return hop - 1 > trace->entry && !is_by_us(input, hop - 1) && !hop[-1].has_client;
}

/* OWNER_OURS when a line of the chain tells of a host of ours: lines above the entry, where the
 * mail never left our own network, and below it the traces of a forwarder. */
static enum owner find_anywhere(const void *context, const struct weigh_input *input,
	const struct trace *trace, bool *is_open_out)
{
	enum owner all = trace->is_cut ? OWNER_UNKNOWN : OWNER_FOREIGN;
	bool is_open = trace->is_cut;
	int asked = 0;

	for (const struct hop *hop = trace->hops; hop < trace->hops + trace->count; hop++) {
		enum owner owner;
		if (hop > trace->entry && !is_handover(input, trace, hop))
			continue;
		if (is_by_us(input, hop))
			return OWNER_OURS;
		/* The reporter sees an inside address for everybody (NAT): the entry is that of the
		 * author's server, to us. */
		if (hop == trace->entry && is_by_our_server(context, input, hop))
			return OWNER_OURS;
		if (hop == trace->entry || !hop->has_client || netaddr_is_internal(&hop->client))
			continue;
		if (input->domain->sender_count == 0 && asked++ >= SPF_HOPS_MAX) {
			is_open = true;
			owner = OWNER_UNKNOWN;
		} else {
			owner = find_owner(context, input, hop, &is_open);
		}
		if (owner == OWNER_OURS)
			return OWNER_OURS;
		if (owner == OWNER_UNKNOWN)
			all = OWNER_UNKNOWN;
	}
	*is_open_out |= is_open;
	return all;
}

/* True when a line names a host of ours, by the configuration alone. */
static bool is_any_ours(const struct weigh_input *input, const struct trace *trace)
{
	for (const struct hop *hop = trace->hops; hop < trace->hops + trace->count; hop++) {
		if (is_by_us(input, hop) ||
			(hop->has_client &&
				find_by_senders(input->domain, &hop->client) == OWNER_OURS))
			return true;
	}
	return false;
}

/* True for a name that only its own network knows (RFC 6762 appendix G; RFC 8375; Unix). */
static bool is_internal_name(const char *name)
{
	static const char *const zones[] = {"local", "lan", "corp", "home", "internal", "intranet",
		"private", "home.arpa", "localdomain", "localhost"};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (is_below(name, zones[i]))
			return true;
	}
	return false;
}

/* True for a name that tells whose host it is. */
static bool is_host_name(const char *name)
{
	struct netaddr address;

	return name != NULL && strchr(name, '.') != NULL && !netaddr_parse(name, &address) &&
	       !is_internal_name(name) && org_domain_find(name) != NULL;
}

/* False when who handed the mail to the reporter has a name, the line below his own has a writer,
 * and the two are of different organisations: a forwarder writes a line before he hands on. */
static bool is_linked(const struct trace *trace)
{
	const struct hop *entry = trace->entry;

	for (const struct hop *hop = entry + 1; hop < trace->hops + trace->count; hop++) {
		if (!is_host_name(hop->by))
			continue;
		if (org_domain_is_shared(hop->by, entry->client_name) ||
			org_domain_is_shared(hop->by, entry->helo))
			return true;
		return !is_host_name(entry->client_name) && !is_host_name(entry->helo);
	}
	return true;
}

/* The reporter got it from somebody else. */
static void look_further(
	const void *context, const struct weigh_input *input, bool is_doubtful, struct way *way)
{
	if (trace_is_own_report(context, input->mail)) {
		way->why = "our own server made the report: the line tells how the mail came to "
			   "us, not who sent it on";
		return;
	}
	switch (find_anywhere(context, input, &way->trace, &way->is_open)) {
	case OWNER_OURS:
		way->kind = WAY_OTHERS;
		way->is_named = true;
		way->is_linked = is_linked(&way->trace);
		return;
	case OWNER_UNKNOWN:
		way->why = way->trace.is_cut
				   ? "the reporter got the mail from elsewhere, and its trace did "
				     "not come back whole, or is too long"
				   : "the reporter got the mail from elsewhere, and DNS could not "
				     "be asked about those before";
		return;
	case OWNER_FOREIGN:
	case OWNER_DOUBTFUL:
		way->kind = is_doubtful ? WAY_DOUBTFUL : WAY_FOREIGN;
		return;
	}
}

static void look(const void *context, const struct weigh_input *input, struct way *way)
{
	char address[NETADDR_TEXT_MAX];
	enum owner owner = find_owner(context, input, way->trace.entry, &way->is_open);

	switch (owner) {
	case OWNER_OURS:
		way->kind = WAY_OURS;
		return;
	case OWNER_FOREIGN:
	case OWNER_DOUBTFUL:
		look_further(context, input, owner == OWNER_DOUBTFUL, way);
		return;
	case OWNER_UNKNOWN:
		netaddr_format(&way->trace.entry->client, address);
		way->why = mem_printf(context,
			"the reporter got the mail from %s; whether that is a host of ours could "
			"not be found out",
			address);
		return;
	}
}

static void find_out(const void *context, const struct weigh_input *input, struct way *way)
{
	if (input->domain == NULL) {
		way->why = "the report came to no domain of ours";
		return;
	}
	trace_read(context, &input->bounce->original, &way->trace);
	if (input->domain->sender_count == 0 && input->resolver == NULL)
		way->why = "no senders are configured for this domain, and DNS is not asked";
	else if (way->trace.entry != NULL)
		look(context, input, way);
	else {
		way->why = way->trace.why;
		way->is_named = is_any_ours(input, &way->trace);
	}
}

const struct way *way_find(const void *context, const struct weigh_input *input)
{
	struct way *way = NULL;

	if (input->notes != NULL && input->notes->way != NULL)
		return input->notes->way;
	way = mem_new(context, struct way);
	find_out(context, input, way);
	if (input->notes != NULL)
		input->notes->way = way;
	return way;
}
