/*
 * lists_survey.h: the lists that are configured and those that mail came for, with what is wrong.
 * Shared by the files of `backstop lists`, and by nobody else.
 */
#ifndef BACKSTOP_CMD_LISTS_SURVEY_H
#define BACKSTOP_CMD_LISTS_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "report/tally.h"
#include "state/record.h"

enum list_status {
	LIST_CONFIGURED = 0,
	LIST_SEEN,   /* mail came for it once, but it is not configured, or not any more */
	LIST_UNKNOWN /* an address of a domain of ours that mail comes to, and no list claims */
};

struct list_problem {
	bool is_fault; /* something does not work; else a warning: better look */
	const char *text;
};

struct list_row {
	enum list_status status;
	const char *address;
	const struct list_config *list; /* NULL unless configured */
	struct counter counter; /* all of its messages ever; of an unknown one, in the span */
	double per_hour;	/* reports of the last hour or two, as their rate; state/rate.h */
	int64_t storm_since_s;	/* 0: it is in none */
	uint64_t owed;		/* reports that wait for its owners' digest */
	int64_t owed_since_s;	/* when the first of them came; 0: none waits */
	struct list_problem *problems;
	size_t problem_count;
	/* In the span: */
	uint64_t judged;
	uint64_t tagged;   /* came to an address with a tag of ours */
	uint64_t untagged; /* no tag, though a proof other than a tag says that the mail was ours */
};

struct lists_survey {
	const void *context;
	const struct config *config;
	int64_t now;
	struct list_row *rows; /* configured ones as in the file, seen ones, unknown ones */
	size_t count;
	size_t room;
	size_t *by_address;  /* of the configured and seen ones, sorted by address */
	struct tally *names; /* of unknown addresses */
};

/* Collects all of it. state NULL: there is none yet. from_s: since when events are looked at. */
enum status lists_survey_run(struct lists_survey *survey, struct state *state, int64_t from_s);

/* "configured", "seen", "unknown" */
const char *list_status_name(enum list_status status);

#endif
