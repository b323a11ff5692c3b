/* test_state.c: opening and refusing: other users, damage, a full disk. */
#include "state/state.h"

#include <dirent.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>

#include "state_filled.h"

enum { NOBODY = 65534 };

static enum status try_open(enum state_access access, struct state **state_out, const char **error)
{
	enum status status;

	*state_out = NULL;
	*error = NULL;
	status = state_open(context, place, access, state_out, error);
	ck_assert_msg((status == STATUS_OK) == (*state_out != NULL), "got %s and %p",
		status_text(status), (void *)*state_out);
	ck_assert_msg((status == STATUS_OK) == (*error == NULL), "got %s and the sentence %s",
		status_text(status), *error);
	return status;
}

static int count_files(const char *folder)
{
	DIR *directory = opendir(folder);
	int count = 0;

	if (directory == NULL)
		return -1;
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static off_t size_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_size : -1;
}

START_TEST(reading_creates_nothing)
{
	struct state *state;
	const char *error;

	ck_assert_status(try_open(STATE_READ, &state, &error), STATUS_NO_INPUT);
	ck_assert_int_eq(count_files(place), -1);
	ck_assert_int_eq(mkdir(place, 0700), 0);
	ck_assert_status(try_open(STATE_READ, &state, &error), STATUS_NO_INPUT);
	ck_assert_int_eq(count_files(place), 0);
	write_file(data_file, "", 0);
	ck_assert_status(try_open(STATE_READ, &state, &error), STATUS_NO_INPUT);
	ck_assert_int_eq(count_files(place), 1);
}
END_TEST

START_TEST(reading_needs_no_lock_file)
{
	struct state *state;

	make_state();
	ck_assert_int_eq(unlink(lock_file), 0);
	state = open_state(STATE_READ);
	ck_assert_uint_eq(count_events(state), 1);
	state_close(state);
	ck_assert_int_eq(count_files(place), 1);
	state = open_state(STATE_WRITE);
	ck_assert_status(add_event(state), STATUS_OK);
	ck_assert_uint_eq(count_events(state), 2);
}
END_TEST

START_TEST(writing_creates_the_last_folder_only)
{
	char deep[sizeof place + 8];
	mode_t mask = umask(027);
	struct state *state;
	const char *error;
	struct stat info;

	ck_assert_ptr_eq(strcpy(deep, place), deep);
	strcat(place, "/deeper");
	ck_assert_status(try_open(STATE_WRITE, &state, &error), STATUS_NO_INPUT);
	ck_assert_ptr_nonnull(strstr(error, "does not exist"));
	strcpy(place, deep);
	ck_assert_int_eq(count_files(place), -1);
	state = open_state(STATE_WRITE);
	ck_assert_str_eq(state_directory(state), place);
	ck_assert_int_eq(count_files(place), 2);
	ck_assert_int_eq(stat(place, &info), 0);
	ck_assert_int_eq(info.st_mode & 07777, 0750);
	ck_assert_int_eq(stat(data_file, &info), 0);
	ck_assert_int_eq(info.st_mode & 07777, 0640);
	umask(mask);
}
END_TEST

START_TEST(a_file_is_no_folder)
{
	struct state *state;
	const char *error;

	write_file(place, "x", 1);
	ck_assert_int_ne(try_open(STATE_WRITE, &state, &error), STATUS_OK);
	ck_assert_status(try_open(STATE_READ, &state, &error), STATUS_NO_INPUT);
	ck_assert_int_eq(size_of(place), 1);
}
END_TEST

START_TEST(opening_again_writes_no_transaction)
{
	struct state *state = open_state(STATE_WRITE);
	uint64_t created = state_transaction_count(state);

	ck_assert_uint_le(created, 1);
	state_close(state);
	for (int i = 0; i < 4; i++) {
		state = open_state(i % 2 == 0 ? STATE_WRITE : STATE_READ);
		ck_assert_uint_eq(state_transaction_count(state), created);
		state_close(state);
	}
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
	state_close(NULL);
}
END_TEST

