/*
 * replay.c: in charge of proofs that are shown more often than one message to one recipient
 * explains. Every subscriber has the post, its Message-ID, its signature and his own tag, and can
 * show them again and again.
 *
 * A proof that is used up takes away what it gave, never more: a mail server that returns the same
 * mail at every queue run (masqmail, 80 times), or a stranger who uses up a member's proof before
 * the genuine report comes, makes that report unproven, not backscatter.
 *
 * Nor does a tag prove anything that was given to one recipient where the report is about others
 * who got the mail from a stranger.
 *
 * What is counted: a Message-ID with a recipient of it, for each pair that the ledger or a tag
 * confirms; and a tag of a recipient as such, since whoever has one can make up Message-IDs. Such a
 * tag is good for all posts of its day, so it may be used far more often. The counting itself is
 * done when the message is recorded (pipeline_act.c). Of reports that come to one recipient's tag
 * and are about others, those count that bring a new name: a subscriber's tag is worth one address
 * behind a forwarder, not a spam run.
 */
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/message_id.h"
#include "state/ledger.h"
#include "state/proof.h"
#include "weigh/candidates.h"
#include "weigh/tagged.h"

#define MISUSED_LEFT 10 /* decibans that a tag keeps whose recipient the report does not name */
#define NAMED_MAX 8	/* recipients counted of a message whose recipients are not in the ledger */

/* From so many earlier reports on, it is... */
struct limits {
	uint64_t again; /* more often than usual: a hint */
	uint64_t often; /* more often than servers that repeat themselves do */
	uint64_t flood; /* no proof any more */
};

static const struct limits pair_limits[PROOF_CLASS_COUNT] = {
	[PROOF_FAILED] = {1, 3, 10},
	[PROOF_DELAYED] = {10, 30, 100}, /* every few hours, for days */
	[PROOF_DELIVERED] = {2, 10, 50},
	[PROOF_ANSWER] = {5, 20, 100},
};

static const struct limits tag_limits[PROOF_CLASS_COUNT] = {
	[PROOF_FAILED] = {200, 1000, 5000}, /* posts of a day on the busiest lists */
	[PROOF_DELAYED] = {2000, 10000, 50000},
	[PROOF_DELIVERED] = {200, 1000, 5000},
	[PROOF_ANSWER] = {200, 1000, 5000},
};

/* Of a recipient's tag: other names in reports that came to it. */
static const struct limits others_limits = {1, 1, 1};

static enum proof_class find_class(enum kind kind)
{
	switch (kind) {
	case KIND_FAILED:
		return PROOF_FAILED;
	case KIND_DELAYED:
		return PROOF_DELAYED;
	case KIND_DELIVERED:
		return PROOF_DELIVERED;
	case KIND_ORDINARY:
	case KIND_AUTOREPLY:
	case KIND_CHALLENGE:
	case KIND_FEEDBACK:
	case KIND_MDN:
	case KIND_VIRUSNOTICE:
	case KIND_COUNT:
		break;
	}
	return PROOF_ANSWER;
}

static const struct evidence *find_seen(const struct weighing *weighing, const char *check_name)
{
	for (size_t i = 0; weighing != NULL && i < weighing->count; i++) {
		if (strcmp(weighing->items[i].check, check_name) == 0)
			return &weighing->items[i];
	}
	return NULL;
}

static const struct evidence *find_evidence(const struct weigh_input *input, const char *check_name)
{
	return find_seen(input->so_far, check_name);
}

int replay_measure_gain(const struct weighing *so_far)
{
	static const char *const names[] = {"tag", "sent"};
	int firm = 0, forgeable = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct evidence *item = find_seen(so_far, names[i]);
		if (item == NULL || item->weight < 0)
			continue;
		if (item->is_forgeable)
			forgeable += item->weight;
		else
			firm += item->weight;
	}
	return firm + (forgeable > WEIGH_FORGEABLE_MAX ? WEIGH_FORGEABLE_MAX : forgeable);
}

