"""URLs taken apart once, so that what is checked and what is asked cannot differ."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bk.engine.intel.sources.source import FeedError
from bk.text import inert

PORTS = {"https": 443, "http": 80}
_URL = re.compile(r"[\x21\x23-\x5b\x5d\x5f\x61-\x7a\x7e]+")  # printable ASCII less what no URL may hold
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")


class Address:
    """Where a URL leads: only https and http, no user name, nothing that two readers could read in two ways."""

    __slots__ = ("host", "port", "secure", "target", "url")

    def __init__(self, url: str) -> None:
        if not _URL.fullmatch(url):
            raise FeedError("redirect", f"this is no URL that can be asked: {inert(url, 120)}")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise FeedError("redirect", f"this is no URL that can be asked: {inert(url, 120)}") from None
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme not in PORTS or not _HOST.fullmatch(host):
            raise FeedError("redirect", f"only https:// URLs are asked, not {inert(url, 120)}")
        if "@" in parts.netloc:
            raise FeedError("redirect", f"a URL may hold no user name or password ({inert(host, 80)})")
        self.url = url.partition("#")[0]
        self.secure = parts.scheme == "https"
        self.host = host
        self.port = port if port is not None else PORTS[parts.scheme]
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def origin(self) -> str:
        """Host and port: what a source is pinned to."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def label(self) -> str:
        """The origin as a person writes it, and as a Host header says it."""
        usual = PORTS["https" if self.secure else "http"]
        return self.origin.removesuffix(f":{usual}") if self.port == usual else self.origin
