/*
 * held.c: backstop held: the messages that were held, or dropped and are still kept.
 *
 * In charge of choosing them and of the order of steps: a release delivers, then writes its event,
 * then removes the record, then the file; a purge removes the record, then the file. Whatever ends
 * us between two steps leaves a message twice or a file too many, never a message lost. Leaves to
 * held_release.c where a message goes, to held_print.c how things look, and to hold.c the files.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/act.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/held_print.h"
#include "cmd/held_release.h"
#include "state/record.h"

enum { ORPHAN_AGE_S = 24 * 60 * 60, WORD_TEXT_MAX = 60 };

const struct option_row held_options[] = {
	{"format", OPTION_VALUE, "text|json", "list: a table, or one JSON object a line"},
	{"list", OPTION_VALUE, "ADDRESS", "only what came for this list"},
	{"verdict", OPTION_VALUE, "WORD", "only this verdict: genuine, backscatter, unproven"},
	{"since", OPTION_VALUE, "TIME", "only what came since: a time, or an age such as 7d"},
	{"all", OPTION_FLAG, NULL, "release, purge: all messages, or all that the options choose"},
	{"expired", OPTION_FLAG, NULL, "purge: all whose time is over"},
	{"raw", OPTION_FLAG, NULL, "show: the message alone, byte for byte"},
	{"to", OPTION_VALUE, "ADDRESS", "release: to this address, not to the list's owners"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* What the options choose. */
struct filter {
	const char *list; /* NULL: any */
	bool has_verdict;
	enum verdict verdict;
	int64_t since_s;   /* 0: any */
	int64_t expired_s; /* 0: any; else only what expires until then */
	bool is_narrow;	   /* some message may not match */
};

struct selection {
	uint64_t *ids;
	size_t count;
	size_t room;
};

/* A verb at work. */
struct held_work {
	struct command_run *run;
	struct filter filter;
	const char *to; /* --to, or NULL */
};

static const char *clean_word(const struct held_work *work, const char *word)
{
	return text_clean_string(work->run->context, word, WORD_TEXT_MAX);
}

static enum status read_filter(struct held_work *work)
{
	struct command_run *run = work->run;
	struct filter *filter = &work->filter;
	const char *list = command_option(run, "list");
	const char *verdict = command_option(run, "verdict");
	const char *since = command_option(run, "since");

	if (list != NULL && (filter->list = address_normalise(run->context, list)) == NULL)
		return command_misused(run, "--list=%s: not an address", clean_word(work, list));
	if (verdict != NULL && !verdict_parse(verdict, &filter->verdict))
		return command_misused(
			run, "--verdict=%s: no such verdict", clean_word(work, verdict));
	filter->has_verdict = verdict != NULL;
	if (since != NULL && !clock_parse_time(since, run->now, &filter->since_s))
		return command_misused(run, "--since=%s: not a time", clean_word(work, since));
	filter->is_narrow = list != NULL || verdict != NULL || since != NULL;
	if (command_option(run, "expired") != NULL)
		filter->expired_s = run->now;
	return STATUS_OK;
}

static bool is_chosen(const struct filter *filter, const struct held *held)
{
	if (filter->list != NULL &&
		(held->event.list == NULL || !address_equal(filter->list, held->event.list)))
		return false;
	if (filter->has_verdict && held->event.verdict != filter->verdict)
		return false;
	if (filter->expired_s != 0 && (held->expires_s == 0 || held->expires_s > filter->expired_s))
		return false;
	return held->event.time_s >= filter->since_s || filter->since_s == 0;
}

static enum status walk_failed(struct command_run *run, enum status status)
{
	return command_failed(
		run, status, "the held records cannot be listed: %s", status_text(status));
}

/* ---- list ---- */

struct listing {
	const struct filter *filter;
	bool is_json;
	size_t count;
};

static enum status list_one(void *argument, const struct held *held)
{
	struct listing *listing = argument;

	if (!is_chosen(listing->filter, held))
		return STATUS_OK;
	listing->count++;
	if (listing->is_json)
		return held_print_json(held);
	if (listing->count == 1)
		held_print_heading();
	held_print_row(held);
	return STATUS_OK;
}

static enum status list_held(struct held_work *work)
{
	struct listing listing = {.filter = &work->filter};
	const char *format = command_option(work->run, "format");
	enum status status;

