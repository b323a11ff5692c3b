/* test_dump.c: a dump and back, a copy, and both while others are at work. */
#include "state/dump.h"
#include "state/ledger.h"
#include "state/record.h"

#include "state_place.h"

#define SMALL_MAP ((size_t)128 << 10)
#define EVENTS 40
#define ROUNDS 40
#define LOADS 8

static char dump_file[PATH_MAX + 64];

static void set_up_dump(void)
{
	set_up();
	snprintf(dump_file, sizeof dump_file, "%s/../dump", place);
}

static enum status add_event(struct state *state, int number, const char *evidence)
{
	char file[32];
	struct proof_use proofs = {.report = (uint64_t)number, .count = 1};
	struct event event = {.time_s = 1000 + number,
		.list = "announce@lists.example.org",
		.reporter = "192.0.2.1",
		.sender = "",
		.evidence = evidence,
		.proofs = &proofs};

	memcpy(proofs.keys[0], &number, sizeof number);
	snprintf(file, sizeof file, "%d.host", number);
	return record_event(state, &event, file, number % 2 == 0 ? 9000 : 0);
}

static void fill(struct state *state)
{
	static const struct ledger_entry entries[] = {
		{1000, "<1@x.example>", "ann@example.net", "abcdefghijkl", "x.example"},
		{1001, "<2@x.example>", NULL, NULL, "x.example"},
	};

	for (int i = 0; i < EVENTS; i++)
		ck_assert_status(add_event(state, i, "a b\\c\n\x01\xc3\xa4\xff"), STATUS_OK);
	ck_assert_status(ledger_add(state, LEDGER_FEED_BATCH, 1001, entries, ROWS(entries), NULL),
		STATUS_OK);
}

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = mem_alloc(context, 1 << 20);
	size_t size;

	ck_assert_ptr_nonnull(in);
	size = fread(text, 1, (1 << 20) - 1, in);
	fclose(in);
	text[size] = '\0';
	return text;
}

static struct dump_result dump(struct state *state)
{
	struct dump_result result;
	FILE *out = fopen(dump_file, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_status(state_dump(state, out, &result), STATUS_OK);
	ck_assert_int_eq(fclose(out), 0);
	return result;
}

static enum status load(const char *directory, bool is_replacing, struct load_result *result_out)
{
	FILE *in = fopen(dump_file, "r");
	const char *error = NULL;
	enum status status;

