/* test_hold.c: messages in STATE/held: compressed, given back byte for byte, or known to be
 * damaged; and what no record names. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/act.h"
#include "act/gzip.h"
#include "base/memory.h"
#include "suite.h"

#define NOW INT64_C(1795461562)

static void *context;
static char *folder;

static void set_up(void)
{
	const char *parent = getenv("TMPDIR");

	context = mem_context(NULL, "test");
	folder = mem_printf(context, "%s/backstop-hold.XXXXXX", parent != NULL ? parent : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void tear_down(void)
{
	nftw(folder, remove_entry, 10, FTW_DEPTH | FTW_PHYS);
	mem_free(context);
}

static char *path_of(const char *name)
{
	return mem_printf(context, "%s/%s", folder, name);
}

static char *held_path(const char *file)
{
	return mem_printf(context, "%s/held/new/%s", folder, file);
}

static void write_bytes(const char *path, struct bytes bytes)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
	ck_assert_int_eq(fclose(file), 0);
}

static struct bytes of_text(const char *text)
{
	return (struct bytes){(const unsigned char *)text, strlen(text)};
}

static char *keep(struct bytes original)
{
	const char *error = NULL;
	char *file = NULL;
	enum status status = hold_keep(context, folder, original, &file, &error);

	ck_assert_msg(status == STATUS_OK, "keep: got %s: %s", status_text(status), error);
	return file;
}

static void check_read(const char *file, struct bytes want)
{
	const char *error = NULL;
	struct bytes back = {NULL, 0};
	enum status status = hold_read(context, folder, file, &back, &error);

	ck_assert_msg(status == STATUS_OK, "read: got %s: %s", status_text(status), error);
	ck_assert_msg(back.size == want.size &&
			      (want.size == 0 || memcmp(back.data, want.data, want.size) == 0),
		"got %zu bytes, want %zu", back.size, want.size);
}

static void check_damaged(const char *file)
{
	const char *error = NULL;
	struct bytes back = {NULL, 0};
	enum status status = hold_read(context, folder, file, &back, &error);

	ck_assert_msg(status == STATUS_DATA, "got %s, want damaged data", status_text(status));
	ck_assert_ptr_nonnull(strstr(error, "its file is damaged"));
}

/* Bytes as in mail, or such as cannot be compressed. The sizes are those at which a piece ends, and
 * a large message. */
static const struct {
	size_t size;
	bool is_random;
} originals[] = {
	{0, false},
	{1, false},
	{14, true},
	{32767, true},
	{32768, true},
	{32769, true},
	{65536, false},
	{65536, true},
	{131073, true},
	{1048575, false},
	{1048576, false},
	{3000000, true},
	{20000000, false},
};

static struct bytes make_original(size_t size, bool is_random)
{
	static const char line[] = "Received: from mx \0\xE9 (mx.example.net) by\r\n";
	unsigned char *data = mem_alloc(context, size + 1);
	uint32_t number = 1;

	for (size_t i = 0; i < size; i++) {
		number = number * 1664525 + 1013904223;
		data[i] = is_random ? (unsigned char)(number >> 24)
				    : (unsigned char)line[i % (sizeof line - 1)];
	}
	return (struct bytes){data, size};
}

START_TEST(keeps_and_gives_back)
{
	struct bytes original = make_original(originals[_i].size, originals[_i].is_random);
	const char *file = keep(original);
	uint64_t stored = hold_stored(folder, file);
	struct bytes back;
	const char *error = NULL;

	ck_assert_str_eq(file + strlen(file) - 3, ".gz");
	check_read(file, original);
	ck_assert_uint_eq(stored % 4096, 0);
	ck_assert_uint_ge(stored, 4096);
	if (!originals[_i].is_random && original.size > 40000)
		ck_assert_uint_lt(stored, original.size / 4);
	ck_assert_int_eq(hold_remove(folder, file), STATUS_OK);
	ck_assert_int_eq(hold_remove(folder, file), STATUS_NO_INPUT);
	ck_assert_int_eq(hold_read(context, folder, file, &back, &error), STATUS_NO_INPUT);
	ck_assert_ptr_nonnull(strstr(error, strerror(ENOENT)));
	ck_assert_uint_eq(hold_stored(folder, file), 0);
}
END_TEST

