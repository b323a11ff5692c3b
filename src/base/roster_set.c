/* roster_set.c: in charge of the hashes of a roster and of their number. The lines are
 * roster_file.c's business. */
#include "base/roster_set.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/memory.h"

enum {
	FIRST_ROOM = 1024,
	CLOCK_EVERY = 4096, /* lines between two looks at the clock */
};

int64_t roster_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool roster_make_salt(unsigned char *salt_out)
{
	return hash_random(salt_out, ROSTER_SALT_SIZE);
}

static uint64_t hash_bytes(const unsigned char *salt, const char *text, size_t size)
{
	const struct hash_part parts[] = {{salt, ROSTER_SALT_SIZE}, {text, size}};
	unsigned char digest[HASH_SHA256_SIZE];
	uint64_t hash = 0;

	hash_sha256_parts(parts, 2, digest);
	for (size_t i = 0; i < sizeof hash; i++)
		hash = hash << 8 | digest[i];
	return hash;
}

/* ann+lists@example.net is also ann@example.net: reports name either. */
size_t roster_hash(const unsigned char *salt, const char *address, uint64_t *hashes_out)
{
	const char *at = strrchr(address, '@'), *plus = strchr(address, '+');
	char base[ADDRESS_MAX + 1];
	size_t size = strlen(address);

	hashes_out[0] = hash_bytes(salt, address, size);
	if (at == NULL || plus == NULL || plus == address || plus > at || size > ADDRESS_MAX)
		return 1;
	memcpy(base, address, (size_t)(plus - address));
	memcpy(base + (plus - address), at, size - (size_t)(at - address));
	size -= (size_t)(at - plus);
	hashes_out[1] = hash_bytes(salt, base, size);
	return 2;
}

struct filling {
	struct roster_set *set;
	size_t room;
	uint64_t lines;
	int64_t give_up_ms;
	const char *why;
};

static enum status add_member(void *argument, const char *address)
{
	struct filling *filling = argument;
	struct roster_set *set = filling->set;

	if (set->count + ROSTER_FORMS_MAX > filling->room) {
		filling->room *= 2;
		set->hashes = mem_realloc(set, set->hashes, filling->room * sizeof *set->hashes);
	}
	set->count += roster_hash(set->salt, address, set->hashes + set->count);
	if (set->count > ROSTER_MEMBERS_MAX) {
		filling->why = "has too many addresses";
		return STATUS_DATA;
	}
	if (++filling->lines % CLOCK_EVERY == 0 && filling->give_up_ms != 0 &&
		roster_clock_ms() > filling->give_up_ms) {
		filling->why = "takes too long to read";
		return STATUS_TIMEOUT;
	}
	return STATUS_OK;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void sort_hashes(struct roster_set *set)
{
	size_t kept = 0;

	qsort(set->hashes, set->count, sizeof *set->hashes, compare_hashes);
	for (size_t i = 0; i < set->count; i++) {
		if (kept == 0 || set->hashes[i] != set->hashes[kept - 1])
			set->hashes[kept++] = set->hashes[i];
	}
	set->count = kept;
}

static enum status fill(struct filling *filling, const char *path, const char **why_out)
{
	struct roster_set *set = filling->set;
	enum status status =
		roster_file_read(path, add_member, filling, &set->stamp, &set->figures, why_out);

	if (status != STATUS_OK && *why_out == NULL)
		*why_out = filling->why;
	if (status != STATUS_OK)
		return status;
	sort_hashes(set);
	if (set->count > 0)
		return STATUS_OK;
	*why_out = "has no address in it";
	return STATUS_DATA;
}

enum status roster_set_read(const void *context, const char *path, const unsigned char *salt,
	int64_t give_up_ms, struct roster_set **set_out, const char **why_out)
{
	struct filling filling = {.give_up_ms = give_up_ms, .room = FIRST_ROOM};
	struct roster_set *set = mem_new(context, struct roster_set);
	enum status status = STATUS_IO;

	*set_out = NULL;
	*why_out = "could not be hashed";
	filling.set = set;
	set->hashes = mem_new_array(set, uint64_t, FIRST_ROOM);
	if (salt != NULL)
		memcpy(set->salt, salt, sizeof set->salt);
	if (salt != NULL || roster_make_salt(set->salt))
		status = fill(&filling, path, why_out);
	if (status == STATUS_OK)
		*set_out = set;
	else
		mem_free(set);
	return status;
}

bool roster_set_has(const struct roster_set *set, const char *address)
{
	uint64_t hashes[ROSTER_FORMS_MAX];
	size_t count = roster_hash(set->salt, address, hashes);

	for (size_t i = 0; i < count; i++) {
		if (bsearch(&hashes[i], set->hashes, set->count, sizeof *set->hashes,
			    compare_hashes) != NULL)
			return true;
	}
	return false;
}
