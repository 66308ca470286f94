"""`bk`, with every turn of its event loop timed: `python -m bench.watched FILE COMMAND …` writes the long ones to FILE.

A turn is what happens between two waits for input, so nothing is drawn and no key is heard while it lasts.
"""

from __future__ import annotations

import selectors
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

NOTED_MS = 1.0


class Timed(selectors.DefaultSelector):
    """Notes how long it is from each wait to the next, in the thread that waits."""

    turns: ClassVar[list[tuple[float, float, float]]] = []
    count = 0

    def __init__(self) -> None:
        super().__init__()
        self._woke = self._used = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait; what was done since the last wait was one turn."""
        now, used = time.monotonic(), time.thread_time()
        if self._woke:
            Timed.count += 1
            took = (now - self._woke) * 1e3
            if took >= NOTED_MS:
                Timed.turns.append((now, took, (used - self._used) * 1e3))
        try:
            return super().select(timeout)
        finally:
            self._woke, self._used = time.monotonic(), time.thread_time()


def main(file: str, words: list[str]) -> int:
    """Run a command so, and write one line a turn: when it ended, milliseconds on the clock, and of its own work."""
    vars(selectors)["DefaultSelector"] = Timed
    from bk.cli import main as bk

    code = bk(words)
    lines = [f"{at:.6f} {wall:.3f} {own:.3f}" for at, wall, own in Timed.turns]
    Path(file).write_text("\n".join([str(Timed.count), *lines]) + "\n", encoding="ascii")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
