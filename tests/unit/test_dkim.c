/* test_dkim.c: the check dkim on whole reports: each signature, several, none, and keys in DNS. */
#include "base/text.h"
#include "dkim_signing.h"

#define BLOCK_MAX 2000000

#define TRACE                                                                                      \
	"Return-Path: <announce-bounces@lists.example.org>\nX-Original-To: ann@b.example\n"        \
	"Delivered-To: ann@b.example\n"                                                            \
	"Received: from lists.example.org (lists.example.org [192.0.2.10])\n\tby mx.b.example\n"

static const struct row {
	const char *what;
	struct seal seal;
	const char *find, *with; /* done to the signed block */
	const char *above;	 /* put on top of it */
	const char *result;
	const char *says; /* a piece of the detail */
	enum form form;
	int days; /* after the signature; 0: 1 */
} rows[] = {
	{"relaxed", {0}, .result = "valid",
		.says = "s1 of lists.example.org signed From, Date, Message-ID and 4 more fields "
			"on 2026-11-23"},
	{"simple", {.canon = "simple"}, .result = "valid"},
	{"RSA of 1024 bits", {.key = RSA_1024}, .result = "valid"},
	{"Ed25519", {.key = ED25519}, .result = "valid"},
	{"RSA of 512 bits", {.key = RSA_512}, .result = "weak-key", .says = "512 bits"},
	{"SHA-1", {.is_sha1 = true}, .result = "weak-key", .says = "SHA-1"},
	{"a whole message", {0}, .form = AS_MESSAGE, .result = "valid"},
	{"in base64", {.canon = "simple"}, .form = AS_BASE64, .result = "valid"},
	{"with CRLF", {.canon = "simple"}, .form = WITH_CRLF, .result = "valid"},
	{"quoted in a text", {0}, .form = AS_TEXT, .above = TRACE, .result = "valid"},
	{"with the reporter's trace on top", {.canon = "simple"}, .above = TRACE,
		.result = "valid"},
	{"Return-Path in between", {0}, .find = "To: announce",
		.with = "Return-Path: <x@lists.example.org>\nTo: announce", .result = "valid"},
	{"oversigned", {.fields = USUAL ":" USUAL ":reply-to"}, .result = "valid"},
	{"with l=", {.tags = "l=5;"}, .result = "valid"},
	{"signed in the future", {0}, .days = -30, .result = "valid"},
	{"expired since", {.tags = "x=1796032800;"}, .days = 9, .result = "valid"},
	{"expired long ago", {.tags = "x=1796032800;"}, .days = 40, .result = "expired",
		.says = "it expired on 2026-11-30"},
	{"by a parent domain that is configured", {.domain = "example.org", .selector = "p1"},
		.result = "valid"},

	{"From altered", {0}, "ann@example.com", "eve@example.com", .result = "broken"},
	{"Subject altered", {0}, "Spring", "Summer", .result = "broken"},
	{"Date altered", {0}, "10:00:00", "10:00:01", .result = "broken"},
	{"Message-ID altered", {0}, "<1@", "<2@", .result = "broken"},
	{"Ed25519, Subject altered", {.key = ED25519}, "Spring", "Summer", .result = "broken"},
	{"a MIME field left out", {0}, "Content-Type: text/plain\n", "", .result = "broken"},
	{"a MIME field rewritten", {0}, "text/plain", "text/plain; charset=utf-8",
		.result = "broken", .says = "the fields are not those that were signed"},
	{"relaxed, folded anew", {0}, "Spring\n  meeting", "Spring meeting", .result = "valid"},
	{"simple, folded anew", {.canon = "simple"}, "Spring\n  meeting", "Spring meeting",
		.result = "broken"},
	{"a second From on top", {0}, .above = "From: eve@example.net\n", .result = "broken",
		.says = "From field that it does not cover"},
	{"a second From below", {0}, "Content-Type", "From: eve@example.net\nContent-Type",
		.result = "broken"},
	{"two From where From is signed twice", {.fields = "from:from:date:message-id"},
		.above = "From: eve@example.net\n", .result = "broken"},

	{"a second Date on top", {0}, .above = "Date: Mon, 23 Nov 2026 11:00:00 +0000\n",
		.result = "valid-uncovered", .says = "not Date"},
	{"a second Message-ID on top", {0}, .above = "Message-ID: <9@lists.example.org>\n",
		.result = "valid-uncovered", .says = "not Message-ID"},
	{"Date not signed", {.fields = "from:subject:message-id"}, .result = "valid-uncovered",
		.says = "signed From, Message-ID and 1 more field on"},
	{"beginnings of names", {.fields = "from:d:da:m:message"}, .result = "valid-uncovered"},
	{"an empty name", {.fields = "from::to"}, .result = "valid-uncovered"},

	{"by a stranger", {.key = STRANGER, .domain = "example.net"}, .result = "unsigned",
		.says = "signed by example.net, not by us"},
	{"by our name's end", {.domain = "ists.example.org"}, .result = "unsigned"},
	{"by a subdomain", {.domain = "x.lists.example.org"}, .result = "unsigned"},
	{"with a stranger's key", {.key = STRANGER, .selector = "s1"}, .result = "invented",
		.says = "it was not made with this key"},
	{"invented, of another length", {.key = RSA_1024, .selector = "s1"}, .result = "broken"},
	{"with a selector that we have not", {.key = STRANGER}, .result = "unavailable",
		.says = "no key is configured for its selector"},
	{"with a key file that is not there", {.selector = "s6"}, .result = "unavailable",
		.says = "/nonexistent/s6.pub: No such file"},
	{"with a key of another type", {.key = ED25519, .selector = "s1"}, .result = "unavailable",
		.says = "does not fit"},
	{"base64 with other characters in it", {0}, "\n\tb=", "\n\tb=*", .result = "valid"},
	{"base64 that ends at once", {0}, "\n\tb=", "\n\tb==", .result = "broken"},
	{"no b=", {0}, "\n\tb=", "\n\tz=", .result = "unavailable", .says = "cannot be read"},
	{"no From", {.fields = "date:message-id"}, "From: Ann <ann@example.com>\n", "",
		.result = "unavailable"},
	{"two domains", {0}, "; d=", "; d=example.net; d =", .result = "broken"},
	{"other signatures signed as well", {.fields = USUAL ":DKIM-Signature"},
		.result = "unavailable", .says = "signs other signatures"},
	/* libopendkim 2.11 writes behind its array where h= names every field and one more. */
	{"every field selected and more", {.fields = USUAL ":dkim-signature:a:b:c:d:e:f:g"},
		.result = "unavailable"},
	{"not a signature", {0}, "DKIM-Signature: v=1", "DKIM-Signature: ;;=\001 v",
		.result = "unavailable"},
};

