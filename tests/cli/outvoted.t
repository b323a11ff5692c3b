#!/bin/sh
# The checks hop, dkim, standing and reporter are the only ones that speak, are wrong and outvoted, and are
# unavailable. (tag, sent: test_tagged.c, dkim: test_dkim_sum.c, too; replay, roster, shape, storm, dns: their .t)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

tagged=$world/genuine-tagged.eml

# weigh FILE OPTION...: "CHECK:RESULT WEIGHT" of $check, and the verdict.
weigh() {
	run "$BACKSTOP" explain $how -c "$conf" "$now" "$@"
	printf '%s\n' "$out" | awk -v check="$check" '
		$1 == check && in3 { seen = $2 " " $3 }
		/^3\. / { in3 = 1 }
		$1 == "sum" { sub(":", "", $2); verdict = $3 }
		END { print seen, verdict }'
}

feed_ledger
how=--state # the ledger is asked
check=hop

# The mail went out through a relay that nobody told backstop of.
sed 's/from lists\.example\.org (lists\.example\.org \[192\.0\.2\.10\])/from relay.example.org (relay.example.org [198.51.100.30])/' \
	"$tagged" >"$dir/relay.eml"
is "$(weigh "$dir/relay.eml")" "foreign -25 genuine" "a hop of ours that looks foreign, outvoted by tag and ledger"
sed 's/+rbaujjxq42ho5bgwozg5a2=ann=example\.net//' "$dir/relay.eml" >"$dir/untagged.eml"
is "$(weigh "$dir/untagged.eml")" "foreign -25 genuine" "by the ledger alone"

# It is the only one that speaks: without a tag, and nobody asks the ledger.
how=
is "$(weigh "$dir/untagged.eml")" "foreign -25 backscatter" "alone, a foreign hop is proof"
sed 's/198\.51\.100\.30/192.0.2.10/' "$dir/untagged.eml" >"$dir/ours.eml"
is "$(weigh "$dir/ours.eml")" "ours +20 genuine" "and so is one of ours, by who may say so"
sed '/^Received: from relay/,/^Message-ID/{/^Received: from relay/d;/^	/d;}' "$dir/untagged.eml" >"$dir/none.eml"
is "$(weigh "$dir/none.eml")" "unavailable +0 unproven" "without a line it says nothing"
how=--state

# dkim: all mail is signed, or so the operator thinks; this one is not.
check=dkim
configure '' ''
sed -i 's/signed *= some/signed = all/' "$conf"
is "$(weigh "$tagged")" "unsigned +0 genuine" "no signature, but the ledger knows the message"
how=
is "$(weigh "$tagged")" "absent -30 genuine" "a missing signature, outvoted by the tag"
sed '/^Received: from lists/,/^Message-ID/{/^Received: from lists/d;/^	/d;}' "$dir/untagged.eml" >"$dir/none.eml"
sed -i '/^Received: from relay/,/^Message-ID/{/^Received: from relay/d;/^	/d;}' "$dir/none.eml"
is "$(weigh "$dir/none.eml")" "absent -30 backscatter" "alone, it is proof"
is "$(weigh "$world/unproven-nothing-returned.eml")" "unavailable +0 unproven" "and is unavailable without headers"

# standing: who reports is the recipient's own server, for mail that is not ours; or cannot be told.
check=standing
configure '' ''
is "$(weigh "$world/forged-naive.eml")" "related +4* backscatter" "a host that may speak for the recipient, outvoted"
is "$(weigh "$world/unproven-nothing-returned.eml")" "related +4* unproven" "alone it proves nothing"
sed 's/^Received: from .*/Received: from relay.hoster.test (relay.hoster.test [203.0.113.77])/' \
	"$world/unproven-nothing-returned.eml" >"$dir/stranger.eml"
is "$(weigh "$dir/stranger.eml")" "unavailable +0 unproven" "and is unavailable where DNS is not asked"
how=--state

# Our own server found the HELO name to be another's: many honest hosts have such a name.
check=reporter
configure 'authserv-id = {"lists.example.org"}'
sed '/^Date: Sun, 22 Nov 2026 07:15:06/i Authentication-Results: lists.example.org; spf=fail smtp.helo=mx.example.net' \
	"$tagged" >"$dir/helo.eml"
is "$(weigh "$dir/helo.eml")" "helo-fail -5 genuine" "a HELO name that SPF refuses, outvoted"
sed 's/^Date: /Authentication-Results: lists.example.org; spf=fail smtp.helo=x\n&/;T;:a;n;ba' \
	"$world/unproven-nothing-returned.eml" >"$dir/helo.eml"
is "$(weigh "$dir/helo.eml")" "helo-fail -5 unproven" "alone it proves nothing"
is "$(weigh "$world/unproven-nothing-returned.eml")" "unavailable +0 unproven" "and is unavailable where nobody found out"

done_testing
