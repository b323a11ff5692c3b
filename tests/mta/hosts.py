"""hosts.py: hosts for the tests with real mail servers, made of namespaces.

A host has its own network, mounts, processes and name.  /etc is a private copy; /var and /usr/local
are empty memory file systems.  So each host uses the stock paths (/etc/postfix, /var/spool/postfix,
/usr/local/bin/backstop), the machine's own are untouched, and nothing has to be cleaned up: all of it
goes away with the host's first process, which the kernel kills when this program ends, however it
ends.  There is no route out of the wires between the hosts.

Packages that cannot be installed beside each other (each mail server conflicts with all others) are
unpacked on the host that wants them: /etc and /var are its own anyhow, and /usr becomes what was
unpacked, with links to the machine's files for all the rest.  (An overlay would do the same, but not
in every sandbox.)
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tap import Abort

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/"}
NEEDED = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "dpkg-deb": "dpkg",
    "postfix": "postfix",
    "opendkim": "opendkim",
    "vacation": "vacation",
}
PACKAGES = Path(__file__).resolve().parents[2] / "build" / "mta" / "packages"
MACHINE = "/var/machine"  # on a host with packages: where the machine's own /usr is
UNPACKED = "/var/unpacked"

# Run inside a new host.  The process that stays behind ignores SIGCHLD, so that the kernel reaps the
# daemons whose parent has gone.
FURNISH = r"""
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=256m tmpfs /var
mkdir -p /var/log /var/lib /var/spool /var/mail
mkdir -m 1777 /var/tmp
ln -s /run /var/run
cp -a /etc /var/etc
mount --bind /var/etc /etc
hostname "$1"
ip link set lo up
: >/etc/resolv.conf
echo 'hosts: files' >/etc/nsswitch.conf.new
grep -v '^hosts:' /etc/nsswitch.conf >>/etc/nsswitch.conf.new || :
mv /etc/nsswitch.conf.new /etc/nsswitch.conf
mount -t tmpfs -o mode=755,size=16m tmpfs /run
"""

# Only on a host with packages, behind FURNISH.
MAKE_ROOM = rf"""
set -eu
cp -a {UNPACKED}/etc/. /etc
[ ! -d {UNPACKED}/var ] || cp -a {UNPACKED}/var/. /var
mkdir {MACHINE}
mount --rbind /usr {MACHINE}
"""

# Last, because /usr may have been made anew.
FURNISH_LOCAL = r"""
set -eu
mkdir -p /usr/local
mount -t tmpfs -o mode=755,size=64m tmpfs /usr/local
mkdir -p /usr/local/bin
"""

# Speaks SMTP for a host: reads [[sender, [recipients], message], ...], prints [[recipient, code,
# text], ...] of what was refused.
SPEAK_SMTP = r"""
import json, re, smtplib, sys
address, helo = sys.argv[1:]
refused = []
with smtplib.SMTP(address, 25, local_hostname=helo, timeout=30) as smtp:
    for sender, recipients, message in json.load(sys.stdin):
        try:
            wire = re.sub(b"\r?\n", b"\r\n", message.encode("latin-1"))
            bad = smtp.sendmail(sender, recipients, wire)
        except smtplib.SMTPRecipientsRefused as error:
            bad = error.recipients
        refused += [[who, code, text.decode()] for who, (code, text) in bad.items()]
print(json.dumps(refused))
"""


def check_machine():
    """Raises Abort, with what to do, where no hosts can be made."""
    if os.geteuid() != 0:
        raise Abort("the tests with real mail servers make namespaces: run them as root")
    missing = {package for tool, package in NEEDED.items() if not shutil.which(tool, path=PATH)}
    if missing:
        raise Abort("missing Debian packages: " + " ".join(sorted(missing)))
    made = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "true"],
        capture_output=True, text=True)
    if made.returncode:
        raise Abort("namespaces cannot be made here: " + made.stderr.strip())


def wait_until(done, seconds, pause=0.05):
    """Polls until done() is true; false when the time is up."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def add_links(folder, machine, machine_name):
    """Puts links into a folder for what only the machine's folder has, which is called machine_name
    on the host.  Folders that both have are gone into."""
    for entry in os.scandir(machine):
        own = folder / entry.name
        if not os.path.lexists(own):
            own.symlink_to(f"{machine_name}/{entry.name}")
        elif own.is_dir() and not own.is_symlink() and entry.is_dir():
            add_links(own, machine / entry.name, f"{machine_name}/{entry.name}")


