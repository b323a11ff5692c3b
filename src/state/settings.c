/*
 * settings.c: the configuration's sections, remembered.
 *
 * In charge of the records "config:" in "meta": one a section, with a hash of its whole text, and
 * the text as far as the account keeps it; and of "config-path", the file that they are of. Leaves
 * the file to base/config_file.c and the account to audit.c. Who changed a file is not known, only
 * who owns it and when it was written: that is what the entry says.
 */
#include "state/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"

enum { SETTING_VERSION = 1, NAME_MAX_STORED = 512, SOURCE_MAX_STORED = 4096, KEY_HASH_SIZE = 16 };

#define PREFIX_SIZE (sizeof META_CONFIG - 1)
#define KEY_SIZE (PREFIX_SIZE + KEY_HASH_SIZE)

/* A section, in the file or remembered. */
struct known {
	unsigned char key[KEY_SIZE]; /* the first member: they are sorted by it */
	unsigned char hash[HASH_SHA256_SIZE];
	const char *object; /* 'list "announce@lists.example.org"'; NULL: does not decode */
	const char *text;
	bool is_found; /* of the file: it is remembered */
};

struct comparing {
	const struct settings *settings;
	bool is_dry;
	void *context;
	struct known *items; /* those of the file, sorted */
	struct known *remembered;
	size_t remembered_count;
	size_t changes; /* the result */
};

static void describe(const void *context, const struct setting_text *item, struct known *known_out)
{
	unsigned char hash[HASH_SHA256_SIZE];

	known_out->text = item->text;
	known_out->object = item->name[0] == '\0'
				    ? mem_strdup(context, item->kind)
				    : mem_printf(context, "%s \"%s\"", item->kind, item->name);
	hash_sha256(known_out->object, strlen(known_out->object), hash);
	hash_sha256(item->text, strlen(item->text), known_out->hash);
	memcpy(known_out->key, META_CONFIG, PREFIX_SIZE);
	memcpy(known_out->key + PREFIX_SIZE, hash, KEY_HASH_SIZE);
}

static bool decode(
	const MDB_val *key, const MDB_val *value, const void *context, struct known *known_out)
{
	struct codec_reader reader;

	if (key->mv_size != KEY_SIZE)
		return false;
	memcpy(known_out->key, key->mv_data, KEY_SIZE);
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != SETTING_VERSION)
		return false;
	for (size_t i = 0; i < HASH_SHA256_SIZE; i++)
		known_out->hash[i] = codec_get_u8(&reader);
	known_out->object = codec_get_string(&reader, context);
	known_out->text = codec_get_string(&reader, context);
	return codec_is_complete(&reader) && known_out->object != NULL && known_out->text != NULL;
}

bool settings_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "settings");
	struct known known = {.is_found = false};
	bool is_good = decode(key, value, context, &known);

	mem_free(context);
	return is_good;
}

static char *decode_source(const MDB_val *value, const void *context)
{
	struct codec_reader reader;
	char *source;

	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != SETTING_VERSION)
		return NULL;
	source = codec_get_string(&reader, context);
	return codec_is_complete(&reader) ? source : NULL;
}

bool settings_check_source(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "settings");
	bool is_good = decode_source(value, context) != NULL;

	(void)key;
	mem_free(context);
	return is_good;
}

