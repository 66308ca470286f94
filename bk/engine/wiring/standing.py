"""Whether a client would really ask us now, here: what is installed, what switches it off, and how to mend it.

Read only. Each way in which hooks were seen not to run without a word is looked for by name.
"""

from __future__ import annotations

import os
import re
import shlex

from bk.engine.errors import BkError
from bk.engine.wiring import files, json_text, texts, toml_text
from bk.engine.wiring.clients import CLIENTS
from bk.engine.wiring.command import client_of
from bk.engine.wiring.plans import MANAGED
from bk.engine.wiring.wire import every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bk.engine.model import Json
    from bk.engine.wiring.plans import Client, Plan
    from bk.engine.wiring.wire import Spot

_PROGRAM = re.compile(r"'([^']*/bk-hook)'|(\S*/?bk-hook)\s+--harness")


class Standing:
    """One client: the scopes at which we are in it, what keeps it from asking us, and what would mend that."""

    __slots__ = ("asks", "client", "fix", "here", "off", "scopes")

    def __init__(self, client: Client, *, here: bool, scopes: Sequence[str], off: Sequence[str], fix: str) -> None:
        self.client = client
        self.here = here
        self.scopes = tuple(scopes)
        self.off = tuple(off)
        self.fix = fix
        self.asks = bool(scopes) and not off

    def told(self) -> dict[str, Json]:
        """For a program."""
        return {
            "client": self.client.name,
            "title": self.client.title,
            "present": self.here,
            "scopes": list(self.scopes),
            "effective": self.asks,
            "off": list(self.off),
            "fix": self.fix,
            "caveat": self.client.caveat,
        }


def standings(spot: Spot, present: Sequence[Client]) -> list[Standing]:
    """Every client that is on the machine or that we are in."""
    found = [standing(each, spot, here=each in present) for each in CLIENTS]
    return [each for each in found if each.here or each.scopes]


def standing(client: Client, spot: Spot, *, here: bool) -> Standing:
    """One client as it stands."""
    off: list[str] = []
    states: dict[str, list[tuple[str, bool | str]]] = {}
    for scope, plan in every(client, spot):
        states.setdefault(scope, []).append((spot.path(plan.path), _installed(plan, spot)))
    scopes = [scope for scope, found in states.items() if any(state is True for _, state in found)]
    for scope, found in states.items():
        off += [state for _, state in found if isinstance(state, str)]
        if scope in scopes:
            off += [f"{path}: our part of it is gone" for path, state in found if state is False and _stops(path)]
    if scopes:
        for path, why, survives in _switches(client, spot):
            if not (survives and MANAGED in scopes):
                off.append(f"{path}: {why}")
        off += _programs(client, spot)
    return Standing(client, here=here, scopes=scopes, off=off, fix=_fix(client, scopes, off))


def _fix(client: Client, scopes: Sequence[str], off: Sequence[str]) -> str:
    if not scopes:
        return f"bk hooks install --target {client.name}"
    if not off:
        return ""
    if any("trust" in each for each in off):
        return (
            f"start {client.title} once and trust the hook there, or: bk hooks install --target {client.name} --trust"
        )
    if MANAGED in client.plans and MANAGED not in scopes and any("./" in each or "settings" in each for each in off):
        return f"sudo bk hooks install --target {client.name} --scope managed: no repository can switch that off"
    return f"mend what is named, or: bk hooks install --target {client.name}"


def _installed(plan: Plan, spot: Spot) -> bool | str:
    """Whether our entries are in the file; a sentence for a file that the client itself may choke on."""
    path = spot.path(plan.path)
    try:
        was = files.look(path)
        if was.data is None:
            return False
        if plan.form == "own":
            if client_of(was.text) and plan.mode & 0o100 and not was.mode & 0o100:
                return f"{path}: it is not executable, so it is never started"
            return bool(client_of(was.text))
        wanted = {row.names for row in plan.rows if _before(row.names)}
        if not plan.rows:
            return all(texts.setting(was.text, plan, names) == value for names, value in plan.states)
        return all(any(texts.ours(entry) for entry in texts.entries(was.text, plan, names)) for names in wanted)
    except BkError as error:
        return f"{path}: {error.detail}"
    except (ValueError, RecursionError) as error:
        return f"{path} cannot be read ({error}): the client may ignore all of it"


def _stops(path: str) -> bool:
    """Whether something is stopped through a file of ours: not through one for what comes after a call."""
    return not path.endswith("/PostToolUse")


def _before(names: Sequence[str]) -> bool:
    """Whether a list is for what runs before a tool: what comes after one stops nothing."""
    return not names[-1].lower().startswith(("post", "after"))


def _programs(client: Client, spot: Spot) -> Iterator[str]:
    """Our entries that name a program which is not there: they deny every call."""
    for _, plan in every(client, spot):
        try:
            text = files.look(spot.path(plan.path)).text
        except BkError:
            continue
        for quoted, plain in set(_PROGRAM.findall(text)):
            program = (quoted or plain).lstrip('"')
            if program.startswith("/") and not os.access(program, os.X_OK):
                yield f"{spot.path(plan.path)}: it names {program}, which cannot be run, so every call is blocked"


