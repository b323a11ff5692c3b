/*
 * state.c: opens and closes the environment in the state directory.
 *
 * In charge of what may go wrong before the first transaction: files that are damaged, processes
 * that open at the same moment. Leaves the directory and its files, before LMDB sees them, to
 * opening.c, transactions to box.c and figures to inspect.c. What may surprise: a data file shorter
 * than its own page count is refused, since reading the missing pages through the map would be a
 * SIGBUS.
 */
#include "state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "state/box.h"
#include "state/opening.h"

/* With the directory. */
#define MEND                                                                                       \
	"load the last dump with 'backstop db load --replace FILE', or move %s away to begin "     \
	"afresh"

enum {
	OPEN_TRIES = 5,
	OPEN_WAIT_MS = 10,
	DATABASES_MAX = 24 /* room for databases to come */
};

static const char *const database_names[BOX_DB_COUNT] = {
	[BOX_SENT] = "sent",
	[BOX_IDS] = "ids",
	[BOX_EVENTS] = "events",
	[BOX_LISTS] = "lists",
	[BOX_REPORTERS] = "reporters",
	[BOX_HELD] = "held",
	[BOX_EXPIRY] = "expiry",
	[BOX_META] = "meta",
	[BOX_ROSTER] = "roster",
	[BOX_PROOFS] = "proofs",
	[BOX_PROOF_TIMES] = "proof-times",
	[BOX_DNS] = "dns",
	[BOX_AUDIT] = "audit",
	[BOX_ROLLUPS] = "rollups",
	[BOX_RATES] = "rates",
	[BOX_STORMS] = "storms",
	[BOX_OWED] = "owed",
};

const char *box_name(enum box_db database)
{
	return database_names[database];
}

static enum status fail_code(struct opening *opening, int code)
{
	switch (code) {
	case EACCES:
	case EPERM:
		return opening_fail_permission(opening);
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
		return opening_fail(opening, STATUS_STATE,
			"%s is damaged or no state of ours (%s); " MEND, opening->files.data,
			mdb_strerror(code), opening->files.directory);
	}
	return opening_fail(opening, box_status(code), "cannot open the state in %s: %s",
		opening->files.directory, mdb_strerror(code));
}

static int close_environment(struct state *state)
{
	/* LMDB forbids every use behind fork(), closing too; the child's end frees what it
	 * inherited. */
	if (state->env != NULL && state->pid == getpid() && !state->is_damaged)
		mdb_env_close(state->env);
	state->env = NULL;
	return 0;
}

/* Without a lock file nobody is at work here, and a reader must not create one. */
static unsigned environment_flags(const struct opening *opening)
{
	unsigned flags = MDB_NOTLS;

	if (opening->access == STATE_READ)
		flags |= MDB_RDONLY;
	if (opening->access == STATE_READ && access(opening->files.lock, F_OK) != 0)
		flags |= MDB_NOLOCK;
	return flags;
}

/* LMDB would write its finding to standard error, where the mail server takes it for ours. It must
 * not return: LMDB prints when it does. A transaction ends like one with a fault (box.c). */
static void end_on_assert(MDB_env *env, const char *message)
{
	(void)env;
	log_error("state: damaged: %s", message);
	guard_fault();
}

static int try_environment(struct opening *opening)
{
	struct state *state = opening->state;
	int code = mdb_env_create(&state->env);

	if (code != MDB_SUCCESS)
		return code;
	mdb_env_set_assert(state->env, end_on_assert);
	if (opening->initial_map_bytes > 0)
		code = mdb_env_set_mapsize(state->env, opening->initial_map_bytes);
	if (code == MDB_SUCCESS)
		code = mdb_env_set_maxdbs(state->env, DATABASES_MAX);
	if (code == MDB_SUCCESS)
		code = mdb_env_set_maxreaders(state->env, OPENING_READERS_MAX);
	if (code == MDB_SUCCESS)
		code = mdb_env_open(state->env, opening->files.directory,
			environment_flags(opening), OPENING_FILE_MODE);
	if (code != MDB_SUCCESS) {
		mdb_env_close(state->env);
		state->env = NULL;
	}
	return code;
}

/* What LMDB may say while another process is between two steps of opening or closing. Damage looks
 * the same (MDB_INVALID), so that is found out a few tens of milliseconds later. */
