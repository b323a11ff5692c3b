/*
 * tag.c: making, taking apart and checking signed bounce addresses.
 *
 * In charge of the form of the address and of its signature. Leaves the key file to tag_keys.c, and
 * to the ledger which recipient an opaque id stands for. Every tag that is made is taken apart
 * again before it is handed out: a recipient whose own address looks like a tag gets an opaque id.
 */
#include "base/tag.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

#define LOCAL_MAX 64  /* RFC 5321 section 4.5.3.1.1 */
#define HEAD_LENGTH 6 /* FORM KEY DAY */
#define MAC_LENGTH 16 /* characters */
#define MAC_SIZE 10   /* bytes */
#define TOKEN_LENGTH (HEAD_LENGTH + MAC_LENGTH)
#define DAY_MAX 0x1FFFF /* year 2328; keeps words of 22 letters from being taken for a token */
#define SKEW_DAYS 1	/* a signing host's clock may be ahead of ours */
#define DAY_S (24 * 60 * 60)

/* Key and day are 25 bits; with 15 zero bits behind them they fill 8 characters, 5 bytes. */
#define KEY_DAY_LENGTH 5
#define KEY_DAY_FILL "aaa"
#define KEY_DAY_SHIFT 15
#define DAY_BITS 20

static void write_head(char form, unsigned key, int64_t day, char head[HEAD_LENGTH + 1])
{
	uint64_t bits = ((uint64_t)key << DAY_BITS | (uint64_t)day) << KEY_DAY_SHIFT;
	unsigned char bytes[5];
	char text[9];

	for (int i = 4; i >= 0; i--, bits >>= 8)
		bytes[i] = bits & 0xFF;
	text_base32_encode(bytes, sizeof bytes, text);
	head[0] = form;
	memcpy(head + 1, text, KEY_DAY_LENGTH);
	head[HEAD_LENGTH] = '\0';
}

static bool read_head(const char *head, struct tag *tag)
{
	char text[KEY_DAY_LENGTH + sizeof KEY_DAY_FILL];
	unsigned char bytes[5];
	uint64_t bits = 0;
	size_t size;

	if (head[0] == '\0' || strchr("sri", head[0]) == NULL)
		return false;
	memcpy(text, head + 1, KEY_DAY_LENGTH);
	memcpy(text + KEY_DAY_LENGTH, KEY_DAY_FILL, sizeof KEY_DAY_FILL);
	if (!text_base32_decode(text, sizeof text - 1, bytes, &size))
		return false;
	for (size_t i = 0; i < size; i++)
		bits = bits << 8 | bytes[i];
	bits >>= KEY_DAY_SHIFT;
	tag->form = head[0];
	tag->key = (unsigned)(bits >> DAY_BITS);
	tag->day = (int64_t)(bits & ((1u << DAY_BITS) - 1));
	return tag->day <= DAY_MAX;
}

static size_t append(char *text, size_t length, const char *piece)
{
	size_t size = strlen(piece);

	memcpy(text + length, piece, size);
	return length + size;
}

/* The signature over head, mailbox and recipient (NULL: none), with a NUL between them. */
static void sign(const struct tag_key *key, const char *head, const char *mailbox,
	const char *recipient, char mac_out[MAC_LENGTH + 1])
{
	size_t room = strlen(head) + strlen(mailbox) + (recipient ? strlen(recipient) : 0) + 2;
	char *text = mem_alloc(NULL, room);
	size_t length = append(text, 0, head);
	unsigned char digest[HASH_SHA256_SIZE];

	text[length++] = '\0';
	length = append(text, length, mailbox);
	if (recipient != NULL) {
		text[length++] = '\0';
		length = append(text, length, recipient);
	}
	hash_hmac_sha256(key->secret, TAG_KEY_SIZE, text, length, digest);
	text_base32_encode(digest, MAC_SIZE, mac_out);
	explicit_bzero(digest, sizeof digest);
	mem_free(text);
}

/* ---- making ---- */

/* Of several as new the last in the file. */
static const struct tag_key *find_newest(const struct tag_keys *keys)
{
	const struct tag_key *newest = NULL;

	for (size_t i = 0; keys != NULL && i < keys->count; i++) {
		if (newest == NULL || keys->items[i].created_s >= newest->created_s)
			newest = &keys->items[i];
	}
	return newest;
}

/* The recipient as user=domain, or NULL when it had better not stand in an address. Plain
 * characters only: '%' and '!' are routes to old mailers, '/' and '|' are files and programs to
 * some. */
static char *make_payload(const void *context, const char *recipient)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789._+-=";
	const char *domain = address_domain(recipient);
	char *local = address_local(context, recipient);

	if (domain == NULL || local[strspn(local, plain)] != '\0' || strstr(local, "..") != NULL ||
		strchr(domain, '=') != NULL || domain[strspn(domain, plain)] != '\0')
		return NULL;
	return mem_printf(context, "%s=%s", local, domain);
}