/* A name that is taken makes it begin again, from wherever it was. */
START_TEST(packs_anew)
{
	struct bytes original = make_original(originals[_i].size, originals[_i].is_random);
	struct gzip_packer *packer = gzip_pack(context, original);
	const char *path = path_of("again.gz");
	struct bytes piece;
	FILE *file = fopen(path, "w");
	bool is_gzip = false;
	int opened;

	gzip_next(packer);
	gzip_rewind(packer);
	while ((piece = gzip_next(packer)).size > 0)
		ck_assert_uint_eq(fwrite(piece.data, 1, piece.size, file), piece.size);
	ck_assert_uint_eq(gzip_next(packer).size, 0);
	ck_assert_int_eq(fclose(file), 0);
	opened = open(path, O_RDONLY);
	ck_assert_int_eq(gzip_ask(opened, &is_gzip), 0);
	ck_assert(is_gzip);
	ck_assert_int_eq(gzip_unpack(context, opened, &piece), 0);
	close(opened);
	ck_assert_uint_eq(piece.size, original.size);
	ck_assert(piece.size == 0 || memcmp(piece.data, original.data, piece.size) == 0);
}
END_TEST

/* What an older version left is plain, and its host may have been called "mail.gz". */
START_TEST(plain_file_is_read)
{
	static const char *const names[] = {"7.M1P2Q0.host", "7.M1P2Q0.mail.gz"};
	const char *text = "From: a\n\nkept by an older version\n";

	keep(of_text("other"));
	for (size_t i = 0; i < ROWS(names); i++) {
		write_bytes(held_path(names[i]), of_text(text));
		check_read(names[i], of_text(text));
	}
	write_bytes(held_path("8.M1P2Q0.mail.gz"), of_text(""));
	check_read("8.M1P2Q0.mail.gz", of_text(""));
}
END_TEST

START_TEST(flags_do_no_harm)
{
	struct bytes original = make_original(5000, false);
	const char *file = keep(original);

	ck_assert_int_eq(
		rename(held_path(file), mem_printf(context, "%s/held/cur/%s:2,S", folder, file)),
		0);
	check_read(file, original);
}
END_TEST

/* ---- damage ---- */

START_TEST(cut_file_is_known)
{
	const char *file = keep(make_original(50000, true));
	struct stat about;

	ck_assert_int_eq(stat(held_path(file), &about), 0);
	for (off_t size = about.st_size - 1; size > 2; size -= size > 9 ? size / 9 : 1) {
		ck_assert_int_eq(truncate(held_path(file), size), 0);
		check_damaged(file);
	}
}
END_TEST

static const long damaged_at[] = {2, 10, 100, 20000, -9, -8, -5, -4, -1};

START_TEST(changed_byte_is_known)
{
	const char *file = keep(make_original(50000, true));
	FILE *opened = fopen(held_path(file), "r+");
	int byte;

	ck_assert_int_eq(
		fseek(opened, damaged_at[_i], damaged_at[_i] < 0 ? SEEK_END : SEEK_SET), 0);
	byte = fgetc(opened);
	ck_assert_int_eq(fseek(opened, -1, SEEK_CUR), 0);
	fputc(byte ^ 0x55, opened);
	ck_assert_int_eq(fclose(opened), 0);
	check_damaged(file);
}
END_TEST

START_TEST(claim_of_gigabytes_is_refused)
{
	const char *file = keep(of_text("short"));
	FILE *opened = fopen(held_path(file), "r+");

	ck_assert_int_eq(fseek(opened, -1, SEEK_END), 0);
	fputc(0x3F, opened);
	ck_assert_int_eq(fclose(opened), 0);
	check_damaged(file);
}
END_TEST

/* ---- names ---- */

static const char *const foreign_names[] = {
	"", ".", "..", "../secret", "/etc/hostname", ".hidden", "../secret.gz", ".gz"};

