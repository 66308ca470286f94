"""Measures the inventory against `find`: `python -m bench.inventory [--packages N]`, each figure in one run.

A tree of npm, pnpm and pip projects is planted; `find`, `find … -exec cat {} +` and the scan take turns over it, every
scan in a process of its own. Everything that was planted must be found, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable

from bench.page import ROOT, Figure, machine, put, table
from bench.trees import Forest, Planted
from bk.engine.inventory import store
from bk.engine.inventory.item import INSTALLED, LOCKED
from bk.engine.inventory.scan import PROJECT, scan
from bk.engine.state import State

FULL = 200_000
READ = (
    "package.json", "package-lock.json", ".package-lock.json", "pnpm-lock.yaml", ".modules.yaml", "METADATA", "RECORD",
    "INSTALLER", "direct_url.json", "pyvenv.cfg",
)  # fmt: skip
SETTLE_S = 2.5
MEMORY = "/dev/shm"
PACKAGE_BYTES = 20_000  # with its inodes


def found(state: State, run: int) -> tuple[Planted, Planted]:
    """What a run holds, as planted things are told: installed and locked."""
    installed: Planted = set()
    locked: Planted = set()
    for item in store.items(state, run):
        if item.kind == LOCKED:
            locked.add((item.ecosystem, item.name, item.version, item.observed))
        elif item.kind == INSTALLED:
            at = f"{item.locator.path}/package.json" if item.ecosystem == "npm" else item.observed
            installed.add((item.ecosystem, item.name, item.version, at))
    return installed, locked


def once(home: str, root: str) -> None:
    """One scan in this process; prints how long it took and what it needed."""
    state = State(f"{home}/.bk", home, os.geteuid())
    began = time.perf_counter()
    run = scan(state, profile=PROJECT, roots=[root], env={})
    took = time.perf_counter() - began
    told = {
        "took": took,
        "peak": _peak_mb(),
        "run": run.id,
        "status": run.status,
        "total": run.total,
        "reused": run.reused,
    }
    sys.stdout.write(json.dumps(told | {"problems": run.problems[:5], "directories": run.directories}))


def _peak_mb() -> float:
    """The most that this process had resident; what its parent had before the fork does not count."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))


def _scan(home: str, root: str) -> dict[str, float]:
    argv = [sys.executable, "-m", "bench.inventory", "--home", home, "--root", root]
    began = time.perf_counter()
    told: dict[str, float] = json.loads(
        subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    )
    told["wall"] = time.perf_counter() - began
    return told


def _timed(argv: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measured(folder: str, packages: int, rounds: int) -> tuple[list[Figure], list[str]]:
    """The figures, and what was missed or invented."""
    tree, home = f"{folder}/tree", f"{folder}/home"
    os.makedirs(home)
    began = time.perf_counter()
    forest = Forest(tree)
    forest.plant(packages)
    planting = time.perf_counter() - began
    names: list[str] = []
    for name in READ:
        names += ["-o", "-name", name]
    bare = ["find", tree]
    reading = ["find", tree, "-type", "f", "(", *names[1:], ")", "-exec", "cat", "{}", "+"]
    time.sleep(SETTLE_S)
    _timed(bare)
    _timed(reading)
    bares, reads, firsts, seconds, peaks = [], [], [], [], []
    wrong: list[str] = []
    state = State(f"{home}/.bk", home, os.geteuid())
    for number in range(rounds):
        shutil.rmtree(state.root, ignore_errors=True)
        state.ensure()
        bares.append(_timed(bare))
        reads.append(_timed(reading))
        first = _scan(home, tree)
        second = _scan(home, tree)
        bares.append(_timed(bare))
        reads.append(_timed(reading))
        firsts.append(first["wall"])
        seconds.append(second["wall"])
        peaks += [first["peak"], second["peak"]]
        wrong += [
            f"{each} run: {told['status']} {told['problems']}"
            for each, told in (("first", first), ("second", second))
            if told["status"] != "complete"
        ]
        for told in (first, second) if number == 0 else ():
            installed, locked = found(state, int(told["run"]))
            wrong += _amiss(forest, installed, locked)
    entries = sum(len(folders) + len(files) for _, folders, files in os.walk(tree))
    size = sum(
        os.path.getsize(f"{state.root}/{name}") for name in os.listdir(state.root) if name.startswith("inventory")
    )
    return [
        Figure("packages planted", len(forest.planted), None, "{:,.0f}"),
        Figure("entries in the tree", entries, None, "{:,.0f}"),
        Figure("planting it, s", planting, None, "{:.1f}"),
        Figure("bare `find`, s", min(bares)),
        Figure("`find … -exec cat {} +` over the metadata, s", min(reads)),
        Figure("first run, s", min(firsts)),
        Figure("first run ÷ `find … -exec cat {} +`", min(firsts) / min(reads), 4.0, "{:.2f}×"),
        Figure("second run after no change, s", min(seconds)),
        Figure("second run ÷ bare `find`", min(seconds) / min(bares), 1.5, "{:.2f}×"),
        Figure("peak resident memory, MB", max(peaks), 200.0, "{:.0f}"),
        Figure("the inventory on disk, MB", size / 1e6, None, "{:.1f}"),
        Figure("planted and not found, found and not planted", len(wrong), 0.0, "{:.0f}"),
    ], wrong


def _amiss(forest: Forest, installed: Planted, locked: Planted) -> list[str]:
    return [
        *_told("missed", forest.planted - installed),
        *_told("invented", installed - forest.planted),
        *_told("missed in a lock file", forest.locked - locked),
        *_told("invented from a lock file", locked - forest.locked),
    ]


def _told(what: str, items: Iterable[tuple[str, str, str, str]]) -> list[str]:
    return [f"{what}: {ecosystem} {name} {version} {path}" for ecosystem, name, version, path in sorted(items)]


def roomy(packages: int) -> str | None:
    """Memory, where it holds the tree thrice over: what a disk does meanwhile is not what is measured."""
    try:
        room = os.statvfs(MEMORY)
    except OSError:
        return None
    return MEMORY if room.f_bavail * room.f_frsize > 3 * packages * PACKAGE_BYTES else None


def main() -> int:
    """Plant, measure, print, clean up; with --write put the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=FULL, help="how many packages to plant")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is timed; the least time counts")
    parser.add_argument("--at", default=None, help="where to plant the tree")
    parser.add_argument("--write", metavar="PAGE", default="", help="the page whose table to replace")
    parser.add_argument("--home", help=argparse.SUPPRESS)
    parser.add_argument("--root", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.home:
        once(args.home, args.root)
        return 0
    folder = tempfile.mkdtemp(dir=args.at or roomy(args.packages), prefix="bkinventory")
    try:
        figures, wrong = measured(folder, args.packages, args.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    where = "in memory, so that no disk is measured" if folder.startswith(MEMORY) else "on a disk"
    text = (
        f"{machine()}; npm, pnpm and pip projects {where}; the least of {2 * args.rounds} times of `find`, "
        f"of {args.rounds} of the scan.\n\n{table([one.row() for one in figures])}"
    )
    sys.stdout.write(text + "\n" + "\n".join(wrong[:20]) + "\n")
    if args.write:
        put(args.write, "inventory", text)
    return 0 if all(one.holds for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
