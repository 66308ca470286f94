"""OSV's archives: once whole, then by the list of changes; and the questions where there is no archive."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bk.engine.intel.sources import osv_bulk
from bk.engine.intel.sources.osv_feed import Osv
from bk.engine.intel.sources.source import FeedError
from tests.feeds.behaviours import Seen
from tests.feeds.server import FeedServer

from .asking import fetched, listing, mal, told, understood, zipped
from .webbing import feed, folder

__all__ = ["feed", "folder"]

SOURCE = Osv()


def serve(feed: FeedServer, records: list[dict[str, Any]], archive: bytes = b"", *, ecosystem: str = "npm") -> None:
    rows = listing(records)
    feed.serve(f"/o/{ecosystem}/modified_id.csv", rows, etag=str(hash(rows) % 10_000_019))
    feed.serve(f"/o/{ecosystem}/all.zip", archive or zipped(records))
    for record in records:
        feed.serve(f"/o/{ecosystem}/{record['id']}.json", json.dumps(record).encode())


def names(folder: Path) -> set[str]:
    return {record.name for record in understood(SOURCE, folder).records}


def asked(feed: FeedServer, what: str) -> int:
    return sum(what in seen.path for seen in feed.requests)


def test_the_first_load_takes_the_archive_and_leaves_only_what_was_understood(feed: FeedServer, folder: Path) -> None:
    serve(feed, [mal(1), mal(2, withdrawn="2026-02-01T00:00:00Z"), mal(3, id="GHSA-aaaa-bbbb-cccc")])
    serve(feed, [mal(9, "Requests", ecosystem="PyPI")], ecosystem="PyPI")
    got = fetched(SOURCE, feed, folder, "/o")
    assert (got.changed, got.provenance.real, got.note) == (True, True, "")
    batch = understood(SOURCE, folder)
    assert told(batch.records) == {
        ("npm", "invented-1", "exact", ("1.0.0",), "critical"),
        ("pypi", "Requests", "exact", ("1.0.0",), "critical"),
    }
    assert [(g.name, g.issues, g.group) for g in batch.withdrawn] == [("invented-2", ("MAL-",), "ossf")]
    assert {r.ident for r in batch.records} == {"MAL-2026-1", "MAL-2026-9"}
    shown = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    assert shown == ["PyPI.changes", "PyPI.facts", "npm.changes", "npm.facts"]


def test_nothing_new_is_nothing_changed_and_no_archive(feed: FeedServer, folder: Path) -> None:
    serve(feed, [mal(1)])
    fetched(SOURCE, feed, folder, "/o")
    feed.requests.clear()
    got = fetched(SOURCE, feed, folder, "/o")
    assert not got.changed
    assert asked(feed, "all.zip") == asked(feed, "MAL-") == 0
    assert names(folder) == {"invented-1"}


def test_later_only_what_the_list_names_is_asked_for(feed: FeedServer, folder: Path) -> None:
    serve(feed, [mal(1), mal(2), mal(3)])
    fetched(SOURCE, feed, folder, "/o")
    feed.requests.clear()
    later = "2026-03-01T00:00:00.123456Z"
    serve(feed, [mal(1), mal(2, modified=later, withdrawn=later), mal(4, modified=later)])
    assert fetched(SOURCE, feed, folder, "/o").changed
    assert asked(feed, "all.zip") == 0
    assert sorted(s.path for s in feed.requests if "MAL-" in s.path) == [
        "/o/npm/MAL-2026-2.json",
        "/o/npm/MAL-2026-4.json",
    ]
    batch = understood(SOURCE, folder)
    assert {r.name for r in batch.records} == {"invented-1", "invented-4"}, "3 is not listed any more, 2 is withdrawn"
    assert [grave.name for grave in batch.withdrawn] == ["invented-2"]
    feed.requests.clear()
    assert not fetched(SOURCE, feed, folder, "/o").changed, "it settles, whatever fractions the times have"


def test_what_the_archive_lacks_is_fetched_at_once(feed: FeedServer, folder: Path) -> None:
    newer = mal(1, modified="2026-05-01T00:00:00Z", versions=["1.0.0", "1.0.1"])
    serve(feed, [newer, mal(2)], zipped([mal(1)]))
    fetched(SOURCE, feed, folder, "/o")
    assert {(r.name, r.versions) for r in understood(SOURCE, folder).records} == {
        ("invented-1", ("1.0.0", "1.0.1")),
        ("invented-2", ("1.0.0",)),
    }


def test_too_much_news_is_the_archive_again(feed: FeedServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osv_bulk, "ONE_BY_ONE", 5)
    serve(feed, [mal(1)])
    fetched(SOURCE, feed, folder, "/o")
    feed.requests.clear()
    serve(feed, [mal(number) for number in range(1, 10)])
    fetched(SOURCE, feed, folder, "/o")
    assert (asked(feed, "all.zip"), asked(feed, "MAL-")) == (1, 0)
    assert len(names(folder)) == 9


def test_an_archive_that_lags_is_not_asked_for_again_and_again(
    feed: FeedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osv_bulk, "ONE_BY_ONE", 5)
    serve(feed, [mal(number) for number in range(1, 15)], zipped([mal(1)]))
    assert "8 records did not come" in fetched(SOURCE, feed, folder, "/o").note
    fetched(SOURCE, feed, folder, "/o")
    assert fetched(SOURCE, feed, folder, "/o").note == ""
    assert asked(feed, "all.zip") == 1
    assert len(names(folder)) == 14


def test_large_records_are_taken_in_portions(feed: FeedServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osv_bulk, "HELD_MAX", 10)
    serve(feed, [mal(1)])
    fetched(SOURCE, feed, folder, "/o")
    serve(feed, [mal(1), mal(2), mal(3)])
    assert "1 records did not come" in fetched(SOURCE, feed, folder, "/o").note
    assert fetched(SOURCE, feed, folder, "/o").note == ""
    assert names(folder) == {"invented-1", "invented-2", "invented-3"}


def test_news_that_cannot_be_fetched_leaves_the_old_and_comes_later(feed: FeedServer, folder: Path) -> None:
    serve(feed, [mal(1)])
    fetched(SOURCE, feed, folder, "/o")
    serve(feed, [mal(1), mal(2, modified="2026-03-01T00:00:00Z"), mal(3)])
    feed.status("/o/npm/MAL-2026-3.json", 500)
    assert "1 records did not come" in fetched(SOURCE, feed, folder, "/o").note
    assert names(folder) == {"invented-1", "invented-2"}
    feed.serve("/o/npm/MAL-2026-3.json", json.dumps(mal(3)).encode())
    fetched(SOURCE, feed, folder, "/o")
    assert names(folder) == {"invented-1", "invented-2", "invented-3"}


@pytest.mark.parametrize(
    "bad",
    [b"{", b"[]", json.dumps(mal(7)).encode(), json.dumps(mal(1, versions=["1"] * 100_000)).encode()],
    ids=["cut", "another shape", "another id", "100,000 versions"],
)
def test_a_changed_record_that_is_none_leaves_the_old_one(feed: FeedServer, folder: Path, bad: bytes) -> None:
    serve(feed, [mal(1), mal(2)])
    fetched(SOURCE, feed, folder, "/o")
    serve(feed, [mal(1, modified="2026-03-01T00:00:00Z"), mal(2)])
    feed.serve("/o/npm/MAL-2026-1.json", bad)
    for _ in range(3):
        fetched(SOURCE, feed, folder, "/o")
    batch = understood(SOURCE, folder)
    assert {r.name for r in batch.records} == {"invented-1", "invented-2"}
    assert len([note for note in batch.notes if "MAL-2026-1.json" in note]) == 1


def test_a_few_records_that_are_none_do_not_spoil_an_archive_and_many_do(feed: FeedServer, folder: Path) -> None:
    good = [mal(number) for number in range(100)]
    serve(feed, good, zipped([*good[1:], {**mal(0), "affected": "all"}]))
    feed.serve("/o/npm/MAL-2026-0.json", b"{")
    fetched(SOURCE, feed, folder, "/o")
    batch = understood(SOURCE, folder)
    assert len(batch.records) == 99
    assert any("MAL-2026-0.json" in note for note in batch.notes)
    with FeedServer() as other:
        serve(other, good, zipped([{**each, "affected": "all"} for each in good]))
        with pytest.raises(FeedError, match="100 of its records are none") as caught:
            fetched(SOURCE, other, folder, "/o")
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize("body", [b"", b"PK", b"no archive at all" * 100, zipped([mal(1)])[:-10]])
def test_an_archive_that_is_none_is_an_error_and_changes_nothing(feed: FeedServer, folder: Path, body: bytes) -> None:
    serve(feed, [mal(1)])
    feed.serve("/o/npm/all.zip", body)
    with pytest.raises(FeedError) as caught:
        fetched(SOURCE, feed, folder, "/o")
    assert caught.value.kind == "malformed"
    assert "npm.zip" in caught.value.detail
    assert not os.path.exists(folder / "npm.facts")


@pytest.mark.parametrize("rows", [b"<html>\n" * 50, b"MAL-2026-1,2026-01-01T00:00:00Z\n" * 5, b"", b"\xff\0" * 5000])
def test_a_list_of_changes_that_is_none_is_an_error_and_removes_nothing(
    feed: FeedServer, folder: Path, rows: bytes
) -> None:
    serve(feed, [mal(1)])
    fetched(SOURCE, feed, folder, "/o")
    feed.serve("/o/npm/modified_id.csv", rows)
    with pytest.raises(FeedError) as caught:
        fetched(SOURCE, feed, folder, "/o")
    assert caught.value.kind == "malformed"
    assert names(folder) == {"invented-1"}


def test_ids_lead_to_no_other_place(feed: FeedServer, folder: Path) -> None:
    serve(feed, [mal(1)])
    rows = listing([mal(1)]) + b"2026-01-01T00:00:00Z,MAL-../../secret\n" * 1
    feed.serve("/o/npm/modified_id.csv", rows + b"2026-01-01T00:00:00Z,npm/MAL-2026-5?x=1\n")
    fetched(SOURCE, feed, folder, "/o")
    assert {s.path for s in feed.requests if "npm" in s.path} == {"/o/npm/modified_id.csv", "/o/npm/all.zip"}


def test_an_extract_of_another_place_is_not_used_in_the_name_of_this_one(feed: FeedServer, folder: Path) -> None:
    with FeedServer(tls=False) as other:
        serve(other, [mal(1, "forged", ecosystem="PyPI")], ecosystem="PyPI")
        serve(other, [mal(2, "forged")])
        assert not fetched(SOURCE, other, folder, "/o").provenance.real
    serve(feed, [mal(1)])
    feed.status("/o/PyPI/modified_id.csv", 500)
    got = fetched(SOURCE, feed, folder, "/o")
    assert got.provenance.real
    assert "PyPI was not brought up to date" in got.note
    assert names(folder) == {"invented-1"}


def test_no_archive_anywhere_is_an_error(feed: FeedServer, folder: Path) -> None:
    with pytest.raises(FeedError, match="no archive"):
        fetched(SOURCE, feed, folder, "/o")


class Api:
    """OSV's API as far as it is asked here: two answers a page."""

    def __init__(self, feed: FeedServer, base: str, records: list[dict[str, Any]]) -> None:
        self.records = records
        self.queries: list[dict[str, Any]] = []
        feed.answer(f"{base}/v1/querybatch", self.batch)
        for record in records:
            feed.serve(f"{base}/v1/vulns/{record['id']}", json.dumps(record).encode())

    def batch(self, seen: Seen) -> bytes:
        queries = json.loads(seen.body)["queries"]
        self.queries += queries
        return json.dumps({"results": [self.one(query) for query in queries]}).encode()

    def one(self, query: dict[str, Any]) -> dict[str, Any]:
        found = [r for r in self.records if self.speaks(r["affected"][0], query)]
        start = int(query.get("page_token", 0))
        page: dict[str, Any] = {"vulns": [{"id": r["id"], "modified": r["modified"]} for r in found[start : start + 2]]}
        return {**page, "next_page_token": str(start + 2)} if start + 2 < len(found) else page

    @staticmethod
    def speaks(affected: dict[str, Any], query: dict[str, Any]) -> bool:
        return bool(affected["package"] == query["package"] and query.get("version", "1.0.0") in affected["versions"])


