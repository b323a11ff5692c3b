"""story.py: the stage for postfix.t: three hosts, their Postfix, and backstop on one of them.

In charge of building them, of sending genuine and forged mail, and of looking at what came of it;
leaves to postfix.t what is tested, and in which order.
"""

import email
import email.policy
import json
import re
import shutil
from pathlib import Path

from hosts import Host, Postfix, wait_settled

CONTRIB = Path(__file__).resolve().parents[2] / "contrib" / "postfix"
MANUAL = "/usr/local/share/backstop-postfix"  # contrib/postfix, on the list host
STATE = "/var/lib/backstop"
CONF = "/etc/backstop/backstop.conf"
PROGRAM = "/usr/local/bin/backstop"
REAL = "/usr/local/bin/backstop.real"

# A second list, whose owner sees the original bytes; and the log, since no syslog runs here.
MORE_CONF = """
log = "/var/log/backstop/backstop.log"
list "news@lists.example.org" {
    owners     = {"bob@example.org"}
    bounces    = {"news-bounces@lists.example.org"}
    owner-sees = original
}
"""
MORE_ADDRESSES = r"/^news-bounces(\+[^@]*)?@lists\.example\.org$/    backstop:" + "\n"

# Stands in front of the program where a test asks for it: keeps a copy of what Postfix hands over
# (/var/tmp/record), or kills the program after the next time in /var/tmp/kill/delays.
WRAPPER = r"""#!/bin/sh
[ "$1" = deliver ] || exec /usr/local/bin/backstop.real "$@"
if [ -d /var/tmp/record ]; then
	for option; do
		case $option in --queue-id=*) copy=/var/tmp/record/${option#*=} ;; esac
	done
	printf '%s\n' "$@" >"$copy.arguments"
	cat >"$copy" || exit 75
	exec /usr/local/bin/backstop.real "$@" <"$copy"
fi
if [ -d /var/tmp/kill ]; then
	: >"/var/tmp/kill/run.$$"
	delay=$(sed -n "$(ls /var/tmp/kill | wc -l)p" /var/tmp/kill/delays)
	if [ -n "$delay" ]; then
		(sleep "$delay"; kill -KILL $$) </dev/null >/dev/null 2>&1 &
	fi
fi
exec /usr/local/bin/backstop.real "$@"
"""

# What the remote host says of a mailbox that is full, after it has accepted the message.
FULL_MAILBOX = "#!/bin/sh\ncat >/dev/null\necho '5.2.2 the mailbox is over quota'\nexit 77\n"

LISTS_MAIN = {
    "mydestination": "$myhostname, localhost",
    "relayhost": "[203.0.113.20]",
    # The owners' mailboxes.
    "virtual_mailbox_domains": "example.org",
    "virtual_mailbox_base": "/var/mail",
    "virtual_mailbox_maps": "inline:{ alice@example.org=alice/, bob@example.org=bob/ }",
    "virtual_minimum_uid": "1",
    "virtual_uid_maps": "static:8",
    "virtual_gid_maps": "static:8",
}
REMOTE_MAIN = {
    "mydestination": "remote.example, localhost",
    "local_recipient_maps": "",
    "transport_maps": "inline:{ full@remote.example=full:, lists.example.org=smtp:[192.0.2.10],"
                      " fine@remote.example=discard: }",
    # Above it, headers only come back.
    "bounce_size_limit": "4000000",
    "recipient_delimiter": "",
}


def readme_blocks():
    """The README's `sh` blocks by number of their section."""
    blocks = {}
    text = (CONTRIB / "README.md").read_text()
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        number = re.match(r"\d+", section)
        if number:
            found = re.findall(r"^```sh\n(.*?)^```$", section, flags=re.M | re.S)
            blocks[int(number.group())] = found
    return blocks


