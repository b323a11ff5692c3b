"""tap.py: results in the Test Anything Protocol, for prove.

Knows nothing of mail.  A failed test is counted and the file goes on; Abort ends it.
"""

import sys


class Abort(Exception):
    """The rest of the file makes no sense any more."""


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, *details):
        """Prints one result, and the details when it is bad.  Returns good."""
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            self.failed += 1
            for detail in details:
                self.diag(detail)
        return bool(good)

    def equal(self, got, want, name):
        return self.ok(got == want, name, f"got:  {got!r}", f"want: {want!r}")

    def none(self, got, name):
        """Nothing may be in got; what is there is shown."""
        return self.ok(not got, name, *[f"got: {item}" for item in sorted(got)[:20]])

    def covers(self, got, want, name):
        """Everything in want is in got; what is missing is shown."""
        missing = sorted(set(want) - set(got))
        return self.ok(not missing, name, *[f"missing: {item}" for item in missing[:20]])

    @staticmethod
    def note(text):
        print(f"# {text}", flush=True)

    @staticmethod
    def diag(text):
        for line in str(text).splitlines():
            print(f"#   {line}", file=sys.stderr, flush=True)

    def done(self):
        """Prints the plan; the exit status of the file."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0
