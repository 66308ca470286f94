"""Where something came from, as it may be kept: a URL can hold a credential, and then it is no longer kept whole."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_url(url: str) -> str:
    """A URL without a user, a query and a fragment; "" for what is none."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}" if parts.scheme else ""
    except ValueError:
        return ""
