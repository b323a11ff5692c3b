#!/bin/sh
# backstop submit: what the real sendmail is given, what the ledger knows, and that the list goes on
# posting when something is wrong with us. The real sendmail is a script that writes down what it
# gets.
. "$(dirname "$0")/lib.sh"

conf=$dir/backstop.conf
calls=$dir/calls
mkdir "$calls"

# Fails with a code that stands in fail.N for its Nth call, or in fail.ADDRESS for a recipient.
cat >"$dir/sendmail" <<END
#!/bin/sh
n=\$((\$(ls "$calls" | grep -c args) + 1))
printf '%s\n' "\$@" >"$calls/\$n.args"
cat >"$calls/\$n.body"
for last; do :; done
for reason in "\$n" "\$last"; do
	test ! -f "$dir/fail.\$reason" || { echo "sendmail: refused \$last" >&2; exit \$(cat "$dir/fail.\$reason"); }
done
END
chmod 755 "$dir/sendmail"

# configure NAME DOMAIN-LINES
configure() {
	cat >"$conf" <<END
state = "$dir/state"
log = "$dir/log"
sendmail = "$dir/sendmail"
domain "lists.example.org" {
	tag-keys = "$dir/tag.keys"
	$1
}
domain "plain.example.org" { $2 }
END
}

# submit ARGUMENT...: with $message on standard input; the calls of the last time are gone.
submit() {
	rm -f "$calls"/*
	printf '%s' "$message" >"$dir/message"
	run "$BACKSTOP" submit -c "$conf" --now=2026-11-23T19:19:22Z -- "$@" <"$dir/message"
}

# The arguments of the Nth call on one line.
arguments() {
	tr '\n' ' ' <"$calls/$1.args" | sed 's/ $//'
}

calls_made() {
	ls "$calls" | grep -c args
}

# in_ledger MESSAGE-ID RECIPIENT: yes or no. Feeding it once more is nothing new if it is there.
in_ledger() {
	printf '1795461562\t%s\ta@x.example\t%s\n' "$1" "$2" |
		"$BACKSTOP" sent -c "$conf" --now=2026-11-23T19:19:22Z --tsv=- |
		sed 's/.* 0 new.*/yes/; s/.* 1 new.*/no/'
}

tag='[a-z2-7]{21}'
nl='
'
message="From: Ann <ann@lists.example.org>
To: announce@lists.example.org
Message-ID: <m1@lists.example.org>
Subject: x

text
"
configure
"$BACKSTOP" tag new-key -c "$conf" --domain=lists.example.org >/dev/null || exit 1
from=announce-bounces@lists.example.org

# Per recipient.
submit -oi -F Announce -f "$from" Bob@y.example eve@z.example
is "$status" 0 "two recipients"
is "$err" "" "nothing is said"
is "$(calls_made)" 2 "one run each"
like "$(arguments 1)" "^-i -F Announce -f announce-bounces\+r$tag=bob=y.example@lists.example.org -- Bob@y.example\$" \
	"the first: options kept, sender signed for him"
like "$(arguments 2)" "=eve=z.example@lists.example.org -- eve@z.example\$" "the second"
ok "the message is unchanged" cmp -s "$dir/message" "$calls/1.body"
signed=$(sed -n '/+r/p' "$calls/1.args")
run "$BACKSTOP" tag check -c "$conf" --now=2026-11-24 "$signed"
is "$status" 0 "the tag is valid"
is "$(in_ledger '<m1@lists.example.org>' bob@y.example)" yes "the ledger has the first"
is "$(in_ledger '<m1@lists.example.org>' eve@z.example)" yes "and the second"
is "$(in_ledger '<m1@lists.example.org>' mallory@z.example)" no "and nobody else"

submit -i -f "$from" bob@y.example BOB@y.example root
is "$(calls_made)" 2 "the same recipient twice is one, a local user one more"
like "$(arguments 2)" "^-i -f announce-bounces\+s$tag@lists.example.org -- root\$" \
	"a recipient without domain gets the sender form"

long=a-very-long-subscriber-name-for-a-mail-address@department.university.example.net
submit -i -f "$from" "$long"
like "$(arguments 1)" "-f announce-bounces\+i$tag=[a-z2-7]{12}@lists.example.org -- $long\$" "an address that does not fit: an id"
signed=$(sed -n '/+i/p' "$calls/1.args")
run "$BACKSTOP" tag check -c "$conf" --now=2026-11-24 "$signed"
is "$status" 0 "which the ledger resolves"

