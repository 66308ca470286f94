"""Where passes come from: the worker after a sync, and the engine's keeper when something was recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bk.engine.catalogs import due
from bk.engine.corpus.shapes import MALICIOUS
from tests.unit.corpus.house import House

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
