"""A scan that was started from the dashboard: how far it is, and how it is stopped."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from bk.engine.console import scan as scans
from bk.text import inert
from bk.tui.words import plural

if TYPE_CHECKING:
    from textual.timer import Timer

    from bk.engine.console.session import Session

TICK_SECONDS = 0.1
BAR = 24
FULL, EMPTY = "█", "░"


class Scan:
    """One scan. `about` is how many directories the last one like it looked at; 0 when there was none."""

    def __init__(self, profile: str, *, about: int = 0) -> None:
        self.profile = profile
        self.about = about
        self.directories = 0
        self.items = 0
        self.path = ""
        self.since = time.monotonic()
        self._stop = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Have it stop at the next directory."""
        self._stop.set()

    def tell(self, directories: int, items: int, path: str) -> None:
        """How far it is; ends it when a person wants that."""
        self.directories, self.items, self.path = directories, items, path
        if self._stop.is_set():
            raise scans.StoppedError("the scan was stopped", f"after {plural(directories, 'directory', 'directories')}")

    def go(self, session: Session) -> str:
        """Scan, in a worker; the sentence of what was recorded."""
        try:
            made = scans.scan(self.profile, tell=self.tell, env=session.env)
        except scans.StoppedError as told:
            entry = session.outcome("scan", status="stopped", profile=self.profile)
            return f"the scan was stopped, {told.detail}; nothing follows from it: entry #{entry.seq:,}"
        entry = session.outcome("scan", profile=self.profile)
        bad = len(made.findings)
        found = f"{bad} of them known to be bad" if bad else "none known to be bad"
        part = "" if made.run.complete else f", {plural(len(made.run.problems), 'problem')}"
        return f"run {made.run.id}: {plural(made.run.total, 'item')}, {found}{part}: entry #{entry.seq:,}"


class Progress(Static):
    """Two lines while a scan is under way: how much of about how much, and where it is."""

    def __init__(self) -> None:
        super().__init__(id="progress")
        self._scan: Scan | None = None
        self._timer: Timer | None = None

    def follow(self, scan: Scan | None) -> None:
        """Show this one; None ends it."""
        self._scan = scan
        self.display = scan is not None
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(TICK_SECONDS, self.draw) if scan is not None else None
        self.draw()

    def on_mount(self) -> None:
        """Nothing is under way."""
        self.display = self._scan is not None

    def draw(self) -> None:
        """As it is now."""
        scan, width = self._scan, max(20, self.size.width or self.app.size.width)
        if scan is None:
            return
        seconds = int(time.monotonic() - scan.since)
        self.update(progress(scan, seconds, width - 2))


def progress(scan: Scan, seconds: int, width: int) -> Content:
    """The two lines."""
    told = f"{plural(scan.directories, 'directory', 'directories')}, {plural(scan.items, 'item')}, {seconds} s"
    word = "stopping" if scan.stopping else f"{scan.profile} scan"
    bar: list[tuple[str, str]] = []
    if scan.about:
        part = min(0.99, scan.directories / scan.about)
        full = int(part * BAR)
        bar = [(FULL * full, "$primary"), (EMPTY * (BAR - full), "$text-faint"), (f" {part:>4.0%}  ", "bold")]
        told += f" (the last one like it: {plural(scan.about, 'directory', 'directories')})"
    head = Content.assemble((f"{word}  ", "bold $secondary"), *bar)
    first = Content.assemble(head, (inert(told, max(8, width - head.cell_length)), ""))
    return Content("\n").join([first, Content.assemble((inert(scan.path or "beginning …", width), "$text-quiet"))])
