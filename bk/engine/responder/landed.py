"""Checking what has just landed: one short process, started by the engine, that reads it, judges it, and ends.

    python -m bk.engine.responder.landed places
    python -m bk.engine.responder.landed check TARGET…

It says one line of JSON. What is not whole yet is named in `again`, for the engine to ask once more a little later;
what never becomes readable is told to a person, and is never a reason to move anything.
"""

from __future__ import annotations

import json
import os
import stat
import sys

from bk.engine.config import snapshot
from bk.engine.errors import FAILED, OK, BkError
from bk.engine.intel.yielding import yielding
from bk.engine.inventory.ecosystems import EVERY
from bk.engine.inventory.item import INSTALLED, NONE
from bk.engine.inventory.limits import Limits
from bk.engine.inventory.place import Budget
from bk.engine.inventory.walk import Walk
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.responder.alone import alone
from bk.engine.responder.eyes import EVERYTHING, Target
from bk.engine.responder.respond import ACTOR
from bk.engine.responder.round import look, respond, settled
from bk.engine.responder.watched import spots
from bk.engine.state import State, locate
from bk.quarantine.paths import inside
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bk.engine.inventory.item import Item
    from bk.engine.inventory.place import Found
    from bk.engine.inventory.proof import Proof
    from bk.engine.inventory.walk import Known
    from bk.engine.model import Json

SECONDS = 60.0
SHOWN = 300
TOLD_MAX = 200
FILE = "watch.json"
MANIFEST = "package.json"


