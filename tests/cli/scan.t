#!/bin/sh
# backstop scan: what it reads, what it prints, how it compares with labels, and that it changes
# nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

mail=$(cd "$world/.." && pwd)
genuine=$world/genuine-postfix.eml
forged=$world/forged-naive.eml
tab=$(printf '\t')

scan() {
	run "$BACKSTOP" scan -c "$conf" "$now" "$@"
}

# sources: where the messages of the json output came from, one a line.
sources() {
	printf '%s\n' "$out" | sed 's/^{"source":"\([^"]*\)".*/\1/'
}

# What Python or Perl say of standard input, as JSON, one object a line.
if command -v python3 >/dev/null; then
	parse_json() {
		python3 -c "
import json, sys
for line in sys.stdin:
    value = json.loads(line)
    print($1)"
	}
	keys="' '.join(sorted(value))"
	evidence_keys="' '.join(sorted({k for e in value['evidence'] for k in e}))"
	recipient_keys="' '.join(sorted({k for r in value['recipients'] for k in r}))"
	reporter_keys="' '.join(sorted(value['reporter']))"
	original_keys="' '.join(sorted(value['original']))"
else
	parse_json() {
		perl -MJSON::PP -ne "my \$value = decode_json(\$_); print $1, qq{\n}"
	}
	keys='join " ", sort keys %$value'
	evidence_keys='do { my %k; $k{$_} = 1 for map { keys %$_ } @{$value->{evidence}}; join " ", sort keys %k }'
	recipient_keys='do { my %k; $k{$_} = 1 for map { keys %$_ } @{$value->{recipients}}; join " ", sort keys %k }'
	reporter_keys='join " ", sort keys %{$value->{reporter}}'
	original_keys='join " ", sort keys %{$value->{original}}'
fi

# ---- what it reads ----

mkdir -p "$dir/in/folder/below" "$dir/in/box/cur" "$dir/in/box/new" "$dir/in/box/tmp"
cp "$genuine" "$dir/in/one.eml"
cp "$forged" "$dir/in/folder/below/two.eml"
cp "$forged" "$dir/in/folder/.hidden"
cp "$genuine" "$dir/in/box/new/1.a.b"
cp "$forged" "$dir/in/box/cur/2.a.b:2,S"
cp "$forged" "$dir/in/box/tmp/3.a.b"
{
	printf 'From MAILER-DAEMON Mon Nov 23 00:00:00 2026\n'
	sed 's/^From />&/; s/^This is the mail system/From here on it is quoted.\n&/' "$genuine" |
		sed 's/^From here/>&/'
	printf '\nFrom MAILER-DAEMON Mon Nov 23 00:00:01 2026\n'
	cat "$forged"
	printf '\n'
} >"$dir/in/both.mbox"

