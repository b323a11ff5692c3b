/*
 * storm.c: when a storm begins, goes on and ends, and what its owners are told when. Pure, but for
 * the functions at the end that look one up.
 *
 * Two windows decide. The last hour says that there is more than the past explains; the last
 * minutes say that it is going on, since an hour's counter takes an evening to forget a flood. What
 * counts are reports that are not proven genuine: the many genuine bounces of a large posting are
 * no storm. The window that decides the end is long enough that a storm is not kept up by a handful
 * of reports now and then: at the standard settings it takes well over a hundred an hour.
 */
#include "state/storm.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "state/parts.h"
#include "state/place.h"

enum {
	RECENT_S = 10 * 60,	   /* half-life of what is recent */
	PAST_S = 7 * 24 * 60 * 60, /* and of the past */
	CEILING = 8,		   /* of what is recent, in terms of where it is quiet */
	FALL_S = 3 * RECENT_S,	   /* so long does it take from there: 2^3 = 8 */
	SLACK_S = 300,		   /* between the clocks of processes: rate.c */
	LEAST_COUNT = 10,	   /* reports that a storm takes, whatever the settings */
	LEAST_BURST = 20
};

#define QUIET_SHARE 0.5 /* of the limit: below it, it is quiet */
/* Times the limit, within a minute: proven backscatter, which no posting of ours makes; and all
 * that is doubtful. */
#define BURST_FORGED 2
#define BURST_DOUBTFUL 5

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static double greater(double a, double b)
{
	return a > b ? a : b;
}

/* The reports of RECENT_S that a rate keeps up. */
static double recent_at(double per_hour)
{
	return per_hour / rate_to_hourly(1, RECENT_S);
}

/* ---- counting ---- */

static double find_usual(const struct place *place)
{
	return rate_to_hourly(place->past, PAST_S);
}

/* The rate that is a storm here. */
static double find_limit(const struct place *place, const struct storm_limits *limits)
{
	return limits->factor * greater(find_usual(place), limits->minimum_per_hour);
}

static void count(struct place *place, const struct place_report *report, int64_t now)
{
	bool is_doubtful = (RATE_DOUBTFUL & 1u << report->class) != 0;
	int64_t time_s = place->rate.time_s;

	place->recent = rate_faded(place->recent, rate_elapse(&time_s, now), RECENT_S);
	rate_add(&place->rate, report->class, now);
	double past_elapsed_s = rate_elapse(&place->past_s, now);
	if (!place->is_on)
		place->past = rate_faded(place->past, past_elapsed_s, PAST_S);
	if (!is_doubtful)
		return;
	place->recent += 1;
	if (!place->is_on)
		place->past += 1;
}

/* What is recent never exceeds its ceiling; until when it stays above what is quiet. */
static void follow(struct place *place, double limit, int64_t now)
{
	double quiet = recent_at(QUIET_SHARE * limit);

	if (place->recent > CEILING * quiet)
		place->recent = CEILING * quiet;
	if (place->quiet_s > now + FALL_S + SLACK_S)
		place->quiet_s = now; /* the clock went back */
	if (place->recent > quiet)
		place->quiet_s = later(place->quiet_s,
			now + (int64_t)ceil(RECENT_S * log2(place->recent / quiet)));
}

/* The doubtful reports of about an hour. */
static double count_hour(const struct place *place)
{
	return place->rate.counts[RATE_BACKSCATTER][RATE_HOUR] +
	       place->rate.counts[RATE_UNPROVEN][RATE_HOUR];
}

/* A flood that has just begun. It takes as many reports as an hour may have without being noticed,
 * so that the few of one small spam run are none. */
static bool is_burst(const struct place *place, double limit, const struct storm_limits *limits)
{
	const struct rate *rate = &place->rate;

	return count_hour(place) >= greater(LEAST_BURST, limits->minimum_per_hour) &&
	       (rate_per_hour(rate, 1u << RATE_BACKSCATTER, RATE_MINUTE) > BURST_FORGED * limit ||
		       rate_per_hour(rate, RATE_DOUBTFUL, RATE_MINUTE) > BURST_DOUBTFUL * limit);
}

static bool is_too_much(const struct place *place, double limit)
{
	return count_hour(place) >= LEAST_COUNT &&
	       rate_per_hour(&place->rate, RATE_DOUBTFUL, RATE_HOUR) > limit &&
	       rate_to_hourly(place->recent, RECENT_S) > limit;
}

/* True when a storm begins; the limit that it broke. */
static bool is_beginning(
	const struct place *place, const struct place_report *report, double *limit_out)
{
	const struct storm_limits *limits = report->limits;
	double normal = find_limit(place, limits);

	*limit_out = normal;
	if (is_burst(place, normal, limits))
		return true;
	if (report->is_host_storm)
		*limit_out = greater(limits->minimum_per_hour, limits->factor * find_usual(place));
	return is_too_much(place, *limit_out);
}

