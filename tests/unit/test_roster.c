/* test_roster.c: what a line of a roster means, and the index: who joins, leaves, returns and is
 * forgotten, with the file read through the real calls. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/roster_set.h"
#include "state/roster.h"
#include "state_place.h"

#define DAY_S 86400
#define NOW ((int64_t)1795500000)
#define BUDGET_MS 60000

static char roster[PATH_MAX + 64];

static const struct {
	const char *line, *address; /* NULL: none */
	bool is_blank;
} lines[] = {
	{"ann@example.net", "ann@example.net", false},
	{"  Ann@Example.NET \r", "ann@example.net", false},
	{"Ann <ann@example.net>", "ann@example.net", false},
	{"\"Bird, <Ann>\" <ann@example.net> (digest)", "ann@example.net", false},
	{"<ann@example.net>", "ann@example.net", false},
	{"ann@example.net (Ann, nomail)", "ann@example.net", false},
	{"ann@example.net # since 2020", "ann@example.net", false},
	{"ann#1@example.net", "ann#1@example.net", false},
	{"\"ann (home)\"@example.net", "\"ann (home)\"@example.net", false},
	{"\"ann\\\"<\"@example.net", "\"ann\\\"<\"@example.net", false},
	{"\xc3\xa4nn@ex\xc3\xa4mple.net", "\xc3\xa4nn@ex\xc3\xa4mple.net", false},
	{"", NULL, true},
	{" \t\r", NULL, true},
	{"# ann@example.net", NULL, true},
	{"ann", NULL, false},
	{"ann@", NULL, false},
	{"Ann <>", NULL, false},
	{"(ann@example.net)", NULL, false},
	{"Ann <ann", NULL, false},
};

START_TEST(reads_a_line)
{
	bool is_blank = false;
	char *got = roster_line_address(context, lines[_i].line, strlen(lines[_i].line), &is_blank);

	ck_assert_msg((got == NULL) == (lines[_i].address == NULL) &&
			      (got == NULL || strcmp(got, lines[_i].address) == 0),
		"\"%s\": want %s, got %s", lines[_i].line,
		lines[_i].address == NULL ? "none" : lines[_i].address, got == NULL ? "none" : got);
	ck_assert_int_eq(is_blank, lines[_i].is_blank);
}
END_TEST

static void set_up_roster(void)
{
	set_up();
	snprintf(roster, sizeof roster, "%.*s/members", (int)(strrchr(place, '/') - place), place);
}

