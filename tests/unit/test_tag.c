/* Tests of base/tag: addresses that are made, changed, aged and checked; and the file of keys. */
#include <check.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/tag.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define DAY ((int64_t)24 * 60 * 60)
#define NOW (20780 * DAY + 4711)
#define LIFETIME (14 * DAY)
#define MAILBOX "announce-bounces@lists.example.org"
#define SECRET_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SECRET_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static char folder[256];
static char path[300];
static void *context;
static struct tag_keys keys;

static void setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%.200s/backstop-tag-XXXXXX", base == NULL ? "/tmp" : base);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/tag.keys", folder);
	context = mem_context(NULL, "test_tag");
	memset(&keys, 0, sizeof keys);
	keys.count = 2;
	keys.items[0].id = 7;
	keys.items[0].created_s = 20000 * DAY;
	memset(keys.items[0].secret, 'a', TAG_KEY_SIZE);
	keys.items[1].id = 31;
	keys.items[1].created_s = 19000 * DAY;
	memset(keys.items[1].secret, 'b', TAG_KEY_SIZE);
}

static void teardown(void)
{
	char temporary[400];

	snprintf(temporary, sizeof temporary, "%s/.tag.keys.new", folder);
	mem_free(context);
	unlink(path);
	ck_assert_msg(unlink(temporary) != 0, "%s is left", temporary);
	rmdir(folder);
}

static const char *make(const char *mailbox, const char *recipient, int64_t now)
{
	return tag_make(context, &keys, mailbox, recipient, now, NULL);
}

static enum tag_result check_at(const char *address, const char *resolved, int64_t now)
{
	struct tag tag;

	tag_parse(context, address, &tag);
	return tag_check(&keys, &tag, resolved, LIFETIME, now);
}

static void assert_result(
	const char *address, const char *resolved, int64_t now, enum tag_result want)
{
	enum tag_result got = check_at(address, resolved, now);

	ck_assert_msg(got == want, "%s: want %s, got %s", address, tag_result_name(want),
		tag_result_name(got));
}

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

/* ---- keys ---- */

START_TEST(rotates)
{
	const char *old = make(MAILBOX, NULL, NOW);
	struct tag tag;

	/* A newer key signs, wherever it stands; the older one's tags are valid still. */
	keys.items[1].created_s = 20001 * DAY;
	ck_assert(tag_parse(context, make(MAILBOX, NULL, NOW), &tag));
	ck_assert_uint_eq(tag.key, 31);
	assert_result(old, NULL, NOW, TAG_VALID);
	/* Of two as new the later in the file. */
	keys.items[0].created_s = 20001 * DAY;
	ck_assert(tag_parse(context, make(MAILBOX, NULL, NOW), &tag));
	ck_assert_uint_eq(tag.key, 31);
	/* The old one is removed. */
	keys.items[0] = keys.items[1];
	keys.count = 1;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	/* Its number, with another secret: bad, but not where the key is younger than the tag. */
	keys.items[0].id = 7;
	keys.items[0].created_s = 20779 * DAY;
	assert_result(old, NULL, NOW, TAG_BAD);
	keys.items[0].created_s = NOW;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	keys.items[0].created_s = 20779 * DAY;
	/* The same where the secret was replaced by hand: the file was changed on that day, or
	 * later. */
	keys.changed_s = NOW;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	assert_result(old, NULL, NOW + DAY, TAG_NO_KEY);
	keys.changed_s = NOW - DAY;
	assert_result(old, NULL, NOW, TAG_BAD);
	keys.changed_s = NOW + 3 * DAY; /* the file's clock is not ours: it says nothing */
	assert_result(old, NULL, NOW, TAG_BAD);
	keys.count = 0;
	assert_result(old, NULL, NOW, TAG_NO_KEY);
	ck_assert_ptr_null(make(MAILBOX, NULL, NOW));
}
END_TEST

static void write_file(const char *text, size_t size, mode_t mode)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static char *read_back(void)
{
	char *text = mem_alloc(context, 100000);
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(fread(text, 1, 99999, file), 0);
	fclose(file);
	return text;
}

