"""Clients wired in and out, and what would change: one client's files at one scope, all of them or none."""

from __future__ import annotations

import difflib
import json
import os
import shutil

from bk.engine.errors import BkError
from bk.engine.wiring import files, texts
from bk.engine.wiring.clients import BY_NAME, CLIENTS, UNHOOKED
from bk.engine.wiring.command import client_of
from bk.engine.wiring.plans import MANAGED, PROJECT, USER, Say
from bk.engine.wiring.plugins import program_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bk.engine.state import State
    from bk.engine.wiring.plans import Client, Plan


class Spot:
    """Where wiring happens: whose home, which project, which guard, and where `/` is for a machine's files."""

    __slots__ = ("home", "machine", "program", "project")

    def __init__(self, home: str, project: str, program: str, machine: str = "") -> None:
        self.home = home
        self.project = project
        self.program = program
        self.machine = machine

    def path(self, told: str) -> str:
        """A path of the table on this machine."""
        if told.startswith("~/"):
            return f"{self.home}/{told[2:]}"
        if told.startswith("./"):
            return f"{self.project}/{told[2:]}"
        return f"{self.machine}{told}"


class Change:
    """What becomes of one file: its bytes before and after (None: no such file)."""

    __slots__ = ("after", "before", "mode", "path", "was")

    def __init__(self, was: files.Was, after: bytes | None, mode: int) -> None:
        self.was = was
        self.path = was.path
        self.before = was.data
        self.after = after
        self.mode = mode

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after

    def diff(self) -> str:
        """The change as people read it."""
        old, new = (
            (side or b"").decode(errors="replace").splitlines(keepends=True) for side in (self.before, self.after)
        )
        return "".join(difflib.unified_diff(old, new, self.path if self.before is not None else "/dev/null", self.path))


def client(name: str) -> Client:
    """The client of this name; BkError with the names there are."""
    found = BY_NAME.get(name)
    if found is None:
        raise BkError(f"no client is called {name}", f"known: {', '.join(BY_NAME)}", "choose one of these")
    return found


def detected(home: str, path: str) -> list[Client]:
    """The clients that are on this machine: a program of theirs on the PATH, or their folder in the home."""
    return [
        each
        for each in CLIENTS
        if any(shutil.which(program, path=path) for program in each.programs)
        or any(os.path.lexists(folder.replace("~", home, 1)) for folder in each.folders)
    ]


def unhooked(home: str, path: str) -> list[str]:
    """The clients on this machine that nothing can be wired into, for they call no hook."""
    return [
        title
        for title, folder, program in UNHOOKED
        if shutil.which(program, path=path) or os.path.lexists(folder.replace("~", home, 1))
    ]


def plans(each: Client, scope: str, spot: Spot) -> Sequence[Plan]:
    """The client's files at a scope; BkError when it has none there."""
    made = each.plans.get(scope)
    if made is None:
        there = ", ".join(each.plans)
        raise BkError(f"{each.title} has no {scope} scope", f"it reads hooks at: {there}", f"use --scope {USER}")
    return made(Say(spot.program, each))


def every(each: Client, spot: Spot) -> Iterator[tuple[str, Plan]]:
    """Each file of a client with its scope; one that two scopes share, in a home that is the project, counts once."""
    seen: set[str] = set()
    for scope in each.plans:
        for plan in plans(each, scope, spot):
            path = spot.path(plan.path)
            if path not in seen:
                seen.add(path)
                yield scope, plan


def installing(each: Client, scope: str, spot: Spot) -> list[Change]:
    """What wiring a client in comes to; nothing is written."""
    found = []
    for plan in plans(each, scope, spot):
        was = _look(plan, scope, spot)
        try:
            text = texts.planned(was.text, plan)
        except (ValueError, RecursionError) as error:
            raise files.unreadable(was.path, str(error)) from error
        found.append(Change(was, text.encode(), 0o644 if scope == MANAGED else plan.mode))
    return found


def removing(each: Client, scope: str, spot: Spot, state: State) -> list[Change]:
    """What taking a client out comes to; nothing is written."""
    found = []
    for plan in plans(each, scope, spot):
        was = _look(plan, scope, spot)
        if was.data is None:
            continue
        sure, before = files.kept(state, was)
        if sure:
            found.append(Change(was, before, was.mode))
            continue
        try:
            if plan.form == "own":
                after = None if client_of(was.text) else was.data
            else:
                earlier = files.said_before(state, was)
                text = texts.removed(was.text, plan, before=earlier)
                empty = earlier is not None and not earlier.strip() and "".join(text.split()) in ("", "{}")
                after = None if empty else text.encode()
        except (ValueError, RecursionError) as error:
            raise files.unreadable(was.path, str(error)) from error
        found.append(Change(was, after, was.mode))
    return found


def install(changes: Sequence[Change], state: State) -> None:
    """Write what `installing` found; when one file cannot be, those before it are put back."""
    done: list[Change] = []
    try:
        for change in changes:
            if change.changes and change.after is not None:
                files.keep(state, change.was, change.after)
                files.write(change.was, change.after, change.mode)
                done.append(change)
    except BaseException:
        for change in reversed(done):
            files.write(files.look(change.path), change.before, change.mode)
        raise


def uninstall(changes: Sequence[Change], state: State) -> None:
    """Write what `removing` found."""
    for change in changes:
        if change.changes:
            files.write(change.was, change.after, change.mode)
    for change in changes:
        files.forget(state, change.was)


def _look(plan: Plan, scope: str, spot: Spot) -> files.Was:
    return files.look(spot.path(plan.path), within=spot.project if scope == PROJECT else "")


def commands(plan: Plan, spot: Spot) -> list[str]:
    """Our commands that really stand in a plan's file for what runs before a tool."""
    was = files.look(spot.path(plan.path))
    if was.data is None:
        return []
    if plan.form == "own":
        if plan.path.endswith(".json"):
            found = [hook["bash"] for hook in json.loads(was.text).get("hooks", {}).get("preToolUse", ())]
            return [each for each in found if client_of(each)]
        if plan.path.endswith(".js"):
            name = client_of(was.text)
            return [Say(program_of(was.text), BY_NAME[name]).line()] if name in BY_NAME else []
        runs = bool(client_of(was.text)) and not plan.path.endswith((".toml", "PostToolUse"))
        return [f"sh {was.real!r}"] if runs else []
    found = []
    for names in dict.fromkeys(
        row.names for row in plan.rows if not row.names[-1].lower().startswith(("post", "after"))
    ):
        for entry in texts.entries(was.text, plan, names):
            if texts.ours(entry) and "post" not in str(entry.get("event", entry.get("type", ""))).lower():
                found += [hook["command"] for hook in entry.get("hooks", [entry])]
    return found
