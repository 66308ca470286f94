"""Which sources are asked, how often, with what, and what is left of a run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bk.engine.catalogs import accepted, backoff, run
from bk.engine.catalogs.store import Store
from bk.engine.errors import BkError
from bk.engine.intel import bundle
from bk.engine.intel.index import Index
from tests.e2e.catalog_house import CatalogHouse, Signer, fact, rows
from tests.unit.catalogs.conftest import Doing

LIST = "/l.json"
HOUR_MS = 3_600_000


@pytest.fixture
def listed(house: CatalogHouse) -> CatalogHouse:
    house.use("list", LIST)
    house.feed.serve(LIST, rows("evil", 30), etag="1")
    return house


def now() -> int:
    return time.time_ns() // 1_000_000


def beats(house: CatalogHouse, name: str) -> list[tuple[str, str]]:
    store = Store.read(house.state)
    assert store is not None
    try:
        return [(beat[2], beat[3]) for beat in reversed(store.beats(name))]
    finally:
        store.close()


def test_an_unchanged_feed_is_not_read_again(listed: CatalogHouse, doing: Doing) -> None:
    assert doing(run.sync, force=True)["activated"]
    again = doing(run.sync, force=True)
    assert (again["activated"], again["sources"]["list"]["outcome"]) == (False, "unchanged")
    assert listed.feed.requests[-1].headers["if-none-match"] == '"1"'
    listed.feed.serve(LIST, rows("evil", 30), etag="2")  # other validators, the same bytes
    assert not doing(run.sync, force=True)["activated"]


def test_each_look_leaves_a_heartbeat_also_when_nothing_was_due(listed: CatalogHouse, doing: Doing) -> None:
    start = now()
    doing(run.sync, at_ms=start)
    doing(run.sync, at_ms=start + 1000)
    listed.feed.status(LIST, 500)
    doing(run.sync, at_ms=start + 3 * HOUR_MS)
    outcomes = beats(listed, "list")
    assert [outcome for outcome, _ in outcomes] == ["updated", "skipped", "failed"]
    assert outcomes[1][1].startswith("it is due in 7")
    assert beats(listed, "osv") == []


def test_failures_wait_longer_and_longer_and_success_ends_that(listed: CatalogHouse, doing: Doing) -> None:
    listed.feed.status(LIST, 500)
    at = now()
    waits = []
    for _ in range(4):
        doing(run.sync, force=True, at_ms=at)
        row = listed.row("list")
        waits.append(row.next_ms - at)
        at = row.next_ms
    for wait, minutes in zip(waits, (5, 10, 20, 40), strict=True):
        assert 0.8 * minutes <= wait / 60_000 <= 1.2 * minutes
    listed.feed.serve(LIST, rows("evil", 30))
    doing(run.sync, at_ms=at)
    row = listed.row("list")
    assert (row.problem, row.last_success_ms) == ("", at)
    assert 2 * HOUR_MS <= row.next_ms - at <= 2.3 * HOUR_MS


def test_a_source_that_asks_for_patience_gets_it(listed: CatalogHouse, doing: Doing) -> None:
    listed.feed.status(LIST, 429, retry_after="7200")
    at = now()
    doing(run.sync, at_ms=at)
    assert listed.row("list").next_ms == at + 2 * HOUR_MS
    listed.feed.status(LIST, 503, retry_after="99999999")
    doing(run.sync, force=True, at_ms=at)
    assert listed.row("list").next_ms == at + backoff.OBEYED_MS


def test_a_clock_that_was_ahead_does_not_silence_a_source(listed: CatalogHouse, doing: Doing) -> None:
    at = now()
    doing(run.sync, at_ms=at + 400 * 24 * HOUR_MS)
    doing(run.sync, at_ms=at)
    assert [outcome for outcome, _ in beats(listed, "list")] == ["updated", "unchanged"]


def test_only_the_named_are_asked(listed: CatalogHouse, doing: Doing) -> None:
    signer = Signer(listed.feed)
    signer.publish(fact("x", "1.0.0"), serial=1)
    listed.use("org", "/org", key=signer.public)
    assert list(doing(run.sync, ["org"])["sources"]) == ["org"]
    assert not listed.feed.asked(LIST)
    with pytest.raises(BkError, match="no such source"):
        doing(run.sync, ["nobody"])
    with pytest.raises(BkError, match="switched off"):
        doing(run.sync, ["osv"])


def test_one_that_fails_does_not_hold_up_the_others(listed: CatalogHouse, doing: Doing) -> None:
    listed.use("org", "/nothing", key=Signer(listed.feed).public)
    said = doing(run.sync, force=True)["sources"]
    assert {name: each["outcome"] for name, each in said.items()} == {"list": "updated", "org": "failed"}
    assert listed.install("evil-1@1.0.0") == "block"


def test_a_defect_in_a_reader_stays_there(listed: CatalogHouse, doing: Doing, monkeypatch: pytest.MonkeyPatch) -> None:
    from bk.engine.intel.sources.lists import PlainList

    monkeypatch.setattr(PlainList, "parse", lambda *_: 1 // 0)
    visit = doing(run.sync, force=True)["sources"]["list"]
    assert (visit["outcome"], visit["detail"].startswith("internal: ZeroDivisionError")) == ("failed", True)
    monkeypatch.undo()
    assert doing(run.sync, force=True)["sources"]["list"]["outcome"] == "updated"


def test_a_generation_that_does_not_find_what_it_must_is_taken_back(
    listed: CatalogHouse, doing: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bk.engine.catalogs import assembly

    bundle.ensure(listed.state)
    before = listed.in_force()
    real = assembly.merged
    monkeypatch.setattr(
        assembly, "merged", lambda claims, graves: (r for r in real(claims, graves) if not r.name.startswith("evil"))
    )
    with pytest.raises(BkError, match="taken back"):
        doing(run.sync, force=True)
    assert listed.in_force() == before
    assert not Path(listed.state.intel, "feeds/list", accepted.NAME).exists()
    assert [each.data["event"] for each in listed.entries()] == ["self-check failed", "failed"]
    monkeypatch.undo()
    assert doing(run.sync, force=True)["sources"]["list"]["outcome"] == "updated"
    assert listed.install("evil-1@1.0.0") == "block"


def test_bks_own_facts_are_always_in_it_and_everybody_is_named(listed: CatalogHouse, doing: Doing) -> None:
    own = Index.open(bundle.ensure(listed.state))
    held = {record for record in own}  # noqa: C416 - an index is no set
    own.close()
    doing(run.sync, force=True)
    index = Index.open(bundle.ensure(listed.state))
    try:
        assert held <= set(index)
        sources = index.meta["sources"]
        assert sources["list"]["ecosystems"] == ["npm"]
        assert sources["list"]["records"] == 30
        assert sources["rustsec"]["ecosystems"] == ["cargo"]
        assert index.meta["origin"] == "live"
    finally:
        index.close()


def test_a_token_goes_only_where_it_belongs(listed: CatalogHouse, doing: Doing) -> None:
    path = Path(listed.state.keys, "list.token")
    path.write_text("secret-token\n")
    path.chmod(0o600)
    doing(run.sync, force=True)
    assert all("authorization" not in seen.headers for seen in listed.feed.requests)
    path.chmod(0o644)
    visit = doing(run.sync, force=True)["sources"]["list"]
    assert (visit["outcome"], "chmod" in visit["detail"] or "owner" in visit["detail"]) == ("failed", True)
