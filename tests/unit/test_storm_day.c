/*
 * test_storm_day.c: a day of many lists, simulated through the stages with a fixed clock: quiet,
 * then a flood of forged reports at one list with genuine ones among them. `make check` has a short
 * one; `make check-storm` (BACKSTOP_STORM_DAY=1) one of 2,000 lists, 50,000 forged reports and 500
 * genuine ones in an hour.
 */
#include "base/log.h"
#include "pipeline.h"
#include "state/ledger.h"
#include "state/storm.h"
#include "state_place.h"

#define MORNING INT64_C(1795478400) /* 2026-11-24T00:00:00Z */
#define HOUR (60 * 60)
#define FLOODED "list0@lists.example.org"
#define QUIET_EVERY 3 /* one of so many quiet reports is genuine */

struct day {
	int lists;
	int span_s;
	int flood_at_s, flood_s;
	int forged, genuine;
	int quiet; /* reports of the other lists, in all of it */
};

static const struct day days[] = {
	/* The same rate for a minute. */
	{20, 3 * HOUR, HOUR / 2, 60, 830, 9, 120},
	{2000, 24 * HOUR, 12 * HOUR, HOUR, 50000, 500, 6000},
};

/* What the forged reports are like: so many of a hundred cannot be told from genuine ones by the
 * hop that they show; the owners may get a few of these before it is a storm. */
static const struct {
	const char *name;
	int unproven;
	int owner_messages; /* at most: single ones, and those at the start and the end */
} floods[] = {
	{"all forged ones are proven to be", 0, 3},
	{"a fifth is not", 20, 16},
	{"none is", 100, 80},
};

static const struct day *day;
static const struct config *config;

static void set_up_day(void)
{
	struct config_faults faults = {NULL, 0};
	char path[PATH_MAX + 64];
	FILE *file;

	set_up();
	day = &days[getenv("BACKSTOP_STORM_DAY") != NULL];
	snprintf(path, sizeof path, "%s.conf", place);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file,
		"mode = enforce\nstate = \"%s\"\nsendmail = \"/bin/true\"\n"
		"domain \"lists.example.org\" { senders = {\"192.0.2.10\"} }\n",
		place);
	for (int i = 0; i < day->lists; i++)
		fprintf(file,
			"list \"list%d@lists.example.org\" { owners = {\"alice@example.org\"} }\n",
			i);
	fclose(file);
	ck_assert_msg(config_read(context, path, &config, &faults) == STATUS_OK, "%s",
		faults.count > 0 ? faults.items[0].text : "the configuration is not read");
	log_open("/dev/null", LOG_LEVEL_ERROR);
	mail_library_open();
}

/* How a report comes to its verdict. */
enum proof { PROOF_LEDGER, PROOF_HOP, PROOF_NONE, PROOF_AGAINST };

static char *make_report(const void *memory, int list, int number, enum proof proof)
{
	static const char *const hops[] = {"Received: from host ([192.0.2.10])\n\tby "
					   "mx.example.net; Mon, 23 Nov 2026 00:00:00 +0000\n",
		"Received: from host ([192.0.2.10])\n\tby mx.example.net; Mon, 23 Nov 2026 "
		"00:00:00 +0000\n",
		"",
		"Received: from host ([198.51.100.66])\n\tby mx.example.net; Mon, 23 Nov 2026 "
		"00:00:00 +0000\n"};

	return mem_printf(memory,
		"Return-Path: <>\nDelivered-To: list%d@lists.example.org\n"
		"Received: from mx.example.net (mx.example.net [203.0.113.%d])\n\tby "
		"lists.example.org; Mon, 23 Nov 2026 00:00:00 +0000\n"
		"From: MAILER-DAEMON@mx.example.net\nMIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; "
		"mx.example.net\n\nFinal-Recipient: rfc822; r%d@example.net\nAction: failed\n"
		"Status: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n%s"
		"Message-ID: <%d@lists.example.org>\n\n--b--\n",
		list, number % 250 + 1, number, hops[proof], number);
}

/* What became of one message. */
struct outcome {
	enum verdict verdict;
	enum action action, policy;
	int score;
	uint64_t id;
	bool is_storm;
	enum storm_change change;
};

