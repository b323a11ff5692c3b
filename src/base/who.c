/*
 * who.c: who is behind this process.
 *
 * In charge of the order in which its marks are believed. The session comes first since it is the
 * only one that the caller's environment does not carry; a service or a container has none.
 */
#include "base/who.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

#define LOGIN_MAX 256 /* bytes of a name that are taken */

static const char *name_user(const void *context, uid_t user)
{
	const struct passwd *entry = getpwuid(user);

	if (entry != NULL && entry->pw_name[0] != '\0')
		return mem_strndup(context, entry->pw_name, LOGIN_MAX);
	return mem_printf(context, "#%lu", (unsigned long)user);
}

void who_choose(const void *context, const struct who_facts *facts, struct who *who_out)
{
	const struct {
		const char *source, *name;
	} stated[] = {{"sudo", facts->sudo_user}, {"doas", facts->doas_user}};

	*who_out = (struct who){.source = "user",
		.user = (uint32_t)facts->user,
		.effective_user = (uint32_t)facts->effective_user};
	if (facts->session != WHO_NO_SESSION) {
		who_out->source = "session";
		who_out->login = name_user(context, facts->session);
	}
	for (size_t i = 0; i < sizeof stated / sizeof stated[0] && who_out->login == NULL; i++) {
		if (stated[i].name == NULL || stated[i].name[0] == '\0')
			continue;
		who_out->source = stated[i].source;
		who_out->login = mem_strndup(context, stated[i].name, LOGIN_MAX);
	}
	if (who_out->login == NULL)
		who_out->login = name_user(context, facts->user);
}

static uid_t read_session(void)
{
	FILE *file = fopen("/proc/self/loginuid", "re");
	unsigned long user;
	int found;

	if (file == NULL)
		return WHO_NO_SESSION;
	found = fscanf(file, "%lu", &user);
	fclose(file);
	return found == 1 ? (uid_t)user : WHO_NO_SESSION;
}

void who_find(const void *context, struct who *who_out)
{
	const struct who_facts facts = {.session = read_session(),
		.sudo_user = getenv("SUDO_USER"),
		.doas_user = getenv("DOAS_USER"),
		.user = getuid(),
		.effective_user = geteuid()};

	who_choose(context, &facts, who_out);
}
