"""Settings, as the command line and the dashboard may read and change them. Every change is an entry first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from bk.engine.config import beekeeper, local, snapshot
from bk.engine.config.edit import Change, Draft, known, shown
from bk.engine.config.files import PROJECT_CAP, USER_CAP, take
from bk.engine.config.key import Key
from bk.engine.config.layers import examine, load_system, load_user, parse
from bk.engine.config.policy import PROJECT, SYSTEM, Policy
from bk.engine.config.schema import KEYS, in_step
from bk.engine.console.gate import require_admin
from bk.engine.errors import USAGE, BkError
from bk.engine.ledger.redact import redactor
from bk.engine.ledger.store import Ledger
from bk.engine.model import Entry
from bk.engine.state import State
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json


APART = ("auto_quarantine.enabled", "auto_quarantine.dry_run")


class Row:
    """One key as it is in force."""

    __slots__ = ("key", "locked", "origin", "value")

    def __init__(self, key: Key, value: Json, origin: str, locked: bool) -> None:
        self.key = key
        self.value = value
        self.origin = origin
        self.locked = locked

    def told(self) -> dict[str, Json]:
        """The row for a program."""
        return {
            "key": self.key.name, "value": self.value, "origin": self.origin, "default": self.key.default,
            "values": self.key.bounds, "locked": self.locked, "help": self.key.help,
        }  # fmt: skip


class Shown:
    """Every key, and what is wrong with where they come from."""

    __slots__ = ("digest", "problems", "rows")

    def __init__(self, rows: Sequence[Row], problems: Sequence[str], digest: str) -> None:
        self.rows = rows
        self.problems = problems
        self.digest = digest


class Proposal:
    """A change that has not been made: what would differ, in the file and in force."""

    __slots__ = ("_draft", "_verb", "changes", "diff", "notes")

    def __init__(self, draft: Draft, verb: str, notes: Sequence[str] = ()) -> None:
        self._draft = draft
        self._verb = verb
        self.diff = draft.diff()
        self.changes: list[Change] = draft.changes()
        self.notes = tuple(notes)

    @property
    def needs_person(self) -> bool:
        """Whether `--admin` is needed."""
        return any(change.needs_person for change in self.changes)

    def policy(self) -> Policy:
        """The policy that would be in force."""
        return self._draft.policy()

    def told(self) -> dict[str, Json]:
        """The proposal for a program."""
        changes = [change.told() for change in self.changes]
        return {"changes": changes, "notes": list(self.notes), "diff": self.diff, "admin": self.needs_person}

    def permit(self, admin: bool) -> None:
        """Raise BkError when the change needs a person and this is none."""
        if self.needs_person:
            require_admin(admin)

    def make(self, *, admin: bool, actor: str) -> int:
        """Record the change and make it; the entry's number, 0 when there was nothing to change.

        A loosening needs a person; what cannot be recorded is not done.
        """
        if not self.diff:
            return 0
        self.permit(admin)
        draft = self._draft
        draft.state.ensure()
        before, after = draft.digests()
        data: dict[str, Json] = {
            "event": "changed", "verb": self._verb, "file": draft.path, "old": before, "new": after,
            "changes": [change.told() for change in self.changes], "admin": admin,
        }  # fmt: skip
        ledger = Ledger.open(draft.state, redact=redactor(draft.policy().values["audit.redact_patterns"]))
        recorded: list[Entry] = []
        try:
            try:
                draft.save(lambda: recorded.extend(ledger.append([Entry("config", actor, data)], sync=True)))
            except BkError as error:
                if recorded:
                    undone = {"event": "not-changed", "of": recorded[0].seq, "detail": str(error)}
                    ledger.append([Entry("config", actor, undone)], sync=True)
                raise
        finally:
            ledger.close()
        return recorded[0].seq


def in_force(state: State, cwd: str = "", env: Mapping[str, str] | None = None, *, system: str = SYSTEM) -> Shown:
    """What a call from `cwd` with this environment would be judged by."""
    policy = snapshot.read(state, system)
    policy = snapshot.tightened(policy, cwd, state.home, env or {})
    return Shown([_row(key, policy) for key in KEYS], policy.problems, policy.digest)


def get(state: State, name: str, cwd: str = "", env: Mapping[str, str] | None = None, *, system: str = SYSTEM) -> Row:
    """One key as it is in force."""
    known(name)
    return next(row for row in in_force(state, cwd, env, system=system).rows if row.key.name == name)


def propose_set(state: State, name: str, text: str, *, system: str = SYSTEM) -> Proposal:
    """Propose a value given as text."""
    draft = Draft(state, system)
    draft.set(name, typed(known(name), text))
    return _whole(draft, "set")


def propose_unset(state: State, name: str, *, system: str = SYSTEM) -> Proposal:
    """Propose to stop stating a key."""
    draft = Draft(state, system)
    draft.unset(name)
    return _whole(draft, "unset")


def propose_add(state: State, name: str, item: str, *, system: str = SYSTEM) -> Proposal:
    """Propose one more item of a list."""
    draft = Draft(state, system)
    draft.add(name, item)
    return _whole(draft, "add")


def propose_remove(state: State, name: str, item: str, *, system: str = SYSTEM) -> Proposal:
    """Propose a list without an item."""
    draft = Draft(state, system)
    draft.remove(name, item)
    return _whole(draft, "remove")


def propose_import(state: State, path: str, *, system: str = SYSTEM) -> Proposal:
    """Propose what a Beekeeper config.json has a counterpart for; the notes say what was left and why."""
    found = beekeeper.read(path)
    notes = [f"{name} is left: {why}" for name, why in found.left]
    return propose_settings(state, found.taken, "import", notes, system=system)


def propose_settings(
    state: State, values: Mapping[str, Json], verb: str, notes: Sequence[str] = (), *, system: str = SYSTEM
) -> Proposal:
    """Propose several values at once; items are added to lists that are stated already."""
    draft = Draft(state, system)
    stated = parse(draft.text, draft.path).values
    for name, value in values.items():
        together = [*stated.get(name, []), *value] if isinstance(value, list) else value
        draft.set(name, list(dict.fromkeys(together)) if isinstance(together, list) else together)
    return Proposal(draft, verb, notes)


def propose_staged(state: State, staged: Mapping[str, Json], *, system: str = SYSTEM) -> Proposal:
    """Propose these very values together; None stops stating a key, so that the layer below shows."""
    if set(APART) <= staged.keys():
        first, second = APART
        raise BkError("these are two decisions", f"{first} and {second} are saved one after the other",
                      "save one, look at what it says would move, then change the other", code=USAGE)  # fmt: skip
    draft = Draft(state, system)
    for name, value in staged.items():
        if value is None:
            draft.unset(name)
        else:
            draft.set(name, value)
    proposal = _whole(draft, "set")
    _in_order(proposal, staged)
    return proposal


def _in_order(proposal: Proposal, staged: Mapping[str, Json]) -> None:
    """Refuse values that would not be in force as they are set, because they stand above the step after them."""
    values = {**proposal.policy().values, **{name: value for name, value in staged.items() if value is not None}}
    told = dict(values)
    for low, high in in_step(values):
        if low in staged or high in staged:
            detail = f"{low} = {told[low]} would be above {high} = {told[high]}"
            raise BkError("these are steps, one after the other", detail, "change both, or choose another value",
                          code=USAGE)  # fmt: skip


def stated(state: State) -> dict[str, Json]:
    """What the user's file states itself; BkError names everything wrong with it."""
    draft = Draft(state)
    return dict(parse(draft.text, draft.path).values)


