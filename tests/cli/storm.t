#!/bin/sh
# A storm through the front door: what is not genuine is held while it lasts, at its list alone; the
# report, explain and the log say so. The numbers are small here: test_storm_day.c has a whole flood.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

storm='storm { factor = 2 minimum = 1/hour }'
unproven=$world/unproven-nothing-returned.eml
other=$dir/other.eml
sed 's/announce/dev/g' "$unproven" >"$other"
configure "$storm"
feed_ledger

# flood COUNT: so many forged reports.
flood() {
	flood=0
	while [ "$flood" -lt "$1" ]; do
		flood=$((flood + 1))
		deliver "$world/forged-naive.eml"
		[ "$status" -eq 0 ] || echo "# delivery $flood: exit $status"
		cat "$dir/.err" >>"$dir/flood.log"
	done
}

# what_became: of the last delivery.
what_became() {
	printf '%s\n' "$err" | sed -n 's/.* action=\([a-z]*\) .*/\1/p'
}

deliver "$unproven"
ends 0 "an unproven report in quiet times"
is "$(what_became)" forward "is forwarded"
run "$BACKSTOP" report storms -c "$conf" "$now"
like "$out" ": 0; " "no storm yet"

flood 25
is "$(grep -c 'a storm .* began: announce@lists.example.org' "$dir/flood.log")" 1 \
	"the log says once that a storm began"
is "$(grep -c 'a storm .* began: the host' "$dir/flood.log")" 1 "and of the host"

forget_sent
deliver "$unproven"
ends 0 "an unproven report in the storm"
is "$(what_became) $(sent_count)" "hold 0" "is held, and no mail goes out"
like "$err" 'by=[^ ]*storm:storm' "the log says by what"
id=$(printf '%s\n' "$err" | sed -n 's/.* id=\([0-9A-F]*\) .*/\1/p')
run held release "$id"
is "$status $(sent_count)" "0 1" "it can be released"
forget_sent
deliver "$other"
is "$(what_became) $(sent_count)" "forward 1" "at another list it is forwarded"
unlike "$err" 'storm:storm' "and no storm weighs on it"
forget_sent
deliver "$world/ordinary-to-owner.eml"
is "$(what_became)" forward "mail that is no report is forwarded"
deliver "$world/genuine-tagged.eml"
like "$err" 'verdict=genuine' "what is proven stays genuine"

run "$BACKSTOP" explain -c "$conf" "$now" --state "$unproven"
like "$out" '^  storm +storm +-10 .*the list is in a storm since 2026-11-24T00:00:00Z' "explain shows it"
like "$out" '^  because +the list is in a storm: held' "and what it makes of the report"
run "$BACKSTOP" explain -c "$conf" "$now" --state "$other"
like "$out" '^  storm +calm +\+0' "calm at the other list"
run "$BACKSTOP" explain -c "$conf" "$now" "$unproven"
like "$out" '^  storm +unavailable +\+0' "unavailable without a state"

run "$BACKSTOP" report storms -c "$conf" "$now"
is "$status" 0 "report storms"
like "$out" '^2026-11-24T00:00:00Z lasts .* announce@lists.example.org$' "has the list's"
like "$out" '^2026-11-24T00:00:00Z lasts .* \(the host\)$' "and the host's"
run "$BACKSTOP" report storms -c "$conf" "$now" --format=json
like "$out" '"list":"announce@lists.example.org","began":"2026-11-24T00:00:00Z","ended":null,' "in JSON"
like "$out" '"list":null,"began"' "where the host has no name"
like "$out" '"backscatter":[0-9]+,"held":[1-9]' "and the numbers are there"
ok "which is JSON" sh -c 'perl -MJSON::PP -0777 -ne "decode_json(\$_)" "$1"' sh "$dir/.out"
run "$BACKSTOP" report storms -c "$conf" "$now" --format=csv
is "$(printf '%s\n' "$out" | tr -d '\r' | head -n 1)" \
	"list,began,ended,usual,limit,peak,total,genuine,unproven,backscatter,held" "in CSV"
is "$(printf '%s\n' "$out" | awk -F, 'NR > 1 && $6 <= $5' | wc -l)" 0 "and the peak is above the limit that it broke"
is "$(printf '%s\n' "$out" | awk -F, 'NF != 11' | wc -l) $(printf '%s\n' "$out" | wc -l)" "0 3" \
	"with a line for each"
run "$BACKSTOP" report storms -c "$conf" "$now" --format=html
is "$status" 64 "it has no HTML"

run "$BACKSTOP" check -c "$conf" "$now"
like "$out" 'storm: announce@lists.example.org since 2026-11-24T00:00:00Z: [0-9]+ reports, [1-9][0-9]* of them held' \
	"check says that it is on"

# In observe mode it is a storm, and nothing is held.
configure "mode = observe
$storm"
forget_sent
deliver "$unproven"
is "$(what_became) $(sent_count)" "forward 1" "observe mode: forwarded"
like "$err" 'policy=hold' "and the log says what would be"

# Without storms.
configure 'storm { use = no }'
run "$BACKSTOP" explain -c "$conf" "$now" --state "$unproven"
like "$out" '^  storm +unavailable .*use = no' "use = no: there is none"
like "$out" '^  action +forward' "and nothing is held"

# Hours later.
configure "$storm"
now=--now=2026-11-24T03:00:00Z
forget_sent
deliver "$unproven"
is "$(what_became) $(grep -L '^X-Backstop-Kind: storm' "$outbox"/*.msg | wc -l)" "forward 1" \
	"when it is over, forwarded again"
like "$err" 'a storm .* ended: announce@' "which the log says"
run "$BACKSTOP" report storms -c "$conf" "$now"
like "$out" '^2026-11-24T00:00:00Z 2026-11-24T00:[0-9:]*Z .* announce@lists.example.org$' "and the report"
run "$BACKSTOP" report storms -c "$conf" --now=2026-11-30T00:00:00Z --since=1d
like "$out" ': 0; ' "of which later spans know nothing"
run "$BACKSTOP" check -c "$conf" "$now"
unlike "$out" 'cannot be understood|storm:' "every record can be read, and no storm is on"

done_testing
