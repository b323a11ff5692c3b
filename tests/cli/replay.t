#!/bin/sh
# Proofs are counted: who shows one again and again gets less and less for it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

genuine=$world/genuine-postfix.eml

# show FILE NUMBER OPTION...: the report as another one of that number; what the check said, and the
# verdict.
show() {
	sed "s/^Subject: /Subject: $2 /" "$1" >"$dir/report.eml"
	shift 2
	run "$BACKSTOP" deliver -c "$conf" "$now" --verbose "$@" <"$dir/report.eml"
	sed -n 's/.*check replay: \([^ ]* ([^ ]*)\).*/\1/p
		s/.* verdict=\([a-z]*\) score=\([^ ]*\) .*/\1 \2/p' "$dir/.err" | paste -sd' ' -
}

# show_many FILE FROM TO: reports of these numbers, without a word.
show_many() {
	number=$2
	while [ "$number" -le "$3" ]; do
		show "$1" "$number" >/dev/null
		number=$((number + 1))
	done
}

# ---- it is the only one that speaks against ----
feed_ledger
is "$(show "$genuine" 1)" "first (+0) genuine 74" "the first report on a message to a recipient"
is "$(show "$genuine" 1)" "first (+0) genuine 74" "the same one, handed over again, is no other"
is "$(show "$genuine" 2)" "again (-3) genuine 71" "another one"
show_many "$genuine" 3 3
is "$(show "$genuine" 4)" "often (-20) genuine 54" "the fourth"
show_many "$genuine" 5 10
is "$(show "$genuine" 11)" "flood (-50) genuine 24" "from the eleventh on the proof proves nothing"
is "$(show "$genuine" 11)" "flood (-50) genuine 24" "nor does it the other way"
is "$(show "$world/genuine-exim.eml" 1)" "first (+0) genuine 74" "other recipients have their own"
is "$(show "$world/genuine-delayed.eml" 1 | cut -d' ' -f1-3)" "first (+0) genuine" \
	"delays are counted apart"

# ---- used up, and a foreign hop: caught ----
sed 's/192\.0\.2\.10/198.51.100.66/g; s/lists\.example\.org (Postfix)/spam.example (Postfix)/' \
	"$genuine" >"$dir/foreign.eml"
is "$(show "$dir/foreign.eml" 12 | cut -d' ' -f1-2)" "flood (-50)" "the proof in a forged report"
like "$(cat "$dir/.err")" "verdict=backscatter score=-2[0-9] " "which is then worth nothing"
is "$(show "$genuine" 11)" "flood (-50) genuine 24" \
	"what is backscatter uses up no proof"

# ---- it is wrong, and outvoted: a server that returns the same mail at every queue run ----
show_many "$world/genuine-tagged.eml" 1 12
is "$(show "$world/genuine-tagged.eml" 13)" "flood (-110) genuine 24" "the hop speaks still"
show_many "$world/genuine-forwarded-tagged.eml" 1 12
is "$(show "$world/genuine-forwarded-tagged.eml" 13)" "flood (-110) unproven -1" \
	"without it the report is unproven, never dropped"

# ---- after two months the count begins anew ----
is "$(show "$genuine" 14 --now=2027-02-01T00:00:00Z | cut -d' ' -f1)" "flood" \
	"a message that comes first finds the old counts"
is "$(show "$genuine" 15 --now=2027-02-01T00:00:01Z | cut -d' ' -f1)" "first" "and takes them away"

# ---- it is unavailable ----
is "$(show "$world/unproven-nothing-returned.eml" 1)" "unavailable (+0) unproven 4" \
	"without a proof there is nothing to count"
rm -rf "$state"
: >"$state"
is "$(show "$genuine" 1 | cut -d' ' -f1,2)" "unavailable (+0)" "nor without a state"
rm "$state"

# ---- scan asks, and counts nothing ----
feed_ledger
show "$genuine" 1 >/dev/null
for i in 2 3; do
	sed "s/^Subject: /Subject: $i /" "$genuine" >"$dir/report.eml"
	run "$BACKSTOP" scan -c "$conf" "$now" --state --format=json "$dir/report.eml"
	like "$out" '"check":"replay","result":"again","weight":-3' "scan $i"
done
run "$BACKSTOP" check -c "$conf"
unlike "$out" "cannot be understood" "every record is understood"

done_testing
