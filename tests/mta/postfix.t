#!/usr/bin/env python3
"""postfix.t: the main job behind a real Postfix, wired as contrib/postfix/README.md says.

Three hosts: lists.example.org with backstop; mx.remote.example, whose Postfix accepts any recipient
and bounces later; and a spammer's, who sends there in the list's name.  The README's own commands set
backstop up.  Needs root.  $BACKSTOP is the program under test (default build/backstop).
"""

import re
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

import remote  # noqa: E402
from hosts import wait_settled  # noqa: E402
from postfix import Postfix  # noqa: E402
from story import CONF, LISTS_MAIN, MORE_ADDRESSES, MORE_CONF, STATE, Story, main  # noqa: E402

REMOTE_MAIN = {
    "mydestination": "remote.example, localhost",
    "local_recipient_maps": "",
    "transport_maps": "inline:{ full@remote.example=full:, lists.example.org=smtp:[192.0.2.10],"
                      " fine@remote.example=discard: }",
    # Above it, headers only come back.
    "bounce_size_limit": "4000000",
    "recipient_delimiter": "",
}


class LatePostfix(Postfix):
    """Accepts any recipient, and bounces later."""

    def __init__(self, host):
        super().__init__(host, REMOTE_MAIN)
        host.write(remote.PROGRAM, remote.FULL_MAILBOX, 0o755)
        host.run("postconf", "-M",
                 f"full/unix=full unix - n n - - pipe user=nobody argv={remote.PROGRAM}")


