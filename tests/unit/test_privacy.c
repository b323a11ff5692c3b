/* test_privacy.c: what an event keeps of addresses: all, a mark by which the same address is known
 * again, or nothing; and what stays in any case. */
#include "base/privacy.h"

#include "state/parts.h"
#include "state_place.h"

#define LIST "announce@lists.example.org"

static struct state *state;

static void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
}

static void hide(enum privacy privacy)
{
	const struct record_policy policy = {.privacy = privacy};

	record_set_policy(state, &policy);
}

static struct event sample(void)
{
	return (struct event){.time_s = 1000,
		.list = LIST,
		.reporter = "198.51.100.7",
		.sender = "bob@example.com",
		.recipient = "announce-bounces+ann=example.net@lists.example.org",
		.failed = "ann@example.net, carl@example.com",
		.message_id = "<1@lists.example.org>",
		.queue_id = "4F2",
		.evidence = "tag:missing-40"};
}

static const char *keep(const char *text)
{
	return text == NULL ? NULL : mem_strdup(context, text);
}

static enum status keep_event(void *argument, const struct event *event)
{
	struct event *kept = argument;

	*kept = *event;
	kept->sender = keep(event->sender);
	kept->recipient = keep(event->recipient);
	kept->failed = keep(event->failed);
	kept->list = keep(event->list);
	kept->message_id = keep(event->message_id);
	kept->reporter = keep(event->reporter);
	kept->queue_id = keep(event->queue_id);
	kept->evidence = keep(event->evidence);
	return STATUS_OK;
}

/* As it was written last. */
static struct event record(const struct event *event)
{
	struct event given = *event, kept = {.id = 0};

	ck_assert_status(record_event(state, &given, "file", 0), STATUS_OK);
	ck_assert_status(record_walk_events(state, 0, INT64_MAX, keep_event, &kept), STATUS_OK);
	ck_assert_uint_eq(kept.id, given.id);
	/* The caller's own strings are not touched: he logs them. */
	ck_assert_ptr_eq(given.failed, event->failed);
	ck_assert_ptr_eq(given.sender, event->sender);
	return kept;
}

START_TEST(full_keeps_all)
{
	struct event event = sample(), kept;
	char mark[PRIVACY_MARK_MAX];

	hide(PRIVACY_FULL);
	kept = record(&event);
	ck_assert_str_eq(kept.sender, event.sender);
	ck_assert_str_eq(kept.recipient, event.recipient);
	ck_assert_str_eq(kept.failed, event.failed);
	ck_assert_status(record_find_mark(state, "ann@example.net", mark), STATUS_NOT_FOUND);
}
END_TEST

START_TEST(none_keeps_none)
{
	struct event event = sample(), kept;

	hide(PRIVACY_NONE);
	kept = record(&event);
	ck_assert_ptr_null(kept.sender);
	ck_assert_ptr_null(kept.recipient);
	ck_assert_ptr_null(kept.failed);
	ck_assert_str_eq(kept.list, LIST);
	ck_assert_str_eq(kept.message_id, event.message_id);
	ck_assert_str_eq(kept.reporter, event.reporter);
}
END_TEST

START_TEST(hash_keeps_marks)
{
	struct event event = sample(), kept;
	char ann[PRIVACY_MARK_MAX], carl[PRIVACY_MARK_MAX], other[PRIVACY_MARK_MAX];

	hide(PRIVACY_HASH);
	kept = record(&event);
	ck_assert_status(record_find_mark(state, "ann@example.net", ann), STATUS_OK);
	ck_assert_status(record_find_mark(state, "Carl@EXAMPLE.com", carl), STATUS_OK);
	ck_assert_status(record_find_mark(state, "dora@example.com", other), STATUS_OK);
	ck_assert(privacy_is_mark(ann));
	ck_assert_str_ne(ann, carl);
	ck_assert_str_ne(carl, other);
	ck_assert_str_eq(kept.failed, mem_printf(context, "%s, %s", ann, carl));
	ck_assert(privacy_is_mark(kept.sender));
	ck_assert(privacy_is_mark(kept.recipient));
	ck_assert_str_eq(kept.list, LIST);
	state_close(state);
	state = open_state(STATE_WRITE); /* the secret is the state's */
	hide(PRIVACY_HASH);
	kept = record(&event);
	ck_assert_str_eq(kept.failed, mem_printf(context, "%s, %s", ann, carl));
}
END_TEST

/* A held record that is released is recorded again. */
START_TEST(marks_are_not_marked)
{
	struct event event = sample(), first, second;

	hide(PRIVACY_HASH);
	first = record(&event);
	second = record(&first);
	ck_assert_str_eq(second.failed, first.failed);
	ck_assert_str_eq(second.sender, first.sender);
	ck_assert_str_eq(second.recipient, first.recipient);
}
END_TEST

