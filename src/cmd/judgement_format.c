/*
 * judgement_format.c: in charge of the machine-readable forms of a judged message. Everything that
 * came with the mail is made valid UTF-8 on the way (text_clean), whatever it was.
 */
#include "cmd/judgement_format.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"

#define SHOWN_MAX 2000	    /* bytes of one foreign string */
#define RECIPIENTS_SHOWN 60 /* columns of the recipients in a line of text */

static json_t *make_string(const void *context, const char *text)
{
	return text == NULL ? json_null()
			    : json_string(text_clean_string(context, text, SHOWN_MAX));
}

static json_t *make_permanence(enum permanence permanence)
{
	switch (permanence) {
	case PERMANENCE_PERMANENT:
		return json_true();
	case PERMANENCE_TEMPORARY:
		return json_false();
	case PERMANENCE_UNKNOWN:
		break;
	}
	return json_null();
}

static json_t *make_recipient(const void *context, const struct recipient *recipient)
{
	json_t *object = json_object();

	json_object_set_new(object, "address", make_string(context, recipient->address));
	json_object_set_new(object, "final", make_string(context, recipient->final));
	json_object_set_new(object, "action", make_string(context, recipient->action));
	json_object_set_new(object, "status", make_string(context, recipient->status));
	json_object_set_new(object, "reply", make_string(context, recipient->reply));
	json_object_set_new(object, "reason", json_string(reason_name(recipient->reason)));
	json_object_set_new(object, "permanent", make_permanence(recipient->permanence));
	json_object_set_new(object, "diagnostic", make_string(context, recipient->diagnostic));
	return object;
}

static json_t *make_recipients(const void *context, const struct bounce *bounce)
{
	json_t *array = json_array();

	for (size_t i = 0; i < bounce->recipient_count; i++)
		json_array_append_new(array, make_recipient(context, &bounce->recipients[i]));
	return array;
}

static json_t *make_reporter(const void *context, const struct reporter *reporter)
{
	json_t *object = json_object();

	json_object_set_new(object, "mta", make_string(context, reporter->mta));
	json_object_set_new(object, "address", make_string(context, reporter->address));
	json_object_set_new(object, "helo", make_string(context, reporter->helo));
	return object;
}

static json_t *make_original(const void *context, const struct original *original)
{
	json_t *object = json_object();

	json_object_set_new(object, "message_id", make_string(context, original->message_id));
	json_object_set_new(object, "from", make_string(context, original->from));
	json_object_set_new(object, "return_path", make_string(context, original->return_path));
	json_object_set_new(object, "to", make_string(context, original->to));
	json_object_set_new(object, "subject", make_string(context, original->subject));
	json_object_set_new(object, "date", make_string(context, original->date));
	return object;
}

static json_t *make_evidence(const void *context, const struct weighing *weighing)
{
	json_t *array = json_array();

	for (size_t i = 0; i < weighing->count; i++) {
		const struct evidence *item = &weighing->items[i];
		json_t *object = json_object();
		json_object_set_new(object, "check", json_string(item->check));
		json_object_set_new(object, "result", json_string(item->result));
		json_object_set_new(object, "weight", json_integer(item->weight));
		json_object_set_new(object, "detail", make_string(context, item->detail));
		json_array_append_new(array, object);
	}
	return array;
}