/* ---- what is to be told ---- */

static void schedule(struct place *place, enum storm_notice notice, int64_t due_s)
{
	if (*place->name == '\0')
		return; /* the host has no owners */
	place->notices[notice].due_s = due_s;
	place->notices[notice].number = ++place->last_number;
}

/* Not sooner behind the last one of its sort than the gap. */
static void schedule_seldom(struct place *place, enum storm_notice notice, int64_t now)
{
	int64_t told_s = place->notices[notice].told_s;

	if (told_s > now + SLACK_S)
		told_s = 0; /* the clock went back */
	schedule(place, notice, told_s == 0 ? now : later(now, told_s + STORM_NOTICE_GAP_S));
}

static void cancel(struct place *place, enum storm_notice notice)
{
	place->notices[notice].due_s = 0;
}

static bool is_claimed(const struct place *place, int64_t now)
{
	return place->lease_s != 0 && now < place->lease_s + STORM_LEASE_S &&
	       now > place->lease_s - SLACK_S;
}

bool place_find_due(const struct place *place, int64_t now, enum storm_notice *notice_out)
{
	if (is_claimed(place, now))
		return false;
	for (int i = 0; i < STORM_NOTICE_COUNT; i++) {
		int64_t due_s = place->notices[i].due_s;

		/* One that is far ahead was set by a clock that went back since. */
		if (due_s == 0 || (due_s > now && due_s <= now + STORM_LASTS_S + SLACK_S))
			continue;
		*notice_out = (enum storm_notice)i;
		return true;
	}
	return false;
}

void place_claim(struct place *place, enum storm_notice notice, int64_t now)
{
	place->lease_s = now;
	place->lease = place->notices[notice].number;
}

bool place_give_back(struct place *place, const struct storm *storm)
{
	if (place->lease_s == 0 || place->lease != storm->claim)
		return false;
	place->lease_s = 0;
	return true;
}

bool place_told(struct place *place, const struct storm *storm, int64_t now)
{
	struct place_notice *notice = &place->notices[storm->notice];

	if (place->lease == storm->claim)
		place->lease_s = 0;
	if (notice->number != storm->claim || notice->due_s == 0)
		return false;
	notice->told_s = now;
	cancel(place, storm->notice);
	if (storm->notice == STORM_NOTICE_LASTS && place->is_on)
		schedule(place, STORM_NOTICE_LASTS, now + STORM_LASTS_S);
	return true;
}

/* ---- begin and end ---- */

static void begin(struct place *place, double limit, int64_t now, int64_t *resumed_s_out)
{
	struct storm *storm = &place->storm;

	/* The end of the last one was not told: it goes on, and will be told as one. */
	if (place->notices[STORM_NOTICE_ENDED].due_s != 0) {
		*resumed_s_out = storm->ended_s;
		storm->ended_s = 0;
		cancel(place, STORM_NOTICE_ENDED);
	} else {
		*storm = (struct storm){.began_s = now, .usual = find_usual(place)};
	}
	storm->limit = limit;
	place->is_on = true;
	place->quiet_s = now;
	if (place->notices[STORM_NOTICE_BEGAN].told_s < storm->began_s)
		schedule_seldom(place, STORM_NOTICE_BEGAN, now);
	schedule(place, STORM_NOTICE_LASTS, now + STORM_LASTS_S);
}

static void finish(struct place *place, int64_t ended_s, int64_t now)
{
	place->is_on = false;
	place->storm.ended_s = ended_s;
	/* The past did not fade meanwhile. */
	place->past_s = later(place->past_s, ended_s);
	cancel(place, STORM_NOTICE_LASTS);
	/* That it ended says that it began. One that is being sent is left alone. */
	if (!is_claimed(place, now))
		cancel(place, STORM_NOTICE_BEGAN);
	schedule_seldom(place, STORM_NOTICE_ENDED, now);
}

static bool is_clock_wrong(const struct place *place, int64_t now)
{
	return place->quiet_s > now + FALL_S + SLACK_S;
}

bool place_is_in_storm(const struct place *place, int64_t now)
{
	return place->is_on && now < place->quiet_s + STORM_CALM_S && !is_clock_wrong(place, now);
}

bool place_settle(struct place *place, int64_t now)
{
	if (!place->is_on || place_is_in_storm(place, now))
		return false;
	finish(place, is_clock_wrong(place, now) ? now : place->quiet_s + STORM_CALM_S, now);
	return true;
}

bool place_is_open(const struct place *place)
{
	for (size_t i = 0; i < STORM_NOTICE_COUNT; i++) {
		if (place->notices[i].due_s != 0)
			return true;
	}
	return place->is_on;
}

