/*
 * pipeline_act.c: in charge of doing what was decided, and of remembering it. Message first, memory
 * second: what is forwarded, filed or piped is done when it is done, and state that cannot be
 * written is a warning. A drop or a hold is done only when its event is committed.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "pipeline.h"
#include "pipeline_rates.h"

#define FAILED_TEXT_MAX 400
#define LIST_SHOWN_MAX 20 /* recipients named in a summary */
#define SUBJECT_SHOWN_MAX 150
#define FOREIGN_SHOWN_MAX 300 /* bytes of one foreign value in it */

/* The recipients that the report names, up to about limit bytes. */
static char *join_failed(
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
		or_dash(join_failed(context, bounce, ",", FAILED_TEXT_MAX)),
		or_dash(bounce->original.message_id));
	if (event->policy != event->action)
		line = mem_append(line, " policy=%s", action_name(event->policy));
	if (event->owed != NULL && event->owed->is_kept)
		line = mem_append(line, " for=digest");
	return line;
}

/* A line of the summary with a foreign value in it, made safe; nothing where there is no value. */
static char *append_foreign(char *text, const char *before, const char *value, const char *after)
{
	char *clean = text_clean_string(text, value, FOREIGN_SHOWN_MAX);

	if (clean == NULL)
		return text;
	text = mem_append(text, "%s%s%s", before, clean, after);
	return text;
}

/* One recipient's fate in a line or two. */
static char *describe_recipient(char *text, const struct recipient *recipient)
{
	text = append_foreign(text, "  ", recipient->address, "");
	if (recipient->final != NULL && strcmp(recipient->final, recipient->address) != 0)
		text = append_foreign(text, " (in the end ", recipient->final, ")");
	text = append_foreign(text, "\n    ", or_dash(recipient->action), "");
	text = append_foreign(text, ", status ", recipient->status, "");
	text = mem_append(text, ", %s", reason_name(recipient->reason));
	if (recipient->permanence != PERMANENCE_UNKNOWN)
		text = mem_append(text, ", %s",
			recipient->permanence == PERMANENCE_PERMANENT ? "permanent" : "temporary");
	text = mem_append(text, "\n");
	return append_foreign(text, "    ", recipient->diagnostic, "\n");
}

static char *describe_recipients(char *text, const struct bounce *bounce)
{
	if (bounce->recipient_count == 0)
		return mem_append(text, "It names no recipient.\n");
	text = mem_append(text, "Recipients:\n");
	for (size_t i = 0; i < bounce->recipient_count && i < LIST_SHOWN_MAX; i++)
		text = describe_recipient(text, &bounce->recipients[i]);
	if (bounce->recipient_count > LIST_SHOWN_MAX)
		text = mem_append(
			text, "  and %zu more\n", bounce->recipient_count - LIST_SHOWN_MAX);
	return text;
}

static char *describe_original(char *text, const struct original *original)
{
	if (original->message_id == NULL && original->subject == NULL)
		return text;
	text = mem_append(text, "\nThe mail that it is about:\n");
	text = append_foreign(text, "  Subject: ", original->subject, "\n");
	text = append_foreign(text, "  Date: ", original->date, "\n");
	return append_foreign(text, "  Message-ID: ", original->message_id, "\n");
}

/* The recipient whose signed address the report came to: the proof is about him alone, whoever else
 * the report names. */
static const char *find_proven(const struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->weighing.count; i++) {
		if (judgement->weighing.items[i].recipient != NULL)
			return judgement->weighing.items[i].recipient;
	}
	return NULL;
}

/* What the owner reads: who failed and why, what mail it was about, and why it is believed. */
static char *describe(const void *context, const struct judgement *judgement)
{
	const struct bounce *bounce = judgement->bounce;
	const struct weighing *weighing = &judgement->weighing;
	char *text = mem_printf(context, "A report on mail of the list %s came in (%s).\n\n",
		judgement->list == NULL ? "-" : judgement->list->address, kind_name(bounce->kind));

	text = describe_recipients(text, bounce);
	text = append_foreign(text,
		"The signed address that it came to was given to: ", find_proven(judgement), "\n");
	text = describe_original(text, &bounce->original);
	text = append_foreign(text, "\nReported by: ",
		or_dash(bounce->reporter.name != NULL ? bounce->reporter.name
						      : bounce->reporter.mta),
		"");
	text = mem_append(text, " [%s]\n", or_dash(bounce->reporter.address));
	text = mem_append(
		text, "Verdict: %s (%+d)\n", verdict_name(weighing->verdict), weighing->score);
	for (size_t i = 0; i < weighing->count; i++) {
		text = mem_append(text, "  %s %s (%+d)", weighing->items[i].check,
			weighing->items[i].result, weighing->items[i].weight);
		text = append_foreign(text, ": ", weighing->items[i].detail, "");
		text = mem_append(text, "\n");
	}
	return text;
}

