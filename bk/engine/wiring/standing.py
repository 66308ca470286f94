"""Whether a client would really ask us now, here: what is installed, what switches it off, and how to mend it.

Read only. Each way in which hooks were seen not to run without a word is looked for by name.
"""

from __future__ import annotations

import json
import os
import re

from bk.engine.errors import BkError
from bk.engine.wiring import files, texts
from bk.engine.wiring.clients import CLIENTS
from bk.engine.wiring.command import client_of, program_of
from bk.engine.wiring.plans import MANAGED, Say
from bk.engine.wiring.plugins import program_of as plugin_program
from bk.engine.wiring.switches import switches
from bk.engine.wiring.wire import every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bk.engine.model import Json
    from bk.engine.wiring.plans import Client, Plan
    from bk.engine.wiring.wire import Spot

_TEXTS = re.compile(r'"(?:[^"\\\n]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
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
    lifts = False  # whether hooks of the machine's scope would be called all the same
    states: dict[str, list[tuple[str, bool, str]]] = {}
    for scope, plan in every(client, spot):
        path = spot.path(plan.path)
        states.setdefault(scope, []).append((path, *_installed(client, scope, plan, path)))
    scopes = [scope for scope, found in states.items() if any(ours for _, ours, _ in found)]
    for scope, found in states.items():
        off += [f"{path}: {why}" for path, _, why in found if why]
        if scope in scopes:
            off += [
                f"{path}: our part of it is gone" for path, ours, why in found if not ours and not why and _stops(path)
            ]
    if scopes:
        for path, why, survives in switches(client.name, spot, scopes):
            if not (survives and MANAGED in scopes):
                off.append(f"{path}: {why}")
                lifts = lifts or (survives and MANAGED in client.plans and MANAGED not in scopes)
        off += _programs(client, spot)
    return Standing(client, here=here, scopes=scopes, off=off, fix=_fix(client, scopes, off, lifts=lifts))


def _fix(client: Client, scopes: Sequence[str], off: Sequence[str], *, lifts: bool) -> str:
    if not scopes:
        return f"bk hooks install --target {client.name}"
    if not off:
        return ""
    again = f"bk hooks install --target {client.name}"
    if any("not trusted yet" in each for each in off):
        return f"start {client.title} once and trust the hook there, or: {again} --trust"
    if any("trusts this folder" in each for each in off):
        return f"trust the folder in {client.title}, or have your own hooks: {again}"
    if any("as bk writes it" in each or "is gone" in each or "not executable" in each for each in off):
        return again
    if lifts:
        return f"sudo bk hooks install --target {client.name} --scope managed: no repository can switch that off"
    return f"mend what is named, or: {again}"


def _installed(client: Client, scope: str, plan: Plan, path: str) -> tuple[bool, str]:
    """Whether our entries are in the file, and why they will not do what they should."""
    try:
        was = files.look(path)
        if was.data is None:
            return False, ""
        if plan.form == "own":
            return _own(client, scope, plan, was)
        if not plan.rows:
            return all(texts.setting(was.text, plan, names) == value for names, value in plan.states), ""
        wanted = [row.names for row in plan.rows if _before(row.names)]
        found = {names: [each for each in texts.entries(was.text, plan, names) if texts.ours(each)] for names in wanted}
    except BkError as error:
        return False, error.detail or error.title
    except (ValueError, RecursionError) as error:
        return False, f"it cannot be read ({error}): the client may ignore all of it"
    if not all(found.values()):
        return False, ""
    programs = {program_of(texts.command_of(each)) for entries in found.values() for each in entries}
    meant = [row for program in programs for row in _plan(client, scope, plan.path, program).rows]
    for names, entries in found.items():
        if any(each not in [row.row for row in meant if row.names == names] for each in entries):
            return True, "our entry in it is not as bk writes it, and may not be called for every tool"
    return True, ""


def _own(client: Client, scope: str, plan: Plan, was: files.Was) -> tuple[bool, str]:
    """The same of a file that is all ours."""
    if not client_of(was.text):
        return False, ""
    if plan.mode & 0o100 and not was.mode & 0o100:
        return True, "it is not executable, so it is never started"
    programs = {"/", plugin_program(was.text), *(program_of(line) for line in was.text.splitlines())}
    programs |= {program_of(json.loads(word)) for word in _TEXTS.findall(was.text)}
    if any(_plan(client, scope, plan.path, program).whole == was.text for program in programs if program):
        return True, ""
    return True, "it is not as bk writes it, and the client may go on without it"


def _plan(client: Client, scope: str, path: str, program: str) -> Plan:
    """What stands at a path when the guard is this program."""
    return next(plan for plan in client.plans[scope](Say(program, client)) if plan.path == path)


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
