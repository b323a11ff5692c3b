/*
 * storm_notice.c: who takes what is to be told about a storm, and the walk over all storms.
 *
 * A claim is looked for in a read transaction first: each delivery asks, and mostly nothing is due.
 */
#include <string.h>

#include "base/memory.h"
#include "state/parts.h"
#include "state/place.h"

struct claim {
	const void *context;
	const char *list; /* NULL: any */
	int64_t now;
	void *scratch;
	struct storm *storm; /* the result; list on scratch */
};

/* Whether something is due at a place, once it is known what has ended there by now. */
static bool find_due(struct claim *claim, struct place *place, bool *has_ended_out)
{
	enum storm_notice notice;

	*has_ended_out = place_settle(place, claim->now);
	if (!place_find_due(place, claim->now, &notice))
		return false;
	*claim->storm = place_storm(place, claim->now);
	claim->storm->notice = notice;
	claim->storm->claim = place->notices[notice].number;
	return true;
}

static int look_for_due(struct state *state, MDB_txn *transaction, void *argument)
{
	struct claim *claim = argument;
	struct place_key key = {.size = 0};
	struct place place;
	bool has_ended;
	int code;

	if (claim->list != NULL) {
		code = place_get(state, transaction, claim->scratch, claim->list, &place);
		return code == MDB_SUCCESS && !find_due(claim, &place, &has_ended) ? MDB_NOTFOUND
										   : code;
	}
	do
		code = place_next_open(state, transaction, claim->scratch, &key, &place);
	while (code == MDB_SUCCESS && !find_due(claim, &place, &has_ended));
	return code;
}

static int take_due(struct state *state, MDB_txn *transaction, void *argument)
{
	struct claim *claim = argument;
	struct place place;
	bool has_ended;
	int code = place_get(state, transaction, claim->scratch, claim->list, &place);

	if (code != MDB_SUCCESS)
		return code;
	/* Somebody else was faster. */
	if (!find_due(claim, &place, &has_ended))
		return MDB_NOTFOUND;
	if (has_ended)
		code = place_put_past(state, transaction, claim->storm, claim->now);
	place_claim(&place, claim->storm->notice, claim->now);
	return code == MDB_SUCCESS ? place_put(state, transaction, &place) : code;
}

enum status storm_claim_due(struct state *state, const void *context, int64_t now, const char *list,
	struct storm **storm_out)
{
	struct storm storm = {.list = NULL};
	struct claim claim = {
		.list = list, .now = now, .scratch = mem_context(NULL, "claim"), .storm = &storm};
	enum status status = STATUS_NOT_FOUND;

	*storm_out = NULL;
	if (box_has(state, BOX_STORMS))
		status = box_read(state, look_for_due, &claim);
	if (status == STATUS_OK) {
		claim.list = storm.list;
		status = box_write(state, take_due, &claim);
	}
	if (status == STATUS_OK) {
		*storm_out = mem_new(context, struct storm);
		**storm_out = storm;
		(*storm_out)->list = mem_strdup(*storm_out, storm.list);
	}
	mem_free(claim.scratch);
	return status;
}

struct telling {
	const struct storm *storm;
	int64_t now;
};

static int tell(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct telling *telling = argument;
	void *context = mem_context(NULL, "place");
	struct place place;
	int code = place_get(state, transaction, context, telling->storm->list, &place);

	if (code == MDB_SUCCESS) {
		place_told(&place, telling->storm, telling->now);
		code = place_put(state, transaction, &place);
	}
	mem_free(context);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

enum status storm_told(struct state *state, const struct storm *storm, int64_t now)
{
	struct telling telling = {storm, now};

	return box_has(state, BOX_STORMS) ? box_write(state, tell, &telling) : STATUS_OK;
}

static int give_back(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct storm *storm = argument;
	void *context = mem_context(NULL, "place");
	struct place place;
	int code = place_get(state, transaction, context, storm->list, &place);

	if (code == MDB_SUCCESS && place_give_back(&place, storm))
		code = place_put(state, transaction, &place);
	mem_free(context);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

enum status storm_give_back(struct state *state, const struct storm *storm)
{
	return box_has(state, BOX_STORMS) ? box_write(state, give_back, (void *)storm) : STATUS_OK;
}

/* One open place; a walk over them takes a transaction for each. */
struct open_step {
	void *context;
	struct place_key key;
	struct place place;
};

static int step_open(struct state *state, MDB_txn *transaction, void *argument)
{
	struct open_step *step = argument;
	/* A job may run twice, so the place to go on from is set only when it was found. */
	struct place_key key = step->key;
	int code = place_next_open(state, transaction, step->context, &key, &step->place);

	if (code == MDB_SUCCESS)
		step->key = key;
	return code;
}

static enum status walk_open(
	struct state *state, int64_t now, storm_visitor *visitor, void *argument)
{
	struct open_step step = {.context = mem_context(NULL, "open storms")};
	enum status status = box_read(state, step_open, &step);

	while (status == STATUS_OK) {
		/* The history has the others. */
		if (step.place.is_on) {
			struct storm storm = place_storm(&step.place, now);
			status = visitor(argument, &storm);
		}
		if (status == STATUS_OK)
			status = box_read(state, step_open, &step);
	}
	mem_free(step.context);
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status storm_walk(struct state *state, int64_t now, storm_visitor *visitor, void *argument)
{
	enum status status = STATUS_OK;

	if (!box_has(state, BOX_STORMS))
		return STATUS_OK;
	status = place_walk_past(state, visitor, argument);
	return status == STATUS_OK ? walk_open(state, now, visitor, argument) : status;
}

enum status storm_walk_due(struct state *state, int64_t now, storm_visitor *visitor, void *argument)
{
	struct open_step step = {.context = mem_context(NULL, "due notices")};
	enum status status =
		box_has(state, BOX_STORMS) ? box_read(state, step_open, &step) : STATUS_NOT_FOUND;

	while (status == STATUS_OK) {
		struct storm storm;
		struct claim claim = {.now = now, .storm = &storm};
		bool has_ended;

		if (find_due(&claim, &step.place, &has_ended))
			status = visitor(argument, &storm);
		if (status == STATUS_OK)
			status = box_read(state, step_open, &step);
	}
	mem_free(step.context);
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
