/* Tests of base/config: what is accepted, what file is none, who is found, and the table of
 * settings. */
#include "base/address.h"
#include "base/config_private.h"
#include "base/text.h"
#include "config_place.h"
#include "suite.h"

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

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, accepts_every_key);
	tcase_add_test(tcase, reads_dns);
	tcase_add_test(tcase, has_defaults);
	tcase_add_test(tcase, has_defaults_in_sections);
	tcase_add_test(tcase, refuses_what_is_no_file);
	tcase_add_test(tcase, refuses_nul);
	tcase_add_test(tcase, warns_when_others_may_write);
	tcase_add_test(tcase, chooses_the_path);
	tcase_add_loop_test(tcase, finds_the_list, 0, LENGTH(find_cases));
	tcase_add_test(tcase, finds_the_domain);
	tcase_add_test(tcase, finds_among_many);
	tcase_add_test(tcase, rows_are_sound);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
