"""bounces.py: what another mail server sends back, to our mail and to forged mail, and what becomes of it.

The same for each kind of server (bounces-*.t).  All our mail carries a tag of its own recipient:
backstop submit sends it, and the configuration says so.  Then every bounce of ours has to be proven,
and nothing else.  Beside the hosts of story.py there are a forwarder, the next hop, which refuses
what the server under test has accepted, and the spammer's own mailbox: he reads the list.

Every name in an address is used in one way only (remote.py), so the truth about a report is in it.

$MTA_KEEP=FOLDER keeps what the server wrote there, with the trace fields of our own Postfix on top.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import remote
from postfix import Postfix
from story import CONF, PROGRAM, REAL, TREE, Story
from tap import Abort

BOUNCES = "announce-bounces@lists.example.org"
SUBSCRIBER = "mole@bulk.bad.example"  # the spammer
KEYS = TREE / "tests" / "mail" / "world" / "tag.keys"
RECORD = "/var/tmp/record"
LARGE = 60_000  # more than the next hop takes

# Stands in front of the program: keeps what Postfix hands over, and what the program says of it.
WRAPPER = rf"""#!/bin/sh
[ "$1" = deliver ] || exec {REAL} "$@"
for option; do
	case $option in --queue-id=*) copy={RECORD}/${{option#*=}} ;; esac
done
printf '%s\n' "$@" >"$copy.arguments"
cat >"$copy.eml" || exit 75
exec {REAL} "$@" <"$copy.eml" 2>"$copy.log"
"""

SIGNER = """
Mode s
Domain lists.example.org
Selector s1
KeyFile /etc/opendkim.key
Socket inet:8891@127.0.0.1
Canonicalization relaxed/simple
SignHeaders From,To,Subject,Date,Message-ID
OversignHeaders From
UserID opendkim
Syslog no
"""


# What the spammer writes himself, the hop from our host included.
REPORT = """From: MAILER-DAEMON@mx.remote.example
To: announce-bounces@lists.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.remote.example

Final-Recipient: rfc822; gone.made-up@remote.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 unknown user

--b
Content-Type: text/rfc822-headers

Received: from lists.example.org (lists.example.org [192.0.2.10])
\tby mx.remote.example (Postfix) with ESMTP id 4Z1; Mon, 23 Nov 2026 12:00:01 +0000
From: announce@lists.example.org
To: announce@lists.example.org
Message-ID: <made-up@lists.example.org>
Date: Mon, 23 Nov 2026 12:00:00 +0000
Subject: hello

--b--
"""
COPIES = 12  # replays with the same tag


class Delivery:
    """One call of backstop deliver."""

    def __init__(self, path):
        self.message = path.read_bytes()
        words = path.with_suffix(".arguments").read_text().splitlines()
        self.arguments = dict(word.split("=", 1) for word in words if "=" in word)
        self.log = path.with_suffix(".log").read_text(errors="replace")
        fields = re.search(r"kind=(\S+) verdict=(\S+) .*?action=(\S+) .*? by=(\S+)", self.log)
        self.kind, self.verdict, self.action, self.evidence = fields.groups() if fields else ("?",) * 4
        self.names = self.find_names(self.message)

    @staticmethod
    def find_names(message):
        """(WHAT, HOW) of each name in it."""
        pattern = rf"\b({'|'.join(remote.WHATS)})\.({'|'.join(remote.GENUINE + remote.FORGED)})\b"
        return {(what.decode(), how.decode()) for what, how in re.findall(pattern.encode(), message)}

    def is_only(self, hows):
        return bool(self.names) and {how for _, how in self.names} <= set(hows)

    def __str__(self):
        names = " ".join(f"{what}.{how}" for what, how in sorted(self.names))
        return f"{names}: {self.kind} {self.verdict} {self.action} ({self.evidence})"

    def with_trace(self):
        """As our own Postfix would have filed it."""
        sender, recipient = self.arguments["--sender"], self.arguments["--recipient"]
        return (f"Return-Path: <{sender}>\nX-Original-To: {recipient}\n"
                f"Delivered-To: {recipient}\n").encode() + self.message


class BounceTests(Story):
    patience_s = 150

    def __init__(self, tap, remote_kind):
        super().__init__(tap, remote_kind)
        self.next = self.add_host("next", *remote.NEXT)
        self.forward = self.add_host("forward", "relay.forward.example", "203.0.113.40")
        self.whats = [what for what in remote.WHATS if what not in remote_kind.cannot]
        self.sinks = []
        self.told = set()

    # --- setting up ---

    def start_sink(self, host):
        program = (Path(__file__).resolve().parent / "nexthop.py").read_text()
        sink = subprocess.Popen(host.command(sys.executable, "-c", program, host.address, RECORD),
                                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.sinks.append(sink)
        if sink.stdout.readline() != b"up\n":
            raise Abort(f"{host.name}: nexthop.py did not come up")

    def start_signer(self):
        self.lists.write("/etc/opendkim.conf", SIGNER)
        self.lists.run("openssl", "genrsa", "-out", "/etc/opendkim.key", "2048")
        self.lists.run("chown", "opendkim", "/etc/opendkim.key")
        self.lists.run("opendkim", "-x", "/etc/opendkim.conf")

    def build(self, program):
        self.wire((self.lists, self.forward), (self.forward, self.remote), (self.spam, self.forward),
                  (self.remote, self.next))
        for host in self.next, self.spam:
            self.start_sink(host)
        remote.install_programs(self.remote)
        self.start_signer()
        super().build(program, {
            "transport_maps": f"inline:{{ forward.example=smtp:[{self.forward.address}],"
                              f" bulk.bad.example=smtp:[{self.spam.address}] }}",
            "non_smtpd_milters": "inet:127.0.0.1:8891"})
        self.forwarder = Postfix(self.forward, {
            "mydestination": "localhost",
            "virtual_alias_domains": "forward.example",
            "virtual_alias_maps": "regexp:/etc/postfix/virtual",
            "transport_maps": f"inline:{{ remote.example=smtp:[{self.remote.address}],"
                              f" lists.example.org=smtp:[{self.lists.address}] }}"})
        self.forward.write("/etc/postfix/virtual", "/^(.*)@forward\\.example$/ $1@remote.example\n")
        self.servers.append(self.forwarder)
        self.forwarder.start()
        self.set_up_backstop()

    def set_up_backstop(self):
        """As the README says, without its trial, and enforcing."""
        for number in 2, 3, 4, 7:
            self.follow_readme(number)
        if os.environ.get("MTA_KEEP"):  # with the key that the tests have
            self.lists.path("/etc/backstop/tag.keys").write_bytes(KEYS.read_bytes())
        else:
            self.age_keys()
        with self.lists.path(CONF).open("a") as file:
            # Nobody answers here: an outage of DNS, which drops less, is another story's.
            file.write('log = "stderr"\ndns { use = no }\n')
        self.lists.run("postfix", "reload")
        self.lists.run("mv", PROGRAM, REAL)
        self.lists.write(PROGRAM, WRAPPER, 0o755)
        self.lists.run("install", "-d", "-o", "backstop", RECORD)

    # --- sending ---

    def size(self, what):
        return LARGE if what == "large" else 0

    def post_all(self):
        """Our own mail: what bounces, in each of the ways that ours can take."""
        for what in self.whats:
            self.post([f"{what}.genuine@remote.example"], size=self.size(what))
        self.post(["gone.forwarded@forward.example"])
        self.post(["gone.several@remote.example", "full.several@remote.example",
                   "fine.several@remote.example"])
        for what in "gone", "large":
            self.post([f"{what}.headers@remote.example"], size=self.size(what),
                      options=["-R", "hdrs", "-N", "failure,delay"])

    def subscriber_copies(self):
        """The posts that the spammer gets as a subscriber: (envelope sender, message) by size."""
        for size in 0, LARGE - 20_000:
            self.post([SUBSCRIBER], size=size)
        self.settle()
        copies = sorted((path.read_bytes().split(b"\n\n", 1)
                         for path in self.spam.path(RECORD).iterdir()), key=lambda copy: len(copy[1]))
        if len(copies) != 2:
            raise Abort(f"the subscriber got {len(copies)} posts instead of 2")
        return [(envelope.split(b"\n")[0].decode(), message) for envelope, message in copies]

    def forge_all(self):
        """The spammer's mail, what he forges in our name in each of his ways."""
        small, large = self.subscriber_copies()
        self.tap.ok(b"\nDKIM-Signature: " in b"\n" + small[1], "our posts are signed", small[1])
        token = re.search(r"\+(r[a-z0-9]{21})=", small[0]).group(1)
        messages = []

        def add(sender, recipients, message):
            messages.append((sender, recipients, message))

        def make(to, domain="lists.example.org", size=0):
            self.serial += 1
            return self.compose("announce", f"<buy-{self.serial}@{domain}>", to, size)

        for what in self.whats:
            to = {how: f"{what}.{how}@remote.example" for how in remote.FORGED}
            size = self.size(what)
            signed = to["bad-tag"].replace("@", "=")
            bad_tag = f"announce-bounces+{token}={signed}@lists.example.org"
            add(BOUNCES, [to["naive"]], make(to["naive"], "bulk.bad.example", size))
            add(BOUNCES, [to["our-id"]], make(to["our-id"], size=size))
            add(bad_tag, [to["bad-tag"]], make(to["bad-tag"], size=size))
            copy = large[1] + b"A line of the spammer's own.\n" * 1000 if size else small[1]
            add(BOUNCES, [to["replay"]], copy)
        many = [f"{what}.many@remote.example" for what in ("gone", "full", "content")]
        add(BOUNCES, many, make(many[0]))
        self.spam.speak_smtp(self.remote, messages)
        to = "gone.through@forward.example"
        self.spam.speak_smtp(self.forward, [(BOUNCES, [to], make(to))])
        return small

    # --- looking ---

    def settle(self, deferred=0, what="the queues run empty"):
        good = super().settle(deferred, what)
        time.sleep(0.2)  # a sink may be about to write its file
        return good

    def deliveries(self):
        """What came to the bounce address since the last call."""
        fresh = set(self.lists.path(RECORD).glob("*.eml")) - self.told
        self.told |= fresh
        return [Delivery(path) for path in sorted(fresh)]

    def log(self):
        return "".join(path.read_text(errors="replace")
                       for path in sorted(self.lists.path(RECORD).glob("*.log")))

    def keep(self, deliveries):
        folder = os.environ.get("MTA_KEEP")
        if not folder:
            return
        count = Counter()
        for delivery in deliveries:
            what, how = sorted(delivery.names)[0] if delivery.names else ("", "unknown")
            name = f"{self.remote_kind.name}-{how}-{what}-{delivery.kind}"
            count[name] += 1
            number = f"-{count[name]}" if count[name] > 1 else ""
            (Path(folder) / f"{name}{number}.eml").write_bytes(delivery.with_trace())

    # --- tests ---

    def names_of(self, how):
        """The names to which forge_all and post_all sent mail in this way."""
        few = {"forwarded": ["gone"], "through": ["gone"], "several": ["gone", "full"],
               "headers": ["gone", "large"], "many": ["gone", "full", "content"]}
        return [(what, how) for what in few.get(how, self.whats)]

    def missing(self, deliveries, hows):
        """Which reports did not come, of those that mail sent in these ways has to cause."""
        wanted = Counter()
        for what, how in (name for one in hows for name in self.names_of(one)):
            wanted[what, how, self.remote_kind.kinds.get(what, remote.WHATS[what][1])] += 1
            if what == "slow":
                wanted[what, how, "delayed"] += 1
        wanted.subtract((*name, delivery.kind) for delivery in deliveries for name in delivery.names)
        return [f"{what}.{how}: {kind}" for (what, how, kind), count in wanted.items() if count > 0]

    def explained_names(self):
        """(WHAT, HOW) that the owner's mail names in text, each with what was said of it."""
        found = set()
        for message in self.arrivals():
            names = Delivery.find_names(message)
            found |= {name for name in names if remote.WHATS[name[0]][0].encode() in message}
        return found

    def test_genuine(self, deliveries):
        genuine = [one for one in deliveries if one.is_only(remote.GENUINE)]
        self.tap.none(self.missing(genuine, remote.GENUINE), "all our mail that fails is reported")
        self.tap.none([str(one) for one in genuine if one.verdict != "genuine"],
                      f"every report on our mail is proven ({len(genuine)})")
        self.tap.none([str(one) for one in genuine if "tag:valid-recipient" not in one.evidence],
                      "by the tag of its recipient")
        bounces = {name for one in genuine if one.kind != "autoreply" for name in one.names}
        self.tap.covers(self.explained_names(), bounces, "the owner has every bounce, and why")

    def test_forged(self, deliveries):
        for how in remote.FORGED:
            reports = [one for one in deliveries if one.is_only((how,))]
            bounces = [one for one in reports if one.kind != "autoreply"]
            answers = [one for one in reports if one.kind == "autoreply"]
            self.tap.none(self.missing(reports, [how]), f"forged mail, {how}, is reported")
            self.tap.none([str(one) for one in bounces
                           if (one.verdict, one.action) != ("backscatter", "drop")],
                          f"every bounce of it is backscatter and dropped ({len(bounces)})")
            # An answer goes to From as often as to the envelope sender, which alone has a tag.
            proof = "backscatter" if how == "bad-tag" else "unproven"
            self.tap.none([str(one) for one in answers if one.verdict != proof],
                          f"every automatic reply to it is {proof} ({len(answers)})")

    def test_made_up(self):
        """Reports that no server wrote: the spammer sends them to the bounce address himself."""
        tag = "announce-bounces+rbaaaaaaaaaaaaaaaaaaaaa=gone.naive=remote.example@lists.example.org"
        report = REPORT.replace("\n", "\r\n").encode()
        self.spam.speak_smtp(self.lists, [("", [address], report) for address in (BOUNCES, tag)])
        self.settle()
        reports = self.deliveries()
        self.tap.equal([(one.verdict, one.action) for one in reports], [("backscatter", "drop")] * 2,
                       "reports that the spammer made up himself are backscatter")

    def test_copied(self, copy):
        """The spammer has one valid tag, his own.  The first report that comes to it may be about
        his mailbox, forwarded elsewhere; many about as many addresses cannot."""
        sender, message = copy
        victims = [f"gone.copied.{number}@remote.example" for number in range(COPIES)]
        self.spam.speak_smtp(self.remote, [(sender, [victim], message) for victim in victims])
        self.settle()
        reports = self.deliveries()
        passed = [str(one) for one in reports if one.verdict == "genuine"]
        self.tap.equal(len(reports), COPIES, "every replay with the tag of a subscriber is reported")
        self.tap.note(f"replays with the subscriber's tag: {len(passed)} of {COPIES} pass as genuine")
        self.tap.ok(len(passed) <= 1, "one tag proves one report, no more")

    def test_accounts(self, deliveries):
        dropped = [one for one in deliveries if one.action == "drop"]
        self.tap.equal(len(self.kept()), len(dropped), "every dropped report is kept")
        verdicts = Counter(one.verdict for one in deliveries)
        summary = self.report()["verdicts"]
        self.tap.equal({name: summary[name] for name in verdicts}, dict(verdicts),
                       "the report counts what was decided")
        self.tap.equal(set(self.list_mail.statuses("backstop")), {"sent"},
                       "Postfix had neither to defer nor to bounce a report")

    def run(self, program):
        self.build(program)
        for what, why in self.remote_kind.cannot.items():
            self.tap.note(f"{self.remote_kind.name}, {what}: {why}")
        self.post_all()
        copy = self.forge_all()
        self.settle()
        deliveries = self.deliveries()
        self.keep(deliveries)
        self.test_genuine(deliveries)
        self.test_forged(deliveries)
        self.test_accounts(deliveries)
        self.test_made_up()
        self.test_copied(copy)
        if self.tap.failed:
            self.show_logs("the last test")
