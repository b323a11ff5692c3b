# lib.sh: deliveries that something happens to, and what must be true after each. Sourced by the
# tests of this folder; brings ../cli/lib.sh and ../cli/world.sh with it.
#
# A way is where the message goes: to_maildir, to_drop, to_owner. Each can be prepared afresh, struck
# by the shim, and checked; a check sets $problem, "" when all is well.

. "$(dirname "$0")/../cli/lib.sh"
. "$(dirname "$0")/../cli/world.sh"

SHIM=${BACKSTOP_SHIM:-$(dirname "$BACKSTOP")/tests/fault/shim.so}
if [ ! -e "$SHIM" ]; then
	echo "1..0 # SKIP no $SHIM: make check-fault builds it"
	exit 0
fi
# A sanitizer's own library must not mind that the shim stands in front of it.
ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0
export ASAN_OPTIONS

box=$dir/box
hit_file=$dir/hit

# A state that has been in use, for ways that begin with one.
configure
feed_ledger
cp -R "$state" "$dir/used-state"
configure '' "owner-sees = original
genuine = \"maildir:$box\"
unproven = \"maildir:$box\""
cp "$conf" "$dir/to_maildir.conf"
configure '' 'owner-sees = original'
cp "$conf" "$dir/to_drop.conf"
cp "$conf" "$dir/to_owner.conf"

# choose WAY STATE: fresh or used.
choose() {
	way=$1
	beginning=$2
	conf=$dir/$way.conf
	case $way in
	to_drop) message=$world/forged-naive.eml ;;
	*) message=$world/genuine-postfix.eml ;;
	esac
}

