# world.sh: the list host of tests/mail/world, set up in $dir: $conf, $state, a ledger, and a
# sendmail that files what it is handed under $outbox: NAME.msg the message, NAME.arg its arguments,
# one a line. Sourced behind lib.sh by a test whose folder stands beside mail/.
#
#   configure 'mode = observe' 'owner-sees = original'   # top and list settings; changes $conf
#   deliver "$world/genuine-postfix.eml" --queue-id=4F2  # sets $status, $out, $err
#   ends 0 "a genuine bounce is delivered"               # exit code, and what it may print

world=$(cd "$(dirname "$0")/../mail/world" && pwd)
now=--now=2026-11-24T00:00:00Z
conf=$dir/backstop.conf
state=$dir/state
outbox=$dir/outbox
umask 022
mkdir "$outbox"
cp "$world/tag.keys" "$dir/tag.keys"
touch -d 2026-11-01T00:00:00Z "$dir/tag.keys" # else tags of the days before now would be of no known key
cp "$world/w1.pub" "$dir/w1.pub"
chmod 640 "$dir/tag.keys"

# make_program PATH: a shell script from standard input.
make_program() {
	{
		echo '#!/bin/sh'
		cat
	} >"$1"
	chmod 755 "$1"
}

make_program "$dir/sendmail" <<-EOF
	printf '%s\n' "\$@" >"$outbox/\$\$.arg"
	cat >"$outbox/\$\$.msg"
EOF

# configure TOP LIST: the configuration of the world, with settings of a test's own: TOP at the top,
# in place of those of the same name, LIST in the list announce@. One setting a line.
configure() {
	{
		printf 'sendmail = "%s"\n' "$dir/sendmail"
		[ -n "${dns_settings-}" ] || echo 'dns { use = no }' # the machine's own server knows nothing here
		sed -e "s|@DIR@|$dir|; s|@STATE@|$state|" "$world/backstop.conf.in"
	} | TOP=${1-} LIST=${2-} awk '
		BEGIN {
			count = split(ENVIRON["TOP"], lines, "\n")
			for (i = 1; i <= count; i++) {
				split(lines[i], words, " ")
				replaced[words[1]] = 1
			}
			print ENVIRON["TOP"]
		}
		/^[a-z]/ && $1 in replaced { next }
		{ print }
		/^list "announce@/ { print ENVIRON["LIST"] }' >"$conf"
}

feed_ledger() {
	"$BACKSTOP" sent -c "$conf" "$now" --tsv="$world/ledger.tsv" >/dev/null
}

# deliver FILE OPTION...
deliver() {
	message=$1
	shift
	run "$BACKSTOP" deliver -c "$conf" "$now" "$@" <"$message"
}

# ends STATUS TEXT: what every delivery owes the mail server: the exit code, nothing on standard
# output, and on standard error lines of our own alone.
ends() {
	stray=$(grep -v '^backstop: ' "$dir/.err")
	is "exit $status, out: $out, stray: $stray" "exit $1, out: , stray: " "$2"
}

# The number of files that match, without a process.
count_files() {
	[ -e "$1" ] || set --
	echo $#
}

sent_count() {
	count_files "$outbox"/*.msg
}

# sent_once TEXT: exactly one message was handed to sendmail.
sent_once() {
	is "$(sent_count)" 1 "$1"
}

forget_sent() {
	rm -f "$outbox"/*
}

held() {
	"$BACKSTOP" held -c "$conf" "$now" "$@"
}

# The ids of what is held, one a line.
held_ids() {
	held list --format=json | sed 's/^{"id":"\([0-9A-F]*\)".*/\1/'
}

# ends_with FILE TAIL: the last bytes of FILE are those of TAIL.
ends_with() {
	tail -c "$(wc -c <"$2")" "$1" | cmp - "$2"
}

# The control characters, C1 as UTF-8 included, in what was printed. A terminal obeys them.
count_controls() {
	cat "$dir/.out" "$dir/.err" | {
		tr '\001-\011\013-\037\177' '\001' | sed "s/$(printf '\302[\200-\237]')/$(printf '\001')/g"
	} | tr -cd '\001' | wc -c
}

# skip TEXT REASON
skip() {
	count=$((count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$count" "$1" "$2"
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

configure
