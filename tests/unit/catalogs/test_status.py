from __future__ import annotations

import os
from pathlib import Path

import pytest

from bk.engine.catalogs import feeds
from bk.engine.catalogs.store import Held, Row, Store
from bk.engine.errors import BkError
from bk.engine.intel import bundle
from tests.e2e.catalog_house import DAY_MS, CatalogHouse, rows


def test_before_anything_was_asked(house: CatalogHouse) -> None:
    empty = house.status()
    assert (empty.generation, empty.synced_ms) == (0, 0)
    assert empty.stale
    assert {row.state for row in empty.sources} == {"off"}
    path = bundle.ensure(house.state)
    built = int(os.stat(path).st_mtime * 1000)
    fresh = house.status(built + 6 * DAY_MS)
    assert (fresh.generation, fresh.origin, fresh.synced_ms, fresh.stale) == (1, "bundled", built, False)
    assert house.status(built + 7 * DAY_MS).stale_days == 7


def test_news_of_any_enabled_source_is_news(house: CatalogHouse) -> None:
    path = bundle.ensure(house.state)
    built = int(os.stat(path).st_mtime * 1000)
    house.use("list", "/l.json")
    store = Store.open(house.state)
    with store:
        store.put(Row("list", last_success_ms=built + 3 * DAY_MS))
        store.put(Row("osv", last_success_ms=built + 90 * DAY_MS))  # switched off since
    store.close()
    assert house.status().synced_ms == built + 3 * DAY_MS


@pytest.mark.parametrize(
    ("row", "held", "key", "expected"),
    [
        (Row("org"), None, "", "waiting"),
        (Row("org"), None, "k", "new"),
        (Row("org", last_success_ms=5), None, "k", "good"),
        (Row("org", last_success_ms=5, problem="no", kind="offline"), None, "k", "failing"),
        (Row("org", last_success_ms=5), Held("org", "much", 5, 6, at_ms=7), "k", "degraded"),
    ],
)
def test_how_a_source_stands_in_one_word(
    house: CatalogHouse, row: Row, held: Held | None, key: str, expected: str
) -> None:
    key = key and feeds_key()
    house.use("org", "/org", **({"key": key} if key else {}))
    store = Store.open(house.state)
    with store:
        store.put(row)
        if held:
            store.hold(held)
    store.close()
    told = house.row("org").told()
    assert told["state"] == expected
    assert told["needs"] == ("" if key else "key")
    assert told["held"] == (held and {"reason": "much", "added": 5, "removed": 6, "at_ms": 7})


def feeds_key() -> str:
    from bk.engine.notes import mint

    return mint("org.example")[1]


def test_what_a_source_needs(house: CatalogHouse) -> None:
    house.use("socket", "/socket")
    source = feeds.by_name("socket")
    assert source is not None
    assert house.row("socket").needs == "token"
    path = Path(feeds.token_path("socket", house.state))
    path.write_text("sktsec_abc\n")
    path.chmod(0o600)
    assert house.row("socket").needs == ""
    assert feeds.token("socket", house.state) == "sktsec_abc"
    path.chmod(0o640)
    with pytest.raises(BkError, match="not its owner's alone"):
        feeds.token("socket", house.state)
    path.chmod(0o600)
    path.write_text("two words")
    with pytest.raises(BkError, match="not one line"):
        feeds.token("socket", house.state)


def test_what_a_sync_leaves_is_told(house: CatalogHouse) -> None:
    house.feed.serve("/l.json", rows("evil", 5))
    house.use("list", "/l.json")
    assert house.sync()["ok"]
    row = house.row("list")
    assert (row.entries, row.packages, row.provenance, row.group) == (5, {"npm": 5}, "pinned_origin", "list")
    assert row.next_ms > row.last_attempt_ms == row.last_success_ms
    status = house.status()
    assert status.origin == "live"
    [run] = status.runs
    assert (run.verb, run.ok, run.generation) == ("sync", True, status.generation)
    assert run.said["sources"]["list"]["added"] == 5
