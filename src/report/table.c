/* table.c: in charge of rows, and of their plain forms: aligned text, CSV, JSON. Leaves HTML to
 * html.c. Whatever is printed may come from strangers, and is cleaned. */
#include "report/table.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/json.h"

#define TEXT_SHOWN_MAX 64  /* bytes of a text in a line for people */
#define LAST_SHOWN_MAX 512 /* of the last one, behind which nothing stands */
#define CSV_TEXT_MAX 2000

struct table *table_new(
	const void *context, const char *key, const char *title, const struct column *columns)
{
	struct table *table = mem_new(context, struct table);

	table->key = key;
	table->title = title;
	table->columns = columns;
	while (columns[table->column_count].key != NULL)
		table->column_count++;
	return table;
}

void table_add_row(struct table *table, const struct cell *cells)
{
	if (table->row_count == table->room) {
		table->room = table->room == 0 ? 32 : 2 * table->room;
		table->cells = mem_realloc(table, table->cells,
			table->room * table->column_count * sizeof *table->cells);
	}
	memcpy(table->cells + table->row_count++ * table->column_count, cells,
		table->column_count * sizeof *cells);
}

struct cell cell_text(const char *text)
{
	return (struct cell){.text = text};
}

struct cell cell_number(uint64_t number)
{
	return (struct cell){.has_number = true, .number = (int64_t)number};
}

struct cell cell_time(int64_t time_s)
{
	return (struct cell){.has_number = true, .number = time_s};
}

/* What stands in a cell, clean; NULL where nothing does. */
static const char *format_cell(
	const void *context, const struct column *column, const struct cell *cell, size_t limit)
{
	char text[CLOCK_TEXT_MAX];

	if (column->type == COLUMN_TEXT)
		return text_clean_string(context, cell->text, limit);
	if (!cell->has_number)
		return NULL;
	if (column->type == COLUMN_NUMBER)
		return mem_printf(context, "%" PRId64, cell->number);
	clock_format_iso(cell->number, text);
	return mem_strdup(context, text);
}

/* ---- text ---- */

/* Characters, not bytes: names may be UTF-8, and printf counts bytes. */
static int count_characters(const char *text)
{
	int count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

static bool is_last(const struct column *column)
{
	return column[1].key == NULL;
}

static const char *shown(const void *context, const struct column *column, const struct cell *cell)
{
	const char *text = format_cell(
		context, column, cell, is_last(column) ? LAST_SHOWN_MAX : TEXT_SHOWN_MAX);

	if (text != NULL && *text != '\0')
		return text;
	return column->none != NULL ? column->none : "-";
}

static int find_width(const struct table *table, size_t column)
{
	int width = count_characters(table->columns[column].title);

	for (size_t row = 0; row < table->row_count; row++) {
		void *context = mem_context(NULL, "cell");
		int length = count_characters(shown(context, &table->columns[column],
			&table->cells[row * table->column_count + column]));

		width = length > width ? length : width;
		mem_free(context);
	}
	return width;
}

/* Numbers end, all else begins, at the same place; the last column is not padded. */
static char *append_shown(char *line, const struct column *column, const char *text, int width)
{
	int padding = width - count_characters(text);

	if (*line != '\0')
		line = mem_append(line, "  ");
	if (column->type == COLUMN_NUMBER)
		return mem_append(line, "%*s%s", padding, "", text);
	return mem_append(line, "%s%*s", text, is_last(column) ? 0 : padding, "");
}

static void print_line(
	const struct table *table, const struct cell *row, const int *widths, FILE *out)
{
	char *line = mem_strdup(NULL, "");

	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];

		if (!column->is_wide)
			line = append_shown(line, column,
				row == NULL ? column->title : shown(line, column, &row[i]),
				widths[i]);
	}
	fprintf(out, "%s\n", line);
	mem_free(line);
}

void table_print_text(const struct table *table, FILE *out)
{
	int *widths = mem_new_array(NULL, int, table->column_count);

	fprintf(out, "\n%s%s", table->title != NULL ? table->title : "",
		table->title != NULL ? "\n" : "");
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = table->columns[i].is_wide ? 0 : find_width(table, i);
	print_line(table, NULL, widths, out);
	for (size_t row = 0; row < table->row_count; row++)
		print_line(table, table->cells + row * table->column_count, widths, out);
	if (table->left_out > 0)
		fprintf(out, "and %" PRIu64 " more\n", table->left_out);
	mem_free(widths);
}

/* ---- CSV ---- */

void table_print_csv(const struct table *table, FILE *out)
{
	for (size_t i = 0; i < table->column_count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ",", table->columns[i].key);
	fputc('\n', out);
	for (size_t row = 0; row < table->row_count; row++) {
		void *context = mem_context(NULL, "row");

		for (size_t i = 0; i < table->column_count; i++) {
			const char *text = format_cell(context, &table->columns[i],
				&table->cells[row * table->column_count + i], CSV_TEXT_MAX);
			bool is_text = table->columns[i].type == COLUMN_TEXT;

			/* A number with a minus is no formula. */
			fprintf(out, "%s%s", i == 0 ? "" : ",",
				!is_text ? text == NULL ? "" : text
					 : csv_append(NULL, context, text));
		}
		fputc('\n', out);
		mem_free(context);
	}
}

/* ---- JSON ---- */

static json_t *make_value(const struct column *column, const struct cell *cell)
{
	if (column->type == COLUMN_TEXT)
		return report_json_text(cell->text);
	if (!cell->has_number)
		return json_null();
	if (column->type == COLUMN_TIME)
		return report_json_time(cell->number);
	return json_integer((json_int_t)cell->number);
}

json_t *table_json(const struct table *table)
{
	json_t *rows = report_json_array();

	for (size_t row = 0; row < table->row_count; row++) {
		json_t *object = report_json_object();

		for (size_t i = 0; i < table->column_count; i++)
			report_json_set(object, table->columns[i].key,
				make_value(&table->columns[i],
					&table->cells[row * table->column_count + i]));
		report_json_append(rows, object);
	}
	return rows;
}
