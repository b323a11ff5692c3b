/*
 * said.c: in charge of which words of a report are about which recipient of it. What they mean is
 * the reasons' and the details' matter.
 */
#include "classify/said.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define DIAGNOSTIC_MAX 1000

/* How many empty lines end what is said of a recipient: two, but of the last of a list that has
 * none between its items the first does. */
static int count_ends(const struct search *search)
{
	const char *text = search->words.text;

	for (size_t i = 0; i + 1 < search->count; i++) {
		size_t start = search->places[i].end, end = search->places[i + 1].start;
		char *between;
		if (end <= start || end > search->words.size)
			return 2;
		between = mem_strndup(search->context, text + start, end - start);
		bool is_close = strstr(between, "\n\n") == NULL;
		mem_free(between);
		if (!is_close)
			return 2;
	}
	return search->count > 1 ? 1 : 2;
}

/* What is said of the recipient: behind his address, to the next recipient or the second empty
 * line. One behind a colon does not count: "because:" announces what is said. */
static const char *find_diagnostic(const struct search *search, size_t index, int ends)
{
	size_t start = search->places[index].end;
	size_t end = search->words.size;
	int empty = 0;

	for (size_t i = 0; i < search->count; i++) {
		const struct place *place = &search->places[i];
		if (i != index && place->end > start && place->start >= start && place->start < end)
			end = place->start;
	}
	if (end < start) /* the original was found to begin within the address */
		end = start;
	if (end > start + DIAGNOSTIC_MAX)
		end = start + DIAGNOSTIC_MAX;
	for (size_t i = start; i + 1 < end; i++) {
		if (search->words.text[i] == '\n' && search->words.text[i + 1] == '\n' &&
			(i == 0 || search->words.text[i - 1] != ':') && ++empty == ends)
			end = i;
	}
	struct bytes text = {(const unsigned char *)search->words.text + start, end - start};
	char *clean = text_clean(search->context, text, DIAGNOSTIC_MAX);
	size_t skip = strspn(clean, ">:) \t.,;");
	return clean[skip] == '\0' ? NULL : clean + skip;
}

/* Of several in a row, with nothing but commas or "and" between, what stands behind the last is
 * said of all. */
const char **said_find(const struct search *search)
{
	const char **said = mem_new_array(search->context, const char *, search->count);
	int ends = count_ends(search);

	for (size_t i = search->count; i-- > 0;) {
		said[i] = find_diagnostic(search, i, ends);
		bool has_words = said[i] != NULL && strlen(said[i]) > 3;
		if (!has_words && i + 1 < search->count && search->places[i].end > 0 &&
			search->places[i + 1].start >= search->places[i].end)
			said[i] = said[i + 1];
	}
	return said;
}
