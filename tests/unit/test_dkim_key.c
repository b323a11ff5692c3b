/* test_dkim_key.c: the forms in which a DKIM public key is kept, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dkim_key.h"
#include "base/memory.h"
#include "suite.h"

#define RSA_KEY                                                                                    \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDNx+cmstmRF5SB36Q8Ozix/4pUgptNO5Lzdujka34tDitX0Ljb" \
	"dCfVERz/UZD0H9YGd4eZxwtwMX8d931JZNSY3ne50tqlsldoz3D7gqsNShhkmTcaVWNLjUVvn3t4bhNpTepaOciv" \
	"Xy/Vhdh3Z20s/abzsqu+fxz4/a1/HPV+pwIDAQAB"
#define RSA_BARE                                                                                   \
	"MIGJAoGBAM3H5yay2ZEXlIHfpDw7OLH/ilSCm007kvN26ORrfi0OK1fQuNt0J9URHP9RkPQf1gZ3h5nHC3Axfx33" \
	"fUlk1Jjed7nS2qWyV2jPcPuCqw1KGGSZNxpVY0uNRW+fe3huE2lN6lo5yK9fL9WF2HdnbSz9pvOyq75/HPj9rX8c" \
	"9X6nAgMBAAE="
#define ED_KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" /* RFC 8463 appendix A.2 */

static const struct {
	const char *what, *text;
	enum status status;
	const char *type; /* or what is said */
	int bits;
} rows[] = {
	{"a record", "v=DKIM1; k=rsa; p=" RSA_KEY, STATUS_OK, "rsa", 1024},
	{"without a type", "v=DKIM1; p=" RSA_KEY ";", STATUS_OK, "rsa", 1024},
	{"p= alone", "p=" RSA_KEY "\n", STATUS_OK, "rsa", 1024},
	{"with other tags", "v=DKIM1;h=sha256; t=y ; k = rsa ;s=email;p=" RSA_KEY, STATUS_OK, "rsa",
		1024},
	{"bare base64", RSA_KEY "\n", STATUS_OK, "rsa", 1024},
	{"RFC 6376's RSAPublicKey", "v=DKIM1; k=rsa; p=" RSA_BARE, STATUS_OK, "rsa", 1024},
	{"Ed25519", "v=DKIM1; k=ed25519; p=" ED_KEY, STATUS_OK, "ed25519", 256},
	{"Ed25519, bare", ED_KEY, STATUS_OK, "ed25519", 256},
	{"a zone file",
		"s1._domainkey\tIN\tTXT\t( \"v=DKIM1; k=ed25519; \"\n\t\"p=" ED_KEY "\" ) ; k",
		STATUS_OK, "ed25519", 256},
	{"PEM", "-----BEGIN PUBLIC KEY-----\n" RSA_KEY "\n-----END PUBLIC KEY-----\n", STATUS_OK,
		"rsa", 1024},
	{"PEM, RSA", "-----BEGIN RSA PUBLIC KEY-----\n" RSA_BARE "\n-----END RSA PUBLIC KEY-----\n",
		STATUS_OK, "rsa", 1024},
	{"revoked", "v=DKIM1; k=rsa; p=", STATUS_NOT_FOUND, "revoked", 0},
	{"revoked, with an end", "v=DKIM1; p= ;", STATUS_NOT_FOUND, "revoked", 0},
	{"private", "-----BEGIN PRIVATE KEY-----\n" RSA_KEY "\n-----END PRIVATE KEY-----\n",
		STATUS_PERMISSION, "holds a private key", 0},
	{"private, RSA", "x\n-----BEGIN RSA PRIVATE KEY-----\n", STATUS_PERMISSION,
		"holds a private key", 0},
	{"another type", "v=DKIM1; k=ed25519; p=" RSA_KEY, STATUS_DATA, "want a public key", 0},
	{"Ed25519 called RSA", "v=DKIM1; p=" ED_KEY, STATUS_DATA, "want a public key", 0},
	{"another version", "v=DKIM2; p=" RSA_KEY, STATUS_DATA, "want a public key", 0},
	{"no p=", "v=DKIM1; k=rsa", STATUS_DATA, "want a public key", 0},
	{"cut", "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GN", STATUS_DATA, "want a public key", 0},
	{"no base64", "p=!!!!", STATUS_DATA, "want a public key", 0},
	{"PEM without an end", "-----BEGIN PUBLIC KEY-----\n" RSA_KEY, STATUS_DATA,
		"want a public key", 0},
	{"nothing", "", STATUS_DATA, "want a public key", 0},
	{"words", "the key is under the mat", STATUS_DATA, "want a public key", 0},
	{"only signs", ";;==;\"\";=p=;", STATUS_DATA, "want a public key", 0},
};

