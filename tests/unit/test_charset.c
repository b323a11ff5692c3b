/* test_charset.c: a charset is guessed from bytes that do not say it, and from nothing else. */
#include <check.h>
#include <string.h>

#include "read/charset.h"
#include "suite.h"

static const struct {
	const char *what;
	const char *text;
	const char *want;
} guesses[] = {
	{"nothing", "", NULL},
	{"ASCII", "user unknown", NULL},
	{"UTF-8", "Empf\xC3\xA4nger unbekannt", NULL},
	{"UTF-8, four bytes", "\xF0\x9F\x93\xA7 mail", NULL},
	{"ISO-2022-JP", "\033$B%(%i!<\033(B ann@example.net", "iso-2022-jp"},
	{"ISO-2022-KR", "\033$)C mail", "iso-2022-kr"},
	{"Shift_JIS", "\x83\x81\x81[\x83\x8b\x82\xf0 ann@example.net", "cp932"},
	{"EUC-JP", "\xa5\xe1\xa1\xbc\xa5\xeb\xa4\xf2 ann@example.net", "euc-jp"},
	{"EUC-KR", "\xbb\xe7\xbf\xeb\xc0\xda \xb0\xcb\xc3\xe2", "euc-kr"},
	{"GB 18030", "\xce\xde\xb7\xa8\xcd\xb6\xb5\xdd\xd3\xca\xbc\xfe", "gb18030"},
	{"KOI8-R",
		"\xd0\xcf\xcc\xd8\xda\xcf\xd7\xc1\xd4\xc5\xcc\xd8 \xce\xc5 "
		"\xce\xc1\xca\xc4\xc5\xce",
		"koi8-r"},
	{"windows-1251",
		"\xef\xee\xeb\xfc\xe7\xee\xe2\xe0\xf2\xe5\xeb\xfc \xed\xe5 "
		"\xed\xe0\xe9\xe4\xe5\xed",
		"windows-1251"},
	{"ISO 8859-2",
		"nie zosta\xb3"
		"a dor\xea"
		"czona",
		"iso-8859-2"},
	{"windows-1252", "Empf\xe4nger ung\xfcltig", "windows-1252"},
	{"cut UTF-8 at the end is UTF-8", "gr\xC3\xBC\xC3", NULL},
};

START_TEST(guesses_charset)
{
	struct bytes text = {(const unsigned char *)guesses[_i].text, strlen(guesses[_i].text)};
	const char *got = charset_guess(text), *want = guesses[_i].want;

	ck_assert_msg((got == NULL) == (want == NULL) && (got == NULL || strcmp(got, want) == 0),
		"%s: got %s, want %s", guesses[_i].what, got == NULL ? "none" : got,
		want == NULL ? "none" : want);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("charset");
	TCase *tcase = tcase_create("guess");

	tcase_add_loop_test(tcase, guesses_charset, 0, ROWS(guesses));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
