/*
 * rule_need.c: in charge of what a regex cannot match without. A concatenation needs all of its
 * parts, an alternation one of its branches, so each branch must need something. What may be
 * missing (?, *, {0,}), looks around, or refers back, needs nothing. Letters beyond ASCII are in no
 * word where the texts may keep another form of them than the words have (base/fold.h); but that
 * one of them is needed is known.
 */
#include "classify/rule_need.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "base/memory.h"

#define PARTS_MAX 1200 /* of one regex; with more it is not known */
#define DEPTH_MAX 20
#define WORD_SIZE_MAX 40
#define WORTH_MIN 5 /* of what can be a rule's literal: three bytes, or a letter beyond ASCII */

/* A branch that needs no word; NULL: there is none, or not known which. */
struct gap {
	const char *text;
	size_t size;
};

struct reader {
	const void *context;
	const char *at;
	int depth;
	size_t count;	 /* parts so far */
	bool is_unknown; /* syntax that is not understood: nothing is certain */
	bool finds_gaps; /* whether gap is wanted */
	struct gap gap;	 /* in what was read last */
};

/* A run of plain characters that is being read. */
struct run {
	char text[WORD_SIZE_MAX + 1];
	size_t size;
	size_t last; /* bytes of the last character, which a quantifier is about */
};

/* The parts of an ALL or ANY while it is being read. */
struct list {
	struct need *parts;
	size_t count, room;
};

static void add_part(struct reader *reader, struct list *list, const struct need *part)
{
	if (++reader->count > PARTS_MAX)
		reader->is_unknown = true;
	if (reader->is_unknown)
		return;
	if (list->count == list->room) {
		list->room = list->room == 0 ? 4 : list->room * 2;
		list->parts = mem_realloc(
			reader->context, list->parts, list->room * sizeof(*list->parts));
	}
	list->parts[list->count++] = *part;
}

static void end_run(struct reader *reader, struct run *run, struct list *all)
{
	if (run->size >= NEED_LENGTH_MIN) {
		char *text = mem_strndup(reader->context, run->text, run->size);
		const struct need word = {.form = NEED_WORD, .word = word_make(text, run->size)};
		add_part(reader, all, &word);
	}
	run->size = run->last = 0;
}

static void add_to_run(
	struct reader *reader, struct run *run, struct list *all, const char *text, size_t size)
{
	if (run->size + size > WORD_SIZE_MAX)
		end_run(reader, run, all);
	fold_letter(text, size, run->text + run->size);
	run->size += size;
	run->last = size;
}

/* Behind an atom: true when it may be missing. Skips the quantifier. */
static bool take_quantifier(struct reader *reader, bool *is_repeated_out)
{
	const char *at = reader->at;
	bool is_optional = *at == '?' || *at == '*';

	*is_repeated_out = is_optional || *at == '+';
	if (*is_repeated_out) {
		at++;
	} else if (*at == '{' && (isdigit((unsigned char)at[1]) || at[1] == ',')) {
		*is_repeated_out = true;
		is_optional = at[1] == ',' || atoi(at + 1) == 0;
		at += strcspn(at, "}");
		at += *at == '}';
	}
	if (*is_repeated_out && (*at == '?' || *at == '+')) /* lazy, possessive */
		at++;
	reader->at = at;
	return is_optional;
}

static void skip_class(struct reader *reader)
{
	const char *at = reader->at + 1;

	at += *at == '^';
	at += *at == ']';
	for (; *at != '\0' && *at != ']'; at++) {
		if (*at == '\\' && at[1] != '\0') {
			at++;
		} else if (*at == '[' && at[1] == ':') {
			const char *end = strstr(at, ":]");
			at = end == NULL ? at : end + 1;
		}
	}
	if (*at == '\0')
		reader->is_unknown = true;
	reader->at = *at == '\0' ? at : at + 1;
}

