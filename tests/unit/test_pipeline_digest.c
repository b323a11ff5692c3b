/*
 * test_pipeline_digest.c: what a list's owner gets of a flood, message by message, with a fixed
 * clock: deliveries that send what is due as `backstop deliver` does, and a digest every five
 * minutes. BACKSTOP_STORM_DAY=1: an hour of 50,000 forged reports with 500 genuine ones.
 */
#include "pipeline_digest.h"

#include <dirent.h>

#include "base/log.h"
#include "state/ledger.h"
#include "state_place.h"

#define MORNING INT64_C(1795478400) /* 2026-11-24T00:00:00Z */
#define LIST "announce@lists.example.org"
enum { HOUR = 60 * 60, TEXT_MAX_HERE = 4 * 1024 * 1024 };

static const struct config *config;
static struct state *state;
static char outbox[PATH_MAX + 64];

static void write_file(const char *path, mode_t mode, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void set_up_list(void)
{
	struct config_faults faults = {NULL, 0};
	char *path, *sendmail;

	set_up();
	path = mem_printf(context, "%s.conf", place);
	sendmail = mem_printf(context, "%s.sendmail", place);
	snprintf(outbox, sizeof outbox, "%s.sent", place);
	ck_assert_int_eq(mkdir(outbox, 0700), 0);
	write_file(sendmail, 0700, mem_printf(context, "#!/bin/sh\nexec cat >'%s'/$$\n", outbox));
	write_file(path, 0600,
		mem_printf(context,
			"mode = enforce\nstate = \"%s\"\nsendmail = \"%s\"\n"
			"domain \"lists.example.org\" { senders = {\"192.0.2.10\"} }\n"
			"list \"" LIST "\" { owners = {\"alice@example.org\"} }\n",
			place, sendmail));
	ck_assert_msg(config_read(context, path, &config, &faults) == STATUS_OK, "%s",
		faults.count > 0 ? faults.items[0].text : "the configuration is not read");
	log_open("/dev/null", LOG_LEVEL_ERROR);
	mail_library_open();
	state = open_state(STATE_WRITE);
}

/* ---- what was sent ---- */

/* All of it, one behind the other; count_out: how many. */
static char *read_outbox(int *count_out)
{
	char *text = mem_alloc(context, TEXT_MAX_HERE);
	DIR *folder = opendir(outbox);
	size_t size = 0;

	*count_out = 0;
	ck_assert_ptr_nonnull(folder);
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		char *path = mem_printf(context, "%s/%s", outbox, entry->d_name);
		FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");

		if (file == NULL)
			continue;
		size += fread(text + size, 1, TEXT_MAX_HERE - 1 - size, file);
		fclose(file);
		++*count_out;
	}
	closedir(folder);
	return text;
}

static int count_messages(void)
{
	int count;

	mem_free(read_outbox(&count));
	return count;
}

static void note_nothing(void *argument, const char *list, enum status status, const char *what)
{
	(void)argument;
	ck_assert_msg(status == STATUS_OK, "%s: %s", list, what);
}

static void send_due(int64_t now, const char *list)
{
	void *memory = mem_context(NULL, "digest");
	struct digest_run run = {.pipeline = pipeline_new(memory, config, state),
		.list = list,
		.is_delivery = list != NULL,
		.tell = note_nothing};

	run.pipeline->now = now;
	ck_assert_status(pipeline_send_digests(&run), STATUS_OK);
	mem_free(memory);
}

/* ---- what comes in ---- */

static enum action deliver(int number, bool is_genuine, int64_t now)
{
	void *memory = mem_context(NULL, "message");
	struct pipeline *pipeline = pipeline_new(memory, config, state);
	const char *error = NULL;
	const char *text = mem_printf(memory,
		"Return-Path: <>\nDelivered-To: " LIST "\n"
		"Received: from mx.example.net (mx.example.net [203.0.113.25])\n\tby "
		"lists.example.org; Mon, 23 Nov 2026 00:00:00 +0000\n"
		"From: MAILER-DAEMON@mx.example.net\nMIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; "
		"mx.example.net\n\nFinal-Recipient: rfc822; r%d@example.net\nAction: failed\n"
		"Status: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n"
		"Received: from host ([%s])\n\tby mx.example.net; Mon, 23 Nov 2026 00:00:00 "
		"+0000\nMessage-ID: <%d@lists.example.org>\n\n--b--\n",
		number, is_genuine ? "192.0.2.10" : "198.51.100.66", number);
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct judgement judgement;
	struct event event;

