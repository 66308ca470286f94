"""Typing `bk catalogs …`, and an installation whose catalogs are invented."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bk.engine.intel import generations
from bk.engine.intel.record import Record
from bk.engine.provenance import PinnedOrigin, Unproven
from bk.engine.state import State

ROOT = Path(__file__).parents[3]
BK = [sys.executable, "-m", "bk", "catalogs"]


def env_of(state: State, **more: str) -> dict[str, str]:
    return {"HOME": state.home, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "dumb", **more}


def catalogs(state: State, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Type it, away from any terminal."""
    return subprocess.run(
        [*BK, *words],
        env=env_of(state, **more),
        cwd=state.home,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


RECORDS = (
    Record("npm", "evil", "exact", ("1.0.0", "1.0.1"), "critical", ("ossf",), PinnedOrigin(), ident="MAL-1 GHSA-x",
           date="2026-01-02", sources=("osv",)),
    Record("npm", "evil", "exact", ("1.0.1",), "critical", ("datadog",), PinnedOrigin(), date="2026-01-03",
           sources=("datadog",)),
    Record("npm", "evil", "range", (">=3.0.0,<3.1.0",), "high", ("list",), Unproven(), sources=("list",)),
    Record("npm", "@scope/evil-too", "every", (), "high", ("ossf",), PinnedOrigin(), ident="MAL-2"),
    Record("pypi", "evil-py", "exact", ("2.0.0",), "critical", ("ossf",), PinnedOrigin(), ident="MAL-3"),
    Record("npm", "odd\u202ename", "exact", ("1.0.0",), "critical", ("ossf",), PinnedOrigin(), ident="MAL-4"),
)  # fmt: skip


def fill(state: State, records: Sequence[Record] = RECORDS) -> None:
    """Put these records in force."""
    generations.activate(state, records, {"sources": {"osv": {"group": "ossf", "date": "2026-01-05"}}}, "test")
