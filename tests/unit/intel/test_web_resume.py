"""A download that was cut goes on where it stopped, if it is still the same file; otherwise it starts over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.feeds.server import FeedServer

from .webbing import failure, feed, folder, got

__all__ = ["feed", "folder"]

BODY = bytes(range(250)) * 4000
OTHER = BODY[::-1]
AT = 600_000
CUT = [".x.json.part", ".x.json.part.from"]
DONE = [".x.json.from", "x.json"]


def cut(feed: FeedServer, folder: Path, **more: str) -> None:
    feed.truncated("/x.json", BODY, AT, **({"etag": "a"} | more))
    assert failure(lambda: got(feed, folder)).kind == "truncated"


def test_the_rest_is_asked_for_and_only_the_rest(feed: FeedServer, folder: Path) -> None:
    cut(feed, folder)
    assert sorted(os.listdir(folder)) == CUT
    assert (folder / ".x.json.part").stat().st_mode & 0o7777 == 0o600
    feed.serve("/x.json", BODY, etag="a")
    answer = got(feed, folder)
    assert (answer.changed, answer.size, answer.etag) == (True, len(BODY), '"a"')
    assert (folder / "x.json").read_bytes() == BODY
    assert sorted(os.listdir(folder)) == DONE
    asked = feed.requests[1].headers
    assert (asked["range"], asked["if-range"], asked["accept-encoding"]) == (f"bytes={AT}-", '"a"', "identity")
    assert not got(feed, folder).changed
    assert feed.requests[2].headers["if-none-match"] == '"a"'


def test_it_may_be_cut_again(feed: FeedServer, folder: Path) -> None:
    feed.large("/x.json", 3 << 20, stop_at=1 << 20)
    assert failure(lambda: got(feed, folder, max_bytes=4 << 20, patience_s=0.5)).kind == "timeout"
    feed.large("/x.json", 3 << 20, stop_at=2 << 20)
    assert failure(lambda: got(feed, folder, max_bytes=4 << 20, patience_s=0.5)).kind == "timeout"
    feed.large("/x.json", 3 << 20)
    assert got(feed, folder, max_bytes=4 << 20).size == 3 << 20
    assert [seen.headers.get("range") for seen in feed.requests] == [None, f"bytes={1 << 20}-", f"bytes={2 << 20}-"]
    data = (folder / "x.json").read_bytes()
    assert data == b"".join(bytes([block]) * 65536 for block in range(48))


def test_an_earlier_file_stays_until_the_new_one_is_whole(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", OTHER, etag="old")
    got(feed, folder)
    cut(feed, folder)
    assert (folder / "x.json").read_bytes() == OTHER
    feed.serve("/x.json", BODY, etag="a")
    assert got(feed, folder).changed
    assert (folder / "x.json").read_bytes() == BODY


@pytest.mark.parametrize("ranges", [True, False], ids=["changed", "no ranges"])
def test_a_server_that_sends_it_all_is_taken_at_its_word(feed: FeedServer, folder: Path, ranges: bool) -> None:
    cut(feed, folder)
    feed.serve("/x.json", OTHER, etag="b" if ranges else "a", ranges=ranges)
    assert got(feed, folder).size == len(OTHER)
    assert (folder / "x.json").read_bytes() == OTHER
    assert sorted(os.listdir(folder)) == DONE


def piece(start: int, end: int, total: int, etag: str, more: str = "", length: int = -1) -> bytes:
    data = OTHER[start:end]
    size = len(data) if length < 0 else length
    return (
        f"HTTP/1.1 206 Partial\r\nContent-Range: bytes {start}-{end - 1}/{total}\r\nETag: {etag}\r\n"
        f"Content-Length: {size}\r\n{more}\r\n"
    ).encode() + data


ALL = len(BODY)
LIES: dict[str, Callable[[], bytes]] = {
    "another file": lambda: piece(AT, ALL, ALL, '"b"'),
    "another start": lambda: piece(AT - 1, ALL, ALL, '"a"'),
    "not to the end": lambda: piece(AT, ALL - 5, ALL, '"a"'),
    "another size": lambda: piece(AT, ALL, ALL, '"a"').replace(b"/%d" % ALL, b"/%d" % (ALL + 1)),
    "a longer whole": lambda: piece(AT, ALL + 1, ALL + 1, '"a"', length=ALL + 1 - AT) + b"x",
    "packed": lambda: piece(AT, ALL, ALL, '"a"', "Content-Encoding: gzip\r\n"),
    "no range at all": lambda: piece(AT, ALL, ALL, '"a"').replace(b"Content-Range", b"X"),
    "several ranges": lambda: piece(AT, ALL, ALL, '"a"').replace(b": bytes", b": bytes 0-1,"),
    "no etag": lambda: piece(AT, ALL, ALL, '"a"').replace(b"ETag", b"X"),
    "another length": lambda: piece(AT, ALL, ALL, '"a"', length=5),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_piece_of_something_else_is_never_joined_on(feed: FeedServer, folder: Path, lie: str) -> None:
    feed.serve("/x.json", b"before", etag="old")
    got(feed, folder)
    cut(feed, folder)
    feed.raw("/x.json", LIES[lie]())
    assert failure(lambda: got(feed, folder)).kind == "truncated"
    assert (folder / "x.json").read_bytes() == b"before"
    assert sorted(os.listdir(folder)) == DONE
    feed.serve("/x.json", BODY, etag="a")
    assert got(feed, folder).size == ALL
    assert "range" not in feed.requests[-1].headers
    assert (folder / "x.json").read_bytes() == BODY


def test_a_rest_that_stops_short_in_chunks_is_not_the_rest(feed: FeedServer, folder: Path) -> None:
    cut(feed, folder)
    head = f'Content-Range: bytes {AT}-{ALL - 1}/{ALL}\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n'
    feed.raw("/x.json", f"HTTP/1.1 206 Partial\r\n{head}".encode() + b"3\r\n" + BODY[AT : AT + 3] + b"\r\n0\r\n\r\n")
    assert failure(lambda: got(feed, folder)).kind == "truncated"
    feed.serve("/x.json", BODY, etag="a")
    assert got(feed, folder).size == ALL
    assert feed.requests[-1].headers["range"] == f"bytes={AT + 3}-"
    assert (folder / "x.json").read_bytes() == BODY


def test_a_file_that_got_shorter_is_asked_for_anew(feed: FeedServer, folder: Path) -> None:
    cut(feed, folder)
    feed.status("/x.json", 416)
    assert failure(lambda: got(feed, folder)).kind == "status"
    assert ["range" in seen.headers for seen in feed.requests] == [False, True, False]
    assert os.listdir(folder) == []


@pytest.mark.parametrize("code", [503, 404, 304])
def test_a_refusal_in_between_loses_nothing(feed: FeedServer, folder: Path, code: int) -> None:
    cut(feed, folder)
    feed.status("/x.json", code)
    assert failure(lambda: got(feed, folder)).kind == "status"
    feed.serve("/x.json", BODY, etag="a")
    assert got(feed, folder).size == ALL
    assert feed.requests[-1].headers["range"] == f"bytes={AT}-"


@pytest.mark.parametrize("etag", ["", 'W/"a"', "a\x01b"])
def test_without_a_strong_validator_nothing_is_kept(feed: FeedServer, folder: Path, etag: str) -> None:
    feed.raw(
        "/x.json",
        f"HTTP/1.1 200 OK\r\nContent-Length: {ALL}\r\nETag: {etag}\r\n\r\n".encode("latin-1") + BODY[:AT],
    )
    assert failure(lambda: got(feed, folder)).kind == "truncated"
    assert os.listdir(folder) == []


def test_a_packed_body_is_not_kept_because_its_offsets_are_others(feed: FeedServer, folder: Path) -> None:
    head = f'HTTP/1.1 200 OK\r\nContent-Length: {ALL}\r\nETag: "a"\r\nContent-Encoding: gzip\r\n\r\n'
    with FeedServer() as packed:
        packed.serve("/x", BODY, gzip=True)
        feed.raw("/x.json", head.encode() + b"\x1f\x8b\x08\0\0\0\0\0\0\x03KLJ")
        assert failure(lambda: got(feed, folder)).kind == "truncated"
    assert os.listdir(folder) == []


@pytest.mark.parametrize("harm", ["altered", "shorter", "gone", "linked", "hard-linked", "note", "note of another"])
def test_a_part_that_is_not_what_came_is_not_built_upon(
    feed: FeedServer, folder: Path, tmp_path: Path, harm: str
) -> None:
    cut(feed, folder)
    part, note = (folder / name for name in CUT)
    if harm == "altered":
        part.write_bytes(b"\xff" + part.read_bytes()[1:])
    elif harm == "shorter":
        part.write_bytes(part.read_bytes()[:-1])
    elif harm == "gone":
        part.unlink()
    elif harm == "linked":
        part.rename(tmp_path / "copy")
        part.symlink_to(tmp_path / "copy")
    elif harm == "hard-linked":
        os.link(part, tmp_path / "copy")
    elif harm == "note":
        note.write_bytes(note.read_bytes()[:-9])
    else:
        note.write_bytes(note.read_bytes().replace(b"/x.json", b"/y.json"))
    feed.serve("/x.json", BODY, etag="a")
    assert got(feed, folder).size == ALL
    assert "range" not in feed.requests[-1].headers
    assert (folder / "x.json").read_bytes() == BODY
    assert sorted(os.listdir(folder)) == DONE
    if harm.endswith("linked"):
        assert (tmp_path / "copy").read_bytes() == BODY[:AT]


def test_what_came_beyond_the_last_note_is_cut_off(feed: FeedServer, folder: Path) -> None:
    cut(feed, folder)
    with open(folder / CUT[0], "ab") as file:
        file.write(b"torn" * ALL)
    feed.serve("/x.json", BODY, etag="a")
    assert got(feed, folder).size == ALL
    assert (folder / "x.json").read_bytes() == BODY


def test_a_cap_that_was_lowered_counts_for_the_whole(feed: FeedServer, folder: Path) -> None:
    cut(feed, folder)
    feed.serve("/x.json", BODY, etag="a")
    assert failure(lambda: got(feed, folder, max_bytes=ALL - 1)).kind == "too-large"
    assert os.listdir(folder) == []


FETCH = """
import sys
from bk.engine.intel.web.client import Web
folder, host, ca_file = sys.argv[1:]
with Web(folder, [host], ca_file=ca_file) as web:
    web.get(f"https://{host}/x.json", "x.json", max_bytes=1 << 30)
"""


def test_a_process_that_is_killed_leaves_a_part_to_rely_on(feed: FeedServer, folder: Path) -> None:
    size = 40 << 20
    feed.large("/x.json", size, stop_at=36 << 20)
    fetching = subprocess.Popen([sys.executable, "-c", FETCH, str(folder), feed.host, feed.ca_file])
    until = time.monotonic() + 20
    part = folder / CUT[0]
    while time.monotonic() < until and not (part.exists() and part.stat().st_size > 35 << 20):
        time.sleep(0.02)
    fetching.send_signal(signal.SIGKILL)
    fetching.wait(5)
    assert not (folder / "x.json").exists()
    feed.large("/x.json", size)
    assert got(feed, folder, max_bytes=size).size == size
    assert feed.requests[-1].headers["range"] == f"bytes={32 << 20}-"
    with open(folder / "x.json", "rb") as file:
        for block in range(size >> 16):
            assert file.read(1 << 16) == bytes([block % 251]) * (1 << 16)
