/*
 * held_files.c: files in STATE/held that no record names: what a kill between the file and its
 * record leaves behind, or a state that was restored from a copy. Leaves moving them to hold.c.
 */
#include "cmd/held_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "act/act.h"
#include "base/memory.h"
#include "cmd/held_choice.h"
#include "maildir/maildir.h"
#include "state/record.h"

enum { ORPHAN_AGE_S = 24 * 60 * 60 };

/* The names in all records, as hashes, sorted. Two names with one hash keep a file that could go,
 * which does no harm. */
struct known_files {
	struct held_ids hashes;
	const void *context;
};

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xCBF29CE484222325;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001B3;
	return hash;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static enum status learn_file(void *argument, const struct held *held)
{
	struct known_files *known = argument;

	held_ids_add(known->context, &known->hashes, hash_name(held->file));
	return STATUS_OK;
}

static bool is_known_file(void *argument, const char *file)
{
	const struct held_ids *hashes = &((const struct known_files *)argument)->hashes;
	uint64_t hash = hash_name(file);

	return hashes->count > 0 &&
	       bsearch(&hash, hashes->ids, hashes->count, sizeof hash, compare_hashes) != NULL;
}

/* Learns every name. STATUS_STATE when a record does not decode (the walk leaves those out): its
 * file would seem to be nobody's. */
static enum status learn_files(struct state *state, struct known_files *known)
{
	struct state_size before, after;
	enum status status = state_measure(state, &before);

	if (status == STATUS_OK)
		status = record_walk_held(state, learn_file, known);
	if (status == STATUS_OK)
		status = state_measure(state, &after);
	if (status == STATUS_OK && known->hashes.count < before.held &&
		known->hashes.count < after.held)
		status = STATUS_STATE;
	if (known->hashes.count > 0)
		qsort(known->hashes.ids, known->hashes.count, sizeof *known->hashes.ids,
			compare_hashes);
	return status;
}

enum status held_sweep_files(struct command_run *run)
{
	struct known_files known = {.context = run->context};
	uint64_t removed = 0;
	enum status status = learn_files(run->state, &known);

	if (status != STATUS_OK)
		return command_failed(run, status,
			"files without a record were not looked for: the records changed "
			"meanwhile, "
			"or cannot all be read");
	status = hold_sweep(state_directory(run->state), run->now - ORPHAN_AGE_S, is_known_file,
		&known, &removed);
	if (removed > 0)
		printf("moved %" PRIu64 " file%s that no record names to %s/unclaimed\n", removed,
			removed == 1 ? "" : "s", state_directory(run->state));
	if (status != STATUS_OK)
		return command_failed(run, status, "files that no record names cannot be moved: %s",
			status_text(status));
	return STATUS_OK;
}

struct counting {
	struct known_files *known;
	uint64_t count;
};

static int count_file(void *argument, const char *full_path, const char *name)
{
	struct counting *counting = argument;

	(void)full_path;
	counting->count += !is_known_file(counting->known, name);
	return 0;
}

enum status held_count_files(struct command_run *run, uint64_t *count_out)
{
	struct known_files known = {.context = run->context};
	struct counting counting = {.known = &known};
	const char *folder = mem_printf(run->context, "%s/held", state_directory(run->state));
	enum status status = STATUS_OK;
	int error;

	*count_out = 0;
	if (access(folder, F_OK) != 0)
		return STATUS_OK; /* nothing was ever held */
	status = learn_files(run->state, &known);
	if (status != STATUS_OK)
		return status;
	error = maildir_walk(folder, count_file, &counting);
	*count_out = counting.count;
	return error == 0 ? STATUS_OK : status_from_errno(error);
}
