/*
 * detail.c: in charge of taking the refusing server's name and codes out of a text. Mail systems
 * have a few ways of quoting the other side, whoever of them wrote the report; a dialect has lines
 * of its own only where it has a way of its own.
 */
#include "classify/detail.h"

#include "base/memory.h"
#include "classify/rule_set.h"

/* Where the recipient keeps what a group takes. */
static const char **find_field(struct recipient *recipient, enum rule_group group)
{
	switch (group) {
	case GROUP_DIAGNOSTIC:
		return &recipient->diagnostic;
	case GROUP_REMOTE:
		return &recipient->remote_mta;
	case GROUP_STATUS:
		return &recipient->status;
	case GROUP_REPLY:
		return &recipient->reply;
	case GROUP_COUNT:
		break;
	}
	return NULL;
}

static bool is_taking(enum rule_part part)
{
	return part == RULE_DIAGNOSTIC || part == RULE_REMOTE || part == RULE_STATUS ||
	       part == RULE_REPLY;
}

/* What the groups of one match took, where nothing stands yet. */
static bool take_match(const void *context, const struct haystack *text, const struct match *match,
	struct recipient *recipient)
{
	bool has_taken = false;

	for (int i = 0; i < GROUP_COUNT; i++) {
		const char **field = find_field(recipient, (enum rule_group)i);
		size_t start = match->groups[i].start, end = match->groups[i].end;
		if (*field != NULL || end <= start)
			continue;
		*field = mem_strndup(context, text->text + start, end - start);
		has_taken = true;
	}
	return has_taken;
}

bool detail_take_by(const void *context, const struct rule *rule, const struct haystack *text,
	struct recipient *recipient)
{
	bool has_taken = false;
	struct match match;

	for (size_t i = 0; i < rule->line_count; i++) {
		const struct rule_line *line = &rule->lines[i];
		if (rule->type == RULE_DETAIL && line->part == RULE_LITERAL &&
			rule_line_find(line, text, 0, &match) == line->is_not)
			return false;
		if (is_taking(line->part) &&
			*find_field(recipient, rule_line_group(line)) == NULL &&
			rule_line_find(line, text, 0, &match))
			has_taken |= take_match(context, text, &match, recipient);
	}
	return has_taken;
}

void detail_take(const void *context, const struct haystack *text, struct recipient *recipient)
{
	const struct rules *rules = rule_set_find("details.rules");

	for (size_t i = 0; i < rules->count; i++) {
		if (recipient->remote_mta != NULL && recipient->reply != NULL &&
			recipient->status != NULL)
			return;
		if (rules->items[i].type == RULE_DETAIL &&
			detail_take_by(context, &rules->items[i], text, recipient))
			recipient->detail_by = rules->items[i].name;
	}
}
