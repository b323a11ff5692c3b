/* pages.h: the reports. Each is a function that fills in a page; to add one: a file here, a row in
 * cmd/report.c, a paragraph in backstop-report(1). */
#ifndef BACKSTOP_REPORT_PAGES_H
#define BACKSTOP_REPORT_PAGES_H

#include <stddef.h>
#include <stdio.h>

#include "base/status.h"
#include "report/page.h"
#include "state/state.h"

/* Fills in what belongs on the page, whose name and span are there; on context. At most `limit`
 * rows in a table. */
typedef enum status page_builder(
	const void *context, struct state *state, size_t limit, struct page *page);

page_builder page_summary;
page_builder page_lists;
page_builder page_reasons;
page_builder page_recipients;
page_builder page_reporters;
page_builder page_dropped;

/* Counters in the text format of Prometheus: what was decided since the state was made, whatever a
 * report's span is. */
enum status prometheus_print(const void *context, struct state *state, FILE *out);

#endif
