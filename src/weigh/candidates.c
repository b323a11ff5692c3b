/*
 * candidates.c: in charge of which addresses a failed recipient may have had when we mailed him.
 * What it means that one of them is found somewhere is the checks' business.
 */
#include "weigh/candidates.h"

#include <string.h>

#include "base/address.h"
#include "state/ledger.h"

static void add_candidate(struct candidates *candidates, const char *address)
{
	if (address == NULL || *address == '\0' || candidates->count == CANDIDATE_MAX)
		return;
	for (size_t i = 0; i < candidates->count; i++) {
		if (strcmp(candidates->items[i], address) == 0)
			return;
	}
	candidates->items[candidates->count++] = address;
}

/* The recipient that the bounce address itself names: signed, by our tag, he is as good as named by
 * the report; unsigned, by VERP, he goes to *verp_out: who replays a post has that address too. */
static void add_from_envelope(const void *context, const struct weigh_input *input,
	struct candidates *candidates, const char **verp_out)
{
	const char *address = envelope_address(&input->mail->envelope);
	char *resolved = NULL;
	struct tag tag;

	*verp_out = NULL;
	if (address == NULL)
		return;
	if (tag_parse(context, address, &tag)) {
		if (tag.id != NULL && input->state != NULL)
			ledger_find_id(input->state, context, tag.id, &resolved);
		if (input->tag_keys != NULL &&
			tag_check(input->tag_keys, &tag, resolved, input->domain->tag_lifetime_s,
				input->now) == TAG_VALID)
			add_candidate(candidates, tag.id != NULL ? resolved : tag.recipient);
		address = tag.mailbox;
	}
	*verp_out = address_from_verp(context, address_local(context, address));
}

void candidates_collect(const void *context, const struct weigh_input *input,
	const struct trace *trace, struct candidates *candidates_out, const char **verp_out)
{
	struct candidates *candidates = candidates_out;
	const struct bounce *bounce = input->bounce;
	const char *traced[CANDIDATE_MAX];

	candidates->count = 0;
	add_from_envelope(context, input, candidates, verp_out);
	for (size_t i = 0; i < bounce->recipient_count; i++) {
		add_candidate(candidates, bounce->recipients[i].address);
		add_candidate(candidates, bounce->recipients[i].final);
	}
	size_t count = trace_recipients(context, &bounce->original, trace, traced, CANDIDATE_MAX);
	for (size_t i = 0; i < count; i++)
		add_candidate(candidates, traced[i]);
	/* Who answers automatically is the recipient. */
	if (bounce->kind == KIND_AUTOREPLY || bounce->kind == KIND_CHALLENGE)
		add_candidate(candidates,
			header_address(context, headers_find(&input->mail->headers, "From")));
}
