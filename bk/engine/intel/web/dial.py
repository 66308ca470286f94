"""Reaching a host and having it prove itself: look-up, connection, proxy and TLS, each bounded in time."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import threading
from urllib.parse import unquote, urlsplit

from bk.engine.intel.sources.source import FeedError
from bk.engine.intel.web.address import PORTS
from bk.engine.intel.web.line import Line
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bk.engine.intel.web.address import Address
    from bk.engine.intel.web.line import Limit


def trust(ca_file: str) -> ssl.SSLContext:
    """Whom TLS believes: the given file alone, or the usual roots; never what an environment variable names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not ca_file:
        import certifi

        ca_file = certifi.where()
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:  # SSLError is one
        why = error.strerror if type(error) is not ssl.SSLError else "it holds no certificates"
        raise FeedError("tls", f"the certificates in {inert(ca_file, 120)} cannot be used: {why}") from error
    return context


def dial(address: Address, limit: Limit, context: ssl.SSLContext | None, proxy: str) -> Line:
    """Connect, through the proxy if there is one, and prove who answers; raises FeedError."""
    headers: dict[str, str] = {}
    if proxy:
        host, port, headers = _proxy(proxy)
        sock = _reach(host, port, limit, "proxy")
    else:
        sock = _reach(address.host, address.port, limit, "offline")
    try:
        if not address.secure:
            return Line(sock, limit, headers if proxy else None)
        if proxy:
            _tunnel(sock, address, limit, headers)
        assert context is not None
        return Line(_proven(sock, address, limit, context), limit)
    except BaseException:
        sock.close()
        raise


def _proven(sock: socket.socket, address: Address, limit: Limit, context: ssl.SSLContext) -> ssl.SSLSocket:
    limit.step(address.label)
    sock.settimeout(limit.left())
    try:
        return context.wrap_socket(sock, server_hostname=address.host, suppress_ragged_eofs=False)
    except TimeoutError:
        raise FeedError("timeout", f"{address.label} did not finish the TLS handshake") from None
    except ssl.SSLCertVerificationError as error:
        raise FeedError("tls", f"{address.label} could not prove itself: {inert(error.verify_message, 120)}") from error
    except ssl.SSLError as error:
        why = inert(error.reason or "it ended early", 80)
        raise FeedError("tls", f"no secure connection to {address.label}: {why}") from error
    except OSError as error:
        raise FeedError("tls", f"{address.label} ended the TLS handshake: {error.strerror or error}") from error


def _reach(host: str, port: int, limit: Limit, kind: str) -> socket.socket:
    """A connected socket to the first address that takes the call."""
    whom = f"the proxy {host}:{port}" if kind == "proxy" else f"{host}:{port}"
    limit.step(whom)
    addresses = _resolve(host, port, limit, kind)
    problem: OSError = OSError("it has no address")
    for tried, (family, where) in enumerate(addresses):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(limit.left() / (len(addresses) - tried))
            sock.connect(where)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    if isinstance(problem, TimeoutError) and kind != "proxy":
        raise FeedError("timeout", f"{whom} does not take the call")
    raise FeedError(kind, f"{whom} cannot be reached: {problem.strerror or problem}")


def _resolve(host: str, port: int, limit: Limit, kind: str) -> list[tuple[int, Any]]:
    """The addresses of a host, looked up aside, because the resolver knows no deadline."""
    found: list[tuple[int, Any]] = []
    problem: list[Exception] = []

    def look() -> None:
        try:
            found.extend((row[0], row[4]) for row in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            problem.append(error)

    aside = threading.Thread(target=look, name="resolve", daemon=True)
    aside.start()
    while aside.is_alive():
        aside.join(limit.left())
    if problem:
        why = getattr(problem[0], "strerror", None) or "it is no name that can be looked up"
        raise FeedError(kind, f"{inert(host, 120)} cannot be looked up: {why}")
    return found


def _proxy(url: str) -> tuple[str, int, dict[str, str]]:
    """Host, port and credentials of the proxy setting."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORTS["http"]
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme != "http":
        raise FeedError("proxy", "the proxy must be given as http://HOST:PORT")
    if parts.username is None:
        return host, port, {}
    word = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return host, port, {"Proxy-Authorization": f"Basic {base64.b64encode(word).decode()}"}


def _tunnel(sock: socket.socket, address: Address, limit: Limit, headers: dict[str, str]) -> None:
    """Ask the proxy for a way through to the address itself, so that TLS is with that."""
    limit.step("the proxy")
    lines = [f"CONNECT {address.origin} HTTP/1.1", f"Host: {address.origin}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    line = Line(sock, limit)
    try:
        line.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        # http.client asks of a socket no more than what a Line has
        reply = http.client.HTTPResponse(line, method="CONNECT")  # type: ignore[arg-type]
        reply.begin()
    except (OSError, http.client.HTTPException) as error:
        raise FeedError("proxy", f"the proxy gave no usable answer ({type(error).__name__})") from error
    if reply.status != http.client.OK:
        raise FeedError("proxy", f"the proxy answered {reply.status} instead of connecting to {address.label}")
