/*
 * tagged.c: in charge of the places and spellings in which a tag comes back. Leaves what it proves
 * to the checks.
 */
#include "weigh/tagged.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/prvs.h"
#include "base/text.h"
#include "base/wrapped.h"
#include "state/ledger.h"

#define SPELLINGS_MAX (WRAPPED_MAX + 2)

/* The Return-Path above all Received lines of the returned headers. */
static const char *find_return_path(const struct original *original)
{
	for (size_t i = 0; i < original->headers.count; i++) {
		const struct header *header = &original->headers.items[i];

		if (text_equal_fold(header->name, "Received"))
			return NULL;
		if (text_equal_fold(header->name, "Return-Path"))
			return header->value;
	}
	return NULL;
}

size_t tagged_places(const struct weigh_input *input, struct tagged_place places_out[TAGGED_PLACES])
{
	const struct envelope *envelope = &input->mail->envelope;
	const struct tagged_place all[TAGGED_PLACES] = {
		{envelope->original_recipient, NULL},
		{envelope->recipient, NULL},
		{input->bounce->original_sender, "X-Postfix-Sender"},
		{find_return_path(&input->bounce->original), "the returned Return-Path"},
	};
	size_t count = 0;

	for (size_t i = 0; i < TAGGED_PLACES; i++) {
		if (all[i].address != NULL && *all[i].address != '\0')
			places_out[count++] = all[i];
	}
	return count;
}

/* The address as it is, without what was added behind it (+SUFFIX), and what is wrapped in it. */
static size_t find_spellings(const void *context, const char *address, const char **spellings)
{
	const char *at = strrchr(address, '@');
	const char *plus = at == NULL ? NULL : memrchr(address, '+', (size_t)(at - address));
	struct wrapped inner[WRAPPED_MAX];
	size_t inner_count = wrapped_open(context, address, inner);
	size_t count = 0;

	spellings[count++] = address;
	for (size_t i = 0; i < inner_count; i++)
		spellings[count++] = inner[i].address;
	if (plus != NULL && plus > address)
		spellings[count++] =
			mem_printf(context, "%.*s%s", (int)(plus - address), address, at);
	return count;
}

/* The recipient behind an opaque id: from the ledger, else one that the report names and that has
 * this id. */
static const char *resolve(
	const void *context, const struct weigh_input *input, const struct tag *tag)
{
	char *recipient = NULL;

	if (input->state != NULL &&
		ledger_find_id(input->state, context, tag->id, &recipient) == STATUS_OK)
		return recipient;
	for (size_t i = 0; i < input->bounce->recipient_count; i++) {
		const char *address = input->bounce->recipients[i].address;
		char id[TAG_ID_LENGTH + 1];

		if (address == NULL)
			continue;
		tag_recipient_id(address, id);
		if (strcmp(id, tag->id) == 0)
			return address;
	}
	return NULL;
}

/* What is better to know than what; all that is not bad stands above bad. */
static int rank(enum tag_result result)
{
	static const int ranks[] = {
		[TAG_ABSENT] = 0,
		[TAG_BAD] = 1,
		[TAG_NO_KEY] = 2,
		[TAG_UNRESOLVED] = 3,
		[TAG_EXPIRED] = 4,
		[TAG_VALID] = 5,
	};

	return ranks[result];
}

static void look_at(const void *context, const struct weigh_input *input, const char *address,
	const char *where, struct tagged *best)
{
	struct tagged found = {.where = where};

	if (!tag_parse(context, address, &found.tag))
		return;
	found.recipient =
		found.tag.id != NULL ? resolve(context, input, &found.tag) : found.tag.recipient;
	found.result = tag_check(input->tag_keys, &found.tag,
		found.tag.id != NULL ? found.recipient : NULL, input->domain->tag_lifetime_s,
		input->now);
	if (where != NULL && found.result != TAG_VALID)
		return;
	if (rank(found.result) > rank(best->result))
		*best = found;
}

void tagged_find(const void *context, const struct weigh_input *input, struct tagged *tagged_out)
{
	struct tagged_place places[TAGGED_PLACES];
	size_t count = input->tag_keys == NULL ? 0 : tagged_places(input, places);

	*tagged_out = (struct tagged){.result = TAG_ABSENT};
	for (size_t i = 0; i < count; i++) {
		const char *spellings[SPELLINGS_MAX];
		size_t spelling_count = find_spellings(context, places[i].address, spellings);

		for (size_t k = 0; k < spelling_count; k++)
			look_at(context, input, spellings[k], places[i].where, tagged_out);
	}
}

/* A valid one is best; of others a bad one says most. */
static int rank_prvs(enum prvs_result result)
{
	static const int ranks[] = {
		[PRVS_ABSENT] = 0,
		[PRVS_NO_KEY] = 1,
		[PRVS_BAD] = 2,
		[PRVS_EXPIRED] = 3,
		[PRVS_VALID] = 4,
	};

	return ranks[result];
}

void tagged_find_prvs(
	const void *context, const struct weigh_input *input, struct tagged_prvs *tagged_out)
{
	struct tagged_place places[TAGGED_PLACES];
	size_t count = input->prvs_keys == NULL ? 0 : tagged_places(input, places);

	*tagged_out = (struct tagged_prvs){.result = PRVS_ABSENT};
	for (size_t i = 0; i < count; i++) {
		struct wrapped inner[WRAPPED_MAX];
		size_t inner_count = wrapped_open(context, places[i].address, inner);

		for (size_t k = 0; k < inner_count; k++) {
			enum prvs_result result =
				strcmp(inner[k].name, "prvs") != 0
					? PRVS_ABSENT
					: prvs_check(input->prvs_keys, inner[k].tag,
						  inner[k].address, input->domain->prvs_lifetime_s,
						  input->now);

			if ((places[i].where != NULL && result != PRVS_VALID) ||
				rank_prvs(result) <= rank_prvs(tagged_out->result))
				continue;
			*tagged_out = (struct tagged_prvs){result, inner[k].tag, places[i].where};
		}
	}
}
