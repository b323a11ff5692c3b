#!/bin/sh
# The roster of a list as evidence: alone, wrong and outvoted, unavailable; and its index in the
# state, which follows the file.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

roster=$dir/members
nothing=$world/unproven-nothing-returned.eml # names cara@example.com, and nothing speaks of it
later=--now=2026-12-04T00:00:00Z	     # the index is ten days old

# members ADDRESS...: a roster that has been left alone for a while.
members() {
	printf '%s\n' "$@" >"$roster.new"
	touch -d '2 hours ago' "$roster.new"
	mv "$roster.new" "$roster"
}

# evidence FILE OPTION...: what the roster check said of a delivery, and the verdict.
evidence() {
	message=$1
	shift
	run "$BACKSTOP" deliver -c "$conf" --verbose "$@" <"$message"
	printf '%s\n' "$err" | sed -n 's/.*check roster: \([^ ]* ([^ ]*)\).*/\1/p; s/.* verdict=\([a-z]*\) score=\([^ ]*\) .*/\1 \2/p' | paste -sd' ' -
}

configure '' "roster = \"$roster\""

# ---- it is the only one that speaks ----
members ann@example.net cara@example.com
is "$(evidence "$nothing" "$now")" "on-list (+15) unproven 15" \
	"a member, and nothing else is known: no proof"
is "$(evidence "$nothing" "$later")" "on-list (+15) unproven 15" "nor later"
members ann@example.net zoe@example.net
is "$(evidence "$nothing" "$later")" "left (+0) unproven 4" \
	"who left lately gets the posts that were on their way"
is "$(evidence "$nothing" --now=2027-01-10T00:00:00Z)" "not-on-list-unseen (-7) unproven -3" \
	"no member: too little to drop a report for"
rm -rf "$state"
is "$(evidence "$nothing" "$now")" "not-on-list-early (-5) unproven -1" \
	"the same before it can be known who left"

# ---- it is wrong, and outvoted ----
rm -rf "$state"
feed_ledger
members vic@example.com
is "$(evidence "$world/forged-naive.eml" "$now" | sed 's/ -[0-9]*$//')" \
	"not-on-list-early (-5) backscatter" "a forgery to a stranger"
victim=$(sed -n 's/^Final-Recipient: *rfc822; *//p' "$world/forged-naive.eml" | tr -d '\r' | head -n 1)
members "$victim"
is "$(evidence "$world/forged-naive.eml" "$now" | sed 's/ -[0-9]*$//')" \
	"on-list (+15) backscatter" "a forgery to a member is one all the same"
members zoe@example.net
is "$(evidence "$world/genuine-postfix.eml" "$later")" "mailed (+0) genuine 74" \
	"who was mailed needs not be on the roster"
is "$(evidence "$world/genuine-forwarded-tagged.eml" "$later")" "mailed (+0) genuine 109" \
	"nor whom a tag names"
is "$(evidence "$world/unproven-fake-received.eml" "$later" | cut -d' ' -f1,3)" \
	"other-address unproven" "behind a forwarder, an absence means nothing"
is "$(evidence "$world/forged-replay.eml" "$later" | cut -d' ' -f1,3)" \
	"other-address backscatter" "the same fact does not count twice"
is "$(evidence "$world/genuine-before-the-ledger.eml" "$later")" \
	"not-on-list-unseen (-7) unproven 17" "an alias of a member: not proven, not lost"
is "$(evidence "$world/forged-made-up-id.eml" "$later" | cut -d' ' -f1-3)" \
	"not-on-list (-13) backscatter" "a foreign hop, and no member: against it in full"
is "$(evidence "$world/unproven-autoreply.eml" "$later" | cut -d' ' -f1-3)" \
	"unavailable (+0) unproven" "an answer may come from another address"

