"""Who an MCP server is: the entry that a client's settings files have for its name, wherever such files may lie."""

from __future__ import annotations

import json
import os
import re

from blake3 import blake3

from bk.engine.config.files import stamp
from bk.engine.errors import BkError
from bk.engine.look import take
from bk.engine.lower.installs.listing import loose_json
from bk.engine.pins import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bk.engine.model import Json, ToolCall
    from bk.engine.state import State

MAX_FILE = 8 << 20
MAX_UP = 24
MAX_CACHED = 64
# Client, files of a project (nearest first), files of the user. Of several entries of a name the first one counts.
FILES = {
    "claude-code": (".mcp.json", ".claude.json .config/claude/.claude.json", "/etc/claude-code/managed-mcp.json"),
    "cursor": (".cursor/mcp.json", ".cursor/mcp.json", ""),
    "codex": (".codex/config.toml", ".codex/config.toml", "/etc/codex/config.toml"),
    "gemini": (".gemini/settings.json", ".gemini/settings.json", "/etc/gemini-cli/settings.json"),
    "qwen": (".qwen/settings.json", ".qwen/settings.json", "/etc/qwen-code/settings.json"),
    "copilot": (
        ".vscode/mcp.json .github/mcp.json .mcp.json",
        ".copilot/mcp-config.json .config/Code/User/mcp.json .config/Code/User/settings.json"
        " .config/Code\t-\tInsiders/User/mcp.json Library/Application\tSupport/Code/User/mcp.json",
        "",
    ),
    "windsurf": ("", ".codeium/windsurf/mcp_config.json .codeium/mcp_config.json", ""),
    "cline": (
        "",
        ".cline/data/settings/cline_mcp_settings.json"
        " .config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        "",
    ),
    "roo": (".roo/mcp.json", "", ""),
    "kilo": (".kilocode/mcp.json .kilo/mcp.json", ".config/kilo/kilo.json", ""),
    "kiro": (".kiro/settings/mcp.json", ".kiro/settings/mcp.json", ""),
    "opencode": ("opencode.json opencode.jsonc .opencode/opencode.json",
                 ".config/opencode/opencode.json .config/opencode/opencode.jsonc", ""),
    "amp": (".amp/settings.json", ".config/amp/settings.json", ""),
    "droid": (".factory/mcp.json", ".factory/mcp.json", ""),
    "augment": (".augment/settings.json", ".augment/settings.json", ""),
    "zed": (".zed/settings.json", ".config/zed/settings.json", ""),
    "claude-desktop": (
        "",
        ".config/Claude/claude_desktop_config.json Library/Application\tSupport/Claude/claude_desktop_config.json",
        "",
    ),
}  # fmt: skip
TABLES = ("mcpServers", "mcp_servers", "servers", "context_servers", "amp.mcpServers", "mcp")
_PLAIN = re.compile(r"[^A-Za-z0-9_-]")
_cache: dict[str, tuple[list[int], Json]] = {}


class Server:
    """One entry: its `name` as the file has it, the file, and the project that the file speaks for ("" is the user)."""

    __slots__ = ("entry", "name", "place", "where")

    def __init__(self, name: str, entry: dict[str, Json], where: str, place: str) -> None:
        self.name = name
        self.entry = entry
        self.where = where
        self.place = place

    def identity(self) -> dict[str, Json]:
        """What it is: how it is started or reached. Of variables and headers the names count, never the values."""
        entry = self.entry
        command = entry.get("command")
        words = command if isinstance(command, list) else [command] if command else []
        told: dict[str, Json] = {}
        words = [str(each) for each in [*words, *(entry.get("args") or [])]]
        if words:
            told["command"] = words
        url = next((entry[key] for key in ("url", "serverUrl", "httpUrl", "uri") if entry.get(key)), "")
        if url:
            told["url"] = str(url).partition("?")[0]
        for key, names in (("env", ("env", "environment", "env_vars")), ("headers", ("headers", "http_headers"))):
            given = next((entry[name] for name in names if entry.get(name)), None)
            if given:
                told[key] = sorted(str(each) for each in given) if isinstance(given, (dict, list)) else []
        if entry.get("cwd"):
            told["cwd"] = str(entry["cwd"])
        return told


def digest_of(identity: dict[str, Json]) -> str:
    """What tells one identity from another."""
    return blake3(json.dumps(identity, sort_keys=True).encode(errors="replace")).hexdigest(16)


