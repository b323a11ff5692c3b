/*
 * pipeline_digest.c: in charge of when owners are told, and of the order of the steps: claim, make
 * the message, send it, and only then mark what it tells as told. Whatever ends us between two
 * steps leaves a claim that runs out, and the next run does it again.
 *
 * One message says all that is to be said of a list: that of the end of a storm has the digest of
 * what was kept meanwhile. Leaves to pipeline_gather.c what the reports say.
 */
#include "pipeline_digest.h"

#include <inttypes.h>
#include <string.h>

#include "act/act.h"
#include "act/announce.h"
#include "act/digest.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "pipeline_gather.h"
#include "state/owed.h"
#include "state/storm.h"

static int64_t now_of(const struct digest_run *run)
{
	return run->pipeline->now != 0 ? run->pipeline->now : clock_now();
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

__attribute__((format(printf, 4, 5))) static enum status tell(
	const struct digest_run *run, const char *list, enum status status, const char *format, ...)
{
	va_list arguments;
	char *what;

	va_start(arguments, format);
	what = talloc_vasprintf(NULL, format, arguments);
	va_end(arguments);
	run->tell(run->argument, list, status, what == NULL ? status_text(status) : what);
	mem_free(what);
	return status;
}

/* ---- one message ---- */

/* What it tells; all of it claimed. */
struct message {
	const struct list_config *list;
	const struct storm *storm;	/* or NULL */
	const struct owed_batch *batch; /* may be empty */
	struct digest digest;
};

static const enum announcement announcements[] = {
	[STORM_NOTICE_BEGAN] = ANNOUNCE_BEGAN,
	[STORM_NOTICE_LASTS] = ANNOUNCE_LASTS,
	[STORM_NOTICE_ENDED] = ANNOUNCE_ENDED,
};

static const char *const notice_words[] = {
	[STORM_NOTICE_BEGAN] = "that a storm began",
	[STORM_NOTICE_LASTS] = "that a storm lasts",
	[STORM_NOTICE_ENDED] = "that a storm is over",
};

_Static_assert(sizeof announcements / sizeof announcements[0] == STORM_NOTICE_COUNT,
	"a notice has no announcement");

static struct storm_facts facts_of(const struct message *message)
{
	const struct storm *storm = message->storm;

	return (struct storm_facts){
		.list = message->list->address,
		.what = announcements[storm->notice],
		.began_s = storm->began_s,
		.ended_s = storm->ended_s,
		.usual = storm->usual,
		.peak = storm->peak,
		.total = storm->total,
		.genuine = storm->genuine,
		.unproven = storm->unproven,
		.backscatter = storm->backscatter,
		.held = storm->held,
		.is_collecting = message->list->genuine.action == ACTION_FORWARD,
		.is_holding = message->list->unproven.action == ACTION_FORWARD,
	};
}

/* For the log and whoever runs the command. On context. */
static char *describe(const void *context, const struct message *message)
{
	uint64_t reports = message->digest.reports;
	char *text = mem_strdup(
		context, message->storm != NULL ? notice_words[message->storm->notice] : "");

	if (reports == 0)
		return text;
	return mem_append(text, "%sa digest of %" PRIu64 " report%s",
		message->storm != NULL ? ", and " : "", reports, plural(reports));
}

/* Subject and text. On context. */
static void write_notice(const void *context, struct message *message, struct notice *notice)
{
	char *text = mem_strdup(context, "");

	if (message->storm != NULL) {
		struct storm_facts facts = facts_of(message);

		notice->kind = "storm";
		notice->subject = announce_subject(context, &facts);
		text = mem_append(text, "%s", announce_text(context, &facts));
	}
	if (message->digest.reports > 0) {
		char *digest = digest_text(context, &message->digest);

		text = mem_append(text, "%s%s", *text == '\0' ? "" : "\n", digest);
		if (message->storm == NULL)
			notice->subject = digest_subject(context, &message->digest);
	}
	notice->text = text;
}

/* Behind the sending. */
static enum status mark_told(const struct digest_run *run, const struct message *message)
{
	struct state *state = run->pipeline->state;
	enum status status = STATUS_OK;

	if (message->batch->count > 0)
		status = owed_told(state, message->list->address, message->batch,
			message->digest.kept_until_s);
	if (status == STATUS_OK && message->storm != NULL)
		status = storm_told(state, message->storm, now_of(run));
	return status;
}

static enum status send_message(
	const struct digest_run *run, const void *context, struct message *message)
{
	const struct list_config *list = message->list;
	const struct config *config = run->pipeline->config;
	struct notice notice = {.list = list->address, .kind = "digest", .time_s = now_of(run)};
	const char *error = NULL;
	enum status status =
		pipeline_gather(run->pipeline, context, message->batch, &message->digest);

	if (status != STATUS_OK)
		return tell(run, list->address, status,
			"the reports that are kept cannot be read: %s", status_text(status));
	message->digest.list = list->address;
	if (message->storm == NULL)
		message->digest.limit = list->owner_limit;
	message->digest.kept_until_s = now_of(run) + config->keep_dropped_s;
	if (message->storm == NULL && message->digest.reports == 0)
		return mark_told(run, message);
	write_notice(context, message, &notice);
	status = forward_text(context, config, list->owners, list->owner_count, &notice, &error);
	if (status != STATUS_OK)
		return tell(run, list->address, status, "%s: %s", describe(context, message),
			error == NULL ? status_text(status) : error);
	status = mark_told(run, message);
	if (status != STATUS_OK)
		return tell(run, list->address, status, "%s: sent, but will be sent again: %s",
			describe(context, message), status_text(status));
	return tell(run, list->address, STATUS_OK, "%s", describe(context, message));
}

/* ---- the reports of a list ---- */

static const struct list_config *find_list(const struct config *config, const char *address)
{
	const struct list_config *list = config_find_list(config, address);

	return list != NULL && address_equal(list->address, address) ? list : NULL;
}

static bool is_in_storm(const struct digest_run *run, const char *list)
{
	void *context = mem_context(NULL, "storm");
	struct storm *storm = NULL;
	bool result =
		storm_find(run->pipeline->state, context, list, now_of(run), &storm) == STATUS_OK &&
		storm->is_on;

	mem_free(context);
	return result;
}

/* One that could not be sent may be tried again at once, unless that would be by every delivery. */
static void give_back(const struct digest_run *run, const struct message *message)
{
	if (message->batch->count > 0 && !run->is_delivery)
		owed_give_back(run->pipeline->state, message->list->address);
}

/* Claims and sends until nothing is due. */
static enum status send_reports(
	const struct digest_run *run, const struct list_config *list, bool is_storm)
{
	const struct owed_question question = {.list = list->address,
		.now = now_of(run),
		.is_storm = is_storm,
		.takes_all = run->takes_all};
	struct owed_batch batch = {.left = 1};
	enum status status = STATUS_OK;

	while (status == STATUS_OK && batch.left > 0) {
		void *context = mem_context(NULL, "digest");
		struct message message = {.list = list, .batch = &batch};

		status = owed_claim(run->pipeline->state, context, &question, &batch);
		if (status == STATUS_OK) {
			status = send_message(run, context, &message);
			if (status != STATUS_OK)
				give_back(run, &message);
		} else if (status != STATUS_NOT_FOUND) {
			tell(run, list->address, status, "what is due cannot be claimed: %s",
				status_text(status));
		}
		mem_free(context);
	}
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status describe_wait(
	const struct digest_run *run, const struct owed *owed, bool is_storm)
{
	char since[CLOCK_TEXT_MAX], due[CLOCK_TEXT_MAX];
	int64_t now = now_of(run);
	const char *when = due;

	clock_format_iso(owed->oldest_s, since);
	clock_format_iso(owed_due_time(owed), due);
	if (owed_is_claimed(owed, now))
		when = "being sent";
	else if (owed_is_due(owed, is_storm, now))
		when = "due now";
	else if (is_storm)
		when = "due when the storm is over, or they have waited for a day";
	return tell(run, owed->list, STATUS_OK, "%" PRIu64 " report%s since %s, %s%s",
		owed->waiting, plural(owed->waiting), since, when == due ? "due " : "", when);
}

/* A storm of which the owners could not be told in this run. */
struct untold {
	struct untold *next;
	struct storm *storm;
};

struct visit {
	const struct digest_run *run;
	void *context;
	struct untold *untold; /* all on context */
	uint64_t ownerless;    /* lists whose reports have nobody to go to */
	enum status first;     /* failure */
};

static void note(struct visit *visit, enum status status)
{
	if (visit->first == STATUS_OK)
		visit->first = status;
}

/* Where nobody asked for this list it is no failure of the run, which would have cron say so every
 * five minutes for as long as they are held: backstop check names it. */
static enum status look_at_ownerless(
	struct visit *visit, const struct owed *owed, const struct list_config *list)
{
	const struct digest_run *run = visit->run;
	bool is_failure = run->list != NULL && !run->is_dry;

	if (!is_failure && !run->is_dry) {
		visit->ownerless++;
		return STATUS_OK;
	}
	return tell(run, owed->list, is_failure ? STATUS_CONFIG : STATUS_OK,
		"%" PRIu64 " report%s for its owners, but the list %s; they stay held",
		owed->waiting, owed->waiting == 1 ? " waits" : "s wait",
		list == NULL ? "is not configured any more" : "has none");
}

static void warn_of_ownerless(const struct visit *visit)
{
	if (visit->ownerless > 0)
		log_warning("digest: reports for %" PRIu64 " list%s stay held that %s not "
			    "configured any more, or ha%s no owners; see backstop check",
			visit->ownerless, plural(visit->ownerless),
			visit->ownerless == 1 ? "is" : "are", visit->ownerless == 1 ? "s" : "ve");
}

static bool is_untold(const struct visit *visit, const char *list)
{
	const struct untold *untold = visit->untold;

	while (untold != NULL && !address_equal(untold->storm->list, list))
		untold = untold->next;
	return untold != NULL;
}

static enum status look_at(struct visit *visit, const struct owed *owed)
{
	const struct digest_run *run = visit->run;
	const struct list_config *list = find_list(run->pipeline->config, owed->list);
	bool is_storm;

	/* They go with the message about the storm, which is said to be wanting. */
	if (owed->waiting == 0 || is_untold(visit, owed->list))
		return STATUS_OK;
	if (list == NULL || list->owner_count == 0)
		return look_at_ownerless(visit, owed, list);
	is_storm = is_in_storm(run, list->address);
	if (run->is_dry)
		return describe_wait(run, owed, is_storm);
	if (!run->takes_all && !owed_is_due(owed, is_storm, now_of(run)))
		return STATUS_OK;
	return send_reports(run, list, is_storm);
}

static enum status visit_list(void *argument, const struct owed *owed)
{
	struct visit *visit = argument;

	note(visit, look_at(visit, owed));
	return STATUS_OK;
}

static enum status send_all_reports(const struct digest_run *run, struct visit *visit)
{
	struct state *state = run->pipeline->state;
	struct owed *owed = NULL;
	enum status status;
	void *context;

	if (run->list == NULL)
		return owed_walk(state, visit_list, visit);
	context = mem_context(NULL, "owed");
	status = owed_find(state, context, run->list, &owed);
	if (status == STATUS_OK)
		note(visit, look_at(visit, owed));
	mem_free(context);
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- storms ---- */

/* Observe mode changes nothing for owners. */
static bool has_listeners(const struct digest_run *run, const struct list_config *list)
{
	return list != NULL && list->owner_count > 0 && run->pipeline->config->mode != MODE_OBSERVE;
}

/* Whether there is somebody to tell, and something: a storm that was over before its beginning was
 * told makes one message, that of its end. */
static bool is_told(
	const struct digest_run *run, const struct list_config *list, const struct storm *storm)
{
	return has_listeners(run, list) && (storm->notice == STORM_NOTICE_ENDED || storm->is_on);
}

/* With all that waits for the owners, but for the first message, which says what will be kept. */
static enum status send_storm(
	const struct digest_run *run, const void *context, const struct storm *storm)
{
	struct state *state = run->pipeline->state;
	const struct list_config *list = find_list(run->pipeline->config, storm->list);
	const struct owed_question question = {
		.list = storm->list, .now = now_of(run), .takes_all = true};
	struct owed_batch batch = {.count = 0};
	struct message message = {.list = list, .storm = storm, .batch = &batch};
	enum status status;

	if (!is_told(run, list, storm))
		return storm_told(state, storm, now_of(run));
	if (storm->notice != STORM_NOTICE_BEGAN)
		owed_claim(state, context, &question, &batch);
	status = send_message(run, context, &message);
	if (status != STATUS_OK)
		give_back(run, &message);
	return status;
}

static void keep_untold(struct visit *visit, struct storm *storm)
{
	struct untold *untold = mem_new(visit->context, struct untold);

	*untold = (struct untold){visit->untold, storm};
	visit->untold = untold;
}

/* Each is claimed before it is sent, and what fails stays claimed for now, so this ends. */
static enum status send_storms(const struct digest_run *run, struct visit *visit)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		void *context = mem_context(NULL, "storm");
		struct storm *storm = NULL;

		status = storm_claim_due(
			run->pipeline->state, visit->context, now_of(run), run->list, &storm);
		if (status == STATUS_OK) {
			enum status result = send_storm(run, context, storm);
			note(visit, result);
			if (result != STATUS_OK)
				keep_untold(visit, storm);
			else
				mem_free(storm);
		}
		mem_free(context);
	}
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The next run tries at once; after a delivery, when the claims run out. */
static void give_back_storms(const struct visit *visit)
{
	const struct untold *untold = visit->untold;

	for (; untold != NULL && !visit->run->is_delivery; untold = untold->next)
		storm_give_back(visit->run->pipeline->state, untold->storm);
}

/* ---- --dry-run ---- */

static bool is_asked_for(const struct digest_run *run, const char *list)
{
	return run->list == NULL || address_equal(run->list, list);
}

static enum status describe_due(void *argument, const struct storm *storm)
{
	const struct digest_run *run = argument;
	const struct list_config *list = find_list(run->pipeline->config, storm->list);

	if (is_asked_for(run, storm->list) && is_told(run, list, storm))
		tell(run, storm->list, STATUS_OK, "a message %s, due now",
			notice_words[storm->notice]);
	return STATUS_OK;
}

static enum status describe_storm(void *argument, const struct storm *storm)
{
	const struct digest_run *run = argument;
	char since[CLOCK_TEXT_MAX];

	if (!storm->is_on || *storm->list == '\0' || !is_asked_for(run, storm->list))
		return STATUS_OK;
	clock_format_iso(storm->began_s, since);
	tell(run, storm->list, STATUS_OK, "a storm since %s; its end will %sbe told", since,
		has_listeners(run, find_list(run->pipeline->config, storm->list)) ? "" : "not ");
	return STATUS_OK;
}

static enum status describe_storms(const struct digest_run *run)
{
	struct state *state = run->pipeline->state;
	enum status status = storm_walk(state, now_of(run), describe_storm, (void *)run);

	return status == STATUS_OK ? storm_walk_due(state, now_of(run), describe_due, (void *)run)
				   : status;
}

enum status pipeline_send_digests(const struct digest_run *run)
{
	struct visit visit = {.run = run, .context = mem_context(NULL, "digests")};
	enum status status;

	if (run->is_dry)
		status = describe_storms(run);
	else
		status = send_storms(run, &visit);
	note(&visit, status);
	note(&visit, send_all_reports(run, &visit));
	give_back_storms(&visit);
	warn_of_ownerless(&visit);
	mem_free(visit.context);
	return visit.first;
}
