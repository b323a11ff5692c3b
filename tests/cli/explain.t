#!/bin/sh
# backstop explain: it says each step, adds up, and prints nothing that a terminal would obey.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

explain_file() {
	run "$BACKSTOP" explain -c "$conf" "$now" "$@"
}

feed_ledger

explain_file --state "$world/forged-replay.eml"
is "$status" 0 "a forged one"
is "$err" "" "nothing on standard error"
like "$out" '^  kind +failed$' "the kind"
like "$out" '^  form +rfc3464$' "the form that it has"
like "$out" '^  sender +<> \(null\)$' "the envelope sender"
like "$out" '^  recipient +yves@example\.com$' "the failed recipient"
like "$out" '^    status +5\.' "his status"
like "$out" '^    Message-ID +<20261' "the message that it is about"
like "$out" '^  tag +absent +\+0 +[a-z]' "the check tag, with its weight and a reason"
like "$out" '^  sent +[a-z -]+ -10 +[a-z]' "the check sent"
like "$out" '^  hop +foreign +-25 +.*198\.51\.100\.' "the check hop"
like "$out" '^  sum -31: backscatter \(genuine from \+20, backscatter from -20\)$' \
	"the sum, the verdict and the thresholds"
like "$out" '^  list +announce@lists\.example\.org$' "the list"
like "$out" '^  action +drop$' "the action"
like "$out" '^  because +proven not to be ours' "and why"

explain_file --state "$world/genuine-tagged-nothing-returned.eml"
like "$out" '^  tag +valid[a-z-]* +\+60 ' "a valid tag"
like "$out" '^  sent +[a-z-]+ +\+0 ' "a check that found nothing to go by weighs nothing"
like "$out" '^  original +did not come back$' "nothing was returned"
like "$out" '^  sum \+64: genuine' "genuine"
like "$out" '^  action +forward$' "forwarded"

explain_file "$world/genuine-postfix.eml"
like "$out" '^  sent +unavailable +\+0 ' "without --state the ledger is not asked"
like "$out" '^  sum \+24: genuine' "and the rest decides"

explain_file "$world/genuine-signed.eml"
like "$out" '^  dkim +valid +\+30\* +w1 of lists\.example\.org signed From, Date, Message-ID and 3 more fields on 2026-11-20$' \
	"a signature: its selector, what it covers, its day"
like "$out" '^  sum \+35: genuine' "with the path it counts for 15"
like "$out" '^  \* could be forged, or replayed by who has the post: counts for \+15 at most' "and is marked"
explain_file --state "$world/unproven-replay-signed.eml"
like "$out" '^  dkim +valid +\+30\*' "a replay has the signature too"
like "$out" '^  sum -1: unproven' "and is no proof, neither way"
explain_file "$world/unproven-signature.eml"
like "$out" '^  dkim +invented +-14 .*it was not made with this key$' "a made-up signature"
like "$out" '^  sum -15: unproven' "is no proof with what may be a forwarder"

explain_file --state "$world/ordinary-to-owner.eml"
like "$out" '^  kind +ordinary$' "an ordinary message"
like "$out" 'Not asked: this is no bounce' "is not weighed"
unlike "$out" '^  sum ' "and has no sum"

sed 's/^Date: Sat, 21 Nov 2026 15:09:55.*/Message-ID: <before@lists.example.org>\
Date: Thu, 19 Nov 2026 15:09:55 +0000/' "$world/unproven-signature.eml" >"$dir/early.eml"
explain_file --state "$dir/early.eml"
like "$out" '^  sent +absent-early ' "a post that may be older than the ledger"
like "$out" '^  dkim +invented-early +-14 ' "and of the time before the key was changed"
like "$out" ': unproven ' "is not taken for backscatter"

# A gateway of the reporter's that writes names of its own network, and gives mail another Message-ID.
awk '/^Received: from lists/ {
		print "Received: from gw.corp.local (unknown [10.1.1.1])"
		print "\tby mx.example.net (Postfix) with ESMTP id 1; Fri, 20 Nov 2026 08:00:04 +0000" }
	{ sub(/by mx.example.net \(Postfix\) with ESMTPS id 4F/, "by gw.corp.local (Postfix) with ESMTPS id 4F")
		sub(/<20261120080000.1A2B@lists/, "<renamed@gw"); print }' "$world/genuine-postfix.eml" >"$dir/gateway.eml"
