#!/bin/sh
# backstop report: what `deliver` decided comes out again, and adds up.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/report_world.sh"

configure enforce
run ask summary
is "$status" 66 "without a state there is nothing to report"
like "$err" "there is no state in $state" "and it says so"

run "$BACKSTOP" tag new-key -c "$conf" --now="$now" --domain=lists.example.org
is "$status" 0 "a key is made"
tagged=$("$BACKSTOP" tag make -c "$conf" --now="$now" \
	announce-bounces@lists.example.org bea@example.net)

# A state without decisions: feeding the ledger makes one.
printf 'Message-ID: <1@lists.example.org>\n\n' | "$BACKSTOP" sent -c "$conf" --now="$now"
run ask summary
is "$status" 0 "a state without decisions is no failure"
like "$out" "^no message was decided in that time" "and it says so"
run ask summary --format=json
like "$out" '"messages":0,' "in JSON the numbers are zero"
like "$out" '"lists":\{"names":0,"top":\[\],"uncounted":0\}' "and tables are empty"

# 2 genuine, 3 backscatter, 1 unproven, 1 ordinary, 1 for nobody's list; 1 too old.
lost=0
for client in 198.51.100.7 198.51.100.7; do
	bounce bea@example.net | deliver "$tagged" "$client" || lost=1
done
for client in 198.51.100.7 203.0.113.1 203.0.113.1; do
	bounce carl@example.net | deliver announce-bounces@lists.example.org "$client" || lost=1
done
autoreply | deliver news-bounces@lists.example.org 203.0.113.2 || lost=1
ordinary | deliver announce-bounces@lists.example.org 203.0.113.3 || lost=1
bounce dora@example.net | deliver nobody@lists.example.org 203.0.113.1 || lost=1
bounce emil@example.net | deliver announce-bounces@lists.example.org 203.0.113.9 \
	--now=2026-11-10T12:00:00Z || lost=1
is "$lost" 0 "all are delivered"

run ask summary
is "$status" 0 "there is a report"
like "$out" "^from 2026-11-16T12:00:01Z until 2026-11-23T12:00:01Z" "of the last seven days"
like "$out" "^messages: 8" "with the number of messages"
like "$out" "^kind +genuine +unproven +backscatter +- +total" "a table of kinds"
like "$out" "^failed +2 +0 +4 +0 +6" "with failures"
like "$out" "^autoreply +0 +1 +0 +0 +1" "automatic replies"
like "$out" "^ordinary +0 +0 +0 +1 +1" "ordinary mail"
unlike "$out" "^delayed" "and no empty rows"
like "$out" "^total +2 +1 +4 +1 +8" "the totals"
like "$out" "^drop +3" "drops"
like "$out" "^hold +1" "what is held"
like "$out" "^forward +3" "what was forwarded"
like "$out" "^file +1" "what was filed"
unlike "$out" "would have been" "the policy was done"
like "$out" "^announce@lists.example.org +2 +0 +3 +1 +6" "the busiest list"
like "$out" "^news@lists.example.org +0 +1 +0 +0 +1" "another one"
like "$out" "^\(none\) +0 +0 +1 +0 +1" "mail of no list"
like "$out" "^198.51.100.7 +2 +0 +1 +0 +3" "reporters"
is "$(printf '%s\n' "$out" | grep -c '^[0-9]*\.[0-9.]* ')" 4 "each of them"

run ask summary --since=2026-11-01 --until=2026-11-23
like "$out" "^messages: 1" "another time"
run ask summary --since=1h --until=2026-11-23T12:00:00Z
like "$out" "^no message was decided" "the end does not belong to it"
run ask summary --since=15d
like "$out" "^messages: 9" "an age"

id=$("$BACKSTOP" held list -c "$conf" --now="$now" | awk '$4 == "unproven" { print $1 }')
run "$BACKSTOP" held release -c "$conf" --now="$now" "$id"
is "$status" 0 "what was held is released"
run ask summary
like "$out" "^released from the held mail: 1" "that is counted apart"
like "$out" "^messages: 8" "and is no further message"

run ask summary --format=json
is "$status" 0 "JSON"
is "$(printf '%s\n' "$out" | wc -l | tr -d ' ')" 1 "is one line"
printf '%s' "$out" >"$dir/report.json"
for key in report since until messages released verdicts kinds actions would_have_been lists \
	reporters; do
	like "$out" "[{,]\"$key\":" "JSON has $key"
done
# sum PATTERN: adds up the numbers of an object without further ones in it.
sum() {
	grep -o "$1" "$dir/report.json" | head -n 1 | grep -o ':[0-9]*' |
		tr -d : | awk '{ s += $1 } END { print s }'
}
is "$(sum '"verdicts":{[^}]*}')" 8 "its verdicts add up to all messages"
is "$(sum '"actions":{[^}]*}')" 8 "its actions too"
is "$(grep -o '"kinds":.*"actions"' "$dir/report.json" | grep -o '"messages":[0-9]*' |
	awk -F: '{ s += $2 } END { print s }')" 8 "and its kinds"
is "$(sed 's/.*"reporters"://' "$dir/report.json" | grep -o '"messages":[0-9]*' |
	awk -F: '{ s += $2 } END { print s }')" 8 "and its reporters"
like "$out" '"top":\[\{"list":"announce@lists.example.org","messages":6,' "the busiest list is first"
like "$out" '\{"list":null,"messages":1,' "mail of no list has null"

# Observe mode: what the policy asked for is counted apart from what was done.
configure observe
bounce carl@example.net | deliver announce-bounces@lists.example.org 203.0.113.1
autoreply | deliver news-bounces@lists.example.org 203.0.113.2
run ask summary
like "$out" "^would have been" "what observe mode did not do is told"
like "$out" "^drop +1 +now: forward" "drops"
like "$out" "^hold +1 +now: forward" "and holds"
run ask summary --format=json
like "$out" '"would_have_been":\[\{"policy":"drop","action":"forward","messages":1\},' "in JSON too"

is "$(cat "$dir/deliver.err")" "" "nothing was complained about"

run ask
is "$status" 64 "without a word it is wrong usage"
like "$err" "which report\\? There is: summary" "and it says what there is"
run ask nonsense
is "$status" 64 "so is a report that is not there"
like "$err" "no report is called \"nonsense\"; there is: summary" "which is said"
run ask summary summary
is "$status" 64 "one at a time"
for option in --since=yesterday --until=soon --format=xml --since=2026-12-01; do
	run ask summary "$option"
	is "$status" 64 "$option is wrong"
	like "$err" "want |has to be" "and it says what would be right"
done
run sh -c '"$1" report summary -c "$2" --format=json >/dev/full' sh "$BACKSTOP" "$conf"
is "$status" 74 "output that cannot be written is a failure"

done_testing
