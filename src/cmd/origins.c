/*
 * origins.c: a table with one place for each hash; a later message takes an earlier one's. Nobody
 * can aim at the place of another's message, since a secret of this run goes into the hash.
 */
#include "cmd/origins.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/hash.h"
#include "base/memory.h"

#define PLACE_COUNT 65536
#define SEED_SIZE 16

struct place {
	uint64_t hash; /* 0: free */
	struct origin origin;
};

struct origins {
	unsigned char seed[SEED_SIZE];
	struct place places[PLACE_COUNT];
};

struct origins *origins_new(const void *context)
{
	struct origins *origins = mem_new(context, struct origins);
	time_t now = time(NULL);

	if (getrandom(origins->seed, SEED_SIZE, 0) != SEED_SIZE)
		memcpy(origins->seed, &now, sizeof now);
	return origins;
}

static uint64_t hash_message(
	const struct origins *origins, const char *message_id, const char *sender)
{
	const struct hash_part parts[] = {{origins->seed, SEED_SIZE},
		{message_id, strlen(message_id) + 1}, {sender, strlen(sender)}};
	unsigned char hash[HASH_SHA256_SIZE];
	uint64_t number;

	hash_sha256_parts(parts, sizeof parts / sizeof parts[0], hash);
	memcpy(&number, hash, sizeof number);
	return number;
}

const struct origin *origins_find_or_note(struct origins *origins, const char *message_id,
	const char *sender, const struct origin *own)
{
	uint64_t hash = hash_message(origins, message_id, sender);
	struct place *place = &origins->places[hash % PLACE_COUNT];

	if (place->hash == hash)
		return &place->origin;
	if (own != NULL)
		*place = (struct place){.hash = hash, .origin = *own};
	return NULL;
}
