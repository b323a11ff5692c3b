/* check_held.h: do the records of held mail and the files in STATE/held agree? */
#ifndef BACKSTOP_CMD_CHECK_HELD_H
#define BACKSTOP_CMD_CHECK_HELD_H

#include "cmd/check_parts.h"
#include "state/state.h"

/* A record without its file is a fault: that message cannot be released. A file without a record is
 * what a killed delivery leaves behind, and the mail server has tried that message again: a
 * warning. */
void check_held(struct survey *survey, struct state *state);

#endif
