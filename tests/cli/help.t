#!/bin/sh
# Help, version, wrong words; and the man pages say the same as the program does.
. "$(dirname "$0")/lib.sh"

tree=$(cd "$(dirname "$0")/../.." && pwd)
man=$tree/src/man

# A page as plain words: the escapes of a dash and of fonts taken out.
plain() {
	sed -e 's/\\-/-/g' -e 's/\\f[A-Z]//g' "$1"
}

# Long options that a text names, one a line.
options_of() {
	grep -oE '(^|[^A-Za-z0-9-])--[a-z][a-z-]*' | grep -oE -e '--[a-z-]+' | sort -u
}

# ---- the program as a whole ----
run "$BACKSTOP" --version
is "$status" 0 "--version succeeds"
like "$out" "^backstop [0-9]+\.[0-9]+\.[0-9]+$" "and prints the version"
run "$BACKSTOP" --help
is "$status" 0 "--help succeeds"
is "$err" "" "on standard output"
like "$out" "^usage: backstop COMMAND" "and says how it is used"
commands=$(printf '%s\n' "$out" | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
is "$(printf '%s\n' "$commands" | sort | tr '\n' ' ')" \
	"audit check db deliver digest explain held lists report rules scan sent submit tag " "it lists the commands"
run "$BACKSTOP"
is "$status" 64 "no command is wrong usage"
like "$err" "^usage: backstop COMMAND" "which is explained"
run "$BACKSTOP" nonsense
is "$status" 64 "so is an unknown one"
like "$err" "^backstop: no command is called \"nonsense\"" "which is named"
is "$out" "" "and standard output stays empty"

# ---- each command and its page ----
all_options='--help --version'
for command in $commands; do
	page=$man/backstop-$command.1
	run "$BACKSTOP" "$command" --help </dev/null
	is "$status" 0 "$command --help succeeds"
	like "$out" "^usage: backstop $command \[OPTION...\]" "$command: usage"
	like "$out" "^backstop-$command\(1\) says more" "$command: the help names the page"
	ok "$command: the page is there" test -f "$page"
	has=$(printf '%s\n' "$out" | options_of)
	all_options="$all_options $has"
	is "$(plain "$page" | options_of)" "$has" "$command: page and help have the same options"
	summary=$(printf '%s\n' "$out" | sed -n 3p)
	is "$(plain "$page" | sed -n '/^\.SH NAME/{n;p;}')" "backstop-$command - $summary" \
		"$command: page and help have the same summary"
	like "$(plain "$man/backstop.1" | tr '\n' ' ')" \
		"\.BR $command \" \(\" backstop-$command \(1\)\) $summary \." \
		"$command: backstop(1) lists it"
	want=64
	[ "$command" = deliver ] && want=75
	run "$BACKSTOP" "$command" --no-such-option </dev/null
	is "$status" "$want" "$command: an unknown option ends with $want"
	like "$err" "^backstop.*--no-such-option is no option of this command" "$command: and is named"
	run "$BACKSTOP" "$command" --now </dev/null
	is "$status" "$want" "$command: so does an option without its value"
	like "$err" "--now wants a value" "$command: which is said"
done

run sh -c 'printf "Subject: x\n\nx\n" | "$1" deliver --help' sh "$BACKSTOP"
is "$status" 75 "help instead of a delivery does not lose the message"

# ---- the other pages ----
for option in $(plain "$man/backstop.1" | options_of); do
	like "$all_options" "(^| )$option( |$)" "backstop(1): $option is an option"
done
for page in "$man"/backstop-*.1; do
	name=${page##*/backstop-}
	like "$(echo $commands)" "(^| )${name%.1}( |$)" "${page##*/} is about a command"
done

# Every setting, and none that is none.
keys_of() {
	grep -oE '^	\{CONFIG_[A-Z]+, "[a-z-]+"' "$tree/src/base/config_rows.c" | grep -oE '[a-z][a-z-]*'
}
paged=$(plain "$man/backstop.conf.5" | sed -n '/^\.SH SETTINGS/,/^\.SH ENVIRONMENT/{
	/^\.TP/{n;s/^\.B //p;}
}')
is "$(printf '%s\n' "$paged" | sort)" "$(keys_of | sort)" \
	"backstop.conf(5) has the settings of the program"

# The example of the page is a right configuration, and so is each of its settings.
plain "$man/backstop.conf.5" | sed -n '/^\.SH EXAMPLE/,/^\.fi/p' | grep -v '^\.' |
	sed "s|/etc/backstop/tag.keys|$dir/tag.keys|; s|/var/lib/backstop|$dir/state|" >"$dir/example.conf"
"$BACKSTOP" tag new-key --file="$dir/tag.keys" >"$dir/.ok" 2>&1
run "$BACKSTOP" check -c "$dir/example.conf"
unlike "$out" "example.conf:[0-9]" "the example of backstop.conf(5) is right"
like "$out" "domain lists.example.org: 2 senders" "and is what was read"

# section NAME: the settings of one section as a configuration would have them.
section() {
	plain "$man/backstop.conf.5" | awk -v head=".SH $1" '
		/^\.SH/ { inside = $0 == head }
		/^\.fi/ { example = 0 }
		inside && example { print }
		/^\.nf/ { example = 1 }'
}
{
	section SETTINGS
	echo 'domain "lists.example.org" {'
	section 'SECTION domain'
	echo '}'
	echo 'list "announce@lists.example.org" {'
	section 'SECTION list'
	echo '}'
	echo 'dns {'
	section 'SECTION dns'
	echo '}'
	echo 'storm {'
	section 'SECTION storm'
	echo '}'
	echo 'blocklist "ips.example.net" {'
	section 'SECTION blocklist'
	echo '}'
} >"$dir/all.conf"
run "$BACKSTOP" check -c "$dir/all.conf"
unlike "$(printf '%s\n' "$out" | grep -v '^warning: ')" "all.conf:[0-9]+: .*(want|unknown|belongs)" \
	"the examples of its settings are right"
# What a check can result in.
rules=$tree/rules/weights.rules
for row in $(sed -n 's/^\([a-z]*\)	\([a-z-]*\)	.*/\1:\2/p' "$rules"); do
	like "$(plain "$man/backstop-explain.1" | sed -n "/^\\.B ${row%:*}\$/,/^\\.TP/p")" \
		"^\\.BR? ${row#*:}( |\$)" "backstop-explain(1): ${row%:*} can be ${row#*:}"
done

if command -v groff >/dev/null; then
	for page in "$man"/*.[15]; do
		run groff -man -Tutf8 -ww -z "$page"
		is "$out$err" "" "${page##*/}: groff has nothing to complain about"
	done
fi

done_testing
