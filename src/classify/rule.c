/*
 * rule.c: in charge of the syntax of rules. Matching one line of them is rule_match.c's; what the
 * rules mean is evidence.c's, dialect.c's, kinds.c's and reason.c's.
 *
 * Samples are left where they stand in the file: only `backstop rules` looks at them
 * (rule_sample.c), and every delivery parses the rules.
 */
#include "classify/rule.h"

#include <string.h>

#include "base/fold.h"
#include "base/memory.h"
#include "base/text.h"
#include "classify/rule_private.h"

#define RULE_NAMES_MAX 32 /* of one header condition */

static const char *const type_words[RULE_TYPE_COUNT] = {"dialect", "kind", "reason", "detail"};

/* Bits of the types of rules that a part can stand in. */
enum {
	IN_DIALECT = 1 << RULE_DIALECT,
	IN_KIND = 1 << RULE_KIND,
	IN_REASON = 1 << RULE_REASON,
	IN_DETAIL = 1 << RULE_DETAIL,
	IN_MESSAGE = IN_DIALECT | IN_KIND,
	IN_TEXT = IN_DIALECT | IN_DETAIL,
};

static const struct {
	const char *word;
	enum rule_part part;
	int types;
} part_words[] = {
	{"literal", RULE_LITERAL, IN_MESSAGE | IN_REASON | IN_DETAIL},
	{"body", RULE_BODY, IN_MESSAGE | IN_REASON},
	{"subject", RULE_SUBJECT, IN_MESSAGE},
	{"from", RULE_FROM, IN_MESSAGE},
	{"header", RULE_HEADER, IN_MESSAGE},
	{"address", RULE_ADDRESS, IN_MESSAGE},
	{"original", RULE_ORIGINAL, IN_MESSAGE},
	{"delayed", RULE_DELAYED, IN_DIALECT},
	{"report", RULE_REPORT, IN_REASON},
	{"status", RULE_STATUS, IN_REASON | IN_TEXT},
	{"reply", RULE_REPLY, IN_REASON | IN_TEXT},
	{"remote", RULE_REMOTE, IN_REASON | IN_TEXT},
	{"diagnostic", RULE_DIAGNOSTIC, IN_TEXT},
	{"dialect", RULE_WRITER, IN_REASON},
	{"opening", RULE_OPENING, IN_MESSAGE},
	{"returned", RULE_RETURNED, IN_MESSAGE},
	{"part", RULE_MIME_TYPE, IN_MESSAGE},
};

/* Conditions without a pattern, for IN_MESSAGE; an empty argument: nothing may follow. */
static const struct {
	const char *word, *argument;
	enum rule_part part;
} fact_words[] = {
	{"sender", "null", RULE_SENDER_NULL},
	{"author", "daemon", RULE_AUTHOR_DAEMON},
	{"author", "postmaster", RULE_AUTHOR_POSTMASTER},
	{"author", "person", RULE_AUTHOR_PERSON},
	{"answer", "", RULE_ANSWER},
	{"distributed", "", RULE_DISTRIBUTED},
	{"early", "", RULE_EARLY},
};

/* What can stand in a rule of each type, for errors. */
static const char *const wanted[RULE_TYPE_COUNT] = {
	[RULE_DIALECT] = "literal, body, opening, subject, from, header, returned, part, "
			 "sender null, author daemon, author postmaster, author person, answer, "
			 "distributed, address, "
			 "original, delayed, diagnostic, status, reply, remote, sample or expect",
	[RULE_KIND] = "literal, body, opening, subject, from, header, returned, part, "
		      "sender null, author daemon, author postmaster, author person, answer, "
		      "distributed, early, address, "
		      "original, sample or expect",
	[RULE_REASON] = "literal, body, report, status, reply, remote, dialect, sample or expect",
	[RULE_DETAIL] = "literal, diagnostic, status, reply, remote, sample or expect",
};

/* One parse. Deliveries parse the rules that they need, so what a file's patterns need is taken
 * from memory at once: words and patterns move on through it. */