def on_disk(state: State) -> str:
    """What tells the user's file from another version of it, "" when there is none: a look, not a reading."""
    from bk.engine.config.files import stamp

    return str(stamp(state.config) or "")


class Editing:
    """A text for an editor, bound to the file it was read from."""

    def __init__(self, state: State, *, system: str = SYSTEM) -> None:
        self._draft = Draft(state, system)

    @property
    def text(self) -> str:
        """What to edit."""
        return self._draft.text

    def propose(self, text: str) -> Proposal:
        """Propose the edited text; BkError names everything that is wrong with it."""
        self._draft.replace(text)
        return _whole(self._draft, "edit")


def validate(state: State, path: str = "", *, system: str = SYSTEM) -> list[str]:
    """Everything wrong with a file, or with the settings in force when none is named; empty when they are good."""
    if not path:
        return _all_layers(state, system)
    name = os.path.basename(path)
    text = take(path, PROJECT_CAP if name == PROJECT else USER_CAP, (os.geteuid(), 0), shared=True)
    if text is None:
        raise BkError("there is no such file", path, "bk config validate FILE")
    if name == local.NAME:
        return local.examine(text, path)[1]
    base = os.path.dirname(os.path.abspath(path)) if name == PROJECT else ""
    layer, faults = examine(text, path, system=os.path.abspath(path) == system, base=base)
    if name == PROJECT:
        faults += [f"{path}: {each.name} is not for a project to set" for each in KEYS
                   if each.name in layer.values and not each.project]  # fmt: skip
    return [*faults, *layer.notes]


def default_text(value: Json) -> str:
    """A value as TOML would state it."""
    import json

    return json.dumps(value, ensure_ascii=False)


def recordable(row: Row) -> Json:
    """The value with secrets left out."""
    return shown(row.key, row.value)


def typed(key: Key, text: str) -> Json:
    """The value that a person typed: a bare word for a choice, TOML for the rest."""
    if key.kind in ("choice", "url", "text"):
        return text
    import tomllib

    hints = {
        "list": f"`bk config add {key.name} ITEM` adds one; to replace the list write '[\"…\"]'",
        "int": f"a whole number, {key.bounds}",
        "bool": "true or false",
        "lists": "a table of lists: '{hosts = [\"…\"]}'",
    }
    try:
        document = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        document = {}
    if document.keys() != {"value"} or (key.kind == "list") != isinstance(document["value"], list):
        raise BkError(f"{key.name} cannot be {inert(text, 60)!r}", "", hints[key.kind], code=USAGE)
    return document["value"]


def _all_layers(state: State, system: str) -> list[str]:
    faults: list[str] = []
    try:
        load_system(system)
    except BkError as error:
        faults += error.detail.splitlines()
    try:
        load_user(state.config, state.owner)
    except BkError as error:
        faults += error.detail.splitlines()
    try:
        local.load(snapshot.local_of(state.config), state.owner)
    except BkError as error:
        faults += error.detail.splitlines()
    return faults or list(snapshot.read(state, system).problems)


def _whole(draft: Draft, verb: str) -> Proposal:
    refused = draft.refused()
    if refused:
        raise BkError("the system file does not let you", "\n".join(refused), f"root may change {SYSTEM}")
    return Proposal(draft, verb)


def _row(key: Key, policy: Policy) -> Row:
    return Row(key, policy.values[key.name], policy.origin[key.name], key.name in policy.locked)
