"""What a person feels of the dashboard: `python -m bench.dashboard [--write docs/performance.md]`.

Each figure is taken from outside, on a terminal: from the key that is pressed to the bytes that draw its answer, with
the dashboard as a process of its own over a million entries. Beside the time on the clock stands what the process
itself computed meanwhile: on a machine that is shared, the second is the dashboard's own.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.activity import RARE, entries, fill
from bench.minimal import SAID
from bench.page import ROOT, Figure, machine, put, table
from bench.terminal import Terminal, Took
from bk.engine.ledger import search
from bk.engine.ledger.query import parse
from bk.engine.ledger.seek import seek
from bk.engine.ledger.store import Ledger
from bk.engine.state import State

MARK = "dashboard"
SIZE = (120, 40)
STARTS, OPENED, PAGES, JUMPS, NEWS = 12, 7, 160, 40, 20
RATE, BATCH = 200, 10
ENTRY_BYTES = 1_200  # with its part of the side index
FILTERS = (RARE, "refund", "npm:cart-footer", "level:block agent:codex", "level>=warn since:1d -refund")
FIRST_FRAME = ("the guard", "latest", "quit")
ROW = re.compile(r"(?P<mark>>?) +(?P<seq>[\d,]+)  \d\d:\d\d:\d\d  ")
PAGE_DOWN, PAGE_UP, HOME, END, ESCAPE = "\x1b[6~", "\x1b[5~", "g", "G", "\x1b"
WRITE = "import sys; sys.path.insert(0, sys.argv[1]); from bench.dashboard import burst; burst(*sys.argv[2:])"


class Big(NamedTuple):
    """The installation that is looked at."""

    state: State
    rows: int

    def env(self) -> dict[str, str]:
        """What a program on its terminal is started with."""
        kept = {"HOME": self.state.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"}

    def start(self, *words: str) -> Terminal:
        """Python with these words, on a terminal."""
        return Terminal([sys.executable, *words], self.env(), str(ROOT), SIZE)

    def dashboard(self, *words: str) -> Terminal:
        """The dashboard."""
        return self.start("-m", "bk", "dashboard", *words)


class List:
    """The Activity screen as it must be after each key: which row is selected, which is on top."""

    def __init__(self, terminal: Terminal, newest: int) -> None:
        self.terminal = terminal
        self.newest = newest
        self.room = len([line for line in terminal.screen() if ROW.search(line)])
        self.cursor = self.top = 0

    def to(self, index: int) -> tuple[str, ...]:
        """Select a row; what must then be drawn, on the selected row and on the far edge of the list."""
        self.cursor = max(0, min(index, self.newest - 1))
        before = self.top
        self.top = min(max(self.top, self.cursor - self.room + 1), self.cursor)
        edge = self.top + self.room - 1 if self.cursor == self.top else self.top
        return (row(self.newest - self.cursor), *((row(self.newest - edge),) if self.top != before else ()))


def row(seq: int) -> str:
    """How an entry's row begins."""
    return f"{seq:>9,}  "


def first_frames(big: Big) -> list[Figure]:
    """Spawn to first frame, in turns with the least app that there can be."""
    least: list[Took] = []
    ours: list[Took] = []
    filled: list[float] = []
    for turn in range(STARTS + 1):
        for words, marks, took in (
            (("-m", "bench.minimal"), (SAID,), least),
            (("-m", "bk", "dashboard"), FIRST_FRAME, ours),
        ):
            terminal = big.start(*words)
            try:
                shown = Took((terminal.until(*marks) - terminal.began) * 1e3, terminal.cpu_ms())
                if turn:  # the first of each brings files into the page cache
                    took.append(shown)
                    if took is ours:
                        filled.append((terminal.until("entries in the ledger") - terminal.began) * 1e3)
            finally:
                terminal.left()
    small, large = (Took(min(t.wall for t in all_), min(t.cpu for t in all_)) for all_ in (least, ours))
    told = "{{:.0f}} ({:.0f} of CPU)"
    return [
        Figure(f"first frame of a minimal app, least of {STARTS}, ms", small.wall, form=told.format(small.cpu)),
        Figure(f"first frame of the dashboard, least of {STARTS}, ms", large.wall, form=told.format(large.cpu)),
        Figure("first frame ÷ a minimal app's", large.wall / small.wall, 2,
               f"{{:.2f}}× (of CPU {large.cpu / small.cpu:.2f}×)"),
        Figure(f"every card filled, least of {STARTS}, ms", min(filled), form="{:.0f}"),
    ]  # fmt: skip


def opening(big: Big) -> Figure:
    """From Overview, each time a new process: the key, then rows."""
    took = []
    for _ in range(OPENED):
        terminal = big.dashboard()
        try:
            ready(terminal, "entries in the ledger")
            took.append(terminal.pressed("3", *(row(big.rows - at) for at in range(20))))
        finally:
            terminal.left()
    return _middle(f"Activity opened, key to rows, p50 of {OPENED}, ms", took, 150)


