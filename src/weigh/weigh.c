/*
 * weigh.c: in charge of the order of the checks and of the sum. The checks find facts; what a fact
 * weighs is data (rules/weights.rules).
 */
#include "weigh/weigh.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/rules.h"

#define WORD_MAX 32
#define WEIGHTS_MAX 128 /* rows; test_weigh.c sees to it that there are not more */

/* A row a check; the order is that in which they are run and shown. Some look at what others before
 * them saw: replay at tag and sent, roster at tag, sent and hop. */
static const struct {
	const char *name;
	check *run;
} checks[] = {
	/* Each may ask what those before it saw. */
	{"tag", tag_weigh},
	{"sent", sent_weigh},
	{"dkim", dkim_weigh},
	{"hop", hop_weigh},
	{"standing", standing_weigh},
	{"reporter", reporter_weigh},
	{"replay", replay_weigh},
	{"roster", roster_weigh},
	{"shape", shape_weigh},
	{"storm", storm_weigh},
};

_Static_assert(
	sizeof(checks) / sizeof(checks[0]) <= EVIDENCE_MAX, "room for each check's evidence");

/* One row of rules/weights.rules. */
struct weight {
	char check[WORD_MAX], result[WORD_MAX];
	int decibans;
	bool is_forgeable, is_post;
	bool is_supporting;
};

/* The rows, read once a process: they are part of the binary. */
static struct weight weights[WEIGHTS_MAX];
static size_t weight_count;

static void read_weights(void)
{
	for (const char *line = rules_find("weights.rules"); line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n');
		struct weight *weight = &weights[weight_count];
		char row[256], mark[WORD_MAX] = "";
		int length = end == NULL ? (int)strlen(line) : (int)(end - line);

		snprintf(row, sizeof(row), "%.*s", length, line);
		if (row[0] != '#' && weight_count < WEIGHTS_MAX &&
			sscanf(row, "%31s %31s %d %31s", weight->check, weight->result,
				&weight->decibans, mark) >= 3) {
			weight->is_forgeable = strcmp(mark, "forgeable") == 0;
			weight->is_post = strcmp(mark, "post") == 0;
			weight->is_supporting = strcmp(mark, "supporting") == 0;
			weight_count++;
		}
		line = end == NULL ? NULL : end + 1;
	}
}

static int compare_weights(const void *a, const void *b)
{
	const struct weight *left = a, *right = b;
	int order = strcmp(left->check, right->check);

	return order != 0 ? order : strcmp(left->result, right->result);
}

/* The row of a result, or NULL. No result has two. */
static const struct weight *find_weight(const char *check_name, const char *result)
{
	size_t low = 0, high;

	if (weight_count == 0) {
		read_weights();
		qsort(weights, weight_count, sizeof(*weights), compare_weights);
	}
	for (high = weight_count; low < high;) {
		const struct weight *middle = &weights[low + (high - low) / 2];
		int order = strcmp(middle->check, check_name);
		if (order == 0)
			order = strcmp(middle->result, result);
		if (order == 0)
			return middle;
		if (order < 0)
			low = (size_t)(middle - weights) + 1;
		else
			high = (size_t)(middle - weights);
	}
	return NULL;
}

bool weigh_find_weight(
	const struct config *config, const char *check_name, const char *result, int *weight_out)
{
	for (size_t i = 0; config != NULL && i < config->weight_count; i++) {
		if (strcmp(config->weights[i].check, check_name) == 0 &&
			strcmp(config->weights[i].result, result) == 0) {
			*weight_out = config->weights[i].decibans;
			return true;
		}
	}
	const struct weight *weight = find_weight(check_name, result);
	if (weight != NULL)
		*weight_out = weight->decibans;
	return weight != NULL;
}

void weigh_look_up(const struct config *config, struct evidence *evidence)
{
	const struct weight *weight = find_weight(evidence->check, evidence->result);

	if (!evidence->has_weight)
		weigh_find_weight(config, evidence->check, evidence->result, &evidence->weight);
	evidence->is_forgeable |= weight != NULL && weight->is_forgeable;
	evidence->is_post = weight != NULL && weight->is_post;
	evidence->is_supporting |= weight != NULL && weight->is_supporting;
}

