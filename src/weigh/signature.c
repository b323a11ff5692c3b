/*
 * signature.c: in charge of libopendkim: nobody else includes its header.
 *
 * Each signature gets a handle of its own, with its own field and all fields that are no
 * signatures. So one that the library stumbles over cannot stand in the way of the next, and no
 * signature can select every field of a block: libopendkim 2.11 writes behind its array then
 * (dkim_canon_selecthdrs). One that signs other signatures is not checked for the same reason.
 *
 * dkim_eoh() checks the signature over the fields and sets DKIM_SIGFLAG_PASSED; dkim_eom(), which
 * would compare the body, is not called. Not used: the macro DKIM_SIG_CHECK (wrong in some
 * releases), dkim_sig_hdrsigned() (takes "f" in h= for From), dkim_sig_getkeysize() (rounded up,
 * and 0 for Ed25519). The library asks the clock of the system, for which there is no option; so
 * expiry is put off by its clock drift, and judged by the caller.
 */
#include "weigh/signature.h"

#include <dkim.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define LIBRARY_NAME "libopendkim.so.11"
#define FIELD_LIST_MAX 2000	      /* bytes of h=; the library cuts at 4096 without a word */
#define DRIFT_S (20ULL * 365 * 86400) /* more than t= (seconds since 1970) would underflow */

typedef DKIM_STAT key_lookup(DKIM *, DKIM_SIGINFO *, unsigned char *, size_t);

/* What is used of it. */
struct library {
	DKIM_LIB *(*init)(void *(*)(void *, size_t), void (*)(void *, void *));
	DKIM_STAT (*options)(DKIM_LIB *, int, dkim_opts_t, void *, size_t);
	DKIM_STAT (*set_key_lookup)(DKIM_LIB *, key_lookup *);
	DKIM_STAT (*set_prescreen)(DKIM_LIB *, DKIM_CBSTAT (*)(DKIM *, DKIM_SIGINFO **, int));
	DKIM *(*verify)(DKIM_LIB *, const unsigned char *, void *, DKIM_STAT *);
	DKIM_STAT (*set_user_context)(DKIM *, void *);
	void *(*get_user_context)(DKIM *);
	DKIM_STAT (*header)(DKIM *, unsigned char *, size_t);
	DKIM_STAT (*eoh)(DKIM *);
	DKIM_STAT (*getsiglist)(DKIM *, DKIM_SIGINFO ***, int *);
	unsigned (*sig_getflags)(DKIM_SIGINFO *);
	int (*sig_getbh)(DKIM_SIGINFO *);
	unsigned char *(*sig_getdomain)(DKIM_SIGINFO *);
	unsigned char *(*sig_getselector)(DKIM_SIGINFO *);
	unsigned char *(*sig_gettagvalue)(DKIM_SIGINFO *, _Bool, unsigned char *);
	int (*sig_geterror)(DKIM_SIGINFO *);
	DKIM_STAT (*free)(DKIM *);
	DKIM_LIB *handle; /* once a process, never closed */
};

#define SYMBOL(member)                                                                             \
	{                                                                                          \
		"dkim_" #member, offsetof(struct library, member)                                  \
	}

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYMBOL(init),
	SYMBOL(options),
	SYMBOL(set_key_lookup),
	SYMBOL(set_prescreen),
	SYMBOL(verify),
	SYMBOL(set_user_context),
	SYMBOL(get_user_context),
	SYMBOL(header),
	SYMBOL(eoh),
	SYMBOL(getsiglist),
	SYMBOL(sig_getflags),
	SYMBOL(sig_getbh),
	SYMBOL(sig_getdomain),
	SYMBOL(sig_getselector),
	SYMBOL(sig_gettagvalue),
	SYMBOL(sig_geterror),
	SYMBOL(free),
};

static struct library library;

/* One signature being checked. */
struct check {
	const void *context;
	const struct signature_keys *keys;
	struct signature *signature;
	struct dkim_key key;
	bool has_key;
};

/* ---- loading ---- */

/* The library's memory: on the context of the check, so that nothing stays behind. */
static void *allocate(void *closure, size_t size)
{
	return mem_alloc(closure, size == 0 ? 1 : size);
}

static void release(void *closure, void *data)
{
	(void)closure;
	mem_free(data);
}

static unsigned char *find_tag(DKIM_SIGINFO *sig, const char *name)
{
	unsigned char tag[8];

	strcpy((char *)tag, name);
	return library.sig_gettagvalue(sig, false, tag);
}

/* Called when the signature has been read and nothing has been hashed yet. */
static DKIM_CBSTAT screen(DKIM *dkim, DKIM_SIGINFO **sigs, int count)
{
	struct check *check = library.get_user_context(dkim);
	const char *fields = count == 1 ? (char *)find_tag(sigs[0], "h") : NULL;

	if (fields == NULL || strlen(fields) > FIELD_LIST_MAX) {
		check->signature->why = "its list of signed fields is too long, or missing";
		return DKIM_CBSTAT_REJECT;
	}
	if (text_find_fold(fields, "DKIM-Signature") != NULL) {
		check->signature->why = "it signs other signatures as well";
		return DKIM_CBSTAT_REJECT;
	}
	return DKIM_CBSTAT_CONTINUE;
}

