/* test_dkim.c: the check dkim on whole reports. The signatures are made here, with OpenSSL and a
 * canonicalisation of the test's own. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/classify.h"
#include "suite.h"
#include "weigh/weigh.h"

#define SIGNED_AT 1795428000 /* 2026-11-23T10:00:00Z */
#define DAY 86400
#define BLOCK_MAX 2000000

enum { RSA_2048 = 0, RSA_1024, RSA_512, ED25519, STRANGER, KEY_COUNT };

static const char *const selectors[KEY_COUNT] = {"s1", "s2", "s3", "s4", "s5"};
static EVP_PKEY *keys[KEY_COUNT];
static char folder[] = "/tmp/backstop-dkim-XXXXXX";
static char paths[KEY_COUNT][64];

static const char post[] = "From: Ann <ann@example.com>\n"
			   "To: announce@lists.example.org\n"
			   "Subject: Spring\n  meeting\n"
			   "Date: Mon, 23 Nov 2026 10:00:00 +0000\n"
			   "Message-ID: <1@lists.example.org>\n"
			   "MIME-Version: 1.0\n"
			   "Content-Type: text/plain\n";

#define USUAL "from:to:subject:date:message-id:mime-version:content-type"

/* ---- signing ---- */

/* Appends a field's canonical form (RFC 6376 section 3.4.1, 3.4.2), with CRLF in place of LF. */
static void add_canonical(char *out, const char *field, size_t size, bool is_relaxed)
{
	char *to = out + strlen(out);
	bool is_name = true;

	while (size > 0 && field[size - 1] == '\n')
		size--;
	for (size_t i = 0; i < size; i++) {
		char c = field[i];
		if (!is_relaxed) {
			if (c == '\n')
				*to++ = '\r';
			*to++ = c;
		} else if (is_name && c == ':') {
			is_name = false;
			*to++ = ':';
			while (i + 1 < size && strchr(" \t\n", field[i + 1]) != NULL)
				i++;
		} else if (is_name) {
			*to++ = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		} else if (strchr(" \t\n", c) == NULL) {
			*to++ = c;
		} else if (to[-1] != ' ') {
			*to++ = ' ';
		}
	}
	while (is_relaxed && to[-1] == ' ')
		to--;
	*to = '\0';
}

/* The lowest field of that name that was not taken yet, and its size; NULL when there is none. */
static const char *take_field(
	const char *block, const char *name, size_t length, size_t *size_out, bool *taken)
{
	const char *found = NULL;

	for (const char *line = block; *line != '\0';) {
		const char *next = strchr(line, '\n') + 1;
		while (*next == ' ' || *next == '\t')
			next = strchr(next, '\n') + 1;
		if (strncasecmp(line, name, length) == 0 && line[length] == ':' &&
			!taken[line - block]) {
			found = line;
			*size_out = (size_t)(next - line);
		}
		line = next;
	}
	if (found != NULL)
		taken[found - block] = true;
	return found;
}

struct seal {
	int key;
	const char *canon;    /* "relaxed"; NULL too */
	const char *fields;   /* h=; NULL: USUAL */
	const char *tags;     /* further ones, each with its ';' */
	const char *domain;   /* NULL: lists.example.org */
	const char *selector; /* NULL: the key's */
	bool is_sha1;
};

