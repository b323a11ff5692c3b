/*
 * roster.c: in charge of asking the list's roster: is the failed recipient a member?
 *
 * That he is not weighs less than one would think. A tenth of the genuine reports name only the
 * address that a forwarder or an alias passed the mail on to, and members leave. So it counts in
 * full only where the reporter's own trace shows that the mail did not come from us; little where
 * the way of the mail is not known; and not at all where another check has told the same fact (the
 * ledger knows the message, but not this recipient) or a forwarder stands in the trace. Who left a
 * short time ago still gets posts that were on their way: he counts for nothing.
 *
 * A file that was changed a moment ago may be half written, and so may one that is much shorter
 * than before: absence from it means nothing until it has not changed for a while.
 */
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/roster_set.h"
#include "state/roster.h"
#include "weigh/candidates.h"

enum {
	SETTLE_S = 5,	       /* so long a file must not have changed */
	SHRUNK_SETTLE_S = 600, /* the same, if it is less than half as long as before */
	EARLY_S = 10 * 86400,  /* twice a mail queue's life: nobody knows who left before */
	BUDGET_MS = 6000,      /* of one renewal, */
	BUDGET_PART = 3	       /* and at most this part of the deadline */
};

/* A roster that was read into memory, once a run. */
struct remembered {
	const char *path;
	struct roster_set *set;
	const char *why;
	struct remembered *next;
};

struct roster_memory {
	struct remembered *first;
};

struct roster_memory *roster_memory_new(const void *context)
{
	return mem_new(context, struct roster_memory);
}

static const struct remembered *remember(struct roster_memory *memory, const char *path)
{
	struct remembered *item = memory->first;

	while (item != NULL && strcmp(item->path, path) != 0)
		item = item->next;
	if (item != NULL)
		return item;
	item = mem_new(memory, struct remembered);
	item->path = path;
	roster_set_read(item, path, NULL, 0, &item->set, &item->why);
	item->next = memory->first;
	memory->first = item;
	return item;
}

/* What was found out about the roster. */
struct sight {
	const struct weigh_input *input;
	const struct roster_set *set; /* read into memory; or NULL */
	struct roster_answer answer;  /* from the index */
	bool is_current;	      /* absence means something */
	const char *why;	      /* it is not current */
};

/* Asks the index, and what is in memory, for these addresses. */
static bool ask(struct sight *sight, const char *const *addresses, size_t count)
{
	const struct weigh_input *input = sight->input;

	sight->answer = (struct roster_answer){.is_indexed = false};
	if (input->state != NULL && roster_find(input->state, input->list->roster, addresses, count,
					    input->now, &sight->answer) != STATUS_OK) {
		sight->why = "could not be looked up in the state";
		return false;
	}
	/* The index may be older than the file: who is on the one but not on the other has left. */
	if (sight->set != NULL && sight->answer.presence == ROSTER_PRESENT)
		sight->answer.presence = ROSTER_LEFT;
	for (size_t i = 0; i < count && sight->set != NULL; i++) {
		if (roster_set_has(sight->set, addresses[i]))
			sight->answer.presence = ROSTER_PRESENT;
	}
	return true;
}

/* The file system's clock counts here, not --now. */
static bool is_settled(const struct sight *sight, const struct roster_stamp *stamp)
{
	int64_t age_s = (int64_t)time(NULL) - stamp->changed_ns / 1000000000;
	bool is_shrunk = sight->answer.is_indexed && stamp->size < sight->answer.stamp.size / 2;

	return age_s < -SETTLE_S || age_s >= (is_shrunk ? SHRUNK_SETTLE_S : SETTLE_S);
}

static int64_t find_budget(const struct config *config)
{
	int64_t part = config == NULL ? BUDGET_MS : config->deadline_s * 1000 / BUDGET_PART;

	return part < BUDGET_MS ? part : BUDGET_MS;
}

/* The index does not fit the file. True when something can be said all the same. */
static bool catch_up(
	struct sight *sight, const struct roster_stamp *stamp, const struct candidates *candidates)
{
	const struct weigh_input *input = sight->input;
	const char *path = input->list->roster;

	if (!is_settled(sight, stamp)) {
		sight->why = "changed a moment ago";
		return sight->answer.is_indexed;
	}
	if (input->rosters != NULL) {
		const struct remembered *item = remember(input->rosters, path);
		sight->set = item->set;
		sight->why = item->why;
		sight->is_current = item->set != NULL;
		return sight->is_current && ask(sight, candidates->items, candidates->count);
	}
	if (input->state == NULL || !state_is_writable(input->state)) {
		sight->why = "cannot be indexed without the state";
		return false;
	}
	switch (roster_renew(
		input->state, path, input->now, find_budget(input->config), &sight->why)) {
	case STATUS_OK:
		sight->is_current = true;
		return ask(sight, candidates->items, candidates->count);
	case STATUS_TIMEOUT: /* another process is at it: what was known holds meanwhile */
		return sight->answer.is_indexed;
	default:
		return false;
	}
}

