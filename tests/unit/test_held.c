/* test_held.c: backstop held: its usage, which messages its options choose, list and show. */
#include "held_place.h"

/* ---- usage ---- */

static const struct {
	const char *words[6];
	const char *want;
} misuses[] = {
	{{NULL}, "list, show, release or purge?"},
	{{"lists"}, "lists: it is list, show, release or purge"},
	{{"list", "4F2"}, "list takes no IDs"},
	{{"list", "--format=xml"}, "--format=xml: text, json or csv"},
	{{"list", "--raw"}, "list does not take --raw"},
	{{"list", "--verdict=maybe"}, "--verdict=maybe: want genuine, backscatter or unproven"},
	{{"list", "--since=tomorrow"}, "--since=tomorrow: not a time"},
	{{"list", "--list=@"}, "--list=@: not an address"},
	{{"list", "--until=tomorrow"}, "--until=tomorrow: not a time"},
	{{"list", "--kind=bounce"}, "--kind=bounce: want failed, delayed, "},
	{{"list", "--reason=why"}, "--reason=why: no such reason"},
	{{"list", "--reporter=mx.example.net"}, "--reporter=mx.example.net: not an IP address"},
	{{"list", "--reporter=192.0.2.1/24"}, "--reporter=192.0.2.1/24: not an IP address"},
	{{"list", "--recipient=\033x"}, "--recipient= x: not an address"},
	{{"list", "--yes"}, "list does not take --yes"},
	{{"list", "--all"}, "list does not take --all"},
	{{"show", "4F2", "--list=a@b.example"}, "show does not take --list"},
	{{"show"}, "show takes one ID"},
	{{"show", "1", "2"}, "show takes one ID"},
	{{"show", "x\033y"}, "x y is no ID"},
	{{"release"}, "which messages?"},
	{{"release", "4F2", "--all"}, "not both"},
	{{"release", "4F2", "--verdict=genuine"}, "not both"},
	{{"release", "4F2", "--until=1d"}, "not both"},
	{{"release", "--verdict=genuine"}, "say --yes"},
	{{"purge", "--reason=expired"}, "say --yes"},
	{{"release", "--yes"}, "which messages?"},
	{{"purge", "--dry-run"}, "which messages?"},
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
	check_out("REASON          EXPIRES\n");
	check_out("  never\n");
	check_out("  2026-11-23T19:20:22Z\n");
	ck_assert_msg(strstr(out, first) != NULL && strstr(out, first) < strstr(out, second),
		"not by time: %s", out);
	ck_assert_ptr_null(strchr(out, '\033'));
}
END_TEST

/* A record that says all there is to say. */
static struct event full_event(void)
{
	return (struct event){.time_s = NOW - 10,
		.kind = KIND_DELAYED,
		.verdict = VERDICT_UNPROVEN,
		.action = ACTION_HOLD,
		.policy = ACTION_HOLD,
		.score = -3,
		.list = FORWARD,
		.reporter = "192.0.2.77",
		.sender = "",
		.recipient = "forward-bounces@lists.example.org",
		.failed = "ann@example.net, =Bob@example.net",
		.message_id = "<1@lists.example.org>",
		.queue_id = "4F2",
		.evidence = "tag:absent+0",
		.reason = "mailboxfull",
		.status = "4.2.2",
		.permanence = "temporary",
		.size = sizeof ORIGINAL - 1};
}

START_TEST(list_is_json)
{
	const char *id = hold(NULL, VERDICT_BACKSCATTER, NOW - 10, NOW + 60);

	CHECK_STATUS(RUN("list", "--format=json"), STATUS_OK);
	ck_assert_str_eq(out, mem_printf(context,
				      "{\"id\":\"%s\",\"time\":\"2026-11-23T19:19:12Z\","
				      "\"kind\":\"failed\",\"verdict\":\"backscatter\","
				      "\"score\":-42,\"action\":\"drop\",\"policy\":\"drop\","
				      "\"list\":null,\"reporter\":null,\"sender\":\"\","
				      "\"recipient\":\"bounces@other.example\","
				      "\"failed\":\"ann@example.net, bob@example.net\","
				      "\"reason\":null,\"status\":null,\"permanence\":null,"
				      "\"message_id\":null,\"queue_id\":null,"
				      "\"evidence\":null,\"size\":%zu,\"stored\":4096,"
				      "\"file\":\"%s\",\"expires\":\"2026-11-23T19:20:22Z\"}\n",
				      id, sizeof ORIGINAL - 1, file_of(id)));
}
END_TEST

START_TEST(list_is_csv)
{
	const char *id = hold_event(full_event(), 0);

	CHECK_STATUS(RUN("list", "--format=csv"), STATUS_OK);
	ck_assert_str_eq(
		out, mem_printf(context,
			     "id,time,kind,verdict,score,action,policy,list,reporter,sender,"
			     "recipient,failed,reason,status,permanence,message_id,queue_id,"
			     "evidence,size,stored,file,expires\n"
			     "%s,2026-11-23T19:19:12Z,delayed,unproven,-3,hold,hold,"
			     "forward@lists.example.org,192.0.2.77,,"
			     "forward-bounces@lists.example.org,"
			     "\"ann@example.net, =Bob@example.net\",mailboxfull,4.2.2,"
			     "temporary,<1@lists.example.org>,4F2,tag:absent+0,38,4096,%s,\n",
			     id, file_of(id)));
	CHECK_STATUS(RUN("list", "--format=csv", "--kind=mdn"), STATUS_OK);
	ck_assert_msg(strncmp(out, "id,", 3) == 0 && strchr(out, '\n')[1] == '\0',
		"the heading alone, not: %s", out);
}
END_TEST

