/* Tests of base/config: what each fault says, on which line, and how many are told. */
#include "config_place.h"
#include "suite.h"

#define DOMAIN "domain \"x.org\" { }\n"
#define LIST(settings) DOMAIN "list \"a@x.org\" {\n owners = {\"b@y.org\"}\n " settings "\n}\n"

enum degree { REFUSED, WARNED };

struct fault_case {
	const char *text;
	int line;
	const char *says;
	enum degree degree;
};

static const struct fault_case fault_cases[] = {
	/* top level */
	{"mode = al", 1, "mode = \"al\": want observe or enforce", REFUSED},
	{"\n\nstate = \"lib\"", 3, "state = \"lib\": want a path that begins with /", REFUSED},
	{"sendmail = sendmail", 1, "sendmail = \"sendmail\": want a path", REFUSED},
	{"log = mail.log", 1, "log = \"mail.log\": want syslog, stderr or a path", REFUSED},
	{"privacy = yes", 1, "privacy = \"yes\": want full, hash or none", REFUSED},
	{"events-lifetime = 12h", 1, "events-lifetime = \"12h\": want a time", REFUSED},
	{"rollups-lifetime = 11y", 1, "rollups-lifetime = \"11y\": want a time", REFUSED},
	{"keep-dropped = 7", 1, "keep-dropped = \"7\": want a time with its unit", REFUSED},
	{"keep-dropped-size = much", 1, "keep-dropped-size = \"much\": want a size", REFUSED},
	{"deadline = 301s", 1, "deadline = \"301s\": want a time with its unit, 1s to 300s",
		REFUSED},
	{"deadline = 6m", 1, "1s to 300s", REFUSED},
	{"deadline = 0s", 1, "1s to 300s", REFUSED},
	{"# x\n\nmode = observe\nmode = enforce", 4, "mode: is set already on line 3", REFUSED},
	{"weights = {\"hop:foreign=-20\"}\n\ndomain \"x.org\" { tagged = much }", 3, "tagged",
		REFUSED}, /* a list's brace begins no section */
	{"authserv-id = {\"mx.example.org\"\n", 1, "a brace that opens here is not closed",
		REFUSED},
	{"authserv-id = {\"mx example\"}", 1, "want the authserv-id of your mail server", REFUSED},
	{"weights = {\"hop:foreign\"}", 1, "want CHECK:RESULT=WEIGHT", REFUSED},
	{"weights = {\"hop:foreign=x\"}", 1, "want CHECK:RESULT=WEIGHT", REFUSED},
	{"weights = {\"hop:foreign=-61\"}", 1, "at most 60", REFUSED},
	{"weights = {\"hop:foreign=5\"}", 1, "of the same sign", REFUSED},
	{"weights = {\"hop:ours=-5\"}", 1, "of the same sign", REFUSED},
	{"weights = {\"hop:nobodys=-5\"}", 1, "backstop rules show weights", REFUSED},
	{"weights = {\"nocheck:foreign=-5\"}", 1, "backstop rules show weights", REFUSED},
	{"dns { servers = {\"localhost\"} }", 1, "servers = \"localhost\": want an IP", REFUSED},
	{"dns { servers = {\"192.0.2.1:99999\"} }", 1, "want an IP address", REFUSED},
	{"dns { timeout = 3 }", 1, "timeout = \"3\": want a time", REFUSED},
	{"dns { use = maybe }", 1, "use = \"maybe\": want yes or no", REFUSED},
	{"dns { budget = 0s }", 1, "budget = \"0s\": want a time", REFUSED},
	{"dns { use = no }\ndns { use = yes }", 2, "has a section already on line 1", REFUSED},
	{"storm { factor = 1 }", 1, "factor = \"1\": want a whole number from 2", REFUSED},
	{"storm { minimum = 60 }", 1, "minimum = \"60\": want NUMBER/minute", REFUSED},
	{"storm { use = maybe }", 1, "use = \"maybe\": want yes or no", REFUSED},
	{"storm { use = no }\nstorm { }", 2, "storm: has a section already on line 1", REFUSED},
	{"deadline = 10s\ndns { budget = 6s }", 2, "budget is cut to 5s", WARNED},
	{"blocklist \"b.example\" { weight = -16 }", 1, "want a whole number", REFUSED},
	{"blocklist \"b.example\" { weight = 1.5 }", 1, "want a whole number", REFUSED},
	{"blocklist \"b example\" { }", 1, "want a domain name", REFUSED},
	/* syntax */
	{"mode\n = observe\nmoed = enforce", 3, "unknown key \"moed\"; did you mean mode?",
		REFUSED},
	{"/* x */ /* y\n */ # z\ndomian \"x\" {", 3, "did you mean domain?", REFUSED},
	{"colour = red", 1, "unknown key \"colour\"; known here: mode, state", REFUSED},
	{"include(\"x\")", 1, "unknown key \"include\"", REFUSED},
	{"owners = {\"b@y.org\"}", 1, "owners belongs in a list section", REFUSED},
	{DOMAIN "list \"a@x.org\" {\n mode = observe }", 3, "mode belongs in front of", REFUSED},
	{"domain \"x.org\" {\n taged = all\n}", 2, "did you mean tagged?", REFUSED},
	{"mode observe", 1, "want KEY = VALUE", REFUSED},
	{"mode = {observe}", 1, "want one value", REFUSED},
	{"mode += observe", 1, "want =", REFUSED},
	{"domain {\n}", 1, "want the name in quotes", REFUSED},
	{"domain \"x.org\"\ntagged", 2, "want {", REFUSED},
	{DOMAIN "}", 2, "one } too many", REFUSED},
	{"\ndomain \"x.org\" {\n tagged = none\n\n", 2, "a brace that opens here is not closed",
		REFUSED},
	{"\ndomain \"x.org\" {\n senders = {\"::1\"\n}\n", 2, "a brace that opens here", REFUSED},
	{"domain \"x.org\" {\n}\n\ndomain \"y.org\" {\n", 4, "a brace that opens here", REFUSED},
	{"mode =\n", 2, "want a value", REFUSED},
	{"mode = observe\nstate = \"/x\nlog = syslog\n\n", 2, "quoted value that starts here",
		REFUSED},
	{"mode = observe\nstate = '/x\nlog = syslog\n\n", 2, "quoted value that starts here",
		REFUSED},
	{"state = \"/x\nlog = \"syslog\"\n", 2, "quoted value that starts here", REFUSED},
	{"state = \"/x\n\" log = syslog\n", 2, "is a quote missing?", REFUSED},
	{"state = \"/x\\ty\"", 1, "control character", REFUSED},
	{"\n/* x\n", 2, "comment that starts here is not closed", REFUSED},
	{"/*/\n", 1, "comment that starts here is not closed", REFUSED},
	{"\nstate = /x|y", 2, "'|' outside of quotes", REFUSED},
	{"mode = ${MODE}", 1, "'$' outside of quotes", REFUSED},
	{"mode = *observe", 1, "'*' outside of quotes", REFUSED},
	{"dns|servers = {\"192.0.2.1\"}", 1, "'|' outside of quotes", REFUSED},
	{"=", 1, "unexpected token", REFUSED},
	/* domains */
	{"domain \"x y\" { }", 1, "domain \"x y\": want a domain name", REFUSED},
	{"domain \"a@x.org\" { }", 1, "want a domain name", REFUSED},
	{"domain \"\" { }", 1, "want a domain name", REFUSED},
	{DOMAIN "domain \"X.org\" { }", 2, "has a section already on line 1", REFUSED},
	{"domain \"x.org\" { tagged = none }\n\ndomain \"x.org\" {\n tagged = none }", 3,
		"has a section already on line 1", REFUSED},
	{"domain \"x.org\" {\n tagged = \"al\"\n}", 2, "tagged = \"al\": want all, some or none",
		REFUSED},
	{"domain \"x.org\" {\n tagged = all\n}", 1, "add tag-keys", REFUSED},
	{"domain \"x.org\" {\n tag-form = both\n}", 2, "want recipient or sender", REFUSED},
	{"domain \"x.org\" {\n tag-lifetime = 3h\n}", 2, "want a time with its unit, 1d", REFUSED},
	{"domain \"x.org\" {\n tag-keys = keys\n}", 2, "want a path that begins with /", REFUSED},
	{"domain \"x.org\" {\n prvs-keys = keys\n}", 2, "want a path that begins with /", REFUSED},
	{"domain \"x.org\" {\n dkim-keys = {s1}\n}", 2, "dkim-keys = \"s1\": want dns or", REFUSED},
	{"domain \"x.org\" {\n dkim-keys = {\"s1=s1.pub\"}\n}", 2, "want dns or", REFUSED},
	{"domain \"x.org\" {\n dkim-keys = {\"=/x\"}\n}", 2, "want dns or", REFUSED},
	{"domain \"x.org\" {\n dkim-keys = {\"s1@=/x\"}\n}", 2, "want dns or", REFUSED},
	{"domain \"x.org\" {\n dkim-keys = {\"s1@x.org\"}\n}", 2, "want dns or", REFUSED},
	{"domain \"x.org\" {\n signed = all\n}", 1, "add dkim-keys", REFUSED},
	{"domain \"x.org\" {\n signed = yes\n}", 2, "want all, some or none", REFUSED},
	{"domain \"x.org\" {\n sent-log = all\n}", 2, "want complete, partial or none", REFUSED},
	{"domain \"x.org\" {\n senders = {\"192.0.2.1\",\n \"\"}\n}", 3,
		"senders = \"\": want an IP", REFUSED},
	{"domain \"x.org\" {\n senders = {\"192.0.2.1/24\"}\n}", 2,
		"senders = \"192.0.2.1/24\": want", REFUSED},
	{"domain \"x.org\" {\n senders = {\"192.0.2.0/33\"}\n}", 2,
		"senders = \"192.0.2.0/33\": want", REFUSED},
	{"domain \"x.org\" {\n senders = {\"mx.x.org\"}\n}", 2, "senders = \"mx.x.org\": want",
		REFUSED},
	{"domain \"x.org\" {\n senders = {\"::1\"}\n senders = {\"::2\"}\n}", 3,
		"senders: is set already on line 2", REFUSED},
	/* lists */
	{LIST("genuine = \"forwad\""), 4,
		"genuine = \"forwad\": want forward, maildir:/PATH, pipe:COMMAND or pass", REFUSED},
	{LIST("genuine = hold"), 4, "genuine = \"hold\": want", REFUSED},
	{LIST("genuine = drop"), 4, "genuine = drop: a genuine bounce is never dropped", REFUSED},
	{LIST("unproven = drop"), 4, "unproven = drop: a bounce is dropped only on proof; use hold",
		REFUSED},
	{LIST("ordinary = DROP"), 4, "ordinary = drop: what is no bounce is never dropped",
		REFUSED},
	{LIST("backscatter = file"), 4, "pass, hold or drop", REFUSED},
	{LIST("autoreplies = \"pipe:\""), 4, "autoreplies = \"pipe:\": want", REFUSED},
	{LIST("autoreplies = \"pipe:  \""), 4, "want", REFUSED},
	{LIST("backscatter = \"maildir:spam\""), 4, "maildir:/PATH", REFUSED},
	{LIST("backscatter = \"dropped\""), 4, "want", REFUSED},
	{LIST("owner-limit = 20"), 4, "want NUMBER/minute", REFUSED},
	{LIST("owner-limit = \"x/hour\""), 4, "want NUMBER/minute", REFUSED},
	{LIST("owner-limit = \"20/week\""), 4, "want NUMBER/minute", REFUSED},
	{LIST("owner-limit = \"0/hour\""), 4, "want NUMBER/minute", REFUSED},
	{LIST("owner-sees = all"), 4, "want summary or original", REFUSED},
	{LIST("roster = members"), 4, "want a path", REFUSED},
	{LIST("bounces = {\"a-bounces\"}"), 4, "bounces = \"a-bounces\": want an address", REFUSED},
	{DOMAIN "list \"a@x.org\" { owners = {\"b y@y.org\"} }", 2, "want an address", REFUSED},
	{DOMAIN "list \"a@x.org\" { owners = {\"\"} }", 2, "owners = \"\": want an address",
		REFUSED},
	{DOMAIN "list \"a\" {\n owners = {\"b@y.org\"}\n}", 2,
		"list \"a\": want the list's address", REFUSED},
	{DOMAIN "list \"a@x.org\" {\n}", 2, "has no owners, but genuine = forward", REFUSED},
	{DOMAIN "list \"a@x.org\" {\n genuine = \"pipe:x\"\n}", 2, "has no owners, but unproven",
		REFUSED},
	{DOMAIN "list \"a@x.org\" {\n genuine = \"pipe:x\"\n unproven = hold\n ordinary = pass\n}",
		2, "has no owners, but ordinary = pass", REFUSED},
	{"list \"a@x.org\" {\n owners = {\"b@y.org\"}\n}", 1, "add domain \"x.org\" { }", REFUSED},
	{LIST("") "list \"A@x.org\" {\n owners = {\"b@y.org\"}\n}", 6,
		"list \"a@x.org\": has a section already on line 2", REFUSED},
	{LIST("") "list \"a@x.org\" {\n owners = {\"b@y.org\"}\n}", 6, "section already on line 2",
		REFUSED},
	{LIST("bounces = {\"z@x.org\"}") "list \"c@x.org\" {\n owners = {\"b@y.org\"}\n"
					 " bounces = {\"z@x.org\"}\n}",
		6, "bounces to \"z@x.org\" count for list \"a@x.org\"", WARNED},
	{DOMAIN "list \"a@x.org\" {\n owners = {\"b@y.org\",\n \"A@x.org\"}\n}", 4,
		"owners: \"a@x.org\" is an address of this list", REFUSED},
	{DOMAIN "list \"a@x.org\" {\n owners = {\"a-bounces+c@x.org\"}\n}", 3, "that is a loop",
		REFUSED},
	{DOMAIN "list \"a@x.org\" {\n owners = {\"a-owner@x.org\"}\n}", 3, "that is a loop",
		WARNED},
};

