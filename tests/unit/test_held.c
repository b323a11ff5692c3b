/*
 * test_held.c: backstop held, with a real state and a shell script in place of sendmail. What
 * main.c gives a command stands here in a simpler form; the front door itself is for tests/cli/.
 */
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act.h"
#include "base/memory.h"
#include "cmd/command.h"
#include "state/box.h"
#include "state/record.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define NOW 1795461562
#define OPTIONS_MAX 16
#define ORIGINAL "From: x\nSubject: \033[2Jred\n\nbody\t\xE9\r\nlast"

static void *context;
static char *folder;
static struct state *state;
static const struct config *config;
static char *said; /* what went to standard error */
static char *out;  /* what went to standard output */

/* ---- what main.c does ---- */

const char *command_option(const struct command_run *run, const char *name)
{
	for (size_t i = 0; held_options[i].name != NULL; i++) {
		if (strcmp(held_options[i].name, name) == 0)
			return run->option_values[i];
	}
	ck_abort_msg("option %s has no row", name);
	return NULL;
}

static void keep_saying(const char *format, va_list arguments)
{
	char text[1000];

	vsnprintf(text, sizeof text, format, arguments);
	said = mem_append(said, "%s\n", text);
}

enum status command_misused(const struct command_run *run, const char *format, ...)
{
	va_list arguments;

	(void)run;
	va_start(arguments, format);
	keep_saying(format, arguments);
	va_end(arguments);
	return STATUS_USAGE;
}

enum status command_failed(
	const struct command_run *run, enum status status, const char *format, ...)
{
	va_list arguments;

	(void)run;
	va_start(arguments, format);
	keep_saying(format, arguments);
	va_end(arguments);
	return status;
}

/* ---- a place, and a run in it ---- */

static char *path_of(const char *name)
{
	return mem_printf(context, "%s/%s", folder, name);
}

static char *read_file(const char *path)
{
	char *text = mem_alloc(context, 65536);
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return NULL;
	text[fread(text, 1, 65535, file)] = '\0';
	fclose(file);
	return text;
}

static void write_sendmail(int exit_code)
{
	const char *path = path_of("sendmail");
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\nprintf '%%s ' \"$@\" >>'%s'\ncat >'%s'\nexit %d\n",
		path_of("argv"), path_of("message"), exit_code);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
}

static const struct config *read_config(void)
{
	const char *path = path_of("backstop.conf");
	const struct config *read = NULL;
	struct config_faults faults = {NULL, 0};
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file,
		"state = \"%s/state\"\nsendmail = \"%s/sendmail\"\n"
		"domain \"lists.example.org\" { }\n"
		"list \"forward@lists.example.org\" { owners = {\"alice@example.org\"} }\n"
		"list \"file@lists.example.org\" { owners = {\"alice@example.org\"}\n"
		"	genuine = \"maildir:%s/box\" }\n"
		"list \"pipe@lists.example.org\" { owners = {\"alice@example.org\"}\n"
		"	genuine = \"pipe:{ echo $BACKSTOP_VERDICT; cat; } >%s/piped\" }\n",
		folder, folder, folder, folder);
	ck_assert_int_eq(fclose(file), 0);
	config_read(context, path, &read, &faults);
	ck_assert_msg(read != NULL, "%s", faults.count > 0 ? faults.items[0].text : "no config");
	return read;
}

