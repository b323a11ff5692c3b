/*
 * check_place.c: in charge of what has to be there and usable for mail to flow: key files,
 * sendmail, the state and its held mail, the Maildirs of the policies, the log.
 *
 * Everything is asked of the system with the rights that this process has (eaccess), not worked out
 * from modes: only the kernel knows of access lists, read-only mounts and folders on the way.
 */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dkim_key.h"
#include "base/memory.h"
#include "base/prvs.h"
#include "base/tag.h"
#include "cmd/check_held.h"
#include "cmd/check_owed.h"
#include "cmd/check_parts.h"
#include "cmd/check_storms.h"
#include "state/state.h"
#include "weigh/signature.h"

static char *parent_of(const struct survey *survey, const char *path)
{
	return dirname(mem_strdup(survey->context, path));
}

/* True when a file could be created in the folder. */
static bool is_open_folder(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISDIR(about.st_mode) && eaccess(path, W_OK | X_OK) == 0;
}

static bool exists(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* ---- the configuration and its keys ---- */

static void check_config_file(struct survey *survey)
{
	if (eaccess(survey->config_path, R_OK) != 0)
		check_fault(survey, "%s: cannot be read: %s", survey->config_path, strerror(errno));
}

static void check_key_file(struct survey *survey, const char *path)
{
	struct tag_keys *keys = NULL;
	const char *error = NULL;
	const struct tag_key *newest;
	char day[CLOCK_TEXT_MAX];
	long age;

	if (tag_keys_read(survey->context, path, &keys, &error) != STATUS_OK) {
		check_fault(survey, "tag-keys: %s", error);
		return;
	}
	newest = &keys->items[0];
	for (size_t i = 1; i < keys->count; i++) {
		if (keys->items[i].created_s >= newest->created_s)
			newest = &keys->items[i];
	}
	clock_format_day(newest->created_s, day);
	age = (long)(clock_day(survey->now) - clock_day(newest->created_s));
	if (age < -1)
		check_warn(
			survey, "tag-keys: %s: the newest key is of %s, a day to come", path, day);
	check_fact(survey, "tag-keys %s: %zu key%s, the newest is number %u of %s, %ld day%s old",
		path, keys->count, keys->count == 1 ? "" : "s", newest->id, day, age < 0 ? 0 : age,
		age == 1 ? "" : "s");
	mem_free(keys);
}

static void check_prvs_file(struct survey *survey, const char *path)
{
	struct prvs_keys *keys = NULL;
	const char *error = NULL;

	if (prvs_keys_read(survey->context, path, &keys, &error) != STATUS_OK)
		check_fault(survey, "prvs-keys: %s", error);
	else
		check_fact(survey, "prvs-keys %s: can be read", path);
	mem_free(keys);
}

static void check_keys(struct survey *survey)
{
	const struct config *config = survey->config;

	for (size_t i = 0; i < config->domain_count; i++) {
		const char *path = config->domains[i].tag_keys;
		size_t first = 0;

		while (path != NULL && (config->domains[first].tag_keys == NULL ||
					       strcmp(config->domains[first].tag_keys, path) != 0))
			first++;
		if (path != NULL && first == i)
			check_key_file(survey, path);
		if (config->domains[i].prvs_keys != NULL)
			check_prvs_file(survey, config->domains[i].prvs_keys);
	}
}

/* A signature is checked with the key of its selector, so a wrong file costs no mail, but what it
 * would prove. */
static void check_dkim_key(struct survey *survey, const struct dkim_key_config *row)
{
	const char *error = NULL;
	struct dkim_key key;

	if (dkim_key_read(survey->context, row->path, &key, &error) != STATUS_OK) {
		check_fault(survey, "dkim-keys: %s", error);
		return;
	}
	if (strcmp(key.type, "rsa") == 0 && key.bits < DKIM_KEY_BITS_MIN)
		check_warn(survey,
			"dkim-keys: %s: has %d bits; what is signed with less than %d proves "
			"nothing",
			row->path, key.bits, DKIM_KEY_BITS_MIN);
	check_fact(survey, "dkim-keys %s: %s, %s, %d bits", row->path, row->selector, key.type,
		key.bits);
}

static void check_dkim(struct survey *survey)
{
	const struct config *config = survey->config;
	const char *problem;
	size_t count = 0;

	for (size_t i = 0; i < config->domain_count; i++) {
		const struct domain_config *domain = &config->domains[i];
		count += domain->dkim_key_count;
		for (size_t k = 0; k < domain->dkim_key_count; k++) {
			if (domain->dkim_keys[k].path != NULL)
				check_dkim_key(survey, &domain->dkim_keys[k]);
		}
	}
	problem = count == 0 ? NULL : signature_library_problem();
	if (problem != NULL)
		check_fault(survey, "dkim-keys: %s; install libopendkim11", problem);
}

/* ---- sendmail and the log ---- */

static void check_sendmail(struct survey *survey)
{
	const char *path = survey->config->sendmail;
	struct stat about;

	if (stat(path, &about) != 0)
		check_fault(survey, "sendmail: %s: %s; nothing can be forwarded", path,
			strerror(errno));
	else if (!S_ISREG(about.st_mode) || eaccess(path, X_OK) != 0)
		check_fault(survey, "sendmail: %s: cannot be run; want a program", path);
	else
		check_fact(survey, "sendmail %s", path);
}

static void check_log(struct survey *survey)
{
	const char *path = survey->config->log;
	bool is_usable;

	if (path[0] != '/')
		return;
	is_usable =
		exists(path) ? eaccess(path, W_OK) == 0 : is_open_folder(parent_of(survey, path));
	if (!is_usable)
		check_warn(survey, "log: %s: cannot be written, so lines go to syslog", path);
}

/* ---- the state ---- */

static const char *format_size(const struct survey *survey, uint64_t bytes)
{
	if (bytes < 1024 * 1024)
		return mem_printf(survey->context, "%llu KiB", (unsigned long long)bytes / 1024);
	return mem_printf(survey->context, "%llu MiB", (unsigned long long)bytes / (1024 * 1024));
}

static void check_records(struct survey *survey, struct state *state)
{
	const char *directory = state_directory(state);
	uint64_t records = 0, wrong = 0;
	struct state_size size;

	if (state_verify(state, &records, &wrong) != STATUS_OK ||
		state_measure(state, &size) != STATUS_OK) {
		check_fault(survey,
			"state: %s: cannot be read to its end; 'backstop db check' says where, "
			"'backstop db load --replace FILE' mends it from a dump",
			directory);
		return;
	}
	if (wrong > 0)
		check_fault(survey, "state: %s: %llu of %llu records cannot be understood",
			directory, (unsigned long long)wrong, (unsigned long long)records);
	check_fact(survey,
		"state %s: %s, %llu decisions, %llu held or dropped and kept, %llu entries of "
		"sent mail",
		directory, format_size(survey, size.used_bytes), (unsigned long long)size.events,
		(unsigned long long)size.held, (unsigned long long)size.sent_entries);
	check_held(survey, state);
	check_owed(survey, state);
	check_storms(survey, state);
}

/* Reading is not enough: what cannot be recorded is not dropped or held, but deferred. */
static void check_state_writable(struct survey *survey, const char *directory)
{
	static const char *const files[] = {"data.mdb", "lock.mdb"};

	if (!is_open_folder(directory))
		check_fault(survey,
			"state: %s: cannot be written: want a folder of the user that "
			"backstop runs as",
			directory);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *path = mem_printf(survey->context, "%s/%s", directory, files[i]);
		if (exists(path) && eaccess(path, R_OK | W_OK) != 0)
			check_fault(
				survey, "state: %s: cannot be written: %s", path, strerror(errno));
	}
}

