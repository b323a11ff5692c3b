#!/bin/sh
# backstop db: figures, backup and restoring, removal; what a damaged file means for mail.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

genuine=$world/genuine-postfix.eml
owner=$dir/owner
configure 'mode = enforce' "genuine = \"maildir:$owner\""
feed_ledger
deliver "$genuine"
ends 0 "a delivery"

db() {
	run "$BACKSTOP" db "$@" -c "$conf" "$now"
}

# ---- words and options ----
db
is "$status" 64 "db wants a word"
like "$err" "stat, check, dump, load, prune, copy" "and says which"
db nonsense
is "$status" 64 "another one is none"
db dump --dry-run
is "$status" 64 "an option of another word is refused"
like "$err" "dump has no option --dry-run" "and named"
db stat more
is "$status" 64 "so is an argument too many"
db check --format=xml
is "$status" 64 "and a format that there is not"

# ---- stat and check ----
db stat
is "$status $err" "0 " "stat"
like "$out" "^sent +39 " "counts the ledger"
like "$out" "^events +1 " "and the events"
db stat --format=json
like "$out" '^\{"state":.*"name":"events","exists":true,"records":1,"bytes":4096\}' "as JSON, too"
db check
is "$status $err" "0 " "check"
like "$out" "records, all of them good$" "finds no fault"
db check --format=json
like "$out" '"faults":0,"unreadable":0,' "as JSON, too"

# ---- dump and load ----
db dump
is "$status $err" "0 " "dump"
cp "$dir/.out" "$dir/dump"
ok "has plain text in it" grep -q 'tag:' "$dir/dump"
db load "$dir/dump"
is "$status" 1 "load refuses to replace a state"
like "$err" "has records already; --replace" "and says what would"
run "$BACKSTOP" db load --state="$dir/new/state" "$dir/dump"
is "$status" 66 "a folder whose parent is not there"
mkdir "$dir/new"
run "$BACKSTOP" db load --state="$dir/new/state" "$dir/dump"
is "$status $err" "0 " "load makes a state where there is none"
like "$out" "^$dir/dump: [0-9]+ records loaded$" "and counts"
run "$BACKSTOP" db dump --state="$dir/new/state"
is "$(sed '/db.20load/d; /^end/d' "$dir/.out" | cksum)" "$(sed '/^end/d' "$dir/dump" | cksum)" \
	"with the same records, and the account of the load"
is "$(ls "$dir/new/state" | tr '\n' ' ')" "data.mdb lock.mdb " "and nothing is left over"

# ---- bad dumps: each ends with 65, says the line, and changes nothing ----
cp "$state/data.mdb" "$dir/before"
# refuses NAME LINE PATTERN: the dump in $dir/bad.
refuses() {
	run "$BACKSTOP" db load --replace -c "$conf" "$dir/bad"
	is "$status" 65 "$1: is refused"
	like "$err" "line $2: .*$3.*nothing was changed" "$1: line and reason"
	ok "$1: the state is as it was" cmp "$state/data.mdb" "$dir/before"
}
lines=$(wc -l <"$dir/dump")
sed '$d' "$dir/dump" >"$dir/bad"
refuses "without its end" $((lines - 1)) "the dump is cut short"
head -c 3000 "$dir/dump" >"$dir/bad"
refuses "cut in a line" '[0-9]+' "the dump is cut short"
: >"$dir/bad"
run "$BACKSTOP" db load --replace -c "$conf" "$dir/bad"
is "$status $err" "65 backstop db: $dir/bad: is empty: this is no dump; nothing was changed" "empty: is refused"
ok "empty: the state is as it was" cmp "$state/data.mdb" "$dir/before"
sed '1s/1$/2/' "$dir/dump" >"$dir/bad"
refuses "of a later form" 1 "this is no dump that this version"
sed 's/^database proofs$/database later/' "$dir/dump" >"$dir/bad"
refuses "an unknown database" '[0-9]+' "no database of this name"
sed '3s/ .*/ \\02\\00/' "$dir/dump" >"$dir/bad"
refuses "a record of a later version" 3 "cannot be understood"
sed '3s/ .*//' "$dir/dump" >"$dir/bad"
refuses "half a record" 3 "this is no record"
sed '3s/ \\../ \\x/' "$dir/dump" >"$dir/bad"
refuses "a broken escape" 3 "this is no record"
sed '2d' "$dir/dump" >"$dir/bad"
refuses "no database before it" 2 "a record without a database"
sed '3p' "$dir/dump" >"$dir/bad"
refuses "a record twice" '[0-9]+' "stands twice or out of order|number of records"
awk 'NR == 3 { held = $0; next } { print } NR == 4 { print held }' "$dir/dump" >"$dir/bad"
refuses "out of order" '[0-9]+' "stands twice or out of order"
sed 's/^end .*/end 7/' "$dir/dump" >"$dir/bad"
refuses "another number" "$lines" "the number of records"
sed '3s/^/x/' "$dir/dump" >"$dir/bad"
refuses "a stray line" 3 "this line means nothing"

