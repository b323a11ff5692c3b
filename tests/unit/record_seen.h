/* record_seen.h: for the tests of state/record.h: an event to record, and what a walk saw of it. */
#ifndef TESTS_RECORD_SEEN_H
#define TESTS_RECORD_SEEN_H

#include "state/record.h"
#include "state_place.h"

static inline struct event sample(int64_t time_s)
{
	return (struct event){.time_s = time_s,
		.kind = KIND_FAILED,
		.verdict = VERDICT_BACKSCATTER,
		.action = ACTION_FORWARD,
		.policy = ACTION_DROP,
		.score = -62,
		.list = "announce@lists.example.org",
		.reporter = "198.51.100.7",
		.sender = "",
		.recipient = "announce-bounces@lists.example.org",
		.failed = "ann@example.net, bob@example.net",
		.message_id = "<1@lists.example.org>",
		.queue_id = "4F2",
		.evidence = "tag:missing-40 sent:absent-40",
		.reason = "userunknown",
		.status = "5.1.1",
		.permanence = "permanent",
		.size = 123456789012};
}

static inline uint64_t record(struct state *state, int64_t time_s)
{
	struct event event = sample(time_s);

	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
	return event.id;
}

static inline uint64_t record_held(
	struct state *state, int64_t time_s, const char *file, int64_t expires_s)
{
	struct event event = sample(time_s);

	ck_assert_status(record_event(state, &event, file, expires_s), STATUS_OK);
	return event.id;
}

/* What a walk saw. */
struct seen {
	int count;
	uint64_t ids[1024];
	struct event last; /* strings on context */
	int stop_at;	   /* ends the walk with STATUS_DIFFERENT; 0: never */
};

static inline const char *keep(const char *text)
{
	return text != NULL ? mem_strdup(context, text) : NULL;
}

static inline enum status see_event(void *argument, const struct event *event)
{
	struct seen *seen = argument;

	seen->ids[seen->count++ % ROWS(seen->ids)] = event->id;
	seen->last = *event;
	seen->last.list = keep(event->list);
	seen->last.reporter = keep(event->reporter);
	seen->last.sender = keep(event->sender);
	seen->last.recipient = keep(event->recipient);
	seen->last.failed = keep(event->failed);
	seen->last.message_id = keep(event->message_id);
	seen->last.queue_id = keep(event->queue_id);
	seen->last.evidence = keep(event->evidence);
	seen->last.reason = keep(event->reason);
	seen->last.status = keep(event->status);
	seen->last.permanence = keep(event->permanence);
	return seen->count == seen->stop_at ? STATUS_DIFFERENT : STATUS_OK;
}

static inline struct seen see_events(struct state *state, int64_t from_s, int64_t until_s)
{
	struct seen seen = {.count = 0};

	ck_assert_status(record_walk_events(state, from_s, until_s, see_event, &seen), STATUS_OK);
	return seen;
}

static inline void check_string(const char *name, const char *got, const char *want)
{
	ck_assert_msg((got == NULL) == (want == NULL) && (got == NULL || strcmp(got, want) == 0),
		"%s: got %s, want %s", name, got, want);
}

static inline void check_event(const struct event *got, const struct event *want)
{
	ck_assert_uint_eq(got->id, want->id);
	ck_assert_int_eq(got->time_s, want->time_s);
	ck_assert_int_eq(got->kind, want->kind);
	ck_assert_int_eq(got->verdict, want->verdict);
	ck_assert_int_eq(got->action, want->action);
	ck_assert_int_eq(got->policy, want->policy);
	ck_assert_int_eq(got->score, want->score);
	ck_assert_uint_eq(got->size, want->size);
	check_string("list", got->list, want->list);
	check_string("reporter", got->reporter, want->reporter);
	check_string("sender", got->sender, want->sender);
	check_string("recipient", got->recipient, want->recipient);
	check_string("failed", got->failed, want->failed);
	check_string("message_id", got->message_id, want->message_id);
	check_string("queue_id", got->queue_id, want->queue_id);
	check_string("evidence", got->evidence, want->evidence);
	check_string("reason", got->reason, want->reason);
	check_string("status", got->status, want->status);
	check_string("permanence", got->permanence, want->permanence);
}

static inline enum status see_counter(void *argument, const struct counter *counter)
{
	char **names = argument;

	*names = mem_append(
		*names, "%zu:%llu ", strlen(counter->name), (unsigned long long)counter->total);
	return STATUS_OK;
}

static inline enum status see_held(void *argument, const struct held *held)
{
	(void)held;
	++*(int *)argument;
	return STATUS_OK;
}

#endif
