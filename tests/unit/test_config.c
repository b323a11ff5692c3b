/* Tests of base/config: what is accepted, what each fault says and on which line, who is found. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/config.h"
#include "base/config_private.h"
#include "base/memory.h"
#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static char folder[256];
static char path[300];
static void *context;

static void setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%.200s/backstop-config-XXXXXX",
		base == NULL ? "/tmp" : base);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/x.conf", folder);
	context = mem_context(NULL, "test_config");
}

static void teardown(void)
{
	mem_free(context);
	unlink(path);
	rmdir(folder);
}

static void write_file(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
}

static const char *all_faults(const struct config_faults *faults)
{
	char *text = mem_strdup(context, "");

	for (size_t i = 0; i < faults->count; i++)
		text = mem_append(text, "\n  %s%s", faults->items[i].text,
			faults->items[i].is_warning ? " (warning)" : "");
	return text;
}

static const struct config *read_text(const char *text)
{
	const struct config *config;
	struct config_faults faults;
	enum status status;

	write_file(text, strlen(text));
	status = config_read(context, path, &config, &faults);
	ck_assert_msg(status == STATUS_OK, "want accepted, got %s:%s", status_text(status),
		all_faults(&faults));
	ck_assert_ptr_nonnull(config);
	return config;
}

/* ---- a whole file ---- */

static const char whole[] = "# every key there is\n"
			    "mode       = enforce            // bare words\n"
			    "state      = \"/var/lib/backstop//x\"\n"
			    "keep-dropped = \"36h\"\n"
			    "keep-dropped-size = 512M\n"
			    "deadline   = \"30s\"\n"
			    "sendmail   = /usr/lib/sendmail\n"
			    "log        = /var/log/backstop.log\n"
			    "authserv-id = {\"MX.Lists.Example.Org\"}  "
			    "privacy = hash events-lifetime = 3d rollups-lifetime = 2d "
			    "weights = {\"hop:foreign=-20\", \"standing:related=0\"}\n"
			    "dns        { servers = {\"127.0.0.1:53\", \"[::1]:53\", "
			    "\"192.0.2.1\"}  timeout = \"2s\" budget = 5s }\n"
			    "blocklist  \"ips.example.org\" { weight = -6 }\n"
			    "/* a comment\n"
			    "   of two lines */\n"
			    "domain \"Lists.Example.Org\" {\n"
			    "    senders   = {\"192.0.2.10\", # a comment in a list\n"
			    "                 \"2001:db8::/48\"}\n"
			    "    tag-keys  = \"/etc/backstop/tag.keys\"\n"
			    "    prvs-keys = \"/etc/backstop/prvs.keys\"\n"
			    "    tagged    = all\n"
			    "    tag-form  = sender\n"
			    "    tag-lifetime = 21d\n"
			    "    dkim-keys = {\"S1=/etc/backstop/s1.pub\", \"s.2@Example.org=/x\", "
			    "dns, \"dns@x.org\"}\n"
			    "    signed    = all\n"
			    "    sent-log  = complete\n"
			    "}\n"
			    "list \"Announce@Lists.Example.Org\" {\n"
			    "    owners      = {\"Alice@example.org\"}\n"
			    "    owners     += {\"bob@example.org\"}\n"
			    "    bounces     = {\"announce-bounces@lists.example.org\"}\n"
			    "    roster      = \"/var/lib/lists/announce/members\"\n"
			    "    genuine     = 'pipe:handle \"${LIST}\" | cat # x'\n"
			    "    unproven    = \"hold\"\n"
			    "    backscatter = \"maildir:/var/spool/forged\"\n"
			    "    autoreplies = \"drop\"\n"
			    "    ordinary    = pass\n"
			    "    owner-limit = \"20/hour\"\n"
			    "    owner-sees  = original\n"
			    "}\n";

