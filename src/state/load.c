/*
 * load.c: a dump becomes a state.
 *
 * The records go into an environment of their own, in a folder below the state directory, where
 * they are checked as they come; only a whole one takes the place of the state's file, by one
 * rename. Two things may surprise. LMDB keeps the number of the last transaction in the lock file,
 * for whoever opens while others have it open, so the file may change only while nobody has: that
 * is LMDB's own lock on the first byte, held here until the new file has been opened once. And the
 * folder is locked as by a creation (state.c), so that a delivery which finds no state waits
 * instead of making one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/dump.h"
#include "state/dump_form.h"
#include "state/parts.h"

enum {
	SLICE_RECORDS = 4096, /* in one transaction */
	SLICE_BYTES = 4 * 1024 * 1024,
	LINE_MAX_BYTES = 4 * 1024 * 1024, /* no record of ours is near that */
	WORK_MODE = 0700,
	IN_USE_WAIT_MS = 10000,
	IN_USE_STEP_MS = 5,
	LINE_SHOWN = 40
};

struct loading {
	const void *context;
	const char *directory;
	const char *folder; /* below it; locked, so that one load is at work */
	const char *place;  /* below that; where the new environment grows */
	FILE *in;
	struct state *state; /* it */
	char *line;
	size_t capacity;
	uint64_t number; /* of the line */
	struct codec_writer bytes;
	size_t count;
	struct {
		enum box_db database;
		size_t key_offset, key_size, value_size;
	} records[SLICE_RECORDS];
	enum box_db database;
	bool has_database;
	uint64_t loaded;
	const char *error;
};

static enum status fail_errno(struct loading *loading, const char *verb, const char *path)
{
	int error = errno;

	loading->error =
		mem_printf(loading->context, "cannot %s %s: %s", verb, path, strerror(error));
	return status_from_errno(error);
}

static enum status fail_line(struct loading *loading, const char *what)
{
	loading->error = mem_printf(
		loading->context, "line %llu: %s", (unsigned long long)loading->number, what);
	return STATUS_DATA;
}

/* Records ascend, so pages are filled one after the other. */
static int put_slice(struct state *state, MDB_txn *transaction, void *argument)
{
	struct loading *loading = argument;
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < loading->count && code == MDB_SUCCESS; i++) {
		MDB_val key = {.mv_size = loading->records[i].key_size,
			.mv_data = loading->bytes.data + loading->records[i].key_offset};
		MDB_val value = {.mv_size = loading->records[i].value_size,
			.mv_data = (unsigned char *)key.mv_data + key.mv_size};

		code = mdb_put(transaction, state->dbis[loading->records[i].database], &key, &value,
			MDB_APPEND);
	}
	return code;
}

static enum status write_slice(struct loading *loading)
{
	enum status status = box_write(loading->state, put_slice, loading);

	loading->loaded += loading->count;
	loading->count = 0;
	codec_writer_reset(&loading->bytes);
	if (status == STATUS_OK)
		return STATUS_OK;
	/* MDB_KEYEXIST, behind a key that does not ascend. */
	if (status == STATUS_STATE)
		return fail_line(loading, "a record up to here stands twice or out of order");
	loading->error = mem_printf(
		loading->context, "cannot write in %s: %s", loading->place, status_text(status));
	return status;
}

static enum status take_record(struct loading *loading, size_t length)
{
	MDB_val key, value;

	if (!loading->has_database)
		return fail_line(loading, "a record without a database before it");
	if (!dump_parse_record(loading->line, length, &key, &value) || key.mv_size == 0)
		return fail_line(loading, "this is no record");
	if (key.mv_size > (size_t)mdb_env_get_maxkeysize(loading->state->env) ||
		!box_check(loading->database)(&key, &value))
		return fail_line(loading, "this record cannot be understood; was it written by a "
					  "later version?");
	loading->records[loading->count].database = loading->database;
	loading->records[loading->count].key_offset = loading->bytes.size;
	loading->records[loading->count].key_size = key.mv_size;
	loading->records[loading->count].value_size = value.mv_size;
	loading->count++;
	codec_put_bytes(&loading->bytes, key.mv_data, key.mv_size);
	codec_put_bytes(&loading->bytes, value.mv_data, value.mv_size);
	if (loading->count == SLICE_RECORDS || loading->bytes.size >= SLICE_BYTES)
		return write_slice(loading);
	return STATUS_OK;
}

static enum status begin_database(struct loading *loading, const char *name)
{
	for (size_t i = 0; i < BOX_DB_COUNT; i++) {
		if (strcmp(box_name((enum box_db)i), name) != 0)
			continue;
		loading->database = (enum box_db)i;
		loading->has_database = true;
		return STATUS_OK;
	}
	return fail_line(
		loading, "no database of this name is known; was it written by a later version?");
}

