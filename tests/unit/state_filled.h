/* state_filled.h: for the tests of state/state.h: events and ledger entries to put into a state,
 * and to find again. */
#ifndef TESTS_STATE_FILLED_H
#define TESTS_STATE_FILLED_H

#include "state/ledger.h"
#include "state/record.h"
#include "state_place.h"

static inline enum status add_event(struct state *state)
{
	struct event event = {.time_s = 1000, .list = "l@x.example", .reporter = "192.0.2.1"};

	return record_event(state, &event, NULL, 0);
}

static inline void make_state(void)
{
	struct state *state = open_state(STATE_WRITE);

	ck_assert_status(add_event(state), STATUS_OK);
	state_close(state);
}

static inline uint64_t count_events(struct state *state)
{
	struct state_size size;

	ck_assert_status(state_measure(state, &size), STATUS_OK);
	return size.events;
}

/* Adds `count` entries that no earlier call added. */
static inline enum status fill(struct state *state, int first, int count)
{
	struct ledger_entry *entries = mem_new_array(context, struct ledger_entry, (size_t)count);
	enum status status;

	for (int i = 0; i < count; i++) {
		entries[i].sent_s = first + i;
		entries[i].message_id = mem_printf(entries, "<%d@x.example>", first + i);
		entries[i].recipient = "ann@example.net";
	}
	status = ledger_add(state, LEDGER_FEED_BATCH, 1, entries, (size_t)count, NULL);
	mem_free(entries);
	return status;
}

static inline bool has_entry(struct state *state, int number)
{
	static const char *const recipient = "ann@example.net";
	char *message_id = mem_printf(context, "%d@x.example", number);
	struct ledger_answer answer;

	ck_assert_status(ledger_find(state, message_id, &recipient, 1, &answer), STATUS_OK);
	return answer.has_recipient;
}

#endif
