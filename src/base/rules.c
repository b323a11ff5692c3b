/* rules.c: finds a compiled-in rules file by its name. */
#include "base/rules.h"

#include <string.h>

const char *rules_find(const char *name)
{
	for (const struct rules_text *row = rules_embedded; row->name != NULL; row++) {
		if (strcmp(row->name, name) == 0)
			return row->text;
	}
	return NULL;
}
