#!/bin/sh
# What the owners of a list in a storm are told: one message when it begins, one when it is over, with
# the numbers and what was kept for them meanwhile; and no single reports.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

world_bounce=$world/genuine-postfix.eml
storm='storm { factor = 2 minimum = 1/hour }'
configure "$storm"

# at MINUTE: of 2026-11-24.
at() {
	printf -- '--now=2026-11-%02dT%02d:%02d:00Z' $((24 + $1 / 1440)) $(($1 / 60 % 24)) $(($1 % 60))
}

# hop NUMBER MINUTE: a report on mNUMBER@example.net, genuine by the hop alone.
hop() {
	sed -e "s/ann@example\.net/m$1@example.net/g" -e "1,/^\$/s/^Message-ID: </&$1./" \
		"$world_bounce" >"$dir/bounce"
	deliver "$dir/bounce" "$(at "$2")"
}

# genuine NUMBER MINUTE: one that the ledger knows, too.
genuine() {
	printf '2026-11-20T08:00:00Z\t<20261120080000.1A2B@lists.example.org>\t%s\t%s\n' \
		announce-bounces@lists.example.org "m$1@example.net" >"$dir/sent.tsv"
	"$BACKSTOP" sent -c "$conf" "$(at "$2")" --tsv="$dir/sent.tsv" >/dev/null
	hop "$1" "$2"
}

# forged COUNT MINUTE; what they say is in $dir/flood.log.
forged() {
	forged=0
	while [ "$forged" -lt "$1" ]; do
		forged=$((forged + 1))
		deliver "$world/forged-naive.eml" "$(at "$2")"
		[ "$status" -eq 0 ] || echo "# delivery $forged: exit $status"
		cat "$dir/.err" >>"$dir/flood.log"
	done
}

digest() {
	minute=$1
	shift
	run "$BACKSTOP" digest -c "$conf" "$(at "$minute")" "$@"
}

