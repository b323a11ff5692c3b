/* test_need.c: what a text must contain for a regex to match: never more than is certain. */
#include <string.h>

#include "base/memory.h"
#include "classify/rule_need.h"
#include "suite.h"

static const struct {
	const char *regex, *want; /* "?": not known */
} needs[] = {
	{"quota", "quota"},
	{"Over Quota", "over quota"},
	{"a|quota", "?"},
	{"quota|mailbox", "quota|mailbox"},
	{"(?:quota|mailbox) full", "(quota|mailbox)& full"},
	{"(?:quotas|mailbox)[ -]on", "(quotas|mailbox)&on"},
	{"colou?r", "colo"},
	{"quotas?", "quota"},
	{"quotas*x", "quota"},
	{"quotas{0,3}", "quota"},
	{"quotas{1,3}x", "quota"},
	{"quotas+xy", "quota&xy"},
	{"(?:quota)?", "?"},
	{"(?:quota)*abc", "abc"},
	{"(?:quota)+", "quota"},
	{"(?:quota){2}", "quota"},
	{"(?!quota)abc", "abc"},
	{"(?=quota)abc", "abc"},
	{"(?<!quota)abc", "abc"},
	{"(?<=quota)abc", "abc"},
	{"(?<address>abc@)", "abc@"},
	{"abc[^.]{0,60}defgh", "defgh&abc"}, /* what tells most comes first */
	{"abc.defgh", "defgh&abc"},
	{"a(?:bc|d)e(?:fgh|ij)", "fgh|ij"},
	{"\\byour (?:mail ?box|inbox) is|full", "(your &((mail&box)|inbox)& is)|full"},
	{"\\bquota\\b", "quota"},
	{"a\\.b\\.c", "a.b.c"},
	{"[quota]", "?"},
	{"[]quota]abc", "abc"},
	{"[^\\x00-\\x7f]", "LETTER"},
	{"[[:alpha:]]abc", "abc"},
	{"^\\s*$", "?"},
	{"(?!\\pL)abc\\p{Han}+\\PLdefg", "defg&abc"},
	{"(?:ตอบกลับ|जवाब)", "ตอบกลับ|जवाब"},
	{"\\x41bcdef", "?"}, /* not read: nothing is certain */
	{"(?i)quota", "?"},
	{"(quota)\\1", "?"},
	{"(?(1)quota|abc)", "?"},
	{"(quota", "?"},
	{"quota)", "?"},
	{"ab|cd", "ab|cd"},
	{"<>|daemon", "<>|daemon"},
	{"Été quota", "été quota"},
	{"Не доставлено", "не доставлено"},
	{"тип?ов", "ти&ов"},
	{"straße", "stra&LETTER"}, /* a capital of three bytes */
	{"été|quota|où", "été|quota|où"},
	{"abé", "abé"},
	{"abé?", "ab"},
	{"[áa]b|cd", "?"},
	{"ſ|quota", "?"}, /* an s in its other case */
	{"quota(?!\\pL)|urlop\\p{L}", "quota|urlop"},
	{"(?<address>abc@)\\k<address>", "abc@"},
	{"无法投递", "无法投递"},
	{"配信?できません", "できません&配"},
	{"", "?"},
	{"a(?:b|c)quota", "quota"},
	{"x(?:quota|)y", "?"},
	{"(?:quota:|(?!\\A)\\G,) ", "quota:"},
	{"(?:\\G|quota)", "?"},
	{"abc\\", "?"},
};

static char *append_need(char *text, const struct need *need, bool is_inside)
{
	switch (need->form) {
	case NEED_NOTHING:
		return mem_append(text, "?");
	case NEED_WORD:
		return mem_append(text, "%s", need->word.text);
	case NEED_LETTER:
		return mem_append(text, "LETTER");
	case NEED_ALL:
	case NEED_ANY:
		break;
	}
	text = mem_append(text, is_inside ? "(" : "");
	for (size_t i = 0; i < need->count; i++) {
		text = mem_append(text, i == 0 ? "" : need->form == NEED_ALL ? "&" : "|");
		text = append_need(text, &need->parts[i], true);
	}
	return mem_append(text, is_inside ? ")" : "");
}