START_TEST(weighs_a_signature)
{
	const struct row *row = &rows[_i];
	void *context = mem_context(NULL, "test");
	char *block = mem_printf(context, "%s%s", sign(context, &row->seal, post), post);

	block = replace(context, block, row->find, row->with);
	now = SIGNED_AT + (row->days == 0 ? 1 : row->days) * DAY;
	char *returned = mem_printf(context, "%s%s", row->above == NULL ? "" : row->above, block);
	struct evidence dkim =
		weigh_dkim(context, make_report(context, returned, row->form), &domain);
	ck_assert_msg(strcmp(dkim.result, row->result) == 0, "%s: want %s, got %s: %s", row->what,
		row->result, dkim.result, dkim.detail);
	ck_assert_msg(row->says == NULL || strstr(dkim.detail, row->says) != NULL,
		"%s: want \"%s\", got \"%s\"", row->what, row->says, dkim.detail);
	mem_free(context);
}
END_TEST

/* ---- several signatures ---- */

START_TEST(one_right_signature_is_enough)
{
	void *context = mem_context(NULL, "test");
	const struct seal right = {0}, unknown = {.key = STRANGER},
			  invented = {.key = STRANGER, .selector = "s1"};
	char *other = replace(context, post, "<1@", "<2@");
	char *copied = sign(context, &right, other);
	char *bad = mem_printf(context, "%s%s%s", sign(context, &invented, post), copied,
		sign(context, &unknown, post));
	char *all = mem_printf(context, "%s%s%s%s", bad, sign(context, &right, post), copied, post);
	struct evidence dkim = weigh_dkim(context, make_report(context, all, AS_HEADERS), &domain);

	ck_assert_msg(strcmp(dkim.result, "valid") == 0, "got %s: %s", dkim.result, dkim.detail);
	/* Without it, what harms least counts. */
	all = mem_printf(context, "%s%s", bad, post);
	dkim = weigh_dkim(context, make_report(context, all, AS_HEADERS), &domain);
	ck_assert_str_eq(dkim.result, "unavailable");
	all = mem_printf(context, "%s%s%s", sign(context, &invented, post), copied, post);
	dkim = weigh_dkim(context, make_report(context, all, AS_HEADERS), &domain);
	ck_assert_str_eq(dkim.result, "broken");
	mem_free(context);
}
END_TEST

