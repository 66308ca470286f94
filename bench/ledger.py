"""What the ledger costs and what it answers: `python -m bench.ledger [--write docs/performance.md]`.

Appends one by one, plain, synced and while the side index is kept by another process; a verification; and the console
over a million entries: a page anywhere, the first results of any filter, a sort, a jump, and what all that holds in
memory.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.activity import BATCH, RARE, entries, fill
from bench.page import ROOT, Figure, machine, put, table
from bk.engine.console import pages
from bk.engine.console.feed import Feed
from bk.engine.ledger import seal, search
from bk.engine.ledger.query import parse
from bk.engine.ledger.seek import seek
from bk.engine.ledger.store import Ledger
from bk.engine.ledger.verify import verify
from bk.engine.state import State

MARK = "ledger"
NOW = 1_760_000_000_000
PAGES = 200
FILTERS = {
    "columns": ("level:block", "level:quarantine", "agent:codex tool:Read level:warn", "level>=warn since:1d"),
    "a rule, a package, a path, a host": (
        "rule:secrets -agent:claude", "npm:cart-footer", "path:login_294.ts", "host:cart.example level:block",
    ),
    "free text, rare or common": (RARE, RARE[:6], "refund", "login_294"),
    "text that is nowhere": ("nothing-like-this-anywhere", "npm:no-such-package", "zq"),
    "what only the entries can say": ("-npm level:quarantine", "-refund -cart target:lab", "target:*.ts level:block"),
}  # fmt: skip
KEEP = "import sys; sys.path.insert(0, sys.argv[2]); from bench.ledger import keep; keep(sys.argv[1])"


def keep(root: str) -> None:
    """Keep the side index of a ledger for as long as this process is let live."""
    state = _state(root)
    while True:
        search.catch_up(state)
        time.sleep(0.25)


def timed(ledger: Ledger, count: int, *, sync: bool = False) -> list[float]:
    """The microseconds of each append, in order of size."""
    times = []
    for new in entries(count, now_ms=NOW, seed=random.randrange(1 << 30)):
        start = time.perf_counter()
        ledger.append([new], sync=sync)
        times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)


def appends(folder: str, count: int) -> list[Figure]:
    """What an append costs, and that keeping the side index costs it nothing."""
    state = _state(f"{folder}/appends")
    ledger = Ledger.open(state)
    done = threading.Event()

    def background() -> None:
        while not done.wait(0.1):
            ledger.sync()

    flusher = threading.Thread(target=background)
    flusher.start()
    try:
        timed(ledger, count // 10)
        plain, kept = [], []
        words = [sys.executable, "-c", KEEP, f"{folder}/appends", str(ROOT)]
        for _ in range(3):  # in turns, so that the ratio is of one run
            plain.append(timed(ledger, count // 3))
            with subprocess.Popen(words) as keeper:
                time.sleep(0.5)
                kept.append(timed(ledger, count // 3))
                keeper.send_signal(signal.SIGKILL)
        synced = timed(ledger, count // 10, sync=True)
    finally:
        done.set()
        flusher.join()
        ledger.close()
    best, beside = (min(times[len(times) // 2] for times in series) for series in (plain, kept))
    return [
        Figure("append, p50, µs", best, form="{:.0f}"),
        Figure("append on disk before it returns, p50, µs", synced[len(synced) // 2], form="{:.0f}"),
        Figure("append while the side index is kept, p50 ÷ append p50", beside / best, 1.5, "{:.2f}×"),
    ]


def verification(folder: str, count: int) -> list[Figure]:
    """How fast a ledger is verified, with and without its links."""
    state = _state(f"{folder}/verified")
    ledger = Ledger.open(state)
    key = seal.start(ledger)
    batch = []
    for entry in entries(count, now_ms=NOW):
        batch.append(entry)
        if len(batch) == BATCH:
            ledger.append(batch)
            ledger.checkpoint()
            batch.clear()
    ledger.sync()
    figures = []
    for name, seal_key in (("hashes and checkpoints", None), ("with every link and seal", key)):
        start = time.perf_counter()
        report = verify(state, seal_key=seal_key)
        took = time.perf_counter() - start
        assert report.ok, report.problems
        figures.append(Figure(f"verified, {name}, entries a second", report.entries / took, form="{:,.0f}"))
    ledger.close()
    return figures


def answers(state: State, count: int) -> list[Figure]:
    """What the console takes for its pages, filters, sorts and jumps over a ledger of this size."""
    size = os.path.getsize(state.audit)
    start = time.perf_counter()
    assert search.catch_up(state) >= count - search.BLOCK
    built = time.perf_counter() - start
    before = rss_mb()
    feed = Feed(state)
    opened = _ms(lambda: (feed.poll(), feed.entries(range(count - 50, count))))
    dice = random.Random(3)
    pages.page(state, "", limit=50)
    figures = [
        Figure("entries", count, form="{:,.0f}"),
        Figure("the ledger, MB", size / 1e6, form="{:,.0f}"),
        Figure("side index, first build, s", built, form="{:.0f}"),
        Figure("side index ÷ the ledger, bytes", os.path.getsize(search.path_of(state)) / size, 0.25),
        Figure("activity opened, 50 entries read, ms", opened, 150, "{:.1f}"),
        _often("a page anywhere", lambda: feed.entry(dice.randrange(1, count))),
        _often("a page of 50 up or down from any entry", lambda: pages.page(
            state, "", anchor=dice.randrange(1, count), direction=dice.choice(("older", "newer")), limit=50
        )),
        _often("a page of 50 under level:block from any entry", lambda: pages.page(
            state, "level:block", anchor=dice.randrange(1, count), limit=50, now_ms=NOW
        )),
        _often("a jump to any time", lambda: pages.jump(state, NOW - dice.randrange(count) * 1_500)),
        Figure("sorted by tool, the first page, ms", _ms(lambda: next(filter(None, pages.ordered(state, "tool")))), 500,
               "{:.1f}"),
    ]  # fmt: skip
    for name, filters in FILTERS.items():
        first, whole = zip(*(looked(state, text) for text in filters), strict=True)
        figures.append(Figure(f"{name}: first results, the slowest of {len(filters)}, ms", max(first), 500, "{:.0f}"))
        if name.endswith("nowhere"):
            figures.append(Figure(f"{name}: said for certain, the slowest, ms", max(whole), form="{:.0f}"))
    feed.close()
    figures.append(Figure("memory gained by all of this, MB", rss_mb() - before, 60, "{:.0f}"))
    return figures


def looked(state: State, text: str) -> tuple[float, float]:
    """How long a filter takes to its first results (0 when it has none) and to its end, in milliseconds."""
    start = time.perf_counter()
    first = 0.0
    for step in seek(state, parse(text), NOW):
        if step.seqs and not first:
            first = (time.perf_counter() - start) * 1e3
    return first, (time.perf_counter() - start) * 1e3


def rss_mb() -> float:
    """The memory of this process now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _ms(what: Callable[[], object]) -> float:
    start = time.perf_counter()
    what()
    return (time.perf_counter() - start) * 1e3


