#!/bin/sh
# backstop audit: who released, purged and made keys; also as root before another user's state.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

unset SUDO_USER DOAS_USER
audit() {
	"$BACKSTOP" audit -c "$conf" "$@"
}

run "$BACKSTOP" audit -c "$conf"
is "$status" 66 "without a state there is no account"
configure 'mode = enforce'
feed_ledger
run "$BACKSTOP" audit -c "$conf"
is "$status $out" "0 nothing was done" "a new state has an empty one"
run "$BACKSTOP" audit -c "$conf" --format=json
is "$status $out" "0 " "which is nothing in json"
for wrong in --format=xml --since=yesterday --until=x surplus; do
	run "$BACKSTOP" audit -c "$conf" $wrong
	is "$status" 64 "audit $wrong is wrong usage"
done

# ---- release and purge ----
for i in 1 2 3; do
	deliver "$world/forged-naive.eml"
done
set -- $(held_ids)
is "$#" 3 "three reports were dropped and are kept"
run env SUDO_USER=alice "$BACKSTOP" held -c "$conf" "$now" release "$1"
is "$status" 0 "one is released"
run env SUDO_USER=bob "$BACKSTOP" held -c "$conf" --now=2026-11-25T00:00:00Z release --to=carol@example.org "$2"
is "$status" 0 "one to somebody else"
run "$BACKSTOP" held -c "$conf" --now=2026-11-26T00:00:00Z purge "$3"
is "$status" 0 "one is purged"
run audit --format=json
is "$(printf '%s\n' "$out" | grep -c .)" 3 "three entries"
first=$(printf '%s\n' "$out" | sed -n 1p)
second=$(printf '%s\n' "$out" | sed -n 2p)
third=$(printf '%s\n' "$out" | sed -n 3p)
like "$first" '"time":"2026-11-24T00:00:00Z"' "the first has its time"
like "$first" "\"command\":\"held release\",\"object\":\"$1\"" "what was done to what"
like "$first" '"before":"dropped: kind=failed verdict=backscatter list=announce@lists.example.org rcpt=<[^>]*> msgid=' \
	"what it was"
like "$first" '"after":"released: forward","note":null' "and what became of it"
like "$first" "\"uid\":$(id -u),\"euid\":$(id -u)" "with the user ids"
like "$second" '"after":"released: forward to carol@example.org"' "the second went elsewhere"
like "$third" "\"command\":\"held purge\",\"object\":\"$3\".*\"after\":\"purged\"" "the third is gone"
session=$(cat /proc/self/loginuid 2>/dev/null || echo 4294967295)
if [ "$session" = 4294967295 ]; then
	like "$first" '"login":"alice","login_from":"sudo"' "sudo names who called"
	like "$third" "\"login\":\"$(id -un)\",\"login_from\":\"user\"" "without it the user counts"
else
	like "$first" '"login_from":"session"' "the session counts more than sudo's word"
	like "$third" '"login_from":"session"' "and more than the process's user"
fi
run audit --since=2026-11-25 --until=2026-11-26
is "$(printf '%s\n' "$out" | grep -c '^2026')" 1 "a span chooses"
like "$out" "^2026-11-25T00:00:00Z  .*  held release  $2\$" "text has the same in a line"
like "$out" '^  \+ released: forward to carol@example.org$' "and what is new in another"
run audit --format=csv
is "$(printf '%s\n' "$out" | sed -n 1p)" \
	"time,login,login_from,uid,euid,command,object,before,after,note" "csv has a heading"
is "$(printf '%s\n' "$out" | grep -c '^2026-11-2[456]T00:00:00Z,')" 3 "and a row an entry"
run "$BACKSTOP" held -c "$conf" "$now" release "$1"
is "$status" 1 "a release that finds nothing"
run audit --format=json
is "$(printf '%s\n' "$out" | grep -c .)" 3 "is not entered"

# ---- hostile names ----
deliver "$world/forged-naive.eml"
evil=$(printf 'mal\033[31m\nlory\302\233\377,"=')
run env SUDO_USER="$evil" "$BACKSTOP" held -c "$conf" "$now" purge "$(held_ids)"
is "$status" 0 "a purge by somebody with control characters in his name"
for format in text json csv; do
	run audit --format=$format
	is "$status $(count_controls)" "0 0" "$format: no control character is printed"
	is "$(printf '%s\n' "$out" | iconv -f UTF-8 -t UTF-8 2>&1 | cmp - "$dir/.out")" "" \
		"$format: and it is UTF-8"
done

