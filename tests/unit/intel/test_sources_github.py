"""GitHub's advisories: page by page since the last change, going on where a run had to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from bk.engine.intel.sources import github
from bk.engine.intel.sources.github import GitHub
from bk.engine.intel.sources.source import FeedError
from tests.feeds.behaviours import Exchange, plain
from tests.feeds.server import FeedServer

from .asking import FILES, fetched, told, understood
from .webbing import feed, folder

__all__ = ["feed", "folder"]

SOURCE = GitHub()


def advisory(number: int, day: int = 1, **more: Any) -> dict[str, Any]:
    """An invented advisory, as the API writes it."""
    package = {"ecosystem": "npm", "name": more.pop("name", f"invented-{number}")}
    ranges = more.pop("ranges", ["= 1.0.0"])
    return {
        "ghsa_id": f"GHSA-aaaa-bbbb-{number:04}",
        "type": "malware",
        "severity": "critical",
        "identifiers": [{"type": "GHSA", "value": f"GHSA-aaaa-bbbb-{number:04}"}],
        "published_at": "2026-01-01T00:00:00Z",
        "updated_at": f"2026-01-{day:02}T00:00:00Z",
        "withdrawn_at": None,
        "vulnerabilities": [{"package": package, "vulnerable_version_range": each} for each in ranges],
        **more,
    }


class Api:
    """Two advisories a page, by time of change, from a day on; `limit` pages and then 403 with Retry-After."""

    def __init__(self, feed: FeedServer, advisories: list[dict[str, Any]], limit: int = 100) -> None:
        self.feed = feed
        self.advisories = advisories
        self.limit = limit
        self.taken = ""
        feed.on("/g/advisories", self.answer)

    def answer(self, exchange: Exchange) -> None:
        said = {key: value[0] for key, value in parse_qs(exchange.seen.query).items()}
        assert said["type"] == "malware"
        assert (said["sort"], said["direction"], said["per_page"]) == ("updated", "asc", "100")
        if not self.limit:
            plain(403, b"{}", {"Retry-After": "60"})(exchange)
            return
        if self.taken and said.get("after") == self.taken:
            plain(422, b"{}", {})(exchange)
            return
        self.limit -= 1
        since = said.get("modified", ">=").removeprefix(">=")
        found = sorted((a for a in self.advisories if a["updated_at"] >= since), key=lambda a: str(a["updated_at"]))
        start = int(said.get("after", "0"))
        link = {}
        if start + 2 < len(found):
            link = {"Link": f'<{self.feed.url("/g/advisories")}?type=malware&after={start + 2}>; rel="next"'}
        plain(200, json.dumps(found[start : start + 2]).encode(), link)(exchange)


def names(folder: Path) -> set[str]:
    return {record.name for record in understood(SOURCE, folder).records}


def test_all_pages_are_taken_and_later_only_what_changed(feed: FeedServer, folder: Path) -> None:
    api = Api(feed, [advisory(n, n) for n in range(1, 6)])
    got = fetched(SOURCE, feed, folder, "/g")
    assert (got.changed, got.note, got.provenance.real) == (True, "", True)
    assert len(names(folder)) == 5
    feed.requests.clear()
    assert not fetched(SOURCE, feed, folder, "/g").changed
    assert len(feed.requests) == 1
    assert "modified=%3E%3D2026-01-05" in feed.requests[0].query
    api.advisories += [advisory(6, 6)]
    api.advisories[1] = advisory(2, 7, withdrawn_at="2026-01-07T00:00:00Z")
    assert fetched(SOURCE, feed, folder, "/g").changed
    assert names(folder) == {f"invented-{n}" for n in (1, 3, 4, 5, 6)}
    [grave] = understood(SOURCE, folder).withdrawn
    assert (grave.name, grave.issues, grave.versions) == ("invented-2", ("GHSA-",), ("1.0.0",))


def test_a_load_that_is_cut_off_goes_on_the_next_time(feed: FeedServer, folder: Path) -> None:
    api = Api(feed, [advisory(n) for n in range(1, 8)], limit=2)
    note = fetched(SOURCE, feed, folder, "/g").note
    assert "2 pages came, and there are more" in note
    assert "403" in note
    assert len(names(folder)) == 4
    with pytest.raises(FeedError, match="403") as caught:
        fetched(SOURCE, feed, folder, "/g")
    assert caught.value.retry_after_s == 60
    api.limit = 100
    feed.requests.clear()
    assert fetched(SOURCE, feed, folder, "/g").note == ""
    assert "after=4" in feed.requests[0].query
    assert len(names(folder)) == 7


def test_a_cursor_that_is_not_taken_any_more_starts_over(feed: FeedServer, folder: Path) -> None:
    api = Api(feed, [advisory(n) for n in range(1, 8)], limit=2)
    fetched(SOURCE, feed, folder, "/g")
    api.limit, api.taken = 100, "4"
    fetched(SOURCE, feed, folder, "/g")
    api.taken = ""
    fetched(SOURCE, feed, folder, "/g")
    assert len(names(folder)) == 7


def test_an_advisory_from_the_future_does_not_end_the_asking(feed: FeedServer, folder: Path) -> None:
    api = Api(feed, [advisory(1), advisory(2, updated_at="9999-12-31T00:00:00Z")])
    fetched(SOURCE, feed, folder, "/g")
    api.advisories.append(advisory(3, updated_at="2026-12-01T00:00:00Z"))
    fetched(SOURCE, feed, folder, "/g")
    assert "invented-3" in names(folder)


def test_a_page_that_leads_to_itself_or_away_is_an_error(feed: FeedServer, folder: Path) -> None:
    def looping(exchange: Exchange) -> None:
        link = {"Link": f'<{feed.url("/g/advisories")}?after=x>; rel="next"'}
        plain(200, b"[]", link)(exchange)

    feed.on("/g/advisories", looping)
    assert "next page is itself" in fetched(SOURCE, feed, folder, "/g").note
    assert len(feed.requests) == 2

    def away(exchange: Exchange) -> None:
        plain(200, b"[]", {"Link": '<https://evil.example/advisories?after=y>; rel="next"'})(exchange)

    feed.requests.clear()
    feed.on("/g/advisories", away)
    fetched(SOURCE, feed, folder, "/g")
    assert all(seen.headers["host"] == feed.host for seen in feed.requests)


@pytest.mark.parametrize(
    "page", [b"{}", b"[3]", b"<html>", b"[" * 10_000, b'[{"a":1,"a":2}]', b"[{}" + b",{}" * 100 + b"]"]
)
def test_a_page_that_is_none_is_an_error(feed: FeedServer, folder: Path, page: bytes) -> None:
    feed.serve("/g/advisories", page)
    with pytest.raises(FeedError, match="a page of advisories") as caught:
        fetched(SOURCE, feed, folder, "/g")
    assert caught.value.kind == "malformed"


BAD: list[Callable[[], dict[str, Any]]] = [
    lambda: advisory(1, ghsa_id="GHSA-1"),
    lambda: advisory(1, ghsa_id=5),
    lambda: advisory(1, vulnerabilities={}) | {"vulnerabilities": "all"},
    lambda: advisory(1, ranges=["~> 1.0"]),
    lambda: advisory(1, ranges=["< 1, < 2"]),
    lambda: advisory(1, ranges=["> 1, = 2"]),
    lambda: advisory(1, ranges=[7]),
    lambda: advisory(1, name=None),
    lambda: advisory(1, identifiers=[1]),
    lambda: advisory(1, ranges=["= 1"] * 30_000),
    lambda: advisory(1, withdrawn_at=True),
]


@pytest.mark.parametrize("bad", BAD)
def test_an_advisory_that_is_none_is_left_out_and_named(
    feed: FeedServer, folder: Path, tmp_path: Path, bad: Callable[[], dict[str, Any]]
) -> None:
    Api(feed, [bad(), advisory(2)])
    fetched(SOURCE, feed, folder, "/g")
    batch = understood(SOURCE, folder)
    assert {record.name for record in batch.records} == {"invented-2"}
    assert any("left out, not a record" in note for note in batch.notes)
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "page.json").write_text(json.dumps([bad()]))
    with pytest.raises(FeedError, match=r"page\.json"):
        understood(SOURCE, tmp_path / "brought")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ("every", [])),
        (">= 0", ("every", [])),
        ("> 0", ("every", [])),
        ("= 1.2.3", ("exact", ["1.2.3"])),
        ("<= 2.0.0", ("range", ["<=2.0.0"])),
        (">= 1.0.0", ("range", [">=1.0.0"])),
        (">= 1.0.0, < 2.0.0", ("range", [">=1.0.0,<2.0.0"])),
        ("< 2.0.0, > 1.0.0", ("range", [">1.0.0,<2.0.0"])),
        (">= 0, < 2.0.0", ("range", ["<2.0.0"])),
    ],
)
def test_ranges_in_githubs_words(text: str, said: tuple[str, list[str]]) -> None:
    assert github.affected(text) == said


def test_the_files_of_the_database_and_a_page_are_read(tmp_path: Path) -> None:
    for name in ("github_page.json", "GHSA-malware.json", "GHSA-vulnerability.json"):
        (tmp_path / name).write_bytes((FILES / name).read_bytes())
    batch = understood(SOURCE, tmp_path)
    assert told(batch.records) == {
        ("npm", "invented-stealer", "every", (), "critical"),
        ("pypi", "invented-hijacked", "exact", ("2.1.0", "2.1.1"), "high"),
        ("rubygems", "invented-gem", "range", (">=1.0.0,<1.0.4",), "critical"),
        ("npm", "invented-filed", "every", (), "critical"),
    }
    assert {record.ident[:5] for record in batch.records} == {"GHSA-"}
    assert [grave.name for grave in batch.withdrawn] == ["invented-sorry"]
    assert any("no malware" in note for note in batch.notes)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="no advisory"):
        understood(SOURCE, tmp_path)
