/*
 * rule_fault.c: in charge of what must be right for a rule to be put in force. First of all that it
 * has a literal: most texts have none of the words of most rules, and looking for words costs a
 * hundredth of running a regex. It may be a literal line, or quoted words of another line, or words
 * that a regex cannot match without (rule_need.h), or the name of a field.
 */
#include "classify/rule_fault.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/rule_need.h"
#include "classify/rule_private.h"

/* How lines of a part make a rule wait for a literal: any one of them may; of those that are tried
 * one by one, all must. */
enum gate { GATE_NONE = 0, GATE_ANY, GATE_ALL, GATE_ALL_IF_GENERIC };

static const unsigned char gates[RULE_TYPE_COUNT][RULE_PART_COUNT] = {
	[RULE_DIALECT] = {[RULE_LITERAL] = GATE_ANY,
		[RULE_BODY] = GATE_ANY,
		[RULE_OPENING] = GATE_ANY,
		[RULE_SUBJECT] = GATE_ANY,
		[RULE_FROM] = GATE_ANY,
		[RULE_HEADER] = GATE_ANY,
		[RULE_RETURNED] = GATE_ANY,
		[RULE_MIME_TYPE] = GATE_ANY,
		[RULE_ADDRESS] = GATE_ALL_IF_GENERIC},
	[RULE_KIND] = {[RULE_LITERAL] = GATE_ANY,
		[RULE_BODY] = GATE_ANY,
		[RULE_OPENING] = GATE_ANY,
		[RULE_SUBJECT] = GATE_ANY,
		[RULE_FROM] = GATE_ANY,
		[RULE_HEADER] = GATE_ANY,
		[RULE_RETURNED] = GATE_ANY,
		[RULE_MIME_TYPE] = GATE_ANY,
		[RULE_ORIGINAL] = GATE_ANY},
	[RULE_REASON] = {[RULE_LITERAL] = GATE_ANY,
		[RULE_REPORT] = GATE_ANY,
		[RULE_STATUS] = GATE_ANY,
		[RULE_REPLY] = GATE_ANY,
		[RULE_REMOTE] = GATE_ANY,
		[RULE_WRITER] = GATE_ANY,
		[RULE_BODY] = GATE_ALL},
	[RULE_DETAIL] = {[RULE_LITERAL] = GATE_ANY,
		[RULE_DIAGNOSTIC] = GATE_ALL,
		[RULE_STATUS] = GATE_ALL,
		[RULE_REPLY] = GATE_ALL,
		[RULE_REMOTE] = GATE_ALL},
};

/* Fields that nearly every message has: their names tell nothing. */
static const char *const common_fields[] = {"from", "to", "cc", "subject", "date", "message-id",
	"received", "return-path", "reply-to", "sender", "mime-version", "content-type",
	"content-transfer-encoding", "x-mailer", "user-agent"};

static bool is_common_field(const char *name)
{
	for (size_t i = 0; i < sizeof(common_fields) / sizeof(common_fields[0]); i++) {
		if (text_equal_fold(name, common_fields[i]))
			return true;
	}
	return false;
}

/* The first pattern of the line for which a text need not contain any word, or NULL. */
static const struct pattern *find_open_pattern(
	const void *context, const struct rule_line *line, size_t size_min, const char **gap_out)
{
	size_t common = line->headers == NULL ? 1 : 0;

	if (line->part == RULE_SUBJECT) /* in one line a character tells more */
		size_min = 1;

	for (const char *const *name = line->headers; name != NULL && *name != NULL; name++)
		common += is_common_field(*name);
	for (size_t i = 0; i < line->pattern_count && common > 0; i++) {
		const struct pattern *pattern = &line->patterns[i];
		const char *gap = NULL;
		bool is_open = pattern->is_regex
				       ? need_is_wordless(context, pattern->word.text, &gap)
				       : pattern->word.size < size_min;
		*gap_out = gap != NULL ? gap : pattern->word.text;
		if (is_open)
			return pattern;
	}
	return NULL;
}

/* A dialect of generic.rules that finds nobody does not win, so its addresses are conditions. */
static enum gate find_gate(const struct rule *rule, const struct rule_line *line)
{
	static const char generic[] = "generic.rules";
	enum gate gate = line->is_not ? GATE_NONE : (enum gate)gates[rule->type][line->part];
	size_t size = strlen(rule->file), tail = strlen(generic);

	if (gate != GATE_ALL_IF_GENERIC)
		return gate;
	return size >= tail && strcmp(rule->file + size - tail, generic) == 0 ? GATE_ALL
									      : GATE_NONE;
}

static const char *find_missing_literal(const void *context, const struct rule *rule, int *line_out)
{
	size_t size_min = rule->type == RULE_REASON ? 1 : LITERAL_SIZE_MIN;
	bool has_open = false, has_all = false;
	const char *where = NULL;

	for (size_t i = 0; i < rule->line_count; i++) {
		const struct rule_line *line = &rule->lines[i];
		enum gate gate = find_gate(rule, line);
		const char *gap = NULL;
		if (gate == GATE_NONE)
			continue;
		bool is_open = find_open_pattern(context, line, size_min, &gap) != NULL;
		if (gate == GATE_ANY && !is_open)
			return NULL;
		has_open = has_open || (gate == GATE_ALL && is_open);
		has_all = has_all || gate == GATE_ALL;
		if (is_open && where == NULL) {
			where = gap;
			*line_out = rule->line + line->below;
		}
	}
	if (has_all && !has_open)
		return NULL;
	if (where == NULL)
		return "has no literal, the words that are looked for first: want a literal line";
	return mem_printf(context,
		"has no literal, the words that are looked for first: \"%s\" can be met without "
		"any; want a literal line, quoted words of two bytes or more, or a regex of which "
		"each alternative has three plain bytes in a row, or a letter beyond ASCII",
		text_clean_string(context, where, 60));
}

static const char *find_broken_line(
	const void *context, const struct rule *rule, const struct rule_line *line)
{
	bool is_taking = rule->type == RULE_DIALECT || rule->type == RULE_DETAIL;
	const char *error;

	for (size_t i = 0; i < line->pattern_count; i++) {
		if (!text_is_utf8(line->patterns[i].word.text))
			return mem_printf(context, "\"%s\" is not in UTF-8",
				text_clean_string(context, line->patterns[i].word.text, 60));
	}
	return rule_line_is_broken(context, line, is_taking, &error) ? error : NULL;
}

const char *rule_fault_find(const void *context, const struct rule *rule, int *line_out)
{
	*line_out = rule->line;
	if (rule->is_off)
		return rule->line_count == 0 && rule->samples == NULL
			       ? NULL
			       : "a rule that is off has no other line: want off alone";
	for (size_t i = 0; i < rule->line_count; i++) {
		const char *fault = find_broken_line(context, rule, &rule->lines[i]);
		if (fault == NULL)
			continue;
		*line_out = rule->line + rule->lines[i].below;
		return fault;
	}
	return find_missing_literal(context, rule, line_out);
}
