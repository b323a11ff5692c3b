#!/bin/sh
# The checks that ask DNS, through the front door: of a server of our own on loopback, well-behaved
# and not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/world.sh"

server=${BACKSTOP_DNS_SERVER:-build/tests/dns/server}
tool=${BACKSTOP_STATETOOL:-build/tests/cli/statetool}
zone=$dir/zone
log=$dir/questions
genuine=$world/genuine-postfix.eml
forged=$world/forged-naive.eml
signed=$world/genuine-signed.eml
mkfifo "$dir/life"
server_id=''

stop_dns() {
	[ -n "$server_id" ] || return 0
	exec 9>&-
	wait "$server_id"
	server_id=''
}

# start_dns [BEHAVIOUR]: serves the zone from standard input; sets $port. The server ends when
# descriptor 9 is closed, so it does not outlive this script.
start_dns() {
	stop_dns
	cat >"$zone"
	: >"$log"
	: >"$dir/port"
	"$server" "$zone" "${1-normal}" "$log" <"$dir/life" >"$dir/port" &
	server_id=$!
	exec 9>"$dir/life"
	while [ ! -s "$dir/port" ]; do sleep 0.02; done
	port=$(cat "$dir/port")
}

# configure_dns SED-SCRIPT [SECTIONS] [DNS-SETTINGS]: the world's configuration, changed, that asks
# our server; a new state.
configure_dns() {
	dns_settings=own configure
	sed "$1" "$conf" >"$dir/changed.conf"
	{
		cat "$dir/changed.conf"
		printf 'dns {\n servers = {"127.0.0.1:%s"}\n %s\n}\n%s\n' "$port" \
			"${3-timeout = 1s
 budget = 3s}" "${2-}"
	} >"$conf"
	rm -rf "$state"
	feed_ledger
}

# saw CHECK FILE: what the check found with DNS.
saw() {
	"$BACKSTOP" scan -c "$conf" "$now" --state --dns --format=json "$2" >"$dir/json"
	sed -n 's/.*"check":"'"$1"'","result":"\([a-z-]*\)".*/\1/p' "$dir/json"
}

asked() {
	wc -l <"$log"
}

# verdict: of the last delivery, and what was done.
verdict() {
	sed -n 's/.* \(verdict=[a-z]*\) score=[^ ]* \(action=[a-z]*\) .*/\1 \2/p' "$dir/.err"
}

no_senders='/senders *=/d'

# ---- hop, without senders: the domain's SPF record ----
start_dns <<'EOZ'
lists.example.org. TXT "v=spf1 ip4:192.0.2.10 -all"
EOZ
configure_dns "$no_senders"
is "$(saw hop "$genuine")" ours "SPF pass: ours"
is "$(saw hop "$forged")" foreign "SPF fail: foreign"
run "$BACKSTOP" explain -c "$conf" "$now" --state --dns "$genuine"
like "$out" "hop +ours +\\+20 " "explain says the same"
mkdir "$dir/lame"
cp "$BACKSTOP" "$dir/lame/backstop"
for end in 'exit 1' 'kill -9 $$' 'exec sleep 60'; do
	echo "$end" | make_program "$dir/lame/backstop-spf"
	is "$(BACKSTOP=$dir/lame/backstop saw hop "$forged")" unavailable "SPF's program: $end"
done
: >"$log"
run "$BACKSTOP" scan -c "$conf" "$now" --state "$genuine" "$forged" "$signed"
run "$BACKSTOP" explain -c "$conf" "$now" --state "$genuine"
is "$(asked)" 0 "scan and explain ask nobody unless --dns is given"
like "$out" "hop +unavailable .*DNS is not asked" "and say so"

start_dns <<'EOZ'
lists.example.org. TXT "v=spf1 ip4:192.0.2.10 ~all"
EOZ
configure_dns "$no_senders"
is "$(saw hop "$forged")" doubtful "SPF softfail: doubtful"
start_dns <<'EOZ'
lists.example.org. A 192.0.2.10
EOZ
configure_dns "$no_senders"
is "$(saw hop "$forged")" unavailable "no SPF record: it cannot be told"

# ---- standing: may who reports speak for the recipient? ----
# The client gets a name of nobody's, so that only its address can tell.
sed '1,/^Date: /s/mx\.example\.net/relay.example.com/g; s/\[203\.0\.113\.25\]/[203.0.113.77]/' \
	"$genuine" >"$dir/strange.eml"
