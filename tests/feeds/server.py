"""A threaded HTTP server on loopback over real TLS, whose every path has a behaviour and whose every request is kept.

with FeedServer() as feed:
    feed.serve("/x.json", b"{}", etag="1")
    Web(folder, [feed.host], ca_file=feed.ca_file).get(feed.url("/x.json"), "x.json", max_bytes=100)
    assert feed.requests[0].path == "/x.json"
"""

from __future__ import annotations

import datetime
import http.server
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import trustme

from tests.feeds import behaviours
from tests.feeds.behaviours import Behaviour, Seen

NAME = "localhost"


class FeedServer:
    """`certificate` is "honest", "self-signed", "expired" or "wrong-name"; `tls=False` speaks plain http."""

    def __init__(self, *, tls: bool = True, certificate: str = "honest", protocol: str = "HTTP/1.1") -> None:
        self._dir = Path(tempfile.mkdtemp(prefix="bkfeed"))
        self.ca_file = str(self._dir / "ca.pem")
        self._context = _identity(certificate, self.ca_file) if tls else None
        self._scheme = "https" if tls else "http"
        self._protocol = protocol
        self.routes: dict[str, Behaviour] = {}
        self.requests: list[Seen] = []
        self.stopping = threading.Event()
        self.connections = 0

    def __enter__(self) -> FeedServer:
        self._server = _Server(self, self._context, self._protocol)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join(5)
        shutil.rmtree(self._dir, ignore_errors=True)

    def hang_up(self) -> None:
        """Cut every connection that is open."""
        self._server.hang_up()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """Name and port, as `Web(hosts=…)` takes it."""
        return f"{NAME}:{self.port}"

    def url(self, path: str = "/", name: str = NAME) -> str:
        return f"{self._scheme}://{name}:{self.port}{path}"

    def on(self, path: str, behaviour: Behaviour) -> None:
        """Any behaviour at a path (without its query); the latest counts."""
        self.routes[path] = behaviour

    def serve(
        self,
        path: str,
        body: bytes,
        *,
        etag: str = "",
        modified: str = "",
        content_type: str = "application/octet-stream",
        gzip: bool = False,
        chunked: bool = False,
        ranges: bool = True,
        token: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        """An honest file: conditional requests, ranges and, where a token is set, 401 without it."""
        more = {"Content-Type": content_type, **(headers or {})}
        self.on(
            path,
            behaviours.honest(
                body, etag=etag, modified=modified, gzipped=gzip, chunked=chunked, ranges=ranges, token=token, more=more
            ),
        )

    def answer(self, path: str, answer: Callable[[Seen], bytes]) -> None:
        """An API: what it answers depends on the question."""
        self.on(path, behaviours.api(answer))

    def slow(self, path: str, body: bytes = b"x" * 1000, *, head: bool = False, pause_s: float = 0.1) -> None:
        """One byte at a time: of the body, or of the headers already."""
        self.on(path, behaviours.slow(body, head=head, pause_s=pause_s))

    def silent(self, path: str, *, after: bytes = b"") -> None:
        """Takes the question and says nothing, or says the beginning of something and then nothing."""
        self.on(path, behaviours.silent(after))

    def endless(self, path: str, *, gzip: bool = False) -> None:
        """A body that never ends (with gzip: of members that unpack to nothing)."""
        self.on(path, behaviours.endless(gzipped=gzip))

    def gzip_bomb(self, path: str, size: int = 1 << 28) -> None:
        """A small body that unpacks to `size` bytes."""
        self.on(path, behaviours.gzip_bomb(size))

    def truncated(self, path: str, body: bytes, at: int, *, etag: str = "", reset: bool = False) -> None:
        """Announces the body and hangs up after `at` bytes of it."""
        self.on(path, behaviours.truncated(body, at, etag=etag, reset=reset))

    def large(self, path: str, size: int, *, etag: str = "large", stop_at: int = 0) -> None:
        """A body of any size that takes no memory here, with ranges; falls silent at `stop_at`."""
        self.on(path, behaviours.large(size, etag=etag, stop_at=stop_at))

    def redirect(self, path: str, to: str, code: int = 302) -> None:
        self.on(path, behaviours.redirect(to, code))

    def status(self, path: str, code: int, retry_after: str = "", headers: dict[str, str] | None = None) -> None:
        more = {"Retry-After": retry_after} if retry_after else {}
        self.on(path, behaviours.plain(code, b"no\n", {**more, **(headers or {})}))

    def lying_304(self, path: str) -> None:
        """Says that nothing changed, whatever was asked."""
        self.on(path, behaviours.plain(304, b"", {}))

    def raw(self, path: str, data: bytes, *, clean: bool = True) -> None:
        """Exactly these bytes instead of an HTTP answer, then the end, with or without the TLS word for it."""
        self.on(path, behaviours.raw(data, clean=clean))

    def asked(self, path: str) -> list[Seen]:
        """The requests for one path."""
        return [seen for seen in self.requests if seen.path == path]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, feed: FeedServer, context: ssl.SSLContext | None, protocol: str) -> None:
        self.feed = feed
        self.context = context
        self._open: set[socket.socket] = set()
        handler = type("Handler", (_Handler,), {"protocol_version": protocol})
        super().__init__(("127.0.0.1", 0), handler)

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        request.settimeout(20)
        self.feed.connections += 1
        try:
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            self._open.add(request)
            super().finish_request(request, client_address)  # type: ignore[arg-type]
        except OSError:
            pass  # the client went away, which is what most tests are about
        finally:
            self._open.discard(request)
            request.close()

    def hang_up(self) -> None:
        for sock in list(self._open):
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length) if length else b""
        seen = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        feed = self.server.feed
        feed.requests.append(seen)
        behaviour = feed.routes.get(seen.path, behaviours.plain(404, b"no such path\n", {}))
        behaviour(behaviours.Exchange(self, seen, feed.stopping))

    do_GET = do_POST = do_HEAD = _any

    def handle_expect_100(self) -> bool:
        return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


def _identity(certificate: str, ca_file: str) -> ssl.SSLContext:
    """The server's certificate, and at `ca_file` the authority that a client is told to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    signer = trustme.CA() if certificate == "self-signed" else authority
    names = {"wrong-name": ["elsewhere.example"]}.get(certificate, [NAME, "127.0.0.1"])
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    if certificate == "expired":
        issued = signer.issue_cert(*names, not_before=yesterday - datetime.timedelta(days=30), not_after=yesterday)
    else:
        issued = signer.issue_cert(*names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context
