/*
 * table.h: a report as rows and columns, in every form that a report can have: for people (text,
 * HTML), for programs (JSON, CSV).
 */
#ifndef BACKSTOP_REPORT_TABLE_H
#define BACKSTOP_REPORT_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum column_type { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_TIME };

struct column {
	const char *key; /* in JSON and CSV */
	const char *title;
	enum column_type type;
	const char *none; /* what people read where a text is NULL; NULL: "-" */
	bool is_wide;	  /* too much for a line of text: left out there */
};

struct cell {
	bool has_number;  /* else there is none */
	int64_t number;	  /* or a time in seconds */
	const char *text; /* foreign, cleaned when printed; NULL: none; must live as long as the
			     table */
};

struct table {
	const char *key;   /* in JSON */
	const char *title; /* for people; NULL: the report has no other table */
	const struct column *columns;
	size_t column_count;
	struct cell *cells;
	size_t row_count;
	size_t room;
	uint64_t left_out; /* rows that there would be without a limit */
};

/* On context. columns: static, ends with a key of NULL. */
struct table *table_new(
	const void *context, const char *key, const char *title, const struct column *columns);
/* A new last row: as many cells as there are columns, copied. */
void table_add_row(struct table *table, const struct cell *cells);

struct cell cell_text(const char *text);
struct cell cell_number(uint64_t number);
struct cell cell_time(int64_t time_s);

void table_print_text(const struct table *table, FILE *out);
/* A head line and the rows (RFC 4180). */
void table_print_csv(const struct table *table, FILE *out);
/* A table element, with captions. */
void table_print_html(const struct table *table, FILE *out);
/* An array of objects, every key in each. */
json_t *table_json(const struct table *table);

#endif
