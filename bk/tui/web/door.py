"""Who may come in by the web: this machine's browser, with the token of this launch, from this very page."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping

from bk.engine.errors import USAGE, BkError
from bk.text import inert

LOOPBACK = "127.0.0.1"
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Door:
    """The rules of entry for one launch. `token` is made anew each time and is nowhere on disk."""

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self.host = host
        self.port = port
        self.token = token or secrets.token_urlsafe(32)
        self.cookie = f"bk-{port}"  # a browser keeps one jar for all ports of a host
        shown = f"[{host}]" if ":" in host else host
        self._hosts = {f"{shown}:{port}", f"localhost:{port}"}
        self.origin = f"http://{shown}:{port}"

    @property
    def url(self) -> str:
        """Where a person begins."""
        return f"{self.origin}/?token={self.token}"

    @property
    def policy(self) -> str:
        """What the page may load: its own things only."""
        to = " ".join(f"ws://{host}" for host in sorted(self._hosts))
        return (
            "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            f"connect-src 'self' {to}"
        )

    def refused(self, headers: Mapping[str, str], remote: str, path: str) -> str:
        """Why a request is refused before its token is looked at; "" when it is not.

        A name that an attacker's DNS points here arrives in Host, another site's page in Origin: both are turned away.
        """
        if not _is_loopback(remote):
            return "only this machine may connect"
        if headers.get("Host", "").lower() not in self._hosts:
            return "this address is not one that the dashboard is served on"
        origin = headers.get("Origin")
        if origin is None and path == "/ws":
            return "a connection must say which page it comes from"
        if origin is not None and origin.lower() not in {f"http://{host}" for host in self._hosts}:
            return "another site may not connect"
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and path != "/":
            return "another site may not connect"
        return ""

    def opens(self, given: str) -> bool:
        """Whether this is the token, compared in constant time."""
        return hmac.compare_digest(given.encode(errors="replace"), self.token.encode())


def place(text: str) -> tuple[str, int]:
    """The address and port in `[ADDRESS:]PORT`; BkError for any address but this machine's own."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or LOOPBACK
    host = LOOPBACK if host == "localhost" else host
    if not (port.isascii() and port.isdigit() and int(port) < 65_536):
        raise BkError(
            "this is no port to serve on", inert(text, 60), "write 8787, 127.0.0.1:8787, or 0 for any", code=USAGE
        )
    if not _is_loopback(host):
        raise BkError(
            "the dashboard is served on this machine only",
            f"{inert(host, 60)} is not a loopback address",
            f"use {LOOPBACK}; from elsewhere, forward the port over ssh",
            code=USAGE,
        )
    return host, int(port)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
