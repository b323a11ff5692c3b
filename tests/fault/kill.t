#!/bin/sh
# The program is killed in place of each call that changes something, and in the middle of each write.
# After that the message is there whole or not at all, the state opens, and the next attempt delivers
# it: a kill may duplicate, never lose.
. "$(dirname "$0")/lib.sh"

changing=open,openat,mkdir,mkdirat,write,pwrite,writev,fsync,fdatasync,syncfs,msync,ftruncate
changing=$changing,fallocate,link,linkat,rename,renameat,renameat2,unlink,unlinkat
changing=$changing,memfd_create,posix_spawn,fork,waitpid

# A kill leaves what it leaves in tmp/; what matters is what is whole.
check_kill() {
	problem=$outcome
	find_copies
	[ -z "$problem" ] || return 0
	[ "$status" -gt 128 ] || problem="it was not killed: exit $status"
	[ "$copies" -le 1 ] || problem="$copies copies after one attempt"
	[ "$remains" -ge 0 ] || problem="a record without its message"
	[ "$way" = to_drop ] || held list >/dev/null 2>"$dir/.held.err" ||
		problem="held list: $(cat "$dir/.held.err")"
}

# each_kill CALLS WHAT
each_kill() {
	number=1
	failed=
	while [ "$number" -le 300 ]; do
		prepare
		strike "$1:$number:$2"
		[ -n "$hit" ] || break
		check_kill
		before=$copies
		check_recovery 2
		[ "$copies" -ge $((before + 1)) ] || [ -n "$problem" ] ||
			problem="the next attempt: nothing was added to $before copies"
		[ -z "$problem" ] || failed="$failed
#   $hit, number $number: $problem"
		number=$((number + 1))
	done 2>/dev/null
	[ -z "$failed" ]
	report $? "$way, $beginning state: $2 at $((number - 1)) calls"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
	points=$((points + number - 1))
}

for plan in to_maildir:fresh to_drop:used to_owner:used; do
	choose "${plan%:*}" "${plan#*:}"
	points=0
	each_kill $changing KILL
	each_kill write,pwrite TORN
	struck_at_least 10
done

# ---- one is killed with the lock in its hand, the others go on ----

choose to_drop used
prepare
for number in 1 2 3 4 5 6 7 8; do
	fault=
	case $number in
	2) fault=fdatasync:1:KILL ;;
	4) fault=pwrite:1:KILL ;;
	6) fault=writev,pwrite:1:KILL ;;
	esac
	(
		[ -z "$fault" ] || export BACKSTOP_FAULT="$fault" LD_PRELOAD="$SHIM"
		exec "$BACKSTOP" deliver -c "$conf" "$now" <"$message" >"$dir/out.$number" 2>"$dir/err.$number"
	) &
	pids="${pids-} $!"
done 2>/dev/null
codes=
for pid in $pids; do
	status=0
	wait "$pid" || status=$?
	codes="$codes$status "
done 2>/dev/null
is "$codes" "0 137 0 137 0 137 0 0 " "three of eight are killed while they write the state"
problem=
find_copies
is "$problem$copies" 5 "the others are recorded"
is "$remains" 3 "and of the killed ones the files are left"
touch -t 202611010000 "$state"/held/new/*
"$BACKSTOP" held -c "$conf" "$now" purge --expired >/dev/null
find_copies
is "$copies records, $remains files too many" "5 records, 0 files too many" \
	"held purge --expired takes those away, and no other"

# ---- one is stopped with the lock in its hand, and the others run into their deadline ----

sed 's/^mode .*/&\ndeadline = "1s"/' "$dir/to_drop.conf" >"$dir/to_drop_soon.conf"
choose to_drop used
prepare
(
	export BACKSTOP_FAULT=fdatasync:1:STOP BACKSTOP_FAULT_LOG="$hit_file" LD_PRELOAD="$SHIM"
	exec "$BACKSTOP" deliver -c "$conf" "$now" <"$message" >"$dir/out.1" 2>"$dir/err.1"
) &
stopped=$!
tries=0
until [ -e "$hit_file" ] || [ $tries -eq 100 ]; do
	sleep 0.05
	tries=$((tries + 1))
done
conf=$dir/to_drop_soon.conf
try
is "$status$announced" 75yes "a drop that waits for a stopped one: 75 at the deadline"
way=to_owner
message=$world/genuine-postfix.eml
problem=
try
find_copies
is "$status, $copies copies$problem" "0, 1 copies" \
	"mail that went out before it had to wait is not said to be deferred"
kill -CONT $stopped
status=0
wait $stopped || status=$?
is "$status" 0 "the stopped one goes on"
choose to_drop used
problem=
find_copies
is "$problem$copies" 1 "and is recorded"

# ---- a release and a purge ----

conf=$dir/to_maildir.conf
message=$world/forged-naive.eml
way=to_drop
prepare
try
cp -R "$state" "$dir/holding-state"

# either_way VERB: killed at each call, the message is still held or has been delivered (or, purged,
# is gone with its record); and the next attempt ends it.
either_way() {
	number=1
	failed=
	while [ "$number" -le 300 ]; do
		rm -rf "$state" "$box" "$hit_file"
		cp -R "$dir/holding-state" "$state"
		BACKSTOP_FAULT=$changing:$number:KILL BACKSTOP_FAULT_LOG=$hit_file LD_PRELOAD=$SHIM \
			"$BACKSTOP" held -c "$conf" "$now" "$1" --all >/dev/null 2>&1
		[ -e "$hit_file" ] || break
		problem=
		way=to_drop
		find_copies
		still_held=$copies
		way=to_maildir
		find_copies
		[ "$still_held$copies" != 00 ] || [ "$1" = purge ] || problem="it is lost"
		"$BACKSTOP" held -c "$conf" "$now" "$1" --all >/dev/null 2>"$dir/.err" ||
			problem="the next attempt: $(cat "$dir/.err")"
		find_copies
		[ "$copies" -ge 1 ] || [ "$1" = purge ] || problem="the next attempt: no copy"
		[ "$copies" -le 2 ] || problem="the next attempt: $copies copies"
		way=to_drop
		find_copies
		[ "$copies" -eq 0 ] || problem="the next attempt: still held"
		[ -z "$problem" ] || failed="$failed
#   $(cat "$hit_file"), number $number: $problem"
		number=$((number + 1))
	done 2>/dev/null
	[ -z "$failed" ] && [ "$number" -gt 3 ]
	report $? "held $1: killed at $((number - 1)) calls"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
}
either_way release
either_way purge

done_testing
