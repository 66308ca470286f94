"""Asking the places that a source is pinned to, and nobody else: https, proven, bounded in size, time and redirects.

A `Web` is opened for one source and one run. What it brings is whole or it is a FeedError, and only what came over
TLS that was verified, from a pinned host, is given a provenance that counts.
"""

from __future__ import annotations

import json
import time

from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.address import Address
from bk.engine.intel.web.ask import Asker, Pin
from bk.engine.intel.web.files import Known, Place
from bk.engine.intel.web.line import Limit
from bk.engine.provenance import PinnedOrigin, Provenance, Unproven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from bk.engine.intel.web.files import Download
    from bk.engine.intel.web.reply import Reply
    from bk.engine.model import Json

DEADLINE_S = 900.0
PATIENCE_S = 20.0
MIN_RATE = 1_000.0
RESUMABLE = ("truncated", "timeout", "slow", "offline", "tls")
OK, PARTIAL, NOT_MODIFIED, BAD_RANGE = 200, 206, 304, 416


class Got:
    """A file that is up to date: where it is, whether it differs from before, and who vouches for it."""

    __slots__ = ("changed", "etag", "path", "provenance", "size")

    def __init__(self, path: str, size: int, provenance: Provenance, etag: str, *, changed: bool) -> None:
        self.path = path
        self.changed = changed
        self.size = size
        self.provenance = provenance
        self.etag = etag


class Answer:
    """An answer held in memory; the names of its headers are in small letters."""

    __slots__ = ("data", "headers", "provenance")

    def __init__(self, data: bytes, headers: Mapping[str, str], provenance: Provenance) -> None:
        self.data = data
        self.headers = headers
        self.provenance = provenance


