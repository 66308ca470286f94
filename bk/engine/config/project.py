"""What a project or an environment may say: tighter, or nothing. Both are in the agent's reach, so both are hostile."""

from __future__ import annotations

import os
import time

from bk.engine.config.files import PROJECT_CAP, racy, stamp, take
from bk.engine.config.layers import Layer, examine, out_of_step
from bk.engine.config.policy import Policy
from bk.engine.config.schema import BY_NAME, KEYS
from bk.engine.errors import BkError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bk.engine.model import Json

MAX_FILES = 16
MAX_ADDED = 256
MAX_PROBLEMS = 20
MAX_DOTS = 64  # the TOML parser is quadratic in the parts of a key
_CACHE_MAX = 64

_files: dict[tuple[str, tuple[int, ...], int], tuple[Layer, list[str]]] = {}
_policies: dict[tuple[object, ...], Policy] = {}


def apply(policy: Policy, paths: Sequence[str], home: str, env: Sequence[tuple[str, str]]) -> Policy:
    """The policy tightened by project files, outermost first, and then by environment variables. Never raises."""
    stamps = tuple((path, tuple(stamp(path))) for path in paths[:MAX_FILES])
    asked = (policy.digest, policy.problems, stamps, len(paths), home, tuple(env))
    known = _policies.get(asked)
    if known is not None:
        return known
    made = _Made(policy)
    settled = True
    for path, stamped in stamps:
        layer, faults, old_enough = _file(path, stamped, _owner(home))
        settled = settled and old_enough
        made.problems += [*faults, *layer.notes]
        for name, offered in layer.values.items():
            made.tighten(name, offered, "project", inert(path, 200))
    if len(paths) > MAX_FILES:
        told = f"{inert(paths[-1], 200)}: {len(paths)} project files; only the outer {MAX_FILES} are read"
        made.problems.append(told)
    for variable, raw in env:
        key = next(key for key in KEYS if key.env == variable)
        try:
            offered, _ = key.read(raw)
        except ValueError as error:
            made.problems.append(inert(f"{variable} {error}; it is ignored", 300))
        else:
            made.tighten(key.name, offered, "environment", variable)
    result = made.policy(policy)
    if settled:
        _remember(_policies, asked, result)
    return result


class _Made:
    """A policy while it is being tightened."""

    __slots__ = ("origin", "problems", "values")

    def __init__(self, policy: Policy) -> None:
        self.values = dict(policy.values)
        self.origin = dict(policy.origin)
        self.problems: list[str] = []

    def tighten(self, name: str, offered: Json, layer: str, where: str) -> None:
        """Take what is tighter from a layer; say what is not taken, and why."""
        key = BY_NAME[name]
        held = self.values[name]
        if not key.project:
            if offered != held:
                self.problems.append(f"{where}: {name} is not for a {layer} to set; it is ignored")
            return
        if key.kind != "list" and not key.at_least(held, offered):
            self.problems.append(f"{where}: {name} = {offered} would loosen {held}; it is ignored")
            return
        together = key.tighten(held, offered)
        if key.kind == "list" and len(together) > len(held) + MAX_ADDED:
            self.problems.append(f"{where}: {name} adds more than {MAX_ADDED} items; the rest is ignored")
            together = together[: len(held) + MAX_ADDED]
        if together != held:
            self.values[name], self.origin[name] = together, layer

    def policy(self, before: Policy) -> Policy:
        """The finished policy, thresholds in order, its problems a screenful at most."""
        told = [*self.problems, *out_of_step(self.values, self.origin)]
        if len(told) > MAX_PROBLEMS:
            told[MAX_PROBLEMS:] = [f"{len(told) - MAX_PROBLEMS} more problems in project files"]
        return Policy(self.values, self.origin, (*before.problems, *told), before.locked)


def _file(path: str, stamped: tuple[int, ...], owners: tuple[int, ...]) -> tuple[Layer, list[str], bool]:
    """One project file, from memory when its stamp is known and old enough to be believed."""
    known = _files.get((path, stamped, owners[-1]))
    if known is not None:
        return (*known, True)
    shown = inert(path, 200)
    try:
        text = take(path, PROJECT_CAP, owners, shared=True)
        if text is None:
            return Layer(), [], False
        if any(line.count(".") > MAX_DOTS for line in text.splitlines()):
            raise BkError("", f"{shown}: a line has more than {MAX_DOTS} dots", "")
        layer, faults = examine(text, shown, base=os.path.dirname(path))
    except BkError as error:
        layer, faults = Layer(), [error.detail]
    result = layer, [f"{inert(fault, 300)}; it is ignored" for fault in faults]
    if racy(stamped, time.time_ns()):
        return (*result, False)
    _remember(_files, (path, stamped, owners[-1]), result)
    return (*result, True)


def _owner(home: str) -> tuple[int, ...]:
    """Whose project files count: ours, root's, and those of whoever the home belongs to."""
    own = os.geteuid()
    try:
        return (own, 0, os.stat(home).st_uid)
    except (OSError, ValueError):
        return (own, 0, own)


def _remember(cache: dict[Any, Any], key: object, value: object) -> None:
    if len(cache) >= _CACHE_MAX:
        cache.clear()
    cache[key] = value
