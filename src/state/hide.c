/*
 * hide.c: what an event keeps of the addresses of people.
 *
 * In charge of which strings those are, and of the secret, a record of "meta" that is made with the
 * first mark. Leaves what a mark is to base/privacy.c. The list's own addresses stay, in the form
 * that names no recipient; so do Message-IDs, and what reports is a server.
 */
#include <string.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "state/parts.h"

enum { SECRET_VERSION = 1 };

#define FAILED_SEPARATOR ", " /* as in struct event */
#define MARK_AND_SEPARATOR (PRIVACY_MARK_MAX - 1 + strlen(FAILED_SEPARATOR))

bool hide_check_secret(const MDB_val *key, const MDB_val *value)
{
	(void)key;
	return value->mv_size == 1 + PRIVACY_SECRET_SIZE &&
	       *(const unsigned char *)value->mv_data == SECRET_VERSION;
}

static int get_secret(struct state *state, MDB_txn *transaction, unsigned char *secret_out)
{
	MDB_val key = {.mv_size = strlen(META_SECRET), .mv_data = (void *)META_SECRET}, value;
	int code = mdb_get(transaction, state->dbis[BOX_META], &key, &value);

	if (code != MDB_SUCCESS)
		return code;
	if (!hide_check_secret(&key, &value))
		return MDB_CORRUPTED;
	memcpy(secret_out, (const unsigned char *)value.mv_data + 1, PRIVACY_SECRET_SIZE);
	return MDB_SUCCESS;
}

static int need_secret(struct state *state, MDB_txn *transaction, unsigned char *secret_out)
{
	unsigned char data[1 + PRIVACY_SECRET_SIZE] = {SECRET_VERSION};
	MDB_val key = {.mv_size = strlen(META_SECRET), .mv_data = (void *)META_SECRET};
	MDB_val value = {.mv_size = sizeof data, .mv_data = data};
	int code = get_secret(state, transaction, secret_out);

	if (code != MDB_NOTFOUND)
		return code;
	if (!hash_random(data + 1, PRIVACY_SECRET_SIZE))
		return BOX_RANDOM_FAILED;
	memcpy(secret_out, data + 1, PRIVACY_SECRET_SIZE);
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

/* ---- whose address it is ---- */

static bool is_empty(const char *text)
{
	return text == NULL || *text == '\0';
}

/* The null sender, and mailboxes that are a program's. */
static bool is_robot(const char *address)
{
	return is_empty(address) || text_equal_fold(address, "mailer-daemon") ||
	       text_starts_fold(address, "mailer-daemon@") ||
	       text_starts_fold(address, "postmaster@");
}

/* The list's address, and the names that are made of it (base/config.h). A tagged or VERP form is
 * not among them: it may hold the recipient. */
static bool is_of_list(const char *address, const char *list)
{
	static const char *const suffixes[] = {"", "-bounces", "-owner", "-request", "-admin"};
	const char *domain = is_empty(list) ? NULL : strrchr(list, '@');
	size_t local = domain == NULL ? 0 : (size_t)(domain - list);

	if (domain == NULL)
		return false;
	if (text_starts_fold(address, "owner-") && text_equal_fold(address + 6, list))
		return true;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		size_t end = local + strlen(suffixes[i]);

		if (strlen(address) == end + strlen(domain) &&
			strncasecmp(address, list, local) == 0 &&
			text_starts_fold(address + local, suffixes[i]) &&
			text_equal_fold(address + end, domain))
			return true;
	}
	return false;
}

/* ---- hiding ---- */

/* What stands for one address. The secret is NULL where nothing is to be kept. */
static const char *mark(const void *context, const unsigned char *secret, const char *address)
{
	char *text;

	if (secret == NULL)
		return NULL;
	if (privacy_is_mark(address)) /* of a held record, which is released now */
		return mem_strdup(context, address);
	text = mem_alloc(context, PRIVACY_MARK_MAX);
	privacy_mark(secret, address, text);
	return text;
}

/* Each of "a, b", as many as there is room for in a record. */
static const char *mark_each(
	const void *context, const unsigned char *secret, const char *addresses)
{
	char *marks = NULL;

	for (const char *at = addresses; *at != '\0';) {
		const char *end = strstr(at, FAILED_SEPARATOR);
		size_t size = end == NULL ? strlen(at) : (size_t)(end - at);
		char *address = mem_strndup(context, at, size);
		const char *one = mark(context, secret, address);

		mem_free(address);
		if (one == NULL)
			return NULL;
		if (marks != NULL && strlen(marks) + MARK_AND_SEPARATOR > EVENT_STRING_MAX)
			break;
		marks = marks == NULL ? mem_strdup(context, one)
				      : mem_append(marks, FAILED_SEPARATOR "%s", one);
		at += size + (end == NULL ? 0 : strlen(FAILED_SEPARATOR));
	}
	return marks;
}

/* The same of the names that it is counted under: a plain hash of an address can be guessed. */
static const struct rate_use *hide_rates(
	const void *context, const unsigned char *secret, const struct rate_use *use)
{
	struct rate_use *hidden = mem_memdup(context, use, sizeof *use);

	hidden->recipient_count = 0;
	for (size_t i = 0; i < use->recipient_count && i < RATE_RECIPIENTS_MAX; i++) {
		const char *one = mark(context, secret, use->recipients[i]);

		if (one != NULL)
			hidden->recipients[hidden->recipient_count++] = one;
	}
	return hidden;
}

int hide_addresses(
	struct state *state, MDB_txn *transaction, const void *context, struct event *event)
{
	unsigned char bytes[PRIVACY_SECRET_SIZE];
	const unsigned char *secret = NULL;
	int code = MDB_SUCCESS;

	if (state->policy.privacy == PRIVACY_FULL)
		return MDB_SUCCESS;
	if (state->policy.privacy == PRIVACY_HASH)
		code = need_secret(state, transaction, bytes);
	if (code == MDB_SUCCESS && state->policy.privacy == PRIVACY_HASH)
		secret = bytes;
	/* A secret that cannot be read is no reason to keep what should be hidden. */
	if (code != MDB_SUCCESS && code != MDB_CORRUPTED)
		return code;
	if (!is_robot(event->sender))
		event->sender = mark(context, secret, event->sender);
	if (!is_empty(event->recipient) && !is_of_list(event->recipient, event->list))
		event->recipient = mark(context, secret, event->recipient);
	if (!is_empty(event->failed))
		event->failed = mark_each(context, secret, event->failed);
	if (event->rates != NULL)
		event->rates = hide_rates(context, secret, event->rates);
	return MDB_SUCCESS;
}

struct search {
	const char *address;
	char *mark;
};

static int find_mark(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct search *search = argument;
	unsigned char secret[PRIVACY_SECRET_SIZE];
	int code = get_secret(state, transaction, secret);

	if (code != MDB_SUCCESS)
		return code;
	privacy_mark(secret, search->address, search->mark);
	return MDB_SUCCESS;
}

enum status record_find_mark(struct state *state, const char *address, char *mark_out)
{
	struct search search = {address, mark_out};

	*mark_out = '\0';
	return box_read(state, find_mark, &search);
}
