/*
 * dkim.c: in charge of our own DKIM signature on the returned headers: it proves that the post is
 * ours. Leaves the cryptography to signature.c.
 *
 * What it does not prove is that the report is true: each subscriber has the post, and a spammer
 * who replays it has the signature too. So "valid" is evidence of the post (weigh.h), and decides
 * only together with evidence of the path or the recipient.
 *
 * From need not be of our domain: what our key signed we sent, and the author of a list's post is
 * somebody else. A signature that fails over altered fields is next to nothing against a report,
 * since gateways rewrite MIME fields; but one that was never made with our key was made up.
 *
 * A signature that has expired since is no worse: it says until when a receiver should take it, and
 * reports come later than that. Only long after that do replays become the likelier explanation.
 */
#include "weigh/dkim.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "weigh/signature.h"
#include "weigh/way.h"
#include "weigh/weigh.h"

#define SIGNATURES_MAX 8	    /* of our domain, that are looked at */
#define SELECTOR_MAX 100	    /* bytes; a DNS label has at most 63 */
#define REPORT_DELAY_S (10 * 86400) /* our own queue and a forwarder's: 5 days each */

/* What a signature amounts to; of several, the highest counts. */
enum finding {
	FINDING_NONE = 0,
	FINDING_INVENTED,
	FINDING_BROKEN,
	FINDING_WEAK,
	FINDING_UNAVAILABLE,
	FINDING_UNCOVERED,
	FINDING_EXPIRED,
	FINDING_VALID
};

static const char *const results[] = {
	[FINDING_NONE] = "unsigned",
	[FINDING_INVENTED] = "invented",
	[FINDING_BROKEN] = "broken",
	[FINDING_WEAK] = "weak-key",
	[FINDING_UNAVAILABLE] = "unavailable",
	[FINDING_UNCOVERED] = "valid-uncovered",
	[FINDING_EXPIRED] = "expired",
	[FINDING_VALID] = "valid",
};

/* What makes a message this one: without them a signature fits others as well. */
static const char *const identity[] = {"From", "Date", "Message-ID"};
#define IDENTITY_COUNT (sizeof(identity) / sizeof(identity[0]))

/* What the signatures of one message come to. */
struct search {
	const struct weigh_input *input;
	bool is_open; /* a key is in DNS, which gave no answer */
	enum finding best;
	const char *detail;
	const char *stranger; /* a domain that is not ours and has signed; or NULL */
	size_t count;	      /* signatures of ours */
};

/* ---- keys ---- */

static const char *signing_domain(
	const struct domain_config *domain, const struct dkim_key_config *key)
{
	return key->domain == NULL ? domain->name : key->domain;
}

/* True when a signature by this domain would be ours. */
static bool is_ours(const struct domain_config *domain, const char *name)
{
	for (size_t i = 0; i < domain->dkim_key_count; i++) {
		if (strcmp(signing_domain(domain, &domain->dkim_keys[i]), name) == 0)
			return true;
	}
	return false;
}

/* A selector that can be part of a name in DNS, and of a line for people. */
static bool is_selector(const char *selector)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	return strlen(selector) <= SELECTOR_MAX && strspn(selector, allowed) == strlen(selector);
}

static bool find_in_dns(struct search *search, const void *context, const char *domain,
	const char *selector, struct dkim_key *key_out, const char **why_out)
{
	const struct weigh_input *input = search->input;
	char *name = mem_printf(context, "%s._domainkey.%s", selector, domain);
	const char *text = NULL;

	if (input->dkim_records == NULL) {
		*why_out = "DNS is not asked";
		return false;
	}
	switch (input->dkim_records->find(input->dkim_records->argument, context, name, &text)) {
	case DNS_FOUND:
		if (dkim_key_parse(context,
			    (struct bytes){(const unsigned char *)text, strlen(text)}, key_out,
			    why_out) == STATUS_OK)
			return true;
		*why_out = mem_printf(context, "%s in DNS: %s", name, *why_out);
		return false;
	case DNS_NO_DATA:
	case DNS_NO_DOMAIN:
		*why_out = mem_printf(context, "there is no key at %s", name);
		return false;
	case DNS_FAILED:
		search->is_open = true;
		break;
	}
	*why_out = mem_printf(context, "DNS gave no answer for %s", name);
	return false;
}

/* Files first: who configures one for a selector means it. */
static bool find_key(void *argument, const void *context, const char *domain, const char *selector,
	struct dkim_key *key_out, const char **why_out)
{
	struct search *search = argument;
	const struct weigh_input *input = search->input;
	bool is_in_dns = false;

