"""The OpenSSF's repository: as GitHub packs it, and as a directory."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bk.engine.intel.sources.ossf import Ossf
from bk.engine.intel.sources.source import FeedError
from tests.feeds.server import FeedServer

from .asking import FILES, fetched, mal, tarred, understood
from .webbing import feed, folder

__all__ = ["feed", "folder"]

SOURCE = Ossf()
TOP = "malicious-packages-main"


def repository() -> dict[str, bytes]:
    return {
        f"{TOP}/README.md": b"MAL-",
        f"{TOP}/osv/malicious/npm/invented-1/MAL-2026-1.json": json.dumps(mal(1)).encode(),
        f"{TOP}/osv/malicious/npm/@a/{'b' * 120}/MAL-2026-2.json": json.dumps(mal(2)).encode(),
        f"{TOP}/osv/withdrawn/npm/invented-3/MAL-2026-3.json": json.dumps(mal(3)).encode(),
        f"{TOP}/config/MAL-2026-9.json": json.dumps(mal(9)).encode(),
        f"{TOP}/osv/malicious/npm/invented-1/evidence.json": json.dumps({"id": "x-1", "modified": "2026"}).encode(),
    }


def test_the_archive_is_read_and_not_read_again(feed: FeedServer, folder: Path) -> None:
    feed.serve("/main.tar.gz", tarred(repository()), etag="1")
    got = fetched(SOURCE, feed, folder, "/main.tar.gz")
    assert (got.changed, got.provenance.real) == (True, True)
    batch = understood(SOURCE, folder)
    assert {record.name for record in batch.records} == {"invented-1", "invented-2"}
    assert [grave.name for grave in batch.withdrawn] == ["invented-3"], "by where it lies"
    made = os.stat(folder / "malicious-packages.facts").st_ino
    assert not fetched(SOURCE, feed, folder, "/main.tar.gz").changed
    assert os.stat(folder / "malicious-packages.facts").st_ino == made


def test_an_extract_that_was_spoiled_is_made_again(feed: FeedServer, folder: Path) -> None:
    feed.serve("/main.tar.gz", tarred(repository()), etag="1")
    fetched(SOURCE, feed, folder, "/main.tar.gz")
    (folder / "malicious-packages.facts").write_bytes(b"bk-kept/1\tx\n")
    with pytest.raises(FeedError, match=r"malicious-packages\.facts"):
        understood(SOURCE, folder)
    fetched(SOURCE, feed, folder, "/main.tar.gz")
    assert len(understood(SOURCE, folder).records) == 2


@pytest.mark.parametrize(
    "body", [b"", b"no", tarred({"README.md": b""}), tarred(repository())[:-40]], ids=["", "no", "other", "cut"]
)
def test_an_archive_that_is_none_is_an_error(feed: FeedServer, folder: Path, body: bytes) -> None:
    feed.serve("/main.tar.gz", body)
    with pytest.raises(FeedError, match=r"malicious-packages\.tar\.gz") as caught:
        fetched(SOURCE, feed, folder, "/main.tar.gz")
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize("top", ["", f"{TOP}/"])
def test_a_directory_is_read(tmp_path: Path, top: str) -> None:
    for name, data in repository().items():
        path = tmp_path / (top + name.removeprefix(f"{TOP}/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "MAL-link.json").symlink_to("/etc/passwd")
    (tmp_path / "config" / "MAL-2026-9.json").unlink(missing_ok=True)
    (tmp_path / TOP / "config" / "MAL-2026-9.json").unlink(missing_ok=True)
    batch = understood(SOURCE, tmp_path)
    assert {record.name for record in batch.records} == {"invented-1", "invented-2"}
    assert [grave.name for grave in batch.withdrawn] == ["invented-3"]


def test_records_alone_and_an_archive_alone_are_read(tmp_path: Path) -> None:
    (tmp_path / "MAL-2025-46969.json").write_bytes((FILES / "MAL-2025-46969.json").read_bytes())
    assert {record.name for record in understood(SOURCE, tmp_path).records} == {"chalk"}
    (tmp_path / "x.tar.gz").write_bytes(tarred(repository()))
    assert {record.name for record in understood(SOURCE, tmp_path).records} == {"chalk", "invented-1", "invented-2"}


def test_a_record_of_a_directory_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "MAL-2026-1.json").write_bytes(b"{")
    with pytest.raises(FeedError, match=r"MAL-2026-1\.json"):
        understood(SOURCE, tmp_path)
    (tmp_path / "MAL-2026-1.json").unlink()
    with pytest.raises(FeedError, match="no record"):
        understood(SOURCE, tmp_path)
