/*
 * expect.h: comparing what was found with what was expected: a table of labels (tab-separated, with
 * a head line that names the columns) and a running score.
 *
 * Columns that are used if they are there: path (must), kind, recipients, dialect, reason, verdict,
 * confidence, note ("alt=ADDRESS": as good an answer; "dup-of=": counted apart). "-" says that
 * nothing is expected.
 */
#ifndef BACKSTOP_CMD_EXPECT_H
#define BACKSTOP_CMD_EXPECT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "pipeline.h"

struct expect;

/* Reads the labels. error_out: a sentence with file and line, on context. */
enum status expect_read(
	const void *context, const char *path, struct expect **expect_out, const char **error_out);

/* Compares one message, as labels_find finds its row. Prints what differs to out, one line a
 * difference. */
void expect_compare(struct expect *expect, const char *source, size_t index,
	const struct judgement *judgement, FILE *out);

/* The confusion matrices and the figures by kind, dialect and reason, and which labels have no
 * message; none of these when it is to be brief. What is odd in the table goes to standard error.
 * STATUS_DIFFERENT when anything differs, or when no message had a label. */
enum status expect_print(const struct expect *expect, bool is_brief, FILE *out);

#endif