struct parser {
	const void *context;
	const char *file;
	int line;
	char *text;  /* the line, cut up while it is read */
	char *words; /* room for the patterns' texts, which are shorter than the file */
	struct pattern *patterns; /* room for one a line, and one for each | */
	const char *start;	  /* of the line */
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

/* "..." or /.../ at *text, which moves behind it. A backslash keeps the closing mark inside. */
static bool parse_pattern(struct parser *parser, const char **text, struct pattern *pattern)
{
	const char mark = **text;
	size_t size = 0;
	const char *c = *text + 1;

	if (mark != '"' && mark != '/')
		return fail(parser, "want \"words\" or /regex/");
	char *inner = parser->words;
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
	if (mark != '/')
		fold_in_place(inner);
	parser->words += size + 1;
	*pattern = (struct pattern){.word = word_make(inner, size), .is_regex = mark == '/'};
	*text = c + 1;
	return true;
}

static bool parse_patterns(struct parser *parser, const char *text, struct rule_line *line)
{
	size_t count = 0;

	line->patterns = parser->patterns;

	do {
		text = skip_blanks(text);
		if (count == RULE_ALTERNATIVES_MAX)
			return fail(parser, "want at most 64 patterns in one line");
		if (!parse_pattern(parser, &text, parser->patterns))
			return false;
		count++;
		parser->patterns++;
		text = skip_blanks(text);
	} while (*text++ == '|');
	if (text[-1] != '\0')
		return fail(parser, "want | between patterns");
	line->pattern_count = count;
	return true;
}

/* The word at *text, which moves behind it and the blanks that follow. The line is cut up. */
static char *take_word(char **text)
{
	char *word = *text, *end = word + strcspn(word, " \t");

	*text = end + strspn(end, " \t");
	*end = '\0';
	return word;
}

/* "NAME" or "NAME|NAME" at *text, which moves behind it. */
static const char *const *take_names(struct parser *parser, char **text)
{
	char *rest = mem_strdup(parser->context, take_word(text)), *name;
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
		return fail(parser, "want at most 16 lines in one rule");
	rule->lines[rule->line_count] = *line;
	rule->lines[rule->line_count++].below = (unsigned short)(parser->line - rule->line);
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

static bool parse_condition(struct parser *parser, struct rule *rule, char *word, char *rest)
{
	struct rule_line line = {.is_not = strcmp(word, "not") == 0};

	if (line.is_not)
		word = take_word(&rest);
	if (((1 << rule->type) & IN_MESSAGE) != 0 && find_fact(word, rest, &line.part))
		return add_line(parser, rule, &line);
	for (size_t i = 0; i < sizeof(part_words) / sizeof(part_words[0]); i++) {
		if (strcmp(word, part_words[i].word) != 0 ||
			(part_words[i].types & 1 << rule->type) == 0)
			continue;
		line.part = part_words[i].part;
		if (line.part == RULE_HEADER || line.part == RULE_RETURNED)
			line.headers = take_names(parser, &rest);
		return parser->error == NULL && parse_patterns(parser, rest, &line) &&
		       add_line(parser, rule, &line);
	}
	return fail(parser, mem_printf(parser->context, "\"%s\" is no line of a %s: want %s",
				    text_clean_string(parser->context, word, 40),
				    type_words[rule->type], wanted[rule->type]));
}

static bool find_type(struct parser *parser, const char *word, struct rule *rule)
{
	for (int i = 0; i < RULE_TYPE_COUNT; i++) {
		if (strcmp(word, type_words[i]) == 0) {
			rule->type = (enum rule_type)i;
			return true;
		}
	}
	return fail(parser, "a rule begins with: dialect NAME, kind WORD NAME, reason WORD NAME or "
			    "detail NAME");
}

/* "dialect NAME", "kind WORD [NAME]", "reason WORD NAME", "detail NAME". */
static bool begin_rule(struct parser *parser, char *text)
{
	char *word = take_word(&text);
	struct rule rule = {.file = parser->file, .line = parser->line, .kind = KIND_FAILED};

	if (!find_type(parser, word, &rule))
		return false;
	rule.name = take_word(&text);
	if (rule.type == RULE_KIND && !kind_parse(rule.name, &rule.kind))
		return fail(parser, "there is no such kind; backstop(1) lists them");
	if (rule.type == RULE_REASON && !reason_parse(rule.name, &rule.reason))
		return fail(parser, "there is no such reason; backstop-scan(1) lists them");
	if ((rule.type == RULE_KIND && *text != '\0') || rule.type == RULE_REASON)
		rule.name = take_word(&text);
	if (*rule.name == '\0')
		return fail(
			parser, mem_printf(parser->context,
					"a %s needs a name of its own behind it, such as %s", word,
					rule.type == RULE_REASON ? "reason userunknown "
								   "example-no-such-user"
								 : "example-mail"));
	if (*text != '\0')
		return fail(parser, "want one word as the rule's name");
	if ((parser->count & (parser->count + 1)) == 0)
		parser->rules = mem_realloc(parser->context, parser->rules,
			(parser->count + 1) * 2 * sizeof(*parser->rules));
	rule.name = mem_strdup(parser->context, rule.name);
	parser->rules[parser->count++] = rule;
	return true;
}

/* Behind the sample that begins at text, which is counted in lines. */
static const char *skip_sample(struct parser *parser, const char *line, const char *text)
{
	struct indent indent = rule_sample_indent(line, text);

	if (indent.size == 0) {
		fail(parser, "want the lines of the sample below, further to the right with the "
			     "same blanks or tabs in front");
		return text;
	}
	for (; rule_sample_has(text, &indent); parser->line++) {
		size_t length = strcspn(text, "\n");
		text += length + (text[length] == '\n');
	}
	return text;
}

/* One line; *text is what follows it, and moves behind a sample that begins there. */
static bool parse_line(struct parser *parser, char *line, const char **text)
{
	struct rule *rule = parser->count == 0 ? NULL : &parser->rules[parser->count - 1];
	char *rest = line + strspn(line, " \t");
	const char *start = parser->start;

	if (*rest == '\0' || *rest == '#')
		return true;
	if (rest == line)
		return begin_rule(parser, line);
	if (rule == NULL)
		return fail(parser, "a rule begins at the start of a line, with: dialect NAME, "
				    "kind WORD NAME, reason WORD NAME or detail NAME");
	char *word = take_word(&rest);
	if (strcmp(word, "sample") == 0 || strcmp(word, "expect") == 0) {
		if ((*word == 'e') == (*rest == '\0'))
			return fail(parser, "want sample alone, or expect WORD...");
		if (rule->samples == NULL) {
			rule->samples = start;
			rule->samples_line = parser->line;
		}
		if (*word == 's')
			*text = skip_sample(parser, start, *text);
		rule->samples_size = (size_t)(*text - rule->samples);
		return parser->error == NULL;
	}
	if (strcmp(word, "off") == 0 && *rest == '\0') {
		rule->is_off = true;
		return true;
	}
	return parse_condition(parser, rule, word, rest);
}

static size_t count_patterns(const char *text)
{
	size_t count = 1;

	for (; (text = strpbrk(text, "\n|")) != NULL; text++)
		count++;
	return count;
}

enum status rules_parse(const void *context, const char *file, const char *text,
	struct rules *rules_out, const char **error_out)
{
	struct parser parser = {.context = context, .file = file};
	bool is_good = true;

	parser.text = mem_alloc(NULL, strlen(text) + 1);
	parser.words = mem_alloc(context, strlen(text) + 1);
	parser.patterns = mem_new_array(context, struct pattern, count_patterns(text));
	while (is_good && *text != '\0') {
		size_t length = strcspn(text, "\n");
		memcpy(parser.text, text, length);
		parser.text[length] = '\0';
		parser.line++;
		parser.start = text;
		text += length + (text[length] == '\n');
		is_good = parse_line(&parser, parser.text, &text);
	}
	mem_free(parser.text);
	*rules_out = (struct rules){parser.rules, parser.count};
	*error_out = parser.error;
	return is_good ? STATUS_OK : STATUS_DATA;
}

const char *rule_type_name(enum rule_type type)
{
	return type_words[type];
}

const char *rule_part_name(enum rule_part part)
{
	for (size_t i = 0; i < sizeof(part_words) / sizeof(part_words[0]); i++) {
		if (part_words[i].part == part)
			return part_words[i].word;
	}
	return "";
}

const struct rule_line *rule_next_line(const struct rule *rule, enum rule_part part, size_t *index)
{
	while (*index < rule->line_count) {
		const struct rule_line *line = &rule->lines[(*index)++];
		if (line->part == part)
			return line;
	}
	return NULL;
}

const char *rule_line_words(const struct rule_line *line, size_t index)
{
	return line->patterns[index].is_regex ? NULL : line->patterns[index].word.text;
}
