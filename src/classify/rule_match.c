/*
 * rule_match.c: in charge of matching one line of a rule.
 *
 * A stranger chooses the text that the regexes run over, up to PROSE_MAX of it, and PCRE2 counts
 * its limits anew from each place where a match could begin. So the limit of steps falls as the
 * text grows: STEPS_MAX bounds a whole search, a second or so of the worst regex and text. What
 * would go on counts as no match. Regexes are compiled when first needed and kept for the process:
 * a one-shot delivery compiles the few whose literal was found.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/rule_need.h"
#include "classify/rule_private.h"

#define STEPS_MAX 100000000  /* of PCRE2's matcher, in one search, all beginnings together */
#define MATCH_LIMIT_MIN 2000 /* steps from one beginning that every search has */
#define MATCH_LIMIT_MAX 100000
#define DEPTH_LIMIT 2000
#define HEAP_LIMIT 8192 /* KiB of PCRE2's memory for one search */
#define JIT_AFTER 250	/* bytes that a regex has searched */
#define JIT_STACK_MIN (32 * 1024)
#define JIT_STACK_MAX (512 * 1024)

/* Groups of patterns that are taken out by name. */
enum { NAME_ADDRESS = GROUP_COUNT, NAME_LOCAL, NAME_COUNT };

static const char *const group_names[NAME_COUNT] = {[GROUP_DIAGNOSTIC] = "diagnostic",
	[GROUP_REMOTE] = "remote",
	[GROUP_STATUS] = "status",
	[GROUP_REPLY] = "reply",
	[NAME_ADDRESS] = "address",
	[NAME_LOCAL] = "local"};

struct regex {
	struct need need; /* what a text must contain */
	bool is_compiled;
	bool has_given_up;	/* a search went beyond a limit */
	pcre2_code *code;	/* NULL: it does not compile */
	size_t searched;	/* bytes, in all */
	int groups[NAME_COUNT]; /* their numbers; 0 or less: there is none */
	int error;		/* why it does not compile */
};

/* "\S", "\D" and "\W" as "[\S]"...: the machine code of PCRE2 10.42 finds no letter of several
 * bytes with the bare ones where the text may be invalid UTF-8; a class finds it either way. */
static char *bracket_negations(const void *context, const char *text, size_t size)
{
	char *copy = mem_alloc(context, 2 * size + 1);
	size_t length = 0;
	bool is_class = false;

	for (size_t i = 0; i < size; i++) {
		bool is_escape = text[i] == '\\' && i + 1 < size;
		bool is_bare = is_escape && !is_class && strchr("SDW", text[i + 1]) != NULL;
		if (is_bare)
			copy[length++] = '[';
		else if (!is_escape)
			is_class = is_class ? text[i] != ']' : text[i] == '[';
		copy[length++] = text[i];
		if (is_escape)
			copy[length++] = text[++i];
		if (is_bare)
			copy[length++] = ']';
	}
	copy[length] = '\0';
	return copy;
}

/* A regex when it is first asked for: read, not compiled. Kept for the process. */
static struct regex *open_regex(struct pattern *pattern)
{
	static void *keep;

	if (pattern->regex != NULL)
		return pattern->regex;
	if (keep == NULL)
		keep = mem_context(NULL, "regexes");
	pattern->regex = mem_new(keep, struct regex);
	char *text = mem_strndup(NULL, pattern->word.text, pattern->word.size);
	pattern->regex->need = need_read(pattern->regex, text);
	mem_free(text);
	return pattern->regex;
}

/* What a match fills in, one for all regexes: each would keep 20 KB of PCRE2's own with it. */
static pcre2_match_data *match_data;

/* Makes room for the groups of one more regex. */
static void widen_match_data(const pcre2_code *code)
{
	static uint32_t room;
	uint32_t groups = 0;

	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (match_data != NULL && groups < room)
		return;
	room = groups + 1;
	pcre2_match_data_free(match_data);
	match_data = pcre2_match_data_create(room, NULL);
}

/* Compiles a regex when it is first needed. */
static struct regex *compile(struct pattern *pattern)
{
	PCRE2_SIZE offset;
	struct regex *regex = open_regex(pattern);

	if (regex->is_compiled)
		return regex;
	regex->is_compiled = true;
	char *text = bracket_negations(regex, pattern->word.text, pattern->word.size);
	regex->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
		PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
			PCRE2_NEVER_BACKSLASH_C,
		&regex->error, &offset, NULL);
	mem_free(text);
	if (regex->code != NULL)
		widen_match_data(regex->code);
	for (int i = 0; i < NAME_COUNT && regex->code != NULL; i++)
		regex->groups[i] =
			pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)group_names[i]);
	return regex;
}

/* Where a group matched, if it did. */
static bool take_group(const struct regex *regex, int name, size_t *start_out, size_t *end_out)
{
	const PCRE2_SIZE *vector = pcre2_get_ovector_pointer(match_data);
	int number = regex->groups[name];

	if (number <= 0 || vector[2 * number] == PCRE2_UNSET)
		return false;
	*start_out = vector[2 * number];
	*end_out = vector[2 * number + 1];
	return true;
}

