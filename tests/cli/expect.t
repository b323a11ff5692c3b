#!/bin/sh
# expect.t: scan --expect on mbox, Maildir and folders: found, missed and wrong, and odd tables.
. "$(dirname "$0")/lib.sh"

folder=$dir/mail
mkdir -p "$folder/box/new" "$folder/box/cur" "$folder/box/tmp"
bounce() { # ADDRESS WORDS
	printf 'Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: announce-bounces@lists.example.org\n'
	printf 'Subject: Undelivered Mail\n\n<%s>: 550 %s\n' "$1" "$2"
}
bounce ann@example.net 'no such user' >"$folder/one.eml"
bounce bob@example.net 'mailbox full' >"$folder/box/cur/2.host:2,S"
bounce eve@example.net 'no such user' >"$folder/box/new/3.host"
printf 'From: a@example.net\nTo: b@example.org\nSubject: hello\n\nHello.\n' >"$folder/plain.eml"
for address in ann bob; do
	printf 'From MAILER-DAEMON Mon Nov 23 10:00:00 2026\n'
	bounce "$address@example.net" 'no such user'
	echo
done >"$folder/two.mbox"

# label FIELDS...: a row; the head line is the first.
label() {
	printf '%s' "$1"
	shift
	[ $# -eq 0 ] || printf '\t%s' "$@"
	echo
}
all() {
	label path kind recipients reason dialect
	label one.eml failed ann@example.net userunknown generic
	label box/cur/2.host failed bob@example.net mailboxfull generic
	label 3.host failed eve@example.net userunknown generic
	label plain.eml ordinary - - -
	label two.mbox failed ann@example.net userunknown -
	label two.mbox:2 failed bob@example.net userunknown -
}
# compare [OPTION]: the table with the folder.
compare() {
	run "$BACKSTOP" scan --expect="$dir/labels" "$@" "$folder"
}

all >"$dir/labels"
compare --diff
is "$status|$out|$err" "0||" "all as expected: nothing is printed"
all | sed 's/$/\r/' >"$dir/labels"
compare --diff
is "$status|$out|$err" "0||" "CRLF"
{ printf '\357\273\277' && all; } >"$dir/labels"
compare --diff
is "$status|$out|$err" "0||" "a byte order mark"
all | sed 's/two\.mbox\t/two.mbox:1\t/' >"$dir/labels"
compare --diff
is "$status|$out|$err" "0||" "the first of an mbox by its number"
all | sed 's/two\.mbox:2/two.mbox:3/' >"$dir/labels"
compare
is "$status" 0 "a label whose message is not there is no difference"
like "$out" '^5 messages compared, 0 duplicates and 1 without a label left out, 1 label without a message$' \
	"but counted"
like "$out" '^  two\.mbox:3$' "and named"
{ label path kind && for number in 1 2 3 4 5 6 7 8 9 10 11 12; do label "gone-$number" failed; done; } >"$dir/labels"
compare
is "$status" 1 "no message that has a label"
like "$out" '^  and 2 more$' "of many that are not there ten are named"

all | sed 's/plain.eml.*/plain.eml\tautoreply\t-\t-\t-/
	s/eve@example.net\tuserunknown\tgeneric/anna@example.net\tmailboxfull\tqmail/
	s/two.mbox:2\tfailed/two.mbox:2\tdelayed/' >"$dir/labels"
compare
is "$status" 1 "1: something differs"
like "$out" '/mail/plain\.eml: kind: want autoreply, got ordinary$' "a kind, with its file"
like "$out" '/new/3\.host: recipients: want anna@example\.net, got eve@example\.net$' "recipients"
like "$out" '/new/3\.host: reason: want mailboxfull, got userunknown$' "a reason"
like "$out" '/new/3\.host: dialect: want qmail, got generic$' "a dialect"
like "$out" '/two\.mbox:2: kind: want delayed, got failed$' "the second message of an mbox"
like "$out" '^autoreply +1 +0 +1 +0$' "found, missed and wrong: a kind that is missed"
like "$out" '^delayed +1 +0 +0 +1$' "and one that is wrong"
like "$out" '^qmail +1 +0 +0 +1$' "a dialect"
like "$out" '^mailboxfull +2 +1 +0 +1$' "a reason"
sed '/^$/,$d' "$dir/.out" >"$dir/differences"
run "$BACKSTOP" scan --expect="$dir/labels" --diff "$folder"
is "$status" 1 "--diff: 1"
is "$out" "$(cat "$dir/differences")" "--diff: these lines and nothing else"

all | sed 's/mailboxfull/mailbox-full/' >"$dir/labels"
compare --diff
is "$status" 1 "a reason that is none differs"
like "$err" "^$dir/labels:3: reason \"mailbox-full\" is none that backstop-scan\\(1\\) lists" "and is named"
{ all && label one.eml failed ann@example.net userunknown generic; } >"$dir/labels"
compare --diff
like "$err" "^$dir/labels:[28]: one\\.eml has a row already: one of them is not compared\$" "a path that stands twice"
all | sed 's/^one.*/one.eml/' >"$dir/labels"
compare
is "$status" 0 "a row without a kind"
like "$err" "^$dir/labels:2: no kind: it is not compared\$" "is named"
like "$out" '^5 messages compared' "and not compared"
all | sed 's/ordinary/ordinry/' >"$dir/labels"
compare
is "$status" 65 "65: a kind that is none"
like "$err" "$dir/labels:5: kind \"ordinry\" is none; want failed," "with its line"
all | sed 's/path/file/' >"$dir/labels"
compare
is "$status" 65 "65: a head line without a path"
all | tr '\t' ' ' >"$dir/labels"
compare
is "$status" 65 "65: blanks for tabs"
like "$err" "$dir/labels:1: want a head line with the columns path and kind or verdict, with tabs between them" "what is wanted"

done_testing
