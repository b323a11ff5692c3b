/* test_address.c: many ways to write an address, one spelling; VERP; null senders. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"

static void *context;

static void set_up(void)
{
	context = mem_context(NULL, "test");
}

static void tear_down(void)
{
	mem_free(context);
}

static const char *shown(const char *text)
{
	return text != NULL ? text : "(null)";
}

static bool is_same(const char *got, const char *want)
{
	return got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;
}

static const struct {
	const char *input, *want;
} spellings[] = {
	{"ann@example.net", "ann@example.net"},
	{" Ann@Example.NET\r\n", "ann@example.net"},
	{"<ann@example.net>", "ann@example.net"},
	{"< ann@example.net >", "ann@example.net"},
	{"rfc822;ann@example.net", "ann@example.net"},
	{"RFC822; <Ann@example.net>", "ann@example.net"},
	{"rfc822 ; ann@example.net (Ann)", "ann@example.net"},
	{"utf-8; \xC3\xA4nn@example.net", "\xC3\xA4nn@example.net"},
	{"x400;/S=ann@example.net", NULL},
	{"\"john doe\"@example.net", "\"john doe\"@example.net"},
	{"\"John\"@example.net", "john@example.net"},
	{"\"john\\ doe\"@example.net", "\"john doe\"@example.net"},
	{"\"a\\\"b\\\\c\"@example.net", "\"a\\\"b\\\\c\"@example.net"},
	{"\"j\\ohn\"@example.net", "john@example.net"},
	{"\"a@b\"@example.net", "\"a@b\"@example.net"},
	{"a.\"b c\".d@example.net", "\"a.b c.d\"@example.net"},
	{"\"a..b\"@example.net", "a..b@example.net"},
	{"a..b.@docomo.example", "a..b.@docomo.example"},
	{"@a.example,@b.example:c@d.example", "c@d.example"},
	{"<@a.example:c@d.example>", "c@d.example"},
	{"ann@example.net.", "ann@example.net"},
	{"ann@example.net (Ann)", "ann@example.net"},
	{"ann@example.net(Ann (really)) (x)", "ann@example.net"},
	{"<ann@example.net> (Ann)", "ann@example.net"},
	{"\xC3\x84nn@B\xC3\xBC.example", "\xC3\x84nn@b\xC3\xBC.example"},
	{"a@[192.0.2.1]", "a@[192.0.2.1]"},
	{"a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"},
	{"root@localhost", "root@localhost"},
	{"list+ann=example.net@lists.example.org", "list+ann=example.net@lists.example.org"},
	{"/G=Ann/S=Doe/@gateway.example", "/g=ann/s=doe/@gateway.example"},
	{"a%b!c@host_name.example", "a%b!c@host_name.example"},
	{NULL, NULL},
	{"", NULL},
	{" ", NULL},
	{"<>", NULL},
	{"ann", NULL},
	{"@example.net", NULL},
	{"\"\"@example.net", NULL},
	{"ann@", NULL},
	{"ann@.", NULL},
	{"ann@.example.net", NULL},
	{"ann@example..net", NULL},
	{"ann@example.net..", NULL},
	{"ann@bert@example.net", NULL},
	{"an n@example.net", NULL},
	{"ann @example.net", NULL},
	{"ann@ example.net", NULL},
	{"ann@exam ple.net", NULL},
	{"ann@example.net\nbcc:x@y", NULL},
	{"an\tn@example.net", NULL},
	{"an\x01n@example.net", NULL},
	{"\"an\tn\"@example.net", NULL},
	{"\"an\\\nn\"@example.net", NULL},
	{"ann@example\x7F.net", NULL},
	{"\"ann@example.net", NULL},
	{"\"ann\\", NULL},
	{"\"ann\\\"@example.net", NULL},
	{"\"ann\"x@example.net", NULL},
	{"an\"n\"@example.net", NULL},
	{"ann@example.net, bob@example.net", NULL},
	{"ann@example.net>", NULL},
	{"<ann@example.net", NULL},
	{"ann@example.net)", NULL},
	{")(", NULL},
	{"()", NULL},
	{"mailto:ann@example.net", NULL},
	{"@a.example", NULL},
	{"@a.example:", NULL},
	{"a@[]", NULL},
	{"a@[192.0.2.1", NULL},
	{"a@[192.0.2.1]x", NULL},
	{"a@[x y]", NULL},
};

START_TEST(test_normalise)
{
	const char *want = spellings[_i].want;
	char *got = address_normalise(context, spellings[_i].input);

	ck_assert_msg(is_same(got, want), "'%s': got %s, want %s", shown(spellings[_i].input),
		shown(got), shown(want));
	if (want != NULL)
		ck_assert_msg(is_same(address_normalise(context, got), got),
			"'%s' normalises to something else", got);
}
END_TEST

/* An address of so many bytes: a...a@example.net, each 'a' written as piece. */
static char *long_address(size_t size, const char *piece, const char *quote)
{
	char *text = mem_strdup(context, quote);

	for (size_t i = 0; i < size - strlen("@example.net"); i++)
		text = mem_append(text, "%s", piece);
	return mem_append(text, "%s@example.net", quote);
}

