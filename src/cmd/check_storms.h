/* check_storms.h: which storms are on. */
#ifndef BACKSTOP_CMD_CHECK_STORMS_H
#define BACKSTOP_CMD_CHECK_STORMS_H

#include "cmd/check_parts.h"
#include "state/state.h"

/* A note for each list that is in a storm, as of survey->now; what is held there waits for
 * somebody. */
void check_storms(struct survey *survey, struct state *state);

#endif
