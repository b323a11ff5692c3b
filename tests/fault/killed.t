#!/bin/sh
# SIGKILL at random times while a state is written, grows, is pruned and loaded; KILLS: how often.
# In memory if it can be: a kill leaves what was written either way, and more is written meanwhile.
tool=${BACKSTOP_KILLED:-build/tests/fault/killed}
if [ ! -x "$tool" ]; then
	echo "1..0 # SKIP no $tool: make check-fault builds it"
	exit 0
fi
place=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || place=/dev/shm
dir=$(mktemp -d "$place/backstop-killed.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
"$tool" "$dir" "${KILLS:-80}"
