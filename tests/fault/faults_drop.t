#!/bin/sh
# Dropping while calls fail: 0 and a record with its file, or 75 and neither; and the state works.
. "$(dirname "$0")/lib.sh"

choose to_drop used
all_faults
struck_at_least 80

# The first drop of all makes the state and STATE/held.
choose to_drop fresh
each mkdir,mkdirat ENOSPC
each $writing ENOSPC
each $writing ENOSPC +
each $writing SHORT
each $syncing EIO
each fallocate,ftruncate ENOSPC
struck_at_least 30

done_testing
