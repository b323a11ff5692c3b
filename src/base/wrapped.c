/*
 * wrapped.c: in charge of how other programs spell what they wrap around an address. A new one is a
 * row. Case is kept, since prvs is signed over the address as its sender spelled it; marks are
 * compared without. Leaves to others whose the address inside is.
 */
#include "base/wrapped.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define PRVS_TAG_LENGTH 10 /* KDDDSSSSSS */

/* What opens one form. local: without its domain, and it is to be cut up. */
struct opening {
	const void *context;
	const char *name;
	char *local;
	const char *domain;
	struct wrapped *items;
	size_t *count;
};

typedef void opener(struct opening *opening, const char *separator);

static void add(struct opening *opening, const char *local, const char *domain, const char *tag)
{
	if (*local == '\0' || *domain == '\0' || *opening->count == WRAPPED_MAX)
		return;
	opening->items[(*opening->count)++] = (struct wrapped){
		.address = mem_printf(opening->context, "%s@%s", local, domain),
		.name = opening->name,
		.tag = tag == NULL ? NULL : mem_strdup(opening->context, tag),
	};
}

static bool is_prvs_tag(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return false;
	}
	return length == PRVS_TAG_LENGTH;
}

static char *find_last(char *text, const char *needle)
{
	char *found = NULL;

	for (char *at = text; (at = strstr(at, needle)) != NULL; at++)
		found = at;
	return found;
}

/* TAG SEPARATOR USER, or USER SEPARATOR TAG, as Cisco has it: where one of the words has the form
 * of a prvs tag and the other has not, that is the tag; else both readings are there. */
static void open_tagged(struct opening *opening, const char *separator)
{
	size_t size = strlen(separator);
	char *first = strstr(opening->local, separator);
	char *last = find_last(opening->local, separator);
	char *swapped;
	bool is_in_front, is_behind;

	if (first == NULL)
		return;
	is_in_front = is_prvs_tag(opening->local, (size_t)(first - opening->local));
	is_behind = is_prvs_tag(last + size, strlen(last + size));
	swapped = mem_strndup(opening->context, opening->local, (size_t)(last - opening->local));
	*first = '\0';
	if (is_in_front || !is_behind)
		add(opening, first + size, opening->domain, opening->local);
	if (is_behind || !is_in_front)
		add(opening, swapped, opening->domain, last + size);
}

/* Behind the mark only the tag: the user stands in front of it. */
static void open_suffixed(struct opening *opening, const char *mark)
{
	char *found = find_last(opening->local, mark);

	if (found == NULL)
		return;
	*found = '\0';
	add(opening, opening->local, opening->domain, found + strlen(mark));
}

/* HASH=TIME=DOMAIN=USER */
static void open_srs0(struct opening *opening, const char *separator)
{
	char *rest = opening->local;
	char *words[3];

	for (size_t i = 0; i < 3; i++) {
		words[i] = strsep(&rest, separator);
		if (rest == NULL || *words[i] == '\0')
			return;
	}
	add(opening, rest, words[2], NULL);
}

/* HASH=HOST SEPARATOR and what follows SRS0's own separator: HASH=TIME=DOMAIN=USER. */
static void open_srs1(struct opening *opening, const char *separator)
{
	char *rest = opening->local;

	strsep(&rest, separator);
	strsep(&rest, separator);
	if (rest == NULL || *rest == '\0' || strchr("=+-", *rest) == NULL)
		return;
	opening->local = rest + 1;
	open_srs0(opening, separator);
}

struct form {
	const char *name;
	const char *mark; /* the local part begins with it; with open_suffixed: contains it */
	opener *open;
	const char *separator;
};

/* SRS has one of three characters behind its name, and '=' everywhere else. */
static const struct form forms[] = {
	{"prvs", "prvs=", open_tagged, "="},
	{"prvs", "+prvs=", open_suffixed, "+prvs="},
	{"msprvs1", "msprvs1=", open_tagged, "="},
	{"btv1", "btv1==", open_tagged, "=="},
	{"srs0", "srs0=", open_srs0, "="},
	{"srs0", "srs0+", open_srs0, "="},
	{"srs0", "srs0-", open_srs0, "="},
	{"srs1", "srs1=", open_srs1, "="},
	{"srs1", "srs1+", open_srs1, "="},
	{"srs1", "srs1-", open_srs1, "="},
};

static void open_one(const void *context, const char *address, struct wrapped *items, size_t *count)
{
	const char *at = strrchr(address, '@');

	if (at == NULL || at == address || *address == '"')
		return;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		const struct form *form = &forms[i];
		bool is_suffix = form->open == open_suffixed;
		const char *mark = is_suffix ? text_find_fold(address, form->mark) : address;
		struct opening opening = {context, form->name, NULL, at + 1, items, count};

		if (mark == NULL || mark > at || (is_suffix && mark == address) ||
			!text_starts_fold(mark, form->mark))
			continue;
		opening.local = mem_strndup(context, address, (size_t)(at - address));
		if (is_suffix) {
			/* In the spelling that was found. */
			form->open(&opening, mem_strndup(context, mark, strlen(form->mark)));
			continue;
		}
		opening.local += strlen(form->mark);
		form->open(&opening, form->separator);
	}
}

size_t wrapped_open(const void *context, const char *address, struct wrapped items_out[WRAPPED_MAX])
{
	size_t count = 0;

	if (address != NULL)
		open_one(context, address, items_out, &count);
	/* What was inside may be wrapped as well. Each step takes at least a mark off, and the
	 * array ends it. */
	for (size_t i = 0; i < count; i++)
		open_one(context, items_out[i].address, items_out, &count);
	return count;
}