def _often(what: str, asked: Callable[[], object]) -> Figure:
    """The 95th percentile of many, and the slowest beside it."""
    times = sorted(_ms(asked) for _ in range(PAGES))
    return Figure(f"{what}, p95 of {PAGES}, ms", times[PAGES * 95 // 100], 20, f"{{:.1f}} (slowest {times[-1]:.1f})")


def _state(home: str) -> State:
    Path(home).mkdir(exist_ok=True)
    state = State(f"{home}/.bk", home, os.geteuid())
    state.ensure()
    return state


def main() -> None:
    """Measure in a throw-away installation on the disk of --dir."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", default="/tmp")
    parser.add_argument("--appends", type=int, default=12_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--verified", type=int, default=100_000)
    parser.add_argument("--write", metavar="PAGE", default="")
    asked = parser.parse_args()
    home = tempfile.mkdtemp(dir=asked.dir, prefix="bk-bench-")
    try:
        figures = appends(home, asked.appends) + verification(home, asked.verified)
        state = _state(f"{home}/big")
        fill(state, asked.entries, now_ms=NOW)
        figures += answers(state, asked.entries)
    finally:
        shutil.rmtree(home)
    text = table([figure.row() for figure in figures])
    print(text)
    if asked.write:
        head = f"{machine()}; made-up calls of five agents in forty projects, 900 bytes each; the ledger on disk."
        put(asked.write, MARK, f"{head}\n\n{text}")
    if not all(figure.holds for figure in figures):
        raise SystemExit("a figure is out of its bound")


if __name__ == "__main__":
    main()
