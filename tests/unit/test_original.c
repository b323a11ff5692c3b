/* test_original.c: where the fields of the original are found that came back in a text. */
#include <check.h>
#include <string.h>

#include "base/memory.h"
#include "classify/original.h"
#include "read/mail.h"
#include "suite.h"

#define FIELDS                                                                                     \
	"Received: from a by b\nMessage-ID: <1@a.example>\nFrom: c@a.example\nTo: d@e.example\n"

static const struct {
	const char *what;
	const char *type;
	const char *body;
	const char *want; /* its Message-ID, "" for none, NULL for no fields at all */
} rows[] = {
	{"lines of their own", "plain", "It failed.\n\n" FIELDS "\nHello\n", "<1@a.example>"},
	{"indented", "plain",
		"It failed.\n\n    Received: from a\n      by b\n    Message-ID: <1@a.example>\n"
		"    From: c@a.example\n    To: d@e.example\n",
		"<1@a.example>"},
	{"a table with aligned colons", "plain",
		"It failed.\n\nFrom      : c@a.example\nTo        : d@e.example\n"
		"Subject   : x\nMessage-ID: <1@a.example>\n",
		"<1@a.example>"},
	{"indented, but without a Message-ID: what people quote of each other", "plain",
		"It failed.\n\n   From: c@a.example\n   To: d@e.example\n   Subject: x\n", NULL},
	{"without a Message-ID, lines of their own", "plain",
		"It failed.\n\nFrom: c@a.example\nTo: d@e.example\nSubject: x\n", ""},
	{"quoted", "plain",
		"It failed.\n\n> From: c@a.example\n> To: d@e.example\n"
		"> Message-ID: <1@a.example>\n",
		NULL},
	{"lines of HTML", "html",
		"<p>It failed.</p><p>Received: from a<br>\n by b<br>\n"
		"Message-ID: &lt;1@a.example&gt;<br>\nFrom: c@a.example<br>\nTo: d@e.example</p>",
		"<1@a.example>"},
	{"preformatted HTML", "html",
		"<p>It failed.</p><pre>Received: from a\n by b\nMessage-ID: &lt;1@a.example&gt;\n"
		"From: c@a.example\nTo: d@e.example\n</pre>",
		"<1@a.example>"},
};

START_TEST(finds_original)
{
	void *context = mem_context(NULL, "test");
	struct original original = {0};
	char *raw =
		mem_printf(context, "Content-Type: text/%s\n\n%s", rows[_i].type, rows[_i].body);
	const struct mail *mail =
		mail_read(context, (struct bytes){(const unsigned char *)raw, strlen(raw)}, NULL);

	original_find(context, mail, &original);
	const char *got = original.message_id == NULL ? "" : original.message_id;
	ck_assert_msg(original.is_returned == (rows[_i].want != NULL), "%s: %s", rows[_i].what,
		original.is_returned ? "found" : "not found");
	ck_assert_msg(rows[_i].want == NULL || strcmp(got, rows[_i].want) == 0,
		"%s: got %s, want %s", rows[_i].what, got, rows[_i].want);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("original");
	TCase *tcase = tcase_create("texts");

	mail_library_open();
	tcase_add_loop_test(tcase, finds_original, 0, ROWS(rows));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
