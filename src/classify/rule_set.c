/*
 * rule_set.c: in charge of which rules are in force. They live as long as the process: a pattern
 * that was compiled once is not compiled again.
 */
#include "classify/rule_set.h"

#include <string.h>

#include "base/memory.h"
#include "base/rules.h"
#include "classify/rule_fault.h"

const char *const rule_set_files[] = {"providers.rules", "mta.rules", "kinds.rules",
	"generic.rules", "details.rules", "reasons.rules", NULL};

enum { FILE_COUNT = sizeof(rule_set_files) / sizeof(rule_set_files[0]) - 1 };

static struct {
	struct rules rules;
	bool is_parsed;
} sets[FILE_COUNT];

/* The number of a file, or -1. */
static int find_file(const char *file)
{
	for (int i = 0; i < FILE_COUNT; i++) {
		if (strcmp(rule_set_files[i], file) == 0)
			return i;
	}
	return -1;
}

const struct rules *rule_set_find(const char *file)
{
	static const struct rules none = {NULL, 0};
	int number = find_file(file);
	const char *error;

	if (number < 0)
		return &none;
	if (!sets[number].is_parsed) {
		const char *text = rules_find(file);
		if (text != NULL)
			rules_parse(mem_context(NULL, "rules"), rule_set_files[number], text,
				&sets[number].rules, &error);
		sets[number].is_parsed = true;
	}
	return &sets[number].rules;
}

/* In which files a rule of each type is asked. */
static bool is_asked_in(enum rule_type type, const char *file)
{
	switch (type) {
	case RULE_DIALECT:
		return strcmp(file, "providers.rules") == 0 || strcmp(file, "mta.rules") == 0 ||
		       strcmp(file, "generic.rules") == 0;
	case RULE_KIND:
		return strcmp(file, "kinds.rules") == 0 || strcmp(file, "generic.rules") == 0;
	case RULE_REASON:
		return strcmp(file, "reasons.rules") == 0;
	case RULE_DETAIL:
		return strcmp(file, "details.rules") == 0;
	case RULE_TYPE_COUNT:
		break;
	}
	return false;
}

static const char *const places[RULE_TYPE_COUNT] = {
	[RULE_DIALECT] = "a dialect is asked in providers.rules, mta.rules or generic.rules only",
	[RULE_KIND] = "a kind is asked in kinds.rules or generic.rules only",
	[RULE_REASON] = "a reason is asked in reasons.rules only",
	[RULE_DETAIL] = "a detail is asked in details.rules only",
};

static const struct rule *find_same(const struct rule *items, size_t count, const struct rule *rule)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].type == rule->type && strcmp(items[i].name, rule->name) == 0)
			return &items[i];
	}
	return NULL;
}

/* The rule of the same type and name in another file, where it cannot be replaced. */
static const struct rule *find_elsewhere(const struct rule *rule, int number)
{
	for (int i = 0; i < FILE_COUNT; i++) {
		const struct rules *rules = rule_set_find(rule_set_files[i]);
		const struct rule *same =
			i == number ? NULL : find_same(rules->items, rules->count, rule);
		if (same != NULL)
			return same;
	}
	return NULL;
}

/* What keeps a rule, one of those that are added, from being put in force; NULL: nothing. */
static const char *find_obstacle(
	const void *context, const struct rules *added, const struct rule *rule, int number)
{
	const struct rules *old = rule_set_find(rule_set_files[number]);
	const struct rule *same = find_same(added->items, (size_t)(rule - added->items), rule);

	if (!is_asked_in(rule->type, rule_set_files[number]))
		return places[rule->type];
	if (same != NULL)
		return mem_printf(
			context, "%s:%d has this name too: want another", same->file, same->line);
	same = find_elsewhere(rule, number);
	if (same != NULL)
		return mem_printf(context,
			"%s:%d has this name too: want another, or, to replace it, a file of that "
			"name",
			same->file, same->line);
	if (rule->is_off && find_same(old->items, old->count, rule) == NULL)
		return mem_printf(context,
			"there is no %s of this name in the default %s to be switched off",
			rule_type_name(rule->type), rule_set_files[number]);
	return NULL;
}

/* "FILE:LINE: NAME: what is wrong" of the first rule that has a fault, or NULL. */
static const char *find_fault(const void *context, const struct rules *added, int number)
{
	for (size_t i = 0; i < added->count; i++) {
		const struct rule *rule = &added->items[i];
		int line = rule->line;
		const char *fault = find_obstacle(context, added, rule, number);
		if (fault == NULL)
			fault = rule_fault_find(context, rule, &line);
		if (fault != NULL)
			return mem_printf(
				context, "%s:%d: %s: %s", rule->file, line, rule->name, fault);
	}
	return NULL;
}

/* The new rules in front; but one that replaces another is asked where that one was. */
static struct rules merge(const void *context, const struct rules *added, const struct rules *old)
{
	struct rule *all = mem_new_array(context, struct rule, added->count + old->count);
	size_t count = 0;

	for (size_t i = 0; i < added->count; i++) {
		if (find_same(old->items, old->count, &added->items[i]) == NULL)
			all[count++] = added->items[i];
	}
	for (size_t i = 0; i < old->count; i++) {
		const struct rule *same = find_same(added->items, added->count, &old->items[i]);
		if (same == NULL || !same->is_off)
			all[count++] = same == NULL ? old->items[i] : *same;
	}
	return (struct rules){all, count};
}

enum status rule_set_extend(const void *context, const char *file, const char *path,
	const char *text, const char **error_out)
{
	const struct rules *old = rule_set_find(file);
	int number = find_file(file);
	void *keep = mem_context(NULL, file);
	struct rules added = {NULL, 0};

	*error_out = NULL;
	if (number < 0) {
		*error_out = mem_printf(context,
			"%s: no such rules file; its name must be providers.rules, mta.rules, "
			"kinds.rules, generic.rules, "
			"details.rules or reasons.rules",
			path);
		mem_free(keep);
		return STATUS_NOT_FOUND;
	}
	if (rules_parse(keep, mem_strdup(keep, path), mem_strdup(keep, text), &added, error_out) ==
		STATUS_OK)
		*error_out = find_fault(context, &added, number);
	else
		*error_out = mem_strdup(context, *error_out);
	if (*error_out != NULL) {
		mem_free(keep);
		return STATUS_DATA;
	}
	sets[number].rules = merge(keep, &added, old);
	return STATUS_OK;
}

void rule_set_visit_given_up(rule_set_visitor *visitor, void *argument)
{
	for (int f = 0; f < FILE_COUNT; f++) {
		for (size_t i = 0; i < sets[f].rules.count; i++) {
			const struct rule *rule = &sets[f].rules.items[i];
			for (size_t k = 0; k < rule->line_count; k++) {
				if (rule_line_has_given_up(&rule->lines[k]))
					visitor(argument, rule, &rule->lines[k]);
			}
		}
	}
}
