"""Settings files in which harnesses keep the entries that invoke us, and what those entries mean.

A change is judged by meaning: every invocation that was there must still be there afterwards, no less wide and no
shorter, and nothing may switch hooks off. How the text looks does not matter.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Json


class Guarded:
    """One settings file of one harness. `scope` is `home`, `project` (in any directory) or `system` (absolute)."""

    __slots__ = ("harness", "parts", "scope")

    def __init__(self, harness: str, scope: str, path: str) -> None:
        self.harness = harness
        self.scope = scope
        self.parts = tuple(path.strip("/").lower().split("/"))


GUARDED: tuple[Guarded, ...] = (
    Guarded("claude-code", "home", ".claude/settings.json"),
    Guarded("claude-code", "home", ".claude/settings.local.json"),
    Guarded("claude-code", "project", ".claude/settings.json"),
    Guarded("claude-code", "project", ".claude/settings.local.json"),
    Guarded("claude-code", "system", "/etc/claude-code/managed-settings.json"),
    Guarded("claude-code", "system", "/etc/claude-code/managed-mcp.json"),
    Guarded("claude-code", "system", "/Library/Application Support/ClaudeCode/managed-settings.json"),
)

ANYWHERE = frozenset("/".join(("", *entry.parts)) for entry in GUARDED if entry.scope in ("home", "project"))
SYSTEM = frozenset("/".join(("", *entry.parts)) for entry in GUARDED if entry.scope == "system")
NAMES = frozenset(entry.parts[-1] for entry in GUARDED)
FOLDERS = frozenset(entry.parts[-2] for entry in GUARDED if len(entry.parts) > 1)

KILL_SWITCHES = ("disableAllHooks", "allowManagedHooksOnly")
WIDE = frozenset(("", "*", ".*"))
DEFAULT_TIMEOUT = 60
MAX_VARIANTS = 8
_OURS = re.compile(
    r"(?:^|[\s\"'/\\;&|(])bk(?:-hook(?:-python)?)?(?:\.exe)?(?=$|[\s\"';&|)])|\bbk\.(?:hook|cli|__main__)\b"
)


def is_guarded(path: str, home: str, cwd: str) -> bool:
    """Whether a path is, at any scope, a settings file that may hold our entries."""
    return scope_of(path, home, cwd) != ""


def scope_of(path: str, home: str, cwd: str) -> str:  # noqa: ARG001 - which project it is makes no difference today
    """`home`, `project` or `system` for a guarded file, else ""."""
    name = path.rpartition("/")[2].lower()
    if name not in NAMES:
        return ""
    low = path.lower()
    if low in SYSTEM:
        return "system"
    for tail in ANYWHERE:
        if low.endswith(tail):
            return "home" if low == home.lower().rstrip("/") + tail else "project"
    return ""


class Meaning:
    """What a settings text amounts to: the invocations of us and the switches that would silence them."""

    __slots__ = ("invocations", "switches", "valid")

    def __init__(self, text: str | None) -> None:
        self.invocations: list[tuple[str, str, str, float]] = []
        self.switches: set[str] = set()
        document = _parsed(text)
        self.valid = document is not None
        if document is None:
            self.switches = {name for name in KILL_SWITCHES if text and name in text}
            return
        for name in KILL_SWITCHES:
            if document.get(name):
                self.switches.add(name)
        env = document.get("env")
        if type(env) is dict:
            self.switches.update(f"env.{name}={env[name]}" for name in env if str(name).upper().startswith("BK_"))
        hooks = document.get("hooks")
        if type(hooks) is dict:
            for event, groups in hooks.items():
                self._event(event, groups)

    def _event(self, event: str, groups: Json) -> None:
        if type(groups) is not list:
            return
        for group in groups:
            entries = group.get("hooks") if type(group) is dict else None
            if type(entries) is not list:
                continue
            matcher = group.get("matcher")
            matcher = matcher if type(matcher) is str else "" if matcher is None else json.dumps(matcher)
            rest = {key: value for key, value in group.items() if key not in ("hooks", "matcher")}
            for entry in entries:
                if type(entry) is dict and _ours(entry):
                    timeout = entry.get("timeout", DEFAULT_TIMEOUT)
                    plain = {key: value for key, value in entry.items() if key != "timeout"}
                    shape = json.dumps([rest, plain], sort_keys=True)
                    number = float(timeout) if type(timeout) in (int, float) else 0.0
                    self.invocations.append((event, matcher, shape, number))

    def keeps(self, invocation: tuple[str, str, str, float]) -> bool:
        """Whether this text still invokes us at least as this invocation did."""
        event, matcher, shape, timeout = invocation
        return any(
            mine[0] == event and mine[2] == shape and mine[3] >= timeout and (mine[1] == matcher or mine[1] in WIDE)
            for mine in self.invocations
        )


def _ours(entry: dict[str, Json]) -> bool:
    return any(type(value) is str and _OURS.search(value) is not None for value in entry.values()) or any(
        type(value) is list and any(type(word) is str and _OURS.search(word) is not None for word in value)
        for value in entry.values()
    )


def _parsed(text: str | None) -> dict[str, Json] | None:
    """The JSON object in a text; an absent or empty file is an empty one; None for anything else."""
    if text is None or not text.strip():
        return {}
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return document if type(document) is dict else None


def holds_ours(text: str | None) -> bool:
    """Whether a present text invokes us, or might: a text that cannot be read or parsed gets no benefit of doubt."""
    if text is None:
        return False
    if text.startswith("\x00"):
        return True
    meaning = Meaning(text)
    return bool(meaning.invocations) or (not meaning.valid and _OURS.search(text) is not None)


def loss(before: str | None, after: str) -> str:
    """What a change of a settings file takes from us, in words; "" when it takes nothing."""
    if before is not None and before.startswith("\x00"):
        return "its present text cannot be read, so the change cannot be judged"
    was, becomes = Meaning(before), Meaning(after)
    added = becomes.switches - was.switches
    if added:
        return f"it would set {', '.join(sorted(added))}, which silences hooks"
    if not was.valid and before is not None and _OURS.search(before):
        return "its present text does not parse, so the change cannot be judged"
    if was.invocations and not becomes.valid:
        return "the new text is not valid JSON, so no hook would run"
    for invocation in was.invocations:
        if not becomes.keeps(invocation):
            where = f"{invocation[0]} ({invocation[1] or 'all tools'})"
            return f"the entry that calls us on {where} would be lost, narrowed or shortened"
    return ""


def edited(before: str | None, edits: Sequence[tuple[str, str, bool]]) -> list[str] | None:
    """Every text the edits may lead to: clients differ in what they do with several occurrences. None: unknowable."""
    texts = [before or ""]
    for old, new, every in edits:
        following: list[str] = []
        for text in texts:
            if not old:
                if text.strip():
                    return None
                following.append(new)
            elif old not in text:
                return None
            else:
                following.append(text.replace(old, new))
                if not every and text.count(old) > 1:
                    following.append(text.replace(old, new, 1))
        texts = list(dict.fromkeys(following))[:MAX_VARIANTS]
    return texts
