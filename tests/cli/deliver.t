#!/bin/sh
# backstop deliver, seen by a mail server: what happens to a message, what is printed, and that it
# ends with 0 or 75 whatever is wrong.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

genuine=$world/genuine-postfix.eml
forged=$world/forged-naive.eml
unproven=$world/unproven-nothing-returned.eml
address=announce-bounces@lists.example.org

# wait_for FILE: until it is there, ten seconds at most.
wait_for() {
	tries=0
	until [ -e "$1" ] || [ $tries -eq 200 ]; do
		sleep 0.05
		tries=$((tries + 1))
	done
}

# ---- what is done ----

feed_ledger
deliver "$genuine" --sender= --recipient="$address" --client-address=203.0.113.25 \
	--client-helo=mx.example.net --client-name=mx.example.net --queue-id=4F2
ends 0 "genuine: delivered"
sent_once "forward: one message goes out"
sent=$(cat "$outbox"/*.msg)
like "$sent" '^Subject: .*ann@example\.net' "forward: the subject names the failed recipient"
like "$sent" '^  ann@example\.net$' "forward: so does the text"
like "$sent" '^Final-Recipient: rfc822; ann@example\.net$' "forward: and the report, as it came"
like "$sent" '^Auto-Submitted: auto-generated$' "forward: it says that it is automatic"
like "$sent" '^X-Backstop-Loop: announce@lists\.example\.org$' "forward: it has the loop header"
like "$sent" '^Message-ID: <20261120080000\.1A2B@lists' "forward: the returned headers are in it"
unlike "$sent" 'annual meeting takes place' "forward: the returned text is not"
is "$(tr '\n' ' ' <"$(echo "$outbox"/*.arg)")" "-i -f <> -- alice@example.org " \
	"forward: from the null sender, to the owner"
like "$err" '^backstop: info: id=[0-9A-F]+ kind=failed verdict=genuine score=74 action=forward list=announce@' \
	"forward: one line in the log"
own_summary=$dir/own-summary
cp "$outbox"/*.msg "$own_summary"
forget_sent
configure '' 'owner-sees = original'
deliver "$genuine"
ends 0 "owner-sees = original: delivered"
sent_once "owner-sees = original: one message goes out"
ok "owner-sees = original: the bytes are those that came" ends_with "$outbox"/*.msg "$genuine"
own_lines=$(head -c -"$(wc -c <"$genuine")" "$outbox"/*.msg)
is "$(printf '%s\n' "$own_lines" | grep -cv '^X-Backstop-[A-Z][a-z]*: [ -~]*$')" 0 \
	"owner-sees = original: our own header fields stand in front, and nothing else"
own_original=$dir/own-original
cp "$outbox"/*.msg "$own_original"

forget_sent
configure '' "genuine = \"maildir:$dir/box\""
deliver "$genuine"
ends 0 "maildir: delivered"
is "$(count_files "$dir/box/new"/*)" 1 "maildir: one file in new/"
ok "maildir: byte for byte" cmp "$dir/box/new"/* "$genuine"
is "$(count_files "$dir/box/tmp"/*)$(sent_count)" 00 "maildir: nothing anywhere else"

make_program "$dir/target" <<-EOF
	cat >"$dir/piped"
	env | grep -E '^(BACKSTOP_|SENDER=|RECIPIENT=)' | sort >"$dir/piped.env"
	echo '5.1.1 the target is a chatterbox'
	echo '5.1.1 on both' >&2
EOF
configure '' "genuine = \"pipe:$dir/target\""
deliver "$genuine" --sender= --recipient="$address"
ends 0 "pipe: delivered, and what the target prints is not passed on"
ok "pipe: byte for byte" cmp "$dir/piped" "$genuine"
is "$(grep -E '^(BACKSTOP_(KIND|LIST|RECIPIENTS|SCORE|VERDICT)|SENDER|RECIPIENT)=' "$dir/piped.env")" "BACKSTOP_KIND=failed
BACKSTOP_LIST=announce@lists.example.org
BACKSTOP_RECIPIENTS=ann@example.net
BACKSTOP_SCORE=74
BACKSTOP_VERDICT=genuine
RECIPIENT=$address
SENDER=" "pipe: the environment says what it is"
make_program "$dir/target" <<-'EOF'
	cat >/dev/null
	exit 67
EOF
deliver "$genuine"
ends 75 "pipe: a target that fails defers the message"
is "$(sent_count)" 0 "pipe: and nothing goes elsewhere"

configure
deliver "$forged"
ends 0 "drop: accepted"
is "$(sent_count)" 0 "drop: nothing goes out"
like "$err" 'verdict=backscatter score=-60 action=drop .*by=sent:absent,hop:foreign' "drop: logged"
id=$(held_ids)
run held list
like "$out" "^$id .*backscatter +-60 +announce@lists.example.org +tom@example.com +userunknown +2026-12-01" \
	"drop: held list shows it, and for how long"
held show --raw "$id" >"$dir/raw"
ok "drop: held show --raw has it byte for byte" cmp "$dir/raw" "$forged"
gzip -dc "$state/held/new"/*.gz >"$dir/raw" 2>"$dir/raw.err"
ok "drop: the file is of gzip format" cmp "$dir/raw" "$forged"
run held show "$id"
like "$out" '^evidence +tag:absent\+0 sent:absent-39 dkim:unsigned\+0 hop:foreign-25( |$)' "drop: held show says why"
run held release "$id"
is "$status" 0 "drop: released again"
sent_once "release: one message goes out"
ok "release: the bytes are those that came" ends_with "$outbox"/*.msg "$forged"
is "$(held_ids)$(count_files "$state/held/new"/*)" 0 "release: it is not held any longer"

forget_sent
configure '' 'unproven = "hold"'
deliver "$unproven"
ends 0 "hold: accepted"
is "$(sent_count)" 0 "hold: nothing goes out"
id=$(held_ids)
run held list
like "$out" "^$id .*unproven .* never$" "hold: held list shows it, without an end"
held show --raw "$id" >"$dir/raw"
ok "hold: byte for byte" cmp "$dir/raw" "$unproven"
run held purge "$id"
is "$status$(held_ids)$(count_files "$state/held/new"/*)" 00 "hold: purged"

# kept: how many are held, and how many files there are for them.
kept() {
	echo "$(held_ids | wc -l) $(count_files "$state/held/new"/*)"
}
configure 'keep-dropped = "2d"' 'unproven = "hold"'
deliver "$unproven"
deliver "$forged"
is "$(kept)" "2 2" "expiry: one is held, one was dropped"
deliver "$genuine" --now=2026-11-25T23:59:59Z
is "$(kept)" "2 2" "expiry: not before its time"
deliver "$genuine" --now=2026-11-26T00:00:01Z
is "$(kept)" "1 1" "expiry: what was dropped goes when its time is over"
run held list
like "$out" ' unproven ' "expiry: what is held stays"
configure 'keep-dropped-size = "8K"' 'unproven = "hold"'
for number in 1 2 3 4 5; do
	deliver "$forged" --queue-id="$number"
done
is "$(kept)" "3 3" "size: of what was dropped, two blocks have room; what is held does not count"
run held list --format=json
is "$(printf '%s\n' "$out" | sed 's/.*"queue_id":\([^,]*\),.*/\1/' | tr '\n' ' ')" 'null "4" "5" ' \
	"size: the oldest go first"
held purge --all >/dev/null
forget_sent

configure 'mode = observe'
for message in "$forged" "$unproven" "$genuine"; do
	deliver "$message"
	ends 0 "observe: ${message##*/} is accepted"
	[ "$message" = "$forged" ] && like "$err" ' action=forward .* policy=drop$' \
		"observe: the log says what would have been"
done
is "$(sent_count)" 3 "observe: all go out"
is "$(held_ids)" "" "observe: nothing is dropped"
run "$BACKSTOP" report -c "$conf" "$now" summary --format=json
like "$out" '"would_have_been":\[[^]]*"drop"' "observe: the report says what would have been"

forget_sent
configure '' 'unproven = "hold"'
deliver "$genuine" --recipient=nobody@elsewhere.example
ends 0 "no list has the address: accepted"
is "$(sent_count)" 1 "no list has the address: X-Original-To has one" # the envelope is completed
deliver "$genuine" --recipient=nobody@elsewhere.example --original-recipient=none@elsewhere.example
ends 0 "no list at all: accepted"
ok "no list at all: kept in the unclaimed Maildir" cmp "$state/unclaimed/new"/* "$genuine"
is "$(sent_count)" 1 "no list at all: nothing goes out"

# All of the world, as its table says.
configure
while read -r path kind _ verdict action; do
	[ "$path" != path ] || continue
	deliver "$world/$path"
	ends 0 "$path: accepted"
	like "$err" " kind=$kind verdict=$verdict .* action=$action " "$path: $kind, $verdict, $action"
done <"$world/expected.tsv"
held purge --all >/dev/null
deliver "$genuine" --verbose
ends 0 "--verbose: what is logged is still ours alone"

# A mail of our own that came back.
forget_sent
rm -r "$state/unclaimed"
for message in "$own_summary" "$own_original"; do
	deliver "$message" --sender= --recipient="$address" --original-recipient="$address"
	ends 0 "our own ${message##*own-} came back: accepted"
done
is "$(sent_count)" 0 "our own mail is not sent out again"
is "$(count_files "$state/unclaimed/new"/*)" 2 "our own mail is kept"
{
	printf 'From: MAILER-DAEMON@mx.example.net\nTo: %s\nMIME-Version: 1.0\n' "$address"
	printf 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n'
	printf -- '--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/delivery-status\n\n'
	printf 'Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; alice@example.org\n'
	printf 'Action: failed\nStatus: 5.0.0\n\n--b\nContent-Type: message/rfc822\n\n'
	cat "$own_summary"
	printf '\n--b--\n'
} >"$dir/bounced"
configure '' 'backscatter = "forward"'
deliver "$dir/bounced" --sender= --recipient="$address"
ends 0 "a bounce of our own mail: accepted"
is "$(sent_count)" 0 "a bounce of our own mail is not sent out"
ok "a bounce of our own mail is kept" \
	grep -rqF 'Final-Recipient: rfc822; alice@example.org' "$state/unclaimed/new"

# ---- the envelope ----

# A bounce in words only, which the null sender makes one.
configure '' 'unproven = "hold"
ordinary = "hold"'
plain=$(cd "$world/../daemon" && pwd)/plain-text.eml
for spelling in '' '<>' MAILER-DAEMON mailer-daemon '<MAILER-DAEMON@lists.example.org>'; do
	deliver "$plain" --sender="$spelling" --recipient="$address" --original-recipient="$address"
	ends 0 "--sender=$spelling: accepted"
	like "$err" ' kind=failed ' "--sender=$spelling: a bounce"
	id=$(held_ids)
	run held list --format=json
	like "$out" '"sender":""' "--sender=$spelling is the null sender"
	held purge "$id" >/dev/null
done
deliver "$plain" --sender=ann@example.net --recipient="$address" --original-recipient="$address"
run held list --format=json
like "$out" '"sender":"ann@example.net"' "a sender that is not null is kept"
held purge --all >/dev/null

configure
deliver "$genuine"
with_none=${err#*id=}
deliver "$genuine" --recipient= --original-recipient= --client-address= --client-helo= \
	--client-name= --queue-id=
ends 0 "options left empty: delivered"
is "${err#*id=* }" "${with_none#* }" "options left empty are the same as none"
deliver "$genuine" --client-name=unknown --client-helo='[203.0.113.25]' \
	--client-address=IPv6:2001:db8::25 --queue-id='$(rm)'
ends 0 "odd values: delivered"
esc=$(printf '\033')
deliver "$genuine" --recipient="${esc}[31m5.1.1 x@example.org" --queue-id="a
5.1.1 b"
ends 0 "hostile values: delivered, and our lines stay ours"

# ---- 0 or 75, and nothing else ----

# refuses TEXT OPTION...: 75, nothing is handed over, and one error says why.
refuses() {
	text=$1
	shift
	forget_sent
	deliver "$genuine" "$@"
	ends 75 "75: $text"
	is "$(sent_count)" 0 "nothing goes out: $text"
	like "$err" '^backstop: error: ' "and it says so: $text"
}

refuses "an option that there is not" --nonsense
refuses "an option without its value" --sender
refuses "a value for a flag" --verbose=yes
refuses "an argument" "$address"
refuses "--now that is no time" --now=later
refuses "a configuration that is missing" -c "$dir/missing.conf"
refuses "a configuration that is a folder" -c "$dir"
printf 'mode = enforce\nmood = good\n' >"$dir/broken.conf"
refuses "a broken configuration" -c "$dir/broken.conf"
like "$err" "broken\.conf:2: " "a broken configuration: the line is named"
printf 'mode = enforce\nlist "x@example.org" {\n' >"$dir/broken.conf"
refuses "a configuration that stops short" -c "$dir/broken.conf"

run "$BACKSTOP" deliver "$now" <"$genuine"
[ -e /etc/backstop/backstop.conf ] || ends 75 "75: no configuration where it is by default"
status=0
out=$(BACKSTOP_CONF=$conf "$BACKSTOP" deliver "$now" <"$genuine" 2>"$dir/.err") || status=$?
ends 0 "the configuration is named by the environment"

chmod 0 "$dir/backstop.conf"
if is_root; then
	skip "75: a configuration that may not be read" "root may read everything"
else
	refuses "a configuration that may not be read"
fi
chmod 644 "$dir/backstop.conf"

for program in missing .; do
	configure "sendmail = \"$dir/$program\""
	refuses "sendmail is $program"
done
echo nonsense >"$dir/not-executable"
configure "sendmail = \"$dir/not-executable\""
refuses "sendmail is not executable"
for ending in 'exit 75' 'exit 67' 'exit 1' 'exit 127' 'kill -9 $$' 'kill -TERM $$'; do
	echo "cat >/dev/null; echo 5.1.1 unheard >&2; $ending" | make_program "$dir/failing"
	configure "sendmail = \"$dir/failing\""
	refuses "sendmail ends with $ending"
done
echo "exit 1" | make_program "$dir/failing"
refuses "sendmail does not read"
configure
deliver "$genuine"
ends 0 "and none of it lasts"

# Descriptors.
status=0
"$BACKSTOP" deliver -c "$conf" "$now" <&- >"$dir/.out" 2>"$dir/.err" || status=$?
out=$(cat "$dir/.out")
ends 75 "75: standard input is closed"
run "$BACKSTOP" deliver -c "$conf" "$now" <"$dir"
ends 75 "75: standard input is a folder"
status=0
"$BACKSTOP" deliver -c "$conf" "$now" 0>"$dir/write-only" >"$dir/.out" 2>"$dir/.err" || status=$?
ends 75 "75: standard input cannot be read"
forget_sent
status=0
"$BACKSTOP" deliver -c "$conf" "$now" <"$genuine" >&- 2>&- || status=$?
is "$status" 0 "standard output and error are closed: delivered"
sent_once "and handed over"
if [ -c /dev/full ]; then
	status=0
	"$BACKSTOP" deliver -c "$conf" "$now" <"$genuine" >/dev/full 2>&1 || status=$?
	is "$status" 0 "nobody takes what it says: delivered"
fi

# Help is for people.
run "$BACKSTOP" deliver --help <"$genuine"
ends 75 "75: --help with a message on standard input"
run "$BACKSTOP" deliver --help </dev/null
is "$status" 0 "--help without one is a success"
like "$out" '--original-recipient=ADDRESS' "and names the options"

# ---- input of all kinds ----

# arrives TEXT FILE: delivered whole.
arrives() {
	deliver "$2" --sender= --recipient="$address" --original-recipient="$address"
	ends 0 "$1: delivered"
	ok "$1: whole" ends_with "$outbox"/*.msg "$2"
	forget_sent
}

forget_sent
configure '' 'owner-sees = original'
: >"$dir/empty"
deliver "$dir/empty" --sender= --recipient="$address"
ends 75 "nothing at all on standard input: a mail server that died, not a message"
is "$(sent_count)" 0 "and nothing is sent"
{
	head -c 1000 "$genuine"
	printf '\0\377\0'
	tail -c +1001 "$genuine"
	printf 'no final newline\0'
} >"$dir/nul"
arrives "NUL bytes" "$dir/nul"
sed 's/$/\r/' "$genuine" >"$dir/crlf"
arrives "CRLF" "$dir/crlf"
{
	printf 'From MAILER-DAEMON Mon Nov 23 00:00:00 2026\n'
	cat "$genuine"
} >"$dir/from"
deliver "$dir/from"
ends 0 "a From line: delivered"
ok "a From line is no part of the message" ends_with "$outbox"/*.msg "$genuine"
forget_sent
{
	printf 'Subject: '
	head -c 3000000 /dev/zero | tr '\0' x
	printf '\n'
	cat "$genuine"
} >"$dir/long"
arrives "a line of 3 MB in the header" "$dir/long"
head -c 200000 /dev/urandom >"$dir/noise"
arrives "noise" "$dir/noise"
{
	cat "$genuine"
	head -c 20000000 /dev/zero | tr '\0' '\n'
} >"$dir/large"
arrives "20 MB" "$dir/large"
rm "$dir/large"

# A writer that gets EPIPE is a message that was not read to its end.
{
	{
		cat "$forged" && dd if=/dev/zero bs=65536 count=80 2>/dev/null
		echo $? >"$dir/writer"
	} | "$BACKSTOP" deliver -c "$conf" "$now" >"$dir/.out" 2>"$dir/.err"
	echo $? >"$dir/reader"
}
is "$(cat "$dir/writer" "$dir/reader" | tr '\n' ' ')" "0 0 " "a drop: the input was read to its end"
is "$(held show --raw "$(held_ids)" | wc -c)" "$(($(wc -c <"$forged") + 5242880))" \
	"a drop: all of it is kept"
held purge --all >/dev/null

# ---- the state cannot be had ----

# without_state TEXT: genuine mail goes out with a warning, backscatter comes again later.
without_state() {
	forget_sent
	deliver "$genuine"
	ends 0 "$1: genuine mail is delivered"
	sent_once "$1: it goes out"
	like "$err" '^backstop: warning: state ' "$1: with a warning"
	deliver "$forged"
	ends 75 "$1: nothing can be dropped, so 75"
	like "$err" '^backstop: error: .*drop' "$1: and why"
	is "$(sent_count)" 1 "$1: a drop that cannot be recorded goes nowhere else"
}

good_state=$state
state=$dir/a-file
echo nonsense >"$state"
configure
without_state "the state is a file"
deliver "$genuine" --original-recipient=none@elsewhere.example --recipient=none@elsewhere.example
ends 75 "the state is a file: no unclaimed Maildir either"

state=$dir/no/such/place
configure
without_state "the folder above the state is missing"

state=$dir/corrupt
cp -R "$good_state" "$state"
configure
dd if=/dev/urandom of="$state/data.mdb" bs=4096 count=2 conv=notrunc 2>/dev/null
without_state "the database is overwritten"
head -c 20000 "$good_state/data.mdb" >"$state/data.mdb"
without_state "the database is cut short"
cp "$good_state/data.mdb" "$state/data.mdb"
head -c 100 "$good_state/lock.mdb" >"$state/lock.mdb"
deliver "$genuine"
case $status in
0) ends 0 "the lock file is cut short: delivered" ;;
*) ends 75 "the lock file is cut short: 75" ;;
esac

# Pages in the middle: they fail when they are used, which may be behind the delivery. A page of ones,
# and one whose free space ends before it begins, at which LMDB gives up.
damage_ones() {
	head -c 4096 /dev/zero | tr '\0' '\377' |
		dd of="$state/data.mdb" bs=4096 seek="$1" conv=notrunc 2>/dev/null
}
damage_bounds() {
	printf '\377\017\020\0' |
		dd of="$state/data.mdb" bs=1 seek=$(($1 * 4096 + 12)) conv=notrunc 2>/dev/null
}
configure 'mode = observe' # a ledger with holes in it may make backscatter of what is genuine
pages=$(($(wc -c <"$good_state/data.mdb") / 4096))
for damage in damage_ones damage_bounds; do
	wrong=
	page=2
	while [ $page -lt $pages ]; do
		forget_sent
		cp "$good_state/data.mdb" "$good_state/lock.mdb" "$state"
		$damage $page
		deliver "$genuine"
		case $status-$(sent_count) in
		0-1 | 75-0) ;;
		*) wrong="$wrong page $page: exit $status, $(sent_count) sent;" ;;
		esac
		stray=$(grep -v '^backstop: ' "$dir/.err")
		[ -z "$stray" ] || wrong="$wrong page $page: $stray;"
		page=$((page + 1))
	done
	is "$wrong" "" "$damage, each page: 0 and it went out, or 75 and it did not"
done

state=$dir/theirs
cp -R "$good_state" "$state"
configure
if is_root; then
	chown -R 65534 "$state"
	without_state "the state belongs to another user"
	deliver "$genuine" --original-recipient=none@elsewhere.example --recipient=none@elsewhere.example
	ends 75 "the state belongs to another user: no unclaimed Maildir either"
	is "$(find "$state" -user 0)" "" "the state belongs to another user: nothing of root's is in it"
else
	chmod 0 "$state"
	without_state "the state may not be used"
	chmod 700 "$state"
fi
state=$good_state
configure

# ---- time and signals ----

make_program "$dir/slow" <<-EOF
	cat >/dev/null
	echo \$\$ >"$dir/slow.pid"
	exec sleep 30
EOF
configure 'deadline = "1s"' "genuine = \"pipe:exec $dir/slow\""
started=$(date +%s)
deliver "$genuine"
ends 75 "75: the deadline"
like "$err" 'deadline' "and it says so: the deadline"
ok "the deadline comes in time" test $(($(date +%s) - started)) -le 4
kill "$(cat "$dir/slow.pid")"

configure '' "genuine = \"pipe:exec $dir/slow\""
for signal in TERM INT HUP QUIT ABRT SEGV; do
	rm -f "$dir/slow.pid"
	"$BACKSTOP" deliver -c "$conf" "$now" <"$genuine" >"$dir/.out" 2>"$dir/.err" &
	agent=$!
	wait_for "$dir/slow.pid"
	kill -$signal $agent
	status=0
	wait $agent || status=$?
	out=$(cat "$dir/.out")
	ends 75 "75: SIG$signal in the middle"
	kill "$(cat "$dir/slow.pid")"
done

# A signal while the message is still coming in.
mkfifo "$dir/slowly"
"$BACKSTOP" deliver -c "$conf" "$now" <"$dir/slowly" >"$dir/.out" 2>"$dir/.err" &
agent=$!
exec 9>"$dir/slowly"
head -c 500 "$genuine" >&9
sleep 0.2
kill -TERM $agent
status=0
wait $agent || status=$?
exec 9>&-
ends 75 "75: SIGTERM before the input has ended"

# Memory. Sanitizers map terabytes, so they cannot run with a limit.
configure '' 'owner-sees = original'
{
	cat "$genuine"
	head -c 60000000 /dev/zero | tr '\0' '\n'
} >"$dir/large"
if [ -n "${BACKSTOP_SAN-}" ]; then
	skip "75: out of memory" "a sanitizer needs its address space"
else
	forget_sent
	status=0
	(ulimit -v 100000 && exec "$BACKSTOP" deliver -c "$conf" "$now" <"$dir/large") \
		>"$dir/.out" 2>"$dir/.err" || status=$?
	ends 75 "75: out of memory"
	is "$(sent_count)" 0 "nothing goes out: out of memory"
fi

# Who was told the recipient asks no field of the message, which a stranger may have written.
configure
sed 's/^X-Original-To: .*/X-Original-To: dev-bounces@lists.example.org/' "$genuine" >"$dir/other.eml"
deliver "$dir/other.eml" --sender= --recipient=announce-bounces@lists.example.org
like "$err" ' list=announce@' "the recipient of the envelope counts, not that of a field"

done_testing
