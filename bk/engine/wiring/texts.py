"""A plan as a new text of its file, and our part of a text taken out again. Pure."""

from __future__ import annotations

from bk.engine.wiring import json_text, toml_text, yaml_text
from bk.engine.wiring.command import client_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bk.engine.model import Json
    from bk.engine.wiring.plans import Plan


class ForeignError(ValueError):
    """A file that would have to be ours alone is somebody else's."""


def planned(text: str, plan: Plan) -> str:
    """What the file says once the plan is in it: entries of an earlier installation replaced, nothing else touched.

    Raises ValueError for a text that cannot be read, or not be added to without changing more.
    """
    if plan.form == "own":
        if text and not client_of(text):
            raise ForeignError("it was not written by bk, and the client takes only one file of this name")
        return plan.whole
    if holds(text, plan):
        return text
    text = removed(text, plan, prune=False)
    if plan.form == "json":
        return json_text.added(text, [(row.names, row.row) for row in plan.rows], plan.states)
    for names, value in plan.states:
        text = yaml_text.stated(text, names[0], value)
    for row in plan.rows:
        if plan.form == "toml":
            text = toml_text.appended(text, row.names[0], row.row)
        else:
            text = yaml_text.appended(text, row.names, row.row)
    return text


def removed(text: str, plan: Plan, *, prune: bool = True, before: str | None = None) -> str:
    """The text without our entries; with `prune` also without the containers that they leave empty.

    `before` is what the file said before us, where that is known: a setting that was not in it is ours as well.
    """
    for names in dict.fromkeys(row.names for row in plan.rows):
        if plan.form == "json":
            text = json_text.without(text, names, ours, prune=prune)
        elif plan.form == "toml":
            text = toml_text.without(text, names[0], ours)
        else:
            text = yaml_text.without(text, names, ours)
    for names, value in plan.states if prune else ():
        if names[-1] == "bk" or (before is not None and setting(before, plan, names) is None):
            unstated = json_text.unstated if plan.form == "json" else _top
            text = unstated(text, names, value)
    return text


def _top(text: str, names: Sequence[str], value: Json) -> str:
    return yaml_text.unstated(text, names[0], value)


def holds(text: str, plan: Plan) -> bool:
    """Whether everything that the plan wants is in the text, once and as it is wanted."""
    if plan.form == "own":
        return text == plan.whole
    if any(entries(text, plan, row.names).count(row.row) != 1 for row in plan.rows):
        return False
    for names in dict.fromkeys(row.names for row in plan.rows):
        wanted = [row.row for row in plan.rows if row.names == names]
        if [entry for entry in entries(text, plan, names) if ours(entry)] != wanted:
            return False
    return all(setting(text, plan, names) == value for names, value in plan.states)


def entries(text: str, plan: Plan, names: tuple[str, ...]) -> list[Json]:
    """What stands in the list at `names`, whoever put it there."""
    if plan.form == "json":
        return json_text.elements(text, names)
    return toml_text.rows(text, names[0]) if plan.form == "toml" else yaml_text.rows(text, names)


def setting(text: str, plan: Plan, names: tuple[str, ...]) -> Json:
    """What a setting says; None where there is none."""
    found: Json = json_text.read(text) if plan.form == "json" else yaml_text.read(text)
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def ours(entry: Json) -> bool:
    """Whether an entry of a client's list asks this guard."""
    if not isinstance(entry, dict):
        return False
    inner = entry.get("hooks")
    if isinstance(inner, list) and inner:
        return all(ours(each) for each in inner)
    return bool(client_of(command_of(entry)))


def command_of(entry: Json) -> str:
    """What an entry of a client's list starts; the first where it holds several."""
    while isinstance(entry, dict) and isinstance(entry.get("hooks"), list) and entry["hooks"]:
        entry = entry["hooks"][0]
    told = entry.get("command", entry.get("bash")) if isinstance(entry, dict) else ""
    return told if isinstance(told, str) else ""
