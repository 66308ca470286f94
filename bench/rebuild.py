"""What a full rebuild costs the calls that go on meanwhile: `python -m bench.rebuild [--packages N] [--rounds N]`.

The real hook asks the real engine, in turns of silence and of the real worker building the whole index again and again;
the worker is stopped for the silent turns, so that both kinds of turn see the same machine, and turns that other
processes disturbed are taken again.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from bench.__main__ import NATIVE, Engine
from bench.calls import ALLOW, INSTALL
from bench.index import FULL, accept
from bench.measure import Command, Series, cpu_seconds
from bench.page import Figure, table
from bk.engine.intel import bundle
from bk.engine.state import State

BOUND = 2.0
CALLS = 150
SETTLE_S = 0.3
OTHERS = 0.15  # of one processor
TRIES = 8
REBUILD = [sys.executable, "-I", "-m", "bk.engine.catalogs.worker", "--by", "bench", "rebuild"]


class Worker:
    """The worker as the engine starts it, building again and again; it can be stopped and told to go on."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self.builds = 0

    def go_on(self) -> None:
        """Have a build going."""
        if self._process is not None:
            code = self._process.poll()
            if code:
                raise SystemExit(f"the worker failed: {code}")
            if code == 0:
                self.builds += 1
                self._process = None
        if self._process is None:
            self._process = subprocess.Popen(
                REBUILD, env=self._env, cwd="/", start_new_session=True, stdout=subprocess.DEVNULL
            )
        self._process.send_signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        """The build's pid."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Halt the build where it is."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def end(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Others:
    """How much of the machine processes use that are not ours: a turn that they disturbed tells nothing."""

    def __init__(self, *ours: int) -> None:
        self._ours = ours
        self._busy, self._at = self._now(), time.monotonic()

    def share(self) -> float:
        """Processors that others used since the last time this was asked."""
        before, at = self._busy, self._at
        self._busy, self._at = self._now(), time.monotonic()
        return (self._busy - before) / (self._at - at)

    def _now(self) -> float:
        with open("/proc/stat", encoding="ascii") as file:
            spent = [int(word) for word in file.readline().split()[1:8]]
        busy = (sum(spent) - spent[3] - spent[4]) / os.sysconf("SC_CLK_TCK")
        own = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return busy - sum(each.ru_utime + each.ru_stime for each in own) - sum(map(cpu_seconds, self._ours))


def measured(home: str, packages: int, rounds: int) -> dict[str, tuple[Series, Series]]:
    """The times of each call in silence and during a rebuild."""
    state = State(f"{home}/.bk", home, os.geteuid())
    state.ensure()
    bundle.ensure(state)
    accept(state, packages)
    with Engine(state) as engine:
        argv = [str(NATIVE), "--harness", "claude-code"]
        kinds = {"allow": ALLOW, "package install": INSTALL}
        hooks = {name: Command(name, argv, given, engine.env, home) for name, given in kinds.items()}
        found = {name: (Series(name), Series(name)) for name in hooks}
        worker = Worker(engine.env)
        worker.go_on()
        try:
            taken, again = 0, TRIES * rounds
            while taken < rounds:
                again -= 1
                for name, hook in hooks.items():
                    quiet, loud, disturbed = _pair(hook, worker, engine.pid)
                    if not disturbed or again <= 0:
                        found[name][0].times += quiet
                        found[name][1].times += loud
                taken = min(len(series.times) for series, _ in found.values()) // CALLS
        finally:
            worker.end()
        for name, hook in hooks.items():
            if hook.series.codes - {0}:
                raise SystemExit(f"{name}: exit codes {hook.series.codes}")
    return found


def _pair(hook: Command, worker: Worker, engine: int) -> tuple[list[float], list[float], bool]:
    """The times of a silent turn and of one during a build, and whether others disturbed them."""
    worker.stop()
    time.sleep(SETTLE_S)
    others = Others(engine)
    quiet = _turn(hook, lambda: None)
    disturbed = others.share() > OTHERS
    worker.go_on()
    time.sleep(SETTLE_S)
    others = Others(engine, worker.pid)
    pid = worker.pid
    loud = _turn(hook, worker.go_on)
    worker.stop()
    return quiet, loud, disturbed or worker.pid != pid or others.share() > OTHERS


def _turn(hook: Command, now_and_then: Callable[[], None]) -> list[float]:
    hook.series.times.clear()
    for call in range(CALLS):
        if call % 25 == 0:
            now_and_then()
        hook.once()
    return list(hook.series.times)


def figures(packages: int = FULL, rounds: int = 10) -> list[Figure]:
    """By how much the p99 of each call rises."""
    home = tempfile.mkdtemp(dir="/tmp", prefix="bkbench")
    try:
        found = measured(home, packages, rounds)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return [
        Figure(
            f"warm hook, {name}, during a full rebuild, p99 ÷ p99 without",
            loud.p99 / quiet.p99,
            BOUND,
            f"{{:.2f}}× (p99 {quiet.p99:.2f} → {loud.p99:.2f} ms, p50 {quiet.p50:.2f} → {loud.p50:.2f} ms)",
        )
        for name, (quiet, loud) in found.items()
    ]


def main() -> int:
    """Print the table; 1 when the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=FULL)
    parser.add_argument("--rounds", type=int, default=10, help=f"turns of {CALLS} calls of each kind, of both kinds")
    args = parser.parse_args()
    found = figures(args.packages, args.rounds)
    print(table([figure.row() for figure in found]))
    return 0 if all(figure.holds for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
