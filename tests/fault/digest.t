#!/bin/sh
# A digest that is killed, or whose calls fail, wherever that happens: its reports are told of once, or
# twice, never not at all; and a report above the owner-limit is kept whole, or sent, or deferred.
. "$(dirname "$0")/lib.sh"

changing=open,openat,mkdir,mkdirat,write,pwrite,writev,fsync,fdatasync,syncfs,msync,ftruncate
changing=$changing,fallocate,link,linkat,rename,renameat,renameat2,unlink,unlinkat
changing=$changing,memfd_create,posix_spawn,fork,waitpid

configure '' 'owner-limit = "1/hour"
owner-sees = original'
rm -rf "$state"
for number in 1 2 3; do
	sed "s/ann@example\.net/m$number@example.net/g" "$world/genuine-postfix.eml" >"$dir/$number.eml"
	deliver "$dir/$number.eml"
done
is "$(held_ids | wc -l)" 2 "two reports wait"
cp -R "$state" "$dir/waiting-state"

# The digests that were sent, each of both reports; else $problem.
count_digests() {
	digests=0
	for file in "$outbox"/*.msg; do
		[ -e "$file" ] && grep -q '^X-Backstop-Kind: digest' "$file" || continue
		digests=$((digests + 1))
		[ "$(grep -cE '^    m[23]@example\.net ' "$file")" = 2 ] ||
			problem="a digest without both: $file"
	done
}

# digest TIME OPTION...: undisturbed.
digest() {
	"$BACKSTOP" digest -c "$conf" --now="2026-11-24T$1Z" >"$dir/.out" 2>"$dir/.err"
}

# The messages are still there, whole, and all that is.
check_kept() {
	cat "$dir/2.eml" "$dir/3.eml" >"$dir/.want"
	zcat -f "$state"/held/new/* | cmp -s - "$dir/.want" || problem="what is kept is not what was"
}

# each_digest CALLS WHAT MOST: struck at each call, then the next run after the lease; at most MOST
# digests come of both together.
each_digest() {
	number=1
	failed=
	while [ "$number" -le 400 ]; do
		rm -rf "$state" "${outbox:?}"/* "$hit_file"
		cp -R "$dir/waiting-state" "$state"
		problem=
		status=0
		BACKSTOP_FAULT=$1:$number:$2 BACKSTOP_FAULT_LOG=$hit_file LD_PRELOAD=$SHIM \
			"$BACKSTOP" digest -c "$conf" --now=2026-11-24T01:00:00Z >"$dir/.out" 2>"$dir/.err" ||
			status=$?
		[ -e "$hit_file" ] || break
		count_digests
		first=$digests
		if [ "$first" -gt 1 ]; then problem="$first digests of one run"; fi
		if [ "$status" -eq 0 ] && [ "$first" -ne 1 ]; then
			problem="exit 0, and $first digests"
		fi
		digest 01:10:00 || problem="the next run: $? $(cat "$dir/.err")"
		count_digests
		if [ "$digests" -lt 1 ]; then problem="none was sent"; fi
		if [ "$digests" -gt "$3" ]; then problem="$digests were sent"; fi
		digest 01:20:00
		[ ! -s "$dir/.out" ] || problem="a third one: $(cat "$dir/.out")"
		check_kept
		[ -z "$problem" ] || failed="$failed
#   $(cat "$hit_file"), number $number: $problem"
		number=$((number + 1))
	done 2>/dev/null
	[ -z "$failed" ]
	report $? "a digest: $2 at $((number - 1)) x $1"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
	points=$((points + number - 1))
}

each_digest $changing KILL 2
each_digest write,pwrite,writev TORN 2
each_digest write,pwrite,writev ENOSPC 2
each_digest write,pwrite,writev EIO 2
each_digest fsync,fdatasync,msync EIO 2
each_digest open,openat EMFILE 2
each_digest memfd_create EMFILE 1
each_digest posix_spawn,fork EAGAIN 1
[ "$points" -ge 40 ]
report $? "$points calls struck"

# ---- keeping one report more ----

cp "$dir/1.eml" "$dir/next.eml"
sed -i 's/m1@example\.net/m4@example.net/g' "$dir/next.eml"

# $copies: of the message, held with a record, or sent.
find_kept() {
	copies=0
	held list --format=json >"$dir/.held" 2>"$dir/.held.err" ||
		problem="held list: $(cat "$dir/.held.err")"
	for id in $(sed -n 's/^{"id":"\([0-9A-F]*\)".*m4@example.*/\1/p' "$dir/.held"); do
		held show --raw "$id" 2>/dev/null | cmp -s - "$dir/next.eml" ||
			problem="$id has lost its message"
		copies=$((copies + 1))
	done
	for file in "$outbox"/*.msg; do
		[ -e "$file" ] || continue
		tail -c "$(wc -c <"$dir/next.eml")" "$file" | cmp -s - "$dir/next.eml" &&
			copies=$((copies + 1))
	done
}

# each_keeping CALLS WHAT
each_keeping() {
	number=1
	failed=
	while [ "$number" -le 400 ]; do
		rm -rf "$state" "${outbox:?}"/* "$hit_file"
		cp -R "$dir/waiting-state" "$state"
		message=$dir/next.eml
		strike "$1:$number:$2"
		[ -n "$hit" ] || break
		problem=$outcome
		find_kept
		case $2-$status-$copies in
		*-0-1 | *-75-0 | KILL-137-[01]) ;;
		*) problem="$problem exit $status, $copies copies" ;;
		esac
		if [ "$status" -ne 0 ]; then
			before=$copies
			try
			find_kept
			[ "$status" -eq 0 ] || problem="the next attempt: exit $status"
			[ "$copies" -eq $((before + 1)) ] ||
				problem="the next attempt: $copies copies, $before before"
		fi
		[ -z "$problem" ] || failed="$failed
#   $(cat "$hit_file"), number $number: $problem"
		number=$((number + 1))
	done 2>/dev/null
	[ -z "$failed" ]
	report $? "above the limit: $2 at $((number - 1)) x $1"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
	points=$((points + number - 1))
}

# ---- a delivery that brings a digest with it ----

# each_bringing CALLS WHAT: the message goes out by itself, and the digest behind it.
each_bringing() {
	number=1
	failed=
	now=--now=2026-11-24T01:00:00Z
	while [ "$number" -le 400 ]; do
		rm -rf "$state" "${outbox:?}"/* "$hit_file"
		cp -R "$dir/waiting-state" "$state"
		message=$dir/next.eml
		strike "$1:$number:$2"
		[ -n "$hit" ] || break
		problem=$outcome
		find_kept
		case $2-$status-$copies in
		*-0-1 | *-75-0 | KILL-137-[01]) ;;
		*) problem="$problem exit $status, $copies copies" ;;
		esac
		count_digests
		[ "$copies" -ge 1 ] || [ "$digests" -eq 0 ] || problem="a digest before the message"
		digest 01:20:00 || problem="the next run: $? $(cat "$dir/.err")"
		count_digests
		case $digests in
		1 | 2) ;;
		*) problem="$problem $digests digests" ;;
		esac
		[ -z "$problem" ] || failed="$failed
#   $(cat "$hit_file"), number $number: $problem"
		number=$((number + 1))
	done 2>/dev/null
	[ -z "$failed" ]
	report $? "a delivery with a digest: $2 at $((number - 1)) x $1"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
	points=$((points + number - 1))
}

points=0
each_bringing $changing KILL
each_bringing $writing ENOSPC
each_bringing $syncing EIO
each_bringing posix_spawn,fork EAGAIN
[ "$points" -ge 30 ]
report $? "$points calls struck"

now=--now=2026-11-24T00:00:00Z
points=0
each_keeping $changing KILL
each_keeping $opening EMFILE
each_keeping $writing ENOSPC
each_keeping $syncing EIO
each_keeping link,linkat EDQUOT
each_keeping mkdir,mkdirat EROFS
[ "$points" -ge 35 ]
report $? "$points calls struck"

done_testing
