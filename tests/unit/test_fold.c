/* test_fold.c: lower case beyond ASCII: as long as it was, and what a caseless regex finds. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/fold.h"
#include "base/memory.h"
#include "suite.h"

static const struct {
	const char *text, *want;
} texts[] = {
	{"Mailbox FULL", "mailbox full"},
	{"ПОЧТОВЫЙ Ящик Ёлка", "почтовый ящик ёлка"},
	{"ÜBERFÜLLT, ÉTÉ, ŻÓŁĆ, Ÿ, ČÍŽ, ŐŰ, ȘȚ", "überfüllt, été, żółć, ÿ, číž, őű, șț"},
	{"Η ΑΛΛΗΛΟΓΡΑΦΊΑ ΑΠΈΤΥΧΕΣ τέλος", "η αλληλογραφία απέτυχεσ τέλοσ"},
	{"İstanbul ẞ ×", "İstanbul ẞ ×"}, /* would get another length, or has no case */
	{"配信できません", "配信できません"},
	{"\xc4 A \xd0", "\xc4 a \xd0"}, /* no UTF-8 */
	{"\xd0\x41\xff\xc3", "\xd0\x61\xff\xc3"},
	/* Eight bytes at a time: the neighbours of A and Z, and where ASCII ends. */
	{"@ABMYZ[\\]^_`amz{|}~\x7f\x01/09:@[AZ@[", "@abmyz[\\]^_`amz{|}~\x7f\x01/09:@[az@["},
	{"ABCDEFGHIJKLMNÄPQRSTUVWXYZ", "abcdefghijklmnäpqrstuvwxyz"},
	{"", ""},
};

START_TEST(folds)
{
	void *context = mem_context(NULL, "test");
	const char *got = fold_text(context, texts[_i].text);

	ck_assert_msg(strcmp(got, texts[_i].want) == 0, "\"%s\": want \"%s\", got \"%s\"",
		texts[_i].text, texts[_i].want, got);
	ck_assert_uint_eq(strlen(got), strlen(texts[_i].text));
	mem_free(context);
}
END_TEST

static void write_letter(unsigned letter, char *out)
{
	out[0] = (char)(0xc0 | letter >> 6);
	out[1] = (char)(0x80 | (letter & 0x3f));
	out[2] = '\0';
}

/* The letters of two bytes that a caseless regex takes for this one. */
static void compare_matches(unsigned letter, const char *all, size_t size)
{
	char text[3], want[3] = "", got[3] = "";
	PCRE2_SIZE offset = 0;
	int error;

	write_letter(letter, text);
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)text, 2, PCRE2_CASELESS | PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
	ck_assert_ptr_nonnull(code);
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
	fold_letter(text, 2, want);
	for (offset = 0; pcre2_match(code, (PCRE2_SPTR)all, size, offset, 0, data, NULL) > 0;) {
		offset = pcre2_get_ovector_pointer(data)[1];
		ck_assert_msg(pcre2_get_ovector_pointer(data)[0] + 2 == offset, "U+%04X", letter);
		fold_letter(all + offset - 2, 2, got);
		ck_assert_msg(strcmp(got, want) == 0, "U+%04X: %s matches %s, which becomes %s",
			letter, text, mem_strndup(NULL, all + offset - 2, 2), got);
	}
	pcre2_match_data_free(data);
	pcre2_code_free(code);
}

START_TEST(is_certain_where_it_says)
{
	char all[2 * 0x780 + 1];
	size_t size = 0, count = 0;

	for (unsigned letter = 0x80; letter < 0x800; letter++, size += 2)
		write_letter(letter, all + size);
	for (size_t i = 0; i < size; i += 2) {
		if (!fold_is_certain(all + i))
			continue;
		compare_matches(0x80 + (unsigned)i / 2, all, size);
		count++;
	}
	ck_assert_msg(count > 1000, "%zu are certain", count);
	ck_assert(fold_is_certain("я") && fold_is_certain("Ü") && fold_is_certain("ł"));
	ck_assert(!fold_is_certain("ß") && !fold_is_certain("ı") && !fold_is_certain("ab"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fold");
	TCase *tcase = tcase_create("fold");

	tcase_add_loop_test(tcase, folds, 0, ROWS(texts));
	tcase_add_test(tcase, is_certain_where_it_says);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