explain_file --state "$dir/gateway.eml"
like "$out" '^  hop +ours-unvouched ' "a gateway inside, which had it from us"
like "$out" '^  sent +absent-forwarded ' "that its Message-ID was never sent"
like "$out" ': unproven ' "is no proof then"

# Where all mail is tagged, a bounce address without a tag is not ours, whatever is written behind it.
all=$dir/all.conf
sed 's/tagged *= some/tagged = all/' "$conf" >"$all"
junk=such-a-long-extension-leaves-no-room-for-a-tag
for address in announce-bounces "announce-bounces+$junk"; do
	sed "s/announce-bounces@/$address@/" "$world/forged-made-up-id.eml" >"$dir/forged.eml"
	run "$BACKSTOP" explain -c "$all" "$now" "$dir/forged.eml"
	like "$out" '^  tag +missing +-39 ' "no tag in $address@"
done

# The sum is that of the lines above it, in each message of the world.
sums=0
for file in "$world"/*.eml; do
	explain_file --state "$file"
	printf '%s\n' "$out" | awk '
		/^3\. /, /^4\. / {
			if ($1 ~ /^(tag|sent|dkim|hop|standing|reporter|replay|roster|shape|storm)$/) sum += $3
			if ($1 == "sum") { got = $2 + 0; found = 1 }
			if (/could be forged/) capped = 1
		}
		END { exit !(!found || got == sum || (capped && got <= sum)) }' || {
		echo "# $file"
		sums=$((sums + 1))
	}
done
is "$sums" 0 "each sum is that of its lines"

configure 'mode = observe'
explain_file --state "$world/forged-naive.eml"
like "$out" '^  action +forward$' "observe mode: what is done"
like "$out" '^  policy +drop$' "observe mode: what the policy asks for"
like "$out" '^  because +observe mode' "observe mode: and why not"
configure

# Hostile bytes, in whatever is shown.
csi=$(printf '\033[2J\302\2332J\007\b\177')
cat >"$dir/hostile.eml" <<EOF
Return-Path: <a$csi@example.net>
Delivered-To: announce-bounces$csi@lists.example.org
Received: from he${csi}lo (mx$csi.example.net [203.0.113.25]) by lists.example.org
From: Mail$csi <mailer-daemon@example.net>
To: announce-bounces@lists.example.org
Subject: Undelivered $csi mail
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx$csi.example.net

Final-Recipient: rfc822; ann$csi@example.net
Original-Recipient: rfc822; "ann$csi"@example.net
Action: fail${csi}ed
Status: 5.1$csi.1
Diagnostic-Code: smtp; 550 $csi no such user

--b
Content-Type: message/rfc822

Message-ID: <1$csi@lists.example.org>
From: =?utf-8?Q?=1B=5B2J=C2=9B2J=07?= <announce$csi@lists.example.org>
Subject: =?utf-8?B?GxsbWzJKwpsySgc=?=
Date: $csi

--b--
EOF
explain_file --state "$dir/hostile.eml"
is "$status" 0 "a hostile message is explained"
like "$out" '^  kind +failed$' "and recognised"
is "$(count_controls)" 0 "no escape sequence comes through"
cp "$dir/hostile.eml" "$dir/na${csi}me.eml"
explain_file "$dir/na${csi}me.eml"
is "$(count_controls)" 0 "nor from a file name"
explain_file "$dir/missing${csi}"
is "$status" 66 "66: a file that is not there"
is "$(count_controls)" 0 "nor from the name of a file that is not there"
run "$BACKSTOP" held -c "$conf" "$now" list
"$BACKSTOP" deliver -c "$conf" "$now" <"$dir/hostile.eml" >"$dir/.out" 2>"$dir/.err"
is "$(count_controls)" 0 "nor into the log"

# Where it reads.
explain_file - <"$world/genuine-postfix.eml"
like "$out" '^  kind +failed$' "standard input"
explain_file
is "$status" 64 "64: no path"
explain_file "$world/genuine-postfix.eml" "$world/genuine-exim.eml"
is "$status" 64 "64: two paths"
run "$BACKSTOP" explain "$now" "$world/genuine-postfix.eml"
is "$status" 0 "without a configuration"
like "$out" '^  list +none that is configured$' "every list is unknown then"
ok "nothing was delivered" test "$(sent_count)" -le 1

# An author whose clock is two days ahead: his post went out before the ledger began, whatever its Date says.
sed -e 's/^Date: Fri, 20 Nov 2026 08:00:00/Date: Sun, 22 Nov 2026 08:00:00/' \
	-e 's/20261120080000.1A2B@/before-the-ledger@/' "$world/genuine-forwarded.eml" >"$dir/ahead.eml"
explain_file --state "$dir/ahead.eml"
like "$out" '^  sent +absent-early +-11 ' "a Date that is later than the handover does not date the post"
like "$out" ': unproven ' "and a forwarded bounce of it is no backscatter"

# Our own queue: a server that signs while it sends (Exim) returns what it kept, without the signature.
# A post that it passes on by an alias has its author's host for a client, and its own name need not
# be of the list's domain.
sed -e 's/signed *= some/signed = all/' -e 's/sent-log *= complete/sent-log = none/' "$conf" >"$all"
explain_own() {
	run "$BACKSTOP" explain -c "$all" "$now" "$dir/own.eml"
}
awk '/^Received: by lists.example.org \(Postfix, from userid/ {
		print "Received: from mail.example.com (mail.example.com [203.0.113.5])"
		print "\tby host1.example.com (Postfix) with ESMTPS id 4Fw2b50HqRz0"
		getline t; sub(/.*;/, "\tfor <announce@lists.example.org>;", t); print t; next }
	{ gsub(/by lists.example.org/, "by host1.example.com"); print }' \
	"$world/genuine-own-queue.eml" >"$dir/own.eml"
explain_own
like "$out" '^  dkim +unsigned +\+0 +.*our own server made the report' "its own report need not return a signature"
like "$out" '^  hop +unavailable +\+0 +our own server made the report' "nor say who sent the post on"
like "$out" ': unproven ' "so that it is no backscatter"
awk '!is_done && /^Received: by/ {
		print "Received: from mx.example.net (mx.example.net [198.51.100.9])"
		print "\tby lists.example.org (Postfix) with ESMTP id 4Fx; Fri, 20 Nov 2026 08:00:05 +0000"
		is_done = 1 }
	{ print }' "$dir/own.eml" >"$dir/from-outside.eml" && mv "$dir/from-outside.eml" "$dir/own.eml"
explain_own
like "$out" '^  dkim +absent +-30 ' "one that came from outside has to, whatever lines it brings"
like "$out" '^  hop +foreign +-25 ' "and is asked for the hop"

# A forwarder that takes the signature off. The ledger knows the message, if not under the name that he gives.
sed -e 's/signed *= some/signed = all/' "$conf" >"$all"
explain_stripped() {
	run "$BACKSTOP" explain -c "$all" "$now" $1 "$world/genuine-forwarded.eml"
}
explain_stripped --state
like "$out" '^  dkim +unsigned +\+0 .*the ledger knows the message' "no signature of a message in the ledger"
sed 's/dora@example\.net/dora@example.com/g' "$world/genuine-forwarded.eml" >"$dir/other.eml"
run "$BACKSTOP" explain -c "$all" "$now" --state "$dir/other.eml"
like "$out" '^  sent +other-recipient ' "nor under the recipient's name"
like "$out" '^  dkim +unsigned +\+0 ' "it counts no more than once"
like "$out" ': unproven ' "and the bounce is not lost"
explain_stripped
like "$out" '^  dkim +absent-forwarded +-14 ' "without a ledger it counts, but not as a proof"
like "$out" ': unproven ' "so the bounce is not lost either"

done_testing
