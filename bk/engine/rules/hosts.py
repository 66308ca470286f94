"""Hosts and URLs: label by label, never as text, so that `example.com.evil` is not `example.com`."""

from __future__ import annotations

from bk.engine.rules import globs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Connect

EXTERNAL = "external()"
_INSIDE = ("localhost", "local", "localdomain", "internal", "lan", "home.arpa", "test", "intranet")


def host_matches(wanted: str, action: Connect, doubt: bool) -> bool:
    """Whether a connection goes to this host or below it; `external()` is anything not known to be near."""
    host = action.host
    if wanted == EXTERNAL:
        return external(host)
    if host == wanted or host.endswith("." + wanted):
        return True
    if globs.wild(wanted) and globs.matches(wanted, host):
        return True
    return doubt and "*" in host and bool(host.strip("*.")) and globs.overlap(wanted, host)


def external(host: str) -> bool:
    """Whether a host is neither this machine nor a private network. One that is not known counts as outside."""
    if not host or "*" in host:
        return True
    if ":" in host:
        return not (host in ("::1", "::") or host[:2] in ("fc", "fd") or host[:4] == "fe80")
    labels = host.split(".")
    if all(label.isdigit() for label in labels):
        return _address_outside(labels)
    if len(labels) == 1:
        return host[:2] == "0x"
    return not any(host == name or host.endswith("." + name) for name in _INSIDE)


def _address_outside(labels: Sequence[str]) -> bool:
    """IPv4: loopback, private and link-local are inside; a single number is a disguise, and outside."""
    if len(labels) != 4:
        return labels[0] != "127"
    first, second = int(labels[0]), int(labels[1])
    if first in (0, 10, 127):
        return False
    return (first, second) not in ((192, 168), (169, 254)) and not (first == 172 and 16 <= second <= 31)


def url_matches(patterns: Sequence[str], needs: Sequence[str], action: Connect) -> bool:
    """Whether `host/path` or `host:port/path` of a request matches, with or without its query.

    `needs` holds for each pattern a text that it cannot do without, because most requests have none of them.
    """
    path, bare = _path(action.url)
    target = action.host + path
    for pattern, need in zip(patterns, needs, strict=True):
        if need not in target:
            continue
        host, _, wanted = pattern.partition("/")
        if "*" in host and ":" not in host:
            if globs.matches(pattern, target) or globs.matches(pattern, action.host + bare):
                return True
            continue
        named = f"{action.host}:{action.port}" if ":" in host else action.host
        if named != host and not named.endswith("." + host) and not globs.matches(host, named):
            continue
        if globs.matches("/" + wanted, path) or globs.matches("/" + wanted, bare):
            return True
    return False


def url_need(pattern: str) -> str:
    """The longest text that a URL must have to match; of a port nothing, since it stands apart."""
    best = ""
    host, slash, path = pattern.partition("/")
    for part in (host.partition(":")[0], slash + path):
        for piece in "".join("*" if char in "?[]" else char for char in part).split("*"):
            if len(piece) > len(best):
                best = piece
    return best if "[" not in pattern else ""


def _path(url: str) -> tuple[str, str]:
    """The path of a URL with its query, and without."""
    rest = url.partition("://")[2] if "://" in url else url
    cut = min((at for at in (rest.find("/"), rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
    path = rest[cut:].partition("#")[0]
    if not path.startswith("/"):
        path = "/" + path
    return path, path.partition("?")[0]