def test_what_is_here_is_asked_about_version_by_version_and_page_by_page(feed: FeedServer, folder: Path) -> None:
    records = [mal(n, "evil") for n in range(5)]
    records += [mal(8, "evil", versions=["9.0.0"]), mal(9, "evil", id="GHSA-aaaa-bbbb-cccc")]
    api = Api(feed, "/api", records)
    wanted = (("npm", "evil", "1.0.0"), ("pypi", "fine", "2.0"), ("homebrew", "wget", "1"))
    got = fetched(SOURCE, feed, folder, "/api/v1", wanted=wanted)
    assert got.changed
    assert {record.ident for record in understood(SOURCE, folder).records} == {f"MAL-2026-{n}" for n in range(5)}
    assert {(q["package"]["ecosystem"], q["package"]["name"], q["version"]) for q in api.queries} == {
        ("npm", "evil", "1.0.0"),
        ("PyPI", "fine", "2.0"),
    }
    feed.requests.clear()
    assert not fetched(SOURCE, feed, folder, "/api/v1", wanted=wanted).changed
    assert asked(feed, "/vulns/") == 0, "what did not change is not asked for again"
    fetched(SOURCE, feed, folder, "/api/v1", wanted=wanted[1:])
    assert understood(SOURCE, folder).records == [], "what is here no more is asked about no more"


