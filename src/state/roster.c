/*
 * roster.c: the index of rosters.
 *
 * In charge of "roster" and of the heads in "meta". Leaves the file's form to base/roster_file.c
 * and when to renew to weigh/roster.c. The file's hashes, sorted, and the records, which stand in
 * order, are walked side by side: a roster of a million that changed by one address is read wholly
 * and written by one record.
 */
#include "state/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/roster_set.h"
#include "state/parts.h"

enum {
	HEAD_VERSION = 1,
	MEMBER_VERSION = 1,
	ID_SIZE = 4,
	KEY_SIZE = ID_SIZE + CODEC_U64_SIZE,
	MEMBER_SIZE = 1,		/* on the roster: the version alone */
	LEFT_SIZE = 1 + CODEC_U64_SIZE, /* left: and when */
	CHUNK_MAX = 8192,		/* records of one write transaction */
	PAUSE_NS = 2000000,		/* between two, for those who wait */
	LOCK_MODE = 0660
};
#define HEAD_KEY_SIZE (sizeof META_ROSTER - 1 + HASH_SHA256_SIZE)

/* What is known of one roster. */
struct head {
	uint32_t id;
	unsigned char salt[ROSTER_SALT_SIZE];
	bool is_indexed;
	struct roster_stamp stamp;
	uint64_t members;
	int64_t first_s;
};

static void make_head_key(const char *path, unsigned char *bytes, MDB_val *key_out)
{
	memcpy(bytes, META_ROSTER, sizeof META_ROSTER - 1);
	*key_out = (MDB_val){.mv_size = HEAD_KEY_SIZE, .mv_data = bytes};
	hash_sha256(path, strlen(path), bytes + sizeof META_ROSTER - 1);
}

static bool decode_head(const MDB_val *value, struct head *head_out)
{
	struct codec_reader reader;

	*head_out = (struct head){0};
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != HEAD_VERSION)
		return false;
	head_out->id = codec_get_u32(&reader);
	for (size_t i = 0; i < ROSTER_SALT_SIZE; i++)
		head_out->salt[i] = codec_get_u8(&reader);
	head_out->is_indexed = codec_get_below(&reader, 2) != 0;
	head_out->stamp.size = codec_get_u64(&reader);
	head_out->stamp.inode = codec_get_u64(&reader);
	head_out->stamp.changed_ns = codec_get_i64(&reader);
	head_out->members = codec_get_u64(&reader);
	head_out->first_s = codec_get_i64(&reader);
	return codec_is_complete(&reader);
}

bool roster_check_head(const MDB_val *key, const MDB_val *value)
{
	struct head head;

	return key->mv_size == HEAD_KEY_SIZE && decode_head(value, &head);
}

static bool decode_member(const MDB_val *value, int64_t *left_s_out)
{
	const unsigned char *bytes = value->mv_data;

	*left_s_out = 0;
	if (value->mv_size == LEFT_SIZE)
		*left_s_out = (int64_t)codec_load_u64(bytes + 1);
	return (value->mv_size == MEMBER_SIZE || value->mv_size == LEFT_SIZE) &&
	       bytes[0] == MEMBER_VERSION;
}

bool roster_check_member(const MDB_val *key, const MDB_val *value)
{
	int64_t left_s;

	return key->mv_size == KEY_SIZE && decode_member(value, &left_s);
}

static void make_member_key(unsigned char *bytes, uint32_t id, uint64_t hash)
{
	for (int i = 0; i < ID_SIZE; i++)
		bytes[i] = (unsigned char)(id >> (8 * (ID_SIZE - 1 - i)));
	codec_store_u64(bytes + ID_SIZE, hash);
}

/* MDB_NOTFOUND when there is none. */
static int get_head(
	struct state *state, MDB_txn *transaction, const char *path, struct head *head_out)
{
	unsigned char bytes[HEAD_KEY_SIZE];
	MDB_val key, value;
	int code;