static char *make_subject(const void *context, const struct judgement *judgement)
{
	const struct bounce *bounce = judgement->bounce;
	const char *list = judgement->list == NULL ? "-" : judgement->list->address;
	const char *first = bounce->recipient_count == 0
				    ? "unknown recipient"
				    : text_clean_string(context, bounce->recipients[0].address,
					      SUBJECT_SHOWN_MAX);

	if (bounce->recipient_count > 1)
		return mem_printf(context, "[%s] %s: %s and %zu more", list,
			kind_name(bounce->kind), first, bounce->recipient_count - 1);
	return mem_printf(context, "[%s] %s: %s", list, kind_name(bounce->kind), first);
}

/* The delivery-status part as it came, for the owner's copy. */
static struct bytes find_report(const struct mail *mail)
{
	static const char *const types[] = {
		"message/delivery-status", "message/global-delivery-status"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct part *part = part_find(mail->root, types[i]);
		if (part != NULL)
			return part->content;
	}
	return (struct bytes){NULL, 0};
}

/* The raw bytes of the returned fields stand in a row, from the first to the last. */
static struct bytes find_original_headers(const struct headers *headers)
{
	if (headers->count == 0)
		return (struct bytes){NULL, 0};
	const struct bytes *first = &headers->items[0].raw;
	const struct bytes *last = &headers->items[headers->count - 1].raw;
	return (struct bytes){first->data, (size_t)(last->data + last->size - first->data)};
}

static enum status forward(struct pipeline *pipeline, const void *context,
	const struct judgement *judgement, enum owner_sees owner_sees, const char **error_out)
{
	const struct list_config *list = judgement->list;
	struct notice notice = {
		.list = list->address,
		.subject = make_subject(context, judgement),
		.verdict = verdict_name(judgement->weighing.verdict),
		.kind = kind_name(judgement->bounce->kind),
		.score = judgement->weighing.score,
		.text = describe(context, judgement),
		.report = find_report(judgement->mail),
		.original_headers = find_original_headers(&judgement->bounce->original.headers),
		.time_s = pipeline->now != 0 ? pipeline->now : clock_now(),
	};

	return forward_send(context, pipeline->config, list->owners, list->owner_count, owner_sees,
		&notice, judgement->mail->raw, error_out);
}

static enum status run_pipe(
	const void *context, const struct judgement *judgement, const char **error_out)
{
	const struct envelope *envelope = &judgement->mail->envelope;
	const struct pipe_facts facts = {
		.kind = judgement->bounce->kind,
		.verdict = judgement->weighing.verdict,
		.score = judgement->weighing.score,
		.list = judgement->list == NULL ? NULL : judgement->list->address,
		.failed = find_proven(judgement) != NULL
				  ? find_proven(judgement)
				  : join_failed(context, judgement->bounce, " ", PIPE_VALUE_MAX),
		.sender = envelope->sender,
		.recipient = envelope_address(envelope),
	};

	return pipe_run(context, judgement->decision.target.argument,
		pipe_environment(context, &facts), judgement->mail->raw, error_out);
}

static enum status file(struct pipeline *pipeline, const void *context,
	const struct judgement *judgement, const char **error_out)
{
	const char *path = judgement->decision.target.argument;
	struct stat owner;

	/* A folder of root's in another user's state would lock the agent out. */
	if (path == NULL && geteuid() == 0 && stat(pipeline->config->state, &owner) == 0 &&
		owner.st_uid != 0) {
		*error_out = "the state belongs to another user: run it as that user";
		return STATUS_PERMISSION;
	}
	if (path == NULL)
		path = mem_printf(context, "%s/unclaimed", pipeline->config->state);
	return file_deliver(context, path, judgement->mail->raw, NULL, error_out);
}

/* Commits the event, and lets go of what is kept too long or takes too much room. A file that stays
 * behind when we are killed here is found by `held purge --expired`. */
static enum status remember(
	struct pipeline *pipeline, struct event *event, const char *held_file, int64_t expires_s)
{
	struct sweep sweep = {.limit_bytes = pipeline->config->keep_dropped_size};
	enum status status =
		record_event_and_sweep(pipeline->state, event, held_file, expires_s, &sweep);

	for (size_t i = 0; status == STATUS_OK && i < sweep.count; i++)
		hold_remove(pipeline->config->state, sweep.files[i]);
	if (status == STATUS_OK)
		pipeline_log_storms(event);
	return status;
}

