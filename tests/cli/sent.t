#!/bin/sh
# backstop sent: what gets into the ledger, from a message, a table and Postfix's log.
. "$(dirname "$0")/lib.sh"

conf=$dir/backstop.conf
cat >"$conf" <<END
state = "$dir/state"
log = "$dir/log"
domain "lists.example.org" { }
END
tab=$(printf '\t')

sent() {
	run "$BACKSTOP" sent -c "$conf" --now=2026-11-23T19:19:22Z "$@"
}

# A message.
printf 'Subject: x\nMessage-ID: <1@lists.example.org>\n\ntext\n' >"$dir/message"
sent ann@example.net --recipient=bob@example.net,eve@example.net <"$dir/message"
is "$status" 0 "a message with recipients"
is "$out$err" "" "a hook says nothing"
sent <"$dir/message"
is "$status" 0 "a message without"
printf 'Subject: x\n\ntext\n' >"$dir/message"
sent ann@example.net <"$dir/message"
is "$status" 65 "no Message-ID: nothing to record"
like "$err" 'no Message-ID' "and it says so"
printf 'Message-ID: <2@lists.example.org>\n\n' >"$dir/message"
sent ann <"$dir/message"
is "$status" 64 "a recipient that is no address"

# A table.
cat >"$dir/good.tsv" <<END
time${tab}message-id${tab}sender${tab}recipient
# from another system
1795461562${tab}<a@lists.example.org>${tab}announce-bounces@lists.example.org${tab}ann@example.net
1795461562.25${tab}<a@lists.example.org>${tab}announce-bounces@lists.example.org${tab}bob@example.net
2026-11-23T19:00:00Z${tab}<b@lists.example.org>${tab}announce-bounces@lists.example.org${tab}-
2026-11-23 19:00:00${tab}<c@lists.example.org>${tab}${tab}
END
sent --tsv="$dir/good.tsv"
is "$status" 0 "a good table"
is "$out" "$dir/good.tsv: 4 entries read, 4 new, 0 bad" "counts"
is "$err" "" "no progress where there is no terminal"
sent --tsv="$dir/good.tsv"
is "$out" "$dir/good.tsv: 4 entries read, 0 new, 0 bad" "the same once more is nothing new"
sent --tsv=- <"$dir/good.tsv"
is "$out" "standard input: 4 entries read, 0 new, 0 bad" "from standard input"

cat >"$dir/bad.tsv" <<END
yesterday${tab}<d@x>${tab}a@x.example${tab}ann@example.net
7d${tab}<d@x>${tab}a@x.example${tab}ann@example.net
1795461562000${tab}<d@x>${tab}a@x.example${tab}ann@example.net
0${tab}<d@x>${tab}a@x.example${tab}ann@example.net
1795461562${tab}${tab}a@x.example${tab}ann@example.net
1795461562${tab}<d@x>${tab}a@x.example${tab}ann
1795461562${tab}<d@x>${tab}a@x.example
1795461562${tab}<e@x>${tab}a@x.example${tab}ann@example.net
END
sent --tsv="$dir/bad.tsv"
is "$status" 65 "a table with bad lines"
like "$out" "^$dir/bad.tsv: 8 entries read, 1 new, 7 bad" "the good line is stored"
like "$out" "not all of it could be used, so the ledger does not vouch" \
	"but what is missing then proves nothing"
for line in 1:time 2:time 3:time 4:time 5:Message-ID 6:recipient 7:line; do
	like "$err" "^backstop sent: $dir/bad.tsv:${line%:*}: ${line#*:} .*: want " \
		"line ${line%:*} is named, with what would be right"
done
i=0
while [ $i -lt 30 ]; do
	echo "line $i"
	i=$((i + 1))
done >"$dir/bad.tsv"
sent --tsv="$dir/bad.tsv"
is "$(printf '%s\n' "$err" | wc -l | tr -d ' ')" 11 "ten bad lines are told, then a count"
like "$err" '30 bad lines in all' "the count"
awk 'BEGIN { for (i = 0; i < 25000; i++) printf "%d\t<%d@l>\ta@x.example\tu%d@y.example\n", 1795000000 + i, i, i }' \
	>"$dir/big.tsv"
sent --tsv="$dir/big.tsv"
is "$out" "$dir/big.tsv: 25000 entries read, 25000 new, 0 bad" "more than one batch"
sent --tsv="$dir/none.tsv"
is "$status" 66 "a table that is not there"
like "$err" "$dir/none.tsv: No such file" "is named"

