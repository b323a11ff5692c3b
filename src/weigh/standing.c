/*
 * standing.c: in charge of what ties the client that brought a report to the recipients that it
 * names. Who has a post of ours can write a perfect report about any subscriber; but he cannot
 * bring it from a host of the subscriber's provider.
 *
 * A client belongs to a recipient's domain when its checked name is in the same organisation, when
 * our own server found its HELO (SPF) or its signature (DKIM) to be of that organisation, when it
 * is an MX of the domain or in the organisation of one, or when the domain's SPF record allows it.
 * The recipient is the one that we mailed: the one that failed in the end is the reporter's to
 * name. Yet if the client belongs to that one, it may be where a forwarder led, and is no stranger.
 */
#include "weigh/standing.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "net/org_domain.h"
#include "net/resolver.h"
#include "net/spf.h"
#include "read/auth_results.h"
#include "weigh/trace.h"

#define DOMAINS_MAX 5 /* of recipients that are asked about; with more it is not known */
#define MX_MAX 10

/* What is known of the client while one message is looked at. */
struct client {
	const void *context;
	const struct weigh_input *input;
	const char *name, *helo;
	const char *found[AUTH_RESULTS_MAX]; /* domains that our server found it to be of */
	size_t found_count;
	bool is_open; /* one of the places is not known, since a question had none */
	bool is_helo_asked, is_helo_its_own; /* the name in HELO has the client's address */
	bool has_failed;		     /* a question had no answer */
	bool is_missing;		     /* the domain is not in DNS at all */
};

/* A domain that recipients are in, and what was found. */
struct place {
	const char *name;
	enum standing standing;
	const char *why;
};

static bool is_ours(const struct weigh_input *input)
{
	const struct netaddr *client = &input->mail->envelope.client;

	if (netaddr_is_internal(client))
		return true;
	for (size_t i = 0; i < input->domain->sender_count; i++) {
		if (netblock_contains(&input->domain->senders[i], client))
			return true;
	}
	return false;
}

/* Asks for addresses of a name; true when the client's is among them. */
static bool has_address(struct client *client, const char *name)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};

	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		struct dns_answer answer;
		resolver_ask(client->input->resolver, client->context, name, types[t], &answer);
		client->has_failed |= answer.outcome == DNS_FAILED;
		for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++) {
			if (memcmp(&answer.records[i].address,
				    &client->input->mail->envelope.client,
				    sizeof(struct netaddr)) == 0)
				return true;
		}
	}
	return false;
}

/* True when the name in HELO is the client's own. Asked only where that would tell something: the
 * name's servers may be those of who makes up reports, and take all the time there is. */
static bool is_helo_its_own(struct client *client)
{
	if (client->input->resolver == NULL || !client->input->mail->envelope.has_client)
		return false;
	if (!client->is_helo_asked)
		client->is_helo_its_own = has_address(client, client->helo);
	client->is_helo_asked = true;
	return client->is_helo_its_own;
}

/* True when the client is, by a name that was checked, of one organisation with domain. */
static bool is_of_organisation(struct client *client, const char *domain)
{
	if (org_domain_is_shared(client->name, domain) ||
		(org_domain_is_shared(client->helo, domain) && is_helo_its_own(client)))
		return true;
	for (size_t i = 0; i < client->found_count; i++) {
		if (org_domain_is_shared(client->found[i], domain))
			return true;
	}
	return false;
}

/* What our own server found out and wrote into the report's header. */
static void read_findings(struct client *client)
{
	const struct weigh_input *input = client->input;
	struct auth_result *results =
		mem_new_array(client->context, struct auth_result, AUTH_RESULTS_MAX);
	size_t count = auth_results_read(client->context, &input->mail->headers,
		input->config->authserv_ids, input->config->authserv_id_count, results);

	for (size_t i = 0; i < count; i++) {
		bool is_helo = strcmp(results[i].method, "spf") == 0 &&
			       strcmp(results[i].property, "smtp.helo") == 0;
		bool is_signer = strcmp(results[i].method, "dkim") == 0 &&
				 strcmp(results[i].property, "header.d") == 0;
		if (strcmp(results[i].result, "pass") == 0 && (is_helo || is_signer))
			client->found[client->found_count++] = results[i].value;
	}
}