START_TEST(stays_in_its_folder)
{
	const char *const secrets[] = {
		path_of("secret"), path_of("held/secret"), path_of("held/secret.gz")};
	const char *error = NULL;
	struct bytes back = {NULL, 0};

	keep(of_text("other"));
	for (size_t i = 0; i < ROWS(secrets); i++)
		write_bytes(secrets[i], of_text("secret"));
	ck_assert_int_ne(hold_read(context, folder, foreign_names[_i], &back, &error), STATUS_OK);
	ck_assert_ptr_nonnull(error);
	ck_assert_int_ne(hold_remove(folder, foreign_names[_i]), STATUS_OK);
	for (size_t i = 0; i < ROWS(secrets); i++)
		ck_assert_int_eq(access(secrets[i], F_OK), 0);
}
END_TEST

/* ---- what nobody names ---- */

static bool is_that_file(void *argument, const char *file)
{
	return strcmp(argument, file) == 0;
}

static void make_older(const char *path, int64_t seconds)
{
	const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void mark_read(const char *file)
{
	ck_assert_int_eq(
		rename(held_path(file), mem_printf(context, "%s/held/cur/%s:2,S", folder, file)),
		0);
}

START_TEST(sweeps_what_nobody_names)
{
	/* named and old; named, old and read; orphaned and old; orphaned, old and read; new */
	char *files[5];
	const char *error = NULL;
	uint64_t removed = 99;

	ck_assert_int_eq(hold_sweep(folder, NOW, is_that_file, "", &removed), STATUS_OK);
	ck_assert_uint_eq(removed, 0); /* nothing was ever held */
	for (size_t i = 0; i < ROWS(files); i++) {
		files[i] = keep(of_text("From: a\n\nbody\n"));
		make_older(held_path(files[i]), i == 4 ? NOW : NOW - 1);
	}
	mark_read(files[0]);
	mark_read(files[3]);
	ck_assert_int_eq(hold_sweep(folder, NOW, is_that_file, files[0], &removed), STATUS_OK);
	ck_assert_uint_eq(removed, 3);
	for (size_t i = 0; i < ROWS(files); i++) {
		struct bytes back;
		enum status want = i == 0 || i == 4 ? STATUS_OK : STATUS_NO_INPUT;
		enum status got = hold_read(context, folder, files[i], &back, &error);

		ck_assert_msg(got == want, "file %zu: got %s, want %s", i, status_text(got),
			status_text(want));
	}
	/* They can be read as mail where they are now. */
	ck_assert_int_eq(
		system(mem_printf(context,
			"test \"$(cat '%s'/unclaimed/new/* | grep -c '^body$')\" = 3", folder)),
		0);
}
END_TEST

START_TEST(sweeps_a_damaged_one_as_it_is)
{
	const char *file = keep(make_original(5000, true));
	const char *moved = mem_printf(context, "%s/unclaimed/new/%s", folder, file);
	uint64_t removed = 0;
	struct stat about;

	ck_assert_int_eq(truncate(held_path(file), 1000), 0);
	make_older(held_path(file), NOW - 1);
	ck_assert_int_eq(hold_sweep(folder, NOW, is_that_file, "", &removed), STATUS_OK);
	ck_assert_uint_eq(removed, 1);
	ck_assert_int_eq(stat(moved, &about), 0);
	ck_assert_int_eq(about.st_size, 1000);
	ck_assert_int_eq(access(held_path(file), F_OK), -1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("hold");
	TCase *tcase = tcase_create("hold");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, keeps_and_gives_back, 0, ROWS(originals));
	tcase_add_loop_test(tcase, packs_anew, 0, ROWS(originals));
	tcase_add_test(tcase, plain_file_is_read);
	tcase_add_test(tcase, flags_do_no_harm);
	tcase_add_test(tcase, cut_file_is_known);
	tcase_add_loop_test(tcase, changed_byte_is_known, 0, ROWS(damaged_at));
	tcase_add_test(tcase, claim_of_gigabytes_is_refused);
	tcase_add_loop_test(tcase, stays_in_its_folder, 0, ROWS(foreign_names));
	tcase_add_test(tcase, sweeps_what_nobody_names);
	tcase_add_test(tcase, sweeps_a_damaged_one_as_it_is);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return suite_run(make_suite());
}
