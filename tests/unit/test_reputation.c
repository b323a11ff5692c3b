/* test_reputation.c: the name that a reporter makes for itself; what strangers can do about it; and
 * that it is kept, read and forgotten. */
#include "state/reputation.h"

#include <math.h>

#include "state/parts.h"
#include "state_place.h"

enum { DAY_S = 86400 };

#define START INT64_C(1795521600) /* noon of a day */
#define PER_DAY_MANY 100

/* So many of each kind on each of so many days. */
static const struct life {
	const char *what;
	int days, proven, genuine, backscatter; /* genuine: beside the proven ones */
	int weight_least, weight_most;
} lives[] = {
	{"nobody", 0, 0, 0, 0, 0, 0},
	{"one genuine report says nothing yet", 1, 1, 0, 0, 0, 0},
	{"nor does one of backscatter", 1, 0, 0, 1, 0, 0},
	{"a flood of forged mail on one day", 1, 0, 0, 50000, -3, -3},
	{"the same on two days", 2, 0, 0, 50000, -4, -4},
	{"many proven reports on one day", 1, PER_DAY_MANY, 0, 0, 3, 3},
	{"evidence adds up", 3, 4, 0, 0, 5, 6},
	{"to a limit", 60, 4, 0, 0, 10, 10},
	{"and so it does against", 60, 0, 0, 4, -10, -10},
	{"made-up reports around a post give no good name", 60, 0, PER_DAY_MANY, 0, 0, 0},
	{"nor do they make one of a single proof a week or so", 7, 0, PER_DAY_MANY, 0, 0, 0},
	{"but they stand against a bad one", 60, 0, 1, 4, 0, 0},
	{"a large provider with both", 60, 1000, 0, 1000, 0, 0},
	{"one with a tenth of backscatter", 90, 4, 5, 1, 0, 0},
	{"one that is flooded with forged mail every day", 90, 4, 0, 50000, 0, 0},
	{"a small one that has a genuine report a day", 90, 1, 0, 50000, 0, 0},
};

static struct reputation live(const struct life *life)
{
	struct reputation reputation = {.time_s = 0};

	for (int day = 0; day < life->days; day++) {
		int64_t now = START + (int64_t)day * DAY_S;

		for (int i = 0; i < life->proven; i++)
			reputation_add(&reputation, REPUTATION_PROVEN, now);
		for (int i = 0; i < life->genuine; i++)
			reputation_add(&reputation, REPUTATION_GENUINE, now);
		for (int i = 0; i < life->backscatter; i++)
			reputation_add(&reputation, REPUTATION_BACKSCATTER, now);
	}
	return reputation;
}

START_TEST(a_name_is_what_was_reported)
{
	const struct life *life = &lives[_i];
	struct reputation reputation = live(life);
	int weight = reputation_weight(&reputation, START + (int64_t)(life->days - 1) * DAY_S);

	ck_assert_msg(weight >= life->weight_least && weight <= life->weight_most,
		"%s: got %d, want %d to %d", life->what, weight, life->weight_least,
		life->weight_most);
}
END_TEST

START_TEST(the_rarer_kind_takes_a_name_away_step_by_step)
{
	struct reputation reputation = {
		.time_s = START, .proven = 1000, .genuine = 1000, .backscatter = 10};
	int before = reputation_weight(&reputation, START);

	ck_assert_int_eq(before, 10);
	for (int i = 0; i < 11; i++) {
		int weight;

		reputation.backscatter = reputation.genuine * (0.02 + 0.01 * i) / (0.98 - 0.01 * i);
		weight = reputation_weight(&reputation, START);
		ck_assert_msg(
			weight <= before, "at %d %%: got %d behind %d", 2 + i, weight, before);
		before = weight;
	}
	ck_assert_int_eq(before, 0);
}
END_TEST

START_TEST(a_name_fades)
{
	const struct life pure = {.days = 60, .proven = 4};
	struct reputation reputation = live(&pure), half;
	int64_t end = START + 59 * DAY_S;

	half = reputation;
	reputation_fade(&half, end + REPUTATION_HALF_LIFE_S);
	ck_assert_msg(fabs(half.proven - reputation.proven / 2) < 0.01, "got %f, want %f",
		half.proven, reputation.proven / 2);
	ck_assert_int_eq(reputation_weight(&reputation, end), 10);
	ck_assert_int_le(reputation_weight(&reputation, end + 6 * REPUTATION_HALF_LIFE_S), 3);
	ck_assert_int_eq(reputation_weight(&reputation, end + 20 * REPUTATION_HALF_LIFE_S), 0);
}
END_TEST

START_TEST(a_clock_that_goes_back_breaks_nothing)
{
	const struct life pure = {.days = 60, .proven = 4};
	struct reputation reputation = live(&pure), before = reputation;
	int64_t end = START + 59 * DAY_S;

	reputation_fade(&reputation, end - 3600);
	ck_assert_int_eq(reputation.time_s, end);
	reputation_fade(&reputation, 5);
	ck_assert_int_eq(reputation.time_s, 5);
	ck_assert(reputation.proven == before.proven);
	ck_assert_int_eq(reputation_weight(&reputation, 5), 10);
	reputation_fade(&reputation, INT64_MAX / 2);
	ck_assert(reputation.proven == 0 && reputation.genuine == 0);
	ck_assert_int_eq(reputation_weight(&reputation, INT64_MAX / 2), 0);
}
END_TEST

