/* Tests of base/tag: addresses that are made, changed, aged and checked. */
#include <ctype.h>

#include "base/address.h"
#include "suite.h"
#include "tag_place.h"

/* ---- forms ---- */

struct form_case {
	const char *mailbox;
	const char *recipient;
	char form; /* 0: none can be made */
};

static const struct form_case form_cases[] = {
	{MAILBOX, NULL, 's'},
	{"a@x.org", "bob@y.org", 'r'},
	{"A+b@X.org", "Bob@Y.ORG", 'r'},
	{"list-bounces+x=y@x.org", "b@y.org", 'r'},
	{"a@x.org", "bob+tag-x@y-z.org", 'r'},
	{"a@x.org", "b=c@y.org", 'r'},
	{"a@x.org", "b_c.d@y.org", 'r'},
	/* too long for the payload */
	{MAILBOX, "a.quite.long.name@a-quite-long-domain.example.net", 'i'},
	/* not for an address */
	{"a@x.org", "\"b c\"@y.org", 'i'},
	{"a@x.org", "\"b@c\"@y.org", 'i'},
	{"a@x.org", "b\xC3\xBC@y.org", 'i'},
	{"a@x.org", "b@\xC3\xBC.org", 'i'},
	{"a@x.org", "b%c@y.org", 'i'},
	{"a@x.org", "c!b@y.org", 'i'},
	{"a@x.org", "b/c@y.org", 'i'},
	{"a@x.org", "b..c@y.org", 'i'},
	{"a@x.org", "b@[192.0.2.1]", 'i'},
	/* a part of it looks like a tag */
	{"a@x.org", "b+raaaaaaaaaaaaaaaaaaaaa=c@y.org", 'i'},
	{"raaaaaaaaaaaaaaaaaaaaa@x.org", "b@y.org", 'r'},
	{"a-saaaaaaaaaaaaaaaaaaaaa@x.org", "b@y.org", 'r'},
	/* cannot be tagged */
	{"\"a b\"@x.org", NULL, 's'},
	{"\"a b\"@x.org", "bob@y.org", 'r'},
	{"\"a\\\"b\"@x.org", NULL, 's'},
	{"b\xC3\xBC@x.org", "bob@y.org", 'r'},
	{"a", NULL, 0},
	{"a@x.org", "", 0},
	{"a@x.org", "nobody", 0},
	{"forty-two-octets-do-not-leave-room-for-it1@x.org", NULL, 0},
	{"forty-one-octets-just-leave-room-for-one1@x.org", NULL, 's'},
	{"twenty-eight-octets-have-one@x.org", "b@long.enough.y.org", 'i'},
	{"twenty-nine-octets-have-none1@x.org", "b@long.enough.y.org", 0},
};

START_TEST(makes_the_form)
{
	const struct form_case *row = &form_cases[_i];
	const char *id = "unset";
	const char *address = tag_make(context, &keys, row->mailbox, row->recipient, NOW, &id);
	char expected_id[TAG_ID_LENGTH + 1];
	struct tag tag;

	if (row->form == 0) {
		ck_assert_msg(address == NULL, "%s: got %s", row->mailbox, address);
		ck_assert_ptr_null(id);
		return;
	}
	ck_assert_msg(address != NULL, "%s %s: got none", row->mailbox, row->recipient);
	ck_assert_msg(tag_parse(context, address, &tag), "%s", address);
	ck_assert_msg(tag.form == row->form, "%s: want %c", address, row->form);
	ck_assert_uint_eq(tag.key, 7);
	ck_assert_int_eq(tag.day, 20780);
	ck_assert_str_eq(tag.mailbox, address_normalise(context, row->mailbox));
	ck_assert_msg(*address == '"' || address_is_form_of(address, row->mailbox), "%s", address);
	ck_assert_msg(strrchr(address, '@') - address <= 64, "%s", address);
	ck_assert_str_eq(address, address_normalise(context, address));
	ck_assert((tag.recipient != NULL) == (row->form == 'r'));
	ck_assert((tag.id != NULL) == (row->form == 'i'));
	ck_assert((id != NULL) == (row->form == 'i'));
	if (tag.recipient != NULL)
		ck_assert_str_eq(tag.recipient, address_normalise(context, row->recipient));
	if (id != NULL) {
		tag_recipient_id(row->recipient, expected_id);
		ck_assert_str_eq(id, expected_id);
		ck_assert_str_eq(tag.id, id);
		assert_result(address, NULL, NOW, TAG_UNRESOLVED);
		assert_result(address, "other@example.net", NOW, TAG_BAD);
	}
	assert_result(address, row->recipient, NOW, TAG_VALID);
}
END_TEST

