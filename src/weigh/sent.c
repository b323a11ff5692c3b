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
#include "base/message_id.h"
#include "state/ledger.h"
#include "weigh/candidates.h"
#include "weigh/standing.h"
#include "weigh/way.h"

#define DATE_SKEW_S (6 * 3600)	     /* how far the clock of who wrote the mail may be ahead */
#define QUEUE_LIFETIME_S (5 * 86400) /* Postfix, sendmail, Exim: how long mail is tried */

/* What an answer comes to, the weakest first. */
enum rank {
	RANK_NOTHING,
	RANK_OTHER,	/* sent, but not to them */
	RANK_PASSED_ON, /* a stranger brought it, and we passed it on */
	RANK_MESSAGE,	/* sent; to whom is not recorded */
	RANK_RECIPIENT,
};

static enum rank rank(const struct ledger_answer *answer)
{
	if (answer->has_recipient)
		return RANK_RECIPIENT;
	if (answer->has_message && !answer->records_recipients)
		return RANK_MESSAGE;
	if (answer->is_recipient_passed_on || (answer->is_passed_on && !answer->has_message))
		return RANK_PASSED_ON;
	return answer->has_message ? RANK_OTHER : RANK_NOTHING;
}

/* Asks for each name; the best answer counts. */
static enum status ask(const struct weigh_input *input, const struct original_names *names,
	const struct candidates *candidates, struct ledger_answer *best)
{
	enum status status = STATUS_NOT_FOUND;

	memset(best, 0, sizeof(*best));
	for (size_t i = 0; i < names->count && !best->has_recipient; i++) {
		struct ledger_answer answer;

		status = ledger_find(input->state, names->items[i], candidates->items,
			candidates->count, &answer);
		if (status != STATUS_OK)
			return status;
		if (rank(&answer) > rank(best))
			*best = answer;
	}
	return status;
}

/* The Message-ID was sent, but not to one of the candidates. */
static void weigh_other(const struct weigh_input *input, const struct original_names *names,
	const struct candidates *verp, struct evidence *evidence_out)
{
	struct ledger_answer answer;

	evidence_out->result = "other-recipient";
	evidence_out->detail = "we sent this message, but not to a recipient named here";
	if (verp->count == 0 || ask(input, names, verp, &answer) != STATUS_OK ||
		!answer.has_recipient)
		return;
	evidence_out->result = "verp-recipient";
	evidence_out->detail =
		"we sent this message to the recipient in the bounce address, which is "
		"not signed; the report names another";
}

/* True when the message may have had another Message-ID when it left: the reporter got it, or may
 * have, by way of a forwarder, or behind a gateway of its own; and a relay that gives a new one
 * does not give one of our domain. */
static bool may_be_renamed(const void *context, const struct weigh_input *input)
{
	const char *id = message_id_normalise(context, input->bounce->original.message_id);
	const char *domain = id == NULL ? NULL : address_domain(id);
	const struct way *way = way_find(context, input);

	if (domain != NULL && strcmp(domain, input->domain->name) == 0)
		return false;
	return way->is_open || (way->kind == WAY_OTHERS && way->is_linked) ||
	       (way->kind == WAY_OURS && way->trace.entry != way->trace.hops);
}

