/*
 * storms.h: the storms of a span of time, those that last included, as text, JSON or CSV.
 */
#ifndef BACKSTOP_REPORT_STORMS_H
#define BACKSTOP_REPORT_STORMS_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "state/storm.h"

struct storms {
	int64_t from_s;
	int64_t until_s;     /* the first second that does not belong to it */
	struct storm *items; /* by their beginning */
	size_t count;
};

/* Fills in the storms of which a part lies within the span that is set in it, as of now; on
 * context. */
enum status storms_collect(
	const void *context, struct state *state, int64_t now, struct storms *storms);

/* For people. */
void storms_print_text(const struct storms *storms, FILE *out);
/* One JSON object on one line; its keys are in backstop-report(1). */
enum status storms_print_json(const struct storms *storms, FILE *out);
/* A head line and a line for each (RFC 4180). */
void storms_print_csv(const struct storms *storms, FILE *out);

#endif