/* The signature is HMAC-SHA-256 and nothing of our own: computed beforehand by another program. */
START_TEST(signs_as_documented)
{
	ck_assert_str_eq(make("a@x.org", NULL, 20780 * DAY), "a+shaujmxbo35wafdy5mszo5@x.org");
	ck_assert_str_eq(
		make("a@x.org", "b@y.org", 20780 * DAY), "a+rhaujm7jteuk6xklclrb3c=b=y.org@x.org");
}
END_TEST

START_TEST(ids_are_stable)
{
	char a[TAG_ID_LENGTH + 1];
	char b[TAG_ID_LENGTH + 1];

	tag_recipient_id("Bob@Example.NET", a);
	tag_recipient_id("<bob@example.net>", b);
	ck_assert_str_eq(a, b);
	ck_assert_uint_eq(strlen(a), TAG_ID_LENGTH);
	tag_recipient_id("bob@example.com", b);
	ck_assert_str_ne(a, b);
	tag_recipient_id("", b);
	ck_assert_uint_eq(strlen(b), TAG_ID_LENGTH);
}
END_TEST

/* The local part never passes 64 octets, and no length in between is given up for nothing. */
START_TEST(fits_sixty_four_octets)
{
	for (int mailbox = 1; mailbox <= 60; mailbox++) {
		for (int recipient = 1; recipient <= 60; recipient++) {
			char *from = mem_printf(context, "%.*s@x.org", mailbox,
				"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm");
			char *to = mem_printf(context, "%.*s@y.org", recipient,
				"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr");
			const char *address = make(from, to, NOW);
			int with_payload = mailbox + 1 + 22 + 1 + recipient + 1 + 5;
			struct tag tag;

			if (with_payload > 64 && mailbox + 1 + 22 + 1 + TAG_ID_LENGTH > 64) {
				ck_assert_ptr_null(address);
				continue;
			}
			ck_assert_ptr_nonnull(address);
			ck_assert(tag_parse(context, address, &tag));
			ck_assert_int_eq(tag.form, with_payload > 64 ? 'i' : 'r');
			ck_assert_int_le(strrchr(address, '@') - address, 64);
			mem_free(from);
			mem_free(to);
		}
	}
}
END_TEST

/* ---- what is not as it was made ---- */

static const char *const recipients[] = {
	NULL, "bob@example.net", "a.quite.long.name@a-quite-long-domain.example.net"};

/* The one change that is allowed: another delimiter. */
static bool is_delimiter_change(const char *address, size_t at, char c)
{
	return address[at] == '+' && strchr(TAG_DELIMITERS, c) != NULL;
}

START_TEST(refuses_any_change)
{
	static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789+-=.@_\"\xFC";
	const char *recipient = recipients[_i];
	const char *address = make("a-b@x.org", recipient, NOW);

	assert_result(address, recipient, NOW, TAG_VALID);
	for (size_t at = 0; address[at] != '\0'; at++) {
		char *changed = mem_strdup(context, address);
		char *shorter = mem_strdup(context, address);

		for (const char *c = others; *c != '\0'; c++) {
			changed[at] = *c;
			if (*c == address[at] || is_delimiter_change(address, at, *c))
				continue;
			ck_assert_msg(check_at(changed, recipient, NOW) != TAG_VALID,
				"%s is valid, from %s", changed, address);
		}
		memmove(shorter + at, shorter + at + 1, strlen(address) - at);
		ck_assert_msg(
			check_at(shorter, recipient, NOW) != TAG_VALID, "%s is valid", shorter);
	}
}
END_TEST

