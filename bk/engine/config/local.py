"""`config.local.toml`: what this machine adds to lists and takes out of them, without stating them whole again.

A list of the settings is named as a table with `append` and `exclude`; `[rules] disabled = […]` is short for its
`append`. Nothing but lists can be changed here.
"""

from __future__ import annotations

from bk.engine.config.files import USER_CAP, take
from bk.engine.config.layers import Layer, line_of
from bk.engine.config.schema import BY_NAME, nearest
from bk.engine.errors import BkError
from bk.text import inert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bk.engine.model import Json

MAX_FAULTS = 12
NAME = "config.local.toml"
VERBS = ("append", "exclude")
OWN = "lists"
OFF = "rules.disabled"


def load(path: str, owner: int) -> dict[str, dict[str, list[str]]]:
    """What the file changes, by list; nothing when there is no file."""
    text = take(path, USER_CAP, (owner, 0))
    return {} if text is None else parse(text, path)


def parse(text: str, where: str) -> dict[str, dict[str, list[str]]]:
    """The changes in a whole file, or one BkError that names everything wrong with it."""
    changes, faults = examine(text, where)
    if faults:
        raise BkError("the settings are not valid", "\n".join(faults), f"correct {where}, then `bk config validate`")
    return changes


def examine(text: str, where: str) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    """Every change that is valid, and a sentence for everything that is not."""
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, [inert(f"{where}: {error}", 300)]
    except (RecursionError, ValueError) as error:
        return {}, [inert(f"{where}: it cannot be parsed: {type(error).__name__}", 300)]
    changes: dict[str, dict[str, list[str]]] = {}
    faults: list[str] = []
    for name, raw in _named(document):
        try:
            changes[name] = _change(name, raw)
        except ValueError as error:
            line = line_of(text, name)
            faults.append(inert(f"{where}{f':{line}' if line else ''}: {inert(name, 60)} {error}", 300))
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [f"{where}: {len(faults) - MAX_FAULTS} more faults"]
    return changes, faults


def read(kept: Mapping[str, Json]) -> dict[str, dict[str, list[str]]]:
    """Changes that were valid once, as they are valid now; ValueError when one no longer is."""
    return {name: _change(name, raw) for name, raw in kept.items()}


def over(own: Layer, above: Layer, changes: Mapping[str, Mapping[str, list[str]]]) -> Layer:
    """The user's layer with its lists changed; each starts from what would be in force without this file."""
    if not changes:
        return own
    values = dict(own.values)
    notes = list(own.notes)
    for name, change in changes.items():
        table, _, inner = name.partition(".")
        key = OWN if table == OWN else name
        held: Json = values.get(key, above.values.get(key, BY_NAME[key].default))
        lists: dict[str, list[str]] = {}
        if key == OWN:
            lists = dict(held)
            held = lists.get(inner, above.values.get(OWN, {}).get(inner, []))
        absent = [item for item in change["exclude"] if item not in held]
        notes += [f"config.local.toml: {name} excludes {inert(repr(item), 60)}, which is not in it" for item in absent]
        kept = [item for item in held if item not in change["exclude"]]
        kept += [item for item in change["append"] if item not in kept]
        values[key] = {**lists, inner: kept} if key == OWN else kept
    return Layer(values, own.locked, tuple(notes))


def _named(document: Mapping[str, Json]) -> list[tuple[str, Json]]:
    """Two levels: a table and a key in it."""
    pairs: list[tuple[str, Json]] = []
    for table, inside in document.items():
        if isinstance(inside, dict) and inside:
            pairs += [(f"{table}.{name}", raw) for name, raw in inside.items()]
        else:
            pairs.append((table, inside))
    return pairs


def _change(name: str, raw: Json) -> dict[str, list[str]]:
    """One list's change in its own type; ValueError says what is wrong."""
    table, _, inner = name.partition(".")
    key = BY_NAME.get(OWN if table == OWN and inner else name)
    if key is None or key.kind not in ("list", OWN):
        if key is not None:
            raise ValueError("is not a list: this file only changes lists; set it in config.toml")
        meant = nearest(name, [each for each in BY_NAME if BY_NAME[each].kind == "list"])
        raise ValueError("is no list" + (f"; did you mean {meant}?" if meant else ""))
    if isinstance(raw, list) and name == OFF:
        raw = {"append": raw}
    if not isinstance(raw, dict):
        raise ValueError("must say append = […] or exclude = […]: config.toml states a list whole")
    odd = next((word for word in raw if word not in VERBS), "")
    if odd or not raw:
        raise ValueError(f"says {odd[:40]!r}; append and exclude are known" if odd else "says nothing")
    read: dict[str, list[str]] = {}
    for verb in VERBS:
        items = raw.get(verb, [])
        if key.kind == OWN:
            read[verb] = key.read({inner: items})[0][inner]
        else:
            read[verb] = key.read(items)[0]
    return read
