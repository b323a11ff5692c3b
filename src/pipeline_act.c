/*
 * pipeline_act.c: in charge of doing what was decided, and of remembering it; what is remembered is
 * filled in by pipeline_event.c. Message first, memory second: what is forwarded, filed or piped is
 * done when it is done, and state that cannot be written is a warning. A drop or a hold is done
 * only when its event is committed.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "pipeline.h"
#include "pipeline_event.h"
#include "pipeline_rates.h"

#define LIST_SHOWN_MAX 20 /* recipients named in a summary */
#define SUBJECT_SHOWN_MAX 150
#define FOREIGN_SHOWN_MAX 300 /* bytes of one foreign value in it */

static const char *or_dash(const char *text)
{
	return text == NULL || *text == '\0' ? "-" : text;
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

/* What the owner reads: who failed and why, what mail it was about, and why it is believed. */
static char *describe(const void *context, const struct judgement *judgement)
{
	const struct bounce *bounce = judgement->bounce;
	const struct weighing *weighing = &judgement->weighing;
	char *text = mem_printf(context, "A report on mail of the list %s came in (%s).\n\n",
		judgement->list == NULL ? "-" : judgement->list->address, kind_name(bounce->kind));

	text = describe_recipients(text, bounce);
	text = append_foreign(text, "The signed address that it came to was given to: ",
		pipeline_find_proven(judgement), "\n");
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
		.failed = pipeline_find_proven(judgement) != NULL
				  ? pipeline_find_proven(judgement)
				  : pipeline_join_failed(
					    context, judgement->bounce, " ", PIPE_VALUE_MAX),
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
	pipeline_fill_event(context, pipeline, judgement, event_out);
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