/* The DKIM-Signature field of a block, with its line end. */
static char *sign(const void *context, const struct seal *seal, const char *block)
{
	const char *fields = seal->fields == NULL ? USUAL : seal->fields;
	const char *canon = seal->canon == NULL ? "relaxed" : seal->canon;
	bool is_relaxed = strcmp(canon, "relaxed") == 0, *taken = mem_alloc(context, 5000);
	EVP_PKEY *key = keys[seal->key];
	bool is_rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	char *data = mem_alloc(context, 20000), *base64 = mem_alloc(context, 1000);
	unsigned char *made = mem_alloc(context, 1000), digest[EVP_MAX_MD_SIZE];
	const EVP_MD *hash = seal->is_sha1 ? EVP_sha1() : EVP_sha256();
	EVP_MD_CTX *operation = EVP_MD_CTX_new();
	unsigned digest_size;
	size_t size = 1000;

	for (const char *name = fields; *name != '\0';) {
		size_t length = strcspn(name, ":"), field_size;
		const char *field = take_field(block, name, length, &field_size, taken);
		if (field != NULL) {
			add_canonical(data, field, field_size, is_relaxed);
			strcat(data, "\r\n");
		}
		name += length + (name[length] == ':');
	}
	char *head = mem_printf(context,
		"DKIM-Signature: v=1; a=%s; c=%s/simple; d=%s; s=%s;\n\tt=%d; %s h=%s;\n"
		"\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\tb=",
		!is_rsa		? "ed25519-sha256"
		: seal->is_sha1 ? "rsa-sha1"
				: "rsa-sha256",
		canon, seal->domain == NULL ? "lists.example.org" : seal->domain,
		seal->selector == NULL ? selectors[seal->key] : seal->selector, SIGNED_AT,
		seal->tags == NULL ? "" : seal->tags, fields);
	add_canonical(data, head, strlen(head), is_relaxed);
	if (is_rsa) {
		ck_assert_int_eq(EVP_DigestSignInit(operation, NULL, hash, NULL, key), 1);
		ck_assert_int_eq(
			EVP_DigestSign(operation, made, &size, (unsigned char *)data, strlen(data)),
			1);
	} else { /* RFC 8463 section 3: what is signed is the hash */
		EVP_Digest(data, strlen(data), digest, &digest_size, hash, NULL);
		ck_assert_int_eq(EVP_DigestSignInit(operation, NULL, NULL, NULL, key), 1);
		ck_assert_int_eq(EVP_DigestSign(operation, made, &size, digest, digest_size), 1);
	}
	EVP_MD_CTX_free(operation);
	EVP_EncodeBlock((unsigned char *)base64, made, (int)size);
	for (size_t at = 0; at < strlen(base64); at += 60)
		head = mem_append(head, "%s%.60s", at == 0 ? "" : "\n\t ", base64 + at);
	return mem_append(head, "\n");
}

/* ---- reports ---- */

enum form { AS_HEADERS = 0, AS_MESSAGE, AS_TEXT, AS_BASE64, WITH_CRLF };

static char *encode_base64(const void *context, const char *text)
{
	size_t size = strlen(text);
	char *whole = mem_alloc(context, size * 2 + 100), *lines = mem_strdup(context, "");

	EVP_EncodeBlock((unsigned char *)whole, (const unsigned char *)text, (int)size);
	for (size_t at = 0; at < strlen(whole); at += 72)
		lines = mem_append(lines, "%.72s\n", whole + at);
	return lines;
}

static char *add_returns(const void *context, const char *text)
{
	char *result = mem_alloc(context, 2 * strlen(text) + 1);
	size_t used = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			result[used++] = '\r';
		result[used++] = *text;
	}
	return result;
}

static char *make_report(const void *context, const char *returned, enum form form)
{
	static const char *const types[] = {
		[AS_HEADERS] = "text/rfc822-headers",
		[AS_MESSAGE] = "message/rfc822",
		[AS_TEXT] = "text/plain",
		[AS_BASE64] = "text/rfc822-headers\nContent-Transfer-Encoding: base64",
		[WITH_CRLF] = "text/rfc822-headers",
	};
	char *report = mem_printf(context,
		"Return-Path: <>\nReceived: from out.c.example (out.c.example [203.0.113.99]) "
		"by lists.example.org id 1; Mon, 23 Nov 2026 19:19:16 "
		"+0000\nFrom: MAILER-DAEMON@b.example\n"
		"To: announce-bounces@lists.example.org\nMIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
		"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.b.example\n\n"
		"Final-Recipient: rfc822; ann@b.example\nAction: failed\nStatus: 5.1.1\n\n"
		"--b\nContent-Type: %s\n\n%s%s--b--\n",
		types[form], form == AS_BASE64 ? encode_base64(context, returned) : returned,
		form == AS_MESSAGE || form == AS_TEXT ? "\nthe body\n" : "\n");

	return form == WITH_CRLF ? add_returns(context, report) : report;
}

/* ---- weighing ---- */

