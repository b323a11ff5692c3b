/* test_held_act.c: backstop held: release and purge. */
#include "held_place.h"

/* ---- release ---- */

static enum status find_released(void *argument, const struct event *event)
{
	struct event *found = argument;

	if (event->evidence != NULL && strcmp(event->evidence, "released") == 0)
		*found = *event;
	return STATUS_OK;
}

static void check_event(enum action action)
{
	struct event found = {.time_s = 0};

	ck_assert_int_eq(record_walk_events(state, NOW, NOW + 1, find_released, &found), STATUS_OK);
	ck_assert_msg(found.time_s == NOW, "no event");
	ck_assert_str_eq(action_name(found.action), action_name(action));
	ck_assert_str_eq(action_name(found.policy), action_name(action));
	ck_assert_str_eq(verdict_name(found.verdict), "backscatter");
	ck_assert_int_eq(found.score, -42);
}

START_TEST(release_forwards)
{
	const char *id = hold(FORWARD, VERDICT_BACKSCATTER, NOW - 9, NOW + 9);
	const char *message;

	CHECK_STATUS(RUN("release", id), STATUS_OK);
	ck_assert_str_eq(out, mem_printf(context, "released %s: forward\n", id));
	ck_assert_str_eq(read_file(path_of("argv")), "-i -f <> -- alice@example.org ");
	message = read_file(path_of("message"));
	ck_assert_str_eq(message,
		"X-Backstop-Loop: forward@lists.example.org\nX-Backstop-Kind: failed\n"
		"X-Backstop-Verdict: backscatter\nX-Backstop-Score: -42\n"
		"Auto-Submitted: auto-generated\n" ORIGINAL);
	check_event(ACTION_FORWARD);
	check_held(0, 0);
}
END_TEST

START_TEST(release_files)
{
	const char *id = hold("file@lists.example.org", VERDICT_BACKSCATTER, NOW - 9, 0);
	const char *command =
		mem_printf(context, "cat '%s'/new/* > '%s'", path_of("box"), path_of("filed"));

	CHECK_STATUS(RUN("release", id), STATUS_OK);
	ck_assert_int_eq(system(command), 0);
	ck_assert_str_eq(read_file(path_of("filed")), ORIGINAL);
	check_event(ACTION_FILE);
	check_held(0, 0);
}
END_TEST

START_TEST(release_pipes)
{
	const char *id = hold("pipe@lists.example.org", VERDICT_BACKSCATTER, NOW - 9, 0);

	CHECK_STATUS(RUN("release", id), STATUS_OK);
	ck_assert_str_eq(read_file(path_of("piped")), "backscatter\n" ORIGINAL);
	check_event(ACTION_PIPE);
	check_held(0, 0);
}
END_TEST

START_TEST(release_needs_a_list)
{
	const char *id = hold("gone@lists.example.org", VERDICT_BACKSCATTER, NOW - 9, 0);

	CHECK_STATUS(RUN("release", id), STATUS_CONFIG);
	check_said("--to=ADDRESS");
	check_held(1, 1);
	CHECK_STATUS(RUN("release", id, "--to=Carol@example.com"), STATUS_OK);
	ck_assert_str_eq(read_file(path_of("argv")), "-i -f <> -- carol@example.com ");
	check_event(ACTION_FORWARD);
	check_held(0, 0);
}
END_TEST

START_TEST(release_to_wins_over_the_list)
{
	const char *id = hold("file@lists.example.org", VERDICT_BACKSCATTER, NOW - 9, 0);

	CHECK_STATUS(RUN("release", id, "--to=carol@example.com"), STATUS_OK);
	ck_assert_str_eq(read_file(path_of("argv")), "-i -f <> -- carol@example.com ");
	check_held(0, 0);
}
END_TEST

START_TEST(release_that_fails_keeps)
{
	const char *first = hold(FORWARD, VERDICT_BACKSCATTER, NOW - 9, 0);
	const char *second = hold("file@lists.example.org", VERDICT_BACKSCATTER, NOW - 9, 0);

	write_sendmail(75);
	CHECK_STATUS(RUN("release", first, "ABC", second), STATUS_CHILD);
	check_said(mem_printf(context, "%s stays held: ", first));
	check_said("exited with code 75");
	check_said("no held message ABC");
	ck_assert_str_eq(out, mem_printf(context, "released %s: file\n", second));
	check_held(1, 1);
	CHECK_STATUS(RUN("show", first), STATUS_OK);
}
END_TEST

