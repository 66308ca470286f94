"""MCP servers: not installed but configured, one entry of a settings file each; it runs when its client next starts.

An entry is told twice where its launch line names a package: as the server of that name, and as the package that it
would fetch. Both name the same entry as what a move would take. Values of variables, headers, queries and arguments
are never kept.
"""

from __future__ import annotations

import os
import re

from bk.engine.inventory.ecosystems.bundled import MANIFEST_MAX, bundled
from bk.engine.inventory.ecosystems.launch import launched
from bk.engine.inventory.ecosystems.mcp_other import jetbrains, listed
from bk.engine.inventory.item import CONFIG_ENTRY, CONFIGURED, DIR, INSTALLED, NOWHERE, Item, Locator
from bk.engine.lower.installs.listing import word
from bk.engine.settings import FILES, Server, entries, files, parsed, projects
from bk.quarantine import tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

FILE_MAX = 8 << 20
SERVERS_MAX = 2_000
CACHES_MAX = 256
NO_YAML = "an entry in YAML cannot be cut out without touching more than it"
NO_XML = "an entry in XML cannot be cut out without touching more than it"
NO_FLOW = "it is written inside a line of its table"
DESKTOP = "Claude Extensions"
PLUGIN = "gemini-extension.json"
YAML = "config.yaml"
XML = "llm.mcpServers.xml"
COMMON = frozenset(("settings.json", "config.toml", YAML))  # names that mean something in certain folders alone
ALSO = (
    ("vscode", "User/mcp.json User/settings.json"),
    ("roo", "settings/mcp_settings.json"),
    ("cline", "settings/cline_mcp_settings.json"),
    ("gemini", PLUGIN),
    ("continue", f".continue/{YAML}"),
    ("goose", f"goose/{YAML}"),
    ("jetbrains", f"options/{XML}"),
    ("copilot", "intellij/mcp.json"),
)  # fmt: skip
SWITCHES = {
    "cline": "`disabled` in the entry",
    "roo": "`disabled` in the entry",
    "kilo": "`disabled` in the entry",
    "kiro": "`disabled` in the entry",
    "windsurf": "`disabled` in the entry",
    "amazon-q": "`disabled` in the entry",
    "opencode": "`enabled: false` in the entry",
    "crush": "`disabled` in the entry",
    "zed": "`enabled: false` in the entry",
    "codex": "`enabled = false` in the entry",
    "goose": "`enabled: false` in the entry",
    "gemini": "`mcp.excluded`",
    "qwen": "`mcp.excluded`",
    "claude-code": "`disabledMcpServers` or `disabledMcpjsonServers`",
}
_APPS = (
    "Code", "Code - Insiders", "Code - OSS", "VSCodium", "VSCodium - Insiders", "Cursor", "Windsurf", "Windsurf - Next",
    "Trae", "Antigravity", "Kiro", "Positron",
)  # fmt: skip
_BASES = (".config", "Library/Application Support", "AppData/Roaming")
_SERVERS = (".vscode-server", ".vscode-server-insiders", ".cursor-server", ".windsurf-server", ".vscodium-server")
_TAKEN = ("/plugins/cache/", "/.gemini/extensions/")  # what lies there may itself be taken out of use
_HIDDEN = re.compile(
    r"(.*)/\.(?:vscode|github|cursor|codex|gemini|qwen|roo|kilocode|kilo|kiro/settings|opencode|amp|factory|augment|zed"
    r"|amazonq|junie/mcp|ai/mcp|continue(?:/mcpServers)?|claude)",
    re.DOTALL,
)


def _clients() -> dict[str, str]:
    """`folder/file`, or a file's name alone where that says enough → the client that reads it."""
    told: dict[str, str] = {}
    for client, rows in FILES.items():
        for path in files(" ".join(rows)):
            folder, _, name = path.rpartition("/")
            told.setdefault(f"{folder.rpartition('/')[2]}/{name}", client)
            if name not in COMMON:
                told.setdefault(name, client if name != "mcp.json" else "mcp")
    for client, paths in ALSO:
        told |= dict.fromkeys(paths.split(), client)
    return told