static bool is_mx(struct client *client, const char *domain)
{
	struct dns_answer answer;

	resolver_ask(client->input->resolver, client->context, domain, DNS_MX, &answer);
	if (answer.outcome == DNS_FAILED) {
		client->has_failed = true;
		return false;
	}
	/* We mailed it, so it was there: who answers so does not know all (a resolver of an
	 * inside). */
	client->is_missing = answer.outcome == DNS_NO_DOMAIN;
	if (answer.outcome != DNS_FOUND || answer.count == 0)
		return has_address(client, domain); /* RFC 5321 section 5.1 */
	for (size_t i = 0; i < answer.count && i < MX_MAX; i++) {
		if (is_of_organisation(client, answer.records[i].text))
			return true;
	}
	for (size_t i = 0; i < answer.count && i < MX_MAX; i++) {
		if (has_address(client, answer.records[i].text))
			return true;
	}
	return false;
}

static bool is_allowed(struct client *client, const char *domain)
{
	const struct spf_question question = {
		.client = client->input->mail->envelope.client,
		.helo = client->helo,
		.sender = mem_printf(client->context, "postmaster@%s", domain),
	};
	const char *why;
	enum spf_result result =
		spf_check(client->input->resolver, client->context, &question, &why);

	client->has_failed |= result == SPF_UNAVAILABLE || result == SPF_TEMPERROR;
	return result == SPF_PASS;
}

/* What ties the client to one domain. */
static void look_at(struct client *client, struct place *place)
{
	client->has_failed = client->is_missing = false;
	place->standing = STANDING_RELATED;
	if (is_of_organisation(client, place->name)) {
		place->why = mem_printf(client->context, "it is a host of %s", place->name);
		return;
	}
	if (client->input->resolver == NULL || !client->input->mail->envelope.has_client) {
		place->standing = STANDING_UNKNOWN;
		place->why = "DNS was not asked";
		return;
	}
	if (is_mx(client, place->name)) {
		place->why =
			mem_printf(client->context, "it is where mail for %s goes", place->name);
	} else if (is_allowed(client, place->name)) {
		place->why = mem_printf(
			client->context, "%s names it as a sender of its mail", place->name);
	} else if (client->has_failed || client->is_missing) {
		place->standing = STANDING_UNKNOWN;
		client->is_open |= client->has_failed;
		place->why = client->is_missing
				     ? mem_printf(client->context, "%s is not in DNS", place->name)
				     : "DNS gave no answer";
	} else {
		place->standing = STANDING_STRANGER;
		place->why = mem_printf(client->context, "nothing ties it to %s", place->name);
	}
}

/* The place of a domain, looked at when it is new; NULL when there are too many. */
static const struct place *find_place(
	struct client *client, struct place *places, size_t *count, const char *domain)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(places[i].name, domain) == 0)
			return &places[i];
	}
	if (*count == DOMAINS_MAX)
		return NULL;
	places[*count] = (struct place){.name = domain};
	look_at(client, &places[*count]);
	return &places[(*count)++];
}

/* One recipient: the domain that we mailed, else the one where it failed in the end. */
static enum standing weigh_recipient(struct client *client, struct place *places, size_t *count,
	const struct recipient *recipient, const char **why_out)
{
	const char *mailed = address_domain(recipient->address);
	const char *final = recipient->final == NULL ? NULL : address_domain(recipient->final);
	const struct place *place =
		mailed == NULL ? NULL : find_place(client, places, count, mailed);

	*why_out = place == NULL ? "it names recipients in too many domains" : place->why;
	if (place == NULL) /* or who reports could hide one behind names of his own */
		return mailed == NULL ? STANDING_UNKNOWN : STANDING_ELSEWHERE;
	if (place->standing != STANDING_STRANGER)
		return place->standing;
	if (final == NULL || strcmp(final, mailed) == 0)
		return STANDING_STRANGER;
	place = find_place(client, places, count, final);
	if (place != NULL && place->standing == STANDING_STRANGER)
		return STANDING_STRANGER;
	*why_out = "it belongs to the address that a forwarder led to, if at all";
	return STANDING_ELSEWHERE;
}

