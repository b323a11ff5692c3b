#!/bin/sh
# backstop tag: keys, making and checking addresses, from scripts' point of view.
. "$(dirname "$0")/lib.sh"

keys=$dir/tag.keys
conf=$dir/backstop.conf
cat >"$conf" <<END
state = "$dir/state"
log = "$dir/log"
domain "lists.example.org" {
	tag-keys = "$keys"
	tag-lifetime = "14d"
}
domain "plain.example.org" { }
END
box=announce-bounces@lists.example.org

tag() {
	run "$BACKSTOP" tag -c "$conf" "$@"
}

tag new-key --domain=lists.example.org --now=2026-11-18
is "$status" 0 "new-key creates the file"
like "$out" "^key [0-9]+ added to $keys" "and says the number and where"
is "$(stat -c %a "$keys")" 640 "others cannot read it"
first=$(cat "$keys")
tag make "$box" --now=2026-11-20
old=$out
tag new-key --domain=lists.example.org --now=2026-11-21
like "$out" "older stay valid" "a second key leaves the first valid"
ok "the first key is still in the file" grep -qF "$first" "$keys"

tag make "$box" --now=2026-11-23
is "$status" 0 "make with a mailbox"
like "$out" '^announce-bounces\+s[a-z2-7]{21}@lists\.example\.org$' "prints the sender form and nothing else"
sender=$out
tag make --mailbox="$box" --recipient=Ann@Example.net --now=2026-11-23
like "$out" '^announce-bounces\+r[a-z2-7]{21}=ann=example\.net@lists\.example\.org$' "recipient form"
named=$out
tag make "$box" ann@example.net --now=2026-11-23
is "$out" "$named" "options and arguments are the same"

tag check "$named" --now=2026-11-24
is "$status" 0 "check: valid is 0"
like "$out" '^form +recipient$' "check names the form"
like "$out" '^key +[0-9]+$' "check names the key"
like "$out" '^signed +2026-11-23$' "check names the day"
like "$out" "^mailbox +$box\$" "check names the mailbox"
like "$out" '^recipient +ann@example.net$' "check names the recipient"
like "$out" '^result +valid$' "check says valid"

tag check "$(echo "$named" | tr a-z A-Z)" --now=2026-11-24
is "$status" 0 "folded case is still valid"
tag check "$old" --now=2026-11-24
is "$status" 0 "a tag of the older key is valid"
tag check "$sender" --now=2026-12-30
is "$status" 1 "an old tag: exit 1"
like "$out" '^result +expired$' "says expired"
tag check "$(echo "$named" | sed 's/=ann=/=eve=/')" --now=2026-11-24
is "$status" 1 "another recipient: exit 1"
like "$out" '^result +bad$' "says bad"
tag check "$box"
is "$status" 1 "no tag: exit 1"
is "$out" "result     absent" "says absent, and nothing else"

# Inside what other programs make of the address.
token=${named%%@*}
for form in "prvs=0787abcdef=$token@lists.example.org" "prvs=$token=0787abcdef@lists.example.org" \
	"btv1==12ab==$token@lists.example.org" "msprvs1=12ab=$token@lists.example.org" \
	"SRS0=h4Sh=TT=lists.example.org=$token@forward.example" \
	"SRS1=abcd=forward.example==h4Sh=TT=lists.example.org=$token@other.example"; do
	tag check "$form" --now=2026-11-24
	is "$status" 0 "valid inside ${form%%[=+]*}"
	like "$out" "^wrapping +[a-z0-9]+\$" "and says in what"
