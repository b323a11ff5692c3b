/*
 * hop.c: in charge of what it weighs by which hop the original reached the reporter (way.c).
 *
 * Who writes a report can write any hop into it. So "ours" counts in full only where the client
 * that brought the report may speak for the recipients (standing.c): then the report comes from
 * whom it should. Else it is forgeable, and proves nothing alone. And it counts nothing where we
 * are known to have passed on what a stranger brought: so does spam that an alias of ours forwards.
 */
#include <string.h>

#include "base/memory.h"
#include "net/org_domain.h"
#include "weigh/standing.h"
#include "weigh/way.h"

/* True when the line that names the client was written by the host on top, or one of its
 * organisation: below an inner hop somebody else may have written it. */
static bool is_own_line(const struct trace *trace)
{
	const char *top = trace->hops[0].by, *entry = trace->entry->by;

	if (trace->entry == trace->hops || top == NULL || entry == NULL)
		return true;
	return strcmp(top, entry) == 0 || org_domain_is_shared(top, entry);
}

static bool is_passed_on(const struct weigh_input *input)
{
	const char *result = weigh_find_result(input->so_far, "sent");

	return result != NULL && strcmp(result, "passed-on") == 0;
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
	if (is_passed_on(input)) {
		evidence_out->result = "ours-passed-on";
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s, a host of ours, which had it from "
			"elsewhere",
			address);
		return;
	}
	evidence_out->result = is_sure ? "ours" : "ours-unvouched";
	if (!is_sure && input->notes->is_standing_open && is_own_line(trace))
		evidence_out->missed = "ours";
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
	static const char *const results[] = {"valid", "expired", "valid-uncovered"};
	const char *result = weigh_find_result(input->so_far, "dkim");

	for (size_t i = 0; result != NULL && i < sizeof(results) / sizeof(results[0]); i++) {
		if (strcmp(result, results[i]) == 0)
			return true;
	}
	return weigh_is_sent(input->so_far);
}

/* The reporter got it from somebody else. */
static void weigh_other(const void *context, const struct weigh_input *input, const struct way *way,
	struct evidence *evidence_out)
{
	char address[NETADDR_TEXT_MAX];
	bool is_forwarder = way->is_linked || is_our_post(input);

	netaddr_format(&way->trace.entry->client, address);
	if (way->kind == WAY_OTHERS) {
		evidence_out->result = is_forwarder ? "forwarded" : "unlinked";
		evidence_out->detail = mem_printf(context,
			"the reporter got the mail from %s, which is not ours, but another line "
			"names a host of ours: %s",
			address,
			is_forwarder ? "a forwarder, or a fake"
				     : "a fake, as it seems, for somebody else wrote that line");
		return;
	}
	evidence_out->result = way->kind == WAY_DOUBTFUL ? "doubtful" : "foreign";
	evidence_out->detail =
		mem_printf(context, "the reporter got the mail from %s, which is %s ours", address,
			way->kind == WAY_DOUBTFUL ? "probably not" : "not");
}

void hop_weigh(const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	const struct way *way = way_find(context, input);

	switch (way->kind) {
	case WAY_UNKNOWN:
		evidence_out->result = "unavailable";
		evidence_out->detail = way->why;
		return;
	case WAY_OURS:
		weigh_ours(context, input, &way->trace, evidence_out);
		return;
	case WAY_OTHERS:
	case WAY_FOREIGN:
	case WAY_DOUBTFUL:
		weigh_other(context, input, way, evidence_out);
		return;
	}
}
