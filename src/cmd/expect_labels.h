/*
 * expect_labels.h: the table of what is expected of each message: tab-separated, with a head line
 * that names the columns (cmd/expect.h).
 */
#ifndef BACKSTOP_CMD_EXPECT_LABELS_H
#define BACKSTOP_CMD_EXPECT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* What a message can be compared by; the words are the names of the columns. */
enum column {
	COLUMN_PATH,
	COLUMN_KIND,
	COLUMN_RECIPIENTS,
	COLUMN_VERDICT,
	COLUMN_DIALECT,
	COLUMN_REASON,
	COLUMN_CONFIDENCE,
	COLUMN_NOTE,
	COLUMN_COUNT
};

struct label {
	const char *values[COLUMN_COUNT]; /* NULL: the table, or the row, has no such column */
	size_t line;
	bool is_seen;
};

struct labels {
	struct label *items; /* sorted by path */
	size_t count;
	bool has[COLUMN_COUNT]; /* the table has that column */
	char *notes;		/* what is odd in it, a line each; "" when nothing is */
};

/* Reads a table, on context. A kind or a verdict that is none is an error; error_out: a sentence
 * with file and line, on context. */
enum status labels_read(
	const void *context, const char *path, struct labels **labels_out, const char **error_out);

/* The label of message number index of source, whose path is the longest tail of it. "box.mbox:2"
 * is the second message of an mbox, "box.mbox" or "box.mbox:1" the first. A file of a Maildir has
 * the same label whatever flags (":2,S") its name got. NULL: it has none. */
struct label *labels_find(struct labels *labels, const char *source, size_t index);

/* The path of a label; "" where the row has none. */
const char *label_path(const struct label *label);

#endif