/* A signature of one message does not fit another, whatever else is the same. */
START_TEST(a_copied_signature_is_broken)
{
	void *context = mem_context(NULL, "test");
	const struct seal seal = {0};
	char *other = replace(context, post, "<1@", "<2@");
	char *block = mem_printf(context, "%s%s", sign(context, &seal, post), other);
	struct evidence dkim =
		weigh_dkim(context, make_report(context, block, AS_HEADERS), &domain);

	ck_assert_str_eq(dkim.result, "broken");
	ck_assert_int_eq(dkim.weight, -3);
	mem_free(context);
}
END_TEST

START_TEST(a_thousand_signatures_are_too_many)
{
	void *context = mem_context(NULL, "test");
	const struct seal seal = {.key = STRANGER, .selector = "s1"};
	char *one = sign(context, &seal, post), *block = mem_alloc(context, BLOCK_MAX);
	char *end = block;

	for (int i = 0; i < 990; i++)
		end += sprintf(end, "%s", one);
	strcpy(end, post);
	struct evidence dkim =
		weigh_dkim(context, make_report(context, block, AS_HEADERS), &domain);
	ck_assert_str_eq(dkim.result, "unavailable");
	mem_free(context);
}
END_TEST

/* A field of 300 KB is more than is looked at; one with a NUL is not taken for its beginning. */
START_TEST(huge_and_cut_fields_prove_nothing)
{
	void *context = mem_context(NULL, "test");
	const struct seal seal = {0};
	char *block = mem_alloc(context, BLOCK_MAX);
	char *end = block + sprintf(block, "%s%s", sign(context, &seal, post), post);

	for (int i = 0; i < 300; i++)
		end += sprintf(end, "X-%d: %01000d\n", i, i);
	struct evidence dkim =
		weigh_dkim(context, make_report(context, block, AS_HEADERS), &domain);
	ck_assert_str_eq(dkim.result, "unavailable");

	sprintf(block, "%s%s", sign(context, &seal, post), post);
	char *report = make_report(context, block, AS_HEADERS);
	size_t size = strlen(report);
	char *at = strstr(report, "  meeting") + strlen("  meeting"), *longer;
	longer = mem_alloc(context, size + 9);
	memcpy(longer, report, (size_t)(at - report));
	memcpy(longer + (at - report), "\0and more", 9);
	memcpy(longer + (at - report) + 9, at, size - (size_t)(at - report));
	struct mail *mail =
		mail_read(context, (struct bytes){(unsigned char *)longer, size + 9}, NULL);
	struct weigh_input input = {.mail = mail,
		.bounce = classify_mail(context, mail),
		.domain = &domain,
		.now = now};
	struct evidence cut = {0};
	dkim_weigh(context, &input, &cut);
	ck_assert_str_eq(cut.result, "broken");
	mem_free(context);
}
END_TEST