	make_head_key(path, bytes, &key);
	code = mdb_get(transaction, state->dbis[BOX_META], &key, &value);
	if (code == MDB_SUCCESS && !decode_head(&value, head_out))
		code = MDB_CORRUPTED;
	return code;
}

struct look_up {
	const char *path;
	const char *const *addresses;
	size_t count;
	int64_t now;
	struct roster_answer *answer;
};

static int find_member(struct state *state, MDB_txn *transaction, const struct head *head,
	uint64_t hash, const struct look_up *look_up)
{
	unsigned char bytes[KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
	struct roster_answer *answer = look_up->answer;
	int64_t left_s;
	int code;

	make_member_key(bytes, head->id, hash);
	code = mdb_get(transaction, state->dbis[BOX_ROSTER], &key, &value);
	if (code != MDB_SUCCESS)
		return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
	if (!decode_member(&value, &left_s))
		return MDB_CORRUPTED;
	if (left_s == 0) {
		answer->presence = ROSTER_PRESENT;
	} else if (answer->presence == ROSTER_ABSENT &&
		   left_s + ROSTER_LEFT_KEPT_S > look_up->now) {
		answer->presence = ROSTER_LEFT;
		answer->left_s = left_s;
	}
	return MDB_SUCCESS;
}

static int find_all(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct look_up *look_up = argument;
	struct roster_answer *answer = look_up->answer;
	struct head head;
	int code = get_head(state, transaction, look_up->path, &head);

	*answer = (struct roster_answer){.is_indexed = false};
	if (code != MDB_SUCCESS)
		return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
	*answer = (struct roster_answer){.is_indexed = head.is_indexed,
		.stamp = head.stamp,
		.members = head.members,
		.first_s = head.first_s};
	for (size_t i = 0; i < look_up->count && code == MDB_SUCCESS; i++) {
		uint64_t hashes[ROSTER_FORMS_MAX];
		size_t forms = roster_hash(head.salt, look_up->addresses[i], hashes);
		for (size_t j = 0; j < forms && code == MDB_SUCCESS; j++)
			code = find_member(state, transaction, &head, hashes[j], look_up);
	}
	return code;
}

enum status roster_find(struct state *state, const char *path, const char *const *addresses,
	size_t count, int64_t now, struct roster_answer *answer_out)
{
	struct look_up look_up = {path, addresses, count, now, answer_out};

	*answer_out = (struct roster_answer){.is_indexed = false};
	if (!box_has(state, BOX_ROSTER))
		return STATUS_OK;
	return box_read(state, find_all, &look_up);
}

/* ---- renewing ---- */

enum change_kind { CHANGE_JOIN, CHANGE_LEAVE, CHANGE_FORGET };

struct change {
	uint64_t hash;
	enum change_kind kind;
};

struct renewal {
	struct state *state;
	const char *path;
	struct head head;
	bool is_new; /* nothing of it is there yet */
	const struct roster_set *set;
	size_t position; /* in the set */
	int64_t now;
	int64_t give_up_ms;
	size_t change_count;
	struct change changes[CHUNK_MAX];
};

static int put_head(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct renewal *renewal = argument;
	const struct head *head = &renewal->head;
	unsigned char bytes[HEAD_KEY_SIZE];
	void *context = mem_context(NULL, "roster");
	struct codec_writer writer;
	MDB_val key, value;
	int code;

	codec_writer_init(&writer, context);
	codec_put_u8(&writer, HEAD_VERSION);
	codec_put_u32(&writer, head->id);
	codec_put_bytes(&writer, head->salt, sizeof head->salt);
	codec_put_u8(&writer, head->is_indexed);
	codec_put_u64(&writer, head->stamp.size);
	codec_put_u64(&writer, head->stamp.inode);
	codec_put_i64(&writer, head->stamp.changed_ns);
	codec_put_u64(&writer, head->members);
	codec_put_i64(&writer, head->first_s);
	value = (MDB_val){.mv_size = writer.size, .mv_data = writer.data};
	make_head_key(renewal->path, bytes, &key);
	code = mdb_put(transaction, state->dbis[BOX_META], &key, &value, 0);
	mem_free(context);
	return code;
}

/* The id behind the highest that was given; the records of a roster stand together by it. */
static int find_free_id(struct state *state, MDB_txn *transaction, uint32_t *id_out)
{
	MDB_val key = {.mv_size = sizeof META_ROSTER - 1, .mv_data = (void *)META_ROSTER}, value;
	MDB_cursor *cursor = NULL;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_META], &cursor);

	*id_out = 1;
	if (code != MDB_SUCCESS)
		return code;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (code == MDB_SUCCESS && key.mv_size == HEAD_KEY_SIZE &&
		memcmp(key.mv_data, META_ROSTER, sizeof META_ROSTER - 1) == 0) {
		struct head head;
		if (decode_head(&value, &head) && head.id >= *id_out)
			*id_out = head.id + 1;
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* Reads the head, or makes a new one. */
static int take_head(struct state *state, MDB_txn *transaction, void *argument)
{
	struct renewal *renewal = argument;
	int code = get_head(state, transaction, renewal->path, &renewal->head);

	renewal->is_new = code == MDB_NOTFOUND;
	if (!renewal->is_new)
		return code;
	renewal->head = (struct head){.is_indexed = false};
	if (!roster_make_salt(renewal->head.salt))
		return BOX_RANDOM_FAILED;
	code = find_free_id(state, transaction, &renewal->head.id);
	return code == MDB_SUCCESS ? put_head(state, transaction, renewal) : code;
}

static int put_change(
	MDB_cursor *cursor, const struct renewal *renewal, const struct change *change)
{
	unsigned char bytes[KEY_SIZE], data[LEFT_SIZE] = {MEMBER_VERSION};
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
	MDB_val value = {.mv_size = MEMBER_SIZE, .mv_data = data};
	int code;

	make_member_key(bytes, renewal->head.id, change->hash);
	switch (change->kind) {
	case CHANGE_JOIN:
		/* Behind all others, pages are filled instead of split in halves. */
		code = renewal->is_new ? mdb_cursor_put(cursor, &key, &value, MDB_APPEND)
				       : MDB_KEYEXIST;
		if (code == MDB_KEYEXIST)
			code = mdb_cursor_put(cursor, &key, &value, 0);
		return code;
	case CHANGE_LEAVE:
		codec_store_u64(data + 1, (uint64_t)renewal->now);
		value.mv_size = LEFT_SIZE;
		return mdb_cursor_put(cursor, &key, &value, 0);
	case CHANGE_FORGET:
		code = mdb_cursor_get(cursor, &key, NULL, MDB_SET);
		if (code == MDB_SUCCESS)
			code = mdb_cursor_del(cursor, 0);
		return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
	}
	return MDB_PANIC;
}

static int put_changes(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct renewal *renewal = argument;
	MDB_cursor *cursor = NULL;
	int code = mdb_cursor_open(transaction, state->dbis[BOX_ROSTER], &cursor);

	for (size_t i = 0; i < renewal->change_count && code == MDB_SUCCESS; i++)
		code = put_change(cursor, renewal, &renewal->changes[i]);
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	return code;
}

static enum status flush_changes(struct renewal *renewal)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	enum status status;

	if (renewal->change_count == 0)
		return STATUS_OK;
	status = box_write(renewal->state, put_changes, renewal);
	renewal->change_count = 0;
	if (status == STATUS_OK && roster_clock_ms() > renewal->give_up_ms)
		return STATUS_TIMEOUT;
	/* LMDB's lock is not fair: who takes it again at once always gets it. */
	nanosleep(&pause, NULL);
	return status;
}

