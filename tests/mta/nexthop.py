"""nexthop.py: a small SMTP server that refuses by the name of the recipient.

    python3 nexthop.py ADDRESS FOLDER

It stands behind the server under test, so that this one has accepted what cannot be delivered; and it
is the mail server of the spammer, who is a subscriber too.  What it accepts becomes a file in FOLDER:
the envelope sender, the recipients, an empty line, the message.
"""

import re
import socketserver
import sys
import time
from pathlib import Path

SIZE_MAX = 50_000
DATA_MAX = 20_000_000

# By the recipient's name up to the first dot: answers to RCPT, and to the end of DATA.
AT_RCPT = {
    "gone": "550 5.1.1 <{}>: unknown user",
    "away": "550 5.1.1 <{}>: unknown user",
    "full": "552 5.2.2 <{}>: the mailbox is over quota",
    "slow": "451 4.3.0 <{}>: try again later",
}
AT_DATA = {"content": "554 5.7.1 this content is refused here"}


class Session(socketserver.StreamRequestHandler):
    timeout = 10

    def answer(self, *lines):
        for number, line in enumerate(lines, 1):
            code, text = line[:3], line[4:]
            mark = " " if number == len(lines) else "-"
            self.wfile.write(f"{code}{mark}{text}\r\n".encode())

    def reset(self):
        self.sender, self.recipients = None, []

    def handle(self):
        self.reset()
        self.answer("220 store.remote.example ESMTP")
        while line := self.rfile.readline(2000):
            words = line.decode("latin-1").strip()
            verb = words[:4].upper()
            if verb == "QUIT":
                return self.answer("221 bye")
            act = getattr(self, f"on_{verb.lower()}", None)
            if act:
                act(words)
            else:
                self.answer("250 ok")

    def on_ehlo(self, _):
        self.answer("250 store.remote.example", f"250 SIZE {SIZE_MAX}", "250 8BITMIME")

    def on_mail(self, words):
        size = re.search(r"SIZE=(\d+)", words, re.I)
        if size and int(size.group(1)) > SIZE_MAX:
            return self.answer("552 5.3.4 the message is too big for this system")
        self.reset()
        self.sender = re.search("<(.*?)>", words).group(1)
        self.answer("250 ok")

    def on_rcpt(self, words):
        address = re.search("<(.*?)>", words).group(1)
        refusal = AT_RCPT.get(address.split(".")[0])
        if refusal:
            return self.answer(refusal.format(address))
        self.recipients.append(address)
        self.answer("250 ok")

    def on_rset(self, _):
        self.reset()
        self.answer("250 ok")

    def on_data(self, _):
        if not self.recipients:
            return self.answer("503 5.5.1 no recipient")
        self.answer("354 go on")
        lines, size = [], 0
        while (line := self.rfile.readline(DATA_MAX)) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
            size += len(line)
        refusals = [AT_DATA[who] for who in (one.split(".")[0] for one in self.recipients) if who in AT_DATA]
        if size > SIZE_MAX:
            self.answer("552 5.3.4 the message is too big for this system")
        elif refusals:
            self.answer(refusals[0])
        else:
            self.store(b"".join(lines).replace(b"\r\n", b"\n"))
            self.answer("250 ok")
        self.reset()

    def store(self, message):
        envelope = "\n".join([self.sender, *self.recipients, "", ""]).encode()
        path = self.server.folder / f"{time.time_ns()}"
        path.with_suffix(".tmp").write_bytes(envelope + message)
        path.with_suffix(".tmp").rename(path)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def main():
    address, folder = sys.argv[1:]
    with Server((address, 25), Session) as server:
        server.folder = Path(folder)
        server.folder.mkdir(parents=True, exist_ok=True)
        print("up", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