struct file_case {
	const char *text;
	const char *says; /* NULL: is read */
};

static const struct file_case file_cases[] = {
	{"1 2026-11-20 " SECRET_A "\n", NULL},
	{"# x\n\n  1\t2026-11-20   " SECRET_A "\r\n31 2026-11-21 " SECRET_B, NULL},
	{"", ": holds no key"},
	{"# nothing\n", ": holds no key"},
	{"1 2026-11-20\n", "tag.keys:1: want three words"},
	{"\n\n1 2026-11-20 " SECRET_A " x\n", "tag.keys:3: want three words"},
	{"32 2026-11-20 " SECRET_A "\n", "tag.keys:1: want a number from 0 to 31"},
	{"-1 2026-11-20 " SECRET_A "\n", "want a number from 0 to 31"},
	{"1x 2026-11-20 " SECRET_A "\n", "want a number from 0 to 31"},
	{"0001 2026-11-20 " SECRET_A "\n", "want a number from 0 to 31"},
	{"1 20.11.2026 " SECRET_A "\n", "want a day such as 2026-11-23"},
	{"1 2026-13-20 " SECRET_A "\n", "want a day such as 2026-11-23"},
	{"1 7d " SECRET_A "\n", "want a day such as 2026-11-23"},
	{"1 2026-11-20 " SECRET_A "0\n", "want 64 hex digits"},
	{"1 2026-11-20 abc\n", "want 64 hex digits"},
	{"1 2026-11-20 g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		"want 64 hex digits"},
	{"1 2026-11-20 " SECRET_A "\n1 2026-11-21 " SECRET_B "\n",
		"tag.keys:2: another key has this number"},
};

START_TEST(reads_the_file)
{
	const struct file_case *row = &file_cases[_i];
	struct tag_keys *read = NULL;
	const char *error = NULL;
	enum status status;

	write_file(row->text, strlen(row->text), 0640);
	status = tag_keys_read(context, path, &read, &error);
	if (row->says == NULL) {
		ck_assert_msg(status == STATUS_OK, "%s: got %s", row->text, error);
		ck_assert_ptr_null(error);
		ck_assert_str_eq(read->path, path);
		ck_assert_uint_eq(read->items[0].id, 1);
		ck_assert_int_eq(read->items[0].created_s, 20777 * DAY);
		ck_assert_uint_eq(read->items[0].secret[1], 0x11);
		ck_assert_uint_eq(read->items[0].secret[31], 0xFF);
		return;
	}
	ck_assert_int_eq(status, STATUS_DATA);
	ck_assert_ptr_null(read);
	ck_assert_msg(strstr(error, row->says) && strstr(error, path), "want %s, got %s", row->says,
		error);
	ck_assert_msg(!strstr(error, "112233"), "a secret is shown: %s", error);
}
END_TEST

struct mode_case {
	mode_t mode;
	const char *says; /* NULL: is read */
};

static const struct mode_case mode_cases[] = {
	{0600, NULL},
	{0640, NULL},
	{0400, NULL},
	{0644, "run: chmod o= "},
	{0642, "run: chmod o= "},
	{0641, "run: chmod o= "},
	{0660, "run: chmod g=r "},
	{0664, "run: chmod o= "},
};

START_TEST(refuses_what_others_may_use)
{
	static const char text[] = "1 2026-11-20 " SECRET_A "\n";
	const struct mode_case *row = &mode_cases[_i];
	struct tag_keys *read = NULL;
	const char *error = NULL;
	enum status want = row->says == NULL ? STATUS_OK : STATUS_PERMISSION;
	struct tag_keys_change change = {.lifetime_s = 0};

	write_file(text, strlen(text), row->mode);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), want);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), want);
	if (row->says == NULL)
		return;
	ck_assert_msg(strstr(error, row->says), "want %s, got %s", row->says, error);
	ck_assert_str_eq(read_back(), text);
}
END_TEST