	if (work->run->argument_count > 1)
		return command_misused(work->run, "list takes no IDs; show does");
	listing.is_json = format != NULL && strcmp(format, "json") == 0;
	if (format != NULL && !listing.is_json && strcmp(format, "text") != 0)
		return command_misused(
			work->run, "--format=%s: text or json", clean_word(work, format));
	status = record_walk_held(work->run->state, list_one, &listing);
	if (status != STATUS_OK)
		return walk_failed(work->run, status);
	if (listing.count == 0 && !listing.is_json)
		puts(work->filter.is_narrow ? "nothing that is held matches" : "nothing is held");
	return STATUS_OK;
}

/* ---- one message by its id ---- */

static bool is_wholesale(const struct command_run *run)
{
	return command_option(run, "all") != NULL || command_option(run, "expired") != NULL;
}

/* A record that was chosen a moment ago and is gone now had its time, or another process was
 * faster: that is said of an ID that somebody named, and of no other. */
static enum status find_one(
	struct command_run *run, const void *context, uint64_t id, struct held **held_out)
{
	enum status status = record_find_held(run->state, context, id, held_out);
	char text[EVENT_ID_TEXT_MAX];

	event_id_format(id, text);
	if (status == STATUS_NOT_FOUND && is_wholesale(run))
		return status;
	if (status == STATUS_NOT_FOUND)
		return command_failed(
			run, status, "no held message %s; see backstop held list", text);
	if (status != STATUS_OK)
		return command_failed(run, status, "the record of %s cannot be read: %s", text,
			status_text(status));
	return STATUS_OK;
}

/* ---- show ---- */

static enum status show_held(struct held_work *work)
{
	struct command_run *run = work->run;
	struct held *held = NULL;
	struct bytes message;
	const char *error = NULL;
	enum status status;
	uint64_t id;

	if (run->argument_count != 2)
		return command_misused(run, "show takes one ID");
	if (!event_id_parse(run->arguments[1], &id))
		return command_misused(run, "%s is no ID", clean_word(work, run->arguments[1]));
	status = find_one(run, run->context, id, &held);
	if (status != STATUS_OK)
		return status;
	if (command_option(run, "raw") == NULL)
		held_print_record(held);
	status = hold_read(run->context, state_directory(run->state), held->file, &message, &error);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s", error);
	if (command_option(run, "raw") == NULL)
		held_print_message(message);
	else if (fwrite(message.data, 1, message.size, stdout) != message.size)
		return command_failed(run, STATUS_IO, "the message cannot be written");
	return STATUS_OK;
}

/* ---- choosing for release and purge ---- */

static void select_id(const void *context, struct selection *selection, uint64_t id)
{
	if (selection->count == selection->room) {
		selection->room = selection->room * 2 + 64;
		selection->ids = mem_realloc(
			context, selection->ids, selection->room * sizeof *selection->ids);
	}
	selection->ids[selection->count++] = id;
}

struct choosing {
	struct held_work *work;
	struct selection *selection;
};

static enum status choose_one(void *argument, const struct held *held)
{
	struct choosing *choosing = argument;

	if (is_chosen(&choosing->work->filter, held))
		select_id(choosing->work->run->context, choosing->selection, held->event.id);
	return STATUS_OK;
}

static enum status choose_named(struct held_work *work, struct selection *selection)
{
	struct command_run *run = work->run;
	uint64_t id;

	/* All are looked at before the first is acted upon. */
	for (size_t i = 1; i < run->argument_count; i++) {
		if (!event_id_parse(run->arguments[i], &id))
			return command_misused(
				run, "%s is no ID", clean_word(work, run->arguments[i]));
		select_id(run->context, selection, id);
	}
	return STATUS_OK;
}

/* The messages meant: by their IDs, or by --all or --expired with what narrows them. Choosing comes
 * first and acting second, since acting changes what a walk would find. */
static enum status choose(struct held_work *work, struct selection *selection)
{
	struct choosing choosing = {work, selection};
	struct command_run *run = work->run;
	bool has_ids = run->argument_count > 1;
	enum status status;

