/*
 * settings.h: what the configuration said when it was last looked at, so that a change can be
 * entered in the account (audit.h) with what was before and after.
 */
#ifndef BACKSTOP_STATE_SETTINGS_H
#define BACKSTOP_STATE_SETTINGS_H

#include <stddef.h>

#include "state/audit.h"

struct setting_text {
	const char *kind; /* "list"; no quote in it */
	const char *name; /* its title, or "" */
	const char *text;
};

/* What is there now, and for the entries: who, when, command, note. */
struct settings {
	const char *source; /* the file */
	const struct setting_text *items;
	size_t count;
	struct audit_entry entry;
};

/* The file that was looked at last, on context; STATUS_NOT_FOUND when none was. */
enum status settings_find_source(struct state *state, const void *context, char **source_out);

/* How many sections differ from what is remembered: changed, new, gone. Where nothing is
 * remembered, 1. Writes nothing. */
enum status settings_count_changes(
	struct state *state, const struct settings *settings, size_t *count_out);

/* Enters each change in the account and remembers what is there now, in one transaction. The first
 * time it is one entry, that the account begins. count_out as above; may be NULL. */
enum status settings_record(
	struct state *state, const struct settings *settings, size_t *count_out);

#endif
