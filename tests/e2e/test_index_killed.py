"""SIGKILL at any moment of building a generation and putting it in force: one complete generation is in force."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from bk.engine.intel import bundle, generations
from bk.engine.intel.index import Index
from bk.engine.state import State

PACKAGES = 3000
KILLS = 50
BUILDER = """
import os, sys
from bench.index import records
from bk.engine.intel import generations
from bk.engine.intel.record import Record
from bk.engine.provenance import Unproven
from bk.engine.state import State

state, first, count = State(sys.argv[1], sys.argv[2], os.geteuid()), int(sys.argv[3]), int(sys.argv[4])

def claims(build):
    for one in records(count):
        one.ident = f"BUILD-{build}"
        yield one
    yield Record("npm", "which-build", "exact", (f"{build}.0.0",), "low", ("g",), Unproven(), ident=f"BUILD-{build}")

print("ready", flush=True)
for build in range(first, first + 1000):
    generations.activate(state, claims(build), {"build": build}, "live")
    print(build, flush=True)
"""


def started(state: State, first: int, *, count: int = PACKAGES) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", BUILDER, state.root, state.home, str(first), str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def one_whole_generation(state: State) -> int:
    """Which build is in force, after every byte of it was read and every claim was seen to be of that build."""
    index = Index.open(bundle.ensure(state))
    try:
        index.verify()
        build = int(index.meta["build"])
        idents = Counter(one.ident for one in index)
        assert idents == {f"BUILD-{build}": PACKAGES + 1}
        (told,) = index.lookup("npm", "which-build")
        assert told.versions == (f"{build}.0.0",)
    finally:
        index.close()
    return build


@pytest.mark.long
def test_fifty_kills_leave_one_whole_generation(state: State) -> None:
    process = started(state, 1)
    assert process.stdout is not None
    began = time.monotonic()
    process.stdout.readline()
    takes = time.monotonic() - began
    process.kill()
    process.communicate()
    dice = random.Random(7)
    built, leftovers = one_whole_generation(state), 0
    ended: Counter[str] = Counter()
    for _ in range(KILLS):
        process = started(state, built + 1)
        time.sleep(dice.uniform(0.0, 1.5 * takes))
        os.kill(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        now = one_whole_generation(state)
        told = max(map(int, said.split()), default=built)
        assert now in (told, told + 1), "what was told to be in force is, or the next one"
        ended["in the middle" if now == built else "after a swap"] += 1
        built = now
        left = [name for name in os.listdir(state.intel) if name.endswith(".new")]
        assert len(left) <= 2, "each build cleans what the one before it left"
        leftovers += bool(left)
    assert min(ended.values()) > 3, ended
    assert leftovers > 5, "no kill struck while a file was being written"

    process = started(state, built + 1)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.kill()
    process.communicate()
    made = generations.activate(state, [], {"build": 0}, "live")
    assert generations.in_force(state) is not None
    kept = [os.path.basename(each.path) for each in generations.listed(state)]
    assert len(kept) == generations.KEPT
    assert sorted(os.listdir(state.intel)) == ["current", *kept, "lock"], "nothing is left lying about"
    for each in generations.listed(state):
        generations.verify(each)
    assert generations.rollback(state).number < made.number


@pytest.mark.long
def test_readers_never_see_anything_but_a_whole_generation_while_builders_are_killed(state: State) -> None:
    process = started(state, 1, count=200)
    assert process.stdout is not None
    process.stdout.readline()
    dice = random.Random(8)
    until, seen = time.monotonic() + 12, Counter[int]()
    next_kill = time.monotonic()
    while time.monotonic() < until:
        index = Index.open(bundle.ensure(state))
        build = int(index.meta["build"])
        assert {one.ident for one in index} == {f"BUILD-{build}"}
        assert index.lookup("npm", "which-build")[0].versions == (f"{build}.0.0",)
        index.close()
        seen[build] += 1
        if time.monotonic() > next_kill:
            process.kill()
            process.communicate()
            process = started(state, max(seen) + 1, count=200)
            next_kill = time.monotonic() + dice.uniform(0.0, 0.4)
    process.kill()
    process.communicate()
    assert len(seen) > 20