/* "[^\x00-\x7f]", any character beyond ASCII; of other classes nothing is needed. */
static struct need read_class(struct reader *reader)
{
	static const char beyond[] = "[^\\x00-\\x7f]";
	bool is_letter = strncmp(reader->at, beyond, strlen(beyond)) == 0;

	skip_class(reader);
	return (struct need){.form = is_letter ? NEED_LETTER : NEED_NOTHING};
}

/* What stands behind "(": the group is read, or passed over when it needs nothing. */
enum group { GROUP_READ, GROUP_LOOKS, GROUP_STRANGE };

static enum group take_group_start(struct reader *reader)
{
	const char *at = reader->at + 1;

	reader->at = at;
	if (*at == '*')
		return GROUP_STRANGE;
	if (*at != '?')
		return GROUP_READ;
	if (at[1] == ':' || at[1] == '>') {
		reader->at = at + 2;
		return GROUP_READ;
	}
	if (at[1] == '=' || at[1] == '!') {
		reader->at = at + 2;
		return GROUP_LOOKS;
	}
	if (at[1] == '<' && (at[2] == '=' || at[2] == '!')) {
		reader->at = at + 3;
		return GROUP_LOOKS;
	}
	if (at[1] == '<' && strchr(at, '>') != NULL) {
		reader->at = strchr(at, '>') + 1;
		return GROUP_READ;
	}
	return GROUP_STRANGE;
}

static struct need read_alternation(struct reader *reader);

static struct need read_group(struct reader *reader)
{
	static const struct need nothing;
	enum group group = take_group_start(reader);

	if (group == GROUP_STRANGE || ++reader->depth > DEPTH_MAX) {
		reader->is_unknown = true;
		return nothing;
	}
	struct need need = read_alternation(reader);
	reader->depth--;
	if (*reader->at != ')')
		reader->is_unknown = true;
	else
		reader->at++;
	if (group == GROUP_LOOKS)
		reader->gap.text = NULL;
	return group == GROUP_LOOKS ? nothing : need;
}

/* The bytes of the plain character at `at`, or 0. */
static size_t measure_plain(const char *at)
{
	unsigned char c = (unsigned char)*at;

	if (c < 0x80)
		return strchr("^$.|?*+()[{\\", c) == NULL ? 1 : 0;
	if (c < 0xe0)
		return fold_is_certain(at) ? 2 : 0;
	/* From U+0800 to U+0FFF, and from U+3000 to U+D7FF nothing has two cases: Thai and the
	 * scripts of India, kana, Han, Hangul. */
	if ((c == 0xe0 || (c >= 0xe3 && c <= 0xed)) && at[1] != '\0' && at[2] != '\0')
		return 3;
	return strncmp(at, "\xef\xbf\xbd", 3) == 0 ? 3 : 0; /* U+FFFD, for broken bytes */
}

static size_t measure_character(const char *at)
{
	size_t size = 1;

	while (((unsigned char)at[size] & 0xc0) == 0x80)
		size++;
	return size;
}

/* Behind what \p, \P and \k take: a letter, or a name in brackets. */
static const char *skip_argument(const char *at)
{
	const char closing = *at == '{' ? '}' : *at == '<' ? '>' : '\0';

	if (*at == '\0')
		return at;
	const char *end = closing == '\0' ? at : strchr(at, closing);
	return end == NULL ? at : end + 1;
}

/* "\." and the like are plain; of what may take arguments only \p, \P and \k are known, beside \b,
 * \B, \A, \z, \Z, \s... size_out: 0 for what is not plain. */
static const char *take_escape(struct reader *reader, size_t *size_out)
{
	const char *at = reader->at + 1;

	*size_out = 0;
	reader->at = *at == '\0' ? at : at + 1;
	if (ispunct((unsigned char)*at)) {
		*size_out = 1;
		return at;
	}
	if (*at == '\0' || strchr("bBAzZsSdDwWnrtfvhHRGpPk", *at) == NULL)
		reader->is_unknown = true;
	else if (strchr("pPk", *at) != NULL)
		reader->at = skip_argument(at + 1);
	return at;
}