	if (has_ids && (is_wholesale(run) || work->filter.is_narrow))
		return command_misused(run, "IDs, or options that choose messages; not both");
	if (has_ids)
		return choose_named(work, selection);
	if (!is_wholesale(run))
		return command_misused(
			run, "which messages? Name their IDs, or say --all for all that match");
	status = record_walk_held(run->state, choose_one, &choosing);
	return status == STATUS_OK ? STATUS_OK : walk_failed(run, status);
}

/* ---- the account of who did it ---- */

/* What the message was until now. */
static const char *describe_held(const void *context, const struct held *held)
{
	const struct event *event = &held->event;

	return mem_printf(context, "%s: kind=%s verdict=%s list=%s rcpt=<%s> msgid=%s",
		held->expires_s == 0 ? "held" : "dropped", kind_name(event->kind),
		verdict_name(event->verdict), event->list == NULL ? "-" : event->list,
		event->failed == NULL ? "" : event->failed,
		event->message_id == NULL ? "-" : event->message_id);
}

/* ---- release ---- */

/* The steps behind the delivery. The file may be gone already: somebody tidied up. audit: or NULL.
 */
static enum status forget(
	struct command_run *run, const struct held *held, const struct audit_entry *audit)
{
	enum status status = record_purge_held(run->state, held->event.id, audit);

	if (status == STATUS_OK || status == STATUS_NOT_FOUND)
		status = hold_remove(state_directory(run->state), held->file);
	return status == STATUS_NO_INPUT ? STATUS_OK : status;
}

static enum status release_one(struct held_work *work, const void *context, uint64_t id)
{
	struct command_run *run = work->run;
	struct held *held = NULL;
	struct event event;
	char text[EVENT_ID_TEXT_MAX];
	const char *error = NULL;
	struct audit_entry audit = {.time_s = run->now, .command = "held release", .object = text};
	enum status status = find_one(run, context, id, &held);

	if (status != STATUS_OK)
		return status;
	event_id_format(id, text);
	event = held->event;
	status = held_deliver(run, context, held, work->to, &event.action, &error);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s stays held: %s", text, error);
	event.time_s = run->now;
	event.policy = event.action;
	event.evidence = "released";
	audit.before = describe_held(context, held);
	audit.after = mem_printf(context, "released: %s%s%s", action_name(event.action),
		work->to == NULL ? "" : " to ", work->to == NULL ? "" : work->to);
	event.audit = &audit;
	status = record_event(run->state, &event, NULL, 0);
	if (status == STATUS_OK)
		status = forget(run, held, NULL);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s was released, but is still held as well: %s",
			text, status_text(status));
	printf("released %s: %s\n", text, action_name(event.action));
	return STATUS_OK;
}

/* ---- purge ---- */

static enum status purge_one(struct held_work *work, const void *context, uint64_t id)
{
	struct command_run *run = work->run;
	struct held *held = NULL;
	char text[EVENT_ID_TEXT_MAX];
	struct audit_entry audit = {
		.time_s = run->now, .command = "held purge", .object = text, .after = "purged"};
	enum status status = find_one(run, context, id, &held);

	if (status != STATUS_OK)
		return status;
	event_id_format(id, text);
	audit.before = describe_held(context, held);
	status = forget(run, held, &audit);
	if (status != STATUS_OK)
		return command_failed(
			run, status, "%s cannot be purged: %s", text, status_text(status));
	printf("purged %s\n", text);
	return STATUS_OK;
}

/* ---- what release and purge have in common ---- */

typedef enum status one_function(struct held_work *work, const void *context, uint64_t id);

/* One failure does not end it: the others are independent. The first one is the result. */
static enum status act_on_chosen(struct held_work *work, one_function *function)
{
	struct selection selection = {.ids = NULL};
	enum status result = choose(work, &selection);

	if (result != STATUS_OK)
		return result;
	for (size_t i = 0; i < selection.count; i++) {
		void *context = mem_context(work->run->context, "held message");
		enum status status = function(work, context, selection.ids[i]);

		mem_free(context);
		if (status == STATUS_NOT_FOUND && is_wholesale(work->run))
			continue;
		if (result == STATUS_OK)
			result = status;
	}
	if (selection.count == 0)
		puts("no held message is meant by this");
	return result;
}

static enum status release_held(struct held_work *work)
{
	struct command_run *run = work->run;
	const char *to = command_option(run, "to");

	if (to != NULL && (work->to = address_normalise(run->context, to)) == NULL)
		return command_misused(run, "--to=%s: not an address", clean_word(work, to));
	return act_on_chosen(work, release_one);
}

