/*
 * owner.c: whose the files of a state are, in sentences for people.
 *
 * What may be done is asked of the system with the rights of this process (eaccess), not worked out
 * from modes.
 */
#include "state/owner.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { FILES = 3 };

/* On scratch. */
static const char *user_name(const void *scratch, uid_t user)
{
	const struct passwd *entry = getpwuid(user);

	if (entry != NULL && entry->pw_name[0] != '\0')
		return mem_strdup(scratch, entry->pw_name);
	return mem_printf(scratch, "#%lu", (unsigned long)user);
}

/* How to become that user; runuser(1) knows names only. */
static const char *user_advice(const void *scratch, uid_t user)
{
	const char *name = user_name(scratch, user);

	if (name[0] == '#')
		return mem_printf(scratch,
			"run it as that user: setpriv --reuid=%s --clear-groups backstop ...",
			name + 1);
	return mem_printf(scratch, "run it as that user: runuser -u %s -- backstop ...", name);
}

const char *owner_refuse_root(const void *context, const struct state_files *files)
{
	const char *const paths[FILES] = {files->directory, files->data, files->lock};
	const char *text = NULL;
	void *scratch;

	if (geteuid() != 0)
		return NULL;
	scratch = mem_context(NULL, "owner");
	for (size_t i = 0; i < FILES && text == NULL; i++) {
		struct stat info;

		if (stat(paths[i], &info) == 0 && info.st_uid != 0)
			text = mem_printf(context,
				"%s belongs to user %s, and what root writes there that user could "
				"not open; %s",
				paths[i], user_name(scratch, info.st_uid),
				user_advice(scratch, info.st_uid));
	}
	mem_free(scratch);
	return text;
}

const char *owner_explain_refusal(
	const void *context, const struct state_files *files, bool is_writing)
{
	const char *const paths[FILES] = {files->directory, files->data, files->lock};
	const int wanted[FILES] = {
		is_writing ? W_OK | X_OK : X_OK, is_writing ? R_OK | W_OK : R_OK, R_OK | W_OK};
	void *scratch = mem_context(NULL, "owner");
	const char *text = NULL;

	for (size_t i = 0; i < FILES && text == NULL; i++) {
		struct stat info;

		if (stat(paths[i], &info) == 0 && eaccess(paths[i], wanted[i]) != 0)
			text = mem_printf(context,
				"user %s may not use %s, which belongs to user %s and has mode "
				"%04o; %s",
				user_name(scratch, geteuid()), paths[i],
				user_name(scratch, info.st_uid), info.st_mode & 07777,
				user_advice(scratch, info.st_uid));
	}
	if (text == NULL)
		text = mem_printf(context, "user %s may not use the state in %s",
			user_name(scratch, geteuid()), files->directory);
	mem_free(scratch);
	return text;
}
