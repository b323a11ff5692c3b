/* test_dns_list.c: listings, and what only looks like one. */
#include <check.h>
#include <string.h>

#include "base/memory.h"
#include "dns_world.h"
#include "net/dns_list.h"
#include "suite.h"

static const char zone[] =
	"1.2.0.192.bl.example.org. IN A 127.0.0.2\n"
	"2.2.0.192.bl.example.org. IN A 127.255.255.254\n"
	"3.2.0.192.bl.example.org. IN A 127.0.0.1\n"
	"4.2.0.192.bl.example.org. IN A 127.0.0.4\n4.2.0.192.bl.example.org. IN A 127.0.0.11\n"
	"5.2.0.192.bl.example.org. IN A 127.0.0.4\n5.2.0.192.bl.example.org. IN A 192.0.2.9\n"
	"6.2.0.192.bl.example.org. BEHAVE servfail\n"
	"7.2.0.192.bl.example.org. IN TXT \"listed\"\n"
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example.org. IN A "
	"127.0.0.2\n"
	"*.wild.example.org. IN A 203.0.113.80\n";

static const struct {
	const char *address, *list;
	enum dns_list_result want;
	const char *why; /* part of it; NULL: none */
} rows[] = {
	{"192.0.2.1", "bl.example.org", DNS_LIST_PRESENT, "127.0.0.2"},
	{"::ffff:192.0.2.1", "bl.example.org", DNS_LIST_PRESENT, "127.0.0.2"},
	{"192.0.2.2", "bl.example.org", DNS_LIST_UNAVAILABLE, "refuses"},
	{"192.0.2.3", "bl.example.org", DNS_LIST_UNAVAILABLE, "out of service"},
	{"192.0.2.4", "bl.example.org", DNS_LIST_PRESENT, "127.0.0.4"},
	{"192.0.2.5", "bl.example.org", DNS_LIST_UNAVAILABLE, "everything"},
	{"192.0.2.6", "bl.example.org", DNS_LIST_UNAVAILABLE, "failed"},
	{"192.0.2.7", "bl.example.org", DNS_LIST_ABSENT, NULL},
	{"192.0.2.8", "bl.example.org", DNS_LIST_ABSENT, NULL},
	{"2001:db8::1", "bl.example.org", DNS_LIST_PRESENT, "127.0.0.2"},
	{"2001:db8::2", "bl.example.org", DNS_LIST_ABSENT, NULL},
	{"192.0.2.1", "wild.example.org", DNS_LIST_UNAVAILABLE, "everything"},
	{"2001:db8::1", "wild.example.org", DNS_LIST_UNAVAILABLE, "everything"},
};

START_TEST(test_list)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver;
	struct netaddr address;
	const char *why;
	enum dns_list_result got;

	dns_world_start(&world, zone, NULL);
	resolver = resolver_new(context, &world.options, NULL);
	ck_assert(netaddr_parse(rows[_i].address, &address));
	got = dns_list_ask(resolver, context, rows[_i].list, &address, &why);
	ck_assert_msg(got == rows[_i].want, "%s in %s: got %d (%s), want %d", rows[_i].address,
		rows[_i].list, got, why, rows[_i].want);
	ck_assert_msg((why == NULL) == (rows[_i].why == NULL) &&
			      (why == NULL || strstr(why, rows[_i].why) != NULL),
		"%s: why is '%s', want '%s'", rows[_i].address, why, rows[_i].why);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_list");
	TCase *tcase = tcase_create("dns_list");

	tcase_add_loop_test(tcase, test_list, 0, ROWS(rows));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
