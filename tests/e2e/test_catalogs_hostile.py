"""Hostile feeds, through the real worker process: the last good generation stays, the reason is told and recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from bk.engine.state import State
from tests.e2e.catalog_house import DAY_MS, CatalogHouse, Signer, fact, rows
from tests.feeds.server import FeedServer

LIST = "/list.json"
BASE = 400


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def house(state: State, feed: FeedServer) -> CatalogHouse:
    """An installation that has accepted an honest list."""
    made = CatalogHouse(state, feed)
    made.use("list", LIST)
    feed.serve(LIST, rows("evil", BASE), etag="good")
    assert made.sync()["ok"]
    return made


class Watched:
    """The state before something hostile, and what must be true after it."""

    def __init__(self, house: CatalogHouse, name: str = "list") -> None:
        self.house = house
        self.name = name
        self.before = house.in_force()
        self.entries = len(house.entries())
        self.success = house.row(name).last_success_ms

    def holds(self, event: str, reason: str) -> None:
        """The same bytes are in force, the reason is told, and there is an entry with it."""
        assert self.house.in_force() == self.before
        row = self.house.row(self.name)
        told = row.held.reason if row.held else f"{row.problem_kind}: {row.problem}"
        assert reason in told
        assert row.state == ("degraded" if event == "held" else "failing")
        assert row.last_success_ms == self.success
        news = self.house.entries()[self.entries :]
        assert [each.data["event"] for each in news] == [event]
        assert reason in str(news[0].data.get("reason") or news[0].data.get("detail"))
        assert news[0].data["source"] == self.name
        assert self.house.install("evil-7@1.0.0") == "block"


def mirror_host(feed: FeedServer) -> str:
    return feed.url("/elsewhere", name="127.0.0.1")


QUICK: list[tuple[str, Callable[[FeedServer], None], str]] = [
    ("endless", lambda feed: feed.endless(LIST), "too-large"),
    ("gzip-bomb", lambda feed: feed.gzip_bomb(LIST, 1 << 29), "too-large"),
    ("truncated", lambda feed: feed.truncated(LIST, rows("evil", 900), 2000), "truncated"),
    ("cut", lambda feed: feed.truncated(LIST, rows("evil", 900), 2000, reset=True), "truncated"),
    ("wrong-schema", lambda feed: feed.serve(LIST, b'{"schema": 9, "entries": {"a": 1}}'), "malformed"),
    ("half-a-document", lambda feed: feed.serve(LIST, rows("evil", 900)[:-30]), "malformed"),
    ("redirected-elsewhere", lambda feed: feed.redirect(LIST, mirror_host(feed)), "redirect"),
    ("redirected-to-plain", lambda feed: feed.redirect(LIST, "http://localhost:1/x"), "redirect"),
    ("server-error", lambda feed: feed.status(LIST, 500), "status"),
    ("gone", lambda feed: feed.status(LIST, 404), "status"),
    ("no-http", lambda feed: feed.raw(LIST, b"\x16\x03\x01 nonsense\r\n\r\n"), "encoding"),
]


@pytest.mark.parametrize(("hostile", "reason"), [row[1:] for row in QUICK], ids=[row[0] for row in QUICK])
def test_what_cannot_be_had_changes_nothing(
    house: CatalogHouse, feed: FeedServer, hostile: Callable[[FeedServer], None], reason: str
) -> None:
    feed.serve("/elsewhere", rows("other", 3))
    watched = Watched(house)
    hostile(feed)
    said = house.sync()
    assert said["sources"]["list"]["outcome"] == "failed"
    watched.holds("failed", reason)
    feed.serve(LIST, rows("evil", BASE + 1), etag="better")
    assert house.sync()["sources"]["list"]["outcome"] == "updated"
    assert house.row("list").state == "good"


@pytest.mark.long
def test_a_slow_loris_is_hung_up_on(house: CatalogHouse, feed: FeedServer) -> None:
    for head in (False, True):
        watched = Watched(house)
        feed.slow(LIST, rows("evil", 900), head=head)
        began = time.monotonic()
        assert house.work("sync", "--force", timeout=200)["sources"]["list"]["outcome"] == "failed"
        assert time.monotonic() - began < 120
        assert house.in_force() == watched.before
        assert house.row("list").problem_kind in ("slow", "timeout")
        assert house.entries()[-1].data["event"] == "failed"


def test_a_server_that_is_gone(house: CatalogHouse, feed: FeedServer) -> None:
    watched = Watched(house)
    house.use("list", "https://localhost:1/list.json")
    house.sync()
    watched.holds("failed", "offline")


def test_a_certificate_of_nobody(house: CatalogHouse) -> None:
    watched = Watched(house)
    with FeedServer(certificate="self-signed") as other:
        other.serve(LIST, rows("evil", BASE))
        house.use("list", other.url(LIST))
        house.sync()
    watched.holds("failed", "tls")


@pytest.mark.parametrize(
    ("news", "reason", "added", "removed"),
    [
        (rows("evil", BASE + 20_000), "20000 new entries", 20_000, 0),
        (rows("evil", BASE // 2), "200 entries would go", 0, 200),
        (b"[]", "400 entries would go", 0, 400),
        (b"<html>moved</html>", "none of its 1 entries can be used", 0, 400),
        (rows("other", BASE), "400 entries would go", 400, 400),
        (json.dumps([{"name": "evil-0", "version": f"1.{n}.0"} for n in range(6000)]).encode(), "5999 new", 5999, 399),
        (rows("evil", 10) [:-1] + b"," + rows("no such name!", 500)[1:], "name packages that cannot be", 0, 390),
    ],
    ids=["sudden-growth", "half-is-gone", "empty", "another-page", "replaced", "many-versions", "impossible-names"],
)  # fmt: skip
def test_news_that_is_too_much_waits_for_a_person(
    house: CatalogHouse, feed: FeedServer, news: bytes, reason: str, added: int, removed: int
) -> None:
    watched = Watched(house)
    feed.serve(LIST, news, etag="odd")
    house.sync()
    watched.holds("held", reason)
    held = house.row("list").held
    assert held is not None
    assert (held.added, held.removed) == (added, removed)
    house.sync()
    assert house.in_force() == watched.before, "asking again changes nothing"
    assert len(house.entries("held")) == 1
    feed.serve(LIST, rows("evil", BASE), etag="honest again")
    house.sync()
    assert house.row("list").state == "degraded", "only a person ends it"
    assert house.work("accept", "list")["ok"]
    assert house.row("list").state == "good"
    assert house.entries("accepted")[0].data["source"] == "list"
    assert house.install("evil-399@1.0.0") == "block"


def test_a_source_grows_slowly_only_so_far(house: CatalogHouse, feed: FeedServer) -> None:
    house.settings(catalog_sync__max_new=100)
    for step in range(1, 7):
        before = house.in_force()
        feed.serve(LIST, rows("evil", BASE + 40 * step), etag=f"step{step}")
        outcome = house.sync()["sources"]["list"]["outcome"]
        assert outcome == ("updated" if step < 3 else "held"), step
        assert (house.in_force() == before) is (step >= 3)
    held = house.row("list").held
    assert held is not None
    assert "after 80 within a day" in held.reason


def test_a_304_for_what_we_do_not_have_is_no_news(house: CatalogHouse, feed: FeedServer) -> None:
    before = house.in_force()
    feed.lying_304(LIST)
    assert house.sync()["sources"]["list"]["outcome"] == "unchanged"  # we have it, so the lie costs only freshness
    assert house.in_force() == before
    (house.state.intel and open(f"{house.state.intel}/feeds/list/files/list", "ab").write(b" "))  # noqa: SIM115
    watched = Watched(house)
    house.sync()
    watched.holds("failed", "status")


@pytest.fixture
def signer(feed: FeedServer) -> Signer:
    return Signer(feed)


@pytest.fixture
def org(house: CatalogHouse, feed: FeedServer, signer: Signer) -> CatalogHouse:
    """An installation that has accepted a signed feed with serial 5."""
    signer.publish(*(fact(f"inside-{n}", "1.0.0") for n in range(50)), serial=5)
    house.use("org", "/org", key=signer.public)
    assert house.sync()["sources"]["org"]["outcome"] == "updated"
    assert house.row("org").serial == 5
    return house


def now_ms() -> int:
    return time.time_ns() // 1_000_000


SIGNED: list[tuple[str, Callable[[Signer], None], str]] = [
    ("rolled-back-serial", lambda org: org.publish(fact("inside-1", "1.0.0"), serial=4), "rolled-back"),
    ("signed-by-another-key", lambda org: org.publish(fact("x", "1.0.0"), serial=6, secret=Signer(org.feed).secret),
     "signature"),
    ("signed-by-a-stranger", lambda org: org.publish(fact("x", "1.0.0"), serial=6, secret=Signer(org.feed, "o").secret),
     "signature"),
    ("expired", lambda org: org.publish(fact("x", "1.0.0"), serial=6, issued_ms=now_ms() - 9 * DAY_MS, days=3),
     "expired"),
    ("from-the-future", lambda org: org.publish(fact("x", "1.0.0"), serial=6, issued_ms=now_ms() + 3 * DAY_MS),
     "not-yet"),
    ("of-another-feed", lambda org: org.publish(fact("x", "1.0.0"), serial=6, feed="else"), "wrong-feed"),
    ("file-exchanged", lambda org: (org.publish(fact("x", "1.0.0"), serial=6),
                                    org.feed.serve("/org/org.facts", (fact("y", "1.0.0") + "\n").encode()))[0],
     "signature"),
    ("no-note", lambda org: org.feed.serve("/org/org.note", b"hello\n"), "malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("hostile", "reason"), [row[1:] for row in SIGNED], ids=[row[0] for row in SIGNED])
def test_a_signed_feed_is_believed_only_as_signed(
    org: CatalogHouse, signer: Signer, hostile: Callable[[Signer], None], reason: str
) -> None:
    watched = Watched(org, "org")
    hostile(signer)
    assert org.sync("org")["sources"]["org"]["outcome"] == "failed"
    watched.holds("failed", reason)
    assert org.install("inside-3@1.0.0") == "block"
    signer.publish(*(fact(f"inside-{n}", "1.0.0") for n in range(51)), serial=7)
    assert org.sync("org")["sources"]["org"]["outcome"] == "updated"
    assert org.row("org").serial == 7


def test_the_serial_survives_losing_the_database(org: CatalogHouse, signer: Signer) -> None:
    for path in (f"{org.state.intel}/catalogs.db", f"{org.state.intel}/catalogs.db-wal"):
        try:
            open(path, "wb").close()
        except FileNotFoundError:
            continue
    before = org.in_force()
    signer.publish(fact("inside-1", "1.0.0"), serial=4)
    assert "rolled-back" in org.sync("org")["sources"]["org"]["detail"]
    assert org.in_force() == before