# -t
message="To: Bob <Bob@y.example>${nl}Cc: eve@z.example${nl}Bcc: mallory@z.example${nl}Message-ID: <m2@lists.example.org>${nl}${nl}text${nl}"
submit -t -i -f"$from"
is "$(calls_made)" 3 "-t: the header names three"
like "$(arguments 3)" "^-i -f announce-bounces\+r${tag}=mallory=z.example@lists.example.org -- mallory@z.example\$" "no -t is passed on"
is "$(cat "$calls/1.body")" "$(printf '%s' "$message" | grep -v '^Bcc')" "Bcc is not in the copy"
is "$(in_ledger '<m2@lists.example.org>' mallory@z.example)" yes "the ledger has the Bcc one"
message="To: root, bob@y.example${nl}Bcc: eve@z.example${nl}Message-ID: <m3@lists.example.org>${nl}${nl}text${nl}"
submit -t -f "$from"
is "$(calls_made)" 1 "-t with a name that is not understood: one run"
like "$(arguments 1)" "^-i -f announce-bounces\+s$tag@lists.example.org -t\$" "the sender form, and the real one reads the header"
ok "Bcc and all" cmp -s "$dir/message" "$calls/1.body"
is "$(in_ledger '<m3@lists.example.org>' eve@z.example)" yes "the ledger has those that are understood"

# Sender form.
configure 'tag-form = sender'
submit -f "$from" bob@y.example eve@z.example
is "$(calls_made)" 1 "sender form: one run"
like "$(arguments 1)" "^-i -f announce-bounces\+s$tag@lists.example.org -- bob@y.example eve@z.example\$" "for all"
configure

# Dots.
message="Message-ID: <m4@lists.example.org>${nl}${nl}one${nl}..${nl}.${nl}two${nl}"
submit -f "$from" bob@y.example
is "$(cat "$calls/1.body")" "Message-ID: <m4@lists.example.org>${nl}${nl}one${nl}.." "without -i a single dot ends the message"
submit -i -f "$from" bob@y.example
ok "with -i it does not" cmp -s "$dir/message" "$calls/1.body"

# Message-ID.
message="Subject: x${nl}${nl}text${nl}"
submit -i -f "$from" bob@y.example
like "$(sed -n 1p "$calls/1.body")" '^Message-ID: <20261123191922\.[a-z2-7]{16}@lists\.example\.org>$' "a missing Message-ID is added"
is "$(sed 1d "$calls/1.body")" "${message%"$nl"}" "on top of the rest"
id=$(sed -n '1s/Message-ID: //p' "$calls/1.body")
is "$(in_ledger "$id" bob@y.example)" yes "and is in the ledger"
message="  text only${nl}"
submit -i -f "$from" bob@y.example
is "$(sed -n '2,$p' "$calls/1.body")" "$nl  text only" "a body without header stays a body"
message="From ann Mon Nov 23 19:19:22 2026${nl}Subject: x${nl}${nl}text${nl}"
submit -i -f "$from" bob@y.example
like "$(sed -n 2p "$calls/1.body")" '^Message-ID: ' "an mbox From line stays first"
printf 'Subject: x\r\n\r\ntext\r\n' >"$dir/message"
message=$(cat "$dir/message"; echo .)
message=${message%.}
submit -i -f "$from" bob@y.example
is "$(grep -c "$(printf '\r')" "$calls/1.body")" 4 "CRLF gets CRLF"

# Not ours to change.
message="Subject: x${nl}${nl}one${nl}.${nl}two${nl}"
for sender in a@other.example '<>' '' MAILER-DAEMON; do
	submit -f "$sender" bob@y.example
	is "$(arguments 1)" "-f $sender bob@y.example" "sender \"$sender\": arguments as they are"
	is "$(cat "$calls/1.body")" "Subject: x${nl}${nl}one" "and nothing added"
done
submit bob@y.example
is "$(arguments 1)" "bob@y.example" "no sender: arguments as they are"
tagged=$("$BACKSTOP" tag make -c "$conf" "$from")
message="Message-ID: <m5@lists.example.org>${nl}${nl}text${nl}"
submit -f "$tagged" bob@y.example
is "$(arguments 1)" "-f $tagged bob@y.example" "a sender with a tag stays as it is"
is "$(in_ledger '<m5@lists.example.org>' bob@y.example)" yes "and is in the ledger"
message="Message-ID: <m6@plain.example.org>${nl}${nl}text${nl}"
submit -f a@plain.example.org bob@y.example eve@z.example
is "$(arguments 1)" "-f a@plain.example.org bob@y.example eve@z.example" "a domain without keys: as it is"
is "$(in_ledger '<m6@plain.example.org>' eve@z.example)" yes "and in the ledger"
message="EHLO x${nl}"
submit -bs -f "$from"
is "$(arguments 1)" "-bs -f $from" "-bs goes to the real one"
ok "with its input" cmp -s "$dir/message" "$calls/1.body"
submit -q
is "$(arguments 1)" "-q" "-q goes to the real one"
echo 3 >"$dir/fail.-bp"
submit -bp
is "$status" 3 "with its exit code"

