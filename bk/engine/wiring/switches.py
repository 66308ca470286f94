"""What switches a client's hooks off although ours are in place: each way that was seen, by name. Read only.

A file is read as generously as any client may read it: what one of them would take for a switch must not be missed
because it is badly written.
"""

from __future__ import annotations

import json
import os
import shlex

from bk.engine.errors import BkError
from bk.engine.lower.installs.listing import loose_json
from bk.engine.wiring import files, texts, toml_text, yaml_text
from bk.engine.wiring.command import client_of
from bk.engine.wiring.plans import PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bk.engine.model import Json
    from bk.engine.wiring.wire import Spot

    Switch = tuple[str, str, bool]  # the file, why, and whether hooks of the machine's scope survive it


def switches(client: str, spot: Spot, scopes: Sequence[str]) -> Iterator[Switch]:
    """What keeps our hooks of these scopes from being called."""
    look = _SWITCHES.get(client)
    if look is not None:
        yield from look(spot)
    trusted = _TRUSTS.get(client)
    if trusted is not None and tuple(scopes) == (PROJECT,) and not trusted(spot):
        yield spot.project, f"hooks of a project run only once {client} trusts this folder", False


def _bytes(path: str) -> bytes:
    try:
        return files.look(path).data or b""
    except BkError:
        return b""


def _text(path: str) -> str:
    return _bytes(path).decode(errors="replace").removeprefix("\ufeff")


def _json(path: str) -> dict[str, Json]:
    """What a file says to whoever is least strict: of a name that is there twice the last counts."""
    try:
        told = loose_json(_text(path))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _toml(path: str) -> dict[str, Json]:
    try:
        return toml_text.read(_text(path))
    except (ValueError, RecursionError):
        return {}


def _in(told: Json, *names: str) -> Json:
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def _huge(paths: Sequence[str], spot: Spot) -> Iterator[Switch]:
    """A file that is too large to be read here may hold any switch."""
    for path in paths:
        where = spot.path(path)
        try:
            size = os.stat(where).st_size
        except OSError:
            continue
        if size > files.MAX:
            yield where, "it is too large to be read, and may switch hooks off", True


def _disabled(paths: Sequence[str], spot: Spot, key: str = "disableAllHooks") -> Iterator[Switch]:
    yield from _huge(paths, spot)
    for path in paths:
        if _json(spot.path(path)).get(key):
            yield spot.path(path), f"{key} is true: no hook runs", True


def _claude(spot: Spot) -> Iterator[Switch]:
    own = ("~/.claude/settings.json", "~/.claude/settings.local.json")
    yield from _disabled((*own, "./.claude/settings.json", "./.claude/settings.local.json"), spot)
    machine = spot.path("/etc/claude-code/managed-settings.json")
    told = _json(machine)
    if told.get("disableAllHooks"):
        yield machine, "disableAllHooks is true: no hook runs", False
    if told.get("allowManagedHooksOnly"):
        yield machine, "allowManagedHooksOnly is true: only hooks in this file run", True


def _qwen(spot: Spot) -> Iterator[Switch]:
    yield from _disabled(("~/.qwen/settings.json", "./.qwen/settings.json"), spot)
    machine = spot.path("/etc/qwen-code/settings.json")
    if _json(machine).get("disableAllHooks"):
        yield machine, "disableAllHooks is true: no hook runs", False


def _gemini(spot: Spot) -> Iterator[Switch]:
    machine = "/etc/gemini-cli/settings.json"
    paths = ("~/.gemini/settings.json", "./.gemini/settings.json", machine)
    yield from _huge(paths, spot)
    for path in paths:
        told = _json(spot.path(path))
        enabled = _in(told, "hooksConfig", "enabled")
        if enabled is not None and not enabled:
            yield spot.path(path), "hooksConfig.enabled is false: no hook runs", path != machine
        for listed in (_in(told, "hooksConfig", "disabled"), _in(told, "hooks", "disabled")):
            if isinstance(listed, list) and any(
                isinstance(word, str) and (word == "*" or client_of(word)) for word in listed
            ):
                yield spot.path(path), "its list of disabled hooks has ours in it", path != machine


def _copilot(spot: Spot) -> Iterator[Switch]:
    paths = ["~/.copilot/settings.json", "./.github/copilot/settings.json", "./.github/copilot/settings.local.json"]
    for folder in ("~/.copilot/hooks", "./.github/hooks"):
        try:
            names = sorted(os.listdir(spot.path(folder)))
        except OSError:
            continue
        paths += [f"{folder}/{name}" for name in names[:100] if name.endswith(".json")]
    yield from _disabled(paths, spot)


