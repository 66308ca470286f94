"""The engine's part: one worker at a time, started when something is due, seen off when it ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from bk.engine.catalogs import due as scheduler
from bk.engine.catalogs.due import AGAIN_S, FIRST_S, LONGEST_S, LOOK_S, Keeper, due
from bk.engine.catalogs.store import Row, Store
from bk.engine.config import snapshot
from bk.engine.errors import BkError
from bk.engine.service.lock import start_ticks
from tests.e2e.catalog_house import CatalogHouse, rows


def values(house: CatalogHouse) -> dict[str, object]:
    return dict(snapshot.read(house.state).values)


def settle(keeper: Keeper, house: CatalogHouse, now_s: float) -> None:
    """Turn until the worker was reaped."""
    end = time.monotonic() + 60
    while keeper.running:
        keeper.turn(values(house), now_s)
        time.sleep(0.02)
        assert time.monotonic() < end


def test_it_syncs_what_is_due_and_reaps_the_worker(house: CatalogHouse) -> None:
    house.feed.serve("/l.json", rows("evil", 3), etag="1")
    house.use("list", "/l.json")
    keeper = Keeper(house.state, 1000.0)
    keeper.turn(values(house), 1000.0 + FIRST_S - 1)
    assert not keeper.running, "an engine that was just started has calls to answer"
    keeper.turn(values(house), 1000.0 + FIRST_S)
    pid = keeper.running
    assert pid
    keeper.turn(values(house), 1000.0 + FIRST_S)
    assert keeper.running in (pid, 0)
    settle(keeper, house, 1000.0 + FIRST_S)
    assert not Path(f"/proc/{pid}").exists(), "it was reaped"
    assert house.install("evil-1@1.0.0") == "block"
    assert [run.by for run in house.status().runs] == ["engine"]
    assert house.entries("activated")[0].actor == "engine"
    keeper.turn(values(house), 1000.0 + FIRST_S + LOOK_S)
    assert not keeper.running, "nothing is due"


def test_what_is_due(house: CatalogHouse) -> None:
    assert not due(house.state, values(house)), "no feed is switched on"
    house.feed.serve("/l.json", rows("evil", 3))
    house.use("list", "/l.json")
    assert due(house.state, values(house))
    house.sync()
    assert not due(house.state, values(house))
    house.settings(catalog_sync__enabled=False)
    store = Store.open(house.state)
    with store:
        store.put(Row("list", next_ms=1))
    store.close()
    assert not due(house.state, values(house)), "switched off"
    house.settings(catalog_sync__enabled=True)
    assert due(house.state, values(house))


def test_a_source_that_lacks_something_is_not_due(house: CatalogHouse) -> None:
    house.on = {"org": {"url": house.feed.url("/org")}}
    house.settings()
    assert not due(house.state, values(house))


def test_switching_a_source_off_is_due(house: CatalogHouse) -> None:
    house.feed.serve("/l.json", rows("evil", 3))
    house.use("list", "/l.json")
    house.sync()
    house.on.clear()
    house.settings()
    assert due(house.state, values(house))
    house.work("sync")
    assert not due(house.state, values(house))


def test_a_worker_that_breaks_off_is_told_and_not_tried_again_at_once(
    house: CatalogHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.feed.silent("/l.json")
    house.use("list", "/l.json")
    keeper = Keeper(house.state, 0.0)
    keeper.turn(values(house), FIRST_S)
    os.kill(keeper.running, signal.SIGKILL)
    with pytest.raises(BkError, match="broke off"):
        settle(keeper, house, FIRST_S)
    keeper.turn(values(house), FIRST_S + AGAIN_S - 1)
    assert not keeper.running
    keeper.turn(values(house), FIRST_S + AGAIN_S)
    assert keeper.running
    pid = keeper.running
    keeper.stop()
    assert not keeper.running
    assert os.waitpid(pid, 0)[1] == signal.SIGTERM


def test_a_worker_that_hangs_is_ended(house: CatalogHouse) -> None:
    house.feed.silent("/l.json")
    house.use("list", "/l.json")
    keeper = Keeper(house.state, 0.0)
    keeper.turn(values(house), FIRST_S)
    pid = keeper.running
    keeper.turn(values(house), FIRST_S + LONGEST_S)
    assert start_ticks(pid)
    with pytest.raises(BkError, match="signal 15"):
        settle(keeper, house, FIRST_S + LONGEST_S + 1)


def test_the_worker_inherits_nothing(house: CatalogHouse) -> None:
    house.feed.silent("/l.json")
    house.use("list", "/l.json")
    kept, told = os.pipe()
    os.set_inheritable(told, True)
    os.environ["https_proxy"] = "http://proxy.example"
    try:
        pid = scheduler.spawn(house.state, ("--by", "engine", "sync"))
        try:
            time.sleep(0.5)
            environment = Path(f"/proc/{pid}/environ").read_text()
            assert "proxy.example" not in environment
            assert f"BK_HOME={house.state.root}" in environment
            held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
            assert not any(os.readlink(f"/proc/self/fd/{told}") == each for each in held)
            assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    finally:
        del os.environ["https_proxy"]
        os.close(kept)
        os.close(told)
