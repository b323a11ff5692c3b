#!/bin/sh
# backstop report, its tables and forms: lists, recipients, reporters, reasons, dropped; a month of
# last year; and what the state keeps of addresses.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/report_world.sh"

held() (
	"$BACKSTOP" held "$@" -c "$conf" --now="$now"
)

# year_ago: what was decided on a day of last November, 20 messages with borders of hours in them.
year_ago() {
	for time in 10:00:00 10:59:59 11:00:00 11:00:01 23:59:59; do
		for failed in ann bob carl dora; do
			bounce "$failed@example.net" | deliver announce-bounces@lists.example.org \
				203.0.113.1 --now="2025-11-05T${time}Z" || lost=1
		done
	done
}

lost=0
configure enforce
"$BACKSTOP" tag new-key -c "$conf" --now="$now" --domain=lists.example.org >/dev/null
tagged=$("$BACKSTOP" tag make -c "$conf" --now="$now" \
	announce-bounces@lists.example.org bea@example.net)
year_ago
bounce bea@example.net | deliver "$tagged" 198.51.100.7 || lost=1
for client in 203.0.113.1 203.0.113.1 198.51.100.7; do
	bounce carl@example.net | deliver announce-bounces@lists.example.org "$client" || lost=1
done
autoreply | deliver news-bounces@lists.example.org 203.0.113.2 || lost=1
bounce '"x,y"@example.net' | deliver nobody@lists.example.org 203.0.113.1 || lost=1
is "$lost" 0 "all are delivered"

run ask summary
like "$out" "^messages: 6" "the last seven days"
unlike "$out" "single messages" "of which every message is there"

run ask lists
is "$status $err" "0 " "report lists"
like "$out" "^list +messages +genuine +unproven +backscatter +not judged +dropped +held" "has a head"
like "$out" "^announce@lists.example.org +4 +1 +0 +3 +0 +3 +0 +0 +0 +0" "and a row a list"
like "$out" "^news@lists.example.org +1 +0 +1 +0 +0 +0 +1 " "with what was held"
like "$out" "^\(none\) +1 " "and mail of no list"
run ask lists --format=csv
is "$(printf '%s\n' "$out" | sed -n 3p)" ",1,0,0,1,0,0,0,0,0,0" "in CSV no list is an empty field"
is "$(printf '%s\n' "$out" | awk -F, '{ print NF }' | sort -u)" 11 "and each row has all fields"
run ask lists --format=json
like "$out" '^\{"report":"lists","since":"2026-11-16T12:00:01Z","until":"2026-11-23T12:00:01Z","details_since":' "in JSON it says of which time"
like "$out" '\{"list":null,"messages":1,' "and no list is null"
like "$out" '"left_out":0\}$' "and that this is all"
run ask lists --limit=1
like "$out" "^and 2 more" "a limit is said"

run ask recipients
like "$out" "^carl@example.net +3 +0 +0 +3 +2026-11-23T12:00:00Z +userunknown" "report recipients"
like "$out" "^messages that name no recipient: 1" "says what names none"
run ask recipients --format=csv
like "$out" '^"""x,y""@example.net",1,' "CSV quotes"
run ask reporters
like "$out" "^198.51.100.7 +2 +1 +0 +1 +0 " "report reporters"
like "$out" "^reporter .* share % +weight$" "with the name that each has made for itself"
run ask reporters --format=json
like "$out" '"reporter":"198.51.100.7",[^}]*"share":50,"weight":0\}' "a share and a weight"
like "$out" '"share":null,"weight":null\}' "which one has not of whom no report was judged"
run ask reasons
like "$out" "^userunknown +5 +1 +0 +4 +0" "report reasons"
run ask reasons --format=csv
is "$(printf '%s\n' "$out" | awk -F, 'NR > 1 { s += $2 } END { print s }')" 6 "adds up to all"

