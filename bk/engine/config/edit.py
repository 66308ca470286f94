"""Changing the user's settings: propose, validate, show the difference, save. Comments and order stay as they are."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bk.engine.config import local
from bk.engine.config.files import USER_CAP, replace, text_of, unfit
from bk.engine.config.key import Key
from bk.engine.config.layers import Layer, load_system, merge, parse
from bk.engine.config.policy import SYSTEM, Policy
from bk.engine.config.schema import BY_NAME, nearest
from bk.engine.config.snapshot import local_of
from bk.engine.errors import USAGE, BkError, Refusal
from bk.engine.state import State
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

FRESH = b"# The settings of bk. `bk config show` lists every key; docs/configuration.md explains them.\n"


class Change:
    """One key whose effective value would be another. `tighter` is None where neither can be called tighter."""

    __slots__ = ("key", "new", "old")

    def __init__(self, key: Key, old: Json, new: Json) -> None:
        self.key = key
        self.old = old
        self.new = new

    @property
    def needs_person(self) -> bool:
        """Whether an agent must not make this change: anything that a project file could not do either."""
        return not (self.key.project and self.key.at_least(self.old, self.new))

    def told(self) -> dict[str, Json]:
        """The change for a record, with secrets left out."""
        old, new = (shown(self.key, value) for value in (self.old, self.new))
        direction = "tighter" if not self.needs_person else "looser" if self.key.order != "fixed" else "other"
        return {"key": self.key.name, "old": old, "new": new, "direction": direction}


def shown(key: Key, value: Json) -> Json:
    """A value that may be recorded: a redaction pattern often quotes the very secret it hides."""
    if key.secret:
        return f"[{len(value)} not shown]" if value else []
    return value


class Draft:
    """A proposed config.toml. `text` is what would be saved; nothing is written before `save`."""

    def __init__(self, state: State, system: str = SYSTEM) -> None:
        self.state = state
        self.path = state.config
        self._system = system
        self._before = _bytes(self.path)
        self.text = text_of(FRESH if self._before is None else self._before, self.path)

    def set(self, name: str, value: Json) -> None:
        """State a value; a value out of a clamped range is refused here, where a person can still choose."""
        key = known(name)
        try:
            value, note = key.read(value)
        except ValueError as error:
            raise BkError(f"{name} cannot be set", f"{name} {error}", f"bk config get {name}", code=USAGE) from error
        if note:
            raise BkError(f"{name} cannot be set", f"{name} is outside {key.bounds}", "choose a value in range")
        self._edit(name, value)

    def unset(self, name: str) -> None:
        """Stop stating a value, so that the layer below shows."""
        known(name)
        if name not in self._stated():
            raise BkError(f"{name} is not set", f"{self.path} does not state it", "bk config show --origin")
        self._edit(name, None)

    def add(self, name: str, item: str) -> None:
        """Append an item to a list, at the end of what this file states."""
        stated = self._list(name)
        if item in stated:
            raise BkError(f"{name} has that item already", inert(item, 200), f"bk config get {name}")
        self.set(name, [*stated, item])

    def remove(self, name: str, item: str) -> None:
        """Take an item out of a list."""
        stated = self._list(name)
        if item not in stated:
            raise BkError(f"{name} has no such item", inert(item, 200), f"bk config get {name}")
        self.set(name, [each for each in stated if each != item])

    def replace(self, text: str) -> None:
        """Propose a whole new text, as an editor leaves it."""
        self.text = text

    def policy(self) -> Policy:
        """The policy that the proposed text would give; BkError names everything wrong with it."""
        if len(self.text.encode()) > USER_CAP:
            raise unfit(self.path, f"it is larger than {USER_CAP:,} bytes", "make it smaller")
        above = self._above()
        return merge(above, self._local(parse(self.text, self.path), above))

    def changes(self) -> list[Change]:
        """The keys whose effective value the proposal changes."""
        after = self.policy()
        before = self._policy_before()
        return [Change(key, before.values[n], after.values[n]) for n, key in BY_NAME.items()
                if before.values[n] != after.values[n]]  # fmt: skip

    def refused(self) -> list[str]:
        """What the proposal states and would not get, because the system file keeps it."""
        return [problem for problem in self.policy().problems if "is not used in full" in problem]

    def digests(self) -> tuple[str, str]:
        """What identifies the policy before and after."""
        return self._policy_before().digest, self.policy().digest

    def diff(self) -> str:
        """The difference as a unified diff, "" when there is none."""
        from difflib import unified_diff

        old = (self._before or b"").decode(errors="replace").splitlines()
        lines = unified_diff(old, self.text.splitlines(), "config.toml", "config.toml (proposed)", lineterm="", n=2)
        return "\n".join(lines)

    def save(self, record: Callable[[], None] | None = None) -> None:
        """Validate, record, put in place; refuse when the file is no longer the one that was read.

        `record` runs when everything but the rename is done, so a change that cannot be recorded is not made.
        """
        self.policy()
        with _only_writer(self.state):
            if _bytes(self.path) != self._before:
                raise BkError(
                    "the settings were changed meanwhile",
                    f"{self.path} is not what it was when this change began",
                    "look at it with `bk config show`, then make the change again",
                )
            if record is not None:
                record()
            data = self.text.encode()
            try:
                replace(self.path, data)
            except OSError as error:
                raise BkError("the settings cannot be saved", f"{self.path}: {error.strerror}") from error
            self._before = data

    def _above(self) -> Layer:
        return load_system(self._system)

    def _policy_before(self) -> Policy:
        try:
            own = parse((self._before or b"").decode(), self.path)
        except (BkError, UnicodeDecodeError):
            from bk.engine.config import snapshot

            try:
                return snapshot.read(self.state, self._system)  # the last good one, which is what is in force
            except Refusal:
                own = Layer()  # nothing is in force: repairing is compared with the defaults
        above = self._above()
        return merge(above, self._local(own, above))

    def _local(self, own: Layer, above: Layer) -> Layer:
        """The user's layer as `config.local.toml` changes it; a wrong one changes nothing here: it is told."""
        try:
            return local.over(own, above, local.load(local_of(self.path), self.state.owner))
        except BkError:
            return own

    def _stated(self) -> Mapping[str, Json]:
        return parse(self.text, self.path).values

    def _list(self, name: str) -> list[str]:
        if known(name).kind != "list":
            raise BkError(
                f"{name} is not a list", f"it is {known(name).bounds}", f"bk config set {name} VALUE", code=USAGE
            )
        return list(self._stated().get(name, []))

    def _edit(self, name: str, value: Json) -> None:
        """Change one key in the text, and make sure that nothing else came to mean something else."""
        before = dict(self._stated())
        document = _document(self.text, self.path)
        _place(document, name.split("."), value)
        text = document.as_string()
        expected = {**before, name: value}
        if value is None:
            del expected[name]
        if parse(text, self.path).values != expected:
            raise BkError(
                f"{name} cannot be changed without touching the rest",
                f"{self.path} is written in a way that this command cannot keep",
                "bk config edit",
            )
        self.text = text