# ---- replace ----
deliver "$genuine"
run "$BACKSTOP" db load --replace -c "$conf" "$now" "$dir/dump"
is "$status $err" "0 " "load --replace"
like "$out" "what was there is now $state/data.mdb.replaced-1" "keeps what was there"
db stat
like "$out" "^events +1 " "the state is that of the dump"
deliver "$genuine"
ends 0 "and is delivered to"
db stat
like "$out" "^events +2 " "as before"
run "$BACKSTOP" db load --replace -c "$conf" "$now" - <"$dir/dump"
like "$out" "^standard input: .*loaded" "from standard input, too"
ok "each old file has a name of its own" test -f "$state/data.mdb.replaced-2"

# ---- somebody has it open all the time ----
: >"$dir/mail.log"
"$BACKSTOP" sent -c "$conf" --postfix-log="$dir/mail.log" --follow >/dev/null 2>&1 &
follower=$!
sleep 1
run "$BACKSTOP" db load --replace -c "$conf" "$now" "$dir/dump"
is "$status" 75 "load gives up while the state stays open"
like "$err" "in use all the time, now by process $follower" "and says who has it"
kill "$follower"
wait "$follower" 2>/dev/null
run "$BACKSTOP" db load --replace -c "$conf" "$now" "$dir/dump"
is "$status" 0 "then it goes"

