/*
 * dkim_key.c: in charge of the forms in which a DKIM public key is kept, all brought to the one
 * that verifiers read. Leaves it to others to say which key belongs to a signature.
 *
 * Surprising: OpenSSL, which knows those forms, is loaded when the first key is read. Linked, its
 * relocations and its setting up were a third of what a delivery takes, and few deliveries meet a
 * signature of ours.
 */
#include "base/dkim_key.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define LIBRARY_NAME "libcrypto.so.3"
#define ED25519_SIZE 32
#define ED25519_BITS 256

static const char not_a_key[] = "want a public key: PEM, a DNS record (v=DKIM1; p=...) or base64";

/* ---- the library ---- */

/* Its functions, with the types that its headers give them. */
#define FUNCTIONS(FUNCTION)                                                                        \
	FUNCTION(ERR_clear_error)                                                                  \
	FUNCTION(CRYPTO_free)                                                                      \
	FUNCTION(d2i_PUBKEY)                                                                       \
	FUNCTION(d2i_PublicKey)                                                                    \
	FUNCTION(i2d_PUBKEY)                                                                       \
	FUNCTION(EVP_PKEY_free)                                                                    \
	FUNCTION(EVP_PKEY_get_base_id)                                                             \
	FUNCTION(EVP_PKEY_get_bits)                                                                \
	FUNCTION(EVP_PKEY_get_size)                                                                \
	FUNCTION(EVP_PKEY_get_raw_public_key)                                                      \
	FUNCTION(EVP_PKEY_CTX_new)                                                                 \
	FUNCTION(EVP_PKEY_CTX_free)                                                                \
	FUNCTION(EVP_PKEY_CTX_set_rsa_padding)                                                     \
	FUNCTION(EVP_PKEY_verify_recover_init)                                                     \
	FUNCTION(EVP_PKEY_verify_recover)

#define MEMBER(name) __typeof__(name) *name##_;
#define ROW(name) {#name, offsetof(struct library, name##_)},

static struct library {
	bool is_loaded;
	FUNCTIONS(MEMBER)
} library;

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {FUNCTIONS(ROW)};

/* False when it cannot be loaded. */
static bool load_library(void)
{
	/* Not closed again: it has registered what it does when the process ends. */
	void *object = library.is_loaded ? NULL : dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; object != NULL && i < sizeof symbols / sizeof symbols[0]; i++) {
		void *symbol = dlsym(object, symbols[i].name);

		if (symbol == NULL)
			return false;
		memcpy((char *)&library + symbols[i].offset, &symbol, sizeof symbol);
	}
	library.is_loaded = library.is_loaded || object != NULL;
	return library.is_loaded;
}

/* ---- base64 ---- */

/* The bytes of base64 text without white space in it; NULL when it is none. */
static unsigned char *decode(const void *context, const char *text, size_t *size_out)
{
	size_t length = strlen(text);
	unsigned char *data = mem_alloc(context, BASE64_DECODE_LENGTH(length) + 1);
	struct base64_decode_ctx decoder;

	*size_out = 0;
	base64_decode_init(&decoder);
	if (length <= DKIM_KEY_FILE_MAX &&
		base64_decode_update(&decoder, size_out, data, length, text) &&
		base64_decode_final(&decoder) && *size_out > 0)
		return data;
	mem_free(data);
	return NULL;
}

static char *encode(const void *context, const unsigned char *data, size_t size)
{
	char *text = mem_alloc(context, BASE64_ENCODE_RAW_LENGTH(size) + 1);

	base64_encode_raw(text, size, data);
	text[BASE64_ENCODE_RAW_LENGTH(size)] = '\0';
	return text;
}

static char *without_space(const void *context, const char *text, size_t size)
{
	char *copy = mem_alloc(context, size + 1);
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (!isspace((unsigned char)text[i]))
			copy[used++] = text[i];
	}
	return copy;
}

/* ---- keys ---- */

/* SubjectPublicKeyInfo (PEM, RFC 6376), or the bare RSAPublicKey that some write. */
static EVP_PKEY *load_der(const unsigned char *data, size_t size)
{
	const unsigned char *at = data;
	EVP_PKEY *key = library.d2i_PUBKEY_(NULL, &at, (long)size);

	at = data;
	if (key == NULL)
		key = library.d2i_PublicKey_(EVP_PKEY_RSA, NULL, &at, (long)size);
	library.ERR_clear_error_();
	return key;
}

