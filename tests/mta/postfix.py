"""postfix.py: Postfix: on our own host, as a forwarder, and as the bouncing side."""

import os
import re
import time

import remote


class Postfix:
    """A host's Postfix, at its stock paths."""

    name = "postfix"
    packages = None

    def __init__(self, host, settings):
        self.host = host
        host.run("install", "-d", "-o", "postfix", "/var/lib/postfix")
        host.run("install", "-d", "/var/spool/postfix")
        host.run("cp", "/usr/share/postfix/master.cf.dist", "/etc/postfix/master.cf")
        common = {
            "compatibility_level": "3.6",
            "myhostname": host.fqdn,
            "mynetworks": "127.0.0.0/8",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "alias_database": "",
            "biff": "no",
            "append_dot_mydomain": "no",
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "message_size_limit": "20000000",
            "maillog_file": "/var/log/mail.log",
            # There is no name server, and none is wanted.
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            # Retries come from postqueue -f, not from the clock.
            "in_flow_delay": "0",
            "queue_run_delay": "3000s",
            "minimal_backoff_time": "3000s",
        }
        lines = [f"{name} = {value}\n" for name, value in {**common, **settings}.items()]
        host.write("/etc/postfix/main.cf", "".join(lines))
        host.run("postconf", "-F", "*/*/chroot = n")

    def start(self):
        self.host.run("postfix", "start")

    def nudge(self):
        """Retries come from flush(), or from the settings."""

    def flush(self):
        self.host.run("postqueue", "-f")

    def count_queued(self):
        """Number of messages in (motion, the deferred queue)."""
        spool = self.host.path("/var/spool/postfix")
        counts = {}
        for queue in "maildrop", "incoming", "active", "deferred":
            # Files come and go while we look; one that is missed is found in the next queue.
            counts[queue] = sum(len(files) for _, _, files in os.walk(spool / queue))
        deferred = counts.pop("deferred")
        return sum(counts.values()), deferred

    def log(self):
        path = self.host.path("/var/log/mail.log")
        return path.read_text(errors="replace") if path.exists() else ""

    def statuses(self, relay):
        """What became of each delivery through a transport: status words, in order."""
        return re.findall(rf"relay={relay}[,\[].*? status=(\w+)", self.log())


BOUNCING = {
    "mydestination": "localhost, local.remote.example",
    "relay_domains": "remote.example, elsewhere.example, unroutable.example, lists.example.org",
    "relay_recipient_maps": "",
    "virtual_alias_maps": "hash:/etc/postfix/virtual",
    "local_recipient_maps": "",
    "recipient_delimiter": "",
    "smtp_connection_cache_on_demand": "no",
    # Waiting mail is tried each second, warned of and given up soon.
    "queue_run_delay": "1s",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "1s",
    "delay_warning_time": f"{remote.WARN_S}s",
    "maximal_queue_lifetime": f"{remote.EXPIRE_S}s",
}
PIPES = (("program", f"user=nobody argv={remote.PROGRAM}"),
         ("holiday", f"flags=F user=holiday argv={remote.HOLIDAY} ${{user}}"))


class BouncingPostfix(Postfix):
    cannot = {}
    kinds = {}
    nudged = 0.0

    def nudge(self):
        """With retries each second a message is left lying in the queue now and then."""
        if time.monotonic() > self.nudged + 1:
            self.nudged = time.monotonic()
            self.flush()

    def __init__(self, host):
        routes = {"remote.example": f"smtp:[{remote.NEXT[0]}]",
                  "elsewhere.example": f"smtp:[{remote.NEXT[0]}]",
                  "lists.example.org": f"smtp:[{remote.LISTS}]",
                  "unroutable.example": "smtp:[no.such.host.example]"}
        routes |= {f"{name}@remote.example": f"{pipe}:" for pipe, _ in PIPES
                   for name in remote.names(pipe)}
        aliases = remote.aliases() + [(name, f"{name}@local.remote.example")
                                      for name in remote.names("ghost")]
        host.write("/etc/postfix/transport", "".join(f"{key} {to}\n" for key, to in routes.items()))
        host.write("/etc/postfix/virtual",
                   "".join(f"{name}@remote.example {to}\n" for name, to in aliases))
        super().__init__(host, {**BOUNCING, "transport_maps": "hash:/etc/postfix/transport"})
        for table in "transport", "virtual":
            host.run("postmap", f"/etc/postfix/{table}")
        for pipe, arguments in PIPES:
            host.run("postconf", "-M", f"{pipe}/unix={pipe} unix - n n - - pipe {arguments}")