	ck_assert_ptr_nonnull(in);
	status = state_load(context, directory, in, is_replacing, result_out, &error);
	fclose(in);
	ck_assert_msg(
		status == STATUS_OK || error != NULL, "%s without a sentence", status_text(status));
	return status;
}

START_TEST(a_dump_comes_back_as_it_was)
{
	struct state *state = open_state(STATE_WRITE);
	struct load_result loaded;
	struct dump_result dumped;
	char *first;

	fill(state);
	dumped = dump(state);
	state_close(state);
	ck_assert_uint_eq(dumped.left_out + dumped.unreadable, 0);
	first = read_file(dump_file);
	ck_assert_ptr_nonnull(strstr(first, "a\\20b\\5cc\\0a\\01\\c3\\a4\\ff"));
	ck_assert_status(load(place, false, &loaded), STATUS_DIFFERENT);
	ck_assert_status(load(place, true, &loaded), STATUS_OK);
	ck_assert_uint_eq(loaded.records, dumped.records);
	ck_assert_ptr_nonnull(loaded.set_aside);
	state = open_state(STATE_READ);
	dump(state);
	state_close(state);
	ck_assert_str_eq(read_file(dump_file), first);
}
END_TEST

static int spoil(struct state *state, MDB_txn *transaction, void *argument)
{
	MDB_val key = {.mv_size = 4, .mv_data = "host"};
	MDB_val value = {.mv_size = 2, .mv_data = "\x63?"};

	(void)argument;
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

START_TEST(what_does_not_decode_is_left_out)
{
	struct state *state = open_state(STATE_WRITE);
	struct load_result loaded;
	struct dump_result dumped;

	fill(state);
	ck_assert_status(box_write(state, spoil, NULL), STATUS_OK);
	dumped = dump(state);
	state_close(state);
	ck_assert_uint_eq(dumped.left_out, 1);
	ck_assert_status(load(place, true, &loaded), STATUS_OK);
	ck_assert_uint_eq(loaded.records, dumped.records);
}
END_TEST

static int grow_elsewhere(void *argument)
{
	struct state *state = NULL;
	enum status status = STATUS_OK;

	(void)argument;
	if (state_open(NULL, place, STATE_WRITE, &state, NULL) != STATUS_OK)
		return 1;
	for (int i = 0; i < 1000 && status == STATUS_OK; i++)
		status = add_event(state, i, "tag:absent+0");
	state_close(state);
	return status != STATUS_OK;
}

START_TEST(a_copy_follows_a_map_that_grew)
{
	char target[PATH_MAX + 64];
	struct state *state = NULL;
	const char *error = "";
	uint64_t records, copied, faults;

	ck_assert_status(box_open(context, place, STATE_WRITE, SMALL_MAP, &state, NULL), STATUS_OK);
	ck_assert_int_eq(finish(start(grow_elsewhere, NULL)), 0);
	snprintf(target, sizeof target, "%s/../copy", place);
	ck_assert_msg(state_copy(context, state, target, &error) == STATUS_OK, "%s", error);
	ck_assert_status(state_count(state, &records), STATUS_OK);
	state_close(state);
	ck_assert_status(state_open(context, target, STATE_READ, &state, NULL), STATUS_OK);
	ck_assert_status(state_verify(state, &copied, &faults), STATUS_OK);
	ck_assert_uint_eq(copied, records);
	ck_assert_uint_eq(faults, 0);
	state_close(state);
}
END_TEST

/* As deliveries do: a process each, which opens, writes and ends. */
static int deliver_some(void *argument)
{
	int first = *(int *)argument;

	for (int i = 0; i < ROUNDS; i++) {
		struct state *state = NULL;
		const char *error = NULL;
		enum status status = state_open(NULL, place, STATE_WRITE, &state, &error);

		if (status == STATUS_OK)
			status = add_event(state, first + i, "tag:absent+0");
		state_close(state);
		if (status != STATUS_OK) {
			fprintf(stderr, "%s %s\n", status_text(status), error != NULL ? error : "");
			return 1;
		}
		usleep(3000);
	}
	return 0;
}

START_TEST(a_load_among_deliveries)
{
	int firsts[] = {100000, 200000};
	pid_t children[ROWS(firsts)];
	struct state *state = open_state(STATE_WRITE);
	uint64_t records, faults;

	fill(state);
	dump(state);
	state_close(state);
	for (int i = 0; i < ROWS(firsts); i++)
		children[i] = start(deliver_some, &firsts[i]);
	for (int i = 0; i < LOADS; i++) {
		struct load_result loaded;

		ck_assert_status(load(place, true, &loaded), STATUS_OK);
	}
	for (int i = 0; i < ROWS(firsts); i++)
		ck_assert_int_eq(finish(children[i]), 0);
	state = open_state(STATE_WRITE);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_ge(records, EVENTS);
	ck_assert_uint_eq(faults, 0);
	ck_assert_status(add_event(state, 300000, ""), STATUS_OK);
	state_close(state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump");
	TCase *tests = tcase_create("dump");

	tcase_add_checked_fixture(tests, set_up_dump, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_dump_comes_back_as_it_was);
	tcase_add_test(tests, what_does_not_decode_is_left_out);
	tcase_add_test(tests, a_copy_follows_a_map_that_grew);
	tcase_add_test(tests, a_load_among_deliveries);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
