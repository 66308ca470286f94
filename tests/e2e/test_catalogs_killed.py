"""SIGKILL at any moment of a sync: what is in force is always one complete generation, and the next sync recovers."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.catalogs import accepted
from bk.engine.intel import bundle
from bk.engine.intel.index import Index
from bk.engine.state import State
from tests.e2e.catalog_house import CatalogHouse, Signer, fact, rows
from tests.feeds.server import FeedServer

KILLS = 50


@pytest.fixture
def house(state: State) -> Iterator[CatalogHouse]:
    with FeedServer() as feed:
        yield CatalogHouse(state, feed)


def whole(house: CatalogHouse) -> dict[str, str]:
    """Which claims of which source are in force, after every byte of the generation was read."""
    index = Index.open(bundle.ensure(house.state))
    try:
        index.verify()
        meta = index.meta
        sizes = {int(record.name.partition("-")[2]) for record in index if record.name.startswith("evil-")}
        assert sizes == set(range(len(sizes))), "a part of a feed is in force"
        digests: dict[str, str] = meta["accepted"]
        return digests
    finally:
        index.close()


@pytest.mark.long
def test_fifty_kills_leave_a_whole_generation_and_the_next_sync_recovers(house: CatalogHouse) -> None:
    dice = random.Random(4)
    signer = Signer(house.feed)
    house.use("list", "/list.json")
    house.use("org", "/org", key=signer.public)

    def publish(step: int) -> None:
        house.feed.serve("/list.json", rows("evil", 3000 + 10 * step), etag=f"v{step}")
        signer.publish(*(fact(f"inside-{n}", "1.0.0") for n in range(300 + step)), serial=step + 1)

    publish(0)
    began = time.monotonic()
    assert house.sync()["ok"]
    takes = time.monotonic() - began
    before = whole(house)
    struck = {"early": 0, "late": 0, "done": 0}
    for step in range(1, KILLS + 1):
        publish(step)
        process = house.start("sync", "--force")
        time.sleep(dice.uniform(0.0, takes * 1.1))
        done = process.poll() is not None
        if not done:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        after = whole(house)
        struck["done" if done else "late" if after != before else "early"] += 1
        for name in ("list", "org"):
            for _ in accepted.lines(f"{house.state.intel}/feeds/{name}/{accepted.NAME}"):
                pass
        assert house.install("evil-2999@1.0.0") == "block"
        before = after
        if step % 5 == 0:
            assert house.sync()["ok"], step
            before = whole(house)
            assert house.install(f"evil-{3000 + 10 * step - 1}@1.0.0") == "block"
            assert house.install(f"inside-{299 + step}@1.0.0") == "block"
    assert struck["early"] > 5, struck
    assert house.work("verify")["ok"]
    left = [str(path) for path in Path(house.state.intel).rglob("*.new")]
    assert left == []
    assert len(list(Path(house.state.intel).glob("generation-*.index"))) <= 3
    killed = [run for run in house.status().runs if not run.ended_ms]
    assert killed, "a run that was killed is shown as one that never ended"


def test_a_worker_that_dies_between_two_steps_is_made_up_for(house: CatalogHouse) -> None:
    """The moments that a random kill seldom meets: the file is here and was not read; it was read and not put in force;
    it is in force and not yet accepted."""
    house.use("list", "/list.json")
    house.feed.serve("/list.json", rows("evil", 100), etag="1")
    assert house.sync()["ok"]
    root = Path(house.state.intel, "feeds/list")
    kept = (root / accepted.NAME).read_bytes()
    first = whole(house)

    house.feed.serve("/list.json", rows("evil", 110), etag="2")
    assert house.sync()["ok"]
    second = whole(house)
    (root / accepted.NAME).write_bytes(kept)  # as it was when the generation had been put in force already
    assert house.sync()["sources"]["list"]["outcome"] == "updated"  # although the feed says that nothing is new
    assert whole(house) == second != first
    assert accepted.head(str(root / accepted.NAME)) is not None

    (root / accepted.CANDIDATE).write_bytes(b"half a candi")
    (root / f"{accepted.NAME}.new").write_bytes(b"half")
    Path(house.state.intel, "next.1.new").write_bytes(b"half an index")
    house.feed.serve("/list.json", rows("evil", 120), etag="3")
    assert house.sync()["ok"]
    assert house.install("evil-119@1.0.0") == "block"
    assert not Path(house.state.intel, "next.1.new").exists()


def test_two_workers_do_not_meet(house: CatalogHouse) -> None:
    house.use("list", "/list.json")
    house.feed.silent("/list.json")
    first = house.start("sync", "--force")
    try:
        assert first.stdout is not None
        assert any('"fetch"' in line for line in iter(first.stdout.readline, ""))
        second = house.work("verify")
        assert second["error"]["title"] == "the catalogs are being worked on already"
    finally:
        first.kill()
        first.communicate()
    assert house.work("verify")["ok"]