START_TEST(survives_folding_and_delimiter)
{
	const char *recipient = recipients[_i];
	char *address = mem_strdup(context, make("a+b-c@x.org", recipient, NOW));

	for (char *c = address; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	assert_result(address, recipient, NOW, TAG_VALID);
	assert_result(mem_printf(context, "<%s>", address), recipient, NOW, TAG_VALID);
	address = mem_strdup(context, make("a+b-c@x.org", recipient, NOW));
	ck_assert_int_eq(address[5], '+');
	for (const char *c = TAG_DELIMITERS; *c != '\0'; c++) {
		address[5] = *c;
		assert_result(address, recipient, NOW, TAG_VALID);
		keys.delimiter = *c;
		ck_assert_str_eq(make("a+b-c@x.org", recipient, NOW), address);
	}
}
END_TEST

/* A recipient's tag is worth nothing for another one, and none can be made out of two. */
START_TEST(binds_mailbox_and_recipient)
{
	const char *a = make("a@x.org", "bob@y.org", NOW);
	const char *s = make("a@x.org", NULL, NOW);
	char *swapped = mem_printf(context, "%.24s=carl=y.org@x.org", a);

	ck_assert(tag_parse(context, swapped, &(struct tag){0}));
	assert_result(swapped, NULL, NOW, TAG_BAD);
	assert_result(mem_printf(context, "b%s", a + 1), NULL, NOW, TAG_BAD);
	assert_result(mem_printf(context, "%.24s@y.org", s), NULL, NOW, TAG_BAD);
	/* The sender's signature with a payload, the recipient's without. */
	assert_result(mem_printf(context, "%.24s=bob=y.org@x.org", s), NULL, NOW, TAG_ABSENT);
	assert_result(mem_printf(context, "%.24s@x.org", a), NULL, NOW, TAG_ABSENT);
	assert_result(mem_printf(context, "a+r%.21s=bob=y.org@x.org", s + 3), NULL, NOW, TAG_BAD);
}
END_TEST

static const char *const absent[] = {
	"",
	"a@x.org",
	"a+b@x.org",
	"a+bob=y.org@x.org",
	"announce-bounces+ann=example.net@x.org",
	"a+saaaaaaaaaaaaaaaaaaaa@x.org",   /* 21 characters */
	"a+saaaaaaaaaaaaaaaaaaaaaa@x.org", /* 23 */
	"a+taaaaaaaaaaaaaaaaaaaaa@x.org",  /* no such form */
	"a+saaaaaaaaaaaaaaaaaaaa1@x.org",  /* no base32 */
	"a+saa1aaaaaaaaaaaaaaaaaa@x.org",
	"a+raaaaaaaaaaaaaaaaaaaaa@x.org", /* no payload */
	"a+raaaaaaaaaaaaaaaaaaaaa=@x.org",
	"a+raaaaaaaaaaaaaaaaaaaaa=bob@x.org", /* no domain */
	"a+raaaaaaaaaaaaaaaaaaaaa=bob=@x.org",
	"a+raaaaaaaaaaaaaaaaaaaaa==y@x.org",
	"a+iaaaaaaaaaaaaaaaaaaaaa=aaaaaaaaaaa@x.org", /* an id of 11 */
	"a+iaaaaaaaaaaaaaaaaaaaaa=aaaaaaaaaaa1@x.org",
	"a+saaaaaaaaaaaaaaaaaaaaa=aaaaaaaaaaaa@x.org",
	"+saaaaaaaaaaaaaaaaaaaaa@x.org", /* no mailbox */
	"\"a b\"+saaaaaaaaaaaaaaaaaaaaa@x",
	"a!saaaaaaaaaaaaaaaaaaaaa@x.org", /* no delimiter of ours */
	"a+sitewidesubscriptionsx@x.org", /* 22 letters, but no day before 2328 */
	"a+saaaaaaaaaaaaaaaaaaaaa",
	"prvs=1234abcdef=a@x.org",
};

START_TEST(sees_no_tag)
{
	struct tag tag;

	ck_assert_msg(!tag_parse(context, absent[_i], &tag), "%s", absent[_i]);
	ck_assert(!tag.is_present);
	ck_assert_int_eq(tag_check(&keys, &tag, NULL, LIFETIME, NOW), TAG_ABSENT);
}
END_TEST

START_TEST(sees_no_tag_in_nothing)
{
	struct tag tag;

	ck_assert(!tag_parse(context, NULL, &tag));
	ck_assert_int_eq(tag_check(NULL, &tag, NULL, LIFETIME, NOW), TAG_ABSENT);
	ck_assert_ptr_null(tag_make(context, NULL, MAILBOX, NULL, NOW, NULL));
}
END_TEST

/* ---- time ---- */

struct age_case {
	int64_t signed_day;
	int64_t age_days;
	enum tag_result want;
};

static const struct age_case age_cases[] = {
	{20780, 0, TAG_VALID},
	{20780, 1, TAG_VALID},
	{20780, 14, TAG_VALID},
	{20780, 15, TAG_EXPIRED},
	{20780, 1000, TAG_EXPIRED},
	{20780, -1, TAG_VALID}, /* the signer's clock is ahead */
	{20780, -2, TAG_EXPIRED},
	/* where the three digits of prvs= wrap */
	{20985, 14, TAG_VALID},
	{20985, 15, TAG_EXPIRED},
	{20986, 14, TAG_VALID},
	{20999, 1, TAG_VALID},
	{20999, 15, TAG_EXPIRED},
	{20999, 1000, TAG_EXPIRED},
	{21000, 0, TAG_VALID},
	{21000, -1, TAG_VALID},
	{20400, 600, TAG_EXPIRED},
	{32767, 1, TAG_VALID},
	{65535, 0, TAG_VALID},
	{65535, 1, TAG_VALID},
	{65535, 15, TAG_EXPIRED},
	{65536, 0, TAG_VALID},
	{0, 0, TAG_VALID},
	{0x1FFFF, 1, TAG_VALID},
};

START_TEST(ages)
{
	const struct age_case *row = &age_cases[_i];
	const char *address = make(MAILBOX, NULL, row->signed_day * DAY + DAY - 1);
	int64_t day = row->signed_day + row->age_days;
	struct tag tag;

	ck_assert(tag_parse(context, address, &tag));
	ck_assert_int_eq(tag.day, row->signed_day);
	assert_result(address, NULL, day * DAY, row->want);
	assert_result(address, NULL, day * DAY + DAY - 1, row->want);
}
END_TEST

START_TEST(makes_none_for_a_day_without_number)
{
	ck_assert_ptr_null(make(MAILBOX, NULL, -1));
	ck_assert_ptr_null(make(MAILBOX, NULL, 0x20000 * DAY));
}
END_TEST

/* A wrong signature is wrong at any age. */
START_TEST(bad_before_expired)
{
	char *address = mem_strdup(context, make("a@x.org", NULL, NOW));

	address[20] = address[20] == 'a' ? 'b' : 'a';
	assert_result(address, NULL, NOW + 100 * DAY, TAG_BAD);
}
END_TEST

START_TEST(results_have_names)
{
	for (int a = TAG_ABSENT; a <= TAG_UNRESOLVED; a++) {
		ck_assert_str_ne(tag_result_name((enum tag_result)a), "unknown");
		for (int b = TAG_ABSENT; b < a; b++)
			ck_assert_str_ne(tag_result_name((enum tag_result)a),
				tag_result_name((enum tag_result)b));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tag");
	TCase *tcase = tcase_create("tag");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, makes_the_form, 0, LENGTH(form_cases));
	tcase_add_test(tcase, signs_as_documented);
	tcase_add_test(tcase, ids_are_stable);
	tcase_add_test(tcase, fits_sixty_four_octets);
	tcase_add_loop_test(tcase, refuses_any_change, 0, LENGTH(recipients));
	tcase_add_loop_test(tcase, survives_folding_and_delimiter, 0, LENGTH(recipients));
	tcase_add_test(tcase, binds_mailbox_and_recipient);
	tcase_add_loop_test(tcase, sees_no_tag, 0, LENGTH(absent));
	tcase_add_test(tcase, sees_no_tag_in_nothing);
	tcase_add_loop_test(tcase, ages, 0, LENGTH(age_cases));
	tcase_add_test(tcase, makes_none_for_a_day_without_number);
	tcase_add_test(tcase, bad_before_expired);
	tcase_add_test(tcase, results_have_names);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
