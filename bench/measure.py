"""Timing whole processes: spawn to reaped exit, interleaved so that every ratio comes from one run."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence


class Series:
    """The times of one command, in milliseconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.times: list[float] = []
        self.codes: set[int] = set()

    def at(self, share: float) -> float:
        """The nearest-rank percentile."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def p50(self) -> float:
        """The median."""
        return self.at(0.50)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return self.at(0.99)


class Command:
    """A command with its input, run again and again through posix_spawn."""

    def __init__(self, name: str, argv: Sequence[str], stdin: bytes, env: dict[str, str], folder: str) -> None:
        self.series = Series(name)
        self._argv = list(argv)
        self._env = env
        self._input = os.path.join(folder, name.replace(" ", "-").replace("/", "_") + ".in")
        with open(self._input, "wb") as file:
            file.write(stdin)

    def once(self) -> None:
        """One timed run, output thrown away."""
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, self._input, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        started = time.perf_counter_ns()
        pid = os.posix_spawn(self._argv[0], self._argv, self._env, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        self.series.times.append((time.perf_counter_ns() - started) / 1e6)
        self.series.codes.add(os.waitstatus_to_exitcode(status))


def interleave(commands: Sequence[Command], count: int, warmup: int = 20) -> None:
    """Run the commands in turn, `count` times each after a warm-up."""
    for _ in range(warmup):
        for command in commands:
            command.once()
    for command in commands:
        command.series.times.clear()
        command.series.codes.clear()
    for _ in range(count):
        for command in commands:
            command.once()


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
