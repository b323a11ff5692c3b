/*
 * held.c: backstop held: the messages that were held, or dropped and are still kept.
 *
 * In charge of the verbs and of the order of steps: a release delivers, then writes its event, then
 * removes the record, then the file; a purge removes the record, then the file. Whatever ends us
 * between two steps leaves a message twice or a file too many, never a message lost. Leaves to
 * held_choice.c which messages are meant, to held_release.c where one goes, to held_print.c how
 * things look, to held_files.c what no record names, and to hold.c the files.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "act/act.h"
#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/held_choice.h"
#include "cmd/held_files.h"
#include "cmd/held_print.h"
#include "cmd/held_release.h"
#include "state/record.h"

enum { WORD_TEXT_MAX = 60, ANSWER_MAX = 80 };

const struct option_row held_options[] = {
	{"format", OPTION_VALUE, "text|json|csv", "list: a table, JSON objects, or CSV"},
	{"list", OPTION_VALUE, "ADDRESS", "only what came for this list"},
	{"verdict", OPTION_VALUE, "WORD", "only this verdict: genuine, backscatter, unproven"},
	{"kind", OPTION_VALUE, "WORD", "only this kind: failed, delayed, autoreply, ..."},
	{"reason", OPTION_VALUE, "WORD", "only this reason: userunknown, mailboxfull, ..."},
	{"reporter", OPTION_VALUE, "ADDRESS",
		"only what this client brought: an IP address, or a network as 192.0.2.0/24"},
	{"recipient", OPTION_VALUE, "ADDRESS", "only reports on this recipient"},
	{"since", OPTION_VALUE, "TIME", "only what came since: a time, or an age such as 7d"},
	{"until", OPTION_VALUE, "TIME", "only what came before"},
	{"all", OPTION_FLAG, NULL, "release, purge: all messages, or all that the options choose"},
	{"expired", OPTION_FLAG, NULL, "purge: all whose time is over"},
	{"yes", OPTION_FLAG, NULL, "release, purge: do not ask"},
	{"dry-run", OPTION_FLAG, NULL, "release, purge: only count"},
	{"raw", OPTION_FLAG, NULL, "show: the message alone, byte for byte"},
	{"to", OPTION_VALUE, "ADDRESS", "release: to this address, not to the list's owners"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* A verb at work. */
struct held_work {
	struct command_run *run;
	struct held_choice choice;
	const char *to; /* --to, or NULL */
	size_t count;	/* by --dry-run */
};

static const char *clean_word(const struct held_work *work, const char *word)
{
	return text_clean_string(work->run->context, word, WORD_TEXT_MAX);
}

static enum status walk_failed(struct command_run *run, enum status status)
{
	return command_failed(
		run, status, "the held records cannot be listed: %s", status_text(status));
}

/* ---- list ---- */

/* A form of the list. */
struct form {
	const char *name;
	void (*head)(void); /* before the first; or NULL */
	enum status (*row)(const struct held *held);
	bool is_for_people; /* then something is said where there is nothing */
};

static const struct form forms[] = {
	{"text", held_print_heading, held_print_row, true},
	{"json", NULL, held_print_json, false},
	{"csv", held_print_csv_heading, held_print_csv, false},
};

static const struct form *find_form(const char *name)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	}
	return NULL;
}

struct listing {
	const struct held_choice *choice;
	const struct form *form;
	size_t count;
};

static enum status list_one(void *argument, const struct held *held)
{
	struct listing *listing = argument;

	if (!held_choice_matches(listing->choice, held))
		return STATUS_OK;
	if (listing->count++ == 0 && listing->form->is_for_people)
		listing->form->head();
	return listing->form->row(held);
}

static enum status list_held(struct held_work *work)
{
	struct command_run *run = work->run;
	struct listing listing = {.choice = &work->choice, .form = &forms[0]};
	const char *format = command_option(run, "format");
	enum status status;

