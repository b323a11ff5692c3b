/* test_kinds.c: the conditions of kind rules on small messages, what is wrong with a rule's syntax,
 * and that a sample's mail is won by the rule that it stands under. */
#include <string.h>

#include "base/memory.h"
#include "classify/classify.h"
#include "classify/evidence.h"
#include "classify/rule_set.h"
#include "suite.h"

#define PERSON "Return-Path: <ann@example.net>\nFrom: ann@example.net\n"

static const struct {
	const char *condition, *message;
	bool fits;
} conditions[] = {
	{"sender null", "Return-Path: <>\n\nx\n", true},
	{"sender null", PERSON "\nx\n", false},
	{"sender null", "From: ann@example.net\n\nx\n", false},
	{"not sender null", PERSON "\nx\n", true},
	{"author daemon", "From: MAILER-DAEMON@example.net\n\nx\n", true},
	{"author daemon", "From: <>\n\nx\n", true},
	{"author daemon", PERSON "\nx\n", false},
	{"author postmaster", "From: Postmaster <postmaster@example.net>\n\nx\n", true},
	{"answer", PERSON "References: <1@example.net>\n\nx\n", true},
	{"answer", PERSON "\nx\n", false},
	{"distributed", PERSON "List-Post: <mailto:a@example.org>\n\nx\n", true},
	{"distributed", PERSON "List-Id: <a>\nX-List-Administrivia: yes\n\nx\n", false},
	{"not distributed", PERSON "\nx\n", true},
	{"author person", PERSON "User-Agent: Mutt/1.10\n\nx\n", true},
	{"author person", PERSON "\nx\n", false},
	{"author person", PERSON "Received: from a by b with ESMTPSA id 1\n\nx\n", true},
	{"author person", PERSON "Received: from localhost by b with ESMTPA id 1\n\nx\n", false},
	{"author person",
		PERSON "X-Mailer: PHPMailer\nReceived: from a by b with ESMTPSA id 1\n\nx\n",
		false},
	{"author person", PERSON "User-Agent: Mutt/1.10\nAuto-Submitted: auto-replied\n\nx\n",
		false},
	{"author person", PERSON "User-Agent: Mutt/1.10\nAuto-Submitted: no\n\nx\n", true},
	{"author person", PERSON "User-Agent: Mutt/1.10\nPrecedence: bulk\n\nx\n", false},
	{"author person", "From: MAILER-DAEMON@example.net\nUser-Agent: Mutt/1.10\n\nx\n", false},
	{"part \"text/calendar\"", PERSON "MIME-Version: 1.0\nContent-Type: text/calendar\n\nx\n",
		true},
	{"part \"text/calendar\"", PERSON "\nx\n", false},
	{"part \"text/calendar\"",
		PERSON "MIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
		       "Content-Type: text/calendar\n\nx\n",
		false},
	{"opening \"away\"", PERSON "\n> I am away.\nNo.\n", false},
	{"opening \"away\"", PERSON "\n>>>> away\n", true},
	{"opening \"away\"", PERSON "\nI am away.\n", true},
	{"not opening \"away\"", PERSON "\nI am away.\n", false},
	{"header X-One|X-Two \"yes\"", PERSON "X-Two: Yes\n\nx\n", true},
	{"header X-One|X-Two \"yes\"", PERSON "X-Three: yes\n\nx\n", false},
	{"not header X-One|X-Two \"yes\"", PERSON "X-One: no\n\nx\n", true},
	{"returned X-Inner \"yes\"",
		PERSON "MIME-Version: 1.0\nContent-Type: message/rfc822\n\nX-Inner: yes\n\nx\n",
		true},
	{"returned X-Inner \"yes\"", PERSON "X-Inner: yes\n\nx\n", false},
};

START_TEST(condition_holds)
{
	void *context = mem_context(NULL, "test");
	const char *text =
		mem_printf(context, "kind autoreply a\n\t%s\n", conditions[_i].condition);
	struct bytes raw = {
		(const unsigned char *)conditions[_i].message, strlen(conditions[_i].message)};
	struct evidence_text evidence;
	struct rules rules;
	const char *error = NULL;

	ck_assert_msg(rules_parse(context, "x.rules", text, &rules, &error) == STATUS_OK,
		"%s: got error \"%s\"", conditions[_i].condition, error);
	evidence_text_open(context, mail_read(context, raw, NULL), &evidence);
	bool fits = evidence_fits(&rules.items[0], &evidence);
	ck_assert_msg(fits == conditions[_i].fits, "%s on \"%s\": got %d, want %d",
		conditions[_i].condition, conditions[_i].message, fits, conditions[_i].fits);
	mem_free(context);
}
END_TEST

static const struct {
	const char *text, *error; /* what the message must begin with */
} mistakes[] = {
	{"kind autoreply a\n\tsender known\n",
		"x.rules:2: \"sender\" is no line of a kind: want literal"},
	{"kind autoreply a\n\tearly bird\n",
		"x.rules:2: \"early\" is no line of a kind: want literal"},
	{"kind autoreply a\n\tanswer\n\theader X-One| \"yes\"\n", "x.rules:3: want a header"},
	{"kind autoreply a\n\topening away\n", "x.rules:2: want \"words\""},
	{"kind holiday a\n", "x.rules:1: there is no such kind"},
};

START_TEST(mistake_is_placed)
{
	void *context = mem_context(NULL, "test");
	struct rules rules;
	const char *error = "none";
	enum status status = rules_parse(context, "x.rules", mistakes[_i].text, &rules, &error);

	ck_assert_msg(status == STATUS_DATA && strstr(error, mistakes[_i].error) == error,
		"got \"%s\", want \"%s...\"", error, mistakes[_i].error);
	mem_free(context);
}
END_TEST

START_TEST(sample_is_won)
{
	const struct rules *rules = rule_set_find("kinds.rules");

	ck_assert_msg(rules->count > 0, "kinds.rules: got no rules");
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];
		void *context = mem_context(NULL, "test");
		struct rule_sample *samples;
		size_t count = rule_read_samples(context, rule, &samples);
		ck_assert_msg(count > 0, "%s: got no sample", rule->name);
		for (size_t k = 0; k < count; k++) {
			struct bytes raw = {
				(const unsigned char *)samples[k].text, strlen(samples[k].text)};
			struct bounce *bounce =
				classify_mail(context, mail_read(context, raw, NULL));
			ck_assert_msg(rule->kind == bounce->kind &&
					      (bounce->rule == rule || rule->kind == KIND_FAILED),
				"%s: its sample %zu got %s (%s)", rule->name, k + 1,
				kind_name(bounce->kind), bounce->dialect);
		}
		mem_free(context);
	}
}
END_TEST

static Suite *kinds_suite(void)
{
	Suite *suite = suite_create("kinds");
	TCase *tests = tcase_create("rules");

	mail_library_open();
	tcase_add_loop_test(tests, condition_holds, 0, ROWS(conditions));
	tcase_add_loop_test(tests, mistake_is_placed, 0, ROWS(mistakes));
	tcase_add_test(tests, sample_is_won);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return suite_run(kinds_suite());
}
