/* test_auth_results.c: which findings in a header are our own server's, and what they say. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "read/auth_results.h"
#include "suite.h"

static const char *const ids[] = {"mx.lists.example.org", "other.example.org"};

#define CAME_IN                                                                                    \
	"Received: from mx.b.example (mx.b.example [203.0.113.5]) by mx.lists.example.org; Mon, "  \
	"23 Nov 2026 19:19:16 +0000\n"
#define RESULTS "Authentication-Results: mx.lists.example.org; "

/* want: "method=result property=value" of each, with " | " between. */
static const struct {
	const char *what, *text, *want;
} fields[] = {
	{"SPF of the HELO", CAME_IN RESULTS "spf=pass smtp.helo=mx.b.example\n",
		"spf=pass smtp.helo=mx.b.example"},
	{"above the Received field", RESULTS "spf=fail smtp.helo=MX.B.example\n" CAME_IN,
		"spf=fail smtp.helo=mx.b.example"},
	{"several methods, comments, a version",
		CAME_IN
		"Authentication-Results: mx.lists.example.org 1;\n"
		"\tdkim=pass (2048-bit; (nested) key) header.d=b.example header.i=@b.example "
		"header.b=\"ab;c=\";\n\tspf=softfail reason=\"no; smtp.helo=evil\" "
		"smtp.helo=mx.b.example; dmarc=none\n",
		"dkim=pass header.d=b.example | dkim=pass header.i=@b.example | "
		"dkim=pass header.b=abc | spf=softfail smtp.helo=mx.b.example | dmarc=none ="},
	{"a second server of ours", CAME_IN "Authentication-Results: Other.example.org; spf=none\n",
		"spf=none ="},
	{"nothing found", CAME_IN RESULTS "none\n", ""},
	{"somebody else's",
		CAME_IN "Authentication-Results: mx.b.example; spf=pass "
			"smtp.helo=mx.b.example\n",
		""},
	{"our name as a comment",
		CAME_IN "Authentication-Results: (mx.lists.example.org) "
			"evil.example; spf=pass smtp.helo=a\n",
		""},
	{"ours, below the next Received field",
		CAME_IN "Received: from x by y\n" RESULTS "spf=pass smtp.helo=mx.b.example\n", ""},
	{"behind a filter on the host itself",
		"Received: from localhost (localhost [127.0.0.1]) by mx.lists.example.org\n" CAME_IN
			RESULTS "spf=pass smtp.helo=mx.b.example\n",
		"spf=pass smtp.helo=mx.b.example"},
	{"Received-SPF of the HELO",
		CAME_IN "Received-SPF: Pass (mx.lists.example.org: x; y) identity=helo; "
			"client-ip=203.0.113.5; helo=mx.b.example; receiver=mx.lists.example.org\n",
		"spf=pass smtp.helo=mx.b.example"},
	{"Received-SPF of a null sender",
		CAME_IN "Received-SPF: none client-ip=203.0.113.5; envelope-from=\"<>\"; "
			"helo=mx.b.example; receiver=mx.lists.example.org\n",
		"spf=none smtp.helo=mx.b.example"},
	{"Received-SPF of a sender",
		CAME_IN "Received-SPF: pass client-ip=203.0.113.5; envelope-from=eve@b.example; "
			"helo=mx.b.example; receiver=mx.lists.example.org;\n",
		"spf=pass smtp.mailfrom=eve@b.example"},
	{"Received-SPF of another's", CAME_IN "Received-SPF: pass helo=mx.b.example\n", ""},
	{"a forged one below ours",
		CAME_IN RESULTS "spf=fail smtp.helo=evil.example\n" RESULTS
				"spf=pass smtp.helo=mx.b.example; dkim=pass header.d=b.example\n",
		"spf=fail smtp.helo=evil.example | dkim=pass header.d=b.example"},
	{"a forged one below ours, of another property",
		RESULTS "spf=none smtp.mailfrom=a@evil.example\n" CAME_IN RESULTS
			"spf=pass smtp.helo=mx.b.example\n",
		"spf=none smtp.mailfrom=a@evil.example"},
	{"a forged one below ours, of the other kind",
		"Received-SPF: fail helo=evil.example; identity=helo; "
		"receiver=mx.lists.example.org\n" CAME_IN RESULTS
		"spf=pass smtp.helo=mx.b.example\n",
		"spf=fail smtp.helo=evil.example"},
	{"the name in quotes and another case, with a version",
		CAME_IN "Authentication-Results: \"MX.Lists.example.org\" 1; "
			"DKIM/1=PASS header.d=B.example\n",
		"dkim=pass header.d=b.example"},
	{"methods in quotes and comments",
		CAME_IN RESULTS "spf=fail smtp.mailfrom=\"; spf=pass smtp.helo=mx.b.example;\" "
				"(; spf=pass smtp.helo=mx.b.example; \\) ;spf=pass "
				"smtp.helo=mx.b.example) smtp.helo=evil.example\n",
		"spf=fail smtp.mailfrom=spfpasssmtp.helomx.b.example | "
		"spf=fail smtp.helo=evil.example"},
	{"our name in front of another's",
		CAME_IN "Authentication-Results: mx.lists.example.org.evil.example; "
			"spf=pass smtp.helo=mx.b.example\n",
		""},
	{"empty", CAME_IN "Authentication-Results:\nReceived-SPF:\n", ""},
	{"brackets that do not close",
		CAME_IN "Authentication-Results: mx.lists.example.org; (((( "
			"spf=pass smtp.helo=a\n",
		""},
};