START_TEST(accepts_every_key)
{
	const struct config *config = read_text(whole);
	const struct domain_config *domain = config->domains;
	const struct list_config *list = config->lists;

	ck_assert_str_eq(config->path, path);
	ck_assert_int_eq(config->mode, MODE_ENFORCE);
	ck_assert_str_eq(config->state, "/var/lib/backstop//x");
	ck_assert_int_eq(config->keep_dropped_s, 36 * 3600);
	ck_assert_uint_eq(config->keep_dropped_size, 512u << 20);
	ck_assert_int_eq(config->deadline_s, 30);
	ck_assert_str_eq(config->sendmail, "/usr/lib/sendmail");
	ck_assert_str_eq(config->log, "/var/log/backstop.log");
	ck_assert_int_eq(config->privacy, PRIVACY_HASH);
	ck_assert_int_eq(config->events_lifetime_s, 3 * 86400);
	ck_assert_int_eq(config->rollups_lifetime_s, 3 * 86400); /* not less than the events' */
	ck_assert_uint_eq(config->authserv_id_count, 1);
	ck_assert_str_eq(config->authserv_ids[0], "mx.lists.example.org");
	ck_assert_uint_eq(config->weight_count, 2);
	ck_assert_str_eq(config->weights[0].check, "hop");
	ck_assert_str_eq(config->weights[0].result, "foreign");
	ck_assert_int_eq(config->weights[0].decibans, -20);
	ck_assert_int_eq(config->weights[1].decibans, 0);
	ck_assert_uint_eq(config->domain_count, 1);
	ck_assert_str_eq(domain->name, "lists.example.org");
	ck_assert_int_eq(domain->line, 14);
	ck_assert_uint_eq(domain->sender_count, 2);
	ck_assert_uint_eq(domain->senders[0].prefix, 128);
	ck_assert_uint_eq(domain->senders[1].prefix, 48);
	ck_assert_str_eq(domain->tag_keys, "/etc/backstop/tag.keys");
	ck_assert_int_eq(domain->tagged, SHARE_ALL);
	ck_assert_int_eq(domain->tag_form, TAG_FORM_SENDER);
	ck_assert_int_eq(domain->tag_lifetime_s, 21 * 86400);
	ck_assert_int_eq(domain->sent_log, SENT_LOG_COMPLETE);
	ck_assert_int_eq(domain->dkim_signed, SHARE_ALL);
	ck_assert_uint_eq(domain->dkim_key_count, 4);
	ck_assert_str_eq(domain->dkim_keys[0].selector, "s1");
	ck_assert_ptr_null(domain->dkim_keys[0].domain);
	ck_assert_str_eq(domain->dkim_keys[0].path, "/etc/backstop/s1.pub");
	ck_assert_str_eq(domain->dkim_keys[1].selector, "s.2");
	ck_assert_str_eq(domain->dkim_keys[1].domain, "example.org");
	ck_assert_ptr_null(domain->dkim_keys[2].selector);
	ck_assert_ptr_null(domain->dkim_keys[2].domain);
	ck_assert_ptr_null(domain->dkim_keys[2].path);
	ck_assert_str_eq(domain->dkim_keys[3].domain, "x.org");
	ck_assert_uint_eq(config->list_count, 1);
	ck_assert_str_eq(list->address, "announce@lists.example.org");
	ck_assert_int_eq(list->line, 26);
	ck_assert_uint_eq(list->owner_count, 2);
	ck_assert_str_eq(list->owners[0], "alice@example.org");
	ck_assert_str_eq(list->owners[1], "bob@example.org");
	ck_assert_uint_eq(list->bounce_count, 1);
	ck_assert_str_eq(list->bounces[0], "announce-bounces@lists.example.org");
	ck_assert_int_eq(list->genuine.action, ACTION_PIPE);
	ck_assert_str_eq(list->genuine.argument, "handle \"${LIST}\" | cat # x");
	ck_assert_int_eq(list->unproven.action, ACTION_HOLD);
	ck_assert_ptr_null(list->unproven.argument);
	ck_assert_int_eq(list->backscatter.action, ACTION_FILE);
	ck_assert_str_eq(list->backscatter.argument, "/var/spool/forged");
	ck_assert_int_eq(list->autoreplies.action, ACTION_DROP);
	ck_assert_int_eq(list->ordinary.action, ACTION_PASS);
	ck_assert_int_eq(list->owner_limit.count, 20);
	ck_assert_int_eq(list->owner_limit.period_s, 60 * 60);
	ck_assert_int_eq(list->owner_sees, OWNER_SEES_ORIGINAL);
	ck_assert_str_eq(list->roster, "/var/lib/lists/announce/members");
}
END_TEST

