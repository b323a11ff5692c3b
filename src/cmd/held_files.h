/* held_files.h: files in STATE/held that no record names. */
#ifndef BACKSTOP_CMD_HELD_FILES_H
#define BACKSTOP_CMD_HELD_FILES_H

#include <stdint.h>

#include "cmd/command.h"

/* Moves those that are older than a day into STATE/unclaimed and says how many. Nothing moves, and
 * it is said, when a record cannot be read, since its file would seem to be nobody's. */
enum status held_sweep_files(struct command_run *run);

/* How many there are, of any age. STATUS_STATE when a record cannot be read. */
enum status held_count_files(struct command_run *run, uint64_t *count_out);

#endif
