/* check_finding.c: in charge of how a finding looks and of counting it. Facts wait until all faults
 * have been said. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/check_parts.h"

static const char *const marks[] = {
	[FINDING_FAULT] = "",
	[FINDING_WARNING] = "warning: ",
	[FINDING_NOTE] = "note: ",
	[FINDING_FACT] = "",
};

_Static_assert(sizeof(marks) / sizeof(marks[0]) == FINDING_COUNT, "a finding has no mark");

void check_say(struct survey *survey, enum finding finding, const char *format, ...)
{
	va_list list;
	char *raw;
	char *line;

	va_start(list, format);
	raw = talloc_vasprintf(survey->context, format, list);
	va_end(list);
	if (raw == NULL)
		abort(); /* out of memory, as in memory.h */
	line = text_clean_string(survey->context, raw, CHECK_LINE_MAX);
	mem_free(raw);
	survey->counts[finding]++;
	if (survey->relay != NULL)
		fprintf(survey->relay, "%c%s\n", '0' + (int)finding, line);
	else if (finding == FINDING_FACT)
		survey->facts = mem_append(survey->facts, "  %s\n", line);
	else
		printf("%s%s\n", marks[finding], line);
	mem_free(line);
}
