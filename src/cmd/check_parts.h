/*
 * check_parts.h: what the files of `backstop check` share, and nobody else includes.
 *
 * check.c is the command; check_finding.c says and counts what is found; check_rules.c looks at the
 * rules, check_place.c at files and folders, check_roster.c at rosters, check_owed.c at digests,
 * check_user.c lets it do so with another user's rights, check_mta.c asks the mail server,
 * check_dns.c asks DNS.
 */
#ifndef BACKSTOP_CMD_CHECK_PARTS_H
#define BACKSTOP_CMD_CHECK_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/config.h"

#define CHECK_LINE_MAX 1000 /* bytes of one finding */

enum finding {
	FINDING_FAULT = 0,
	FINDING_WARNING, /* works all the same */
	FINDING_NOTE,	 /* about the check itself */
	FINDING_FACT,	 /* what is configured: printed below the result */
	FINDING_COUNT
};

/* A run of the command: what it looks at, and what it has found. */
struct survey {
	const void *context;
	const char *config_path;
	const struct config *config; /* NULL when it is wrong */
	int64_t now;
	FILE *relay; /* a child's way to its parent (check_user.c); else NULL */
	size_t counts[FINDING_COUNT];
	char *facts; /* lines */
};

/* Who the mail server runs `backstop deliver` as. */
struct check_account {
	const char *name; /* NULL: not known */
	uid_t user;
	gid_t group;
};

/* One line, cleaned of control characters: printed, counted, or kept if it is a fact. */
void check_say(struct survey *survey, enum finding finding, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define check_fault(survey, ...) check_say((survey), FINDING_FAULT, __VA_ARGS__)
#define check_warn(survey, ...) check_say((survey), FINDING_WARNING, __VA_ARGS__)
#define check_note(survey, ...) check_say((survey), FINDING_NOTE, __VA_ARGS__)
#define check_fact(survey, ...) check_say((survey), FINDING_FACT, __VA_ARGS__)

/* The rules that are compiled in. */
void check_rules(struct survey *survey);

/* The rosters of the lists: readable, with addresses; which line is none. */
void check_rosters(struct survey *survey);

/* Key files, sendmail, state, held mail, Maildirs, log: with the rights of this process. Needs a
 * configuration. */
void check_places(struct survey *survey);

/* The same with the rights that Postfix's pipe(8) would give: needs root. */
void check_places_as(struct survey *survey, const struct check_account *account);

/* What is configured of DNS; is_asked: what DNS says, too, which may take the budget for each
 * question. Needs a configuration. */
void check_dns(struct survey *survey, bool is_asked);

/* Asks Postfix how it calls us. account_out->name is set where exactly one account is known. */
void check_mta(struct survey *survey, struct check_account *account_out);

#endif