/* What all forms of one tag have in common. */
struct making {
	const void *context;
	const struct tag_key *key;
	char delimiter;
	int64_t day;
	const char *mailbox; /* normalised */
};

/* The tagged address, or NULL when it does not fit or would be read as something else. In a local
 * part in quotes the tag stands within them. */
static char *make_form(
	const struct making *making, char form, const char *recipient, const char *payload)
{
	const char *mailbox = making->mailbox;
	const char *at = strrchr(mailbox, '@');
	const char *end = mailbox[0] == '"' ? at - 1 : at;
	size_t length = (size_t)(at - mailbox) + 1 + TOKEN_LENGTH;
	char head[HEAD_LENGTH + 1];
	char mac[MAC_LENGTH + 1];
	struct tag back;
	char *address;

	if (payload != NULL)
		length += 1 + strlen(payload);
	if (length > LOCAL_MAX)
		return NULL;
	write_head(form, making->key->id, making->day, head);
	sign(making->key, head, mailbox, recipient, mac);
	address = mem_printf(making->context, "%.*s%c%s%s%s%s%s", (int)(end - mailbox), mailbox,
		making->delimiter, head, mac, payload == NULL ? "" : "=",
		payload == NULL ? "" : payload, end);
	if (tag_parse(address, address, &back) && back.form == form &&
		strcmp(back.mailbox, mailbox) == 0 && strcmp(back.mac, mac) == 0)
		return address;
	mem_free(address);
	return NULL;
}

/* The form for one recipient: himself in the payload, else his opaque id. */
static char *make_for_recipient(
	const struct making *making, void *scratch, const char *to, const char **id_out)
{
	const char *payload = make_payload(scratch, to);
	char id[TAG_ID_LENGTH + 1];
	char *address = payload == NULL ? NULL : make_form(making, 'r', to, payload);

	if (address != NULL)
		return address;
	tag_recipient_id(to, id);
	address = make_form(making, 'i', to, id);
	if (address != NULL && id_out != NULL)
		*id_out = mem_strdup(making->context, id);
	return address;
}

char *tag_make(const void *context, const struct tag_keys *keys, const char *mailbox,
	const char *recipient, int64_t now, const char **id_out)
{
	void *scratch = mem_context(NULL, "tag_make");
	const char *to = recipient == NULL ? NULL : address_normalise(scratch, recipient);
	const struct making making = {
		.context = context,
		.key = find_newest(keys),
		.delimiter = keys != NULL && keys->delimiter != '\0' ? keys->delimiter : '+',
		.day = clock_day(now),
		.mailbox = address_normalise(scratch, mailbox),
	};
	char *address = NULL;

	if (id_out != NULL)
		*id_out = NULL;
	if (making.key == NULL || making.mailbox == NULL || (recipient != NULL && to == NULL) ||
		making.day < 0 || making.day > DAY_MAX)
		address = NULL;
	else if (to == NULL)
		address = make_form(&making, 's', NULL, NULL);
	else
		address = make_for_recipient(&making, scratch, to, id_out);
	mem_free(scratch);
	return address;
}

void tag_recipient_id(const char *recipient, char *id_out)
{
	char *normal = address_normalise(NULL, recipient);
	const char *text = normal == NULL ? recipient : normal;
	unsigned char digest[HASH_SHA256_SIZE];
	char encoded[TAG_ID_LENGTH + 2]; /* 60 of the 64 bits of 8 bytes */

	hash_sha256(text, strlen(text), digest);
	text_base32_encode(digest, 8, encoded);
	memcpy(id_out, encoded, TAG_ID_LENGTH);
	id_out[TAG_ID_LENGTH] = '\0';
	mem_free(normal);
}

/* ---- reading ---- */

static bool is_base32(const char *text, size_t length)
{
	unsigned char bytes[MAC_SIZE];
	size_t size;

	return length * 5 / 8 <= sizeof bytes && text_base32_decode(text, length, bytes, &size);
}

/* What stands behind the token's '='. */
static bool read_payload(const void *context, const char *payload, struct tag *tag)
{
	const char *equals = strrchr(payload, '=');

	if (tag->form == 'i') {
		tag->id = mem_strdup(context, payload);
		return strlen(payload) == TAG_ID_LENGTH && is_base32(payload, TAG_ID_LENGTH);
	}
	if (equals == NULL || equals == payload || equals[1] == '\0')
		return false;
	tag->recipient =
		mem_printf(context, "%.*s@%s", (int)(equals - payload), payload, equals + 1);
	return true;
}

/* All behind the delimiter, up to the '@'. */
static bool read_tag(const void *context, const char *text, struct tag *tag)
{
	size_t length = strlen(text);

	if (length < TOKEN_LENGTH || !read_head(text, tag) ||
		!is_base32(text + HEAD_LENGTH, MAC_LENGTH))
		return false;
	tag->mac = mem_strndup(context, text + HEAD_LENGTH, MAC_LENGTH);
	if (tag->form == 's')
		return length == TOKEN_LENGTH;
	return text[TOKEN_LENGTH] == '=' && read_payload(context, text + TOKEN_LENGTH + 1, tag);
}