scan --format=json "$dir/in/one.eml"
is "$status" 0 "a file"
is "$(sources)" "$dir/in/one.eml" "a file is one message"
scan --format=json "$dir/in/both.mbox"
is "$(sources)" "$dir/in/both.mbox
$dir/in/both.mbox" "an mbox of two messages"
is "$(printf '%s\n' "$out" | sed 's/.*"index":\([0-9]*\),.*"recipients":\[{"address":"\([^"]*\)".*/\1 \2/')" \
	"1 ann@example.net
2 tom@example.com" "each with its number"
scan --format=json "$dir/in/box"
is "$(sources)" "$dir/in/box/new/1.a.b
$dir/in/box/cur/2.a.b:2,S" "a Maildir: new/ and cur/"
scan --format=json "$dir/in"
is "$(sources | sort)" "$(printf '%s\n' "$dir/in/both.mbox" "$dir/in/both.mbox" \
	"$dir/in/box/cur/2.a.b:2,S" "$dir/in/box/new/1.a.b" "$dir/in/folder/below/two.eml" \
	"$dir/in/one.eml")" "a folder: what is below it, hidden files left out"
scan --format=json - <"$genuine"
is "$(sources)" "-" "standard input"
scan --format=json - <"$dir/in/both.mbox"
is "$(sources | tr '\n' ' ')" "- - " "an mbox on standard input"
scan --format=json "$genuine" "$forged"
is "$(sources | wc -l)" 2 "several paths"

# The >From quoting of an mbox is undone before the message is read.
{
	printf 'From a Mon Nov 23 00:00:00 2026\nFrom: <ann@example.net>\nSubject: quoted\n'
	printf 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n'
	printf -- '--b\nContent-Type: message/delivery-status\n\n'
	printf 'Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; ann@example.net\n'
	printf 'Action: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n'
	printf '>From b Mon Nov 23 00:00:00 2026\nMessage-ID: <q@lists.example.org>\n\n--b--\n'
	printf '\nFrom a Mon Nov 23 00:00:00 2026\nSubject: second\n\ntext\n'
} >"$dir/quoted.mbox"
scan --format=csv "$dir/quoted.mbox"
is "$(printf '%s\n' "$out" | cut -d, -f 3,9)" "kind,message_id
failed,<q@lists.example.org>
ordinary," "an mbox: a quoted From line in a returned message"

scan "$dir/in/one.eml" "$dir/missing" "$dir/in/folder"
is "$status" 66 "66: a path that is not there"
like "$err" "^backstop scan: $dir/missing: No such file or directory$" "it is named"
is "$(printf '%s\n' "$out" | grep -c '^failed')" 2 "the others are read"
if is_root; then
	skip "66: a file that may not be read" "root may read everything"
else
	cp "$genuine" "$dir/in/secret.eml"
	chmod 0 "$dir/in/secret.eml"
	scan "$dir/in"
	is "$status" 66 "66: a file that may not be read"
	like "$err" "in/secret\.eml: " "it is named"
	rm -f "$dir/in/secret.eml"
fi
scan
is "$status" 64 "64: no path"
scan --format=xml "$genuine"
is "$status" 64 "64: a format that there is not"
like "$err" 'text, json or csv' "it says what would be right"
scan --nonsense "$genuine"
is "$status" 64 "64: an option that there is not"
if [ -c /dev/full ]; then
	status=0
	"$BACKSTOP" scan "$genuine" >/dev/full 2>"$dir/.err" || status=$?
	is "$status" 74 "74: nobody takes what it prints"
fi

# ---- what it prints ----

feed_ledger
scan --state "$genuine" "$forged" "$world/ordinary-to-owner.eml"
is "$(printf '%s\n' "$out" | tr -s ' ' | sed "s|$world/||")" \
	"KIND VERDICT SCORE ACTION SOURCE RECIPIENTS
failed genuine +74 forward genuine-postfix.eml ann@example.net
failed backscatter -60 drop forged-naive.eml tom@example.com
ordinary - - forward ordinary-to-owner.eml" "text"
is "$err" "" "text: not a word more, where it is no terminal"

scan --state --format=json "$mail"
is "$status" 0 "json: all of tests/mail"
printf '%s\n' "$out" >"$dir/json"
is "$(wc -l <"$dir/json")" "$(find "$mail" -type f ! -name '.*' | wc -l)" "json: one line a message"
is "$(parse_json "$keys" <"$dir/json" | sort -u)" \
	"action dialect evidence index kind list original recipients reporter score source verdict" \
	"json: each line parses, and all keys are there"
is "$(parse_json "$evidence_keys" <"$dir/json" | grep . | sort -u)" "check detail result weight" \
	"json: so are those of the evidence"
is "$(parse_json "$recipient_keys" <"$dir/json" | grep . | sort -u)" \
	"action address diagnostic final permanent reason reply status" \
	"json: those of a recipient"
is "$(parse_json "$reporter_keys" <"$dir/json" | sort -u)" "address helo mta" \
	"json: those of the reporter"
is "$(parse_json "$original_keys" <"$dir/json" | sort -u)" \
	"date from message_id return_path subject to" "json: those of the original"
like "$(grep genuine-postfix "$dir/json")" \
	'"kind":"failed","dialect":"rfc3464","recipients":\[\{"address":"ann@example\.net","final":"ann@example\.net","action":"failed","status":"5\.1\.1","reply":"550","reason":"userunknown","permanent":true,' \
	"json: what there is to say of a report"
like "$(grep genuine-postfix "$dir/json")" \
	'"list":"announce@lists\.example\.org","verdict":"genuine","score":74,"evidence":\[\{"check":"tag"' \
	"json: and of its weight"
like "$(grep ordinary-to-owner "$dir/json")" \
	'"kind":"ordinary","dialect":null,"recipients":\[\],.*"verdict":"-","score":null,"evidence":\[\],' \
	"json: what is not known is null"

{
	printf 'From: <mailer-daemon@example.net>\n'
	printf 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n'
	printf -- '--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n'
	printf 'Final-Recipient: rfc822; =cmd@example.net\nAction: failed\nStatus: 5.1.1\n'
	printf 'Diagnostic-Code: smtp; 550 \033]0;title\007 \377\376 \302\2332J "quoted" \\ \n\n--b--\n'
} >"$dir/hostile.eml"
scan --format=json "$dir/hostile.eml"
is "$(printf '%s\n' "$out" | parse_json "$keys" | wc -w)" 12 "json: hostile bytes still parse"
is "$(count_controls)" 0 "json: none of them comes through"
scan --format=csv "$dir/hostile.eml"
like "$out" ',"'"'"'=cmd@example\.net",' "csv: no cell begins like a formula"
scan "$dir/hostile.eml"
is "$(count_controls)" 0 "text: no escape sequence comes through"
like "$(printf 'Subject: x\n\ntext\n' | "$BACKSTOP" scan -c "$conf" "$now" --format=csv -)" \
	'^-,1,ordinary,,,,,,,,-,,file$|^"'"'-\",1,ordinary" "csv: what is not known is empty"

# ---- labels ----

scan --expect="$mail/labels.tsv" "$mail"
is "$status" 0 "--expect: tests/mail is as its labels say"
like "$out" '^kind right +([0-9]+) of +\1  100\.0 %$' "--expect: all kinds are right"
unlike "$out" ': (kind|recipients|verdict): want' "--expect: no line about a difference"
scan --state --expect="$world/expected.tsv" "$world"
is "$status" 0 "--expect: tests/mail/world is, verdicts included"
like "$out" '^[0-9]+ messages compared, 0 duplicates and 6 without a label left out, 0 labels without' \
	"--expect: and every label has its message"
like "$out" '^backscatter +0 +0 +9 +0$' "--expect: the confusion matrix of verdicts"
scan --expect="$world/expected.tsv" "$world"
is "$status" 1 "1: without the ledger it is not"
like "$out" 'forged-report\.eml: verdict: want backscatter, got unproven' "it says what differs"

servers=$mail/servers
sed 's/tagged *= some/tagged = all/' "$conf" >"$dir/all.conf"
run "$BACKSTOP" scan -c "$dir/all.conf" --now=2026-11-26T00:00:00Z --expect="$servers/expected.tsv" "$servers"
is "$status" 0 "--expect: tests/mail/servers is, by tags and hops alone"
like "$out" '^36 messages compared' "--expect: all of it"

printf 'path\tkind\trecipients\ngenuine-postfix.eml\tdelayed\tann@example.net\n' >"$dir/labels"
scan --expect="$dir/labels" "$genuine"
is "$status" 1 "1: another kind"
like "$out" 'genuine-postfix\.eml: kind: want delayed, got failed' "it says which"
printf 'path\tkind\trecipients\ngenuine-postfix.eml\tfailed\tbob@example.net\n' >"$dir/labels"
scan --expect="$dir/labels" "$genuine"
is "$status" 1 "1: other recipients"
like "$out" 'genuine-postfix\.eml: recipients: want bob@example\.net, got ann@example\.net' \
	"it says which"
like "$out" '^1 message compared, 0 duplicates and 0 without a label left out, 0 labels without' \
	"one message is no several"
printf 'path\tkind\nsomething-else.eml\tfailed\n' >"$dir/labels"
scan --expect="$dir/labels" "$genuine"
is "$status" 1 "1: no message has a label"

# refuses_labels LINE TEXT: labels from standard input; LINE is named.
refuses_labels() {
	cat >"$dir/labels"
	scan --expect="$dir/labels" "$genuine"
	is "$status" 65 "65: $2"
	like "$err" "$dir/labels:$1: " "the line is named: $2"
}
refuses_labels 1 "no column for the path" <<-EOF
	kind${tab}recipients
EOF
refuses_labels 3 "a kind that there is not" <<-EOF
	path${tab}kind
	a.eml${tab}failed
	b.eml${tab}faild
EOF
refuses_labels 2 "a verdict that there is not" <<-EOF
	path${tab}verdict
	a.eml${tab}good
EOF
refuses_labels 5 "a kind that there is not, behind empty lines" <<-EOF
	path${tab}kind

	# a comment

	b.eml${tab}faild
EOF
refuses_table() { # TEXT NAME: labels without a line to name
	cat >"$dir/labels"
	scan --expect="$dir/labels" "$genuine"
	is "$status" 65 "65: $2"
	like "$err" "$dir/labels: $1" "named: $2"
}
refuses_table 'empty: want a head line' "an empty table" </dev/null
scan --expect="$dir/missing" "$genuine"
is "$status" 66 "66: labels that are not there"

# ---- it changes nothing ----

# LMDB notes readers in its lock file; everything else must stay as it is.
snapshot() {
	(cd "$1" && find . ! -name lock.mdb -exec ls -ld --time-style=full-iso {} + &&
		find . -type f ! -name lock.mdb -exec cksum {} + | sort)
}
"$BACKSTOP" deliver -c "$conf" "$now" <"$forged" 2>/dev/null
before=$(snapshot "$state")
scan --state "$world" "$mail/dsn"
is "$status" 0 "--state: read"
scan --state="$state" --format=json "$world"
scan --expect="$world/expected.tsv" --state "$world"
is "$(snapshot "$state")" "$before" "--state: nothing in it has changed"
scan --state="$dir/no-state" "$genuine"
is "$status" 66 "66: a state that is not there"
ok "and it is not made" test ! -e "$dir/no-state"
is "$(sent_count)" 0 "nothing went out"

run "$BACKSTOP" scan "$now" "$genuine"
is "$status" 0 "without a configuration"
like "$out" '^failed +unproven +\+0 +file +.*ann@example\.net' "every list is unknown then"

# ---- progress ----

for number in $(seq 300); do
	cat "$dir/in/both.mbox" "$dir/in/both.mbox" "$dir/in/both.mbox" "$dir/in/both.mbox"
done >"$dir/large.mbox"
if [ -n "$(command -v script)" ] && script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	on_terminal() {
		script -qec "$1" /dev/null </dev/null
	}
	out=$(TERM=xterm on_terminal "$BACKSTOP scan $dir/large.mbox >/dev/null")
	like "$out" '\[[#.]{30}\] +[0-9]+ %  [0-9]+ messages' "on a terminal: a progress bar"
	like "$out" '^.*2400 messages, 2400 failed' "on a terminal: a count at the end"
	out=$(TERM=dumb on_terminal "$BACKSTOP scan $dir/large.mbox >/dev/null")
	unlike "$out" '\[[#.]{30}\]' "on a terminal that cannot move back: none"
else
	skip "on a terminal: a progress bar" "no script(1)"
fi
scan "$dir/large.mbox"
is "$err" "" "elsewhere: none"

done_testing