/* False at the end of the file, or of what can be read of it. */
static bool next_line(struct loading *loading, size_t *length_out)
{
	ssize_t length = getline(&loading->line, &loading->capacity, loading->in);

	if (length <= 0)
		return false;
	loading->number++;
	/* A last line without its end may have lost more than that. */
	if (loading->line[length - 1] != '\n')
		return false;
	loading->line[length - 1] = '\0';
	*length_out = (size_t)length - 1;
	return true;
}

static bool is_end(const struct loading *loading)
{
	char wanted[64];

	snprintf(wanted, sizeof wanted, "%s%llu", DUMP_END,
		(unsigned long long)(loading->loaded + loading->count));
	return strcmp(loading->line, wanted) == 0;
}

static enum status read_records(struct loading *loading)
{
	enum status status = STATUS_OK;
	size_t length;

	bool is_line = next_line(loading, &length);

	if (loading->number == 0) {
		loading->error = mem_strdup(loading->context,
			ferror(loading->in) ? "cannot be read" : "is empty: this is no dump");
		return STATUS_DATA;
	}
	if (!is_line || strcmp(loading->line, DUMP_HEAD) != 0)
		return fail_line(loading,
			"this is no dump that this version can read; want \"" DUMP_HEAD
			"\" at the top");
	while (status == STATUS_OK && next_line(loading, &length)) {
		if (loading->line[0] == DUMP_RECORD && length < LINE_MAX_BYTES)
			status = take_record(loading, length);
		else if (strncmp(loading->line, DUMP_DATABASE, strlen(DUMP_DATABASE)) == 0)
			status = begin_database(loading, loading->line + strlen(DUMP_DATABASE));
		else if (is_end(loading))
			return write_slice(loading);
		else if (strncmp(loading->line, DUMP_END, strlen(DUMP_END)) == 0)
			status = fail_line(loading, "the number of records is another one");
		else
			status = fail_line(loading, "this line means nothing");
	}
	if (status != STATUS_OK)
		return status;
	return fail_line(loading, "the dump is cut short: it has no last line with its number of "
				  "records");
}

/* What an earlier run left that was killed. */
static void empty_folder(const char *folder)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *path = mem_printf(NULL, "%s/%s", folder, names[i]);

		unlink(path);
		mem_free(path);
	}
	rmdir(folder);
}

static enum status build(struct loading *loading)
{
	const char *error = NULL;
	enum status status;

	empty_folder(loading->place);
	status = box_open(loading->context, loading->place, STATE_WRITE, BOX_MAP_INITIAL,
		&loading->state, &error);
	if (status != STATUS_OK) {
		loading->error = error;
		return status;
	}
	/* It is nothing until it is whole. */
	mdb_env_set_flags(loading->state->env, MDB_NOSYNC, 1);
	codec_writer_init(&loading->bytes, loading->state);
	status = read_records(loading);
	if (status == STATUS_OK && mdb_env_sync(loading->state->env, 1) != MDB_SUCCESS)
		status = fail_errno(loading, "sync", loading->place);
	state_close(loading->state);
	loading->state = NULL;
	return status;
}

/* STATUS_OK when nothing is there that a load could destroy. */
static enum status check_empty(struct loading *loading)
{
	uint64_t records = 0;
	struct state *state = NULL;
	const char *error = NULL;
	enum status status =
		state_open(loading->context, loading->directory, STATE_READ, &state, &error);

	if (status == STATUS_NO_INPUT)
		return STATUS_OK;
	if (status == STATUS_OK)
		status = state_count(state, &records);
	state_close(state);
	if (status == STATUS_OK && records == 0)
		return STATUS_OK;
	loading->error = mem_printf(loading->context, "%s %s; --replace puts the dump in its place",
		loading->directory, status == STATUS_OK ? "has records already" : "is damaged");
	return STATUS_DIFFERENT;
}

/* Waits until nobody has the environment open, and keeps it so until lock is closed. */
static enum status keep_others_out(struct loading *loading, int lock)
{
	const struct timespec step = {.tv_nsec = IN_USE_STEP_MS * 1000000L};
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	for (int waited_ms = 0; waited_ms < IN_USE_WAIT_MS; waited_ms += IN_USE_STEP_MS) {
		if (fcntl(lock, F_SETLK, &range) == 0)
			return STATUS_OK;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return fail_errno(loading, "lock the state in", loading->directory);
		nanosleep(&step, NULL);
	}
	range.l_type = F_WRLCK;
	fcntl(lock, F_GETLK, &range);
	loading->error = mem_printf(loading->context,
		"the state in %s is in use all the time, now by process %ld; stop it ('sent "
		"--follow' keeps the state open), or the mail server, for a moment",
		loading->directory, (long)range.l_pid);
	return STATUS_TIMEOUT;
}

/* Who may write a state because of its group would leave one that its user cannot open. */
static enum status check_user(struct loading *loading)
{
	const char *data = mem_printf(loading->context, "%s/data.mdb", loading->directory);
	const char *const paths[] = {loading->directory, data};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		struct stat info;