static struct dkim_key_config configured[] = {{"s1", NULL, paths[0]}, {"s2", NULL, paths[1]},
	{"s3", NULL, paths[2]}, {"s4", NULL, paths[3]}, {"s6", NULL, "/nonexistent/s6.pub"},
	{"p1", "example.org", paths[0]}};

static const struct domain_config domain = {.name = "lists.example.org",
	.dkim_keys = configured,
	.dkim_key_count = sizeof(configured) / sizeof(configured[0]),
	.dkim_signed = SHARE_SOME};

static int64_t now = SIGNED_AT + DAY;
static const struct dkim_records *records;

static struct weighing weigh(const void *context, const char *text, const struct domain_config *of)
{
	struct bytes raw = {(const unsigned char *)text, strlen(text)};
	struct mail *mail = mail_read(context, raw, NULL);
	struct weigh_input input = {.mail = mail,
		.bounce = classify_mail(context, mail),
		.domain = of,
		.dkim_records = records,
		.now = now};
	struct weighing weighing;

	weigh_bounce(context, &input, &weighing);
	return weighing;
}

static struct evidence weigh_dkim(
	const void *context, const char *text, const struct domain_config *of)
{
	struct weighing weighing = weigh(context, text, of);

	for (size_t i = 0; i < weighing.count; i++) {
		if (strcmp(weighing.items[i].check, "dkim") == 0)
			return weighing.items[i];
	}
	return (struct evidence){.result = "not run"};
}

/* The first find in text replaced. */
static char *replace(const void *context, const char *text, const char *find, const char *with)
{
	const char *at = find == NULL ? NULL : strstr(text, find);

	ck_assert(find == NULL || at != NULL);
	if (at == NULL)
		return mem_strdup(context, text);
	return mem_printf(context, "%.*s%s%s", (int)(at - text), text, with, at + strlen(find));
}

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

/* ---- the sum ---- */

#define OURS "from lists.example.org (lists.example.org [192.0.2.10]) by mx.b.example"
#define SPAM "from spam.example (spam.example [198.51.100.66]) by mx.b.example"

static const struct netblock senders[] = {
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 10}}, 128}};

static const struct {
	const char *what;
	struct seal seal;
	const char *find, *with; /* done to the signed block */
	const char *hop;	 /* the reporter's own line; NULL: none */
	int score;
	enum verdict verdict;
} sums[] = {
	{"valid alone proves no report", {0}, NULL, NULL, NULL, 15, VERDICT_UNPROVEN},
	{"nor does what a reader of the post can add", {0}, NULL, NULL, OURS, 15, VERDICT_UNPROVEN},
	{"a replay, outvoted by its path", {0}, NULL, NULL, SPAM, 0, VERDICT_UNPROVEN},
	{"invented alone", {.key = STRANGER, .selector = "s1"}, NULL, NULL, NULL, -14,
		VERDICT_UNPROVEN},
	{"invented, and a fake path", {.key = STRANGER, .selector = "s1"}, NULL, NULL, OURS, 1,
		VERDICT_UNPROVEN},
	{"invented, and a foreign path", {.key = STRANGER, .selector = "s1"}, NULL, NULL, SPAM, -39,
		VERDICT_BACKSCATTER},
	{"broken alone", {0}, "Spring", "Summer", NULL, -3, VERDICT_UNPROVEN},
	{"uncovered alone", {.fields = "from"}, NULL, NULL, NULL, 10, VERDICT_UNPROVEN},
	{"unavailable, and the path decides", {.key = STRANGER}, NULL, NULL, SPAM, -25,
		VERDICT_BACKSCATTER},
};

START_TEST(adds_up_with_the_path)
{
	void *context = mem_context(NULL, "test");
	struct domain_config host = domain;
	char *block = mem_printf(context, "%s%s", sign(context, &sums[_i].seal, post), post);

	block = replace(context, block, sums[_i].find, sums[_i].with);
	if (sums[_i].hop != NULL)
		block = mem_printf(context, "Received: %s\n%s", sums[_i].hop, block);
	host.senders = senders;
	host.sender_count = 1;
	struct weighing weighing = weigh(context, make_report(context, block, AS_HEADERS), &host);
	ck_assert_msg(weighing.score == sums[_i].score, "%s: want %d, got %d", sums[_i].what,
		sums[_i].score, weighing.score);
	ck_assert_int_eq(weighing.verdict, sums[_i].verdict);
	mem_free(context);
}
END_TEST

