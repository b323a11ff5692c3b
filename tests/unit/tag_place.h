/* tag_place.h: for the tests of base/tag: two keys in memory, a folder for a file of them, and a
 * tag made and checked. */
#ifndef TESTS_TAG_PLACE_H
#define TESTS_TAG_PLACE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/tag.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define DAY ((int64_t)24 * 60 * 60)
#define NOW (20780 * DAY + 4711)
#define LIFETIME (14 * DAY)
#define MAILBOX "announce-bounces@lists.example.org"

static char folder[256];
static char path[300];
static void *context;
static struct tag_keys keys;

static inline void setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%.200s/backstop-tag-XXXXXX", base == NULL ? "/tmp" : base);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/tag.keys", folder);
	context = mem_context(NULL, "test_tag");
	memset(&keys, 0, sizeof keys);
	keys.count = 2;
	keys.items[0].id = 7;
	keys.items[0].created_s = 20000 * DAY;
	memset(keys.items[0].secret, 'a', TAG_KEY_SIZE);
	keys.items[1].id = 31;
	keys.items[1].created_s = 19000 * DAY;
	memset(keys.items[1].secret, 'b', TAG_KEY_SIZE);
}

static inline void teardown(void)
{
	char temporary[400];

	snprintf(temporary, sizeof temporary, "%s/.tag.keys.new", folder);
	mem_free(context);
	unlink(path);
	ck_assert_msg(unlink(temporary) != 0, "%s is left", temporary);
	rmdir(folder);
}

static inline const char *make(const char *mailbox, const char *recipient, int64_t now)
{
	return tag_make(context, &keys, mailbox, recipient, now, NULL);
}

static inline enum tag_result check_at(const char *address, const char *resolved, int64_t now)
{
	struct tag tag;

	tag_parse(context, address, &tag);
	return tag_check(&keys, &tag, resolved, LIFETIME, now);
}

static inline void assert_result(
	const char *address, const char *resolved, int64_t now, enum tag_result want)
{
	enum tag_result got = check_at(address, resolved, now);

	ck_assert_msg(got == want, "%s: want %s, got %s", address, tag_result_name(want),
		tag_result_name(got));
}

#endif
