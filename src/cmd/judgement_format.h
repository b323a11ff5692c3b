/* judgement_format.h: one judged message as JSON (DESIGN.md section 2), as a CSV row, as a line of
 * text, and as an explanation in words. */
#ifndef BACKSTOP_CMD_JUDGEMENT_FORMAT_H
#define BACKSTOP_CMD_JUDGEMENT_FORMAT_H

#include <stddef.h>
#include <stdio.h>

#include "pipeline.h"

/* One object on one line, UTF-8, keys always present, null if unknown. */
char *judgement_format_json(
	const void *context, const struct judgement *judgement, const char *source, size_t index);

/* The head line of the CSV form, and a row (RFC 4180), without line end. */
extern const char judgement_csv_head[];
char *judgement_format_csv(
	const void *context, const struct judgement *judgement, const char *source, size_t index);

/* "failed  backscatter  drop  ann@example.net  box.mbox:3", aligned; without line end. */
extern const char judgement_text_head[];
char *judgement_format_text(
	const void *context, const struct judgement *judgement, const char *source, size_t index);

/* Every step and piece of evidence, in words, several lines. */
void judgement_explain(const void *context, const struct judgement *judgement, FILE *out);

#endif
