#!/bin/sh
# rules.t: every rule wins its own sample; a dialect is added, and replaced, at run time without C.
. "$(dirname "$0")/lib.sh"

dir=$(mktemp -d "${TMPDIR:-/tmp}/backstop-cli.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/rules"
cat >"$dir/conf" <<EOF
state = "$dir/state"
log = "stderr"
rules-dir = "$dir/rules"
EOF
cat >"$dir/bounce.eml" <<'EOF'
Return-Path: <>
From: robot@mx.example.net
To: announce-bounces@lists.example.org
Subject: Zustellproblem 4711

ExampleMail 1.0 sagt: an (ann@example.net) geht nichts.
EOF

run "$BACKSTOP" rules check
is "$status" 0 "the default rules are in order"
like "$out" '^[0-9]+ rules, no faults$' "and counted"
run "$BACKSTOP" rules show
like "$out" '^dialect +qmail +mta\.rules:[0-9]+$' "show lists them with file and line"
run "$BACKSTOP" rules show qmail
like "$out" '^expect failed ann@example\.net' "show NAME gives the sample"
run "$BACKSTOP" rules show user-unknown
like "$out" '^reason +user-unknown +reasons\.rules:[0-9]+$' "show NAME: a reason's rule"
like "$out" '^expect userunknown' "with its sample"
run "$BACKSTOP" rules show mesgtoobig
like "$out" '^reason +message-too-large ' "show WORD: every rule for that reason"
run "$BACKSTOP" rules show weights
like "$out" '^hop	ours	' "show weights"
run "$BACKSTOP" rules show no-such-rule
is "$status" 1 "1: no rule of that name"
run "$BACKSTOP" rules
is "$status" 64 "64: neither check nor show"

# ---- a dialect at run time ----

run "$BACKSTOP" scan --format=json "$dir/bounce.eml"
unlike "$out" '"dialect":"examplemail"' "before: the dialect is not known"
cat >"$dir/rules/mta.rules" <<'EOF'
# What our neighbour's server writes.
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
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 0 "with the new dialect: in order"
run "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir/bounce.eml"
like "$out" '"kind":"failed","dialect":"examplemail","recipients":\[\{"address":"ann@example.net"' \
	"with it: the bounce is read"

# ---- the examples of README ----

mkdir "$dir/readme"
# example WORD FILE: the rules that begin with WORD, as README shows them.
example() {
	awk -v word="    $1 " '/^(    )?[^ \t]/ { on = index($0, word) == 1 } on { sub(/^    /, ""); print }' \
		README.md >"$dir/readme/$2"
}
example dialect mta.rules
example reason reasons.rules
example kind kinds.rules
printf 'rules-dir = "%s/readme"\n' "$dir" >"$dir/readme.conf"
is "$(cat "$dir"/readme/*.rules | grep -cE "^(dialect|reason|kind) ")" 3 "there are three"
run "$BACKSTOP" rules check -c "$dir/readme.conf"
is "$status" 0 "README's examples: each wins its sample"
cat >"$dir/readme.eml" <<'EOF'
Return-Path: <>
From: MAILER-DAEMON@mx.example.org
To: announce-bounces@lists.example.org
Subject: delivery problem

This is the ExampleMail server. Recipient unknown:
Recipient: <bob@example.com>
EOF
run "$BACKSTOP" scan -c "$dir/readme.conf" --format=json "$dir/readme.eml"
like "$out" '"dialect":"examplemail","recipients":\[\{"address":"bob@example\.com"' "its dialect reads a message"
run "$BACKSTOP" rules check -c "$dir/readme.conf" "$dir/readme.eml"
like "$out" '^ +1  dialect  examplemail +.*/readme/mta\.rules:1$' "and is counted"
run "$BACKSTOP" rules check "$(dirname "$0")/../mail"
is "$status" 0 "the project's own messages: 0"
like "$out" '^won, of [0-9]{3} messages ' "they are counted"
like "$out" '^ +[1-9][0-9]*  form     rfc3464$' "with what no rule wins"
is "$(echo "$out" | sed -n 's/^ *\([0-9]*\)  reason .*/\1/p' | sort -rnc 2>&1)" "" "the most wins first"
run "$BACKSTOP" rules show -c "$dir/readme.conf" examplemail-full
is "$status" 0 "and they are read"

# ---- what is wrong is named by file and line ----

sed 's/^	literal .*/	literall "ExampleMail"/' "$dir/rules/mta.rules" >"$dir/wrong"
mv "$dir/wrong" "$dir/rules/mta.rules"
run "$BACKSTOP" scan -c "$dir/conf" "$dir/bounce.eml"
is "$status" 78 "78: a word that is none"
like "$err" "$dir/rules/mta.rules:3: \"literall\" is no line of a dialect: want literal," "file and line, and what would be right"
run "$BACKSTOP" check -c "$dir/conf"
like "$out" "$dir/rules/mta.rules:3: \"literall\" is no line of a dialect: want literal," "check says so too"
run "$BACKSTOP" deliver -c "$dir/conf" --sender= --recipient=x@example.net <"$dir/bounce.eml"
is "$status" 0 "a delivery goes on with the default rules"
like "$err" "warning: .*mta.rules:3" "with a warning"

printf 'dialect broken\n\tliteral "x"\n\taddress /(unclosed/\n\tsample\n\t\tFrom: a\n\texpect failed\n' \
	>"$dir/rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 78 "78: a regex that does not compile"
like "$err" 'mta.rules:3: broken: /\(unclosed/: missing closing parenthesis' "and why"
printf 'dialect qmail\n\tbody "x"\n' >"$dir/rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 78 "78: a dialect without a literal"
like "$err" 'mta.rules:2: qmail: has no literal, .*: "x" can be met without any' "and what would do"
printf 'dialect qmail\n\tbody "xy"\n' >"$dir/rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 65 "65: a dialect without a sample"
like "$out" 'mta.rules:1: qmail: has no sample' "and it says so"
rm "$dir/rules/mta.rules"

# ---- a reason and a kind at run time ----

cat >"$dir/full.eml" <<'EOF'
Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: announce-bounces@lists.example.org
Subject: Undelivered Mail

<ann@example.net>: 550 the hamster has eaten it
EOF
cat >"$dir/away.eml" <<'EOF'
From: ann@example.net
To: announce@lists.example.org
Subject: Gone fishing

Nobody is here.
EOF
run "$BACKSTOP" scan --format=json "$dir/full.eml" "$dir/away.eml"
unlike "$out" '"reason":"mailboxfull"' "before: the phrase is not known"
like "$out" '"kind":"ordinary"' "nor the absence"
cat >"$dir/rules/reasons.rules" <<'EOF'
reason mailboxfull example-hamster
	body "hamster has eaten"
	sample
		550 The hamster has eaten your mail
	expect mailboxfull permanent
EOF
cat >"$dir/rules/kinds.rules" <<'EOF'
kind autoreply example-fishing
	subject "gone fishing"
	sample
		From: eve@example.com
		Subject: Gone fishing

		Back on Monday.
	expect autoreply
EOF
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 0 "with a reason and a kind: in order"
run "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir/full.eml" "$dir/away.eml"
like "$out" '"reason":"mailboxfull","permanent":true' "with it: the phrase is known"
like "$out" '"kind":"autoreply","dialect":"example-fishing"' "and the absence"
run "$BACKSTOP" explain -c "$dir/conf" "$dir/full.eml"
like "$out" '^ +by +example-hamster$' "explain names the rule"
run "$BACKSTOP" rules check -c "$dir/conf" "$dir/full.eml" "$dir/away.eml"
like "$out" '^ +1  reason   example-hamster +.*reasons\.rules:1$' "check PATH counts what a reason wins"
like "$out" '^ +1  kind     example-fishing +.*kinds\.rules:1$' "and a kind"
like "$out" '^ +0  dialect  qmail +mta\.rules:[0-9]+$' "and says what wins nothing"

# A rule that is there is replaced by one of its name.
sed 's/example-hamster/mailbox-full/' "$dir/rules/reasons.rules" >"$dir/wrong"
mv "$dir/wrong" "$dir/rules/reasons.rules"
run "$BACKSTOP" rules show -c "$dir/conf" mailbox-full
is "$(echo "$out" | grep -c '^reason ')" 1 "a reason takes the place of the one with its name"
like "$out" "^reason +mailbox-full +$dir/rules/reasons.rules:1\$" "and says where it stands"
rm "$dir/rules/kinds.rules"

# ---- each fault of a rule ----

# wrong FILE TEXT PATTERN NAME: the text in a file of rules-dir is refused, or complained of.
wrong() {
	printf '%b' "$2" >"$dir/rules/$1"
	run "$BACKSTOP" rules check -c "$dir/conf"
	like "$out$err" "$3" "$4"
	rm "$dir/rules/$1"
}
rm "$dir/rules/reasons.rules"
wrong reasons.rules 'reason nonsense x\n' 'reasons.rules:1: there is no such reason' "a reason that is none"
wrong reasons.rules 'reason expired\n' \
	'reasons.rules:1: a reason needs a name of its own behind it, such as reason' "without a name"
wrong reasons.rules 'reason expired a b\n' 'reasons.rules:1: want one word' "with two"
wrong kinds.rules 'kind holiday x\n' 'kinds.rules:1: there is no such kind' "a kind that is none"
wrong kinds.rules 'rule x\n' 'kinds.rules:1: a rule begins with: dialect NAME,' "a rule that is none"
wrong kinds.rules '\tbody "x"\n' 'kinds.rules:1: a rule begins at the start of a line' "a line before it"
wrong kinds.rules 'kind mdn x\n\tstatus "5.1.1"\n' 'kinds.rules:2: "status" is no line of a kind: want' \
	"a line that only others have"
wrong kinds.rules 'kind mdn x\n\tbody "x" "y"\n' 'kinds.rules:2: want | between patterns' "no |"
wrong kinds.rules 'kind mdn x\n\tbody x\n' 'kinds.rules:2: want "words" or /regex/' "no quotes"
wrong kinds.rules 'kind mdn x\n\tbody "x\n' 'kinds.rules:2: a pattern is empty or does not end' "no end"
lines=$(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do printf '\\tbody "a"\\n'; done)
wrong kinds.rules "kind mdn x\\n$lines" 'kinds.rules:18: want at most 16 lines in one rule' "17 lines"
many=$(seq -f '"p%g" |' 64 | tr '\n' ' ')
wrong kinds.rules "kind mdn x\\n\\tbody $many \"q\"\\n" 'kinds.rules:2: want at most 64 patterns' "65 patterns"
wrong reasons.rules 'reason expired x\n\tbody "slow post"\n' 'reasons.rules:1: x: has no sample' "no sample"
wrong reasons.rules 'reason expired x\n\tbody /slow|\\w+/\n\tsample\n\t\tslow post\n' \
	'reasons.rules:2: x: has no literal, .*: "\\w\+" can be met without any' "a regex without a literal"
wrong reasons.rules 'reason expired x\n\tbody "slow post"\n\tsample\n\t\tslow post\n\texpect expired permanent too\n' \
	'reasons.rules:3: x: expect has a word too many: too' "a word too many"
wrong reasons.rules 'reason rejected x\n\tbody "mailbox is full" | "y"\n\tsample\n\t\tyy\nreason expired z\n\tbody "why"|"yy"\n\tsample\n\t\tyyy\n' \
	'reasons.rules:7: z: its sample is won by x \(.*reasons.rules:1\): this rule is shadowed' "a shadowed rule"
wrong reasons.rules 'reason rejected x\n\tbody "mail"\n\tsample\n\t\tmail\n' \
	'reasons.rules:[0-9]+: mailbox-full: its words "mailbox full" are won by x \(.*reasons.rules:1\): they are shadowed' \
	"shadowed words"

# ---- what a report says of the server that refused ----

cat >"$dir/refused.eml" <<'EOF'
Return-Path: <>
From: MAILER-DAEMON@mx.example.org
To: announce-bounces@lists.example.org
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.

<ann@example.net>:
203.0.113.7 does not like recipient.
Remote host said: 550 sorry, no mailbox here by that name (#5.1.1)
Giving up on 203.0.113.7.
EOF
run "$BACKSTOP" explain "$dir/refused.eml"
like "$out" '^ +refused by +203\.0\.113\.7$' "a detail of any family: the refusing server"
cat >"$dir/rules/mta.rules" <<'EOF'
dialect examplemail
	literal    "ExampleMail"
	subject    "Zustellproblem"
	address    /^an \((?<address>[^()\s]+@[^()\s]+)\)/
	diagnostic /sagte: (?<diagnostic>.*?), Ende/
	remote     /Rechner (?<remote>[\w.-]+\w) mit Code (?<reply>\d+)-(?<status>[\d.]+\d)/
	sample
		Return-Path: <>
		From: robot@mx.example.net
		Subject: Zustellproblem 1

		ExampleMail 2.0 meldet:
		an (eve@example.com): Rechner mx.example.com mit Code 550-5.2.2 sagte: the mailbox is full, Ende
	expect    failed eve@example.com mailboxfull
EOF
cat >"$dir/said.eml" <<'EOF'
Return-Path: <>
From: robot@mx.example.net
To: announce-bounces@lists.example.org
Subject: Zustellproblem 4711

ExampleMail 2.0 meldet:
an (ann@example.net): 1. Versuch, 451 4.7.1 spaeter.
Rechner mx2.example.net mit Code 552-5.2.2 sagte: zu viel Post, Ende
EOF
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 0 "a dialect with lines of its own for them: in order"
run "$BACKSTOP" explain -c "$dir/conf" "$dir/said.eml"
like "$out" '^ +refused by +mx2\.example\.net$' "its remote line"
run "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir/said.eml"
like "$out" '"status":"5.2.2","reply":"552","reason":"mailboxfull".*"diagnostic":"zu viel Post"' \
	"its codes and its diagnostic, before what stands there first"
wrong mta.rules 'dialect x\n\tliteral "xy"\n\tremote /x/\n\tsample\n\t\tx\n' \
	'mta.rules:3: x: want \(\?<remote>\.\.\.\) in x' "a line without its group"
wrong details.rules 'detail x\n\tliteral "said"\n\treply /said (?<reply>5\\d\\d)/\n\tsample\n\t\tsaid 550\n\texpect reply=551\n' \
	'details.rules:4: x: its sample gives "reply=550", expected is "reply=551"' "a detail's sample"

# ---- a regex that would run away ----
# Each run of letters costs a little less than would end the search, and there are thousands. Without
# a bound for all of them one message took half a minute, a folder for ever.

cat >"$dir/rules/mta.rules" <<'EOF'
dialect runaway
	literal   "aaaa"
	body      /(?:a|aa|aaa)+(?:a+)+[bc]/
	sample
		Return-Path: <>
		From: MAILER-DAEMON@mx.example.net

		aaaab
	expect    failed
EOF
for letters in aaaaaaaa aaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
	for copy in 1 2 3 4 5 6 7 8; do # enough for PCRE2's compiler to be used
		{
			printf 'Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: x\n\n'
			yes "$letters!" | head -c 64000
			printf '\nb\n'
		} >"$dir/run-$copy.eml"
	done
	run timeout 60 "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir"/run-?.eml
	is "$status:$(echo "$out" | wc -l)" 0:8 "a search is bounded: ${#letters} letters a line"
	[ ${#letters} -eq 8 ] || # which end within the limits
		like "$err" "^backstop scan: warning: $dir/rules/mta.rules:3: runaway: a regex went on" \
			"and the regex is named"
done

rm -r "$dir/rules"
run "$BACKSTOP" scan -c "$dir/conf" "$dir/bounce.eml"
is "$status" 66 "66: a rules-dir that is not there"

done_testing