START_TEST(reads_the_need)
{
	void *context = mem_context(NULL, "test");
	struct need need = need_read(context, needs[_i].regex);
	char *got = append_need(mem_strdup(context, ""), &need, false);

	ck_assert_msg(strcmp(got, needs[_i].want) == 0, "/%s/: want \"%s\", got \"%s\"",
		needs[_i].regex, needs[_i].want, got);
	mem_free(context);
}
END_TEST

static const struct {
	const char *regex, *want; /* the gap; "?": the regex as a whole; "": there is none */
} gaps[] = {
	{"quota|mailbox", ""},
	{"quota|ab|cd", "ab"},
	{"quota|", "?"},
	{"quota \\d+|(?:is|are) over", ""},
	{"(?:quota|no|box)\\d", "no"},
	{"(?:quota|no|box)(?:at|all)", "?"},
	{"(?:quota|no|box)?\\d", "?"},
	{"(?!quota|no)", "?"},
	{"été|\\d%", "\\d%"},
	{"[^\\x00-\\x7f]|quota", ""},
	{"[^\\x00-\\x20]|quota", "[^\\x00-\\x20]"},
	{"quota|(?i)x", "?"},
};

START_TEST(finds_the_gap)
{
	void *context = mem_context(NULL, "test");
	const char *gap = NULL;
	bool is_wordless = need_is_wordless(context, gaps[_i].regex, &gap);
	const char *got = !is_wordless ? "" : gap == NULL ? "?" : gap;

	ck_assert_msg(strcmp(got, gaps[_i].want) == 0, "/%s/: want \"%s\", got \"%s\"",
		gaps[_i].regex, gaps[_i].want, got);
	mem_free(context);
}
END_TEST

static const struct {
	const char *regex, *text;
	bool is_met;
} texts[] = {
	{"quota", "Over QUOTA", true},
	{"quota", "quo ta", false},
	{"quota|mailbox", "the mailbox", true},
	{"quota|mailbox", "the box", false},
	{"your .*full", "full of your work", true},
	{"your .*full", "your work", false},
	{"<>|x-y", "From: <>", true},
	{"<>|x-y", "From: <a>", false},
	{"été", "ete", false},
	{"été", "\xC3\x89T\xC3\x89", true},
	{"^\\s*$", "quota", true},
};

/* What is not met was not met for the regex either; whether the text is indexed or not. */
START_TEST(asks_for_the_need)
{
	void *context = mem_context(NULL, "test");
	struct need need = need_read(context, texts[_i].regex);
	struct haystack haystack = haystack_make(context, texts[_i].text);
	bool without = need_is_met(&need, &haystack);

	haystack_index(context, &haystack);
	ck_assert_msg(need_is_met(&need, &haystack) == texts[_i].is_met, "/%s/ in \"%s\"",
		texts[_i].regex, texts[_i].text);
	ck_assert_msg(without || !texts[_i].is_met, "/%s/ in \"%s\", not indexed", texts[_i].regex,
		texts[_i].text);
	mem_free(context);
}
END_TEST

/* Deep and long ones end, and promise nothing. */
START_TEST(is_bounded)
{
	void *context = mem_context(NULL, "test");
	char *deep = mem_strdup(context, ""), *wide = mem_strdup(context, "abcd");

	for (int i = 0; i < 2000; i++) {
		deep = mem_append(deep, "(");
		wide = mem_append(wide, "|word%d", i);
	}
	ck_assert_int_eq(need_read(context, deep).form, NEED_NOTHING);
	ck_assert_int_eq(need_read(context, wide).form, NEED_NOTHING);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("need");
	TCase *tcase = tcase_create("need");

	tcase_add_loop_test(tcase, reads_the_need, 0, ROWS(needs));
	tcase_add_loop_test(tcase, asks_for_the_need, 0, ROWS(texts));
	tcase_add_loop_test(tcase, finds_the_gap, 0, ROWS(gaps));
	tcase_add_test(tcase, is_bounded);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
