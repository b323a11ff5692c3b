#!/bin/sh
# backstop check: one thing is wrong at a time, and each time it is found and named.
. "$(dirname "$0")/lib.sh"

now=2026-11-23T12:00:00Z
state=$dir/state
conf=$dir/backstop.conf
me=$(id -un)

printf '#!/bin/sh\nexec cat >/dev/null\n' >"$dir/sendmail"
chmod +x "$dir/sendmail"

# configure [LINE-OF-TOP [LINE-OF-DOMAIN [LINE-OF-LIST]]]
configure() {
	cat >"$conf" <<END
state    = "$state"
log      = "$dir/log"
${1:-sendmail = "$dir/sendmail"}
domain "lists.example.org" {
    tag-keys = "$dir/tag.keys"
    tagged   = all
    ${2-}
}
list "announce@lists.example.org" {
    owners = {"alice@example.org"}
    ${3-}
}
END
}

check() (
	"$BACKSTOP" check -c "$conf" --now="$now" "$@"
)

# fault PATTERN TEXT: the check ends with 78 and says that.
fault() {
	run check
	is "$status" 78 "$2 is a fault"
	like "$out" "$1" "and is named"
	unlike "$out" "no faults" "so all is not well"
}

configure
"$BACKSTOP" tag new-key -c "$conf" --now=2026-11-01T00:00:00Z --domain=lists.example.org >"$dir/.ok"

# ---- nothing is wrong ----
run check
is "$status" 0 "nothing is wrong"
like "$out" "^$conf: no faults$" "which is said"
is "$err" "" "nothing goes to standard error"
like "$out" "^  mode observe" "the mode is told"
like "$out" "^  domain lists.example.org: 0 senders, tagged all, signed none, sent-log none" "domains"
like "$out" "^  tag-keys $dir/tag.keys: 1 key, the newest is number [0-9]+ of 2026-11-01, 22 days old" "keys"
like "$out" "^  state $state: nothing there yet; will be created" "a state that is to come"
like "$out" "^  rules: [0-9]+ weights" "the rules"
ok "nothing was created" test ! -e "$state"
if [ "$me" = root ]; then
	like "$out" "^note: permissions were checked as root" "root is told whose rights count"
fi

# ---- the configuration ----
configure 'deadlin = "20s"'
fault "^$conf:3: unknown key" "an unknown key"
like "$out" "^$conf: 1 fault$" "it is counted"
configure 'deadline = "20"' 'tag-lifetime = "1h"' 'owner-sees = all'
fault "^$conf:3: deadline = \"20\": want a time" "a value without a unit"
like "$out" "^$conf:7: tag-lifetime" "a second fault is told as well"
like "$out" "^$conf:11: owner-sees" "and a third"
configure "sendmail = \"$dir/sendmail\"
deadline = 10s
dns { budget = 6s }"
run check
is "$status" 0 "a warning alone is no fault"
like "$out" "^warning: $conf:5: dns: .*budget is cut to 5s" "it is marked"
like "$out" "^$conf: no faults, 1 warning$" "and counted"
run "$BACKSTOP" check -c "$dir/nowhere.conf"
is "$status" 78 "no configuration is a fault"
like "$out" "^$dir/nowhere.conf: cannot be read: No such file" "and is named"

# ---- files and folders ----
configure 'sendmail = "/nonexistent/sendmail"'
fault "^sendmail: /nonexistent/sendmail: No such file" "a sendmail that is not there"
: >"$dir/no-program"
configure "sendmail = \"$dir/no-program\""
fault "^sendmail: $dir/no-program: cannot be run" "one that is no program"

configure
chmod 644 "$dir/tag.keys"
fault "^tag-keys: $dir/tag.keys: others may use it" "a key file that others may read"
chmod 640 "$dir/tag.keys"
mv "$dir/tag.keys" "$dir/away"
fault "^tag-keys: $dir/tag.keys: cannot be read: No such file" "a key file that is not there"
mv "$dir/away" "$dir/tag.keys"

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/s1.private" 2>/dev/null
openssl pkey -in "$dir/s1.private" -pubout -out "$dir/s1.pub"
openssl genpkey -algorithm ED25519 -out "$dir/s2.private"
{
	printf 's2._domainkey IN TXT ( "v=DKIM1; k=ed25519; "\n  "p='
	openssl pkey -in "$dir/s2.private" -pubout -outform DER | tail -c 32 | base64 | tr -d '\n'
	printf '" )  ; ----- DKIM key s2\n'
} >"$dir/s2.txt"
configure '' "dkim-keys = {\"s1=$dir/s1.pub\", \"s2=$dir/s2.txt\", \"dns\"}"
run check
is "$status" 0 "DKIM keys that are right: $out"
like "$out" "^  dkim-keys $dir/s1.pub: s1, rsa, 2048 bits" "one in PEM"
like "$out" "^  dkim-keys $dir/s2.txt: s2, ed25519, 256 bits" "one as a zone file has it"
configure '' "dkim-keys = {\"s1=$dir/s1.private\"}"
fault "^dkim-keys: $dir/s1.private: holds a private key" "a private key in place of the public one"
unlike "$out" "BEGIN|MII" "and nothing of it is repeated"
configure '' "dkim-keys = {\"s1=$dir/nowhere.pub\"}"
fault "^dkim-keys: $dir/nowhere.pub: No such file" "a DKIM key that is not there"
configure '' "dkim-keys = {\"s1=$dir/tag.keys\"}"
fault "^dkim-keys: $dir/tag.keys: want a public key" "a file that is no DKIM key"
chmod 666 "$dir/s1.pub"
configure '' "dkim-keys = {\"s1=$dir/s1.pub\"}"
fault "^dkim-keys: $dir/s1.pub: every user may write it" "a DKIM key that everybody may change"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:512 -out "$dir/s3.private" 2>/dev/null
openssl pkey -in "$dir/s3.private" -pubout -out "$dir/s3.pub"
configure '' "dkim-keys = {\"s3=$dir/s3.pub\"}"
run check
is "$status" 0 "a short key is no fault"
like "$out" "^warning: dkim-keys: $dir/s3.pub: has 512 bits" "but a warning"
configure '' 'signed = all'
fault "signed = all, but nothing could be checked" "all signed, without a key"