static struct outcome process(
	struct state *state, int list, int number, enum proof proof, int64_t now)
{
	void *memory = mem_context(NULL, "message");
	struct pipeline *pipeline = pipeline_new(memory, config, state);
	const char *text = make_report(memory, list, number, proof), *error = NULL;
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct judgement judgement;
	struct event event;

	pipeline->now = now;
	pipeline_judge(pipeline, memory, raw, NULL, &judgement);
	enum status status = pipeline_act(pipeline, memory, &judgement, &event, &error);
	ck_assert_msg(status == STATUS_OK, "%s", error);
	struct outcome outcome = {event.verdict, event.action, event.policy, event.score, event.id,
		judgement.is_storm, event.list_storm};
	mem_free(memory);
	return outcome;
}

/* How many of `count` things that are spread over span_s from at_s on have come before second. */
static int due(int count, int at_s, int span_s, int second)
{
	if (second <= at_s)
		return 0;
	return second >= at_s + span_s ? count : (int)((int64_t)count * (second - at_s) / span_s);
}

/* What was seen of a day. */
struct course {
	struct outcome *quiet;	 /* of each report of the other lists */
	struct outcome *genuine; /* of each genuine one of the flood */
	int singles;		 /* messages to the flooded list's owners, one a bounce */
	int notices;
	int64_t began_s, ended_s;
};

static int flood(struct state *state, struct course *course, int unproven, int second)
{
	int until = due(day->forged, day->flood_at_s, day->flood_s, second + 1), count = 0;

	for (int i = due(day->forged, day->flood_at_s, day->flood_s, second); i < until; i++) {
		enum proof proof = i * 37 % 100 < unproven ? PROOF_NONE : PROOF_AGAINST;
		struct outcome outcome = process(state, 0, 1000000 + i, proof, MORNING + second);

		count += outcome.action == ACTION_FORWARD;
		if (outcome.change == STORM_BEGAN && course->began_s == 0)
			course->began_s = second;
		if (outcome.is_storm && proof == PROOF_NONE)
			ck_assert_int_eq(outcome.action, ACTION_HOLD);
	}
	until = due(day->genuine, day->flood_at_s, day->flood_s, second + 1);
	for (int i = due(day->genuine, day->flood_at_s, day->flood_s, second); i < until; i++) {
		struct outcome outcome = process(state, 0, 2000000 + i,
			i % 2 == 0 ? PROOF_LEDGER : PROOF_HOP, MORNING + second);

		course->genuine[i] = outcome;
		/* A proven one of a storm is the digest's. */
		count += outcome.action == ACTION_FORWARD && !outcome.is_storm;
	}
	return count;
}

/* As a digest each minute would. */
static void tell(struct state *state, struct course *course, int second)
{
	struct storm *storm;

	while (storm_claim_due(state, context, MORNING + second, NULL, &storm) == STATUS_OK) {
		ck_assert_str_eq(storm->list, FLOODED);
		/* The storm weighs against what only a hop proves; it counts as genuine all the
		 * same, else a storm would feed itself. */
		if (storm->notice == STORM_NOTICE_ENDED)
			ck_assert_msg(storm->genuine + 3 >= (uint64_t)day->genuine,
				"%d genuine, but %llu counted", day->genuine,
				(unsigned long long)storm->genuine);
		ck_assert_status(storm_told(state, storm, MORNING + second), STATUS_OK);
		course->notices++;
	}
	if (course->began_s != 0 && course->ended_s == 0 &&
		storm_find(state, context, FLOODED, MORNING + second, &storm) == STATUS_NOT_FOUND)
		course->ended_s = second;
}

static void live(struct state *state, struct course *course, int unproven)
{
	course->quiet = mem_new_array(context, struct outcome, (size_t)day->quiet);
	course->genuine = mem_new_array(context, struct outcome, (size_t)day->genuine);
	for (int second = 0; second < day->span_s; second++) {
		int until = due(day->quiet, 0, day->span_s, second + 1);

		for (int i = due(day->quiet, 0, day->span_s, second); i < until; i++)
			course->quiet[i] = process(state, 1 + i % (day->lists - 1), 3000000 + i,
				i % QUIET_EVERY == 0 ? PROOF_HOP
						     : (i % 2 == 0 ? PROOF_NONE : PROOF_AGAINST),
				MORNING + second);
		if (unproven >= 0)
			course->singles += flood(state, course, unproven, second);
		if (second % 60 == 59)
			tell(state, course, second);
	}
}