static bool look(struct sight *sight, const struct candidates *candidates)
{
	struct roster_stamp stamp;

	if (roster_file_look(sight->input->list->roster, &stamp, &sight->why) != STATUS_OK)
		return false;
	if (stamp.size == 0) {
		sight->why = "is empty";
		return false;
	}
	if (!ask(sight, candidates->items, candidates->count))
		return false;
	sight->is_current =
		sight->answer.is_indexed && roster_stamp_equal(&sight->answer.stamp, &stamp);
	return sight->is_current || catch_up(sight, &stamp, candidates);
}

static bool said(const struct weigh_input *input, const char *check_name, const char *result)
{
	const char *seen = weigh_find_result(input->so_far, check_name);

	return seen != NULL && strcmp(seen, result) == 0;
}

/* True when who is named here may be a member under another address. */
static bool is_other_address(struct sight *sight, const struct candidates *verp)
{
	const struct weigh_input *input = sight->input;

	if (said(input, "hop", "forwarded") || said(input, "sent", "other-recipient") ||
		said(input, "sent", "verp-recipient") || said(input, "sent", "absent-early") ||
		said(input, "sent", "passed-on"))
		return true;
	return verp->count > 0 && ask(sight, verp->items, verp->count) &&
	       sight->answer.presence != ROSTER_ABSENT;
}

/* No delivery before this time would have been to somebody whose leaving we know of. */
static bool is_early(const struct sight *sight)
{
	return !sight->answer.is_indexed || sight->answer.first_s + EARLY_S > sight->input->now;
}

static void weigh_stranger(
	struct sight *sight, const struct candidates *verp, struct evidence *evidence_out)
{
	const struct weigh_input *input = sight->input;

	if (!kind_is_delivery_report(input->bounce->kind)) {
		evidence_out->detail = "not on the roster; but an answer may come from an address "
				       "of another name";
	} else if (said(input, "sent", "recipient") || said(input, "sent", "recipient-stranger") ||
		   said(input, "tag", "valid-recipient")) {
		evidence_out->result = "mailed";
		evidence_out->detail = "not on the roster, but mailed by us";
	} else if (is_other_address(sight, verp)) {
		evidence_out->result = "other-address";
		evidence_out->detail = "not on the roster under the addresses named here; but he "
				       "may have been mailed under another";
	} else if (is_early(sight)) {
		evidence_out->result = "not-on-list-early";
		evidence_out->detail = "not on the roster; whether he left it lately is not known "
				       "yet";
	} else if (said(input, "hop", "foreign")) {
		evidence_out->result = "not-on-list";
		evidence_out->detail = "not on the roster, under any address named here";
	} else {
		evidence_out->result = "not-on-list-unseen";
		evidence_out->detail = "not on the roster; but the report does not show under "
				       "which address he was mailed";
	}
}

static void weigh_sight(const void *context, struct sight *sight, const struct candidates *verp,
	struct evidence *evidence_out)
{
	switch (sight->answer.presence) {
	case ROSTER_PRESENT:
		evidence_out->result = "on-list";
		evidence_out->detail = "the recipient is on the list's roster";
		break;
	case ROSTER_LEFT:
		evidence_out->result = "left";
		evidence_out->detail = "the recipient left the list's roster lately";
		break;
	case ROSTER_ABSENT:
		if (sight->is_current)
			weigh_stranger(sight, verp, evidence_out);
		else
			evidence_out->detail = mem_printf(context, "the roster %s", sight->why);
		break;
	}
}

void roster_weigh(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct sight sight = {.input = input};
	struct candidates candidates;
	struct trace trace;
	struct candidates verp;

	evidence_out->result = "unavailable";
	if (input->list == NULL || input->list->roster == NULL) {
		evidence_out->detail = input->list == NULL
					       ? "the report came to no list of ours"
					       : "no roster is configured for this list";
		return;
	}
	trace_read(context, &input->bounce->original, &trace);
	candidates_collect(context, input, &trace, &candidates, &verp);
	if (candidates.count == 0 || candidates.count == CANDIDATE_MAX) {
		evidence_out->detail = candidates.count == 0 ? "the report names no recipient"
							     : "the report names too many";
		return;
	}
	if (look(&sight, &candidates))
		weigh_sight(context, &sight, &verp, evidence_out);
	else
		evidence_out->detail = mem_printf(context, "the roster %s", sight.why);
}
