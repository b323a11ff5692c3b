/*
 * summary.h: what was decided within a span of time, added up, and as text, JSON or a page.
 *
 * A message counts once, when it was decided. What somebody released from the held mail later is an
 * event too, and is counted apart.
 */
#ifndef BACKSTOP_REPORT_SUMMARY_H
#define BACKSTOP_REPORT_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "base/words.h"
#include "report/span.h"
#include "report/tally.h"
#include "state/record.h"

#define SUMMARY_LISTS_SHOWN 20
#define SUMMARY_REPORTERS_SHOWN 10

struct summary {
	struct span span; /* what is reported on */
	uint64_t messages;
	uint64_t released;
	uint64_t judged[KIND_COUNT][VERDICT_COUNT];
	/* By what the policy asks for, and what was done. */
	uint64_t actions[ACTION_COUNT][ACTION_COUNT];
	struct tally *lists;
	struct tally *reporters; /* of the time of which there are single events */
};

/* An empty one, on context. */
struct summary *summary_new(const void *context, int64_t from_s, int64_t until_s);

/* Adds one event, whatever its time. */
void summary_add(struct summary *summary, const struct event *event);

/* Adds what the state has of this span, which becomes the summary's: numbers from rollups where the
 * events are gone. */
enum status summary_collect(struct summary *summary, struct state *state, const struct span *span);

/* Sums over a row or a column. */
uint64_t summary_of_kind(const struct summary *summary, enum kind kind);
uint64_t summary_of_verdict(const struct summary *summary, enum verdict verdict);
uint64_t summary_of_action(const struct summary *summary, enum action done);

/* For people. */
void summary_print_text(const struct summary *summary, FILE *out);

/* One JSON object on one line; its keys are in backstop-report(1). */
enum status summary_print_json(const struct summary *summary, FILE *out);

#endif
