#!/bin/sh
# The name that a reporter makes for itself: it counts within bounds, and decides nothing alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

day=1
# next_day: what is delivered and explained from now on is of a day later.
next_day() {
	day=$((day + 1))
	now=--now=2026-12-$(printf '%02d' $day)T12:00:00Z
}

# from ADDRESS FILE: FILE as brought by another client, in $dir/brought.eml.
from() {
	sed "1,6s/\[203\.0\.113\.[0-9]*\]/[$1]/" "$2" >"$dir/brought.eml"
}

# explained ADDRESS FILE: what explain says of FILE brought by ADDRESS; verdict in $verdict.
explained() {
	from "$1" "$2"
	run "$BACKSTOP" explain -c "$conf" "$now" --state "$dir/brought.eml"
	verdict=$(printf '%s\n' "$out" | sed -n 's/^  sum [-+0-9]*: \([a-z]*\) .*/\1/p')
}

configure 'mode = enforce'
feed_ledger
explained 203.0.113.60 "$world/unproven-nothing-returned.eml"
before=$verdict
unlike "$out" 'of what it reported lately' "a reporter that nothing is known of has no name"

# ---- a bad name ----
for i in 1 2 3 4 5 6; do
	deliver "$world/forged-naive.eml" "--queue-id=$i"
done
explained 203.0.113.60 "$world/forged-naive.eml"
like "$out" '^  reporter +bad-name +-3 +of what it reported lately, about 0 % was genuine$' \
	"backscatter of one day gives a slightly bad one, in words"
for i in 1 2 3 4 5; do
	next_day
	for k in 1 2 3 4; do
		deliver "$world/forged-naive.eml" "--queue-id=$i.$k"
	done
done
explained 203.0.113.60 "$world/unproven-nothing-returned.eml"
like "$out" '^  reporter +bad-name +-8 ' "that of six days a worse one"
is "$verdict" "$before" "and what is unproven stays so"
explained 203.0.113.60 "$world/genuine-tagged.eml"
like "$out" '^  reporter +bad-name +-8 ' "where it brings a genuine report"
is "$verdict" genuine "that is genuine all the same"
explained 203.0.113.62 "$world/genuine-tagged.eml"
unlike "$out" 'bad-name' "its neighbour has no part in it"
run "$BACKSTOP" explain -c "$conf" "$now" "$world/forged-naive.eml"
unlike "$out" 'bad-name' "and without the state nothing is known"
cp "$conf" "$dir/plain.conf"
printf 'weights = {"reporter:bad-name=0"}\n' >"$conf"
cat "$dir/plain.conf" >>"$conf"
explained 203.0.113.60 "$world/forged-naive.eml"
unlike "$out" 'bad-name' "the configuration can leave names out"
cp "$dir/plain.conf" "$conf"

# ---- a good name ----
# Eight messages to one recipient, and a bounce of each.
id='20261120080000\.1A2B@'
for i in 1 2 3 4 5 6 7 8; do
	printf '1795161602\t<%s.%s@lists.example.org>\tannounce-bounces@lists.example.org\tann@example.net\n' \
		20261120080000 "$i"
done >"$dir/more.tsv"
"$BACKSTOP" sent -c "$conf" "$now" --tsv="$dir/more.tsv" >/dev/null
for i in 1 2 3 4 5 6 7 8; do
	sed "s/$id/20261120080000.$i@/" "$world/genuine-postfix.eml" >"$dir/bounce.$i"
done
for i in 1 2 3 4; do
	deliver "$dir/bounce.$i" "--queue-id=g$i"
done
explained 203.0.113.25 "$world/unproven-autoreply.eml"
like "$out" '^  reporter +good-name +\+3\* +of what it reported lately, about 100 % was genuine$' \
	"four bounces with a proof each give a good one, which could be forged"
is "$verdict" unproven "and it proves nothing"
next_day
for i in 1 2 3 4; do
	deliver "$dir/bounce.$i" "--queue-id=h$i"
done
explained 203.0.113.25 "$world/unproven-autoreply.eml"
like "$out" '^  reporter +good-name +\+[23]\* ' "the same proofs again add nothing"
for i in 5 6 7 8; do
	deliver "$dir/bounce.$i" "--queue-id=i$i"
done
explained 203.0.113.25 "$world/unproven-autoreply.eml"
like "$out" '^  reporter +good-name +\+4\* ' "four others do"
explained 203.0.113.25 "$world/forged-naive.eml"
like "$out" '^  reporter +plain +\+0 .*; what was found speaks against the report, so it counts for nothing$' \
	"against what speaks against a report it counts for nothing"
is "$verdict" backscatter "so what is forged is backscatter all the same"

# A stranger with a post makes up reports around it: hop and signature are right, no proof is new.
sed 's/ann@example\.net/self@example.net/g' "$world/genuine-signed.eml" >"$dir/made-up.eml"
for i in 1 2 3 4; do
	from 203.0.113.26 "$dir/made-up.eml"
	printf '\n%s\n' "$i" >>"$dir/brought.eml"
	deliver "$dir/brought.eml" "--queue-id=m$i"
	like "$err" 'verdict=genuine .*by=sent:other-recipient,dkim:valid,hop:ours' \
		"a made-up report that passes for genuine"
done
explained 203.0.113.26 "$world/unproven-autoreply.eml"
unlike "$out" 'good-name' "made-up reports give no good name"

# ---- both kinds ----
from 203.0.113.25 "$world/forged-naive.eml"
deliver "$dir/brought.eml"
explained 203.0.113.25 "$world/unproven-autoreply.eml"
like "$out" '^  reporter +[a-z]+ +\+0 +of what it reported lately, about 89 % was genuine; both kinds come from there, so it counts for nothing$' \
	"one forged report in ten takes the name away"

# ---- it fades ----
now=--now=2027-09-01T00:00:00Z
explained 203.0.113.60 "$world/forged-naive.eml"
like "$out" '^  reporter +[a-z-]+ +(-1|\+0) ' "nine months later hardly anything is left"

run "$BACKSTOP" check -c "$conf"
unlike "$out" 'cannot be understood' "and every record is one"

done_testing
