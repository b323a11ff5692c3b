/* state_owner.c: in charge of becoming the owner of the state, in a child process. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/state_owner.h"
#include "state/state.h"

static bool find_owner(const char *directory, struct stat *about_out)
{
	char *path = mem_printf(NULL, "%s/data.mdb", directory);
	bool is_there = stat(path, about_out) == 0;

	mem_free(path);
	return is_there;
}

bool state_is_there(const char *directory)
{
	struct stat about;

	return find_owner(directory, &about);
}

static bool become(const struct stat *about)
{
	return setgroups(1, &about->st_gid) == 0 &&
	       setresgid(about->st_gid, about->st_gid, about->st_gid) == 0 &&
	       setresuid(about->st_uid, about->st_uid, about->st_uid) == 0;
}

enum status state_owner_run(const char *directory, owner_job *job, void *argument)
{
	struct stat about;
	int status = 0;
	pid_t child;

	if (geteuid() != 0 || !find_owner(directory, &about) || about.st_uid == 0)
		return job(argument);
	fflush(NULL); /* or the child would have what is not yet written as well */
	child = fork();
	if (child < 0)
		return STATUS_CHILD;
	if (child == 0)
		_exit(become(&about) ? (int)job(argument) : (int)STATUS_PERMISSION);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= STATUS_COUNT)
		return STATUS_CHILD;
	return (enum status)WEXITSTATUS(status);
}

struct writing {
	const char *directory;
	const struct audit_entry *entry;
};

static enum status write_entry(void *argument)
{
	const struct writing *writing = argument;
	void *context = mem_context(NULL, "audit");
	struct state *state = NULL;
	enum status status = state_open(context, writing->directory, STATE_WRITE, &state, NULL);

	if (status == STATUS_OK)
		status = audit_record(state, writing->entry);
	state_close(state);
	mem_free(context);
	return status;
}

enum status state_owner_audit(const char *directory, const struct audit_entry *entry)
{
	struct audit_entry whole = *entry;
	struct writing writing = {directory, &whole};
	void *context = mem_context(NULL, "who");
	enum status status = STATUS_NO_INPUT;

	/* Found out here: the child has become somebody else. */
	if (whole.who.login == NULL)
		who_find(context, &whole.who);
	if (state_is_there(directory))
		status = state_owner_run(directory, write_entry, &writing);
	mem_free(context);
	return status;
}
