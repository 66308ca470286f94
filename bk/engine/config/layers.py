"""From TOML text to a layer, and from layers to the effective policy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from bk.engine.config.files import USER_CAP, take, unfit
from bk.engine.config.policy import Policy
from bk.engine.config.schema import BY_NAME, KEYS, in_step, nearest
from bk.engine.errors import BkError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.model import Json

MAX_FAULTS = 12
_HEADER = re.compile(r"\s*\[\s*([\w.\"' -]+?)\s*\]")


class Layer:
    """What one file states explicitly: nothing else of it may reach the policy, or defaults would hide lower layers."""

    __slots__ = ("locked", "notes", "values")

    def __init__(
        self, values: Mapping[str, Json] | None = None, locked: tuple[str, ...] = (), notes: tuple[str, ...] = ()
    ) -> None:
        self.values = dict(values or {})
        self.locked = locked
        self.notes = notes


def parse(text: str, where: str, *, system: bool = False) -> Layer:
    """A whole file, or one BkError that names everything wrong with it."""
    layer, faults = examine(text, where, system=system)
    if faults:
        raise BkError("the settings are not valid", "\n".join(faults), f"correct {where}, then `bk config validate`")
    return layer


def examine(text: str, where: str, *, system: bool = False, base: str = "") -> tuple[Layer, list[str]]:
    """Everything in the text that is valid, and a sentence for everything that is not.

    `base` is the directory that relative globs are meant in, for files that belong to one.
    """
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error).replace("(at end of document)", f"(at line {text.count(chr(10)) + 1}, the end)")
        return Layer(), [inert(f"{where}: {told}", 300)]
    except (RecursionError, ValueError) as error:  # nesting without end; numbers of thousands of digits
        return Layer(), [inert(f"{where}: it cannot be parsed: {type(error).__name__}", 300)]
    values: dict[str, Json] = {}
    faults: list[str] = []
    notes: list[str] = []
    locked: tuple[str, ...] = ()
    unsaid = 0
    for name, raw in _flat(document):
        key = BY_NAME.get(name)
        if len(faults) >= MAX_FAULTS and key is None:
            unsaid += 1  # explaining thousands would cost more than the call has time for
        elif name == "locked" and system:
            locked = _locked(raw, where, faults)
        elif key is None:
            faults.append(_unknown(name, text, where, system))
        else:
            try:
                values[name], note = key.read(_based(raw, base) if key.item == "glob" and base else raw)
            except ValueError as error:
                faults.append(_at(where, text, name, str(error)))
            else:
                if note:
                    notes.append(_at(where, text, name, note))
    if unsaid:
        faults.append(f"{where}: {unsaid} more faults")
    return Layer(values, locked, tuple(notes)), faults


def _based(raw: Json, base: str) -> Json:
    """Relative globs put under the directory of their file, whose own name is taken literally."""
    if not isinstance(raw, list):
        return raw
    folder = re.sub(r"([*?[])", r"[\1]", base)
    plain = ("/", "~/", "**")
    return [
        f"{folder}/{each.removeprefix('./')}" if isinstance(each, str) and each and not each.startswith(plain) else each
        for each in raw
    ]


def _flat(document: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Dotted names and values; a table deeper than any key is yielded as it is, and is unknown."""
    tables = {name[:at] for name in BY_NAME for at, char in enumerate(name) if char == "."}
    waiting = list(document.items())[::-1]
    while waiting:
        name, value = waiting.pop()
        if name in tables and isinstance(value, dict):
            waiting += [(f"{name}.{inner}", raw) for inner, raw in value.items()][::-1]
        else:
            yield name, value


def _locked(raw: Json, where: str, faults: list[str]) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        faults.append(f'{where}: locked is not a list of key names, such as ["fail_mode"]')
        return ()
    faults += [f"{where}: locked names {inert(repr(name), 60)}, which is no key" for name in raw if name not in BY_NAME]
    return tuple(name for name in dict.fromkeys(raw) if name in BY_NAME)


def _unknown(name: str, text: str, where: str, system: bool) -> str:
    if name == "locked" and not system:
        return _at(where, text, name, "only the system file may lock keys")
    meant = nearest(name)
    return _at(where, text, name, f"there is no such key; did you mean {meant}?" if meant else "there is no such key")


def _at(where: str, text: str, name: str, reason: str) -> str:
    line = line_of(text, name)
    return inert(f"{where}{f':{line}' if line else ''}: {inert(name, 60)} {reason}", 300)


def line_of(text: str, name: str) -> int:
    """The line that sets a key, 0 when it cannot be told cheaply."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header and "=" not in line.partition("]")[0]:
            table = header[1].replace(" ", "")
            if table == name:
                return number
            continue
        word = line.partition("=")[0].replace(" ", "").replace('"', "").replace("'", "")
        if "=" in line and (f"{table}.{word}" if table else word) == name:
            return number
    return 0


def load_user(path: str, owner: int) -> Layer:
    """The user's file."""
    text = take(path, USER_CAP, (owner, 0))
    return Layer() if text is None else parse(text, path)


def load_system(path: str) -> Layer:
    """The system file: only what root alone can have written counts."""
    text = take(path, USER_CAP, (0,))
    if text is None:
        return Layer()
    folder = os.path.dirname(path)
    info = os.stat(folder)
    if info.st_uid != 0 or info.st_mode & 0o022:
        raise unfit(path, f"its directory {folder} is not root's alone", f"chown root {folder} && chmod 755 {folder}")
    return parse(text, path, system=True)


def merge(system: Layer, user: Layer, problems: tuple[str, ...] = ()) -> Policy:
    """Built-in, then system, then user; what the system locks, the user can only tighten."""
    values: dict[str, Json] = {}
    origin: dict[str, str] = {}
    found = [*problems, *system.notes, *user.notes]
    for key in KEYS:
        name = key.name
        values[name], origin[name] = key.default, "built-in"
        if name in system.values:
            values[name], origin[name] = system.values[name], "system"
        if name not in user.values:
            continue
        offered = user.values[name]
        if key.kind == "lists":  # each list by itself, so that naming one does not unname the system's
            offered = {**values[name], **offered}
        if (key.relax == "system" or name in system.locked) and not key.at_least(values[name], offered):
            held = "the system file locks it" if name in system.locked else "only the system file may loosen it"
            found.append(f"{name}: the user's value is not used in full: {held}")
            offered = key.tighten(values[name], offered)
        if offered != values[name] or name not in system.values:
            values[name], origin[name] = offered, "user"
    found += out_of_step(values, origin)
    return Policy(values, origin, found, system.locked)


def out_of_step(values: dict[str, Json], origin: dict[str, str]) -> list[str]:
    """Put thresholds in order by lowering, and say which were not; each takes the origin of the one above it."""
    stated = dict(values)
    told = []
    for low, high in in_step(values):
        told.append(f"{low} = {stated[low]} is above {high} = {stated[high]}; it is lowered")
        origin[low] = origin[high]
    return told