# ---- it is unavailable ----
rm -rf "$state"
rm "$roster"
is "$(evidence "$nothing" "$now")" "unavailable (+0) unproven 4" "no file"
like "$(cat "$dir/.err")" "the roster does not exist" "which is said"
: >"$roster"
is "$(evidence "$nothing" "$now")" "unavailable (+0) unproven 4" "an empty file"
printf 'zoe@example.net\n' >"$roster"
is "$(evidence "$nothing" "$now")" "unavailable (+0) unproven 4" "a file that was written just now"
like "$(cat "$dir/.err")" "the roster changed a moment ago" "which is said"
mkdir "$dir/folder"
configure '' "roster = \"$dir/folder\""
is "$(evidence "$nothing" "$now")" "unavailable (+0) unproven 4" "a folder"
configure '' ''
is "$(evidence "$nothing" "$now")" "unavailable (+0) unproven 4" "none configured"
configure '' "roster = \"$roster\""

# ---- the index follows the file ----
rm -rf "$state"
members ann@example.net bob@example.net cara@example.com dora@example.net eve@example.net
is "$(evidence "$nothing" "$now")" "on-list (+15) unproven 15" "indexed"
printf 'ann@example.net\nbob@example.net\ndora@example.net\n' >"$roster"
is "$(evidence "$nothing" "$now")" "on-list (+15) unproven 15" \
	"a file that is being rewritten: what was known holds"
touch -d '1 minute ago' "$roster"
is "$(evidence "$nothing" "$now")" "left (+0) unproven 4" "left alone, it counts"
printf 'ann@e' >"$roster"
touch -d '1 minute ago' "$roster"
is "$(evidence "$nothing" "$now")" "left (+0) unproven 4" \
	"less than half as long: not before it has been left alone for ten minutes"
members cara@example.com
is "$(evidence "$nothing" "$now")" "on-list (+15) unproven 15" "and then it does"
rm "$roster"
is "$(evidence "$nothing" "$now")" "unavailable (+0) unproven 4" "a file that is gone"
members cara@example.com
writes() {
	strace -f -e trace=openat,open -o "$dir/trace" "$BACKSTOP" deliver -c "$conf" "$now" <"$nothing"
	grep -c "$roster" "$dir/trace"
}
if command -v strace >/dev/null 2>&1; then
	evidence "$nothing" "$now" >/dev/null
	is "$(writes)" 0 "a file that has not changed is not opened"
else
	skip "a file that has not changed is not opened" "no strace"
fi

# ---- two at once ----
rm -rf "$state"
members cara@example.com
for i in 1 2 3 4; do
	"$BACKSTOP" deliver -c "$conf" "$now" <"$nothing" 2>"$dir/err.$i" &
done
wait
ok "several deliveries at once: none said unproven for another reason" \
	sh -c "! grep -h -v 'verdict=unproven score=\\(15\\|4\\) ' $dir/err.?"

# ---- scan and explain read the file, and write nothing ----
members cara@example.com
run "$BACKSTOP" explain -c "$conf" "$nothing"
like "$out" 'roster +on-list +\+15\*' "explain without a state reads the file"
rm -rf "$state"
members zoe@example.net
run "$BACKSTOP" scan -c "$conf" --format=json "$nothing" "$nothing"
is "$(printf '%s\n' "$out" | grep -c '"not-on-list-early","weight":-5')" 2 "scan too, once a run"
ok "and no state is made" test ! -e "$state"
feed_ledger
run "$BACKSTOP" scan -c "$conf" --state --format=json "$nothing"
like "$out" 'not-on-list-early' "with a state that may not be written as well"
ok "in which nothing is locked" test ! -e "$state/roster.lock"

# ---- check ----
members ann@example.net '# c' '' nobody 'Bob <bob@example.net>' nothing
run "$BACKSTOP" check -c "$conf"
like "$out" "^warning: $roster:4: is no address; 2 lines like that" "check names the line"
like "$out" "^  roster $roster: 2 addresses" "and counts the addresses"
is "$status" 0 "which is a warning only"
: >"$roster"
run "$BACKSTOP" check -c "$conf"
like "$out" "backstop.conf:[0-9]+: roster: $roster has no address in it" "an empty one is a fault"
is "$status" 78 "with its exit code"
rm "$roster"
run "$BACKSTOP" check -c "$conf"
like "$out" "backstop.conf:[0-9]+: roster: $roster does not exist" "so is none"

done_testing