# ---- new keys ----
run "$BACKSTOP" tag new-key -c "$conf" "$now" --domain=lists.example.org
is "$status $err" "0 " "a key is added"
run audit --format=json
last=$(printf '%s\n' "$out" | tail -n 1)
like "$last" '"command":"tag new-key","object":".*tag.keys","before":"keys [0-9, ]*"' "and entered"
secret=$(awk '!/^#/ && NF == 3 { print substr($3, 1, 16) }' "$dir/tag.keys" | head -n 1)
ok "the key file has a secret" test -n "$secret"
unlike "$out" "$secret" "which is not in the account"
run "$BACKSTOP" tag new-key --file="$dir/fresh.keys" "$now"
is "$status $err" "0 " "a key without a configuration is in no account, and that is no fault"

# ---- the configuration ----
changes() {
	audit --format=json | grep -c '"command":"configuration"'
}
"$BACKSTOP" check -c "$conf" "$now" >/dev/null
is "$(changes)" 1 "check begins to watch the configuration"
"$BACKSTOP" check -c "$conf" "$now" >/dev/null
is "$(changes)" 1 "and enters nothing while it stays"
configure 'mode = enforce
# a remark' 'owner-sees = original
owners = {"dora@example.org", "erik@example.org"}'
sed -i '/alice@/d' "$conf"
run "$BACKSTOP" check -c "$conf" --now=2026-11-28T00:00:00Z
run audit --since=2026-11-28
is "$(changes)" 2 "one section was changed, and is one entry"
like "$out" '^2026-11-28T00:00:00Z  .*\(owner.*\)  configuration  list "announce@lists.example.org"$' \
	"which says what, and whose the file is"
like "$out" "^  \\($conf, written 20.*, seen by check of [^ ]*\\)\$" "when it was written, and who looked"
like "$out" '^  \+ owners = \{"dora@example.org", "erik@example.org"\}$' "what is new"
like "$out" '^  - owners = ' "what was before"
unlike "$out" 'roster|a remark' "and neither a remark nor what stayed"
run audit --format=json
like "$out" '"before":"owners = .*","after":"owners = ' "json has both as a whole"

# backstop digest, which a timer runs, looks as well.
sed 's/erik@/emma@/' "$conf" >"$dir/changed" && cp "$dir/changed" "$conf"
run "$BACKSTOP" digest -c "$conf" --now=2026-11-28T01:00:00Z --dry-run
is "$(changes)" 2 "digest --dry-run enters nothing"
run "$BACKSTOP" digest -c "$conf" --now=2026-11-28T01:00:00Z
is "$status $err" "0 " "digest runs"
is "$(changes)" 3 "and enters what changed"
run audit --since=2026-11-28T01:00:00Z
like "$out" 'seen by digest of ' "saying that it looked"

# A file that is only tried out is not the configuration.
before=$(changes)
sed 's/dora@/fred@/' "$conf" >"$dir/next.conf"
"$BACKSTOP" check -c "$dir/next.conf" "$now" >/dev/null
is "$(changes)" "$before" "a file that is only tried out is not entered"
(cd "$dir" && "$BACKSTOP" check -c ./backstop.conf "$now") >/dev/null
is "$(changes)" "$before" "another name of the same file is no change"
BACKSTOP_CONF=$dir/next.conf "$BACKSTOP" check "$now" >/dev/null
is "$(changes)" $((before + 1)) "what the environment names is the one that is used"
"$BACKSTOP" check -c "$conf" "$now" >/dev/null
is "$(changes)" $((before + 1)) "and the other one is not any more"
rm "$dir/next.conf"
"$BACKSTOP" check -c "$conf" "$now" >/dev/null
is "$(changes)" $((before + 2)) "until that is gone"

if is_root && id nobody >/dev/null 2>&1; then
	chmod 711 "$dir"
	chown -R nobody "$state"
	run env SUDO_USER=alice "$BACKSTOP" tag new-key -c "$conf" "$now" --domain=lists.example.org
	is "$status $err" "0 " "root adds a key where the state is another's"
	is "$(find "$state" -user root)" "" "and leaves nothing there that is root's"
	run audit --format=json
	last=$(printf '%s\n' "$out" | tail -n 1)
	like "$last" '"uid":0,"euid":0,"command":"tag new-key"' "the entry says that it was root"
	chmod 400 "$state/data.mdb"
	run "$BACKSTOP" tag new-key -c "$conf" "$now" --domain=lists.example.org
	is "$status" 0 "a state that cannot be written does not hinder a key"
	like "$err" "^backstop tag: warning: the new key could not be entered" "but it is said"
	like "$out" "^key [0-9]+ added" "and the key is there"
else
	skip "root before the state of another user" "takes root, and a user nobody"
fi

done_testing
