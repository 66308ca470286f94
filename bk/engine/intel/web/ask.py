"""Putting a question where a source is pinned to, and following it no further than that."""

from __future__ import annotations

import http.client
from urllib.parse import urljoin

from bk import __version__
from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.address import Address
from bk.engine.intel.web.dial import dial, trust
from bk.engine.intel.web.reply import Reply
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from bk.engine.intel.web.line import Limit, Line

MAX_HOPS = 3
REDIRECTS = (301, 302, 303, 307, 308)


class Pin:
    """Where a source may be asked, and where its token may go. A base of plain http lets nothing be proven."""

    def __init__(self, hosts: Iterable[str], base: str, token: str, token_hosts: Iterable[str]) -> None:
        own = Address(base) if base else None
        self.hosts = frozenset([own.origin] if own else map(_origin, hosts))
        self.plain = own.origin if own and not own.secure else ""
        self._token = token
        self._token_hosts = frozenset(map(_origin, token_hosts))

    def allow(self, address: Address) -> None:
        """Refuse every other place, and the right one without TLS."""
        if address.origin not in self.hosts:
            raise FeedError("redirect", f"{inert(address.label, 120)} is not a place that this source is asked at")
        if not address.secure and address.origin != self.plain:
            raise FeedError("redirect", f"{inert(address.label, 120)} would be asked without TLS")

    def proves(self, address: Address) -> bool:
        """Whether what came from there is from the pinned place for certain."""
        return address.secure and not self.plain and address.origin in self.hosts

    def token_for(self, address: Address) -> str:
        """The token, where it may be shown."""
        return self._token if address.secure and address.origin in self._token_hosts else ""


class Asker:
    """Questions and their lines, which are used again while they last."""

    def __init__(self, pin: Pin, limit: Limit, *, proxy: str, ca_file: str) -> None:
        self._pin = pin
        self._limit = limit
        self._proxy = proxy
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._idle: dict[str, Line] = {}

    def close(self) -> None:
        """Hang up."""
        while self._idle:
            self._idle.popitem()[1].hang_up()

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Put a question, following redirects as far as they stay where the source may be asked."""
        address = Address(url)
        for _ in range(MAX_HOPS + 1):
            self._pin.allow(address)
            reply = self._exchange(method, address, headers, body)
            if reply.status not in REDIRECTS:
                return reply
            reply.drop()
            to = reply.headers.get("location", "")
            if method != "GET" or not to:
                raise FeedError("redirect", f"{address.label} sends a question elsewhere, which is not followed")
            address = _next(address, to)
        raise FeedError("redirect", f"{address.label} sends its callers around, more than {MAX_HOPS} times")

    def release(self, reply: Reply) -> None:
        """Take back the line of an answer that was read to its end."""
        line = reply.release()
        if line:
            line.used = True
            self._idle[reply.address.origin] = line

    def _exchange(self, method: str, address: Address, headers: Mapping[str, str], body: bytes) -> Reply:
        """One question and the head of its answer; once more on a fresh line when an idle one had been closed."""
        while True:
            line = self._line(address)
            try:
                return self._talk(line, method, address, headers, body)
            except ConnectionError as error:
                line.hang_up()
                if line.used:
                    continue
                raise FeedError("truncated", f"{address.label} hung up before it answered") from error
            except OSError as error:
                line.hang_up()
                raise FeedError("offline", f"{address.label} was lost: {error.strerror or error}") from error
            except BaseException:
                line.hang_up()
                raise

    def _line(self, address: Address) -> Line:
        idle = self._idle.pop(address.origin, None)
        if idle is not None:
            if not idle.stirs():
                return idle
            idle.hang_up()
        if address.secure and self._context is None:
            self._context = trust(self._ca_file)
        return dial(address, self._limit, self._context, self._proxy)

    def _talk(self, line: Line, method: str, address: Address, headers: Mapping[str, str], body: bytes) -> Reply:
        self._limit.step(address.label)
        told = {"Host": address.label, "User-Agent": f"bk/{__version__}", **headers, **line.relay}
        token = self._pin.token_for(address)
        if token:
            told["Authorization"] = f"Bearer {token}"
        if body:
            told["Content-Length"] = str(len(body))
        talk = http.client.HTTPConnection(address.host, address.port)
        talk.auto_open = 0
        talk.sock = line
        try:
            talk.putrequest(method, line.target(address), skip_host=True, skip_accept_encoding=True)
            for name, value in told.items():
                talk.putheader(name, value)
        except (http.client.HTTPException, ValueError) as error:
            # an error of http.client repeats the header, and one of them may be the token
            raise FeedError("encoding", f"a question to {address.label} cannot be put in HTTP") from (
                None if token else error
            )
        talk.endheaders(body or None)
        self._limit.step(address.label)
        try:
            return Reply(address, line, self._limit, talk.getresponse())
        except http.client.RemoteDisconnected:
            raise  # a ConnectionError: the caller knows whether it may try again
        except (http.client.HTTPException, ValueError) as error:
            raise FeedError("encoding", f"{address.label} sends no proper HTTP ({type(error).__name__})") from error


def _next(address: Address, to: str) -> Address:
    try:
        return Address(urljoin(address.url, to))
    except ValueError:
        raise FeedError("redirect", f"{address.label} sends its callers to {inert(to, 120)!r}") from None


def _origin(host: str) -> str:
    """A host as an Address writes it; where no port is given only that of https is meant."""
    return Address(f"https://{host}").origin