state=$dir/nowhere/state
configure
fault "^state: $state: cannot be created: $dir/nowhere cannot be written" "a state without a place"
state=$dir/state

configure '' '' "genuine = \"maildir:$dir/nowhere/box\""
fault "^$conf:9: genuine: $dir/nowhere/box cannot be created" "a Maildir without a place"
: >"$dir/file"
configure '' '' "backscatter = \"maildir:$dir/file\""
fault "^$conf:9: backscatter: $dir/file: want a folder" "a file for a Maildir"
mkdir -p "$dir/box/new"
configure '' '' "genuine = \"maildir:$dir/box\""
run check
is "$status" 0 "a Maildir that can be completed is none"

configure
sed "s|^log .*|log = \"$dir/nowhere/log\"|" "$conf" >"$conf.new" && mv "$conf.new" "$conf"
run check
is "$status" 0 "a log that cannot be written is no fault"
like "$out" "^warning: log: $dir/nowhere/log: cannot be written" "but a warning"

# ---- the state ----
configure 'mode = enforce
sendmail = "/bin/true"'
for i in 1 2; do
	"$BACKSTOP" deliver -c "$conf" --now="$now" --sender= \
		--recipient=announce-bounces@lists.example.org --client-address=198.51.100.7 <<END
From: MAILER-DAEMON@mx.example.net
Subject: failure
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ann$i@example.net
Action: failed
Status: 5.1.1
--b--
END
done
run check
is "$status" 0 "a state in use is right"
like "$out" "^  state $state: [0-9]+ KiB, 2 decisions, 2 held or dropped" "and is described"

file=$(ls "$state/held/new" | head -n 1)
mkdir -p "$state/held/cur"
mv "$state/held/new/$file" "$state/held/cur/$file:2,S"
run check
is "$status" 0 "a mail reader that looked at a held message does no harm"
mv "$state/held/cur/$file:2,S" "$dir/$file"
cp "$dir/$file" "$state/held/new/$file"
truncate -s 0 "$state/held/new/$file"
fault "^held: the file $state/held/new/$file of message [0-9A-F]+ has 0 bytes" "a held message without its bytes"
rm "$state/held/new/$file"
fault "^held: message [0-9A-F]+ has lost its file $state/held/new/$file" "a held message without its file"
mv "$dir/$file" "$state/held/new/$file"

echo young >"$state/held/new/1.young"
touch -d "$now" "$state/held/new/1.young"
run check
unlike "$out" "no record" "a file whose record may be on its way is not told"
touch -d '2026-11-22T12:00:00Z' "$state/held/new/1.young"
run check
is "$status" 0 "an old file without a record is no fault"
like "$out" "^warning: held: 1 file in $state/held has no record" "but a warning"
rm "$state/held/new/1.young"

cp "$state/data.mdb" "$dir/good.mdb"
head -c 65536 /dev/zero | tr '\0' x >"$state/data.mdb"
fault "^state: .*data.mdb is damaged" "a damaged state"
cp "$dir/good.mdb" "$state/data.mdb"

# ---- Postfix, by a postconf of our own ----
mkdir "$dir/bin"
cat >"$dir/bin/postconf" <<END
#!/bin/sh
echo 'postconf: warning: something of no interest' >&2
case \$1 in
-M)
	echo 'smtp inet n - y - - smtpd'
	cat "$dir/master.cf"
	echo 'uucp unix - n n - - pipe flags=Fqhu user=uucp argv=uux -r -n -z - \$nexthop!rmail (\$recipient)' ;;
-xh) sed -n "s/^\$2 = *//p" "$dir/main.cf" ;;
*) exit 1 ;;
esac
END
chmod +x "$dir/bin/postconf"
PATH=$dir/bin:$PATH
export PATH

