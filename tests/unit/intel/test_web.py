"""An honest feed: what is new comes, what is not is not sent again, and what is on disk is what is believed."""

from __future__ import annotations

import json
import os
from email.utils import formatdate
from pathlib import Path

import pytest

from bk import __version__
from bk.engine.provenance import PinnedOrigin, Unproven
from tests.feeds.behaviours import Exchange, plain
from tests.feeds.server import FeedServer

from .webbing import MAX, failure, feed, folder, got, web

__all__ = ["feed", "folder"]

LONG_AGO = formatdate(1_700_000_000, usegmt=True)


def test_a_file_arrives_whole_private_and_vouched_for(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"[1, 2]", etag="a")
    answer = got(feed, folder)
    path = folder / "x.json"
    assert (answer.path, answer.changed, answer.size, answer.etag) == (str(path), True, 6, '"a"')
    assert answer.provenance == PinnedOrigin(feed.host)
    assert path.read_bytes() == b"[1, 2]"
    assert path.stat().st_mode & 0o7777 == 0o600
    assert folder.stat().st_mode & 0o7777 == 0o700
    assert sorted(os.listdir(folder)) == [".x.json.from", "x.json"]
    [seen] = feed.requests
    assert seen.headers["user-agent"] == f"bk/{__version__}"
    assert seen.headers["host"] == feed.host
    assert "authorization" not in seen.headers
    assert "if-none-match" not in seen.headers


@pytest.mark.parametrize(("etag", "modified"), [("a", ""), ("", LONG_AGO), ('W/"b"', LONG_AGO)])
def test_what_has_not_changed_is_not_sent_again(feed: FeedServer, folder: Path, etag: str, modified: str) -> None:
    feed.serve("/x.json", b"[1, 2]", etag=etag, modified=modified)
    assert got(feed, folder).changed
    again = got(feed, folder)
    assert not again.changed
    assert again.size == 6
    assert again.provenance == PinnedOrigin(feed.host)
    seen = feed.requests[1].headers
    assert bool(etag) == ("if-none-match" in seen)
    assert seen.get("if-modified-since", "") == modified
    feed.serve("/x.json", b"[1, 2, 3]", etag="c")
    assert got(feed, folder).changed
    assert (folder / "x.json").read_bytes() == b"[1, 2, 3]"