prepare() {
	rm -rf "$state" "$box" "${outbox:?}"/* "$hit_file"
	[ "$beginning" = fresh ] || cp -R "$dir/used-state" "$state"
}

# What a run has left in .out, .err and $status: $announced, an error was said, and $outcome, what it
# may not say. The shell itself says in .err that a program was killed.
note_outcome() {
	outcome=
	[ ! -s "$dir/.out" ] || outcome="it wrote on standard output"
	announced=
	while read -r line; do
		case $line in
		'backstop: error: '* | 'backstop: deadline passed'* | 'backstop: ended by a signal'*)
			announced=yes
			;;
		'backstop: info: '* | 'backstop: warning: '*) ;;
		*) [ "$status" -gt 128 ] || outcome="it said: $line" ;;
		esac
	done <"$dir/.err"
}

# try: delivers undisturbed.
try() {
	status=0
	"$BACKSTOP" deliver -c "$conf" "$now" <"$message" >"$dir/.out" 2>"$dir/.err" || status=$?
	note_outcome
}

# strike CALLS:NUMBER:WHAT: delivers with the shim. $hit: the call that it happened to, or "".
strike() {
	status=0
	BACKSTOP_FAULT=$1 BACKSTOP_FAULT_LOG=$hit_file LD_PRELOAD=$SHIM \
		"$BACKSTOP" deliver -c "$conf" "$now" <"$message" >"$dir/.out" 2>"$dir/.err" ||
		status=$?
	hit=
	[ ! -e "$hit_file" ] || read -r hit <"$hit_file"
	note_outcome
}

# $copies: how often the message has arrived, whole. $problem when something else has. $remains: what
# is left of attempts, where nobody looks.
find_copies() {
	copies=0
	remains=0
	case $way in
	to_maildir)
		for file in "$box"/new/* "$box"/cur/*; do
			[ ! -e "$file" ] || count_copy "$file" "$file"
		done
		remains=$(count_files "$box"/tmp/*)
		;;
	to_owner)
		for file in "$outbox"/*.msg; do
			[ -e "$file" ] || continue
			tail -c "$(wc -c <"$message")" "$file" >"$dir/.tail"
			count_copy "$dir/.tail" "$file"
		done
		;;
	to_drop)
		held list --format=json >"$dir/.held" 2>"$dir/.held.err" || {
			problem="the state does not open: $(cat "$dir/.held.err")"
			return
		}
		records=0
		while read -r _; do
			records=$((records + 1))
		done <"$dir/.held"
		for file in "$state"/held/new/*; do
			[ -e "$file" ] || continue
			gzip -dc "$file" >"$dir/.unpacked" 2>/dev/null
			count_copy "$dir/.unpacked" "$file"
		done
		remains=$((copies - records))
		copies=$records
		;;
	esac
}

count_copy() {
	if cmp -s "$1" "$message"; then
		copies=$((copies + 1))
	else
		problem="$2 is not the message"
	fi
}

# The promise: 0 and one whole copy, or 75 and none.
check_promise() {
	problem=$outcome
	find_copies
	[ -z "$problem" ] || return 0
	case $status-$copies in
	0-1) ;;
	75-0) [ -n "$announced" ] || problem="75, and no word why" ;;
	*) problem="exit $status, $copies copies" ;;
	esac
	[ "$remains" -eq 0 ] || problem="$problem; $remains files too many"
}

# What must be true of the next attempt, whatever happened to the first.
check_recovery() {
	[ -z "$problem" ] || return 0
	try
	[ "$status" -eq 0 ] || problem="the next attempt: exit $status: $(cat "$dir/.err")"
	find_copies
	[ "$copies" -ge 1 ] || problem="the next attempt: no copy"
	[ "$copies" -le "${1-1}" ] || problem="the next attempt: $copies copies"
}

# ---- faults, one after the other ----

# may_remain CALL: a file that was to be removed stays if removing is what fails.
may_remain() {
	case $1 in
	unlink | unlinkat) return 0 ;;
	*) return 1 ;;
	esac
}

# each CALLS WHAT [+]: the first, the second, ... of CALLS fails, until there are no more. With a +,
# all later ones fail too. One line of TAP.
each() {
	number=1
	failed=
	while :; do
		prepare
		strike "$1:$number${3-}:$2"
		[ -n "$hit" ] || break
		check_promise
		case $problem in
		"; "*"too many") ! may_remain "$hit" && [ -z "${3-}" ] || problem= ;;
		esac
		[ "$status" -eq 0 ] || check_recovery
		[ -z "$problem" ] || failed="$failed
#   $hit, number $number of $1: $problem"
		number=$((number + 1))
		if [ "$number" -gt 300 ]; then
			failed="$failed
#   there is no end to $1"
			break
		fi
	done
	[ -z "$failed" ]
	report $? "$way, $beginning state: $2${3:+ from then on} at $((number - 1)) x $1"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
	points=$((points + number - 1))
}

# A loop that found nothing to strike would prove nothing.
struck_at_least() {
	[ "$points" -ge "$1" ]
	report $? "$way, $beginning state: $points calls struck"
	points=0
}

opening=open,openat,fopen
writing=write,pwrite,writev
syncing=fsync,fdatasync,syncfs,msync
points=0

all_faults() {
	each $opening EMFILE
	each $opening EACCES
	each $opening EROFS
	each $opening EDQUOT
	each mkdir,mkdirat ENOSPC
	each mkdir,mkdirat EROFS
	each mkdir,mkdirat EDQUOT
	each $writing EDQUOT
	each $writing EROFS +
	each $writing ENOSPC
	each $writing ENOSPC +
	each $writing EIO
	each $writing EINTR
	each $writing SHORT
	each $syncing EIO
	each $syncing ENOSPC +
	each $syncing EDQUOT
	each $syncing EINTR
	each link,linkat EDQUOT
	each link,linkat ENOSPC
	each link,linkat EPERM
	each link,linkat,renameat2,rename,renameat EIO +
	each unlink,unlinkat EROFS
	each close EIO
	each unlink,unlinkat EIO
	each fallocate,ftruncate ENOSPC
	each fallocate,ftruncate EDQUOT +
	each memfd_create EMFILE
	each memfd_create,mkostemp ENOSPC +
	each pipe2,posix_spawn,fork EAGAIN
	each waitpid,poll,flock EINTR
	each read,pread EIO
	each read,pread EINTR
	each read,pread SHORT
	each mmap ENOMEM
	each getrandom ENOSYS
}
