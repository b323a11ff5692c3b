/* test_prvs.c: other programs' tags: signatures computed beforehand by openssl(1), the day counter
 * and its wrap, and the key file. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/prvs.h"
#include "suite.h"

#define DAY ((int64_t)24 * 60 * 60)
#define WEEK (7 * DAY)
#define ANN "ann@lists.example.org"

static char folder[256], path[300];
static void *context;

static void setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(
		folder, sizeof folder, "%.200s/backstop-prvs-XXXXXX", base == NULL ? "/tmp" : base);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/prvs.keys", folder);
	context = mem_context(NULL, "test_prvs");
}

static void teardown(void)
{
	mem_free(context);
	unlink(path);
	rmdir(folder);
}

static enum status read_text(
	const char *text, mode_t mode, struct prvs_keys **keys, const char **error)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(chmod(path, mode), 0);
	return prvs_keys_read(context, path, keys, error);
}

static const char keys_text[] = "# ours\n0 other\n  0  sesame\r\n3\t00112233445566778899\n";

static const struct {
	const char *tag;
	const char *address;
	int64_t day; /* today */
	enum prvs_result result;
} rows[] = {
	/* Expires on day 787: valid from seven days before until then. */
	{"078794bd8d", ANN, 20787, PRVS_VALID},
	{"078794bd8d", ANN, 20780, PRVS_VALID},
	{"078794bd8d", ANN, 20779, PRVS_EXPIRED},
	{"078794bd8d", ANN, 20788, PRVS_EXPIRED},
	{"078794bd8d", ANN, 21780,
		PRVS_VALID}, /* 1000 days later: the form has no more than that */
	{"078794BD8D", ANN, 20787, PRVS_VALID},
	{"078794bd8d", "Ann@Lists.Example.ORG", 20787,
		PRVS_VALID}, /* folded on the way, or by us */
	{"0787e8efda", "Ann@Lists.example.org", 20787, PRVS_VALID}, /* signed as spelled */
	{"0787e8efda", ANN, 20787, PRVS_BAD},
	{"078732ab86", ANN, 20787, PRVS_VALID}, /* the other key of this number */
	/* Across the wrap: signed on day 20996, expires on day 21003. */
	{"0003d8b735", ANN, 20995, PRVS_EXPIRED},
	{"0003d8b735", ANN, 20996, PRVS_VALID},
	{"0003d8b735", ANN, 20999, PRVS_VALID},
	{"0003d8b735", ANN, 21000, PRVS_VALID},
	{"0003d8b735", ANN, 21003, PRVS_VALID},
	{"0003d8b735", ANN, 21004, PRVS_EXPIRED},
	{"0003d8b735", ANN, 21900, PRVS_EXPIRED},
	/* Hex digits: as text and as bytes. */
	{"3005ac1f45", ANN, 21000, PRVS_VALID},
	{"30054c7f33", ANN, 21000, PRVS_VALID},
	{"078794bd8d", "bob@lists.example.org", 20787, PRVS_BAD},
	{"078694bd8d", ANN, 20786, PRVS_BAD},
	{"0787000000", ANN, 20787, PRVS_BAD},
	{"178794bd8d", ANN, 20787, PRVS_NO_KEY},
	{"078794bd8d0", ANN, 20787, PRVS_ABSENT},
	{"0787xxxxxx", ANN, 20787, PRVS_ABSENT},
	{"a78794bd8d", ANN, 20787, PRVS_ABSENT},
	{"", ANN, 20787, PRVS_ABSENT},
	{NULL, ANN, 20787, PRVS_ABSENT},
};

START_TEST(checks)
{
	struct prvs_keys *keys;
	const char *error;

	ck_assert_int_eq(read_text(keys_text, 0640, &keys, &error), STATUS_OK);
	enum prvs_result got =
		prvs_check(keys, rows[_i].tag, rows[_i].address, WEEK, rows[_i].day * DAY + 4711);
	ck_assert_msg(got == rows[_i].result, "%s %s on day %d: want %s, got %s", rows[_i].tag,
		rows[_i].address, (int)rows[_i].day, prvs_result_name(rows[_i].result),
		prvs_result_name(got));
}
END_TEST

START_TEST(checks_nothing_without_keys)
{
	ck_assert_int_eq(prvs_check(NULL, "078794bd8d", ANN, WEEK, 20787 * DAY), PRVS_NO_KEY);
	/* The lifetime is the signer's. */
	struct prvs_keys *keys;
	const char *error;

	ck_assert_int_eq(read_text("sesame", 0600, &keys, &error), STATUS_OK);
	ck_assert_int_eq(prvs_check(keys, "078794bd8d", ANN, 14 * DAY, 20773 * DAY), PRVS_VALID);
	ck_assert_int_eq(prvs_check(keys, "078794bd8d", ANN, 14 * DAY, 20772 * DAY), PRVS_EXPIRED);
}
END_TEST

static const struct {
	const char *text;
	const char *says; /* NULL: is read */
} files[] = {
	{"sesame\n", NULL},
	{"0 sesame", NULL},
	{"", ": holds no key"},
	{"# nothing\n\n", ": holds no key"},
	{"10 sesame\n", "prvs.keys:1: want a number from 0 to 9"},
	{"x sesame\n", "prvs.keys:1: want a number from 0 to 9"},
	{"\n1 open sesame\n", "prvs.keys:2: want two words"},
};

START_TEST(reads_the_file)
{
	struct prvs_keys *keys;
	const char *error;
	enum status status = read_text(files[_i].text, 0640, &keys, &error);

	if (files[_i].says == NULL) {
		ck_assert_int_eq(status, STATUS_OK);
		ck_assert_ptr_null(error);
		return;
	}
	ck_assert_int_eq(status, STATUS_DATA);
	ck_assert_ptr_null(keys);
	ck_assert_msg(strstr(error, files[_i].says) != NULL, "%s", error);
	ck_assert_msg(strstr(error, "sesame") == NULL, "tells the secret: %s", error);
}
END_TEST

START_TEST(refuses_what_others_may_use)
{
	struct prvs_keys *keys;
	const char *error;

	ck_assert_int_eq(read_text("0 sesame\n", 0644, &keys, &error), STATUS_PERMISSION);
	ck_assert_ptr_null(keys);
	ck_assert_ptr_nonnull(strstr(error, "others may use it; run: chmod o= "));
	ck_assert_int_eq(read_text("0 sesame\n", 0660, &keys, &error), STATUS_PERMISSION);
	unlink(path);
	ck_assert_int_eq(prvs_keys_read(context, path, &keys, &error), STATUS_NO_INPUT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prvs");
	TCase *tcase = tcase_create("prvs");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, checks, 0, ROWS(rows));
	tcase_add_test(tcase, checks_nothing_without_keys);
	tcase_add_loop_test(tcase, reads_the_file, 0, ROWS(files));
	tcase_add_test(tcase, refuses_what_others_may_use);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
