/*
 * held_choice.c: in charge of the options of backstop held that choose messages: a row each, which
 * reads the option's value and says whether a message matches it. Leaves to held.c what is done
 * with what was chosen.
 */
#include "cmd/held_choice.h"

#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

enum { WORD_TEXT_MAX = 60 };

#define NOT_A_TIME "not a time; want 2026-11-23, 2026-11-23T19:19:22Z or an age such as 7d"

/* ---- list ---- */

static bool read_list(const struct command_run *run, const char *value, struct held_choice *choice)
{
	choice->list = address_normalise(run->context, value);
	return choice->list != NULL;
}

static bool has_list(const struct held_choice *choice, const struct held *held)
{
	return held->event.list != NULL && address_equal(choice->list, held->event.list);
}

/* ---- words ---- */

static bool read_verdict(
	const struct command_run *run, const char *value, struct held_choice *choice)
{
	(void)run;
	return verdict_parse(value, &choice->verdict);
}

static bool has_verdict(const struct held_choice *choice, const struct held *held)
{
	return held->event.verdict == choice->verdict;
}

static bool read_kind(const struct command_run *run, const char *value, struct held_choice *choice)
{
	(void)run;
	return kind_parse(value, &choice->kind);
}

static bool has_kind(const struct held_choice *choice, const struct held *held)
{
	return held->event.kind == choice->kind;
}

static bool read_reason(
	const struct command_run *run, const char *value, struct held_choice *choice)
{
	(void)run;
	return reason_parse(value, &choice->reason);
}

static bool has_reason(const struct held_choice *choice, const struct held *held)
{
	return held->event.reason != NULL &&
	       strcmp(held->event.reason, reason_name(choice->reason)) == 0;
}

/* ---- addresses ---- */

static bool read_reporter(
	const struct command_run *run, const char *value, struct held_choice *choice)
{
	(void)run;
	return netblock_parse(value, &choice->reporter);
}

static bool has_reporter(const struct held_choice *choice, const struct held *held)
{
	struct netaddr reporter;

	return held->event.reporter != NULL && netaddr_parse(held->event.reporter, &reporter) &&
	       netblock_contains(&choice->reporter, &reporter);
}

static bool read_recipient(
	const struct command_run *run, const char *value, struct held_choice *choice)
{
	if (privacy_is_mark(value))
		choice->recipient = mem_strdup(run->context, value);
	else
		choice->recipient = address_normalise(run->context, value);
	/* Without a secret no mark was made. */
	if (choice->recipient != NULL && run->state != NULL)
		record_find_mark(run->state, choice->recipient, choice->recipient_mark);
	return choice->recipient != NULL;
}

/* The record names them with ", " between, or their marks (the setting privacy). */
static bool has_recipient(const struct held_choice *choice, const struct held *held)
{
	char address[ADDRESS_MAX + 1];

	for (const char *at = held->event.failed; at != NULL && *at != '\0';) {
		size_t size = strcspn(at, ",");

		if (size > 0 && size < sizeof address) {
			memcpy(address, at, size);
			address[size] = '\0';
			if (address_equal(address, choice->recipient) ||
				strcmp(address, choice->recipient) == 0 ||
				strcmp(address, choice->recipient_mark) == 0)
				return true;
		}
		at += size;
		at += strspn(at, ", ");
	}
	return false;
}

/* ---- times ---- */

static bool read_since(const struct command_run *run, const char *value, struct held_choice *choice)
{
	return clock_parse_time(value, run->now, &choice->since_s);
}

static bool has_since(const struct held_choice *choice, const struct held *held)
{
	return held->event.time_s >= choice->since_s;
}

static bool read_until(const struct command_run *run, const char *value, struct held_choice *choice)
{
	return clock_parse_time(value, run->now, &choice->until_s);
}

static bool has_until(const struct held_choice *choice, const struct held *held)
{
	return held->event.time_s < choice->until_s;
}

/* ---- all of them ---- */

static const struct {
	const char *option;
	bool (*read)(const struct command_run *run, const char *value, struct held_choice *choice);
	bool (*has)(const struct held_choice *choice, const struct held *held);
	const char *fault; /* what a value is that cannot be read */
} rows[] = {
	{"list", read_list, has_list, "not an address"},
	{"verdict", read_verdict, has_verdict, "want genuine, backscatter or unproven"},
	{"kind", read_kind, has_kind,
		"want failed, delayed, delivered, autoreply, challenge, feedback, mdn, virusnotice "
		"or ordinary"},
	{"reason", read_reason, has_reason,
		"no such reason; held list has the words in its column REASON"},
	{"reporter", read_reporter, has_reporter, "not an IP address or network"},
	{"recipient", read_recipient, has_recipient, "not an address"},
	{"since", read_since, has_since, NOT_A_TIME},
	{"until", read_until, has_until, NOT_A_TIME},
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

enum status held_choice_read(const struct command_run *run, struct held_choice *choice_out)
{
	*choice_out = (struct held_choice){.rows = 0};
	for (unsigned i = 0; i < ROW_COUNT; i++) {
		const char *value = command_option(run, rows[i].option);

		if (value == NULL)
			continue;
		if (!rows[i].read(run, value, choice_out))
			return command_misused(run, "--%s=%s: %s", rows[i].option,
				text_clean_string(run->context, value, WORD_TEXT_MAX),
				rows[i].fault);
		choice_out->rows |= 1U << i;
	}
	choice_out->is_expired = command_option(run, "expired") != NULL;
	choice_out->expired_s = run->now;
	return STATUS_OK;
}

bool held_choice_is_narrow(const struct held_choice *choice)
{
	return choice->rows != 0;
}

bool held_choice_has_option(const char *name)
{
	for (unsigned i = 0; i < ROW_COUNT; i++) {
		if (strcmp(rows[i].option, name) == 0)
			return true;
	}
	return false;
}

bool held_choice_matches(const struct held_choice *choice, const struct held *held)
{
	if (choice->is_expired && (held->expires_s == 0 || held->expires_s > choice->expired_s))
		return false;
	for (unsigned i = 0; i < ROW_COUNT; i++) {
		if ((choice->rows & 1U << i) != 0 && !rows[i].has(choice, held))
			return false;
	}
	return true;
}

void held_ids_add(const void *context, struct held_ids *ids, uint64_t id)
{
	if (ids->count == ids->room) {
		ids->room = ids->room * 2 + 64;
		ids->ids = mem_realloc(context, ids->ids, ids->room * sizeof *ids->ids);
	}
	ids->ids[ids->count++] = id;
}

struct choosing {
	const void *context;
	const struct held_choice *choice;
	struct held_ids *ids;
};

static enum status choose_one(void *argument, const struct held *held)
{
	struct choosing *choosing = argument;

	if (held_choice_matches(choosing->choice, held))
		held_ids_add(choosing->context, choosing->ids, held->event.id);
	return STATUS_OK;
}

enum status held_choose(
	struct command_run *run, const struct held_choice *choice, struct held_ids *ids_out)
{
	struct choosing choosing = {run->context, choice, ids_out};

	return record_walk_held(run->state, choose_one, &choosing);
}