/* Where all mail is signed, but somebody between us and the reporter may have taken the signature
 * off, or put his own in its place: a forwarder, a list among the subscribers. */
#define LINE "Received: "
#define FORWARDER "from mx.f.example (mx.f.example [198.51.100.9]) by mx.b.example\n"
#define TO_FORWARDER "from lists.example.org (lists.example.org [192.0.2.10]) by mx.f.example\n"
#define TO_ANOTHER "from lists.example.org (lists.example.org [192.0.2.10]) by ex1.else.example\n"
#define SILENT "by mx.b.example id 2\n"

static const struct {
	const char *what, *lines, *result;
	int signer; /* -1: none */
	enum verdict verdict;
} stripped[] = {
	{"no trace", "", "absent", -1, VERDICT_BACKSCATTER},
	{"a foreign path", LINE SPAM "\n", "absent", -1, VERDICT_BACKSCATTER},
	{"straight from us", LINE OURS "\n", "absent", -1, VERDICT_UNPROVEN},
	{"by a forwarder", LINE FORWARDER LINE TO_FORWARDER, "absent-forwarded", -1,
		VERDICT_UNPROVEN},
	{"by a list that signs", LINE FORWARDER LINE TO_FORWARDER, "absent-forwarded", STRANGER,
		VERDICT_UNPROVEN},
	{"by one whose hosts have other names", LINE FORWARDER LINE TO_ANOTHER, "absent-forwarded",
		-1, VERDICT_UNPROVEN},
	{"to a host that does not say by whom", LINE SILENT LINE TO_FORWARDER, "absent-forwarded",
		-1, VERDICT_UNPROVEN},
	{"spam to a host that does not say by whom", LINE SILENT LINE SPAM "\n", "absent", -1,
		VERDICT_BACKSCATTER},
};

START_TEST(a_forwarder_may_take_the_signature_off)
{
	void *context = mem_context(NULL, "test");
	struct domain_config strict = domain;
	const struct seal seal = {.key = STRANGER, .domain = "example.net"};
	char *block = mem_printf(context, "%s%s%s", stripped[_i].lines,
		stripped[_i].signer < 0 ? "" : sign(context, &seal, post), post);
	char *report = make_report(context, block, AS_HEADERS);

	strict.dkim_signed = SHARE_ALL;
	strict.senders = senders;
	strict.sender_count = 1;
	struct evidence dkim = weigh_dkim(context, report, &strict);
	struct weighing got = weigh(context, report, &strict);
	ck_assert_msg(strcmp(dkim.result, stripped[_i].result) == 0, "%s: want %s, got %s: %s",
		stripped[_i].what, stripped[_i].result, dkim.result, dkim.detail);
	ck_assert_msg(
		got.verdict == stripped[_i].verdict, "%s: got %d", stripped[_i].what, got.score);
	mem_free(context);
}
END_TEST

static void make_keys(void)
{
	keys[RSA_2048] = EVP_RSA_gen(2048);
	keys[RSA_1024] = EVP_RSA_gen(1024);
	keys[RSA_512] = EVP_RSA_gen(512);
	keys[ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys[STRANGER] = EVP_RSA_gen(2048);
	if (mkdtemp(folder) == NULL)
		exit(EXIT_FAILURE);
	for (int i = 0; i < KEY_COUNT; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%s.pub", folder, selectors[i]);
		FILE *file = fopen(paths[i], "w");
		if (file == NULL || PEM_write_PUBKEY(file, keys[i]) != 1 || fclose(file) != 0)
			exit(EXIT_FAILURE);
	}
}

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
	tcase_add_loop_test(tcase, adds_up_with_the_path, 0, ROWS(sums));
	tcase_add_loop_test(tcase, a_forwarder_may_take_the_signature_off, 0, ROWS(stripped));
	suite_add_tcase(suite, tcase);
	int status = suite_run(suite);
	for (int i = 0; i < KEY_COUNT; i++)
		unlink(paths[i]);
	rmdir(folder);
	return status;
}
