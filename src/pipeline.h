/*
 * pipeline.h: the stages in their order, once (DESIGN.md section 1): read, classify, weigh, decide;
 * then act and remember. Every front door uses it.
 */
#ifndef BACKSTOP_PIPELINE_H
#define BACKSTOP_PIPELINE_H

#include <stdint.h>

#include "base/config.h"
#include "classify/bounce.h"
#include "decide/decide.h"
#include "read/mail.h"
#include "state/record.h"
#include "state/state.h"
#include "weigh/weigh.h"

/* What stays the same over all messages of a run. */
struct pipeline {
	const void *context;
	const struct config *config;
	struct state *state;	       /* NULL: not asked for, or it could not be opened */
	int64_t now;		       /* 0: the clock */
	struct pipeline_keys *keys;    /* key files read so far, one a domain */
	struct roster_memory *rosters; /* for runs over many messages (scan, explain); or NULL */
	struct resolver *resolver;     /* NULL: nobody is asked */
};

/* What was found and decided about one message. */
struct judgement {
	const struct mail *mail;
	const struct bounce *bounce;
	const struct domain_config *domain;
	const struct list_config *list;
	struct weighing weighing;
	struct decision decision;
	bool is_storm; /* the list is in a storm */
};

/* Whatever is recorded in the state from then on is kept as the configuration says. */
struct pipeline *pipeline_new(
	const void *context, const struct config *config, struct state *state);

/* Lets the checks ask DNS, as the configuration says; with `use = no` they may not. Answers are
 * looked up in the state, and new ones written with a message's event. */
void pipeline_use_dns(struct pipeline *pipeline);

/* Reads, classifies, weighs and decides. Changes nothing. On context. */
void pipeline_judge(struct pipeline *pipeline, const void *context, struct bytes raw,
	const struct envelope *envelope, struct judgement *judgement_out);

/* Does what was decided, and records it in one write transaction. STATUS_OK: the message is on
 * disk, handed over, or dropped on proof with its event committed. Anything else: nothing was lost,
 * the mail server must keep the message. error_out: one sentence, on context. event_out: as
 * recorded. */
enum status pipeline_act(struct pipeline *pipeline, const void *context,
	const struct judgement *judgement, struct event *event_out, const char **error_out);

/* The log line of a decided message (STYLE.md): the same keys in the same order every time. */
char *pipeline_log_line(
	const void *context, const struct judgement *judgement, const struct event *event);

#endif
