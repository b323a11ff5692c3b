/*
 * tag.c: `backstop tag new-key|make|check`: signed bounce addresses by hand and from scripts.
 *
 * In charge of finding the key file and of saying what came out. Leaves the form and the signature
 * of a tag to base/tag.c. Surprising: `make` opens the state only for the one form that needs it
 * (an opaque id), and never creates one: it may be run by root, whose files the agent could not
 * open.
 */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/prvs.h"
#include "base/tag.h"
#include "base/text.h"
#include "base/wrapped.h"
#include "cmd/command.h"
#include "cmd/state_owner.h"
#include "state/ledger.h"

#define LIFETIME_DEFAULT_S (14 * 24 * 60 * 60) /* where --file is used without a configuration */
#define SHOWN_MAX 998

const struct option_row tag_options[] = {
	{"domain", OPTION_VALUE, "DOMAIN",
		"new-key: the configured domain whose tag-keys to add to"},
	{"file", OPTION_VALUE, "PATH", "the key file, instead of the one in the configuration"},
	{"mailbox", OPTION_VALUE, "ADDRESS", "make: the bounce address to sign"},
	{"recipient", OPTION_VALUE, "ADDRESS", "make: the one recipient that the tag is for"},
	{.name = NULL},
};

/* A configured domain by its name, or NULL after an error message. */
static const struct domain_config *find_domain(
	const struct command_run *run, const char *name, enum status *status_out)
{
	const struct domain_config *domain = config_find_domain(run->config, name);

	if (!run->has_config)
		*status_out = command_misused(run,
			"no configuration was read from %s, so the key file of %s is not known; "
			"give "
			"-c FILE or --file=PATH",
			run->config_path, name);
	else if (domain == NULL)
		*status_out = command_failed(run, STATUS_CONFIG,
			"%s: there is no section domain \"%s\"; add one, or give --file=PATH",
			run->config_path, name);
	else if (domain->tag_keys == NULL)
		*status_out = command_failed(run, STATUS_CONFIG,
			"%s:%d: domain \"%s\" has no tag-keys; add tag-keys = "
			"\"/etc/backstop/tag.keys\", or give --file=PATH",
			run->config_path, domain->line, domain->name);
	else
		return domain;
	return NULL;
}

/* --file, else the tag-keys of the domain; NULL after an error message. */
static const char *find_key_file(
	const struct command_run *run, const char *domain_name, enum status *status_out)
{
	const char *file = command_option(run, "file");
	const struct domain_config *domain;

	if (file != NULL && *file != '\0')
		return file;
	domain = find_domain(run, domain_name, status_out);
	return domain != NULL ? domain->tag_keys : NULL;
}

static enum status read_keys(
	const struct command_run *run, const char *domain_name, struct tag_keys **keys_out)
{
	enum status status = STATUS_OK;
	const char *error = NULL;
	const char *path = find_key_file(run, domain_name, &status);

	if (path == NULL)
		return status;
	status = tag_keys_read(run->context, path, keys_out, &error);
	if (status != STATUS_OK)
		return command_failed(
			run, status, "%s", error != NULL ? error : status_text(status));
	if ((*keys_out)->count > 0)
		return STATUS_OK;
	return command_failed(run, STATUS_DATA,
		"%s: there is no key in it; 'backstop tag new-key' adds one", path);
}

/* How long tags signed with the keys of a file live: the longest of the domains that have it; 0
 * when none has. */
static int64_t find_lifetime(const struct config *config, const char *file)
{
	int64_t lifetime_s = 0;

	for (size_t i = 0; i < config->domain_count; i++) {
		const struct domain_config *domain = &config->domains[i];

		if (domain->tag_keys != NULL && strcmp(domain->tag_keys, file) == 0 &&
			domain->tag_lifetime_s > lifetime_s)
			lifetime_s = domain->tag_lifetime_s;
	}
	return lifetime_s;
}