class PostfixTests(Story):
    def test_wiring(self):
        for number in 2, 3, 4:
            self.follow_readme(number)
        self.age_keys()
        self.lists.run("install", "-d", "-o", "backstop", "/var/log/backstop")
        for path, more in (CONF, MORE_CONF), ("/etc/postfix/backstop.regexp", MORE_ADDRESSES):
            with self.lists.path(path).open("a") as file:
                file.write(more)
        self.follow_readme(6)
        self.settle()
        self.tap.covers(self.explained(self.arrivals()), ["nobody.here@remote.example"],
                        "the README's trial bounce reaches the owner")
        self.tap.equal(self.report()["verdicts"]["genuine"], 1, "and the report counts it")
        refused = self.spam.speak_smtp(self.lists, [
            ("", ["announce-bounces@lists.example.org", "announce-bounces+x=y@lists.example.org",
                  "announce-bouncesx@lists.example.org"], b"Subject: hello\n\nhello\n")])
        self.settle()
        self.arrivals()
        self.tap.equal([(who, code) for who, code, _ in refused],
                       [("announce-bouncesx@lists.example.org", 550)],
                       "bounce addresses are accepted, tagged ones too, and no others")

    def forge(self, recipients, how, name="announce"):
        """The spammer sends to the remote host in the list's name, one message a recipient.  how:
        naive, our-id (a Message-ID in our domain that was never sent), tag (and with the signature
        of an earlier post to somebody else)."""
        messages = []
        token = re.search(r"-bounces\+(r[a-z0-9]{21})=", self.list_mail.log()).group(1)
        for recipient in recipients:
            self.serial += 1
            sender = f"{name}-bounces@lists.example.org"
            if how == "tag":
                sender = f"{name}-bounces+{token}={recipient.replace('@', '=')}@lists.example.org"
            domain = "bulk.bad.example" if how == "naive" else "lists.example.org"
            message = self.compose(name, f"<buy-{self.serial}@{domain}>", recipient)
            messages.append((sender, [recipient], message))
        self.spam.speak_smtp(self.remote, messages)

    def test_observe(self):
        genuine = [f"ann{i}.obs@remote.example" for i in range(3)]
        forged = [f"vic{i}.obs@remote.example" for i in range(4)]
        before = self.would_have_dropped()
        self.post(genuine)
        self.forge(forged[:2], "naive")
        self.forge(forged[2:], "our-id")
        self.settle()
        arrived = self.arrivals()
        self.tap.covers(self.explained(arrived), genuine, "observe: genuine bounces reach the owner")
        self.tap.covers(self.explained(arrived), forged, "observe: forged ones too")
        self.tap.none(self.kept(), "observe: nothing is kept back")
        self.tap.equal((self.verdicts(genuine)[0], self.verdicts(forged)[0]),
                       ({"genuine"}, {"backscatter"}), "observe: each is known for what it is")
        self.tap.equal(self.would_have_dropped() - before, len(forged),
                       "observe: the report says what would have been dropped")

    def test_enforce(self):
        self.follow_readme(7)
        unknown = ["bea@remote.example", "plus+sub@remote.example", "o'neill@remote.example",
                   "a.mailbox.with.a.name.that.leaves.no.room.for.it.in.a.tag@remote.example"]
        before = self.report()["actions"]["drop"]
        self.post(unknown + ["Mixed.Case@Remote.Example", "fine@remote.example"])
        self.post(["full@remote.example"])
        forged = {how: [f"vic{i}.{how}@remote.example" for i in range(3)]
                  for how in ("naive", "our-id", "tag")}
        for how, recipients in forged.items():
            self.forge(recipients, how)
        self.settle()
        arrived = self.arrivals()
        self.tap.covers(self.explained(arrived), unknown + ["mixed.case@remote.example"],
                        "enforce: genuine bounces reach the owner, with recipient and reason")
        self.tap.covers(self.explained(arrived, "over quota"), ["full@remote.example"],
                        "enforce: so does one for another reason")
        genuine = unknown + ["mixed.case@remote.example", "full@remote.example"]
        self.tap.equal(self.verdicts(genuine)[0], {"genuine"}, "enforce: their verdict is genuine")
        kept = self.kept().values()
        for how, recipients in forged.items():
            self.tap.none(self.addresses_in(arrived) & set(recipients),
                          f"enforce: forged ({how}) do not reach the owner")
            self.tap.covers(self.addresses_in(kept), recipients, f"enforce: they are kept ({how})")
        self.tap.equal(len(kept), 9, "enforce: each of them once, and nothing else")
        self.tap.equal(self.report()["actions"]["drop"] - before, 9,
                       "enforce: the report counts the drops")
        self.tap.covers(self.recorded(), sum(forged.values(), []),
                        "enforce: the records name the recipients")
        evidence = self.verdicts(forged["tag"])[1]
        self.tap.equal(["tag:bad" in one.split(",") for one in evidence], [True] * 3,
                       "enforce: somebody else's signature is seen to be wrong")

    def test_ordinary(self):
        """What is no bounce is not lost, whoever writes it."""
        message = (b"From: ann@remote.example\nTo: announce-bounces@lists.example.org\n"
                   b"Subject: I am a person\n\nPlease tell me who runs this list.\n")
        self.spam.speak_smtp(self.lists, [
            ("ann@remote.example", ["announce-bounces@lists.example.org"], message)])
        self.settle()
        arrived = b"".join(self.arrivals())
        self.tap.ok(b"I am a person" in arrived, "ordinary mail to a bounce address is passed on")

    def test_sizes(self):
        self.post(["large@remote.example"], size=3_000_000)
        self.settle()
        arrived = self.arrivals()
        self.tap.covers(self.explained(arrived), ["large@remote.example"],
                        "a bounce of 3 MB is understood")
        self.post(["large.original@remote.example"], name="news", size=3_000_000)
        self.settle()
        self.tap.ok(any(len(message) > 3_000_000 for message in self.arrivals("bob")),
                    "and passed on whole where the owner sees the original")
        self.post(["headers.only@remote.example"], size=4_500_000)
        self.settle()
        arrived = self.arrivals()
        self.tap.covers(self.explained(arrived), ["headers.only@remote.example"],
                        "a bounce that returns only the headers is understood")

    def test_release(self):
        before = self.kept()
        self.wrap()
        self.lists.run("install", "-d", "-o", "backstop", "/var/tmp/record")
        self.forge(["victim.release@remote.example"], "our-id", name="news")
        self.settle()
        record = self.lists.path("/var/tmp/record")
        arguments = [path.read_text().splitlines() for path in record.glob("*.arguments")]
        copies = [path.read_bytes() for path in record.iterdir() if not path.suffix]
        self.lists.run("rm", "-r", "/var/tmp/record")
        self.unwrap()
        envelope = [word for words in arguments for word in words if not word.startswith("--queue-id=")]
        self.tap.equal(envelope, [
            "deliver", "--sender=", "--recipient=news-bounces@lists.example.org",
            "--original-recipient=news-bounces@lists.example.org", "--client-address=203.0.113.20",
            "--client-helo=mx.remote.example", "--client-name=mx.remote.example"],
                       "the transport hands over the envelope, the null sender as an empty one")
        self.tap.none(self.arrivals("bob"), "the forged bounce to be released is dropped first")
        new = {one: data for one, data in self.kept().items() if one not in before}
        self.tap.equal(list(new.values()), copies,
                       "held show --raw prints the bytes that Postfix handed over")
        for one in new:
            self.backstop("held", "release", one)
        self.settle()
        arrived = self.arrivals("bob")
        self.tap.ok(len(arrived) == 1 == len(copies) and arrived[0].endswith(copies[0]),
                    "held release brings it to the owner, byte for byte", *arrived, *copies)
        self.tap.none(set(self.kept()) - set(before), "what was released is no longer held")

    def test_domain_classes(self):
        """The README's table: the same addresses, the domain listed elsewhere."""
        table = "regexp:/etc/postfix/backstop.regexp"
        plain = self.lists.path("/etc/postfix/main.cf").read_bytes()
        mailboxes = LISTS_MAIN["virtual_mailbox_maps"]
        for setting, value, maps in (
                ("relay_domains", "lists.example.org", f"relay_recipient_maps={table}"),
                ("virtual_mailbox_domains", "example.org, lists.example.org",
                 f"virtual_mailbox_maps={mailboxes} {table}")):
            self.lists.run("postconf", "-e", "mydestination=localhost", f"{setting}={value}", maps)
            self.lists.run("postfix", "reload")
            refused = self.spam.speak_smtp(self.lists, [
                ("ann@remote.example", [address], f"Subject: in {setting}\n\nhello\n".encode())
                for address in ("announce-bounces+some=tag@lists.example.org",
                                "announce-bouncesx@lists.example.org")])
            self.settle()
            arrived = b"".join(self.arrivals())
            self.tap.equal(([who for who, _, _ in refused], f"in {setting}".encode() in arrived),
                           (["announce-bouncesx@lists.example.org"], True),
                           f"a domain in {setting} works as well")
            self.lists.write("/etc/postfix/main.cf", plain)
        self.lists.run("postfix", "reload")

    def fill(self, folder):
        self.lists.run("dd", "if=/dev/zero", f"of={folder}/filler", "bs=4k", check=False)

    def test_full(self, what, folder, genuine_flows):
        """Bounces come back to a full disk.  Nothing is lost, and all is well when it has room."""
        genuine = [f"ann{i}.{what}@remote.example" for i in range(3)]
        forged = [f"victim{i}.{what}@remote.example" for i in range(3)]
        already = self.list_mail.statuses("backstop").count("deferred")
        # The posts wait in front of a stopped Postfix, since submit needs the disk too.
        self.lists.run("postfix", "stop")
        self.post(genuine)
        self.fill(folder)
        self.lists.run("postfix", "start")
        self.forge(forged, "our-id")

        self.settle(deferred=None)
        arrived = self.arrivals()
        named = self.explained(arrived) & set(genuine)
        deferred = self.list_mail.count_queued()[1]
        self.tap.equal(deferred, len(forged) + len(genuine) - len(named),
                       f"{what} disk full: what is not delivered waits in Postfix's queue")
        self.tap.ok(self.list_mail.statuses("backstop").count("deferred") - already >= len(forged),
                    f"{what} disk full: the forged ones are deferred (75), not dropped")
        self.tap.none(self.addresses_in(arrived) & set(forged),
                      f"{what} disk full: they do not reach the owner")
        if genuine_flows:
            self.tap.covers(named, genuine, f"{what} disk full: genuine ones are delivered all the same")

        self.lists.run("rm", f"{folder}/filler")
        self.list_mail.flush()
        self.settle(what=f"{what} disk has room again: the queue runs empty")
        self.tap.covers(self.explained(self.arrivals()) | named, genuine,
                        f"{what} disk has room again: every genuine bounce has reached the owner")
        self.tap.covers(self.addresses_in(self.kept().values()), forged,
                        f"{what} disk has room again: every forged one is kept")

    def test_state_full(self):
        self.test_full("state", STATE, genuine_flows=False)

    def test_quarantine_full(self):
        # Last, because it hides what was kept before.
        mounted = "size=1m,mode=0750,uid=backstop,gid=backstop"
        self.lists.run("mount", "-t", "tmpfs", "-o", mounted, "tmpfs", f"{STATE}/held")
        for folder in "tmp", "new", "cur":
            self.lists.run("install", "-d", "-o", "backstop", "-g", "backstop", "-m", "0700",
                           f"{STATE}/held/{folder}")
        self.fill(f"{STATE}/held")
        self.lists.run("rm", f"{STATE}/held/filler")
        self.test_full("quarantine", f"{STATE}/held", genuine_flows=True)

    def test_kill(self):
        genuine = [f"ann{i:02}.kill@remote.example" for i in range(20)]
        forged = [f"victim{i:02}.kill@remote.example" for i in range(12)]
        # Spread the kills over the time that a delivery takes here, by Postfix's own clock.
        times = re.findall(r"relay=backstop,.* delays=[^,]*/([0-9.]+),", self.list_mail.log())
        usual = max(0.01, statistics.median(map(float, times)))
        kills = 48
        delays = [usual * 1.2 * ((i * 29) % kills) / kills for i in range(kills)]
        self.lists.write("/var/tmp/kill/delays", "".join(f"{delay:.4f}\n" for delay in delays))
        self.lists.run("chown", "-R", "backstop", "/var/tmp/kill")
        self.wrap()
        self.post(genuine)
        self.forge(forged, "our-id")
        rounds = 0
        while rounds < 20 and not wait_settled(self.servers, 0, seconds=0.5):
            rounds += 1
            self.settle(deferred=None)
            self.list_mail.flush()
        self.settle(what="killed: the queue runs empty in the end")
        self.unwrap()

        arrived = self.arrivals()
        died = len(re.findall(r"relay=backstop,.*status=deferred.* signal 9", self.list_mail.log()))
        self.tap.note(f"{died} of {kills} kills hit; a delivery takes {usual:.2f} s")
        self.tap.ok(died >= 10, "killed: deliveries were killed and deferred", f"{died} were")
        self.tap.covers(self.explained(arrived), genuine,
                        "killed: every genuine bounce reaches the owner at least once")
        self.tap.none(self.addresses_in(arrived) & set(forged),
                      "killed: no forged one reaches the owner")
        self.tap.covers(self.addresses_in(self.kept().values()) & self.recorded(), forged,
                        "killed: every forged one is recorded and kept")

    def test_accounts(self):
        """What the logs and the report say about all of it."""
        statuses = self.list_mail.statuses("backstop")
        self.tap.equal(set(statuses), {"sent", "deferred"}, "Postfix never bounced a bounce")
        texts = re.findall(r"relay=backstop,.*status=sent (.*)$", self.list_mail.log(), re.M)
        self.tap.equal(set(texts), {"(delivered via backstop service)"},
                       "a delivery that succeeds prints nothing")
        loud = [line for line in self.list_mail.log().splitlines()
                if re.search(r"postfix/\S+\[\d+\]: (warning|error|fatal|panic): ", line)]
        self.tap.none(loud, "Postfix has nothing to complain about")
        texts = re.findall(r"relay=backstop,.*status=deferred \((.*)\)$", self.list_mail.log(), re.M)
        odd = [text for text in texts if "signal 9" not in text and
               not re.search(r"temporary failure\. Command output: backstop: ", text)]
        self.tap.none(odd, "each deferral says why, in backstop's name")
        odd = [line for line in self.log().splitlines()
               if " kind=" not in line and "no space left" not in line.lower()]
        self.tap.none(odd, "backstop's log has decisions, and complaints of the full disks")

    def run(self, program):
        self.build(program)
        for test in (self.test_wiring, self.test_observe, self.test_enforce, self.test_ordinary,
                     self.test_sizes, self.test_release, self.test_domain_classes,
                     self.test_state_full, self.test_kill, self.test_quarantine_full,
                     self.test_accounts):
            failed = self.tap.failed
            test()
            if self.tap.failed > failed:
                self.show_logs(test.__name__)


if __name__ == "__main__":
    sys.exit(main(lambda tap: PostfixTests(tap, LatePostfix)))
