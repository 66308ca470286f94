"""A program on a terminal of its own, watched from outside: which bytes it sends when, and what a person then sees."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bk.text import cells

CHUNK = 1 << 16
PATIENCE = 60.0
_PARTS = re.compile(
    r"\x1b\[(?P<at>\d*;?\d*)H|\x1b\[[0-9;:?<>=$!]*[ -/]*[@-~]|\x1b[\]P_^].*?(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x1b."
    r"|(?P<text>[^\x00-\x1f\x7f]+)|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])",
    re.DOTALL,
)


class Took(NamedTuple):
    """How long something took: on the clock, and in the program's own threads. Milliseconds."""

    wall: float
    cpu: float


class Terminal:
    """A process whose terminal is ours. `size` is columns, rows."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], folder: str, size: tuple[int, int]) -> None:
        self.size = size
        self.sent = bytearray()
        self.began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if not self.pid:
            try:
                fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
                os.chdir(folder)
                os.execve(argv[0], list(argv), env)
            finally:
                os._exit(127)

    def cpu_ms(self) -> float:
        """The processor time of the process so far."""
        return time.clock_gettime(~self.pid << 3 | 2) * 1e3  # the kernel's name of another process's clock

    def memory_mb(self, peak: bool = False) -> float:
        """What it holds in memory, or the most that it held since `forget_peak`."""
        name = "VmHWM" if peak else "VmRSS"
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) * 1024 / 1e6

    def forget_peak(self) -> None:
        """The most that was held is counted from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def until(self, *marks: str, after: int = 0, patience: float = PATIENCE) -> float:
        """When the last of these texts was sent, counted from byte `after` on; on the clock of `began`."""
        wanted = [mark.encode() for mark in marks]
        end = time.perf_counter() + patience
        while True:
            at = time.perf_counter()
            wanted = [mark for mark in wanted if self.sent.find(mark, after) < 0]
            if not wanted:
                return at
            if at > end:
                told = "\n".join(self.screen())
                raise SystemExit(f"{wanted} did not appear within {patience:.0f} s on:\n{told}")
            self._take(end - at)

    def pressed(self, keys: str, *marks: str) -> Took:
        """Press keys, and wait for these texts to be drawn afterwards: at rest, as a person who has read the screen."""
        self.rest()
        before, cpu, start = len(self.sent), self.cpu_ms(), time.perf_counter()
        os.write(self._fd, keys.encode())
        shown = self.until(*marks, after=before)
        return Took((shown - start) * 1e3, self.cpu_ms() - cpu)

    def press(self, keys: str, quiet: float = 0.2) -> None:
        """Press keys, and wait until nothing more is drawn."""
        os.write(self._fd, keys.encode())
        self.quiet(quiet)

    def quiet(self, seconds: float, patience: float = PATIENCE) -> None:
        """Wait until it has drawn nothing for so long."""
        end = time.perf_counter() + patience
        while time.perf_counter() < end and self._take(seconds):
            pass

    def rest(self, patience: float = PATIENCE) -> None:
        """Wait until it draws nothing and computes nothing."""
        end = time.perf_counter() + patience
        before = -1.0
        while time.perf_counter() < end and self.cpu_ms() - before > 1.0:
            before = self.cpu_ms()
            self.quiet(0.03)

    def idle(self, seconds: float) -> None:
        """Let time pass, taking what is sent."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._take(left)

    def screen(self) -> list[str]:
        """The lines that a person sees now."""
        width, height = self.size
        grid = [[" "] * width for _ in range(height)]
        row = column = 0
        for part in _PARTS.finditer(self.sent.decode("utf-8", "replace")):
            if part["at"] is not None:
                down, _, right = part["at"].partition(";")
                row, column = int(down or 1) - 1, int(right or 1) - 1
            elif part["control"] == "\n":
                row += 1
            elif part["control"] == "\r":
                column = 0
            for char in part["text"] or "":
                if 0 <= row < height and 0 <= column < width:
                    grid[row][column] = char
                column += cells(char)
        return ["".join(line) for line in grid]

    def left(self) -> None:
        """End it, however it is, and wait for it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def asked_to_leave(self, key: str, patience: float = PATIENCE) -> None:
        """Press the key that ends it, and wait for its own end."""
        os.write(self._fd, key.encode())
        end = time.perf_counter() + patience
        while time.perf_counter() < end:
            self._take(0.05)
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                break
        self.left()

    def _take(self, seconds: float) -> bool:
        """Take what is sent within so long; False when nothing was."""
        if not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return False
        try:
            said = os.read(self._fd, CHUNK)
        except OSError:  # Linux answers so once nobody holds the other end
            time.sleep(0.01)
            return False
        self.sent += said
        return bool(said)