/* The environment hangs on the context. */
START_TEST(freeing_the_context_closes)
{
	for (int i = 0; i < 3; i++) {
		void *inner = mem_context(context, "inner");
		struct state *state;
		const char *error;

		ck_assert_status(state_open(inner, place, STATE_WRITE, &state, &error), STATUS_OK);
		ck_assert_status(add_event(state), STATUS_OK);
		mem_free(inner);
	}
	ck_assert_uint_eq(count_events(open_state(STATE_READ)), 3);
}
END_TEST

static const char *const owned[] = {"", "/data.mdb", "/lock.mdb"};

START_TEST(root_keeps_out_of_others_state)
{
	char path[sizeof place + 16];
	struct state *state;
	const char *error;
	uint64_t before;

	if (geteuid() != 0)
		return; /* only root can give files away */
	make_state();
	snprintf(path, sizeof path, "%s%s", place, owned[_i]);
	ck_assert_int_eq(chown(path, NOBODY, (gid_t)-1), 0);
	ck_assert_status(try_open(STATE_WRITE, &state, &error), STATUS_PERMISSION);
	ck_assert_msg(strstr(error, path) && strstr(error, "belongs to") &&
			      strstr(error, "run it as that user"),
		"got the sentence: %s", error);
	state = open_state(STATE_READ);
	before = state_transaction_count(state);
	ck_assert_uint_eq(count_events(state), 1);
	ck_assert_uint_eq(state_transaction_count(state), before);
}
END_TEST

START_TEST(root_creates_nothing_in_others_folder)
{
	struct state *state;
	const char *error;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(place, 0777), 0);
	ck_assert_int_eq(chown(place, NOBODY, (gid_t)-1), 0);
	ck_assert_status(try_open(STATE_WRITE, &state, &error), STATUS_PERMISSION);
	ck_assert_int_eq(count_files(place), 0);
}
END_TEST

/* In a child: as another user where we are root. Exit code: the status, or 99 without a sentence
 * that names the owner. */
