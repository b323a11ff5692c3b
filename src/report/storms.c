/* storms.c: in charge of which storms belong to a span and how they look. Columns are rows here. */
#include "report/storms.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define LIST_SHOWN_MAX 64 /* bytes, for people */
#define LIST_BYTES_MAX 1024

enum column_type { COLUMN_TIME, COLUMN_RATE, COLUMN_NUMBER };

static const struct column {
	const char *key;
	enum column_type type;
	size_t offset;
	int width; /* for people */
} columns[] = {
	{"began", COLUMN_TIME, offsetof(struct storm, began_s), 20},
	{"ended", COLUMN_TIME, offsetof(struct storm, ended_s), 20},
	{"usual", COLUMN_RATE, offsetof(struct storm, usual), 8},
	{"limit", COLUMN_RATE, offsetof(struct storm, limit), 8},
	{"peak", COLUMN_RATE, offsetof(struct storm, peak), 8},
	{"total", COLUMN_NUMBER, offsetof(struct storm, total), 10},
	{"genuine", COLUMN_NUMBER, offsetof(struct storm, genuine), 10},
	{"unproven", COLUMN_NUMBER, offsetof(struct storm, unproven), 10},
	{"backscatter", COLUMN_NUMBER, offsetof(struct storm, backscatter), 11},
	{"held", COLUMN_NUMBER, offsetof(struct storm, held), 10},
};
static const size_t column_count = sizeof columns / sizeof columns[0];

struct collection {
	const void *context;
	struct storms *storms;
};

static enum status collect(void *argument, const struct storm *storm)
{
	const struct collection *collection = argument;
	struct storms *storms = collection->storms;

	if (storm->began_s >= storms->until_s || (!storm->is_on && storm->ended_s < storms->from_s))
		return STATUS_OK;
	storms->items = mem_realloc(
		collection->context, storms->items, (storms->count + 1) * sizeof *storms->items);
	storms->items[storms->count] = *storm;
	storms->items[storms->count++].list = mem_strdup(collection->context, storm->list);
	return STATUS_OK;
}

static int compare(const void *a, const void *b)
{
	const struct storm *first = a, *second = b;

	if (first->began_s != second->began_s)
		return first->began_s < second->began_s ? -1 : 1;
	return strcmp(first->list, second->list);
}

enum status storms_collect(
	const void *context, struct state *state, int64_t now, struct storms *storms)
{
	struct collection collection = {context, storms};
	enum status status;

	storms->items = NULL;
	storms->count = 0;
	status = storm_walk(state, now, collect, &collection);
	if (storms->count > 1)
		qsort(storms->items, storms->count, sizeof *storms->items, compare);
	return status;
}

static const void *value_of(const struct storm *storm, const struct column *column)
{
	return (const char *)storm + column->offset;
}

static uint64_t number_of(const struct storm *storm, const struct column *column)
{
	if (column->type == COLUMN_RATE)
		return (uint64_t)llround(*(const double *)value_of(storm, column));
	return *(const uint64_t *)value_of(storm, column);
}

/* False when it has none: the end of one that lasts. */
static bool format_time(const struct storm *storm, const struct column *column, char *text_out)
{
	int64_t time_s = *(const int64_t *)value_of(storm, column);

	if (time_s != 0)
		clock_format_iso(time_s, text_out);
	return time_s != 0;
}

void storms_print_text(const struct storms *storms, FILE *out)
{
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	clock_format_iso(storms->from_s, from);
	clock_format_iso(storms->until_s, until);
	fprintf(out,
		"storms from %s to %s: %zu; usual, limit and peak: reports an hour that are "
		"not proven genuine, peak by the busiest minute\n",
		from, until, storms->count);
	if (storms->count == 0)
		return;
	fputc('\n', out);
	for (size_t i = 0; i < column_count; i++)
		fprintf(out, "%*s ",
			columns[i].type == COLUMN_TIME ? -columns[i].width : columns[i].width,
			columns[i].key);
	fputs("list\n", out);
	for (size_t i = 0; i < storms->count; i++) {
		const struct storm *storm = &storms->items[i];
		char *list = text_clean_string(NULL, storm->list, LIST_SHOWN_MAX);

		for (size_t j = 0; j < column_count; j++) {
			char text[CLOCK_TEXT_MAX] = "lasts";

			if (columns[j].type == COLUMN_TIME) {
				format_time(storm, &columns[j], text);
				fprintf(out, "%-*s ", columns[j].width, text);
			} else {
				fprintf(out, "%*" PRIu64 " ", columns[j].width,
					number_of(storm, &columns[j]));
			}
		}
		fprintf(out, "%s\n", *list == '\0' ? "(the host)" : list);
		mem_free(list);
	}
}

/* jansson returns NULL only when memory is out: then as in memory.h. */
static void set(json_t *object, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(object, key, value) != 0)
		abort();
}

static json_t *make_value(const struct storm *storm, const struct column *column)
{
	char text[CLOCK_TEXT_MAX];

	if (column->type != COLUMN_TIME)
		return json_integer((json_int_t)number_of(storm, column));
	return format_time(storm, column, text) ? json_string(text) : json_null();
}

static json_t *make_storm(const struct storm *storm)
{
	json_t *object = json_object();
	char *list = text_clean_string(NULL, storm->list, LIST_BYTES_MAX);

	set(object, "list", *list == '\0' ? json_null() : json_string(list));
	for (size_t i = 0; i < column_count; i++)
		set(object, columns[i].key, make_value(storm, &columns[i]));
	mem_free(list);
	return object;
}

enum status storms_print_json(const struct storms *storms, FILE *out)
{
	json_t *object = json_object(), *array = json_array();
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];
	int result;

	clock_format_iso(storms->from_s, from);
	clock_format_iso(storms->until_s, until);
	set(object, "report", json_string("storms"));
	set(object, "since", json_string(from));
	set(object, "until", json_string(until));
	for (size_t i = 0; i < storms->count; i++) {
		if (json_array_append_new(array, make_storm(&storms->items[i])) != 0)
			abort();
	}
	set(object, "storms", array);
	result = json_dumpf(object, out, JSON_COMPACT);
	json_decref(object);
	return result == 0 && fputc('\n', out) != EOF ? STATUS_OK : STATUS_IO;
}

/* Quoted always: an address may have commas and quotes in it. */
static void print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

void storms_print_csv(const struct storms *storms, FILE *out)
{
	fputs("list", out);
	for (size_t i = 0; i < column_count; i++)
		fprintf(out, ",%s", columns[i].key);
	fputs("\r\n", out);
	for (size_t i = 0; i < storms->count; i++) {
		const struct storm *storm = &storms->items[i];
		char *list = text_clean_string(NULL, storm->list, LIST_BYTES_MAX);

		print_quoted(list, out);
		mem_free(list);
		for (size_t j = 0; j < column_count; j++) {
			char text[CLOCK_TEXT_MAX] = "";

			if (columns[j].type == COLUMN_TIME)
				format_time(storm, &columns[j], text);
			else
				snprintf(text, sizeof text, "%" PRIu64,
					number_of(storm, &columns[j]));
			fprintf(out, ",%s", text);
		}
		fputs("\r\n", out);
	}
}
