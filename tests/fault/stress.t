#!/bin/sh
# 16 writers and 4 readers on one state at full speed; STRESS_SECONDS: for how long, STRESS_DIR:
# where. In memory if it can be: without a disk to wait for they get into each other's way most.
tool=${BACKSTOP_STRESS:-build/tests/fault/stress}
if [ ! -x "$tool" ]; then
	echo "1..0 # SKIP no $tool: make check-fault builds it"
	exit 0
fi
place=${STRESS_DIR:-${TMPDIR:-/tmp}}
[ -n "$STRESS_DIR" ] || [ ! -w /dev/shm ] || place=/dev/shm
dir=$(mktemp -d "$place/backstop-stress.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
"$tool" "$dir/state" "${STRESS_SECONDS:-10}"