CLIENTS = _clients()
_NAMES = frozenset(path.rpartition("/")[2] for path in CLIENTS)
MARKS = frozenset((
    *(name for name in _NAMES if name not in COMMON),
    *(f"{folder}/" for path in CLIENTS for folder, _, name in [path.rpartition("/")] if name in COMMON and folder),
    "mcpServers/",
    f"{DESKTOP}/",
))  # fmt: skip


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The folders in which the clients of a person keep their settings, each by itself."""
    yield home, 0
    for _, own, machine in FILES.values():
        for path in (*(f"{home}/{one}" for one in files(own)), *files(machine)):
            yield os.path.dirname(path), 0
    users = [f"{home}/{base}/{app}/User" for base in _BASES for app in _APPS]
    users += [f"{home}/{server}/data/User" for server in _SERVERS]
    for user in users:
        yield user, 0
        yield f"{user}/profiles", 1
        yield f"{user}/globalStorage", 2
    for base in _BASES:
        yield f"{home}/{base}/Claude", 0
        yield f"{home}/{base}/Claude/{DESKTOP}", 0
        yield f"{home}/{base}/JetBrains", 2
    yield f"{home}/.config/github-copilot/intellij", 0
    yield f"{home}/.continue", 1
    yield f"{home}/.config/goose", 0
    yield f"{home}/.claude", 0
    yield f"{home}/.claude/plugins", 5
    yield f"{home}/.gemini/extensions", 1
    for name in ("CODEX_HOME", "CLAUDE_CONFIG_DIR"):
        if env.get(name, "").startswith("/"):
            yield env[name], 0


def read(place: Place, found: Found) -> None:
    """Every server that the settings files of one folder name."""
    own = place.path.rpartition("/")[2]
    names = place.names()
    if own == DESKTOP:
        _desktop(place, found)
        return
    for name in sorted(names):
        client = CLIENTS.get(f"{own}/{name}") or ("" if name in COMMON else CLIENTS.get(name, ""))
        if not client and own == "mcpServers" and place.path.endswith("/.continue/mcpServers"):
            client = "continue" if name.endswith((".yaml", ".yml", ".json")) else ""
        if client and names[name] in ("f", "l"):
            _file(place, name, client, found)


def _file(place: Place, name: str, client: str, found: Found) -> None:
    opened, observed = _opened(place, name), place.at(name)
    if opened is None:
        return
    folder, name = opened
    text, path = folder.text(name, FILE_MAX), folder.at(name)
    if text is None:
        return
    root = _root(place)
    try:
        why = NO_YAML if path.endswith((".yaml", ".yml")) else NO_XML if path.endswith(".xml") else ""
        if why:
            servers = listed(text, path, root, client) if why == NO_YAML else jetbrains(text, path, root)
            off: Mapping[str, frozenset[str]] = {}
        else:
            document = parsed(text, path) if text.strip() else {}
            document = document if isinstance(document, dict) else {}
            servers = [*entries(document, path, root), *projects(document, path)]
            off = _off(document, name, place)
    except (ValueError, RecursionError):
        found.problem(path, "it cannot be read as what it is")
        return
    for server in servers[:SERVERS_MAX]:
        told_off = off.get(server.place, frozenset()) | off.get("*", frozenset())
        for item in _server(server, client, told_off, why, text, place):
            item.observed = observed  # the link, where people keep the file elsewhere: there its client looks
            found.add(item)
    if len(servers) > SERVERS_MAX:
        found.problem(path, f"it names more than {SERVERS_MAX} servers")


def _opened(place: Place, name: str) -> tuple[Place, str] | None:
    """The folder and name of a settings file; people keep theirs elsewhere and link to it."""
    if place.names().get(name) != "l":
        return place, name
    real = os.path.realpath(place.at(name))
    place.stamp(name)
    if not real.startswith(f"{os.path.realpath(place.home)}/") or not real.endswith(
        (".json", ".jsonc", ".toml", ".yaml", ".yml", ".xml")
    ):
        return None
    folder, _, name = real.rpartition("/")
    return place.elsewhere(folder), name


def _root(place: Place) -> str:
    """The project that a settings file speaks for; "" for the person's own."""
    home = os.path.realpath(place.home)
    if any(folder in place.path for folder in _TAKEN):
        return ""
    hidden = _HIDDEN.fullmatch(place.path)
    root = hidden[1] if hidden else place.path
    if root == home or root.startswith(tuple(f"{home}/{base}/" for base in _BASES)):
        return ""
    return root if hidden or not place.path.startswith(f"{home}/.") else ""