/* The tag behind cut, on context; false when there is none. quote: "" or the one that ends the
 * local part. */
static bool read_at(const void *context, char *cut, const char *normal, const char *quote,
	const char *domain, struct tag *tag_out)
{
	char *mailbox;

	if (strchr(TAG_DELIMITERS, *cut) == NULL || !read_tag(context, cut + 1, tag_out))
		return false;
	mailbox = mem_printf(context, "%.*s%s@%s", (int)(cut - normal), normal, quote, domain);
	/* What was in quotes may not need them without the tag. */
	tag_out->mailbox = *quote == '\0' ? mailbox : address_normalise(context, mailbox);
	return tag_out->mailbox != NULL;
}

bool tag_parse(const void *context, const char *address, struct tag *tag_out)
{
	void *scratch = mem_context(NULL, "tag_parse");
	char *normal = address == NULL ? NULL : address_normalise(scratch, address);
	char *at = normal == NULL ? NULL : strrchr(normal, '@');
	const char *quote = normal != NULL && *normal == '"' ? "\"" : "";

	memset(tag_out, 0, sizeof *tag_out);
	if (at != NULL)
		at[*quote == '\0' ? 0 : -1] = '\0';
	/* From the right; a mailbox may have delimiters of its own. */
	for (char *cut = at; cut != NULL && --cut > normal;) {
		struct tag tag = {.is_present = true};

		if (!read_at(scratch, cut, normal, quote, at + 1, &tag))
			continue;
		tag.mailbox = mem_strdup(context, tag.mailbox);
		tag.mac = mem_strdup(context, tag.mac);
		if (tag.recipient != NULL)
			tag.recipient = mem_strdup(context, tag.recipient);
		if (tag.id != NULL)
			tag.id = mem_strdup(context, tag.id);
		*tag_out = tag;
		break;
	}
	mem_free(scratch);
	return tag_out->is_present;
}

static const struct tag_key *find_key(const struct tag_keys *keys, unsigned id)
{
	for (size_t i = 0; keys != NULL && i < keys->count; i++) {
		if (keys->items[i].id == id)
			return &keys->items[i];
	}
	return NULL;
}

/* True when the signature is right. recipient: normalised, or NULL. */
static bool is_signed(const struct tag_key *key, const struct tag *tag, const char *recipient)
{
	char head[HEAD_LENGTH + 1];
	char mac[MAC_LENGTH + 1];
	char id[TAG_ID_LENGTH + 1];

	if (tag->form == 'i') {
		tag_recipient_id(recipient, id);
		if (strcmp(id, tag->id) != 0)
			return false;
	}
	write_head(tag->form, tag->key, tag->day, head);
	sign(key, head, tag->mailbox, recipient, mac);
	return hash_equal((const unsigned char *)mac, (const unsigned char *)tag->mac, MAC_LENGTH);
}

/* The last day on which another key may have had the number of this one: that of its making, or on
 * which somebody changed the file by hand, and perhaps a secret in it. A time that is not over yet
 * is by another clock, and says nothing. */
static int64_t find_first_day(const struct tag_keys *keys, const struct tag_key *key, int64_t now)
{
	bool is_later = keys->changed_s > key->created_s && keys->changed_s <= now;

	return clock_day(is_later ? keys->changed_s : key->created_s);
}

enum tag_result tag_check(const struct tag_keys *keys, const struct tag *tag, const char *resolved,
	int64_t lifetime_s, int64_t now)
{
	const struct tag_key *key;
	int64_t age_days = clock_day(now) - tag->day;
	char *recipient = NULL;
	bool is_right;

	if (!tag->is_present)
		return TAG_ABSENT;
	key = find_key(keys, tag->key);
	if (key == NULL)
		return TAG_NO_KEY;
	if (tag->form == 'i') {
		recipient = resolved == NULL ? NULL : address_normalise(NULL, resolved);
		if (recipient == NULL)
			return TAG_UNRESOLVED;
	}
	is_right = is_signed(key, tag, tag->form == 'i' ? recipient : tag->recipient);
	mem_free(recipient);
	if (!is_right)
		return tag->day > find_first_day(keys, key, now) ? TAG_BAD : TAG_NO_KEY;
	return age_days >= -SKEW_DAYS && age_days <= lifetime_s / DAY_S ? TAG_VALID : TAG_EXPIRED;
}

const char *tag_result_name(enum tag_result result)
{
	switch (result) {
	case TAG_ABSENT:
		return "absent";
	case TAG_VALID:
		return "valid";
	case TAG_EXPIRED:
		return "expired";
	case TAG_BAD:
		return "bad";
	case TAG_NO_KEY:
		return "no-key";
	case TAG_UNRESOLVED:
		return "unresolved";
	}
	return "unknown";
}