const char *weigh_find_result(const struct weighing *weighing, const char *check_name)
{
	for (size_t i = 0; weighing != NULL && i < weighing->count; i++) {
		if (strcmp(weighing->items[i].check, check_name) == 0)
			return weighing->items[i].result;
	}
	return NULL;
}

bool weigh_is_sent(const struct weighing *weighing)
{
	static const char *const results[] = {"recipient", "recipient-stranger", "message",
		"verp-recipient", "other-recipient", "passed-on"};
	const char *result = weigh_find_result(weighing, "sent");

	for (size_t i = 0; result != NULL && i < sizeof(results) / sizeof(results[0]); i++) {
		if (strcmp(result, results[i]) == 0)
			return true;
	}
	return false;
}

static int lesser(int a, int b)
{
	return a < b ? a : b;
}

void weigh_add_up(struct weighing *weighing)
{
	int firm = 0, forgeable = 0, post = 0, supporting = 0;

	for (size_t i = 0; i < weighing->count; i++) {
		const struct evidence *item = &weighing->items[i];
		if (item->is_supporting && item->weight < 0)
			supporting += item->weight;
		else if (item->is_forgeable && item->weight > 0)
			forgeable += item->weight;
		else if (item->is_post && item->weight > 0)
			post += item->weight;
		else
			firm += item->weight;
	}
	forgeable = lesser(forgeable, WEIGH_FORGEABLE_MAX);
	int lifted = firm + lesser(forgeable + post, WEIGH_FORGEABLE_MAX);
	int balanced = lesser(firm + forgeable + post, 0);
	int score = lifted > balanced ? lifted : balanced;
	weighing->score = score + supporting;
	if (score > WEIGH_BACKSCATTER && weighing->score <= WEIGH_BACKSCATTER)
		weighing->score = WEIGH_BACKSCATTER + 1;
	weighing->verdict = VERDICT_UNPROVEN;
	if (weighing->score >= WEIGH_GENUINE)
		weighing->verdict = VERDICT_GENUINE;
	if (weighing->score <= WEIGH_BACKSCATTER)
		weighing->verdict = VERDICT_BACKSCATTER;
}

/* Sets the evidence to what it would be, had DNS answered in its favour. */
static bool take_missed(const struct config *config, struct evidence *item)
{
	if (item->missed == NULL)
		return false;
	*item = (struct evidence){.check = item->check, .result = item->missed};
	weigh_look_up(config, item);
	return true;
}

void weigh_conclude(const struct config *config, struct weighing *weighing)
{
	struct weighing other = *weighing;
	bool is_open = false;

	weigh_add_up(weighing);
	for (size_t i = 0; i < other.count; i++)
		is_open |= take_missed(config, &other.items[i]);
	if (!is_open || weighing->verdict != VERDICT_BACKSCATTER)
		return;
	weigh_add_up(&other);
	if (other.verdict == VERDICT_BACKSCATTER)
		return;
	weighing->score = WEIGH_BACKSCATTER + 1;
	weighing->verdict = VERDICT_UNPROVEN;
}

enum verdict weigh_verdict_without(
	const struct config *config, const struct weighing *weighing, const char *check_name)
{
	struct weighing copy = *weighing;

	if (weighing->count == 0)
		return weighing->verdict; /* not judged */
	for (size_t i = 0; i < copy.count; i++) {
		if (strcmp(copy.items[i].check, check_name) != 0)
			continue;
		copy.items[i].weight = 0;
		copy.items[i].missed = NULL;
	}
	weigh_conclude(config, &copy);
	return copy.verdict;
}

void weigh_bounce(const void *context, const struct weigh_input *input, struct weighing *result_out)
{
	struct weigh_input own = *input;

	memset(result_out, 0, sizeof(*result_out));
	own.so_far = result_out;
	own.notes = mem_new(context, struct weigh_notes);
	if (own.config == NULL)
		own.config = config_none(context);
	if (!kind_is_judged(input->bounce->kind)) {
		result_out->verdict = VERDICT_NONE;
		return;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct evidence *item = &result_out->items[result_out->count];

		item->check = checks[i].name;
		checks[i].run(context, &own, item);
		result_out->count++;
		assert(item->result != NULL);
		weigh_look_up(own.config, item);
		log_debug("check %s: %s (%+d) %s", item->check, item->result, item->weight,
			item->detail == NULL ? "" : item->detail);
	}
	weigh_conclude(own.config, result_out);
}
