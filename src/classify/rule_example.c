/*
 * rule_example.c: in charge of writing texts that a regex finds. It reads the regex as rule_need.c
 * does, and writes what each part stands for: of a class one member, of what may be missing
 * nothing, but a space where anything may stand, of an alternation the branch that is asked for, or
 * else the first.
 */
#include "classify/rule_example.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "classify/rule_private.h"

#define DEPTH_MAX 20
#define TIMES_MAX 40
#define TEXT_MAX 4000

struct writer {
	char text[TEXT_MAX + 1];
	size_t size;
	const char *at;
	size_t branch; /* the number of the one that begins next */
	size_t wanted;
	bool is_inside;	 /* the wanted branch was written into the text */
	bool is_unknown; /* syntax that is not understood */
	bool has_filler;
	int depth;
};

/* What stands for a class such as \d; NULL for what is not known. */
static const char *find_member(char letter)
{
	static const struct {
		char letter;
		const char *text;
	} members[] = {{'d', "5"}, {'D', "a"}, {'w', "a"}, {'W', " "}, {'s', " "}, {'S', "a"},
		{'h', " "}, {'H', "a"}, {'n', "\n"}, {'R', "\n"}, {'r', "\r"}, {'t', "\t"},
		{'v', "\n"}, {'b', ""}, {'B', ""}, {'A', ""}, {'z', ""}, {'Z', ""}, {'G', ""}};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (members[i].letter == letter)
			return members[i].text;
	}
	return NULL;
}

static size_t measure_character(const char *at)
{
	size_t size = 1;

	while (((unsigned char)at[size] & 0xc0) == 0x80)
		size++;
	return size;
}

static void add(struct writer *writer, const char *text, size_t size)
{
	if (writer->size + size > TEXT_MAX) {
		writer->is_unknown = true;
		return;
	}
	memcpy(writer->text + writer->size, text, size);
	writer->size += size;
}

/* An escape at writer->at, which moves behind it. */
static void write_escape(struct writer *writer)
{
	const char *at = ++writer->at;
	const char *member = isalnum((unsigned char)*at) ? find_member(*at) : NULL;

	if (*at == 'p' || *at == 'P') {
		writer->at += at[1] == '{' ? strcspn(at, "}") + (strchr(at, '}') != NULL) : 2;
		add(writer, *at == 'p' ? "a" : " ", 1);
		return;
	}
	if (*at == '\0' || (isalnum((unsigned char)*at) && member == NULL)) {
		writer->is_unknown = true;
		return;
	}
	size_t size = measure_character(at);
	writer->at += size;
	if (member != NULL)
		add(writer, member, strlen(member));
	else
		add(writer, at, size);
}

/* True when \d and its like, or [:alpha:] and its like, has the character. */
static bool shorthand_has(char letter, char c)
{
	bool is_there = tolower((unsigned char)letter) == 'd' ? isdigit((unsigned char)c)
			: tolower((unsigned char)letter) == 's'
				? isspace((unsigned char)c)
				: isalnum((unsigned char)c) || c == '_';

	return isupper((unsigned char)letter) ? !is_there : is_there;
}

/* True when what stands between [^ and ] has the ASCII character. */
static bool class_has(const char *at, const char *end, char c)
{
	for (; at < end; at++) {
		char first = *at;
		if (*at == '\\' && strchr("dDsSwW", at[1]) != NULL) {
			if (shorthand_has(*++at, c))
				return true;
			continue;
		}
		if (*at == '\\') {
			const char *member = find_member(*++at);
			first = member == NULL ? *at : *member;
		}
		if (at + 2 < end && at[1] == '-') {
			at += 2;
			if (c >= first && c <= *at)
				return true;
		} else if (first == c) {
			return true;
		}
	}
	return false;
}

/* A class at writer->at, which moves behind it. */
static void write_class(struct writer *writer)
{
	static const char candidates[] = "a5 -.x@:Z\n";
	const char *at = writer->at + 1, *end;
	bool is_not = *at == '^';

	at += is_not;
	for (end = at + (*at == ']'); *end != '\0' && *end != ']'; end++) {
		if (*end == '\\' && end[1] != '\0')
			end++;
		else if (end[0] == '[' && end[1] == ':')
			writer->is_unknown = true;
	}
	writer->is_unknown = writer->is_unknown || *end == '\0';
	writer->at = end + (*end != '\0');
	for (const char *c = candidates; is_not && *c != '\0'; c++) {
		if (!class_has(at, end, *c)) {
			add(writer, c, 1);
			return;
		}
	}
	writer->is_unknown = writer->is_unknown || is_not || at == end;
	if (*at == '\\' && !writer->is_unknown) {
		const char *behind = writer->at;
		writer->at = at;
		write_escape(writer);
		writer->at = behind;
	} else if (!writer->is_unknown) {
		add(writer, at, measure_character(at));
	}
}

static void write_alternation(struct writer *writer);

/* What stands behind "(". Sets *is_look for what is only looked around for. */
static bool take_group_start(struct writer *writer, bool *is_look)
{
	const char *at = ++writer->at;

	*is_look = false;
	if (*at != '?')
		return *at != '*';
	if (at[1] == ':' || at[1] == '>') {
		writer->at += 2;
		return true;
	}
	size_t look = at[1] == '<' ? 2 : 1;
	if (at[look] == '=' || at[look] == '!') {
		*is_look = true;
		writer->at += look + 1;
		return true;
	}
	if (at[1] != '<' || strchr(at, '>') == NULL)
		return false;
	writer->at = strchr(at, '>') + 1;
	return true;
}