static bool fill_ed25519(
	const void *context, const unsigned char *raw, size_t size, struct dkim_key *key)
{
	if (size != ED25519_SIZE)
		return false;
	key->type = "ed25519";
	key->bits = ED25519_BITS;
	key->record = mem_printf(context, "k=ed25519; p=%s", encode(context, raw, size));
	return true;
}

static bool fill_rsa(const void *context, EVP_PKEY *loaded, struct dkim_key *key)
{
	unsigned char *der = NULL;
	int size = library.i2d_PUBKEY_(loaded, &der);

	if (size <= 0)
		return false;
	key->type = "rsa";
	key->bits = library.EVP_PKEY_get_bits_(loaded);
	key->record = mem_printf(context, "k=rsa; p=%s", encode(context, der, (size_t)size));
	library.CRYPTO_free_(der, __FILE__, __LINE__);
	return true;
}

/* From the base64 of a p= tag or a PEM file. type: what the record says, or NULL. */
static bool fill(const void *context, const char *base64, const char *type, struct dkim_key *key)
{
	size_t size = 0, raw_size = ED25519_SIZE;
	unsigned char *data = decode(context, base64, &size), raw[ED25519_SIZE];
	EVP_PKEY *loaded = data == NULL ? NULL : load_der(data, size);
	bool is_right = false;

	memset(key, 0, sizeof(*key));
	if (loaded != NULL && library.EVP_PKEY_get_base_id_(loaded) == EVP_PKEY_RSA)
		is_right = fill_rsa(context, loaded, key);
	else if (loaded != NULL && library.EVP_PKEY_get_base_id_(loaded) == EVP_PKEY_ED25519)
		is_right = library.EVP_PKEY_get_raw_public_key_(loaded, raw, &raw_size) == 1 &&
			   fill_ed25519(context, raw, raw_size, key);
	else if (loaded == NULL && data != NULL)
		is_right = fill_ed25519(context, data, size, key);
	library.EVP_PKEY_free_(loaded);
	library.ERR_clear_error_();
	return is_right && (type == NULL || text_equal_fold(type, key->type));
}

/* ---- text ---- */

/* The value of a tag in "v=DKIM1; k=rsa; p=...", without white space; NULL when it is not there. */
static char *find_tag(const void *context, const char *text, char name)
{
	while (text != NULL) {
		text += strspn(text, " \t\r\n;");
		size_t size = strcspn(text, ";");
		size_t gap = 1 + strspn(text + (*text != '\0'), " \t\r\n");
		if (*text == name && text[gap] == '=')
			return without_space(context, text + gap + 1, size - gap - 1);
		text = text[size] == '\0' ? NULL : text + size;
	}
	return NULL;
}

/* What stands in quotes, joined: a record in a zone file comes in several strings. */
static char *join_quoted(const void *context, const char *text)
{
	char *joined = mem_alloc(context, strlen(text) + 1);
	size_t used = 0;

	for (bool is_inside = false; *text != '\0'; text++) {
		if (*text == '"')
			is_inside = !is_inside;
		else if (is_inside)
			joined[used++] = *text;
	}
	return joined;
}

static enum status parse_record(
	const void *context, const char *text, struct dkim_key *key_out, const char **error_out)
{
	char *version = find_tag(context, text, 'v');
	char *type = find_tag(context, text, 'k');
	char *base64 = find_tag(context, text, 'p');

	*error_out = not_a_key;
	if (version != NULL && strcmp(version, "DKIM1") != 0)
		return STATUS_DATA;
	if (base64 != NULL && *base64 == '\0') {
		*error_out = "the key is revoked: its p= is empty";
		return STATUS_NOT_FOUND;
	}
	if (base64 == NULL || !fill(context, base64, type == NULL ? "rsa" : type, key_out))
		return STATUS_DATA;
	*error_out = NULL;
	return STATUS_OK;
}

/* The base64 between the lines of a PEM file, or all of the text when it has no such lines. */
static char *find_base64(const void *context, const char *text)
{
	const char *begin = strstr(text, "-----BEGIN ");
	const char *end = begin == NULL ? NULL : strstr(begin, "-----END ");

	if (begin == NULL)
		return without_space(context, text, strlen(text));
	begin = strchr(begin, '\n');
	if (begin == NULL || end == NULL || begin > end)
		return NULL;
	return without_space(context, begin, (size_t)(end - begin));
}

