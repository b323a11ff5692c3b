#!/bin/sh
# backstop held release and purge while calls fail: a message that was to be released is still held or
# has been delivered, whole; a record always has its file; and the next attempt ends it.
. "$(dirname "$0")/lib.sh"

choose to_maildir used
message=$world/forged-naive.eml
way=to_drop
prepare
try
try
cp -R "$state" "$dir/holding-state"

# strike_held VERB CALLS:NUMBER:WHAT
strike_held() {
	rm -rf "$state" "$box" "$hit_file"
	cp -R "$dir/holding-state" "$state"
	status=0
	BACKSTOP_FAULT=$2 BACKSTOP_FAULT_LOG=$hit_file LD_PRELOAD=$SHIM \
		"$BACKSTOP" held -c "$conf" "$now" "$1" --all >"$dir/.out" 2>"$dir/.err" || status=$?
	hit=
	[ ! -e "$hit_file" ] || read -r hit <"$hit_file"
}

# $held and $filed: how many messages are held, and how many have been delivered.
find_both() {
	way=to_drop
	find_copies
	held=$copies
	[ "$remains" -ge 0 ] || problem="a record without its file"
	way=to_maildir
	find_copies
	filed=$copies
}

# each_of VERB CALLS WHAT [+]
each_of() {
	number=1
	failed=
	while [ "$number" -le 300 ]; do
		strike_held "$1" "$2:$number${4-}:$3"
		[ -n "$hit" ] || break
		problem=
		find_both
		[ "$1" = purge ] || [ $((held + filed)) -ge 2 ] || problem="$held held, $filed delivered"
		[ "$status" -lt 128 ] || problem="exit $status"
		[ "$status" -ne 0 ] || [ "$held" -eq 0 ] || problem="0, and $held still held"
		[ "$status" -eq 0 ] || [ -s "$dir/.err" ] || problem="exit $status, and no word why"
		[ -n "$problem" ] || {
			"$BACKSTOP" held -c "$conf" "$now" "$1" --all >/dev/null 2>"$dir/.err" ||
				problem="the next attempt: $(cat "$dir/.err")"
			find_both
			[ "$held" -eq 0 ] || problem="the next attempt: $held still held"
			[ "$1" = purge ] || [ "$filed" -ge 2 ] || problem="the next attempt: $filed"
			[ "$filed" -le 4 ] || problem="the next attempt: $filed copies"
		}
		[ -z "$problem" ] || failed="$failed
#   $hit, number $number of $2: $problem"
		number=$((number + 1))
	done
	[ -z "$failed" ]
	report $? "$1: $3${4:+ from then on} at $((number - 1)) x $2"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
	points=$((points + number - 1))
}

for verb in release purge; do
	points=0
	each_of $verb $opening EMFILE
	each_of $verb $opening EROFS
	each_of $verb $writing ENOSPC
	each_of $verb $writing ENOSPC +
	each_of $verb $writing EDQUOT
	each_of $verb $writing EIO
	each_of $verb $syncing EIO
	each_of $verb $syncing ENOSPC +
	each_of $verb unlink,unlinkat EROFS
	each_of $verb unlink,unlinkat EIO
	each_of $verb read,pread EIO
	each_of $verb read,pread SHORT
	each_of $verb mmap ENOMEM
	[ "$points" -ge 50 ]
	report $? "$verb: $points calls struck"
done

done_testing