/* None yet: can it be created? */
static void check_state_to_be(struct survey *survey, const char *directory)
{
	bool is_there = exists(directory);
	const char *folder = is_there ? directory : parent_of(survey, directory);

	if (is_open_folder(folder))
		check_fact(survey, "state %s: nothing there yet; will be created", directory);
	else
		check_fault(survey, "state: %s: cannot be created: %s cannot be written", directory,
			folder);
}

static void check_state(struct survey *survey)
{
	const char *directory = survey->config->state;
	struct state *state = NULL;
	const char *error = NULL;
	enum status status = state_open(survey->context, directory, STATE_READ, &state, &error);

	if (status == STATUS_NO_INPUT) {
		check_state_to_be(survey, directory);
		return;
	}
	if (status != STATUS_OK) {
		check_fault(survey, "state: %s", error != NULL ? error : status_text(status));
		return;
	}
	check_state_writable(survey, directory);
	check_records(survey, state);
	state_close(state);
}

/* ---- Maildirs ---- */

/* maildir_deliver creates the folder and what is in it, but nothing above. */
static void check_maildir(
	struct survey *survey, const struct list_config *list, const char *key, const char *path)
{
	static const char *const parts[] = {"tmp", "new"};
	struct stat about;

	if (!exists(path)) {
		const char *parent = parent_of(survey, path);
		if (!is_open_folder(parent))
			check_fault(survey, "%s:%d: %s: %s cannot be created: %s cannot be written",
				survey->config_path, list->line, key, path, parent);
		return;
	}
	if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)) {
		check_fault(survey, "%s:%d: %s: %s: want a folder", survey->config_path, list->line,
			key, path);
		return;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *part = mem_printf(survey->context, "%s/%s", path, parts[i]);
		if (!is_open_folder(exists(part) ? part : path))
			check_fault(survey, "%s:%d: %s: %s: cannot be written", survey->config_path,
				list->line, key, exists(part) ? part : path);
	}
}

static void check_targets(struct survey *survey, const struct list_config *list)
{
	const struct {
		const char *key;
		const struct target *target;
	} rows[] = {
		{"genuine", &list->genuine},
		{"unproven", &list->unproven},
		{"backscatter", &list->backscatter},
		{"autoreplies", &list->autoreplies},
		{"ordinary", &list->ordinary},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].target->action == ACTION_FILE)
			check_maildir(survey, list, rows[i].key, rows[i].target->argument);
	}
}

void check_places(struct survey *survey)
{
	check_config_file(survey);
	check_keys(survey);
	check_dkim(survey);
	check_sendmail(survey);
	check_log(survey);
	check_state(survey);
	for (size_t i = 0; i < survey->config->list_count; i++)
		check_targets(survey, &survey->config->lists[i]);
	check_rosters(survey);
}
