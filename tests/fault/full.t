#!/bin/sh
# A disk that is really full, out of inodes, or read-only: a small tmpfs in a mount namespace of its
# own. 0 and a whole copy, or 75 and none; and when there is room again the next delivery is healthy.
if [ -z "${BACKSTOP_IN_NAMESPACE-}" ]; then
	mounted=$(unshare -Urm sh -c 'mount -t tmpfs -o size=64k tmpfs /mnt && echo yes' 2>/dev/null) || :
	if [ "$mounted" != yes ]; then
		echo "1..0 # SKIP a user and a mount namespace cannot be made here"
		exit 0
	fi
	BACKSTOP_IN_NAMESPACE=yes exec unshare -Urm sh "$0"
fi
. "$(dirname "$0")/lib.sh"

small=$dir/small
mkdir "$small"
trap 'umount "$dir/small" "$dir/full-state/held" 2>/dev/null; rm -rf "$dir"' EXIT

# small_disk OPTIONS: a fresh one, in place of the last.
small_disk() {
	umount "$small" 2>/dev/null
	mount -t tmpfs -o "mode=0755,$1" tmpfs "$small"
}

# again OPTIONS: other options for the disk that is there. Its type is said: of a user namespace mount(8)
# would otherwise repeat options that only the host may give.
again() {
	mount -t tmpfs -o "remount,$1" tmpfs "$small"
}

# fill PAGES: takes all room of the small disk but that many pages of 4096 bytes.
fill() {
	dd if=/dev/zero of="$small/filler" bs=4096 2>/dev/null
	size=$(($(wc -c <"$small/filler") - $1 * 4096))
	truncate -s "$size" "$small/filler"
}

# on_small NAME: the way's configuration with NAME, "state" or "box", on the small disk.
on_small() {
	sed "s|$dir/$1\"|$small/$1\"|" "$dir/$way.conf" >"$dir/full.conf"
	conf=$dir/full.conf
	[ "$1" = state ] || return 0
	state=$small/state
}

# The state of every try: fresh or used.
place_state() {
	rm -rf "$state" "$box"
	rm -f "${outbox:?}"/*
	[ "$beginning" = fresh ] || cp -R "$dir/used-state" "$state"
}

# try_full WHAT COMMAND...: a delivery; what it promises; and the next one, when COMMAND has made room.
# That comes first, since not even a look at a state is possible where it could not be made.
try_full() {
	title=$1
	shift
	try
	"$@"
	check_promise
	[ -n "$problem" ] || case $status in
	0) delivered=$((delivered + 1)) ;;
	75) deferred=$((deferred + 1)) ;;
	esac
	check_recovery $((copies + 1))
	[ -z "$problem" ] || failed="$failed
#   $title: $problem"
}

begin() {
	failed=
	delivered=0
	deferred=0
}

# tell TEXT: the line of TAP. Both ends must have been met, or nothing was shown.
tell() {
	[ -z "$failed" ] && [ "$delivered" -gt 0 ] && [ "${2-$deferred}" -gt 0 ]
	report $? "$way, $beginning state: $1: $delivered delivered, $deferred deferred"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
}

empty_disk() {
	rm -f "$small/filler"
}

# ---- full to the last page, then with one page left, two, ... ----

begin_state=$state
for plan in to_drop:used:state to_drop:fresh:state to_maildir:fresh:box to_owner:used:state; do
	what=${plan##*:}
	plan=${plan%:*}
	choose "${plan%:*}" "${plan#*:}"
	state=$begin_state
	[ "$what" = state ] || box=$small/box
	on_small "$what"
	begin
	for pages in 0 1 2 3 4 5 6 8 10 11 12 16 24 48; do
		small_disk size=4M
		place_state
		fill $pages
		try_full "$pages pages left" empty_disk
	done
	if [ "$way" = to_owner ]; then
		# Without room for the state mail goes on, and it is said.
		tell "$what on a full disk" 1
		is "$deferred" 0 "to_owner: a full state does not stop mail"
	else
		tell "$what on a full disk"
	fi
	box=$dir/box
done

# ---- the quarantine alone is full: a file system of its own ----

choose to_drop used
state=$dir/full-state
sed "s|$dir/state\"|$state\"|" "$dir/to_drop.conf" >"$dir/full.conf"
conf=$dir/full.conf
begin
for pages in 0 1 2 3; do
	umount "$state/held" 2>/dev/null
	place_state
	mkdir -p "$state/held/tmp" "$state/held/new" "$state/held/cur"
	mount -t tmpfs -o size=64k,mode=0700 tmpfs "$state/held"
	mkdir "$state/held/tmp" "$state/held/new" "$state/held/cur"
	small_before=$small
	small=$state/held
	fill $pages
	try_full "$pages pages left for held mail" empty_disk
	small=$small_before
done
tell "held mail on a full disk of its own"
umount "$state/held"

# ---- out of inodes ----

for plan in to_drop:fresh:state to_maildir:fresh:box; do
	what=${plan##*:}
	plan=${plan%:*}
	choose "${plan%:*}" "${plan#*:}"
	state=$begin_state
	[ "$what" = state ] || box=$small/box
	on_small "$what"
	begin
	for inodes in 2 3 4 5 6 7 8 9 10 11 12 13 14; do
		small_disk "size=4M,nr_inodes=$inodes"
		place_state
		try_full "$inodes inodes" again nr_inodes=1000
	done
	tell "$what out of inodes"
	box=$dir/box
done

# ---- read-only ----

for plan in to_drop:used:state to_maildir:fresh:box to_owner:used:state; do
	what=${plan##*:}
	plan=${plan%:*}
	choose "${plan%:*}" "${plan#*:}"
	state=$begin_state
	[ "$what" = state ] || box=$small/box
	on_small "$what"
	begin
	small_disk size=4M
	place_state
	again ro
	try_full "read-only" again rw
	[ -z "$failed" ]
	report $? "$way: $what read-only"
	[ -z "$failed" ] || printf '%s\n' "${failed#?}"
	case $way in
	to_owner) is "$delivered $deferred" "1 0" "mail goes on" ;;
	*) is "$delivered $deferred" "0 1" "deferred" ;;
	esac
	box=$dir/box
done

# ---- drops until nothing goes any more ----

choose to_drop used
state=$begin_state
on_small state
small_disk size=1M
place_state
accepted=0
number=0
deferred_in_a_row=0
while [ "$number" -lt 300 ] && [ "$deferred_in_a_row" != 3 ]; do
	number=$((number + 1))
	try
	case $status in
	0)
		accepted=$((accepted + 1))
		deferred_in_a_row=0
		;;
	75) deferred_in_a_row=$((deferred_in_a_row + 1)) ;;
	*) break ;;
	esac
done
is "$status" 75 "a disk that fills up ends in 75"
problem=
find_copies
is "$problem$copies records, $remains files too many" "$accepted records, 0 files too many" \
	"what was accepted before is recorded, and whole"
run "$BACKSTOP" check -c "$conf" "$now"
unlike "$out" "lost its file|cannot be understood" "check finds nothing broken"
run "$BACKSTOP" held -c "$conf" "$now" purge --all
is "$status" 0 "what is held can be purged on the full disk"
problem=
find_copies
is "$problem$copies" 0 "nothing is left of it"
try
is "$status" 0 "and then it goes on"

done_testing