def known(state: State, call: ToolCall, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Who each server is now, and who it was when it was first used or accepted."""
    there = list(servers(call.harness, call.cwd, call.home))
    others = "yes" if there else ""
    return {name: {**_known(state, name, there), "others": others} for name in dict.fromkeys(names)}


def _known(state: State, name: str, there: Sequence[Server]) -> dict[str, str]:
    said: dict[str, str] = {"now": "", "pinned": "", "told": "", "was": "", "where": "", "place": store.NOWHERE}
    found = next((each for each in there if plain(each.name) == plain(name)), None)
    if found is not None:
        identity = found.identity()
        said |= {"now": digest_of(identity), "told": json.dumps(identity, sort_keys=True)}
        said |= {"where": found.where, "place": found.place}
    try:
        pinned = {pin.place: pin for pin in store.pins(state, plain(name))}
    except BkError as error:
        return {**said, "problem": error.detail}
    pin = pinned.get(said["place"])
    if pin is not None:
        return {**said, "pinned": pin.identity or store.NOWHERE, "was": pin.told}
    users = pinned.get("")
    if found is not None and found.place and users is not None and users.identity != said["now"]:
        said |= {"shadows": users.told}
    return said


def servers(harness: str, cwd: str, home: str) -> Iterator[Server]:
    """Every server that the client's settings name, in the order in which they count. A client that is not known here
    may read any of the files."""
    rows = [FILES[harness]] if harness in FILES else list(FILES.values())
    for here, own, machine in rows:
        for path in machine.split():
            yield from _named(path.replace("\t", " "), "", cwd)
        if ".claude.json" in own:  # entries that belong to one project, in the user's own file
            yield from _projects(f"{home}/.claude.json", cwd)
        for folder in _up(cwd, home):
            for name in here.split():
                yield from _named(f"{folder}/{name}", folder, cwd)
        for name in own.split():
            yield from _named(f"{home}/{name}".replace("\t", " "), "", cwd)


def _up(cwd: str, home: str) -> Iterator[str]:
    folder = os.path.normpath(cwd)
    for _ in range(MAX_UP):
        if folder in ("/", home.rstrip("/"), "."):
            return
        yield folder
        folder = os.path.dirname(folder)


def _projects(path: str, cwd: str) -> Iterator[Server]:
    projects = _document(path).get("projects")
    if not isinstance(projects, dict):
        return
    for folder in _up(cwd, "/"):
        entry = projects.get(folder)
        if isinstance(entry, dict):
            yield from entries(entry, path, folder)


def _named(path: str, place: str, cwd: str) -> Iterator[Server]:  # noqa: ARG001 - one shape for all readers
    yield from entries(_document(path), path, place)


def entries(document: dict[str, Json], path: str, place: str) -> Iterator[Server]:
    """The servers that a settings document names, under whichever of the clients' tables."""
    for key in TABLES:
        table = document.get(key)
        if key == "mcp" and isinstance(table, dict) and isinstance(table.get("servers"), dict):
            table = table["servers"]
        if isinstance(table, dict):
            for name, entry in table.items():
                if isinstance(entry, dict):
                    yield Server(name, entry, path, place)


def _document(path: str) -> dict[str, Json]:
    """A settings file's content; {} for one that is not there or cannot be read, which makes its servers unknown."""
    seen = stamp(path)
    if not seen:
        return {}
    held = _cache.get(path)
    if held is not None and held[0] == seen:
        return dict(held[1])
    text, _ = take(path, [], MAX_FILE)
    document: Json = {}
    if text:
        try:
            document = parsed(text, path)
        except (ValueError, RecursionError):
            document = {}
    made: dict[str, Json] = document if isinstance(document, dict) else {}
    kept = {key: made[key] for key in (*TABLES, "projects") if key in made}
    if len(_cache) >= MAX_CACHED:
        _cache.clear()
    _cache[path] = (seen, kept)
    return kept


def parsed(text: str, path: str) -> Json:
    """A settings text as its client reads it; raises ValueError or RecursionError for what is none."""
    if path.endswith(".toml"):
        import tomllib

        return tomllib.loads(text)
    return loose_json(text)


def plain(name: str) -> str:
    """A server's name as clients spell it in the names of tools."""
    return _PLAIN.sub("_", name)


def pin_first(state: State, seen: Mapping[str, Json], redact: Callable[[Json], Json], now_ms: int) -> str:
    """Keep who a server is at its first use; the reason when that is impossible."""
    name, place = plain(str(seen["server"])), str(seen["place"])
    pin = store.Pin(name, place, str(seen["now"]), str(redact(str(seen["told"]))), by="first use", at_ms=now_ms)
    try:
        store.add(state, pin, replace=False)
    except BkError as error:
        return error.detail
    return ""