start_dns <<'EOZ'
example.net. MX 10 in.example.net.
in.example.net. A 203.0.113.77
EOZ
configure_dns ''
is "$(saw standing "$dir/strange.eml")" related "the recipient's MX"
start_dns <<'EOZ'
example.net. TXT "v=spf1 ip4:203.0.113.77 -all"
example.net. MX 10 in.example.net.
in.example.net. A 203.0.113.25
EOZ
configure_dns ''
is "$(saw standing "$dir/strange.eml")" related "a host that the recipient's SPF record names"
start_dns <<'EOZ'
example.net. TXT "v=spf1 ip4:203.0.113.25 -all"
example.net. MX 10 in.example.net.
in.example.net. A 203.0.113.25
EOZ
configure_dns ''
is "$(saw standing "$dir/strange.eml")" stranger "neither"
like "$(cat "$dir/json")" '"verdict":"unproven".*"check":"sent","result":"recipient-stranger"' \
	"which the ledger does not outvote: others got the post, too"
sed 's/20261120080000\.1A2B@/letter@/' "$dir/strange.eml" >"$dir/letter.eml"
printf '1795161602\t<letter@lists.example.org>\tannounce-bounces@lists.example.org\tann@example.net\n' |
	"$BACKSTOP" sent -c "$conf" "$now" --tsv=- >/dev/null
is "$(saw standing "$dir/letter.eml")" stranger "a message to one, a stranger"
like "$(cat "$dir/json")" '"verdict":"genuine"' "which the ledger outvotes: who else could know it?"
rm -rf "$state"
"$BACKSTOP" scan -c "$conf" "$now" --dns --format=json "$world/unproven-nothing-returned.eml" >"$dir/json"
like "$(cat "$dir/json")" '"verdict":"unproven".*"check":"standing"' "alone it decides nothing"

# ---- reporter: SPF of its HELO name, DNS lists ----
lists='blocklist "bad.example.org" { weight = -5 }'
start_dns <<'EOZ'
mx.example.net. TXT "v=spf1 ip4:203.0.113.25 -all"
mx.example.com. TXT "v=spf1 -all"
EOZ
configure_dns ''
is "$(saw reporter "$genuine")" helo-pass "HELO: pass"
is "$(saw reporter "$forged")" helo-fail "HELO: fail"

# list ADDRESS TEXT RESULT: what a list's answer makes of it.
list() {
	start_dns <<-EOZ
		25.113.0.203.bad.example.org. A $1
	EOZ
	configure_dns '' "$lists"
	is "$(saw reporter "$genuine") $(grep -c 'listed by bad' "$dir/json")" "$3" "$2"
}
list 127.0.0.2 "listed" "listed 1"
list 127.255.255.254 "an error of the list is no listing" "plain 0"
list 192.0.2.99 "nor is the answer of a resolver that answers everything" "plain 0"
start_dns <<'EOZ'
other.bad.example.org. A 127.0.0.2
EOZ
configure_dns '' "$lists"
is "$(saw reporter "$genuine")" plain "not listed"

# ---- dkim: keys in DNS ----
key=$(grep -v '^-' "$world/w1.pub" | tr -d '\n')
by_dns='s/dkim-keys = .*/dkim-keys = {"dns"}/'
start_dns <<EOZ
w1._domainkey.lists.example.org. TXT "v=DKIM1; k=rsa; p=$(echo "$key" | cut -c1-200)" "$(echo "$key" | cut -c201-)"
EOZ
configure_dns "$by_dns"
is "$(saw dkim "$signed")" valid "the key is fetched"
ok "once" test "$(grep -c '^w1._domainkey' "$log")" -eq 1
start_dns <<'EOZ'
w1._domainkey.lists.example.org. TXT "v=DKIM1; p="
EOZ
configure_dns "$by_dns"
is "$(saw dkim "$signed")" unavailable "a key that was revoked"
start_dns <<'EOZ'
lists.example.org. A 192.0.2.10
EOZ
configure_dns "$by_dns"
is "$(saw dkim "$signed")" unavailable "no key"
start_dns servfail </dev/null
configure_dns "$by_dns"
is "$(saw dkim "$signed")" unavailable "a resolver that fails"

# ---- a resolver that is dead, slow, failing, lying ----
# These are deadlines, with much room for a busy machine; no benchmark.
milliseconds() {
	date +%s%3N
}

