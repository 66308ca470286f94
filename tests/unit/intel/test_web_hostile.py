"""A hostile feed: every way to send too much, too little, too slowly or nonsense is an error with its own kind.

It is one in time, and the file from before stays in force.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.feeds.server import FeedServer

from .webbing import MAX, failure, feed, folder, got, web

__all__ = ["feed", "folder"]

HEAD = b"HTTP/1.1 200 OK\r\n"
HOSTILE: dict[str, tuple[Callable[[FeedServer], None], str]] = {
    "slow-loris headers": (lambda f: f.slow("/x.json", head=True), "slow"),
    "slow-loris body": (lambda f: f.slow("/x.json"), "slow"),
    "silence": (lambda f: f.silent("/x.json"), "timeout"),
    "silence in the headers": (lambda f: f.silent("/x.json", after=HEAD + b"Content-L"), "slow"),
    "silence in the body": (lambda f: f.silent("/x.json", after=HEAD + b"Content-Length: 9\r\n\r\n"), "timeout"),
    "endless body": (lambda f: f.endless("/x.json"), "too-large"),
    "endless headers": (lambda f: f.raw("/x.json", HEAD + b"X: y\r\n" * 100_000), "encoding"),
    "endless header": (lambda f: f.raw("/x.json", HEAD + b"X: " + b"y" * 1_000_000), "encoding"),
    "announced too large": (lambda f: f.serve("/x.json", b"a" * (MAX + 1)), "too-large"),
    "gzip bomb": (lambda f: f.gzip_bomb("/x.json"), "too-large"),
    "gzip that unpacks to nothing for ever": (lambda f: f.endless("/x.json", gzip=True), "too-large"),
    "truncated": (lambda f: f.truncated("/x.json", b"a" * 1000, 999), "truncated"),
    "truncated by a reset": (lambda f: f.truncated("/x.json", b"a" * 1000, 500, reset=True), "truncated"),
    "truncated chunk": (
        lambda f: f.raw("/x.json", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc"),
        "truncated",
    ),
    "no last chunk": (
        lambda f: f.raw("/x.json", HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        "truncated",
    ),
    "nonsense chunk": (
        lambda f: f.raw("/x.json", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
        "truncated",
    ),
    "no length and a cut cable": (lambda f: f.raw("/x.json", HEAD + b"\r\nabc", clean=False), "truncated"),
    "more than announced": (lambda f: f.raw("/x.json", HEAD + b"Content-Length: 3\r\n\r\nabcdef"), "truncated"),
    "two lengths": (
        lambda f: f.raw("/x.json", HEAD + b"Content-Length: 3\r\nContent-Length: 6\r\n\r\nabcdef"),
        "truncated",
    ),
    "no length": (lambda f: f.raw("/x.json", HEAD + b"Content-Length: -3\r\n\r\nabc"), "truncated"),
    "cut gzip": (
        lambda f: f.serve("/x.json", b"\x1f\x8b\x08\0\0\0\0\0\0\x03KLJ", headers={"Content-Encoding": "gzip"}),
        "truncated",
    ),
    "not gzip": (lambda f: f.serve("/x.json", b"[1]", headers={"Content-Encoding": "gzip"}), "encoding"),
    "unasked packing": (lambda f: f.serve("/x.json", b"[1]", headers={"Content-Encoding": "br"}), "encoding"),
    "not HTTP": (lambda f: f.raw("/x.json", b"SSH-2.0-x\r\n"), "encoding"),
    "nothing at all": (lambda f: f.raw("/x.json", b""), "truncated"),
    "a piece nobody asked for": (lambda f: f.status("/x.json", 206), "status"),
    "nothing to see": (lambda f: f.status("/x.json", 404), "status"),
    "no content": (lambda f: f.raw("/x.json", b"HTTP/1.1 204 No Content\r\n\r\n"), "status"),
    "304 without a file": (lambda f: f.lying_304("/x.json"), "status"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("before", [True, False], ids=["with a file before", "first time"])
def test_each_is_an_error_and_changes_nothing(folder: Path, case: str, before: bool) -> None:
    act, kind = HOSTILE[case]
    with FeedServer() as feed:
        if before:
            feed.serve("/x.json", b"[1]", etag="a" if case != "304 without a file" else "")
            got(feed, folder)
        act(feed)
        began = time.monotonic()
        problem = failure(lambda: got(feed, folder, patience_s=0.5))
        assert time.monotonic() - began < 8
        assert problem.kind == kind, problem.detail
        assert problem.retry_after_s == 0
        assert problem.detail.startswith((feed.host, "nothing came from " + feed.host))
        with web(feed, folder, patience_s=0.5) as asked:
            assert failure(lambda: asked.read(feed.url("/x.json"), max_bytes=MAX)).kind == kind
        assert sorted(os.listdir(folder)) == ([".x.json.from", "x.json"] if before else [])
        if before:
            assert (folder / "x.json").read_bytes() == b"[1]"


def test_a_304_is_believed_only_about_a_file_that_is_there_unaltered(feed: FeedServer, folder: Path) -> None:
    feed.serve("/x.json", b"[1]", etag="a")
    got(feed, folder)
    feed.lying_304("/x.json")
    assert not got(feed, folder).changed
    (folder / "x.json").write_bytes(b"[2]")
    assert failure(lambda: got(feed, folder)).kind == "status"
    (folder / "x.json").unlink()
    assert failure(lambda: got(feed, folder)).detail == f"{feed.host} answered 304"


DRIP = 0.02


@pytest.mark.parametrize("deadline", [0.6, 1.5])
@pytest.mark.parametrize("where", ["head", "body", "silence", "handshake", "connect", "resolver", "many"])
def test_the_deadline_holds(
    feed: FeedServer, folder: Path, where: str, deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, more = feed.url("/x.json"), {"deadline_s": deadline, "patience_s": 30.0}
    waiting: list[socket.socket] = []
    found = threading.Event()
    if where in ("head", "body"):
        feed.slow("/x.json", head=where == "head", pause_s=DRIP)
    elif where == "silence":
        feed.silent("/x.json")
    elif where == "many":
        feed.answer("/x.json", lambda _: time.sleep(0.1) or b"1")  # type: ignore[func-returns-value]
    elif where == "resolver":
        resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: (found.wait(20), resolve(*a, **k))[1])
    else:
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        port = listener.getsockname()[1]
        url, more["hosts"] = f"https://localhost:{port}/", [f"localhost:{port}"]
        waiting.append(listener)
        for _ in range(4 if where == "connect" else 0):  # fills the queue: further calls are not even refused
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            waiting.append(filler)
    began = time.monotonic()
    with web(feed, folder, **more) as asked:
        problem = failure(lambda: [asked.read(url, max_bytes=MAX, min_rate=1) for _ in range(100)])
    took = time.monotonic() - began
    found.set()
    for sock in waiting:
        sock.close()
    assert problem.kind == "timeout", problem.detail
    assert deadline - 0.05 <= took < deadline + 8


def test_a_slow_but_honest_feed_is_waited_for(feed: FeedServer, folder: Path) -> None:
    feed.slow("/x.json", b"abcdefgh", pause_s=0.2)
    with web(feed, folder, patience_s=0.5) as asked:
        assert asked.get(feed.url("/x.json"), "x.json", max_bytes=8, min_rate=3).size == 8


NOW = 1_900_000_000


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("-5", 0),
        ("soon", 0),
        ("1e9", 0),
        ("nan", 0),
        ("999999", 86_400),
        ("9" * 400, 86_400),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 99 Dec 9999 99:99:99 GMT", 0),
        ("", 0),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
def test_how_long_to_stay_away_is_heard_and_clamped(
    feed: FeedServer, folder: Path, code: int, said: str, seconds: int
) -> None:
    date = formatdate(NOW, usegmt=True)  # the server's clock may be off: its own Date is what the time is measured from
    retry = f"Retry-After: {said}\r\n" if said else ""
    feed.raw("/x.json", f"HTTP/1.1 {code} No\r\nDate: {date}\r\n{retry}Content-Length: 0\r\n\r\n".encode())
    problem = failure(lambda: got(feed, folder))
    assert (problem.kind, problem.detail) == ("status", f"{feed.host} answered {code}")
    assert problem.retry_after_s == seconds


def test_a_quota_that_is_used_up_says_when_it_is_renewed(feed: FeedServer, folder: Path) -> None:
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 300)}
    feed.status("/x.json", 403, headers=reset)
    assert 290 < failure(lambda: got(feed, folder)).retry_after_s <= 301
    feed.status("/x.json", 403, headers={**reset, "X-RateLimit-Remaining": "7"})
    assert failure(lambda: got(feed, folder)).retry_after_s == 0


LARGE = r"""
import re, sys
from bk.engine.intel.web.client import Web
folder, host, ca_file, port, size = sys.argv[1:]
def peak():
    return int(re.search(r"VmHWM:\s*(\d+) kB", open("/proc/self/status").read())[1])
with Web(folder, [host], ca_file=ca_file) as web:
    web.get(f"https://{host}/small", "small", max_bytes=100)
    before = peak()
    got = web.get(f"https://{host}/large", "large", max_bytes=int(size))
    assert got.size == int(size) and got.changed
    assert web.get(f"https://{host}/packed", "packed", max_bytes=int(size)).size == int(size)
print(peak() - before)
"""


def test_memory_does_not_grow_with_the_body(feed: FeedServer, folder: Path) -> None:
    size = 200 << 20
    feed.serve("/small", b"1")
    feed.large("/large", size)
    feed.gzip_bomb("/packed", size)
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(folder), feed.host, feed.ca_file, str(feed.port), str(size)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert int(done.stdout) < 8 << 10  # KiB
    with open(folder / "large", "rb") as file:
        file.seek(150 << 20)
        assert file.read(10) == bytes([2400 % 251]) * 10