# ---- somebody has the write lock, and keeps it ----
configure 'mode = enforce
deadline = 2s' "genuine = \"maildir:$owner\""
"${BACKSTOP_STATETOOL:-build/tests/cli/statetool}" hold "$state" >"$dir/holding" &
holder=$!
while [ ! -s "$dir/holding" ] && kill -0 $holder; do sleep 0.1; done
db prune events --before=1d
is "$status" 75 "a command gives up after the deadline"
like "$err" "^backstop: another process did not let go of the state" "and says why"
db stat
is "$status $err" "0 " "reading does not wait"
before=$(count_files "$owner"/new/*)
deliver "$genuine"
ends 0 "a delivery files its message, and does not wait for ever to record it"
is $(($(count_files "$owner"/new/*) - before)) 1 "it is there"
kill "$holder"
wait "$holder" 2>/dev/null
deliver "$genuine"
ends 0 "after that all is as before"
unlike "$err" "warning" "without a word"

# ---- copy ----
run "$BACKSTOP" db copy -c "$conf" "$dir/copy"
is "$status $err" "0 " "copy"
run "$BACKSTOP" db check --state="$dir/copy"
like "$out" "all of them good$" "is a state"
run "$BACKSTOP" db copy -c "$conf" "$dir/copy"
is "$status" 74 "no copy is written over"
like "$err" "copy/data\.mdb is there: .*name another folder" "which it says, and what to do"
run "$BACKSTOP" db copy -c "$conf" "$dir/no/copy"
is "$status" 66 "the folder above has to be there"
is "$(ls "$dir/copy" | grep -c part)" 0 "nothing half done is left"

# ---- prune ----
db prune
is "$status" 64 "prune wants to know what"
like "$err" "events, rollups, sent, ids, lists, reporters, proofs, rates, storms" "and says which"
db prune sent
is "$status" 64 "and before when"
db prune sent --before=2040-01-01
is "$status" 64 "which must be over"
db prune held --before=7d
is "$status" 64 "not held mail"
db prune sent --before=2026-11-22 --dry-run
like "$out" "^sent: ([1-9][0-9]*) records of before 2026-11-22T00:00:00Z would be removed" \
	"--dry-run counts"
some=$(printf '%s\n' "$out" | sed 's/sent: \([0-9]*\).*/\1/')
db stat
like "$out" "^sent +39 " "and removes nothing"
db prune sent --before=2026-11-22
like "$out" "^sent: $some records of before 2026-11-22T00:00:00Z removed" "prune removes as many"
db stat
like "$out" "^sent +$((39 - some)) " "and no others"
db dump
like "$out" '^=coverage:lists.example.org .01(.00){4}k.020.80' "the ledger covers no more than that"
run "$BACKSTOP" db prune proofs -c "$conf" --now=2026-11-25T00:00:00Z --before=1h
is "$status" 0 "proofs go with their index"
db stat
is "$(printf '%s\n' "$out" | awk '/^proofs|^proof-times/ {print $2}' | tr '\n' ' ')" "0 0 " "both"
db prune events --before=2026-11-23
like "$out" "^events: 0 records" "younger events stay"
run "$BACKSTOP" db prune events -c "$conf" --now=2026-11-25T00:00:00Z --before=1h
like "$out" "^events: 2 records .* removed" "all events"
run "$BACKSTOP" report summary -c "$conf" --now=2026-11-25T00:00:00Z --since=2026-11-23
like "$out" "^messages: 2" "stay in the numbers of their hours"
like "$out" "^single messages are recorded from 2026-11-24T00:00:01Z on" "and the report knows that they are gone"
db prune rollups --before=2026-11-24
like "$out" "^rollups: 0 records" "an hour that is not over stays"
run "$BACKSTOP" db prune rollups -c "$conf" --now=2026-11-25T00:00:00Z --before=2026-11-24T01:00:00Z
like "$out" "^rollups: 1 records" "one that is over goes"
run "$BACKSTOP" report summary -c "$conf" --now=2026-11-25T00:00:00Z --since=2026-11-23
like "$out" "^no message was decided in that time" "with its numbers"
db prune rates --before=2026-11-24
like "$out" "^rates: 0 records" "rates of now stay"
run "$BACKSTOP" db prune rates -c "$conf" --now=2026-11-25T00:00:00Z --before=1h
like "$out" "^rates: [1-9][0-9]* records" "old ones go"
deliver "$genuine"
ends 0 "a delivery behind all that"
db check
like "$out" "all of them good$" "and all of it is good"

# ---- another user's state: root reads it, and writes nothing ----
if [ "$(id -u)" -eq 0 ]; then
	cp -R "$state" "$dir/foreign"
	chown -R 65534 "$dir/foreign"
	for words in "prune sent --before=1d" "load --replace $dir/dump"; do
		# shellcheck disable=SC2086
		run "$BACKSTOP" db --state="$dir/foreign" "$now" $words
		is "$status" 77 "root: ${words%% *} is refused"
		like "$err" "belongs to user .*runuser -u|setpriv" "and told how to do it"
	done
	run "$BACKSTOP" db --state="$dir/foreign" dump
	is "$status" 0 "root may dump it"
	is "$(find "$dir/foreign" -user 0)" "" "nothing in it is root's"
fi

# ---- a damaged file: mail goes on, everybody says so, a dump mends it ----
before=$(ls "$owner/new" | wc -l)
printf 'garbage' | dd of="$state/data.mdb" bs=1 conv=notrunc 2>/dev/null
dd if=/dev/zero of="$state/data.mdb" bs=4096 seek=0 count=2 conv=notrunc 2>/dev/null
deliver "$genuine"
ends 0 "mail is delivered with a damaged state"
like "$err" "state .*is damaged or no state of ours" "and the log says so"
like "$err" "backstop db load --replace" "and what to do"
is $(($(count_files "$owner"/new/*) - before)) 1 "it is where the list's policy says"
run "$BACKSTOP" check -c "$conf"
is "$status" 78 "check finds it"
like "$out$err" "is damaged or no state of ours" "and says it"
db stat
is "$status" 74 "stat, too"
db load "$dir/dump"
is "$status" 1 "load replaces it only when told to"
like "$err" "is damaged; --replace" "which it says"
db load --replace "$dir/dump"
is "$status" 0 "load --replace"
deliver "$genuine"
ends 0 "the next delivery"
unlike "$err" "warning" "finds all well"
truncate -s 20000 "$state/data.mdb"
deliver "$genuine"
ends 0 "mail is delivered with a file that is cut short"
like "$err" "is cut short: it has 20000 bytes of [0-9]+" "the log says so"
db load --replace "$dir/dump"
is "$status" 0 "and it is mended the same way"

# Damage that shows only when a page is read: LMDB trusts its pages, and faults.
before=$(count_files "$owner"/new/*)
pages=$(($(stat -c %s "$state/data.mdb") / 4096))
head -c $(((pages - 2) * 4096)) /dev/zero | tr '\000' '\377' |
	dd of="$state/data.mdb" bs=4096 seek=2 conv=notrunc 2>/dev/null
deliver "$genuine"
ends 0 "mail is delivered with damaged pages"
like "$err" "state" "the log says so"
is $(($(count_files "$owner"/new/*) - before)) 1 "and it is where it belongs"
db check
ok "check finds them" test "$status" -ne 0
unlike "$status" '^1[0-9][0-9]$' "and is not ended by them"
db load --replace "$dir/dump"
is "$status" 0 "a dump mends that, too"

done_testing
