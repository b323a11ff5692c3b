/*
 * weigh.c: in charge of the order of the checks and of the sum. The checks find facts; what a fact
 * weighs is data (rules/weights.rules).
 */
#include "weigh/weigh.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/rules.h"

#define WORD_MAX 32

/* A row a check; the order is that in which they are shown. */
static const struct {
	const char *name;
	check *run;
} checks[] = {
	{"tag", tag_weigh},
	{"sent", sent_weigh},
	{"hop", hop_weigh},
};

_Static_assert(
	sizeof(checks) / sizeof(checks[0]) <= EVIDENCE_MAX, "room for each check's evidence");

/* The row of a result; false when it has none. */
static bool find_row(
	const char *check_name, const char *result, int *weight_out, bool *is_forgeable_out)
{
	const char *text = rules_find("weights.rules");
	char name[WORD_MAX], word[WORD_MAX], mark[WORD_MAX];

	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n');
		int length = end == NULL ? (int)strlen(line) : (int)(end - line);
		char row[256];
		snprintf(row, sizeof(row), "%.*s", length, line);
		int found = sscanf(row, "%31s %31s %d %31s", name, word, weight_out, mark);
		if (row[0] != '#' && found >= 3 && strcmp(name, check_name) == 0 &&
			strcmp(word, result) == 0) {
			*is_forgeable_out = found == 4 && strcmp(mark, "forgeable") == 0;
			return true;
		}
		line = end == NULL ? NULL : end + 1;
	}
	return false;
}

bool weigh_find_weight(const char *check_name, const char *result, int *weight_out)
{
	bool is_forgeable;

	return find_row(check_name, result, weight_out, &is_forgeable);
}

void weigh_add_up(struct weighing *weighing)
{
	int firm = 0, forgeable = 0;

	for (size_t i = 0; i < weighing->count; i++) {
		const struct evidence *item = &weighing->items[i];
		if (item->is_forgeable && item->weight > 0)
			forgeable += item->weight;
		else
			firm += item->weight;
	}
	if (forgeable > WEIGH_FORGEABLE_MAX)
		forgeable = WEIGH_FORGEABLE_MAX;
	weighing->score = firm + forgeable;
	weighing->verdict = VERDICT_UNPROVEN;
	if (weighing->score >= WEIGH_GENUINE)
		weighing->verdict = VERDICT_GENUINE;
	if (weighing->score <= WEIGH_BACKSCATTER)
		weighing->verdict = VERDICT_BACKSCATTER;
}

void weigh_bounce(const void *context, const struct weigh_input *input, struct weighing *result_out)
{
	memset(result_out, 0, sizeof(*result_out));
	if (!kind_is_judged(input->bounce->kind)) {
		result_out->verdict = VERDICT_NONE;
		return;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct evidence *item = &result_out->items[result_out->count++];

		item->check = checks[i].name;
		checks[i].run(context, input, item);
		assert(item->result != NULL);
		if (!find_row(item->check, item->result, &item->weight, &item->is_forgeable))
			item->weight = 0;
		log_debug("check %s: %s (%+d) %s", item->check, item->result, item->weight,
			item->detail == NULL ? "" : item->detail);
	}
	weigh_add_up(result_out);
}