/* ---- files without a record ---- */

/* The names in all records, as hashes, sorted. Two names with one hash keep a file that could go,
 * which does no harm. */
struct known_files {
	struct selection hashes;
	const void *context;
};

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xCBF29CE484222325;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001B3;
	return hash;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static enum status learn_file(void *argument, const struct held *held)
{
	struct known_files *known = argument;

	select_id(known->context, &known->hashes, hash_name(held->file));
	return STATUS_OK;
}

static bool is_known_file(void *argument, const char *file)
{
	const struct selection *hashes = &((const struct known_files *)argument)->hashes;
	uint64_t hash = hash_name(file);

	return hashes->count > 0 &&
	       bsearch(&hash, hashes->ids, hashes->count, sizeof hash, compare_hashes) != NULL;
}

/* Learns every name. STATUS_STATE when a record does not decode (the walk leaves those out): its
 * file would seem to be nobody's. */
static enum status learn_files(struct state *state, struct known_files *known)
{
	struct state_size before, after;
	enum status status = state_measure(state, &before);

	if (status == STATUS_OK)
		status = record_walk_held(state, learn_file, known);
	if (status == STATUS_OK)
		status = state_measure(state, &after);
	if (status == STATUS_OK && known->hashes.count < before.held &&
		known->hashes.count < after.held)
		status = STATUS_STATE;
	if (known->hashes.count > 0)
		qsort(known->hashes.ids, known->hashes.count, sizeof *known->hashes.ids,
			compare_hashes);
	return status;
}

static enum status sweep_orphans(struct command_run *run)
{
	struct known_files known = {.context = run->context};
	uint64_t removed = 0;
	enum status status = learn_files(run->state, &known);

	if (status != STATUS_OK)
		return command_failed(run, status,
			"files without a record were not looked for: the records changed "
			"meanwhile, "
			"or cannot all be read");
	status = hold_sweep(state_directory(run->state), run->now - ORPHAN_AGE_S, is_known_file,
		&known, &removed);
	if (removed > 0)
		printf("removed %" PRIu64 " files that no record names\n", removed);
	if (status != STATUS_OK)
		return command_failed(run, status,
			"files that no record names cannot be removed: %s", status_text(status));
	return STATUS_OK;
}

static enum status purge_held(struct held_work *work)
{
	enum status result = act_on_chosen(work, purge_one);
	enum status status;

	/* A file without a record came for no list: it matches no narrower choice. */
	if (result == STATUS_USAGE || !is_wholesale(work->run) || work->filter.is_narrow)
		return result;
	status = sweep_orphans(work->run);
	return result != STATUS_OK ? result : status;
}

/* ---- verbs ---- */

typedef enum status verb_function(struct held_work *work);

#define VERB_OPTIONS_MAX 6

static const struct verb {
	const char *name;
	verb_function *function;
	const char *options[VERB_OPTIONS_MAX]; /* those that it takes; ends with NULL */
} verbs[] = {
	{"list", list_held, {"format", "list", "verdict", "since"}},
	{"show", show_held, {"raw"}},
	{"release", release_held, {"all", "list", "verdict", "since", "to"}},
	{"purge", purge_held, {"all", "expired", "list", "verdict", "since"}},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

static bool takes_option(const struct verb *verb, const char *name)
{
	for (size_t i = 0; i < VERB_OPTIONS_MAX && verb->options[i] != NULL; i++) {
		if (strcmp(verb->options[i], name) == 0)
			return true;
	}
	return false;
}

enum status held_run(struct command_run *run)
{
	struct held_work work = {.run = run};
	const struct verb *verb;
	enum status status;

	if (run->argument_count == 0)
		return command_misused(run, "list, show, release or purge?");
	verb = find_verb(run->arguments[0]);
	if (verb == NULL)
		return command_misused(run, "%s: it is list, show, release or purge",
			clean_word(&work, run->arguments[0]));
	for (const struct option_row *row = held_options; row->name != NULL; row++) {
		if (command_option(run, row->name) != NULL && !takes_option(verb, row->name))
			return command_misused(run, "%s does not take --%s", verb->name, row->name);
	}
	status = read_filter(&work);
	return status == STATUS_OK ? verb->function(&work) : status;
}
