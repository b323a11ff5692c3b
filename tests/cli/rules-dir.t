#!/bin/sh
# rules-dir.t: what a postmaster may put into a rules-dir: each fault is named by file and line, what is
# no fault is read, and no delivery fails for it.
. "$(dirname "$0")/lib.sh"

rules=$dir/rules
mkdir "$rules"
printf 'state = "%s/state"\nlog = "stderr"\nrules-dir = "%s"\n' "$dir" "$rules" >"$dir/conf"
cat >"$dir/bounce.eml" <<'EOM'
Return-Path: <>
From: robot@mx.example.net
To: announce-bounces@lists.example.org
Subject: Zustellproblem 4711

ExampleMail 1.0 sagt: an (ann@example.net) geht nichts.
EOM
# A rule that is right; filters behind it make other files of it.
good() {
	cat <<'EOM'
dialect examplemail
	literal   "ExampleMail"
	address   /an \((?<address>[^()\s]+@[^()\s]+)\) geht nichts/
	sample
		Return-Path: <>
		From: robot@mx.example.net
		Subject: Zustellproblem 1

		ExampleMail 2.0 sagt: an (eve@example.com) geht nichts.
	expect    failed eve@example.com
EOM
}
empty() {
	rm -rf "$rules"
	mkdir "$rules"
}
# works NAME: the rule is read and recognises the message; then the directory is emptied.
works() {
	run "$BACKSTOP" rules check -c "$dir/conf"
	is "$status" 0 "$1: in order"
	run "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir/bounce.eml"
	like "$out" '"dialect":"examplemail","recipients":\[\{"address":"ann@example.net"' "$1: it is used"
	empty
}
# refused NAME TEXT: each command says so; a delivery warns, and delivers.
refused() {
	run timeout 20 "$BACKSTOP" scan -c "$dir/conf" "$dir/bounce.eml"
	is "$status" 78 "$1: 78"
	like "$err" "^backstop scan: $2" "$1: named"
	run timeout 20 "$BACKSTOP" check -c "$dir/conf"
	like "$out" "$2" "$1: check names it"
	run timeout 20 "$BACKSTOP" deliver -c "$dir/conf" --sender= --recipient=x@example.net <"$dir/bounce.eml"
	is "$status" 0 "$1: a delivery goes on"
	like "$err" "^backstop: warning: $2.*; this file is left out" "$1: and warns"
	empty
}
# faulty NAME TEXT: rules check says so.
faulty() {
	run "$BACKSTOP" rules check -c "$dir/conf"
	is "$status" 65 "$1: 65"
	like "$out" "$2" "$1: named"
	empty
}

# ---- how the file is written ----

good >"$rules/mta.rules"
works "a rule"
good | sed 's/$/\r/' >"$rules/mta.rules"
works "CRLF"
{ printf '\357\273\277' && good; } >"$rules/mta.rules"
works "a byte order mark"
good | sed 's/^\t\t/        /; s/^\t/    /' >"$rules/mta.rules"
works "blanks for tabs"
good | tr '\t' ' ' >"$rules/mta.rules"
works "a blank for each tab"
good | sed 's/^$/\t/' >"$rules/mta.rules"
works "white space on an empty line"
good >"$dir/elsewhere"
ln -s ../elsewhere "$rules/mta.rules"
works "a symbolic link"
good >"$rules/mta.rules"
for name in mta.rules~ .mta.rules.swp mta.rules.dpkg-old '#mta.rules#' .hidden.rules README; do
	echo nonsense >"$rules/$name"
done
works "an editor's files beside it"
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 0 "an empty directory"
good | sed 's/^\t\t/        /' >"$rules/mta.rules"
refused "a sample in blanks below tabs" "$rules/mta.rules:4: want the lines of the sample below, further to the right"
good | sed 's/^dialect/  dialect/' >"$rules/mta.rules"
refused "a rule that is indented" "$rules/mta.rules:1: a rule begins at the start of a line"
printf 'dialect x\n\tliteral "K\344se"\n' >"$rules/mta.rules"
refused "Latin-1" "$rules/mta.rules:2: x: \"k.+se\" is not in UTF-8"
good | sed 's/ExampleMail 2/& \xe4/' >"$rules/mta.rules"
works "Latin-1 in a sample"
good | iconv -t UTF-16 >"$rules/mta.rules"
refused "UTF-16" "$rules/mta.rules:1: a NUL byte: want a text in UTF-8"
head -c 1100000 /dev/zero | tr '\0' '#' >"$rules/mta.rules"
refused "a file that is too large" "$rules/mta.rules: want a text of at most 1 MiB"

