/*
 * record.c: the one write transaction of a message: its event, the counters that the event moves,
 * and its held record.
 *
 * Leaves the bytes of each to event.c, counter.c and held.c. All of it is committed together, so
 * the counters always add up to the events, whenever a process was killed.
 */
#include "state/record.h"

#include <string.h>

#include "base/memory.h"
#include "state/parts.h"

struct recording {
	const struct event *event; /* as it was given */
	struct held held;	   /* as it is written, and what it takes to keep its message */
	void *context;
	struct codec_writer writer;
	struct sweep *sweep; /* or NULL */
};

static int put_event(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	unsigned char id[CODEC_U64_SIZE];
	MDB_val key = {.mv_size = sizeof id, .mv_data = id};
	MDB_val value;

	codec_store_u64(id, recording->held.event.id);
	codec_writer_reset(&recording->writer);
	event_encode(&recording->writer, &recording->held.event);
	value = (MDB_val){.mv_size = recording->writer.size, .mv_data = recording->writer.data};
	/* Ids ascend, so this fills pages instead of splitting them. */
	return mdb_put(transaction, state->dbis[BOX_EVENTS], &key, &value, MDB_APPEND);
}

static bool is_counted(enum counter_of of, const char *name)
{
	return of == COUNTER_HOST || (name != NULL && name[0] != '\0');
}

static int count(struct state *state, MDB_txn *transaction, const struct event *event)
{
	const struct {
		enum counter_of of;
		const char *name;
	} rows[] = {
		{COUNTER_HOST, ""},
		{COUNTER_LIST, event->list},
		{COUNTER_REPORTER, event->reporter},
	};
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && code == MDB_SUCCESS; i++) {
		if (is_counted(rows[i].of, rows[i].name))
			code = counter_add(state, transaction, rows[i].of, rows[i].name, event);
	}
	return code;
}

/* A genuine report counts more for its reporter where nobody has shown its proofs before. Before
 * they are counted: what is new is so once. */
static int find_reputation(struct state *state, MDB_txn *transaction, struct event *event)
{
	bool is_new = false;
	int code = MDB_SUCCESS;

	if (event->reputation == REPUTATION_GENUINE && event->proofs != NULL)
		code = proof_is_new(state, transaction, event->proofs, &is_new);
	if (is_new)
		event->reputation = REPUTATION_PROVEN;
	return code;
}

/* ---- the steps ---- */

static int begin(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	recording->held.event = *recording->event; /* a job may run twice */
	return hide_addresses(state, transaction, recording->context, &recording->held.event);
}

static int number(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	struct event *event = &recording->held.event;
	int code = event_next_id(state, transaction, event->time_s, &event->id);

	return code == MDB_SUCCESS ? ageing_raise_id(state, transaction, &event->id) : code;
}

static int count_message(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	struct event *event = &recording->held.event;
	int code = find_reputation(state, transaction, event);

	/* What is released was counted when it came. */
	if (code != MDB_SUCCESS || event_is_release(event))
		return code;
	return count(state, transaction, event);
}

static int age(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	return ageing_run(state, transaction, &recording->held.event);
}

static int keep(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	return recording->held.file == NULL ? MDB_SUCCESS
					    : held_put(state, transaction, &recording->held);
}

static int owe(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	const struct event *event = &recording->held.event;

	return event->owed == NULL ? MDB_SUCCESS : owed_count(state, transaction, event);
}

static int use_proofs(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	const struct event *event = &recording->held.event;

	return event->proofs == NULL
		       ? MDB_SUCCESS
		       : proof_count(state, transaction, event->proofs, event->time_s);
}

static int account(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	const struct event *event = &recording->held.event;

	return event->audit == NULL ? MDB_SUCCESS : audit_put(state, transaction, event->audit);
}

static int rate(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	struct event *event = &recording->held.event;
	int code = MDB_SUCCESS;

	if (event->rates != NULL)
		code = rate_count(state, transaction, event->rates, event->time_s);
	if (event->rates != NULL && code == MDB_SUCCESS)
		code = storm_count(state, transaction, event);
	return code;
}

static int sweep_proofs(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	return proof_sweep(state, transaction, recording->held.event.time_s);
}

static int sweep_kept(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	return recording->sweep == NULL
		       ? MDB_SUCCESS
		       : expiry_sweep(state, transaction, &recording->held.event, recording->sweep);
}

static int write_answers(struct state *state, MDB_txn *transaction, struct recording *recording)
{
	return dns_cache_write(state, transaction, recording->held.event.time_s);
}

/* In this order: what is hidden is hidden from all, the id is that of every record, and a proof is
 * looked at before it is counted. */
static int (*const steps[])(
	struct state *state, MDB_txn *transaction, struct recording *recording) = {
	begin,
	number,
	put_event,
	count_message,
	age,
	keep,
	owe,
	use_proofs,
	account,
	rate,
	sweep_proofs,
	sweep_kept,
	write_answers,
};

static int write_all(struct state *state, MDB_txn *transaction, void *argument)
{
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && code == MDB_SUCCESS; i++)
		code = steps[i](state, transaction, argument);
	return code;
}

static bool is_writable(const struct event *event, const char *held_file)
{
	if ((unsigned)event->kind >= KIND_COUNT || (unsigned)event->verdict >= VERDICT_COUNT ||
		(unsigned)event->action >= ACTION_COUNT || (unsigned)event->policy >= ACTION_COUNT)
		return false;
	/* A file name that was cut would name no file. */
	return held_file == NULL || strnlen(held_file, EVENT_STRING_MAX + 1) <= EVENT_STRING_MAX;
}

enum status record_event(
	struct state *state, struct event *event, const char *held_file, int64_t expires_s)
{
	return record_event_and_sweep(state, event, held_file, expires_s, NULL);
}

enum status record_event_and_sweep(struct state *state, struct event *event, const char *held_file,
	int64_t expires_s, struct sweep *sweep)
{
	void *context;
	struct recording recording = {.event = event,
		.held = {.file = held_file, .expires_s = expires_s},
		.sweep = sweep};
	enum status status;

	if (!is_writable(event, held_file))
		return STATUS_DATA;
	context = mem_context(NULL, "record");
	recording.context = context;
	codec_writer_init(&recording.writer, context);
	status = box_write(state, write_all, &recording);
	if (status == STATUS_OK) {
		event->id = recording.held.event.id;
		event->list_storm = recording.held.event.list_storm;
		event->host_storm = recording.held.event.host_storm;
		dns_cache_forget_new(state);
	} else if (sweep != NULL)
		sweep->count = 0; /* nothing was committed, so nothing may be removed */
	mem_free(context);
	return status;
}