/* ---- no signature ---- */

static const struct {
	const char *what;
	enum share dkim_signed;
	enum form form;
	const char *find, *with;
	int key; /* -1: not signed */
	const char *result;
	int weight;
} unsigned_rows[] = {
	{"all is signed", SHARE_ALL, AS_HEADERS, NULL, NULL, -1, "absent", -30},
	{"a whole message", SHARE_ALL, AS_MESSAGE, NULL, NULL, -1, "absent", -30},
	{"some is signed", SHARE_SOME, AS_HEADERS, NULL, NULL, -1, "unsigned", 0},
	{"nothing is signed", SHARE_NONE, AS_HEADERS, NULL, NULL, -1, "unsigned", 0},
	{"signed by others", SHARE_ALL, AS_HEADERS, NULL, NULL, STRANGER, "foreign", -30},
	{"some, by others", SHARE_SOME, AS_HEADERS, NULL, NULL, STRANGER, "unsigned", 0},
	{"quoted in a text", SHARE_ALL, AS_TEXT, NULL, NULL, -1, "unsigned", 0},
	{"without Date", SHARE_ALL, AS_HEADERS, "Date", "X-Date", -1, "unsigned", 0},
	{"without From", SHARE_ALL, AS_HEADERS, "From", "X-From", -1, "unsigned", 0},
	{"without Message-ID", SHARE_ALL, AS_HEADERS, "Message-ID", "X-ID", -1, "unsigned", 0},
};

START_TEST(weighs_the_lack_of_a_signature)
{
	void *context = mem_context(NULL, "test");
	struct domain_config strict = domain;
	const struct seal seal = {.key = STRANGER, .domain = "example.net"};
	char *block = replace(context, post, unsigned_rows[_i].find, unsigned_rows[_i].with);

	strict.dkim_signed = unsigned_rows[_i].dkim_signed;
	if (unsigned_rows[_i].key >= 0)
		block = mem_printf(context, "%s%s", sign(context, &seal, post), block);
	struct evidence dkim =
		weigh_dkim(context, make_report(context, block, unsigned_rows[_i].form), &strict);
	ck_assert_msg(strcmp(dkim.result, unsigned_rows[_i].result) == 0, "%s: want %s, got %s: %s",
		unsigned_rows[_i].what, unsigned_rows[_i].result, dkim.result, dkim.detail);
	ck_assert_int_eq(dkim.weight, unsigned_rows[_i].weight);
	mem_free(context);
}
END_TEST

START_TEST(is_unavailable_without_keys_or_headers)
{
	void *context = mem_context(NULL, "test");
	const struct domain_config bare = {.name = "lists.example.org", .dkim_signed = SHARE_ALL};
	const struct seal seal = {0};
	char *block = mem_printf(context, "%s%s", sign(context, &seal, post), post);
	char *report = make_report(context, block, AS_HEADERS);

	ck_assert_str_eq(weigh_dkim(context, report, &bare).result, "unavailable");
	ck_assert_str_eq(weigh_dkim(context, report, NULL).result, "unavailable");
	report = make_report(context, "", AS_HEADERS);
	ck_assert_str_eq(weigh_dkim(context, report, &domain).result, "unavailable");
	mem_free(context);
}
END_TEST

/* ---- DNS ---- */

static char *public_text(const void *context, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int size = i2d_PUBKEY(key, &der);
	char *text = mem_alloc(context, (size_t)size * 2);

	EVP_EncodeBlock((unsigned char *)text, der, size);
	OPENSSL_free(der);
	return text;
}

struct answer {
	enum dns_outcome outcome;
	const char *text;
	int asked;
};