static void take_groups(const struct regex *regex, struct match *match_out)
{
	const PCRE2_SIZE *vector = pcre2_get_ovector_pointer(match_data);

	*match_out = (struct match){.start = vector[0], .end = vector[1]};
	if (!take_group(regex, NAME_ADDRESS, &match_out->address_start, &match_out->address_end))
		match_out->is_local = take_group(
			regex, NAME_LOCAL, &match_out->address_start, &match_out->address_end);
	for (int i = 0; i < GROUP_COUNT; i++)
		take_group(regex, i, &match_out->groups[i].start, &match_out->groups[i].end);
}

static pcre2_match_context *find_limits(size_t size)
{
	static pcre2_match_context *limits;
	size_t steps = STEPS_MAX / (size + 1);

	if (limits == NULL) {
		limits = pcre2_match_context_create(NULL);
		pcre2_set_depth_limit(limits, DEPTH_LIMIT);
		pcre2_set_heap_limit(limits, HEAP_LIMIT);
		pcre2_jit_stack_assign(
			limits, NULL, pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL));
	}
	if (steps < MATCH_LIMIT_MIN)
		steps = MATCH_LIMIT_MIN;
	pcre2_set_match_limit(
		limits, (uint32_t)(steps > MATCH_LIMIT_MAX ? MATCH_LIMIT_MAX : steps));
	return limits;
}

static bool find_regex(struct pattern *pattern, const struct haystack *haystack, size_t offset,
	struct match *match_out)
{
	struct regex *regex = open_regex(pattern);

	if (!need_is_met(&regex->need, haystack) || compile(pattern)->code == NULL)
		return false;
	/* To make machine code takes as long as a search through a page or two without it, and it
	 * is ten times as fast: a scan of many messages takes least time when it is made after a
	 * few lines, and one message no more. Where none can be had, it goes on without. */
	size_t before = regex->searched;
	regex->searched += haystack->size - offset;
	if (before < JIT_AFTER && regex->searched >= JIT_AFTER)
		pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
	int result = pcre2_match(regex->code, (PCRE2_SPTR)haystack->text, haystack->size, offset, 0,
		match_data, find_limits(haystack->size));
	if (result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT ||
		result == PCRE2_ERROR_HEAPLIMIT || result == PCRE2_ERROR_JIT_STACKLIMIT)
		regex->has_given_up = true;
	if (result <= 0)
		return false;
	take_groups(regex, match_out);
	return true;
}

static bool find_literal(const struct pattern *pattern, const struct haystack *haystack,
	size_t offset, struct match *match_out)
{
	const struct word *word = &pattern->word;
	const char *found =
		haystack_may_have(haystack, word) ? haystack_find(haystack, word, offset) : NULL;

	if (found == NULL)
		return false;
	size_t start = (size_t)(found - haystack->lower);
	*match_out = (struct match){.start = start, .end = start + word->size};
	return true;
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

bool rule_line_fits(const struct rule_line *line, const struct haystack *haystack)
{
	struct match match;

	for (size_t i = 0; i < line->pattern_count; i++) {
		struct pattern *pattern = &line->patterns[i];
		if (pattern->is_regex ? find_regex(pattern, haystack, 0, &match)
				      : haystack_may_have(haystack, &pattern->word) &&
						haystack_find(haystack, &pattern->word, 0) != NULL)
			return true;
	}
	return false;
}

bool rule_line_has_given_up(const struct rule_line *line)
{
	for (size_t i = 0; i < line->pattern_count; i++) {
		if (line->patterns[i].regex != NULL && line->patterns[i].regex->has_given_up)
			return true;
	}
	return false;
}

/* The group that a line is for, or -1. */
static int find_group(enum rule_part part)
{
	static const int groups[RULE_PART_COUNT] = {
		[RULE_DIAGNOSTIC] = GROUP_DIAGNOSTIC + 1,
		[RULE_REMOTE] = GROUP_REMOTE + 1,
		[RULE_STATUS] = GROUP_STATUS + 1,
		[RULE_REPLY] = GROUP_REPLY + 1,
	};

	return groups[part] - 1;
}

enum rule_group rule_line_group(const struct rule_line *line)
{
	return (enum rule_group)find_group(line->part);
}

/* True when a regex lacks the group that its line is there for. */
static bool lacks_group(const struct rule_line *line, const struct regex *regex, int group)
{
	if (line->part == RULE_ADDRESS)
		return regex == NULL ||
		       (regex->groups[NAME_ADDRESS] <= 0 && regex->groups[NAME_LOCAL] <= 0);
	return group >= 0 && (regex == NULL || regex->groups[group] <= 0);
}

bool rule_line_is_broken(
	const void *context, const struct rule_line *line, bool is_taking, const char **error_out)
{
	int group = is_taking ? find_group(line->part) : -1;

	for (size_t i = 0; i < line->pattern_count; i++) {
		struct pattern *pattern = &line->patterns[i];
		struct regex *regex = pattern->is_regex ? compile(pattern) : NULL;
		unsigned char message[200];
		if (regex != NULL && regex->code == NULL) {
			pcre2_get_error_message(regex->error, message, sizeof(message));
			*error_out = mem_printf(context, "/%s/: %s", pattern->word.text, message);
			return true;
		}
		if (lacks_group(line, regex, group)) {
			*error_out = mem_printf(context, "want (?<%s>...) in %s",
				group_names[group < 0 ? NAME_ADDRESS : group], pattern->word.text);
			return true;
		}
	}
	return false;
}
