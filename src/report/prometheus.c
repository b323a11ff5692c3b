/*
 * prometheus.c: counters for a monitoring system, in the text format that Prometheus and its
 * node_exporter read (version 0.0.4).
 *
 * They come from the counters that never expire, so they only rise, as a counter there has to. A
 * release is no message. Mail of no list has an empty label: the host's numbers less all lists'.
 */
#include <inttypes.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/pages.h"

#define LABEL_BYTES_MAX 320

struct lists {
	const void *context;
	struct counter *items; /* the first is mail of no list */
	size_t count;
	size_t room;
};

static void add_counter(struct lists *lists, const struct counter *counter)
{
	if (lists->count == lists->room) {
		lists->room = lists->room == 0 ? 64 : 2 * lists->room;
		lists->items = mem_realloc(
			lists->context, lists->items, lists->room * sizeof *lists->items);
	}
	lists->items[lists->count] = *counter;
	lists->items[lists->count++].name = mem_strdup(lists->context, counter->name);
}

static void take_away(uint64_t *from, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		from[i] -= numbers[i] < from[i] ? numbers[i] : from[i];
}

static enum status visit_list(void *argument, const struct counter *counter)
{
	struct lists *lists = argument;

	add_counter(lists, counter);
	take_away(lists->items[0].verdicts, counter->verdicts, VERDICT_COUNT);
	take_away(lists->items[0].actions, counter->actions, ACTION_COUNT);
	return STATUS_OK;
}

static void print_head(const char *name, const char *type, const char *help, FILE *out)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line feed are what a label value has to escape; a clean text has none of the
 * last. */
static void print_list(const char *list, FILE *out)
{
	char *clean = text_clean_string(NULL, list, LABEL_BYTES_MAX);

	fputs("list=\"", out);
	for (const char *at = clean; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputc('"', out);
	mem_free(clean);
}

static void print_kinds(const struct counter *host, FILE *out)
{
	print_head("backstop_messages_total", "counter", "Messages decided, by kind.", out);
	for (size_t i = 0; i < KIND_COUNT; i++)
		fprintf(out, "backstop_messages_total{kind=\"%s\"} %" PRIu64 "\n",
			kind_name((enum kind)i), host->kinds[i]);
}

static void print_verdicts(const struct lists *lists, FILE *out)
{
	print_head("backstop_verdicts_total", "counter",
		"Messages decided, by list and verdict; - is not judged.", out);
	for (size_t i = 0; i < lists->count; i++) {
		for (size_t verdict = 0; verdict < VERDICT_COUNT; verdict++) {
			fputs("backstop_verdicts_total{", out);
			print_list(lists->items[i].name, out);
			fprintf(out, ",verdict=\"%s\"} %" PRIu64 "\n",
				verdict_name((enum verdict)verdict),
				lists->items[i].verdicts[verdict]);
		}
	}
}

static void print_actions(const struct lists *lists, FILE *out)
{
	print_head("backstop_actions_total", "counter",
		"Messages decided, by list and what was done.", out);
	for (size_t i = 0; i < lists->count; i++) {
		for (size_t action = 0; action < ACTION_COUNT; action++) {
			fputs("backstop_actions_total{", out);
			print_list(lists->items[i].name, out);
			fprintf(out, ",action=\"%s\"} %" PRIu64 "\n",
				action_name((enum action)action), lists->items[i].actions[action]);
		}
	}
}

static void print_gauge(const char *name, const char *help, uint64_t number, FILE *out)
{
	print_head(name, "gauge", help, out);
	fprintf(out, "%s %" PRIu64 "\n", name, number);
}

static enum status keep_host(void *argument, const struct counter *counter)
{
	struct counter *host = argument;

	*host = *counter;
	host->name = "";
	return STATUS_OK;
}

enum status prometheus_print(const void *context, struct state *state, FILE *out)
{
	struct lists lists = {.context = mem_context(context, "lists")};
	struct counter host = {.name = ""};
	struct state_size size = {0};
	enum status status = record_walk_counters(state, COUNTER_HOST, keep_host, &host);

	add_counter(&lists, &host);
	if (status == STATUS_OK)
		status = record_walk_counters(state, COUNTER_LIST, visit_list, &lists);
	if (status == STATUS_OK)
		status = state_measure(state, &size);
	if (status != STATUS_OK)
		return status;
	print_kinds(&host, out);
	print_verdicts(&lists, out);
	print_actions(&lists, out);
	print_gauge("backstop_last_message_timestamp_seconds", "When the last message was decided.",
		(uint64_t)(host.last_s < 0 ? 0 : host.last_s), out);
	print_gauge("backstop_held_messages", "Messages that are held, or dropped and still kept.",
		size.held, out);
	print_gauge("backstop_events", "Single decisions that are recorded.", size.events, out);
	print_gauge("backstop_state_bytes", "Size of the state in use.", size.used_bytes, out);
	mem_free((void *)lists.context);
	return STATUS_OK;
}