	if (run->argument_count > 1)
		return command_misused(run, "list takes no IDs; show does");
	if (format != NULL)
		listing.form = find_form(format);
	if (listing.form == NULL)
		return command_misused(
			run, "--format=%s: text, json or csv", clean_word(work, format));
	if (listing.form->head != NULL && !listing.form->is_for_people)
		listing.form->head();
	status = record_walk_held(run->state, list_one, &listing);
	if (status != STATUS_OK)
		return walk_failed(run, status);
	if (listing.count == 0 && listing.form->is_for_people)
		puts(held_choice_is_narrow(&work->choice) ? "nothing that is held matches"
							  : "nothing is held");
	return STATUS_OK;
}

/* ---- one message by its id ---- */

static bool is_given(const struct command_run *run, const char *option)
{
	return command_option(run, option) != NULL;
}

static bool has_ids(const struct command_run *run)
{
	return run->argument_count > 1;
}

/* A record that was chosen a moment ago and is gone now had its time, or another process was
 * faster: that is said of an ID that somebody named, and of no other. */
static enum status find_one(
	struct command_run *run, const void *context, uint64_t id, struct held **held_out)
{
	enum status status = record_find_held(run->state, context, id, held_out);
	char text[EVENT_ID_TEXT_MAX];

	event_id_format(id, text);
	if (status == STATUS_NOT_FOUND && !has_ids(run))
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
	status = held_read(run, run->context, held, &message, &error);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s", error);
	if (command_option(run, "raw") == NULL)
		held_print_message(message);
	else if (fwrite(message.data, 1, message.size, stdout) != message.size)
		return command_failed(run, STATUS_IO, "the message cannot be written");
	return STATUS_OK;
}

/* ---- choosing for release and purge ---- */

static enum status choose_named(struct held_work *work, struct held_ids *ids)
{
	struct command_run *run = work->run;
	uint64_t id;

	/* All are looked at before the first is acted upon. */
	for (size_t i = 1; i < run->argument_count; i++) {
		if (!event_id_parse(run->arguments[i], &id))
			return command_misused(
				run, "%s is no ID", clean_word(work, run->arguments[i]));
		held_ids_add(run->context, ids, id);
	}
	return STATUS_OK;
}