class Host:
    """packages: the name of a folder under build/mta/packages (make deps-mta fills it)."""

    def __init__(self, name, fqdn, address, packages=None):
        self.name = name
        self.fqdn = fqdn
        self.address = address
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--uts",
             "--ipc", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", 'trap "" CHLD; echo up; exec sleep infinity'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=ENVIRONMENT)
        if self.process.stdout.readline() != b"up\n":
            raise Abort(f"host {name} did not come up")
        self.root = Path(f"/proc/{self.process.pid}/root")
        self.run("sh", "-c", FURNISH, "sh", fqdn)
        if packages:
            self.unpack(PACKAGES / packages)
        self.run("sh", "-c", FURNISH_LOCAL)

    def unpack(self, folder):
        archives = sorted(folder.glob("*.deb"))
        if not archives:
            raise Abort(f"no packages in {folder}: run make deps-mta")
        unpacked = self.path(UNPACKED)
        for name in "bin", "sbin", "lib", "lib64":  # as on the machine, whose /usr is merged
            (unpacked / "usr" / name).mkdir(parents=True, exist_ok=True)
            (unpacked / name).symlink_to(f"usr/{name}")
        for archive in archives:
            subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True, timeout=60)
        self.run("sh", "-c", MAKE_ROOM)
        (unpacked / "usr" / "local").mkdir(exist_ok=True)
        add_links(unpacked / "usr", self.path(MACHINE), MACHINE)
        self.run("mount", "--bind", f"{UNPACKED}/usr", "/usr")

    def command(self, *argv, only_network=False):
        pid = self.process.pid
        enter = ["nsenter", "--target", str(pid), "--net"]
        if not only_network:
            enter += ["--mount", "--uts", "--ipc", f"--pid=/proc/{pid}/ns/pid_for_children"]
        return [*enter, "--", *argv]

    def run(self, *argv, stdin=b"", check=True, only_network=False):
        """Runs a program on the host as root, working directory /.  Output is bytes."""
        done = subprocess.run(self.command(*argv, only_network=only_network), input=stdin,
                              capture_output=True, env=ENVIRONMENT, timeout=120)
        if check and done.returncode:
            raise Abort(f"{self.name}: {' '.join(argv)[:200]}: exit {done.returncode}\n"
                        + (done.stdout + done.stderr).decode(errors="replace"))
        return done

    def run_as(self, user, *argv, **options):
        return self.run("runuser", "-u", user, "--", *argv, **options)

    def add_user(self, name, home):
        """A user and a group for a daemon, which may be there on the machine already."""
        if self.run("id", name, check=False).returncode:
            self.run("useradd", "--system", "--user-group", "--home-dir", home, name)

    def path(self, name):
        """The place from which this program reaches a file of the host."""
        return self.root / name.lstrip("/")

    def write(self, name, content, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)

    def wire_to(self, other):
        """A cable between two hosts, and the route over it."""
        self.run("ip", "link", "add", f"to-{other.name}", "type", "veth", "peer", "name",
                 f"to-{self.name}", "netns", str(other.process.pid), only_network=True)
        for near, far in (self, other), (other, self):
            device = f"to-{far.name}"
            near.run("ip", "address", "add", f"{near.address}/32", "dev", device)
            near.run("ip", "link", "set", device, "up")
            near.run("ip", "route", "add", f"{far.address}/32", "dev", device, "src", near.address)

    def know(self, hosts):
        """/etc/hosts in place of a name server."""
        lines = ["127.0.0.1 localhost"] + [f"{host.address} {host.fqdn}" for host in hosts]
        self.write("/etc/hosts", "\n".join(lines) + "\n")

    def speak_smtp(self, other, messages):
        """Hands (sender, recipients, bytes) to another host; returns what that refused."""
        task = json.dumps([[sender, recipients, message.decode("latin-1")]
                           for sender, recipients, message in messages])
        done = self.run(sys.executable, "-c", SPEAK_SMTP, other.address, self.fqdn,
                        stdin=task.encode(), only_network=True)
        return json.loads(done.stdout)

    def close(self):
        self.process.kill()
        self.process.wait()


def wait_settled(servers, deferred=None, seconds=60, pause=0.05):
    """Waits until nothing moves any more: all queues empty, but for `deferred` messages in the
    deferred queues together (None: any number).  False when the time is up."""
    still = 0

    def settled():
        nonlocal still
        for server in servers:
            server.nudge()
        counts = [server.count_queued() for server in servers]
        waiting = sum(count[1] for count in counts)
        quiet = not any(count[0] for count in counts) and deferred in (None, waiting)
        # A message may change queues or hosts between two looks: only a row of equal ones counts.
        still = still + 1 if quiet else 0
        return still >= 4

    return wait_until(settled, seconds, pause)
