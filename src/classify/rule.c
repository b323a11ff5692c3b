/*
 * rule.c: in charge of the syntax of rules and of matching one line of them. What the rules mean is
 * dialect.c's and reason.c's.
 *
 * A stranger chooses the text that the regexes run over: PCRE2's match limit ends what would run
 * away, and counts as no match. Regexes are compiled when first needed and kept for the process: a
 * one-shot delivery compiles the few whose literal was found.
 */
#include "classify/rule.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define MATCH_LIMIT 200000 /* steps of PCRE2's matcher for one search */
#define DEPTH_LIMIT 2000
#define JIT_AFTER 6 /* uses of a regex; a one-shot delivery never gets there */
#define JIT_STACK_MIN (32 * 1024)
#define JIT_STACK_MAX (512 * 1024)
#define RULE_NAMES_MAX 32 /* of one header condition */
#define TRIGRAM_BITS 15	  /* of the hash of three bytes */

struct pattern {
	const char *text; /* of a literal in lower case; of a regex as written */
	size_t size;
	bool is_regex;
	bool is_broken;
	pcre2_code *code; /* NULL until first needed */
	pcre2_match_data *data;
	unsigned uses;
};

static const struct {
	const char *word;
	enum rule_part part;
} part_words[] = {
	{"literal", RULE_LITERAL},
	{"body", RULE_BODY},
	{"subject", RULE_SUBJECT},
	{"from", RULE_FROM},
	{"header", RULE_HEADER},
	{"address", RULE_ADDRESS},
	{"original", RULE_ORIGINAL},
	{"delayed", RULE_DELAYED},
	{"report", RULE_REPORT},
	{"status", RULE_STATUS},
	{"reply", RULE_REPLY},
	{"remote", RULE_REMOTE},
	{"dialect", RULE_WRITER},
	{"opening", RULE_OPENING},
	{"returned", RULE_RETURNED},
};

/* Conditions without a pattern; an empty argument: nothing may follow. */
static const struct {
	const char *word, *argument;
	enum rule_part part;
} fact_words[] = {
	{"sender", "null", RULE_SENDER_NULL},
	{"author", "daemon", RULE_AUTHOR_DAEMON},
	{"author", "postmaster", RULE_AUTHOR_POSTMASTER},
	{"answer", "", RULE_ANSWER},
	{"distributed", "", RULE_DISTRIBUTED},
	{"early", "", RULE_EARLY},
};

/* One parse. */
struct parser {
	const void *context;
	const char *file;
	int line;
	struct rule *rules;
	size_t count;
	const char *error;
};

static bool fail(struct parser *parser, const char *what)
{
	if (parser->error == NULL)
		parser->error =
			mem_printf(parser->context, "%s:%d: %s", parser->file, parser->line, what);
	return false;
}

static const char *skip_blanks(const char *c)
{
	return c + strspn(c, " \t");
}

/* The bytes up to the closing mark. */
static size_t measure_pattern(const char *text, char mark)
{
	size_t size = 0;

	while (text[size] != '\0' && text[size] != mark)
		size += text[size] == '\\' && text[size + 1] != '\0' ? 2 : 1;
	return size;
}

/* "..." or /.../ at *text, which moves behind it. A backslash keeps the closing mark inside. */
static bool parse_pattern(struct parser *parser, const char **text, struct pattern *pattern)
{
	const char mark = **text;
	size_t size = 0;
	const char *c = *text + 1;

	if (mark != '"' && mark != '/')
		return fail(parser, "want \"words\" or /regex/");
	char *inner = mem_alloc(parser->context, measure_pattern(c, mark) + 1);
	for (; *c != '\0' && *c != mark; c++) {
		if (*c == '\\' && c[1] == mark)
			c++;
		else if (*c == '\\' && c[1] != '\0' && mark == '/')
			inner[size++] = *c++;
		inner[size++] = *c;
	}
	if (*c != mark || size == 0)
		return fail(
			parser, "a pattern is empty or does not end: want \"words\" or /regex/");
	inner[size] = '\0';
	*pattern = (struct pattern){.size = size, .is_regex = mark == '/'};
	pattern->text = pattern->is_regex ? inner : text_lower(parser->context, inner);
	*text = c + 1;
	return true;
}