char *judgement_format_json(
	const void *context, const struct judgement *judgement, const char *source, size_t index)
{
	const struct bounce *bounce = judgement->bounce;
	const struct weighing *weighing = &judgement->weighing;
	bool is_judged = weighing->verdict != VERDICT_NONE;
	json_t *object = json_object();

	json_object_set_new(object, "source", make_string(context, source));
	json_object_set_new(object, "index", json_integer((json_int_t)index));
	json_object_set_new(object, "kind", json_string(kind_name(bounce->kind)));
	json_object_set_new(object, "dialect", make_string(context, bounce->dialect));
	json_object_set_new(object, "recipients", make_recipients(context, bounce));
	json_object_set_new(object, "reporter", make_reporter(context, &bounce->reporter));
	json_object_set_new(object, "original", make_original(context, &bounce->original));
	json_object_set_new(object, "list",
		make_string(context, judgement->list == NULL ? NULL : judgement->list->address));
	json_object_set_new(object, "verdict", json_string(verdict_name(weighing->verdict)));
	json_object_set_new(
		object, "score", is_judged ? json_integer(weighing->score) : json_null());
	json_object_set_new(object, "evidence", make_evidence(context, weighing));
	json_object_set_new(
		object, "action", json_string(action_name(judgement->decision.target.action)));
	char *dumped = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	char *line = mem_strdup(context, dumped == NULL ? "{}" : dumped);
	free(dumped);
	json_decref(object);
	return line;
}

/* The recipients whose fate gave the report its kind, clean. */
static char *join_recipients(
	const void *context, const struct bounce *bounce, const char *separator, size_t limit)
{
	char *text = mem_strdup(context, "");
	size_t i = 0;

	for (; i < bounce->recipient_count && (i == 0 || strlen(text) < limit); i++)
		text = mem_append(text, "%s%s", i == 0 ? "" : separator,
			text_clean_string(context, bounce->recipients[i].address, SHOWN_MAX));
	if (i < bounce->recipient_count)
		text = mem_append(text, "%s(%zu more)", separator, bounce->recipient_count - i);
	return text;
}

const char judgement_csv_head[] =
	"source,index,kind,dialect,recipients,status,reason,reporter,message_id,list,verdict,score,"
	"action";

char *judgement_format_csv(
	const void *context, const struct judgement *judgement, const char *source, size_t index)
{
	const struct bounce *bounce = judgement->bounce;
	const struct recipient *first = bounce->recipient_count > 0 ? bounce->recipients : NULL;
	char *line = csv_append(NULL, context, source);

	line = mem_append(line, ",%zu", index);
	line = csv_append(line, context, kind_name(bounce->kind));
	line = csv_append(line, context, bounce->dialect);
	line = csv_append(line, context, join_recipients(context, bounce, " ", SHOWN_MAX));
	line = csv_append(line, context, first == NULL ? NULL : first->status);
	line = csv_append(line, context, first == NULL ? NULL : reason_name(first->reason));
	line = csv_append(line, context, bounce->reporter.address);
	line = csv_append(line, context, bounce->original.message_id);
	line = csv_append(line, context, judgement->list == NULL ? NULL : judgement->list->address);
	line = mem_append(line, ",%s", verdict_name(judgement->weighing.verdict));
	if (judgement->weighing.verdict == VERDICT_NONE)
		line = mem_append(line, ",");
	else
		line = mem_append(line, ",%d", judgement->weighing.score);
	return csv_append(line, context, action_name(judgement->decision.target.action));
}

const char judgement_text_head[] = "KIND        VERDICT      SCORE  ACTION   SOURCE  RECIPIENTS";

char *judgement_format_text(
	const void *context, const struct judgement *judgement, const char *source, size_t index)
{
	const struct bounce *bounce = judgement->bounce;
	char *place = text_clean_string(context, source, SHOWN_MAX);
	char score[16] = "-";

	if (judgement->weighing.verdict != VERDICT_NONE)
		snprintf(score, sizeof(score), "%+d", judgement->weighing.score);
	if (index > 1)
		place = mem_append(place, ":%zu", index);
	char *line = mem_printf(context, "%-11s %-12s %5s  %-8s %s", kind_name(bounce->kind),
		verdict_name(judgement->weighing.verdict), score,
		action_name(judgement->decision.target.action), place);
	if (bounce->recipient_count > 0)
		line = mem_append(
			line, "  %s", join_recipients(context, bounce, " ", RECIPIENTS_SHOWN));
	return line;
}