	*why_out = "no key is configured for its selector";
	if (!is_selector(selector))
		return false;
	for (size_t i = 0; i < input->domain->dkim_key_count; i++) {
		const struct dkim_key_config *key = &input->domain->dkim_keys[i];
		if (strcmp(signing_domain(input->domain, key), domain) != 0)
			continue;
		if (key->path == NULL)
			is_in_dns = true;
		else if (strcmp(key->selector, selector) == 0)
			return dkim_key_read(context, key->path, key_out, why_out) == STATUS_OK;
	}
	return is_in_dns && find_in_dns(search, context, domain, selector, key_out, why_out);
}

/* ---- what a signature covers ---- */

static size_t count_fields(const struct headers *headers, const char *name)
{
	size_t index = 0, count = 0;

	while (headers_next(headers, name, &index) != NULL)
		count++;
	return count;
}

/* True when each field of that name here, and at least one, is signed (RFC 6376 section 8.15). */
static bool is_covered(
	const struct headers *headers, const struct signature *signature, const char *name)
{
	size_t count = count_fields(headers, name);

	return count > 0 && signature_count(signature, name) >= count;
}

/* "From, Date, Message-ID and 4 more fields": of the fields that are here. */
static char *describe_covered(
	const void *context, const struct headers *headers, const struct signature *signature)
{
	char *text = mem_strdup(context, "");
	size_t others = 0, named = 0;

	for (size_t i = 0; i < IDENTITY_COUNT; i++) {
		if (is_covered(headers, signature, identity[i]))
			text = mem_append(text, "%s%s", named++ == 0 ? "" : ", ", identity[i]);
	}
	for (size_t i = 0; i < headers->count; i++) {
		const char *name = headers->items[i].name;
		bool is_identity = false;
		for (size_t k = 0; k < IDENTITY_COUNT; k++)
			is_identity = is_identity || text_equal_fold(name, identity[k]);
		others += !is_identity && signature_count(signature, name) > 0;
	}
	if (named == 0)
		return mem_printf(context, "%zu fields", others);
	return others == 0
		       ? text
		       : mem_append(text, " and %zu more field%s", others, others == 1 ? "" : "s");
}

static char *describe_passed(
	const void *context, const struct headers *headers, const struct signature *signature)
{
	char *covered = describe_covered(context, headers, signature);
	char day[CLOCK_TEXT_MAX] = "a day that it does not tell";

	if (signature->signed_s > 0)
		clock_format_day(signature->signed_s, day);
	return mem_printf(context, "%s of %s signed %s on %s", signature->selector,
		signature->domain, covered, day);
}

/* ---- what it amounts to ---- */

static enum finding judge_passed(const void *context, const struct weigh_input *input,
	const struct signature *signature, const char **detail_out)
{
	const struct headers *headers = &input->bounce->original.headers;
	char day[CLOCK_TEXT_MAX];

	*detail_out = describe_passed(context, headers, signature);
	if (count_fields(headers, "From") > signature_count(signature, "From")) {
		*detail_out = mem_printf(
			context, "%s; there is a From field that it does not cover", *detail_out);
		return FINDING_BROKEN;
	}
	for (size_t i = 0; i < IDENTITY_COUNT; i++) {
		if (is_covered(headers, signature, identity[i]))
			continue;
		*detail_out = mem_printf(context, "%s, but not %s: it fits other messages as well",
			*detail_out, identity[i]);
		return FINDING_UNCOVERED;
	}
	if (signature->expires_s > 0 && signature->expires_s < input->now - REPORT_DELAY_S) {
		clock_format_day(signature->expires_s, day);
		*detail_out = mem_printf(context, "%s; it expired on %s", *detail_out, day);
		return FINDING_EXPIRED;
	}
	return FINDING_VALID;
}

static enum finding judge(const void *context, const struct weigh_input *input,
	const struct signature *signature, const char **detail_out)
{
	static const enum finding findings[] = {
		[SIGNATURE_UNCHECKED] = FINDING_UNAVAILABLE,
		[SIGNATURE_PASSED] = FINDING_VALID,
		[SIGNATURE_BROKEN] = FINDING_BROKEN,
		[SIGNATURE_INVENTED] = FINDING_INVENTED,
		[SIGNATURE_WEAK] = FINDING_WEAK,
	};

	if (signature->outcome == SIGNATURE_PASSED)
		return judge_passed(context, input, signature, detail_out);
	*detail_out = mem_printf(context, "a signature by %.*s of %s: %s", SELECTOR_MAX,
		signature->selector, signature->domain, signature->why);
	return findings[signature->outcome];
}

