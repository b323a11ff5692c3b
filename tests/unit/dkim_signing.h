/* dkim_signing.h: for the tests of the check dkim: keys, a post that is signed with them, a report
 * that returns it, and what it weighs. The signatures are made here, with OpenSSL and a
 * canonicalisation of the tests' own. */
#ifndef TESTS_DKIM_SIGNING_H
#define TESTS_DKIM_SIGNING_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "classify/classify.h"
#include "suite.h"
#include "weigh/weigh.h"

#define SIGNED_AT 1795428000 /* 2026-11-23T10:00:00Z */
#define DAY 86400

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
static inline void add_canonical(char *out, const char *field, size_t size, bool is_relaxed)
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
static inline const char *take_field(
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
static inline char *sign(const void *context, const struct seal *seal, const char *block)
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

static inline char *encode_base64(const void *context, const char *text)
{
	size_t size = strlen(text);
	char *whole = mem_alloc(context, size * 2 + 100), *lines = mem_strdup(context, "");

	EVP_EncodeBlock((unsigned char *)whole, (const unsigned char *)text, (int)size);
	for (size_t at = 0; at < strlen(whole); at += 72)
		lines = mem_append(lines, "%.72s\n", whole + at);
	return lines;
}

static inline char *add_returns(const void *context, const char *text)
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

static inline char *make_report(const void *context, const char *returned, enum form form)
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

static inline struct weighing weigh(
	const void *context, const char *text, const struct domain_config *of)
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

static inline struct evidence weigh_dkim(
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
static inline char *replace(
	const void *context, const char *text, const char *find, const char *with)
{
	const char *at = find == NULL ? NULL : strstr(text, find);

	ck_assert(find == NULL || at != NULL);
	if (at == NULL)
		return mem_strdup(context, text);
	return mem_printf(context, "%.*s%s%s", (int)(at - text), text, with, at + strlen(find));
}

static inline void make_keys(void)
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

static inline void remove_keys(void)
{
	for (int i = 0; i < KEY_COUNT; i++)
		unlink(paths[i]);
	rmdir(folder);
}

#endif
