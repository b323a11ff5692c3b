#!/bin/sh
# A state that is dumped and loaded again, with all that it can hold: the copy goes on where the first
# one stopped. Deliveries, held mail, what is owed to owners, storms, marks and the account.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

printf 'ann@example.net\n' >"$dir/members"
touch -t 202611010000 "$dir/members" # settled, however slow the machine is

# report_all: what there is to be read of the state, but not when it was made.
report_all() {
	for what in summary lists reporters recipients reasons storms dropped; do
		"$BACKSTOP" report "$what" -c "$conf" "$now" --format=json || echo "failed: $what"
	done
	held list --format=json
	"$BACKSTOP" lists -c "$conf" "$now" --format=json || echo "failed: lists"
	"$BACKSTOP" audit -c "$conf" --format=json | grep -v '"db load"'
	"$BACKSTOP" digest -c "$conf" "$now" --dry-run
	"$BACKSTOP" scan -c "$conf" "$now" --state --format=json "$world"
}

sent_text() {
	cat "$outbox"/*.msg
}

configure 'privacy = hash
storm { factor = 2 minimum = 3/hour }' "owner-limit = \"1/hour\"
roster = \"$dir/members\"
unproven = \"hold\""
feed_ledger
"$BACKSTOP" check -c "$conf" "$now" >/dev/null
deliver "$world/genuine-postfix.eml"
deliver "$world/genuine-tagged.eml"
for number in 1 2 3 4 5 6 7 8 9; do
	deliver "$world/forged-naive.eml" --client-address=203.0.113.$number --client-helo=h$number.example.com
done
run held purge "$(held_ids | tail -n 1)"
report_all >"$dir/before"
run grep -c failed: "$dir/before"
is "$out" 0 "all can be read"
run "$BACKSTOP" db stat -c "$conf"
cp "$dir/.out" "$dir/stat"
for name in sent events lists reporters rollups held expiry roster proofs proof-times rates storms owed audit meta; do
	like "$out" "^$name +[1-9]" "there is something in $name"
done
forget_sent

# ---- there and back ----

run "$BACKSTOP" db dump -c "$conf"
is "$status $err" "0 " "it is dumped"
cp "$dir/.out" "$dir/dump"
for key in privacy-secret horizon config-path kept roster: config: coverage: sweep: host; do
	ok "with $key" grep -q "^=$key" "$dir/dump"
done
run "$BACKSTOP" db load --state="$dir/second" "$dir/dump" "$now"
is "$status $err" "0 " "and loaded"
is "$out" "$dir/dump: $(sed -n 's/^end //p' "$dir/dump") records loaded" "nothing is held there"
cp -R "$state/held" "$dir/second/held"
ok "the first state is put away" mv "$state" "$dir/first"
mv "$dir/second" "$state"
run "$BACKSTOP" db check -c "$conf"
is "$status $err" "0 " "all records are good"
run "$BACKSTOP" db stat -c "$conf"
is "$(awk '/^[a-z-]+ +[0-9]/ && $1 != "audit" { print $1, $2 }' "$dir/.out")" \
	"$(awk '/^[a-z-]+ +[0-9]/ && $1 != "audit" { print $1, $2 }' "$dir/stat")" "and as many, in each database"
report_all >"$dir/after"
is "$(diff "$dir/before" "$dir/after")" "" "what is to be read is the same"
run "$BACKSTOP" check -c "$conf" "$now"
is "$status" 0 "check finds no fault"

# ---- and on ----

deliver "$world/genuine-delayed.eml"
ends 0 "a delivery"
unlike "$err" 'state' "without a word about the state"
id=$(held list --format=json --verdict=genuine | sed -n '1s/^{"id":"\([0-9A-F]*\)".*/\1/p')
run held release "$id"
is "$status $err" "0 " "a message that is owed is released"
like "$(sent_text)" 'ann@example\.net' "and sent"
forget_sent
run "$BACKSTOP" digest -c "$conf" --now=2026-11-25T00:00:01Z
is "$status" 0 "the owners get what they are owed"
like "$(sent_text)" 'mia@example\.net +4\.4\.1' "by name"
unlike "$(held list --format=json --verdict=genuine)" '"expires":null' "then it expires"
run "$BACKSTOP" report summary -c "$conf" "$now"
is "$status $err" "0 " "report"
run "$BACKSTOP" db check -c "$conf"
is "$status $err" "0 " "and all is good"

# ---- a dump that is older than what is held ----

rm -rf "$state"
configure '' 'owner-limit = "1/hour"'
deliver "$world/genuine-postfix.eml"
deliver "$world/genuine-postfix.eml"
"$BACKSTOP" db dump -c "$conf" >"$dir/dump"
for number in 2 3; do
	sed -e "s/ann@example\.net/m$number@example.net/g" -e "1,/^\$/s/^Message-ID: </&$number./" \
		"$world/genuine-postfix.eml" >"$dir/bounce"
	deliver "$dir/bounce"
	like "$err" 'for=digest' "a report is kept after the dump"
done
run "$BACKSTOP" db load --replace -c "$conf" "$dir/dump" "$now"
is "$status $err" "0 " "the dump is loaded"
like "$out" "^2 held files in $state/held have no record in it, .* backstop held purge --expired moves them to $state/unclaimed" \
	"and says what it does not know of"
touch -d '2 days ago' "$state"/held/new/*
run "$BACKSTOP" check -c "$conf"
like "$out" '^warning: held: 2 files in .* no record, .* db load ' "check does, too"
run "$BACKSTOP" held purge --expired -c "$conf"
like "$out" "moved 2 files that no record names to $state/unclaimed" "they can be had"
is "$(count_files "$state/unclaimed/new"/*)" 2 "where it says"

done_testing