done
# Another program's own signature: key "sesame", computed by openssl.
prvs=prvs=078794bd8d=ann@lists.example.org
tag check "$prvs" --now=2026-11-24
is "$status" 1 "prvs without a key for it"
like "$out" '^result +absent$' "is no tag that we know"
echo sesame >"$dir/prvs.keys"
chmod 600 "$dir/prvs.keys"
sed "s|tag-lifetime = .*|prvs-keys = \"$dir/prvs.keys\"|" "$conf" >"$dir/prvs.conf"
run "$BACKSTOP" tag check -c "$dir/prvs.conf" --now=2026-11-24 "$prvs"
is "$status" 0 "prvs with its key"
like "$out" '^result +prvs-valid$' "and says so"
run "$BACKSTOP" tag check -c "$dir/prvs.conf" --now=2026-12-24 "$prvs"
is "$status" 1 "prvs, late"
like "$out" '^result +prvs-expired$' "and says so"
run "$BACKSTOP" tag check -c "$dir/prvs.conf" --now=2026-11-24 "prvs=0787000000=ann@lists.example.org"
like "$out" '^result +prvs-bad$' "prvs, invented"
chmod 644 "$dir/prvs.keys"
run "$BACKSTOP" tag check -c "$dir/prvs.conf" --now=2026-11-24 "$prvs"
is "$status" 77 "prvs keys that everybody can read are refused"
run "$BACKSTOP" check -c "$dir/prvs.conf"
like "$out" "prvs-keys: $dir/prvs.keys: others may use it; run: chmod o=" "and check says it"

# Another delimiter.
sed 's|tag-lifetime = .*|delimiter = "="|' "$conf" >"$dir/delimiter.conf"
run "$BACKSTOP" tag make -c "$dir/delimiter.conf" "$box" --now=2026-11-23
like "$out" '^announce-bounces=s[a-z2-7]{21}@' "the delimiter is configured"
tag check "$out" --now=2026-11-23
is "$status" 0 "and any is read"

# Rotation: what is over goes.
cp "$keys" "$dir/kept.keys"
tag new-key --domain=lists.example.org --now=2027-02-01
like "$out" "^1 older went, since all tags signed with them have expired" "a key that is over goes"
ok "the first one" test "$(grep -cF "$(tail -n1 "$dir/kept.keys")" "$keys")" = 1
cp "$dir/kept.keys" "$keys"

run "$BACKSTOP" tag new-key --file="$dir/other.keys"
is "$status" 0 "--file needs no configuration"
run "$BACKSTOP" tag check --file="$dir/other.keys" "$sender" --now=2026-11-24
is "$status" 1 "another file's keys do not do"
like "$out" '^result +(bad|no-key)$' "and it says why"

long=a-very-long-subscriber-name-for-a-mail-address@department.university.example.net
tag make "$box" "$long" --now=2026-11-23
is "$status" 0 "an address that does not fit gets an id"
like "$out" '^announce-bounces\+i[a-z2-7]{21}=[a-z2-7]{12}@' "opaque form"
like "$err" 'warning.*ledger' "without a state it warns"
ok "and creates none" test ! -e "$dir/state"
tag check "$out" --now=2026-11-23
is "$status" 1 "an unknown id is not valid"
like "$out" '^result +unresolved$' "says unresolved"
printf 'Message-ID: <1@lists.example.org>\n\n' |
	"$BACKSTOP" sent -c "$conf" ann@example.net --now=2026-11-23 || exit 1
tag make "$box" "$long" --now=2026-11-23
is "$err" "" "with a state there is no warning"
tag check "$out" --now=2026-11-23
is "$status" 0 "and the id is resolved"
like "$out" "^recipient +$long\$" "to the recipient"

tag
is "$status" 64 "nothing to do is wrong usage"
tag sign
is "$status" 64 "an unknown word is wrong usage"
like "$err" 'new-key, make and check' "and it names the right ones"
tag make
is "$status" 64 "make without a mailbox"
tag make announce
is "$status" 64 "make with something that is no address"
like "$err" 'user@domain' "and it says what would be one"
tag new-key --domain=nowhere.example
is "$status" 78 "an unknown domain"
like "$err" "$conf: there is no section domain \"nowhere.example\"" "names the file"
tag new-key --domain=plain.example.org
like "$err" "$conf:7: domain \"plain.example.org\" has no tag-keys" "a domain without keys: file and line"
chmod 644 "$keys"
tag make "$box"
is "$status" 77 "keys that everybody can read are refused"
like "$err" "$keys" "and the file is named"
chmod 640 "$keys"
echo nonsense >>"$keys"
tag make "$box"
is "$status" 65 "a broken key file is refused"
like "$err" "$keys:[0-9]+: " "with file and line"
done_testing