class Web:
    """What one source may ask in one run. `hosts` are names, or name:port where it is not 443.

    `base` is a person's own URL for the source: then its host is the only one, and plain http is possible, which
    proves nothing. The token goes to `token_hosts` alone. `deadline_s` is for everything asked together, `patience_s`
    for one step: a connection, a handshake, the headers, and each stretch of a body at the least rate (bytes a second).
    """

    def __init__(
        self,
        folder: str,
        hosts: Sequence[str],
        *,
        token: str = "",
        token_hosts: Sequence[str] = (),
        proxy: str = "",
        ca_file: str = "",
        base: str = "",
        deadline_s: float = DEADLINE_S,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._pin = Pin(hosts, base, token, token_hosts)
        self._asker = Asker(self._pin, Limit(deadline_s, patience_s, clock), proxy=proxy, ca_file=ca_file)

    def __enter__(self) -> Web:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asker.close()

    def read(self, url: str, *, max_bytes: int, accept: str = "", min_rate: float = MIN_RATE) -> Answer:
        """Ask for something small enough to hold."""
        return self._answer(self._asker.ask("GET", url, _wanting(accept)), max_bytes, min_rate)

    def post(self, url: str, body: Json, *, max_bytes: int, accept: str = "", min_rate: float = MIN_RATE) -> Answer:
        """Put a question that is JSON. It is sent to one place: a redirect is an error."""
        headers = {**_wanting(accept), "Content-Type": "application/json"}
        data = json.dumps(body, separators=(",", ":")).encode()
        return self._answer(self._asker.ask("POST", url, headers, data), max_bytes, min_rate)

    def get(self, url: str, to: str, *, max_bytes: int, accept: str = "", min_rate: float = MIN_RATE) -> Got:
        """Bring the file `to` in the source's folder up to date; the one that is there stays until all has come."""
        url = Address(url).url
        place = Place(self._folder, to)
        errand = _Errand(self._asker, place, place.known(url), url, (max_bytes, min_rate))
        known, address = errand.run(_wanting(accept))
        return Got(place.path, known.size, self._vouched(address), known.etag, changed=errand.changed)

    def _answer(self, reply: Reply, max_bytes: int, min_rate: float) -> Answer:
        data = _body(reply, max_bytes, min_rate)
        self._asker.release(reply)
        return Answer(data, reply.headers, self._vouched(reply.address))

    def _vouched(self, address: Address) -> Provenance:
        """The one place where an answer becomes more than somebody's word."""
        return PinnedOrigin(address.label) if self._pin.proves(address) else Unproven(address.label)


class _Errand:
    """Bringing one file up to date."""

    def __init__(self, asker: Asker, place: Place, known: Known | None, url: str, bounds: tuple[int, float]) -> None:
        self._asker = asker
        self._place = place
        self._known = known
        self._url = url
        self._max_bytes, self._min_rate = bounds
        self.changed = True

    def run(self, headers: dict[str, str]) -> tuple[Known, Address]:
        """What the file is now, and who said so."""
        reply = self._continued(headers)
        if isinstance(reply, tuple):
            return reply
        known = self._known
        if reply is None:
            told = known and {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
            marks = {name: value for name, value in (told or {}).items() if value}
            reply = self._asker.ask("GET", self._url, {**headers, **marks})
            if known and marks and reply.status == NOT_MODIFIED:
                self._asker.release(reply)
                self.changed = False
                return known, reply.address
        if reply.status != OK:
            reply.drop()
            raise reply.refusal()
        begun = Known(self._url, etag=reply.etag, modified=reply.modified, size=0, digest="", total=reply.length or 0)
        # a packed body cannot be continued: offsets in what it unpacks to are not the server's
        packed = bool(reply.headers.get("content-encoding"))
        try:
            download = self._place.begin(begun, resumable=not packed)
        except BaseException:
            reply.drop()
            raise
        return self._take(reply, download, self._max_bytes)

    def _continued(self, headers: dict[str, str]) -> tuple[Known, Address] | Reply | None:
        """The file, if a cut download of it could be finished; or the answer that has it whole; or nothing."""
        started = self._place.started(self._url)
        if not started:
            return None
        part, download = started
        ranged = {**headers, "Accept-Encoding": "identity", "Range": f"bytes={part.size}-", "If-Range": part.etag}
        try:
            reply = self._asker.ask("GET", self._url, ranged)
        except BaseException:
            download.keep()
            raise
        if reply.status == PARTIAL:
            return self._rest(reply, download, part)
        if reply.status not in (OK, BAD_RANGE):
            download.keep()
            reply.drop()
            raise reply.refusal()
        download.drop()
        if reply.status == OK:
            return reply
        reply.drop()
        return None

    def _rest(self, reply: Reply, download: Download, part: Known) -> tuple[Known, Address]:
        """The file, if this is the rest of it and not of another."""
        start, total = reply.range()
        label = reply.address.label
        fits = start == part.size and part.total in (0, total) and reply.etag == part.etag
        fits = fits and reply.length in (None, total - start) and "content-encoding" not in reply.headers
        if not fits or total > self._max_bytes:
            reply.drop()
            download.drop()
            if fits:
                raise FeedError("too-large", f"{label} sends more than the {self._max_bytes} bytes that are allowed")
            raise FeedError("truncated", f"{label} sent another piece than the one that was missing")
        return self._take(reply, download, total - start, whole=total)

    def _take(self, reply: Reply, download: Download, max_bytes: int, whole: int = -1) -> tuple[Known, Address]:
        """Read the body into the download and put it in force."""
        try:
            for data in reply.parts(max_bytes, self._min_rate):
                download.write(data)
            if whole not in (-1, download.size):
                raise FeedError("truncated", f"{reply.address.label} announced {whole} bytes, and less came")
            known = download.commit()
        except BaseException as error:
            reply.drop()
            if isinstance(error, FeedError) and error.kind not in RESUMABLE:
                download.drop()
            else:
                download.keep()
            raise
        self._asker.release(reply)
        self.changed = self._known is None or self._known.digest != known.digest
        return known, reply.address


def _body(reply: Reply, max_bytes: int, min_rate: float) -> bytes:
    """The whole body of an answer that is one."""
    try:
        if reply.status != OK:
            raise reply.refusal()
        return b"".join(reply.parts(max_bytes, min_rate))
    except BaseException:
        reply.drop()
        raise


def _wanting(accept: str) -> dict[str, str]:
    return {"Accept": accept or "*/*", "Accept-Encoding": "gzip"}