run ask dropped
like "$out" "^dropped: 3" "report dropped"
like "$out" " drop +2026-11-30T12:00:00Z +203.0.113.1 +tag:missing-[0-9]+ shape:odd-[0-9]+$" \
	"says until when each is kept, and what decided it"
unlike "$out" ":[a-z]+\+0" "and not what decided nothing"
id=$(ask dropped --format=csv | sed -n '2s/,.*//p')
run held purge "$id"
run ask dropped --format=csv
like "$out" "^$id,[^,]*,announce@lists.example.org,failed,backscatter,-[0-9]*,drop,," \
	"one that is kept no more has no time"
run ask dropped --limit=1 --format=json
like "$out" '"left_out":2\}$' "the newest come first, and the others are counted"

# A day of last year. Its events have gone, eight with each message; its numbers are there.
run ask summary --since=2025-11-01 --until=2025-12-01
like "$out" "^from 2025-11-01T00:00:00Z until 2025-12-01T00:00:00Z" "a month of last year"
like "$out" "^single messages of that time are no longer recorded, but the numbers" \
	"says what it is made of"
like "$out" "^messages: 20" "has its numbers"
like "$out" "^failed +0 +0 +20 +0 +20" "by kind and verdict"
like "$out" "^announce@lists.example.org +0 +0 +20 " "and by list"
for span in "2025-11-05T10:00:00Z 2025-11-05T11:00:00Z 8" "2025-11-05T11:00:00Z 2025-11-06 12" \
	"2025-11-05T11:00:01Z 2025-11-05T11:00:02Z 8" "2025-11-05T12:00:00Z 2025-11-05T23:00:00Z 0"; do
	set -- $span
	run ask lists --since="$1" --until="$2" --format=json
	like "$out" "\"messages\":$3," "from $1 to $2"
done
like "$(ask lists --since=2025-11-05T11:00:01Z --until=2025-11-05T11:00:02Z)" \
	"^from 2025-11-05T11:00:00Z until 2025-11-05T12:00:00Z" "parts of hours are counted as whole ones"
run ask reasons --since=2025-11-01 --until=2025-12-01
like "$out" "^userunknown +20 " "reasons too"
run ask recipients --since=2025-11-01 --until=2025-12-01
like "$out" "^single messages of that time are no longer recorded$" \
	"recipients are not there any more, which is said"
run ask recipients --since=365d
like "$out" "^single messages are recorded from 2026-10-24T12:00:00Z on; what was before is not in" \
	"nor in a longer span"
run ask summary --since=2025-11-01
like "$out" "^messages: 26" "whose numbers are all there"
like "$out" "^single messages are recorded from 2026-10-24T12:00:00Z on; what was before, in" "as it says"
run ask dropped --since=2025-11-01 --until=2025-12-01
like "$out" "^dropped: 20" "what was dropped is counted"
like "$out" "nothing of that time to be shown" "and cannot be shown"

# ---- forms ----
run ask summary --format=csv
like "$out" "^action,drop,drop,3,,,,$" "summary in CSV: all tables in one"
is "$(printf '%s\n' "$out" | awk -F, '$1 == "kind" { s += $4 } END { print s }')" 6 "which adds up"
run ask summary --format=html
like "$out" "^<!DOCTYPE html>" "HTML"
like "$out" "<svg " "with a chart"
unlike "$out" "<script|src=|href=" "that needs nothing else"
bounce '"<script>&x</script>"@example.net' |
	deliver announce-bounces@lists.example.org 203.0.113.1
run ask recipients --format=html
like "$out" "&quot;&lt;script&gt;&amp;x&lt;/script&gt;&quot;@example.net" \
	"foreign text is not markup"
unlike "$out" "<script" "anywhere"
run ask summary --format=prometheus
like "$out" '^backstop_verdicts_total\{list="announce@lists.example.org",verdict="backscatter"\} 24$' \
	"counters for Prometheus are of all times"
is "$(printf '%s\n' "$out" | awk '/^backstop_actions_total/ { s += $2 } END { print s }')" \
	"$(printf '%s\n' "$out" | awk '/^backstop_messages_total/ { s += $2 } END { print s }')" \
	"actions add up to messages"