static bool parse_patterns(struct parser *parser, const char *text, struct rule_line *line)
{
	struct pattern patterns[RULE_ALTERNATIVES_MAX];
	size_t count = 0;

	do {
		text = skip_blanks(text);
		if (count == RULE_ALTERNATIVES_MAX)
			return fail(parser, "too many patterns in one line");
		if (!parse_pattern(parser, &text, &patterns[count]))
			return false;
		count++;
		text = skip_blanks(text);
	} while (*text++ == '|');
	if (text[-1] != '\0')
		return fail(parser, "want | between patterns");
	line->patterns = mem_new_array(parser->context, struct pattern, count);
	memcpy(line->patterns, patterns, count * sizeof(*patterns));
	line->pattern_count = count;
	return true;
}

/* The word at *text, which moves behind it and the blanks that follow. */
static char *take_word(const void *context, const char **text)
{
	size_t length = strcspn(*text, " \t");
	char *word = mem_strndup(context, *text, length);

	*text = skip_blanks(*text + length);
	return word;
}

/* "NAME" or "NAME|NAME" at *text, which moves behind it. */
static const char *const *take_names(struct parser *parser, const char **text)
{
	char *rest = take_word(parser->context, text), *name;
	const char **names = mem_new_array(parser->context, const char *, RULE_NAMES_MAX + 1);
	size_t count = 0;

	while ((name = strsep(&rest, "|")) != NULL) {
		if (*name == '\0' || count == RULE_NAMES_MAX) {
			fail(parser, "want a header's name, or up to 32 with | between");
			break;
		}
		names[count++] = name;
	}
	return names;
}

static bool add_line(struct parser *parser, struct rule *rule, const struct rule_line *line)
{
	if (rule->line_count == RULE_LINES_MAX)
		return fail(parser, "too many lines in one rule");
	rule->lines[rule->line_count++] = *line;
	return true;
}

/* A condition without a pattern; false when the word is none. */
static bool find_fact(const char *word, const char *argument, enum rule_part *part_out)
{
	for (size_t i = 0; i < sizeof(fact_words) / sizeof(fact_words[0]); i++) {
		if (strcmp(word, fact_words[i].word) == 0 &&
			strcmp(argument, fact_words[i].argument) == 0) {
			*part_out = fact_words[i].part;
			return true;
		}
	}
	return false;
}

static bool parse_condition(struct parser *parser, struct rule *rule, char *word, const char *rest)
{
	struct rule_line line = {.is_not = strcmp(word, "not") == 0};

	if (line.is_not)
		word = take_word(parser->context, &rest);
	if (find_fact(word, rest, &line.part))
		return add_line(parser, rule, &line);
	for (size_t i = 0; i < sizeof(part_words) / sizeof(part_words[0]); i++) {
		if (strcmp(word, part_words[i].word) != 0)
			continue;
		line.part = part_words[i].part;
		if (line.part == RULE_HEADER || line.part == RULE_RETURNED)
			line.headers = take_names(parser, &rest);
		return parser->error == NULL && parse_patterns(parser, rest, &line) &&
		       add_line(parser, rule, &line);
	}
	return fail(parser,
		"want literal, body, opening, subject, from, header, returned, sender null, "
		"author daemon, author postmaster, answer, distributed, early, address, original, "
		"original-to, delayed, report, status, reply, remote, dialect, sample or expect");
}

