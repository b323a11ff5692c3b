/*
 * search_list.c: in charge of what stands around an address that was found: a rule for all software
 * finds one of a list by what is said of it, and the others by their place; and of those that the
 * report says were reached, or still wait. Leaves it to search.c who may be taken at all.
 */
#include <string.h>

#include "base/text.h"
#include "classify/search.h"

#define NEIGHBOURS_MAX 100 /* in front of an address */
#define SIBLING_GAP_MAX 3  /* lines between two addresses of one list */

/* Where an address at text ends; text itself when there is none. */
static const char *find_end(const char *text)
{
	size_t size = strcspn(text, " \t\n<>()[]\"',;:");

	while (size > 0 && strchr(".!?", text[size - 1]) != NULL)
		size--;
	return memchr(text, '@', size) == NULL ? text : text + size;
}

/* Adds the address between the two; true when it is one. */
static bool add_text(struct search *search, const char *start, const char *end)
{
	const char *text = search->words.text;
	struct match match = {.start = (size_t)(start - text),
		.address_start = (size_t)(start - text),
		.address_end = (size_t)(end - text)};

	if (end == start || end > text + search->words.size)
		return false;
	search_add_match(search, text, &match);
	return true;
}

/* The addresses in front of the first that was found, with nothing but a comma between. */
static void add_neighbours_before(struct search *search)
{
	const char *text = search->words.text;
	size_t end = search->count > 0 ? search->places[0].start : 0;

	if (search->count == 0 || search->places[0].end == 0 ||
		search->places[0].end > search->words.size)
		return;
	while (end < search->places[0].end && strchr(" \n", text[end]) != NULL)
		end++;
	for (int i = 0; i < NEIGHBOURS_MAX; i++) {
		while (end > 0 && strchr(" <\"'(", text[end - 1]) != NULL)
			end--;
		if (end == 0 || strchr(",;", text[end - 1]) == NULL)
			return;
		end--;
		while (end > 0 && strchr(" >\"')", text[end - 1]) != NULL)
			end--;
		size_t start = end;
		while (start > 0 && strchr(" \t\n<>()[]\"',;:", text[start - 1]) == NULL)
			start--;
		if (start == end || find_end(text + start) != text + end ||
			!add_text(search, text + start, text + end))
			return;
		end = start;
	}
}

/* The addresses that follow one that was found with nothing but a comma, "and" or a line end
 * between. */
static void add_neighbours(struct search *search)
{
	static const char *const words[] = {
		"and ", "und ", "et ", "y ", "e ", "og ", "och ", "en ", "i ", "и ", "ja ", "& "};

	for (size_t i = 0; i < search->count; i++) {
		const char *behind = search->words.text + search->places[i].end;
		if (search->places[i].end == 0 || search->places[i].end >= search->words.size)
			continue;
		behind += strspn(behind, ">)\"']");
		const char *next = behind + strspn(behind, " ,;\n");
		for (size_t w = 0; next > behind && w < sizeof(words) / sizeof(words[0]); w++) {
			if (text_starts_fold(next, words[w])) {
				next += strlen(words[w]);
				break;
			}
		}
		if (next > behind) {
			next += strspn(next, "<\"'( ");
			add_text(search, next, find_end(next));
		}
	}
}

/* Behind the marks that a list has in front of its items. */
static const char *skip_mark(const char *line)
{
	return line + strspn(line, " \t*>-<(\"'0123456789.");
}

/* Behind the name in an item 'B. Doe <bob@example.net>' of a list: indented, numbered or marked.
 * Lines of prose are none. */
static const char *skip_name(const char *line)
{
	size_t mark = strspn(line, " \t*-(0123456789.)");
	size_t name = strcspn(line + mark, "<@\n");

	return mark > 0 && line[mark + name] == '<' ? line + mark + name + 1 : line;
}

/* Adds the address that the item at line begins with, if it has the same mark in front. */
static bool add_item(struct search *search, const char *line, char mark, bool has_name)
{
	const char *item = has_name ? skip_name(line) : skip_mark(line);

	return (item > line ? item[-1] : '\n') == mark && add_text(search, item, find_end(item));
}

