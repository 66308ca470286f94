"""Plugins of agents: what Claude Code, Codex, Gemini CLI and opencode load, with hooks and servers in it."""

from __future__ import annotations

import os
import re

from bk.engine.inventory.ecosystems.launch import host_of
from bk.engine.inventory.item import CONFIG_ENTRY, CONFIGURED, DIR, FILE_SET, INSTALLED, NOWHERE, Item, Locator
from bk.engine.lower.installs.listing import table, texts, word
from bk.engine.lower.installs.npm import spec
from bk.engine.settings import parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place
    from bk.engine.model import Json

INSTALLS = "installed_plugins.json"
GEMINI = "gemini-extension.json"
GEMINI_INSTALL = ".gemini-extension-install.json"
OPENCODE = ("opencode.json", "opencode.jsonc")
CODEX = ".codex-plugin"
MARKS = frozenset((INSTALLS, GEMINI, GEMINI_INSTALL, *OPENCODE, "opencode/", ".opencode/", CODEX))
SETTINGS_MAX = 8 << 20
_CACHE = re.compile(r"cache/[^/]+/[^/]+/[^/]+")
_GEMINI = re.compile(r".*/\.gemini/extensions/[^/]+", re.DOTALL)
_EXACT = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?", re.ASCII)
_PLUGIN_FILES = (".ts", ".js", ".mjs", ".cjs", ".tsx", ".mts")


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where these agents keep what a person added to them."""
    claude = env.get("CLAUDE_CONFIG_DIR", "")
    yield f"{claude if claude.startswith('/') else f'{home}/.claude'}/plugins", 0
    yield f"{home}/.codex/plugins/cache", 3
    yield f"{home}/.gemini/extensions", 1
    yield f"{home}/.config/opencode", 0
    yield f"{home}/.opencode", 0


def read(place: Place, found: Found) -> None:
    """Whichever of them a folder is."""
    names = place.names()
    if INSTALLS in names:
        _claude(place, found)
    if names.get(CODEX) == "d":
        _codex(place, found)
    if GEMINI in names or GEMINI_INSTALL in names:
        _gemini(place, found)
    for name in OPENCODE:
        if names.get(name) == "f":
            _named(place, name, found)
    if place.path.rpartition("/")[2] in ("opencode", ".opencode"):
        _opencode(place, found)


def _claude(place: Place, found: Found) -> None:
    """Claude Code's registry: one row or several for each plugin, each with the folder that it was unpacked into."""
    told = place.json(INSTALLS)
    markets = place.json("known_marketplaces.json")
    settings = place.elsewhere(place.path.rpartition("/")[0])
    switched = table(settings.json("settings.json", SETTINGS_MAX), "enabledPlugins")
    for ident, given in table(told, "plugins").items():
        rows = given if isinstance(given, list) else [given]
        name, _, market = ident.rpartition("@")
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                continue
            also = [f"{place.at(INSTALLS)}#{_pointer('plugins', ident, *([str(number)] if len(rows) > 1 else []))}"]
            if ident in switched:
                also.append(f"{settings.at('settings.json')}#{_pointer('enabledPlugins', ident)}")
            locator, note, manifest = _unpacked(place, row, also)
            notes = [note, f"for {word(row.get('projectPath'))}" if row.get("projectPath") else "",
                     "disabled" if switched.get(ident) is False else "", *_brings(place, locator)]  # fmt: skip
            item = Item(
                "agent-skill", ident, word(row.get("version")) or word(manifest.get("version")), manager="claude-code",
                kind=INSTALLED, observed=place.at(INSTALLS), locator=locator, root=place.path,
                origin=_market(table(markets, market)), note="; ".join(each for each in notes if each),
                confidence="exact" if not manifest or word(manifest.get("name")) in ("", name) else "name",
            )  # fmt: skip
            found.add(item)


def _unpacked(place: Place, row: Mapping[str, Json], also: list[str]) -> tuple[Locator, str, Mapping[str, Json]]:
    """Where a plugin's row says that it lies, when that is a place of Claude's own."""
    path = word(row.get("installPath"))
    sub = os.path.realpath(path).removeprefix(f"{place.path}/") if path and "\0" not in path else ""
    if not _CACHE.fullmatch(sub):
        return NOWHERE, "it runs from outside of the plugins' own folder", {}
    if not place.is_dir(sub):
        return NOWHERE, "its folder is not there", {}
    manifest = place.json(f"{sub}/.claude-plugin/plugin.json")
    return Locator(DIR, place.at(sub), also=also), "", manifest if isinstance(manifest, dict) else {}


