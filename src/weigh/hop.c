/*
 * hop.c: in charge of the hop by which the original reached the reporter: was the client one of our
 * hosts (the domain's `senders`)?
 *
 * Who writes a report can write any hop into it. So "ours" counts in full only where the client
 * that brought the report belongs, by its checked name, to the domain of a failed recipient: then
 * the report comes from whom it should. Else it is forgeable, and proves nothing alone.
 */
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "weigh/trace.h"
#include "weigh/weigh.h"

#define LABELS_MIN 3 /* of a parent domain that two names may share: "co.uk" says nothing */

static bool is_ours(const struct domain_config *domain, const struct netaddr *address)
{
	for (size_t i = 0; i < domain->sender_count; i++) {
		if (netblock_contains(&domain->senders[i], address))
			return true;
	}
	return false;
}

static bool is_below(const char *name, const char *domain)
{
	size_t name_size = strlen(name), domain_size = strlen(domain);

	return name_size > domain_size && name[name_size - domain_size - 1] == '.' &&
	       strcmp(name + name_size - domain_size, domain) == 0;
}

/* True when host and domain are, by their names, of one organisation. */
static bool is_related(const char *host, const char *domain)
{
	const char *parent = strchr(host, '.');
	int labels = 1;

	if (strcmp(host, domain) == 0 || is_below(host, domain))
		return true;
	if (parent == NULL)
		return false;
	for (const char *c = ++parent; *c != '\0'; c++)
		labels += *c == '.';
	return labels >= LABELS_MIN && (strcmp(parent, domain) == 0 || is_below(domain, parent));
}

/* True when the client that brought the report has a name in the domain of every recipient that we
 * mailed. One of them would not do: a stranger would add an address of his own. */
static bool is_vouched(const struct weigh_input *input)
{
	const char *name = input->mail->envelope.client_name;

	for (size_t i = 0; name != NULL && i < input->bounce->recipient_count; i++) {
		const char *domain = address_domain(input->bounce->recipients[i].address);
		if (domain == NULL || !is_related(name, domain))
			return false;
	}
	return name != NULL && input->bounce->recipient_count > 0;
}

/* "store.b.example" and "mx.b.example": of one network, as far as names tell. */
static bool has_same_parent(const char *a, const char *b)
{
	const char *parent_a = strchr(a, '.'), *parent_b = strchr(b, '.');

	return parent_a != NULL && parent_b != NULL && strcmp(parent_a, parent_b) == 0 &&
	       strchr(parent_a + 1, '.') != NULL;
}

/* True when the line that names the client was written by the host on top, or one of its
 * organisation: below an inner hop somebody else may have written it. */
static bool is_own_line(const struct trace *trace)
{
	const char *top = trace->hops[0].by, *entry = trace->entry->by;

	if (trace->entry == trace->hops || top == NULL || entry == NULL)
		return true;
	return strcmp(top, entry) == 0 || is_below(top, entry) || is_below(entry, top) ||
	       has_same_parent(top, entry);
}

/* True when any line of the chain is about a host of ours, by its address or as its writer: lines
 * above the entry, where the mail never left our own network, as well as below. */
static bool is_ours_anywhere(const struct domain_config *domain, const struct trace *trace)
{
	for (const struct hop *hop = trace->hops; hop < trace->hops + trace->count; hop++) {
		if (hop->has_client && is_ours(domain, &hop->client))
			return true;
		if (hop->by != NULL &&
			(strcmp(hop->by, domain->name) == 0 || is_below(hop->by, domain->name)))
			return true;
	}
	return false;
}

static void weigh_entry(const void *context, const struct weigh_input *input,
	const struct trace *trace, struct evidence *evidence_out)
{
	char address[NETADDR_TEXT_MAX];

	netaddr_format(&trace->entry->client, address);
	if (is_ours(input->domain, &trace->entry->client)) {
		bool is_sure = is_vouched(input) && is_own_line(trace);
		evidence_out->result = is_sure ? "ours" : "ours-unvouched";
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s, a host "
			"of ours%s",
			address,
			is_sure ? ""
				: "; but it cannot be told whether who reports may speak for the "
				  "recipient");
	} else if (is_ours_anywhere(input->domain, trace)) {
		evidence_out->result = "forwarded";
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s, which is not ours, but another line "
			"names a host of ours: a forwarder, or a fake",
			address);
	} else {
		evidence_out->result = "foreign";
		evidence_out->detail = mem_printf(
			context, "the reporter got the mail from %s, which is not ours", address);
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
	if (input->domain->sender_count == 0) {
		evidence_out->detail = "no senders are configured for this domain";
		return;
	}
	trace_read(context, &input->bounce->original, &trace);
	if (trace.entry == NULL)
		evidence_out->detail = trace.why;
	else
		weigh_entry(context, input, &trace, evidence_out);
}
