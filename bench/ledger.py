"""What the ledger costs: `python -m bench.ledger`. Appends one by one, plain and synced; then a verification."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
import time

from bk.engine.ledger import seal
from bk.engine.ledger.chain import body_parts
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.model import Entry
from bk.engine.state import State

DATA = {
    "harness": "claude-code",
    "event": "pre",
    "tool": "Bash",
    "kind": "shell",
    "session": "0b7c2f0e-5f0e-4b8e-9a53-0d9f7f1f2a11",
    "cwd": "/home/dev/project",
    "home": "/home/dev",
    "tool_use_id": "toolu_01A09q90qw90lq917835lq9",
    "agent": {"claims": {}},
    "input": {"command": "git status --short && pytest -q tests/unit", "description": "Show changes and run the tests"},
    "actions": [{"do": "run", "target": "git status --short"}, {"do": "run", "target": "pytest -q tests/unit"}],
    "findings": [],
    "reason": "",
    "failure": "",
    "policy": "6f1ed002ab5595859014ebf0951522d9a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "index": "g-000123",
    "took_us": 412,
}


def entry() -> Entry:
    """An ordinary allow."""
    return Entry("decision", "hook:claude-code", DATA, level="allow", call=os.urandom(16).hex())


def timed(ledger: Ledger, count: int, *, sync: bool) -> list[float]:
    """The microseconds of each append, in order of size."""
    times = []
    for _ in range(count):
        new = entry()
        start = time.perf_counter()
        ledger.append([new], sync=sync)
        times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)


def shown(name: str, times: list[float]) -> str:
    """One line of the table."""
    count = len(times)
    mean = sum(times) / count
    p50, p99 = times[count // 2], times[count * 99 // 100]
    return f"{name:<34} p50 {p50:8.1f} µs   mean {mean:8.1f} µs   p99 {p99:8.1f} µs   n {count}"


def main() -> None:
    """Measure in a throw-away installation on the disk of --dir."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", default="/tmp")
    parser.add_argument("--appends", type=int, default=20_000)
    parser.add_argument("--entries", type=int, default=200_000)
    asked = parser.parse_args()
    home = tempfile.mkdtemp(dir=asked.dir)
    try:
        state = State(f"{home}/.bk", home, os.geteuid())
        state.ensure()
        ledger = Ledger.open(state)
        print(f"body: {sum(map(len, body_parts(entry(), DATA)))} bytes")
        done = threading.Event()

        def background() -> None:
            while not done.wait(0.1):
                ledger.sync()

        flusher = threading.Thread(target=background)
        flusher.start()
        print(shown("append", timed(ledger, asked.appends, sync=False)))
        print(shown("append, fdatasync before return", timed(ledger, asked.appends // 10, sync=True)))
        done.set()
        flusher.join()

        key = seal.start(ledger)
        while (held := ledger.head()[0]) < asked.entries:
            ledger.append([entry() for _ in range(min(1024, asked.entries - held))])
            ledger.checkpoint()
        ledger.sync()
        for name, seal_key in (("verify: hashes and checkpoints", None), ("verify: with every link and seal", key)):
            start = time.perf_counter()
            report = verify(state, seal_key=seal_key)
            took = time.perf_counter() - start
            assert report.ok, report.problems
            print(f"{name:<34} {report.entries / took:12,.0f} entries/s   checkpoints {report.checkpoints}")
        ledger.close()
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
