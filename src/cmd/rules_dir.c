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

/* The text of a file as rules_parse wants it: editors elsewhere put a mark of UTF-8 in front and a
 * CR at the end of each line. */
static char *plain_text(const void *context, const struct bytes *file)
{
	static const char mark[] = "\xEF\xBB\xBF";
	char *text = mem_strndup(context, (const char *)file->data, file->size), *out = text;
	const char *in = text + (strncmp(text, mark, 3) == 0 ? 3 : 0);

	for (; *in != '\0'; in++) {
		if (*in != '\r' || in[1] != '\n')
			*out++ = *in;
	}
	*out = '\0';
	return text;
}

/* The number of the line that has the first NUL. */
static size_t find_nul_line(const struct bytes *file)
{
	size_t line = 1;

	for (size_t i = 0; i < file->size && file->data[i] != '\0'; i++)
		line += file->data[i] == '\n';
	return line;
}

/* What is wrong with the file, a sentence on context; NULL when it was put in force. */
static const char *read_one(const void *context, const char *directory, const char *name)
{
	char *path = mem_printf(context, "%s/%s", directory, name);
	struct stat about;
	struct bytes file;
	const char *error;

	/* Opening a FIFO would wait for a writer, and a delivery with it. */
	if (stat(path, &about) != 0)
		return mem_printf(context, "%s: %s", path, strerror(errno));
	if (!S_ISREG(about.st_mode))
		return mem_printf(context, "%s: want a regular file", path);
	if (about.st_size > FILE_SIZE_MAX)
		return mem_printf(context, "%s: want a text of at most 1 MiB", path);
	enum status status = source_read_file(context, path, &file);
	if (status != STATUS_OK)
		return mem_printf(context, "%s: %s", path, status_text(status));
	if (memchr(file.data, '\0', file.size) != NULL)
		return mem_printf(context, "%s:%zu: a NUL byte: want a text in UTF-8", path,
			find_nul_line(&file));
	char *text = plain_text(context, &file);
	rule_set_extend(context, name, path, text, &error);
	mem_free(text);
	return error;
}

enum status rules_dir_read(
	const void *context, const char *directory, rules_dir_problem *problem, void *argument)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_rules_file, alphasort);
	enum status status = STATUS_OK;

	if (count < 0) {
		problem(argument,
			mem_printf(context, "rules-dir %s: %s", directory, strerror(errno)));
		return STATUS_NO_INPUT;
	}
	for (int i = 0; i < count; i++) {
		const char *error = read_one(context, directory, entries[i]->d_name);
		if (error != NULL) {
			problem(argument, error);
			status = STATUS_CONFIG;
		}
		free(entries[i]);
	}
	free(entries);
	return status;
}

struct slow_report {
	rules_dir_problem *problem;
	void *argument;
};

/* The default rules are not the postmaster's to mend. */
static void report_slow(void *argument, const struct rule *rule, const struct rule_line *line)
{
	const struct slow_report *report = argument;
	void *context = mem_context(NULL, "slow");

	if (strchr(rule->file, '/') != NULL)
		report->problem(report->argument,
			mem_printf(context,
				"%s:%d: %s: a regex went on too long in a message, and counted as "
				"one that does not fit",
				rule->file, rule->line + line->below, rule->name));
	mem_free(context);
}

void rules_dir_report_slow(rules_dir_problem *problem, void *argument)
{
	struct slow_report report = {problem, argument};

	rule_set_visit_given_up(report_slow, &report);
}
