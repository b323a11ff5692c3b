/* test_received.c: Received fields as real servers write them. */
#include <string.h>

#include "base/memory.h"
#include "read/mail.h"
#include "read/received.h"
#include "suite.h"

/* client "" : none can be told. */
static const struct {
	const char *what, *value, *client, *helo, *by, *for_address, *name;
} rows[] = {
	{"postfix",
		"from mail.a.example (mx.a.example [192.0.2.10]) by mx.b.example (Postfix) with "
		"ESMTPS "
		"id 4F2 for <ann@b.example>; Mon, 23 Nov 2026 19:19:16 +0000 (UTC)",
		"192.0.2.10", "mail.a.example", "mx.b.example", "ann@b.example", "mx.a.example"},
	{"postfix, HELO spelled as an address of ours",
		"from [192.0.2.10] (host.spam.example [198.51.100.66]) by mx.b.example (Postfix)",
		"198.51.100.66", "[192.0.2.10]", "mx.b.example", NULL, "host.spam.example"},
	{"sendmail, reverse name forged",
		"from lists.example.org (lists.example.org [198.51.100.112] (may be forged)) by "
		"mx.b.example (8.17.1/8.17.1) with ESMTP id 6A for <ann@b.example>",
		"198.51.100.112", "lists.example.org", "mx.b.example", "ann@b.example", NULL},
	{"sendmail without reverse name",
		"from [192.0.2.10] ([198.51.100.67]) by mx.b.example (8.17.1/8.17.1)",
		"198.51.100.67", "[192.0.2.10]", "mx.b.example", NULL, NULL},
	{"exim, HELO behind the address",
		"from host.spam.example ([198.51.100.66] helo=[192.0.2.10]) by mx.b.example with "
		"esmtp "
		"(Exim 4.96) id 1x for ann@b.example; Mon, 23 Nov 2026 19:19:16 +0000",
		"198.51.100.66", "[192.0.2.10]", "mx.b.example", "ann@b.example", NULL},
	{"exim without reverse name",
		"from [198.51.100.66] (helo=lists.example.org) by mx.b.example with smtp (Exim "
		"4.96)",
		"198.51.100.66", "lists.example.org", "mx.b.example", NULL, NULL},
	{"exim, HELO is our address and no name",
		"from [198.51.100.66] (helo=[192.0.2.10]) by mx.b.example with smtp (Exim 4.96)",
		"198.51.100.66", "[192.0.2.10]", "mx.b.example", NULL, NULL},
	{"exim with a port", "from a.example ([192.0.2.10]:4711 helo=a.example) by b.example",
		"192.0.2.10", "a.example", "b.example", NULL, NULL},
	{"qmail",
		"from unknown (HELO mail.a.example) (192.0.2.10) by b.example with SMTP; 23 Nov "
		"2026",
		"192.0.2.10", "mail.a.example", "b.example", NULL, NULL},
	{"qmail, HELO is our address",
		"from unknown (HELO 192.0.2.10) (198.51.100.66) by b.example with SMTP",
		"198.51.100.66", "192.0.2.10", "b.example", NULL, NULL},
	{"courier, mapped IPv6",
		"from a.example (a.example [::ffff:192.0.2.10]) by b.example with ESMTP id 00",
		"192.0.2.10", "a.example", "b.example", NULL, "a.example"},
	{"XMail", "from a.example ([192.0.2.10]:53210) by b.example with [XMail 1.27 ESMTP Server]",
		"192.0.2.10", "a.example", "b.example", NULL, NULL},
	{"masqmail", "from 192.0.2.10 by b.example with esmtp (masqmail 0.3.5) id 1", "192.0.2.10",
		NULL, "b.example", NULL, NULL},
	{"exchange",
		"from AM1.eur.prod.example (2603:10a6:208::15) by DB2.eur.prod.example "
		"(2603:10a6:10::9) with Microsoft SMTP Server id 15.20; Mon, 23 Nov 2026 19:19:16 "
		"+0000",
		"2603:10a6:208::15", "AM1.eur.prod.example", "db2.eur.prod.example", NULL, NULL},
	{"google",
		"from mail.a.example (mail.a.example. [192.0.2.10]) by mx.google.example with "
		"ESMTPS id "
		"q1 for <ann@b.example> (version=TLS1_3 cipher=X bits=256/256); Mon, 23 Nov 2026 "
		"11:19:16 -0800 (PST)",
		"192.0.2.10", "mail.a.example", "mx.google.example", "ann@b.example",
		"mail.a.example."},
	{"opensmtpd, IPv6",
		"from a.example (a.example [2001:db8::10]) by b.example (OpenSMTPD) with ESMTP id "
		"1",
		"2001:db8::10", "a.example", "b.example", NULL, "a.example"},
	{"IPv6 with its RFC 5321 tag",
		"from a.example (a.example [IPv6:2001:db8::10]) by b.example", "2001:db8::10",
		"a.example", "b.example", NULL, "a.example"},
	{"chasquid, address first",
		"from [198.51.100.66] ([192.0.2.10]) by b.example (chasquid) with ESMTP; Mon, 23 "
		"Nov",
		"198.51.100.66", NULL, "b.example", NULL, NULL},
	{"postfix, own hop", "by b.example (Postfix) id 4F2; Mon, 23 Nov 2026 19:19:16 +0000 (UTC)",
		"", NULL, "b.example", NULL, NULL},
	{"nullmailer", "(nullmailer pid 4711 invoked by uid 1000); Mon, 23 Nov 2026 19:19:16 -0000",
		"", NULL, NULL, NULL, NULL},
	{"unclosed comment", "from a.example (a.example [192.0.2.10] by b.example; 23 Nov",
		"192.0.2.10", "a.example", NULL, NULL, "a.example"},
};

START_TEST(parses)
{
	void *context = mem_context(NULL, "test");
	char client[NETADDR_TEXT_MAX] = "";
	struct hop hop;

	ck_assert_msg(
		received_parse(context, rows[_i].value, &hop), "%s: not recognised", rows[_i].what);
	if (hop.has_client)
		netaddr_format(&hop.client, client);
	ck_assert_msg(strcmp(client, rows[_i].client) == 0, "%s: client: want \"%s\", got \"%s\"",
		rows[_i].what, rows[_i].client, client);
	ck_assert_pstr_eq(hop.helo, rows[_i].helo);
	ck_assert_pstr_eq(hop.by, rows[_i].by);
	ck_assert_pstr_eq(hop.for_address, rows[_i].for_address);
	ck_assert_pstr_eq(hop.client_name, rows[_i].name);
	mem_free(context);
}
END_TEST

START_TEST(reads_the_date)
{
	void *context = mem_context(NULL, "test");
	struct hop hop;

	ck_assert(received_parse(context,
		"by b.example (Postfix) id 1; Mon, 23 Nov 2026 19:19:16 +0100 (CET)", &hop));
	ck_assert_int_eq(hop.time_s, 1795457956);
	ck_assert(received_parse(context, "by b.example id 1; the other day", &hop));
	ck_assert_int_eq(hop.time_s, 0);
	mem_free(context);
}
END_TEST

START_TEST(refuses_what_is_none)
{
	void *context = mem_context(NULL, "test");
	struct hop hop;

	ck_assert(!received_parse(context, "", &hop));
	ck_assert(!received_parse(context, "once upon a time", &hop));
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("received");
	TCase *tcase = tcase_create("received");

	mail_library_open();
	tcase_add_loop_test(tcase, parses, 0, ROWS(rows));
	tcase_add_test(tcase, reads_the_date);
	tcase_add_test(tcase, refuses_what_is_none);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
