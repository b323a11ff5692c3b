"""story.py: the stage: our host with Postfix and backstop, a remote host that bounces, a spammer's.

In charge of building them, of sending the lists' posts, and of looking at what came of it; leaves to
postfix.t and bounces.py what is tested, and in which order.
"""

import email
import email.policy
import json
import os
import re
import shutil
import sys
from pathlib import Path

import remote
from hosts import Host, check_machine, wait_settled
from postfix import Postfix
from tap import Abort, Tap

TREE = Path(__file__).resolve().parents[2]
CONTRIB = TREE / "contrib" / "postfix"
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

LISTS_MAIN = {
    "mydestination": "$myhostname, localhost",
    "relayhost": f"[{remote.HOST[1]}]",
    # The owners' mailboxes.
    "virtual_mailbox_domains": "example.org",
    "virtual_mailbox_base": "/var/mail",
    "virtual_mailbox_maps": "inline:{ alice@example.org=alice/, bob@example.org=bob/ }",
    "virtual_minimum_uid": "1",
    "virtual_uid_maps": "static:8",
    "virtual_gid_maps": "static:8",
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
    """remote_kind: the class of the server that bounces (remote.py)."""

    patience_s = 60  # for queues to run empty

    def __init__(self, tap, remote_kind):
        self.tap = tap
        self.seen = set()
        self.shown = {}  # bytes of held messages by id
        self.serial = 0
        self.remote_kind = remote_kind
        self.hosts = []
        self.servers = []
        self.lists = self.add_host("lists", "lists.example.org", remote.LISTS)
        self.remote = self.add_host("remote", *remote.HOST, packages=remote_kind.packages)
        self.spam = self.add_host("spam", "bulk.bad.example", "198.51.100.66")

    # --- setting up ---

    def add_host(self, *arguments, **options):
        self.hosts.append(Host(*arguments, **options))
        return self.hosts[-1]

    def wire(self, *pairs):
        for one, other in pairs:
            one.wire_to(other)
        for host in self.hosts:
            host.know([other for other in self.hosts if other != self.spam])

    def build(self, program, lists_main=None):
        """lists_main: more settings for our Postfix."""
        self.wire((self.lists, self.remote), (self.spam, self.remote), (self.spam, self.lists))
        self.lists.write(PROGRAM, program.read_bytes(), 0o755)
        shutil.copytree(CONTRIB, self.lists.path(MANUAL))
        self.lists.run("chown", "mail:mail", "/var/mail")
        self.lists.run("mkdir", STATE)
        self.lists.run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", STATE)
        self.list_mail = Postfix(self.lists, {**LISTS_MAIN, **(lists_main or {})})
        self.remote_mail = self.remote_kind(self.remote)
        self.servers = [self.list_mail, self.remote_mail]
        for server in self.servers:
            server.start()

    def follow_readme(self, number):
        for index, block in enumerate(readme_blocks()[number], 1):
            done = self.lists.run("sh", "-eu", "-c", f"cd {MANUAL}\n{block}", check=False)
            quiet = b"CRITICAL" not in done.stderr  # what GLib and GMime say of our mistakes
            self.tap.ok(done.returncode == 0 and quiet, f"README step {number}, block {index} works", block,
                        (done.stdout + done.stderr).decode(errors="replace"))

    def age_keys(self):
        """The keys as they are after their first day: until then, the tag of an older key with the
        same number cannot be told from a made-up one."""
        path = self.lists.path("/etc/backstop/tag.keys")
        path.write_text(re.sub(r"(?m)^(\d+) \d{4}-\d\d-\d\d ", r"\1 2026-01-01 ", path.read_text()))
        os.utime(path, (1767225600, 1767225600))

    def backstop(self, *argv, **options):
        return self.lists.run_as("backstop", "backstop", *argv, **options)

    # --- sending ---

    def compose(self, name, message_id, to, size=0):
        line = "A line of the post, as long as such lines are, and then some more of it.\n"
        return (f"From: {name}@lists.example.org\nTo: {to}\nSubject: post {self.serial}\n"
                f"Message-ID: {message_id}\nDate: Mon, 23 Nov 2026 12:00:00 +0000\n\n"
                + line * (1 + size // len(line))).encode()

    def post(self, recipients, name="announce", size=0, options=()):
        """One message of the list, through backstop submit; options are for sendmail."""
        self.serial += 1
        message = self.compose(name, f"<post-{self.serial}@lists.example.org>",
                               f"{name}@lists.example.org", size)
        self.backstop("submit", "--", *options, "-f", f"{name}-bounces@lists.example.org",
                      *recipients, stdin=message)

    # --- looking ---

    def settle(self, deferred=0, what="the queues run empty"):
        good = wait_settled(self.servers, deferred, self.patience_s)
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


def main(make_story):
    """Runs a story; the exit status of the file.  $BACKSTOP is the program under test.  $MTA_SHELL=1
    leaves the hosts up at the end until a line is read, to look around in them."""
    tap = Tap()
    story = None
    os.umask(0o022)
    program = Path(os.environ.get("BACKSTOP", TREE / "build" / "backstop")).resolve()
    try:
        check_machine()
        if not os.access(program, os.X_OK):
            raise Abort(f"{program} is not there: run make, or set BACKSTOP")
        story = make_story(tap)
        story.run(program)
    except Abort as reason:
        tap.ok(False, "the tests run to their end", reason)
        if story and story.servers:
            story.show_logs("the abort")
    if story:
        if os.environ.get("MTA_SHELL"):
            for host in story.hosts:
                tap.diag(f"{host.name}: {' '.join(host.command('sh'))}")
            sys.stdin.readline()
        story.close()
    return tap.done()