static int put_source(struct state *state, MDB_txn *transaction, const struct comparing *comparing)
{
	MDB_val key = {.mv_size = sizeof META_CONFIG_PATH - 1, .mv_data = (void *)META_CONFIG_PATH};
	struct codec_writer writer;
	MDB_val value;

	codec_writer_init(&writer, comparing->context);
	codec_put_u8(&writer, SETTING_VERSION);
	codec_put_string(&writer, comparing->settings->source, SOURCE_MAX_STORED);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

struct source_search {
	const void *context;
	char *source; /* the result */
};

static int find_source(struct state *state, MDB_txn *transaction, void *argument)
{
	struct source_search *search = argument;
	MDB_val key = {.mv_size = sizeof META_CONFIG_PATH - 1, .mv_data = (void *)META_CONFIG_PATH};
	MDB_val value;
	int code = mdb_get(transaction, state->dbis[BOX_META], &key, &value);

	search->source = NULL;
	if (code == MDB_SUCCESS)
		search->source = decode_source(&value, search->context);
	return code == MDB_SUCCESS && search->source == NULL ? MDB_NOTFOUND : code;
}

enum status settings_find_source(struct state *state, const void *context, char **source_out)
{
	struct source_search search = {.context = context};
	enum status status = box_read(state, find_source, &search);

	*source_out = search.source;
	return status;
}

/* All that is remembered. One that does not decode is taken for a section without a text. */
static int load(struct state *state, MDB_txn *transaction, struct comparing *comparing)
{
	MDB_val key = {.mv_size = PREFIX_SIZE, .mv_data = (void *)META_CONFIG}, value;
	MDB_cursor *cursor = NULL;
	size_t room = 0;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_META], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	comparing->remembered_count = 0;
	for (code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
		code == MDB_SUCCESS && key.mv_size >= PREFIX_SIZE &&
		memcmp(key.mv_data, META_CONFIG, PREFIX_SIZE) == 0;
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		struct known known = {.is_found = false};

		if (!decode(&key, &value, comparing->context, &known))
			known.object = NULL;
		if (key.mv_size != KEY_SIZE)
			continue;
		if (comparing->remembered_count == room) {
			room = 2 * room + 64;
			comparing->remembered = mem_realloc(
				comparing->context, comparing->remembered, room * sizeof known);
		}
		comparing->remembered[comparing->remembered_count++] = known;
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static int put(struct state *state, MDB_txn *transaction, const struct comparing *comparing,
	const struct known *known)
{
	MDB_val key = {.mv_size = KEY_SIZE, .mv_data = (void *)known->key}, value;
	struct codec_writer writer;

	codec_writer_init(&writer, comparing->context);
	codec_put_u8(&writer, SETTING_VERSION);
	codec_put_bytes(&writer, known->hash, sizeof known->hash);
	codec_put_string(&writer, known->object, NAME_MAX_STORED);
	codec_put_string(&writer, known->text, AUDIT_TEXT_MAX);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	return mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
}

/* One change: into the account, and into what is remembered. before is NULL where the section is
 * new, after where it is gone. */
static int enter(struct state *state, MDB_txn *transaction, struct comparing *comparing,
	const struct known *before, const struct known *after)
{
	struct audit_entry entry = comparing->settings->entry;
	MDB_val key;
	int code = MDB_SUCCESS;

	comparing->changes++;
	if (comparing->is_dry)
		return MDB_SUCCESS;
	entry.object = after != NULL ? after->object : before->object;
	entry.before = before != NULL ? before->text : NULL;
	entry.after = after != NULL ? after->text : NULL;
	if (entry.object != NULL)
		code = audit_put(state, transaction, &entry);
	if (code != MDB_SUCCESS)
		return code;
	if (after != NULL)
		return put(state, transaction, comparing, after);
	key = (MDB_val){.mv_size = KEY_SIZE, .mv_data = (void *)before->key};
	return mdb_del(transaction, state->dbis[BOX_META], &key, NULL);
}

static int begin(struct state *state, MDB_txn *transaction, struct comparing *comparing)
{
	struct audit_entry entry = comparing->settings->entry;
	int code = MDB_SUCCESS;

	comparing->changes = 1;
	if (comparing->is_dry)
		return MDB_SUCCESS;
	entry.object = "all";
	entry.after = mem_printf(comparing->context, "%zu sections, watched from now on",
		comparing->settings->count);
	for (size_t i = 0; i < comparing->settings->count && code == MDB_SUCCESS; i++)
		code = put(state, transaction, comparing, &comparing->items[i]);
	return code == MDB_SUCCESS ? audit_put(state, transaction, &entry) : code;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, KEY_SIZE);
}

static int compare(struct state *state, MDB_txn *transaction, void *argument)
{
	struct comparing *comparing = argument;
	size_t count = comparing->settings->count;
	int code;

	comparing->changes = 0;
	for (size_t i = 0; i < count; i++)
		comparing->items[i].is_found = false;
	code = load(state, transaction, comparing);
	if (code == MDB_SUCCESS && !comparing->is_dry)
		code = put_source(state, transaction, comparing);
	if (code == MDB_SUCCESS && comparing->remembered_count == 0)
		return begin(state, transaction, comparing);
	for (size_t i = 0; i < comparing->remembered_count && code == MDB_SUCCESS; i++) {
		struct known *known = &comparing->remembered[i];
		struct known *item =
			bsearch(known->key, comparing->items, count, sizeof *item, compare_keys);

		if (item != NULL)
			item->is_found = true;
		if (item == NULL || memcmp(item->hash, known->hash, sizeof item->hash) != 0)
			code = enter(state, transaction, comparing, known, item);
	}
	for (size_t i = 0; i < count && code == MDB_SUCCESS; i++) {
		if (!comparing->items[i].is_found)
			code = enter(state, transaction, comparing, NULL, &comparing->items[i]);
	}
	return code;
}

static enum status run(
	struct state *state, const struct settings *settings, bool is_dry, size_t *count_out)
{
	struct comparing comparing = {
		.settings = settings, .is_dry = is_dry, .context = mem_context(NULL, "settings")};
	enum status status = STATUS_OK;

	comparing.items = mem_new_array(comparing.context, struct known, settings->count);
	for (size_t i = 0; i < settings->count; i++)
		describe(comparing.context, &settings->items[i], &comparing.items[i]);
	if (settings->count > 0)
		qsort(comparing.items, settings->count, sizeof *comparing.items, compare_keys);
	if (status == STATUS_OK && is_dry)
		status = box_read(state, compare, &comparing);
	else if (status == STATUS_OK)
		status = box_write(state, compare, &comparing);
	if (count_out != NULL)
		*count_out = status == STATUS_OK ? comparing.changes : 0;
	mem_free(comparing.context);
	return status;
}

enum status settings_count_changes(
	struct state *state, const struct settings *settings, size_t *count_out)
{
	return run(state, settings, true, count_out);
}

enum status settings_record(struct state *state, const struct settings *settings, size_t *count_out)
{
	return run(state, settings, false, count_out);
}