static bool is_passing(int code)
{
	return code == EAGAIN || code == EBUSY || code == EINTR || code == EINVAL ||
	       code == MDB_INVALID;
}

static int open_environment(struct opening *opening)
{
	const struct timespec wait = {.tv_nsec = OPEN_WAIT_MS * 1000000L};
	int code = try_environment(opening);

	for (int i = 1; i < OPEN_TRIES && is_passing(code); i++) {
		nanosleep(&wait, NULL);
		code = try_environment(opening);
	}
	return code;
}

/* The page count first, the size second: a writer at work can only make the file longer. */
static enum status check_length(struct opening *opening)
{
	MDB_envinfo info = {0};
	MDB_stat figures = {0};
	struct stat file;
	int descriptor = -1;
	uint64_t needed;

	mdb_env_info(opening->state->env, &info);
	mdb_env_stat(opening->state->env, &figures);
	mdb_env_get_fd(opening->state->env, &descriptor);
	if (fstat(descriptor, &file) != 0)
		return opening_fail_errno(opening, "look at", opening->files.data);
	needed = ((uint64_t)info.me_last_pgno + 1) * figures.ms_psize;
	if ((uint64_t)file.st_size >= needed)
		return STATUS_OK;
	return opening_fail(opening, STATUS_STATE,
		"%s is cut short: it has %llu bytes of %llu; " MEND, opening->files.data,
		(unsigned long long)file.st_size, (unsigned long long)needed,
		opening->files.directory);
}

/* Databases from this one on came later: a state without them can be read. */
#define FIRST_LATER_DB BOX_ROSTER

struct databases {
	unsigned flags;	 /* for each */
	bool may_be_old; /* the later ones may be missing */
};

static int open_databases(struct state *state, MDB_txn *transaction, void *argument)
{
	const struct databases *databases = argument;
	int code = MDB_SUCCESS;

	for (size_t i = 0; i < BOX_DB_COUNT && code == MDB_SUCCESS; i++) {
		code = mdb_dbi_open(
			transaction, database_names[i], databases->flags, &state->dbis[i]);
		if (code == MDB_NOTFOUND && databases->may_be_old && i >= FIRST_LATER_DB) {
			state->dbis[i] = BOX_NO_DBI;
			code = MDB_SUCCESS;
		}
	}
	return code;
}

/* A write transaction only if a database is missing: opening must not cost a sync. */
static enum status find_databases(struct opening *opening)
{
	struct databases databases = {.may_be_old = opening->access == STATE_READ};
	enum status status = box_read(opening->state, open_databases, &databases);

	if (status == STATUS_NOT_FOUND && opening->access == STATE_READ)
		return opening_fail(opening, STATUS_NO_INPUT, "the state in %s is empty",
			opening->files.directory);
	if (status == STATUS_NOT_FOUND) {
		databases.flags = MDB_CREATE;
		status = box_write(opening->state, open_databases, &databases);
	}
	if (status == STATUS_STATE)
		return opening_fail(opening, status,
			"%s is damaged, its databases cannot be opened; " MEND, opening->files.data,
			opening->files.directory);
	if (status != STATUS_OK)
		return opening_fail(opening, status, "cannot open the databases in %s: %s",
			opening->files.data, status_text(status));
	return STATUS_OK;
}

