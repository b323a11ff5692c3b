/*
 * config_watch.c: in charge of what an entry about the configuration says: the file's owner and
 * when it was written, who looked, and by which command. Who changed it is not known.
 */
#include "cmd/config_watch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cmd/state_owner.h"
#include "state/settings.h"
#include "state/state.h"

struct watch {
	const char *directory;
	struct settings settings;
};

static void fill_entry(const void *context, const struct config *config,
	const struct config_texts *texts, const char *by, struct audit_entry *entry)
{
	const struct who_facts facts = {
		.session = WHO_NO_SESSION, .user = texts->owner, .effective_user = texts->owner};
	char written[CLOCK_TEXT_MAX];
	struct who looking;

	who_choose(context, &facts, &entry->who);
	entry->who.source = "owner";
	who_find(context, &looking);
	clock_format_iso(texts->written_s, written);
	entry->command = "configuration";
	entry->note = mem_printf(context, "%s, written %s, seen by %s of %s", config->path, written,
		by, looking.login);
}

/* The same file has one name. */
static const char *find_path(const void *context, const char *path)
{
	char real[PATH_MAX];

	return mem_strdup(context, realpath(path, real) == NULL ? path : real);
}

/* Whether this is the file that the host works with. */
static bool is_watched(const void *context, struct state *state, const char *source)
{
	char *last = NULL;

	return settings_find_source(state, context, &last) != STATUS_OK ||
	       strcmp(last, source) == 0 || access(last, F_OK) != 0 ||
	       strcmp(find_path(context, config_path(NULL)), source) == 0;
}

/* A read transaction first: mostly nothing has changed. */
static enum status watch_job(void *argument)
{
	const struct watch *watch = argument;
	void *context = mem_context(NULL, "watch");
	struct state *state = NULL;
	size_t count = 0;
	enum status status = state_open(context, watch->directory, STATE_READ, &state, NULL);

	if (status == STATUS_OK && is_watched(context, state, watch->settings.source))
		status = settings_count_changes(state, &watch->settings, &count);
	state_close(state);
	state = NULL;
	if (status == STATUS_OK && count > 0) {
		status = state_open(context, watch->directory, STATE_WRITE, &state, NULL);
		if (status == STATUS_OK)
			status = settings_record(state, &watch->settings, NULL);
		state_close(state);
	}
	mem_free(context);
	return status;
}

enum status config_watch(const struct config *config, int64_t now, const char *by)
{
	void *context = mem_context(NULL, "watch");
	struct watch watch = {.directory = config->state};
	struct config_texts texts;
	struct setting_text *items;
	enum status status = STATUS_NO_INPUT;

	if (state_is_there(config->state))
		status = config_read_texts(context, config->path, &texts);
	if (status == STATUS_OK) {
		items = mem_new_array(context, struct setting_text, texts.count);
		for (size_t i = 0; i < texts.count; i++)
			items[i] = (struct setting_text){
				texts.items[i].kind, texts.items[i].name, texts.items[i].text};
		watch.settings = (struct settings){
			find_path(context, config->path), items, texts.count, {.time_s = now}};
		fill_entry(context, config, &texts, by, &watch.settings.entry);
		status = state_owner_run(config->state, watch_job, &watch);
	}
	mem_free(context);
	return status;
}