/* Not in the ledger: what that means at the time in question. */
static void weigh_absent(const void *context, const struct weigh_input *input,
	const struct trace *trace, struct evidence *evidence_out)
{
	struct ledger_coverage coverage;
	long long written = 0;
	bool has_hop_time = trace->entry != NULL && trace->entry->time_s > 0 &&
			    trace->entry->time_s <= input->now;
	int64_t handed_over = has_hop_time ? trace->entry->time_s : input->now;
	int64_t earliest = handed_over - 2 * QUEUE_LIFETIME_S; /* our queue, and a forwarder's */
	const char *date = headers_find(&input->bounce->original.headers, "Date");

	evidence_out->result = "unavailable";
	if (!kind_is_delivery_report(input->bounce->kind)) {
		evidence_out->detail = "not in the ledger; but an answer refers to what it likes";
		return;
	}
	if (input->domain->sent_log != SENT_LOG_COMPLETE) {
		evidence_out->detail = "not in the ledger, which is not complete";
		return;
	}
	if (!header_date(date, &written))
		written = 0;
	/* Who reports may have a clock that is behind; the Date is by our own, or by the author's,
	 * which may be ahead: one later than the handover says nothing of when it was sent. */
	if (ledger_coverage(input->state, input->domain->name, &coverage) != STATUS_OK ||
		!coverage.is_any || handed_over < coverage.from_s ||
		handed_over > coverage.until_s ||
		(written > coverage.until_s && written <= handed_over + DATE_SKEW_S)) {
		evidence_out->detail = "not in the ledger, which does not cover that time";
		return;
	}
	if (may_be_renamed(context, input)) {
		evidence_out->result = "absent-forwarded";
		evidence_out->detail = "we sent no message with this Message-ID; but a forwarder "
				       "or gateway handed it on, or "
				       "may have, and a relay may have given it another Message-ID";
		return;
	}
	if (earliest >= coverage.from_s || (written != 0 && written <= handed_over &&
						   written >= coverage.from_s + DATE_SKEW_S)) {
		evidence_out->result = "absent";
		evidence_out->detail = "we sent no message with this Message-ID";
		return;
	}
	evidence_out->result = "absent-early";
	evidence_out->detail =
		"we sent no message with this Message-ID since the ledger began; but "
		"it may have been sent before and have waited in a queue";
}

/* Message-ID and recipient are there. Of a message that went to several each of them knows the
 * Message-ID, and may know the others: it is no proof where who reports is a stranger. What went to
 * one only he knows, and the servers on the way. */
static void weigh_recipient(const void *context, const struct weigh_input *input,
	const struct ledger_answer *answer, struct evidence *evidence_out)
{
	const char *why;
	enum standing standing =
		answer->has_several ? standing_find(context, input, &why) : STANDING_UNKNOWN;

	evidence_out->result = "recipient";
	evidence_out->detail = "we sent this message to this recipient";
	if (standing != STANDING_STRANGER && standing != STANDING_ELSEWHERE)
		return;
	evidence_out->result = "recipient-stranger";
	evidence_out->detail =
		"we sent this message to this recipient, but to others as well, and who reports "
		"is not of the recipient's domain";
}

static void weigh_passed_on(struct evidence *evidence_out)
{
	evidence_out->result = "passed-on";
	evidence_out->detail = "this message came to us from elsewhere with a sender of ours, and "
			       "was passed on: it may be forged, or ours on its way back";
}

void sent_weigh(const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct candidates candidates, verp;
	struct original_names names;
	struct ledger_answer answer;
	struct trace trace;

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
	original_names_collect(context, input->bounce, &names);
	if (names.count == 0) {
		evidence_out->detail = "the report gives no Message-ID of the original";
		return;
	}
	trace_read(context, &input->bounce->original, &trace);
	candidates_collect(context, input, &trace, &candidates, &verp);
	if (ask(input, &names, &candidates, &answer) != STATUS_OK) {
		evidence_out->detail = "the ledger could not be read";
		return;
	}
	switch (rank(&answer)) {
	case RANK_RECIPIENT:
		weigh_recipient(context, input, &answer, evidence_out);
		break;
	case RANK_MESSAGE:
		evidence_out->result = "message";
		evidence_out->detail = "we sent this message; to whom was not recorded";
		break;
	case RANK_PASSED_ON:
		weigh_passed_on(evidence_out);
		break;
	case RANK_OTHER:
		weigh_other(input, &names, &verp, evidence_out);
		break;
	case RANK_NOTHING:
		weigh_absent(context, input, &trace, evidence_out);
		break;
	}
}
