/*
 * check_owed.c: in charge of digests that nobody sends: what is due goes out with the list's next
 * report, which may be long in coming, unless backstop digest is run.
 */
#include "cmd/check_owed.h"

#include <inttypes.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "state/owed.h"
#include "state/storm.h"

enum { OVERDUE_S = 60 * 60, NAMED_MAX = 10 };

struct debts {
	struct survey *survey;
	struct state *state;
	uint64_t lists;
	uint64_t reports;
	uint64_t overdue;
};

static void say_overdue(struct debts *debts, const struct owed *owed)
{
	char due[CLOCK_TEXT_MAX];

	clock_format_iso(owed_due_time(owed), due);
	if (++debts->overdue <= NAMED_MAX)
		check_warn(debts->survey,
			"list %s: %" PRIu64 " report%s should have been sent to its owners at %s; "
			"run backstop digest by a timer or cron (contrib/systemd, contrib/cron)",
			owed->list, owed->waiting, owed->waiting == 1 ? "" : "s", due);
}

bool check_owed_is_overdue(struct state *state, const struct owed *owed, int64_t now)
{
	int64_t then_s = now - OVERDUE_S;
	void *context = mem_context(NULL, "storm");
	struct storm *storm = NULL;
	bool is_storm =
		storm_find(state, context, owed->list, then_s, &storm) == STATUS_OK && storm->is_on;

	mem_free(context);
	return then_s >= (is_storm ? owed->oldest_s + OWED_WAIT_MAX_S : owed_due_time(owed));
}

static enum status visit_list(void *argument, const struct owed *owed)
{
	struct debts *debts = argument;
	struct survey *survey = debts->survey;
	const struct list_config *list;

	if (owed->waiting == 0)
		return STATUS_OK;
	debts->lists++;
	debts->reports += owed->waiting;
	list = config_find_list(survey->config, owed->list);
	if (list == NULL || !address_equal(list->address, owed->list) || list->owner_count == 0) {
		char since[CLOCK_TEXT_MAX];

		/* What came before was told of already. */
		clock_format_iso(owed->oldest_s, since);
		check_warn(survey,
			"list %s: %" PRIu64 " report%s for its owners, and it %s; backstop held "
			"release --list=%s --since=%s --to=ADDRESS sends them to ADDRESS; with "
			"--dry-run it counts them",
			owed->list, owed->waiting, owed->waiting == 1 ? " waits" : "s wait",
			list == NULL ? "is not configured any more" : "has none", owed->list,
			since);
	} else if (check_owed_is_overdue(debts->state, owed, survey->now)) {
		say_overdue(debts, owed);
	}
	return STATUS_OK;
}

void check_owed(struct survey *survey, struct state *state)
{
	struct debts debts = {.survey = survey, .state = state};

	if (owed_walk(state, visit_list, &debts) != STATUS_OK) {
		check_fault(survey, "state: what is due to the owners of lists cannot be read");
		return;
	}
	if (debts.overdue > NAMED_MAX)
		check_warn(survey, "%" PRIu64 " more lists are owed reports like that",
			debts.overdue - NAMED_MAX);
	if (debts.reports > 0)
		check_fact(survey,
			"digests: %" PRIu64 " report%s wait%s for the owners of %" PRIu64 " list%s",
			debts.reports, debts.reports == 1 ? "" : "s", debts.reports == 1 ? "s" : "",
			debts.lists, debts.lists == 1 ? "" : "s");
}
