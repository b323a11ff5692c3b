/* test_retention.c: old entries go, a few with each feeding; what is gone is never covered; and
 * what is vouched for by a feeding that goes on, or by the operator. */
#include "state/ledger.h"

#include "state_place.h"

#define DAY ((int64_t)86400)
#define LIFETIME (60 * DAY)
#define START (20000 * DAY)
#define EACH_DAY 150
#define DOMAIN "lists.example.org"

static struct state *state;

static void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
}

static void feed_day(int day)
{
	struct ledger_entry entries[EACH_DAY] = {{0}};
	char ids[EACH_DAY][64];
	int64_t now = START + day * DAY;

	for (int i = 0; i < EACH_DAY; i++) {
		snprintf(ids[i], sizeof ids[i], "<%d.%d@" DOMAIN ">", day, i);
		entries[i] = (struct ledger_entry){.sent_s = now,
			.message_id = ids[i],
			.recipient = "ann@example.net",
			.domain = DOMAIN};
	}
	ck_assert_status(
		ledger_add(state, LEDGER_FEED_BATCH, now, entries, EACH_DAY, NULL), STATUS_OK);
}

static int count_found(int day)
{
	int found = 0;

	for (int i = 0; i < EACH_DAY; i++) {
		struct ledger_answer answer;
		char id[64];

		snprintf(id, sizeof id, "<%d.%d@" DOMAIN ">", day, i);
		ck_assert_status(ledger_find(state, id, NULL, 0, &answer), STATUS_OK);
		found += answer.has_message;
	}
	return found;
}

static struct ledger_coverage cover_of(const char *domain)
{
	struct ledger_coverage coverage;

	ck_assert_status(ledger_coverage(state, domain, &coverage), STATUS_OK);
	return coverage;
}

/* Months of mail: all that is covered is there, what is older goes, and the ledger stops growing.
 */
START_TEST(old_entries_go)
{
	uint64_t most = 0;

	ledger_set_lifetime(state, LIFETIME);
	for (int day = 0; day < 250; day++) {
		struct state_size size;

		feed_day(day);
		if (day % 30 != 29)
			continue;
		int64_t from_s = cover_of(DOMAIN).from_s;
		int first = (int)((from_s - START) / DAY);

		ck_assert_int_eq(first, day > 60 ? day - 60 : 0);
		for (int past = first; past <= day; past++)
			ck_assert_msg(count_found(past) == EACH_DAY, "day %d at day %d", past, day);
		ck_assert_status(state_measure(state, &size), STATUS_OK);
		if (size.sent_entries > most)
			most = size.sent_entries;
	}
	ck_assert_int_eq(count_found(0), 0);
	ck_assert_int_eq(count_found(100), 0);
	/* Sixty days, and at most half as much again that waits for its turn. */
	ck_assert_uint_lt(most, EACH_DAY * 60 * 16 / 10);
	ck_assert_uint_ge(most, EACH_DAY * 60);
}
END_TEST

START_TEST(nothing_goes_without_a_lifetime)
{
	for (int day = 0; day < 300; day += 50)
		feed_day(day);
	ck_assert_int_eq(count_found(0), EACH_DAY);
	ck_assert_int_eq(cover_of(DOMAIN).from_s, START + 250 * DAY); /* gaps begin anew */
}
END_TEST

/* A domain that sends no more is covered no more, as its entries go. */
START_TEST(a_silent_domain_is_cut_too)
{
	const struct ledger_entry silent = {
		START, "<s@silent.example>", NULL, NULL, "silent.example"};

	ledger_set_lifetime(state, LIFETIME);
	ck_assert_status(
		ledger_add(state, LEDGER_FEED_CONTINUOUS, START, &silent, 1, NULL), STATUS_OK);
	for (int day = 0; day < 100; day++)
		feed_day(day);
	ck_assert_int_eq(cover_of("silent.example").from_s, START + 39 * DAY);
}
END_TEST