enum status dkim_key_parse(
	const void *context, struct bytes text, struct dkim_key *key_out, const char **error_out)
{
	void *scratch = mem_context(NULL, "dkim_key_parse");
	char *copy = mem_strndup(scratch, (const char *)text.data, text.size);
	enum status status = STATUS_DATA;
	const char *base64;

	*error_out = not_a_key;
	if (strstr(copy, "PRIVATE KEY-----") != NULL) {
		*error_out = "holds a private key; want the public one, and the private one where "
			     "only the signer can read it";
		status = STATUS_PERMISSION;
		goto out;
	}
	if (!load_library()) {
		*error_out = LIBRARY_NAME " cannot be loaded";
		status = STATUS_IO;
		goto out;
	}
	if (strchr(copy, '"') != NULL)
		copy = join_quoted(scratch, copy);
	base64 = find_base64(scratch, copy);
	if (strstr(copy, "-----BEGIN ") == NULL && find_tag(scratch, copy, 'p') != NULL)
		status = parse_record(context, copy, key_out, error_out);
	else if (base64 != NULL && fill(context, base64, NULL, key_out))
		status = STATUS_OK;
	if (status == STATUS_OK)
		*error_out = NULL;
out:
	mem_free(scratch);
	return status;
}

/* ---- files ---- */

static enum status load(int fd, char *text, size_t *size_out, const char **why_out)
{
	struct stat about;
	ssize_t got = 0;

	*size_out = 0;
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		*why_out = "want a file";
		return STATUS_DATA;
	}
	if (about.st_mode & S_IWOTH) { /* whoever writes it makes signatures of ours */
		*why_out = "every user may write it; run chmod o-w on it";
		return STATUS_PERMISSION;
	}
	while (*size_out <= DKIM_KEY_FILE_MAX) {
		got = read(fd, text + *size_out, DKIM_KEY_FILE_MAX + 1 - *size_out);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*size_out += (size_t)got;
	}
	if (got < 0) {
		*why_out = strerror(errno);
		return STATUS_IO;
	}
	*why_out = "is larger than 16 KiB; want a public key";
	return *size_out > DKIM_KEY_FILE_MAX ? STATUS_DATA : STATUS_OK;
}

enum status dkim_key_read(
	const void *context, const char *path, struct dkim_key *key_out, const char **error_out)
{
	/* O_NONBLOCK: a FIFO must not make a delivery wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = mem_alloc(NULL, DKIM_KEY_FILE_MAX + 2);
	const char *why = NULL;
	size_t size = 0;
	enum status status;

	if (fd < 0) {
		status = status_from_errno(errno);
		why = strerror(errno);
	} else {
		status = load(fd, text, &size, &why);
		close(fd);
	}
	if (status == STATUS_OK)
		status = dkim_key_parse(
			context, (struct bytes){(unsigned char *)text, size}, key_out, &why);
	*error_out = status == STATUS_OK ? NULL : mem_printf(context, "%s: %s", path, why);
	explicit_bzero(text, DKIM_KEY_FILE_MAX + 2);
	mem_free(text);
	return status;
}

/* ---- signatures ---- */

bool dkim_key_has_made(const struct dkim_key *key, const char *signature, bool *is_known_out)
{
	void *scratch = mem_context(NULL, "dkim_key_has_made");
	const char *base64 = strstr(key->record, "p=") + 2;
	size_t der_size = 0, size = 0, room;
	unsigned char *der = decode(scratch, base64, &der_size);
	unsigned char *made =
		decode(scratch, without_space(scratch, signature, strlen(signature)), &size);
	EVP_PKEY *loaded = der == NULL || !load_library() || strcmp(key->type, "rsa") != 0
				   ? NULL
				   : load_der(der, der_size);
	EVP_PKEY_CTX *operation = NULL;
	bool is_made = false;

	*is_known_out = false;
	if (loaded == NULL || made == NULL || size != (size_t)library.EVP_PKEY_get_size_(loaded))
		goto out;
	operation = library.EVP_PKEY_CTX_new_(loaded, NULL);
	if (operation == NULL || library.EVP_PKEY_verify_recover_init_(operation) != 1 ||
		library.EVP_PKEY_CTX_set_rsa_padding_(operation, RSA_PKCS1_PADDING) != 1)
		goto out;
	room = size;
	is_made = library.EVP_PKEY_verify_recover_(
			  operation, mem_alloc(scratch, size), &room, made, size) == 1;
	*is_known_out = true;
out:
	library.EVP_PKEY_CTX_free_(operation);
	library.EVP_PKEY_free_(loaded);
	library.ERR_clear_error_();
	mem_free(scratch);
	return is_made;
}
