/* json.h: building JSON with jansson, which returns NULL only when memory is out: then as in
 * memory.h. */
#ifndef BACKSTOP_REPORT_JSON_H
#define BACKSTOP_REPORT_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

json_t *report_json_object(void);
json_t *report_json_array(void);
/* They take value over. */
void report_json_set(json_t *object, const char *key, json_t *value);
void report_json_append(json_t *array, json_t *value);

json_t *report_json_number(uint64_t value);
json_t *report_json_word(const char *word); /* one of ours; NULL: null */
json_t *report_json_time(int64_t time_s);   /* ISO 8601, UTC */
json_t *report_json_text(const char *text); /* foreign: cleaned; NULL: null */

/* One object on one line; frees it. */
enum status report_json_print(json_t *object, FILE *out);

#endif