static void write_bytes(const char *text, size_t size)
{
	FILE *file = fopen(roster, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static void write_roster(const char *text)
{
	write_bytes(text, strlen(text));
}

static enum status count(void *argument, const char *address)
{
	(void)address;
	++*(int *)argument;
	return STATUS_OK;
}

/* What is on either side of a bad line is read, whatever the line is. */
START_TEST(counts_what_is_no_address)
{
	static const char head[] = "\xef\xbb\xbf"
				   "first@example.net\r\n\r\n# c\nbad\0@example.net\n";
	struct roster_figures figures;
	struct roster_stamp stamp;
	const char *why;
	int visited = 0;
	size_t size = 300000;
	char *text = mem_alloc(context, size);

	memset(text, 'a', size);
	memcpy(text, head, sizeof head - 1);
	memcpy(text + size - 20, "\nlast@example.net\n\n\n", 20);
	write_bytes(text, size);
	ck_assert_status(
		roster_file_read(roster, count, &visited, &stamp, &figures, &why), STATUS_OK);
	ck_assert_int_eq(visited, 2);
	ck_assert_uint_eq(figures.addresses, 2);
	ck_assert_uint_eq(figures.wrong, 2);
	ck_assert_uint_eq(figures.first_wrong, 4);
	ck_assert_uint_eq(stamp.size, size);
}
END_TEST

static enum status append(void *argument, const char *address)
{
	FILE *file = fopen(argument, "a");

	fprintf(file, "%s\n", address);
	return fclose(file) == 0 ? STATUS_NO_SPACE : STATUS_IO;
}

static enum status append_once(void *argument, const char *address)
{
	static bool is_done;
	enum status status = is_done ? STATUS_OK : append(argument, address);

	is_done = true;
	return status == STATUS_NO_SPACE ? STATUS_OK : status;
}

START_TEST(notices_a_change_while_reading)
{
	struct roster_figures figures;
	struct roster_stamp stamp;
	const char *why;

	write_roster("ann@example.net\n");
	ck_assert_status(
		roster_file_read(roster, append_once, roster, &stamp, &figures, &why), STATUS_DATA);
	ck_assert_str_eq(why, "changed while it was read");
}
END_TEST

START_TEST(never_waits_for_a_fifo)
{
	struct roster_figures figures;
	struct roster_stamp stamp;
	const char *why;
	int visited = 0;

	ck_assert_int_eq(mkfifo(roster, 0600), 0);
	ck_assert_status(
		roster_file_read(roster, count, &visited, &stamp, &figures, &why), STATUS_DATA);
	ck_assert_str_eq(why, "is not a plain file");
	ck_assert_status(roster_file_look(roster, &stamp, &why), STATUS_DATA);
}
END_TEST

static void renew(struct state *state, int64_t now)
{
	const char *why = NULL;
	enum status status = roster_renew(state, roster, now, BUDGET_MS, &why);

	ck_assert_msg(
		status == STATUS_OK, "renew: %s, %s", status_text(status), why == NULL ? "-" : why);
}

static enum roster_presence presence_of(struct state *state, const char *address, int64_t now)
{
	struct roster_answer answer;

	ck_assert_status(roster_find(state, roster, &address, 1, now, &answer), STATUS_OK);
	return answer.presence;
}

/* The life of a member: each row is a renewal with this file, this many days after the first. */
static const struct {
	int day;
	const char *file;
	enum roster_presence ann, bob;
} life[] = {
	{0, "ann@example.net\n", ROSTER_PRESENT, ROSTER_ABSENT},
	{1, "ann@example.net\nbob@example.net\nann@example.net\n", ROSTER_PRESENT, ROSTER_PRESENT},
	{2, "bob@example.net\n", ROSTER_LEFT, ROSTER_PRESENT},
	{31, "Bob <BOB@example.net>\n", ROSTER_LEFT, ROSTER_PRESENT},
	{33, "# 33\nbob@example.net\n", ROSTER_ABSENT, ROSTER_PRESENT},
	{34, "carl@example.net\n", ROSTER_ABSENT, ROSTER_LEFT},
	{35, "ann@example.net\nbob@example.net", ROSTER_PRESENT, ROSTER_PRESENT},
};

START_TEST(members_join_leave_and_are_forgotten)
{
	struct state *state = open_state(STATE_WRITE);
	uint64_t records = 0, faults = 1;

	ck_assert_int_eq(presence_of(state, "ann@example.net", NOW), ROSTER_ABSENT);
	for (size_t i = 0; i < sizeof life / sizeof life[0]; i++) {
		int64_t now = NOW + life[i].day * DAY_S;
		struct roster_answer answer;

		write_roster(life[i].file);
		renew(state, now);
		ck_assert_msg(presence_of(state, "ann@example.net", now) == life[i].ann,
			"day %d: ann", life[i].day);
		ck_assert_msg(presence_of(state, "bob@example.net", now) == life[i].bob,
			"day %d: bob", life[i].day);
		ck_assert_status(roster_find(state, roster, NULL, 0, now, &answer), STATUS_OK);
		ck_assert(answer.is_indexed);
		ck_assert_int_eq(answer.first_s, NOW);
	}
	/* ann, bob, and carl who left: what was forgotten is gone. */
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
	ck_assert_uint_eq(records, 4);
	/* Time passes without a renewal. */
	ck_assert_int_eq(presence_of(state, "carl@example.net", NOW + 36 * DAY_S), ROSTER_LEFT);
	ck_assert_int_eq(presence_of(state, "carl@example.net", NOW + 66 * DAY_S), ROSTER_ABSENT);
	state_close(state);
}
END_TEST

START_TEST(a_suffix_is_of_no_account)
{
	struct state *state = open_state(STATE_WRITE);
	struct roster_set *set = NULL;
	const char *why;

	write_roster("ann+lists@example.net\nbob@example.net\n");
	renew(state, NOW);
	ck_assert_status(roster_set_read(context, roster, NULL, 0, &set, &why), STATUS_OK);
	ck_assert_int_eq(presence_of(state, "ann@example.net", NOW), ROSTER_PRESENT);
	ck_assert_int_eq(presence_of(state, "ann+lists@example.net", NOW), ROSTER_PRESENT);
	ck_assert_int_eq(presence_of(state, "bob+x@example.net", NOW), ROSTER_PRESENT);
	ck_assert_int_eq(presence_of(state, "lists@example.net", NOW), ROSTER_ABSENT);
	ck_assert(roster_set_has(set, "ann@example.net"));
	ck_assert(roster_set_has(set, "bob+x@example.net"));
	ck_assert(!roster_set_has(set, "carl@example.net"));
	state_close(state);
}
END_TEST

/* Members number from first to last, in reverse: the order of the file is of no account. */
static void write_many(int first, int last)
{
	FILE *file = fopen(roster, "w");

	for (int i = last; i >= first; i--)
		fprintf(file, "m%d@example.net\n", i);
	ck_assert_int_eq(fclose(file), 0);
}

/* Each entry takes so few bytes that a million are tens of megabytes; a change of one costs one
 * record, and a change of many several transactions. */
START_TEST(a_large_roster_goes_in_chunks)
{
	enum { MANY = 20000, CHUNK = 8192 };
	struct state *state = open_state(STATE_WRITE);
	struct state_size size;
	uint64_t before;

	before = state_transaction_count(state);
	write_many(1, MANY);
	renew(state, NOW);
	ck_assert_uint_ge(state_transaction_count(state) - before, MANY / CHUNK + 2);
	ck_assert_int_eq(presence_of(state, "m1@example.net", NOW), ROSTER_PRESENT);
	ck_assert_int_eq(presence_of(state, "m20000@example.net", NOW), ROSTER_PRESENT);
	ck_assert_int_eq(presence_of(state, "m20001@example.net", NOW), ROSTER_ABSENT);
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_lt(size.used_bytes / MANY, 40);

	before = state_transaction_count(state);
	write_many(2, MANY + 1);
	renew(state, NOW + 1);
	ck_assert_uint_le(state_transaction_count(state) - before, 3);
	ck_assert_int_eq(presence_of(state, "m1@example.net", NOW + 1), ROSTER_LEFT);
	ck_assert_int_eq(presence_of(state, "m20001@example.net", NOW + 1), ROSTER_PRESENT);
	state_close(state);
}
END_TEST

/* Rosters share one database; none sees the others' members. */
START_TEST(rosters_stand_apart)
{
	struct state *state = open_state(STATE_WRITE);
	char other[sizeof roster];

	write_roster("ann@example.net\n");
	renew(state, NOW);
	memcpy(other, roster, sizeof other);
	roster[strlen(roster) - 1] = 'x';
	write_roster("bob@example.net\n");
	renew(state, NOW);
	ck_assert_int_eq(presence_of(state, "ann@example.net", NOW), ROSTER_ABSENT);
	ck_assert_int_eq(presence_of(state, "bob@example.net", NOW), ROSTER_PRESENT);
	memcpy(roster, other, sizeof other);
	write_roster("carl@example.net\n");
	renew(state, NOW);
	ck_assert_int_eq(presence_of(state, "ann@example.net", NOW), ROSTER_LEFT);
	ck_assert_int_eq(presence_of(state, "bob@example.net", NOW), ROSTER_ABSENT);
	state_close(state);
}
END_TEST

/* While another process is at it, what was known holds; with a file that is of no use, too. */
START_TEST(a_renewal_that_fails_changes_nothing)
{
	struct state *state = open_state(STATE_WRITE);
	char path[sizeof place + 16];
	const char *why;
	int lock;

	write_roster("ann@example.net\n");
	renew(state, NOW);
	write_roster("# nobody\n");
	ck_assert_status(roster_renew(state, roster, NOW, BUDGET_MS, &why), STATUS_DATA);
	ck_assert_str_eq(why, "has no address in it");
	ck_assert_int_eq(unlink(roster), 0);
	ck_assert_status(roster_renew(state, roster, NOW, BUDGET_MS, &why), STATUS_NO_INPUT);

	write_roster("bob@example.net\n");
	snprintf(path, sizeof path, "%s/roster.lock", place);
	lock = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	ck_assert_status(roster_renew(state, roster, NOW, BUDGET_MS, &why), STATUS_TIMEOUT);
	ck_assert_int_eq(presence_of(state, "ann@example.net", NOW), ROSTER_PRESENT);
	ck_assert_int_eq(presence_of(state, "bob@example.net", NOW), ROSTER_ABSENT);
	close(lock);
	renew(state, NOW);
	ck_assert_int_eq(presence_of(state, "bob@example.net", NOW), ROSTER_PRESENT);
	state_close(state);
}
END_TEST

/* Out of time between two chunks: what was written counts, the next goes on from there. */
START_TEST(a_renewal_is_carried_on_with)
{
	struct state *state = open_state(STATE_WRITE);
	struct roster_answer answer;
	const char *why;

	write_many(1, 20000);
	ck_assert_status(roster_renew(state, roster, NOW, -1, &why), STATUS_TIMEOUT);
	ck_assert_status(roster_find(state, roster, NULL, 0, NOW, &answer), STATUS_OK);
	ck_assert(!answer.is_indexed);
	renew(state, NOW);
	ck_assert_int_eq(presence_of(state, "m77@example.net", NOW), ROSTER_PRESENT);
	state_close(state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roster");
	TCase *tcase = tcase_create("roster");

	tcase_add_checked_fixture(tcase, set_up_roster, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, reads_a_line, 0, ROWS(lines));
	tcase_add_test(tcase, counts_what_is_no_address);
	tcase_add_test(tcase, notices_a_change_while_reading);
	tcase_add_test(tcase, never_waits_for_a_fifo);
	tcase_add_test(tcase, members_join_leave_and_are_forgotten);
	tcase_add_test(tcase, a_suffix_is_of_no_account);
	tcase_add_test(tcase, a_large_roster_goes_in_chunks);
	tcase_add_test(tcase, rosters_stand_apart);
	tcase_add_test(tcase, a_renewal_that_fails_changes_nothing);
	tcase_add_test(tcase, a_renewal_is_carried_on_with);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
