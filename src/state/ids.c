/*
 * ids.c: which recipient an opaque id in a tag stands for.
 *
 * Key: the id. In charge of "ids"; leaves the making of ids to base/tag.h. An id is a hash of its
 * recipient, so the same one is written again and again: it is only where the day is a new one.
 */
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "state/ledger.h"
#include "state/parts.h"

enum { ID_VERSION = 1, ID_LENGTH_MAX = 64, DAY_S = 86400 };

/* The last use is kept to the day, so that ids which no tag in flight can carry can be expired. */
static bool decode_id(
	const MDB_val *value, const void *context, int64_t *used_s_out, char **recipient_out)
{
	struct codec_reader reader;

	*recipient_out = NULL;
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != ID_VERSION)
		return false;
	*used_s_out = codec_get_i64(&reader);
	*recipient_out = codec_get_string(&reader, context);
	return codec_is_complete(&reader) && *recipient_out != NULL;
}

bool ids_decode_used(const MDB_val *value, int64_t *used_s_out)
{
	struct codec_reader reader;

	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != ID_VERSION)
		return false;
	*used_s_out = codec_get_i64(&reader);
	return !reader.is_bad;
}

bool ids_check(const MDB_val *key, const MDB_val *value)
{
	void *context = mem_context(NULL, "id");
	int64_t used_s;
	char *recipient;
	bool is_good = key->mv_size > 0 && decode_id(value, context, &used_s, &recipient);

	mem_free(context);
	return is_good;
}

static bool is_recorded(const MDB_val *value, int64_t sent_s, const char *recipient)
{
	void *context = mem_context(NULL, "id");
	int64_t used_s = 0;
	char *recorded;
	bool is_current = decode_id(value, context, &used_s, &recorded) &&
			  strcmp(recorded, recipient) == 0 && sent_s / DAY_S <= used_s / DAY_S;

	mem_free(context);
	return is_current;
}

int ids_put(struct state *state, MDB_txn *transaction, const struct ledger_entry *entry)
{
	MDB_dbi dbi = state->dbis[BOX_IDS];
	size_t length = strnlen(entry->recipient_id, ID_LENGTH_MAX + 1);
	MDB_val key = {.mv_size = length, .mv_data = (void *)entry->recipient_id};
	char *recipient = address_normalise(NULL, entry->recipient);
	struct codec_writer writer;
	MDB_val value;
	int code = MDB_SUCCESS;

	if (recipient == NULL || length == 0 || length > ID_LENGTH_MAX)
		goto out;
	code = mdb_get(transaction, dbi, &key, &value);
	if (code == MDB_SUCCESS && is_recorded(&value, entry->sent_s, recipient))
		goto out;
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		goto out;
	codec_writer_init(&writer, recipient);
	codec_put_u8(&writer, ID_VERSION);
	codec_put_i64(&writer, entry->sent_s);
	codec_put_string(&writer, recipient, ADDRESS_MAX);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	code = mdb_put(transaction, dbi, &key, &value, 0);
out:
	mem_free(recipient);
	return code;
}

struct id_search {
	const char *recipient_id;
	const void *context;
	char *recipient; /* the result */
};

static int find_id(struct state *state, MDB_txn *transaction, void *argument)
{
	struct id_search *search = argument;
	MDB_val key = {
		.mv_size = strlen(search->recipient_id), .mv_data = (void *)search->recipient_id};
	MDB_val value;
	int64_t used_s;
	int code = mdb_get(transaction, state->dbis[BOX_IDS], &key, &value);

	if (code != MDB_SUCCESS)
		return code;
	if (decode_id(&value, search->context, &used_s, &search->recipient))
		return MDB_SUCCESS;
	mem_free(search->recipient);
	search->recipient = NULL;
	return MDB_CORRUPTED;
}

enum status ledger_find_id(
	struct state *state, const void *context, const char *recipient_id, char **recipient_out)
{
	struct id_search search = {.recipient_id = recipient_id, .context = context};
	size_t length = strnlen(recipient_id, ID_LENGTH_MAX + 1);
	enum status status = STATUS_NOT_FOUND;

	if (length > 0 && length <= ID_LENGTH_MAX)
		status = box_read(state, find_id, &search);
	*recipient_out = search.recipient;
	return status;
}