def known(name: str) -> Key:
    """The key with this name; BkError suggests the nearest when there is none."""
    if name in BY_NAME:
        return BY_NAME[name]
    meant = nearest(name)
    hint = f"did you mean {meant}?" if meant else "`bk config show` lists the keys"
    raise BkError(f"there is no key {inert(name, 60)!r}", "", hint, code=USAGE)


def _bytes(path: str) -> bytes | None:
    """The file as it is, None when there is none; a link is refused because saving would replace it."""
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unfit(path, error.strerror or "", "make it readable for you") from error
    if not stat.S_ISREG(info.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(info.st_mode) else "not a plain file"
        raise unfit(path, f"it is {kind}", "replace it by a plain file")
    try:
        with open(path, "rb") as file:
            return file.read(USER_CAP + 1)
    except OSError as error:
        raise unfit(path, error.strerror or "", "make it readable for you") from error


def _document(text: str, path: str) -> Any:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise BkError("the settings are not valid", inert(f"{path}: {error}", 300), "bk config edit") from error


def _place(document: Any, parts: list[str], value: Json) -> None:
    import tomlkit

    *tables, last = parts
    place = document
    for at, table in enumerate(tables):
        if table not in place:
            if at:  # a header here would take in the keys that follow; a dotted key takes in nothing
                whole = not hasattr(place, "append")  # a table that is written in several places
                (document if whole else place).append(tomlkit.key(parts if whole else parts[at:]), value)
                return
            place[table] = tomlkit.table()
        place = place[table]
    if value is None:
        del place[last]
    elif isinstance(value, list) and last in place:
        _list_to(place[last], value)
    else:
        place[last] = value


def _list_to(array: Any, wanted: list[str]) -> None:
    """Make an array hold `wanted`, leaving the items that stay, and their comments, where they are."""
    for at in range(len(array) - 1, -1, -1):
        if array[at] not in wanted:
            del array[at]
    if [str(each) for each in array] == wanted[: len(array)]:
        for item in wanted[len(array) :]:
            array.append(item)
        return
    array.clear()
    array.extend(wanted)


@contextmanager
def _only_writer(state: State) -> Iterator[None]:
    """One bk process at a time between looking at the file and replacing it."""
    import fcntl

    fd = os.open(f"{state.root}/config.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
