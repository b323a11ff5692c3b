/*
 * held_release.c: a held message to where it would have gone as a genuine one.
 *
 * It always goes as the original bytes, also where the owners see summaries: what was taken out of
 * their mail by mistake comes back whole. A list whose genuine bounces are passed on, held or
 * dropped has no other place for this one than its owners. Leaves to held.c what happens to the
 * record.
 */
#include "cmd/held_release.h"

#include <string.h>

#include "act/act.h"
#include "base/memory.h"

/* Where a message goes. */
struct destination {
	struct target target;
	const char *const *recipients; /* for ACTION_FORWARD */
	size_t recipient_count;
};

static enum status find_destination(const struct config *config, const struct held *held,
	const char *const *to, struct destination *destination_out, const char **error_out)
{
	const struct list_config *list = NULL;

	destination_out->target = (struct target){.action = ACTION_FORWARD};
	if (*to != NULL) {
		destination_out->recipients = to;
		destination_out->recipient_count = 1;
		return STATUS_OK;
	}
	if (held->event.list != NULL)
		list = config_find_list(config, held->event.list);
	if (list == NULL && held->event.recipient != NULL)
		list = config_find_list(config, held->event.recipient);
	if (list == NULL) {
		*error_out = "no configured list is its own; say --to=ADDRESS";
		return STATUS_CONFIG;
	}
	if (list->genuine.argument != NULL)
		destination_out->target = list->genuine;
	destination_out->recipients = list->owners;
	destination_out->recipient_count = list->owner_count;
	return STATUS_OK;
}

static enum status forward_original(const struct command_run *run, const void *context,
	const struct held *held, const struct destination *destination, struct bytes original,
	const char **error_out)
{
	const struct notice notice = {
		.list = held->event.list,
		.kind = kind_name(held->event.kind),
		.verdict = verdict_name(held->event.verdict),
		.score = held->event.score,
		.time_s = run->now,
	};

	return forward_send(context, run->config, destination->recipients,
		destination->recipient_count, OWNER_SEES_ORIGINAL, &notice, original, error_out);
}

static const char *unless_mark(const char *text)
{
	return privacy_has_marks(text) ? NULL : text;
}

/* Whom the report names: from the message itself where the record does not have the addresses (the
 * setting privacy). A command that takes members off a list has no use for marks. */
static const char *find_failed(const struct command_run *run, const void *context,
	const struct held *held, struct bytes original)
{
	const struct envelope envelope = {.sender = NULL};
	struct judgement judgement;
	char *text;

	if (held->event.failed != NULL && !privacy_has_marks(held->event.failed))
		return held->event.failed;
	pipeline_judge(run->pipeline, context, original, &envelope, &judgement);
	text = mem_strdup(context, "");
	for (size_t i = 0; i < judgement.bounce->recipient_count && strlen(text) < PIPE_VALUE_MAX;
		i++)
		text = mem_append(
			text, "%s%s", i == 0 ? "" : " ", judgement.bounce->recipients[i].address);
	return text;
}

static enum status pipe_original(const struct command_run *run, const void *context,
	const struct held *held, const char *command, struct bytes original, const char **error_out)
{
	const struct pipe_facts facts = {
		.kind = held->event.kind,
		.verdict = held->event.verdict,
		.score = held->event.score,
		.list = held->event.list,
		.failed = find_failed(run, context, held, original),
		.sender = unless_mark(held->event.sender),
		.recipient = unless_mark(held->event.recipient),
	};

	return pipe_run(context, command, pipe_environment(context, &facts), original, error_out);
}

/* A file that lost its bytes, all of them even, must not pass for a short message. */
enum status held_read(const struct command_run *run, const void *context, const struct held *held,
	struct bytes *message_out, const char **error_out)
{
	enum status status =
		hold_read(context, state_directory(run->state), held->file, message_out, error_out);

	if (status != STATUS_OK || message_out->size == held->event.size)
		return status;
	*error_out = mem_printf(context,
		"cannot read the message: its file is damaged: %zu bytes, where %llu were kept",
		message_out->size, (unsigned long long)held->event.size);
	return STATUS_DATA;
}

enum status held_deliver(const struct command_run *run, const void *context,
	const struct held *held, const char *to, enum action *action_out, const char **error_out)
{
	struct destination destination;
	struct bytes original;
	enum status status = find_destination(run->config, held, &to, &destination, error_out);

	if (status == STATUS_OK)
		status = held_read(run, context, held, &original, error_out);
	if (status != STATUS_OK)
		return status;
	*action_out = destination.target.action;
	switch (destination.target.action) {
	case ACTION_FILE:
		return file_deliver(
			context, destination.target.argument, original, NULL, error_out);
	case ACTION_PIPE:
		return pipe_original(
			run, context, held, destination.target.argument, original, error_out);
	case ACTION_FORWARD:
	case ACTION_DROP:
	case ACTION_HOLD:
	case ACTION_PASS:
	case ACTION_COUNT:
		break;
	}
	*action_out = ACTION_FORWARD;
	return forward_original(run, context, held, &destination, original, error_out);
}