/* The sweep goes on over a restart, with a record of its place that decodes. */
START_TEST(the_place_is_kept)
{
	uint64_t records, faults;

	ledger_set_lifetime(state, LIFETIME);
	for (int day = 0; day < 130; day++) {
		feed_day(day);
		state_close(state);
		state = open_state(STATE_WRITE);
		ledger_set_lifetime(state, LIFETIME);
	}
	ck_assert_int_eq(count_found(0), 0);
	ck_assert_int_eq(count_found(129), EACH_DAY);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

/* An id that no tag in flight can carry goes as well; one in use stays. */
START_TEST(old_ids_go)
{
	char *recipient = NULL;

	ledger_set_lifetime(state, LIFETIME);
	for (int day = 0; day < 200; day++) {
		const struct ledger_entry entries[] = {
			{START + day * DAY, NULL, "ann@example.net", "annsopaqueid", NULL},
			{START + day * DAY, NULL, "bob@example.net", "bobsopaqueid", NULL},
		};
		ck_assert_status(ledger_add(state, LEDGER_FEED_CONTINUOUS, START + day * DAY,
					 entries, day < 100 ? 2 : 1, NULL),
			STATUS_OK);
	}
	ck_assert_status(ledger_find_id(state, context, "annsopaqueid", &recipient), STATUS_OK);
	ck_assert_status(
		ledger_find_id(state, context, "bobsopaqueid", &recipient), STATUS_NOT_FOUND);
}
END_TEST

/* What stood, what the operator says, what holds then; in days. */
static const struct {
	int had_from, had_until; /* -1: nothing */
	int from, until;
	int want_from, want_until;
} words[] = {
	{-1, -1, 5, 10, 5, 10},
	{5, 10, 2, 7, 2, 10},  /* further back */
	{5, 10, 7, 12, 5, 12}, /* further on */
	{5, 10, 10, 12, 5, 12},
	{5, 10, 1, 20, 1, 20},
	{5, 10, 6, 8, 5, 10},
	{5, 10, 12, 14, 12, 14}, /* apart: the later counts */
	{5, 10, 1, 3, 5, 10},
};

START_TEST(the_operators_word_counts)
{
	if (words[_i].had_from >= 0)
		ck_assert_status(ledger_vouch(state, DOMAIN, START + words[_i].had_from * DAY,
					 START + words[_i].had_until * DAY),
			STATUS_OK);
	ck_assert_status(ledger_vouch(state, DOMAIN, START + words[_i].from * DAY,
				 START + words[_i].until * DAY),
		STATUS_OK);
	ck_assert_int_eq(cover_of(DOMAIN).from_s, START + words[_i].want_from * DAY);
	ck_assert_int_eq(cover_of(DOMAIN).until_s, START + words[_i].want_until * DAY);
	ck_assert(!cover_of("other.example").is_any);
}
END_TEST

/* A log that is read on has no gap, however long nothing was sent. */
START_TEST(what_goes_on_has_no_gap)
{
	ck_assert_status(ledger_continue(state, DOMAIN, START), STATUS_OK);
	ck_assert(!cover_of(DOMAIN).is_any);
	ck_assert_status(ledger_cover(state, DOMAIN, START, START + DAY), STATUS_OK);
	ck_assert_status(ledger_continue(state, DOMAIN, START + 9 * DAY), STATUS_OK);
	ck_assert_int_eq(cover_of(DOMAIN).from_s, START);
	ck_assert_int_eq(cover_of(DOMAIN).until_s, START + 9 * DAY);
	ck_assert_status(ledger_continue(state, DOMAIN, START + 2 * DAY), STATUS_OK);
	ck_assert_int_eq(cover_of(DOMAIN).until_s, START + 9 * DAY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retention");
	TCase *tcase = tcase_create("retention");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up_state, tear_down);
	tcase_add_test(tcase, old_entries_go);
	tcase_add_test(tcase, nothing_goes_without_a_lifetime);
	tcase_add_test(tcase, a_silent_domain_is_cut_too);
	tcase_add_test(tcase, the_place_is_kept);
	tcase_add_test(tcase, old_ids_go);
	tcase_add_loop_test(tcase, the_operators_word_counts, 0, ROWS(words));
	tcase_add_test(tcase, what_goes_on_has_no_gap);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
