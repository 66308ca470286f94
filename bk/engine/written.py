"""Packages that a call writes into a manifest, or into the settings that start an MCP server: asked for like any other.

Only what the new text adds counts; what stood there before is nobody's doing now.
"""

from __future__ import annotations

from bk.engine.lists import SETTINGS
from bk.engine.look import take
from bk.engine.lower.installs import inner
from bk.engine.manifests import MAX_BYTES, page_of
from bk.engine.model import Install
from bk.engine.settings import Server, entries, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.facts import Listed
    from bk.engine.model import ToolCall, Touch
    from bk.engine.world import World

MAX_SERVERS = 64
MAX_ADDED = 64


def added(action: Touch, call: ToolCall, world: World, listed: Listed) -> None:
    """Note what a write would add to what is installed or started later."""
    home = call.home.lower().strip("/").split("/") if call.home.strip("/") else []
    before, _ = take(action.path, home, MAX_BYTES)
    after = action.content
    if after is None:
        after = before or ""
        for old, new, every in action.edits:
            after = after.replace(old, new, -1 if every else 1) if old and old in after else f"{after}\n{new}\n"
    name = action.path.rpartition("/")[2]
    if name.lower() in SETTINGS:
        found = [one for one in _started(after, action.path) if one not in _started(before or "", action.path)]
    else:
        ecosystem = "pypi" if name.lower().endswith((".txt", ".in")) else ""
        held = page_of(before, action.path, ecosystem, world, "").found if before else []
        found = [
            Install(item[0], item[1], item[2], manager=name, source=item[3])
            for item in page_of(after, action.path, ecosystem, world, "").found
            if item not in held
        ]
    for install in found[:MAX_ADDED]:
        install.via = (*action.via, name)
        listed.installs.append(install)


def _started(text: str, path: str) -> list[Install]:
    """What the servers of a settings file fetch when they are started."""
    try:
        document = parsed(text, path)
    except (ValueError, RecursionError):
        return []
    if not isinstance(document, dict):
        return []
    found: list[Install] = []
    for server in list(entries(document, path, ""))[:MAX_SERVERS]:
        found += inner(_words(server), "MCP server")
    return found


def _words(server: Server) -> list[str]:
    command = server.identity().get("command")
    return command if isinstance(command, list) else []