/* Called for the key. The library's view of whose it is counts: where ours is another, somebody
 * plays with the syntax. */
static DKIM_STAT look_up(DKIM *dkim, DKIM_SIGINFO *sig, unsigned char *record, size_t room)
{
	struct check *check = library.get_user_context(dkim);
	struct signature *signature = check->signature;

	if (!text_equal_fold((char *)library.sig_getdomain(sig), signature->domain) ||
		!text_equal_fold((char *)library.sig_getselector(sig), signature->selector)) {
		signature->why = "it names two domains or selectors";
		return DKIM_CBSTAT_NOTFOUND;
	}
	if (!check->keys->find(check->keys->argument, check->context, signature->domain,
		    signature->selector, &check->key, &signature->why))
		return DKIM_CBSTAT_NOTFOUND;
	if (strlen(check->key.record) >= room) {
		signature->why = "the key is too long for libopendkim";
		return DKIM_CBSTAT_NOTFOUND;
	}
	strcpy((char *)record, check->key.record);
	check->has_key = true;
	return DKIM_CBSTAT_CONTINUE;
}

static bool find_symbols(void *object)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(object, symbols[i].name);
		if (symbol == NULL)
			return false;
		memcpy((char *)&library + symbols[i].offset, &symbol, sizeof(symbol));
	}
	return true;
}

const char *signature_library_problem(void)
{
	uint64_t drift = DRIFT_S;

	if (library.handle != NULL)
		return NULL;
	/* Not closed again: OpenSSL keeps what it has registered with it. */
	void *object = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL)
		return LIBRARY_NAME " cannot be loaded";
	if (!find_symbols(object))
		return LIBRARY_NAME " is not the library that is wanted";
	DKIM_LIB *handle = library.init(allocate, release);
	if (handle == NULL || library.options(handle, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift,
				      sizeof(drift)) != DKIM_STAT_OK)
		return LIBRARY_NAME " cannot be set up";
	library.set_key_lookup(handle, look_up);
	library.set_prescreen(handle, screen);
	library.handle = handle;
	return NULL;
}

/* ---- reading ---- */

/* The value of a tag (section 3.2) without white space and in lower case; NULL without one. */
static char *read_tag(const void *context, const char *value, const char *name)
{
	char *found = NULL;

	while (*value != '\0') {
		size_t size = strcspn(value, ";"), skip = strspn(value, " \t");
		const char *equals = memchr(value, '=', size);

		if (equals != NULL && strncmp(value + skip, name, strlen(name)) == 0 &&
			strspn(value + skip + strlen(name), " \t") + strlen(name) + skip ==
				(size_t)(equals - value)) {
			char *copy = mem_strndup(
				context, equals + 1, size - (size_t)(equals + 1 - value));
			size_t used = 0;
			for (size_t i = 0; copy[i] != '\0'; i++) {
				if (copy[i] != ' ' && copy[i] != '\t')
					copy[used++] = copy[i];
			}
			copy[used] = '\0';
			found = text_lower(context, copy); /* the last counts, as in the library */
			mem_free(copy);
		}
		value += size + (value[size] == ';');
	}
	return found;
}

bool signature_read(const void *context, const char *value, struct signature *signature_out)
{
	memset(signature_out, 0, sizeof(*signature_out));
	signature_out->domain = read_tag(context, value, "d");
	signature_out->selector = read_tag(context, value, "s");
	return signature_out->domain != NULL && *signature_out->domain != '\0' &&
	       signature_out->selector != NULL && *signature_out->selector != '\0';
}

size_t signature_count(const struct signature *signature, const char *name)
{
	const char *list = signature->fields == NULL ? "" : signature->fields;
	size_t length = strlen(name), count = 0;

	while (*list != '\0') {
		size_t size = strcspn(list, ":");
		count += size == length && strncasecmp(list, name, length) == 0;
		list += size + (list[size] == ':');
	}
	return count;
}

/* ---- checking ---- */

/* A field with CRLF inside and no line end, as the library wants it. */
static unsigned char *prepare(const void *context, struct bytes raw, size_t *size_out)
{
	unsigned char *field = mem_alloc(context, 2 * raw.size + 1);
	size_t used = 0;

	while (raw.size > 0 && (raw.data[raw.size - 1] == '\n' || raw.data[raw.size - 1] == '\r'))
		raw.size--;
	for (size_t i = 0; i < raw.size; i++) {
		if (raw.data[i] == '\n' && (i == 0 || raw.data[i - 1] != '\r'))
			field[used++] = '\r';
		field[used++] = raw.data[i];
	}
	*size_out = used;
	return field;
}

