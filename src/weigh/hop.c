/*
 * hop.c: in charge of the hop by which the original reached the reporter: was the client one of our
 * hosts? The domain's `senders` say so; where none are configured, its SPF record does.
 *
 * Who writes a report can write any hop into it. So "ours" counts in full only where the client
 * that brought the report may speak for the recipients (standing.c): then the report comes from
 * whom it should. Else it is forgeable, and proves nothing alone.
 *
 * A softfail is "doubtful": a domain that ends its record with ~all does not say that others are
 * forgers. What is between (neutral, none, errors) is not known.
 */
#include <string.h>

#include "base/memory.h"
#include "net/org_domain.h"
#include "net/spf.h"
#include "weigh/standing.h"
#include "weigh/trace.h"
#include "weigh/weigh.h"

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
static enum owner find_by_spf(
	const void *context, const struct weigh_input *input, const struct hop *hop)
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

	return owners[spf_check(input->resolver, context, &question, &why)];
}

/* Whether the client of a line is ours: by the configured senders, else by SPF. */
static enum owner find_owner(
	const void *context, const struct weigh_input *input, const struct hop *hop)
{
	return input->domain->sender_count > 0 ? find_by_senders(input->domain, &hop->client)
					       : find_by_spf(context, input, hop);
}

static bool is_below(const char *name, const char *domain)
{
	size_t name_size = strlen(name), domain_size = strlen(domain);

	return name_size > domain_size && name[name_size - domain_size - 1] == '.' &&
	       strcmp(name + name_size - domain_size, domain) == 0;
}

/* True when the line that names the client was written by the host on top, or one of its
 * organisation: below an inner hop somebody else may have written it. */
static bool is_own_line(const struct trace *trace)
{
	const char *top = trace->hops[0].by, *entry = trace->entry->by;

	if (trace->entry == trace->hops || top == NULL || entry == NULL)
		return true;
	return strcmp(top, entry) == 0 || org_domain_is_shared(top, entry);
}

static bool is_by_us(const struct weigh_input *input, const struct hop *hop)
{
	const char *name = input->domain->name;

	return hop->by != NULL && (strcmp(hop->by, name) == 0 || is_below(hop->by, name));
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
static enum owner find_anywhere(
	const void *context, const struct weigh_input *input, const struct trace *trace)
{
	enum owner all = OWNER_FOREIGN;
	int asked = 0;

	for (const struct hop *hop = trace->hops; hop < trace->hops + trace->count; hop++) {
		enum owner owner;
		if (hop > trace->entry && !is_handover(input, trace, hop))
			continue;
		if (is_by_us(input, hop))
			return OWNER_OURS;
		if (hop == trace->entry || !hop->has_client || netaddr_is_internal(&hop->client))
			continue;
		owner = input->domain->sender_count == 0 && asked++ >= SPF_HOPS_MAX
				? OWNER_UNKNOWN
				: find_owner(context, input, hop);
		if (owner == OWNER_OURS)
			return OWNER_OURS;
		if (owner == OWNER_UNKNOWN)
			all = OWNER_UNKNOWN;
	}
	return all;
}

static bool is_host_name(const char *name)
{
	struct netaddr address;

	return name != NULL && strchr(name, '.') != NULL && !netaddr_parse(name, &address) &&
	       org_domain_find(name) != NULL;
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

/* The reporter got it from us: in full where its line is its own, and who reports may speak for the
 * recipient. */
static void weigh_ours(const void *context, const struct weigh_input *input,
	const struct trace *trace, struct evidence *evidence_out)
{
	char address[NETADDR_TEXT_MAX];
	const char *why;
	bool is_sure =
		standing_find(context, input, &why) == STANDING_RELATED && is_own_line(trace);

	netaddr_format(&trace->entry->client, address);
	evidence_out->result = is_sure ? "ours" : "ours-unvouched";
	evidence_out->detail =
		mem_printf(context, "the reporter got the mail from %s, a host of ours%s", address,
			is_sure ? ""
				: "; but it cannot be told whether who reports may speak for the "
				  "recipient");
}

/* True when the message is known to be ours: then a forwarder has handed it on, whatever his trace
 * looks like, and what the other checks say of the recipient must not count twice. */
static bool is_our_post(const struct weigh_input *input)
{
	static const struct {
		const char *check, *result;
	} signs[] = {{"sent", "recipient"}, {"sent", "message"}, {"sent", "verp-recipient"},
		{"sent", "other-recipient"}, {"dkim", "valid"}, {"dkim", "expired"},
		{"dkim", "valid-uncovered"}};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *result = weigh_find_result(input->so_far, signs[i].check);
		if (result != NULL && strcmp(result, signs[i].result) == 0)
			return true;
	}
	return false;
}

/* The reporter got it from somebody else. */
static void weigh_other(const void *context, const struct weigh_input *input,
	const struct trace *trace, bool is_doubtful, struct evidence *evidence_out)
{
	char address[NETADDR_TEXT_MAX];
	bool is_forwarder = is_linked(trace) || is_our_post(input);

	if (trace_is_own_report(context, input->mail)) {
		evidence_out->detail = "our own server made the report: the line tells how the "
				       "mail came to us, not who sent it on";
		return;
	}
	netaddr_format(&trace->entry->client, address);
	switch (find_anywhere(context, input, trace)) {
	case OWNER_OURS:
		evidence_out->result = is_forwarder ? "forwarded" : "unlinked";
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s, which is not ours, but another line "
			"names a host of ours: %s",
			address,
			is_forwarder ? "a forwarder, or a fake"
				     : "a fake, as it seems, for somebody else wrote that line");
		return;
	case OWNER_UNKNOWN:
		evidence_out->detail =
			"the reporter got the mail from elsewhere, and DNS could not be asked "
			"about those before";
		return;
	case OWNER_FOREIGN:
	case OWNER_DOUBTFUL:
		evidence_out->result = is_doubtful ? "doubtful" : "foreign";
		evidence_out->detail =
			mem_printf(context, "the reporter got the mail from %s, which is %s ours",
				address, is_doubtful ? "probably not" : "not");
		return;
	}
}

static void weigh_entry(const void *context, const struct weigh_input *input,
	const struct trace *trace, struct evidence *evidence_out)
{
	char address[NETADDR_TEXT_MAX];
	enum owner owner = find_owner(context, input, trace->entry);

	switch (owner) {
	case OWNER_OURS:
		weigh_ours(context, input, trace, evidence_out);
		return;
	case OWNER_FOREIGN:
	case OWNER_DOUBTFUL:
		weigh_other(context, input, trace, owner == OWNER_DOUBTFUL, evidence_out);
		return;
	case OWNER_UNKNOWN:
		netaddr_format(&trace->entry->client, address);
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s; whether that is a host of ours could "
			"not be found out",
			address);
		return;
	}
}

void hop_weigh(const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct trace trace;

	evidence_out->result = "unavailable";
	if (input->domain == NULL) {
		evidence_out->detail = "the report came to no domain of ours";
		return;
	}
	if (input->domain->sender_count == 0 && input->resolver == NULL) {
		evidence_out->detail =
			"no senders are configured for this domain, and DNS is not asked";
		return;
	}
	trace_read(context, &input->bounce->original, &trace);
	if (trace.entry == NULL)
		evidence_out->detail = trace.why;
	else
		weigh_entry(context, input, &trace, evidence_out);
}