static int open_as_stranger(void *argument)
{
	struct state *state = NULL;
	const char *error = NULL;
	enum status status;

	if (geteuid() == 0 &&
		(setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 98;
	status = state_open(context, place, *(enum state_access *)argument, &state, &error);
	if (status != STATUS_OK && (error == NULL || strstr(error, "belongs to") == NULL))
		return 99;
	return (int)status;
}

static const struct {
	const char *name;
	mode_t folder, data, lock; /* for others if we are root, else for us */
	enum state_access access;
	enum status want;
} modes[] = {
	{"all open, write", 07, 06, 06, STATE_WRITE, STATUS_OK},
	{"all open, read", 07, 06, 06, STATE_READ, STATUS_OK},
	{"data read-only, write", 07, 04, 06, STATE_WRITE, STATUS_PERMISSION},
	{"data read-only, read", 07, 04, 06, STATE_READ, STATUS_OK},
	{"data closed, write", 07, 0, 06, STATE_WRITE, STATUS_PERMISSION},
	{"data closed, read", 07, 0, 06, STATE_READ, STATUS_PERMISSION},
	{"lock closed, write", 07, 06, 0, STATE_WRITE, STATUS_PERMISSION},
	{"lock read-only, read", 07, 06, 04, STATE_READ, STATUS_PERMISSION},
	{"folder closed, read", 0, 06, 06, STATE_READ, STATUS_PERMISSION},
	{"folder closed, write", 0, 06, 06, STATE_WRITE, STATUS_PERMISSION},
};

START_TEST(other_users_are_told)
{
	bool is_root = geteuid() == 0;
	int shift = is_root ? 0 : 6;
	enum state_access access = modes[_i].access;
	char *above = mem_printf(context, "%s/..", place);
	int got;

	make_state();
	if (is_root) {
		ck_assert_int_eq(chmod(above, 0755), 0);
		ck_assert_int_eq(chmod(base, 0755), 0);
	}
	ck_assert_int_eq(chmod(data_file, modes[_i].data << shift), 0);
	ck_assert_int_eq(chmod(lock_file, modes[_i].lock << shift), 0);
	ck_assert_int_eq(chmod(place, modes[_i].folder << shift), 0);
	got = finish(start(open_as_stranger, &access));
	chmod(place, 0700);
	ck_assert_msg(got == (int)modes[_i].want, "%s: got %d, want %d", modes[_i].name, got,
		modes[_i].want);
}
END_TEST

/* Lengths to cut data.mdb to; negative: so many bytes less than it has. */
static const struct {
	off_t length;
} cuts[] = {{1}, {100}, {4096}, {8191}, {8192}, {12288}, {65536}, {-1}, {-4096}, {-40960}};

START_TEST(cut_file_is_refused)
{
	struct state *state = open_state(STATE_WRITE);
	const char *error;
	off_t size;
	off_t length;

	for (int i = 0; i < 4; i++)
		ck_assert_status(fill(state, i * 1000, 1000), STATUS_OK);
	state_close(state);
	size = size_of(data_file);
	ck_assert_int_gt(size, 131072);
	length = cuts[_i].length > 0 ? cuts[_i].length : size + cuts[_i].length;
	ck_assert_int_eq(truncate(data_file, length), 0);
	for (int access = STATE_READ; access <= STATE_WRITE; access++) {
		enum status status = try_open((enum state_access)access, &state, &error);

		ck_assert_msg(status == STATUS_STATE, "%lld of %lld bytes: got %s",
			(long long)length, (long long)size, status_text(status));
		ck_assert_ptr_nonnull(strstr(error, data_file));
	}
	ck_assert_int_eq(size_of(data_file), length);
}
END_TEST

static const struct {
	const char *name;
	size_t size;
	int first; /* byte; the rest counts on from it, or, below 0, is zeros */
} garbage[] = {
	{"a byte", 1, 'x'},
	{"a word", 5, 'h'},
	{"zeros", 65536, -1},
	{"a page of bytes", 4096, 17},
	{"many bytes", 300000, 99},
};

START_TEST(garbage_is_refused)
{
	unsigned char *bytes = mem_alloc(context, garbage[_i].size);
	struct state *state;
	const char *error;

	for (size_t i = 0; i < garbage[_i].size && garbage[_i].first >= 0; i++)
		bytes[i] = (unsigned char)((size_t)garbage[_i].first + i * 7 / 3);
	make_state();
	write_file(data_file, bytes, garbage[_i].size);
	for (int access = STATE_READ; access <= STATE_WRITE; access++) {
		enum status status = try_open((enum state_access)access, &state, &error);

		ck_assert_msg(status == STATUS_STATE, "%s: got %s", garbage[_i].name,
			status_text(status));
		ck_assert_ptr_nonnull(strstr(error, "damaged"));
	}
	ck_assert_int_eq(size_of(data_file), (off_t)garbage[_i].size);
}
END_TEST

/* With nobody at work, LMDB begins the lock file anew. */
START_TEST(garbage_in_the_lock_file_does_not_matter)
{
	unsigned char bytes[32768];
	struct state *state;

	memset(bytes, 0x5a, sizeof bytes);
	make_state();
	write_file(lock_file, bytes, sizeof bytes);
	state = open_state(STATE_WRITE);
	ck_assert_status(add_event(state), STATUS_OK);
	ck_assert_uint_eq(count_events(state), 2);
}
END_TEST

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN); /* as guard_enter() does */
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that is full at each moment of creation. has_lock: lock.mdb was there in full. */
static const struct {
	rlim_t bytes;
	bool has_lock;
	enum status want;
} full_disks[] = {
	{0, false, STATUS_NO_SPACE},
	{4096, false, STATUS_NO_SPACE},
	{32768, false, STATUS_OK}, /* the lock file is the largest */
	{0, true, STATUS_NO_SPACE},
	{100, true, STATUS_NO_SPACE},
	{4096, true, STATUS_NO_SPACE},
	{6000, true, STATUS_NO_SPACE},
	{8192, true, STATUS_NO_SPACE},
	{12287, true, STATUS_NO_SPACE},
	{12288, true, STATUS_OK},
};

START_TEST(creation_survives_a_full_disk)
{
	struct state *state;
	const char *error;
	enum status got;

	if (full_disks[_i].has_lock) {
		ck_assert_int_eq(mkdir(place, 0700), 0);
		write_file(lock_file, mem_alloc(context, 32768), 32768);
	}
	limit_files(full_disks[_i].bytes);
	got = try_open(STATE_WRITE, &state, &error);
	limit_files(RLIM_INFINITY);
	ck_assert_msg(got == full_disks[_i].want, "row %d: got %s (%s), want %s", _i,
		status_text(got), error, status_text(full_disks[_i].want));
	state_close(state);
	state = open_state(STATE_WRITE);
	ck_assert_status(add_event(state), STATUS_OK);
	ck_assert_uint_eq(count_events(state), 1);
}
END_TEST

START_TEST(a_full_disk_loses_nothing)
{
	struct state *state = open_state(STATE_WRITE);
	enum status status = STATUS_OK;
	uint64_t records;
	uint64_t faults;
	int count = 0;

	limit_files(256 * 1024);
	while (status == STATUS_OK && count < 100) {
		status = fill(state, count * 500, 500);
		count += status == STATUS_OK;
	}
	ck_assert_status(status, STATUS_NO_SPACE);
	ck_assert_int_ge(count, 2);
	ck_assert(has_entry(state, 0) && has_entry(state, count * 500 - 1));
	ck_assert(!has_entry(state, count * 500));
	limit_files(RLIM_INFINITY);
	state_close(state);
	state = open_state(STATE_WRITE);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(records, (uint64_t)count * 500);
	ck_assert_uint_eq(faults, 0);
	ck_assert_status(fill(state, count * 500, 500), STATUS_OK);
	ck_assert(has_entry(state, count * 500));
}
END_TEST

START_TEST(figures_are_right)
{
	struct state *state = open_state(STATE_WRITE);
	struct event event = {.time_s = 5};
	struct state_size size;

	ck_assert_status(record_event(state, &event, "file", 7), STATUS_OK);
	ck_assert_status(add_event(state), STATUS_OK);
	ck_assert_status(fill(state, 0, 5), STATUS_OK);
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_eq(size.map_bytes, BOX_MAP_INITIAL);
	ck_assert_uint_eq(size.sent_entries, 5);
	ck_assert_uint_eq(size.events, 2);
	ck_assert_uint_eq(size.held, 1);
	ck_assert_uint_eq(size.readers, 0);
	ck_assert_uint_ge(size.used_bytes, 9 * 4096);
	ck_assert_uint_le(size.used_bytes, (uint64_t)size_of(data_file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *tests = tcase_create("state");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, reading_creates_nothing);
	tcase_add_test(tests, reading_needs_no_lock_file);
	tcase_add_test(tests, writing_creates_the_last_folder_only);
	tcase_add_test(tests, a_file_is_no_folder);
	tcase_add_test(tests, opening_again_writes_no_transaction);
	tcase_add_test(tests, closing_nothing_is_fine);
	tcase_add_test(tests, freeing_the_context_closes);
	tcase_add_loop_test(tests, root_keeps_out_of_others_state, 0, ROWS(owned));
	tcase_add_test(tests, root_creates_nothing_in_others_folder);
	tcase_add_loop_test(tests, other_users_are_told, 0, ROWS(modes));
	tcase_add_loop_test(tests, cut_file_is_refused, 0, ROWS(cuts));
	tcase_add_loop_test(tests, garbage_is_refused, 0, ROWS(garbage));
	tcase_add_test(tests, garbage_in_the_lock_file_does_not_matter);
	tcase_add_loop_test(tests, creation_survives_a_full_disk, 0, ROWS(full_disks));
	tcase_add_test(tests, a_full_disk_loses_nothing);
	tcase_add_test(tests, figures_are_right);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