/* The library ends a field at a NUL: what stands behind would count as signed. */
static bool is_usable(const struct header *header)
{
	return header->raw.size > 0 && memchr(header->raw.data, '\0', header->raw.size) == NULL;
}

static bool feed(DKIM *dkim, const void *context, const struct headers *headers, size_t index)
{
	for (size_t i = 0; i < headers->count; i++) {
		const struct header *header = &headers->items[i];
		size_t size;

		if (!is_usable(header) ||
			(i != index && text_equal_fold(header->name, "DKIM-Signature")))
			continue;
		unsigned char *field = prepare(context, header->raw, &size);
		DKIM_STAT status = library.header(dkim, field, size);
		mem_free(field);
		if (i == index && status != DKIM_STAT_OK)
			return false;
	}
	return is_usable(&headers->items[index]);
}

static int64_t read_time(DKIM_SIGINFO *sig, const char *name)
{
	const char *text = (char *)find_tag(sig, name);
	size_t digits = text == NULL ? 0 : strspn(text, "0123456789");

	return digits == 0 || digits > 12 || text[digits] != '\0' ? 0 : strtoll(text, NULL, 10);
}

/* What the library found, with the key that it was given. */
static void judge(struct check *check, DKIM_SIGINFO *sig)
{
	struct signature *signature = check->signature;
	bool has_passed = (library.sig_getflags(sig) & DKIM_SIGFLAG_PASSED) != 0 &&
			  library.sig_getbh(sig) == DKIM_SIGBH_UNTESTED;
	const char *algorithm = (char *)find_tag(sig, "a");
	const char *value = (char *)find_tag(sig, "b");
	bool is_known = false;

	signature->signed_s = read_time(sig, "t");
	signature->expires_s = read_time(sig, "x");
	if (!check->has_key) {
		if (signature->why == NULL)
			signature->why = "it is not a signature that could be checked";
	} else if (algorithm != NULL && text_equal_fold(algorithm, "rsa-sha1")) {
		signature->outcome = SIGNATURE_WEAK; /* RFC 8301 section 3.1 */
		signature->why = "it is made with SHA-1, which proves nothing";
	} else if (strcmp(check->key.type, "rsa") == 0 && check->key.bits < DKIM_KEY_BITS_MIN) {
		signature->outcome = SIGNATURE_WEAK;
		signature->why = mem_printf(check->context,
			"the key has %d bits, and less than %d prove nothing", check->key.bits,
			DKIM_KEY_BITS_MIN);
	} else if (has_passed) {
		signature->outcome = SIGNATURE_PASSED;
		signature->fields = mem_strdup(check->context, (char *)find_tag(sig, "h"));
	} else if (library.sig_geterror(sig) != DKIM_SIGERROR_BADSIG) {
		signature->why = "the key does not fit its algorithm";
	} else if (!dkim_key_has_made(&check->key, value == NULL ? "" : value, &is_known) &&
		   is_known) {
		signature->outcome = SIGNATURE_INVENTED;
		signature->why = "it was not made with this key";
	} else {
		signature->outcome = SIGNATURE_BROKEN;
		signature->why = "the fields are not those that were signed";
	}
}

static size_t measure(const struct headers *headers)
{
	size_t size = 0;

	for (size_t i = 0; i < headers->count; i++)
		size += headers->items[i].raw.size;
	return size;
}

void signature_check(const void *context, const struct headers *headers, size_t index,
	const struct signature_keys *keys, struct signature *signature_out)
{
	struct check check = {.context = context, .keys = keys, .signature = signature_out};
	void *scratch = mem_context(NULL, "signature_check");
	DKIM_SIGINFO **sigs = NULL;
	DKIM_STAT status;
	DKIM *dkim = NULL;
	int count = 0;

	if (!signature_read(context, headers->items[index].value, signature_out)) {
		signature_out->why = "it names no domain or no selector";
		goto out;
	}
	if (measure(headers) > SIGNATURE_BLOCK_MAX) {
		signature_out->why = "the returned headers are too long to be checked";
		goto out;
	}
	signature_out->why = signature_library_problem();
	if (signature_out->why != NULL)
		goto out;
	dkim = library.verify(library.handle, (const unsigned char *)"backstop", scratch, &status);
	if (dkim == NULL) {
		signature_out->why = "libopendkim cannot check it";
		goto out;
	}
	library.set_user_context(dkim, &check);
	if (!feed(dkim, scratch, headers, index)) {
		signature_out->why = "it cannot be read";
		goto out;
	}
	status = library.eoh(dkim);
	if (status == DKIM_STAT_OK && library.getsiglist(dkim, &sigs, &count) == DKIM_STAT_OK &&
		count == 1)
		judge(&check, sigs[0]);
	else if (signature_out->why == NULL)
		signature_out->why = "the returned headers cannot be checked: no From, or no sense";
out:
	if (dkim != NULL)
		library.free(dkim);
	mem_free(scratch);
}