# Subjects of what was sent, as long lines.
subjects() {
	for file in "$outbox"/*.msg; do
		sed -n '/^Subject: /,/^Date: /p' "$file" | grep -v '^Date: ' | tr -d '\n'
		echo
	done
}

# ---- it begins ----

genuine 1 0
is "$(sent_count)" 1 "in quiet times a report is sent"
forget_sent
forged 25 10
is "$(sent_count)" 1 "a flood of forged reports makes one message"
is "$(subjects)" "Subject: [announce@lists.example.org] storm of reports since 2026-11-24 00:10" \
	"which says that a storm began"
is "$(tr '\n' ' ' <"$(echo "$outbox"/*.arg)")" "-i -f <> -- alice@example.org " \
	"from the null sender, to the owner"
message=$(cat "$outbox"/*.msg)
like "$message" '^Auto-Submitted: auto-generated$' "it says that it is automatic"
like "$message" '^X-Backstop-Loop: announce@lists\.example\.org$' "it has the loop header"
like "$message" '^X-Backstop-Kind: storm$' "and says what it is"
like "$message" 'There is nothing that you have to do' "and what to do"
is "$(grep -c 'digest list=announce@lists.example.org sent: that a storm began$' "$dir/flood.log")" 1 \
	"the log says that it was sent"

# ---- it lasts ----

forget_sent
for number in 2 3 4; do
	genuine $number 12
	like "$err" 'verdict=genuine .*action=hold .*policy=forward for=digest$' "a genuine report is kept"
done
deliver "$world/unproven-nothing-returned.eml" "$(at 12)"
like "$err" 'verdict=unproven .*action=hold ' "an unproven one is held"
unlike "$err" 'for=digest' "and not for the digest"
sed '/^Message-ID: <20261120080000\.1A2B@/d' "$world_bounce" >"$dir/nameless"
world_bounce=$dir/nameless
hop 5 12
world_bounce=$world/genuine-postfix.eml
like "$err" 'verdict=unproven .*storm:storm .* policy=forward for=digest$' \
	"one that is unproven by the storm alone is kept for the digest, too"
is "$(sent_count)" 0 "nothing is sent"
digest 13
is "$status$out$err$(sent_count)" 00 "there is nothing to send"
digest 13 --dry-run
is "$out" "announce@lists.example.org: a storm since 2026-11-24T00:10:00Z; its end will be told
announce@lists.example.org: 4 reports since 2026-11-24T00:12:00Z, due when the storm is over, or they have waited for a day" \
	"--dry-run says what will be"
forged 1 20
deliver "$world/ordinary-to-owner.eml" "$(at 20)"
is "$(sent_count)" 1 "a person's mail is not put off"
forget_sent

# ---- it is over ----

cp -R "$state" "$dir/storm-state"
run "$BACKSTOP" check -c "$conf" "$(at 60)"
unlike "$out" 'should have been sent' "check does not mind while it lasts"
run "$BACKSTOP" check -c "$conf" "$(at 300)"
like "$out" '^warning: list announce@lists\.example\.org: 4 reports should have been sent to its owners at 2026-11-24T00:12:00Z' \
	"check minds when nobody is told of its end"
digest 300
is "$status" 0 "when it is over"
is "$out" "sent announce@lists.example.org: that a storm is over, and a digest of 4 reports" \
	"the digest goes with the news"
sent_once "in one message"
like "$(subjects)" '^Subject: \[announce@lists\.example\.org\] storm is over: [0-9]+ reports, 4 genuine$' \
	"whose subject has the numbers"
message=$(cat "$outbox"/*.msg)
like "$message" '^from 2026-11-24 00:10 to 2026-11-24 0[0-9]:[0-9]* \(UTC\)' "it says how long it was"
like "$message" '^  held, of all these +[0-9]+$' "and how many are held"
for number in 2 3 4; do
	like "$message" "^    m$number@example\.net +5\.1\.1 " "m$number, who failed, is listed"
done
like "$(printf '%s\n' "$message" | sed -n '/^Reports that only the storm/,/^$/p')" '^    m5@example\.net ' \
	"and what was unproven by the storm alone, apart"
unlike "$message" 'owner-limit' "no limit had to do with it"
unlike "$message" 'cara@example\.com' "what was held is not told of"
like "$(held list)" 'unproven .*cara@example.com +-?$|unproven .*cara@example.com' "it stays held"
forget_sent
digest 301
is "$status$out$err$(sent_count)" 00 "it is told once"
genuine 8 302
is "$(sent_count)" 1 "and reports are sent as before"

# ---- a message that cannot be sent ----

rm -rf "$state"
cp -R "$dir/storm-state" "$state"
forget_sent
make_program "$dir/sendmail" <<-END
	cat >"$outbox/\$\$.msg"
	exit 75
END
for minute in 300 301; do
	digest $minute
	is "$status $out" "71 " "a sendmail that fails, at $minute"
	is "$err" "backstop digest: announce@lists.example.org: that a storm is over, and a digest of 4 reports: $dir/sendmail exited with code 75" \
		"is said once"
done
is "$(sent_count)" 2 "each run tries it, and tries the digest no second time without the news"
make_program "$dir/sendmail" <<-END
	printf '%s\n' "\$@" >"$outbox/\$\$.arg"
	cat >"$outbox/\$\$.msg"
END
forget_sent
digest 302
is "$status $out" "0 sent announce@lists.example.org: that a storm is over, and a digest of 4 reports" \
	"the next run sends both"
sent_once "in one message"

# ---- the list's next report brings it, too ----

rm -rf "$state"
cp -R "$dir/storm-state" "$state"
forget_sent
genuine 6 300
ends 0 "the first report after a storm"
is "$(sent_count)" 2 "brings the message of its end"
like "$err" 'digest list=announce@lists\.example\.org sent: that a storm is over, and a digest of 4 reports' \
	"which the log says"

# ---- a storm that nobody was told of while it lasted ----

make_program "$dir/sendmail" <<-'END'
	cat >/dev/null
	exit 75
END
rm -rf "$state"
genuine 1 0
: >"$dir/flood.log"
forged 25 10
is "$(grep -c 'warning: digest list=announce@lists.example.org not sent: that a storm began: ' "$dir/flood.log")" 1 \
	"a message that cannot be sent is tried once, not by each delivery"
make_program "$dir/sendmail" <<-END
	printf '%s\n' "\$@" >"$outbox/\$\$.arg"
	cat >"$outbox/\$\$.msg"
END
cp -R "$state" "$dir/untold-state"
forget_sent
digest 21 --dry-run
is "$out" "announce@lists.example.org: a storm since 2026-11-24T00:10:00Z; its end will be told
announce@lists.example.org: a message that a storm began, due now" "--dry-run says what is due"
digest 21
is "$out" "sent announce@lists.example.org: that a storm began" "ten minutes later it is tried again"
rm -rf "$state"
cp -R "$dir/untold-state" "$state"
forget_sent
digest 300 --dry-run
is "$out" "announce@lists.example.org: a message that a storm is over, due now" "--dry-run says of its end, too"
digest 300
is "$out" "sent announce@lists.example.org: that a storm is over" "hours later only its end is told"
sent_once "in one message"

# ---- a list that holds what is unproven ----

rm -rf "$state"
configure "$storm" 'unproven = "hold"'
genuine 1 0
forged 25 10
world_bounce=$dir/nameless
hop 5 12
world_bounce=$world/genuine-postfix.eml
like "$err" 'verdict=unproven .*storm:storm .* policy=forward for=digest$' \
	"what the storm alone makes unproven is its owners', too, where they would be sent it in calm times"
deliver "$world/unproven-nothing-returned.eml" "$(at 12)"
like "$err" 'verdict=unproven .*action=hold ' "other unproven ones are held"
unlike "$err" 'for=digest' "as at any time"
forget_sent
digest 300
is "$out" "sent announce@lists.example.org: that a storm is over, and a digest of 1 report" \
	"the owners are told of the one"
like "$(cat "$outbox"/*.msg)" '^    m5@example\.net ' "and who failed"

# ---- owners who are told nothing ----

rm -rf "$state"
configure "mode = observe
$storm"
forget_sent
genuine 1 0
forged 25 10
digest 11 --dry-run
is "$out" "announce@lists.example.org: a storm since 2026-11-24T00:10:00Z; its end will not be told" \
	"in observe mode --dry-run promises nothing"
digest 300
is "$status$out" 0 "in observe mode owners are told nothing"
is "$(grep -l '^X-Backstop-Kind: storm' "$outbox"/*.msg | wc -l)" 0 "of a storm"

rm -rf "$state"
configure "$storm" "genuine = \"maildir:$dir/box\"
unproven = \"maildir:$dir/box\""
genuine 1 0
forget_sent
forged 25 10
genuine 2 11
deliver "$world/unproven-nothing-returned.eml" "$(at 11)"
is "$(count_files "$dir/box/new"/*)" 3 "a Maildir gets what it gets in quiet times"
like "$(cat "$outbox"/*.msg)" 'reports go where they go at other times' "and the message says so"

done_testing
