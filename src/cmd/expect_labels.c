/*
 * expect_labels.c: in charge of reading the table of what is expected, and of finding a message's
 * row.
 */
#include "cmd/expect_labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"
#include "read/source.h"

#define COLUMNS_MAX 32

static const char *const column_names[COLUMN_COUNT] = {
	[COLUMN_PATH] = "path",
	[COLUMN_KIND] = "kind",
	[COLUMN_RECIPIENTS] = "recipients",
	[COLUMN_VERDICT] = "verdict",
	[COLUMN_DIALECT] = "dialect",
	[COLUMN_REASON] = "reason",
	[COLUMN_CONFIDENCE] = "confidence",
	[COLUMN_NOTE] = "note",
};

const char *label_path(const struct label *label)
{
	return label->values[COLUMN_PATH] == NULL ? "" : label->values[COLUMN_PATH];
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(label_path(a), label_path(b));
}

/* Splits a line at its tabs, in place; returns how many fields there are. */
static size_t split_line(char *line, char **fields)
{
	size_t count = 0;

	while (count < COLUMNS_MAX) {
		fields[count++] = line;
		line = strchr(line, '\t');
		if (line == NULL)
			break;
		*line++ = '\0';
	}
	return count;
}

/* Which field of the head line is which column; -1 where it is missing. */
static bool read_head(char *line, int *positions)
{
	char *fields[COLUMNS_MAX];
	size_t count = split_line(line, fields);

	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		positions[c] = -1;
		for (size_t i = 0; i < count; i++) {
			if (strcmp(fields[i], column_names[c]) == 0)
				positions[c] = (int)i;
		}
	}
	return positions[COLUMN_PATH] >= 0 &&
	       (positions[COLUMN_KIND] >= 0 || positions[COLUMN_VERDICT] >= 0);
}

static void check_words(const void *context, const char *path, size_t line,
	const struct label *label, const char **error_out)
{
	const char *kind = label->values[COLUMN_KIND];
	const char *verdict = label->values[COLUMN_VERDICT];
	enum kind a_kind;
	enum verdict a_verdict;

	if (kind != NULL && !kind_parse(kind, &a_kind))
		*error_out = mem_printf(context,
			"%s:%zu: kind \"%.40s\" is none; want failed, delayed, "
			"delivered, autoreply, challenge, feedback, mdn, "
			"virusnotice or ordinary",
			path, line, kind);
	else if (verdict != NULL && !verdict_parse(verdict, &a_verdict))
		*error_out = mem_printf(context,
			"%s:%zu: verdict \"%.40s\" is none; want genuine, "
			"backscatter, unproven or -",
			path, line, verdict);
}

/* True when each of the list's words is a reason; "-" is none to be found. */
static bool are_reasons(const void *context, const char *list)
{
	char *rest = mem_strdup(context, list), *word;
	enum reason reason;
	bool are_all = true;

	while (list != NULL && strcmp(list, "-") != 0 && (word = strsep(&rest, ",")) != NULL)
		are_all = are_all && (*word == '\0' || reason_parse(word, &reason));
	return are_all;
}

/* What keeps a row from being of use, but not the others. */
static void note_oddities(
	struct labels *labels, const char *path, const struct label *label, const char *last)
{
	const char *reason = label->values[COLUMN_REASON];

	if (labels->has[COLUMN_KIND] && label->values[COLUMN_KIND] == NULL)
		labels->notes = mem_append(
			labels->notes, "%s:%zu: no kind: it is not compared\n", path, label->line);
	if (reason != NULL && !are_reasons(labels, reason))
		labels->notes = mem_append(labels->notes,
			"%s:%zu: reason \"%s\" is none that backstop-scan(1) lists: it is never "
			"found\n",
			path, label->line, text_clean_string(labels, reason, 60));
	if (strcmp(last, label_path(label)) == 0)
		labels->notes = mem_append(labels->notes,
			"%s:%zu: %s has a row already: one of them is not compared\n", path,
			label->line, text_clean_string(labels, last, 200));
}

/* One row of the table below its head. */
static void add_label(struct labels *labels, char *line, size_t number, const int *positions)
{
	char *fields[COLUMNS_MAX];
	size_t count = split_line(line, fields);
	struct label *label;

	if ((labels->count & (labels->count + 1)) == 0) /* room doubles at each power of two */
		labels->items = mem_realloc(
			labels, labels->items, (labels->count + 1) * 2 * sizeof(*labels->items));
	label = &labels->items[labels->count++];
	memset(label, 0, sizeof(*label));
	label->line = number;
	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		if (positions[c] >= 0 && (size_t)positions[c] < count)
			label->values[c] = fields[positions[c]];
	}
}

enum status labels_read(
	const void *context, const char *path, struct labels **labels_out, const char **error_out)
{
	struct labels *labels = mem_new(context, struct labels);
	struct bytes file;
	int positions[COLUMN_COUNT];
	size_t number = 0;

	*error_out = NULL;
	enum status status = source_read_file(context, path, &file);
	if (status != STATUS_OK) {
		*error_out = mem_printf(context, "%s: %s", path, status_text(status));
		return status;
	}
	char *text = mem_strndup(labels, (const char *)file.data, file.size);
	char *first = text + (strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
	for (char *line = first; line != NULL && *line != '\0' && *error_out == NULL;) {
		char *end = strpbrk(line, "\r\n");
		char *next = end == NULL ? NULL : end + (end[0] == '\r' && end[1] == '\n') + 1;
		if (end != NULL)
			*end = '\0';
		number++;
		if (number == 1 && !read_head(line, positions)) {
			*error_out = mem_printf(context,
				"%s:1: want a head line with the columns path and kind or verdict, "
				"with tabs between them",
				path);
		} else if (number > 1 && *line != '#' && *line != '\0') {
			add_label(labels, line, number, positions);
			check_words(context, path, number, &labels->items[labels->count - 1],
				error_out);
		}
		line = next;
	}
	if (number == 0)
		*error_out = mem_printf(
			context, "%s: empty: want a head line, and a row a message", path);
	if (*error_out != NULL)
		return STATUS_DATA;
	for (size_t c = 0; c < COLUMN_COUNT; c++)
		labels->has[c] = positions[c] >= 0;
	labels->notes = mem_strdup(labels, "");
	qsort(labels->items, labels->count, sizeof(*labels->items), compare_labels);
	for (size_t i = 0; i < labels->count; i++)
		note_oddities(labels, path, &labels->items[i],
			i == 0 ? "" : label_path(&labels->items[i - 1]));
	*labels_out = labels;
	return STATUS_OK;
}

/* The label whose path is the longest tail of name. */
static struct label *find_tail(struct labels *labels, const char *name)
{
	for (const char *tail = name; tail != NULL; tail = strchr(tail, '/')) {
		tail += *tail == '/';
		struct label key = {.values = {[COLUMN_PATH] = tail}};
		struct label *label = bsearch(
			&key, labels->items, labels->count, sizeof(*labels->items), compare_labels);
		if (label != NULL)
			return label;
	}
	return NULL;
}

struct label *labels_find(struct labels *labels, const char *source, size_t index)
{
	void *context = mem_context(NULL, "label");
	const char *flags = strstr(source, ":2,");
	struct label *label = index > 1 ? NULL : find_tail(labels, source);

	if (label == NULL)
		label = find_tail(labels, mem_printf(context, "%s:%zu", source, index));
	if (label == NULL && flags != NULL && strchr(flags, '/') == NULL && index == 1)
		label = find_tail(labels, mem_strndup(context, source, (size_t)(flags - source)));
	mem_free(context);
	return label;
}