/* A plain hash of an address can be guessed. */
START_TEST(rates_know_marks)
{
	const struct rate_use use = {.recipients = {"ann@example.net"}, .recipient_count = 1};
	struct event event = sample();
	char ann[PRIVACY_MARK_MAX];
	struct rate rate;

	event.rates = &use;
	hide(PRIVACY_NONE);
	record(&event);
	hide(PRIVACY_HASH);
	record(&event);
	ck_assert_status(
		rate_find(state, RATE_RECIPIENT, "ann@example.net", 1000, &rate), STATUS_NOT_FOUND);
	ck_assert_status(record_find_mark(state, "ann@example.net", ann), STATUS_OK);
	ck_assert_status(rate_find(state, RATE_RECIPIENT, ann, 1000, &rate), STATUS_OK);
	hide(PRIVACY_FULL);
	record(&event);
	ck_assert_status(
		rate_find(state, RATE_RECIPIENT, "ann@example.net", 1000, &rate), STATUS_OK);
}
END_TEST

/* No piece of the state holds an address, also not the held record. */
START_TEST(nothing_else_holds_them)
{
	static char bytes[4 << 20];
	struct event event = sample();
	FILE *file;
	size_t size;

	hide(_i == 0 ? PRIVACY_HASH : PRIVACY_NONE);
	record(&event);
	state_close(state);
	file = fopen(data_file, "rb");
	ck_assert_ptr_nonnull(file);
	size = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	ck_assert_uint_gt(size, 4096);
	ck_assert_ptr_nonnull(memmem(bytes, size, LIST, strlen(LIST)));
	ck_assert_ptr_null(memmem(bytes, size, "ann@", 4));
	ck_assert_ptr_null(memmem(bytes, size, "carl@", 5));
	ck_assert_ptr_null(memmem(bytes, size, "bob@", 4));
	ck_assert_ptr_null(memmem(bytes, size, "ann=", 4));
}
END_TEST

/* Addresses that stay, and such that do not. */
static const struct {
	const char *sender, *recipient;
	bool sender_stays, recipient_stays;
} rows[] = {
	{"", LIST, true, true},
	{"MAILER-DAEMON", "Announce-Bounces@Lists.Example.ORG", true, true},
	{"mailer-daemon@mx.example.net", "owner-" LIST, true, true},
	{"postmaster@example.net", "announce-request@lists.example.org", true, true},
	{"ann@example.net", "announce-bounces+x@lists.example.org", false, false},
	{"mailer-daemons@example.net", "ann@lists.example.org", false, false},
	{"h:0123", "announce-bounces@lists.example.net", false, false},
	{"ann", "announce-bouncesx@lists.example.org", false, false},
	{NULL, NULL, true, true},
};

START_TEST(robots_and_lists_stay)
{
	struct event event = sample(), kept;

	event.sender = rows[_i].sender;
	event.recipient = rows[_i].recipient;
	hide(PRIVACY_HASH);
	kept = record(&event);
	ck_assert_msg(
		(kept.sender != NULL && privacy_is_mark(kept.sender)) != rows[_i].sender_stays,
		"row %d: got sender %s", _i, kept.sender);
	ck_assert_msg((kept.recipient != NULL && privacy_is_mark(kept.recipient)) !=
			      rows[_i].recipient_stays,
		"row %d: got recipient %s", _i, kept.recipient);
}
END_TEST

/* As many whole marks as a record has room for. */
START_TEST(many_recipients)
{
	struct event event = sample(), kept;
	char *failed = mem_strdup(context, "a0@b.org");

	for (int i = 1; i < 60; i++)
		failed = mem_append(failed, ", a%d@b.org", i);
	event.failed = failed;
	event.list = NULL;
	event.recipient = LIST; /* of no list: it may be anybody's */
	hide(PRIVACY_HASH);
	kept = record(&event);
	ck_assert_uint_eq((strlen(kept.failed) + 2) % 20, 0);
	ck_assert_uint_gt(strlen(kept.failed), 480);
	ck_assert(privacy_is_mark(kept.failed + strlen(kept.failed) - 18));
	ck_assert(privacy_is_mark(kept.recipient));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("privacy");
	TCase *tcase = tcase_create("privacy");

	tcase_add_checked_fixture(tcase, set_up_state, tear_down);
	tcase_add_test(tcase, full_keeps_all);
	tcase_add_test(tcase, none_keeps_none);
	tcase_add_test(tcase, hash_keeps_marks);
	tcase_add_test(tcase, marks_are_not_marked);
	tcase_add_test(tcase, rates_know_marks);
	tcase_add_loop_test(tcase, nothing_else_holds_them, 0, 2);
	tcase_add_loop_test(tcase, robots_and_lists_stay, 0, ROWS(rows));
	tcase_add_test(tcase, many_recipients);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