static const struct {
	const char *options[2];
	const char *want; /* which of the four: its digits */
} filter_rows[] = {
	{{"--list=FORWARD@lists.example.org"}, "134"},
	{{"--verdict=backscatter"}, "23"},
	{{"--since=@1795461462"}, "234"},
	{{"--since=100s"}, "234"},
	{{"--since=1h"}, "1234"},
	{{"--until=@1795461462"}, "1"},
	{{"--since=100s", "--until=@1795461561"}, "24"},
	{{"--kind=delayed"}, "4"},
	{{"--kind=failed"}, "123"},
	{{"--reason=mailboxfull"}, "4"},
	{{"--reason=undefined"}, ""},
	{{"--reporter=192.0.2.77"}, "4"},
	{{"--reporter=192.0.2.0/24"}, "4"},
	{{"--reporter=192.0.2.0/26"}, ""},
	{{"--reporter=::ffff:192.0.2.77"}, "4"},
	{{"--recipient=ann@example.net"}, "1234"},
	{{"--recipient=ANN@Example.NET"}, "1234"},
	{{"--recipient==bob@example.net"}, "4"},
	{{"--recipient=nn@example.net"}, ""},
	{{"--recipient=ann@example.net", "--verdict=unproven"}, "14"},
	{{"--format=text"}, "1234"},
};

START_TEST(list_is_filtered)
{
	const char *ids[] = {
		hold(FORWARD, VERDICT_UNPROVEN, NOW - 101, 0),
		hold("file@lists.example.org", VERDICT_BACKSCATTER, NOW - 100, NOW),
		hold(FORWARD, VERDICT_BACKSCATTER, NOW - 1, NOW + 1),
		hold_event(full_event(), 0),
	};

	CHECK_STATUS(
		RUN("list", filter_rows[_i].options[0], filter_rows[_i].options[1]), STATUS_OK);
	for (size_t i = 0; i < LENGTH(ids); i++) {
		bool is_wanted = strchr(filter_rows[_i].want, (int)('1' + i)) != NULL;

		ck_assert_msg((strstr(out, ids[i]) != NULL) == is_wanted,
			"%s: message %zu is %s:\n%s", filter_rows[_i].options[0], i + 1,
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

START_TEST(show_says_why)
{
	const char *id = hold_event(full_event(), 0);

	CHECK_STATUS(RUN("show", id), STATUS_OK);
	check_out("reason      mailboxfull\nstatus      4.2.2\npermanence  temporary\n");
	check_out(mem_printf(context, "stored      4096\nfile        %s\n", file_of(id)));
}
END_TEST

START_TEST(show_of_a_damaged_file)
{
	const char *id = hold(FORWARD, VERDICT_UNPROVEN, NOW, 0);
	const char *path = mem_printf(context, "%s/held/new/%s", config->state, file_of(id));

	ck_assert_int_eq(truncate(path, 40), 0);
	CHECK_STATUS(RUN("show", "--raw", id), STATUS_DATA);
	check_said("its file is damaged");
	ck_assert_str_eq(out, "");
	CHECK_STATUS(RUN("release", id), STATUS_DATA);
	check_said("stays held");
	check_held(1, 1);
}
END_TEST

/* What a disk that broke can leave of a file: nothing, which must not pass for an empty message. */
START_TEST(file_without_bytes)
{
	const char *id = hold(FORWARD, VERDICT_UNPROVEN, NOW, 0);
	const char *path = mem_printf(context, "%s/held/new/%s", config->state, file_of(id));

	ck_assert_int_eq(truncate(path, 0), 0);
	CHECK_STATUS(RUN("show", id), STATUS_DATA);
	check_said("0 bytes, where 38 were kept");
	CHECK_STATUS(RUN("release", id), STATUS_DATA);
	ck_assert_ptr_null(read_file(path_of("argv")));
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

static Suite *make_suite(void)
{
	Suite *suite = suite_create("held");
	TCase *tcase = tcase_create("held");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, misuse, 0, LENGTH(misuses));
	tcase_add_test(tcase, list_of_nothing);
	tcase_add_test(tcase, list_is_a_table);
	tcase_add_test(tcase, list_is_json);
	tcase_add_test(tcase, list_is_csv);
	tcase_add_loop_test(tcase, list_is_filtered, 0, LENGTH(filter_rows));
	tcase_add_test(tcase, show_is_clean);
	tcase_add_test(tcase, show_says_why);
	tcase_add_test(tcase, show_of_a_damaged_file);
	tcase_add_test(tcase, file_without_bytes);
	tcase_add_test(tcase, show_raw_is_exact);
	tcase_add_loop_test(tcase, unknown_id, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
