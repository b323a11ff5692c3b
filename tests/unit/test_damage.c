/* test_damage.c: a page of the state is damaged: whatever is asked of it then fails or answers, but
 * does not end the process, and does not go round in circles. */
#include <fcntl.h>

#include "state/dump.h"
#include "state/ledger.h"
#include "state/prune.h"
#include "state/record.h"

#include "state_place.h"

enum { PAGE = 4096, META_PAGES = 2, EVENTS = 30, ENTRIES = 300, LIMIT_S = 60 };

static void fill(void)
{
	struct state *state = open_state(STATE_WRITE);

	for (int i = 0; i < EVENTS; i++) {
		char id[32], file[32];
		struct ledger_entry entries[ENTRIES / EVENTS];
		struct proof_use proofs = {.report = (uint64_t)i, .count = 1};
		struct event event = {.time_s = 1000 + i,
			.list = "announce@lists.example.org",
			.reporter = "192.0.2.1",
			.message_id = id,
			.proofs = &proofs};

		snprintf(id, sizeof id, "<%d@x.example>", i);
		snprintf(file, sizeof file, "%d.host", i);
		memcpy(proofs.keys[0], &i, sizeof i);
		ck_assert_status(record_event(state, &event, file, 2000 + i), STATUS_OK);
		for (size_t j = 0; j < ENTRIES / EVENTS; j++)
			entries[j] = (struct ledger_entry){.sent_s = 1000 + (int64_t)j,
				.message_id = id,
				.recipient = "ann@example.net",
				.domain = "x.example"};
		ck_assert_status(
			ledger_add(state, LEDGER_FEED_BATCH, 1000, entries, ENTRIES / EVENTS, NULL),
			STATUS_OK);
	}
	state_close(state);
}

static enum status ignore_event(void *argument, const struct event *event)
{
	(void)argument;
	(void)event;
	return STATUS_OK;
}

/* All that a delivery, a report and a person may ask. Ends with 0: it came to the end. */
static int use(void *argument)
{
	struct event event = {.time_s = 5000, .list = "announce@lists.example.org"};
	struct sweep sweep = {.limit_bytes = 1};
	struct ledger_answer answer;
	struct ledger_coverage coverage;
	struct dump_result dumped;
	struct prune_result pruned;
	struct state *state = NULL;
	uint64_t records, faults;
	FILE *out;

	(void)argument;
	alarm(LIMIT_S);
	out = freopen("/dev/null", "w", stderr);
	if (state_open(context, place, STATE_WRITE, &state, NULL) != STATUS_OK)
		return 0;
	ledger_find(state, "<7@x.example>", NULL, 0, &answer);
	ledger_coverage(state, "x.example", &coverage);
	state_verify(state, &records, &faults);
	record_walk_events(state, 0, INT64_MAX, ignore_event, NULL);
	if (out != NULL)
		state_dump(state, out, &dumped);
	record_event_and_sweep(state, &event, "new.host", 6000, &sweep);
	state_prune(state, "sent", 1002, false, &pruned);
	state_close(state);
	return 0;
}

/* What stands on the page; "old": what stood on another one before. */
static const char *const damages[] = {"zeros", "ones", "noise", "half", "another page"};

static void damage(const unsigned char *good, size_t size, size_t page, int kind)
{
	unsigned char bytes[PAGE];
	int file = open(data_file, O_WRONLY | O_TRUNC);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, good, size), (ssize_t)size);
	memcpy(bytes, good + page * PAGE, PAGE);
	for (size_t i = 0; i < PAGE; i++) {
		if (kind == 0)
			bytes[i] = 0;
		else if (kind == 1)
			bytes[i] = 0xff;
		else if (kind == 2)
			bytes[i] = (unsigned char)((i * 2654435761u + page * 40503u) >> 7);
		else if (kind == 3 && i >= PAGE / 2)
			bytes[i] = 0;
		else if (kind == 4)
			bytes[i] = good[((page + 3) * PAGE + i) % size];
	}
	ck_assert_int_eq(pwrite(file, bytes, PAGE, (off_t)(page * PAGE)), PAGE);
	close(file);
}

START_TEST(damage_ends_nothing)
{
	struct stat info;
	unsigned char *good;
	int file;

	fill();
	file = open(data_file, O_RDONLY);
	ck_assert_int_eq(fstat(file, &info), 0);
	good = mem_alloc(context, (size_t)info.st_size);
	ck_assert_int_eq(read(file, good, (size_t)info.st_size), info.st_size);
	close(file);
	for (size_t page = META_PAGES; page < (size_t)info.st_size / PAGE; page++) {
		int code;

		damage(good, (size_t)info.st_size, page, _i);
		code = finish(start(use, NULL));
		ck_assert_msg(code == 0, "%s on page %zu of %lld: got %d, want 0", damages[_i],
			page, (long long)info.st_size / PAGE, code);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("damage");
	TCase *tests = tcase_create("damage");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, damage_ends_nothing, 0, ROWS(damages));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
