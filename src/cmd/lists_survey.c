/*
 * lists_survey.c: in charge of finding the lists, and of what is wrong with each.
 *
 * What the file alone shows is the configuration's and check's to say; here is what takes both the
 * configuration and the mail that came. The events of the span are read once. An address that no
 * list claims is a name that strangers choose, so only so many of them get a row.
 */
#include "cmd/lists_survey.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/roster_file.h"
#include "cmd/check_owed.h"
#include "state/ledger.h"
#include "state/owed.h"
#include "state/rate.h"
#include "state/storm.h"

enum {
	UNKNOWN_MAX = 200,	  /* addresses that get a row */
	UNKNOWN_NAMES_MAX = 5000, /* of which the busiest are chosen */
	UNTAGGED_LEAST = 3,	  /* such reports before it is said */
	STALE_S = 2 * 86400	  /* a ledger that is fed in batches is late then */
};

const char *list_status_name(enum list_status status)
{
	static const char *const names[] = {
		[LIST_CONFIGURED] = "configured", [LIST_SEEN] = "seen", [LIST_UNKNOWN] = "unknown"};

	return names[status];
}

static void add_problem(
	struct lists_survey *survey, struct list_row *row, bool is_fault, const char *text)
{
	row->problems = mem_realloc(
		survey->context, row->problems, (row->problem_count + 1) * sizeof *row->problems);
	row->problems[row->problem_count++] = (struct list_problem){is_fault, text};
}

#define fault(survey, row, ...)                                                                    \
	add_problem((survey), (row), true, mem_printf((survey)->context, __VA_ARGS__))
#define warn(survey, row, ...)                                                                     \
	add_problem((survey), (row), false, mem_printf((survey)->context, __VA_ARGS__))

static struct list_row *add_row(
	struct lists_survey *survey, enum list_status status, const char *address)
{
	if (survey->count == survey->room) {
		survey->room = 2 * survey->room + 64;
		survey->rows = mem_realloc(
			survey->context, survey->rows, survey->room * sizeof *survey->rows);
	}
	survey->rows[survey->count] = (struct list_row){
		.status = status, .address = mem_strdup(survey->context, address)};
	return &survey->rows[survey->count++];
}

/* ---- the lists ---- */

static int compare_places(const void *a, const void *b, void *rows)
{
	const struct list_row *items = rows;

	return strcmp(items[*(const size_t *)a].address, items[*(const size_t *)b].address);
}

static void sort_rows(struct lists_survey *survey)
{
	survey->by_address = mem_new_array(survey->context, size_t, survey->count);
	for (size_t i = 0; i < survey->count; i++)
		survey->by_address[i] = i;
	qsort_r(survey->by_address, survey->count, sizeof *survey->by_address, compare_places,
		survey->rows);
}

/* Among the first count of by_address. */
static struct list_row *find_row(
	const struct lists_survey *survey, const char *address, size_t count)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct list_row *row = &survey->rows[survey->by_address[middle]];
		int order = strcmp(address, row->address);

		if (order == 0)
			return row;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct counting {
	struct lists_survey *survey;
	size_t configured;
};

static enum status take_counter(void *argument, const struct counter *counter)
{
	struct counting *counting = argument;
	struct list_row *row = find_row(counting->survey, counter->name, counting->configured);

	if (row == NULL)
		row = add_row(counting->survey, LIST_SEEN, counter->name);
	row->counter = *counter;
	row->counter.name = row->address;
	return STATUS_OK;
}

static enum status find_lists(struct lists_survey *survey, struct state *state)
{
	const struct config *config = survey->config;
	struct counting counting = {survey, config->list_count};
	enum status status = STATUS_OK;

	for (size_t i = 0; i < config->list_count; i++)
		add_row(survey, LIST_CONFIGURED, config->lists[i].address)->list =
			&config->lists[i];
	sort_rows(survey);
	if (state != NULL)
		status = record_walk_counters(state, COUNTER_LIST, take_counter, &counting);
	sort_rows(survey);
	return status;
}

/* ---- the events of the span ---- */

static bool has_evidence(const struct event *event, const char *check_and_result)
{
	return event->evidence != NULL && strstr(event->evidence, check_and_result) != NULL;
}

/* A recipient of a domain of ours that no list claims; the event may have a list all the same, by
 * what the message says. A hashed one has no domain. */
static void take_unclaimed(struct lists_survey *survey, const struct event *event)
{
	const char *address = event->recipient;

	if (address == NULL || address_domain(address) == NULL ||
		config_find_domain(survey->config, address_domain(address)) == NULL ||
		config_find_list(survey->config, address) != NULL)
		return;
	tally_add(survey->names, address, event->verdict);
}

static enum status take_event(void *argument, const struct event *event)
{
	struct lists_survey *survey = argument;
	struct list_row *row = NULL;

	take_unclaimed(survey, event);
	if (event->list != NULL)
		row = find_row(survey, event->list, survey->count);
	if (row == NULL || event->verdict == VERDICT_NONE)
		return STATUS_OK;
	row->judged++;
	if (has_evidence(event, "tag:valid-") || has_evidence(event, "tag:expired"))
		row->tagged++;
	else if (has_evidence(event, "tag:missing") &&
		 (event->verdict == VERDICT_GENUINE || has_evidence(event, "sent:recipient")))
		row->untagged++;
	return STATUS_OK;
}