/* Keeps the bytes, then commits the event: only both together are a drop or a hold. */
static enum status keep(struct pipeline *pipeline, const void *context,
	const struct judgement *judgement, struct event *event, const char **error_out)
{
	const struct config *config = pipeline->config;
	bool is_drop = judgement->decision.target.action == ACTION_DROP;
	int64_t expires_s = is_drop ? event->time_s + config->keep_dropped_s : 0;
	char *name = NULL;

	if (pipeline->state == NULL) {
		*error_out = "the state cannot be written, so nothing can be dropped or held";
		return STATUS_STATE;
	}
	enum status status =
		hold_keep(context, config->state, judgement->mail->raw, &name, error_out);
	if (status != STATUS_OK)
		return status;
	event->stored = hold_stored(config->state, name);
	status = remember(pipeline, event, name, expires_s);
	if (status == STATUS_OK) {
		guard_message_is_safe();
	} else {
		hold_remove(config->state, name);
		*error_out = mem_printf(context,
			"the decision cannot be recorded (%s), so the message is not dropped or "
			"held",
			status_text(status));
	}
	return status;
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
	const char *proven = find_proven(judgement);

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
static enum reputation_use find_reputation(const struct judgement *judgement)
{
	const struct weighing *weighing = &judgement->weighing;

	if (judgement->is_storm)
		return REPUTATION_NONE;
	if (weigh_verdict_without(weighing, "reporter") != weighing->verdict)
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
	use->proven = find_proven(judgement);
	return use;
}

static void fill_event(const void *context, const struct pipeline *pipeline,
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
	event->failed = join_failed(context, judgement->bounce, ", ", FAILED_TEXT_MAX);
	event->message_id = judgement->bounce->original.message_id;
	event->queue_id = envelope->queue_id;
	event->evidence = join_evidence(context, &judgement->weighing, " ", true);
	event->size = judgement->mail->raw.size;
	event->proofs = find_proofs(judgement);
	fill_reason(judgement, event);
	event->rates = pipeline_find_rates(context, pipeline, judgement);
	event->reputation = find_reputation(judgement);
	event->owed = find_owed(context, judgement);
}

/* Ordinary mail and what a policy passes on goes out whole; a report as the list's owner wants it.
 */
static enum owner_sees find_owner_sees(const struct judgement *judgement)
{
	if (judgement->decision.target.action == ACTION_PASS ||
		!kind_is_judged(judgement->bounce->kind))
		return OWNER_SEES_ORIGINAL;
	return judgement->list->owner_sees;
}

/* What cannot be kept for the digest goes out at once: the limit is a courtesy, the message is not.
 */
static enum status keep_or_forward(struct pipeline *pipeline, const void *context,
	const struct judgement *judgement, struct event *event, const char **error_out)
{
	enum status status = keep(pipeline, context, judgement, event, error_out);

	if (status == STATUS_OK || !judgement->decision.is_collected)
		return status;
	log_warning("it could not be kept for the owners' digest, and is sent at once: %s",
		*error_out == NULL ? status_text(status) : *error_out);
	*error_out = NULL;
	event->action = ACTION_FORWARD;
	event->owed = NULL;
	return forward(pipeline, context, judgement, find_owner_sees(judgement), error_out);
}

enum status pipeline_act(struct pipeline *pipeline, const void *context,
	const struct judgement *judgement, struct event *event_out, const char **error_out)
{
	enum status status = STATUS_OK;

	*error_out = NULL;
	fill_event(context, pipeline, judgement, event_out);
	switch (judgement->decision.target.action) {
	case ACTION_FORWARD:
	case ACTION_PASS:
		status = forward(
			pipeline, context, judgement, find_owner_sees(judgement), error_out);
		break;
	case ACTION_FILE:
		status = file(pipeline, context, judgement, error_out);
		break;
	case ACTION_PIPE:
		status = run_pipe(context, judgement, error_out);
		break;
	case ACTION_DROP:
	case ACTION_HOLD:
		status = keep_or_forward(pipeline, context, judgement, event_out, error_out);
		if (status != STATUS_OK || event_out->action != ACTION_FORWARD)
			return status;
		break;
	case ACTION_COUNT:
		status = STATUS_DATA;
		*error_out = "no action was decided";
		break;
	}
	if (status != STATUS_OK)
		return status;
	guard_message_is_safe();
	status = pipeline->state == NULL ? STATUS_STATE : remember(pipeline, event_out, NULL, 0);
	if (status != STATUS_OK)
		log_warning("the event could not be recorded (%s); the message was handed on all "
			    "the same",
			status_text(status));
	return STATUS_OK;
}