def looking(big: Big) -> list[Figure]:
    """One dashboard that is paged, filtered, left alone and written to; what it gained in memory by all that."""
    terminal = big.dashboard()
    try:
        ready(terminal, "entries in the ledger")
        held = terminal.memory_mb()
        terminal.forget_peak()
        terminal.press("3")
        ready(terminal, row(big.rows - 9))
        figures = [*paging(terminal, big), *filtering(terminal, big)]
        gained = terminal.memory_mb(peak=True) - held
        ready(terminal)
        figures += [
            Figure("memory gained by all of this, at its peak, MB", gained, 60, f"{{:.0f}} (from {held:.0f})"),
            idle(terminal, 20),
            live(terminal, big),
        ]
    finally:
        terminal.left()
    return figures


def paging(terminal: Terminal, big: Big) -> list[Figure]:
    """A page up or down, the ends, and any number."""
    dice = random.Random(3)
    rows = List(terminal, big.rows)
    pages, jumps = [], []
    for turn in range(PAGES + JUMPS):
        if turn % (1 + PAGES // JUMPS) == 0:
            seq = dice.randrange(1, big.rows)
            terminal.pressed("t", "Enter: go")
            terminal.pressed(f"#{seq:,}", f"{seq:,}"[-2:])
            jumps.append(terminal.pressed("\r", rows.to(big.rows - seq)[0]))
            continue
        keys, index = dice.choice([
            (PAGE_DOWN, rows.cursor + rows.room), (PAGE_DOWN, rows.cursor + rows.room),
            (PAGE_UP, rows.cursor - rows.room), (PAGE_UP, rows.cursor - rows.room), (HOME, 0), (END, big.rows),
        ])  # fmt: skip
        before = rows.cursor
        marks = rows.to(index)
        if rows.cursor == before:
            continue  # nothing to draw
        pages.append(terminal.pressed(keys, *marks))
    terminal.press(HOME)
    terminal.press("f")
    return [
        _often("a page up or down, the newest, the oldest: key to rows, p95", pages, 20),
        _often("a jump to any number: Enter to rows, p95", jumps, 20),
    ]


def filtering(terminal: Terminal, big: Big) -> list[Figure]:
    """Words typed into the filter, until the first rows are drawn."""
    figures = []
    for text in FILTERS:
        first = next(step.seqs[0] for step in seek(big.state, parse(text), _now()) if step.seqs)
        terminal.press("/")
        took = terminal.pressed(text, row(first), f" of {big.rows:,} entries")
        ready(terminal)
        figures.append((text, took))
        for _ in range(2):
            terminal.press(ESCAPE, 0.3)
        ready(terminal)
    slowest = max(took.wall for _, took in figures)
    told = ", ".join(f"`{text}` {took.wall:.0f}" for text, took in figures)
    return [Figure(f"first results of a filter, last key to rows, the slowest of {len(FILTERS)}, ms", slowest, 500,
                   f"{{:.0f}} ({told})")]  # fmt: skip


def idle(terminal: Terminal, seconds: float) -> Figure:
    """What it computes while nothing happens."""
    before = terminal.cpu_ms()
    terminal.idle(seconds)
    used = terminal.cpu_ms() - before
    return Figure(f"idle, {seconds:.0f} s of Activity, % of one core", used / seconds / 10, 1)


def live(terminal: Terminal, big: Big) -> Figure:
    """An entry that is written, until it is drawn."""
    took = []
    ledger = Ledger.open(big.state)
    try:
        for new in entries(NEWS, now_ms=_now(), seed=5):
            before = len(terminal.sent)
            (written,) = ledger.append([new])
            start = time.perf_counter()
            took.append(Took((terminal.until(row(written.seq), after=before) - start) * 1e3, 0))
            terminal.idle(0.013 * len(took))  # never in step with its own looks
    finally:
        ledger.close()
    times = sorted(each.wall for each in took)
    return Figure(f"a new entry, written to drawn, p95 of {NEWS}, ms", times[-1 - NEWS // 20], 300, "{:.0f}")


def burst(home: str, seconds: str) -> None:
    """Write two hundred entries a second, as the engine does for many agents."""
    ledger = Ledger.open(_state(home))
    ready_made = entries(int(seconds) * RATE, now_ms=_now(), seed=9)
    start = time.monotonic()
    for number in range(int(seconds) * RATE // BATCH):
        ledger.append([next(ready_made) for _ in range(BATCH)])
        time.sleep(max(0.0, start + (number + 1) * BATCH / RATE - time.monotonic()))
    ledger.close()


def bursting(big: Big, seconds: int) -> list[Figure]:
    """The same dashboard under that: its longest turn, and whether what was selected stayed where it was."""
    notes = Path(big.state.home, "turns")
    terminal = big.start("-m", "bench.watched", str(notes), "dashboard", "--screen", "activity")
    try:
        ready(terminal, "following")
        terminal.press("jjj")
        ready(terminal)
        before = selected(terminal.screen())
        begun, used = time.monotonic(), terminal.cpu_ms()
        words = [sys.executable, "-c", WRITE, str(ROOT), big.state.home, str(seconds)]
        with subprocess.Popen(words) as writer:
            while writer.poll() is None:
                terminal.idle(0.25)
        ended, used = time.monotonic(), terminal.cpu_ms() - used
        terminal.until(f"+{seconds * RATE:,} new")
        terminal.quiet(0.3)
        after = selected(terminal.screen())
        terminal.asked_to_leave("q")
    except BaseException:
        terminal.left()
        raise
    if writer.returncode:
        raise SystemExit("the writer failed")
    said = [tuple(map(float, line.split())) for line in notes.read_text(encoding="ascii").splitlines()[1:]]
    turns = [each for each in said if begun <= each[0] <= ended]
    longest = max(turns, key=lambda each: each[1])
    own = max(each[2] for each in turns)
    return [
        Figure(f"{RATE} new entries a second for {seconds} s: the longest turn, ms", longest[1], 100,
               f"{{:.0f}} (the most that it computed in one: {own:.0f})"),
        Figure("the selected row is elsewhere, or another", float(before != after), 0, "{:.0f}"),
        Figure("computed meanwhile, % of one core", used / (ended - begun) / 10, form="{:.0f}"),
    ]  # fmt: skip


def selected(screen: Sequence[str]) -> tuple[int, str]:
    """The line of the screen with the mark, and its number."""
    for at, line in enumerate(screen):
        found = ROW.search(line)
        if found and found["mark"]:
            return at, found["seq"]
    raise SystemExit("no row is selected on:\n" + "\n".join(screen))


def ready(terminal: Terminal, *marks: str) -> None:
    """These are drawn, and everything that was begun is at its end: it computes nothing more."""
    terminal.until(*marks)
    for _ in range(200):
        before = terminal.cpu_ms()
        terminal.idle(0.3)
        if terminal.cpu_ms() - before < 15:
            return
    raise SystemExit("the dashboard never comes to rest")


def _middle(what: str, took: Sequence[Took], bound: float) -> Figure:
    wall, own = sorted(t.wall for t in took), sorted(t.cpu for t in took)
    middle = len(took) // 2
    return Figure(what, wall[middle], bound, f"{{:.0f}} (least {wall[0]:.0f}, {own[middle]:.0f} of CPU)")


def _often(what: str, took: Sequence[Took], bound: float) -> Figure:
    wall, own = sorted(t.wall for t in took), sorted(t.cpu for t in took)
    told = f"p50 {wall[len(wall) // 2]:.1f}, of CPU p50 {own[len(own) // 2]:.1f}"
    return Figure(f"{what} of {len(took)}, ms", wall[len(wall) * 95 // 100], bound, f"{{:.1f}} ({told})")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _state(home: str) -> State:
    return State(f"{home}/.bk", home, os.geteuid())


def made(home: str, rows: int) -> Big:
    """An installation with so many entries and a side index that is up to date."""
    state = _state(home)
    state.ensure()
    Path(state.root, "welcomed").touch()
    if shutil.disk_usage(home).free < 2 * rows * ENTRY_BYTES:
        raise SystemExit(f"{home} has no room for {rows:,} entries")
    fill(state, rows, now_ms=_now())
    search.catch_up(state)
    return Big(state, rows)


def measured(folder: str, rows: int, seconds: int) -> list[Figure]:
    """Every figure, in one run."""
    big = made(folder, rows)
    return [Figure("entries", rows, form="{:,.0f}"), *first_frames(big), opening(big), *looking(big),
            *bursting(big, seconds)]  # fmt: skip


def main() -> None:
    """Measure in a throw-away installation on the disk of --dir."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", default="/tmp")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=60, help="how long the burst is; 20 will do for a look")
    parser.add_argument("--write", metavar="PAGE", default="")
    asked = parser.parse_args()
    home = tempfile.mkdtemp(dir=asked.dir, prefix="bk-bench-")
    try:
        figures = measured(home, asked.rows, asked.seconds)
    finally:
        shutil.rmtree(home)
    text = table([figure.row() for figure in figures])
    over = [figure.what for figure in figures if not figure.holds]
    print(f"{text}\n\n{'over: ' + '; '.join(over) if over else 'every figure is within its bound'}")
    if asked.write:
        put(asked.write, MARK, f"{machine()}; a terminal of {SIZE[0]}x{SIZE[1]}; the ledger on disk.\n\n{text}")


if __name__ == "__main__":
    main()
