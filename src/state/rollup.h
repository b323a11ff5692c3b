/*
 * rollup.h: what was decided in each hour, for each list, added up: the numbers that stay when the
 * events themselves are gone.
 *
 * An event is added to its hour in the transaction that writes it, by its own time, also where the
 * clock had gone back. So the rollup of an hour is what all its events add up to, whether they are
 * still there or not. Events that an older version wrote without a rollup are added when they
 * expire; until then they have ids below record_horizon's rolled_id.
 */
#ifndef BACKSTOP_STATE_ROLLUP_H
#define BACKSTOP_STATE_ROLLUP_H

#include <stdint.h>

#include "base/status.h"
#include "base/words.h"
#include "state/record.h"
#include "state/state.h"

#define ROLLUP_S 3600

/* Of messages, each counted once. What was released is counted apart, and in no table. */
struct rollup {
	int64_t hour_s;	  /* its first second */
	const char *list; /* NULL: mail of no configured list */
	uint64_t released;
	uint32_t judged[KIND_COUNT][VERDICT_COUNT];
	uint32_t actions[ACTION_COUNT][ACTION_COUNT];  /* by what the policy asks for, and what was
							  done */
	uint32_t reasons[REASON_COUNT][VERDICT_COUNT]; /* of the recipient that the event tells of;
							  undefined where it has none */
};

/* The hour that a time belongs to, as its first second. What is before 1970 belongs to the first.
 */
int64_t rollup_hour(int64_t time_s);

/* Adds an event: 1, as the same hour's rollup has it in the state. */
void rollup_count(struct rollup *rollup, const struct event *event);

/* Lent its argument for the call; a result other than STATUS_OK ends the walk. */
typedef enum status rollup_visitor(void *argument, const struct rollup *rollup);

/* The hours that begin within from_s <= hour_s < until_s, oldest first. A state that an older
 * version made has none. */
enum status rollup_walk(struct state *state, int64_t from_s, int64_t until_s,
	rollup_visitor *visitor, void *argument);

#endif