/* Somebody is there who can be asked. */
static bool is_on_terminal(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

/* The messages meant: by their IDs, or by options. Choosing comes first and acting second, since
 * acting changes what a walk would find. */
static enum status choose(struct held_work *work, struct held_ids *ids)
{
	struct command_run *run = work->run;
	bool is_wholesale = is_given(run, "all") || is_given(run, "expired");
	bool is_narrow = held_choice_is_narrow(&work->choice);
	enum status status;

	if (has_ids(run) && (is_wholesale || is_narrow))
		return command_misused(run, "IDs, or options that choose messages; not both");
	if (has_ids(run))
		return choose_named(work, ids);
	if (!is_wholesale && !is_narrow)
		return command_misused(run,
			"which messages? Name their IDs, choose them by options, or say --all");
	/* A script says what it means. */
	if (!is_wholesale && !is_given(run, "yes") && !is_given(run, "dry-run") &&
		!is_on_terminal())
		return command_misused(run, "nobody can be asked here whether all that match are "
					    "meant: say --yes");
	status = held_choose(run, &work->choice, ids);
	return status == STATUS_OK ? STATUS_OK : walk_failed(run, status);
}

/* What is over is over; of all else that options chose it is asked, where somebody can answer. */
static bool is_wanted(const struct command_run *run, const char *verb, size_t count)
{
	char answer[ANSWER_MAX] = "";

	if (count == 0 || has_ids(run) || is_given(run, "yes") || is_given(run, "expired") ||
		!is_on_terminal())
		return true;
	printf("%s %zu message%s? [y/N] ", verb, count, count == 1 ? "" : "s");
	fflush(stdout);
	if (fgets(answer, sizeof answer, stdin) == NULL)
		putchar('\n');
	return answer[0] == 'y' || answer[0] == 'Y';
}

/* ---- the account of who did it ---- */

/* One that was held expires when a digest has told its owners of it. */
static const char *fate_of(const struct held *held)
{
	if (held->expires_s == 0)
		return "held";
	return held->event.action == ACTION_DROP ? "dropped" : "told by digest";
}

/* What the message was until now. */
static const char *describe_held(const void *context, const struct held *held)
{
	const struct event *event = &held->event;

	return mem_printf(context, "%s: kind=%s verdict=%s list=%s rcpt=<%s> msgid=%s",
		fate_of(held), kind_name(event->kind), verdict_name(event->verdict),
		event->list == NULL ? "-" : event->list, event->failed == NULL ? "" : event->failed,
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
static enum status act_on_all(
	struct held_work *work, const struct held_ids *ids, one_function *function)
{
	enum status result = STATUS_OK;

	for (size_t i = 0; i < ids->count; i++) {
		void *context = mem_context(work->run->context, "held message");
		enum status status = function(work, context, ids->ids[i]);

		mem_free(context);
		if (status == STATUS_NOT_FOUND && !has_ids(work->run))
			continue;
		if (result == STATUS_OK)
			result = status;
	}
	return result;
}

/* --dry-run. */
static enum status count_one(struct held_work *work, const void *context, uint64_t id)
{
	struct held *held;
	enum status status = find_one(work->run, context, id, &held);

	work->count += status == STATUS_OK;
	return status;
}

/* verb: with a capital, as the question begins. is_done_out: false when nothing was to be done. */
static enum status act_on_chosen(
	struct held_work *work, const char *verb, one_function *function, bool *is_done_out)
{
	struct command_run *run = work->run;
	struct held_ids ids = {.ids = NULL};
	enum status status = choose(work, &ids);

	*is_done_out = false;
	if (status != STATUS_OK)
		return status;
	if (is_given(run, "dry-run")) {
		status = act_on_all(work, &ids, count_one);
		printf("%zu message%s would be %sd\n", work->count, work->count == 1 ? "" : "s",
			text_lower(run->context, verb));
		return status;
	}
	if (!is_wanted(run, verb, ids.count)) {
		puts("nothing was done");
		return STATUS_OK;
	}
	*is_done_out = true;
	if (ids.count == 0)
		puts("no held message is meant by this");
	return act_on_all(work, &ids, function);
}

static enum status release_held(struct held_work *work)
{
	struct command_run *run = work->run;
	const char *to = command_option(run, "to");
	bool is_done;

	if (to != NULL && (work->to = address_normalise(run->context, to)) == NULL)
		return command_misused(run, "--to=%s: not an address", clean_word(work, to));
	return act_on_chosen(work, "Release", release_one, &is_done);
}

static enum status purge_held(struct held_work *work)
{
	bool is_done;
	enum status result = act_on_chosen(work, "Purge", purge_one, &is_done);
	enum status status;

	/* A file without a record came for no list: it matches no narrower choice. */
	if (!is_done || has_ids(work->run) || held_choice_is_narrow(&work->choice))
		return result;
	status = held_sweep_files(work->run);
	return result != STATUS_OK ? result : status;
}

/* ---- verbs ---- */

typedef enum status verb_function(struct held_work *work);

#define VERB_OPTIONS_MAX 6

static const struct verb {
	const char *name;
	verb_function *function;
	bool is_chosen_for;		       /* takes the options that choose messages */
	const char *options[VERB_OPTIONS_MAX]; /* those that it takes besides; ends with NULL */
} verbs[] = {
	{"list", list_held, true, {"format"}},
	{"show", show_held, false, {"raw"}},
	{"release", release_held, true, {"all", "to", "yes", "dry-run"}},
	{"purge", purge_held, true, {"all", "expired", "yes", "dry-run"}},
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
	if (held_choice_has_option(name))
		return verb->is_chosen_for;
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
	status = held_choice_read(run, &work.choice);
	return status == STATUS_OK ? verb->function(&work) : status;
}