# ---- what the file is ----

good >"$rules/local.rules"
refused "a name of its own" "$rules/local.rules: no such rules file; its name must be providers.rules, mta.rules"
mkdir "$rules/mta.rules"
refused "a directory" "$rules/mta.rules: want a regular file"
mkfifo "$rules/mta.rules"
refused "a FIFO" "$rules/mta.rules: want a regular file"
ln -s nowhere "$rules/mta.rules"
refused "a link to nowhere" "$rules/mta.rules: No such file or directory"
if [ "$(id -u)" -ne 0 ]; then # root reads it all the same
	good >"$rules/mta.rules"
	chmod 0 "$rules/mta.rules"
	refused "a file without permission" "$rules/mta.rules: permission denied"
fi
printf 'dialect\n' >"$rules/kinds.rules"
printf 'reason none x\n' >"$rules/reasons.rules"
good >"$rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
like "$err" "kinds.rules:1: .*\$" "of two files that are wrong the one"
like "$err" "reasons.rules:1: there is no such reason" "and the other are named"
run "$BACKSTOP" deliver -c "$dir/conf" --sender= --recipient=x@example.net <"$dir/bounce.eml"
is "$status" 0 "a delivery goes on"
is "$(echo "$err" | grep -c 'warning: .*this file is left out')" 2 "warns of both"
run "$BACKSTOP" scan --format=json "$(find "$dir/state" -path '*/new/*' -newer "$rules/mta.rules" -type f | head -n 1)"
is "$status" 0 "and the message is there"
empty

# ---- what the rules say ----

good | sed 's/literal .*/literal "é|"/; s/^\tsample/\tbody \/^(?:Example|\\d)\/\n&/' >"$rules/mta.rules"
faulty "words that are not there" 'mta\.rules:5: examplemail: its sample is not what the rule looks for: the "literal" of line 2 does not hold'
good | sed 's/literal .*/subject \/^(?:Zustell|\\d+)\//' >"$rules/mta.rules"
refused "no literal" "$rules/mta.rules:2: examplemail: has no literal, the words that are looked for first: .{4,6} can be met without any"
good | sed 's/literal .*/subject \/^(?:Zustellproblem|Lieferproblem)\//' >"$rules/mta.rules"
works "the words of a regex are a literal"
good | sed 's/<address>/<addres>/' >"$rules/mta.rules"
refused "a group that is misspelt" "$rules/mta.rules:3: examplemail: want \\(\\?<address>\\.\\.\\.\\) in an "
good | sed 's/\/an/\/(an/' >"$rules/mta.rules"
refused "a regex that does not compile" "$rules/mta.rules:3: examplemail: /\\(an .*: missing closing parenthesis"
good | head -n 3 >"$rules/mta.rules"
faulty "no sample" 'mta\.rules:1: examplemail: has no sample'
good | sed '/expect/d' >"$rules/mta.rules"
faulty "no expect" 'mta\.rules:4: examplemail: its sample has no expect: want, for instance, expect failed ann@example\.net'
good | sed 's/expect .*/expect fialed eve@example.com/' >"$rules/mta.rules"
faulty "a wrong expect" 'mta\.rules:4: examplemail: its sample gives "failed", expected is "fialed"'
{ good && good; } >"$rules/mta.rules"
refused "the same name twice" "$rules/mta.rules:11: examplemail: $rules/mta.rules:1 has this name too"
good | tee "$rules/mta.rules" >"$rules/providers.rules"
refused "the same name in two files" "$rules/providers.rules:1: examplemail: $rules/mta.rules:1 has this name too: want another"
good | sed 's/examplemail/gmail/' >"$rules/mta.rules"
refused "the name of a rule of another file" "$rules/mta.rules:1: gmail: providers\\.rules:[0-9]+ has this name too: .*to replace it, a file of that name"
good >"$rules/kinds.rules"
refused "a dialect among the kinds" "$rules/kinds.rules:1: examplemail: a dialect is asked in providers\\.rules, mta\\.rules or generic\\.rules only"
printf 'reason mailboxfull x\n\tbody "full"\n' >"$rules/mta.rules"
refused "a reason among the dialects" "$rules/mta.rules:1: x: a reason is asked in reasons\\.rules only"

# ---- several samples, and phrases that no sample shows ----

