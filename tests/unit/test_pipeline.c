/*
 * test_pipeline.c: the stages together, on a real state: judging changes nothing, and acting costs
 * one write transaction a message, whatever is done with it. What goes where is for
 * tests/cli/deliver.t.
 */
#include "pipeline.h"

#include "base/log.h"
#include "state_place.h"

#define NOW INT64_C(1795478400) /* 2026-11-24T00:00:00Z */

/* A report with one hop of the original in it, from an address of the documentation's. */
#define REPORT(to, hop)                                                                            \
	"Return-Path: <>\nDelivered-To: " to "\n"                                                  \
	"Received: from mx.example.net (mx.example.net [203.0.113.25])\n\tby lists.example.org; "  \
	"Mon, 23 Nov 2026 00:00:00 +0000\n"                                                        \
	"From: MAILER-DAEMON@mx.example.net\nMIME-Version: 1.0\n"                                  \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"              \
	"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"     \
	"Final-Recipient: rfc822; ann@example.net\nAction: failed\nStatus: 5.1.1\n\n"              \
	"--b\nContent-Type: message/rfc822\n\n"                                                    \
	"Received: from host ([" hop "])\n\tby mx.example.net; Mon, 23 Nov 2026 00:00:00 +0000\n"  \
	"Message-ID: <1@lists.example.org>\n\n--b--\n"

#define GENUINE(to) REPORT(to, "192.0.2.10")
#define FORGED(to) REPORT(to, "198.51.100.66")
#define ORDINARY(to) "Delivered-To: " to "\nFrom: bob@example.net\nSubject: hello\n\ntext\n"

static const char config_text[] =
	"mode = enforce\nstate = \"%s\"\nsendmail = \"/bin/true\"\n"
	"domain \"lists.example.org\" { senders = {\"192.0.2.10\"} }\n"
	"list \"forward@lists.example.org\" { owners = {\"alice@example.org\"} ordinary = hold }\n"
	"list \"file@lists.example.org\" {\n"
	"	owners = {\"alice@example.org\"}\n"
	"	genuine = \"maildir:%s.box\"\n"
	"	backscatter = \"hold\"\n"
	"}\n"
	"list \"pipe@lists.example.org\" {\n"
	"	owners = {\"alice@example.org\"}\n"
	"	genuine = \"pipe:cat >/dev/null\"\n"
	"	backscatter = \"pipe:exit 1\"\n"
	"}\n"
	"list \"limited@lists.example.org\" {\n"
	"	owners = {\"alice@example.org\"}\n"
	"	owner-limit = \"2/hour\"\n"
	"}\n";

static const struct config *config;
static struct state *state;

static void set_up_pipeline(void)
{
	struct config_faults faults = {NULL, 0};
	char path[PATH_MAX + 64];
	FILE *file;

	set_up();
	snprintf(path, sizeof path, "%s.conf", place);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, config_text, place, place);
	fclose(file);
	ck_assert_msg(config_read(context, path, &config, &faults) == STATUS_OK, "%s",
		faults.count > 0 ? faults.items[0].text : "the configuration is not read");
	log_open("/dev/null", LOG_LEVEL_ERROR);
	mail_library_open();
	state = open_state(STATE_WRITE);
}

/* Judges and acts, with the state or without. */
static enum status process(const char *text, struct state *with, struct event *event_out)
{
	struct pipeline *pipeline = pipeline_new(context, config, with);
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct judgement judgement;
	const char *error = NULL;

	pipeline->now = NOW;
	pipeline_judge(pipeline, context, raw, NULL, &judgement);
	enum status status = pipeline_act(pipeline, context, &judgement, event_out, &error);
	ck_assert_msg((status == STATUS_OK) == (error == NULL), "status %s, but the sentence is %s",
		status_text(status), error == NULL ? "missing" : error);
	return status;
}

