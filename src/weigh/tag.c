/*
 * tag.c: in charge of what a signature proves that came back with the report: ours (base/tag.h), or
 * another program's (base/prvs.h). Ours is the strongest proof there is: only who received the
 * mail, or a server on its way, has the tag. Leaves to tagged.c where it stands.
 *
 * A tag counts as missing only for reports on delivery: an automatic reply goes to From or Reply-To
 * as often as to the envelope sender, and has no tag then.
 */
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "weigh/tagged.h"
#include "weigh/weigh.h"

#define LOCAL_PART_MAX 64 /* octets, RFC 5321 section 4.5.3.1.1 */
#define TAG_ROOM 23	  /* a delimiter and the shortest tag */

/* The length of the mailbox, without what an extension adds: anybody can write a long one of those
 * behind a bounce address. */
static size_t measure_mailbox(const void *context, const struct weigh_input *input)
{
	const char *local = address_local(context, envelope_address(&input->mail->envelope));
	size_t size = strcspn(local, "+");

	for (size_t i = 0; input->list != NULL && i < input->list->bounce_count; i++) {
		const char *mailbox = address_local(context, input->list->bounces[i]);
		if (text_starts_fold(local, mailbox))
			size = strlen(mailbox);
	}
	return size;
}

/* A mailbox that leaves no room for a tag cannot have had one. */
static bool has_room(const void *context, const struct weigh_input *input)
{
	return measure_mailbox(context, input) + TAG_ROOM <= LOCAL_PART_MAX;
}

/* A key file that cannot be read: its tags look like none. */
static const char *find_problem(const struct weigh_input *input)
{
	return input->tag_problem != NULL ? input->tag_problem : input->prvs_problem;
}

static void weigh_absent(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	const char *problem = find_problem(input);

	if (problem != NULL) {
		evidence_out->result = "unavailable";
		evidence_out->detail = problem;
	} else if (input->domain->tagged == SHARE_ALL &&
		   kind_is_delivery_report(input->bounce->kind) && has_room(context, input)) {
		evidence_out->result = "missing";
		evidence_out->detail =
			"all mail of this domain is tagged, but the report came to a bare address";
	} else {
		evidence_out->result = "absent";
		evidence_out->detail = "the report came to an address without a tag";
	}
}

static void weigh_present(const void *context, const struct weigh_input *input,
	const struct tagged *tagged, struct evidence *evidence_out)
{
	const struct tag *tag = &tagged->tag;
	char day[CLOCK_TEXT_MAX];

	clock_format_day(tag->day * 86400, day);
	evidence_out->detail = mem_printf(context, "key %u, signed %s%s%s", tag->key, day,
		tagged->where == NULL ? "" : ", in ", tagged->where == NULL ? "" : tagged->where);
	switch (tagged->result) {
	case TAG_VALID:
		evidence_out->result = tag->form == 's' ? "valid-sender" : "valid-recipient";
		evidence_out->recipient = tagged->recipient;
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
		evidence_out->detail = mem_printf(context,
			"signed with key %u of %s or before, which is not in %s", tag->key, day,
			input->tag_keys->path);
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

/* Another program's tag. Everybody who got a mail of this sender in its lifetime has a valid one.
 */
static void weigh_prvs(const void *context, const struct weigh_input *input,
	const struct tagged_prvs *tagged, struct evidence *evidence_out)
{
	switch (tagged->result) {
	case PRVS_VALID:
		evidence_out->result = "prvs-valid";
		evidence_out->detail = mem_printf(context,
			"a valid prvs tag (key %c)%s%s; whoever has mail of this sender has it too",
			tagged->tag[0], tagged->where == NULL ? "" : " in ",
			tagged->where == NULL ? "" : tagged->where);
		break;
	case PRVS_EXPIRED:
		evidence_out->result = "prvs-expired";
		evidence_out->detail = "a prvs tag of ours, but its days are over";
		break;
	case PRVS_BAD:
		evidence_out->result = "prvs-bad";
		evidence_out->detail = mem_printf(
			context, "a prvs tag of key %c that this key did not sign", tagged->tag[0]);
		break;
	case PRVS_NO_KEY:
		weigh_absent(context, input, evidence_out);
		evidence_out->detail =
			mem_printf(context, "a prvs tag of key %c, which is not in %s",
				tagged->tag[0], input->prvs_keys->path);
		break;
	case PRVS_ABSENT:
		weigh_absent(context, input, evidence_out);
		break;
	}
}

static void weigh_tags(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct tagged_prvs prvs;
	struct tagged tagged;

	tagged_find(context, input, &tagged);
	tagged_find_prvs(context, input, &prvs);
	/* Our own says more, but one of a key that we do not have is no better than none. */
	if (prvs.result != PRVS_ABSENT &&
		(tagged.result == TAG_ABSENT || tagged.result == TAG_NO_KEY))
		weigh_prvs(context, input, &prvs, evidence_out);
	else
		weigh_present(context, input, &tagged, evidence_out);
}

void tag_weigh(const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	evidence_out->result = "unavailable";
	if (input->domain == NULL) {
		evidence_out->detail = "the report came to no domain of ours";
	} else if (envelope_address(&input->mail->envelope) == NULL) {
		evidence_out->detail = "the address that the report came to is not known";
	} else if (input->tag_keys == NULL && input->prvs_keys == NULL) {
		evidence_out->detail = find_problem(input) != NULL
					       ? find_problem(input)
					       : "no tag keys are configured for this domain";
	} else {
		weigh_tags(context, input, evidence_out);
	}
}
