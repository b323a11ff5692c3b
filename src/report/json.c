/* json.c: in charge of values that are always there and always clean. */
#include "report/json.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define TEXT_BYTES_MAX 2048

static json_t *sure(json_t *value)
{
	if (value == NULL)
		abort();
	return value;
}

json_t *report_json_object(void)
{
	return sure(json_object());
}

json_t *report_json_array(void)
{
	return sure(json_array());
}

void report_json_set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, sure(value)) != 0)
		abort();
}

void report_json_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, sure(value)) != 0)
		abort();
}

json_t *report_json_number(uint64_t value)
{
	return sure(json_integer((json_int_t)value));
}

json_t *report_json_word(const char *word)
{
	return word == NULL ? json_null() : sure(json_string(word));
}

json_t *report_json_time(int64_t time_s)
{
	char text[CLOCK_TEXT_MAX];

	clock_format_iso(time_s, text);
	return sure(json_string(text));
}

json_t *report_json_text(const char *text)
{
	char *clean;
	json_t *value;

	if (text == NULL)
		return json_null();
	clean = text_clean_string(NULL, text, TEXT_BYTES_MAX);
	value = sure(json_string(clean));
	mem_free(clean);
	return value;
}

enum status report_json_print(json_t *object, FILE *out)
{
	bool is_printed = json_dumpf(object, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;

	json_decref(object);
	return is_printed ? STATUS_OK : STATUS_IO;
}