START_TEST(reads_dns)
{
	const struct config *config;
	struct config_faults faults;

	write_file(whole, strlen(whole));
	ck_assert_int_eq(config_read(context, path, &config, &faults), STATUS_OK);
	ck_assert(!config->dns.is_off);
	ck_assert_uint_eq(config->dns.server_count, 3);
	ck_assert_str_eq(config->dns.servers[1], "[::1]:53");
	ck_assert_int_eq(config->dns.timeout_s, 2);
	ck_assert_int_eq(config->dns.budget_s, 5);
	ck_assert_uint_eq(config->blocklist_count, 1);
	ck_assert_str_eq(config->blocklists[0].name, "ips.example.org");
	ck_assert_int_eq(config->blocklists[0].weight, -6);
	ck_assert(!config->storm.is_off);
	ck_assert_int_eq(config->storm.factor, 10);
	ck_assert_int_eq(config->storm.minimum.count, 60);
	ck_assert_int_eq(config->storm.minimum.period_s, 3600);
	write_file("storm { factor = 5 minimum = 3/day use = no }", 45);
	ck_assert_int_eq(config_read(context, path, &config, &faults), STATUS_OK);
	ck_assert(config->storm.is_off);
	ck_assert_int_eq(config->storm.factor, 5);
	ck_assert_int_eq(config->storm.minimum.count, 3);
	ck_assert_int_eq(config->storm.minimum.period_s, 86400);
	write_file("dns { use = no }", 16);
	ck_assert_int_eq(config_read(context, path, &config, &faults), STATUS_OK);
	ck_assert(config->dns.is_off);
	ck_assert_uint_eq(config->blocklist_count, 0);
	config = config_none(context);
	ck_assert(!config->dns.is_off);
	ck_assert_uint_eq(config->dns.server_count, 0);
	ck_assert_int_eq(config->dns.timeout_s, 3);
	ck_assert_int_eq(config->dns.budget_s, 8);
}
END_TEST

static void check_defaults(const struct config *config)
{
	ck_assert_int_eq(config->mode, MODE_OBSERVE);
	ck_assert_str_eq(config->state, "/var/lib/backstop");
	ck_assert_int_eq(config->keep_dropped_s, 7 * 86400);
	ck_assert_uint_eq(config->keep_dropped_size, 1u << 30);
	ck_assert_int_eq(config->deadline_s, 20);
	ck_assert_str_eq(config->sendmail, "/usr/sbin/sendmail");
	ck_assert_str_eq(config->log, "syslog");
	ck_assert_int_eq(config->privacy, PRIVACY_FULL);
	ck_assert_int_eq(config->events_lifetime_s, 30 * 86400);
	ck_assert_int_eq(config->rollups_lifetime_s, 730 * 86400);
	ck_assert_uint_eq(config->domain_count, 0);
	ck_assert_uint_eq(config->list_count, 0);
	ck_assert_ptr_null(config_find_domain(config, "example.org"));
	ck_assert_ptr_null(config_find_list(config, "a@example.org"));
}

START_TEST(has_defaults)
{
	const struct config *config = config_none(context);

	ck_assert_ptr_null(config->path);
	check_defaults(config);
	check_defaults(read_text(""));
	check_defaults(read_text("# nothing"));
	check_defaults(read_text("\xEF\xBB\xBFmode = observe\r\n"));
}
END_TEST

