/*
 * box.c: transactions, the growth of the map, and walks.
 *
 * In charge of the four things that LMDB leaves to its caller: a map that is full, a map that
 * another process grew, reader slots of processes that are gone, and damaged pages. Leaves opening
 * to state.c and the meaning of records to the rest. A job runs again after the map has grown: LMDB
 * spoils the whole transaction with MDB_MAP_FULL, so there is nothing to carry on with.
 */
#include "state/box.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "state/codec.h"

enum {
	BEGIN_TRIES = 16,	  /* other processes may grow the map between two of ours */
	PAGE_RECORDS = 256,	  /* of a walk */
	PAGE_BYTES = 1024 * 1024, /* of a walk; one record more than this is still read */
	GROW_LEAST = 64 * 1024,
	PROBE_BYTES = 64 * 1024
};

enum status box_status(int code)
{
	switch (code) {
	case MDB_SUCCESS:
		return STATUS_OK;
	case MDB_NOTFOUND:
		return STATUS_NOT_FOUND;
	case MDB_MAP_FULL:
		return STATUS_NO_SPACE;
	}
	return code > 0 ? status_from_errno(code) : STATUS_STATE;
}

bool box_is_usable(const struct state *state)
{
	return !state->is_unmapped && !state->is_damaged && state->pid == getpid();
}

bool box_has(const struct state *state, enum box_db database)
{
	return state->dbis[database] != BOX_NO_DBI;
}

static size_t map_bytes(struct state *state)
{
	MDB_envinfo info = {0};

	mdb_env_info(state->env, &info);
	return info.me_mapsize;
}

/* 0: what the last commit of any process says. A failure leaves LMDB without any map, and its next
 * look at the meta pages would fault. */
static int set_map(struct state *state, size_t bytes)
{
	int code = mdb_env_set_mapsize(state->env, bytes);

	if (code != MDB_SUCCESS)
		state->is_unmapped = true;
	return code;
}

/* Tried beside the old map, so a refusal (address space, a resource limit) costs nothing. */
static bool can_map(struct state *state, size_t bytes)
{
	int descriptor = -1;
	void *map;

	if (mdb_env_get_fd(state->env, &descriptor) != MDB_SUCCESS)
		return false;
	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
	if (map == MAP_FAILED)
		return false;
	munmap(map, bytes);
	return true;
}

static int grow_map(struct state *state)
{
	size_t old = map_bytes(state);
	int code = set_map(state, 0);

	/* Somebody else may have grown it already. */
	if (code != MDB_SUCCESS || map_bytes(state) > old)
		return code;
	for (size_t step = old; step >= GROW_LEAST; step /= 2) {
		if (old <= SIZE_MAX - step && can_map(state, old + step))
			return set_map(state, old + step);
	}
	return MDB_MAP_FULL;
}

static int begin(struct state *state, unsigned flags, MDB_txn **transaction_out)
{
	int code = MDB_SUCCESS;

	for (int i = 0; i < BEGIN_TRIES; i++) {
		guard_wait_begin();
		code = mdb_txn_begin(state->env, NULL, flags, transaction_out);
		guard_wait_end();
		if (code == MDB_MAP_RESIZED)
			code = set_map(state, 0);
		else if (code == MDB_READERS_FULL && i == 0)
			code = mdb_reader_check(state->env, NULL);
		else
			return code;
		if (code != MDB_SUCCESS)
			return code;
	}
	return MDB_MAP_RESIZED;
}

static int run_transaction(struct state *state, unsigned flags, box_job *job, void *argument)
{
	MDB_txn *transaction = NULL;
	int code = begin(state, flags, &transaction);

	if (code != MDB_SUCCESS)
		return code;
	state->has_transaction = true;
	code = job(state, transaction, argument);
	/* A read transaction is committed too: that keeps the databases that it opened. */
	if (code == MDB_SUCCESS)
		code = mdb_txn_commit(transaction);
	else
		mdb_txn_abort(transaction);
	state->has_transaction = false;
	return code;
}

/* LMDB trusts its pages: one that is damaged can send it anywhere. Mail must go on then, without
 * the state. What the transaction held is left as it is; the write lock is free when the process
 * ends. */
static int run_once(struct state *state, unsigned flags, box_job *job, void *argument)
{
	sigjmp_buf place;
	int code;

	if (sigsetjmp(place, 0) != 0) {
		state->has_transaction = false;
		state->is_damaged = true;
		log_error("state %s: damaged: reading it failed with a fault; 'backstop db check' "
			  "says where, 'backstop db load' mends it from a dump",
			state->directory);
		return MDB_CORRUPTED;
	}
	guard_catch_faults(&place);
	code = run_transaction(state, flags, job, argument);
	guard_catch_faults(NULL);
	return code;
}

/* A write that the disk had room for only in part is EIO to LMDB. It took what room there was, so
 * asking for a little more brings the reason to light; should that be granted, the file is longer
 * than it need be, and nothing else. */
static int find_write_error(struct state *state)
{
	int descriptor = -1;
	struct stat info;

	if (mdb_env_get_fd(state->env, &descriptor) != MDB_SUCCESS || fstat(descriptor, &info) != 0)
		return EIO;
	if (fallocate(descriptor, 0, info.st_size, PROBE_BYTES) == 0)
		return EIO;
	return status_from_errno(errno) == STATUS_NO_SPACE ? errno : EIO;
}

