/*
 * rule_need.c: in charge of what a regex cannot match without. A concatenation needs all of its
 * parts, so the most telling one will do; an alternation needs one of its branches, so each branch
 * must need something. What may be missing (?, *, {0,}), looks around, or refers back, needs
 * nothing. Letters beyond ASCII that may have two cases are in no word, as the texts are folded in
 * ASCII only; but that one of them is needed is known.
 */
#include "classify/rule_need.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define WORDS_MAX 600 /* of one regex; with more it is not known */
#define DEPTH_MAX 20
#define WORD_SIZE_MAX 40

/* A set of words of which one is needed; count 0: none is known to be. */
struct words {
	char **items;
	size_t count;
};

struct reader {
	const void *context;
	const char *at;
	int depth;
	bool is_unknown; /* syntax that is not understood: nothing is certain */
};

/* A run of plain characters that is being read. */
struct run {
	char text[WORD_SIZE_MAX + 1];
	size_t size;
	size_t last; /* bytes of the last character, which a quantifier is about */
};

/* How much the word tells that tells least: twice its length; a letter beyond ASCII, which most
 * texts have none of, lies between two bytes and three. */
static size_t measure_least(const struct words *words)
{
	size_t least = 2 * WORD_SIZE_MAX;

	for (size_t i = 0; i < words->count; i++) {
		bool is_letter = strcmp(words->items[i], NEED_BEYOND_ASCII) == 0;
		size_t worth = is_letter ? 5 : 2 * strlen(words->items[i]);
		least = worth < least ? worth : least;
	}
	return least;
}

/* Longer words are in fewer texts; of two sets with words as long, the smaller says more. */
static bool is_better(const struct words *one, const struct words *other)
{
	size_t length, other_length;

	if (one->count == 0 || other->count == 0)
		return one->count > 0;
	length = measure_least(one);
	other_length = measure_least(other);
	return length != other_length ? length > other_length : one->count < other->count;
}

static void add_word(const void *context, struct words *words, const char *text, size_t size)
{
	words->items = mem_realloc(context, words->items, (words->count + 1) * sizeof(char *));
	words->items[words->count++] = mem_strndup(context, text, size);
}

static void end_run(struct reader *reader, struct run *run, struct words *best)
{
	struct words words = {0};

	if (run->size >= NEED_LENGTH_MIN) {
		add_word(reader->context, &words, run->text, run->size);
		if (is_better(&words, best))
			*best = words;
	}
	run->size = run->last = 0;
}

static void add_to_run(
	struct reader *reader, struct run *run, struct words *best, const char *text, size_t size)
{
	if (run->size + size > WORD_SIZE_MAX)
		end_run(reader, run, best);
	for (size_t i = 0; i < size; i++)
		run->text[run->size++] = (char)tolower((unsigned char)text[i]);
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

static struct words read_alternation(struct reader *reader);

/* A group; sets *is_word_less when it tells nothing of its place's text. */
static struct words read_group(struct reader *reader)
{
	struct words words = {0};
	enum group group = take_group_start(reader);

	if (group == GROUP_STRANGE || ++reader->depth > DEPTH_MAX) {
		reader->is_unknown = true;
		return words;
	}
	words = read_alternation(reader);
	reader->depth--;
	if (*reader->at != ')')
		reader->is_unknown = true;
	else
		reader->at++;
	if (group == GROUP_LOOKS)
		words.count = 0;
	return words;
}

/* The bytes of the plain character at `at`, or 0. */
static size_t measure_plain(const char *at)
{
	unsigned char c = (unsigned char)*at;

	if (c < 0x80)
		return strchr("^$.|?*+()[{\\", c) == NULL ? 1 : 0;
	/* From U+3000 to U+D7FF nothing has two cases: kana, Han, Hangul. */
	if (c >= 0xe3 && c <= 0xed && at[1] != '\0' && at[2] != '\0')
		return 3;
	return 0;
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
static struct words read_character(struct reader *reader)
{
	const char *at = reader->at;
	struct words words = {0};

	reader->at += measure_character(at);
	if ((unsigned char)*at >= 0x80 && strncmp(at, "\u017F", 2) != 0 &&
		strncmp(at, "\u212A", 3) != 0)
		add_word(reader->context, &words, NEED_BEYOND_ASCII, sizeof(NEED_BEYOND_ASCII) - 1);
	return words;
}

/* One branch: the most telling of its parts. */
static struct words read_branch(struct reader *reader)
{
	struct words best = {0};
	struct run run = {.size = 0};
	bool is_repeated;

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
				end_run(reader, &run, &best);
			if (!is_optional)
				add_to_run(reader, &run, &best, text, size);
			if (is_repeated)
				end_run(reader, &run, &best);
			continue;
		}
		end_run(reader, &run, &best);
		struct words group = {0};
		if (*text == '(' && text == reader->at)
			group = read_group(reader);
		else if (*text == '[' && text == reader->at)
			skip_class(reader);
		else if (text == reader->at)
			group = read_character(reader);
		if (!take_quantifier(reader, &is_repeated) && is_better(&group, &best))
			best = group;
	}
	end_run(reader, &run, &best);
	return best;
}

static struct words read_alternation(struct reader *reader)
{
	struct words all = read_branch(reader);
	bool is_known = all.count > 0;

	while (*reader->at == '|' && !reader->is_unknown) {
		reader->at++;
		struct words branch = read_branch(reader);
		is_known = is_known && branch.count > 0 && all.count + branch.count <= WORDS_MAX;
		for (size_t i = 0; is_known && i < branch.count; i++)
			add_word(reader->context, &all, branch.items[i], strlen(branch.items[i]));
	}
	if (!is_known)
		all.count = 0;
	return all;
}

struct need need_read(const void *context, const char *regex)
{
	void *scratch = mem_context(NULL, "need");
	struct reader reader = {.context = scratch, .at = regex};
	struct words words = read_alternation(&reader);
	struct need need = {0};

	if (*reader.at == '\0' && !reader.is_unknown && words.count > 0) {
		struct word *items = mem_new_array(context, struct word, words.count);
		for (size_t i = 0; i < words.count; i++) {
			char *text = mem_strdup(items, words.items[i]);
			items[i] = word_make(text, strlen(text));
		}
		need = (struct need){items, words.count};
	}
	mem_free(scratch);
	return need;
}
