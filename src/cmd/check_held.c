/*
 * check_held.c: in charge of comparing held records with the files that they name, while deliveries
 * go on: a file is written before its record and removed after it, so the files are listed first,
 * and what seems to be missing is asked for again.
 */
#include "cmd/check_held.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "maildir/maildir.h"
#include "state/record.h"

#define YOUNG_S (60 * 60) /* a file that is younger may still get its record */
#define BLOCK_SIZE 4096
#define NAMED_MAX 10 /* messages that are named one by one */

/* A file's name as a number; of two names with the same one, one could go unnoticed. */
struct held_file {
	uint64_t hash;
	uint64_t size;
	bool is_old;
	bool has_record;
};

struct comparison {
	struct survey *survey;
	struct state *state;
	const void *context;
	const char *folder;
	struct held_file *files;
	size_t count;
	size_t room;
	uint64_t missing;
	uint64_t cut;
};

/* FNV-1a, 64 bits, up to the flags that a mail reader may have put behind the name. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xCBF29CE484222325;

	for (; *name != '\0' && *name != ':'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001B3;
	return hash;
}

static int compare_files(const void *a, const void *b)
{
	uint64_t left = ((const struct held_file *)a)->hash;
	uint64_t right = ((const struct held_file *)b)->hash;

	return left < right ? -1 : left > right;
}

static int note_file(void *argument, const char *full_path, const char *name)
{
	struct comparison *comparison = argument;
	struct stat about;

	if (stat(full_path, &about) != 0)
		return 0;
	if (comparison->count == comparison->room) {
		comparison->room = comparison->room == 0 ? 64 : 2 * comparison->room;
		comparison->files = mem_realloc(comparison->context, comparison->files,
			comparison->room * sizeof(*comparison->files));
	}
	comparison->files[comparison->count++] = (struct held_file){.hash = hash_name(name),
		.size = (uint64_t)about.st_size,
		.is_old = about.st_mtime < comparison->survey->now - YOUNG_S};
	return 0;
}

static struct held_file *find_file(const struct comparison *comparison, const char *name)
{
	const struct held_file wanted = {.hash = hash_name(name)};

	if (comparison->count == 0)
		return NULL;
	return bsearch(
		&wanted, comparison->files, comparison->count, sizeof(wanted), compare_files);
}

/* True when the file came after the listing, or the record has gone meanwhile. */
static bool is_settled(const struct comparison *comparison, const struct held *held)
{
	void *context = mem_context(NULL, "held");
	const char *path = mem_printf(context, "%s/new/%s", comparison->folder, held->file);
	struct held *again = NULL;
	bool result = access(path, F_OK) == 0 ||
		      record_find_held(comparison->state, context, held->event.id, &again) ==
			      STATUS_NOT_FOUND;

	mem_free(context);
	return result;
}

/* The record has whole blocks. Where it has the bytes of the message, the file was not measured: an
 * older version wrote it. */
static bool is_whole(const struct held_file *file, const struct held *held)
{
	uint64_t blocks = (file->size + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;

	return file->size > 0 &&
	       (blocks == held->event.stored || held->event.stored == held->event.size);
}

static enum status visit_record(void *argument, const struct held *held)
{
	struct comparison *comparison = argument;
	struct held_file *file = find_file(comparison, held->file);
	char id[EVENT_ID_TEXT_MAX];

	event_id_format(held->event.id, id);
	if (file != NULL) {
		file->has_record = true;
		if (!is_whole(file, held) && ++comparison->cut <= NAMED_MAX)
			check_fault(comparison->survey,
				"held: the file %s/new/%s of message %s has %llu bytes, which is "
				"not "
				"what was kept",
				comparison->folder, held->file, id, (unsigned long long)file->size);
		return STATUS_OK;
	}
	if (is_settled(comparison, held))
		return STATUS_OK;
	if (++comparison->missing <= NAMED_MAX)
		check_fault(comparison->survey,
			"held: message %s has lost its file %s/new/%s, and cannot be released", id,
			comparison->folder, held->file);
	return STATUS_OK;
}

static void say_result(const struct comparison *comparison)
{
	uint64_t orphans = 0;

	for (size_t i = 0; i < comparison->count; i++)
		orphans += comparison->files[i].is_old && !comparison->files[i].has_record;
	if (comparison->missing > NAMED_MAX)
		check_fault(comparison->survey, "held: %llu more messages have lost their files",
			(unsigned long long)(comparison->missing - NAMED_MAX));
	if (comparison->cut > NAMED_MAX)
		check_fault(comparison->survey,
			"held: %llu more files have not the bytes that were kept",
			(unsigned long long)(comparison->cut - NAMED_MAX));
	if (orphans > 0)
		check_warn(comparison->survey,
			"held: %llu file%s in %s ha%s no record, as deliveries leave that "
			"were ended half-way, and as db load does of what was held after its "
			"dump: there may be genuine reports among them; backstop held purge "
			"--expired moves those of "
			"yesterday and before to unclaimed",
			(unsigned long long)orphans, orphans == 1 ? "" : "s", comparison->folder,
			orphans == 1 ? "s" : "ve");
}

void check_held(struct survey *survey, struct state *state)
{
	void *context = mem_context(NULL, "held files");
	struct comparison comparison = {.survey = survey, .state = state, .context = context};
	int error;

	comparison.folder = mem_printf(context, "%s/held", state_directory(state));
	/* Nothing was ever held where there is no folder. */
	error = access(comparison.folder, F_OK) == 0
			? maildir_walk(comparison.folder, note_file, &comparison)
			: 0;
	if (error != 0) {
		check_fault(survey, "held: %s: cannot be listed: %s", comparison.folder,
			strerror(error));
	} else {
		if (comparison.count > 0)
			qsort(comparison.files, comparison.count, sizeof(*comparison.files),
				compare_files);
		if (record_walk_held(state, visit_record, &comparison) == STATUS_OK)
			say_result(&comparison);
		else
			check_fault(survey, "held: the records cannot be read");
	}
	mem_free(context);
}