START_TEST(tells_the_fault)
{
	const struct fault_case *row = &fault_cases[_i];
	const char *want = mem_printf(context, "%s:%d: ", path, row->line);
	const struct config *config;
	struct config_faults faults;
	enum status status;
	bool is_found = false;

	write_file(row->text, strlen(row->text));
	status = config_read(context, path, &config, &faults);
	for (size_t i = 0; i < faults.count; i++) {
		const struct config_fault *fault = &faults.items[i];

		is_found |= fault->line == row->line && strstr(fault->text, row->says) != NULL &&
			    strncmp(fault->text, want, strlen(want)) == 0 &&
			    fault->is_warning == (row->degree == WARNED);
		ck_assert_int_le(i == 0 ? 0 : faults.items[i - 1].line, fault->line);
	}
	ck_assert_msg(is_found, "%s\nwant %s...%s, got:%s", row->text, want, row->says,
		all_faults(&faults));
	ck_assert_msg(status == (row->degree == WARNED ? STATUS_OK : STATUS_CONFIG), "%s\ngot %s",
		row->text, status_text(status));
	ck_assert_msg((config == NULL) == (status != STATUS_OK), "%s", row->text);
}
END_TEST

START_TEST(collects_all_faults)
{
	static const char text[] = "mode = off\n"
				   "deadline = 1h\n"
				   "domain \"x.org\" { senders = {\"x\", \"y\"} }\n"
				   "list \"a@z.org\" { genuine = drop }\n"
				   "moed = x\n"
				   "state = relative\n";
	const struct config *config;
	struct config_faults faults;

	write_file(text, strlen(text));
	ck_assert_int_eq(config_read(context, path, &config, &faults), STATUS_CONFIG);
	/* What stands behind the syntax error is not read, and the missing domain not judged. */
	ck_assert_msg(faults.count == 6, "got %zu:%s", faults.count, all_faults(&faults));
	ck_assert_int_eq(faults.items[0].line, 1);
	ck_assert_int_eq(faults.items[5].line, 5);
}
END_TEST

START_TEST(caps_the_faults)
{
	char *text = mem_strdup(context, "domain \"x.org\" { senders = {");
	const struct config *config;
	struct config_faults faults;

	for (int i = 0; i < 2 * CONFIG_FAULTS_MAX; i++)
		text = mem_append(text, "\"x\",\n");
	text = mem_append(text, "} }");
	write_file(text, strlen(text));
	ck_assert_int_eq(config_read(context, path, &config, &faults), STATUS_CONFIG);
	ck_assert_uint_eq(faults.count, CONFIG_FAULTS_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config faults");
	TCase *tcase = tcase_create("config faults");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, tells_the_fault, 0, LENGTH(fault_cases));
	tcase_add_test(tcase, collects_all_faults);
	tcase_add_test(tcase, caps_the_faults);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
