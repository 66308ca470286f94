"""Making the snapshot: read the sources, fall back to the last good layer where one is broken, never to nothing."""

from __future__ import annotations

import os
import time

from bk.engine.config import local
from bk.engine.config.files import racy, replace
from bk.engine.config.layers import Layer, load_system, load_user, merge
from bk.engine.config.schema import BY_NAME
from bk.engine.config.snapshot import local_of
from bk.engine.errors import BkError, Refusal
from bk.text import inert_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bk.engine.config.policy import Policy
    from bk.engine.model import Json
    from bk.engine.state import State


def compile_policy(
    state: State, system: str, stamps: Sequence[tuple[str, list[int]]], last: Mapping[str, Json] | None
) -> tuple[Policy, dict[str, Json]]:
    """The policy the sources state now, and the snapshot body that remembers it. `last` is the snapshot before."""
    problems: list[str] = []
    try:
        above = load_system(system)
    except (BkError, OSError) as error:
        above = _last_good("system", last, error, problems)
    try:
        own = load_user(state.config, state.owner)
    except (BkError, OSError) as error:
        own = _last_good("user", last, error, problems)
    try:
        changes = local.load(local_of(state.config), state.owner)
    except (BkError, OSError) as error:
        changes = _last_changes(last, error, problems)
    policy = merge(above, local.over(own, above, changes), tuple(problems))
    now = time.time_ns()
    body = {
        "sources": [[path, stamped] for path, stamped in stamps],
        "racy": any(racy(stamped, now) for _, stamped in stamps),
        "system": above.values,
        "user": own.values,
        "local": changes,
        "locked": list(above.locked),
        "values": policy.values,
        "origin": policy.origin,
        "problems": list(policy.problems),
        "digest": policy.digest,
    }
    return policy, body


def store(path: str, data: bytes) -> str:
    """Keep the snapshot for the next reader; the reason when that is impossible, which costs time and not safety."""
    folder = os.path.dirname(path)
    try:
        os.mkdir(folder, 0o700)
    except FileNotFoundError:
        return ""  # there is no installation yet
    except FileExistsError:
        pass
    except OSError as error:
        return f"the compiled settings cannot be kept in {path}: {error.strerror}"
    try:
        replace(path, data)
    except OSError as error:
        return f"the compiled settings cannot be kept in {path}: {error.strerror}"
    return ""


def _last_changes(last: Mapping[str, Json] | None, error: Exception, problems: list[str]) -> Json:
    """The changes to lists that were good before; none when none are known, which is told like any other problem."""
    first, *more = inert_lines(error.detail if isinstance(error, BkError) else str(error))
    told = first + (f" (and {len(more)} more)" if more else "")
    if last is None:
        raise Refusal("policy", f"the settings cannot be used: {told}", "bk config validate") from error
    problems.append(f"{told}; the last good changes to lists stay in force")
    good: dict[str, Json] = {}
    for name, change in last["local"].items():
        try:
            good.update(local.read({name: change}))
        except ValueError as wrong:  # an upgrade may have changed what a list accepts
            problems.append(f"{name} {wrong}; this change is not made")
    return good


def _last_good(name: str, last: Mapping[str, Json] | None, error: Exception, problems: list[str]) -> Layer:
    detail = error.detail if isinstance(error, BkError) else str(error)
    first, *more = inert_lines(detail)
    told = first + (f" (and {len(more)} more)" if more else "")
    if last is None:
        next_step = error.next_step if isinstance(error, BkError) else ""
        raise Refusal("policy", f"the settings cannot be used: {told}", next_step or "bk config validate") from error
    problems.append(f"{told}; the last good {name} settings stay in force")
    values: dict[str, Json] = {}
    for key_name, raw in last[name].items():  # an upgrade may have changed what a key accepts
        key = BY_NAME.get(key_name)
        if key is not None:
            try:
                values[key_name], _ = key.read(raw)
            except ValueError as wrong:
                problems.append(f"{key_name} {wrong}; its default is used")
    locked = tuple(each for each in last["locked"] if each in BY_NAME) if name == "system" else ()
    return Layer(values, locked)