	pipeline->now = now;
	pipeline_judge(pipeline, memory, raw, NULL, &judgement);
	ck_assert_status(pipeline_act(pipeline, memory, &judgement, &event, &error), STATUS_OK);
	mem_free(memory);
	send_due(now, LIST);
	return event.action;
}

static void fill_ledger(int count)
{
	struct ledger_entry *entries = mem_new_array(context, struct ledger_entry, (size_t)count);

	for (int i = 0; i < count; i++)
		entries[i] = (struct ledger_entry){.sent_s = MORNING - HOUR,
			.message_id = mem_printf(context, "<%d@lists.example.org>", i),
			.recipient = mem_printf(context, "r%d@example.net", i)};
	ck_assert_status(
		ledger_add(state, LEDGER_FEED_BATCH, MORNING, entries, (size_t)count, NULL),
		STATUS_OK);
}

static void expect_each(const char *text, int count)
{
	for (int i = 0; i < count; i++) {
		char *address = mem_printf(context, " r%d@example.net", i);
		ck_assert_msg(strstr(text, address) != NULL, "the owner is not told of%s", address);
		mem_free(address);
	}
}

/* At most three messages, and each genuine report is in one of them or can be released. */
START_TEST(a_flood_is_three_messages_at_most)
{
	bool is_long = getenv("BACKSTOP_STORM_DAY") != NULL;
	int span_s = is_long ? HOUR : 60, forged = is_long ? 50000 : 833,
	    genuine = is_long ? 500 : 8;
	int f = 0, g = 0, count;
	int64_t now = MORNING + HOUR;
	char *text;

	fill_ledger(genuine);
	for (int second = 1; second <= span_s; second++) {
		for (; f < forged * second / span_s; f++)
			deliver(1000000 + f, false, now + second);
		for (; g < genuine * second / span_s; g++)
			deliver(g, true, now + second);
		if (second % 300 == 0)
			send_due(now + second, NULL);
	}
	count = count_messages();
	ck_assert_msg(count >= 1 && count <= 2, "while it lasts: got %d messages", count);
	for (int minute = 0; minute < 120; minute += 5)
		send_due(now + span_s + minute * 60, NULL);
	text = read_outbox(&count);
	ck_assert_msg(count >= 2 && count <= 3, "in all: got %d messages", count);
	ck_assert_ptr_nonnull(strstr(text, "storm of reports since"));
	ck_assert_ptr_nonnull(strstr(text, "storm is over: "));
	if (is_long)
		printf("%d messages\n", count);
	expect_each(text, genuine);
	send_due(now + 30 * HOUR, NULL);
	ck_assert_int_eq(count_messages(), count);
}
END_TEST

/* One message a day while it lasts, with what was kept by then. */
START_TEST(a_long_storm_is_a_message_a_day)
{
	int count;
	char *text;

	fill_ledger(2);
	for (int minute = 0; minute <= 26 * 60; minute++) {
		for (int i = 0; i < (minute < 60 ? 25 : 8); i++)
			deliver(1000000 + 25 * minute + i, false, MORNING + minute * 60);
		if (minute == 5 || minute == 25 * 60)
			deliver(minute / (24 * 60), true, MORNING + minute * 60);
	}
	text = read_outbox(&count);
	ck_assert_int_eq(count, 2);
	ck_assert_ptr_nonnull(strstr(text, "storm of reports lasts: "));
	expect_each(text, 1);
	ck_assert_ptr_null(strstr(text, " r1@example.net"));
	send_due(MORNING + 30 * HOUR, NULL);
	text = read_outbox(&count);
	ck_assert_int_eq(count, 3);
	expect_each(text, 2);
}
END_TEST

int main(void)
{
	/* Nothing here is about what is on the disk, and all of it is synced. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	Suite *suite = suite_create("pipeline digest");
	TCase *tcase = tcase_create("pipeline digest");

	tcase_add_checked_fixture(tcase, set_up_list, tear_down);
	tcase_set_timeout(tcase, getenv("BACKSTOP_STORM_DAY") != NULL ? 1800 : 60);
	tcase_add_test(tcase, a_flood_is_three_messages_at_most);
	tcase_add_test(tcase, a_long_storm_is_a_message_a_day);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