START_TEST(refuses_what_is_no_file)
{
	char *other = mem_printf(context, "%s/other", folder);
	char *large = mem_alloc(context, 100000);
	struct tag_keys *read = NULL;
	const char *error = NULL;
	struct tag_keys_change change = {.lifetime_s = 0};

	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_NO_INPUT);
	ck_assert_ptr_nonnull(strstr(error, path));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_PERMISSION);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_PERMISSION);
	ck_assert_ptr_nonnull(strstr(error, "symbolic link"));
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_PERMISSION);
	ck_assert_int_ne(access(other, F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
	memset(large, '\n', 100000);
	write_file(large, 100000, 0600);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_DATA);
	ck_assert_ptr_nonnull(strstr(error, "larger than"));
	write_file("#\0\n", 3, 0600);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_DATA);
	ck_assert_ptr_nonnull(strstr(error, "NUL"));
	other = mem_printf(context, "%s/none/tag.keys", folder);
	ck_assert_int_eq(tag_keys_add(context, other, NOW, &change, &error), STATUS_NO_INPUT);
}
END_TEST

START_TEST(adds_to_none)
{
	struct tag_keys *read;
	const char *error;
	struct stat about;
	struct tag_keys_change change = {.id = 99};

	umask(077);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
	ck_assert_ptr_null(error);
	ck_assert_int_eq(stat(path, &about), 0);
	ck_assert_uint_eq(about.st_mode & 07777, 0640);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	ck_assert_uint_eq(read->count, 1);
	ck_assert_uint_eq(read->items[0].id, change.id);
	ck_assert_int_eq(read->items[0].created_s, 20780 * DAY);
}
END_TEST

static const char *const old_texts[] = {
	"# mine\n\n5 2026-11-20 " SECRET_A "  \r\n# end\n",
	"5 2026-11-20 " SECRET_A, /* no line end */
	"31 2026-11-19 " SECRET_B "\n5 2026-11-20 " SECRET_A "\n",
};

START_TEST(adds_to_some)
{
	const struct timespec written[2] = {{NOW, 0}, {NOW - 9 * DAY, 0}};
	const char *old = old_texts[_i];
	struct tag_keys *read;
	const char *error;
	struct stat about;
	struct tag_keys_change change = {.lifetime_s = 0};

	write_file(old, strlen(old), 0600);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, written, 0), 0);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
	ck_assert_uint_eq(change.id, 6);
	ck_assert_int_eq(strncmp(read_back(), old, strlen(old)), 0);
	ck_assert_int_eq(stat(path, &about), 0);
	ck_assert_uint_eq(about.st_mode & 07777, 0600);
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	/* A key that is added changes none of the others. */
	ck_assert_int_eq(read->changed_s, NOW - 9 * DAY);
	keys = *read;
	ck_assert_uint_eq(keys.items[keys.count - 1].id, 6);
	ck_assert_int_ne(
		memcmp(keys.items[keys.count - 1].secret, keys.items[0].secret, TAG_KEY_SIZE), 0);
	assert_result(make(MAILBOX, NULL, NOW), NULL, NOW, TAG_VALID);
}
END_TEST

START_TEST(adds_until_full)
{
	char *temporary = mem_printf(context, "%s/.tag.keys.new", folder);
	unsigned seen = 0;
	struct tag_keys *read;
	const char *error;
	struct tag_keys_change change = {.lifetime_s = 0};

	/* Left by a process that was killed. */
	ck_assert_int_eq(close(open(temporary, O_CREAT | O_WRONLY, 0600)), 0);
	for (unsigned i = 0; i < TAG_KEYS_MAX; i++) {
		ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
		ck_assert_uint_lt(change.id, TAG_KEYS_MAX);
		seen |= 1u << change.id;
	}
	ck_assert_uint_eq(seen, 0xFFFFFFFFu);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_NO_SPACE);
	ck_assert_ptr_nonnull(strstr(error, "delete the oldest line"));
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	ck_assert_uint_eq(read->count, TAG_KEYS_MAX);
}
END_TEST

/* A key goes when the last tag that it can have signed is over, a week and a day later; not before,
 * and not where the lifetime is not known. The other bytes stay. */
