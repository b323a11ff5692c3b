#!/bin/sh
# Spam that is forged with a sender of ours and goes on through us, to the target of an alias or as a
# backup MX has it, is not sent by us; a bounce of it proves nothing and is not lost. From Postfix's
# log to the verdict.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"
export TZ=UTC

log=$dir/mail.log
id=20261120080000.1A2B@lists.example.org # what genuine-postfix.eml is about

# line TIME SERVICE QUEUE-ID TEXT
line() { echo "Nov $1 mx postfix/$2[9]: $3: $4" >>"$log"; }
# goes TIME QUEUE-ID MESSAGE-ID RECIPIENT: the rest of a message that has come in.
goes() {
	line "$1" cleanup "$2" "message-id=<$3>"
	line "$1" qmgr "$2" "from=<announce-bounces@lists.example.org>, size=900, nrcpt=1 (queue active)"
	line "$1" smtp "$2" "to=<$4>, orig_to=<staff@lists.example.org>, relay=mx.example.net[203.0.113.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
	line "$1" qmgr "$2" removed
}
# begin_log: an empty state, and a log in which we sent two messages, before and behind.
begin_log() {
	rm -rf "$state" "$log"
	line "9 08:00:00" pickup AAAAAA "uid=0 from=<root>"
	goes "9 08:00:00" AAAAAA first@lists.example.org ben@example.com
	for day in 12 15 18; do
		line "$day 08:00:00" pickup AAAAAA "uid=0 from=<root>"
		goes "$day 08:00:00" AAAAAA "$day@lists.example.org" ben@example.com
	done
}
feed() {
	line "23 22:00:00" pickup ZZZZZZ "uid=0 from=<root>"
	goes "23 22:00:00" ZZZZZZ last@lists.example.org ben@example.com
	run "$BACKSTOP" sent -c "$conf" "$now" --postfix-log=- <"$log"
	said=$out
	is "$status" 0 "$1: the log is read"
	is "$err" "" "and there is nothing to complain of"
}
# judged SENT VERDICT TEXT: of the bounce
judged() {
	forget_sent
	deliver "$world/genuine-postfix.eml"
	ends 0 "$3: delivered"
	like "$err" " verdict=$2 .* action=forward .*" "$3: $2"
	"$BACKSTOP" explain -c "$conf" "$now" --state "$world/genuine-postfix.eml" >"$dir/explained"
	is "$(sed -n 's/^ *sent  *\([a-z-]*\).*/\1/p' "$dir/explained")" "$1" "$3: sent $1"
	sent_once "$3: the owner gets it"
}
stranger='client=mail.spam.example[198.51.100.66]'

configure '' ''
begin_log
line "20 08:00:00" pickup BBBBBB "uid=33 from=<www>"
goes "20 08:00:00" BBBBBB $id ann@example.net
feed "made here"
judged recipient genuine "made here"
unlike "$said" "from elsewhere" "nothing was passed on"

begin_log
line "20 08:00:00" smtpd BBBBBB "$stranger, sasl_method=PLAIN, sasl_username=ann"
goes "20 08:00:00" BBBBBB $id ann@example.net
feed "by who had logged in"
judged recipient genuine "by who had logged in"

begin_log
line "20 08:00:00" smtpd BBBBBB "client=lists.example.org[192.0.2.10]"
goes "20 08:00:00" BBBBBB $id ann@example.net
feed "by a host in senders"
judged recipient genuine "by a host in senders"

begin_log
line "20 08:00:00" smtpd BBBBBB "$stranger"
goes "20 08:00:00" BBBBBB $id ann@example.net
feed "by a stranger"
like "$said" ": 1 more came from elsewhere with a sender of ours" "which is said"
judged passed-on unproven "by a stranger"
like "$(cat "$dir/explained")" '^ *hop +ours-passed-on ' "that our host had it proves nothing either"
deliver "$world/forged-naive.eml"
like "$err" "verdict=backscatter .*by=sent:absent" "and the ledger is still complete: what never was is absent"

begin_log
line "20 08:00:00" smtpd BBBBBB "$stranger"
line "20 08:00:00" cleanup BBBBBB "message-id=<$id>"
line "20 08:00:00" qmgr BBBBBB "from=<announce-bounces@lists.example.org>, size=900, nrcpt=1 (queue active)"
line "20 08:00:01" smtpd CCCCCC "client=localhost[127.0.0.1]"
goes "20 08:00:01" CCCCCC $id ann@example.net
line "20 08:00:01" smtp BBBBBB "to=<staff@lists.example.org>, relay=127.0.0.1[127.0.0.1]:10024, status=sent (250 ok)"
line "20 08:00:01" qmgr BBBBBB removed
feed "through a content filter"
like "$said" ": 2 more came from elsewhere with a sender of ours" "both times"
judged passed-on unproven "through a content filter"

# Mailman: a member's post comes in, and goes out under its Message-ID with the list's sender.
begin_log
line "20 08:00:00" smtpd BBBBBB "client=mail.example.com[203.0.113.40]"
line "20 08:00:00" cleanup BBBBBB "message-id=<$id>"
line "20 08:00:00" qmgr BBBBBB "from=<ben@example.com>, size=900, nrcpt=1 (queue active)"
line "20 08:00:01" smtpd CCCCCC "client=localhost[127.0.0.1]"
goes "20 08:00:01" CCCCCC $id ann@example.net
feed "a member's post"
judged recipient genuine "a member's post"

# A post of ours comes back for an alias of ours: what we sent stays sent.
begin_log
line "20 08:00:00" pickup BBBBBB "uid=0 from=<root>"
goes "20 08:00:00" BBBBBB $id ann@example.net
line "20 08:00:01" smtpd CCCCCC "$stranger"
goes "20 08:00:01" CCCCCC $id ann@example.net
feed "sent and on its way back"
judged recipient genuine "sent and on its way back"

begin_log
goes "20 08:00:00" BBBBBB $id ann@example.net
feed "a log that does not say from where"
judged recipient genuine "a log that does not say from where"

begin_log
line "20 08:00:00" smtpd BBBBBB "$stranger"
goes "20 08:00:00" BBBBBB $id ann@example.net
sed -i '/senders/d' "$conf"
feed "no senders are configured"
judged recipient genuine "no senders are configured"
done_testing