START_TEST(release_without_its_file)
{
	const char *id = hold(FORWARD, VERDICT_BACKSCATTER, NOW - 9, 0);

	ck_assert_int_eq(system(mem_printf(context, "rm '%s'/held/new/*", config->state)), 0);
	CHECK_STATUS(RUN("release", id), STATUS_NO_INPUT);
	check_said("stays held: cannot read the message");
	ck_assert_ptr_null(read_file(path_of("argv")));
	check_held(1, 0);
	CHECK_STATUS(RUN("purge", id), STATUS_OK);
	check_held(0, 0);
}
END_TEST

START_TEST(release_all_that_match)
{
	const char *kept = hold(FORWARD, VERDICT_UNPROVEN, NOW - 3, 0);

	hold(FORWARD, VERDICT_BACKSCATTER, NOW - 2, 0);
	hold(FORWARD, VERDICT_BACKSCATTER, NOW - 1, 0);
	CHECK_STATUS(RUN("release", "--all", "--verdict=backscatter"), STATUS_OK);
	check_held(1, 1);
	CHECK_STATUS(RUN("show", kept), STATUS_OK);
	CHECK_STATUS(RUN("release", "--all", "--verdict=backscatter"), STATUS_OK);
	ck_assert_str_eq(out, "no held message is meant by this\n");
}
END_TEST

START_TEST(release_by_choice)
{
	hold(FORWARD, VERDICT_UNPROVEN, NOW - 3, 0);
	hold(FORWARD, VERDICT_BACKSCATTER, NOW - 2, 0);
	hold("file@lists.example.org", VERDICT_BACKSCATTER, NOW - 1, 0);
	CHECK_STATUS(
		RUN("release", "--verdict=backscatter", "--list=" FORWARD, "--dry-run"), STATUS_OK);
	ck_assert_str_eq(out, "1 message would be released\n");
	CHECK_STATUS(RUN("release", "--all", "--dry-run"), STATUS_OK);
	ck_assert_str_eq(out, "3 messages would be released\n");
	ck_assert_ptr_null(read_file(path_of("argv")));
	check_held(3, 3);
	CHECK_STATUS(
		RUN("release", "--verdict=backscatter", "--list=" FORWARD, "--yes"), STATUS_OK);
	ck_assert_ptr_nonnull(read_file(path_of("argv")));
	check_held(2, 2);
}
END_TEST

/* ---- purge ---- */

/* A file in held/new that no record names, of that age. */
static void add_orphan(int64_t age_s)
{
	const struct timespec times[2] = {{.tv_sec = NOW - age_s}, {.tv_sec = NOW - age_s}};
	const char *error = NULL;
	char *file = NULL;

	ck_assert_int_eq(hold_keep(context, config->state, (struct bytes){NULL, 0}, &file, &error),
		STATUS_OK);
	ck_assert_int_eq(
		utimensat(AT_FDCWD, mem_printf(context, "%s/held/new/%s", config->state, file),
			times, 0),
		0);
}

static const struct {
	const char *options[2];
	uint64_t records; /* that remain of 3 */
	size_t files;	  /* that remain of 5 */
	const char *want;
} purge_rows[] = {
	{{"--all"}, 0, 1, "moved 1 file that no record names to "},
	{{"--expired"}, 2, 3, "moved 1 file that no record names to "},
	{{"--all", "--verdict=unproven"}, 2, 4, "purged "},
	{{"--all", "--since=5s"}, 2, 4, "purged "},
	{{"--expired", "--verdict=unproven"}, 3, 5, "no held message is meant by this\n"},
};

