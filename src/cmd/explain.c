/* explain.c: in charge of telling a person, step by step, what was seen in one message and why it
 * was decided as it was. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/judgement_format.h"
#include "read/received.h"
#include "read/source.h"

#define SHOWN_MAX 500

const struct option_row explain_options[] = {
	{"state", OPTION_MAYBE, "DIRECTORY",
		"ask the state (that of the configuration); never writes"},
	{"dns", OPTION_FLAG, NULL, "let the checks ask DNS"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* A label and a foreign value; nothing when there is none. */
static void print_value(const void *context, FILE *out, const char *label, const char *value)
{
	if (value != NULL)
		fprintf(out, "  %-18s %s\n", label, text_clean_string(context, value, SHOWN_MAX));
}

static void explain_envelope(const void *context, const struct mail *mail, FILE *out)
{
	const struct envelope *envelope = &mail->envelope;
	char client[NETADDR_TEXT_MAX];

	fputs("1. The message\n", out);
	fprintf(out, "  %-18s %zu bytes, %zu parts%s\n", "size", mail->raw.size, mail->part_count,
		mail->is_truncated ? ", too large to be looked at wholly" : "");
	if (!envelope->has_sender)
		fprintf(out, "  %-18s not known\n", "sender");
	else
		print_value(context, out, "sender",
			*envelope->sender == '\0' ? "<> (null)" : envelope->sender);
	print_value(context, out, "recipient", envelope_address(envelope));
	if (envelope->has_client) {
		netaddr_format(&envelope->client, client);
		print_value(context, out, "client", client);
	}
	print_value(context, out, "client name", envelope->client_name);
	print_value(context, out, "client HELO", envelope->client_helo);
}

static void explain_recipient(const void *context, const struct recipient *recipient, FILE *out)
{
	print_value(context, out, "recipient", recipient->address);
	if (recipient->final != NULL && strcmp(recipient->final, recipient->address) != 0)
		print_value(context, out, "  in the end", recipient->final);
	print_value(context, out, "  action", recipient->action);
	print_value(context, out, "  status", recipient->status);
	print_value(context, out, "  reason", reason_name(recipient->reason));
	print_value(context, out, "    by", recipient->reason_by);
	print_value(context, out, "  refused by", recipient->remote_mta);
	print_value(context, out, "  diagnostic", recipient->diagnostic);
}

static void explain_bounce(const void *context, const struct bounce *bounce, FILE *out)
{
	fputs("2. What it is\n", out);
	print_value(context, out, "kind", kind_name(bounce->kind));
	print_value(context, out, "form",
		bounce->dialect == NULL ? "none that is known" : bounce->dialect);
	print_value(context, out, "reporting MTA", bounce->reporter.mta);
	for (size_t i = 0; i < bounce->recipient_count; i++)
		explain_recipient(context, &bounce->recipients[i], out);
	if (bounce->kind == KIND_ORDINARY)
		return;
	print_value(context, out, "original",
		bounce->original.is_returned ? "its headers came back" : "did not come back");
	print_value(context, out, "  Message-ID", bounce->original.message_id);
	print_value(context, out, "  from", bounce->original.from);
	print_value(context, out, "  subject", bounce->original.subject);
	print_value(context, out, "  date", bounce->original.date);
}

static void explain_weighing(const void *context, const struct judgement *judgement, FILE *out)
{
	const struct weighing *weighing = &judgement->weighing;
	bool has_post = false;
	int sum = 0, limited = 0;

	fputs("3. Was the mail that it is about really ours?\n", out);
	if (weighing->verdict == VERDICT_NONE) {
		fputs("  Not asked: this is no bounce.\n", out);
		return;
	}
	for (size_t i = 0; i < weighing->count; i++) {
		const struct evidence *item = &weighing->items[i];
		bool is_limited = (item->is_forgeable || item->is_post) && item->weight > 0;
		if (is_limited)
			limited += item->weight;
		else
			sum += item->weight;
		has_post = has_post || (item->is_post && is_limited);
		fprintf(out, "  %-9s %-16s %+4d%s  %s\n", item->check, item->result, item->weight,
			is_limited ? "*" : " ",
			item->detail == NULL ? ""
					     : text_clean_string(context, item->detail, SHOWN_MAX));
	}
	if (limited > WEIGH_FORGEABLE_MAX)
		fprintf(out, "  * could be forged%s: counts for %+d at most%s\n",
			has_post ? ", or replayed by who has the post" : "", WEIGH_FORGEABLE_MAX,
			has_post ? ", or up to a sum of 0" : "");
	if (sum + limited < weighing->score)
		fputs("  who reports, and how, and a storm make nothing backscatter alone\n", out);
	fprintf(out, "  sum %+d: %s (genuine from %+d, backscatter from %+d)\n", weighing->score,
		verdict_name(weighing->verdict), WEIGH_GENUINE, WEIGH_BACKSCATTER);
}

static void explain_decision(const struct judgement *judgement, FILE *out)
{
	const struct decision *decision = &judgement->decision;

	fputs("4. What is done with it\n", out);
	fprintf(out, "  %-18s %s\n", "list",
		judgement->list == NULL ? "none that is configured" : judgement->list->address);
	fprintf(out, "  %-18s %s%s%s\n", "action", action_name(decision->target.action),
		decision->target.argument == NULL ? "" : ": ",
		decision->target.argument == NULL ? "" : decision->target.argument);
	if (decision->policy != decision->target.action)
		fprintf(out, "  %-18s %s\n", "policy", action_name(decision->policy));
	fprintf(out, "  %-18s %s\n", "because", decision->why);
}

void judgement_explain(const void *context, const struct judgement *judgement, FILE *out)
{
	explain_envelope(context, judgement->mail, out);
	explain_bounce(context, judgement->bounce, out);
	explain_weighing(context, judgement, out);
	explain_decision(judgement, out);
}

static enum status explain_message(void *argument, const struct source_message *message)
{
	struct command_run *run = argument;
	void *context = mem_context(NULL, "message");
	struct judgement judgement;

	if (message->index > 1)
		putchar('\n');
	printf("%s", text_clean_string(context, message->source, SHOWN_MAX));
	if (message->index > 1)
		printf(", message %zu", message->index);
	putchar(0x0a);
	pipeline_judge(run->pipeline, context, message->bytes, NULL, &judgement);
	judgement_explain(context, &judgement, stdout);
	mem_free(context);
	return STATUS_OK;
}

static void explain_problem(void *argument, const char *path, const char *why)
{
	command_failed(argument, STATUS_NO_INPUT, "%s: %s", path, why);
}

enum status explain_run(struct command_run *run)
{
	if (run->argument_count != 1)
		return command_misused(run, "want one PATH, or - for standard input");
	return source_walk(run->arguments[0], explain_message, explain_problem, run);
}
