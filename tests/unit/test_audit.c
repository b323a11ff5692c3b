/* test_audit.c: the account of who did what: what is written is read, in order, and grows old. */
#include "state/audit.h"

#include "state/record.h"
#include "state/settings.h"

#include "state_place.h"

enum { DAY_S = 86400 };

#define NOON INT64_C(1795521600) /* 2026-11-24 12:00 */

static const struct audit_entry sample = {.time_s = NOON,
	.who = {.login = "alice", .source = "sudo", .user = 0, .effective_user = 109},
	.command = "held release",
	.object = "6B3",
	.before = "held",
	.after = "forward",
	.note = "by hand"};

struct seen {
	size_t count;
	struct audit_entry entries[64];
};

static enum status see(void *argument, const struct audit_entry *entry)
{
	struct seen *seen = argument;
	struct audit_entry *own = &seen->entries[seen->count++ % 64];
	const char **const texts[] = {&own->who.login, &own->who.source, &own->command,
		&own->object, &own->before, &own->after, &own->note};

	*own = *entry;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (*texts[i] != NULL)
			*texts[i] = mem_strdup(context, *texts[i]);
	}
	return STATUS_OK;
}

static struct seen walk(struct state *state, int64_t from_s, int64_t until_s)
{
	struct seen seen = {.count = 0};

	ck_assert_status(audit_walk(state, from_s, until_s, see, &seen), STATUS_OK);
	return seen;
}

START_TEST(an_entry_is_read_as_it_was_written)
{
	struct state *state = open_state(STATE_WRITE);
	struct seen seen;

	ck_assert_status(audit_record(state, &sample), STATUS_OK);
	seen = walk(state, 0, INT64_MAX);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_int_eq(seen.entries[0].time_s, sample.time_s);
	ck_assert_uint_eq(seen.entries[0].who.user, 0);
	ck_assert_uint_eq(seen.entries[0].who.effective_user, 109);
	ck_assert_str_eq(seen.entries[0].who.login, "alice");
	ck_assert_str_eq(seen.entries[0].who.source, "sudo");
	ck_assert_str_eq(seen.entries[0].command, "held release");
	ck_assert_str_eq(seen.entries[0].object, "6B3");
	ck_assert_str_eq(seen.entries[0].before, "held");
	ck_assert_str_eq(seen.entries[0].after, "forward");
	ck_assert_str_eq(seen.entries[0].note, "by hand");
}
END_TEST