def _brings(place: Place, locator: Locator) -> list[str]:
    """What of a plugin runs without being asked."""
    if not locator.path:
        return []
    sub = locator.path[len(place.path) + 1 :]
    parts = [("hooks/hooks.json", "hooks"), (".mcp.json", "MCP servers")]
    brought = [what for path, what in parts if place.is_file(f"{sub}/{path}")]
    return [f"it brings {' and '.join(brought)}"] if brought else []


def _market(told: Mapping[str, Json]) -> str:
    """Where a marketplace's list is kept, without what an address may carry."""
    source = table(told, "source")
    repo = word(source.get("repo"))
    if repo and re.fullmatch(r"[\w.-]+/[\w.-]+", repo, re.ASCII):
        return f"github:{repo}"
    return host_of(word(source.get("url")))


def _codex(place: Place, found: Found) -> None:
    """A plugin of Codex, unpacked: which of them its settings switch on is not looked up, and nothing is moved."""
    manifest = place.json(f"{CODEX}/plugin.json")
    if not isinstance(manifest, dict):
        return
    parts = [("hooks/hooks.json", "hooks"), ("hooks.json", "hooks"), (".mcp.json", "MCP servers")]
    brought = sorted({what for path, what in parts if place.is_file(path)})
    item = Item(
        "agent-skill", word(manifest.get("name")) or place.path.rpartition("/")[2], word(manifest.get("version")),
        manager="codex", kind=CONFIGURED, observed=place.at(f"{CODEX}/plugin.json"), root=place.path,
        note=f"it brings {' and '.join(brought)}" if brought else "",
    )  # fmt: skip
    found.add(item)


def _gemini(place: Place, found: Found) -> None:
    """An extension of Gemini CLI: a folder with its manifest, or with a note of where a linked one really is."""
    told, install = place.json(GEMINI), place.json(GEMINI_INSTALL)
    manifest: Mapping[str, Json] = told if isinstance(told, dict) else {}
    came: Mapping[str, Json] = install if isinstance(install, dict) else {}
    if not manifest and word(came.get("type")) != "link":
        return
    source = word(came.get("source"))
    notes = ["a link to a folder of somebody's own" if word(came.get("type")) == "link" else "",
             "it brings MCP servers" if table(manifest, "mcpServers") else ""]  # fmt: skip
    item = Item(
        "agent-skill", word(manifest.get("name")) or place.path.rpartition("/")[2], word(manifest.get("version")),
        manager="gemini", kind=INSTALLED, observed=place.at(GEMINI if manifest else GEMINI_INSTALL),
        locator=Locator(DIR, place.path) if _GEMINI.fullmatch(place.path) else NOWHERE,
        root=place.path.rpartition("/")[0], origin=host_of(source), note="; ".join(each for each in notes if each),
        confidence="exact" if manifest else "name",
    )  # fmt: skip
    found.add(item)


def _opencode(place: Place, found: Found) -> None:
    """Files and folders that opencode loads because of where they lie."""
    for folder in ("plugin", "plugins"):
        for name, kind in place.names(folder).items():
            path = place.at(f"{folder}/{name}")
            if kind == "f" and name.endswith(_PLUGIN_FILES):
                locator, label = Locator(FILE_SET, files=(path,)), name.rpartition(".")[0]
            elif kind == "d" and name != "node_modules" and not name.startswith("."):
                locator, label = Locator(DIR, path), name
            else:
                continue
            item = Item(
                "agent-skill", label, "", manager="opencode", kind=INSTALLED, observed=path, locator=locator,
                root=place.path, confidence="name",
            )  # fmt: skip
            found.add(item)


def _named(place: Place, name: str, found: Found) -> None:
    """Packages that opencode fetches because its settings name them; an unpinned one is fetched anew."""
    text = place.text(name, SETTINGS_MAX)
    try:
        document: Json = parsed(text, name) if text and text.strip() else {}
    except (ValueError, RecursionError):
        found.problem(place.at(name), "it cannot be read as what it is")
        return
    given = document.get("plugin") if isinstance(document, dict) else None
    for number, each in enumerate(given if isinstance(given, list) else ()):
        if not texts([each]) or each.startswith((".", "/", "~", "file:")):
            continue
        package, version, source = spec(each)
        if source or not package:
            continue
        exact = version if _EXACT.fullmatch(version) else ""
        item = Item(
            "npm", package, exact, manager="opencode", kind=CONFIGURED, observed=place.at(name),
            locator=Locator(CONFIG_ENTRY, place.at(name), pointer=_pointer("plugin", str(number))), root=place.path,
            note="a plugin of opencode" + ("" if exact else "; floating: it is fetched anew"),
        )  # fmt: skip
        found.add(item)


def _pointer(*keys: str) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
