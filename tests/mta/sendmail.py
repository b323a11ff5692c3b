"""sendmail.py: sendmail as the bouncing side."""

import remote

MC = f"""
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confDOMAIN_NAME', `{remote.HOST[0]}')dnl
define(`confBIND_OPTS', `')dnl
define(`confTO_QUEUEWARN', `{remote.WARN_S}s')dnl
define(`confTO_QUEUERETURN', `{remote.EXPIRE_S}s')dnl
define(`confTO_IDENT', `0')dnl
define(`confLOG_LEVEL', `10')dnl
define(`confMAX_MESSAGE_SIZE', `20000000')dnl
define(`confCONNECTION_RATE_THROTTLE', `0')dnl
define(`confPRIVACY_FLAGS', `')dnl
define(`confDELIVERY_MODE', `background')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`nocanonify')dnl
FEATURE(`mailertable', `hash -o /etc/mail/mailertable')dnl
FEATURE(`virtusertable', `hash -o /etc/mail/virtusertable')dnl
VIRTUSER_DOMAIN(`remote.example')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Port=25')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""

# For what programs on the host send.
SUBMIT_MC = """
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confBIND_OPTS', `')dnl
FEATURE(`msp', `[127.0.0.1]', `MTA')dnl
"""

MAILERTABLE = f"""
remote.example\tesmtp:[{remote.NEXT[0]}]
elsewhere.example\tesmtp:[{remote.NEXT[0]}]
lists.example.org\tesmtp:[{remote.LISTS}]
"""
PROGRAM = "/usr/libexec/sendmail/sendmail"


class Sendmail:
    name = "sendmail"
    packages = "sendmail-bin"
    cannot = {}
    kinds = {}

    def __init__(self, host):
        self.host = host
        for user in "smmta", "smmsp":
            host.add_user(user, "/var/lib/sendmail")
        host.run("install", "-d", "-o", "root", "-g", "smmta", "-m", "2750", "/var/spool/mqueue")
        host.run("install", "-d", "-o", "smmsp", "-g", "smmsp", "-m", "0770", "/var/spool/clientmqueue")
        host.run("install", "-d", "/run/sendmail/mta")
        host.run("chown", "root:smmsp", PROGRAM)
        host.run("chmod", "2755", PROGRAM)
        for name in "/usr/sbin/sendmail", "/usr/bin/newaliases":
            host.run("ln", "-sf", PROGRAM, name)
        host.run("install", "-d", "/var/lib/sendmail/host_status")
        host.run("cp", "/etc/mail/service.switch-nodns", "/etc/mail/service.switch")
        host.write("/etc/mail/sendmail.mc", MC)
        host.write("/etc/mail/submit.mc", SUBMIT_MC)
        for name in "sendmail", "submit":
            host.run("sh", "-c", f"m4 /etc/mail/{name}.mc >/etc/mail/{name}.cf")
        host.write("/etc/mail/local-host-names", "localhost\n")
        host.write("/etc/mail/mailertable", MAILERTABLE)
        users = [(f"{name}@remote.example", to) for name, to in remote.aliases()]
        users += [(f"{name}@remote.example", f"{name}@localhost") for what in ("program", "holiday", "ghost")
                  for name in remote.names(what)]
        host.write("/etc/mail/virtusertable", "".join(f"{name}\t{to}\n" for name, to in users))
        aliases = [(name, f'"|{remote.PROGRAM}"') for name in remote.names("program")]
        aliases += [(name, f'"|{remote.HOLIDAY} {name}"') for name in remote.names("holiday")]
        aliases += [(name, f"nobody.of.{name}") for name in remote.names("ghost")]
        host.write("/etc/mail/aliases", "".join(f"{name}: {to}\n" for name, to in aliases))
        for name in "mailertable", "virtusertable":
            host.run("sh", "-c", f"cd /etc/mail && /usr/libexec/sendmail/makemap hash {name} <{name}")
        host.run("newaliases")

    def start(self):
        self.host.run("sh", "-c", f"exec {PROGRAM} -bD -q1s -X /var/log/transcript >/var/log/errors 2>&1 &")

    def nudge(self):
        pass  # it runs its queue every second

    def count_queued(self):
        return len(list(self.host.path("/var/spool/mqueue").glob("[dq]f*"))), 0

    def log(self):
        path = self.host.path("/var/log/transcript")
        return path.read_text(errors="replace") if path.exists() else ""