START_TEST(test_normalise_cap)
{
	ck_assert_ptr_nonnull(address_normalise(context, long_address(ADDRESS_MAX, "a", "")));
	ck_assert_ptr_null(address_normalise(context, long_address(ADDRESS_MAX + 1, "a", "")));
	ck_assert_ptr_null(address_normalise(context, long_address(5000, "a", "")));
	ck_assert_ptr_nonnull(address_normalise(context, long_address(ADDRESS_MAX, "\\a", "\"")));
	/* Each becomes two: the longest text that is written before the cap is looked at. */
	ck_assert_ptr_null(address_normalise(context, long_address(1900, "\\\"", "\"")));
	ck_assert_ptr_null(address_normalise(context, long_address(3900, "a", "\"")));
	ck_assert_ptr_null(address_normalise(context, long_address(3900, "(", "")));
	ck_assert_ptr_null(address_normalise(context, long_address(3900, ")", "")));
}
END_TEST

static const struct {
	const char *a, *b;
	bool want;
} equals[] = {
	{"Ann@Example.net", "<ann@example.net.>", true},
	{"\"ann\"@example.net", "rfc822;ann@example.net", true},
	{"ann@example.net", "ann@example.org", false},
	{"", "", false},
	{NULL, NULL, false},
	{"ann@example.net", NULL, false},
};

START_TEST(test_equal)
{
	bool got = address_equal(equals[_i].a, equals[_i].b);

	ck_assert_msg(got == equals[_i].want, "'%s' and '%s': got %d, want %d", shown(equals[_i].a),
		shown(equals[_i].b), got, equals[_i].want);
}
END_TEST

static const struct {
	const char *address, *local, *domain;
} parts[] = {
	{"ann@example.net", "ann", "example.net"},
	{"\"a@b\"@example.net", "\"a@b\"", "example.net"},
	{"ann", "ann", NULL},
	{"ann@", "ann", NULL},
	{"@example.net", "", "example.net"},
	{"", "", NULL},
};

START_TEST(test_parts)
{
	const char *domain = address_domain(parts[_i].address);
	char *local = address_local(context, parts[_i].address);

	ck_assert_msg(is_same(domain, parts[_i].domain), "'%s': got domain %s, want %s",
		parts[_i].address, shown(domain), shown(parts[_i].domain));
	ck_assert_msg(is_same(local, parts[_i].local), "'%s': got local part %s, want %s",
		parts[_i].address, local, parts[_i].local);
}
END_TEST

static const struct {
	const char *sender;
	bool want;
} null_senders[] = {
	{"", true},
	{"<>", true},
	{" <> ", true},
	{"< >", true},
	{"MAILER-DAEMON", true},
	{"mailer-daemon", true},
	{"<MAILER-DAEMON>", true},
	{"Mailer-Daemon@mx.example.net", true},
	{"<MAILER-DAEMON@mx.example.net>", true},
	{"mailer-daemons@example.net", false},
	{"x-mailer-daemon@example.net", false},
	{"mailer", false},
	{"ann@example.net", false},
	{"<", false},
	{NULL, false},
};

START_TEST(test_null_sender)
{
	bool got = address_is_null_sender(null_senders[_i].sender);

	ck_assert_msg(got == null_senders[_i].want, "'%s': got %d, want %d",
		shown(null_senders[_i].sender), got, null_senders[_i].want);
}
END_TEST

