/*
 * config.c: from the configuration file to struct config.
 *
 * In charge of filling the structures from the entries found, and of what takes more than one value
 * to judge. Leaves the file to config_file.c, the syntax to config_read.c, single values to
 * config_rows.c, looking up to config_find.c. Whatever of the file could be parsed is checked to
 * its end, so that one run tells every fault; comparisons of sections wait until the whole file
 * could be.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/config_private.h"
#include "base/memory.h"
#include "base/text.h"

#define TITLE_SHOWN_MAX 120

const char *config_path(const char *explicit_path)
{
	const char *path = explicit_path;

	if (path == NULL || path[0] == '\0')
		path = getenv("BACKSTOP_CONF");
	return path == NULL || path[0] == '\0' ? CONFIG_DEFAULT_PATH : path;
}

static const char *shown_title(const struct config_file *file, const struct config_section *section)
{
	return text_clean_string(file->scratch, section->title, TITLE_SHOWN_MAX);
}

/* ---- filling a structure from its section ---- */

static void *slot_of(const struct config_row *row, void *base)
{
	assert(row->offset > 0);
	return (char *)base + row->offset;
}

/* An element that is not right stays zero: then the file is refused anyway, and positions agree
 * with the entries'. */
static void fill_list(struct config_file *file, const struct config_section *section,
	const struct config_row *row, size_t count, void *context, void *base)
{
	char *items = mem_alloc(context, count * row->element_size);
	size_t at = 0;

	for (size_t i = 0; i < section->count; i++) {
		const struct config_entry *entry = &section->entries[i];

		if (entry->row != row)
			continue;
		if (!row->check(context, row, entry->text, items + at * row->element_size))
			config_file_complain_value(file, entry);
		at++;
	}
	memcpy(slot_of(row, base), &items, sizeof items);
	memcpy((char *)base + row->count_offset, &count, sizeof count);
}

static void fill_default(const struct config_row *row, void *context, void *base)
{
	bool is_right = row->standard == NULL ||
			row->check(context, row, row->standard, slot_of(row, base));

	assert(is_right);
	(void)is_right;
}

/* Sets the members of base that rows of the section's kind describe. */
static void fill_section(
	struct config_file *file, const struct config_section *section, void *context, void *base)
{
	for (const struct config_row *row = config_rows; row < config_rows + config_row_count;
		row++) {
		const struct config_entry *entry = NULL;
		size_t count = 0;

		if (row->kind != section->kind)
			continue;
		for (size_t i = 0; i < section->count; i++) {
			if (section->entries[i].row != row)
				continue;
			entry = count++ == 0 ? &section->entries[i] : entry;
		}
		if (entry == NULL) {
			fill_default(row, context, base);
			continue;
		}
		if (row->is_list)
			fill_list(file, section, row, count, context, base);
		else if (!row->check(context, row, entry->text, slot_of(row, base)))
			config_file_complain_value(file, entry);
	}
}

static void fill_domain(struct config_file *file, const struct config_section *section,
	struct config *config, struct domain_config *domain)
{
	domain->line = section->line;
	if (config_is_domain_name(section->title))
		domain->name = text_lower(config, section->title);
	else
		config_file_complain(file, section->line, false,
			"domain \"%s\": want a domain name, such as lists.example.org",
			shown_title(file, section));
	fill_section(file, section, config, domain);
	if (domain->tagged == SHARE_ALL && domain->tag_keys == NULL)
		config_file_complain(file, section->line, false,
			"domain \"%s\": tagged = all, but nothing could be checked; "
			"add tag-keys = \"/PATH\"",
			shown_title(file, section));
	if (domain->dkim_signed == SHARE_ALL && domain->dkim_key_count == 0)
		config_file_complain(file, section->line, false,
			"domain \"%s\": signed = all, but nothing could be checked; "
			"add dkim-keys = {\"SELECTOR=/PATH\"} or {\"dns\"}",
			shown_title(file, section));
}

static void fill_list_section(struct config_file *file, const struct config_section *section,
	struct config *config, struct list_config *list)
{
	char *address = address_normalise(config, section->title);
	const char **bounces;

	list->line = section->line;
	if (address != NULL && config_is_domain_name(address_domain(address)) &&
		strpbrk(address, " \t") == NULL)
		list->address = address;
	else
		config_file_complain(file, section->line, false,
			"list \"%s\": want the list's address, such as announce@lists.example.org",
			shown_title(file, section));
	fill_section(file, section, config, list);
	if (list->bounce_count > 0 || list->address == NULL)
		return;
	bounces = mem_new_array(config, const char *, 1);
	bounces[0] = mem_printf(config, "%s-bounces@%s", address_local(bounces, list->address),
		address_domain(list->address));
	list->bounces = bounces;
	list->bounce_count = 1;
}

