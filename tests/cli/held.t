#!/bin/sh
# backstop held at the front door: choosing among real deliveries, asking on a terminal, and files of
# an older version. Verbs and their failures: tests/unit/test_held.c, test_held_act.c.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

forged=$world/forged-naive.eml
unproven=$world/unproven-nothing-returned.eml

configure '' 'unproven = "hold"'
feed_ledger
deliver "$forged" --client-address=203.0.113.60
deliver "$forged" --client-address=198.51.100.9
deliver "$unproven"
is "$(held_ids | wc -l)" 3 "three are kept"

# chosen OPTION...: how many `held list` shows.
chosen() {
	"$BACKSTOP" held -c "$conf" "$now" list --format=json "$@" >"$dir/.chosen" || echo failed
	wc -l <"$dir/.chosen"
}
run held list --format=json
reason=$(printf '%s\n' "$out" | sed -n '1s/.*"reason":"\([a-z]*\)".*/\1/p')
is "$reason" userunknown "the reason is in the record"
like "$out" '"status":"5\.1\.1","permanence":"permanent"' "so are status and permanence"
is "$(chosen --reason="$reason" --verdict=backscatter)" 2 "by reason and verdict"
is "$(chosen --reason=mailboxfull)" 0 "by a reason that none has"
is "$(chosen --reporter=198.51.100.0/24)" 1 "by network"
is "$(chosen --recipient=tom@example.com)" 2 "by recipient"
is "$(chosen --kind=failed --until=2026-11-24T00:00:00Z)" 0 "by kind and time: before"
is "$(chosen --since=2026-11-24T00:00:00Z --verdict=unproven)" 1 "by time and verdict: since"
run held list --format=csv --reporter=198.51.100.9
is "$(printf '%s\n' "$out" | wc -l)" 2 "csv: a heading, and a row"
like "$out" "^[0-9A-F]+,2026-11-24T00:00:00Z,failed,backscatter,-[0-9]+,drop," "csv: the row"

# The table has the reason in a column of its own.
run held list
like "$out" "^ID .* REASON +EXPIRES" "the table's heading"
like "$out" "tom@example.com +userunknown +2026-12-01" "and a row of it"

file=$(printf '%s\n' "$(held list --format=json)" | sed -n '1s/.*"file":"\([^"]*\)".*/\1/p')
gzip -dc "$state/held/new/$file" >"$dir/unpacked"
ok "gzip reads the file that the list names" cmp "$dir/unpacked" "$forged"

# ---- where nothing can be written ----

# read_only COMMAND...: with the state on a file system that is read-only.
read_only() {
	run unshare -rm sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"' \
		sh "$state" "$@"
}
read_only true
if [ "$status" -eq 0 ]; then
	first=$(held_ids | head -n 1)
	for words in list "show $first" "release --all --dry-run" "purge --all --dry-run"; do
		read_only "$BACKSTOP" held -c "$conf" "$now" $words
		is "$status $err" "0 " "held ${words%% *} needs no more than to read"
	done
	read_only "$BACKSTOP" digest -c "$conf" "$now" --dry-run
	is "$status $out$err" "0 nothing waits for the owners" "so does digest --dry-run"
	read_only "$BACKSTOP" held -c "$conf" "$now" purge "$first"
	is "$status" 77 "what changes something does not"
else
	ok "# SKIP no mount can be made: $err" true
fi

# ---- without somebody to ask ----

run held release --verdict=backscatter
is "$status" 64 "a script must say --yes"
like "$err" "say --yes" "which is said"
for wrong in --verdict=spam:"want genuine, backscatter or unproven" --kind=spam:"want failed, delayed" \
	--since=soon:"want 2026-11-23" --until=soon:"want 2026-11-23" --reason=spam:"column REASON"; do
	run held list "${wrong%%:*}"
	is "$status" 64 "${wrong%%:*} is refused"
	like "$err" "${wrong#*:}" "and what is right is said"
done
run held release --verdict=backscatter --dry-run
is "$status $out" "0 2 messages would be released" "--dry-run counts"
is "$(held_ids | wc -l) $(sent_count)" "3 0" "and does nothing"
run held purge --reporter=198.51.100.9 --yes
is "$status" 0 "--yes"
is "$(held_ids | wc -l)" 2 "does it"