START_TEST(has_defaults_in_sections)
{
	const struct config *config =
		read_text("domain \"l.example.org\" { }\n"
			  "list \"a@l.example.org\" { owners = \"b@example.org\" }\n");
	const struct list_config *list = config->lists;

	ck_assert_int_eq(config->domains->tagged, SHARE_NONE);
	ck_assert_int_eq(config->domains->tag_form, TAG_FORM_RECIPIENT);
	ck_assert_int_eq(config->domains->tag_lifetime_s, 14 * 86400);
	ck_assert_int_eq(config->domains->sent_log, SENT_LOG_NONE);
	ck_assert_int_eq(config->domains->dkim_signed, SHARE_NONE);
	ck_assert_uint_eq(config->domains->dkim_key_count, 0);
	ck_assert_ptr_null(config->domains->tag_keys);
	ck_assert_uint_eq(config->domains->sender_count, 0);
	ck_assert_str_eq(list->bounces[0], "a-bounces@l.example.org");
	ck_assert_int_eq(list->genuine.action, ACTION_FORWARD);
	ck_assert_int_eq(list->unproven.action, ACTION_FORWARD);
	ck_assert_int_eq(list->backscatter.action, ACTION_DROP);
	ck_assert_int_eq(list->autoreplies.action, ACTION_DROP);
	ck_assert_int_eq(list->ordinary.action, ACTION_FORWARD);
	ck_assert_int_eq(list->owner_sees, OWNER_SEES_SUMMARY);
}
END_TEST

/* ---- faults ---- */

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

/* ---- the file ---- */

static void check_unreadable(const char *name, const char *says)
{
	const struct config *config;
	struct config_faults faults;

	ck_assert_int_eq(config_read(context, name, &config, &faults), STATUS_NO_INPUT);
	ck_assert_ptr_null(config);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_int_eq(faults.items[0].line, 0);
	ck_assert_msg(strstr(faults.items[0].text, says) && strstr(faults.items[0].text, name),
		"want %s, got %s", says, faults.items[0].text);
}

START_TEST(refuses_what_is_no_file)
{
	char *large = mem_alloc(context, CONFIG_SIZE_MAX + 1);

	check_unreadable(path, "No such file");
	check_unreadable(folder, "want a file");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	check_unreadable(path, "want a file");
	ck_assert_int_eq(unlink(path), 0);
	memset(large, '\n', CONFIG_SIZE_MAX + 1);
	write_file(large, CONFIG_SIZE_MAX + 1);
	check_unreadable(path, "larger than 1 MiB");
	write_file(large, CONFIG_SIZE_MAX);
	read_text("mode = observe");
}
END_TEST

START_TEST(refuses_nul)
{
	const struct config *config;
	struct config_faults faults;

	write_file("mode = observe\0", 15);
	ck_assert_int_eq(config_read(context, path, &config, &faults), STATUS_CONFIG);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_ptr_nonnull(strstr(faults.items[0].text, "NUL"));
}
END_TEST

START_TEST(warns_when_others_may_write)
{
	const struct config *config;
	struct config_faults faults;

	write_file("mode = observe\n", 15);
	ck_assert_int_eq(chmod(path, 0642), 0);
	ck_assert_int_eq(config_read(context, path, &config, &faults), STATUS_OK);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert(faults.items[0].is_warning);
	ck_assert_ptr_nonnull(strstr(faults.items[0].text, "chmod o-w"));
}
END_TEST

START_TEST(chooses_the_path)
{
	unsetenv("BACKSTOP_CONF");
	ck_assert_str_eq(config_path(NULL), CONFIG_DEFAULT_PATH);
	setenv("BACKSTOP_CONF", "/e", 1);
	ck_assert_str_eq(config_path(NULL), "/e");
	ck_assert_str_eq(config_path("/x"), "/x");
	setenv("BACKSTOP_CONF", "", 1);
	ck_assert_str_eq(config_path(NULL), CONFIG_DEFAULT_PATH);
	unsetenv("BACKSTOP_CONF");
}
END_TEST