agent=$me
if [ "$me" = root ]; then
	# Postfix runs nothing as root, and root's place is judged by another's rights.
	agent=nobody
	chown -R nobody "$dir"
fi

# postfix [SED]: the wiring of contrib/postfix, changed by a sed expression.
postfix() {
	cat >"$dir/master.cf" <<END
backstop unix - n n - 20 pipe -o syslog_name=x flags=Xq user=$agent null_sender= argv=$BACKSTOP deliver --config=$conf --sender=\${sender} --recipient=\${recipient} --original-recipient=\${original_recipient}
END
	cat >"$dir/main.cf" <<END
recipient_delimiter = +
backstop_destination_recipient_limit = 1
backstop_time_limit = 1000s
END
	for postfix_file in master.cf main.cf; do
		sed "${1-}" "$dir/$postfix_file" >"$dir/.new"
		mv "$dir/.new" "$dir/$postfix_file"
	done
}

configure
chmod 755 "$dir"
postfix
run check --mta
is "$status" 0 "Postfix is wired as contrib/postfix says"
like "$out" "^  postfix: service backstop runs backstop deliver as user $agent" "which is described"
unlike "$out" "something of no interest" "postconf's warnings are not told"
if [ "$me" = root ]; then
	like "$out" "^note: files and folders were checked as user nobody" "whose rights counted is said"
	chown root "$dir/tag.keys"
	chmod 600 "$dir/tag.keys"
	run check --mta
	is "$status" 78 "a key file that only root may read is a fault"
	like "$out" "^tag-keys: $dir/tag.keys: cannot be read: Permission denied" "and is named"
	chown nobody "$dir/tag.keys"
	chown root "$state/data.mdb"
	chmod 600 "$state/data.mdb"
	run check --mta
	is "$status" 78 "so is a state that root has made"
	like "$out" "^state: user nobody may not use $state/data.mdb" "which is named"
	chown nobody "$state/data.mdb"
fi

# wrong SED PATTERN TEXT
wrong() {
	postfix "$1"
	run check --mta
	is "$status" 78 "$3 is a fault"
	like "$out" "^postfix: $2" "and is named"
}

wrong 's/ null_sender=//' 'service backstop: want null_sender=' 'a service without null_sender='
wrong 's/null_sender=/null_sender=postmaster/' 'service backstop: want null_sender=' 'another null sender'
wrong 's/flags=Xq/flags=Xqu/' 'service backstop: flags=Xqu: take out u' 'flag u'
wrong 's/flags=Xq/flags=DXq/' 'service backstop: flags=DXq: take out D' 'flag D'
wrong 's/null_sender=/& size=1000/' 'service backstop: take out size=' 'a size limit'
wrong 's/user=[a-z0-9_-]* //' 'service backstop: want user=' 'a service without a user'
wrong 's/user=[a-z0-9_-]* /user=root /' 'service backstop: user=root: Postfix runs nothing as root' 'root'
wrong 's/user=[a-z0-9_-]* /user=no.such.user /' 'service backstop: user=no.such.user: there is no such' \
	'a user who is not there'
wrong 's/--sender=[^ ]*//' 'service backstop: want --sender=' 'a service without the sender'
wrong 's/--recipient=[^ ]*//' 'service backstop: want --recipient=' 'one without the recipient'
wrong 's|argv=[^ ]*|argv=/nonexistent/backstop|' 'service backstop: there is no program /nonexistent' \
	'a program that is not there'
wrong 's/backstop deliver/backstop filter/' 'no pipe service in master.cf runs backstop deliver' \
	'no service at all'
wrong 's/recipient_limit = 1/recipient_limit = 50/' 'backstop_destination_recipient_limit is 50' \
	'several recipients at once'
wrong 's/time_limit = 1000s/time_limit = 15s/' 'backstop_time_limit is 15s' \
	'a time limit below our deadline'
wrong 's/recipient_delimiter = +/recipient_delimiter = -/' 'recipient_delimiter is "-"' \
	'another delimiter'
wrong 's/recipient_delimiter = +/recipient_delimiter =/' 'recipient_delimiter is ""' 'no delimiter'

postfix "s/ --config=[^ ]*//"
run check --mta
is "$status" 0 "a service that reads another configuration is no fault"
like "$out" "^warning: postfix: service backstop reads /etc/backstop/backstop.conf" "but a warning"

printf '#!/bin/sh\necho "postconf: fatal: it is broken" >&2\nexit 1\n' >"$dir/bin/postconf"
run check --mta
is "$status" 78 "a postconf that fails is a fault"
like "$out" "^postfix: .*postconf -M failed: postconf: fatal: it is broken" "and is named"

# ---- the command line ----
run check file
is "$status" 64 "an argument is wrong usage"
run check --format=text
is "$status" 64 "so is an option that it has not"
like "$err" "is no option of this command" "which is said"

done_testing
