/*
 * tally.c: in charge of finding the row of a name, and of the order of the rows.
 *
 * The C library's search tree and not a hash table: whoever sends the mail chooses the names, and
 * no choice of them makes a balanced tree slow.
 */
#include "report/tally.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct tally {
	void *tree; /* of the rows, by name */
	struct tally_row **rows;
	size_t count;
	size_t room;
	size_t names_max;
	uint64_t uncounted;
};

/* No name sorts before every name. */
static int compare_names(const void *a, const void *b)
{
	const char *left = ((const struct tally_row *)a)->name;
	const char *right = ((const struct tally_row *)b)->name;

	if (left == NULL || right == NULL)
		return (left != NULL) - (right != NULL);
	return strcmp(left, right);
}

static int compare_rows(const void *a, const void *b)
{
	const struct tally_row *left = *(struct tally_row *const *)a;
	const struct tally_row *right = *(struct tally_row *const *)b;

	if (left->total != right->total)
		return left->total < right->total ? 1 : -1;
	return compare_names(left, right);
}

/* The rows are not the tree's to free. */
static void keep_row(void *row)
{
	(void)row;
}

static int release_tree(struct tally *tally)
{
	tdestroy(tally->tree, keep_row);
	return 0;
}

struct tally *tally_new(const void *context, size_t names_max)
{
	struct tally *tally = mem_new(context, struct tally);

	tally->names_max = names_max;
	talloc_set_destructor(tally, release_tree);
	return tally;
}

static struct tally_row *find_row(const struct tally *tally, const char *name)
{
	const struct tally_row wanted = {.name = name};
	struct tally_row **found = tfind(&wanted, &tally->tree, compare_names);

	return found == NULL ? NULL : *found;
}

static struct tally_row *add_row(struct tally *tally, const char *name)
{
	struct tally_row *row = mem_new(tally, struct tally_row);

	row->name = name == NULL ? NULL : mem_strdup(row, name);
	if (tally->count == tally->room) {
		tally->room = tally->room == 0 ? 64 : 2 * tally->room;
		tally->rows = mem_realloc(tally, tally->rows, tally->room * sizeof(*tally->rows));
	}
	tally->rows[tally->count++] = row;
	if (tsearch(row, &tally->tree, compare_names) == NULL)
		abort(); /* out of memory, as in memory.h */
	return row;
}

struct tally_row *tally_find(struct tally *tally, const char *name, uint64_t messages)
{
	const char *known = name != NULL && *name != '\0' ? name : NULL;
	struct tally_row *row = find_row(tally, known);

	if (row == NULL && tally->count >= tally->names_max) {
		tally->uncounted += messages;
		return NULL;
	}
	return row != NULL ? row : add_row(tally, known);
}

void tally_add(struct tally *tally, const char *name, enum verdict verdict)
{
	struct tally_row *row = tally_find(tally, name, 1);

	if (row == NULL)
		return;
	row->total++;
	row->verdicts[verdict]++;
}

const struct tally_row *const *tally_sort(struct tally *tally, size_t *count_out)
{
	if (tally->count > 0)
		qsort(tally->rows, tally->count, sizeof(*tally->rows), compare_rows);
	*count_out = tally->count;
	return (const struct tally_row *const *)tally->rows;
}

uint64_t tally_uncounted(const struct tally *tally)
{
	return tally->uncounted;
}