unlike "$(printf '%s\n' "$out" | grep -v '^#')" '^[^ ]* [^0-9]' "every line ends with a number"
before=$(printf '%s\n' "$out" | grep '^backstop_verdicts_total')
id=$(ask dropped --format=csv --limit=1 | sed -n '2s/,.*//p')
held release "$id" >/dev/null
run ask summary --format=prometheus
is "$(printf '%s\n' "$out" | grep '^backstop_verdicts_total')" "$before" "a release is no message"

for wrong in "summary --format=prometheus --since=7d" "lists --format=prometheus" \
	"lists --limit=0" "lists --limit=x" "lists --limit=100001"; do
	set -- $wrong
	run ask "$@"
	is "$status" 64 "$wrong is wrong"
done

# Three years on the numbers go, too: four records with each message.
for i in 1 2 3; do
	bounce eve@example.net | deliver announce-bounces@lists.example.org 203.0.113.1 \
		--now=2028-11-01T00:00:00Z
done
run "$BACKSTOP" report -c "$conf" --now=2028-11-01T00:00:01Z lists --since=2025-11-01
like "$out" "^what was before is no longer recorded" "what is gone is said"
unlike "$out" "^from 2025-11-0[1-5]" "and not reported on"

# ---- privacy ----
state=$dir/state2
configure enforce 'privacy = hash'
bounce fay@example.net | deliver announce-bounces@lists.example.org 203.0.113.1
bounce fay@example.net | deliver announce-bounces+fay=example.net@lists.example.org 203.0.113.1
bounce gus@example.net | "$BACKSTOP" deliver -c "$conf" --now="$now" --sender=gus@example.net \
	--recipient=announce-bounces@lists.example.org --client-address=203.0.113.1
run ask recipients --format=csv
is "$(printf '%s\n' "$out" | grep -c '^h:[0-9a-f]\{16\},')" 2 "privacy = hash: marks, one an address"
like "$out" "^h:[0-9a-f]*,2," "that are counted"
all=$(ask dropped --format=json; held list --format=json; cat "$state/data.mdb" | tr -d '\000')
unlike "$all" "fay@|gus@|fay=" "no address is anywhere in the records"
like "$all" "announce-bounces@lists.example.org" "the list's own is"
is "$(held list --format=json --recipient=FAY@example.net | wc -l)" "$(held list --format=json | grep -c "$(ask recipients --format=csv | sed -n '2s/,.*//p')")" \
	"held list finds them by an address"
is "$(held list --format=json --recipient=hal@example.net | wc -l)" 0 "and not by another"
is "$(held list --format=json --recipient="$(ask recipients --format=csv | sed -n '2s/,.*//p')" | wc -l)" 2 "or by a mark"
id=$(ask dropped --format=csv | sed -n '2s/,.*//p')
run held show "$id"
like "$out" "@example.net" "the kept message is as it came"
run held release "$id"
is "$status $err" "0 " "and goes out when it is released"
sed -i "s|owners = {\"alice@example.org\"}|&\n genuine = \"pipe:echo recipients=\$BACKSTOP_RECIPIENTS,recipient=\$RECIPIENT >>$dir/piped\"|" "$conf"
id=$(ask dropped --format=csv | sed -n '3s/,.*//p')
held release "$id" >/dev/null
is "$(cat "$dir/piped")" "recipients=fay@example.net,recipient=" \
	"a command gets addresses, from the message, and no marks"
configure enforce 'privacy = none'
bounce hal@example.net | deliver announce-bounces@lists.example.org 203.0.113.1
run ask recipients
like "$out" "^messages that name no recipient: 1" "privacy = none: nothing is kept"
is "$(printf '%s\n' "$out" | grep -c '^h:')" 2 "what was kept before stays"
is "$(grep -c 'rcpt=<hal@example.net>' "$dir/log")" 1 "the log has the address"

done_testing
