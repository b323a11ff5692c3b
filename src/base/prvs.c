/*
 * prvs.c: keys and signatures of prvs tags. In charge of the tag's ten characters and of the key
 * file; leaves the address around them to wrapped.c.
 *
 * Surprising: the day is a number modulo 1000, so a tag is valid again for its lifetime every 1000
 * days. Comparing the numbers as they are, as Exim does, makes that more than a year.
 */
#include "base/prvs.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/key_file.h"
#include "base/memory.h"
#include "base/text.h"

#define TAG_LENGTH 10
#define HEAD_LENGTH 4 /* KDDD */
#define MAC_SIZE 3
#define DAY_MODULUS 1000
#define DAY_S (24 * 60 * 60)
#define HEX_MIN 16

static int cleanse(struct prvs_keys *keys)
{
	explicit_bzero(keys->items, sizeof keys->items);
	return 0;
}

/* ---- the file ---- */

static bool add_key(struct prvs_keys *keys, unsigned id, const void *secret, size_t size)
{
	struct prvs_key *key = &keys->items[keys->count];

	if (keys->count == PRVS_KEYS_MAX)
		return false;
	keys->count++;
	key->id = id;
	key->size = size;
	memcpy(key->secret, secret, size);
	return true;
}

static bool add_hex(struct prvs_keys *keys, unsigned id, const char *text)
{
	unsigned char bytes[PRVS_SECRET_MAX];
	size_t length = strlen(text);
	bool is_added = true;

	if (length >= HEX_MIN && text_hex_decode(text, length, bytes))
		is_added = add_key(keys, id, bytes, length / 2);
	explicit_bzero(bytes, sizeof bytes);
	return is_added;
}

/* What is wrong with the line, or NULL. The line is cut up; no word of it is repeated. */
static const char *parse_line(char *line, struct prvs_keys *keys)
{
	static const char white[] = " \t\r";
	char *rest = line + strspn(line, white);
	char *word = strsep(&rest, white);
	char *secret = word;
	unsigned id = 0;

	if (*word == '\0' || *word == '#')
		return NULL;
	if (rest != NULL)
		rest += strspn(rest, white);
	if (rest != NULL && *rest != '\0') {
		if (strlen(word) != 1 || !isdigit((unsigned char)*word))
			return "want a number from 0 to 9 as first word, or the secret alone";
		id = (unsigned)(*word - '0');
		secret = strsep(&rest, white);
		if (rest != NULL && rest[strspn(rest, white)] != '\0')
			return "want two words: a number, a secret";
	}
	if (strlen(secret) > PRVS_SECRET_MAX)
		return "the secret is longer than 256 characters";
	if (!add_key(keys, id, secret, strlen(secret)) || !add_hex(keys, id, secret))
		return "too many keys; 16 can be used";
	return NULL;
}

static enum status parse(const void *context, const char *path, const struct key_file *file,
	struct prvs_keys *keys, const char **error_out)
{
	char *copy = mem_memdup(context, file->text, file->size + 1);
	const char *wrong = NULL;
	char *rest = copy;
	char *line;
	int number = 0;

	while (wrong == NULL && (line = strsep(&rest, "\n")) != NULL) {
		number++;
		wrong = parse_line(line, keys);
	}
	if (wrong != NULL)
		*error_out = mem_printf(context, "%s:%d: %s", path, number, wrong);
	else if (memchr(file->text, '\0', file->size) != NULL)
		*error_out = mem_printf(context, "%s: holds a NUL byte; want a text file", path);
	else if (keys->count == 0)
		*error_out = mem_printf(context, "%s: holds no key", path);
	explicit_bzero(copy, file->size);
	mem_free(copy);
	return *error_out == NULL ? STATUS_OK : STATUS_DATA;
}

enum status prvs_keys_read(
	const void *context, const char *path, struct prvs_keys **keys_out, const char **error_out)
{
	struct prvs_keys *keys = mem_new(context, struct prvs_keys);
	struct key_file file;
	enum status status;

	talloc_set_destructor(keys, cleanse);
	keys->path = mem_strdup(keys, path);
	*keys_out = NULL;
	*error_out = NULL;
	status = key_file_load(context, path, &file, error_out);
	if (status == STATUS_OK)
		status = parse(context, path, &file, keys, error_out);
	key_file_release(&file);
	if (status == STATUS_OK)
		*keys_out = keys;
	else
		mem_free(keys);
	return status;
}

/* ---- tags ---- */

static bool is_signed(
	const struct prvs_key *key, const char *head, const char *address, const unsigned char *mac)
{
	char *text = mem_printf(NULL, "%.*s%s", HEAD_LENGTH, head, address);
	unsigned char digest[HASH_SHA1_SIZE];

	hash_hmac_sha1(key->secret, key->size, text, strlen(text), digest);
	mem_free(text);
	return hash_equal(digest, mac, MAC_SIZE);
}

static bool read_tag(const char *tag, unsigned *id, long *day, unsigned char *mac)
{
	if (tag == NULL || strlen(tag) != TAG_LENGTH || strspn(tag, "0123456789") < HEAD_LENGTH)
		return false;
	*id = (unsigned)(tag[0] - '0');
	*day = (tag[1] - '0') * 100 + (tag[2] - '0') * 10 + (tag[3] - '0');
	return text_hex_decode(tag + HEAD_LENGTH, TAG_LENGTH - HEAD_LENGTH, mac);
}

enum prvs_result prvs_check(const struct prvs_keys *keys, const char *tag, const char *address,
	int64_t lifetime_s, int64_t now)
{
	enum prvs_result result = PRVS_NO_KEY;
	unsigned char mac[MAC_SIZE];
	long day = 0;
	unsigned id;
	int64_t left;
	char *lower;

	if (!read_tag(tag, &id, &day, mac))
		return PRVS_ABSENT;
	lower = text_lower(NULL, address);
	left = (day - clock_day(now) % DAY_MODULUS + DAY_MODULUS) % DAY_MODULUS;
	for (size_t i = 0; keys != NULL && i < keys->count; i++) {
		const struct prvs_key *key = &keys->items[i];

		if (key->id != id)
			continue;
		result = PRVS_BAD;
		if (!is_signed(key, tag, address, mac) && !is_signed(key, tag, lower, mac))
			continue;
		result = left <= lifetime_s / DAY_S ? PRVS_VALID : PRVS_EXPIRED;
		break;
	}
	mem_free(lower);
	return result;
}

const char *prvs_result_name(enum prvs_result result)
{
	static const char *const names[] = {
		[PRVS_ABSENT] = "absent",
		[PRVS_VALID] = "valid",
		[PRVS_EXPIRED] = "expired",
		[PRVS_BAD] = "bad",
		[PRVS_NO_KEY] = "no-key",
	};

	return names[result];
}
