/*
 * pipeline_event.c: in charge of what is remembered of a judged message: the record of its event,
 * with what it counts for and against, and its line in the log. Leaves writing it to
 * state/record.c.
 */
#include "pipeline_event.h"

#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "pipeline_rates.h"

#define FAILED_TEXT_MAX 400

char *pipeline_join_failed(
	const void *context, const struct bounce *bounce, const char *separator, size_t limit)
{
	char *text = mem_strdup(context, "");

	for (size_t i = 0; i < bounce->recipient_count && strlen(text) < limit; i++)
		text = mem_append(
			text, "%s%s", i == 0 ? "" : separator, bounce->recipients[i].address);
	return text;
}

static char *join_evidence(const void *context, const struct weighing *weighing,
	const char *separator, bool has_weights)
{
	char *text = mem_strdup(context, "");

	for (size_t i = 0; i < weighing->count; i++) {
		const struct evidence *item = &weighing->items[i];
		if (item->weight == 0 && !has_weights)
			continue;
		text = mem_append(
			text, "%s%s:%s", *text == '\0' ? "" : separator, item->check, item->result);
		if (has_weights)
			text = mem_append(text, "%+d", item->weight);
	}
	return text;
}

static const char *or_dash(const char *text)
{
	return text == NULL || *text == '\0' ? "-" : text;
}

char *pipeline_log_line(
	const void *context, const struct judgement *judgement, const struct event *event)
{
	const struct bounce *bounce = judgement->bounce;
	char id[EVENT_ID_TEXT_MAX];
	char *line;

	event_id_format(event->id, id);
	line = mem_printf(context,
		"id=%s kind=%s verdict=%s score=%d action=%s list=%s from=%s by=%s rcpt=<%s> "
		"msgid=%s",
		event->id == 0 ? "-" : id, kind_name(event->kind), verdict_name(event->verdict),
		event->score, action_name(event->action), or_dash(event->list),
		or_dash(event->reporter),
		or_dash(join_evidence(context, &judgement->weighing, ",", false)),
		or_dash(pipeline_join_failed(context, bounce, ",", FAILED_TEXT_MAX)),
		or_dash(bounce->original.message_id));
	if (event->policy != event->action)
		line = mem_append(line, " policy=%s", action_name(event->policy));
	if (event->owed != NULL && event->owed->is_kept)
		line = mem_append(line, " for=digest");
	return line;
}

const char *pipeline_find_proven(const struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->weighing.count; i++) {
		if (judgement->weighing.items[i].recipient != NULL)
			return judgement->weighing.items[i].recipient;
	}
	return NULL;
}

/* What is proved to be forged must not use up the proofs of a genuine report to come. */
static const struct proof_use *find_proofs(const struct judgement *judgement)
{
	const struct weighing *weighing = &judgement->weighing;

	for (size_t i = 0; i < weighing->count; i++) {
		if (weighing->items[i].proofs != NULL && weighing->verdict != VERDICT_BACKSCATTER)
			return weighing->items[i].proofs;
	}
	return NULL;
}

/* The recipient that the event tells of: the proven one if the report names him, else its first.
 * NULL where it names none. */
static const struct recipient *find_main_recipient(const struct judgement *judgement)
{
	const struct bounce *bounce = judgement->bounce;
	const char *proven = pipeline_find_proven(judgement);

	for (size_t i = 0; proven != NULL && i < bounce->recipient_count; i++) {
		if (bounce->recipients[i].address != NULL &&
			address_equal(bounce->recipients[i].address, proven))
			return &bounce->recipients[i];
	}
	return bounce->recipient_count > 0 ? &bounce->recipients[0] : NULL;
}

static void fill_reason(const struct judgement *judgement, struct event *event)
{
	const struct recipient *recipient = find_main_recipient(judgement);

	if (recipient == NULL)
		return;
	event->reason = reason_name(recipient->reason);
	event->status = recipient->status;
	switch (recipient->permanence) {
	case PERMANENCE_PERMANENT:
		event->permanence = "permanent";
		break;
	case PERMANENCE_TEMPORARY:
		event->permanence = "temporary";
		break;
	case PERMANENCE_UNKNOWN:
		break;
	}
}

/* Nothing that the reporter's own name had a part in counts for it, and nothing in a storm: every
 * server of the world takes part in that, and other lists must not feel it. */
static enum reputation_use find_reputation(
	const struct config *config, const struct judgement *judgement)
{
	const struct weighing *weighing = &judgement->weighing;

	if (judgement->is_storm)
		return REPUTATION_NONE;
	if (weigh_verdict_without(config, weighing, "reporter") != weighing->verdict)
		return REPUTATION_NONE;
	if (weighing->verdict == VERDICT_GENUINE)
		return REPUTATION_GENUINE;
	return weighing->verdict == VERDICT_BACKSCATTER ? REPUTATION_BACKSCATTER : REPUTATION_NONE;
}

/* Whether it counts against the owners' limit, or waits for their digest. */
static const struct owed_use *find_owed(const void *context, const struct judgement *judgement)
{
	const struct list_config *list = judgement->list;
	bool is_kept = judgement->decision.is_collected;
	struct owed_use *use;

	if (list == NULL || judgement->bounce->kind == KIND_ORDINARY)
		return NULL;
	if (!is_kept && (list->owner_limit.count == 0 ||
				judgement->decision.target.action != ACTION_FORWARD))
		return NULL;
	use = mem_new(context, struct owed_use);
	use->window_s = list->owner_limit.count > 0 ? list->owner_limit.period_s : 0;
	use->is_kept = is_kept;
	use->proven = pipeline_find_proven(judgement);
	return use;
}

void pipeline_fill_event(const void *context, const struct pipeline *pipeline,
	const struct judgement *judgement, struct event *event)
{
	const struct envelope *envelope = &judgement->mail->envelope;

	memset(event, 0, sizeof(*event));
	event->time_s = pipeline->now != 0 ? pipeline->now : clock_now();
	event->kind = judgement->bounce->kind;
	event->verdict = judgement->weighing.verdict;
	event->action = judgement->decision.target.action;
	event->policy = judgement->decision.policy;
	event->score = judgement->weighing.score;
	event->list = judgement->list == NULL ? NULL : judgement->list->address;
	event->reporter = judgement->bounce->reporter.address;
	event->sender = envelope->sender;
	event->recipient = envelope_address(envelope);
	event->failed = pipeline_join_failed(context, judgement->bounce, ", ", FAILED_TEXT_MAX);
	event->message_id = judgement->bounce->original.message_id;
	event->queue_id = envelope->queue_id;
	event->evidence = join_evidence(context, &judgement->weighing, " ", true);
	event->size = judgement->mail->raw.size;
	event->proofs = find_proofs(judgement);
	fill_reason(judgement, event);
	event->rates = pipeline_find_rates(context, pipeline, judgement);
	event->reputation = find_reputation(pipeline->config, judgement);
	event->owed = find_owed(context, judgement);
}