/* "dialect NAME", "kind WORD [NAME]", "reason WORD". */
static bool begin_rule(struct parser *parser, const char *text)
{
	char *word = take_word(parser->context, &text);
	struct rule rule = {.file = parser->file, .line = parser->line, .kind = KIND_FAILED};

	rule.name = take_word(parser->context, &text);
	if (*rule.name == '\0')
		return fail(parser, "a rule begins with: dialect NAME, kind WORD or reason WORD");
	if (strcmp(word, "dialect") == 0)
		rule.type = RULE_DIALECT;
	else if (strcmp(word, "kind") == 0 && kind_parse(rule.name, &rule.kind))
		rule.type = RULE_KIND;
	else if (strcmp(word, "reason") == 0 && reason_parse(rule.name, &rule.reason))
		rule.type = RULE_REASON;
	else
		return fail(parser, "want dialect NAME, kind WORD or reason WORD, with a word of "
				    "backstop(1)");
	if (rule.type == RULE_KIND && *text != '\0')
		rule.name = take_word(parser->context, &text);
	if ((parser->count & (parser->count + 1)) == 0)
		parser->rules = mem_realloc(parser->context, parser->rules,
			(parser->count + 1) * 2 * sizeof(*parser->rules));
	parser->rules[parser->count++] = rule;
	return true;
}

/* A line of a sample: two tabs in front, or nothing on it at all. */
static bool is_sample_line(const char *line)
{
	return (line[0] == '\t' && line[1] == '\t') || *line == '\0';
}

static bool parse_line(struct parser *parser, const char *line, bool *is_in_sample)
{
	struct rule *rule = parser->count == 0 ? NULL : &parser->rules[parser->count - 1];

	if (*is_in_sample && is_sample_line(line)) {
		rule->sample = mem_printf(parser->context, "%s%s\n",
			rule->sample == NULL ? "" : rule->sample, *line == '\0' ? "" : line + 2);
		return true;
	}
	*is_in_sample = false;
	if (*skip_blanks(line) == '\0' || *skip_blanks(line) == '#')
		return true;
	if (*line != '\t' && *line != ' ')
		return begin_rule(parser, line);
	if (rule == NULL)
		return fail(parser, "want dialect NAME, kind WORD or reason WORD first");
	const char *rest = skip_blanks(line);
	char *word = take_word(parser->context, &rest);
	if (strcmp(word, "sample") == 0) {
		*is_in_sample = true;
		rule->sample = "";
		return true;
	}
	if (strcmp(word, "expect") == 0) {
		rule->expect = mem_strdup(parser->context, rest);
		return true;
	}
	return parse_condition(parser, rule, word, rest);
}

enum status rules_parse(const void *context, const char *file, const char *text,
	struct rules *rules_out, const char **error_out)
{
	struct parser parser = {.context = context, .file = file};
	bool is_in_sample = false, is_good = true;

	while (is_good && *text != '\0') {
		size_t length = strcspn(text, "\n");
		char *line = mem_strndup(context, text, length);
		parser.line++;
		is_good = parse_line(&parser, line, &is_in_sample);
		mem_free(line);
		text += length + (text[length] == '\n');
	}
	*rules_out = (struct rules){parser.rules, parser.count};
	*error_out = parser.error;
	return is_good ? STATUS_OK : STATUS_DATA;
}

/* Compiles a regex when it is first needed. */
static bool compile(struct pattern *pattern, int *error_out)
{
	PCRE2_SIZE offset;

	if (pattern->code != NULL || pattern->is_broken)
		return pattern->code != NULL;
	pattern->code = pcre2_compile((PCRE2_SPTR)pattern->text, pattern->size,
		PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
			PCRE2_NEVER_BACKSLASH_C,
		error_out, &offset, NULL);
	pattern->is_broken = pattern->code == NULL;
	return pattern->code != NULL;
}

/* Where the group of that name matched, if it did. */
static bool take_group(
	const pcre2_code *code, const PCRE2_SIZE *vector, const char *name, struct match *match_out)
{
	int number = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);

	if (number <= 0 || vector[2 * number] == PCRE2_UNSET)
		return false;
	match_out->address_start = vector[2 * number];
	match_out->address_end = vector[2 * number + 1];
	return true;
}

static bool find_regex(struct pattern *pattern, const struct haystack *haystack, size_t offset,
	struct match *match_out)
{
	static pcre2_match_context *limits;
	int error;
	bool is_found;