def test_an_ecosystem_without_an_archive_is_asked_about(feed: FeedServer, folder: Path) -> None:
    serve(feed, [mal(1)])
    api = Api(feed, "/o", [mal(5, "who.ext", ecosystem="VSCode:https://open-vsx.org")])
    wanted = (("editor-extension", "who.ext", "1.0.0"), ("npm", "left-pad", "1.0.0"))
    fetched(SOURCE, feed, folder, "/o", wanted=wanted)
    assert names(folder) == {"invented-1", "who.ext"}
    assert {query["package"]["name"] for query in api.queries} == {"who.ext"}


@pytest.mark.parametrize(
    "said",
    [
        b"{}",
        b'{"results": []}',
        b'{"results": [3]}',
        b'{"results": [{"vulns": [{"id": 1}]}]}',
        b'{"results": [{"vulns": [], "next_page_token": 5}]}',
        b'{"results": [{"next_page_token": "again"}]}',
    ],
)
def test_an_answer_that_is_none_is_an_error(feed: FeedServer, folder: Path, said: bytes) -> None:
    feed.answer("/api/v1/querybatch", lambda _: said)
    with pytest.raises(FeedError, match="querybatch") as caught:
        fetched(SOURCE, feed, folder, "/api/v1", wanted=(("npm", "x", "1"),))
    assert caught.value.kind == "malformed"