		if (stat(paths[i], &info) != 0 || info.st_uid == geteuid())
			continue;
		loading->error =
			mem_printf(loading->context, "%s belongs to user %lu; load it as that user",
				paths[i], (unsigned long)info.st_uid);
		return STATUS_PERMISSION;
	}
	return STATUS_OK;
}

/* The new file is for whom the old one was. */
static enum status keep_mode(struct loading *loading, const char *old, const char *new)
{
	struct stat info;

	if (stat(old, &info) != 0)
		return STATUS_OK;
	if (chmod(new, info.st_mode & 0777) != 0 || chown(new, (uid_t)-1, info.st_gid) != 0)
		return fail_errno(loading, "set the mode of", new);
	return STATUS_OK;
}

static enum status set_aside(struct loading *loading, const char *data, const char **aside_out)
{
	const char *aside;

	*aside_out = NULL;
	for (int number = 1;; number++) {
		aside = mem_printf(loading->context, "%s.replaced-%d", data, number);
		if (link(data, aside) == 0)
			break;
		if (errno == ENOENT)
			return STATUS_OK;
		if (errno != EEXIST)
			return fail_errno(loading, "keep the old file as", aside);
	}
	*aside_out = aside;
	return STATUS_OK;
}

/* With everybody out. Opening it once writes the lock file anew. */
static enum status put_in_place(struct loading *loading, const char **aside_out)
{
	const char *data = mem_printf(loading->context, "%s/data.mdb", loading->directory);
	const char *built = mem_printf(loading->context, "%s/data.mdb", loading->place);
	struct state *state = NULL;
	enum status status = keep_mode(loading, data, built);

	if (status == STATUS_OK)
		status = set_aside(loading, data, aside_out);
	if (status != STATUS_OK)
		return status;
	if (rename(built, data) != 0)
		return fail_errno(loading, "rename", built);
	status = state_open(
		loading->context, loading->directory, STATE_WRITE, &state, &loading->error);
	state_close(state);
	return status;
}

static enum status swap(struct loading *loading, bool is_replacing, const char **aside_out)
{
	const char *path = mem_printf(loading->context, "%s/lock.mdb", loading->directory);
	int folder = open(loading->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int lock = -1;
	enum status status = STATUS_OK;

	if (folder < 0 || flock(folder, LOCK_EX) != 0)
		status = fail_errno(loading, "lock", loading->directory);
	/* Opening and closing it here drops no lock: this process has it open nowhere. */
	if (status == STATUS_OK && !is_replacing)
		status = check_empty(loading);
	if (status == STATUS_OK)
		status = box_make_place(loading->context, loading->directory, &loading->error);
	if (status == STATUS_OK && (lock = open(path, O_RDWR | O_CLOEXEC)) < 0)
		status = fail_errno(loading, "open", path);
	if (status == STATUS_OK)
		status = keep_others_out(loading, lock);
	if (status == STATUS_OK)
		status = put_in_place(loading, aside_out);
	if (status == STATUS_OK && fsync(folder) != 0)
		status = fail_errno(loading, "sync", loading->directory);
	if (lock >= 0)
		close(lock);
	if (folder >= 0)
		close(folder);
	return status;
}

static enum status load_in_folder(
	struct loading *loading, bool is_replacing, struct load_result *result_out)
{
	int guard = open(loading->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum status status;

	if (guard < 0)
		return fail_errno(loading, "open", loading->folder);
	if (flock(guard, LOCK_EX | LOCK_NB) != 0) {
		close(guard);
		loading->error = mem_printf(
			loading->context, "another load is at work in %s", loading->folder);
		return STATUS_TIMEOUT;
	}
	status = build(loading);
	result_out->records = loading->loaded;
	if (status == STATUS_OK)
		status = swap(loading, is_replacing, &result_out->set_aside);
	empty_folder(loading->place);
	rmdir(loading->folder);
	close(guard);
	return status;
}

enum status state_load(const void *context, const char *directory, FILE *in, bool is_replacing,
	struct load_result *result_out, const char **error_out)
{
	struct loading *loading = mem_new(context, struct loading);
	enum status status;

	*result_out = (struct load_result){0};
	loading->context = context;
	loading->directory = directory;
	loading->folder = mem_printf(context, "%s/load.tmp", directory);
	loading->place = mem_printf(context, "%s/load.tmp/new", directory);
	loading->in = in;
	status = box_make_place(context, directory, &loading->error);
	if (status == STATUS_OK)
		status = check_user(loading);
	if (status == STATUS_OK && !is_replacing)
		status = check_empty(loading);
	if (status == STATUS_OK && mkdir(loading->folder, WORK_MODE) != 0 && errno != EEXIST)
		status = fail_errno(loading, "create", loading->folder);
	if (status == STATUS_OK)
		status = load_in_folder(loading, is_replacing, result_out);
	free(loading->line);
	*error_out = loading->error;
	mem_free(loading);
	return status;
}