/* ---- looking up ---- */

static const char lists[] = "domain \"x.org\" { }\n"
			    "domain \"y.org\" { }\n"
			    "list \"news@x.org\" { owners = {\"b@z.org\"} }\n"
			    "list \"news@y.org\" { owners = {\"b@z.org\"} }\n"
			    "list \"news-de@x.org\" { owners = {\"b@z.org\"} bounces = "
			    "{\"ret@x.org\", \"ret@z.org\"} }\n"
			    "list \"news-owner@x.org\" { owners = {\"b@z.org\"} }\n"
			    "list \"a-b+c@x.org\" { owners = {\"b@z.org\"} }\n"
			    "list \"owner-x@x.org\" { owners = {\"b@z.org\"} }\n";

struct find_case {
	const char *address;
	const char *list; /* NULL: none */
};

static const struct find_case find_cases[] = {
	{"news@x.org", "news@x.org"},
	{"<NEWS@X.org.>", "news@x.org"},
	{"news@y.org", "news@y.org"},
	{"news@z.org", NULL},
	{"news-bounces@x.org", "news@x.org"},
	{"news-bounces+ann=example.net@x.org", "news@x.org"},
	{"news-bounces-ann=example.net@x.org", "news@x.org"},
	{"news-bounces-ann@x.org", NULL},
	{"news+bounces-12-ann=example.net@x.org", "news@x.org"},
	{"news-request@x.org", "news@x.org"},
	{"news-request+x@x.org", "news@x.org"},
	{"news-admin@x.org", "news@x.org"},
	{"news-owner@x.org", "news-owner@x.org"},
	{"news-owner@y.org", "news@y.org"},
	{"owner-news@x.org", "news@x.org"},
	{"owner-news+x@x.org", "news@x.org"},
	{"news-de@x.org", "news-de@x.org"},
	{"news-de+x@x.org", "news-de@x.org"},
	{"news-de-owner@x.org", "news-de@x.org"},
	{"news-de-bounces@x.org", "news-de@x.org"},
	{"news-de-ann=example.net@x.org", "news-de@x.org"},
	{"ret@x.org", "news-de@x.org"},
	{"ret+x@z.org", "news-de@x.org"},
	{"ret@y.org", NULL},
	{"a-b+c@x.org", "a-b+c@x.org"},
	{"a-b+c-bounces+x@x.org", "a-b+c@x.org"},
	{"a-b+d@x.org", NULL},
	{"owner-x@x.org", "owner-x@x.org"},
	{"owner-@x.org", NULL},
	{"-bounces@x.org", NULL},
	{"+x@x.org", NULL},
	{"prvs=1234abcdef=news-bounces@x.org", "news@x.org"},
	{"prvs=news-bounces=1234abcdef@x.org", "news@x.org"},
	{"prvs=1234abcdef=news-bounces+ann=example.net@x.org", "news@x.org"},
	{"prvs=news-bounces+ann=example.net=1234abcdef@x.org", "news@x.org"},
	{"btv1==123abc==news@x.org", "news@x.org"},
	{"msprvs1=123abc=news@x.org", "news@x.org"},
	{"news+prvs=123abc@x.org", "news@x.org"},
	{"news-bounces=saaaaaaaaaaaaaaaaaaaaa@x.org", "news@x.org"},
	{"news-bounces_raaaaaaaaaaaaaaaaaaaaa=ann=example.net@x.org", "news@x.org"},
	{"news-bounces-saaaaaaaaaaaaaaaaaaaaa@x.org", "news@x.org"},
	{"other=saaaaaaaaaaaaaaaaaaaaa@x.org", NULL},
	{"SRS0=h4Sh=TT=x.org=news-bounces+ann=example.net@forward.example", "news@x.org"},
	{"SRS1=abcd=forward.example==h4Sh=TT=x.org=news-bounces@other.example", "news@x.org"},
	{"SRS0=h4Sh=TT=other.example=news@forward.example", NULL},
	{"prvs=123=other@x.org", NULL},
	{"prvs==@x.org", NULL},
	{"prvs=@x.org", NULL},
	{"prvs=news@x.org", NULL},
	{"btv1====@x.org", NULL},
	{"news", NULL},
	{"", NULL},
	{"<>", NULL},
	{"@x.org", NULL},
};

