/* rules_dir.c: in charge of the files in a rules-dir; what stands in them is classify/'s. */
#include "cmd/rules_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "classify/rule_set.h"
#include "read/source.h"

#define FILE_SIZE_MAX (1024 * 1024)
#define SUFFIX ".rules"

static int is_rules_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > strlen(SUFFIX) &&
	       strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static enum status read_one(
	const void *context, const char *directory, const char *name, const char **error_out)
{
	char *path = mem_printf(context, "%s/%s", directory, name);
	struct bytes file;
	enum status status = source_read_file(context, path, &file);

	if (status != STATUS_OK) {
		*error_out = mem_printf(context, "%s: %s", path, status_text(status));
		return status;
	}
	if (file.size > FILE_SIZE_MAX || memchr(file.data, '\0', file.size) != NULL) {
		*error_out = mem_printf(context, "%s: want a text of at most 1 MiB", path);
		return STATUS_CONFIG;
	}
	char *text = mem_strndup(context, (const char *)file.data, file.size);
	status = rule_set_extend(context, name, path, text, error_out);
	mem_free(text);
	return status == STATUS_OK ? STATUS_OK : STATUS_CONFIG;
}

enum status rules_dir_read(const void *context, const char *directory, const char **error_out)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_rules_file, alphasort);
	enum status status = STATUS_OK;

	*error_out = NULL;
	if (count < 0) {
		*error_out = mem_printf(context, "rules-dir %s: %s", directory, strerror(errno));
		return STATUS_NO_INPUT;
	}
	for (int i = 0; i < count; i++) {
		if (status == STATUS_OK)
			status = read_one(context, directory, entries[i]->d_name, error_out);
		free(entries[i]);
	}
	free(entries);
	return status;
}
