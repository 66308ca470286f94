"""What a server answered, read with suspicion: its status, its headers, and a body that is bounded and whole."""

from __future__ import annotations

import http.client
import re
import time
import zlib
from email.utils import parsedate_to_datetime

from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.line import BLOCK
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.intel.web.address import Address
    from bk.engine.intel.web.line import Limit, Line

RETRY_MAX_S = 86_400.0
_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]{0,250}"')
_DATE = re.compile(r"[A-Za-z]{3}, [0-9]{2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} GMT")
_NUMBER = re.compile(r"[0-9]{1,15}")
_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")


class Reply:
    """One answer on a Line. Whoever has it reads the body to its end with `parts`, or calls `drop`."""

    def __init__(self, address: Address, line: Line, limit: Limit, response: http.client.HTTPResponse) -> None:
        self.address = address
        self.status = response.status
        self.headers = _headers(response)
        self.whole = False
        self._line = line
        self._limit = limit
        self._response = response
        self.length = self._length()

    def _length(self) -> int | None:
        """How many bytes are announced; None where the body's end is marked otherwise."""
        if self.status in (204, 304):  # a length here speaks of the body that is not sent
            return 0
        if self._response.chunked:
            return None
        said = self.headers.get("content-length")
        if said is None:
            return None
        if not _NUMBER.fullmatch(said):
            raise FeedError("truncated", f"{self.address.label} announced a length of {inert(said, 40)!r}")
        return int(said)

    @property
    def etag(self) -> str:
        """The ETag, if it is one."""
        said = self.headers.get("etag", "")
        return said if _ETAG.fullmatch(said) else ""

    @property
    def modified(self) -> str:
        """The time of the last change, as the server writes it and wants it back."""
        said = self.headers.get("last-modified", "")
        return said if _DATE.fullmatch(said) else ""

    @property
    def encoding(self) -> str:
        """How the body is packed: "" or "gzip"; anything else was not asked for."""
        said = self.headers.get("content-encoding", "").strip().lower()
        if said in ("", "identity"):
            return ""
        if said in ("gzip", "x-gzip"):
            return "gzip"
        raise FeedError("encoding", f"{self.address.label} sends {inert(said, 40)}, which was not asked for")

    def range(self) -> tuple[int, int]:
        """Where a partial answer begins and how long the whole is; (-1, 0) when it does not go to the end."""
        match = _RANGE.fullmatch(self.headers.get("content-range", ""))
        if not match or int(match[2]) + 1 != int(match[3]):
            return -1, 0
        return int(match[1]), int(match[3])

    def parts(self, max_bytes: int, min_rate: float) -> Iterator[bytes]:
        """The body as it is meant, at most `max_bytes` of it and of what was sent; raises FeedError."""
        if self.length is not None and self.length > max_bytes:
            raise self._too_large(max_bytes)
        wire = self._wire(max_bytes, min_rate)
        if not self.encoding:
            yield from wire
            return
        size = 0
        for part in _gunzipped(wire, self.address.label):
            size += len(part)
            if size > max_bytes:
                raise self._too_large(max_bytes)
            yield part

    def _wire(self, max_bytes: int, min_rate: float) -> Iterator[bytes]:
        self._limit.step(self.address.label, min_rate)
        size = 0
        while self.length is None or size < self.length:
            part = self._part()
            if not part:
                break
            size += len(part)
            if size > max_bytes:
                raise self._too_large(max_bytes)
            since = self._limit.now()
            yield part
            self._limit.spared(since)
        if self.length is not None and size != self.length:
            raise FeedError("truncated", f"{self.address.label} announced {self.length} bytes and sent {size}")
        self._response.close()
        if self.length is not None and self._line.surplus():
            raise FeedError("truncated", f"{self.address.label} sent more than the {size} bytes that it announced")
        self.whole = True

    def _part(self) -> bytes:
        try:
            return self._response.read1(BLOCK)
        except (ConnectionError, http.client.IncompleteRead) as error:
            raise FeedError("truncated", f"{self.address.label} stopped in the middle of its answer") from error
        except http.client.HTTPException as error:
            raise FeedError("encoding", f"{self.address.label} sends no proper HTTP") from error
        except OSError as error:
            raise FeedError("offline", f"{self.address.label} was lost: {error.strerror or error}") from error

    def _too_large(self, max_bytes: int) -> FeedError:
        return FeedError("too-large", f"{self.address.label} sends more than the {max_bytes} bytes that are allowed")

    def release(self) -> Line | None:
        """The line, if it can carry another question; otherwise it is hung up."""
        keep = (self.whole or self.length == 0) and not self._response.will_close
        self._response.close()
        if keep and not self._line.stirs():
            return self._line
        self._line.hang_up()
        return None

    def drop(self) -> None:
        """Hear no more of this."""
        self._response.close()
        self._line.hang_up()

    def refusal(self) -> FeedError:
        """The error for a status that is no answer, with the time after which to come back."""
        detail = f"{self.address.label} answered {self.status}"
        return FeedError("status", detail, retry_after_s=retry_after(self.headers))


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds until a server wants to be asked again, at least 0 and at most a day; its own clock counts."""
    said = headers.get("retry-after", "").strip()
    try:
        now = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        now = time.time()
    try:
        if said:
            wait = float(said) if _NUMBER.fullmatch(said) else parsedate_to_datetime(said).timestamp() - now
        elif headers.get("x-ratelimit-remaining") == "0" and _NUMBER.fullmatch(headers.get("x-ratelimit-reset", "")):
            wait = float(headers["x-ratelimit-reset"]) - now
        else:
            return 0.0
    except (ValueError, OverflowError):
        return 0.0 if not said.isdecimal() else RETRY_MAX_S
    return min(max(wait, 0.0), RETRY_MAX_S)


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    """The headers under small names, those that come twice joined (so that two lengths are no length)."""
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        if key not in found:
            found[key] = value.strip()
        elif key != "content-length" or found[key] != value.strip():
            found[key] += f", {value.strip()}"
    return found


def _gunzipped(wire: Iterator[bytes], label: str) -> Iterator[bytes]:
    """Unpack gzip in pieces of bounded size, so that a small body cannot become a large memory."""
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    started = False
    try:
        for part in wire:
            rest = part
            while rest:
                if unpack.eof:  # another member follows
                    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
                out = unpack.decompress(rest, BLOCK)
                started = True
                rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
                if out:
                    yield out
            while not unpack.eof and (out := unpack.decompress(b"", BLOCK)):
                yield out
    except zlib.error as error:
        raise FeedError("encoding", f"{label} says gzip and sends something else") from error
    if started and not unpack.eof:
        raise FeedError("truncated", f"{label} stopped in the middle of its answer")