static enum dns_outcome answer_find(
	void *argument, const void *context, const char *name, const char **text_out)
{
	struct answer *answer = argument;

	(void)context;
	ck_assert_str_eq(name, "s5._domainkey.lists.example.org");
	answer->asked++;
	*text_out = answer->text;
	return answer->outcome;
}

static const struct {
	const char *what;
	enum dns_outcome outcome;
	const char *before; /* the key; NULL: before is all of it */
	const char *result, *says;
} answers[] = {
	{"the key", DNS_FOUND, "v=DKIM1; k=rsa; p=", "valid", NULL},
	{"without a version", DNS_FOUND, "p=", "valid", NULL},
	{"nothing", DNS_NO_DATA, NULL, "unavailable", "there is no key at s5._domainkey.lists"},
	{"no such name", DNS_NO_DOMAIN, NULL, "unavailable", "there is no key at s5._domainkey"},
	{"no answer", DNS_FAILED, NULL, "unavailable", "DNS gave no answer"},
	{"nonsense", DNS_FOUND, "v=spf1 -all ", "unavailable", "want a public key"},
	{"another version", DNS_FOUND, "v=DKIM9; p=", "unavailable", "want a public key"},
};

START_TEST(asks_dns_for_keys)
{
	void *context = mem_context(NULL, "test");
	struct dkim_key_config in_dns[] = {{NULL, NULL, NULL}, {"s1", NULL, paths[0]}};
	struct domain_config asked = domain;
	const struct seal seal = {.key = STRANGER}, by_file = {0};
	struct answer answer = {answers[_i].outcome, NULL, 0};
	const struct dkim_records source = {answer_find, &answer};
	char *block = mem_printf(context, "%s%s", sign(context, &seal, post), post);

	if (answers[_i].before != NULL)
		answer.text = mem_printf(
			context, "%s%s", answers[_i].before, public_text(context, keys[STRANGER]));
	asked.dkim_keys = in_dns;
	asked.dkim_key_count = 2;
	records = &source;
	struct evidence dkim = weigh_dkim(context, make_report(context, block, AS_HEADERS), &asked);
	ck_assert_msg(strcmp(dkim.result, answers[_i].result) == 0, "%s: got %s: %s",
		answers[_i].what, dkim.result, dkim.detail);
	ck_assert_msg(answers[_i].says == NULL || strstr(dkim.detail, answers[_i].says) != NULL,
		"%s: got %s", answers[_i].what, dkim.detail);
	ck_assert_int_eq(answer.asked, 1);

	/* A file is asked first; without a resolver nothing is asked. */
	char *other = mem_printf(context, "%s%s", sign(context, &by_file, post), post);
	dkim = weigh_dkim(context, make_report(context, other, AS_HEADERS), &asked);
	ck_assert_str_eq(dkim.result, "valid");
	records = NULL;
	dkim = weigh_dkim(context, make_report(context, block, AS_HEADERS), &asked);
	ck_assert_str_eq(dkim.result, "unavailable");
	ck_assert_int_eq(answer.asked, 1);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dkim");
	TCase *tcase = tcase_create("dkim");

	mail_library_open();
	make_keys();
	tcase_add_loop_test(tcase, weighs_a_signature, 0, ROWS(rows));
	tcase_add_test(tcase, one_right_signature_is_enough);
	tcase_add_test(tcase, a_copied_signature_is_broken);
	tcase_add_test(tcase, a_thousand_signatures_are_too_many);
	tcase_add_test(tcase, huge_and_cut_fields_prove_nothing);
	tcase_add_loop_test(tcase, weighs_the_lack_of_a_signature, 0, ROWS(unsigned_rows));
	tcase_add_test(tcase, is_unavailable_without_keys_or_headers);
	tcase_add_loop_test(tcase, asks_dns_for_keys, 0, ROWS(answers));
	suite_add_tcase(suite, tcase);
	int status = suite_run(suite);
	remove_keys();
	return status;
}
