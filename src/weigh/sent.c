/*
 * sent.c: in charge of asking the ledger: did we send a message with this Message-ID, and to this
 * recipient?
 *
 * The recipient is looked for under every address that candidates.c finds for him.
 *
 * That a Message-ID is not in the ledger counts only for the time that the ledger covers. A message
 * that was handed over now may have left its list up to QUEUE_LIFETIME_S ago; in the first days of
 * a ledger an absent one is therefore weighed as "absent-early".
 */
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "state/ledger.h"
#include "weigh/candidates.h"

#define DATE_SKEW_S (6 * 3600)	     /* how far the clock of who wrote the mail may be ahead */
#define QUEUE_LIFETIME_S (5 * 86400) /* Postfix, sendmail, Exim: how long mail is tried */

/* Asks for each Message-ID that the report gives; the best answer counts. */
static enum status ask(const struct weigh_input *input, const struct candidates *candidates,
	struct ledger_answer *best)
{
	const struct bounce *bounce = input->bounce;
	enum status status = STATUS_NOT_FOUND;

	memset(best, 0, sizeof(*best));
	for (size_t i = 0; i <= bounce->message_id_count && !best->has_recipient; i++) {
		const char *id = i == 0 ? bounce->original.message_id : bounce->message_ids[i - 1];
		struct ledger_answer answer;
		if (id == NULL)
			continue;
		status = ledger_find(
			input->state, id, candidates->items, candidates->count, &answer);
		if (status != STATUS_OK)
			return status;
		if (answer.has_recipient || (answer.has_message && !best->has_message))
			*best = answer;
	}
	return status;
}

/* The Message-ID was sent, but not to one of the candidates. */
static void weigh_other(
	const struct weigh_input *input, const char *verp, struct evidence *evidence_out)
{
	const struct candidates named = {.items = {verp}, .count = 1};
	struct ledger_answer answer;

	evidence_out->result = "other-recipient";
	evidence_out->detail = "we sent this message, but not to a recipient named here";
	if (verp == NULL || ask(input, &named, &answer) != STATUS_OK || !answer.has_recipient)
		return;
	evidence_out->result = "verp-recipient";
	evidence_out->detail =
		"we sent this message to the recipient in the bounce address, which is "
		"not signed; the report names another";
}

static bool is_delivery_report(enum kind kind)
{
	return kind == KIND_FAILED || kind == KIND_DELAYED || kind == KIND_DELIVERED;
}

/* Not in the ledger: what that means at the time in question. */
static void weigh_absent(
	const struct weigh_input *input, const struct trace *trace, struct evidence *evidence_out)
{
	struct ledger_coverage coverage;
	long long written = 0;
	bool has_hop_time = trace->entry != NULL && trace->entry->time_s > 0 &&
			    trace->entry->time_s <= input->now;
	int64_t handed_over = has_hop_time ? trace->entry->time_s : input->now;
	int64_t earliest = handed_over - 2 * QUEUE_LIFETIME_S; /* our queue, and a forwarder's */
	const char *date = headers_find(&input->bounce->original.headers, "Date");

	evidence_out->result = "unavailable";
	if (!is_delivery_report(input->bounce->kind)) {
		evidence_out->detail = "not in the ledger; but an answer refers to what it likes";
		return;
	}
	if (input->domain->sent_log != SENT_LOG_COMPLETE) {
		evidence_out->detail = "not in the ledger, which is not complete";
		return;
	}
	if (ledger_coverage(input->state, input->domain->name, &coverage) != STATUS_OK ||
		!coverage.is_any || handed_over < coverage.from_s ||
		handed_over > coverage.until_s) {
		evidence_out->detail = "not in the ledger, which does not cover that time";
		return;
	}
	if (earliest >= coverage.from_s ||
		(header_date(date, &written) && written >= coverage.from_s + DATE_SKEW_S)) {
		evidence_out->result = "absent";
		evidence_out->detail = "we sent no message with this Message-ID";
		return;
	}
	evidence_out->result = "absent-early";
	evidence_out->detail =
		"we sent no message with this Message-ID since the ledger began; but "
		"it may have been sent before and have waited in a queue";
}

void sent_weigh(const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct candidates candidates;
	struct ledger_answer answer;
	struct trace trace;
	const char *verp;

	evidence_out->result = "unavailable";
	if (input->domain == NULL || input->domain->sent_log == SENT_LOG_NONE) {
		evidence_out->detail = input->domain == NULL
					       ? "the report came to no domain of ours"
					       : "sent mail of this domain is not recorded";
		return;
	}
	if (input->state == NULL) {
		evidence_out->detail = "the ledger could not be asked";
		return;
	}
	if (input->bounce->original.message_id == NULL && input->bounce->message_id_count == 0) {
		evidence_out->detail = "the report gives no Message-ID of the original";
		return;
	}
	trace_read(context, &input->bounce->original, &trace);
	candidates_collect(context, input, &trace, &candidates, &verp);
	if (ask(input, &candidates, &answer) != STATUS_OK) {
		evidence_out->detail = "the ledger could not be read";
	} else if (answer.has_recipient) {
		evidence_out->result = "recipient";
		evidence_out->detail = "we sent this message to this recipient";
	} else if (answer.has_message && !answer.records_recipients) {
		evidence_out->result = "message";
		evidence_out->detail = "we sent this message; to whom was not recorded";
	} else if (answer.has_message) {
		weigh_other(input, verp, evidence_out);
	} else {
		weigh_absent(input, &trace, evidence_out);
	}
}