static void look_at_all(const void *context, const struct weigh_input *input, struct search *search)
{
	const struct headers *headers = &input->bounce->original.headers;
	const struct signature_keys keys = {find_key, search};

	for (size_t i = 0; i < headers->count && search->best != FINDING_VALID; i++) {
		struct signature signature;
		const char *detail;

		if (!text_equal_fold(headers->items[i].name, "DKIM-Signature"))
			continue;
		if (!signature_read(context, headers->items[i].value, &signature) ||
			!is_ours(input->domain, signature.domain)) {
			search->stranger = signature.domain == NULL ? "nobody" : signature.domain;
			continue;
		}
		if (search->count++ == SIGNATURES_MAX) {
			/* Who adds that many wants something; but one of ours may be among them. */
			search->detail = "there are too many signatures to be checked";
			search->best = search->best < FINDING_UNAVAILABLE ? FINDING_UNAVAILABLE
									  : search->best;
			return;
		}
		signature_check(context, headers, i, &keys, &signature);
		enum finding finding = judge(context, input, &signature, &detail);
		if (finding > search->best) {
			search->best = finding;
			search->detail = detail;
		}
	}
}

/* Why the lack of a signature says nothing, or NULL when it does. That the message is ours is known
 * where the ledger has it, whoever took the signature off. */
static const char *find_excuse(const void *context, const struct weigh_input *input)
{
	const struct original *original = &input->bounce->original;

	if (input->domain->dkim_signed != SHARE_ALL)
		return "not all mail of this domain is";
	if (!kind_is_delivery_report(input->bounce->kind))
		return "an answer returns what it likes";
	if (weigh_is_sent(input->so_far))
		return "the ledger knows the message";
	if (trace_is_own_report(context, input->mail))
		return "our own server made the report, and may sign only what leaves (Exim)";
	if (!original->is_part || input->mail->is_truncated ||
		original->headers.count >= HEADER_COUNT_MAX)
		return "the headers did not come back whole";
	for (size_t i = 0; i < IDENTITY_COUNT; i++) {
		if (headers_find(&original->headers, identity[i]) == NULL)
			return "the headers did not come back whole";
	}
	return NULL;
}

/* True when somebody between us and the reporter may have taken a signature off: a forwarder, or a
 * list among the subscribers. */
static bool may_be_stripped(const void *context, const struct weigh_input *input)
{
	const struct way *way = way_find(context, input);

	return way->is_named || way->is_open;
}

static void weigh_absent(const void *context, const struct weigh_input *input,
	const struct search *search, struct evidence *evidence_out)
{
	const char *excuse = find_excuse(context, input);
	const char *rest = excuse == NULL ? "all mail of this domain is" : excuse;
	char *what =
		search->stranger == NULL
			? mem_strdup(context, "the returned headers are not signed")
			: mem_printf(context, "the returned headers are signed by %.*s, not by us",
				  SELECTOR_MAX, search->stranger);

	evidence_out->result = search->stranger == NULL ? "absent" : "foreign";
	if (excuse != NULL) {
		evidence_out->result = results[FINDING_NONE];
	} else if (may_be_stripped(context, input)) {
		evidence_out->result = "absent-forwarded";
		rest = "all mail of this domain is, but a forwarder may have taken ours off";
	}
	evidence_out->detail = mem_printf(context, "%s; %s", what, rest);
}

/* True when the ledger lacks the message, but was begun so lately that this is no proof. */
static bool is_before_ledger(const struct weigh_input *input)
{
	const char *sent = weigh_find_result(input->so_far, "sent");

	return sent != NULL && strcmp(sent, "absent-early") == 0;
}

void dkim_weigh(const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct search search = {.best = FINDING_NONE, .input = input};

	evidence_out->result = "unavailable";
	if (input->domain == NULL) {
		evidence_out->detail = "the report came to no domain of ours";
	} else if (input->domain->dkim_key_count == 0) {
		evidence_out->detail = "no DKIM keys are configured for this domain";
	} else if (input->bounce->original.headers.count == 0) {
		evidence_out->detail = "no headers of the original came back";
	} else {
		look_at_all(context, input, &search);
		if (search.best == FINDING_NONE) {
			weigh_absent(context, input, &search, evidence_out);
			return;
		}
		evidence_out->result = results[search.best];
		evidence_out->detail = search.detail;
		if (search.is_open && search.best < FINDING_VALID)
			evidence_out->missed = "valid";
		if (search.best == FINDING_INVENTED && weigh_is_sent(input->so_far)) {
			evidence_out->result = "invented-sent";
			evidence_out->detail = mem_printf(
				context, "%s; but the ledger knows the message", search.detail);
		} else if (search.best == FINDING_INVENTED && is_before_ledger(input)) {
			evidence_out->result = "invented-early";
			evidence_out->detail = mem_printf(context,
				"%s; but the key may have been changed since, as the ledger was "
				"begun",
				search.detail);
		}
	}
}
