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

static int write_all(struct state *state, MDB_txn *transaction, void *argument)
{
	struct recording *recording = argument;
	struct event *event = &recording->held.event;
	int code;

	*event = *recording->event;
	code = hide_addresses(state, transaction, recording->context, event);
	if (code == MDB_SUCCESS)
		code = event_next_id(state, transaction, event->time_s, &event->id);
	if (code == MDB_SUCCESS)
		code = ageing_raise_id(state, transaction, &event->id);
	if (code == MDB_SUCCESS)
		code = put_event(state, transaction, recording);
	if (code == MDB_SUCCESS)
		code = find_reputation(state, transaction, event);
	if (code == MDB_SUCCESS && !event_is_release(event))
		code = count(state, transaction, event);
	if (code == MDB_SUCCESS)
		code = ageing_run(state, transaction, event);
	if (code == MDB_SUCCESS && recording->held.file != NULL)
		code = held_put(state, transaction, &recording->held);
	if (code == MDB_SUCCESS && event->owed != NULL)
		code = owed_count(state, transaction, event);
	if (code == MDB_SUCCESS && event->proofs != NULL)
		code = proof_count(state, transaction, event->proofs, event->time_s);
	if (code == MDB_SUCCESS && event->audit != NULL)
		code = audit_put(state, transaction, event->audit);
	if (code == MDB_SUCCESS && event->rates != NULL)
		code = rate_count(state, transaction, event->rates, event->time_s);
	if (code == MDB_SUCCESS && event->rates != NULL)
		code = storm_count(state, transaction, event);
	if (code == MDB_SUCCESS)
		code = proof_sweep(state, transaction, event->time_s);
	if (code == MDB_SUCCESS && recording->sweep != NULL)
		code = expiry_sweep(state, transaction, event, recording->sweep);
	if (code == MDB_SUCCESS)
		code = dns_cache_write(state, transaction, event->time_s);
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
