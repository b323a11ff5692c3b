/*
 * who.h: the person behind this process, as far as it can be told, for the account of who did what.
 *
 * The name is stated, not proven: only the session's is the kernel's own, and whoever has become
 * root can change even that. The ids are always there.
 */
#ifndef BACKSTOP_BASE_WHO_H
#define BACKSTOP_BASE_WHO_H

#include <stdint.h>
#include <sys/types.h>

#define WHO_NO_SESSION ((uid_t)-1) /* what /proc/self/loginuid says where nobody logged in */

/* What there is to tell it by. */
struct who_facts {
	uid_t session;	       /* of the login session; it outlives sudo and su */
	const char *sudo_user; /* $SUDO_USER, or NULL */
	const char *doas_user; /* $DOAS_USER, or NULL */
	uid_t user;
	uid_t effective_user;
};

struct who {
	const char *login; /* "alice"; "#1004" for a user without a name. Foreign text: clean it */
	const char
		*source; /* "session", "sudo", "doas", or "user": no more is known than the uid */
	uint32_t user;
	uint32_t effective_user;
};

/* The session's user if there is one, else who sudo or doas says called, else the real user.
 * Strings on context. */
void who_choose(const void *context, const struct who_facts *facts, struct who *who_out);

/* The same of this process. */
void who_find(const void *context, struct who *who_out);

#endif
