"""`python -m bk` is `bk`."""

from __future__ import annotations

import sys

from bk.cli import main

sys.exit(main())