def test_the_same_bytes_without_any_validator_are_no_change(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"[1]")
    assert [got(feed, folder).changed for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("harm", ["missing", "altered", "longer", "linked", "hard-linked", "note"])
def test_a_file_that_is_not_what_came_is_asked_for_without_a_condition(
    feed: FeedServer, folder: Path, tmp_path: Path, harm: str
) -> None:
    feed.serve("/x.json", b"[1, 2]", etag="a")
    got(feed, folder)
    path = folder / "x.json"
    if harm == "missing":
        path.unlink()
    elif harm == "altered":
        path.write_bytes(b"[1, 9]")
    elif harm == "longer":
        path.write_bytes(b"[1, 2] ")
    elif harm == "linked":
        path.rename(tmp_path / "copy")
        path.symlink_to(tmp_path / "copy")
    elif harm == "hard-linked":
        os.link(path, tmp_path / "copy")
    else:
        (folder / ".x.json.from").write_bytes(b'{"url": 5')
    got(feed, folder)
    assert "if-none-match" not in feed.requests[1].headers
    assert path.read_bytes() == b"[1, 2]"
    assert not path.is_symlink()
    assert path.stat().st_nlink == 1


def test_a_file_of_another_url_is_not_taken_for_this_one(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"old", etag="a")
    feed.serve("/y.json", b"new", etag="a")
    got(feed, folder)
    assert got(feed, folder, "/y.json").changed
    assert (folder / "x.json").read_bytes() == b"new"


@pytest.mark.parametrize("shape", ["gzip", "chunked", "empty", "closing"])
def test_every_proper_form_of_a_body_is_read(folder: Path, shape: str) -> None:
    body = b"" if shape == "empty" else b"abc" * 5000
    with FeedServer(protocol="HTTP/1.0" if shape == "closing" else "HTTP/1.1") as feed:
        if shape == "closing":
            feed.raw("/x.json", b"HTTP/1.1 200 OK\r\n\r\n" + body)
        else:
            feed.serve("/x.json", body, gzip=shape == "gzip", chunked=shape == "chunked")
        assert got(feed, folder).size == len(body)
        assert (folder / "x.json").read_bytes() == body
        with web(feed, folder) as asked:
            assert asked.read(feed.url("/x.json"), max_bytes=MAX).data == body


def test_a_body_of_exactly_the_cap_is_no_error(feed: FeedServer, folder: Path) -> None:
    for gzip in (False, True):
        feed.serve("/x.json", b"a" * 1000, gzip=gzip)
        assert got(feed, folder, max_bytes=1000).size == 1000
        assert failure(lambda: got(feed, folder, max_bytes=999)).kind == "too-large"


def test_a_question_is_put_as_json_and_answered(feed: FeedServer, folder: Path) -> None:
    feed.answer("/v1/query", lambda seen: json.dumps({"heard": json.loads(seen.body)}).encode())
    with web(feed, folder) as asked:
        answer = asked.post(feed.url("/v1/query"), {"a": ["ü", 1]}, max_bytes=MAX, accept="application/json")
    assert json.loads(answer.data) == {"heard": {"a": ["ü", 1]}}
    assert answer.headers["content-type"] == "application/json"
    assert answer.provenance == PinnedOrigin(feed.host)
    [seen] = feed.requests
    assert (seen.method, seen.headers["accept"]) == ("POST", "application/json")
    assert seen.headers["content-type"] == "application/json"


def test_one_line_serves_many_questions_and_a_closed_one_is_replaced(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"1", etag="a")
    feed.answer("/q", lambda seen: seen.query.encode())
    with web(feed, folder) as asked:
        for number in range(5):
            assert asked.read(feed.url(f"/q?{number}"), max_bytes=9).data == b"%d" % number
            asked.get(feed.url("/x.json"), "x.json", max_bytes=9)
        assert feed.connections == 1
        feed.hang_up()
        assert asked.read(feed.url("/q?again"), max_bytes=9).data == b"again"
        assert feed.connections == 2


def test_a_line_that_closes_under_the_question_is_replaced_once(feed: FeedServer, folder: Path) -> None:
    served = plain(200, b"1", {})

    def every_other(exchange: Exchange) -> None:
        if len(feed.requests) % 2:
            served(exchange)
        else:
            exchange.end()

    feed.on("/q", every_other)
    with web(feed, folder) as asked:
        assert asked.read(feed.url("/q"), max_bytes=9).data == b"1"
        assert asked.read(feed.url("/q"), max_bytes=9).data == b"1"
        assert (len(feed.requests), feed.connections) == (3, 2)
    with web(feed, folder) as asked:
        assert failure(lambda: asked.read(feed.url("/q"), max_bytes=9)).kind == "truncated"
        assert len(feed.requests) == 4


def test_files_may_lie_in_folders_but_only_in_the_source_s(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"1")
    with web(feed, folder) as asked:
        assert asked.get(feed.url("/x.json"), "npm/all.zip", max_bytes=9).path == str(folder / "npm/all.zip")
        assert (folder / "npm/all.zip").read_bytes() == b"1"
        for name in ("../x", "/x", "a//b", ".x", "a/../../x", "", "a\0b"):
            assert failure(lambda name=name: asked.get(feed.url("/x.json"), name, max_bytes=9)).kind == "disk"
    assert sorted(os.listdir(folder.parent)) == ["files"]


def test_a_person_s_own_address_is_the_only_place_and_without_tls_it_proves_nothing(folder: Path) -> None:
    with FeedServer() as mirror, FeedServer(tls=False) as plain, FeedServer() as usual:
        for server in (mirror, plain, usual):
            server.serve("/x.json", b"1", etag="a")
        base = {"hosts": [usual.host], "base": mirror.url("/feeds/")}
        assert got(mirror, folder, **base).provenance == PinnedOrigin(mirror.host)
        assert failure(lambda: got(usual, folder, **base)).kind == "redirect"
        assert usual.connections == 0
        base = {"hosts": [usual.host], "base": plain.url("/feeds/")}
        for _ in range(2):
            assert got(plain, folder, **base).provenance == Unproven(plain.host)
        assert plain.requests[1].headers["if-none-match"] == '"a"'
        with web(plain, folder, **base) as asked:
            assert asked.read(plain.url("/x.json"), max_bytes=9).provenance == Unproven(plain.host)
        assert failure(lambda: got(plain, folder)).kind == "redirect"