static void set_up(void)
{
	const char *parent = getenv("TMPDIR");
	const char *error = NULL;
	enum status status;

	context = mem_context(NULL, "test");
	folder = mem_printf(context, "%s/backstop-held.XXXXXX", parent != NULL ? parent : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	/* config_read says when there is no such program. */
	write_sendmail(0);
	config = read_config();
	status = state_open(context, config->state, STATE_WRITE, &state, &error);
	ck_assert_msg(status == STATUS_OK, "state: got %s: %s", status_text(status), error);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void tear_down(void)
{
	state_close(state);
	nftw(folder, remove_entry, 10, FTW_DEPTH | FTW_PHYS);
	mem_free(context);
}

/* A held message, and its id as text. */
static char *hold(const char *list, enum verdict verdict, int64_t time_s, int64_t expires_s)
{
	struct event event = {.time_s = time_s,
		.kind = KIND_FAILED,
		.verdict = verdict,
		.action = expires_s == 0 ? ACTION_HOLD : ACTION_DROP,
		.policy = expires_s == 0 ? ACTION_HOLD : ACTION_DROP,
		.score = -42,
		.list = list,
		.sender = "",
		.recipient = "bounces@other.example",
		.failed = "ann@example.net, \033bob@example.net",
		.size = sizeof ORIGINAL - 1};
	struct bytes original = {(const unsigned char *)ORIGINAL, sizeof ORIGINAL - 1};
	char *id = mem_alloc(context, EVENT_ID_TEXT_MAX);
	const char *error = NULL;
	char *file = NULL;

	ck_assert_int_eq(hold_keep(context, config->state, original, &file, &error), STATUS_OK);
	ck_assert_int_eq(record_event(state, &event, file, expires_s), STATUS_OK);
	event_id_format(event.id, id);
	return id;
}

/* Runs it on words: the arguments and "--option" or "--option=value". Sets out and said. */
static enum status run_held(const char *const *words)
{
	static const struct command command = {.name = "held", .options = held_options};
	const char *values[OPTIONS_MAX] = {NULL};
	char *arguments[OPTIONS_MAX + 1] = {NULL};
	struct command_run run = {.command = &command,
		.context = mem_context(context, "run"),
		.config = config,
		.has_config = true,
		.state = state,
		.now = NOW,
		.arguments = arguments,
		.option_values = values};
	int kept = dup(STDOUT_FILENO);
	int file = open(path_of("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	enum status status;

	for (; *words != NULL; words++) {
		size_t length = strcspn(*words, "=");
		size_t row = 0;

		if (strncmp(*words, "--", 2) != 0) {
			arguments[run.argument_count++] = mem_strdup(context, *words);
			continue;
		}
		while (held_options[row].name != NULL &&
			(strlen(held_options[row].name) != length - 2 ||
				strncmp(held_options[row].name, *words + 2, length - 2) != 0))
			row++;
		ck_assert_msg(held_options[row].name != NULL, "%s: no such option", *words);
		values[row] = (*words)[length] == '=' ? *words + length + 1 : "";
	}
	said = mem_strdup(context, "");
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	close(file);
	status = held_run(&run);
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	out = read_file(path_of("out"));
	return status;
}

#define RUN(...) run_held((const char *const[]){__VA_ARGS__, NULL})

#define CHECK_STATUS(got, want)                                                                    \
	ck_assert_msg((got) == (want), "got %s, want %s; said: %sout: %s", status_text(got),       \
		status_text(want), said, out)

static void check_said(const char *want)
{
	ck_assert_msg(strstr(said, want) != NULL, "want \"%s\" in: %s", want, said);
}

static void check_out(const char *want)
{
	ck_assert_msg(strstr(out, want) != NULL, "want \"%s\" in: %s", want, out);
}

/* How many are held: records, and files. */
static void check_held(uint64_t records, size_t files)
{
	struct state_size size;
	char *command = mem_printf(context, "exit $(ls '%s/held/new' | wc -l)", config->state);
	int status = system(command);

	ck_assert_int_eq(state_measure(state, &size), STATUS_OK);
	ck_assert_msg(
		size.held == records, "got %d records, want %d", (int)size.held, (int)records);
	ck_assert_msg(WEXITSTATUS(status) == (int)files, "got %d files, want %zu",
		WEXITSTATUS(status), files);
}

#define FORWARD "forward@lists.example.org"

/* ---- usage ---- */

static const struct {
	const char *words[6];
	const char *want;
} misuses[] = {
	{{NULL}, "list, show, release or purge?"},
	{{"lists"}, "lists: it is list, show, release or purge"},
	{{"list", "4F2"}, "list takes no IDs"},
	{{"list", "--format=xml"}, "--format=xml: text or json"},
	{{"list", "--raw"}, "list does not take --raw"},
	{{"list", "--verdict=maybe"}, "--verdict=maybe: no such verdict"},
	{{"list", "--since=tomorrow"}, "--since=tomorrow: not a time"},
	{{"list", "--list=@"}, "--list=@: not an address"},
	{{"show"}, "show takes one ID"},
	{{"show", "1", "2"}, "show takes one ID"},
	{{"show", "x\033y"}, "x y is no ID"},
	{{"release"}, "which messages?"},
	{{"release", "4F2", "--all"}, "not both"},
	{{"release", "4F2", "--verdict=genuine"}, "not both"},
	{{"release", "--verdict=genuine"}, "which messages?"},
	{{"release", "4F2", "nonsense"}, "nonsense is no ID"},
	{{"release", "--expired"}, "release does not take --expired"},
	{{"release", "--all", "--to=nobody"}, "--to=nobody: not an address"},
	{{"purge"}, "which messages?"},
	{{"purge", "--to=a@b.example"}, "purge does not take --to"},
};

START_TEST(misuse)
{
	enum status status;

	hold(FORWARD, VERDICT_GENUINE, NOW, 0);
	status = run_held(misuses[_i].words);
	CHECK_STATUS(status, STATUS_USAGE);
	check_said(misuses[_i].want);
	check_held(1, 1);
	ck_assert_ptr_null(read_file(path_of("argv")));
}
END_TEST

/* ---- list and show ---- */

START_TEST(list_of_nothing)
{
	CHECK_STATUS(RUN("list"), STATUS_OK);
	ck_assert_str_eq(out, "nothing is held\n");
	CHECK_STATUS(RUN("list", "--format=json"), STATUS_OK);
	ck_assert_str_eq(out, "");
	hold(FORWARD, VERDICT_UNPROVEN, NOW, 0);
	CHECK_STATUS(RUN("list", "--verdict=genuine"), STATUS_OK);
	ck_assert_str_eq(out, "nothing that is held matches\n");
}
END_TEST

START_TEST(list_is_a_table)
{
	const char *first = hold(FORWARD, VERDICT_UNPROVEN, NOW - 100, 0);
	const char *second = hold(NULL, VERDICT_BACKSCATTER, NOW - 10, NOW + 60);

	CHECK_STATUS(RUN("list"), STATUS_OK);
	ck_assert_msg(strncmp(out, "ID ", 3) == 0, "no heading: %s", out);
	check_out("failed       unproven       -42  forward@lists.example.org");
	check_out("  never\n");
	check_out("  2026-11-23T19:20:22Z\n");
	ck_assert_msg(strstr(out, first) != NULL && strstr(out, first) < strstr(out, second),
		"not by time: %s", out);
	ck_assert_ptr_null(strchr(out, '\033'));
}
END_TEST

START_TEST(list_is_json)
{
	const char *id = hold(NULL, VERDICT_BACKSCATTER, NOW - 10, NOW + 60);

	CHECK_STATUS(RUN("list", "--format=json"), STATUS_OK);
	ck_assert_str_eq(
		out, mem_printf(context,
			     "{\"id\":\"%s\",\"time\":\"2026-11-23T19:19:12Z\",\"kind\":\"failed\","
			     "\"verdict\":\"backscatter\",\"score\":-42,\"action\":\"drop\","
			     "\"policy\":\"drop\","
			     "\"list\":null,\"reporter\":null,\"sender\":\"\","
			     "\"recipient\":\"bounces@other.example\","
			     "\"failed\":\"ann@example.net, bob@example.net\",\"message_id\":null,"
			     "\"queue_id\":null,\"evidence\":null,\"size\":%zu,"
			     "\"expires\":\"2026-11-23T19:20:22Z\"}\n",
			     id, sizeof ORIGINAL - 1));
}
END_TEST

static const struct {
	const char *option;
	const char *want; /* which of the three: its digits */
} filter_rows[] = {
	{"--list=FORWARD@lists.example.org", "13"},
	{"--verdict=backscatter", "23"},
	{"--since=@1795461462", "23"},
	{"--since=100s", "23"},
	{"--since=1h", "123"},
	{"--format=text", "123"},
};

START_TEST(list_is_filtered)
{
	const char *ids[] = {
		hold(FORWARD, VERDICT_UNPROVEN, NOW - 101, 0),
		hold("file@lists.example.org", VERDICT_BACKSCATTER, NOW - 100, NOW),
		hold(FORWARD, VERDICT_BACKSCATTER, NOW - 1, NOW + 1),
	};

	CHECK_STATUS(RUN("list", filter_rows[_i].option), STATUS_OK);
	for (size_t i = 0; i < LENGTH(ids); i++) {
		bool is_wanted = strchr(filter_rows[_i].want, (int)('1' + i)) != NULL;

		ck_assert_msg((strstr(out, ids[i]) != NULL) == is_wanted,
			"%s: message %zu is %s:\n%s", filter_rows[_i].option, i + 1,
			is_wanted ? "missing" : "there", out);
	}
}
END_TEST

START_TEST(show_is_clean)
{
	const char *id = hold(FORWARD, VERDICT_UNPROVEN, NOW, 0);

	CHECK_STATUS(RUN("show", id), STATUS_OK);
	check_out(mem_printf(context, "id          %s\n", id));
	check_out("sender      <>\n");
	check_out("\n\nFrom: x\nSubject: [2Jred\n\nbody \xEF\xBF\xBD\nlast\n");
	ck_assert_ptr_null(strchr(out, '\033'));
	check_held(1, 1);
}
END_TEST

START_TEST(show_raw_is_exact)
{
	const char *id = hold(FORWARD, VERDICT_UNPROVEN, NOW, 0);

	CHECK_STATUS(RUN("show", "--raw", id), STATUS_OK);
	ck_assert_str_eq(out, ORIGINAL);
}
END_TEST

START_TEST(unknown_id)
{
	static const char *const verbs[] = {"show", "release", "purge"};

	CHECK_STATUS(RUN(verbs[_i], "6b1"), STATUS_NOT_FOUND);
	ck_assert_str_eq(said, "no held message 6B1; see backstop held list\n");
}
END_TEST

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
	{{"--all"}, 0, 1, "removed 1 files that no record names\n"},
	{{"--expired"}, 2, 3, "removed 1 files that no record names\n"},
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
	Suite *suite = suite_create("held");
	TCase *tcase = tcase_create("held");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, misuse, 0, LENGTH(misuses));
	tcase_add_test(tcase, list_of_nothing);
	tcase_add_test(tcase, list_is_a_table);
	tcase_add_test(tcase, list_is_json);
	tcase_add_loop_test(tcase, list_is_filtered, 0, LENGTH(filter_rows));
	tcase_add_test(tcase, show_is_clean);
	tcase_add_test(tcase, show_raw_is_exact);
	tcase_add_loop_test(tcase, unknown_id, 0, 3);
	tcase_add_test(tcase, release_forwards);
	tcase_add_test(tcase, release_files);
	tcase_add_test(tcase, release_pipes);
	tcase_add_test(tcase, release_needs_a_list);
	tcase_add_test(tcase, release_to_wins_over_the_list);
	tcase_add_test(tcase, release_that_fails_keeps);
	tcase_add_test(tcase, release_without_its_file);
	tcase_add_test(tcase, release_all_that_match);
	tcase_add_loop_test(tcase, purge, 0, LENGTH(purge_rows));
	tcase_add_test(tcase, purge_by_id);
	tcase_add_test(tcase, purge_spares_files_of_broken_records);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failures;

	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
