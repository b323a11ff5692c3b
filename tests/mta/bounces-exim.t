#!/usr/bin/env python3
"""bounces-exim.t: what bounces.py tests, with exim as the server that bounces.  Needs root."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bounces import BounceTests  # noqa: E402
from exim import Exim  # noqa: E402
from story import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(lambda tap: BounceTests(tap, Exim)))
