"""Scenarios of the feeds, by their ids, that say more together than the tests of single parts do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bk.engine.catalogs.due import due
from bk.engine.catalogs.store import Row, Store
from bk.engine.config import snapshot
from bk.engine.intel.index import Index, build
from bk.engine.intel.match import matches
from bk.engine.intel.sources import Batch
from bk.engine.intel.sources.bumblebee import Bumblebee
from bk.engine.model import Install
from bk.engine.provenance import PinnedOrigin
from bk.engine.state import State
from tests.e2e.catalog_house import CatalogHouse, rows
from tests.feeds.server import FeedServer

MINUTE_MS = 60_000


@pytest.fixture
def house(state: State) -> Iterator[CatalogHouse]:
    """One feed, asked once."""
    with FeedServer() as feed:
        made = CatalogHouse(state, feed)
        feed.serve("/l.json", rows("evil", 3), etag="1")
        made.use("list", "/l.json")
        yield made


def is_due(house: CatalogHouse) -> bool:
    return due(house.state, snapshot.read(house.state).values)


def test_s01_a_source_is_due_at_its_time_and_not_a_minute_before(house: CatalogHouse) -> None:
    assert is_due(house)  # never asked
    house.sync()
    row = Store.open(house.state)
    try:
        asked = row.sources()["list"]
    finally:
        row.close()
    now = time.time_ns() // 1_000_000
    for next_ms, expected in ((now + MINUTE_MS, False), (now, True), (now - MINUTE_MS, True)):
        store = Store.open(house.state)
        with store:
            store.put(Row("list", next_ms=next_ms, last_attempt_ms=asked.last_attempt_ms))
        store.close()
        assert is_due(house) == expected, next_ms - now
    asked_for = [bool(house.work(*words)["sources"].get("list")) for words in (["sync"], ["sync"], ["sync", "--force"])]
    assert asked_for == [True, False, True]


def test_s02_nothing_new_is_as_good_as_news(house: CatalogHouse) -> None:
    assert house.sync()["activated"]
    before = house.in_force()
    said = house.sync()
    assert (said["activated"], said["sources"]["list"]["outcome"]) == (False, "unchanged")
    assert house.feed.requests[-1].headers["if-none-match"] == '"1"'
    assert house.in_force() == before
    assert (house.row("list").state, house.status().stale) == ("good", False)


def test_s04_and_s05_both_versions_of_one_package_in_a_feed_of_the_newer_schema(tmp_path: Path) -> None:
    made = [
        {"id": f"b-{version}", "ecosystem": "npm", "package": "evil", "versions": [version], "severity": "critical"}
        for version in ("1.0.0", "2.0.0")
    ]
    (tmp_path / "c.json").write_text(json.dumps({"schema_version": "0.2.0", "entries": made}))
    batch = Batch("bumblebee", "bumblebee", PinnedOrigin("test"), "2026-07-16", Bumblebee().issues)
    Bumblebee().parse(str(tmp_path), batch)
    build(str(tmp_path / "index"), batch.records, {"sources": {}, "origin": "test", "built": "2026-01-01"})
    index = Index.open(str(tmp_path / "index"))
    try:
        for version, found in (("1.0.0", 1), ("2.0.0", 1), ("3.0.0", 0)):
            assert len(matches(index, Install("npm", "evil", version))) == found, version
    finally:
        index.close()