START_TEST(finds_the_list)
{
	const struct find_case *row = &find_cases[_i];
	const struct list_config *list = config_find_list(read_text(lists), row->address);
	const char *got = list == NULL ? "none" : list->address;

	ck_assert_msg(strcmp(got, row->list == NULL ? "none" : row->list) == 0,
		"%s: want %s, got %s", row->address, row->list, got);
}
END_TEST

START_TEST(finds_the_domain)
{
	const struct config *config = read_text(lists);

	ck_assert_str_eq(config_find_domain(config, "x.org")->name, "x.org");
	ck_assert_str_eq(config_find_domain(config, "Y.ORG")->name, "y.org");
	ck_assert_ptr_null(config_find_domain(config, "z.org"));
	ck_assert_ptr_null(config_find_domain(config, ""));
	ck_assert_ptr_null(config_find_domain(config, NULL));
	ck_assert_ptr_null(config_find_list(config, NULL));
}
END_TEST

/* Many lists, so that the lookup cannot be by luck; and forms agree with address.h. */
START_TEST(finds_among_many)
{
	char *text = mem_strdup(context, "domain \"x.org\" { }\n");
	const struct config *config;

	for (int i = 0; i < 300; i++)
		text = mem_append(
			text, "list \"l%d@x.org\" { owners = {\"b@z.org\"} }\n", i * 7919 % 300);
	config = read_text(text);
	for (int i = 0; i < 300; i++) {
		const char *base = mem_printf(context, "l%d-bounces@x.org", i);
		const char *form = mem_printf(context, "l%d-bounces+q=r@x.org", i);
		const struct list_config *list = config_find_list(config, form);

		ck_assert(address_is_form_of(form, base));
		ck_assert_ptr_nonnull(list);
		ck_assert_str_eq(list->address, mem_printf(context, "l%d@x.org", i));
	}
	ck_assert_ptr_null(config_find_list(config, "l300@x.org"));
}
END_TEST

/* ---- the table ---- */

START_TEST(rows_are_sound)
{
	for (size_t i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];
		const char *want = config_rows_want(context, row);

		ck_assert_msg(
			config_rows_find(row->kind, row->name) == row, "%s: twice", row->name);
		ck_assert_msg(text_starts_fold(want, "want "), "%s: %s", row->name, want);
		ck_assert_msg(!row->check(context, row, "\x01", NULL), "%s takes all", row->name);
		ck_assert_msg(
			row->standard == NULL || row->check(context, row, row->standard, NULL),
			"%s: default", row->name);
		ck_assert_msg(row->offset > 0, "%s: no place", row->name);
		ck_assert_msg(!row->is_list || row->element_size > 0, "%s: size", row->name);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, accepts_every_key);
	tcase_add_test(tcase, reads_dns);
	tcase_add_test(tcase, has_defaults);
	tcase_add_test(tcase, has_defaults_in_sections);
	tcase_add_loop_test(tcase, tells_the_fault, 0, LENGTH(fault_cases));
	tcase_add_test(tcase, collects_all_faults);
	tcase_add_test(tcase, caps_the_faults);
	tcase_add_test(tcase, refuses_what_is_no_file);
	tcase_add_test(tcase, refuses_nul);
	tcase_add_test(tcase, warns_when_others_may_write);
	tcase_add_test(tcase, chooses_the_path);
	tcase_add_loop_test(tcase, finds_the_list, 0, LENGTH(find_cases));
	tcase_add_test(tcase, finds_the_domain);
	tcase_add_test(tcase, finds_among_many);
	tcase_add_test(tcase, rows_are_sound);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
