#!/bin/sh
# owner-limit, and backstop digest: above the limit reports are kept, and their owners get one message
# about all of them, once, whoever is killed or slow.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

# bounce NUMBER: a genuine report (by the hop: no ledger is fed) on mNUMBER@example.net.
bounce() {
	sed -e "s/ann@example\.net/m$1@example.net/g" -e "1,/^\$/s/^Message-ID: </&$1./" \
		"$world/genuine-postfix.eml" >"$dir/bounce"
}

# send NUMBER MINUTE: delivered MINUTE minutes into 2026-11-24.
at() {
	printf -- '--now=2026-11-24T%02d:%02d:00Z' $(($1 / 60)) $(($1 % 60))
}
send() {
	bounce "$1"
	deliver "$dir/bounce" "$(at "$2")"
}

# digest MINUTE OPTION...
digest() {
	minute=$1
	shift
	run "$BACKSTOP" digest -c "$conf" "$(at "$minute")" "$@"
}

sent_text() {
	cat "$outbox"/*.msg
}

# ---- below and above the limit ----

configure '' 'owner-limit = "3/hour"'
for number in 1 2 3 4 5 6 7; do
	send $number $number
done
"$BACKSTOP" check -c "$conf" "$(at 8)" >/dev/null # else the first digest enters the configuration
ends 0 "a report above the limit is accepted"
is "$(sent_count)" 3 "as many as the limit go out one by one"
is "$(held_ids | wc -l)" 4 "the others are kept"
like "$err" 'verdict=genuine .*action=hold .*policy=forward for=digest' "the log says what for"
like "$(held list)" "genuine .*m7@example.net +-( |\$)|genuine .*m7@example.net" "held list shows them"
forget_sent
before=$(cksum <"$state/data.mdb")
digest 30 --dry-run
is "$status $err" "0 " "--dry-run: a success"
is "$out" "announce@lists.example.org: 4 reports since 2026-11-24T00:04:00Z, due 2026-11-24T01:01:00Z" \
	"--dry-run: what waits, and until when"
digest 60
is "$status$out$err" "0" "before the window is over there is nothing to do"
is "$(sent_count)" 0 "and nothing is sent"
is "$(cksum <"$state/data.mdb")" "$before" "and nothing written"
digest 61 --dry-run
is "$out" "announce@lists.example.org: 4 reports since 2026-11-24T00:04:00Z, due now" "then it is due"
is "$(sent_count)$(cksum <"$state/data.mdb")" "0$before" "--dry-run: nothing is sent or written"
run "$BACKSTOP" check -c "$conf" "$(at 120)"
unlike "$out" 'should have been sent' "check does not mind for an hour"
like "$out" '^  digests: 4 reports wait for the owners of 1 list$' "but says what waits"
run "$BACKSTOP" check -c "$conf" "$(at 121)"
is "$status" 0 "then it is no fault"
like "$out" '^warning: list announce@lists\.example\.org: 4 reports should have been sent to its owners at 2026-11-24T01:01:00Z; run backstop digest' \
	"but said"
digest 61
is "$status" 0 "the digest"
is "$err" "backstop: info: digest list=announce@lists.example.org sent: a digest of 4 reports" "is logged"
is "$out" "sent announce@lists.example.org: a digest of 4 reports" "says what was sent"
sent_once "one message"
is "$(tr '\n' ' ' <"$(echo "$outbox"/*.arg)")" "-i -f <> -- alice@example.org " \
	"from the null sender, to the owner"
message=$(sent_text)
like "$(printf '%s\n' "$message" | sed -n '/^Subject:/,/^Date:/p' | tr -d '\n')" \
	'^Subject: \[announce@lists\.example\.org\] digest: 4 reports, 4 addresses failed for goodDate' \
	"its subject says how many"
like "$message" '^Auto-Submitted: auto-generated$' "it says that it is automatic"
like "$message" '^X-Backstop-Loop: announce@lists\.example\.org$' "it has the loop header"
like "$message" '^X-Backstop-Kind: digest$' "and says what it is"
like "$message" '^4 reports for the list announce@lists\.example\.org were kept' "it says what it is about"
like "$message" '\(owner-limit: 3 an hour\)' "and why"
like "$message" '^Failed for good: 4$' "it counts who failed for good"
like "$message" '^    m4@example\.net +5\.1\.1   2026-11-24 00:04  [0-9A-F]+$' "with status, time and ID"
unlike "$message" 'm3@example\.net' "and without those that went out before"
like "$message" '^  backstop held list --list=announce@lists\.example\.org --since=2026-11-24T00:04:00Z$' \
	"and how to see them"
id=$(printf '%s\n' "$message" | sed -n 's/^    m4@.*  \([0-9A-F]*\)$/\1/p')
bounce 4
ok "the ID shows the report" sh -c "'$BACKSTOP' held -c '$conf' show --raw $id | cmp - '$dir/bounce'"
like "$(held list)" 'm4@example\.net +userunknown +2026-12-01' "from then on it expires"
forget_sent
digest 90
is "$out$(sent_count)" 0 "it is sent once"
run held release "$id"
is "$status" 0 "a report can still be released"
like "$("$BACKSTOP" audit -c "$conf" "$(at 90)")" "^  - told by digest: kind=failed verdict=genuine .*rcpt=<m4@" \
	"and the account does not call it dropped"
sent_once "and goes to the owner"
ok "as it came" ends_with "$outbox"/*.msg "$dir/bounce"

# ---- a window, and the next; a delivery sends what is due ----

forget_sent
send 8 62
ends 0 "a report after the window"
is "$(sent_count)" 1 "goes out: a new window has begun"
send 9 63
send 10 64
send 11 65
is "$(sent_count)" 3 "until the limit is reached"
send 12 122
ends 0 "the first report behind the window"
is "$(sent_count)" 5 "brings the digest with it"
like "$err" '^backstop: info: digest list=announce@lists\.example\.org sent: a digest of 1 report$' "which is logged"
like "$(sent_text)" '^1 report for the list announce@lists\.example\.org was kept' "it is about one report"
like "$(sent_text)" '^    m11@example\.net ' "that one"

# ---- what is not limited ----

forget_sent
for number in 1 2 3 4; do
	deliver "$world/ordinary-to-owner.eml" "$(at 300)"
	ends 0 "ordinary mail"
done
is "$(sent_count)" 4 "is not put off: a person may wait for an answer"
forget_sent
for number in 1 2 3 4; do
	deliver "$world/feedback-abuse.eml" "$(at 300)"
done
is "$(sent_count)" 3 "complaints are"
configure '' "owner-limit = \"1/day\"
genuine = \"maildir:$dir/box\""
for number in 1 2 3; do
	send $number 310
done
is "$(count_files "$dir/box/new"/*)" 3 "a Maildir has no limit"
configure 'mode = observe' 'owner-limit = "1/day"'
forget_sent
for number in 1 2 3; do
	send $number 320
done
is "$(sent_count)" 3 "nor has observe mode"

# ---- all kinds of reports in one digest ----

rm -rf "$state"
forget_sent
configure 'keep-dropped = "2d"' 'owner-limit = "1/hour"
autoreplies = "forward"'
feed_ledger
deliver "$world/genuine-postfix.eml" "$(at 0)"
for name in genuine-delayed genuine-forwarded-tagged genuine-autoreply-tagged \
	genuine-delivered unproven-nothing-returned unproven-autoreply feedback-abuse; do
	deliver "$world/$name.eml" "$(at 10)"
	like "$err" 'action=hold .*policy=forward for=digest$' "$name waits"
done
deliver "$world/forged-naive.eml" "$(at 10)"
forget_sent
digest 60
message=$(sent_text)
like "$message" '^7 reports for the list' "seven reports"
like "$message" '^  failed 2, delayed 1, delivered 1, autoreply 2, feedback 1$' "of these kinds"
like "$message" '^  unproven 2, genuine 4, not judged 1$' "and verdicts"
like "$message" '^    erik@example\.net ' "a signed address says whom a report is about"
like "$(printf '%s\n' "$message" | sed -n '/^Not shown to be/,/^$/p')" '^    cara@example\.com ' \
	"what is unproven stands apart"
is "$(printf '%s\n' "$message" | sed -n '/^Failed for good/,/^$/p' | grep -c 'cara@')" 0 \
	"and not among those that failed for good"
unlike "$message" 'tom@example\.com' "what was dropped is not in it"
like "$(held list)" 'unproven .* 2026-11-26' "they expire as dropped mail does"

# ---- what is released or purged before the digest is not in it ----

rm -rf "$state"
configure '' 'owner-limit = "1/hour"'
for number in 1 2 3 4; do
	send $number 0
done
forget_sent
held list >"$dir/list"
first=$(sed -n 's/^\([0-9A-F]*\) .*m2@example.*/\1/p' "$dir/list")
second=$(sed -n 's/^\([0-9A-F]*\) .*m3@example.*/\1/p' "$dir/list")
held release "$first" >/dev/null
held purge "$second" >/dev/null
forget_sent
digest 60
is "$out" "sent announce@lists.example.org: a digest of 1 report" "one is left"
unlike "$(sent_text)" 'm[23]@example' "the others are not in it"
forget_sent
send 5 120
send 6 120
held purge --all >/dev/null
forget_sent
digest 180
is "$status$out$err$(sent_count)" 00 "where nothing is left no digest is sent"

# ---- options, and what is wrong ----

send 7 200
send 8 200
forget_sent
digest 200 --list=dev@lists.example.org
is "$status$out$(sent_count)" 00 "--list: another list's"
digest 200 --all --list=Announce@lists.example.org
is "$status $out" "0 sent announce@lists.example.org: a digest of 1 report" "--all: before it is due"
digest 200 --list=nonsense
is "$status" 64 "--list: not an address"
digest 200 extra
is "$status" 64 "arguments are none"
digest 200 --dry-run
is "$out" "nothing waits for the owners" "--dry-run: nothing waits"

send 9 201
forget_sent
sed '/^list "announce@/,/^}/d' "$conf" >"$dir/without.conf"
run "$BACKSTOP" digest -c "$dir/without.conf" "$(at 300)"
is "$status$out" 0 "a list that is gone from the configuration is no failure of the run"
is "$err" "backstop: warning: digest: reports for 1 list stay held that is not configured any more, or has no owners; see backstop check" \
	"but a warning"
is "$(sent_count)" 0 "and nothing is sent"
run "$BACKSTOP" digest -c "$dir/without.conf" "$(at 300)" --dry-run
is "$status $out" "0 announce@lists.example.org: 1 report waits for its owners, but the list is not configured any more; they stay held" \
	"--dry-run names it"
run "$BACKSTOP" digest -c "$dir/without.conf" "$(at 300)" --list=announce@lists.example.org
is "$status" 78 "who asks for it by name"
like "$err" '^backstop digest: announce@lists\.example\.org: 1 report waits for its owners, but the list is not configured' \
	"is told"
run "$BACKSTOP" check -c "$dir/without.conf" "$(at 300)"
like "$out" '^warning: list announce@lists\.example\.org: 1 report waits for its owners, and it is not configured' \
	"check says so, too"
like "$out" 'backstop held release --list=announce@lists\.example\.org --since=2026-11-24T03:21:00Z --to=ADDRESS ' \
	"and what to do"
cp -R "$state" "$dir/owed-state"
run "$BACKSTOP" held release -c "$dir/without.conf" "$(at 300)" --list=announce@lists.example.org --since=2026-11-24T03:21:00Z \
	--to=eve@example.org --yes
is "$status" 0 "which works"
sent_once "the report goes there"
forget_sent
run "$BACKSTOP" digest -c "$dir/without.conf" "$(at 300)"
is "$status$out$err" 0 "and no run minds any more"
rm -rf "$state"
mv "$dir/owed-state" "$state"

make_program "$dir/sendmail" <<-'END'
	cat >/dev/null
	exit 75
END
digest 300
is "$status" 71 "a sendmail that fails"
like "$err" 'announce@lists\.example\.org: a digest of 1 report: .*sendmail exited with code 75' "is said"
make_program "$dir/sendmail" <<-END
	printf '%s\n' "\$@" >"$outbox/\$\$.arg"
	cat >"$outbox/\$\$.msg"
END
digest 301
is "$status $out" "0 sent announce@lists.example.org: a digest of 1 report" "the next run sends it"

# A sendmail that hangs takes the time of its own list alone.
rm -rf "$state"
configure 'deadline = 1s' 'owner-limit = "1/hour"'
sed -i 's|^list "dev@.*|&\nowner-limit = "1/hour"|' "$conf"
for number in 1 2; do
	send $number 0
	sed -i 's/announce/dev/g' "$dir/bounce"
	deliver "$dir/bounce" "$(at 0)"
done
forget_sent
make_program "$dir/sendmail" <<-END
	cat >"$outbox/\$\$.msg"
	! grep -q 'announce@.* digest' "$outbox/\$\$.msg" || sleep 600
END
began=$(date +%s)
digest 60
is "$status" 75 "a sendmail that hangs"
ok "does not hold the run" test $(($(date +%s) - began)) -lt 60
is "$err" "backstop digest: announce@lists.example.org: a digest of 1 report: $dir/sendmail took longer than 1 seconds
backstop: info: digest list=dev@lists.example.org sent: a digest of 1 report" "the report says so"
is "$out" "sent dev@lists.example.org: a digest of 1 report" "and the next list has its digest"
make_program "$dir/sendmail" <<-END
	printf '%s\n' "\$@" >"$outbox/\$\$.arg"
	cat >"$outbox/\$\$.msg"
END
digest 61
is "$status $out" "0 sent announce@lists.example.org: a digest of 1 report" "the next run sends the other"
configure '' 'owner-limit = "1/hour"'

# A kept message that cannot be read is still told of.
send 10 400
send 11 400
forget_sent
rm "$state"/held/new/*
digest 460
is "$status $out" "0 sent announce@lists.example.org: a digest of 1 report" "a message without its file"
like "$(sent_text)" '^    m11@example\.net ' "is told of by its record"

# ---- two at once ----

rm -rf "$state"
for number in 1 2 3; do
	send $number 0
done
forget_sent
make_program "$dir/sendmail" <<-END
	printf '%s\n' "\$@" >"$outbox/\$\$.arg"
	cat >"$outbox/\$\$.msg"
	sleep 1
END
for number in 1 2 3 4; do
	"$BACKSTOP" digest -c "$conf" "$(at 60)" >"$dir/out.$number" 2>/dev/null &
done
wait
sent_once "four runs at once send one digest"
is "$(cat "$dir"/out.?)" "sent announce@lists.example.org: a digest of 2 reports" "and one says so"

done_testing