class Story:
    def __init__(self, tap):
        self.tap = tap
        self.seen = set()
        self.shown = {}  # bytes of held messages by id
        self.serial = 0
        self.lists = Host("lists", "lists.example.org", "192.0.2.10")
        self.remote = Host("remote", "mx.remote.example", "203.0.113.20")
        self.spam = Host("spam", "bulk.bad.example", "198.51.100.66")
        self.hosts = [self.lists, self.remote, self.spam]
        self.servers = []

    # --- setting up ---

    def build(self, program):
        self.lists.wire_to(self.remote)
        self.spam.wire_to(self.remote)
        self.spam.wire_to(self.lists)
        for host in self.hosts:
            host.know([self.lists, self.remote])

        self.lists.write(PROGRAM, program.read_bytes(), 0o755)
        shutil.copytree(CONTRIB, self.lists.path(MANUAL))
        self.lists.run("chown", "mail:mail", "/var/mail")
        self.lists.run("mkdir", STATE)
        self.lists.run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", STATE)

        self.remote.write("/usr/local/bin/full-mailbox", FULL_MAILBOX, 0o755)
        self.list_mail = Postfix(self.lists, LISTS_MAIN)
        self.remote_mail = Postfix(self.remote, REMOTE_MAIN)
        self.remote.run("postconf", "-M",
                        "full/unix=full unix - n n - - pipe user=nobody argv=/usr/local/bin/full-mailbox")
        self.servers = [self.list_mail, self.remote_mail]
        for server in self.servers:
            server.start()

    def follow_readme(self, number):
        for index, block in enumerate(readme_blocks()[number], 1):
            done = self.lists.run("sh", "-eu", "-c", f"cd {MANUAL}\n{block}", check=False)
            quiet = b"CRITICAL" not in done.stderr  # what GLib and GMime say of our mistakes
            self.tap.ok(done.returncode == 0 and quiet, f"README step {number}, block {index} works", block,
                        (done.stdout + done.stderr).decode(errors="replace"))

    def backstop(self, *argv, **options):
        return self.lists.run_as("backstop", "backstop", *argv, **options)

    # --- sending ---

    def compose(self, name, message_id, to, size=0):
        line = "A line of the post, as long as such lines are, and then some more of it.\n"
        return (f"From: {name}@lists.example.org\nTo: {to}\nSubject: post {self.serial}\n"
                f"Message-ID: {message_id}\nDate: Mon, 23 Nov 2026 12:00:00 +0000\n\n"
                + line * (1 + size // len(line))).encode()

    def post(self, recipients, name="announce", size=0):
        """One message of the list, through backstop submit."""
        self.serial += 1
        message = self.compose(name, f"<post-{self.serial}@lists.example.org>",
                               f"{name}@lists.example.org", size)
        self.backstop("submit", "--", "-f", f"{name}-bounces@lists.example.org", *recipients,
                      stdin=message)

    def forge(self, recipients, how, name="announce"):
        """The spammer sends to the remote host in the list's name, one message a recipient.  how:
        naive, our-id (a Message-ID in our domain that was never sent), tag (and with the signature
        of an earlier post to somebody else)."""
        messages = []
        token = re.search(r"-bounces\+(r[a-z0-9]{21})=", self.remote_mail.log()).group(1)
        for recipient in recipients:
            self.serial += 1
            sender = f"{name}-bounces@lists.example.org"
            if how == "tag":
                sender = f"{name}-bounces+{token}={recipient.replace('@', '=')}@lists.example.org"
            domain = "bulk.bad.example" if how == "naive" else "lists.example.org"
            message = self.compose(name, f"<buy-{self.serial}@{domain}>", recipient)
            messages.append((sender, [recipient], message))
        self.spam.speak_smtp(self.remote, messages)

    # --- looking ---

    def settle(self, deferred=0, what="the queues run empty"):
        good = wait_settled(self.servers, deferred)
        if not good:
            counts = {server.host.name: server.count_queued() for server in self.servers}
            self.tap.ok(False, what, f"(moving, deferred) messages: {counts}",
                        f"wanted deferred: {deferred}")
        return good

    def arrivals(self, owner="alice"):
        """What came into an owner's Maildir since the last call, as bytes."""
        folder = self.lists.path(f"/var/mail/{owner}/new")
        fresh = sorted(set(folder.glob("*")) - self.seen) if folder.exists() else []
        self.seen.update(fresh)
        return [path.read_bytes() for path in fresh]

    def addresses_in(self, messages):
        found = set()
        for message in messages:
            found |= set(re.findall(r"[a-z0-9.'+-]+@remote\.example",
                                    message.decode("latin-1").lower()))
        return found

    def explained(self, messages, diagnostic="unknown user"):
        """The addresses that the readable text of a message names, together with why they failed."""
        found = set()
        for raw in messages:
            parsed = email.message_from_bytes(raw, policy=email.policy.default)
            body = parsed.get_body(("plain",))
            text = body.get_content() if body else ""
            if diagnostic in text:
                found |= self.addresses_in([text.encode("latin-1", "replace")])
        return found

    def kept(self):
        """What `backstop held` has: bytes by id."""
        for record in self.records():
            if record["id"] not in self.shown:
                shown = self.backstop("held", "show", "--raw", record["id"])
                self.shown[record["id"]] = shown.stdout
        return {record["id"]: self.shown[record["id"]] for record in self.records()}

    def records(self):
        listing = self.backstop("held", "list", "--format=json").stdout
        return [json.loads(line) for line in listing.splitlines()]

    def recorded(self):
        """The failed recipients of all records."""
        return {address for record in self.records() for address in record["failed"].split(", ")}

    def report(self):
        return json.loads(self.backstop("report", "summary", "--format=json").stdout)

    def would_have_dropped(self):
        return sum(row["messages"] for row in self.report()["would_have_been"]
                   if (row["policy"], row["action"]) == ("drop", "forward"))

    def verdicts(self, recipients):
        """What backstop's log says of these failed recipients: the verdicts, and the evidence."""
        line = re.compile(r"verdict=(\S+) .* by=(\S+) rcpt=<(.*?)>")
        found = [match for match in line.findall(self.log()) if match[2] in recipients]
        return {match[0] for match in found}, [match[1] for match in found]

    def log(self):
        path = self.lists.path("/var/log/backstop/backstop.log")
        return path.read_text(errors="replace") if path.exists() else ""

    def wrap(self):
        if not self.lists.path(REAL).exists():
            self.lists.run("mv", PROGRAM, REAL)
            self.lists.write(PROGRAM, WRAPPER, 0o755)

    def unwrap(self):
        self.lists.run("mv", REAL, PROGRAM)

    def show_logs(self, after):
        for server in self.servers:
            self.tap.diag(f"--- {server.host.name}: mail.log, after {after}")
            self.tap.diag("\n".join(server.log().splitlines()[-40:]))
        self.tap.diag("--- lists: backstop.log")
        self.tap.diag("\n".join(self.log().splitlines()[-40:]))

    def close(self):
        for host in self.hosts:
            host.close()
