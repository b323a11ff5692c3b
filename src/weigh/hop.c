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

/* True when the client that brought the report has a name in a failed recipient's domain. */
static bool is_vouched(const struct weigh_input *input)
{
	const char *name = input->mail->envelope.client_name;

	for (size_t i = 0; name != NULL && i < input->bounce->recipient_count; i++) {
		const struct recipient *recipient = &input->bounce->recipients[i];
		const char *domain = address_domain(recipient->address);
		if (domain != NULL && is_related(name, domain))
			return true;
		domain = recipient->final == NULL ? NULL : address_domain(recipient->final);
		if (domain != NULL && is_related(name, domain))
			return true;
	}
	return false;
}

static bool is_ours_below(const struct domain_config *domain, const struct trace *trace)
{
	for (const struct hop *hop = trace->entry + 1; hop < trace->hops + trace->count; hop++) {
		if (hop->has_client && is_ours(domain, &hop->client))
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
		bool is_sure = is_vouched(input);
		evidence_out->result = is_sure ? "ours" : "ours-unvouched";
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s, a host "
			"of ours%s",
			address,
			is_sure ? ""
				: "; but it cannot be told whether who reports may speak for the "
				  "recipient");
	} else if (is_ours_below(input->domain, trace)) {
		evidence_out->result = "forwarded";
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s, which is not ours, but a line below "
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
