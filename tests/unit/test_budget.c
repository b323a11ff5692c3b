/* test_budget.c: what GMime is shown of a message, and where that ends. */
#include <string.h>

#include "base/memory.h"
#include "read/budget.h"
#include "suite.h"

/* shown has the length of text: nothing may move. */
static const struct {
	const char *what, *text, *shown;
} rows[] = {
	{"address fields are renamed", "From: a\nContent-Type: b\n\n",
		"Xrom: a\nContent-Type: b\n\n"},
	{"Content- in any case", "CONTENT-type: a\n\n", "CONTENT-type: a\n\n"},
	{"CRLF", "To: a\r\nX: b\r\n\r\nTo me\r\n", "Xo: a\r\n : b\r\n\r\nTo me\r\n"},
	{"blank before the colon", "To : a\n\n", "Xo : a\n\n"},
	{"continuation lines stay", "A: b\n To: c\n\n", "X: b\n To: c\n\n"},
	{"fields in a row are one", "A: b\n c\nTo: d\nCc: e\n\n", "X: b\n c\n o: d\n c: e\n\n"},
	{"not those behind a Content- field", "A: b\nContent-Type: c\nTo: d\n\n",
		"X: b\nContent-Type: c\nXo: d\n\n"},
	{"nor those behind junk", "A: b\njunk\nTo: c\n\n", "X: b\njunk\nXo: c\n\n"},
	{"nor with what is no field for GMime", "A: b\nTo : c\nCc: d\n\n",
		"X: b\nXo : c\nXc: d\n\n"},
	{"nor those of another part", "A: b\n--b\nTo: c\n\n", "X: b\n--b\nXo: c\n\n"},
	{"text stays", "A: b\n\nHello,\nTo: c\n\nTo: d\n", "X: b\n\nHello,\nTo: c\n\nTo: d\n"},
	{"a line of junk on top", "junk\nTo: a\n\n", "junk\nXo: a\n\n"},
	{"header of a part", "A: b\n\nHello\n--b\nTo: c\n\nx\n",
		"X: b\n\nHello\n--b\nXo: c\n\nx\n"},
	{"a boundary with a colon", "A: b\n--b: c\n\n", "X: b\n--b: c\n\n"},
	{"a message inside", "Content-Type: message/rfc822\n\nTo: a\n\nHello\nTo: b\n",
		"Content-Type: message/rfc822\n\nXo: a\n\nHello\nTo: b\n"},
	{"a message inside, with junk on top", "Content-Type: MESSAGE/rfc822\n\njunk\nTo: a\n\n",
		"Content-Type: MESSAGE/rfc822\n\njunk\nXo: a\n\n"},
	{"its type folded", "Content-Type:\n message/rfc822\n\njunk\nTo: a\n\n",
		"Content-Type:\n message/rfc822\n\njunk\nXo: a\n\n"},
	{"two messages deep",
		"Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nTo: a\n",
		"Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nXo: a\n"},
	{"a digest's parts are messages",
		"Content-Type: multipart/digest\n\n--b\n\njunk\nTo: a\n\nHello\n",
		"Content-Type: multipart/digest\n\n--b\n\njunk\nXo: a\n\nHello\n"},
	{"empty lines in front of a message", "Content-Type: message/rfc822\n\n\n\njunk\nTo: a\n",
		"Content-Type: message/rfc822\n\n\n\njunk\nXo: a\n"},
	{"an empty name is none", ": a\n\n", ": a\n\n"},
	{"no line end", "To: a", "Xo: a"},
	{"nothing", "", ""},
};

START_TEST(shows_what_is_needed)
{
	char *data = mem_strdup(NULL, rows[_i].text);
	struct budget budget = {0};
	size_t size = budget_apply(&budget, (unsigned char *)data, strlen(data));

	ck_assert_msg(strcmp(data, rows[_i].shown) == 0, "%s: want \"%s\", got \"%s\"",
		rows[_i].what, rows[_i].shown, data);
	ck_assert_msg(
		size == strlen(data) && !budget.is_exceeded, "%s: cut at %zu", rows[_i].what, size);
	mem_free(data);
}
END_TEST