static const struct {
	const char *local_part, *want;
} verps[] = {
	{"list-bounces+ann=example.net", "ann@example.net"},
	{"list+Ann=Example.net", "ann@example.net"},
	{"owner-list+ann=example.net", "ann@example.net"},
	{"my-list-bounces+ann-marie=ex-ample.net", "ann-marie@ex-ample.net"},
	{"list-bounces+ann+tag=example.net", "ann+tag@example.net"},
	{"list-bounces+a=b=example.net", "a=b@example.net"},
	{"bounce+ann==a==example.net==list", "ann@example.net"},
	{"bounce+ann==a==example.net==list==w", "ann@example.net"},
	{"bounce+ann==a==example.net", "ann@example.net"},
	{"bounce+a=b==a==example.net==list", "a=b@example.net"},
	{"list-return-17-ann=example.net", "ann@example.net"},
	{"my-list-return-17-ann-x+y=example.net", "ann-x+y@example.net"},
	{"list-return-warn-1163000000.abcdef-ann=example.net", "ann@example.net"},
	{"list-return-probe-1163000000.abcdef-ann=example.net", "ann@example.net"},
	{"list+bounces-17-ann=example.net", "ann@example.net"},
	{"list-bounces-17-ann=example.net", "ann@example.net"},
	{"list-bounces-ann=example.net", "ann@example.net"},
	{"list-bounces+list-return-9-x=example.net", "list-return-9-x@example.net"},
	{"list+bounces-x=example.net", "bounces-x@example.net"},
	{"sender+ann=sub.example.co.uk", "ann@sub.example.co.uk"},
	{"sender+ann=xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
	{"list-bounces", NULL},
	{"list-bounces+0123456789abcdef", NULL},
	{"list-bounces+token=", NULL},
	{"list-bounces+=example.net", NULL},
	{"list-bounces+ann=localhost", NULL},
	{"list-bounces+ann=example.", NULL},
	{"list-bounces+ann=.example", NULL},
	{"list-bounces+ann=ex..ample.net", NULL},
	{"list-bounces+size=1.0", NULL},
	{"list-bounces+ann=exa mple.net", NULL},
	{"list-bounces+an n=example.net", NULL},
	{"list-bounces+ann=example.net@host.example", NULL},
	{"list-return-17", NULL},
	{"list-return-17-", NULL},
	{"ann=example.net", NULL},
	{"prvs=0123456789=ann", NULL},
	{"list-ann=example.net", NULL},
	{"+", NULL},
	{"", NULL},
	{NULL, NULL},
};

START_TEST(test_verp)
{
	char *got = address_from_verp(context, verps[_i].local_part);

	ck_assert_msg(is_same(got, verps[_i].want), "'%s': got %s, want %s",
		shown(verps[_i].local_part), shown(got), shown(verps[_i].want));
}
END_TEST

START_TEST(test_verp_cap)
{
	char *text = mem_printf(context, "list+%s", long_address(ADDRESS_MAX, "a", ""));

	*strchr(text, '@') = '=';
	ck_assert_ptr_null(address_from_verp(context, text));
	ck_assert_ptr_nonnull(
		address_from_verp(context, mem_printf(context, "l+%s", text + strlen("list+123"))));
}
END_TEST

static const struct {
	const char *address, *base;
	bool want;
} forms[] = {
	{"list@example.org", "list@example.org", true},
	{"<List@Example.org.>", "list@example.org", true},
	{"list+anything@example.org", "list@example.org", true},
	{"list+@example.org", "list@example.org", true},
	{"list-ann=example.net@example.org", "list@example.org", true},
	{"list-return-17-ann=example.net@example.org", "list@example.org", true},
	{"list-bounces@example.org", "list@example.org", false},
	{"list-owner+x=y@example.net", "list@example.org", false},
	{"lists@example.org", "list@example.org", false},
	{"listx+y=z@example.org", "list@example.org", false},
	{"lis@example.org", "list@example.org", false},
	{"list@example.net", "list@example.org", false},
	{"list+x@sub.example.org", "list@example.org", false},
	{"list", "list@example.org", false},
	{NULL, "list@example.org", false},
	{"list@example.org", NULL, false},
};

START_TEST(test_form)
{
	bool got = address_is_form_of(forms[_i].address, forms[_i].base);

	ck_assert_msg(got == forms[_i].want, "'%s' of '%s': got %d, want %d",
		shown(forms[_i].address), shown(forms[_i].base), got, forms[_i].want);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	TCase *tcase = tcase_create("address");
	Suite *suite = suite_create("address");
	SRunner *runner;
	int failures;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, test_normalise, 0, COUNT(spellings));
	tcase_add_test(tcase, test_normalise_cap);
	tcase_add_loop_test(tcase, test_equal, 0, COUNT(equals));
	tcase_add_loop_test(tcase, test_parts, 0, COUNT(parts));
	tcase_add_loop_test(tcase, test_null_sender, 0, COUNT(null_senders));
	tcase_add_loop_test(tcase, test_verp, 0, COUNT(verps));
	tcase_add_test(tcase, test_verp_cap);
	tcase_add_loop_test(tcase, test_form, 0, COUNT(forms));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
