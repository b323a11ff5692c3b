# lib.sh: a few functions for tests that speak TAP (run by prove). Sourced, POSIX sh.
#
#   . "$(dirname "$0")/lib.sh"
#   run "$BACKSTOP" tag check ann@example.net     # sets $status, $out and $err
#   is "$status" 1 "an address without a tag is not valid"
#   like "$out" "absent" "and it says so"         # extended regular expression
#   ok "the file is there" test -f "$dir/file"    # a command that must succeed
#   done_testing
#
# $dir is a fresh folder that goes away at the end, $BACKSTOP the program under test. Nothing of the
# host's own set-up takes part: $BACKSTOP_CONF is unset, TZ is UTC.

BACKSTOP=${BACKSTOP:-build/backstop}
case $BACKSTOP in
*/*) BACKSTOP=$(cd "$(dirname "$BACKSTOP")" && pwd)/$(basename "$BACKSTOP") ;;
esac
unset BACKSTOP_CONF
TZ=UTC LC_ALL=C
export TZ LC_ALL

dir=$(mktemp -d "${TMPDIR:-/tmp}/backstop-cli.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
count=0
failures=0
status=0 out='' err=''

# Runs a command and keeps what it wrote and its exit code.
run() {
	status=0
	"$@" >"$dir/.out" 2>"$dir/.err" || status=$?
	out=$(cat "$dir/.out")
	err=$(cat "$dir/.err")
}

# report RESULT TEXT: one TAP line; RESULT 0 is success.
report() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$count" "$2"
		return 0
	fi
	failures=$((failures + 1))
	printf 'not ok %d - %s\n' "$count" "$2"
	return 1
}

# explain NAME TEXT: comment lines behind a failed test.
explain() {
	printf '%s\n' "$2" | sed "s/^/#   $1: /"
}

# ok TEXT COMMAND...: the command succeeds.
ok() {
	ok_text=$1
	shift
	if "$@" >"$dir/.ok" 2>&1; then
		report 0 "$ok_text"
	else
		report 1 "$ok_text"
		explain 'failed' "$*"
		explain 'said' "$(cat "$dir/.ok")"
	fi
	return 0
}

# is GOT WANT TEXT: both are the same.
is() {
	if [ "$1" = "$2" ]; then
		report 0 "$3"
	else
		report 1 "$3"
		explain ' got' "$1"
		explain 'want' "$2"
	fi
	return 0
}

# like GOT PATTERN TEXT: a line of GOT matches the extended regular expression.
like() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		report 0 "$3"
	else
		report 1 "$3"
		explain ' got' "$1"
		explain 'want' "/$2/"
	fi
	return 0
}

# unlike GOT PATTERN TEXT: no line of GOT matches.
unlike() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		report 1 "$3"
		explain '     got' "$1"
		explain 'unwanted' "/$2/"
	else
		report 0 "$3"
	fi
	return 0
}

# Ends the script: the plan, and an exit code.
done_testing() {
	printf '1..%d\n' "$count"
	[ "$failures" -eq 0 ]
	exit
}
