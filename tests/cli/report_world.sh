# report_world.sh: a host with two lists, messages for them, and the report on what became of them.
# For tests of `backstop report`; behind lib.sh.

now=2026-11-23T12:00:00Z
state=$dir/state
conf=$dir/backstop.conf

cat >"$dir/sendmail" <<'END'
#!/bin/sh
exec cat >/dev/null
END
chmod +x "$dir/sendmail"

# configure MODE [SETTING]
configure() {
	cat >"$conf" <<END
mode     = $1
state    = "$state"
sendmail = "$dir/sendmail"
log      = "$dir/log"
dns { use = no }
$2
domain "lists.example.org" {
    tag-keys = "$dir/tag.keys"
    tagged   = all
}
list "announce@lists.example.org" {
    owners = {"alice@example.org"}
}
list "news@lists.example.org" {
    owners   = {"bob@example.org"}
    unproven = "hold"
}
END
}

# bounce FAILED: a report on delivery.
bounce() {
	cat <<END
From: MAILER-DAEMON@mx.example.net
To: announce-bounces@lists.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; $1
Action: failed
Status: 5.1.1
--b--
END
}

autoreply() {
	cat <<END
From: ann@example.net
To: news-bounces@lists.example.org
Subject: Out of office
Auto-Submitted: auto-replied

I am away.
END
}

ordinary() {
	cat <<END
From: ann@example.net
To: announce-bounces@lists.example.org
Subject: hello

Who runs this list?
END
}

# deliver RECIPIENT CLIENT [OPTION...]: the message on standard input.
deliver() {
	deliver_to=$1
	deliver_from=$2
	shift 2
	"$BACKSTOP" deliver -c "$conf" --now="$now" --sender= --recipient="$deliver_to" \
		--client-address="$deliver_from" "$@" 2>>"$dir/deliver.err"
}

ask() (
	"$BACKSTOP" report -c "$conf" --now="$now" "$@"
)
