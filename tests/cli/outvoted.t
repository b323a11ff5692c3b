#!/bin/sh
# The checks hop and reporter are wrong about a genuine report, and are outvoted; hop is the only one that
# speaks, and is unavailable. (tag, sent: test_tagged.c; dkim: test_dkim.c; replay, roster, shape, dns: their .t)
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
