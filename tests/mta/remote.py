"""remote.py: what the other side does with mail, whichever server it runs.

remote.example accepts every recipient first, and fails later.  Names have the form WHAT.HOW@: WHAT
says what happens to the mail, HOW in which way it was sent (bounces.py).  A server (postfix.py,
exim.py, opensmtpd.py, sendmail.py) is a class with

    name             what it is called in files and test names
    packages         the folder of its packages, None where they are installed
    cannot           what it cannot be made to do: why, by WHAT
    kinds            by WHAT: what it calls a failure that others call by another kind
    __init__(host)   writes its configuration
    start()
    count_queued()   messages in (motion, the queue of those tried before)
    nudge()          called while we wait for it: tries again what waits
    log()            its log, as text
"""

HOST = ("mx.remote.example", "203.0.113.20")
NEXT = ("store.remote.example", "203.0.113.30")  # nexthop.py
LISTS = "192.0.2.10"

GENUINE = ("genuine", "forwarded", "several", "headers")
FORGED = ("naive", "our-id", "bad-tag", "replay", "through", "many")

# WHAT happens: a text that the owner has to see, and the kind of the report.
WHATS = {
    "gone": ("userunknown", "failed"),       # the next hop refuses the recipient
    "full": ("mailboxfull", "failed"),       # likewise, for another reason
    "content": ("", "failed"),               # the next hop refuses the message, when it has read it
    "large": ("", "failed"),                 # the next hop takes no message of this size
    "away": ("userunknown", "failed"),       # forwarded to another domain, where it is refused
    "ghost": ("", "failed"),                 # accepted, but the server itself has no such user
    "lost": ("", "failed"),                  # forwarded to a domain without a host
    "program": ("", "failed"),               # handed to a program that fails
    "slow": ("", "failed"),                  # the next hop says "later" until the time is up
    "holiday": ("on holiday", "autoreply"),  # answered by a program
}

# What waits is warned of after WARN_S, and given up after EXPIRE_S.
WARN_S = 2
EXPIRE_S = 8

# The program that fails, and says why. 77 is "no permission".
FULL_MAILBOX = "#!/bin/sh\ncat >/dev/null\necho 'the mailbox is over quota'\nexit 77\n"
PROGRAM = "/usr/local/bin/full-mailbox"

# vacation(1) for the name that is its argument. -j: whatever To: says. -z: with the null sender.
HOLIDAY = "/usr/local/bin/holiday"
VACATION = "#!/bin/sh\nexec vacation -j -z -f /var/holiday/db -m \"/var/holiday/$1\" holiday\n"


def names(what):
    """All names of remote.example to which this happens."""
    return [f"{what}.{how}" for how in GENUINE + FORGED]


def aliases():
    """Name and address of what is forwarded to other domains."""
    return ([(name, f"{name}@elsewhere.example") for name in names("away")]
            + [(name, f"{name}@unroutable.example") for name in names("lost")])


def install_programs(host):
    """The programs, and the user holiday; anybody may run them for any name."""
    host.write(PROGRAM, FULL_MAILBOX, 0o755)
    host.write(HOLIDAY, VACATION, 0o755)
    host.add_user("holiday", "/var/holiday")
    host.run("install", "-d", "-o", "holiday", "/var/holiday")
    for name in names("holiday"):
        text = f"From: {name}@remote.example\nSubject: on holiday\n\nI am on holiday until Monday.\n"
        host.write(f"/var/holiday/{name}", text)
    host.run_as("holiday", "sh", "-c", "cd /var/holiday && vacation -i -r 0 && mv .vacation.db db")
    host.run("chmod", "666", "/var/holiday/db")