def _switches(client: Client, spot: Spot) -> Iterator[tuple[str, str, bool]]:
    """What switches our hooks off: the file, why, and whether hooks of the machine's scope survive it."""
    look = _SWITCHES.get(client.name)
    if look is not None:
        yield from look(spot)


def _json(path: str) -> dict[str, Json]:
    try:
        told = json_text.read(files.look(path).text)
    except (BkError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _toml(path: str) -> dict[str, Json]:
    try:
        return toml_text.read(files.look(path).text)
    except (BkError, ValueError):
        return {}


def _in(told: Json, *names: str) -> Json:
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def _disabled(paths: Sequence[str], spot: Spot, key: str = "disableAllHooks") -> Iterator[tuple[str, str, bool]]:
    for path in paths:
        if _json(spot.path(path)).get(key) is True:
            yield spot.path(path), f"{key} is true: no hook runs", True


def _claude(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    own = ("~/.claude/settings.json", "~/.claude/settings.local.json")
    yield from _disabled((*own, "./.claude/settings.json", "./.claude/settings.local.json"), spot)
    machine = spot.path("/etc/claude-code/managed-settings.json")
    told = _json(machine)
    if told.get("disableAllHooks") is True:
        yield machine, "disableAllHooks is true: no hook runs", False
    if told.get("allowManagedHooksOnly") is True:
        yield machine, "allowManagedHooksOnly is true: only hooks in this file run", True


def _qwen(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    yield from _disabled(("~/.qwen/settings.json", "./.qwen/settings.json"), spot)


def _gemini(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    for path in ("~/.gemini/settings.json", "./.gemini/settings.json"):
        told = _json(spot.path(path))
        if _in(told, "hooksConfig", "enabled") is False:
            yield spot.path(path), "hooksConfig.enabled is false: no hook runs", True
        for listed in (_in(told, "hooksConfig", "disabled"), _in(told, "hooks", "disabled")):
            if isinstance(listed, list) and any(
                isinstance(word, str) and (word == "*" or client_of(word)) for word in listed
            ):
                yield spot.path(path), "its list of disabled hooks has ours in it", True


def _copilot(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    paths = ["~/.copilot/settings.json", "./.github/copilot/settings.json", "./.github/copilot/settings.local.json"]
    hooks = spot.path("./.github/hooks")
    if os.path.isdir(hooks):
        paths += [f"./.github/hooks/{name}" for name in sorted(os.listdir(hooks))[:100] if name.endswith(".json")]
    yield from _disabled(paths, spot)


def _codex(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    machine = _toml(spot.path("/etc/codex/requirements.toml"))
    pinned = _in(machine, "features", "hooks") is True
    for path in ("~/.codex/config.toml", "./.codex/config.toml"):
        told = _toml(spot.path(path))
        if not pinned and any(_in(told, "features", name) is False for name in ("hooks", "codex_hooks")):
            yield spot.path(path), "[features] hooks is false: no hook runs", False
    hooks = spot.path("~/.codex/hooks.json")
    trusted = _in(_toml(spot.path("~/.codex/config.toml")), "hooks", "state")
    keys = trusted if isinstance(trusted, dict) else {}
    known = [key for key, state in keys.items() if hooks in key and _in(state, "trusted_hash")]
    if os.path.lexists(hooks) and not known:
        yield hooks, "the hook is not trusted yet, and Codex skips it without a word", True
    if machine.get("allow_managed_hooks_only") is True:
        yield spot.path("/etc/codex/requirements.toml"), "allow_managed_hooks_only is true: only hooks in it run", True


def _droid(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    yield from _disabled(("~/.factory/settings.json",), spot, "hooksDisabled")
    if _json(spot.path("~/.factory/settings.json")).get("enableHooks") is False:
        yield spot.path("~/.factory/settings.json"), "enableHooks is false: no hook runs", False


def _openhands(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    path = spot.path("./.openhands/hooks.json")
    if os.path.lexists(path) and not client_of(_text(path)):
        yield path, "the project has a hooks file of its own, which hides yours", False


def _vibe(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    path = spot.path("./.vibe/hooks.toml")
    rows = _toml(path).get("hooks")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and str(row.get("name", "")).startswith("bk-") and not texts.ours(row):
            yield (
                path,
                f"it has a hook that is also called {shlex.quote(str(row['name'])[:40])}, which replaces ours",
                False,
            )


def _hermes(spot: Spot) -> Iterator[tuple[str, str, bool]]:
    from bk.engine.wiring import yaml_text

    path = spot.path("~/.hermes/config.yaml")
    try:
        told = yaml_text.read(_text(path))
    except ValueError:
        return
    if told.get("hooks_auto_accept") is not True:
        yield path, "hooks_auto_accept is not true: without a consent the hook is skipped", False


def _text(path: str) -> str:
    try:
        return files.look(path).text
    except BkError:
        return ""


_SWITCHES: dict[str, Callable[[Spot], Iterator[tuple[str, str, bool]]]] = {
    "claude-code": _claude,
    "codex": _codex,
    "copilot": _copilot,
    "droid": _droid,
    "gemini": _gemini,
    "hermes": _hermes,
    "openhands": _openhands,
    "qwen": _qwen,
    "vibe": _vibe,
}
