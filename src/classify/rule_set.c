/*
 * rule_set.c: in charge of which rules are in force. They live as long as the process: a pattern
 * that was compiled once is not compiled again.
 */
#include "classify/rule_set.h"

#include <string.h>

#include "base/memory.h"
#include "base/rules.h"

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

/* True when one of the new rules has the type and name of an old one. */
static bool is_replaced(const struct rule *old, const struct rules *added)
{
	for (size_t i = 0; i < added->count; i++) {
		if (old->type == added->items[i].type &&
			strcmp(old->name, added->items[i].name) == 0)
			return true;
	}
	return false;
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
	if (rules_parse(keep, mem_strdup(keep, path), mem_strdup(keep, text), &added, error_out) !=
		STATUS_OK) {
		*error_out = mem_strdup(context, *error_out);
		mem_free(keep);
		return STATUS_DATA;
	}
	struct rule *all = mem_new_array(keep, struct rule, added.count + old->count);
	size_t count = 0;
	for (size_t i = 0; i < added.count; i++)
		all[count++] = added.items[i];
	for (size_t i = 0; i < old->count; i++) {
		if (!is_replaced(&old->items[i], &added))
			all[count++] = old->items[i];
	}
	sets[number].rules = (struct rules){all, count};
	return STATUS_OK;
}