# deliver_bad BEHAVIOUR FILE: delivers to a new state; $took milliseconds.
deliver_bad() {
	start_dns "$1" <<-'EOZ'
		lists.example.org. TXT "v=spf1 ip4:192.0.2.10 -all"
	EOZ
	configure_dns "$no_senders; $by_dns" "$lists" 'timeout = 1s
 budget = 1s'
	before=$("$tool" count "$state")
	began=$(milliseconds)
	deliver "$2"
	took=$(($(milliseconds) - began))
}

for message in "$signed" "$forged" "$world/genuine-before-the-ledger.eml"; do
	name=$(basename "$message" .eml)
	start_dns silent </dev/null
	configure_dns "$no_senders; $by_dns" "$lists" 'use = no'
	deliver "$message"
	without=$(verdict)
	# What DNS would have told of the way may be what saves it: no Message-ID that a relay may have
	# given decides in an outage.
	[ "$message" = "$forged" ] && without="verdict=unproven action=forward"
	is "$(asked)" 0 "$name: dns { use = no } asks nobody"
	for manner in silent slow servfail lying-id wrong-question garbage; do
		deliver_bad "$manner" "$message"
		ends 0 "$name, resolver $manner: is delivered"
		ok "$name, resolver $manner: within its budget, and some" test "$took" -lt 3000
		[ "$manner" = slow ] && continue # what it says in time counts
		is "$(verdict)" "$without" "$name, resolver $manner: judged as without DNS"
	done
done

# ---- what DNS would have told in favour: an outage drops nothing that is not dropped otherwise ----
# A post of ours behind a forwarder that hides its trace; only its signature saves it, and the key is in DNS.
sed 's/from lists\.example\.org (lists\.example\.org \[192\.0\.2\.10\])/from relay.example.org (relay.example.org [198.51.100.30])/' \
	"$signed" >"$dir/hidden.eml"
# A relay that gives posts of ours another Message-ID, and a reporter that only DNS can vouch for.
sed 's/20261120080000\.1A2B@lists\.example\.org/renamed@relay.example.com/' "$dir/strange.eml" >"$dir/renamed.eml"
# outage FILE CHANGE: the verdict with DNS and without.
outage() {
	start_dns <<-EOZ
		w1._domainkey.lists.example.org. TXT "v=DKIM1; k=rsa; p=$(echo "$key" | cut -c1-200)" "$(echo "$key" | cut -c201-)"
		example.net. MX 10 in.example.net.
		in.example.net. A 203.0.113.77
	EOZ
	configure_dns "$by_dns; $2"
	deliver "$1"
	alive=$(verdict)
	start_dns silent </dev/null
	configure_dns "$by_dns; $2" '' 'timeout = 1s
 budget = 1s'
	deliver "$1"
}
outage "$dir/hidden.eml" 's/sent-log = complete/sent-log = none/'
is "$alive" "verdict=unproven action=forward" "a foreign path, but our signature"
is "$(verdict)" "$alive" "nor is it dropped while its key cannot be fetched"
outage "$dir/renamed.eml" ''
is "$alive" "verdict=unproven action=forward" "not in the ledger, but handed over by us, as the recipient's MX says"
is "$(verdict)" "$alive" "nor is it dropped while nobody can tell that it is the MX"
outage "$forged" ''
is "$alive $(verdict)" "verdict=backscatter action=drop verdict=backscatter action=drop" \
	"what DNS could not save is dropped all the same"

# ---- an outage is remembered ----
# again NUMBER: another report like the genuine one; $took milliseconds.
again() {
	sed "s/^Subject: /Subject: $1 /" "$genuine" >"$dir/report.eml"
	began=$(milliseconds)
	deliver "$dir/report.eml"
	took=$(($(milliseconds) - began))
}

deliver_bad silent "$genuine"
is $(($("$tool" count "$state") - before)) 1 "an outage is kept in the delivery's one transaction"
: >"$log"
again 2
is "$(asked)" 0 "after a delivery that no server answered, the next asks nobody"
ok "and does not wait" test "$took" -lt 900
run "$BACKSTOP" deliver -c "$conf" --now=2026-11-24T00:01:01Z <"$dir/report.eml"
ok "a minute later it is asked again" test "$(asked)" -gt 0
deliver_bad servfail "$genuine"
: >"$log"
again 2
ok "a resolver that fails is asked again" test "$(asked)" -gt 0