/* LMDB hands this one descriptor down to programs that are run: a pipe: command could write it. */
static void keep_from_programs(struct state *state)
{
	int descriptor = -1;

	if (mdb_env_get_fd(state->env, &descriptor) == MDB_SUCCESS)
		fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

static enum status open_all(struct opening *opening)
{
	int code = open_environment(opening);
	enum status status;

	if (code != MDB_SUCCESS)
		return fail_code(opening, code);
	keep_from_programs(opening->state);
	/* Slots of killed processes pin old pages, and the file would grow for their sake. */
	mdb_reader_check(opening->state->env, NULL);
	status = check_length(opening);
	return status == STATUS_OK ? find_databases(opening) : status;
}

/* Under a lock on the folder, so that a creation that failed half-way can be taken back: LMDB takes
 * a first page without its second for damage, for good. */
static enum status create_files(struct opening *opening)
{
	enum status status;
	bool is_first = opening_file_size(opening->files.data) <= 0;

	if (opening_is_half_created(opening->files.data)) {
		unlink(opening->files.data);
		is_first = true;
	}
	status = opening_make_lock_file(opening);
	if (status != STATUS_OK)
		return status;
	if (!is_first)
		opening->initial_map_bytes = 0;
	status = open_all(opening);
	if (status == STATUS_OK) {
		opening_sync_folder(opening->files.directory);
		return STATUS_OK;
	}
	if (is_first && opening_file_size(opening->files.data) < 2 * sysconf(_SC_PAGESIZE))
		unlink(opening->files.data);
	return status;
}

static enum status create(struct opening *opening)
{
	int folder = open(opening->files.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum status status;

	if (folder < 0)
		return errno == EACCES
			       ? opening_fail_permission(opening)
			       : opening_fail_errno(opening, "open", opening->files.directory);
	while (flock(folder, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		status = opening_fail_errno(opening, "lock", opening->files.directory);
		close(folder);
		return status;
	}
	status = create_files(opening);
	close(folder);
	return status;
}

static enum status open_for_writing(struct opening *opening)
{
	enum status status = opening_check_owner(opening);

	if (status == STATUS_OK)
		status = opening_make_folder(opening);
	if (status != STATUS_OK)
		return status;
	if (opening_file_size(opening->files.data) <= 0 ||
		opening_file_size(opening->files.lock) <= 0 ||
		opening_is_half_created(opening->files.data))
		return create(opening);
	opening->initial_map_bytes = 0;
	return open_all(opening);
}

static enum status open_for_reading(struct opening *opening)
{
	struct stat info;

	if (stat(opening->files.data, &info) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return opening_fail(opening, STATUS_NO_INPUT, "there is no state in %s",
				opening->files.directory);
		return errno == EACCES
			       ? opening_fail_permission(opening)
			       : opening_fail_errno(opening, "look at", opening->files.data);
	}
	if (info.st_size == 0 || opening_is_half_created(opening->files.data))
		return opening_fail(opening, STATUS_NO_INPUT, "the state in %s is empty",
			opening->files.directory);
	opening->initial_map_bytes = 0;
	return open_all(opening);
}

enum status box_make_place(const void *context, const char *directory, const char **error_out)
{
	struct opening opening = {.context = context,
		.scratch = mem_context(NULL, "a place for the state"),
		.files = {.directory = directory},
		.access = STATE_WRITE};
	enum status status;

	opening_name_files(&opening);
	status = opening_check_owner(&opening);
	if (status == STATUS_OK)
		status = opening_make_folder(&opening);
	if (status == STATUS_OK)
		status = opening_make_lock_file(&opening);
	*error_out = opening.error;
	mem_free(opening.scratch);
	return status;
}

enum status box_open(const void *context, const char *directory, enum state_access access,
	size_t initial_map_bytes, struct state **state_out, const char **error_out)
{
	struct opening opening = {.context = context,
		.scratch = mem_context(NULL, "opening the state"),
		.files = {.directory = directory},
		.access = access,
		.initial_map_bytes = initial_map_bytes};
	enum status status;

	opening_name_files(&opening);
	opening.state = mem_new(context, struct state);
	opening.state->directory = mem_strdup(opening.state, directory);
	opening.state->pid = getpid();
	/* Whoever frees the context closes the environment with it. */
	talloc_set_destructor(opening.state, close_environment);
	status = access == STATE_WRITE ? open_for_writing(&opening) : open_for_reading(&opening);
	if (status != STATUS_OK) {
		mem_free(opening.state);
		opening.state = NULL;
	}
	*state_out = opening.state;
	if (error_out != NULL)
		*error_out = opening.error;
	mem_free(opening.scratch);
	return status;
}

enum status state_open(const void *context, const char *directory, enum state_access access,
	struct state **state_out, const char **error_out)
{
	return box_open(context, directory, access, BOX_MAP_INITIAL, state_out, error_out);
}

void state_close(struct state *state)
{
	mem_free(state);
}

bool state_is_writable(const struct state *state)
{
	unsigned flags = MDB_RDONLY;

	return box_is_usable(state) && mdb_env_get_flags(state->env, &flags) == MDB_SUCCESS &&
	       (flags & MDB_RDONLY) == 0;
}

const char *state_directory(const struct state *state)
{
	return state->directory;
}
