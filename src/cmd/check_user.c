/*
 * check_user.c: in charge of looking at places as the user that the mail server runs us as: in a
 * child process, which gives up root for good, and whose findings come back through a pipe.
 *
 * The child has the one group that Postfix's pipe(8) gives (the user's own, or the one named behind
 * it), and no supplementary ones, whatever the group file says.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/check_parts.h"

static bool become(const struct check_account *account)
{
	return setgroups(1, &account->group) == 0 &&
	       setresgid(account->group, account->group, account->group) == 0 &&
	       setresuid(account->user, account->user, account->user) == 0;
}

_Noreturn static void run_child(
	const struct survey *survey, const struct check_account *account, int out)
{
	struct survey own = *survey;

	own.relay = fdopen(out, "w");
	if (own.relay == NULL)
		_exit(EXIT_FAILURE);
	if (become(account))
		check_places(&own);
	else
		check_fault(&own, "cannot become user %s: %s", account->name, strerror(errno));
	_exit(fclose(own.relay) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* The child has the rights of somebody else, who may have taken it over by what it read: what it
 * says is taken as text, of a limited length, under one of the known marks. */
static void relay_findings(struct survey *survey, int in)
{
	char line[CHECK_LINE_MAX + 8];
	FILE *from = fdopen(in, "r");

	if (from == NULL) {
		close(in);
		return;
	}
	while (fgets(line, sizeof(line), from) != NULL) {
		int finding = line[0] - '0';

		line[strcspn(line, "\n")] = '\0';
		if (finding >= 0 && finding < FINDING_COUNT)
			check_say(survey, (enum finding)finding, "%s", line + 1);
	}
	fclose(from);
}

void check_places_as(struct survey *survey, const struct check_account *account)
{
	int ends[2];
	int status = -1;
	pid_t child;

	fflush(NULL); /* or the child would have what is not yet written as well */
	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
		check_fault(survey, "places could not be checked as user %s: %s", account->name,
			strerror(errno));
		return;
	}
	if (child == 0) {
		close(ends[0]);
		run_child(survey, account, ends[1]);
	}
	close(ends[1]);
	relay_findings(survey, ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (status != 0)
		check_fault(survey, "the check as user %s ended before its time", account->name);
}
