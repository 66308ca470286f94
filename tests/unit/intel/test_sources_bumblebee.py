"""Bumblebee's catalogs: fetched by their listing, and one that cannot be read takes no other with it."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from bk.engine.intel.sources.bumblebee import Bumblebee
from bk.engine.intel.sources.source import FeedError
from tests.feeds.server import FeedServer

from .asking import FILES, fetched, told, understood
from .webbing import feed, folder

__all__ = ["feed", "folder"]

SOURCE = Bumblebee()


def catalog(name: str, *versions: str, schema: str = "0.2.0", **more: Any) -> bytes:
    entry = {"id": f"id-{name}", "ecosystem": "npm", "package": name, "versions": versions or ["1.0.0"], **more}
    return json.dumps({"schema_version": schema, "entries": [entry]}).encode()


def listed(*names: str) -> bytes:
    """As GitHub lists a folder; where each file says it can be downloaded is another host on purpose."""
    return json.dumps(
        [{"name": name, "type": "file", "download_url": f"https://evil.example/{name}"} for name in names]
        + [{"name": "deeper", "type": "dir"}, {"name": "README.md", "type": "file"}]
    ).encode()


def serve(feed: FeedServer, **catalogs: bytes) -> None:
    feed.serve("/b/index.json", listed(*(f"{name}.json" for name in catalogs)), etag="")
    for name, data in catalogs.items():
        feed.serve(f"/b/{name}.json", data, etag=str(zlib.crc32(data)))


def test_catalogs_are_brought_as_the_listing_names_them(feed: FeedServer, folder: Path) -> None:
    serve(feed, one=catalog("a"), two=(FILES / "bumblebee.json").read_bytes())
    first = fetched(SOURCE, feed, folder, "/b")
    assert (first.changed, first.provenance.real, first.note) == (True, True, "")
    got = understood(SOURCE, folder)
    names = {record.name for record in got.records}
    assert {"a", "@antv/a8", "ai-figure", "invented-server"} <= names
    assert [note for note in got.notes if "doubled @" in note] == ["two.json: repaired, doubled @: @@antv/a8"]
    assert not fetched(SOURCE, feed, folder, "/b").changed


def test_a_catalog_that_is_gone_upstream_goes_here(feed: FeedServer, folder: Path) -> None:
    serve(feed, one=catalog("a"), two=catalog("b"))
    fetched(SOURCE, feed, folder, "/b")
    serve(feed, one=catalog("a"))
    assert fetched(SOURCE, feed, folder, "/b").changed
    assert {record.name for record in understood(SOURCE, folder).records} == {"a"}


def test_a_catalog_that_does_not_come_is_kept_as_it_was(feed: FeedServer, folder: Path) -> None:
    serve(feed, one=catalog("a"), two=catalog("b"))
    fetched(SOURCE, feed, folder, "/b")
    serve(feed, one=catalog("c"), two=catalog("b"))
    feed.status("/b/two.json", 503)
    got = fetched(SOURCE, feed, folder, "/b")
    assert "two.json was not brought up to date" in got.note
    assert {record.name for record in understood(SOURCE, folder).records} == {"c", "b"}


def test_a_copy_from_another_place_is_not_used_in_the_name_of_this_one(feed: FeedServer, folder: Path) -> None:
    serve(feed, one=catalog("a"), two=catalog("b"))
    with FeedServer(tls=False) as other:
        serve(other, one=catalog("forged"), two=catalog("forged"))
        assert not fetched(SOURCE, other, folder, "/b").provenance.real
    feed.status("/b/two.json", 503)
    assert fetched(SOURCE, feed, folder, "/b").provenance.real
    assert {record.name for record in understood(SOURCE, folder).records} == {"a"}


def test_nothing_comes_is_an_error(feed: FeedServer, folder: Path) -> None:
    serve(feed, one=catalog("a"))
    feed.status("/b/one.json", 500)
    with pytest.raises(FeedError, match="500"):
        fetched(SOURCE, feed, folder, "/b")


@pytest.mark.parametrize("said", [b"[]", b"{}", b"nonsense", b'[{"name": 3}]', b'["README.md"]', b'["../x.json"]'])
def test_a_listing_that_is_none_is_an_error(feed: FeedServer, folder: Path, said: bytes) -> None:
    feed.serve("/b/index.json", said)
    with pytest.raises(FeedError) as caught:
        fetched(SOURCE, feed, folder, "/b")
    assert caught.value.kind == "malformed"


def test_one_catalog_can_be_named_as_the_mirror(feed: FeedServer, folder: Path) -> None:
    feed.serve("/mine/catalog.json", catalog("a"))
    fetched(SOURCE, feed, folder, "/mine/catalog.json")
    assert {record.name for record in understood(SOURCE, folder).records} == {"a"}


BAD = {
    "truncated": catalog("x")[:-2],
    "version": catalog("x", schema="1.0.0"),
    "no-version": b'{"entries": []}',
    "twice": b'{"schema_version": "0.2.0", "entries": [], "entries": []}',
    "deep": b'{"schema_version": "0.2.0", "entries": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "wide": b'{"schema_version": "0.2.0", "entries": [' + b"0," * 2_100_000 + b"0]}",
    "number": b'{"schema_version": 2, "entries": []}',
    "nan": b'{"schema_version": "0.2.0", "x": NaN, "entries": []}',
    "bytes": b"\xff\xfe\x00",
    "entries": b'{"schema_version": "0.2.0", "entries": {"a": 1}}',
}


@pytest.mark.parametrize("what", BAD)
def test_a_catalog_that_cannot_be_read_is_named_and_the_others_are_used(tmp_path: Path, what: str) -> None:
    (tmp_path / "bad.json").write_bytes(BAD[what])
    with pytest.raises(FeedError, match=r"bad\.json") as caught:
        understood(SOURCE, tmp_path)
    assert caught.value.kind == "malformed"
    (tmp_path / "good.json").write_bytes(catalog("a"))
    got = understood(SOURCE, tmp_path)
    assert {record.name for record in got.records} == {"a"}
    assert any("bad.json" in note for note in got.notes)


@pytest.mark.parametrize(
    "entry",
    [
        3,
        {},
        {"ecosystem": "npm", "package": 1, "versions": ["1.0.0"]},
        {"ecosystem": None, "package": "x", "versions": ["1.0.0"]},
        {"ecosystem": "npm", "package": "x", "versions": "1.0.0"},
        {"ecosystem": "npm", "package": "x", "versions": []},
        {"ecosystem": "npm", "package": "x", "versions": ["*", "1.0.0"]},
        {"ecosystem": "npm", "package": "x", "versions": [1.0]},
        {"ecosystem": "npm", "package": "x", "versions": ["1.0.0"] * 100_000},
        {"ecosystem": "npm", "package": "x\u0000y", "versions": ["1.0.0"]},
        {"ecosystem": "npm", "package": "x\ud800", "versions": ["1.0.0"]},
        {"ecosystem": "npm", "package": "x", "versions": ["1.0.0\u0007"]},
        {"ecosystem": "npm", "package": "x", "versions": [""]},
        {"ecosystem": "cobol", "package": "x", "versions": ["1.0.0"]},
    ],
)
def test_an_entry_that_is_none_is_left_out_by_itself(tmp_path: Path, entry: object) -> None:
    good = {"id": "a\u0007\ud800 b", "ecosystem": "npm", "package": "good", "versions": ["1.0.0"]}
    (tmp_path / "c.json").write_bytes(json.dumps({"schema_version": "0.2.0", "entries": [entry, good]}).encode())
    got = understood(SOURCE, tmp_path)
    assert told(got.records) == {("npm", "good", "exact", ("1.0.0",), "high")}
    assert got.records[0].ident == "a_b"
    assert len(got.notes) >= 1


def test_what_has_no_version_is_claimed_as_such(tmp_path: Path) -> None:
    entries = [
        {"ecosystem": "mcp", "package": "Invented Server", "versions": [""]},
        {"ecosystem": "browser-extension", "package": "abcdefghijklmnopabcdefghijklmnop", "versions": ["*"]},
        {"ecosystem": "homebrew", "package": "who/tap/tool", "versions": ["1.2_1"]},
        {"ecosystem": "agent-skill", "package": "who/skills/steal", "versions": [""]},
    ]
    (tmp_path / "c.json").write_bytes(json.dumps({"schema_version": "0.2.0", "entries": entries}).encode())
    assert told(understood(SOURCE, tmp_path).records) == {
        ("mcp", "Invented Server", "exact", ("-",), "high"),
        ("browser-extension", "abcdefghijklmnopabcdefghijklmnop", "every", (), "high"),
        ("homebrew", "who/tap/tool", "exact", ("1.2_1",), "high"),
        ("agent-skill", "who/skills/steal", "exact", ("-",), "high"),
    }


def test_a_newer_minor_schema_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(catalog("a", schema="0.7.1", ranges=[">1"]))
    got = understood(SOURCE, tmp_path)
    assert {record.name for record in got.records} == {"a"}
    assert any("0.7.1" in note for note in got.notes)
