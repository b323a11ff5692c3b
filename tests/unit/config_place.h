/* config_place.h: for the tests of base/config: a file that is written and read, and its faults in
 * one text. */
#ifndef TESTS_CONFIG_PLACE_H
#define TESTS_CONFIG_PLACE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/memory.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static char folder[256];
static char path[300];
static void *context;

static inline void setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%.200s/backstop-config-XXXXXX",
		base == NULL ? "/tmp" : base);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/x.conf", folder);
	context = mem_context(NULL, "test_config");
}

static inline void teardown(void)
{
	mem_free(context);
	unlink(path);
	rmdir(folder);
}

static inline void write_file(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
}

static inline const char *all_faults(const struct config_faults *faults)
{
	char *text = mem_strdup(context, "");

	for (size_t i = 0; i < faults->count; i++)
		text = mem_append(text, "\n  %s%s", faults->items[i].text,
			faults->items[i].is_warning ? " (warning)" : "");
	return text;
}

static inline const struct config *read_text(const char *text)
{
	const struct config *config;
	struct config_faults faults;
	enum status status;

	write_file(text, strlen(text));
	status = config_read(context, path, &config, &faults);
	ck_assert_msg(status == STATUS_OK, "want accepted, got %s:%s", status_text(status),
		all_faults(&faults));
	ck_assert_ptr_nonnull(config);
	return config;
}

#endif