START_TEST(removes_what_is_over)
{
	static const char old[] = "# mine\n"
				  "1 2026-10-01 " SECRET_A "\n"
				  "2 2026-11-01 " SECRET_B "\n"
				  "# theirs\n";
	static const struct {
		int64_t lifetime_s;
		int64_t now; /* days behind 2026-11-01 */
		size_t removed;
	} rows[] = {{14 * DAY, 14 + 8, 0}, {14 * DAY, 14 + 9, 1}, {0, 1000, 0}, {60 * DAY, 60, 0}};
	int64_t first = 20758 * DAY;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct tag_keys_change change = {.lifetime_s = rows[i].lifetime_s};
		struct tag_keys *read;
		const char *error;

		write_file(old, strlen(old), 0600);
		ck_assert_int_eq(
			tag_keys_add(context, path, first + rows[i].now * DAY, &change, &error),
			STATUS_OK);
		ck_assert_msg(change.removed == rows[i].removed, "row %zu: %zu", i, change.removed);
		ck_assert_uint_eq(change.id, 3);
		ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
		ck_assert_uint_eq(read->count, 3 - rows[i].removed);
		ck_assert_ptr_nonnull(strstr(read_back(), "# mine\n"));
		ck_assert_ptr_nonnull(strstr(read_back(), SECRET_B "\n# theirs\n3 "));
		ck_assert((strstr(read_back(), SECRET_A) == NULL) == (rows[i].removed == 1));
	}
}
END_TEST

/* The file is lost and made anew, more than once: what the lost key has signed is of no key that we
 * know, and never bad, whatever number the new one has. */
START_TEST(a_file_made_anew_makes_no_tag_bad)
{
	for (int i = 0; i < 64; i++) {
		struct tag_keys_change change = {.lifetime_s = LIFETIME};
		struct tag_keys *read;
		const char *error, *old = make(MAILBOX, NULL, NOW);

		unlink(path);
		ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_OK);
		ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
		keys = *read;
		assert_result(old, NULL, NOW + DAY, TAG_NO_KEY);
		assert_result(make(MAILBOX, NULL, NOW + DAY), NULL, NOW + DAY, TAG_VALID);
	}
}
END_TEST

START_TEST(leaves_a_wrong_file_alone)
{
	static const char text[] = "1 2026-11-20 oops\n";
	const char *error;
	struct tag_keys_change change = {.lifetime_s = 0};

	write_file(text, strlen(text), 0600);
	ck_assert_int_eq(tag_keys_add(context, path, NOW, &change, &error), STATUS_DATA);
	ck_assert_str_eq(read_back(), text);
}
END_TEST

/* Several processes at once: no key is lost. */
START_TEST(adds_one_after_the_other)
{
	struct tag_keys *read;
	const char *error;
	pid_t children[8];
	struct tag_keys_change change = {.lifetime_s = 0};
	int how;

	for (size_t i = 0; i < LENGTH(children); i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			_exit(tag_keys_add(context, path, NOW, &change, &error) != STATUS_OK);
	}
	for (size_t i = 0; i < LENGTH(children); i++) {
		ck_assert_int_eq(waitpid(children[i], &how, 0), children[i]);
		ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	}
	ck_assert_int_eq(tag_keys_read(context, path, &read, &error), STATUS_OK);
	ck_assert_uint_eq(read->count, LENGTH(children));
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
	SRunner *runner = srunner_create(suite);
	int failures;

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
	tcase_add_test(tcase, rotates);
	tcase_add_loop_test(tcase, reads_the_file, 0, LENGTH(file_cases));
	tcase_add_loop_test(tcase, refuses_what_others_may_use, 0, LENGTH(mode_cases));
	tcase_add_test(tcase, refuses_what_is_no_file);
	tcase_add_test(tcase, adds_to_none);
	tcase_add_loop_test(tcase, adds_to_some, 0, LENGTH(old_texts));
	tcase_add_test(tcase, adds_until_full);
	tcase_add_test(tcase, leaves_a_wrong_file_alone);
	tcase_add_test(tcase, removes_what_is_over);
	tcase_add_test(tcase, a_file_made_anew_makes_no_tag_bad);
	tcase_add_test(tcase, adds_one_after_the_other);
	tcase_add_test(tcase, results_have_names);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
