"""What a path of the feed server does with a request: one function a behaviour."""

from __future__ import annotations

import gzip
import http.server
import re
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BLOCK = 1 << 16
MEMBER = gzip.compress(b"")


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; names of headers in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


class Exchange:
    """One request and the way to answer it."""

    def __init__(self, handler: http.server.BaseHTTPRequestHandler, seen: Seen, stopping: threading.Event) -> None:
        self._handler = handler
        self.seen = seen
        self.stopping = stopping

    def head(self, code: int, headers: dict[str, str]) -> None:
        self._handler.send_response(code)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)

    def end(self, *, clean: bool = True, reset: bool = False) -> None:
        """Hang up after this; not clean is without TLS's own end, as when a cable is cut."""
        self._handler.close_connection = True
        sock = self._handler.connection
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif clean and isinstance(sock, ssl.SSLSocket):
            sock.settimeout(0.2)
            try:
                sock.unwrap()
            except OSError:
                return

    def close_after(self) -> None:
        self._handler.close_connection = True


Behaviour = Callable[[Exchange], None]


def plain(code: int, body: bytes, headers: dict[str, str]) -> Behaviour:
    """A status with a body of the announced length."""

    def behave(exchange: Exchange) -> None:
        length = {} if code == 304 else {"Content-Length": str(len(body))}
        exchange.head(code, {**length, **headers})
        exchange.write(body)

    return behave


def redirect(to: str, code: int) -> Behaviour:
    return plain(code, b"", {"Location": to})


def raw(data: bytes, *, clean: bool) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.write(data)
        exchange.end(clean=clean)

    return behave


def api(answer: Callable[[Seen], bytes]) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        plain(200, answer(exchange.seen), {"Content-Type": "application/json"})(exchange)

    return behave


def honest(
    body: bytes,
    *,
    etag: str,
    modified: str,
    gzipped: bool,
    chunked: bool,
    ranges: bool,
    token: str,
    more: dict[str, str],
) -> Behaviour:
    """A file as a good server gives it."""
    tag = etag if etag.startswith(("W/", '"')) or not etag else f'"{etag}"'
    marks = {name: value for name, value in (("ETag", tag), ("Last-Modified", modified)) if value}

    def behave(exchange: Exchange) -> None:
        asked = exchange.seen.headers
        if token and asked.get("authorization") != f"Bearer {token}":
            plain(401, b"no\n", {})(exchange)
            return
        if tag and asked.get("if-none-match") == tag:
            plain(304, b"", marks)(exchange)
            return
        if modified and "if-none-match" not in asked and asked.get("if-modified-since") == modified:
            plain(304, b"", marks)(exchange)
            return
        start = _start(asked, tag) if ranges else 0
        if start >= len(body) > 0:
            plain(416, b"", {"Content-Range": f"bytes */{len(body)}"})(exchange)
        elif start:
            where = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
            plain(206, body[start:], {**more, **marks, **where})(exchange)
        elif gzipped and "gzip" in asked.get("accept-encoding", ""):
            plain(200, gzip.compress(body), {**more, **marks, "Content-Encoding": "gzip"})(exchange)
        elif chunked:
            exchange.head(200, {**more, **marks, "Transfer-Encoding": "chunked"})
            for at in range(0, len(body), 1000):
                exchange.write(_chunk(body[at : at + 1000]))
            exchange.write(_chunk(b""))
        else:
            plain(200, body, {**more, **marks})(exchange)

    return behave


def _start(asked: dict[str, str], tag: str) -> int:
    match = re.fullmatch(r"bytes=(\d+)-", asked.get("range", ""))
    return int(match[1]) if match and asked.get("if-range", tag) == tag else 0


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def slow(body: bytes, *, head: bool, pause_s: float) -> Behaviour:
    """A byte at a time until the client gives up or the test ends."""

    def behave(exchange: Exchange) -> None:
        exchange.close_after()
        if head:
            drip = b"HTTP/1.1 200 OK\r\nX-Filler: " + b"a" * 100_000
        else:
            exchange.head(200, {"Content-Length": str(len(body))})
            drip = body
        for byte in drip:
            if exchange.stopping.wait(pause_s):
                return
            exchange.write(bytes([byte]))

    return behave


def silent(after: bytes) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.close_after()
        if after:
            exchange.write(after)
        exchange.stopping.wait(30)

    return behave


def endless(*, gzipped: bool) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.close_after()
        more = {"Content-Encoding": "gzip"} if gzipped else {}
        exchange.head(200, {"Transfer-Encoding": "chunked", **more})
        block = _chunk(MEMBER * 2000 if gzipped else b"a" * BLOCK)
        while not exchange.stopping.is_set():
            exchange.write(block)

    return behave


def gzip_bomb(size: int) -> Behaviour:
    packed = b"".join(_zeros(size))
    return plain(200, packed, {"Content-Encoding": "gzip"})


def _zeros(size: int) -> Iterator[bytes]:
    pack = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        yield pack.compress(block)
    yield pack.flush()


def truncated(body: bytes, at: int, *, etag: str, reset: bool) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        marks = {"ETag": f'"{etag}"'} if etag else {}
        exchange.head(200, {"Content-Length": str(len(body)), **marks})
        exchange.write(body[:at])
        exchange.end(clean=not reset, reset=reset)

    return behave


def large(size: int, *, etag: str, stop_at: int) -> Behaviour:
    """A body that is made as it is sent: byte k of it is k // 65536 modulo 251. Goes silent at `stop_at`."""

    def behave(exchange: Exchange) -> None:
        start = _start(exchange.seen.headers, f'"{etag}"')
        where = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        exchange.head(206 if start else 200, {"Content-Length": str(size - start), "ETag": f'"{etag}"', **where})
        at = start
        while at < size:
            if at >= stop_at > 0:
                exchange.stopping.wait(30)
                return
            end = min(size, (at // BLOCK + 1) * BLOCK)
            exchange.write(bytes([at // BLOCK % 251]) * (end - at))
            at = end

    return behave
