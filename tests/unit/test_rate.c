/* test_rate.c: rates: how they fade, what a clock does to them, and that strangers' names do not
 * stay. */
#include "state/rate.h"

#include <math.h>

#include "state/parts.h"
#include "state_place.h"

#define NOON 1795521600

static bool is_near(double got, double want)
{
	return fabs(got - want) <= 0.01 * want + 1e-6;
}

#define ck_assert_near(got, want)                                                                  \
	do {                                                                                       \
		double got_ = (got), want_ = (want);                                               \
		ck_assert_msg(is_near(got_, want_), "%s: got %f, want %f", #got, got_, want_);     \
	} while (0)

static const struct {
	int64_t after_s;
	double minute, hour, day;
} fadings[] = {
	{0, 1, 1, 1}, {60, 0.5, 0.98851, 0.99952}, {3600, 0, 0.5, 0.97153}, {86400, 0, 0, 0.5},
	{10 * 86400, 0, 0, 0.0009766}, {-30, 1, 1, 1}, /* a process that waited for the lock */
	{-100 * 86400, 1, 1, 1},		       /* a clock that was set back */
};

START_TEST(counts_halve)
{
	struct rate rate = {.time_s = 0};

	rate_add(&rate, RATE_UNPROVEN, NOON);
	rate_decay(&rate, NOON + fadings[_i].after_s);
	ck_assert_near(rate.counts[RATE_UNPROVEN][RATE_MINUTE], fadings[_i].minute);
	ck_assert_near(rate.counts[RATE_UNPROVEN][RATE_HOUR], fadings[_i].hour);
	ck_assert_near(rate.counts[RATE_UNPROVEN][RATE_DAY], fadings[_i].day);
	ck_assert_near(rate.counts[RATE_GENUINE][RATE_DAY], 0);
}
END_TEST

/* Two clocks, ten seconds apart, that take turns must not make time pass twice. */
START_TEST(turns_do_not_fade)
{
	struct rate rate = {.time_s = 0};

	for (int i = 0; i < 1000; i++)
		rate_add(&rate, RATE_UNPROVEN, NOON - i % 2 * 10);
	ck_assert_near(rate.counts[RATE_UNPROVEN][RATE_MINUTE], 1000);
}
END_TEST

START_TEST(a_clock_set_back_is_followed)
{
	struct rate rate = {.time_s = 0};

	rate_add(&rate, RATE_UNPROVEN, NOON + 400 * 86400);
	rate_add(&rate, RATE_UNPROVEN, NOON);
	rate_decay(&rate, NOON + 86400);
	ck_assert_near(rate.counts[RATE_UNPROVEN][RATE_DAY], 1);
}
END_TEST

START_TEST(an_even_stream_has_its_rate)
{
	struct rate rate = {.time_s = 0};

	for (int i = 0; i < 4 * 24 * 360; i++)
		rate_add(&rate, i % 3 == 0 ? RATE_GENUINE : RATE_BACKSCATTER, NOON + i * 10);
	ck_assert_near(rate_per_hour(&rate, RATE_ALL, RATE_HOUR), 360);
	ck_assert_near(rate_per_hour(&rate, RATE_DOUBTFUL, RATE_HOUR), 240);
	ck_assert_near(rate_per_hour(&rate, 1u << RATE_GENUINE, RATE_HOUR), 120);
	ck_assert_msg(fabs(rate_per_hour(&rate, RATE_ALL, RATE_MINUTE) - 360) < 30, "a minute: %f",
		rate_per_hour(&rate, RATE_ALL, RATE_MINUTE));
	ck_assert_msg(fabs(rate_per_hour(&rate, RATE_ALL, RATE_DAY) - 360) < 30, "a day: %f",
		rate_per_hour(&rate, RATE_ALL, RATE_DAY));
}
END_TEST

static const struct {
	const char *address, *network;
} networks[] = {
	{"192.0.2.77", "192.0.2.0/24"},
	{"::ffff:192.0.2.77", "192.0.2.0/24"},
	{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	{"2001:db8::1", "2001:db8::/64"},
};

START_TEST(networks_have_names)
{
	struct netaddr address;
	char text[RATE_NETWORK_MAX];

	ck_assert(netaddr_parse(networks[_i].address, &address));
	rate_network_format(&address, text);
	ck_assert_str_eq(text, networks[_i].network);
}
END_TEST

static void record(struct state *state, const struct rate_use *use, int64_t time_s)
{
	struct event event = {.time_s = time_s,
		.kind = KIND_FAILED,
		.list = "announce@lists.example.org",
		.rates = use};

	ck_assert_status(record_event(state, &event, NULL, 0), STATUS_OK);
}

static double find_hour(
	struct state *state, enum rate_of of, const char *name, enum rate_class class, int64_t now)
{
	struct rate rate;
	enum status status = rate_find(state, of, name, now, &rate);

	ck_assert_msg(
		status == STATUS_OK || status == STATUS_NOT_FOUND, "got %s", status_text(status));
	return rate.counts[class][RATE_HOUR];
}

START_TEST(each_name_is_counted)
{
	struct state *state = open_state(STATE_WRITE);
	const struct rate_use use = {.class = RATE_UNPROVEN,
		.network = "192.0.2.0/24",
		.helo = "example.net",
		.recipients = {"ann@example.net", "bob@example.net"},
		.recipient_count = 2};
	const struct rate_use other = {.class = RATE_GENUINE, .network = "192.0.2.0/24"};

	record(state, &use, NOON);
	record(state, &other, NOON);
	state_close(state);
	state = open_state(STATE_READ);
	ck_assert_near(find_hour(state, RATE_HOST, NULL, RATE_UNPROVEN, NOON), 1);
	ck_assert_near(
		find_hour(state, RATE_LIST, "announce@lists.example.org", RATE_GENUINE, NOON), 1);
	ck_assert_near(find_hour(state, RATE_NETWORK, "192.0.2.0/24", RATE_UNPROVEN, NOON), 1);
	ck_assert_near(find_hour(state, RATE_NETWORK, "192.0.2.0/24", RATE_GENUINE, NOON), 1);
	ck_assert_near(find_hour(state, RATE_HELO, "example.net", RATE_UNPROVEN, NOON + 3600), 0.5);
	ck_assert_near(find_hour(state, RATE_RECIPIENT, "bob@example.net", RATE_UNPROVEN, NOON), 1);
	ck_assert_near(find_hour(state, RATE_HELO, "bob@example.net", RATE_UNPROVEN, NOON), 0);
	ck_assert_near(find_hour(state, RATE_LIST, "other@example.org", RATE_UNPROVEN, NOON), 0);
}
END_TEST

/* Events that nobody judged, such as a release, are none. */
START_TEST(what_has_no_rates_is_not_counted)
{
	struct state *state = open_state(STATE_WRITE);
	struct rate rate;

	record(state, NULL, NOON);
	ck_assert_status(rate_find(state, RATE_HOST, NULL, NOON, &rate), STATUS_NOT_FOUND);
}
END_TEST

static size_t count_names(struct state *state)
{
	uint64_t records, faults;
	struct state_size size;
	MDB_txn *transaction;
	MDB_stat figures;

	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_int_eq(mdb_txn_begin(state->env, NULL, MDB_RDONLY, &transaction), 0);
	ck_assert_int_eq(mdb_stat(transaction, state->dbis[BOX_RATES], &figures), 0);
	mdb_txn_abort(transaction);
	return figures.ms_entries;
}

/* In one transaction, since each costs a sync. */
struct invention {
	int from, until;
	int64_t time_s;
	int64_t step_s;
};

static int invent(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct invention *invention = argument;
	int code = MDB_SUCCESS;

	for (int i = invention->from; i < invention->until && code == MDB_SUCCESS; i++) {
		char helo[32], recipient[32];
		struct rate_use use = {.class = RATE_UNPROVEN,
			.network = "192.0.2.0/24",
			.helo = helo,
			.recipients = {recipient},
			.recipient_count = 1};

		snprintf(helo, sizeof helo, "h%d.example", i);
		snprintf(recipient, sizeof recipient, "r%d@example.net", i);
		code = rate_count(state, transaction, &use,
			invention->time_s + (i - invention->from) * invention->step_s);
	}
	return code;
}

/* A report each minute from a new name: what is older than four days goes as fast as new ones come.
 */
START_TEST(names_fade_and_go)
{
	struct state *state = open_state(STATE_WRITE);
	struct invention invention = {0, 4 * 1440, NOON, 60};
	size_t after, later;

	ck_assert_status(box_write(state, invent, &invention), STATUS_OK);
	after = count_names(state);
	invention = (struct invention){4 * 1440, 12 * 1440, NOON + 4 * 86400, 60};
	ck_assert_status(box_write(state, invent, &invention), STATUS_OK);
	later = count_names(state);
	ck_assert_uint_eq(after, 2 * 4 * 1440 + 1);
	ck_assert_msg(later < 2 * after, "%zu names after 4 days, %zu after 12", after, later);
	ck_assert_near(find_hour(state, RATE_HELO, "h3.example", RATE_UNPROVEN, NOON), 0);
}
END_TEST

/* A flood of names that no one has seen before, all in an hour; one that is seen often stays. */
START_TEST(invented_names_take_only_so_much_room)
{
	struct state *state = open_state(STATE_WRITE);
	struct invention invention = {0, 3 * RATE_NAMES_MAX / 2, NOON, 0};
	size_t names;

	ck_assert_status(box_write(state, invent, &invention), STATUS_OK);
	names = count_names(state);
	ck_assert_msg(names < RATE_NAMES_MAX + RATE_NAMES_MAX / 10, "%zu names", names);
	ck_assert_msg(find_hour(state, RATE_NETWORK, "192.0.2.0/24", RATE_UNPROVEN, NOON) > 1000,
		"the one that is seen often went with them");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rate");
	TCase *tcase = tcase_create("rate");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, counts_halve, 0, ROWS(fadings));
	tcase_add_test(tcase, turns_do_not_fade);
	tcase_add_test(tcase, a_clock_set_back_is_followed);
	tcase_add_test(tcase, an_even_stream_has_its_rate);
	tcase_add_loop_test(tcase, networks_have_names, 0, ROWS(networks));
	tcase_add_test(tcase, each_name_is_counted);
	tcase_add_test(tcase, what_has_no_rates_is_not_counted);
	tcase_add_test(tcase, names_fade_and_go);
	tcase_add_test(tcase, invented_names_take_only_so_much_room);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