enum status box_read(struct state *state, box_job *job, void *argument)
{
	assert(!state->has_transaction);
	if (!box_is_usable(state))
		return STATUS_STATE;
	return box_status(run_once(state, MDB_RDONLY, job, argument));
}

enum status box_write(struct state *state, box_job *job, void *argument)
{
	int code;

	assert(!state->has_transaction);
	if (!box_is_usable(state))
		return STATUS_STATE;
	do {
		code = run_once(state, 0, job, argument);
	} while (code == MDB_MAP_FULL && grow_map(state) == MDB_SUCCESS);
	if (code == EIO)
		code = find_write_error(state);
	return box_status(code);
}

int box_compare_keys(const MDB_val *left, const MDB_val *right)
{
	size_t size = left->mv_size < right->mv_size ? left->mv_size : right->mv_size;
	int order = size > 0 ? memcmp(left->mv_data, right->mv_data, size) : 0;

	if (order != 0)
		return order;
	return (left->mv_size > right->mv_size) - (left->mv_size < right->mv_size);
}

/* One page of a walk: the records' bytes, one behind the other, and where each begins. */
struct page {
	enum box_db database;
	MDB_val from;
	bool is_from_done;
	struct codec_writer bytes;
	size_t count;
	struct {
		size_t key_offset;
		size_t key_size;
		size_t value_size;
	} records[PAGE_RECORDS];
};

static int seek(MDB_cursor *cursor, const struct page *page, MDB_val *key, MDB_val *value)
{
	int code;

	if (page->from.mv_size == 0)
		return mdb_cursor_get(cursor, key, value, MDB_FIRST);
	*key = page->from;
	code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (code == MDB_SUCCESS && page->is_from_done && key->mv_size == page->from.mv_size &&
		memcmp(key->mv_data, page->from.mv_data, key->mv_size) == 0)
		code = mdb_cursor_get(cursor, key, value, MDB_NEXT);
	return code;
}

/* True when the key comes behind the last one of the walk. Where it does not, a page is damaged,
 * and the walk would go round in circles. */
static bool is_ascending(const struct page *page, const MDB_val *key)
{
	MDB_val last = page->from;

	if (page->count > 0) {
		last.mv_data = page->bytes.data + page->records[page->count - 1].key_offset;
		last.mv_size = page->records[page->count - 1].key_size;
	} else if (!page->is_from_done) {
		return true;
	}
	return box_compare_keys(key, &last) > 0;
}

static int read_page(struct state *state, MDB_txn *transaction, void *argument)
{
	struct page *page = argument;
	MDB_cursor *cursor = NULL;
	MDB_val key;
	MDB_val value;
	int code = mdb_cursor_open(transaction, state->dbis[page->database], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	codec_writer_reset(&page->bytes);
	page->count = 0;
	code = seek(cursor, page, &key, &value);
	while (code == MDB_SUCCESS && page->count < PAGE_RECORDS && page->bytes.size < PAGE_BYTES) {
		/* No value of ours is near that size; without data LMDB found a damaged node. */
		if (value.mv_size > PAGE_BYTES || value.mv_data == NULL ||
			!is_ascending(page, &key)) {
			code = MDB_CORRUPTED;
			break;
		}
		page->records[page->count].key_offset = page->bytes.size;
		page->records[page->count].key_size = key.mv_size;
		page->records[page->count].value_size = value.mv_size;
		page->count++;
		codec_put_bytes(&page->bytes, key.mv_data, key.mv_size);
		codec_put_bytes(&page->bytes, value.mv_data, value.mv_size);
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	/* What was read is visited first; the next page finds the same damage at its begin. */
	return code == MDB_NOTFOUND || page->count > 0 ? MDB_SUCCESS : code;
}

static void find_record(const struct page *page, size_t index, MDB_val *key, MDB_val *value)
{
	key->mv_size = page->records[index].key_size;
	key->mv_data = page->bytes.data + page->records[index].key_offset;
	value->mv_size = page->records[index].value_size;
	value->mv_data = (unsigned char *)key->mv_data + key->mv_size;
}

static enum status visit_page(const struct page *page, box_visitor *visitor, void *argument)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < page->count && status == STATUS_OK; i++) {
		MDB_val key;
		MDB_val value;

		find_record(page, i, &key, &value);
		status = visitor(argument, &key, &value);
	}
	return status;
}

/* The next page begins behind the last record of this one. */
static void move_on(struct page *page, void *context)
{
	void *old = page->is_from_done ? page->from.mv_data : NULL;
	MDB_val key;
	MDB_val value;

	find_record(page, page->count - 1, &key, &value);
	page->from.mv_size = key.mv_size;
	page->from.mv_data = mem_memdup(context, key.mv_data, key.mv_size);
	page->is_from_done = true;
	mem_free(old);
}

enum status box_walk(struct state *state, enum box_db database, MDB_val from, box_visitor *visitor,
	void *argument)
{
	void *context;
	struct page *page;
	enum status status;

	if (!box_has(state, database))
		return box_is_usable(state) ? STATUS_OK : STATUS_STATE;
	context = mem_context(NULL, "walk");
	page = mem_new(context, struct page);
	page->database = database;
	page->from = from;
	codec_writer_init(&page->bytes, context);
	do {
		status = box_read(state, read_page, page);
		if (status != STATUS_OK || page->count == 0)
			break;
		status = visit_page(page, visitor, argument);
		move_on(page, context);
	} while (status == STATUS_OK);
	mem_free(context);
	return status;
}
