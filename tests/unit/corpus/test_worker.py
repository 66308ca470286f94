"""Where passes come from: the worker after a sync, and the engine's keeper when something was recorded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bk.engine.catalogs import due
from bk.engine.corpus.salt import salt
from bk.engine.corpus.shapes import MALICIOUS
from bk.engine.corpus.store import Corpus
from bk.engine.state import State
from tests.unit.corpus.house import House, tables

ROOT = Path(__file__).parents[3]


def worker(house: House, *words: str) -> dict[str, object]:
    """What a real worker says at the end."""
    env = {**os.environ, "HOME": house.state.home, "BK_HOME": house.state.root}
    done = subprocess.run([sys.executable, "-m", due.MODULE, *words], capture_output=True, text=True, env=env, cwd=ROOT)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])["result"]
    return result


def test_the_worker_judges_and_its_outcome_is_there(house: House) -> None:
    house.does("npm install evil@1.0.0")
    house.say("evil", "alpha", "beta")
    house.sync()
    told = worker(house, "adjudicate")
    assert told["ok"] is True
    assert told["corpus"]["labels"] == {"catalog_confirmation": 1}  # type: ignore[index]
    assert house.outcome() == MALICIOUS
    assert house.does("npm install evil@1.0.0") == "block"


@pytest.mark.parametrize("steps", [2, pytest.param(24, marks=pytest.mark.long)])
def test_a_worker_killed_in_the_middle_is_taken_up_by_the_next(house: House, tmp_path: Path, steps: int) -> None:
    for name in ("evil", "worse", "left-pad"):
        house.does(f"npm install {name}@1.0.0")
    house.say("evil", "alpha", "beta")
    house.say("worse", "gamma")
    house.sync()
    salt(house.state)  # every copy is the same installation

    def copied(name: str) -> Path:
        home = tmp_path / name
        home.mkdir()
        shutil.copytree(house.state.root, home / ".bk")
        return home / ".bk"

    whole = copied("whole")
    statements = int(ended(whole, 0).stdout.splitlines()[-1])
    expected = outcome(whole)
    assert [len(rows) for rows in expected.values()] == [3, 2, 2]
    for step in range(steps):
        root = copied(f"cut{step}")
        most = 10 + (statements - 12) * step // max(1, steps - 1)
        assert ended(root, most).returncode == -signal.SIGKILL, f"at {most}"
        for _ in range(2):  # the second has nothing to add
            assert ended(root, 0).returncode == 0
        assert outcome(root) == expected, f"killed at {most}"


def ended(root: Path, most: int) -> subprocess.CompletedProcess[str]:
    """A worker that dies at this statement, or ends by itself."""
    words = [sys.executable, "-m", "tests.unit.corpus.killed", str(root), "0", str(most)]
    env = {**os.environ, "HOME": str(root.parent)}
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=env, timeout=120)


def outcome(root: Path) -> dict[str, list[object]]:
    """What came of it, but for the time: events, labels, and what is in force."""
    held = tables(State(str(root), str(root.parent), os.geteuid()))
    with Corpus(State(str(root), str(root.parent), os.geteuid())) as corpus:
        events = corpus.page(None, 100)
        labels = [label for event in events for label in corpus.labels(event.id)]
        overlay = [[row.purl, row.tier, row.state] for row in corpus.overlay()]
    assert len(held["label"]) == len(labels)
    return {
        "events": [[event.id, event.outcome["true_label"]] for event in events],
        "labels": [[label.id, label.cluster, label.true_label, label.source, label.tier] for label in labels],
        "overlay": sorted(overlay),
    }


def test_a_damaged_corpus_is_told_and_recorded_and_stops_no_worker(house: House) -> None:
    house.does("npm install evil@1.0.0")
    Path(f"{house.state.root}/corpus.db").write_bytes(b"x" * 8192)
    told = worker(house, "adjudicate")
    assert told["ok"] is False
    assert "the corpus is damaged" in str(told["problems"])


def test_the_keeper_starts_a_worker_for_it_and_never_judges_itself(house: House) -> None:
    house.does("npm install evil@1.0.0")
    values = {**house.values, "catalog_sync.enabled": False}
    keeper = due.Keeper(house.state, 0.0)
    keeper.turn(values, due.FIRST_S)
    pid = keeper.running
    assert pid
    until = time.monotonic() + 60
    at = due.FIRST_S
    while keeper.running and time.monotonic() < until:
        time.sleep(0.05)
        at += 0.05
        keeper.turn(values, at)
    assert not keeper.running
    assert [event.purls for event in house.events()] == [("pkg:npm/evil@1.0.0",)]
    keeper.turn(values, at + 2 * due.LOOK_S)
    assert not keeper.running  # nothing new, nothing due