static void fill_ledger(struct state *state)
{
	struct ledger_entry *entries =
		mem_new_array(context, struct ledger_entry, (size_t)day->genuine);

	for (int i = 0; i < day->genuine; i++) {
		int number = 2000000 + i;
		entries[i] = (struct ledger_entry){.sent_s = MORNING - HOUR,
			.message_id = mem_printf(context, "<%d@lists.example.org>", number),
			.recipient = mem_printf(context, "r%d@example.net", number)};
	}
	ck_assert_status(
		ledger_add(state, LEDGER_FEED_BATCH, MORNING, entries, (size_t)day->genuine, NULL),
		STATUS_OK);
}

/* Each genuine one went out, or can be released. */
static void check_genuine(struct state *state, const struct course *course)
{
	for (int i = 0; i < day->genuine; i++) {
		const struct outcome *outcome = &course->genuine[i];
		struct held *held = NULL;
		char path[PATH_MAX + 600];

		if (outcome->action == ACTION_FORWARD)
			continue;
		ck_assert_int_eq(outcome->action, ACTION_HOLD);
		ck_assert_status(record_find_held(state, context, outcome->id, &held), STATUS_OK);
		ck_assert_int_eq(held->expires_s, 0);
		snprintf(path, sizeof path, "%s/held/new/%s", place, held->file);
		ck_assert_msg(access(path, R_OK) == 0, "%s is not there", path);
	}
}

static void check_quiet(const struct course *with, const struct course *without)
{
	int differing = 0;

	for (int i = 0; i < day->quiet; i++) {
		const struct outcome *a = &with->quiet[i], *b = &without->quiet[i];
		differing += a->verdict != b->verdict || a->action != b->action ||
			     a->policy != b->policy || a->score != b->score || a->is_storm;
	}
	ck_assert_msg(differing == 0, "%d reports at other lists ended otherwise", differing);
}

START_TEST(a_day_with_a_flood)
{
	struct course with = {0}, without = {0};
	uint64_t records, faults;
	struct state *state = open_state(STATE_WRITE);

	fill_ledger(state);
	live(state, &with, floods[_i].unproven);
	int64_t took_s = with.began_s - day->flood_at_s;
	int64_t late_s = with.ended_s - (day->flood_at_s + day->flood_s);

	if (getenv("BACKSTOP_STORM_DAY") != NULL)
		printf("%s: a storm after %lld s, over %lld min after the flood, %d single "
		       "messages, %d notices\n",
			floods[_i].name, (long long)took_s, (long long)late_s / 60, with.singles,
			with.notices);
	ck_assert_msg(
		with.began_s != 0 && took_s <= 120, "a storm after %lld s", (long long)took_s);
	ck_assert_msg(with.ended_s != 0 && late_s > 0 && late_s <= 2 * HOUR,
		"over %lld s after the flood", (long long)late_s);
	ck_assert_int_eq(with.notices, 2);
	ck_assert_msg(with.singles + with.notices <= floods[_i].owner_messages,
		"%s: %d single messages and %d notices", floods[_i].name, with.singles,
		with.notices);
	check_genuine(state, &with);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
	state_close(state);

	/* The same day without. */
	strcat(place, "2");
	live(open_state(STATE_WRITE), &without, -1);
	ck_assert_int_eq(without.notices, 0);
	check_quiet(&with, &without);
}
END_TEST

int main(void)
{
	/* Nothing here is about what is on the disk, and all of it is synced. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	Suite *suite = suite_create("storm day");
	TCase *tcase = tcase_create("storm day");

	tcase_add_checked_fixture(tcase, set_up_day, tear_down);
	tcase_set_timeout(tcase, getenv("BACKSTOP_STORM_DAY") != NULL ? 1800 : 60);
	tcase_add_loop_test(tcase, a_day_with_a_flood, 0, ROWS(floods));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
