"""Servers in settings that are neither JSON nor TOML: YAML of Continue and Goose, XML of JetBrains' assistant."""

from __future__ import annotations

import shlex
from xml.parsers import expat

from bk.engine.inventory.ecosystems import loose_yaml
from bk.engine.settings import Server, entries, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

DEPTH_MAX = 32
ENTRIES = frozenset(("McpServerCommand", "McpServerConfigurationProperties"))
_KEPT = {"programPath": "command", "arguments": "args", "command": "command", "url": "url", "name": "name",
         "enabled": "enabled", "args": "args"}  # fmt: skip


def listed(text: str, path: str, root: str, client: str) -> list[Server]:
    """Continue's `mcpServers` and Goose's `extensions`: a list of entries, or a table of them."""
    if text.lstrip().startswith("{"):
        document = parsed(text, path)
        return list(entries(document, path, root)) if isinstance(document, dict) else []
    top = "extensions" if client == "goose" else "mcpServers"
    told = loose_yaml.section(text, top)
    pairs: list[tuple[str, Json]] = []
    if isinstance(told, list):
        pairs = [(str(each.get("name") or number), each) for number, each in enumerate(told) if isinstance(each, dict)]
    elif isinstance(told, dict):
        pairs = list(told.items())
    return [Server(name, _switched(entry), path, root, (top, name)) for name, entry in pairs if isinstance(entry, dict)]


def _switched(entry: dict[str, Json]) -> dict[str, Json]:
    """Every scalar of this YAML is text; whether an entry is switched off is asked as JSON says it."""
    return {**entry, "enabled": False} if entry.get("enabled") in ("false", "False", "no") else entry


class _Reader:
    """The options of every server's element, as they come by."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Json]] = []
        self._stack: list[str] = []
        self._now: dict[str, Json] | None = None
        self._list = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._stack.append(tag)
        if len(self._stack) > DEPTH_MAX:
            raise ValueError("it is nested too deeply")
        if tag in ENTRIES or (tag == "command" and self._now is None):
            self._now = {}
        if self._now is None or tag != "option":
            return
        name, value = attributes.get("name"), attributes.get("value")
        if name is None and value is not None and self._list:
            self._now.setdefault(self._list, []).append(value)
        elif name in _KEPT and value is not None:
            self._now[_KEPT[name]] = shlex.split(value) if name == "arguments" else value
        elif name in _KEPT:
            self._list = _KEPT[name]

    def end(self, tag: str) -> None:
        """An element ends."""
        self._stack.pop()
        if tag == "list":
            self._list = ""
        if self._now is not None and (tag in ENTRIES or (tag == "command" and "command" not in self._stack)):
            if self._now.get("enabled") == "false":
                self._now["enabled"] = False
            if "args" in self._now and not isinstance(self._now["args"], list):
                self._now["args"] = []
            self.entries.append(self._now)
            self._now = None


def jetbrains(text: str, path: str, root: str) -> list[Server]:
    """The servers of `options/llm.mcpServers.xml`; a document that declares entities is not read."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise ValueError("it is no XML") from error
    return [Server(str(entry.get("name") or number), entry, path, root) for number, entry in enumerate(reader.entries)]


def _refuse(*_: object) -> None:
    raise ValueError("it declares entities")
