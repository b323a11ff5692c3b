/*
 * dns_name.c: names as DNS has them.
 *
 * In charge of refusing what strangers write in place of names, before anybody is asked. Leaves
 * international names to libidn2, and the form of a name on the wire to c-ares, which gives a
 * meaning to the backslash: so that is refused.
 */
#include "net/dns_name.h"

#include <idn2.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define LABEL_MAX 63
#define INPUT_MAX 1024 /* octets of a name in UTF-8 that libidn2 gets to see */

static bool is_askable(const char *name)
{
	size_t length = strlen(name);
	size_t label = 0;

	if (length == 0 || length > DNS_NAME_MAX)
		return false;
	for (const char *at = name; *at != '\0'; at++) {
		if (*at == '.' && label == 0)
			return false;
		label = *at == '.' ? 0 : label + 1;
		if (label > LABEL_MAX || *at <= ' ' || *at == 0x7F || *at == '\\')
			return false;
	}
	return label > 0;
}

static bool has_8bit(const char *name, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)name[i] >= 0x80)
			return true;
	}
	return false;
}

/* NULL when it is none, or not UTF-8. */
static char *to_ascii(const void *context, const char *name)
{
	uint8_t *ascii = NULL;
	char *copy = NULL;

	if (idn2_lookup_u8((const uint8_t *)name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) ==
		IDN2_OK)
		copy = mem_strdup(context, (const char *)ascii);
	idn2_free(ascii);
	return copy;
}

char *dns_name_canonical(const void *context, const char *name)
{
	size_t size = name == NULL ? 0 : strnlen(name, INPUT_MAX + 1);
	char *plain, *lower = NULL;

	if (size == 0 || size > INPUT_MAX)
		return NULL;
	if (name[size - 1] == '.')
		size--;
	plain = mem_strndup(context, name, size);
	if (has_8bit(plain, size)) {
		char *ascii = to_ascii(context, plain);

		mem_free(plain);
		plain = ascii;
	}
	if (plain != NULL && is_askable(plain))
		lower = text_lower(context, plain);
	mem_free(plain);
	return lower;
}

/* c-ares puts a backslash before some printable characters, and before dots within a label: those
 * must stay different from the dots between labels. */
bool dns_name_equal(const char *canonical, const char *expanded)
{
	for (; *expanded != '\0'; canonical++, expanded++) {
		unsigned char c;

		if (*expanded == '\\' && expanded[1] != '.')
			expanded++;
		c = (unsigned char)*expanded;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c - 'A' + 'a');
		if (c == '\0' || (unsigned char)*canonical != c)
			return false;
	}
	return *canonical == '\0';
}
