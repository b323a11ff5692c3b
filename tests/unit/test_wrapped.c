/* test_wrapped.c: addresses inside what other programs make of them. */
#include <string.h>

#include "base/memory.h"
#include "base/wrapped.h"
#include "suite.h"

#define LONG_USER "announce-bounces+raaaaaaaaaaaaaaaaaaaaa=ann=example.net"

static const struct {
	const char *address;
	const char *first; /* NULL: nothing is inside */
	const char *name;
	const char *tag;
} rows[] = {
	{"prvs=0787abcdef=ann@x.org", "ann@x.org", "prvs", "0787abcdef"},
	{"PRVS=0787ABCDEF=Ann@X.org", "Ann@X.org", "prvs", "0787ABCDEF"},
	{"prvs=ann=0787abcdef@x.org", "ann@x.org", "prvs", "0787abcdef"},
	{"prvs=joe=123ABCDEFG@x.org", "123ABCDEFG@x.org", "prvs", "joe"}, /* and the other way */
	{"ann+prvs=0787abcdef@x.org", "ann@x.org", "prvs", "0787abcdef"},
	{"prvs=0787abcdef=" LONG_USER "@x.org", LONG_USER "@x.org", "prvs", "0787abcdef"},
	{"prvs=" LONG_USER "=0787abcdef@x.org", LONG_USER "@x.org", "prvs", "0787abcdef"},
	{"btv1==1234ab==ann@x.org", "ann@x.org", "btv1", "1234ab"},
	{"msprvs1=17abc:xyz=ann@x.org", "ann@x.org", "msprvs1", "17abc:xyz"},
	{"SRS0=h4Sh=TT=x.org=ann@fwd.example", "ann@x.org", "srs0", NULL},
	{"srs0+h4Sh=tt=x.org=ann=b@fwd.example", "ann=b@x.org", "srs0", NULL},
	{"SRS0-h4Sh=TT=x.org=ann@fwd.example", "ann@x.org", "srs0", NULL},
	{"SRS1=abcd=fwd.example==h4Sh=TT=x.org=ann@y.example", "ann@x.org", "srs1", NULL},
	{"SRS1+abcd=fwd.example=+h4Sh=TT=x.org=ann@y.example", "ann@x.org", "srs1", NULL},
	{"SRS1-abcd=fwd.example=-h4Sh=TT=x.org=ann@y.example", "ann@x.org", "srs1", NULL},
	{"SRS1=abcd=fwd.example=h4Sh=TT=x.org=ann@y.example", NULL, NULL, NULL},
	{"SRS0=h4Sh=TT=x.org@fwd.example", NULL, NULL, NULL},
	{"SRS0=h4Sh=TT==ann@fwd.example", NULL, NULL, NULL},
	{"SRS0=@fwd.example", NULL, NULL, NULL},
	{"SRS1=@fwd.example", NULL, NULL, NULL},
	{"ann@x.org", NULL, NULL, NULL},
	{"ann+bob=y.org@x.org", NULL, NULL, NULL},
	{"prvs@x.org", NULL, NULL, NULL},
	{"prvs=@x.org", NULL, NULL, NULL},
	{"prvs==@x.org", NULL, NULL, NULL},
	{"+prvs=0787abcdef@x.org", NULL, NULL, NULL},
	{"\"prvs=0787abcdef=ann\"@x.org", NULL, NULL, NULL},
	{"prvs=0787abcdef=ann", NULL, NULL, NULL},
	{"@", NULL, NULL, NULL},
	{"", NULL, NULL, NULL},
};

START_TEST(opens)
{
	void *context = mem_context(NULL, "test");
	struct wrapped items[WRAPPED_MAX];
	size_t count = wrapped_open(context, rows[_i].address, items);

	if (rows[_i].first == NULL) {
		ck_assert_msg(count == 0, "%s: got %s", rows[_i].address,
			count == 0 ? "" : items[0].address);
	} else {
		ck_assert_msg(count > 0, "%s: got nothing", rows[_i].address);
		ck_assert_str_eq(items[0].address, rows[_i].first);
		ck_assert_str_eq(items[0].name, rows[_i].name);
		ck_assert_pstr_eq(items[0].tag, rows[_i].tag);
	}
	mem_free(context);
}
END_TEST

static size_t open_count(const char *address, const char *wanted)
{
	void *context = mem_context(NULL, "test");
	struct wrapped items[WRAPPED_MAX];
	size_t count = wrapped_open(context, address, items);
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += strcmp(items[i].address, wanted) == 0;
	mem_free(context);
	return found;
}

START_TEST(opens_one_in_another)
{
	ck_assert_uint_eq(
		open_count("SRS0=a=bb=x.org=prvs=0787abcdef=ann@y.example", "ann@x.org"), 1);
	ck_assert_uint_ge(open_count("prvs=joe=123ABCDEFG@x.org", "joe@x.org"), 1);
	/* There is one reading where only one word can be the tag. */
	ck_assert_uint_eq(open_count("prvs=0787abcdef=ann@x.org", "0787abcdef@x.org"), 0);
	ck_assert_uint_eq(open_count("prvs=ann=0787abcdef@x.org", "0787abcdef@x.org"), 0);
	ck_assert_uint_eq(open_count("prvs=0787abcdef=0787abcdea@x.org", "0787abcdef@x.org"), 1);
	ck_assert_uint_eq(open_count("prvs=0787abcdef=0787abcdea@x.org", "0787abcdea@x.org"), 1);
	ck_assert_uint_eq(open_count("prvs=1=prvs=2=prvs=3=ann@x.org", "nobody@x.org"), 0);
	ck_assert_uint_eq(wrapped_open(NULL, NULL, NULL), 0);
}
END_TEST

/* However it is nested, what comes out is bounded. */
START_TEST(is_bounded)
{
	void *context = mem_context(NULL, "test");
	struct wrapped items[WRAPPED_MAX];
	char *address = mem_strdup(context, "");

	for (int i = 0; i < 200; i++)
		address = mem_append(address, "%s", i % 2 == 0 ? "prvs=a=" : "SRS0=a=b=c=");
	address = mem_append(address, "ann@x.org");
	ck_assert_uint_le(wrapped_open(context, address, items), WRAPPED_MAX);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wrapped");
	TCase *tcase = tcase_create("wrapped");

	tcase_add_loop_test(tcase, opens, 0, ROWS(rows));
	tcase_add_test(tcase, opens_one_in_another);
	tcase_add_test(tcase, is_bounded);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