# Failures of the real one.
message="Message-ID: <m7@lists.example.org>${nl}${nl}text${nl}"
echo 75 >"$dir/fail.bob@y.example"
submit -f "$from" bob@y.example eve@z.example
is "$status" 75 "the first fails: its exit code"
is "$(calls_made)" 1 "and nothing more is tried"
is "$(in_ledger '<m7@lists.example.org>' eve@z.example)" yes "the ledger was written before"
like "$err" "sendmail: refused bob@y.example" "its words are shown"
echo 67 >"$dir/fail.bob@y.example"
submit -f "$from" bob@y.example eve@z.example
is "$status" 67 "one that is refused for itself: its exit code"
is "$(calls_made)" 2 "but the others are sent to"
rm "$dir/fail.bob@y.example"
echo 71 >"$dir/fail.2"
submit -f "$from" bob@y.example eve@z.example carol@y.example
is "$status" 0 "a later one fails once: it is tried again"
is "$(calls_made)" 4 "after the others"
like "$(arguments 4)" "eve@z.example\$" "the one that failed"
echo 71 >"$dir/fail.eve@z.example"
submit -f "$from" bob@y.example eve@z.example carol@y.example
is "$status" 75 "and if it fails again: 75"
like "$err" "1 of 3 recipients were not handed" "with the number"
rm "$dir"/fail.*
sed 's/sendmail"$/nothing"/' "$conf" >"$dir/broken.conf"
rm -f "$calls"/*
run "$BACKSTOP" submit -c "$dir/broken.conf" -- -f "$from" bob@y.example <"$dir/message"
is "$status" 75 "no real sendmail: 75"
like "$err" "cannot run $dir/nothing" "and which"
cat >"$dir/loop" <<END
#!/bin/sh
echo >>"$dir/looped"
exec "$BACKSTOP" submit -c "$dir/loop.conf" -- "\$@"
END
chmod 755 "$dir/loop"
sed 's/sendmail"$/loop"/' "$conf" >"$dir/loop.conf"
run "$BACKSTOP" submit -c "$dir/loop.conf" -- -f a@other.example bob@y.example <"$dir/message"
is "$status" 75 "a sendmail that is ourselves: 75"
is "$(wc -l <"$dir/looped" | tr -d ' ')" 10 "after ten rounds"
like "$err" "leads back to backstop submit" "and it says so"

# Failures of ours: the list goes on posting.
chmod 644 "$dir/tag.keys"
submit -f "$from" bob@y.example
is "$status" 0 "keys that are refused: sent"
is "$(arguments 1)" "-f $from bob@y.example" "without a tag"
like "$(cat "$dir/log")" 'warning: submit: .*tag.keys.* cannot be signed' "with a warning"
chmod 640 "$dir/tag.keys"
rm -rf "$dir/state"
echo occupied >"$dir/state"
submit -f "$from" bob@y.example "$long"
is "$status" 0 "no state: sent"
like "$(arguments 1)" "=bob=y.example@" "with a tag"
like "$(arguments 2)" "\+s$tag@" "and an id that could not be looked up is left out"
like "$(tail -n 1 "$dir/log")" 'warning: submit: the ledger cannot be written' "with a warning"
configure 'sent-log = complete' 'sent-log = complete'
submit -f "$from" bob@y.example
is "$status" 0 "a complete ledger, not written: sent with a tag"
submit -f a@plain.example.org bob@y.example
is "$status" 75 "neither ledger nor tag where absence is proof: 75"
is "$(calls_made)" 0 "and nothing is sent"
like "$err" 'not sent' "and it says so"
submit -f a@other.example bob@y.example
is "$status" 0 "mail of others is sent"
rm -f "$dir/state"
echo 'mode = maybe' >>"$conf"
rm -f "$dir/looped"
if [ ! -e /usr/sbin/sendmail ]; then
	submit -f "$from" bob@y.example
	is "$status" 75 "a wrong configuration: the default sendmail, which is not here"
	like "$err" "$conf:[0-9]+: " "with the fault"
fi
done_testing
