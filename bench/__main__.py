"""`make bench`: what one call costs, as ratios within one run, with a large index and the ledger on disk.

Writes the table of docs/performance.md, so that the page cannot say what was not measured.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench import index as index_bench
from bench.calls import ALLOW, BLOCK, INSTALL
from bench.measure import Command, cpu_seconds, interleave, rss_mb
from bench.page import machine, put, table
from bk.engine.intel import bundle
from bk.engine.state import State
from bk.engine.world import World

BIN = Path(sys.executable).parent
NATIVE = BIN / "bk-hook"
PYTHON_CLIENT = BIN / "bk-hook-python"
PACKAGES = 250_000


class Engine:
    """A resident engine of its own, in a throw-away home, stopped by pid."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.env = {"HOME": state.home, "PATH": "/usr/bin:/bin"}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Engine:
        self.process = subprocess.Popen([sys.executable, "-I", "-m", "bk.serve"], env=self.env, cwd="/")
        until = time.monotonic() + 20
        while not os.path.exists(self.state.socket):
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit("the engine did not start")
            time.sleep(0.02)
        time.sleep(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(10)

    @property
    def pid(self) -> int:
        """The engine's pid."""
        assert self.process is not None
        return self.process.pid


def prepared(folder: str) -> State:
    """A fresh installation whose index also holds 250,000 invented packages."""
    state = State(f"{folder}/.bk", folder, os.geteuid())
    state.ensure()
    path = bundle.ensure(state)
    index_bench.synthetic(path, PACKAGES)
    world = World.open(state)
    assert world.failure is None
    assert world.index is not None
    assert world.index.meta["records"] >= PACKAGES
    return state


def throughput(state: State, env: dict[str, str], clients: int, seconds: float) -> float:
    """Decisions a second with this many clients, each a thread that spawns one native client after another."""
    until = time.monotonic() + seconds
    done = [0] * clients
    with tempfile.NamedTemporaryFile(dir=state.home) as given:
        given.write(ALLOW)
        given.flush()

        def work(slot: int) -> None:
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, given.name, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            ]
            argv = [str(NATIVE), "--harness", "claude-code"]
            while time.monotonic() < until:
                pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
                if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
                    done[slot] += 1

        threads = [threading.Thread(target=work, args=(slot,)) for slot in range(clients)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sum(done) / (time.monotonic() - started)


def measure(count: int) -> list[tuple[str, str, str, str]]:
    """Rows of (what, measured, bound, holds)."""
    folder = tempfile.mkdtemp(dir="/tmp", prefix="bkbench")
    rows: list[tuple[str, str, str, str]] = []

    def row(what: str, value: float, bound: float, form: str, *, least: bool = False) -> None:
        holds = value >= bound if least else value <= bound
        sign = "≥" if least else "≤"
        rows.append((what, form.format(value), f"{sign} {bound:g}", "yes" if holds else "**no**"))

    try:
        state = prepared(folder)
        hook = ["--harness", "claude-code"]
        with Engine(state) as engine:
            env = engine.env
            true = Command("true", ["/bin/true"], ALLOW, env, folder)
            allow = Command("warm native allow", [str(NATIVE), *hook], ALLOW, env, folder)
            install = Command("warm native install", [str(NATIVE), *hook], INSTALL, env, folder)
            block = Command("warm native block", [str(NATIVE), *hook], BLOCK, env, folder)
            interleave([true, allow, install, block], count)
            assert allow.series.codes == {0}
            assert block.series.codes == {2}
            base = true.series.p50
            rows.append(("`/bin/true`, spawn to exit, p50", f"{base:.2f} ms", "", ""))
            row("warm native, allow, p50 ÷ `/bin/true` p50", allow.series.p50 / base, 1.6, "{:.2f}×")
            row("warm native, allow, p99 ÷ `/bin/true` p50", allow.series.p99 / base, 4, "{:.2f}×")
            rows.append(("`/bin/true` p99 ÷ p50", f"{true.series.p99 / base:.2f}×", "", ""))
            for label, series in (("package install", install.series), ("block, on disk first", block.series)):
                figures = f"{series.p50 / base:.2f}× (p99 {series.p99 / base:.2f}×)"
                rows.append((f"warm native, {label}, p50 ÷ `/bin/true` p50", figures, "", ""))
            python = Command("python pass", [sys.executable, "-I", "-c", "pass"], ALLOW, env, folder)
            client = Command("warm python", [sys.executable, "-I", str(PYTHON_CLIENT), *hook], ALLOW, env, folder)
            interleave([python, client], count)
            assert client.series.codes == {0}
            warm = client.series.p50 / python.series.p50
            rows.append(("`python3 -I -c pass`, spawn to exit, p50", f"{python.series.p50:.2f} ms", "", ""))
            row("warm Python client, p50 ÷ `python3 -I -c pass` p50", warm, 2.0, "{:.2f}×")
            row("8 concurrent clients, decisions a second", throughput(state, env, 8, 6), 1000, "{:,.0f}", least=True)
            row("engine resident memory, MB", rss_mb(engine.pid), 90, "{:.0f}")
            time.sleep(2)
            before, at = cpu_seconds(engine.pid), time.monotonic()
            time.sleep(20)
            idle = 100 * (cpu_seconds(engine.pid) - before) / (time.monotonic() - at)
            row("engine idle CPU, %", idle, 0.5, "{:.2f}")
        lock = os.open(f"{state.run}/starting.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that no cold call leaves an engine behind
        python = Command("python pass", [sys.executable, "-I", "-c", "pass"], ALLOW, env, folder)
        cold = Command("cold", [str(NATIVE), *hook], ALLOW, env, folder)
        interleave([python, cold], count, warmup=5)
        os.close(lock)
        assert cold.series.codes == {0}
        row("cold, p50 ÷ `python3 -I -c pass` p50", cold.series.p50 / python.series.p50, 7, "{:.2f}×")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def main() -> int:
    """Measure, print, and with --write put the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="timed runs of each command")
    parser.add_argument("--write", metavar="PAGE", default="", help="the page whose table to replace")
    args = parser.parse_args()
    rows = measure(args.count)
    text = (
        f"{machine()}; {args.count:,} runs of each command, interleaved; "
        f"{PACKAGES:,} packages in the index; the ledger on disk.\n\n{table(rows)}"
    )
    sys.stdout.write(text + "\n")
    if args.write:
        put(args.write, "measured", text)
    return 1 if any("**no**" in row[3] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
