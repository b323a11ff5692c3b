/* test_netaddr.c: IP addresses in the forms of mail, blocks, and what counts as internal. */
#include <check.h>
#include <string.h>

#include "base/netaddr.h"

static const struct {
	const char *input, *want; /* NULL: refused */
} addresses[] = {
	{"192.0.2.1", "192.0.2.1"},
	{"[192.0.2.1]", "192.0.2.1"},
	{"::ffff:192.0.2.1", "192.0.2.1"},
	{"IPv6:::ffff:192.0.2.1", "192.0.2.1"},
	{"IPv6:64:ff9b::c000:201", "192.0.2.1"},
	{"64:ff9b:1::c000:201",
		"64:ff9b:1::c000:201"}, /* RFC 8215: its prefix length is not known */
	{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
	{"IPv6:2001:db8::1", "2001:db8::1"},
	{"[ipv6:2001:db8::1]", "2001:db8::1"},
	{"[2001:db8::1]", "2001:db8::1"},
	{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* RFC 5952 section 4.2.2 */
	{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
	{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"::", "::"},
	{"0.0.0.0", "0.0.0.0"},
	{NULL, NULL},
	{"", NULL},
	{"[]", NULL},
	{"[", NULL},
	{"]", NULL},
	{"192.0.2", NULL},
	{"192.0.2.256", NULL},
	{"192.0.2.01", NULL},
	{"192.0.2.1.", NULL},
	{"0xc0000201", NULL},
	{"192.0.2.1 ", NULL},
	{"[192.0.2.1", NULL},
	{"192.0.2.1]", NULL},
	{"[[192.0.2.1]]", NULL},
	{"IPv6:192.0.2.1", NULL},
	{"IPv6:", NULL},
	{"fe80::1%eth0", NULL},
	{"2001:db8::1::2", NULL},
	{"mx.example.net", NULL},
	{"2001:db8::1/64", NULL},
	{"[IPv6:2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000:0000:0000]", NULL},
};

START_TEST(test_address)
{
	const char *want = addresses[_i].want;
	struct netaddr address;
	char got[NETADDR_TEXT_MAX] = "";
	bool ok = netaddr_parse(addresses[_i].input, &address);

	if (ok)
		netaddr_format(&address, got);
	ck_assert_msg(ok == (want != NULL) && strcmp(got, want != NULL ? want : "") == 0,
		"'%s': got '%s', want '%s'", addresses[_i].input, got,
		want != NULL ? want : "(refused)");
}
END_TEST

static const struct {
	const char *block;
	int prefix; /* -1: refused */
	const char *inside, *outside;
} blocks[] = {
	{"192.0.2.0/24", 120, "192.0.2.255", "192.0.3.0"},
	{"192.0.2.0/25", 121, "192.0.2.127", "192.0.2.128"},
	{"192.0.2.1", 128, "192.0.2.1", "192.0.2.0"},
	{"192.0.2.1/32", 128, "::ffff:192.0.2.1", "192.0.2.3"},
	{"0.0.0.0/0", 96, "203.0.113.9", "2001:db8::1"},
	{"10.0.0.0/8", 104, "10.255.0.1", "11.0.0.0"},
	{"::ffff:192.0.2.0/120", 120, "192.0.2.7", "192.0.1.7"},
	{"2001:db8::/48", 48, "2001:db8:0:ffff::1", "2001:db8:1::"},
	{"2001:db8::/33", 33, "2001:db8:7fff::1", "2001:db8:8000::1"},
	{"IPv6:2001:db8::1", 128, "2001:db8::1", "2001:db8::2"},
	{"[2001:db8::]/32", 32, "2001:db8::1", "2001:db9::"},
	{"::/0", 0, "192.0.2.1", NULL},
	{"192.0.2.1/24", -1, NULL, NULL},
	{"192.0.2.0/33", -1, NULL, NULL},
	{"192.0.2.0/120", -1, NULL, NULL},
	{"2001:db8::1/127", -1, NULL, NULL},
	{"2001:db8::/129", -1, NULL, NULL},
	{"192.0.2.0/", -1, NULL, NULL},
	{"192.0.2.0/-1", -1, NULL, NULL},
	{"192.0.2.0/+24", -1, NULL, NULL},
	{"192.0.2.0/24x", -1, NULL, NULL},
	{"192.0.2.0/ 24", -1, NULL, NULL},
	{"192.0.2.0/24/24", -1, NULL, NULL},
	{"192.0.2.0/4294967320", -1, NULL, NULL},
	{"/24", -1, NULL, NULL},
	{"", -1, NULL, NULL},
	{NULL, -1, NULL, NULL},
};

static bool contains(const struct netblock *block, const char *text)
{
	struct netaddr address;

	ck_assert_msg(netaddr_parse(text, &address), "the test's own '%s' is refused", text);
	return netblock_contains(block, &address);
}

START_TEST(test_block)
{
	struct netblock block = {.prefix = 0};
	bool ok = netblock_parse(blocks[_i].block, &block);

	ck_assert_msg(ok == (blocks[_i].prefix != -1), "'%s': got %d, want %d", blocks[_i].block,
		ok, !ok);
	if (!ok)
		return;
	ck_assert_msg((int)block.prefix == blocks[_i].prefix, "'%s': got prefix %u, want %d",
		blocks[_i].block, block.prefix, blocks[_i].prefix);
	ck_assert_msg(contains(&block, blocks[_i].inside), "'%s' is not inside '%s'",
		blocks[_i].inside, blocks[_i].block);
	ck_assert_msg(blocks[_i].outside == NULL || !contains(&block, blocks[_i].outside),
		"'%s' is inside '%s'", blocks[_i].outside, blocks[_i].block);
}
END_TEST

static const struct {
	const char *address;
	bool want;
} internals[] = {
	{"0.0.0.0", true},
	{"0.255.255.255", true},
	{"1.0.0.0", false},
	{"9.255.255.255", false},
	{"10.0.0.1", true},
	{"11.0.0.0", false},
	{"100.63.255.255", false},
	{"100.64.0.1", true},
	{"100.127.255.255", true},
	{"100.128.0.0", false},
	{"126.255.255.255", false},
	{"127.0.0.1", true},
	{"128.0.0.0", false},
	{"169.254.1.1", true},
	{"169.255.0.0", false},
	{"172.15.255.255", false},
	{"172.16.0.1", true},
	{"172.31.255.255", true},
	{"172.32.0.0", false},
	{"192.167.255.255", false},
	{"192.168.1.1", true},
	{"192.169.0.0", false},
	{"192.0.2.1", false},
	{"::ffff:10.0.0.1", true},
	{"::", true},
	{"::1", true},
	{"::2", false},
	{"fe80::1", true},
	{"febf::1", true},
	{"fec0::1", false},
	{"fc00::1", true},
	{"fdff::1", true},
	{"fe00::1", false},
	{"fbff::1", false},
	{"2001:db8::1", false},
};

START_TEST(test_internal)
{
	struct netaddr address;
	bool got;

	ck_assert(netaddr_parse(internals[_i].address, &address));
	got = netaddr_is_internal(&address);
	ck_assert_msg(got == internals[_i].want, "%s: got %d, want %d", internals[_i].address, got,
		internals[_i].want);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	TCase *tcase = tcase_create("netaddr");
	Suite *suite = suite_create("netaddr");
	SRunner *runner;
	int failures;

	tcase_add_loop_test(tcase, test_address, 0, COUNT(addresses));
	tcase_add_loop_test(tcase, test_block, 0, COUNT(blocks));
	tcase_add_loop_test(tcase, test_internal, 0, COUNT(internals));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
