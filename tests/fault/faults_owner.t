#!/bin/sh
# Forwarding while calls fail: 0 and sendmail got it once and whole, or 75 and it got nothing.
. "$(dirname "$0")/lib.sh"

choose to_owner used
all_faults
struck_at_least 60

done_testing
