/* message_id.c: in charge of which spellings of a Message-ID are one. */
#include "base/message_id.h"

#include <string.h>

#include "base/memory.h"

char *message_id_strip(const void *context, const char *message_id)
{
	static const char around[] = " \t\r\n<>";
	size_t length;

	if (message_id == NULL)
		return NULL;
	message_id += strspn(message_id, around);
	length = strlen(message_id);
	while (length > 0 && strchr(around, message_id[length - 1]) != NULL)
		length--;
	return length == 0 ? NULL : mem_strndup(context, message_id, length);
}

char *message_id_normalise(const void *context, const char *message_id)
{
	char *id = message_id_strip(context, message_id);
	char *at = id == NULL ? NULL : strrchr(id, '@');

	/* ASCII alone, whatever the locale. */
	for (char *c = at; c != NULL && *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	return id;
}
