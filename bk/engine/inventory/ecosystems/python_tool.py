"""A command that got an environment of its own, by pipx or by uv: when its package is bad, all of it is taken."""

from __future__ import annotations

import json
import os
import re
import tomllib

from bk.engine.intel.names import canonical_name
from bk.engine.inventory.place import read
from bk.engine.lower.installs.listing import table, texts, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bk.engine.inventory.place import Place
    from bk.engine.model import Json

MAX = 1 << 20
LINKS_MAX = 200
_PIPX = re.compile(r".*/pipx/venvs/[^/]+")
_UV = re.compile(r".*/uv/tools/[^/]+")


class Tool:
    """The package that an environment was made for, and the links through which its commands are found."""

    __slots__ = ("links", "name")

    def __init__(self, name: str, links: Iterable[str]) -> None:
        self.name = canonical_name("pypi", name)
        self.links = tuple(links)


def tool_of(place: Place, prefix: str, manager: str) -> Tool | None:
    """What the receipt of such an environment says; None where there is none."""
    if manager == "uv tool" and _UV.fullmatch(prefix):
        text = _text(f"{prefix}/uv-receipt.toml")
        return uv_tool(text, prefix) if text else None
    if manager == "pipx" and _PIPX.fullmatch(prefix):
        text = _text(f"{prefix}/pipx_metadata.json")
        folder = place.env.get("PIPX_BIN_DIR") or f"{place.home}/.local/bin"
        return pipx_tool(text, prefix, folder) if text else None
    return None


def uv_tool(text: str, prefix: str) -> Tool | None:
    """The first requirement of a receipt is what was asked for; its entry points say where their links are."""
    try:
        tool = table(tomllib.loads(text), "tool")
    except (ValueError, RecursionError):
        return None
    first = next(iter(_tables(tool.get("requirements"))), {})
    paths = [word(each.get("install-path")) for each in _tables(tool.get("entrypoints"))]
    name = word(first.get("name"))
    return Tool(name, _linked(paths, prefix)) if name else None


def pipx_tool(text: str, prefix: str, folder: str) -> Tool | None:
    """The main package; injected ones are packages of its environment like any other."""
    try:
        main = table(json.loads(text), "main_package")
    except (ValueError, RecursionError):
        return None
    apps = [*texts(main.get("apps")), *texts(main.get("apps_of_dependencies"))]
    suffix = word(main.get("suffix"))
    paths = [f"{folder}/{app}{suffix}" for app in apps if "/" not in app]
    name = word(main.get("package"))
    return Tool(name, _linked(paths, prefix)) if name else None


def _tables(value: Json) -> list[dict[str, Json]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _linked(paths: Iterable[str], prefix: str) -> list[str]:
    """Those of the paths that are links into the environment: a receipt's word alone is not enough."""
    made = []
    for path in list(dict.fromkeys(paths))[:LINKS_MAX]:
        if not path.startswith("/") or os.path.normpath(path) != path or "\0" in path:
            continue
        try:
            target = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        except OSError:
            continue
        if target.startswith(prefix + "/") and os.path.realpath(os.path.dirname(path)) == os.path.dirname(path):
            made.append(path)
    return made


def _text(path: str) -> str:
    try:
        return (read(path, MAX) or b"").decode(errors="replace")
    except OSError:
        return ""
