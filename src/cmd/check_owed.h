/* check_owed.h: whether the owners of lists get what is due to them. */
#ifndef BACKSTOP_CMD_CHECK_OWED_H
#define BACKSTOP_CMD_CHECK_OWED_H

#include "cmd/check_parts.h"
#include "state/owed.h"

/* Whether what waits should have gone out an hour ago. */
bool check_owed_is_overdue(struct state *state, const struct owed *owed, int64_t now);

/* Warns of what has been due for an hour, and of what waits for a list that has no owners. Needs a
 * configuration. */
void check_owed(struct survey *survey, struct state *state);

#endif
