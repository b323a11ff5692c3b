#!/bin/sh
# What is odd about a report as a message: each oddity alone, all of them, outvoted, and unavailable.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

plain=$world/unproven-nothing-returned.eml # nothing else speaks
genuine=$world/genuine-postfix.eml

# odd FILE SED-SCRIPT: what the check said of the changed report, the verdict, and $why.
odd() {
	sed "$2" "$1" >"$dir/report.eml"
	"$BACKSTOP" scan -c "$conf" "$now" --state --format=json "$dir/report.eml" >"$dir/json"
	sed 's/.*"verdict":"\([a-z]*\)","score":\(-*[0-9]*\),.*"check":"shape","result":"\([a-z]*\)","weight":\(-*[0-9]*\),"detail":"\([^"]*\)".*/\3 \4 \1 \2 \5/' "$dir/json"
}

feed_ledger
report=MAILER-DAEMON@mx.example.com

# ---- it is the only one that speaks ----
is "$(odd "$plain" '')" "plain 0 unproven 4 nothing about the report is odd" "a report as it should be"
is "$(odd "$plain" 's/^To: .*/To: announce-bounces@lists.example.org, x@example.net/')" \
	"odd -1 unproven 3 To: names several" "several recipients"
is "$(odd "$plain" 's/^To: .*/To: x@example.net/')" \
	"odd -1 unproven 3 To: names others than it came for" "other recipients"
is "$(odd "$plain" 's/^To: .*/To: announce@lists.example.org/')" \
	"plain 0 unproven 4 nothing about the report is odd" "another address of the list is none"
is "$(odd "$plain" '1,/^Date: /s/^Date: .*/Date: Sat, 31 Oct 2026 14:00:00 +0000/')" \
	"odd -1 unproven 3 its date is far from its arrival" "a date long ago"
is "$(odd "$plain" 's/^Message-ID: .*/Message-ID: <1@lists.example.org>/')" \
	"odd -2 unproven 2 its Message-ID is of our domain, the client not" "a Message-ID of ours"
is "$(odd "$plain" 's/^Message-ID: .*/Message-ID: <1@xlists.example.org>/' | cut -d' ' -f1)" plain \
	"one of a longer name is not ours"
is "$(odd "$plain" 's/^Reporting-MTA: .*/Reporting-MTA: dns; mx.lists.example.org/')" \
	"odd -2 unproven 2 the reporting host has our name, the client not our address" "our name"
is "$(odd "$plain" 's/203\.0\.113\.60/192.0.2.10/
	s/^Reporting-MTA: .*/Reporting-MTA: dns; mx.lists.example.org/' | cut -d' ' -f1)" plain \
	"which is not odd if it is our address too"
is "$(odd "$plain" 's/^\(Original-Recipient: rfc822;\).*/\1announce@lists.example.org/')" \
	"odd -2 unproven -2 the failed recipient is the list itself" "the list as failed recipient"
like "$(odd "$genuine" '1,/^Date: /s/^Date: .*/Date: Tue, 17 Nov 2026 14:00:00 +0000/')" \
	"^odd -[23] genuine 7[0-3] it is older than the mail it is about" "older than the original"
like "$(odd "$plain" '/^Received: /,/^\tfor/d')" \
	"odd -1 unproven -1 it has no Received field" "no trace at all"
like "$(odd "$plain" "s/^Message-ID: .*/Message-ID: <1@lists.example.org>/
	s/^To: .*/To: x@example.net, y@example.net/
	s/^Reporting-MTA: .*/Reporting-MTA: dns; mx.lists.example.org/
	s/^\\(Original-Recipient: rfc822;\\).*/\\1announce@lists.example.org/")" \
	"^odd -6 unproven -6 " "many: bounded"

# ---- it is wrong, and outvoted ----
is "$(odd "$genuine" 's/^To: .*/To: x@example.net/' | cut -d' ' -f1-4)" "odd -1 genuine 73" \
	"a genuine report that is odd"
is "$(odd "$world/forged-naive.eml" '' | cut -d' ' -f1-4)" "plain 0 backscatter -60" \
	"a forged one that is not"

# ---- it is unavailable ----
is "$(odd "$world/unproven-autoreply.eml" '' | cut -d' ' -f1-3)" "unavailable 0 unproven" \
	"an automatic reply has no form"
run "$BACKSTOP" explain "$plain"
like "$out" "shape +unavailable +\\+0 +the report came to no domain of ours" "no domain of ours"

done_testing