static void write_group(struct writer *writer)
{
	bool is_look, was_inside = writer->is_inside;
	size_t start = writer->size;

	if (!take_group_start(writer, &is_look) || ++writer->depth > DEPTH_MAX) {
		writer->is_unknown = true;
		return;
	}
	write_alternation(writer);
	writer->depth--;
	if (*writer->at == ')')
		writer->at++;
	else
		writer->is_unknown = true;
	if (is_look) {
		writer->is_inside = was_inside;
		writer->size = start;
	}
}

static void write_atom(struct writer *writer)
{
	const char *at = writer->at;

	if (*at == '(') {
		write_group(writer);
	} else if (*at == '[') {
		write_class(writer);
	} else if (*at == '\\') {
		write_escape(writer);
	} else if (*at == '^' || *at == '$' || *at == '.') {
		writer->at++;
		add(writer, "x", *at == '.');
	} else {
		writer->at += measure_character(at);
		add(writer, at, (size_t)(writer->at - at));
	}
}

/* How often an atom must stand there, and whether it may more than once. Skips the quantifier. */
static int take_times(struct writer *writer, bool *is_run_out)
{
	const char *at = writer->at;
	int times = 1;

	*is_run_out = *at == '*' || *at == '{';
	if (*at == '?' || *at == '*' || *at == '+') {
		times = *at++ == '+';
	} else if (*at == '{' && (isdigit((unsigned char)at[1]) || at[1] == ',')) {
		times = atoi(at + 1);
		at += strcspn(at, "}");
		at += *at == '}';
	} else {
		return 1;
	}
	writer->at = at + (*at == '?' || *at == '+'); /* lazy, possessive */
	writer->is_unknown = writer->is_unknown || times > TIMES_MAX;
	return times;
}

/* True when the atom can be that character, as in /domain.{0,20}unknown/ between two words. */
static bool may_be(const char *atom, char c)
{
	const char *end = strchr(atom, ']');

	if (strncmp(atom, "(?:", 3) == 0)
		return may_be(atom + 3, c);
	if (*atom == '.')
		return true;
	if (*atom == '\\' && strchr("sSwW", atom[1]) != NULL)
		return shorthand_has(atom[1], c);
	if (*atom != '[' || end == NULL)
		return false;
	return (atom[1] == '^') != class_has(atom + 1 + (atom[1] == '^'), end, c);
}

/* What stands for a run of any length, between words. */
static const char *find_filler(const struct writer *writer, const char *atom)
{
	if (!may_be(atom, ' '))
		return "";
	return writer->has_filler && may_be(atom, 'x') ? " x " : " ";
}

static void write_branch(struct writer *writer)
{
	size_t begin = writer->size;

	while (*writer->at != '\0' && *writer->at != '|' && *writer->at != ')' &&
		!writer->is_unknown) {
		bool was_inside = writer->is_inside, is_run;
		size_t start = writer->size;
		const char *atom = writer->at;
		write_atom(writer);
		int times = take_times(writer, &is_run);
		if (times == 0 && writer->is_inside && !was_inside)
			times = 1;
		size_t size = writer->size - start;
		for (int i = 1; i < times && !writer->is_unknown; i++)
			add(writer, writer->text + start, size);
		if (times > 0)
			continue;
		writer->size = start;
		if (is_run && start > begin)
			add(writer, find_filler(writer, atom), strlen(find_filler(writer, atom)));
	}
}

static void write_alternation(struct writer *writer)
{
	bool was_inside = writer->is_inside, is_found = false, is_first = true;
	size_t start = writer->size;

	do {
		size_t end = writer->size;
		writer->at += !is_first;
		writer->is_inside = writer->branch++ == writer->wanted;
		write_branch(writer);
		if (writer->is_inside || is_first) {
			writer->size -= end - start;
			memmove(writer->text + start, writer->text + end, writer->size - start);
		} else {
			writer->size = end;
		}
		is_found = is_found || writer->is_inside;
		is_first = false;
	} while (*writer->at == '|' && !writer->is_unknown);
	writer->is_inside = was_inside || is_found;
}

char *rule_line_example(const void *context, const struct rule_line *line, size_t index,
	size_t number, bool has_filler)
{
	const struct pattern *pattern = &line->patterns[index];
	struct writer writer = {
		.at = pattern->word.text, .wanted = number, .has_filler = has_filler};

	if (!pattern->is_regex)
		return number == 0 ? mem_strdup(context, pattern->word.text) : NULL;
	write_alternation(&writer);
	if (writer.is_unknown || *writer.at != '\0' || number >= writer.branch)
		return NULL;
	writer.text[writer.size] = '\0';
	return mem_strdup(context, writer.text);
}

bool rule_line_finds(
	const void *context, const struct rule_line *line, size_t index, const char *text)
{
	const struct rule_line one = {.part = line->part,
		.headers = line->headers,
		.patterns = &line->patterns[index],
		.pattern_count = 1};
	struct haystack haystack = haystack_make(context, text);
	struct match match;

	return rule_line_find(&one, &haystack, 0, &match);
}