START_TEST(what_is_not_given_stays_away_and_what_is_long_is_cut)
{
	struct state *state = open_state(STATE_WRITE);
	struct audit_entry entry = {.time_s = NOON, .command = "db prune"};
	char *text = mem_alloc(context, AUDIT_TEXT_MAX + 100);
	uint64_t records, faults;
	struct seen seen;

	memset(text, 'x', AUDIT_TEXT_MAX + 99);
	entry.after = text;
	ck_assert_status(audit_record(state, &entry), STATUS_OK);
	seen = walk(state, 0, INT64_MAX);
	ck_assert_ptr_null(seen.entries[0].object);
	ck_assert_ptr_null(seen.entries[0].before);
	ck_assert_uint_eq(strlen(seen.entries[0].after), AUDIT_TEXT_MAX);
	ck_assert_ptr_nonnull(seen.entries[0].who.login);
	ck_assert_uint_eq(seen.entries[0].who.user, getuid());
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

START_TEST(entries_of_one_second_keep_their_order_and_a_span_is_chosen_by_time)
{
	struct state *state = open_state(STATE_WRITE);
	struct audit_entry entry = sample;
	struct seen seen;

	for (int i = 0; i < 5; i++) {
		entry.object = mem_printf(context, "%d", i);
		/* The third is written with a clock that went back. */
		entry.time_s = i == 2 ? NOON - DAY_S : NOON;
		ck_assert_status(audit_record(state, &entry), STATUS_OK);
	}
	seen = walk(state, NOON, NOON + 1);
	ck_assert_uint_eq(seen.count, 4);
	ck_assert_str_eq(seen.entries[0].object, "0");
	ck_assert_str_eq(seen.entries[2].object, "3");
	ck_assert_uint_eq(walk(state, NOON + 1, INT64_MAX).count, 0);
	ck_assert_uint_eq(walk(state, 0, NOON).count, 1);
}
END_TEST

START_TEST(old_entries_go_with_the_next_one)
{
	struct state *state = open_state(STATE_WRITE);
	const struct record_policy policy = {.rollups_s = 10 * DAY_S};
	struct audit_entry entry = sample;

	record_set_policy(state, &policy);
	for (int i = 0; i < 20; i++) {
		entry.time_s = NOON + i;
		ck_assert_status(audit_record(state, &entry), STATUS_OK);
	}
	entry.time_s = NOON + 10 * DAY_S - 1;
	ck_assert_status(audit_record(state, &entry), STATUS_OK);
	ck_assert_uint_eq(walk(state, 0, INT64_MAX).count, 21);
	entry.time_s = NOON + 11 * DAY_S;
	ck_assert_status(audit_record(state, &entry), STATUS_OK);
	ck_assert_msg(walk(state, 0, INT64_MAX).count == 22 - 16, "got %zu left, want 6",
		walk(state, 0, INT64_MAX).count);
	ck_assert_status(audit_record(state, &entry), STATUS_OK);
	ck_assert_uint_eq(walk(state, 0, INT64_MAX).count, 3);
}
END_TEST

static size_t look(struct state *state, const struct setting_text *items, size_t count)
{
	const struct settings settings = {
		"/etc/backstop.conf", items, count, {.time_s = NOON, .command = "configuration"}};
	size_t counted = 99, recorded = 99, left = 99;

	ck_assert_status(settings_count_changes(state, &settings, &counted), STATUS_OK);
	ck_assert_status(settings_record(state, &settings, &recorded), STATUS_OK);
	ck_assert_uint_eq(counted, recorded);
	ck_assert_status(settings_count_changes(state, &settings, &left), STATUS_OK);
	ck_assert_uint_eq(left, 0);
	return recorded;
}

START_TEST(a_change_of_a_section_is_entered_with_before_and_after)
{
	struct state *state = open_state(STATE_WRITE);
	const struct setting_text first[] = {{"settings", "", "mode = \"observe\"\n"},
		{"list", "a@example.org", "owners = {\"x@example.org\"}\n"},
		{"list", "b@example.org", ""}};
	const struct setting_text second[] = {{"settings", "", "mode = \"observe\"\n"},
		{"list", "a@example.org", "owners = {\"y@example.org\"}\n"},
		{"list", "c@example.org", ""}};
	uint64_t records, faults;
	struct seen seen;

	char *source = NULL;

	ck_assert_status(settings_find_source(state, context, &source), STATUS_NOT_FOUND);
	ck_assert_uint_eq(look(state, first, ROWS(first)), 1);
	ck_assert_status(settings_find_source(state, context, &source), STATUS_OK);
	ck_assert_str_eq(source, "/etc/backstop.conf");
	ck_assert_uint_eq(look(state, first, ROWS(first)), 0);
	ck_assert_uint_eq(look(state, second, ROWS(second)), 3);
	seen = walk(state, 0, INT64_MAX);
	ck_assert_uint_eq(seen.count, 4);
	ck_assert_str_eq(seen.entries[0].after, "3 sections, watched from now on");
	for (size_t i = 1; i < seen.count; i++) {
		const struct audit_entry *entry = &seen.entries[i];

		if (strstr(entry->object, "a@") != NULL) {
			ck_assert_str_eq(entry->object, "list \"a@example.org\"");
			ck_assert_str_eq(entry->before, first[1].text);
			ck_assert_str_eq(entry->after, second[1].text);
		} else if (strstr(entry->object, "b@") != NULL) {
			ck_assert_str_eq(entry->before, "");
			ck_assert_ptr_null(entry->after);
		} else {
			ck_assert_str_eq(entry->object, "list \"c@example.org\"");
			ck_assert_ptr_null(entry->before);
			ck_assert_str_eq(entry->after, "");
		}
	}
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

START_TEST(a_change_behind_what_is_kept_of_a_long_text_is_seen)
{
	struct state *state = open_state(STATE_WRITE);
	char *text = mem_alloc(context, 2 * AUDIT_TEXT_MAX + 1);
	struct setting_text item = {"list", "a@example.org", text};

	memset(text, 'x', 2 * AUDIT_TEXT_MAX);
	ck_assert_uint_eq(look(state, &item, 1), 1);
	text[2 * AUDIT_TEXT_MAX - 1] = 'y';
	ck_assert_uint_eq(look(state, &item, 1), 1);
}
END_TEST

static const struct who_row {
	struct who_facts facts;
	const char *login, *source;
} who_rows[] = {
	{{WHO_NO_SESSION, NULL, NULL, 0, 0}, "root", "user"},
	{{WHO_NO_SESSION, "alice", NULL, 0, 0}, "alice", "sudo"},
	{{WHO_NO_SESSION, NULL, "bob", 0, 0}, "bob", "doas"},
	{{WHO_NO_SESSION, "", "", 0, 0}, "root", "user"},
	{{0, "alice", NULL, 65534, 65534}, "root", "session"},
	{{3999999, "alice", NULL, 0, 0}, "#3999999", "session"},
	{{WHO_NO_SESSION, NULL, NULL, 3999999, 0}, "#3999999", "user"},
};

START_TEST(who_it_was)
{
	const struct who_row *row = &who_rows[_i];
	struct who who;

	who_choose(context, &row->facts, &who);
	ck_assert_str_eq(who.login, row->login);
	ck_assert_str_eq(who.source, row->source);
	ck_assert_uint_eq(who.user, row->facts.user);
	ck_assert_uint_eq(who.effective_user, row->facts.effective_user);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit");
	TCase *tests = tcase_create("audit");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_entry_is_read_as_it_was_written);
	tcase_add_test(tests, what_is_not_given_stays_away_and_what_is_long_is_cut);
	tcase_add_test(tests, entries_of_one_second_keep_their_order_and_a_span_is_chosen_by_time);
	tcase_add_test(tests, old_entries_go_with_the_next_one);
	tcase_add_test(tests, a_change_of_a_section_is_entered_with_before_and_after);
	tcase_add_test(tests, a_change_behind_what_is_kept_of_a_long_text_is_seen);
	tcase_add_loop_test(tests, who_it_was, 0, ROWS(who_rows));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