/* Related is only who is for all; a stranger to one of them is one. */
static enum standing find_worse(enum standing a, enum standing b)
{
	static const int ranks[] = {[STANDING_RELATED] = 0,
		[STANDING_UNKNOWN] = 1,
		[STANDING_ELSEWHERE] = 2,
		[STANDING_STRANGER] = 3};

	return ranks[b] > ranks[a] ? b : a;
}

/* Whom a report that names nobody is about (candidates.c): who answers automatically is the
 * recipient, and else it is whom the trace names. NULL where the report names somebody itself. */
static const char *find_unnamed(const void *context, const struct weigh_input *input)
{
	const struct bounce *bounce = input->bounce;
	const char *address = NULL;
	struct trace trace;

	if (bounce->recipient_count > 0)
		return NULL;
	if (bounce->kind == KIND_AUTOREPLY || bounce->kind == KIND_CHALLENGE)
		return header_address(context, headers_find(&input->mail->headers, "From"));
	trace_read(context, &bounce->original, &trace);
	return trace_recipients(context, &bounce->original, &trace, &address, 1) > 0 ? address
										     : NULL;
}

static enum standing find_out(
	const void *context, const struct weigh_input *input, const char **why_out)
{
	const struct envelope *envelope = &input->mail->envelope;
	struct client *client = mem_new(context, struct client);
	struct place places[DOMAINS_MAX];
	enum standing worst = STANDING_RELATED;
	size_t count = 0;

	*why_out = "it is not known who brought the report";
	if (!envelope->has_client && envelope->client_name == NULL)
		return STANDING_UNKNOWN;
	*why_out = "a host of ours brought the report";
	if (envelope->has_client && is_ours(input))
		return STANDING_UNKNOWN;
	const struct recipient *recipients = input->bounce->recipients;
	size_t recipient_count = input->bounce->recipient_count;
	struct recipient unnamed = {.address = find_unnamed(context, input)};
	if (unnamed.address != NULL) {
		recipients = &unnamed;
		recipient_count = 1;
	}
	*why_out = "the report names no recipient";
	if (recipient_count == 0)
		return STANDING_UNKNOWN;
	*client = (struct client){.context = context,
		.input = input,
		.name = envelope->client_name,
		.helo = envelope->client_helo};
	read_findings(client);
	for (size_t i = 0; i < recipient_count; i++) {
		const char *why;
		enum standing standing =
			weigh_recipient(client, places, &count, &recipients[i], &why);
		if (i == 0 || find_worse(worst, standing) != worst)
			*why_out = why;
		worst = find_worse(worst, standing);
	}
	input->notes->is_standing_open = client->is_open && worst == STANDING_UNKNOWN;
	/* Who reports may have named a domain of his own, to whose servers all the time went. */
	return input->notes->is_standing_open && count > 1 ? STANDING_ELSEWHERE : worst;
}

enum standing standing_find(
	const void *context, const struct weigh_input *input, const char **why_out)
{
	struct weigh_notes *notes = input->notes;

	if (!notes->has_standing) {
		notes->standing = find_out(context, input, &notes->standing_why);
		notes->has_standing = true;
	}
	*why_out = notes->standing_why;
	return (enum standing)notes->standing;
}

void standing_weigh(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	static const char *const results[] = {[STANDING_UNKNOWN] = "unavailable",
		[STANDING_RELATED] = "related",
		[STANDING_ELSEWHERE] = "unavailable",
		[STANDING_STRANGER] = "stranger"};
	static const char *const texts[] = {
		[STANDING_UNKNOWN] =
			"it is not known whether who reports may speak for the recipient",
		[STANDING_RELATED] = "who reports may speak for the recipient",
		[STANDING_ELSEWHERE] =
			"it is not known whether who reports may speak for the recipient",
		[STANDING_STRANGER] = "who reports may not speak for the recipient"};
	const char *why;

	if (input->domain == NULL) {
		evidence_out->result = "unavailable";
		evidence_out->detail = "the report came to no domain of ours";
		return;
	}
	enum standing standing = standing_find(context, input, &why);
	evidence_out->result = results[standing];
	if (input->notes->is_standing_open)
		evidence_out->missed = "related";
	evidence_out->detail = mem_printf(context, "%s: %s", texts[standing], why);
}