static void add_unknown(struct lists_survey *survey)
{
	const struct tally_row *const *names;
	size_t count;

	names = tally_sort(survey->names, &count);
	for (size_t i = 0; i < count && i < UNKNOWN_MAX; i++) {
		struct list_row *row = add_row(survey, LIST_UNKNOWN, names[i]->name);

		row->counter.total = names[i]->total;
		memcpy(row->counter.verdicts, names[i]->verdicts, sizeof row->counter.verdicts);
		warn(survey, row,
			"mail comes to this address, and no list claims it; name it in bounces of "
			"its list, or add list \"%s\" { }",
			row->address);
	}
}

/* ---- how it is now ---- */

static void find_owed(struct lists_survey *survey, struct list_row *row, struct state *state)
{
	char due[CLOCK_TEXT_MAX];
	struct owed *owed;

	if (owed_find(state, survey->context, row->address, &owed) != STATUS_OK ||
		owed->waiting == 0)
		return;
	row->owed = owed->waiting;
	row->owed_since_s = owed->oldest_s;
	if (!check_owed_is_overdue(state, owed, survey->now))
		return;
	clock_format_iso(owed_due_time(owed), due);
	warn(survey, row,
		"%llu reports should have been sent to its owners at %s; run backstop digest by a "
		"timer or cron",
		(unsigned long long)owed->waiting, due);
}

/* What cannot be read is not shown. */
static void find_present(struct lists_survey *survey, struct list_row *row, struct state *state)
{
	struct storm *storm;
	struct rate rate;

	if (state == NULL)
		return;
	if (rate_find(state, RATE_LIST, row->address, survey->now, &rate) == STATUS_OK)
		row->per_hour = rate_per_hour(&rate, RATE_ALL, RATE_HOUR);
	if (storm_find(state, survey->context, row->address, survey->now, &storm) == STATUS_OK &&
		storm->is_on)
		row->storm_since_s = storm->began_s;
	find_owed(survey, row, state);
}

/* ---- what is wrong ---- */

static void check_owners(struct lists_survey *survey, struct list_row *row)
{
	if (row->list->owner_count == 0)
		warn(survey, row,
			"has no owners: nobody is told, and a held message can be released to "
			"--to=ADDRESS only");
}

static void check_roster(struct lists_survey *survey, struct list_row *row)
{
	const char *path = row->list->roster, *why = NULL;
	struct roster_stamp stamp;

	if (path == NULL)
		return;
	if (roster_file_look(path, &stamp, &why) != STATUS_OK)
		fault(survey, row, "roster: %s %s", path, why);
	else if (access(path, R_OK) != 0)
		fault(survey, row, "roster: %s cannot be read by this user", path);
	else if (stamp.size == 0)
		fault(survey, row, "roster: %s is empty", path);
}

static void check_tags(
	struct lists_survey *survey, struct list_row *row, const struct domain_config *domain)
{
	if (domain->tagged != SHARE_ALL || row->tagged > 0 || row->untagged < UNTAGGED_LEAST)
		return;
	fault(survey, row,
		"tagged = all in domain \"%s\", but none of its reports came to a tagged address, "
		"and %llu of them were on mail of ours; its mail goes out without tags, which "
		"counts against every bounce",
		domain->name, (unsigned long long)row->untagged);
}

static void check_ledger(struct lists_survey *survey, struct list_row *row,
	const struct domain_config *domain, struct state *state)
{
	struct ledger_coverage coverage;
	char text[CLOCK_TEXT_MAX];

	if (domain->sent_log != SENT_LOG_COMPLETE)
		return;
	if (state == NULL)
		coverage.is_any = false;
	else if (ledger_coverage(state, domain->name, &coverage) != STATUS_OK)
		return;
	if (!coverage.is_any) {
		fault(survey, row,
			"sent-log = complete in domain \"%s\", but the ledger has nothing of it; "
			"see backstop-sent(1)",
			domain->name);
		return;
	}
	if (coverage.until_s >= survey->now - STALE_S)
		return;
	clock_format_iso(coverage.until_s, text);
	warn(survey, row,
		"sent-log = complete in domain \"%s\", but the ledger was last fed up to %s",
		domain->name, text);
}

static void check_row(struct lists_survey *survey, struct list_row *row, struct state *state)
{
	const struct domain_config *domain =
		config_find_domain(survey->config, address_domain(row->address));

	if (row->status == LIST_SEEN)
		warn(survey, row,
			"mail came for it, but it is not configured any more; what comes now goes "
			"to the unclaimed folder");
	if (row->list == NULL || domain == NULL)
		return;
	check_owners(survey, row);
	check_roster(survey, row);
	check_tags(survey, row, domain);
	check_ledger(survey, row, domain, state);
}

enum status lists_survey_run(struct lists_survey *survey, struct state *state, int64_t from_s)
{
	enum status status;

	survey->names = tally_new(survey->context, UNKNOWN_NAMES_MAX);
	status = find_lists(survey, state);
	if (status == STATUS_OK && state != NULL)
		status = record_walk_events(state, from_s, INT64_MAX, take_event, survey);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < survey->count; i++)
		find_present(survey, &survey->rows[i], state);
	for (size_t i = 0; i < survey->count; i++)
		check_row(survey, &survey->rows[i], state);
	add_unknown(survey);
	return STATUS_OK;
}