/* "keys 3, 7": their numbers, never a secret. NULL where there is no file yet. */
static const char *list_keys(const struct command_run *run, const char *file)
{
	struct tag_keys *keys = NULL;
	const char *error = NULL;
	char *text;

	if (tag_keys_read(run->context, file, &keys, &error) != STATUS_OK)
		return NULL;
	text = mem_strdup(run->context, keys->count == 0 ? "no key" : "keys");
	for (size_t i = 0; i < keys->count; i++)
		text = mem_append(text, "%s%u", i == 0 ? " " : ", ", keys->items[i].id);
	mem_free(keys);
	return text;
}

/* Where there is no state yet, the key's own date has to do. */
static void note_new_key(const struct command_run *run, const char *file, const char *before)
{
	const struct audit_entry entry = {.time_s = run->now,
		.command = "tag new-key",
		.object = file,
		.before = before,
		.after = list_keys(run, file)};
	enum status status = STATUS_NO_INPUT;

	if (run->has_config)
		status = state_owner_audit(run->config->state, &entry);
	if (status != STATUS_OK && status != STATUS_NO_INPUT)
		fprintf(stderr,
			"backstop tag: warning: the new key could not be entered in the account of "
			"changes: %s\n",
			status_text(status));
}

static enum status run_new_key(struct command_run *run)
{
	const char *domain = command_option(run, "domain");
	const char *file = command_option(run, "file");
	struct tag_keys *keys = NULL;
	const char *error = NULL, *before;
	enum status status = STATUS_OK;
	struct tag_keys_change change = {.id = 0};

	if (run->argument_count > 1)
		return command_misused(run, "new-key takes no argument \"%s\"", run->arguments[1]);
	if ((domain == NULL || *domain == '\0') && (file == NULL || *file == '\0'))
		return command_misused(
			run, "new-key wants --domain=DOMAIN, or --file=PATH of the key file");
	file = find_key_file(run, domain, &status);
	if (file == NULL)
		return status;
	before = list_keys(run, file);
	change.lifetime_s = find_lifetime(run->config, file);
	status = tag_keys_add(run->context, file, run->now, &change, &error);
	if (status == STATUS_OK)
		status = tag_keys_read(run->context, file, &keys, &error);
	if (status != STATUS_OK)
		return command_failed(
			run, status, "%s", error != NULL ? error : status_text(status));
	note_new_key(run, file, before);
	printf("key %u added to %s; it signs from now on", change.id, file);
	if (keys->count > 1)
		printf(", and the tags of the %zu older stay valid", keys->count - 1);
	printf(".\n");
	if (change.removed > 0)
		printf("%zu older went, since all tags signed with them have expired.\n",
			change.removed);
	return STATUS_OK;
}

/* The option of that name, else the argument at index; normalised. NULL when neither is given. */
static const char *find_address(
	const struct command_run *run, const char *option, size_t index, enum status *status_out)
{
	const char *text = command_option(run, option);
	const char *address;

	if (text == NULL && index < run->argument_count)
		text = run->arguments[index];
	if (text == NULL || *text == '\0')
		return NULL;
	address = address_normalise(run->context, text);
	if (address == NULL)
		*status_out = command_misused(run, "the %s \"%s\" is no address; want user@domain",
			option, text_clean_string(run->context, text, SHOWN_MAX));
	return address;
}

static enum status remember_id(struct command_run *run, const char *recipient, const char *id)
{
	const struct ledger_entry entry = {
		.sent_s = run->now,
		.recipient = recipient,
		.recipient_id = id,
	};
	const char *error = NULL;
	struct state *state = NULL;
	enum status status = STATUS_NO_INPUT;