/* ---- in the state ---- */

static struct state *state;

static void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
}

static void record(int64_t time_s, const char *reporter, enum reputation_use use,
	const struct proof_use *proofs)
{
	struct event event = {.time_s = time_s,
		.kind = KIND_FAILED,
		.verdict = use == REPUTATION_BACKSCATTER ? VERDICT_BACKSCATTER : VERDICT_GENUINE,
		.reporter = reporter,
		.reputation = use,
		.proofs = proofs};

	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
}

static struct reputation find(const char *reporter)
{
	struct counter *counter = NULL;

	ck_assert_status(record_find_counter(state, context, COUNTER_REPORTER, reporter, &counter),
		STATUS_OK);
	return counter->reputation;
}

START_TEST(a_proof_counts_once_for_a_name)
{
	struct proof_use use = {.class = PROOF_FAILED, .report = 1};
	struct reputation reputation;

	proof_add(&use, "pair", "1@lists.example.org", "ann@example.net");
	record(START, "198.51.100.7", REPUTATION_GENUINE, &use);
	/* Another report with it, also one of another class, also from somewhere else. */
	use.report = 2;
	record(START + 1, "198.51.100.7", REPUTATION_GENUINE, &use);
	use.class = PROOF_DELAYED;
	record(START + 2, "203.0.113.9", REPUTATION_GENUINE, &use);
	/* And what shows no proof at all. */
	record(START + 3, "198.51.100.7", REPUTATION_GENUINE, NULL);
	reputation = find("198.51.100.7");
	ck_assert_msg(fabs(reputation.proven - 1) < 0.001, "got %f proven", reputation.proven);
	ck_assert_msg(fabs(reputation.genuine - 3) < 0.001, "got %f genuine", reputation.genuine);
	reputation = find("203.0.113.9");
	ck_assert_msg(reputation.proven == 0, "got %f proven", reputation.proven);
}
END_TEST

START_TEST(what_was_released_counts_for_nobody)
{
	record(START, "198.51.100.7", REPUTATION_BACKSCATTER, NULL);
	record(START, "198.51.100.7", REPUTATION_NONE, NULL);
	ck_assert(fabs(find("198.51.100.7").backscatter - 1) < 0.001);
	ck_assert(find("198.51.100.7").genuine == 0);
}
END_TEST

static int put_old_counter(struct state *own, MDB_txn *transaction, void *argument)
{
	static const char name[] = "198.51.100.7";
	char bytes[sizeof name];
	struct codec_writer writer;
	MDB_val key = {.mv_size = sizeof name, .mv_data = bytes}, value;

	(void)argument;
	bytes[0] = 's';
	memcpy(bytes + 1, name, sizeof name - 1);
	codec_writer_init(&writer, context);
	codec_put_u8(&writer, 1);
	codec_put_string(&writer, name, 100);
	codec_put_i64(&writer, START - 100);
	codec_put_i64(&writer, START - 50);
	codec_put_u64(&writer, 7);
	for (int i = 0; i < 3; i++) {
		codec_put_u8(&writer, 1);
		codec_put_u64(&writer, 7);
	}
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	return mdb_put(transaction, own->dbis[BOX_REPORTERS], &key, &value, 0);
}

START_TEST(a_counter_of_an_older_version_goes_on)
{
	struct counter *counter = NULL;
	uint64_t records, faults;

	ck_assert_status(box_write(state, put_old_counter, NULL), STATUS_OK);
	ck_assert(find("198.51.100.7").time_s == 0);
	record(START, "198.51.100.7", REPUTATION_BACKSCATTER, NULL);
	ck_assert_status(
		record_find_counter(state, context, COUNTER_REPORTER, "198.51.100.7", &counter),
		STATUS_OK);
	ck_assert_uint_eq(counter->total, 8);
	ck_assert_int_eq(counter->first_s, START - 100);
	ck_assert(fabs(counter->reputation.backscatter - 1) < 0.001);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reputation");
	TCase *pure = tcase_create("pure"), *stored = tcase_create("stored");

	tcase_add_loop_test(pure, a_name_is_what_was_reported, 0, ROWS(lives));
	tcase_add_test(pure, the_rarer_kind_takes_a_name_away_step_by_step);
	tcase_add_test(pure, a_name_fades);
	tcase_add_test(pure, a_clock_that_goes_back_breaks_nothing);
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(stored, set_up_state, tear_down);
	tcase_add_test(stored, a_proof_counts_once_for_a_name);
	tcase_add_test(stored, what_was_released_counts_for_nobody);
	tcase_add_test(stored, a_counter_of_an_older_version_goes_on);
	suite_add_tcase(suite, stored);
	return run_suite(suite);
}
