"""What a package.json says of itself, as far as it concerns us. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

SCRIPTS = ("preinstall", "install", "postinstall", "prepare")


def facts(told: Json) -> tuple[str, str]:
    """Name and version; "" for what is not said, or is no text."""
    if not isinstance(told, dict):
        return "", ""
    name, version = told.get("name"), told.get("version")
    return name if isinstance(name, str) else "", version if isinstance(version, str) else ""


def lifecycle(told: Json) -> tuple[str, ...]:
    """The scripts that a manager runs when it installs the package."""
    scripts = told.get("scripts") if isinstance(told, dict) else None
    return tuple(name for name in SCRIPTS if isinstance(scripts.get(name), str)) if isinstance(scripts, dict) else ()


def origin(entry: Json, told: Json) -> str:
    """Where it came from, as scheme and host alone: a path may hold a token, an authority a password."""
    resolved = entry.get("resolved") if isinstance(entry, dict) else None
    if not isinstance(resolved, str):
        resolved = told.get("_resolved") if isinstance(told, dict) else None
    return host(resolved) if isinstance(resolved, str) else ""


def host(url: str) -> str:
    """Scheme and host of an address, without who asks and for what."""
    scheme, mark, rest = url.partition("://")
    if not mark or not scheme.isascii():
        return ""
    for end in "/?#":
        rest = rest.partition(end)[0]
    return f"{scheme}://{rest.rpartition('@')[2]}"[:300]