/* ---- what takes more than one value to judge ---- */

static int find_line(const struct config_section *section, const char *name, size_t position)
{
	for (size_t i = 0; i < section->count; i++) {
		if (strcmp(section->entries[i].row->name, name) == 0 && position-- == 0)
			return section->entries[i].line;
	}
	return section->line;
}

static void check_owner(struct config_file *file, const struct config_section *section,
	const struct config *config, const struct list_config *list, size_t position)
{
	const char *owner = list->owners[position];
	enum config_match match = CONFIG_MATCH_NONE;
	int line = find_line(section, "owners", position);

	if (owner == NULL || config_find_match(config, owner, &match) != list)
		return;
	if (match == CONFIG_MATCH_DERIVED)
		config_file_complain(file, line, true,
			"owners: \"%s\" may be an address of this list; if its mail comes here, "
			"that is a loop; better name a person's mailbox",
			owner);
	else
		config_file_complain(file, line, false,
			"owners: \"%s\" is an address of this list, and that is a loop; want a "
			"person's mailbox",
			owner);
}

static void check_has_owner(struct config_file *file, const struct config_section *section,
	const struct list_config *list)
{
	for (const struct config_row *row = config_rows; row < config_rows + config_row_count;
		row++) {
		const struct target *target;

		if (row->kind != CONFIG_LIST || row->actions == 0)
			continue;
		target = (const struct target *)((const char *)list + row->offset);
		if (target->action != ACTION_FORWARD && target->action != ACTION_PASS)
			continue;
		config_file_complain(file, section->line, false,
			"list \"%s\": has no owners, but %s = %s; add owners = {\"ADDRESS\"}",
			list->address, row->name, action_name(target->action));
		return;
	}
}

static void check_list(struct config_file *file, const struct config_section *section,
	const struct config *config, const struct list_config *list)
{
	const char *domain;

	if (list->address == NULL)
		return;
	domain = address_domain(list->address);
	if (config_find_domain(config, domain) == NULL)
		config_file_complain(file, section->line, false,
			"list \"%s\": its domain has no section; add domain \"%s\" { }",
			list->address, domain);
	if (list->owner_count == 0)
		check_has_owner(file, section, list);
	for (size_t i = 0; i < list->owner_count; i++)
		check_owner(file, section, config, list, i);
}

/* Sections of the same name, and bounce addresses that two lists have. */
static void check_duplicates(struct config_file *file, const struct config *config)
{
	const struct config_index *index = config->index;

	for (size_t i = 1; i < index->domain_count; i++) {
		const struct config_name *here = &index->domains[i];

		if (strcmp(here[-1].name, here->name) == 0)
			config_file_complain(file, config->domains[here->position].line, false,
				"domain \"%s\": has a section already on line %d; keep one of them",
				here->name, config->domains[here[-1].position].line);
	}
	for (size_t i = 1; i < index->address_count; i++) {
		const struct config_name *here = &index->addresses[i];
		const struct list_config *list = &config->lists[here->position];
		const struct list_config *first = &config->lists[here[-1].position];

		if (list == first || strcmp(here[-1].name, here->name) != 0)
			continue;
		if (here->match == CONFIG_MATCH_LIST)
			config_file_complain(file, list->line, false,
				"list \"%s\": has a section already on line %d; keep one of them",
				here->name, first->line);
		else if (!text_equal_fold(list->address, first->address))
			config_file_complain(file, list->line, true,
				"list \"%s\": bounces to \"%s\" count for list \"%s\"; better give "
				"each list its own address",
				list->address, here->name, first->address);
	}
}

/* ---- all of it ---- */

static size_t count_kind(const struct config_file *file, enum config_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < file->count; i++)
		count += file->sections[i].kind == kind;
	return count;
}

/* A section without a title, of which there is one. */
static void fill_single(struct config_file *file, const struct config_section *section,
	struct config *config, void *base, int *line)
{
	if (*line != 0) {
		config_file_complain(file, section->line, false,
			"%s: has a section already on line %d; keep one of them",
			config_kinds[section->kind].name, *line);
		return;
	}
	fill_section(file, section, config, base);
	*line = section->line;
}

static void fill_blocklist(struct config_file *file, const struct config_section *section,
	struct config *config, struct blocklist_config *blocklist)
{
	blocklist->line = section->line;
	if (config_is_domain_name(section->title))
		blocklist->name = text_lower(config, section->title);
	else
		config_file_complain(file, section->line, false,
			"blocklist \"%s\": want a domain name, such as ips.example.org",
			shown_title(file, section));
	fill_section(file, section, config, blocklist);
}

