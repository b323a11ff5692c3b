/* csv.c: fields that neither a parser nor a spreadsheet takes for anything else. */
#include "base/csv.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define SHOWN_MAX 2000 /* bytes of one foreign string */

char *csv_append(char *line, const void *context, const char *value)
{
	const char *clean = value == NULL ? "" : text_clean_string(context, value, SHOWN_MAX);
	bool is_formula = *clean == '=' || *clean == '+' || *clean == '@' || *clean == '-';

	/* The first field may be empty, so an empty line does not tell that there is none yet. */
	line = line == NULL ? mem_strdup(context, "") : mem_append(line, ",");
	if (!is_formula && strpbrk(clean, ",\"") == NULL)
		return mem_append(line, "%s", clean);
	line = mem_append(line, "\"%s", is_formula ? "'" : "");
	for (const char *c = clean; *c != '\0'; c++)
		line = mem_append(line, *c == '"' ? "\"\"" : "%c", *c);
	return mem_append(line, "\"");
}
