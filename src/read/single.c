/*
 * single.c: in charge of mail that is one text, which most mail is: GMime's parser is not asked
 * about it, which makes a dozen objects of it and takes longer than all that is done with the
 * result. GMime still reads what Content-Type says.
 *
 * Only headers that every reader reads alike are taken: fields from the first line to an empty
 * one, nothing but fields. Whatever is odd is left to GMime, which has its own ways with it.
 */
#include "read/single.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define FIELD_SIZE_MAX 4096 /* bytes of a field that says what the content is */

/* True when the header is fields and an empty line, byte for byte, with no blank before a colon. */
static bool is_clean(const struct message *message)
{
	const struct headers *headers = message->headers;
	const unsigned char *at = message->bytes.data;

	if (headers->count == 0 || headers->count >= HEADER_COUNT_MAX ||
		memchr(at, '\0', message->header_size) != NULL)
		return false;
	for (size_t i = 0; i < headers->count; i++) {
		const struct header *header = &headers->items[i];
		if (header->raw.data != at || at[strlen(header->name)] != ':')
			return false;
		at += header->raw.size;
	}
	return at < message->bytes.data + message->header_size && (*at == '\n' || *at == '\r');
}

/* The fields that say what the content is; false when one of them is there twice, is unusually
 * long or encoded, or when there is one that only GMime reads. */
static bool find_fields(
	const struct headers *headers, const char **type_out, const char **encoding_out)
{
	const struct {
		const char *name;
		const char **value_out;
	} fields[] = {
		{"Content-Type", type_out},
		{"Content-Transfer-Encoding", encoding_out},
		{"Content-Disposition", NULL},
	};

	*type_out = *encoding_out = NULL;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct header *field;
		size_t index = 0;
		while ((field = headers_next(headers, fields[i].name, &index)) != NULL) {
			if (fields[i].value_out == NULL || *fields[i].value_out != NULL ||
				field->raw.size > FIELD_SIZE_MAX ||
				strstr(field->value, "=?") != NULL)
				return false;
			*fields[i].value_out = field->value;
		}
	}
	return true;
}

/* "text/..." and nothing strange behind it. */
static bool is_text(const char *value)
{
	static const char token[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+";

	if (!text_starts_fold(value, "text/"))
		return false;
	value += strlen("text/");
	size_t size = strspn(value, token);
	value += size;
	value += strspn(value, " ");
	return size > 0 && (*value == ';' || *value == '\0');
}

/* Takes a parameter of Content-Type, on context; NULL when it is not there. */
static char *take_parameter(const void *context, GMimeContentType *type, const char *name)
{
	const char *value = g_mime_content_type_get_parameter(type, name);

	return value == NULL ? NULL : mem_strdup(context, value);
}

bool single_read(const void *context, const struct message *message, struct single *single_out)
{
	const char *type, *encoding;

	if (!is_clean(message) || !find_fields(message->headers, &type, &encoding) ||
		(type != NULL && !is_text(type)))
		return false;
	*single_out =
		(struct single){.leaf = {
					.encoded = {message->bytes.data + message->header_size,
						message->bytes.size - message->header_size},
					.encoding = GMIME_CONTENT_ENCODING_DEFAULT,
				}};
	if (encoding != NULL)
		single_out->leaf.encoding = (int)g_mime_content_encoding_from_string(encoding);
	if (type == NULL)
		return true;
	single_out->type = header_token(context, type);
	if (strchr(type, ';') == NULL)
		return true;
	GMimeContentType *parsed = g_mime_content_type_parse(NULL, type);
	char *report_type = take_parameter(context, parsed, "report-type");
	single_out->report_type = report_type == NULL ? NULL : text_lower(context, report_type);
	single_out->leaf.charset = take_parameter(context, parsed, "charset");
	g_object_unref(parsed);
	return true;
}