START_TEST(reads_our_own)
{
	void *context = mem_context(NULL, "test");
	struct bytes block = {(const unsigned char *)fields[_i].text, strlen(fields[_i].text)};
	struct auth_result results[AUTH_RESULTS_MAX];
	struct headers headers;
	char *got = mem_strdup(context, "");

	headers_parse(context, block, &headers, NULL);
	size_t count = auth_results_read(context, &headers, ids, 2, results);
	for (size_t i = 0; i < count; i++)
		got = mem_append(got, "%s%s=%s %s=%s", i == 0 ? "" : " | ", results[i].method,
			results[i].result, results[i].property, results[i].value);
	ck_assert_msg(strcmp(got, fields[_i].want) == 0, "%s: want \"%s\", got \"%s\"",
		fields[_i].what, fields[_i].want, got);
	ck_assert_uint_eq(auth_results_read(context, &headers, NULL, 0, results), 0);
	mem_free(context);
}
END_TEST

/* What a stranger sizes is capped. */
START_TEST(many_are_capped)
{
	void *context = mem_context(NULL, "test");
	char *text = mem_strdup(context, RESULTS);
	struct auth_result results[AUTH_RESULTS_MAX];
	struct headers headers;

	for (int i = 0; i < 500; i++)
		text = mem_append(text, "spf=pass smtp.helo=a%d; ", i);
	text = mem_append(text, "\n");
	headers_parse(
		context, (struct bytes){(const unsigned char *)text, strlen(text)}, &headers, NULL);
	ck_assert_uint_eq(auth_results_read(context, &headers, ids, 2, results), AUTH_RESULTS_MAX);
	mem_free(context);
}
END_TEST

/* Where a long field is cut, half a name is none. */
START_TEST(half_a_name_is_none)
{
	for (int pad = 3900; pad < 4100; pad++) {
		void *context = mem_context(NULL, "test");
		char *text = mem_printf(context,
			RESULTS "dkim=none reason=%0*d; spf=pass smtp.helo=mx.b.example.evil\n",
			pad, 0);
		struct auth_result results[AUTH_RESULTS_MAX];
		struct headers headers;

		headers_parse(context, (struct bytes){(const unsigned char *)text, strlen(text)},
			&headers, NULL);
		size_t count = auth_results_read(context, &headers, ids, 2, results);
		for (size_t i = 0; i < count; i++)
			ck_assert_msg(results[i].value[0] == '\0' ||
					      strcmp(results[i].value, "mx.b.example.evil") == 0,
				"%d: got \"%s\"", pad, results[i].value);
		mem_free(context);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("auth_results");
	TCase *tcase = tcase_create("auth_results");

	tcase_add_loop_test(tcase, reads_our_own, 0, ROWS(fields));
	tcase_add_test(tcase, many_are_capped);
	tcase_add_test(tcase, half_a_name_is_none);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
