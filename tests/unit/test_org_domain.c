/* test_org_domain.c: which names are of one organisation. */
#include <stdbool.h>
#include <string.h>

#include "net/org_domain.h"
#include "suite.h"

static const struct {
	const char *name, *want; /* NULL: none */
} names[] = {
	{"mx.mail.b.example", "b.example"},
	{"b.example", "b.example"},
	{"example", NULL},
	{"com", NULL},
	{"co.uk", NULL},
	{"mx.firm.co.uk", "firm.co.uk"},
	{"mail-ot1-f41.google.com", "google.com"},
	{"mx1.harbour.example.com", "harbour.example.com"},
	{"harbour.example.com", "harbour.example.com"},
	{"example.com", NULL}, /* everybody's */
	{".example.com", NULL},
	{"a.example.net", "a.example.net"},
	{"", NULL},
	{".", NULL},
	{"..", NULL},
	{"192.0.2.1", NULL},
	{"2001:db8::1", NULL},
	{NULL, NULL},
};

START_TEST(finds_the_organisation)
{
	const char *got = org_domain_find(names[_i].name);

	ck_assert_msg((got == NULL) == (names[_i].want == NULL) &&
			      (got == NULL || strcmp(got, names[_i].want) == 0),
		"%s: want %s, got %s", names[_i].name, names[_i].want, got);
}
END_TEST

static const struct {
	const char *a, *b;
	bool want;
} pairs[] = {
	{"mx.b.example", "b.example", true},
	{"out.b.example", "in.b.example", true},
	{"mx.b.example", "mx.c.example", false},
	{"mx.firm.co.uk", "mx.other.co.uk", false},
	{"mx.harbour.example.com", "mx.meadow.example.com", false},
	{"notb.example", "b.example", false},
	{"mx.example.net", "example.net", true},
	{"example.net", "mx.example.net", true},
	{"mx.example.net", "www.example.net", false},
	{"mx.firm.co.uk", "co.uk", false},
	{"co.uk", "co.uk", false}, /* no organisation */
	{"192.0.2.1", "192.0.2.1", false},
	{NULL, NULL, false},
	{"b.example", NULL, false},
};

START_TEST(compares_organisations)
{
	bool got = org_domain_is_shared(pairs[_i].a, pairs[_i].b);

	ck_assert_msg(got == pairs[_i].want, "%s and %s: want %d, got %d", pairs[_i].a, pairs[_i].b,
		pairs[_i].want, got);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("org_domain");
	TCase *tcase = tcase_create("org_domain");

	tcase_add_loop_test(tcase, finds_the_organisation, 0, ROWS(names));
	tcase_add_loop_test(tcase, compares_organisations, 0, ROWS(pairs));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
