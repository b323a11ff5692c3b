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

# ---- what is wrong is named by file and line ----

sed 's/^	literal .*/	literall "ExampleMail"/' "$dir/rules/mta.rules" >"$dir/wrong"
mv "$dir/wrong" "$dir/rules/mta.rules"
run "$BACKSTOP" scan -c "$dir/conf" "$dir/bounce.eml"
is "$status" 78 "78: a word that is none"
like "$err" "$dir/rules/mta.rules:3: want literal," "file and line, and what would be right"
run "$BACKSTOP" check -c "$dir/conf"
like "$out" "$dir/rules/mta.rules:3: want literal," "check says so too"
run "$BACKSTOP" deliver -c "$dir/conf" --sender= --recipient=x@example.net <"$dir/bounce.eml"
is "$status" 0 "a delivery goes on with the default rules"
like "$err" "warning: .*mta.rules:3" "with a warning"

printf 'dialect broken\n\tliteral "x"\n\taddress /(unclosed/\n\tsample\n\t\tFrom: a\n\texpect failed\n' \
	>"$dir/rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 65 "65: a regex that does not compile"
like "$out" 'mta.rules:1: broken: /\(unclosed/: missing closing parenthesis' "and why"
printf 'dialect qmail\n\tbody "x"\n' >"$dir/rules/mta.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
like "$out" 'mta.rules:1: qmail: has no literal' "a dialect without a literal"
like "$out" 'mta.rules:1: qmail: has no sample' "or without a sample"
printf 'reason nonsense\n' >"$dir/rules/reasons.rules"
run "$BACKSTOP" rules check -c "$dir/conf"
is "$status" 78 "78: a reason that is none"
rm -r "$dir/rules"
run "$BACKSTOP" scan -c "$dir/conf" "$dir/bounce.eml"
is "$status" 66 "66: a rules-dir that is not there"

done_testing