# ---- answers are kept in the state ----
start_dns <<'EOZ'
lists.example.org. 300 TXT "v=spf1 ip4:192.0.2.10 -all"
mx.example.net. 300 TXT "v=spf1 ip4:203.0.113.25 -all"
example.net. 300 MX 10 mx.example.net.
mx.example.net. 300 A 203.0.113.25
EOZ
configure_dns "$no_senders"
before=$("$tool" count "$state")
again 1
ok "the first delivery asks" test "$(asked)" -gt 0
is $(($("$tool" count "$state") - before)) 1 "and keeps the answers in its one transaction"
: >"$log"
again 2
is "$(cat "$log")" "" "the second asks nothing"
run "$BACKSTOP" deliver -c "$conf" --now=2026-11-26T00:00:00Z <"$dir/report.eml"
ok "when they have expired, it is asked again" test "$(asked)" -gt 0
run "$BACKSTOP" check -c "$conf"
unlike "$out" "cannot be understood" "every record is understood"

# ---- backstop check ----
start_dns <<'EOZ'
lists.example.org. TXT "v=spf1 ip4:192.0.2.10 -all"
lists.example.org. MX 10 mx.example.org.
w1._domainkey.lists.example.org. TXT "v=DKIM1; p="
2.0.0.127.bad.example.org. A 127.0.0.2
EOZ
configure_dns "$no_senders; $by_dns" "$lists"
: >"$log"
run "$BACKSTOP" check -c "$conf"
is "$status $(asked)" "0 0" "check asks nobody"
like "$out" "^  dns: servers 127\\.0\\.0\\.1:$port, timeout 1s, budget 3s" "it says who would be asked"
like "$out" "blocklist bad.example.org: weight -5" "and the lists"
run "$BACKSTOP" check -c "$conf" --dns
is "$status" 0 "check --dns finds nothing wrong"
like "$out" "domain lists.example.org: there is an SPF record" "the SPF record"
like "$out" "domain lists.example.org: MX mx.example.org" "the MX"
like "$out" "blocklist bad.example.org: answers" "the list"
unlike "$out" "^warning: .*(dns|domain|blocklist|dkim)" "and nothing to look at"

start_dns <<'EOZ'
lists.example.org. TXT "no SPF"
EOZ
configure_dns "$no_senders; $by_dns" "$lists"
run "$BACKSTOP" check -c "$conf" --dns
is "$status" 78 "neither senders nor an SPF record is a fault"
like "$out" "domain lists.example.org: no senders and no SPF record: the check hop cannot tell" \
	"which is named"
like "$out" "^warning: .*_domainkey.lists.example.org does not exist" "no DKIM keys"
like "$out" "^warning: .*blocklist bad.example.org: its test address 127.0.0.2 is not listed" "no list"
configure_dns ''
run "$BACKSTOP" check -c "$conf" --dns
is "$status" 0 "with senders it is none"
start_dns <<'EOZ'
lists.example.org. TXT "v=spf1 -all"
lists.example.org. TXT "v=spf1 +all"
2.0.0.127.bad.example.org. A 127.255.255.254
*.invalid. A 192.0.2.99
invalid. A 192.0.2.99
EOZ
configure_dns "$no_senders" "$lists"
run "$BACKSTOP" check -c "$conf" --dns
like "$out" "no senders and several SPF records" "two SPF records are none"
like "$out" "^warning: .*blocklist bad.example.org: the list refuses to answer us" "a list that refuses"
like "$out" "^warning: dns: the servers answer for names that do not exist" "a resolver that makes up"

start_dns silent </dev/null
configure_dns "$no_senders; $by_dns" "$lists"
run "$BACKSTOP" check -c "$conf" --dns
is "$status" 78 "a dead resolver is a fault"
is "$(printf '%s\n' "$out" | grep -c 'DNS server')" 1 "said in one line"
configure_dns '' '' 'use = no'
run "$BACKSTOP" check -c "$conf" --dns
is "$status $(printf '%s\n' "$out" | grep -c '^note: dns: with use = no')" "0 1" \
	"with use = no nobody is asked"
if [ -e /usr/local/libexec/backstop/backstop-spf ]; then
	skip "SPF's program missing" "it is installed here"
else
	rm "$dir/lame/backstop-spf"
	configure_dns ''
	run "$dir/lame/backstop" check -c "$conf"
	is "$status" 0 "SPF's program missing is no fault"
	like "$out" "^warning: the helper program of SPF is not there .*: /.*/backstop-spf" "but said"
fi

stop_dns
done_testing