# Postfix's log.
cat >"$dir/mail.log" <<END
Nov 23 19:00:00 mx postfix/pickup[10]: 3F2A91C0DE: uid=0 from=<announce-bounces>
Nov 23 19:00:00 mx postfix/cleanup[11]: 3F2A91C0DE: message-id=<p1@lists.example.org>
Nov 23 19:00:01 mx postfix/qmgr[12]: 3F2A91C0DE: from=<announce-bounces@lists.example.org>, size=900, nrcpt=2 (queue active)
Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<ann@y.example>, orig_to=<staff@lists.example.org>, relay=mx.y.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
Nov 23 19:00:02 mx postfix/smtp[13]: 3F2A91C0DE: to=<bob@y.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (timed out)
Nov 23 19:00:03 mx postfix/cleanup[11]: 4gXbKz1234zQ5w: message-id=<foreign@other.example>
Nov 23 19:00:03 mx postfix/qmgr[12]: 4gXbKz1234zQ5w: from=<a@other.example>, size=900, nrcpt=1 (queue active)
Nov 23 19:00:03 mx postfix/smtp[13]: 4gXbKz1234zQ5w: to=<ann@y.example>, relay=mx.y.example[192.0.2.1]:25, status=sent (250 ok)
Nov 23 19:00:04 mx postfix/smtp[13]: 5F2A91C0DE: to=<ann@y.example>, relay=mx.y.example[192.0.2.1]:25, status=sent (250 ok)
Nov 23 19:00:05 mx dovecot: imap-login: something else
END
sent --postfix-log="$dir/mail.log"
is "$status" 0 "a log of Postfix"
like "$out" ": 2 deliveries read, 3 new, 0 bad" "our domain's mail, to both addresses of an alias"
like "$out" ": 1 more could not be used" "and what cannot be joined is counted"
sent --postfix-log="$dir/mail.log"
like "$out" ": 0 deliveries read, 0 new, 0 bad" "a second run goes on at the end"
sent --postfix-log="$dir/mail.log" --from-start
like "$out" ": 2 deliveries read, 0 new, 0 bad" "from the start adds nothing"

cp "$dir/mail.log" "$dir/whole.log"

# The log grows and is rotated between two runs; a message is in the queue meanwhile.
q() { echo "Nov 23 19:0$1 mx postfix/$2[9]: $3: $4"; }
out_line() { q "$1" smtp "$2" "to=<$3@y.example>, relay=mx, status=sent (250 ok)"; }
{
	q 5:00 cleanup AAAAAA "message-id=<r1@lists.example.org>"
	q 5:00 qmgr AAAAAA "from=<announce-bounces@lists.example.org>, size=1, nrcpt=2 (queue active)"
	out_line 5:01 AAAAAA ann
	printf 'Nov 23 19:05:02 mx postfix/smtp[9]: AAAAAA: to=<bob@y.ex'
} >>"$dir/mail.log"
sent --postfix-log="$dir/mail.log"
like "$out" ": 1 deliveries read, 1 new" "what was added, without half a line"
echo 'ample>, relay=mx, status=sent (250 ok)' >>"$dir/mail.log"
mv "$dir/mail.log" "$dir/mail.log.1"
{
	out_line 6:00 AAAAAA eve
	q 6:01 qmgr AAAAAA removed
} >"$dir/mail.log"
sent --postfix-log="$dir/mail.log"
like "$out" ": 2 deliveries read, 2 new" "the rest of the renamed file, then the new one"
out_line 6:02 AAAAAA late >>"$dir/mail.log"
sent --postfix-log="$dir/mail.log"
like "$out" ": 1 more could not be used" "removed is forgotten"
cp "$dir/mail.log" "$dir/mail.log-20261123"
{
	q 7:00 cleanup BBBBBB "message-id=<r2@lists.example.org>"
	q 7:00 qmgr BBBBBB "from=<announce-bounces@lists.example.org>, size=1, nrcpt=2 (queue active)"
} >>"$dir/mail.log-20261123"
out_line 7:01 BBBBBB ann >"$dir/mail.log"
sent --postfix-log="$dir/mail.log"
like "$out" ": 1 deliveries read, 1 new" "copied and truncated: the copy is read first"
{ cat "$dir/mail.log" && out_line 7:02 BBBBBB bob; } | gzip >"$dir/mail.log.1.gz"
gzip <"$dir/whole.log" >"$dir/mail.log.2.gz"
touch -d '2001-01-01' "$dir/mail.log.2.gz"
out_line 7:03 BBBBBB eve >"$dir/mail.log"
sent --postfix-log="$dir/mail.log"
like "$out" "^$dir/mail.log.1.gz: compressed, and not read" "compressed at once: its name is printed"
like "$out" ": 1 deliveries read, 1 new" "and the log is read from its begin"
sent --postfix-log="$dir/mail.log"
unlike "$out" "compressed" "once"
echo nonsense >"$(ls "$dir"/state/log-*.position)"
sent --postfix-log="$dir/mail.log"
like "$out" ": 1 more could not be used" "a broken position: from the start"

# Following.
: >"$dir/live.log"
"$BACKSTOP" sent -c "$conf" --postfix-log="$dir/live.log" --follow >"$dir/follow.out" 2>&1 &
follower=$!
sleep 1
{
	q 8:00 cleanup CCCCCC "message-id=<r3@lists.example.org>"
	q 8:00 qmgr CCCCCC "from=<announce-bounces@lists.example.org>, size=1, nrcpt=2 (queue active)"
	out_line 8:01 CCCCCC ann
} >>"$dir/live.log"
sleep 3
mv "$dir/live.log" "$dir/live.log.1"
out_line 8:02 CCCCCC bob >>"$dir/live.log.1"
out_line 8:03 CCCCCC eve >"$dir/live.log"
sleep 4
kill -TERM $follower
status=0
wait $follower || status=$?
is "$status" 0 "SIGTERM ends it with 0"
like "$(cat "$dir/follow.out")" ": 3 deliveries read, 3 new" "all was read, over a rotation"
sent --postfix-log="$dir/live.log"
like "$out" ": 0 deliveries read" "and its place is kept"