def _off(document: Mapping[str, Json], name: str, place: Place) -> dict[str, frozenset[str]]:
    """Project ("*" is every) → the names of servers that the client is told, outside their entries, not to start."""
    told: dict[str, frozenset[str]] = {}
    mcp = document.get("mcp")
    if isinstance(mcp, dict):
        told["*"] = _texts(mcp.get("excluded"))
    of_projects = document.get("projects")
    if isinstance(of_projects, dict):
        for folder, entry in of_projects.items():
            if isinstance(entry, dict):
                told[folder] = _texts(entry.get("disabledMcpServers")) | _texts(entry.get("disabledMcpjsonServers"))
    if name == ".mcp.json":
        for settings in (".claude/settings.json", ".claude/settings.local.json"):
            more = place.json(settings) if place.is_file(settings) else None
            if isinstance(more, dict):
                told["*"] = told.get("*", frozenset()) | _texts(more.get("disabledMcpjsonServers"))
    return told


def _texts(value: Json) -> frozenset[str]:
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()


def _server(  # noqa: PLR0917 - an entry, and what its file says of it
    server: Server, client: str, off: frozenset[str], why: str, text: str, place: Place
) -> Iterator[Item]:
    words, address = server.launch(), server.address
    if not words and not address:
        return
    launch = launched(words, address)
    locator = NOWHERE if why else Locator(CONFIG_ENTRY, server.where, pointer=server.pointer)
    if not why and server.where.endswith(".toml"):
        try:
            tables.cut(text, list(server.keys))
        except ValueError:
            locator, why = NOWHERE, NO_FLOW
    disabled = server.off or server.name in off
    switch = SWITCHES.get(client, "")
    state = "disabled" if disabled else f"its client can disable it: {switch}" if switch else ""
    rows = [("mcp", server.name, "", client, launch.notes)]
    for one in launch.packages:
        held = _resolved(place, one.name) if one.ecosystem == "npm" and not one.version else ""
        notes = [f"MCP server {server.name} of {client}", one.note, held]
        rows.append((one.ecosystem, one.name, one.version, one.manager, notes))
    for ecosystem, name, version, manager, notes in rows:
        yield Item(
            ecosystem, name, version, manager=manager, kind=CONFIGURED, observed=server.where, locator=locator,
            root=server.place, origin=launch.origin, note="; ".join(_said([*notes, state, why])),
        )  # fmt: skip


def _resolved(place: Place, name: str) -> str:
    """Which release of an npm package the cache of `npx` holds, and would therefore start."""
    cache = place.elsewhere(f"{place.home}/.npm/_npx")
    held = set()
    for folder, kind in list(cache.names().items())[:CACHES_MAX]:
        told = cache.json(f"{folder}/node_modules/{name}/package.json", 1 << 20) if kind == "d" else None
        if isinstance(told, dict) and isinstance(told.get("version"), str) and told.get("name") == name:
            held.add(told["version"])
    return f"the cache of npx holds {', '.join(sorted(held)[:3])}" if held else ""


def _said(notes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(note for note in notes if note))


def _desktop(place: Place, found: Found) -> None:
    """Extensions of Claude's desktop application: a folder each, with a server in it."""
    for name, kind in place.names().items():
        manifest = place.json(f"{name}/manifest.json", MANIFEST_MAX) if kind == "d" else None
        if not isinstance(manifest, dict) or not isinstance(manifest.get("server"), dict):
            continue
        item = Item(
            "mcp", word(manifest.get("name")) or name, word(manifest.get("version")), manager="claude-desktop",
            kind=INSTALLED, observed=place.at(f"{name}/manifest.json"), locator=Locator(DIR, place.at(name)),
            root=place.path, note=f"desktop extension {name}",
        )  # fmt: skip
        found.skip(name)
        found.add(item)
        bundled(place, f"{name}/node_modules", item, found)
