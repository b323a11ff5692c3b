#!/bin/sh
# Fifty deliveries at once into one state: none is lost, none is done twice, and the sums are right.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

# The Message-ID of the report tells the copies apart.
deliver_copy() {
	sed "1,/^\$/s/^Message-ID: </&$1./" "$2" >"$dir/copy.$1"
	"$BACKSTOP" deliver -c "$conf" "$now" <"$dir/copy.$1" >"$dir/out.$1" 2>"$dir/err.$1"
	echo $? >"$dir/status.$1"
}

# How often the message handed to sendmail has the bytes of each copy of a kind, as "1 1 1...".
count_copies() {
	for number in $(seq "$1" 2 50); do
		grep -l "^Message-ID: <$number\.2026" "$outbox"/*.msg | wc -l
	done | tr -d '\n'
}

configure '' 'owner-sees = original'
ones=1111111111111111111111111

# The state is created by all of them at once, and genuine mail is so by the hop alone.
for number in $(seq 50); do
	case $number in
	*[13579]) deliver_copy "$number" "$world/genuine-postfix.eml" & ;;
	*) deliver_copy "$number" "$world/forged-naive.eml" & ;;
	esac
done
wait

is "$(cat "$dir"/status.* | sort | uniq -c | tr -s ' ')" " 50 0" "all fifty are accepted"
is "$(cat "$dir"/out.*)" "" "nothing on standard output"
is "$(cat "$dir"/err.* | grep -v '^backstop: info: ')" "" "and nothing to complain about"
is "$(cat "$dir"/err.* | sed 's/.* id=\([0-9A-F]*\) .*/\1/' | sort -u | wc -l)" 50 \
	"each has an event of its own"
is "$(sent_count)" 25 "half of them go out"
is "$(count_copies 1)" $ones "each genuine one once"
is "$(held_ids | wc -l)" 25 "half of them are held"
is "$(count_files "$state/held/new"/*)" 25 "with a file each"
is "$(count_files "$state/held/tmp"/*)" 0 "and nothing is left behind in tmp/"
for id in $(held_ids); do
	held show --raw "$id"
done >"$dir/all"
for number in $(seq 2 2 50); do
	grep -c "^Message-ID: <$number\.2026" "$dir/all"
done | tr -d '\n' >"$dir/counts"
is "$(cat "$dir/counts")" $ones "each forged one once"

run "$BACKSTOP" report -c "$conf" "$now" summary --format=json
like "$out" '"messages":50,"released":0,"verdicts":\{"unproven":0,"genuine":25,"backscatter":25,"-":0\}' \
	"the report counts fifty"
like "$out" '"actions":\{"forward":25,"file":0,"pipe":0,"drop":25,"hold":0,"pass":0\}' \
	"and what was done with them"
like "$out" '"reporter":"203\.0\.113\.25","messages":25,' "and who sent them"

# Readers, a feeder and a releaser at the same time as deliveries.
forget_sent
for number in $(seq 10); do
	case $number in
	*[13579]) deliver_copy "$number" "$world/genuine-postfix.eml" & ;;
	*) deliver_copy "$number" "$world/forged-naive.eml" & ;;
	esac
	[ "$number" != 3 ] || { feed_ledger || echo feed >>"$dir/failed"; } &
	[ "$number" != 5 ] || { held list >/dev/null || echo list >>"$dir/failed"; } &
	[ "$number" != 7 ] || {
		"$BACKSTOP" scan -c "$conf" "$now" --state "$world" >/dev/null || echo scan >>"$dir/failed"
	} &
done
held release --all >"$dir/released" || echo release >>"$dir/failed"
wait
is "$(cat "$dir/failed" 2>/dev/null)" "" "others work on the state meanwhile"
is "$(cat "$dir"/err.* | grep -v '^backstop: info: ')" "" "without a complaint"
released=$(grep -c '^released ' "$dir/released")
is "$((released + $(held_ids | wc -l)))" 30 "what was held is released or still held"
is "$(sent_count)" $((released + 5)) "and what went out went out once"

done_testing
