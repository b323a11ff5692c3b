/* owner.h: whose files a state is, and who may use them. Inside src/state/ only. */
#ifndef BACKSTOP_STATE_OWNER_H
#define BACKSTOP_STATE_OWNER_H

#include <stdbool.h>

/* Lent. */
struct state_files {
	const char *directory;
	const char *data;
	const char *lock;
};

/* A sentence, on context, when this is root and one of the files is another user's: root could
 * write everywhere, and what it creates nobody else could open; the agent, which is not root, would
 * be without its state from then on. Else NULL. */
const char *owner_refuse_root(const void *context, const struct state_files *files);

/* A sentence, on context, that names the file which this user may not use, whose it is, and what to
 * do. */
const char *owner_explain_refusal(
	const void *context, const struct state_files *files, bool is_writing);

#endif