class Seen:
    """What a reader finds, each time anew: nothing is believed from an earlier run."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.problems: dict[str, str] = {}

    def recall(self, _path: str) -> Known | None:
        """Nothing is known."""
        return None

    def reuse(self, _known: Known) -> None:
        """Never asked."""

    def keep(self, _path: str, _proof: Proof, _below: list[str], found: Found) -> None:
        """What a folder says now."""
        self.items += found.items
        self.problems.update(found.problems)


class Answer:
    """What became of a check: what is to be asked again, and what went wrong with all of it."""

    __slots__ = ("again", "checked", "hits", "moved", "problem", "read", "rejected", "unreadable")

    def __init__(self) -> None:
        self.again: list[Target] = []
        self.read: set[str] = set()
        self.unreadable: dict[str, str] = {}
        self.checked = self.hits = self.moved = self.rejected = 0
        self.problem = ""

    def told(self) -> dict[str, Json]:
        """The line for the engine."""
        made: dict[str, Json] = {
            name: getattr(self, name) for name in ("checked", "hits", "moved", "rejected", "problem")
        }
        return {**made, "again": [target.row() for target in self.again], "unreadable": len(self.unreadable)}


def check(state: State, values: Mapping[str, Json], targets: Sequence[tuple[Target, bool]]) -> Answer:
    """Read what landed, hold it against the index, do what may be done. With a target comes whether it is asked for
    the last time: then what is still not whole is taken as it is."""
    answer = Answer()
    items: dict[str, Item] = {}
    everything = any(target == EVERYTHING for target, _ in targets)
    for (kind, root, depth), group in _grouped(targets).items():
        there = [(target, last) for target, last in group if _contained(target, answer)]
        if there:
            seen = _read(state, kind, root, depth)
            for target, last in there:
                for item in _taken(seen, target, answer, last=last):
                    items[item.key] = item
    answer.checked = len(items)
    try:
        run = look(state, values) if everything else None
        with alone(state):
            told = respond(state, values, run) if run is not None else settled(state, values, items.values())
        answer.hits, answer.moved = told.hits, told.moved
    except BkError as error:
        answer.problem = inert(str(error), SHOWN)
    _remember(state, values, answer)
    return answer


def _grouped(targets: Iterable[tuple[Target, bool]]) -> dict[tuple[str, str, int], list[tuple[Target, bool]]]:
    """Targets by the folder that has to be read for them: each is read once."""
    groups: dict[tuple[str, str, int], list[tuple[Target, bool]]] = {}
    for target, last in targets:
        if target.kind in EVERY:
            groups.setdefault((target.kind, target.root, target.depth), []).append((target, last))
    return groups


def _contained(target: Target, answer: Answer) -> bool:
    """Whether a target is there and really lies in the folder that is watched: no link on the way, and none itself."""
    if not os.path.lexists(target.path):
        return False
    inner = inside(target.path, target.root) and os.path.isabs(target.path)
    if inner and os.path.realpath(target.path) == target.path:
        return True
    answer.rejected += 1
    return False


def _read(state: State, kind: str, root: str, depth: int) -> Seen:
    """What the reader of a kind finds in one folder."""
    seen = Seen()
    walk = Walk(
        seen,
        Budget(Limits(seconds=SECONDS)),
        home=state.home,
        env={**os.environ, "HOME": state.home},
        profile="project",
        ecosystems={kind: EVERY[kind]},
        never=(state.root,),
    )
    walk.run([(root, depth)])
    return seen


def _taken(seen: Seen, target: Target, answer: Answer, *, last: bool) -> list[Item]:
    """The items that a target is about, as far as they are whole."""
    mine = [item for item in seen.items if _about(item, target.path)]
    unread = _unread(seen, target, mine) if target.kind == "editors" else {}
    for path, why in unread.items():
        if last:
            answer.unreadable[path] = why
        else:
            answer.again.append(Target(target.kind, target.root, path, target.depth))
    sure = [item for item in mine if item.locator.path not in unread]
    answer.read.update(item.locator.path for item in sure)
    if last or target.kind != "pypi":
        return sure
    vague = [item for item in sure if item.kind == INSTALLED and item.locator.kind == NONE]
    if vague and target not in answer.again:
        answer.again.append(target)  # it may be on its way: what names a package's files is written last
    return [item for item in sure if item not in vague]


def _about(item: Item, path: str) -> bool:
    at = item.locator
    return any(inside(one, path) for one in (item.observed, at.path, *at.files) if one)


def _unread(seen: Seen, target: Target, mine: Iterable[Item]) -> dict[str, str]:
    """Folder → why its metadata cannot be read: extensions that are not whole, or never will be."""
    told = {item.locator.path: item.confidence for item in mine}
    folders = [target.path] if target.path != target.root else _folders(target.root)
    found: dict[str, str] = {}
    for folder in folders:
        manifest = f"{folder}/{MANIFEST}"
        why = seen.problems.get(manifest) or ("" if os.path.lexists(manifest) else f"it has no {MANIFEST}")
        if told.get(folder) != "exact" and why and _is_folder(folder):
            found[folder] = why
    return found


def _folders(root: str) -> list[str]:
    try:
        return [f"{root}/{name}" for name in sorted(os.listdir(root)) if name[0] != "."]
    except OSError:
        return []


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _remember(state: State, values: Mapping[str, Json], answer: Answer) -> None:
    """Tell what cannot be read, and that nothing could be checked, when that changes; not each time it is seen."""
    before = recalled(state)
    known = {path: why for path, why in before["unreadable"].items() if _is_folder(path) and path not in answer.read}
    entries = [_unreadable(path, why) for path, why in answer.unreadable.items() if path not in before["unreadable"]]
    if answer.problem and not before["degraded"]:
        title = "what has just been installed cannot be checked"
        entries.append(_incident("enforcement-degraded", title, answer.problem, "bk diag"))
    elif before["degraded"] and not answer.problem:
        entries.append(Entry("responder", ACTOR, {"event": "enforcement_restored", "was": before["degraded"]}))
    told = list({**known, **answer.unreadable}.items())[-TOLD_MAX:]
    now: dict[str, Json] = {"unreadable": dict(told), "degraded": answer.problem}
    if now != before:
        _keep(state, now)
    if entries:
        ledger = Ledger.open(state, redact=redactor(values["audit.redact_patterns"]))
        try:
            ledger.append(entries, sync=True)
        finally:
            ledger.close()


def _unreadable(path: str, why: str) -> Entry:
    title = "an extension that has just been installed cannot be read"
    detail = f"{inert(path, SHOWN)}: {why}; it was left where it is"
    return _incident("unreadable", title, detail, "look at it, or remove it in its editor")


def _incident(what: str, title: str, detail: str, next_step: str) -> Entry:
    said: dict[str, Json] = {"incident": what, "title": title, "detail": detail, "next_step": next_step}
    return Entry("incident", ACTOR, said, level="warn")


def recalled(state: State) -> dict[str, Json]:
    """What was told already: `unreadable` (path → why) and `degraded`."""
    try:
        with open(f"{state.root}/{FILE}", encoding="ascii") as file:
            told = json.load(file)
        return {"unreadable": dict(told["unreadable"]), "degraded": str(told["degraded"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"unreadable": {}, "degraded": ""}


def _keep(state: State, now: Mapping[str, Json]) -> None:
    path = f"{state.root}/{FILE}"
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "w", encoding="ascii") as file:
        json.dump(now, file)
    os.replace(f"{path}.new", path)


def main(words: Sequence[str]) -> int:
    """Say where things may land, or check what has landed."""
    os.umask(0o077)
    try:
        state = locate(os.environ, os.getcwd())
        state.ensure()
        yielding()
        values = snapshot.read(state).values
        if words[:1] == ["places"]:
            found, left_out = spots(state, values, {**os.environ, "HOME": state.home})
            said: dict[str, Json] = {"spots": [spot.row() for spot in found], "left_out": left_out}
        else:
            said = check(state, values, [_target(word) for word in words[1:]]).told()
    except BkError as error:
        said = {"problem": inert(str(error), SHOWN)}
    except Exception as error:  # noqa: BLE001 - the engine reads a line, not a traceback
        said = {"problem": inert(f"{type(error).__name__}: {error}", SHOWN)}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    return FAILED if said.get("problem") else OK


def _target(word: str) -> tuple[Target, bool]:
    kind, root, path, depth, last = json.loads(word)
    return Target(kind, root, path, depth), bool(last)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
