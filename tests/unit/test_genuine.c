/*
 * test_genuine.c: what a genuine bounce may look like at its worst. Each result here has an honest
 * cause: a forwarder, a list among the subscribers, a relay that rewrites fields, a key that was
 * changed, a young ledger, an outage of DNS, a provider on a block list. No number of them makes it
 * backscatter: that takes one of the proofs, which are not here: tag bad or missing, sent absent,
 * dkim absent, hop foreign; or two of the signs that come close to one (hop unlinked, dkim
 * invented).
 */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "weigh/weigh.h"

#define RESULTS_MAX 10
#define CHECKS ROWS(checks)

static const struct {
	const char *name;
	const char *results[RESULTS_MAX];
} checks[] = {
	{"tag", {"unavailable", "expired", "prvs-expired", "prvs-bad", "prvs-valid", "valid-sender",
			"valid-recipient"}},
	{"sent", {"unavailable", "absent-early", "absent-forwarded", "other-recipient", "passed-on",
			 "verp-recipient", "message", "recipient-stranger", "recipient"}},
	{"dkim", {"unavailable", "broken", "absent-forwarded", "invented-sent", "invented-early",
			 "valid-uncovered", "expired", "valid"}},
	{"hop", {"unavailable", "forwarded", "doubtful", "ours-passed-on", "ours-unvouched",
			"ours"}},
	{"standing", {"unavailable", "stranger", "related"}},
	{"reporter", {"unavailable", "helo-fail"}},
	{"replay", {"first", "again", "often", "flood"}},
	{"roster", {"unavailable", "not-on-list-unseen", "not-on-list-early", "on-list"}},
	{"shape", {"plain", "odd"}},
};

/* As the check itself does: what it finds in its rows and in the lists that are configured. */
static void add_own(struct weighing *weighing, struct evidence *item)
{
	if (strcmp(item->result, "odd") == 0) {
		item->weight = -6;
		item->is_supporting = true;
	}
	if (strcmp(item->result, "helo-fail") == 0)
		item->weight -= 10;
	if (strcmp(item->check, "replay") == 0) {
		int gain = replay_measure_gain(weighing);
		item->weight = item->weight < -gain ? -gain : item->weight;
	}
}

static void find_worst(struct weighing *weighing, size_t index, struct weighing *worst)
{
	struct evidence *item = &weighing->items[index];

	if (index == CHECKS) {
		weigh_add_up(weighing);
		if (weighing->score < worst->score)
			*worst = *weighing;
		return;
	}
	for (int i = 0; i < RESULTS_MAX && checks[index].results[i] != NULL; i++) {
		*item = (struct evidence){
			.check = checks[index].name, .result = checks[index].results[i]};
		weighing->count = index;
		weigh_look_up(NULL, item);
		add_own(weighing, item);
		weighing->count = index + 1;
		find_worst(weighing, index + 1, worst);
	}
}

START_TEST(no_number_of_weaknesses_is_a_proof)
{
	struct weighing weighing = {.count = 0}, worst = {.score = 0};
	char text[512] = "";

	find_worst(&weighing, 0, &worst);
	for (size_t i = 0; i < worst.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s:%s%+d",
			worst.items[i].check, worst.items[i].result, worst.items[i].weight);
	ck_assert_msg(worst.score > WEIGH_BACKSCATTER, "%d:%s", worst.score, text);
}
END_TEST

/* One sign that comes close to a proof, with what a forwarder leaves. */
static const struct {
	const char *sent, *dkim, *hop;
} near_proofs[] = {
	{"unavailable", "invented", "forwarded"},
	{"absent-early", "invented-early", "forwarded"},
	{"absent-early", "invented-early", "doubtful"},
	{"unavailable", "broken", "unlinked"},
	{"unavailable", "absent-forwarded", "unlinked"},
	{"absent-forwarded", "absent-forwarded", "forwarded"},
	{"absent-forwarded", "broken", "forwarded"},
};

START_TEST(nor_is_one_that_comes_close_with_a_forwarder)
{
	struct weighing weighing = {.count = 5,
		.items = {{.check = "sent", .result = near_proofs[_i].sent},
			{.check = "dkim", .result = near_proofs[_i].dkim},
			{.check = "hop", .result = near_proofs[_i].hop},
			{.check = "standing", .result = "stranger"},
			{.check = "tag", .result = "prvs-bad"}}};

	for (size_t i = 0; i < weighing.count; i++)
		weigh_look_up(NULL, &weighing.items[i]);
	weigh_add_up(&weighing);
	ck_assert_msg(weighing.verdict == VERDICT_UNPROVEN, "%s, %s, %s: got %d",
		near_proofs[_i].sent, near_proofs[_i].dkim, near_proofs[_i].hop, weighing.score);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("genuine");
	TCase *tcase = tcase_create("genuine");

	tcase_add_test(tcase, no_number_of_weaknesses_is_a_proof);
	tcase_add_loop_test(
		tcase, nor_is_one_that_comes_close_with_a_forwarder, 0, ROWS(near_proofs));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