/* True when the report, or the reporter's own trace, names this address. */
static bool is_named(const void *context, const struct weigh_input *input, const char *address)
{
	const struct bounce *bounce = input->bounce;
	const char *traced[CANDIDATE_MAX];
	struct trace trace;

	for (size_t i = 0; i < bounce->recipient_count; i++) {
		const struct recipient *recipient = &bounce->recipients[i];
		if (address_equal(recipient->address, address) ||
			(recipient->final != NULL && address_equal(recipient->final, address)))
			return true;
	}
	trace_read(context, &bounce->original, &trace);
	size_t count = trace_recipients(context, &bounce->original, &trace, traced, CANDIDATE_MAX);
	for (size_t i = 0; i < count; i++) {
		if (address_equal(traced[i], address))
			return true;
	}
	return bounce->recipient_count == 0;
}

/* The tag of one recipient in reports about others: a forwarder names the address behind it, and
 * always the same few. What counts is how many such names there were. */
static void add_others(const void *context, const struct weigh_input *input,
	const struct tagged *tagged, struct proof_use *use)
{
	char *names = mem_strdup(context, "");
	size_t count = use->count;

	if (is_named(context, input, tagged->recipient))
		return;
	for (size_t i = 0; i < input->bounce->recipient_count; i++)
		names = mem_append(names, "%s\n", input->bounce->recipients[i].address);
	proof_add(use, "others", tagged->recipient, tagged->tag.mac);
	if (use->count > count)
		use->instead[count] =
			proof_hash((struct bytes){(const unsigned char *)names, strlen(names)});
}

/* The proof of a recipient's tag. has_tag_out: it is the first of all. */
static void add_tag(const void *context, const struct weigh_input *input, struct proof_use *use,
	bool *has_tag_out)
{
	const struct evidence *item = find_evidence(input, "tag");
	const char *id = message_id_normalise(context, input->bounce->original.message_id);
	struct tagged tagged;

	*has_tag_out = false;
	if (item == NULL || item->weight <= 0 || item->recipient == NULL)
		return;
	tagged_find(context, input, &tagged);
	if (tagged.result == TAG_VALID) {
		proof_add(use, "tag", item->recipient, tagged.tag.mac);
		add_others(context, input, &tagged, use);
		*has_tag_out = true;
	}
	if (id != NULL)
		proof_add(use, "pair", id, item->recipient);
}

/* Adds the recipients among the candidates to whom this message went. */
static enum status add_pairs(const void *context, const struct weigh_input *input,
	const char *message_id, const struct candidates *candidates, struct proof_use *use)
{
	const char *id = message_id_normalise(context, message_id);
	enum status status = STATUS_OK;

	for (size_t i = 0; i < candidates->count && status == STATUS_OK; i++) {
		struct ledger_answer answer;
		status = ledger_find(input->state, message_id, &candidates->items[i], 1, &answer);
		if (status == STATUS_OK && answer.has_recipient)
			proof_add(use, "pair", id, candidates->items[i]);
	}
	return status;
}

/* The ledger knows the message, not its recipients: each may fail once. */
static void add_named(const void *context, const char *message_id,
	const struct candidates *candidates, struct proof_use *use)
{
	const char *id = message_id_normalise(context, message_id);

	for (size_t i = 0; i < candidates->count && i < NAMED_MAX; i++)
		proof_add(use, "pair", id, candidates->items[i]);
}

/* The proofs that the ledger confirms. */
static bool add_sent(const void *context, const struct weigh_input *input, struct proof_use *use)
{
	const struct evidence *item = find_evidence(input, "sent");
	struct candidates candidates, verp;
	struct original_names names;
	struct trace trace;

	if (item == NULL || item->weight <= 0)
		return true;
	trace_read(context, &input->bounce->original, &trace);
	candidates_collect(context, input, &trace, &candidates, &verp);
	original_names_collect(context, input->bounce, &names);
	for (size_t i = 0; i < names.count; i++) {
		const char *id = names.items[i];
		struct ledger_answer answer;
		if (message_id_normalise(context, id) == NULL)
			continue;
		if (ledger_find(input->state, id, candidates.items, candidates.count, &answer) !=
			STATUS_OK)
			return false;
		if (answer.has_recipient &&
			add_pairs(context, input, id, &candidates, use) != STATUS_OK)
			return false;
		if (answer.has_message && !answer.records_recipients)
			add_named(context, id, &candidates, use);
	}
	return true;
}