# ---- a clock that was set, and what a line may hide ----
# covers LOG: sets $found to what a message of 20 November is that is not in the ledger, as LOG gives it.
covers() {
	rm -rf "$dir/clock"
	cat >"$dir/clock.conf" <<-END
		state = "$dir/clock"
		log = "$dir/log"
		domain "lists.example.org" { sent-log = complete }
		list "announce@lists.example.org" { owners = {"alice@example.org"} }
	END
	run "$BACKSTOP" sent -c "$dir/clock.conf" --now=2026-11-25T12:00:00Z --postfix-log=- <"$1"
	found=$("$BACKSTOP" explain -c "$dir/clock.conf" --now=2026-11-25T12:00:00Z --state \
		"$(dirname "$0")/../mail/world/forged-naive.eml" |
		sed -n 's/^ *sent  *\([a-z-]*\).*/\1/p')
}
# post TIME QUEUE-ID [MESSAGE-ID [CLIENT]]
post() {
	p() { echo "$1 mx postfix/$2[9]: $3: $4"; }
	p "$1" smtpd "$2" "client=${4:-list[127.0.0.1]}"
	p "$1" cleanup "$2" "message-id=${3-<$2@lists.example.org>}"
	p "$1" qmgr "$2" "from=<announce-bounces@lists.example.org>, size=1, nrcpt=1 (queue active)"
	p "$1" smtp "$2" "to=<ann@y.example>, relay=mx, status=sent (250 ok)"
	p "$1" qmgr "$2" removed
}
{
	post "Nov  9 10:00:00" AAAAAA
	post "Nov 14 10:00:00" AAAAAB
	post "Nov 19 10:00:00" AAAAAC
	post "Nov 24 10:00:00" AAAAAD
} >"$dir/clock.log"
covers "$dir/clock.log"
is "$found" absent "a log of two weeks covers them"
{
	post "Nov 24 10:00:00" AAAAAA
	post "Jan  1 00:00:05" AAAAAB
	post "Nov 25 10:00:00" AAAAAC
} >"$dir/clock.log"
covers "$dir/clock.log"
is "$found" unavailable "a clock that was set back covers nothing more"
{
	post "Jan  1 00:00:05" AAAAAB
	post "Nov 25 10:00:00" AAAAAC
	post "Nov 25 11:00:00" AAAAAD
} >"$dir/clock.log"
covers "$dir/clock.log"
is "$found" unavailable "nor does one that was set forward"
like "$(cat "$dir/log")" "or the clock was set" "which is said"
{
	post "Nov  9 10:00:00" AAAAAA
	post "Nov 14 10:00:00" AAAAAB
	post "Nov 19 10:00:00" AAAAAC
	post "Nov 24 10:00:00" AAAAAD '' 'spam.example[198.51.100.9]'
	post "Nov 24 10:00:01" AAAAAE
} >"$dir/clock.log"
covers "$dir/clock.log"
is "$found" absent "a stranger's mail without Message-ID, passed on, ends no coverage"
post "Nov 24 10:00:00" AAAAAD '' >>"$dir/clock.log"
covers "$dir/clock.log"
is "$found" unavailable "mail of our own without one does"

# The operator's word.
sent --tsv="$dir/good.tsv" --complete-since=2026-11-01
is "$status" 0 "complete since"
like "$out" "taken as complete for lists.example.org from 2026-11-01T00:00:00Z to " "is said"
sent --tsv="$dir/good.tsv" --complete-since=tomorrow
is "$status" 64 "a time that is none"
sent --tsv="$dir/good.tsv" --complete-since=2030-01-01
is "$status" 64 "a time to come"
sent --complete-since=2026-11-01 </dev/null
is "$status" 64 "only with a table"
sent --follow </dev/null
is "$status" 64 "nothing to follow"
echo 'state = "'"$dir/state2"'"' >"$dir/all.conf"
run "$BACKSTOP" sent -c "$dir/all.conf" --now=2026-11-23T19:19:22Z --postfix-log="$dir/whole.log"
like "$out" ": 3 deliveries read, 4 new" "without domains all mail counts"
sent --postfix-log="$dir/good.tsv"
is "$status" 65 "a file that is no log"
like "$err" "none of [0-9]+ lines is Postfix's; want " "and what would be one"

sent --tsv="$dir/good.tsv" --postfix-log="$dir/mail.log"
is "$status" 64 "not both at once"
sent --tsv="$dir/good.tsv" ann@example.net
is "$status" 64 "a table brings its own recipients"
run "$BACKSTOP" sent -c "$dir/none.conf" --tsv="$dir/good.tsv"
is "$status" 66 "a configuration is needed"
done_testing