{
	good
	printf '\tsample\n\t\tReturn-Path: <>\n\t\tFrom: x@example.net\n\n'
	printf '\t\tExampleMail: an (bob@example.com) geht nichts.\n\texpect failed ann@example.com\n'
} >"$rules/mta.rules"
faulty "the second of two samples" 'mta\.rules:11: examplemail: its sample gives "bob@example\.com", expected is "ann@example\.com"'
{
	good
	good | sed 's/examplemail/examplemail-late/; s/"ExampleMail"/"ExampleMail 2.0 sagt" | "Beispielpost"/
		s/literal .*/&\n\tsubject \/Zustellproblem|Zustellung (?:unmöglich|nicht möglich)\//
		s/\tExampleMail 2/\tBeispielpost 2/'
} >"$rules/mta.rules"
faulty "a phrase that an earlier rule takes" \
	"mta\\.rules:12: examplemail-late: its words \"examplemail 2\\.0 sagt\" are won by examplemail \\($rules/mta\\.rules:1\\): they are shadowed"
{
	good | sed 's/literal .*/&\n\tsubject "unmöglich"/; s/Subject: .*/Subject: unmöglich/'
	good | sed 's/examplemail/examplemail-late/
		s/literal .*/&\n\tsubject \/Zustell(?:problem|ung (?:unmöglich|nicht möglich))\//'
} >"$rules/mta.rules"
faulty "an alternative that an earlier rule takes" \
	'mta\.rules:14: examplemail-late: its words "Zustellung unmöglich" are won by examplemail '
good | sed 's/"ExampleMail"/& | "Beispielpost"\n\tbody "ExampleMail 2"/' >"$rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf" --verbose
like "$out" 'mta\.rules:2: examplemail: not tried: "beispielpost"' "--verbose: what could not be tried"
like "$out" '^[0-9]+ samples, [0-9]+ alternatives tried, [0-9]+ not$' "and the numbers"
empty

# ---- replacing and switching off ----

printf 'Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: announce-bounces@lists.example.org\nSubject: x\n\nHi. This is the qmail-send program at mx.example.net.\n\n<ann@example.net>:\nno.\n' \
	>"$dir/qmail.eml"
place() { # of a rule among those of its file
	"$BACKSTOP" rules show -c "$dir/conf" | awk -v name="$1" '$2 == name { print NR }'
}
before=$(place qmail)
good | sed 's/examplemail/qmail/' >"$rules/mta.rules"
run "$BACKSTOP" rules show -c "$dir/conf" qmail
like "$out" "^dialect  qmail +$rules/mta.rules:1\$" "a rule of that name is replaced"
is "$(place qmail)" "$before" "and asked in its place"
run "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir/qmail.eml"
unlike "$out" '"dialect":"qmail"' "the old one is not asked"
empty
run "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir/qmail.eml"
like "$out" '"dialect":"qmail"' "without a file there it is asked"
printf 'dialect qmail\n\toff\n' >"$rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 0 "one that is switched off: in order"
run "$BACKSTOP" scan -c "$dir/conf" --format=json "$dir/qmail.eml"
unlike "$out" '"dialect":"qmail"' "and it is not asked"
run "$BACKSTOP" rules show -c "$dir/conf" qmail
is "$status" 1 "nor shown"
printf 'dialect qmial\n\toff\n' >"$rules/mta.rules"
refused "a rule that is not there is switched off" "$rules/mta.rules:1: qmial: there is no dialect of this name in the default mta\\.rules"
printf 'dialect qmail\n\toff\n\tliteral "abc"\n' >"$rules/mta.rules"
refused "one that is off and something else" "$rules/mta.rules:1: qmail: a rule that is off has no other line"

# ---- a regex that would run away, in a message of a megabyte ----

cat >"$rules/mta.rules" <<'EOM'
dialect runaway
	literal   "aaaa"
	body      /(a+)+$/
	sample
		Return-Path: <>
		From: MAILER-DAEMON@mx.example.net

		aaaa
	expect    failed
EOM
{
	printf 'Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: x\n\n'
	yes 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | head -c 1000000
} >"$dir/long.eml"
run timeout 20 "$BACKSTOP" deliver -c "$dir/conf" --sender= --recipient=x@example.net <"$dir/long.eml"
is "$status" 0 "a search that would run away ends"
like "$err" "^backstop: warning: $rules/mta.rules:3: runaway: a regex went on too long in a message, and counted as one that does not fit\$" \
	"and the log names the line"

rm -r "$rules"
run "$BACKSTOP" deliver -c "$dir/conf" --sender= --recipient=x@example.net <"$dir/bounce.eml"
is "$status" 0 "without the directory a delivery goes on"
like "$err" "^backstop: warning: rules-dir $rules: No such file or directory" "and warns"

done_testing