/* The addresses that begin a line like the one that was found, above it and below: a list. */
static void add_siblings(struct search *search)
{
	const char *text = search->words.text;
	const char *line, *first;
	bool has_name = false;

	if (search->count != 1 || search->places[0].end == 0 ||
		search->places[0].end >= search->words.size)
		return;
	line = text + search->places[0].end - 1;
	while (line > text && line[-1] != '\n')
		line--;
	first = skip_mark(line);
	if (find_end(first) == first) {
		first = skip_name(line);
		has_name = true;
	}
	if (find_end(first) == first)
		return;
	char mark = first > line ? first[-1] : '\n';
	const char *above = line;
	for (int gap = 0; above > text && gap <= SIBLING_GAP_MAX;) {
		for (above--; above > text && above[-1] != '\n';)
			above--;
		gap = add_item(search, above, mark, has_name) ? 0 : gap + 1;
	}
	line = strchr(line, '\n');
	for (int gap = 0; line != NULL && gap <= SIBLING_GAP_MAX; line = strchr(line, '\n')) {
		line++;
		if (line >= text + search->words.size || strncmp(line, "<<<", 3) == 0 ||
			strncmp(line, ">>>", 3) == 0)
			return;
		gap = add_item(search, line, mark, has_name) ? 0 : gap + 1;
	}
}

/* True when the words behind a recipient begin with success. In a line of its own, "Delivered:" is
 * the heading of those who come next. */
static bool is_success(const char *said)
{
	const char *line = said + strspn(said, " >)");
	static const char *const labels[] = {"result", "action", "status", "state"};
	static const char *const words[] = {"delivered", "250 ", "success", "ok\n", "ok ",
		"relayed", "accepted", "sent\n", "sent ", "zugestellt", "entregad", "dostarczon",
		"доставлено"};

	said += strspn(said, " >)\n:.,;-<");
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (text_starts_fold(said, labels[i]))
			said += strlen(labels[i]) + strspn(said + strlen(labels[i]), " :=");
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);
		if (text_starts_fold(said, words[i]))
			return *line != '\n' ||
			       strcspn(said + length, ":") > strcspn(said + length, "@\n");
	}
	return false;
}

/* Takes out the recipients that is_out says, unless that leaves none. */
static void drop(struct search *search, bool (*is_out)(const struct search *search, size_t index))
{
	size_t count = 0;

	for (size_t i = 0; i < search->count; i++)
		count += !is_out(search, i);
	if (!search->is_generic || count == 0 || count == search->count)
		return;
	count = 0;
	for (size_t i = 0; i < search->count; i++) {
		if (is_out(search, i))
			continue;
		search->recipients[count] = search->recipients[i];
		search->places[count++] = search->places[i];
	}
	search->count = count;
}

static bool is_delivered(const struct search *search, size_t index)
{
	return search->places[index].end < search->words.size &&
	       is_success(search->words.text + search->places[index].end);
}

/* True when the words behind a recipient begin with an attempt to come. */
static bool says_waiting(const char *said)
{
	static const char *const words[] = {"still ", "delayed", "deferred", "queued", "waiting",
		"pending", "postponed", "retrying", "will be retried", "will retry", "verzögert",
		"wartet", "noch nicht"};

	said += strspn(said, " >):.,;-");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_starts_fold(said, words[i]))
			return true;
	}
	return false;
}

static bool is_waiting(const struct search *search, size_t index)
{
	return search->places[index].end < search->words.size &&
	       says_waiting(search->words.text + search->places[index].end);
}

/* True when another line of the words begins with the address of somebody who waits. */
static bool has_other_waiting(const struct search *search)
{
	const char *text = search->words.text;

	for (const char *line = text; line != NULL && line < text + search->words.size;) {
		const char *item = skip_mark(line);
		const char *end = find_end(item);
		bool is_found = false;
		for (size_t i = 0; i < search->count; i++)
			is_found = is_found || search->places[i].end == (size_t)(end - text);
		if (end > item && !is_found && says_waiting(end))
			return true;
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return false;
}

/* True in a line "To: ann@example.net", as a summary of the original has it. */
static bool is_summary(const struct search *search, size_t index)
{
	static const char *const labels[] = {
		"to", "a", "à", "an", "para", "aan", "til", "till", "cc"};
	const char *text = search->words.text;
	size_t line = search->places[index].end;

	while (line > 0 && text[line - 1] != '\n')
		line--;
	line += strspn(text + line, " >");
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		size_t length = strlen(labels[i]);
		const char *behind = text + line + length;
		if (text_starts_fold(text + line, labels[i]) && behind[strspn(behind, " ")] == ':')
			return true;
	}
	return false;
}

void search_complete(struct search *search)
{
	drop(search, is_summary);
	add_neighbours_before(search);
	add_neighbours(search);
	add_siblings(search);
	drop(search, is_delivered);
	size_t count = search->count;
	drop(search, is_waiting);
	search->has_waiting =
		search->count < count ||
		(search->count > 0 && !is_waiting(search, 0) && has_other_waiting(search));
}

void search_keep_list(struct search *search)
{
	const char *second = search->recipients[1].address;
	bool is_list = false;

	search->count = 1;
	add_siblings(search);
	add_neighbours(search);
	for (size_t i = 1; i < search->count; i++)
		is_list = is_list || strcmp(search->recipients[i].address, second) == 0;
	if (!is_list)
		search->count = 0;
}
