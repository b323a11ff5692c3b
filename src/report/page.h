/*
 * page.h: one report: of which time it is, a few numbers, tables, and over time; and all of that as
 * text, JSON, CSV or HTML.
 */
#ifndef BACKSTOP_REPORT_PAGE_H
#define BACKSTOP_REPORT_PAGE_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "report/span.h"
#include "report/table.h"

#define PAGE_TABLES_MAX 6
#define PAGE_FACTS_MAX 6
#define SERIES_BARS_MAX 96

/* Messages over time, by verdict: the bars of a chart. */
struct series {
	int64_t from_s; /* of the first bar */
	int64_t step_s; /* of one; whole hours */
	size_t count;
	uint64_t bars[SERIES_BARS_MAX][VERDICT_COUNT];
};

/* As many bars as are good to look at, of hours, days or more. */
void series_init(struct series *series, const struct span *span);
void series_add(struct series *series, const struct rollup *rollup);

struct page {
	const char *name; /* of the report */
	struct span span;
	bool is_of_events; /* of single messages alone: what is older than they are is not in it */
	struct {
		const char *key;   /* in JSON */
		const char *title; /* for people */
		uint64_t number;
	} facts[PAGE_FACTS_MAX];
	size_t fact_count;
	struct table *tables[PAGE_TABLES_MAX];
	size_t table_count;
	struct table *flat;    /* all in one, for CSV; NULL: the first table */
	struct series *series; /* for HTML; NULL: none */
};

void page_add_fact(struct page *page, const char *key, const char *title, uint64_t number);
void page_add_table(struct page *page, struct table *table);

/* "from ... until ...", and what is not there of that time. */
void page_print_span(const struct page *page, FILE *out);

void page_print_text(const struct page *page, FILE *out);
void page_print_csv(const struct page *page, FILE *out);
/* The keys report, since, until, details_since; then the facts; then the tables by their keys, and
 * left_out, the rows that a limit took from the first. */
enum status page_print_json(const struct page *page, FILE *out);
/* A document that needs nothing else: style and chart are in it. */
void page_print_html(const struct page *page, FILE *out);

#endif
