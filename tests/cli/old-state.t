#!/bin/sh
# A state that an older version made, without the databases of rosters, proofs, DNS, rates and
# storms: it can be read, and the first delivery makes it whole.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

tool=${BACKSTOP_STATETOOL:-build/tests/cli/statetool}
genuine=$world/genuine-postfix.eml

printf 'ann@example.net\n' >"$dir/members"
touch -t 202611010000 "$dir/members" # settled, however slow the machine is
configure '' "roster = \"$dir/members\""
feed_ledger
deliver "$genuine"
"$BACKSTOP" check -c "$conf" "$now" >/dev/null # what is configured is known: the next one has nothing to enter
ok "the later databases are taken out" "$tool" age "$state"
cp -R "$state" "$dir/old"

# has CHECK RESULT: of the judgement in $out.
has() {
	like "$out" "\"check\":\"$1\",\"result\":\"$2\"" "$1: $2"
}

run "$BACKSTOP" scan -c "$conf" "$now" --state --format=json "$genuine"
is "$status $err" "0 " "scan --state reads it"
has sent recipient
has replay 'unavailable|first'
like "$out" '"verdict":"genuine"' "and judges by what there is"
run "$BACKSTOP" check -c "$conf"
is "$status" 0 "check finds no fault"
unlike "$out" "cannot be understood" "in any record"
sed 's/^dns .*/dns { servers = {"127.0.0.1:1"} timeout = 1s budget = 1s }/' "$conf" >"$dir/dns.conf"
for word in scan explain; do
	run "$BACKSTOP" "$word" -c "$dir/dns.conf" "$now" --state --dns "$genuine"
	is "$status $err" "0 " "$word --state --dns reads it"
done
run "$BACKSTOP" explain -c "$conf" "$now" --state "$genuine"
is "$status $err" "0 " "so does explain"
like "$out" "sent +recipient" "which knows the ledger"
run "$BACKSTOP" report -c "$conf" "$now" summary
is "$status $err" "0 " "and report"
run "$BACKSTOP" held -c "$conf" "$now" list
is "$status $err" "0 " "and held list"
run "$BACKSTOP" digest -c "$conf" "$now" --dry-run
is "$status $err" "0 " "and digest --dry-run"
ok "none of them has written" cmp "$state/data.mdb" "$dir/old/data.mdb"

# written FILE: the write transactions of its delivery.
written() {
	before=$("$tool" count "$state")
	deliver "$1"
	echo $(($("$tool" count "$state") - before))
}

# A roster that changed a moment ago is not read yet.
touch "$dir/members"
is "$(written "$genuine")" 2 "a delivery makes the databases, and writes its own transaction"
is "$(written "$world/genuine-delayed.eml")" 1 "the next one has its own alone"
# The renewal of a roster has transactions of its own, once: what is new, and its head.
printf 'bob@example.net\n' >>"$dir/members"
touch -t 202611020000 "$dir/members"
is "$(written "$genuine")" 3 "the one that reads a changed roster has two more"
is "$(written "$world/genuine-delayed.eml")" 1 "and the next one its own again"
run "$BACKSTOP" scan -c "$conf" "$now" --state --format=json "$genuine"
has replay 'first|again'

done_testing