static enum status add_change(struct renewal *renewal, enum change_kind kind, uint64_t hash)
{
	renewal->changes[renewal->change_count++] = (struct change){hash, kind};
	return renewal->change_count == CHUNK_MAX ? flush_changes(renewal) : STATUS_OK;
}

/* Those of the file that stand before the hash are new. */
static enum status join_until(struct renewal *renewal, const uint64_t *hash)
{
	const struct roster_set *set = renewal->set;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && renewal->position < set->count &&
		(hash == NULL || set->hashes[renewal->position] < *hash))
		status = add_change(renewal, CHANGE_JOIN, set->hashes[renewal->position++]);
	return status;
}

/* One record: is it on the file still? STATUS_NOT_FOUND: the next roster's records begin. */
static enum status compare_record(void *argument, const MDB_val *key, const MDB_val *value)
{
	struct renewal *renewal = argument;
	unsigned char bytes[KEY_SIZE];
	enum status status;
	uint64_t hash;
	int64_t left_s;

	make_member_key(bytes, renewal->head.id, 0);
	if (key->mv_size != KEY_SIZE || memcmp(key->mv_data, bytes, ID_SIZE) != 0)
		return STATUS_NOT_FOUND;
	hash = codec_load_u64((const unsigned char *)key->mv_data + ID_SIZE);
	bool is_sound = decode_member(value, &left_s);
	status = join_until(renewal, &hash);
	if (status != STATUS_OK)
		return status;
	if (renewal->position < renewal->set->count &&
		renewal->set->hashes[renewal->position] == hash) {
		renewal->position++;
		return is_sound && left_s == 0 ? STATUS_OK : add_change(renewal, CHANGE_JOIN, hash);
	}
	if (is_sound && left_s == 0)
		return add_change(renewal, CHANGE_LEAVE, hash);
	if (is_sound && left_s + ROSTER_LEFT_KEPT_S > renewal->now)
		return STATUS_OK;
	return add_change(renewal, CHANGE_FORGET, hash);
}

