/* test_dns_cache.c: DNS answers in the state: written with an event, found until they expire, and
 * never too many. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "state/dns_cache.h"
#include "state/parts.h"
#include "state_place.h"

#define NOW 1795000000

static void write_event(struct state *state, int64_t time_s)
{
	struct event event = {.time_s = time_s};

	ck_assert_int_eq(record_event(state, &event, NULL, 0), STATUS_OK);
}

/* Text of what is found, or "-". */
static const char *find_at(struct state *state, const char *name, unsigned type, int64_t now_s)
{
	static char text[64];
	const void *data;
	size_t size;
	void *scratch = mem_context(NULL, "find");

	snprintf(text, sizeof text, "-");
	if (dns_cache_find(state, scratch, name, type, now_s, &data, &size))
		snprintf(text, sizeof text, "%.*s", (int)size, (const char *)data);
	mem_free(scratch);
	return text;
}

static size_t count_keys(struct state *state)
{
	uint64_t records, faults;

	ck_assert_int_eq(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
	return records;
}

START_TEST(test_life)
{
	struct state *state = open_state(STATE_WRITE);
	uint64_t before;

	dns_cache_add(state, "example.org", 1, "one", 3, NOW + 100);
	ck_assert_str_eq(find_at(state, "example.org", 1, NOW), "-"); /* not written yet */
	before = state_transaction_count(state);
	write_event(state, NOW);
	ck_assert_uint_eq(state_transaction_count(state), before + 1);
	ck_assert_str_eq(find_at(state, "example.org", 1, NOW + 99), "one");
	ck_assert_str_eq(find_at(state, "example.org", 16, NOW), "-");
	ck_assert_str_eq(find_at(state, "example.net", 1, NOW), "-");
	ck_assert_str_eq(find_at(state, "example.org", 1, NOW + 100), "-");
	ck_assert_str_eq(find_at(state, "example.org", 1, NOW - 2 * 86400), "-");
	size_t keys = count_keys(state);
	/* Replaced: no row of the old one stays. */
	dns_cache_add(state, "example.org", 1, "two", 3, NOW + 500);
	write_event(state, NOW + 50);
	ck_assert_str_eq(find_at(state, "example.org", 1, NOW + 400), "two");
	ck_assert_uint_eq(count_keys(state), keys + 1); /* the event */
	/* Expired: it goes with the next event. */
	write_event(state, NOW + 501);
	ck_assert_uint_eq(count_keys(state), keys); /* an event more, two keys less */
	state_close(state);
}
END_TEST

START_TEST(test_bounds)
{
	static char large[DNS_CACHE_MESSAGE_MAX + 1];
	struct state *state = open_state(STATE_WRITE);
	char name[32];

	memset(large, 'x', sizeof large);
	dns_cache_add(state, "large.example.org", 1, large, sizeof large, NOW + 100);
	dns_cache_add(state, "most.example.org", 1, large, sizeof large - 1, NOW + 100);
	dns_cache_add(state, "empty.example.org", 1, "", 0, NOW + 100);
	dns_cache_add(state, "long.example.org", 1, "long", 4, NOW + 10 * 86400);
	write_event(state, NOW);
	ck_assert_str_eq(find_at(state, "large.example.org", 1, NOW), "-");
	ck_assert_str_ne(find_at(state, "most.example.org", 1, NOW), "-");
	ck_assert_str_eq(find_at(state, "empty.example.org", 1, NOW), "-");
	ck_assert_str_eq(find_at(state, "long.example.org", 1, NOW + 86399), "long");
	ck_assert_str_eq(find_at(state, "long.example.org", 1, NOW + 86400), "-");
	for (int i = 0; i < DNS_CACHE_NEW_MAX + 10; i++) {
		snprintf(name, sizeof name, "n%d.example.org", i);
		dns_cache_add(state, name, 1, "x", 1, NOW + 100);
	}
	write_event(state, NOW);
	ck_assert_str_eq(find_at(state, "n0.example.org", 1, NOW), "x");
	snprintf(name, sizeof name, "n%d.example.org", DNS_CACHE_NEW_MAX);
	ck_assert_str_eq(find_at(state, name, 1, NOW), "-");
	state_close(state);
}
END_TEST

/* Above the limit those that expire first go, expired or not. */
START_TEST(test_many)
{
	struct state *state = open_state(STATE_WRITE);
	char name[32];
	int count = 0, events = 0;

	while (count < DNS_CACHE_ENTRIES_MAX + 500) {
		for (int i = 0; i < DNS_CACHE_NEW_MAX; i++, count++) {
			snprintf(name, sizeof name, "n%d.example.org", count);
			dns_cache_add(state, name, 1, "x", 1, NOW + 1000 + count);
		}
		write_event(state, NOW);
		events++;
	}
	/* the host, a rollup, the horizon */
	ck_assert_uint_le(count_keys(state), 2 * DNS_CACHE_ENTRIES_MAX + (size_t)events + 3);
	ck_assert_str_eq(find_at(state, "n0.example.org", 1, NOW), "-");
	ck_assert_str_eq(find_at(state, name, 1, NOW), "x");
	state_close(state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_cache");
	TCase *tcase = tcase_create("dns_cache");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_life);
	tcase_add_test(tcase, test_bounds);
	tcase_add_test(tcase, test_many);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