static const struct {
	const char *name;
	const char *text;
	enum action action;
	enum status status;	   /* of acting */
	unsigned transactions;	   /* that it costs */
	enum status without_state; /* of acting when there is no state */
	unsigned held;		   /* records afterwards */
} rows[] = {
	{"forward", GENUINE("forward@lists.example.org"), ACTION_FORWARD, STATUS_OK, 1, STATUS_OK,
		0},
	{"file", GENUINE("file@lists.example.org"), ACTION_FILE, STATUS_OK, 1, STATUS_OK, 0},
	{"pipe", GENUINE("pipe@lists.example.org"), ACTION_PIPE, STATUS_OK, 1, STATUS_OK, 0},
	{"drop", FORGED("forward@lists.example.org"), ACTION_DROP, STATUS_OK, 1, STATUS_STATE, 1},
	{"hold", FORGED("file@lists.example.org"), ACTION_HOLD, STATUS_OK, 1, STATUS_STATE, 1},
	{"hold, ordinary", ORDINARY("forward@lists.example.org"), ACTION_HOLD, STATUS_OK, 1,
		STATUS_STATE, 1},
	{"unclaimed", GENUINE("none@elsewhere.example"), ACTION_FILE, STATUS_OK, 1, STATUS_OK, 0},
	{"pipe that fails", FORGED("pipe@lists.example.org"), ACTION_PIPE, STATUS_CHILD, 0,
		STATUS_CHILD, 0},
	{"empty", "", ACTION_FILE, STATUS_OK, 1, STATUS_OK, 0},
};

static unsigned count_held(void)
{
	struct state_size size;

	ck_assert_status(state_measure(state, &size), STATUS_OK);
	return (unsigned)size.held;
}

START_TEST(costs_one_transaction)
{
	struct event event;

	for (unsigned time = 1; time <= 3; time++) {
		uint64_t before = state_transaction_count(state);
		enum status status = process(rows[_i].text, state, &event);
		uint64_t cost = state_transaction_count(state) - before;

		ck_assert_msg(status == rows[_i].status, "%s: got %s, want %s", rows[_i].name,
			status_text(status), status_text(rows[_i].status));
		ck_assert_msg(event.action == rows[_i].action, "%s: got %s, want %s", rows[_i].name,
			action_name(event.action), action_name(rows[_i].action));
		ck_assert_msg(cost == rows[_i].transactions,
			"%s, time %u: got %llu write transactions, want %u", rows[_i].name, time,
			(unsigned long long)cost, rows[_i].transactions);
		ck_assert_msg(count_held() == rows[_i].held * time, "%s: got %u held, want %u",
			rows[_i].name, count_held(), rows[_i].held * time);
	}
}
END_TEST

START_TEST(event_says_why)
{
	struct event event;

	process(GENUINE("file@lists.example.org"), state, &event);
	ck_assert_str_eq(event.reason, "userunknown");
	ck_assert_str_eq(event.status, "5.1.1");
	ck_assert_str_eq(event.permanence, "permanent");
	process(ORDINARY("file@lists.example.org"), state, &event);
	ck_assert_ptr_null(event.reason);
	ck_assert_ptr_null(event.status);
	ck_assert_ptr_null(event.permanence);
}
END_TEST

START_TEST(judging_changes_nothing)
{
	struct pipeline *pipeline = pipeline_new(context, config, state);
	struct bytes raw = {(const unsigned char *)rows[_i].text, strlen(rows[_i].text)};
	uint64_t before = state_transaction_count(state);
	struct judgement judgement;

	pipeline->now = NOW;
	pipeline_judge(pipeline, context, raw, NULL, &judgement);
	ck_assert_msg(judgement.decision.target.action == rows[_i].action, "%s: got %s, want %s",
		rows[_i].name, action_name(judgement.decision.target.action),
		action_name(rows[_i].action));
	ck_assert_msg(state_transaction_count(state) == before,
		"%s: judging wrote %llu transactions", rows[_i].name,
		(unsigned long long)(state_transaction_count(state) - before));
}
END_TEST