START_TEST(purge)
{
	hold(FORWARD, VERDICT_UNPROVEN, NOW - 30, 0);
	hold(FORWARD, VERDICT_BACKSCATTER, NOW - 20, NOW);
	hold(FORWARD, VERDICT_BACKSCATTER, NOW - 5, NOW + 1);
	add_orphan(24 * 3600 - 60);
	add_orphan(24 * 3600 + 60);
	CHECK_STATUS(RUN("purge", purge_rows[_i].options[0], purge_rows[_i].options[1]), STATUS_OK);
	check_out(purge_rows[_i].want);
	check_held(purge_rows[_i].records, purge_rows[_i].files);
}
END_TEST

START_TEST(purge_by_choice)
{
	const char *kept = hold(FORWARD, VERDICT_UNPROVEN, NOW - 30, 0);

	hold(FORWARD, VERDICT_BACKSCATTER, NOW - 20, NOW - 1);
	add_orphan(48 * 3600);
	CHECK_STATUS(RUN("purge", "--verdict=backscatter", "--dry-run"), STATUS_OK);
	ck_assert_str_eq(out, "1 message would be purged\n");
	CHECK_STATUS(RUN("purge", "--expired", "--dry-run"), STATUS_OK);
	ck_assert_str_eq(out, "1 message would be purged\n");
	CHECK_STATUS(RUN("purge", kept, "ABC", "--dry-run"), STATUS_NOT_FOUND);
	ck_assert_str_eq(out, "1 message would be purged\n");
	check_held(2, 3);
	CHECK_STATUS(RUN("purge", "--verdict=backscatter", "--yes"), STATUS_OK);
	check_held(1, 2);
	CHECK_STATUS(RUN("show", kept), STATUS_OK);
}
END_TEST

START_TEST(purge_by_id)
{
	const char *first = hold(FORWARD, VERDICT_UNPROVEN, NOW - 30, 0);
	const char *second = hold(FORWARD, VERDICT_UNPROVEN, NOW - 20, 0);

	hold(FORWARD, VERDICT_UNPROVEN, NOW - 10, 0);
	add_orphan(48 * 3600);
	CHECK_STATUS(RUN("purge", first, "ABC", second), STATUS_NOT_FOUND);
	ck_assert_str_eq(out, mem_printf(context, "purged %s\npurged %s\n", first, second));
	check_held(1, 2);
	ck_assert_ptr_null(read_file(path_of("argv")));
}
END_TEST

static int spoil_record(struct state *opened, MDB_txn *transaction, void *argument)
{
	uint64_t id = *(const uint64_t *)argument;
	unsigned char bytes[8];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value = {.mv_size = 1, .mv_data = "?"};

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(id >> (8 * (sizeof bytes - 1 - i)));
	return mdb_put(transaction, opened->dbis[BOX_HELD], &key, &value, 0);
}

/* A record that does not decode names a file that must not be taken for nobody's. */
START_TEST(purge_spares_files_of_broken_records)
{
	uint64_t id;

	ck_assert(event_id_parse(hold(FORWARD, VERDICT_UNPROVEN, NOW - 30, 0), &id));
	hold(FORWARD, VERDICT_UNPROVEN, NOW - 20, NOW - 10);
	ck_assert_int_eq(box_write(state, spoil_record, &id), STATUS_OK);
	ck_assert_int_eq(system(mem_printf(context, "touch -d @%d '%s'/held/new/*", NOW - 48 * 3600,
				 config->state)),
		0);
	CHECK_STATUS(RUN("purge", "--expired"), STATUS_STATE);
	check_said("files without a record were not looked for");
	check_held(1, 1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("held_act");
	TCase *tcase = tcase_create("held_act");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, release_forwards);
	tcase_add_test(tcase, release_files);
	tcase_add_test(tcase, release_pipes);
	tcase_add_test(tcase, release_needs_a_list);
	tcase_add_test(tcase, release_to_wins_over_the_list);
	tcase_add_test(tcase, release_that_fails_keeps);
	tcase_add_test(tcase, release_without_its_file);
	tcase_add_test(tcase, release_all_that_match);
	tcase_add_test(tcase, release_by_choice);
	tcase_add_loop_test(tcase, purge, 0, LENGTH(purge_rows));
	tcase_add_test(tcase, purge_by_choice);
	tcase_add_test(tcase, purge_by_id);
	tcase_add_test(tcase, purge_spares_files_of_broken_records);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
