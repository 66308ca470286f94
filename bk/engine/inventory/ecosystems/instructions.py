"""What tells an agent what to do without being a package: files of instructions, and hooks that its settings run.

Nobody publishes them, so they have no version and no place that could be moved. Their digest is noted: two scans say
when one changed. What they hold is not kept.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256

from bk.engine.inventory.item import CONFIGURED, Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bk.engine.inventory.place import Found, Place

# file → the agent that reads it; many read AGENTS.md
FILES = {
    "CLAUDE.md": "claude-code", "CLAUDE.local.md": "claude-code", "AGENTS.md": "agents", "AGENTS.override.md": "codex",
    "GEMINI.md": "gemini", "QWEN.md": "qwen", "CRUSH.md": "crush", "WARP.md": "warp", ".cursorrules": "cursor",
    ".windsurfrules": "windsurf", ".clinerules": "cline", ".roorules": "roo", ".goosehints": "goose",
    "copilot-instructions.md": "copilot",
}  # fmt: skip
RULES = {".cursor": "rules", ".windsurf": "rules", ".clinerules": "", ".roo": "rules", ".github": "instructions"}
TEXTS = (".md", ".mdc", ".txt")
HOOKS = {".claude": "claude-code", ".cursor": "cursor", ".codex": "codex", ".gemini": "gemini", ".qwen": "qwen"}
SETTINGS = ("settings.json", "settings.local.json", "hooks.json")
MARKS = frozenset((*FILES, *(f"{folder}/" for folder in (*RULES, *HOOKS))))
TEXT_MAX = 1 << 20
EVENTS_MAX = 20


def places(home: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where a person keeps what holds for all of their projects."""
    for folder in ("", *HOOKS, ".config/opencode", ".config/goose", ".config/crush", ".codeium/windsurf/memories"):
        yield f"{home}/{folder}".rstrip("/"), 0
    for name in ("CODEX_HOME", "CLAUDE_CONFIG_DIR"):
        if env.get(name, "").startswith("/"):
            yield env[name], 0


def read(place: Place, found: Found) -> None:
    """The instructions and the hooks of one folder."""
    own = place.path.rpartition("/")[2]
    names = place.names()
    for name in FILES.keys() & names.keys():
        _text(place, name, FILES[name], found)
    if own in RULES:
        folder = RULES[own]
        for name, kind in place.names(folder).items():
            if kind == "f" and name.endswith(TEXTS):
                _text(place, f"{folder}/{name}" if folder else name, own.strip(".").removesuffix("rules"), found)
    if own in HOOKS:
        for name in SETTINGS:
            if names.get(name) == "f":
                _hooks(place, name, HOOKS[own], found)


def _text(place: Place, name: str, agent: str, found: Found) -> None:
    """A file by its digest."""
    data = place.data(name, TEXT_MAX)
    if data is not None:
        called = f"instructions:{name.rpartition('/')[2]}"
        found.add(_item(place, name, called, agent, f"content sha256:{sha256(data).hexdigest()}"))


def _hooks(place: Place, name: str, agent: str, found: Found) -> None:
    """The hooks of a settings file by one digest, whatever else the file says; never a word of their commands."""
    told = place.json(name)
    hooks = told.get("hooks") if isinstance(told, dict) else None
    if not isinstance(hooks, dict) or not any(hooks.values()):
        return
    digest = sha256(json.dumps(hooks, sort_keys=True).encode()).hexdigest()
    events = [event for event in sorted(hooks) if hooks[event]][:EVENTS_MAX]
    note = f"content sha256:{digest}; hooks on {', '.join(events)}"
    found.add(_item(place, name, f"hooks:{name}", agent, note))


def _item(place: Place, name: str, called: str, agent: str, note: str) -> Item:
    own = place.path.rpartition("/")[2]
    root = os.path.dirname(place.path) if own in RULES or own in HOOKS else place.path
    return Item(
        "agent-skill", called, "", manager=agent, kind=CONFIGURED, observed=place.at(name),
        root="" if root == os.path.realpath(place.home) else root, confidence="name", note=note,
    )  # fmt: skip
