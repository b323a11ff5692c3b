/* test_dkim_dns.c: which of the TXT records at a name is the key. The resolver is the test's own.
 */
#include <string.h>

#include "base/memory.h"
#include "suite.h"
#include "weigh/dkim.h"

struct resolver {
	struct dns_answer answer;
	const char *asked;
	enum dns_type type;
};

void resolver_ask(struct resolver *resolver, const void *context, const char *name,
	enum dns_type type, struct dns_answer *answer_out)
{
	(void)context;
	resolver->asked = name;
	resolver->type = type;
	*answer_out = resolver->answer;
}

static const struct {
	const char *what;
	enum dns_outcome outcome;
	const char *texts[2];
	enum dns_outcome result;
	const char *text;
} rows[] = {
	{"one key", DNS_FOUND, {"v=DKIM1; p=AAAA"}, DNS_FOUND, "v=DKIM1; p=AAAA"},
	{"a key behind something else", DNS_FOUND, {"v=spf1 -all", "p=BBBB"}, DNS_FOUND, "p=BBBB"},
	{"two keys", DNS_FOUND, {"p=AAAA", "p=BBBB"}, DNS_FOUND, "p=AAAA"},
	{"no key", DNS_FOUND, {"v=spf1 -all"}, DNS_NO_DATA, NULL},
	{"no text", DNS_FOUND, {NULL, "p=BBBB"}, DNS_FOUND, "p=BBBB"},
	{"no records", DNS_NO_DATA, {NULL}, DNS_NO_DATA, NULL},
	{"no name", DNS_NO_DOMAIN, {NULL}, DNS_NO_DOMAIN, NULL},
	{"no answer", DNS_FAILED, {NULL}, DNS_FAILED, NULL},
};

START_TEST(finds_the_record)
{
	struct dns_record records[2] = {{.text = rows[_i].texts[0]}, {.text = rows[_i].texts[1]}};
	struct resolver resolver = {.answer = {.outcome = rows[_i].outcome, .records = records}};
	struct dkim_records source;
	const char *text = NULL;

	resolver.answer.count = rows[_i].outcome == DNS_FOUND ? 2 : 0;
	dkim_records_open(&resolver, &source);
	ck_assert_msg(source.find(source.argument, NULL, "s1._domainkey.example.org", &text) ==
			      rows[_i].result,
		"%s", rows[_i].what);
	ck_assert_str_eq(resolver.asked, "s1._domainkey.example.org");
	ck_assert_int_eq(resolver.type, DNS_TXT);
	ck_assert_pstr_eq(text, rows[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dkim_dns");
	TCase *tcase = tcase_create("dkim_dns");

	tcase_add_loop_test(tcase, finds_the_record, 0, ROWS(rows));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
