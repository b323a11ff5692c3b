/*
 * tag.c: in charge of the signature in the address that the report came to (base/tag.h). It is the
 * strongest proof there is: only who received the mail, or a server on its way, has the tag.
 *
 * A tag counts as missing only for reports on delivery: an automatic reply goes to From or Reply-To
 * as often as to the envelope sender, and has no tag then.
 */
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "state/ledger.h"
#include "weigh/weigh.h"

#define LOCAL_PART_MAX 64 /* octets, RFC 5321 section 4.5.3.1.1 */
#define TAG_ROOM 23	  /* a delimiter and the shortest tag */

/* The recipient behind an opaque id: from the ledger, else one that the report names and that has
 * this id. */
static const char *resolve(
	const void *context, const struct weigh_input *input, const struct tag *tag)
{
	char *recipient = NULL;

	if (tag->id == NULL)
		return NULL;
	if (input->state != NULL &&
		ledger_find_id(input->state, context, tag->id, &recipient) == STATUS_OK)
		return recipient;
	for (size_t i = 0; i < input->bounce->recipient_count; i++) {
		const char *address = input->bounce->recipients[i].address;
		char id[TAG_ID_LENGTH + 1];
		tag_recipient_id(address, id);
		if (strcmp(id, tag->id) == 0)
			return address;
	}
	return NULL;
}

/* The forms of an address in which a tag of ours can stand when others have changed it: as it is,
 * without another program's wrapping (prvs=TAG=), without what was added behind it (+SUFFIX). */
enum { FORM_COUNT = 3 };

static const char *find_form(const void *context, const char *address, int form)
{
	const char *domain = address_domain(address);
	char *local = address_local(context, address);
	char *cut = form == 1 ? strchr(local, '=') : strrchr(local, '+');

	if (form == 0)
		return address;
	if (domain == NULL || cut == NULL ||
		(form == 1 && !text_starts_fold(local, "prvs=") &&
			!text_starts_fold(local, "btv1=")))
		return NULL;
	if (form == 2) {
		*cut = '\0';
		return mem_printf(context, "%s@%s", local, domain);
	}
	cut += strspn(cut, "=");
	cut = strchr(cut, '=');
	return cut == NULL ? NULL : mem_printf(context, "%s@%s", cut + strspn(cut, "="), domain);
}

/* A tag in either address that the report was addressed to: the first that is right, else the
 * first. */
static bool find_tag(const void *context, const struct weigh_input *input, struct tag *tag_out)
{
	const struct envelope *envelope = &input->mail->envelope;
	const char *addresses[] = {envelope->original_recipient, envelope->recipient};
	bool is_found = false;

	for (int i = 0; i < 2 * FORM_COUNT; i++) {
		const char *address = addresses[i % 2];
		struct tag tag;
		if (address != NULL)
			address = find_form(context, address, i / 2);
		if (address == NULL || !tag_parse(context, address, &tag))
			continue;
		bool is_bad = tag_check(input->tag_keys, &tag, resolve(context, input, &tag),
				      input->domain->tag_lifetime_s, input->now) == TAG_BAD;
		if (!is_found || !is_bad)
			*tag_out = tag;
		is_found = true;
		if (!is_bad)
			break;
	}
	return is_found;
}

static bool is_delivery_report(enum kind kind)
{
	return kind == KIND_FAILED || kind == KIND_DELAYED || kind == KIND_DELIVERED;
}

/* A mailbox that leaves no room for a tag cannot have had one. */
static bool has_room(const void *context, const struct weigh_input *input)
{
	const char *address = envelope_address(&input->mail->envelope);

	return strlen(address_local(context, address)) + TAG_ROOM <= LOCAL_PART_MAX;
}

static void weigh_absent(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	if (input->domain->tagged == SHARE_ALL && is_delivery_report(input->bounce->kind) &&
		has_room(context, input)) {
		evidence_out->result = "missing";
		evidence_out->detail =
			"all mail of this domain is tagged, but the report came to a bare address";
		return;
	}
	evidence_out->result = "absent";
	evidence_out->detail = "the report came to an address without a tag";
}

static void weigh_present(const void *context, const struct weigh_input *input,
	const struct tag *tag, struct evidence *evidence_out)
{
	char day[CLOCK_TEXT_MAX];

	clock_format_day(tag->day * 86400, day);
	evidence_out->detail = mem_printf(context, "key %u, signed %s", tag->key, day);
	switch (tag_check(input->tag_keys, tag, resolve(context, input, tag),
		input->domain->tag_lifetime_s, input->now)) {
	case TAG_VALID:
		evidence_out->result = tag->form == 's' ? "valid-sender" : "valid-recipient";
		evidence_out->recipient =
			tag->id != NULL ? resolve(context, input, tag) : tag->recipient;
		break;
	case TAG_EXPIRED:
		evidence_out->result = "expired";
		break;
	case TAG_BAD:
		evidence_out->result = "bad";
		evidence_out->detail =
			"the address has the form of our tags, but not our signature";
		break;
	case TAG_NO_KEY: /* else a forger would choose a key number that we do not have */
		weigh_absent(context, input, evidence_out);
		evidence_out->detail = mem_printf(context, "signed with key %u, which is not in %s",
			tag->key, input->tag_keys->path);
		break;
	case TAG_UNRESOLVED:
		evidence_out->result = "unavailable";
		evidence_out->detail =
			"the tag names its recipient by an id that is not in the ledger";
		break;
	case TAG_ABSENT:
		weigh_absent(context, input, evidence_out);
		break;
	}
}

void tag_weigh(const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	const struct envelope *envelope = &input->mail->envelope;
	struct tag tag;

	evidence_out->result = "unavailable";
	if (input->domain == NULL) {
		evidence_out->detail = "the report came to no domain of ours";
	} else if (envelope_address(envelope) == NULL) {
		evidence_out->detail = "the address that the report came to is not known";
	} else if (input->tag_keys == NULL) {
		evidence_out->detail = input->tag_problem != NULL
					       ? input->tag_problem
					       : "no tag keys are configured for this domain";
	} else if (find_tag(context, input, &tag)) {
		weigh_present(context, input, &tag, evidence_out);
	} else {
		weigh_absent(context, input, evidence_out);
	}
}