START_TEST(parses)
{
	void *context = mem_context(NULL, "test");
	struct bytes text = {(const unsigned char *)rows[_i].text, strlen(rows[_i].text)};
	const char *error = NULL;
	struct dkim_key key;
	enum status status = dkim_key_parse(context, text, &key, &error);

	ck_assert_msg(status == rows[_i].status, "%s: want %s, got %s", rows[_i].what,
		status_text(rows[_i].status), status_text(status));
	if (status != STATUS_OK) {
		ck_assert_msg(
			strstr(error, rows[_i].type) != NULL, "%s: got %s", rows[_i].what, error);
	} else {
		ck_assert_ptr_null(error);
		ck_assert_str_eq(key.type, rows[_i].type);
		ck_assert_int_eq(key.bits, rows[_i].bits);
		ck_assert_str_eq(
			key.record, key.bits == 256 ? "k=ed25519; p=" ED_KEY : "k=rsa; p=" RSA_KEY);
	}
	mem_free(context);
}
END_TEST

/* No cut of a key is another key, and none does harm. */
START_TEST(a_cut_key_is_none)
{
	static const char text[] = "v=DKIM1; k=rsa; p=" RSA_KEY;
	void *context = mem_context(NULL, "test");

	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		struct bytes cut = {(const unsigned char *)text, size};
		const char *error;
		struct dkim_key key;
		ck_assert_int_ne(dkim_key_parse(context, cut, &key, &error), STATUS_OK);
	}
	mem_free(context);
}
END_TEST

START_TEST(reads_files)
{
	void *context = mem_context(NULL, "test");
	char path[] = "/tmp/backstop-key-XXXXXX";
	int fd = mkstemp(path);
	const char *error;
	struct dkim_key key;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, RSA_KEY, strlen(RSA_KEY)), strlen(RSA_KEY));
	ck_assert_int_eq(dkim_key_read(context, path, &key, &error), STATUS_OK);
	ck_assert_int_eq(key.bits, 1024);
	ck_assert_int_eq(fchmod(fd, 0646), 0);
	ck_assert_int_eq(dkim_key_read(context, path, &key, &error), STATUS_PERMISSION);
	ck_assert_ptr_nonnull(strstr(error, path));
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	ck_assert_int_eq(ftruncate(fd, DKIM_KEY_FILE_MAX + 1), 0);
	ck_assert_int_eq(dkim_key_read(context, path, &key, &error), STATUS_DATA);
	ck_assert_ptr_nonnull(strstr(error, "larger"));
	close(fd);
	unlink(path);
	ck_assert_int_eq(dkim_key_read(context, path, &key, &error), STATUS_NO_INPUT);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(dkim_key_read(context, path, &key, &error), STATUS_DATA);
	unlink(path);
	mem_free(context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dkim_key");
	TCase *tcase = tcase_create("dkim_key");

	tcase_add_loop_test(tcase, parses, 0, ROWS(rows));
	tcase_add_test(tcase, a_cut_key_is_none);
	tcase_add_test(tcase, reads_files);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