/* unit, count times, behind head: the last that is seen of it is number seen. */
static const struct {
	const char *what, *head, *unit;
	size_t count, seen;
} storms[] = {
	{"as many fields as may be", "", "A:\n", BUDGET_FIELD_MAX, BUDGET_FIELD_MAX},
	{"a field more", "", "A:\n", BUDGET_FIELD_MAX + 1, BUDGET_FIELD_MAX},
	{"lines that are no fields", "", "a\n", BUDGET_FIELD_MAX + 1, BUDGET_FIELD_MAX},
	{"fields below junk in a message inside", "Content-Type: message/rfc822\n\njunk\n", "A:\n",
		BUDGET_FIELD_MAX + 1, BUDGET_FIELD_MAX - 2},
	{"parts", "A: b\n\n", "--b\n\n", BUDGET_BLOCK_MAX + 1, BUDGET_BLOCK_MAX - 1},
	{"messages in each other", "", "Content-Type: message/rfc822\n\n", BUDGET_BLOCK_MAX + 1,
		BUDGET_BLOCK_MAX},
	{"a digest", "Content-Type: multipart/digest\n\n", "--b\n\nx\n\n", BUDGET_BLOCK_MAX,
		(BUDGET_BLOCK_MAX - 1) / 2},
	{"lines of a text", "A: b\n\nHello\n", "A: b\n", 100000, 100000},
	{"paragraphs of a text", "A: b\n\nHello\n", "A: b\n\n", 100000, 100000},
};

START_TEST(ends_storms)
{
	size_t head = strlen(storms[_i].head), unit = strlen(storms[_i].unit);
	size_t size = head + storms[_i].count * unit;
	unsigned char *data = mem_alloc(NULL, size + 1);
	struct budget budget = {0};

	memcpy(data, storms[_i].head, head);
	for (size_t i = 0; i < storms[_i].count; i++)
		memcpy(data + head + i * unit, storms[_i].unit, unit);
	size_t shown = budget_apply(&budget, data, size);
	size_t seen = shown < head ? 0 : (shown - head) / unit;
	ck_assert_msg(seen == storms[_i].seen, "%s: want %zu, got %zu", storms[_i].what,
		storms[_i].seen, seen);
	ck_assert_msg(budget.is_exceeded == (shown < size), "%s: is_exceeded is %d",
		storms[_i].what, budget.is_exceeded);
	mem_free(data);
}
END_TEST

/* One field of many lines, and many fields of one: what is over is renamed, what follows is seen.
 */
START_TEST(withholds_content_fields)
{
	static const char line[] =
		"Content-Type: text/plain; name=0123456789012345678901234567890\n";
	static const char folded[] =
		" a=b; c=d; e=f; g=h; i=j; k=l; m=n; o=p; q=r; s=t; u=v; w=x;\n";
	const char *unit = _i == 0 ? line : folded;
	size_t head = strlen(line), size = strlen(unit),
	       count = BUDGET_CONTENT_SIZE / (size - 1) + 10;
	char *data = mem_alloc(NULL, head + count * size + 10);
	struct budget budget = {0};

	memcpy(data, line, head);
	for (size_t i = 0; i < count; i++)
		memcpy(data + head + i * size, unit, size);
	strcpy(data + head + count * size, "\nHello\n");
	size_t shown = budget_apply(&budget, (unsigned char *)data, strlen(data));
	ck_assert_uint_eq(shown, strlen(data));
	ck_assert(budget.is_exceeded);
	ck_assert_int_eq(data[0], _i == 0 ? 'C' : 'X');
	ck_assert_int_eq(data[head + (count - 1) * size], _i == 0 ? 'X' : ' ');
	mem_free(data);
}
END_TEST

/* What is inside an encoded message is paid for by the same purse. */
START_TEST(adds_up_over_messages)
{
	struct budget budget = {.fields = BUDGET_FIELD_MAX - 1};
	unsigned char data[] = "A: 1\nB: 2\n";

	ck_assert_uint_eq(budget_apply(&budget, data, strlen((char *)data)), 5);
	ck_assert(budget.is_exceeded);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("budget");
	TCase *tcase = tcase_create("budget");

	tcase_add_loop_test(tcase, shows_what_is_needed, 0, ROWS(rows));
	tcase_add_loop_test(tcase, ends_storms, 0, ROWS(storms));
	tcase_add_loop_test(tcase, withholds_content_fields, 0, 2);
	tcase_add_test(tcase, adds_up_over_messages);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