/* A character that is not plain: what its place needs. The long s and the sign of the Kelvin are
 * ASCII letters in their other case. */
static struct need read_character(struct reader *reader)
{
	const char *at = reader->at;
	bool is_letter = (unsigned char)*at >= 0x80 && strncmp(at, "\u017F", 2) != 0 &&
			 strncmp(at, "\u212A", 3) != 0;

	reader->at += measure_character(at);
	return (struct need){.form = is_letter ? NEED_LETTER : NEED_NOTHING};
}

/* How much a part tells: twice the length of a word, as longer ones are in fewer texts; a letter
 * beyond ASCII, which most texts have none of, lies between two bytes and three. */
static size_t measure_worth(const struct need *need)
{
	size_t least = SIZE_MAX, most = 0;

	for (size_t i = 0; i < need->count; i++) {
		size_t worth = measure_worth(&need->parts[i]);
		least = worth < least ? worth : least;
		most = worth > most ? worth : most;
	}
	switch (need->form) {
	case NEED_NOTHING:
		break;
	case NEED_WORD:
		return 2 * need->word.size;
	case NEED_LETTER:
		return 5;
	case NEED_ALL:
		return most;
	case NEED_ANY:
		return least;
	}
	return 0;
}

/* Puts the part that tells most in front. */
static void sort_parts(struct list *list)
{
	for (size_t i = 1; i < list->count; i++) {
		struct need part = list->parts[i];
		size_t worth = measure_worth(&part), at = i;
		for (; at > 0 && measure_worth(&list->parts[at - 1]) < worth; at--)
			list->parts[at] = list->parts[at - 1];
		list->parts[at] = part;
	}
}

static struct need close_list(enum need_form form, const struct list *list)
{
	if (list->count == 0)
		return (struct need){.form = NEED_NOTHING};
	if (list->count == 1)
		return list->parts[0];
	return (struct need){.form = form, .parts = list->parts, .count = list->count};
}

/* One atom that is not plain, with its quantifier. */
static struct need read_atom(struct reader *reader, const char *text)
{
	struct need need = {.form = NEED_NOTHING};
	bool is_repeated;

	if (*text == '(' && text == reader->at)
		need = read_group(reader);
	else if (*text == '[' && text == reader->at)
		need = read_class(reader);
	else if (text == reader->at)
		need = read_character(reader);
	if (take_quantifier(reader, &is_repeated)) {
		need.form = NEED_NOTHING;
		reader->gap.text = NULL;
	}
	return need;
}

/* Of a branch that was read: itself, unless it needs a word, or one group alone is to blame. */
static void note_gap(struct reader *reader, struct gap branch, const struct need *need,
	const struct gap *inner, size_t inner_count)
{
	if (!reader->finds_gaps)
		return;
	reader->gap = inner_count == 1 ? *inner : branch;
	if (measure_worth(need) >= WORTH_MIN)
		reader->gap.text = NULL;
}

/* One branch: all of its parts. */
static struct need read_branch(struct reader *reader)
{
	const struct need letter = {.form = NEED_LETTER};
	struct list all = {.parts = NULL};
	struct run run = {.size = 0};
	bool has_letter = false, is_repeated;
	const char *start = reader->at;
	struct gap inner = {.text = NULL};
	size_t inner_count = 0;

