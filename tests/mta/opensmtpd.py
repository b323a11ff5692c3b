"""opensmtpd.py: OpenSMTPD as the bouncing side."""

import os

import remote


def table(name, items):
    return f"table {name} {{ {', '.join(items)} }}\n"


def addresses(what):
    return [f'"{name}@remote.example"' for name in remote.names(what)]


CONF = (
    table("aliases", [f'"{name}@remote.example" = "{to}"' for name, to in remote.aliases()])
    + table("aliased", [f'"{name}@remote.example"' for name, _ in remote.aliases()])
    + table("programs", addresses("program"))
    + table("holidays", addresses("holiday"))
    + table("anybody", ['"@" = "nobody"'])
    + f"""
queue ttl {remote.EXPIRE_S}s
bounce warn-interval {remote.WARN_S}s
smtp max-message-size 20M
listen on 0.0.0.0 hostname {remote.HOST[0]}
listen on socket
action "next" relay host smtp://{remote.NEXT[1]}
action "nowhere" relay host smtp://no.such.host.example
action "lists" relay host smtp://{remote.LISTS}
action "aliases" expand-only virtual <aliases>
action "program" mda "{remote.PROGRAM}" user nobody virtual <anybody>
action "holiday" mda "{remote.HOLIDAY} %{{rcpt.user}}" user holiday virtual <anybody>
match from any for domain "lists.example.org" action "lists"
match from any for rcpt-to <programs> action "program"
match from any for rcpt-to <holidays> action "holiday"
match from any for rcpt-to <aliased> action "aliases"
match from any for domain {{ "remote.example", "elsewhere.example" }} action "next"
match from any for domain "unroutable.example" action "nowhere"
""")


class OpenSmtpd:
    name = "opensmtpd"
    packages = "opensmtpd"
    cannot = {"ghost": "it looks users up before it accepts a message"}
    # Of what has expired it says "Action: delayed" once more, and "Envelope expired" in the text.
    kinds = {"slow": "delayed", "lost": "delayed"}

    def __init__(self, host):
        self.host = host
        for user in "opensmtpd", "opensmtpq":
            host.add_user(user, "/var/lib/opensmtpd/empty")
        host.run("chown", "root:opensmtpq", "/usr/sbin/smtpctl")
        host.run("chmod", "2755", "/usr/sbin/smtpctl")
        host.write("/etc/smtpd.conf", CONF)
        host.write("/etc/mailname", remote.HOST[0] + "\n")

    def start(self):
        self.host.run("sh", "-c", "smtpd -d -v >/var/log/smtpd.log 2>&1 & sleep 1")

    def nudge(self):
        self.host.run("smtpctl", "schedule", "all", check=False)

    def count_queued(self):
        spool = self.host.path("/var/spool/smtpd")
        # Folders go while they are read, which os.walk does not mind.
        return sum(len(files) for folder in ("queue", "incoming", "temporary")
                   for _, _, files in os.walk(spool / folder)), 0

    def log(self):
        path = self.host.path("/var/log/smtpd.log")
        return path.read_text(errors="replace") if path.exists() else ""
