/*
 * pipeline_gather.c: in charge of what the reports of a digest say: each is read from the message
 * that is kept, as when it came in. Its record has neither status nor reason of each recipient, and
 * need not have his address (privacy).
 */
#include "pipeline_gather.h"

#include <string.h>

#include "act/act.h"
#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "classify/classify.h"

/* A digest that is being made. */
struct gathering {
	const struct pipeline *pipeline;
	const void *context; /* rows and their strings */
	struct digest digest;
	size_t room;
};

static void add_row(struct gathering *gathering, const struct digest_row *row)
{
	struct digest *digest = &gathering->digest;
	struct digest_row *slot;

	if (digest->row_count == DIGEST_ROWS_MAX)
		return;
	if (digest->row_count == gathering->room) {
		gathering->room = 2 * gathering->room + 64;
		digest->rows = mem_realloc(
			gathering->context, digest->rows, gathering->room * sizeof *digest->rows);
	}
	slot = &digest->rows[digest->row_count++];
	*slot = *row;
	slot->address = row->address == NULL ? NULL : mem_strdup(gathering->context, row->address);
	slot->status = row->status == NULL ? NULL : mem_strdup(gathering->context, row->status);
}

/* Of unproven ones in a storm only those are kept for the owners that it alone makes so. */
static bool is_storm_alone(const struct event *event)
{
	return event->verdict == VERDICT_UNPROVEN && event->evidence != NULL &&
	       strstr(event->evidence, "storm:storm") != NULL;
}

static struct digest_row row_of(const struct held *held)
{
	struct digest_row row = {.kind = held->event.kind,
		.verdict = held->event.verdict,
		.time_s = held->event.time_s,
		.is_storm_alone = is_storm_alone(&held->event)};

	event_id_format(held->event.id, row.id);
	return row;
}

_Static_assert(DIGEST_ID_MAX >= EVENT_ID_TEXT_MAX, "an id fits");

/* A report may tell of recipients that fared differently. */
static enum kind kind_for(const struct held *held, const struct recipient *recipient)
{
	static const struct {
		const char *action;
		enum kind kind;
	} rows[] = {
		{"delivered", KIND_DELIVERED},
		{"relayed", KIND_DELIVERED},
		{"expanded", KIND_DELIVERED},
		{"delayed", KIND_DELAYED},
		{"failed", KIND_FAILED},
	};

	if (!kind_is_delivery_report(held->event.kind))
		return held->event.kind;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (text_equal_fold(recipient->action, rows[i].action))
			return rows[i].kind;
	}
	return held->event.kind;
}

static void add_recipient(struct gathering *gathering, const struct held *held,
	const struct recipient *recipient, const char *address)
{
	struct digest_row row = row_of(held);

	row.address = address;
	row.kind = kind_for(held, recipient);
	row.reason = recipient->reason;
	row.is_permanent = recipient->permanence == PERMANENCE_PERMANENT;
	row.status = recipient->status;
	add_row(gathering, &row);
}

/* The proof is about one recipient alone, whomever else the report names. */
static void add_proven(struct gathering *gathering, const struct held *held,
	const struct bounce *bounce, const char *proven)
{
	const struct recipient *found = bounce->recipient_count > 0 ? bounce->recipients : NULL;
	struct digest_row row = row_of(held);

	for (size_t i = 0; i < bounce->recipient_count; i++) {
		const struct recipient *one = &bounce->recipients[i];

		if ((one->address != NULL && address_equal(one->address, proven)) ||
			(one->final != NULL && address_equal(one->final, proven))) {
			found = one;
			break;
		}
	}
	row.address = proven;
	if (found == NULL)
		add_row(gathering, &row);
	else
		add_recipient(gathering, held, found, proven);
}

/* A report that names nobody still comes from somebody. */
static void add_nameless(struct gathering *gathering, const struct held *held)
{
	struct digest_row row = row_of(held);

	row.address = held->event.failed;
	if (row.address == NULL || *row.address == '\0')
		row.address = held->event.sender;
	if (row.address != NULL && *row.address == '\0')
		row.address = NULL;
	add_row(gathering, &row);
}

static void add_message(struct gathering *gathering, const struct held *held, const char *proven)
{
	const struct pipeline *pipeline = gathering->pipeline;
	void *context = mem_context(gathering->context, "report");
	const struct envelope envelope = {.has_sender = held->event.sender != NULL,
		.sender = held->event.sender,
		.recipient = held->event.recipient};
	const struct bounce *bounce = NULL;
	const char *error = NULL;
	struct bytes raw;

	if (hold_read(context, state_directory(pipeline->state), held->file, &raw, &error) ==
		STATUS_OK)
		bounce = classify_mail(context, mail_read(context, raw, &envelope));
	if (bounce != NULL && proven != NULL)
		add_proven(gathering, held, bounce, proven);
	else if (bounce != NULL && bounce->recipient_count > 0)
		for (size_t i = 0; i < bounce->recipient_count; i++)
			add_recipient(gathering, held, &bounce->recipients[i],
				bounce->recipients[i].address);
	else
		add_nameless(gathering, held);
	mem_free(context);
}

/* One that is gone was released or purged meanwhile. */
static enum status add_report(struct gathering *gathering, const struct owed_report *report)
{
	struct digest *digest = &gathering->digest;
	void *context = mem_context(NULL, "report");
	struct held *held = NULL;
	enum status status =
		record_find_held(gathering->pipeline->state, context, report->id, &held);

	if (status == STATUS_OK) {
		if (digest->reports++ == 0)
			digest->from_s = digest->until_s = held->event.time_s;
		if (held->event.time_s < digest->from_s)
			digest->from_s = held->event.time_s;
		if (held->event.time_s > digest->until_s)
			digest->until_s = held->event.time_s;
		digest->kinds[held->event.kind]++;
		digest->verdicts[held->event.verdict]++;
		if (digest->row_count < DIGEST_ROWS_MAX)
			add_message(gathering, held, report->proven);
		else
			digest->unread++;
	}
	mem_free(context);
	/* A record that cannot be read must not keep the others back; it stays held. */
	return status == STATUS_NOT_FOUND || status == STATUS_STATE ? STATUS_OK : status;
}

enum status pipeline_gather(const struct pipeline *pipeline, const void *context,
	const struct owed_batch *batch, struct digest *digest_out)
{
	struct gathering gathering = {.pipeline = pipeline, .context = context};
	enum status status = STATUS_OK;

	gathering.digest.left = batch->left;
	for (size_t i = 0; i < batch->count && status == STATUS_OK; i++)
		status = add_report(&gathering, &batch->reports[i]);
	*digest_out = gathering.digest;
	return status;
}