static enum status write_differences(struct renewal *renewal)
{
	unsigned char bytes[KEY_SIZE];
	MDB_val from = {.mv_size = sizeof bytes, .mv_data = bytes};
	enum status status;

	make_member_key(bytes, renewal->head.id, 0);
	status = box_walk(renewal->state, BOX_ROSTER, from, compare_record, renewal);
	if (status == STATUS_OK || status == STATUS_NOT_FOUND)
		status = join_until(renewal, NULL);
	if (status == STATUS_OK)
		status = flush_changes(renewal);
	if (status != STATUS_OK)
		return status;
	if (!renewal->head.is_indexed)
		renewal->head.first_s = renewal->now;
	renewal->head.is_indexed = true;
	renewal->head.stamp = renewal->set->stamp;
	renewal->head.members = renewal->set->count;
	return box_write(renewal->state, put_head, renewal);
}

static enum status renew(struct renewal *renewal, const char **why_out)
{
	struct roster_set *set = NULL;
	enum status status = box_write(renewal->state, take_head, renewal);

	*why_out = "the state could not be written";
	if (status != STATUS_OK)
		return status;
	status = roster_set_read(
		renewal, renewal->path, renewal->head.salt, renewal->give_up_ms, &set, why_out);
	if (status != STATUS_OK)
		return status;
	/* Who waited for the lock may find it done. */
	if (renewal->head.is_indexed && roster_stamp_equal(&renewal->head.stamp, &set->stamp))
		return STATUS_OK;
	renewal->set = set;
	status = write_differences(renewal);
	*why_out = status == STATUS_TIMEOUT ? "takes too long to index"
					    : "the state could not be written";
	return status;
}

enum status roster_renew(
	struct state *state, const char *path, int64_t now, int64_t budget_ms, const char **why_out)
{
	struct renewal *renewal = mem_new(NULL, struct renewal);
	const char *lock_path = mem_printf(renewal, "%s/roster.lock", state->directory);
	int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
	enum status status;

	if (lock < 0) {
		*why_out = "the lock file in the state could not be opened";
		status = status_from_errno(errno);
	} else if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		*why_out = "is being indexed by another process";
		status = STATUS_TIMEOUT;
	} else {
		renewal->state = state;
		renewal->path = path;
		renewal->now = now;
		renewal->give_up_ms = roster_clock_ms() + budget_ms;
		status = renew(renewal, why_out);
	}
	if (lock >= 0)
		close(lock);
	mem_free(renewal);
	return status;
}