# ---- the rules of the place ----
# Where the record has no addresses, a release to a command reads the message again, with the same
# rules as the delivery did.

mkdir "$dir/rules"
cat >"$dir/rules/mta.rules" <<'EOF'
dialect examplemail
	literal   "ExampleMail"
	subject   "Zustellproblem"
	address   /an \((?<address>[^()\s]+@[^()\s]+)\) geht nichts/
	sample
		Return-Path: <>
		From: robot@mx.example.net
		Subject: Zustellproblem 1

		ExampleMail 2.0 sagt: an (eve@example.com) geht nichts.
	expect    failed eve@example.com
EOF
cat >"$dir/local.eml" <<'EOF'
Return-Path: <>
From: robot@mx.example.net
To: announce-bounces@lists.example.org
Subject: Zustellproblem 4711

ExampleMail 1.0 sagt: statt (eve@example.com) an (ann@example.net) geht nichts.
EOF
make_program "$dir/remove" <<EOF
printf '%s\n' "\$BACKSTOP_RECIPIENTS" >"$dir/removed"
EOF
configure "rules-dir = \"$dir/rules\"
privacy = none" "unproven = \"hold\"
genuine = \"pipe:$dir/remove\""
deliver "$dir/local.eml"
id=$(held_ids | tail -n 1)
run held release "$id"
is "$status $err" "0 " "a message of a dialect of the place is released"
is "$(cat "$dir/removed")" ann@example.net "to a command that learns whom it names"
deliver "$dir/local.eml"
id=$(held_ids | tail -n 1)
echo oops >"$dir/rules/kinds.rules"
run held list
is "$status" 0 "rules that are wrong keep nobody from the held mail"
like "$err" '^backstop held: warning: .*kinds\.rules:1: ' "but it is said"
run "$BACKSTOP" digest -c "$conf" "$now"
is "$status" 0 "nor owners from their digest"
rm -r "$dir/rules"
run held purge "$id" --yes
is "$status" 0 "nor does a rules-dir that is not there"
configure '' 'unproven = "hold"'

# ---- on a terminal ----

if command -v script >/dev/null; then
	# answer TEXT VERB...: what the command prints on a terminal where TEXT is typed.
	answer() {
		typed=$1
		shift
		printf '%s\n' "$typed" |
			script -qec "'$BACKSTOP' held -c '$conf' '$now' $*" /dev/null | tr -d '\r'
	}
	out=$(answer n release --all)
	like "$out" "Release 2 messages\\? \\[y/N\\]" "it asks"
	like "$out" "nothing was done" "and takes no for an answer"
	is "$(held_ids | wc -l) $(sent_count)" "2 0" "all is still there"
	out=$(answer '' purge --verdict=unproven)
	like "$out" "Purge 1 message\\? " "it asks about one, too"
	is "$(held_ids | wc -l)" 2 "no answer is a no"
	out=$(answer y purge --verdict=unproven)
	like "$out" "purged [0-9A-F]+" "yes is a yes"
	out=$(answer n release "$(held_ids)")
	unlike "$out" "y/N" "an ID is not asked about"
	like "$out" "released" "it is done"
else
	report 0 "terminal # SKIP script is not installed"
	held purge --all >/dev/null
	deliver "$forged"
	held release --all >/dev/null
fi
is "$(held_ids | wc -l)" 0 "nothing is held any longer"

# ---- a file of an older version ----

forget_sent
deliver "$forged"
file=$(ls "$state/held/new")
# An older version wrote it plain; the record's name is what it is, so the bytes decide.
gzip -dc "$state/held/new/$file" >"$dir/plain"
cat "$dir/plain" >"$state/held/new/$file"
held show --raw "$(held_ids)" >"$dir/raw"
ok "a plain file is read" cmp "$dir/raw" "$forged"
run held release --all
is "$status" 0 "and released"
ok "byte for byte" ends_with "$outbox"/*.msg "$forged"

done_testing
