#!/bin/sh
# backstop lists: what is configured, what was seen, and what is wrong.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

lists() {
	run "$BACKSTOP" lists -c "$conf" "$now" "$@"
}

# row ADDRESS: its line in JSON.
row() {
	"$BACKSTOP" lists -c "$conf" "$now" --format=json | grep -F "{\"address\":\"$1\""
}

for wrong in --format=xml --since=yesterday surplus; do
	lists $wrong
	is "$status" 64 "lists $wrong is wrong usage"
done

lists
is "$status" 1 "without a state, a complete sent-log is a fault"
like "$out" 'fault: sent-log = complete in domain "lists.example.org", but the ledger has nothing of it' \
	"since the ledger is empty"
like "$out" '^announce@lists.example.org +configured +0 +0 +0 +0 +0  - +-$' "a list is there, never seen"
ok "and no state was made" test ! -e "$state"

feed_ledger
lists
is "$status $err" "0 " "with a ledger nothing is wrong"
unlike "$out" 'fault|warning' "and nothing is said"

deliver "$world/genuine-postfix.eml"
deliver "$world/forged-naive.eml"
like "$(row announce@lists.example.org)" \
	'"status":"configured","line":[1-9][0-9]*,"first_seen":"2026-11-24T00:00:00Z","last_seen":"2026-11-24T00:00:00Z","messages":2,"genuine":1,"unproven":0,"backscatter":1,"per_hour":1,"storm_since":null,"owed":0,"owed_since":null,"problems":\[\]' \
	"numbers, and when it was seen"
lists --format=csv
like "$out" '^address,status,first_seen,last_seen,messages,genuine,unproven,backscatter,per_hour,storm_since,owed,owed_since,problems$' "csv has a heading"
like "$out" '^announce@lists.example.org,configured,2026-11-24T00:00:00Z,2026-11-24T00:00:00Z,2,1,0,1,1,,0,,$' "and a row a list"
like "$out" '^dev@lists.example.org,configured,,,0,0,0,0,0,,0,,$' "also one that was never seen"

# ---- a storm, and what owners are owed ----
kept=$state
state=$dir/busy
configure 'storm { factor = 2 minimum = 2/hour }' 'owner-limit = "1/hour"'
feed_ledger
deliver "$world/genuine-postfix.eml"
deliver "$world/genuine-tagged.eml"
lists
like "$out" '^announce@lists.example.org +configured +2 +2 +0 +0 +1  2026' "a rate"
like "$out" '^  waiting for a digest to its owners: 1, the first since 2026-11-24T00:00:00Z$' "what waits for a digest"
unlike "$out" 'in a storm|should have been sent' "no storm, nothing overdue"
for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
	deliver "$world/forged-naive.eml" --client-address=203.0.113.$number
done
lists
like "$out" '^  in a storm since 2026-11-24T00:00:00Z$' "a storm"
like "$(row announce@lists.example.org)" \
	'"per_hour":10,"storm_since":"2026-11-24T00:00:00Z","owed":1,"owed_since":"2026-11-24T00:00:00Z",' "both in JSON"
like "$(row dev@lists.example.org)" '"per_hour":0,"storm_since":null,"owed":0,"owed_since":null,' "another list has neither"
lists --format=csv
like "$out" '^announce@.*,10,2026-11-24T00:00:00Z,1,2026-11-24T00:00:00Z,' "and in csv"
run "$BACKSTOP" lists -c "$conf" --now=2026-11-24T03:00:00Z
like "$out" 'warning: 1 reports should have been sent to its owners at 2026-11-24T01:00:00Z; run backstop digest' \
	"what is overdue"
state=$kept
configure

# ---- addresses that no list claims ----
for i in 1 2; do
	deliver "$world/genuine-postfix.eml" --sender= --recipient=news-bounces@lists.example.org
done
deliver "$world/genuine-postfix.eml" --sender= --recipient=stranger@elsewhere.example.net
deliver "$world/genuine-postfix.eml" --sender= "--recipient=$(printf 'x\033[31m\302\233-bounces')@lists.example.org"
lists
is "$status" 0 "an address that no list claims is no fault"
like "$out" '^news-bounces@lists.example.org +unknown +2 ' "but it is listed"
like "$out" '^  warning: mail comes to this address, and no list claims it; name it in bounces' "with advice"
unlike "$out" 'elsewhere' "an address of another domain is not"
for format in text json csv; do
	lists --format=$format
	is "$status $(count_controls)" "0 0" "$format: no control character of it is printed"
done
run "$BACKSTOP" lists -c "$conf" --now=2026-12-24T00:00:00Z
unlike "$out" 'unknown' "what came before the span is not looked at"
like "$out" 'warning: sent-log = complete in domain .* last fed up to 2026-' "a month later the ledger is stale"
sed -i 's/bounces = {"announce-bounces@lists.example.org"}/bounces = {"announce-bounces@lists.example.org", "news-bounces@lists.example.org"}/' "$conf"
is "$(row news-bounces@lists.example.org)" "" "nor one that a list claims by now"

# ---- what is wrong with a list ----
configure '' "roster = \"$dir/members\""
like "$(row announce@lists.example.org)" "\"fault: roster: $dir/members [^\"]*\"" "a roster that is not there"
lists
is "$status" 1 "is a fault"
: >"$dir/members"
like "$(row announce@lists.example.org)" "\"fault: roster: $dir/members is empty\"" "so is an empty one"
echo ann@example.net >"$dir/members"
like "$(row announce@lists.example.org)" '"problems":\[\]' "one with an address is none"
sed -i '/^list "dev@/,/^}/d' "$conf"
deliver "$world/genuine-postfix.eml" --sender= --recipient=dev-bounces@lists.example.org
configure
deliver "$world/genuine-postfix.eml" --sender= --recipient=dev-bounces@lists.example.org
sed -i '/^list "dev@/,/^}/d' "$conf"
like "$(row dev@lists.example.org)" '"status":"seen","line":0,.*"messages":1,.*not configured any more' \
	"a list that is not configured any more"


# A list that nobody owns is right where nothing is forwarded, and nobody can be told then.
configure
box="\"maildir:$dir/box\""
cat >>"$conf" <<-EOF
	list "quiet@lists.example.org" { genuine = $box unproven = $box autoreplies = "drop" ordinary = $box }
EOF
like "$(row quiet@lists.example.org)" '"problems":\["warning: has no owners: [^"]*"\]' "a list without owners"

# Tags are promised, and reports on mail of ours come to the plain address.
configure
sed -i 's/tagged *= *[a-z]*/tagged = all/' "$conf"
for i in 1 2 3; do
	deliver "$world/genuine-postfix.eml" "--queue-id=$i"
done
like "$(row announce@lists.example.org)" '"fault: tagged = all in domain .* and 3 of them were on mail of ours' \
	"tags that are promised and never seen"
deliver "$world/genuine-tagged.eml"
unlike "$(row announce@lists.example.org)" 'tagged = all' "one tag is enough for none to be missed"

run "$BACKSTOP" audit -c "$conf" --format=json
like "$out" '"command":"configuration","object":"list .*dev@lists.example.org.*"after":null.*seen by lists of' \
	"it enters what changed in the configuration"

done_testing