/* "first", "again", "often" or "flood": the worst that any of the proofs comes to. */
static const char *judge(
	const struct proof_use *use, const uint64_t *earlier, bool has_tag, uint64_t *most_out)
{
	static const char *const results[] = {"first", "again", "often", "flood"};
	int worst = 0;

	*most_out = 0;
	for (size_t i = 0; i < use->count; i++) {
		const struct limits *limits = use->instead[i] != 0 ? &others_limits
					      : has_tag && i == 0  ? &tag_limits[use->class]
								   : &pair_limits[use->class];
		int grade = (earlier[i] >= limits->again) + (earlier[i] >= limits->often) +
			    (earlier[i] >= limits->flood);
		if (grade > worst || (grade == worst && earlier[i] > *most_out))
			*most_out = earlier[i];
		if (grade > worst)
			worst = grade;
	}
	return results[worst];
}

static void weigh_use(const void *context, const struct weigh_input *input,
	const struct proof_use *use, bool has_tag, struct evidence *evidence_out)
{
	uint64_t earlier[PROOF_COUNT_MAX], most;
	int weight = 0, gain = replay_measure_gain(input->so_far);

	if (proof_find(input->state, use, earlier) != STATUS_OK) {
		evidence_out->detail = "the uses of proofs could not be read";
		return;
	}
	evidence_out->proofs = use;
	evidence_out->result = judge(use, earlier, has_tag, &most);
	evidence_out->detail =
		mem_printf(context, "%llu earlier report%s showed what tag or ledger proves here",
			(unsigned long long)most, most == 1 ? "" : "s");
	weigh_find_weight(input->config, "replay", evidence_out->result, &weight);
	evidence_out->weight = weight < -gain ? -gain : weight;
	evidence_out->has_weight = true;
}

/* True when the tag was given to one recipient, the report is about others, and they did not get
 * the mail from us, nor from a forwarder: who has a tag sends spam with it. */
static bool is_misused(const void *context, const struct weigh_input *input)
{
	const struct evidence *tag = find_evidence(input, "tag");
	const char *hop = weigh_find_result(input->so_far, "hop");

	return tag != NULL && tag->weight > 0 && tag->recipient != NULL && hop != NULL &&
	       (strcmp(hop, "foreign") == 0 || strcmp(hop, "unlinked") == 0) &&
	       !is_named(context, input, tag->recipient);
}

/* The proof is taken back but for MISUSED_LEFT: a forwarder that hides its trace looks the same, so
 * it makes the report unproven, not backscatter. */
static void weigh_misuse(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	const struct evidence *tag = find_evidence(input, "tag");
	int weight = 0, left = replay_measure_gain(input->so_far) - MISUSED_LEFT;

	evidence_out->result = "misused";
	evidence_out->detail = mem_printf(context,
		"the address that it came to was given to %s, but the report is about others, and "
		"the mail did not come from us",
		tag->recipient);
	weigh_find_weight(input->config, "replay", "misused", &weight);
	evidence_out->weight = weight < -left ? -left : weight;
	evidence_out->has_weight = true;
}

void replay_weigh(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct proof_use *use = mem_new(context, struct proof_use);
	bool is_sound, has_tag;

	evidence_out->result = "unavailable";
	if (is_misused(context, input)) {
		weigh_misuse(context, input, evidence_out);
		return;
	}
	if (input->state == NULL) {
		evidence_out->detail = "the uses of proofs could not be asked";
		return;
	}
	use->class = find_class(input->bounce->kind);
	use->report = proof_hash(input->mail->raw);
	add_tag(context, input, use, &has_tag);
	is_sound = add_sent(context, input, use);
	if (!is_sound)
		evidence_out->detail = "the uses of proofs could not be read";
	else if (use->count == 0)
		evidence_out->detail = "the report shows nothing that is counted";
	else
		weigh_use(context, input, use, has_tag, evidence_out);
}