def _codex(spot: Spot) -> Iterator[Switch]:
    machine = _toml(spot.path("/etc/codex/requirements.toml"))
    pinned = _in(machine, "features", "hooks") is True
    paths = ("~/.codex/config.toml", "./.codex/config.toml")
    yield from _huge(paths, spot)
    for path in paths:
        told = _toml(spot.path(path))
        if not pinned and any(_in(told, "features", name) is False for name in ("hooks", "codex_hooks")):
            yield spot.path(path), "[features] hooks is false: no hook runs", True
    hooks = spot.path("~/.codex/hooks.json")
    trusted = _in(_toml(spot.path("~/.codex/config.toml")), "hooks", "state")
    keys = trusted if isinstance(trusted, dict) else {}
    known = [key for key, state in keys.items() if hooks in key and _in(state, "trusted_hash")]
    if client_of(_text(hooks)) and not known:
        yield hooks, "the hook is not trusted yet, and Codex skips it without a word", True
    if machine.get("allow_managed_hooks_only") is True:
        yield spot.path("/etc/codex/requirements.toml"), "allow_managed_hooks_only is true: only hooks in it run", True


def _droid(spot: Spot) -> Iterator[Switch]:
    yield from _disabled(("~/.factory/settings.json",), spot, "hooksDisabled")
    if _json(spot.path("~/.factory/settings.json")).get("enableHooks") is False:
        yield spot.path("~/.factory/settings.json"), "enableHooks is false: no hook runs", False


def _openhands(spot: Spot) -> Iterator[Switch]:
    path = spot.path("./.openhands/hooks.json")
    if os.path.lexists(path) and not client_of(_text(path)):
        yield path, "the project has a hooks file of its own, which hides yours", False


def _openclaw(spot: Spot) -> Iterator[Switch]:
    path = spot.path("~/.openclaw/openclaw.json")
    plugins = _in(_json(path), "plugins")
    if _in(plugins, "enabled") is False:
        yield path, "plugins.enabled is false: no plugin is loaded", False
    if isinstance(_in(plugins, "deny"), list) and "bk" in plugins["deny"]:
        yield path, "plugins.deny has bk in it: ours is not loaded", False
    if isinstance(_in(plugins, "allow"), list) and plugins["allow"] and "bk" not in plugins["allow"]:
        yield path, "plugins.allow does not have bk in it: ours is not loaded", False


def _vibe(spot: Spot) -> Iterator[Switch]:
    path = spot.path("./.vibe/hooks.toml")
    rows = _toml(path).get("hooks")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and str(row.get("name", "")).startswith("bk-") and not texts.ours(row):
            name = shlex.quote(str(row["name"])[:40])
            yield path, f"it has a hook that is also called {name}, which replaces ours", False


def _hermes(spot: Spot) -> Iterator[Switch]:
    path = spot.path("~/.hermes/config.yaml")
    try:
        told = yaml_text.read(_text(path))
    except ValueError:
        return
    if told.get("hooks_auto_accept") is not True:
        yield path, "hooks_auto_accept is not true: without a consent the hook is skipped", False


def _gemini_trusts(spot: Spot) -> bool:
    told = _json(spot.path("~/.gemini/trustedFolders.json"))
    above = {os.path.dirname(spot.project), spot.project}
    return any(told.get(folder) == "TRUST_FOLDER" for folder in above) or told.get(spot.project) == "TRUST_PARENT"


def _codex_trusts(spot: Spot) -> bool:
    projects = _in(_toml(spot.path("~/.codex/config.toml")), "projects")
    return bool(_in(projects, spot.project, "trust_level") == "trusted")


def _listed(path: str, spot: Spot) -> bool:
    """Whether a file of trusted folders names this one, in whatever form it lists them."""
    return json.dumps(spot.project) in _text(spot.path(path))


_SWITCHES: dict[str, Callable[[Spot], Iterator[Switch]]] = {
    "claude-code": _claude,
    "codex": _codex,
    "copilot": _copilot,
    "droid": _droid,
    "gemini": _gemini,
    "hermes": _hermes,
    "openclaw": _openclaw,
    "openhands": _openhands,
    "qwen": _qwen,
    "vibe": _vibe,
}
_TRUSTS: dict[str, Callable[[Spot], bool]] = {
    "codex": _codex_trusts,
    "copilot": lambda spot: _listed("~/.copilot/config.json", spot) or _listed("~/.copilot/settings.json", spot),
    "gemini": _gemini_trusts,
    "vibe": lambda spot: _listed("~/.vibe/trusted_folders.toml", spot),
}