static void add_numbers(struct place *place, const struct place_report *report)
{
	struct storm *storm = &place->storm;
	uint64_t *const numbers[RATE_CLASS_COUNT] = {[RATE_GENUINE] = &storm->genuine,
		[RATE_UNPROVEN] = &storm->unproven,
		[RATE_BACKSCATTER] = &storm->backscatter};

	storm->total++;
	++*numbers[report->class];
	storm->held += report->is_held;
	/* A burst breaks the limit by its minutes, long before the hour's counter has caught up. */
	for (enum rate_window window = RATE_MINUTE; window <= RATE_HOUR; window++)
		storm->peak =
			greater(storm->peak, rate_per_hour(&place->rate, RATE_DOUBTFUL, window));
}

enum storm_change place_step(
	struct place *place, const struct place_report *report, int64_t now, int64_t *resumed_s_out)
{
	bool was_on = place->is_on;
	double limit;

	*resumed_s_out = 0;
	place_settle(place, now);
	if (place->is_on && report->limits == NULL)
		finish(place, now, now);
	count(place, report, now);
	if (!place->is_on && report->limits != NULL) {
		follow(place, find_limit(place, report->limits), now);
		if (report->class != RATE_GENUINE && is_beginning(place, report, &limit))
			begin(place, limit, now, resumed_s_out);
	}
	if (place->is_on) {
		follow(place, place->storm.limit, now);
		add_numbers(place, report);
	}
	if (was_on == place->is_on)
		return STORM_SAME;
	return was_on ? STORM_ENDED : STORM_BEGAN;
}

struct storm place_storm(const struct place *place, int64_t now)
{
	struct place copy = *place;

	place_settle(&copy, now);
	copy.storm.list = copy.name;
	copy.storm.is_on = copy.is_on;
	return copy.storm;
}

/* ---- in the state ---- */

static int count_at(struct state *state, MDB_txn *transaction, const char *name,
	struct place_report *report, const struct event *event, enum storm_change *change_out)
{
	void *context = mem_context(NULL, "place");
	struct place place;
	int64_t resumed_s = 0;
	int code = place_get(state, transaction, context, name, &place);

	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		goto out;
	code = MDB_SUCCESS;
	*change_out = place_step(&place, report, event->time_s, &resumed_s);
	if (resumed_s != 0)
		code = place_remove_past(state, transaction, name, resumed_s);
	if (code == MDB_SUCCESS && *change_out == STORM_ENDED) {
		struct storm storm = place_storm(&place, event->time_s);
		code = place_put_past(state, transaction, &storm, event->time_s);
	}
	if (code == MDB_SUCCESS)
		code = place_put(state, transaction, &place);
	/* What the host suffers is told to its lists, which come second. */
	report->is_host_storm = place_is_in_storm(&place, event->time_s);
out:
	mem_free(context);
	return code;
}

int storm_count(struct state *state, MDB_txn *transaction, struct event *event)
{
	struct place_report report = {.class = event->rates->class,
		.is_held = event->action == ACTION_HOLD,
		.limits = event->rates->limits};
	int code;

	event->list_storm = event->host_storm = STORM_SAME;
	code = count_at(state, transaction, "", &report, event, &event->host_storm);
	if (code == MDB_SUCCESS && event->list != NULL && *event->list != '\0')
		code = count_at(
			state, transaction, event->list, &report, event, &event->list_storm);
	return code;
}

/* ---- looking ---- */

struct storm_search {
	const void *context;
	const char *name;
	int64_t now;
	struct storm *storm; /* the result; or NULL */
};

/* A copy on context. */
static struct storm *copy_storm(const void *context, const struct storm *storm)
{
	struct storm *copy = mem_new(context, struct storm);

	*copy = *storm;
	copy->list = mem_strdup(copy, storm->list);
	return copy;
}

static int find_storm(struct state *state, MDB_txn *transaction, void *argument)
{
	struct storm_search *search = argument;
	void *context = mem_context(NULL, "place");
	struct place place;
	int code = place_get(state, transaction, context, search->name, &place);

	if (code == MDB_SUCCESS && place_is_in_storm(&place, search->now)) {
		struct storm storm = place_storm(&place, search->now);
		search->storm = copy_storm(search->context, &storm);
	} else if (code == MDB_SUCCESS) {
		code = MDB_NOTFOUND;
	}
	mem_free(context);
	return code;
}

enum status storm_find(struct state *state, const void *context, const char *list, int64_t now,
	struct storm **storm_out)
{
	struct storm_search search = {.context = context, .name = list, .now = now};
	enum status status = STATUS_NOT_FOUND;

	if (box_has(state, BOX_STORMS))
		status = box_read(state, find_storm, &search);
	*storm_out = search.storm;
	return status;
}
