/*
 * candidates.c: in charge of which addresses a failed recipient may have had when we mailed him.
 * What it means that one of them is found somewhere is the checks' business.
 */
#include "weigh/candidates.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/wrapped.h"
#include "weigh/tagged.h"

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

static void add_verp(const void *context, const char *address, struct candidates *verp_out)
{
	struct tag tag;

	if (tag_parse(context, address, &tag))
		address = tag.mailbox;
	add_candidate(verp_out, address_from_verp(context, address_local(context, address)));
}

/* The recipient that a valid tag of ours names is as good as named by the report. Those that VERP
 * names, unsigned, go to verp_out. */
static void add_from_places(const void *context, const struct weigh_input *input,
	struct candidates *candidates, struct candidates *verp_out)
{
	struct tagged_place places[TAGGED_PLACES];
	size_t count = tagged_places(input, places);
	struct tagged tagged;

	tagged_find(context, input, &tagged);
	if (tagged.result == TAG_VALID)
		add_candidate(candidates, tagged.recipient);
	for (size_t i = 0; i < count; i++) {
		struct wrapped inner[WRAPPED_MAX];
		size_t inner_count = wrapped_open(context, places[i].address, inner);

		if (inner_count == 0)
			add_verp(context, places[i].address, verp_out);
		for (size_t k = 0; k < inner_count; k++)
			add_verp(context, inner[k].address, verp_out);
	}
}

void candidates_collect(const void *context, const struct weigh_input *input,
	const struct trace *trace, struct candidates *candidates_out, struct candidates *verp_out)
{
	struct candidates *candidates = candidates_out;
	const struct bounce *bounce = input->bounce;
	const char *traced[CANDIDATE_MAX];

	candidates->count = verp_out->count = 0;
	add_from_places(context, input, candidates, verp_out);
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

/* The envelope id as it was given (RFC 3461 section 4: xtext in transport, and some return it so).
 * submit gives the Message-ID for it, and Haraka does by itself. */
static const char *decode_envelope_id(const void *context, const char *text)
{
	char *id = text == NULL ? NULL : mem_strdup(context, text);
	char *to = id;

	for (const char *from = id; from != NULL && *from != '\0'; from++) {
		unsigned code;

		if (*from == '+' && isxdigit((unsigned char)from[1]) &&
			isxdigit((unsigned char)from[2]) && sscanf(from + 1, "%2x", &code) == 1 &&
			code >= ' ' && code < 0x7F) {
			*to++ = (char)code;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	if (to != NULL)
		*to = '\0';
	return id;
}

static void add_name(struct original_names *names, const char *name)
{
	if (name != NULL && *name != '\0' && names->count < ORIGINAL_NAMES_MAX)
		names->items[names->count++] = name;
}

/* Where relays that give a Message-ID of their own keep the one that was there. */
static const char *const kept_ids[] = {
	"X-Original-Message-ID", "X-Google-Original-Message-ID", "X-Microsoft-Original-Message-ID"};

void original_names_collect(
	const void *context, const struct bounce *bounce, struct original_names *names_out)
{
	struct original_names *names = names_out;

	names->count = 0;
	add_name(names, bounce->original.message_id);
	add_name(names, bounce->envelope_id);
	/* A Message-ID may have a plus and two digits in it itself. */
	if (bounce->envelope_id != NULL && strchr(bounce->envelope_id, '+') != NULL)
		add_name(names, decode_envelope_id(context, bounce->envelope_id));
	for (size_t i = 0; i < sizeof(kept_ids) / sizeof(kept_ids[0]); i++) {
		const char *value = headers_find(&bounce->original.headers, kept_ids[i]);
		if (value != NULL)
			add_name(names, header_message_id(context, value));
	}
	for (size_t i = 0; i < bounce->message_id_count; i++)
		add_name(names, bounce->message_ids[i]);
}