	while (*reader->at != '\0' && *reader->at != '|' && *reader->at != ')' &&
		!reader->is_unknown) {
		const char *text = reader->at;
		size_t size = measure_plain(text);
		if (*text == '\\')
			text = take_escape(reader, &size);
		else if (size > 0)
			reader->at += size;
		if (reader->is_unknown)
			break;
		if (size > 0) {
			bool is_optional = take_quantifier(reader, &is_repeated);
			if (is_repeated)
				end_run(reader, &run, &all);
			if (!is_optional)
				add_to_run(reader, &run, &all, text, size);
			if (is_repeated)
				end_run(reader, &run, &all);
			continue;
		}
		end_run(reader, &run, &all);
		reader->gap.text = NULL;
		struct need need = read_atom(reader, text);
		if (reader->gap.text != NULL && ++inner_count == 1)
			inner = reader->gap;
		if (need.form == NEED_LETTER)
			has_letter = true;
		else if (need.form != NEED_NOTHING)
			add_part(reader, &all, &need);
	}
	end_run(reader, &run, &all);
	if (has_letter)
		add_part(reader, &all, &letter);
	sort_parts(&all);
	struct need whole = close_list(NEED_ALL, &all);
	note_gap(reader, (struct gap){start, (size_t)(reader->at - start)}, &whole, &inner,
		inner_count);
	return whole;
}

/* "(?!\A)\G": it goes on where a match ended, by another branch, which had the words. */
static bool is_continuation(const char *branch)
{
	static const char start[] = "(?!\\A)\\G";

	return strncmp(branch, start, strlen(start)) == 0;
}

static struct need read_alternation(struct reader *reader)
{
	const char *start = reader->at;
	struct list any = {.parts = NULL};
	struct gap gap = {.text = NULL};
	bool is_known = true, has_letter = false;

	for (;;) {
		bool is_ignored = is_continuation(reader->at) && reader->at != start;
		struct need branch = read_branch(reader);
		if (!is_ignored) {
			gap = gap.text == NULL ? reader->gap : gap;
			is_known = is_known && branch.form != NEED_NOTHING;
			if (branch.form != NEED_LETTER || !has_letter)
				add_part(reader, &any, &branch);
			has_letter = has_letter || branch.form == NEED_LETTER;
		}
		if (*reader->at != '|' || reader->is_unknown)
			break;
		reader->at++;
	}
	if (gap.text == start && gap.text + gap.size == reader->at) /* there are no others */
		gap.text = NULL;
	reader->gap = gap;
	return is_known ? close_list(NEED_ANY, &any) : (struct need){.form = NEED_NOTHING};
}

struct need need_read(const void *context, const char *regex)
{
	void *parts = mem_context(context, "need");
	struct reader reader = {.context = parts, .at = regex};
	struct need need = read_alternation(&reader);

	if (*reader.at == '\0' && !reader.is_unknown)
		return need;
	mem_free(parts);
	return (struct need){.form = NEED_NOTHING};
}

bool need_is_wordless(const void *context, const char *regex, const char **gap_out)
{
	void *parts = mem_context(NULL, "need");
	struct reader reader = {.context = parts, .at = regex, .finds_gaps = true};
	struct need need = read_alternation(&reader);
	bool is_read = *reader.at == '\0' && !reader.is_unknown;
	bool is_wordless = !is_read || measure_worth(&need) < WORTH_MIN;

	*gap_out = NULL;
	if (is_read && is_wordless && reader.gap.text != NULL && reader.gap.size > 0)
		*gap_out = mem_strndup(context, reader.gap.text, reader.gap.size);
	mem_free(parts);
	return is_wordless;
}

bool need_is_met(const struct need *need, const struct haystack *haystack)
{
	bool is_any = need->form == NEED_ANY;

	switch (need->form) {
	case NEED_NOTHING:
		return true;
	case NEED_WORD:
		return haystack_may_have(haystack, &need->word) &&
		       haystack_find(haystack, &need->word, 0) != NULL;
	case NEED_LETTER:
		return !haystack->is_ascii;
	case NEED_ALL:
	case NEED_ANY:
		break;
	}
	for (size_t i = 0; i < need->count; i++) {
		const struct need *part = &need->parts[i];
		/* Most parts are words that are not there. */
		bool is_missing =
			part->form == NEED_WORD && !haystack_may_have(haystack, &part->word);
		if ((!is_missing && need_is_met(part, haystack)) == is_any)
			return is_any;
	}
	return !is_any;
}