	if (!compile(pattern, &error))
		return false;
	if (limits == NULL) {
		limits = pcre2_match_context_create(NULL);
		pcre2_set_match_limit(limits, MATCH_LIMIT);
		pcre2_set_depth_limit(limits, DEPTH_LIMIT);
		pcre2_jit_stack_assign(
			limits, NULL, pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL));
	}
	/* Machine code pays when many messages are scanned; where none can be had, it goes on
	 * without. */
	if (++pattern->uses == JIT_AFTER)
		pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	if (pattern->data == NULL)
		pattern->data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
	is_found = pcre2_match(pattern->code, (PCRE2_SPTR)haystack->text, haystack->size, offset, 0,
			   pattern->data, limits) > 0;
	if (is_found) {
		PCRE2_SIZE *vector = pcre2_get_ovector_pointer(pattern->data);
		*match_out = (struct match){.start = vector[0], .end = vector[1]};
		if (!take_group(pattern->code, vector, "address", match_out))
			match_out->is_local = take_group(pattern->code, vector, "local", match_out);
	}
	return is_found;
}

static unsigned hash_trigram(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	unsigned value = (unsigned)c[0] << 16 | (unsigned)c[1] << 8 | c[2];

	return value * 2654435761U >> (32 - TRIGRAM_BITS);
}

void haystack_index(const void *context, struct haystack *haystack)
{
	unsigned char *bits = mem_alloc(context, (1 << TRIGRAM_BITS) / 8);

	memset(bits, 0, (1 << TRIGRAM_BITS) / 8);
	for (size_t i = 0; i + 2 < haystack->size; i++) {
		unsigned hash = hash_trigram(haystack->lower + i);
		bits[hash / 8] |= (unsigned char)(1 << hash % 8);
	}
	haystack->trigrams = bits;
}

/* False when three bytes of the literal are nowhere in the haystack. */
static bool may_contain(const struct haystack *haystack, const struct pattern *pattern)
{
	for (size_t i = 0; haystack->trigrams != NULL && i + 2 < pattern->size; i++) {
		unsigned hash = hash_trigram(pattern->text + i);
		if ((haystack->trigrams[hash / 8] & 1 << hash % 8) == 0)
			return false;
	}
	return true;
}

static bool find_literal(const struct pattern *pattern, const struct haystack *haystack,
	size_t offset, struct match *match_out)
{
	const char *found = NULL;

	if (may_contain(haystack, pattern))
		found = memmem(haystack->lower + offset, haystack->size - offset, pattern->text,
			pattern->size);
	if (found == NULL)
		return false;
	size_t start = (size_t)(found - haystack->lower);
	*match_out = (struct match){.start = start, .end = start + pattern->size};
	return true;
}

struct haystack haystack_make(const void *context, const char *text)
{
	if (text == NULL)
		text = "";
	return (struct haystack){text, text_lower(context, text), strlen(text), NULL};
}

bool rule_line_find(const struct rule_line *line, const struct haystack *haystack, size_t offset,
	struct match *match_out)
{
	bool is_found = false;

	for (size_t i = 0; i < line->pattern_count && offset <= haystack->size; i++) {
		struct pattern *pattern = &line->patterns[i];
		struct match match;
		bool fits = pattern->is_regex ? find_regex(pattern, haystack, offset, &match)
					      : find_literal(pattern, haystack, offset, &match);
		if (fits && (!is_found || match.start < match_out->start)) {
			*match_out = match;
			is_found = true;
		}
	}
	return is_found;
}

bool rule_line_is_broken(const void *context, const struct rule_line *line, const char **error_out)
{
	for (size_t i = 0; i < line->pattern_count; i++) {
		unsigned char message[200];
		int error = 0;
		if (!line->patterns[i].is_regex || compile(&line->patterns[i], &error))
			continue;
		pcre2_get_error_message(error, message, sizeof(message));
		*error_out = mem_printf(context, "/%s/: %s", line->patterns[i].text, message);
		return true;
	}
	return false;
}