	if (run->has_config)
		status = state_open(run->context, run->config->state, STATE_READ, &state, &error);
	state_close(state);
	state = NULL;
	if (status == STATUS_OK)
		status = state_open(run->context, run->config->state, STATE_WRITE, &state, &error);
	if (status == STATUS_OK)
		status = ledger_add(state, LEDGER_FEED_BATCH, run->now, &entry, 1, NULL);
	state_close(state);
	if (status != STATUS_OK)
		fprintf(stderr,
			"backstop tag: warning: the address holds the id %s for %s, but the ledger "
			"could not be told (%s); a bounce to it cannot be checked\n",
			id, recipient,
			!run->has_config ? "no configuration"
			: error != NULL	 ? error
					 : status_text(status));
	return status;
}

static enum status run_make(struct command_run *run)
{
	enum status status = STATUS_OK;
	bool has_mailbox = command_option(run, "mailbox") != NULL;
	const char *mailbox = find_address(run, "mailbox", 1, &status);
	const char *recipient = NULL;
	const struct domain_config *domain;
	struct tag_keys *keys = NULL;
	const char *id = NULL;
	const char *tagged;

	if (status == STATUS_OK)
		recipient = find_address(run, "recipient", has_mailbox ? 1 : 2, &status);
	if (status != STATUS_OK)
		return status;
	if (mailbox == NULL)
		return command_misused(run, "make wants the bounce address to sign: "
					    "make MAILBOX [RECIPIENT]");
	status = read_keys(run, address_domain(mailbox), &keys);
	if (status != STATUS_OK)
		return status;
	domain = config_find_domain(run->config, address_domain(mailbox));
	if (domain != NULL)
		keys->delimiter = domain->delimiter;
	tagged = tag_make(run->context, keys, mailbox, recipient, run->now, &id);
	if (tagged == NULL)
		return command_failed(run, STATUS_DATA,
			"a tag does not fit behind %s: a local part has 64 characters at most",
			mailbox);
	printf("%s\n", tagged);
	if (id != NULL)
		remember_id(run, recipient, id);
	return STATUS_OK;
}

static const char *form_name(char form)
{
	static const struct {
		char form;
		const char *name;
	} forms[] = {{'s', "sender"}, {'r', "recipient"}, {'i', "recipient, by id"}};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (forms[i].form == form)
			return forms[i].name;
	}
	return "unknown";
}

static const char *resolve_id(struct command_run *run, const char *id)
{
	struct state *state = NULL;
	const char *error = NULL;
	char *recipient = NULL;

	if (run->has_config && state_open(run->context, run->config->state, STATE_READ, &state,
				       &error) == STATUS_OK)
		ledger_find_id(state, run->context, id, &recipient);
	state_close(state);
	return recipient;
}

static void print_field(struct command_run *run, const char *name, const char *value)
{
	const char *clean = text_clean_string(run->context, value, SHOWN_MAX);

	printf("%-10s %s\n", name, clean != NULL ? clean : "-");
}

static void print_tag(struct command_run *run, const struct tag *tag, const char *recipient)
{
	char day[CLOCK_TEXT_MAX];

	clock_format_day(tag->day * 24 * 60 * 60, day);
	print_field(run, "form", form_name(tag->form));
	printf("%-10s %u\n", "key", tag->key);
	print_field(run, "signed", day);
	print_field(run, "mailbox", tag->mailbox);
	if (tag->id != NULL)
		print_field(run, "id", tag->id);
	print_field(run, "recipient", recipient);
}

/* The signature of another program, if its keys are configured for the domain. */
static enum status check_prvs(
	struct command_run *run, const struct wrapped *item, enum prvs_result *result_out)
{
	const struct domain_config *domain =
		config_find_domain(run->config, address_domain(item->address));
	struct prvs_keys *keys = NULL;
	const char *error = NULL;
	enum status status;

	*result_out = PRVS_ABSENT;
	if (strcmp(item->name, "prvs") != 0 || domain == NULL || domain->prvs_keys == NULL)
		return STATUS_OK;
	status = prvs_keys_read(run->context, domain->prvs_keys, &keys, &error);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s", error);
	*result_out = prvs_check(keys, item->tag, item->address, domain->prvs_lifetime_s, run->now);
	if (*result_out != PRVS_ABSENT)
		print_field(run, "prvs", prvs_result_name(*result_out));
	return STATUS_OK;
}

