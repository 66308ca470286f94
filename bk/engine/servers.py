"""Who an MCP server is: the entry that a client's settings files have for its name, wherever such files may lie."""

from __future__ import annotations

import json
import os
import re

from blake3 import blake3

from bk.engine.config.files import stamp
from bk.engine.errors import BkError
from bk.engine.look import take
from bk.engine.pins import store
from bk.engine.settings import FILES, TABLES, Server, entries, files, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bk.engine.model import Json, ToolCall
    from bk.engine.state import State

MAX_FILE = 8 << 20
MAX_UP = 24
MAX_CACHED = 64
_PLAIN = re.compile(r"[^A-Za-z0-9_-]")
_cache: dict[str, tuple[list[int], Json]] = {}


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
        for path in files(machine):
            yield from _named(path, "", cwd)
        if ".claude.json" in own:  # entries that belong to one project, in the user's own file
            yield from _projects(f"{home}/.claude.json", cwd)
        for folder in _up(cwd, home):
            for name in files(here):
                yield from _named(f"{folder}/{name}", folder, cwd)
        for name in files(own):
            yield from _named(f"{home}/{name}", "", cwd)


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