START_TEST(does_without_state_what_it_can)
{
	struct event event;
	enum status status = process(rows[_i].text, NULL, &event);

	ck_assert_msg(status == rows[_i].without_state, "%s: got %s, want %s", rows[_i].name,
		status_text(status), status_text(rows[_i].without_state));
	ck_assert_msg(count_held() == 0, "%s: got %u held, want 0", rows[_i].name, count_held());
}
END_TEST

/* What is dropped is let go of in the transaction of a later message, not in one of its own. */
START_TEST(expiry_costs_nothing_more)
{
	struct pipeline *pipeline = pipeline_new(context, config, state);
	const char *text = FORGED("forward@lists.example.org");
	struct bytes raw = {(const unsigned char *)text, strlen(text)};

	for (int day = 0; day < 20; day++) {
		uint64_t before = state_transaction_count(state);
		struct judgement judgement;
		struct event event;
		const char *error = NULL;

		pipeline->now = NOW + day * INT64_C(86400);
		pipeline_judge(pipeline, context, raw, NULL, &judgement);
		ck_assert_status(
			pipeline_act(pipeline, context, &judgement, &event, &error), STATUS_OK);
		ck_assert_msg(state_transaction_count(state) - before == 1,
			"day %d: got %llu write transactions, want 1", day,
			(unsigned long long)(state_transaction_count(state) - before));
	}
	ck_assert_msg(count_held() >= 7 && count_held() <= 8,
		"one was dropped each day and is kept for seven: got %u, want 7 or 8",
		count_held());
}
END_TEST

START_TEST(a_limit_costs_nothing_more)
{
	struct event event;

	for (unsigned number = 1; number <= 5; number++) {
		uint64_t before = state_transaction_count(state);

		ck_assert_status(
			process(GENUINE("limited@lists.example.org"), state, &event), STATUS_OK);
		ck_assert_msg(event.action == (number <= 2 ? ACTION_FORWARD : ACTION_HOLD),
			"number %u: got %s", number, action_name(event.action));
		ck_assert_int_eq(event.policy, ACTION_FORWARD);
		ck_assert_uint_eq(state_transaction_count(state) - before, 1);
	}
	ck_assert_uint_eq(count_held(), 3);
	/* Without a state nothing is counted, and nothing waits. */
	for (unsigned number = 1; number <= 5; number++) {
		ck_assert_status(
			process(GENUINE("limited@lists.example.org"), NULL, &event), STATUS_OK);
		ck_assert_int_eq(event.action, ACTION_FORWARD);
	}
}
END_TEST

/* The owners get it at once where it cannot be kept: STATE/held is a file here. */
START_TEST(what_cannot_be_kept_is_sent)
{
	struct event event;
	char path[PATH_MAX + 64];
	FILE *file;

	snprintf(path, sizeof path, "%s/held", place);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	for (unsigned number = 1; number <= 3; number++) {
		ck_assert_status(
			process(GENUINE("limited@lists.example.org"), state, &event), STATUS_OK);
		ck_assert_int_eq(event.action, ACTION_FORWARD);
		ck_assert_uint_ne(event.id, 0);
	}
	ck_assert_uint_eq(count_held(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pipeline");
	TCase *tcase = tcase_create("pipeline");

	tcase_add_checked_fixture(tcase, set_up_pipeline, tear_down);
	tcase_add_loop_test(tcase, costs_one_transaction, 0, ROWS(rows));
	tcase_add_test(tcase, event_says_why);
	tcase_add_loop_test(tcase, judging_changes_nothing, 0, ROWS(rows));
	tcase_add_loop_test(tcase, does_without_state_what_it_can, 0, ROWS(rows));
	tcase_add_test(tcase, a_limit_costs_nothing_more);
	tcase_add_test(tcase, what_cannot_be_kept_is_sent);
	tcase_add_test(tcase, expiry_costs_nothing_more);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
