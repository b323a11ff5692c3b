#!/bin/sh
# Filing into a Maildir while calls fail: 0 and one whole file, or 75 and none; and what is left
# behind works. Neither the state nor the Maildir is there yet, so that making them is struck too.
. "$(dirname "$0")/lib.sh"

choose to_maildir fresh
all_faults
struck_at_least 100

done_testing