/* What holds where the file has no dns section, and how long DNS may take at most. */
static void finish_dns(struct config_file *file, struct config *config)
{
	static const struct config_section none = {.kind = CONFIG_DNS};
	int64_t most_s = config->deadline_s / 2;

	if (config->dns.line == 0)
		fill_section(NULL, &none, config, &config->dns);
	if (config->dns.budget_s <= most_s)
		return;
	if (config->dns.line != 0)
		config_file_complain(file, config->dns.line, true,
			"dns: budget is cut to %llds, half of the deadline", (long long)most_s);
	config->dns.budget_s = most_s;
}

/* What holds where the file has no such section. */
static void finish_storm(struct config *config)
{
	static const struct config_section none = {.kind = CONFIG_STORM};

	if (config->storm.line == 0)
		fill_section(NULL, &none, config, &config->storm);
}

static struct config *build(struct config_file *file)
{
	struct config *config = mem_new(file->context, struct config);
	size_t domain_count = count_kind(file, CONFIG_DOMAIN);
	size_t list_count = count_kind(file, CONFIG_LIST);
	struct domain_config *domains = mem_new_array(config, struct domain_config, domain_count);
	struct list_config *lists = mem_new_array(config, struct list_config, list_count);
	struct blocklist_config *blocklists =
		mem_new_array(config, struct blocklist_config, count_kind(file, CONFIG_BLOCKLIST));
	const struct config_section *section = file->sections;

	config->path = file->path == NULL ? NULL : mem_strdup(config, file->path);
	config->domains = domains;
	config->lists = lists;
	config->blocklists = blocklists;
	for (; section < file->sections + file->count; section++) {
		switch (section->kind) {
		case CONFIG_TOP:
			fill_section(file, section, config, config);
			break;
		case CONFIG_DOMAIN:
			fill_domain(file, section, config, &domains[config->domain_count++]);
			break;
		case CONFIG_LIST:
			fill_list_section(file, section, config, &lists[config->list_count++]);
			break;
		case CONFIG_DNS:
			fill_single(file, section, config, &config->dns, &config->dns.line);
			break;
		case CONFIG_STORM:
			fill_single(file, section, config, &config->storm, &config->storm.line);
			break;
		case CONFIG_BLOCKLIST:
			fill_blocklist(
				file, section, config, &blocklists[config->blocklist_count++]);
			break;
		case CONFIG_KIND_COUNT:
			break;
		}
	}
	finish_dns(file, config);
	/* What an hour adds up to must not go before what it adds up. */
	if (config->rollups_lifetime_s < config->events_lifetime_s)
		config->rollups_lifetime_s = config->events_lifetime_s;
	finish_storm(config);
	config_index_build(config);
	return config;
}

static void check_whole(struct config_file *file, const struct config *config)
{
	const struct list_config *list = config->lists;

	for (size_t i = 0; i < file->count; i++) {
		if (file->sections[i].kind == CONFIG_LIST)
			check_list(file, &file->sections[i], config, list++);
	}
	check_duplicates(file, config);
}

/* By line, and where that is equal as they were found: few, so insertion will do. */
static void sort_faults(struct config_faults *faults)
{
	for (size_t i = 1; i < faults->count; i++) {
		struct config_fault fault = faults->items[i];
		size_t at = i;

		for (; at > 0 && faults->items[at - 1].line > fault.line; at--)
			faults->items[at] = faults->items[at - 1];
		faults->items[at] = fault;
	}
}

static enum status read_file(struct config_file *file, struct config **config_out)
{
	enum status status = config_file_read(file);

	if (status != STATUS_OK)
		return status;
	*config_out = build(file);
	if (file->is_whole)
		check_whole(file, *config_out);
	return file->is_wrong ? STATUS_CONFIG : STATUS_OK;
}

enum status config_read(const void *context, const char *path, const struct config **config_out,
	struct config_faults *faults_out)
{
	void *scratch = mem_context(NULL, "config_read");
	struct config_file file = {
		.path = path, .scratch = scratch, .context = context, .faults = faults_out};
	struct config *config = NULL;
	enum status status;

	*config_out = NULL;
	memset(faults_out, 0, sizeof *faults_out);
	status = read_file(&file, &config);
	sort_faults(faults_out);
	mem_free(scratch);
	if (status == STATUS_OK)
		*config_out = config;
	else
		mem_free(config);
	return status;
}

const struct config *config_none(const void *context)
{
	static const struct config_section top = {.kind = CONFIG_TOP};
	struct config *config = mem_new(context, struct config);

	fill_section(NULL, &top, config, config);
	finish_dns(NULL, config);
	finish_storm(config);
	config_index_build(config);
	return config;
}
