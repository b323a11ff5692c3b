/*
 * config_find.c: which domain section and which list a name belongs to.
 *
 * In charge of the spellings under which a list gets mail. A host may have thousands of lists and
 * this is asked for every message, so bases are cut out of the address and looked up in a sorted
 * array, instead of trying each list. Whether a cut is a form of its base is address.c's to say.
 */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/config_private.h"
#include "base/memory.h"
#include "base/tag.h"
#include "base/text.h"
#include "base/wrapped.h"

/* Names that list managers and sendmail's aliases(5) make from a list's own. */
struct affix {
	const char *before;
	const char *after;
};

static const struct affix affixes[] = {
	{"", "-bounces"},
	{"", "-owner"},
	{"", "-request"},
	{"", "-admin"},
	{"owner-", ""},
};

static int compare_names(const void *a, const void *b)
{
	const struct config_name *left = a;
	const struct config_name *right = b;
	int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	if (left->match != right->match)
		return left->match < right->match ? -1 : 1;
	return (left->position > right->position) - (left->position < right->position);
}

/* The first of the equal names, or NULL. */
static const struct config_name *find_name(
	const struct config_name *names, size_t count, const char *name)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(names[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && strcmp(names[low].name, name) == 0 ? &names[low] : NULL;
}

static void add_name(struct config_name *names, size_t *count, const char *name,
	enum config_match match, size_t position)
{
	if (name == NULL)
		return;
	names[*count].name = name;
	names[*count].match = match;
	names[(*count)++].position = position;
}

void config_index_build(struct config *config)
{
	struct config_index *index = mem_new(config, struct config_index);
	size_t room = config->list_count;

	for (size_t i = 0; i < config->list_count; i++)
		room += config->lists[i].bounce_count;
	index->addresses = mem_new_array(index, struct config_name, room);
	index->domains = mem_new_array(index, struct config_name, config->domain_count);
	for (size_t i = 0; i < config->domain_count; i++)
		add_name(index->domains, &index->domain_count, config->domains[i].name,
			CONFIG_MATCH_LIST, i);
	for (size_t i = 0; i < config->list_count; i++) {
		const struct list_config *list = &config->lists[i];

		add_name(index->addresses, &index->address_count, list->address, CONFIG_MATCH_LIST,
			i);
		for (size_t j = 0; j < list->bounce_count; j++)
			add_name(index->addresses, &index->address_count, list->bounces[j],
				CONFIG_MATCH_BOUNCES, i);
	}
	qsort(index->domains, index->domain_count, sizeof *index->domains, compare_names);
	qsort(index->addresses, index->address_count, sizeof *index->addresses, compare_names);
	config->index = index;
}

const struct domain_config *config_find_domain(const struct config *config, const char *name)
{
	const struct config_index *index = config->index;
	const struct config_name *found;
	char *folded;

	if (name == NULL)
		return NULL;
	folded = text_lower(NULL, name);
	found = find_name(index->domains, index->domain_count, folded);
	mem_free(folded);
	return found == NULL ? NULL : &config->domains[found->position];
}

/* The list whose own address becomes address by an affix. */
static const struct config_name *find_derived(
	const struct config_index *index, void *scratch, const char *address)
{
	const char *at = strrchr(address, '@');
	size_t length = (size_t)(at - address);

	for (size_t i = 0; i < sizeof affixes / sizeof affixes[0]; i++) {
		size_t before = strlen(affixes[i].before);
		size_t after = strlen(affixes[i].after);
		const struct config_name *found;
		const char *base;

		if (length <= before + after || strncmp(address, affixes[i].before, before) != 0 ||
			strncmp(at - after, affixes[i].after, after) != 0)
			continue;
		base = mem_printf(
			scratch, "%.*s%s", (int)(length - before - after), address + before, at);
		found = find_name(index->addresses, index->address_count, base);
		if (found != NULL && found->match == CONFIG_MATCH_LIST)
			return found;
	}
	return NULL;
}

static const struct config_name *find_base(const struct config_index *index, void *scratch,
	const char *base, enum config_match *match_out)
{
	const struct config_name *found = find_name(index->addresses, index->address_count, base);

	if (found != NULL) {
		*match_out = found->match;
		return found;
	}
	found = find_derived(index, scratch, base);
	*match_out = found == NULL ? CONFIG_MATCH_NONE : CONFIG_MATCH_DERIVED;
	return found;
}

/* The address itself, then its bases from the longest to the shortest. */
static const struct config_name *find_form(const struct config_index *index, void *scratch,
	const char *address, enum config_match *match_out)
{
	const struct config_name *found = find_base(index, scratch, address, match_out);
	const char *at = strrchr(address, '@');

	for (const char *cut = at; found == NULL && --cut > address;) {
		const char *base;

		if (*cut != '+' && *cut != '-')
			continue;
		base = mem_printf(scratch, "%.*s%s", (int)(cut - address), address, at);
		found = find_base(index, scratch, base, match_out);
		if (found != NULL && !address_is_form_of(address, base))
			found = NULL;
	}
	return found;
}

/* The address as it is; without a tag of ours, whichever delimiter that has; and what is inside
 * another program's wrapping. */
static const struct config_name *find_any(const struct config_index *index, void *scratch,
	const char *address, enum config_match *match_out)
{
	char *normal = address == NULL ? NULL : address_normalise(scratch, address);
	const struct config_name *found = NULL;
	struct tag tag;

	if (normal != NULL)
		found = find_form(index, scratch, normal, match_out);
	if (normal != NULL && found == NULL && tag_parse(scratch, normal, &tag))
		found = find_form(index, scratch, tag.mailbox, match_out);
	return found;
}

const struct list_config *config_find_match(
	const struct config *config, const char *address, enum config_match *match_out)
{
	struct wrapped inner[WRAPPED_MAX];
	const struct config_name *found;
	size_t count;

	*match_out = CONFIG_MATCH_NONE;
	if (config->list_count == 0)
		return NULL;
	void *scratch = mem_context(NULL, "config_find_match");
	found = find_any(config->index, scratch, address, match_out);
	count = found == NULL ? wrapped_open(scratch, address, inner) : 0;
	for (size_t i = 0; i < count && found == NULL; i++)
		found = find_any(config->index, scratch, inner[i].address, match_out);
	mem_free(scratch);
	return found == NULL ? NULL : &config->lists[found->position];
}

const struct domain_config *config_find_domain_of(const struct config *config, const char *address)
{
	if (config->domain_count == 0)
		return NULL;
	void *scratch = mem_context(NULL, "config_find_domain_of");
	const struct domain_config *found = config_find_domain(config, address_domain(address));
	struct wrapped inner[WRAPPED_MAX];
	size_t count = found == NULL ? wrapped_open(scratch, address, inner) : 0;

	for (size_t i = 0; i < count && found == NULL; i++)
		found = config_find_domain(config, address_domain(inner[i].address));
	mem_free(scratch);
	return found;
}

const struct list_config *config_find_list(const struct config *config, const char *address)
{
	enum config_match match;

	return config_find_match(config, address, &match);
}