/* A tag of ours, as it was found. */
struct own {
	enum tag_result result;
	struct tag tag;
	const char *recipient;
};

/* Looks for one in the address; a valid one, and one that is not bad, is better than what is there:
 * with another program's mark in front of it the mailbox is another, and the signature bad. */
static enum status check_own(struct command_run *run, const char *address, struct own *best)
{
	int64_t lifetime_s = LIFETIME_DEFAULT_S;
	const struct domain_config *domain;
	struct tag_keys *keys = NULL;
	struct own own;
	enum status status;

	if (best->result == TAG_VALID || !tag_parse(run->context, address, &own.tag))
		return STATUS_OK;
	domain = config_find_domain(run->config, address_domain(own.tag.mailbox));
	status = read_keys(run, address_domain(own.tag.mailbox), &keys);
	if (status != STATUS_OK)
		return status;
	if (domain != NULL)
		lifetime_s = domain->tag_lifetime_s;
	own.recipient = own.tag.id != NULL ? resolve_id(run, own.tag.id) : own.tag.recipient;
	own.result = tag_check(
		keys, &own.tag, own.tag.id != NULL ? own.recipient : NULL, lifetime_s, run->now);
	if (best->result == TAG_ABSENT || best->result == TAG_BAD)
		*best = own;
	return STATUS_OK;
}

/* Each address that is wrapped in another. */
static enum status check_inner(
	struct command_run *run, const char *address, struct own *best, enum prvs_result *prvs_out)
{
	struct wrapped inner[WRAPPED_MAX];
	size_t count = wrapped_open(run->context, address, inner);
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		enum prvs_result prvs;

		print_field(run, "wrapping", inner[i].name);
		print_field(run, "inside", inner[i].address);
		status = check_prvs(run, &inner[i], &prvs);
		if (prvs == PRVS_VALID || *prvs_out == PRVS_ABSENT)
			*prvs_out = prvs;
		/* A foreign domain has no keys of ours. */
		if (status == STATUS_OK &&
			(command_option(run, "file") != NULL ||
				config_find_domain(run->config, address_domain(inner[i].address)) !=
					NULL))
			status = check_own(run, inner[i].address, best);
	}
	return status;
}

static enum status run_check(struct command_run *run)
{
	enum prvs_result prvs = PRVS_ABSENT;
	struct own own = {.result = TAG_ABSENT};
	enum status status;
	const char *result;

	if (run->argument_count != 2)
		return command_misused(run, "check wants one address");
	status = check_inner(run, run->arguments[1], &own, &prvs);
	if (status == STATUS_OK && own.result == TAG_ABSENT)
		status = check_own(run, run->arguments[1], &own);
	if (status != STATUS_OK)
		return status;
	result = tag_result_name(own.result);
	if (own.result != TAG_ABSENT)
		print_tag(run, &own.tag, own.recipient);
	else if (prvs != PRVS_ABSENT)
		result = mem_printf(run->context, "prvs-%s", prvs_result_name(prvs));
	print_field(run, "result", result);
	/* Exit 1, as of grep: asked and answered. */
	return own.result == TAG_VALID || (own.result == TAG_ABSENT && prvs == PRVS_VALID)
		       ? STATUS_OK
		       : STATUS_DIFFERENT;
}

static const struct {
	const char *name;
	command_function *function;
} actions[] = {
	{"new-key", run_new_key},
	{"make", run_make},
	{"check", run_check},
};

enum status tag_run(struct command_run *run)
{
	if (run->argument_count == 0)
		return command_misused(run, "what to do is missing: new-key, make or check");
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		if (strcmp(actions[i].name, run->arguments[0]) == 0)
			return actions[i].function(run);
	}
	return command_misused(run, "\"%s\" is not one of new-key, make and check",
		text_clean_string(run->context, run->arguments[0], SHOWN_MAX));
}
