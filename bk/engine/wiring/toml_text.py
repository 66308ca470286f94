"""Tables put at the end of a TOML document and taken out again as text: everything else stays to the byte. Pure."""

from __future__ import annotations

import json
import re
import tomllib

from bk.engine.wiring.alike import alike

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bk.engine.model import Json

BOM = "\ufeff"
_HEADER = re.compile(r"[ \t]*\[")


def read(text: str) -> dict[str, Json]:
    """What the document says; ValueError when it is none."""
    plain = text.removeprefix(BOM).replace("\r\n", "\n")
    return dict(tomllib.loads(plain))


def appended(text: str, name: str, row: dict[str, Json]) -> str:
    """The text with a table more in the array of tables `name`."""
    before = read(text)
    there = before.get(name)
    if there == []:
        text = _emptied(text, name)
        there = None if name not in read(text) else there
    if there is not None and (
        not isinstance(there, list) or not re.search(rf"^[ \t]*\[\[\s*{name}\s*\]\]", text, re.M)
    ):
        raise ValueError(f"{name} is written as a value, and would have to be [[{name}]]")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [f"[[{name}]]", *(f"{key} = {_value(value)}" for key, value in row.items())]
    gap = "" if not text or text.endswith("\n") else newline
    between = newline if text.strip(BOM).strip() else ""
    made = f"{text}{gap}{between}{newline.join(lines)}{newline}"
    try:
        added = alike(read(made), {**before, name: [*(there or []), row]})
    except ValueError:
        added = False
    if not added:
        raise ValueError(f"{name} cannot be added to without changing something else")
    return made


def without(text: str, name: str, ours: Callable[[Json], bool]) -> str:
    """The text without our tables in the array of tables `name`."""
    before = read(text)
    rows = before.get(name)
    if not isinstance(rows, list) or not any(ours(row) for row in rows):
        return text
    left = [row for row in rows if not ours(row)]
    kept: list[str] = []
    for block in _blocks(text):
        if re.match(rf"[ \t]*\[\[\s*{name}\s*\]\]", block) and _is_ours(block, name, ours):
            if kept and kept[-1].endswith(("\n\n", "\n\r\n")):  # the empty line that was put before it
                kept[-1] = kept[-1][: -2 if kept[-1].endswith("\r\n") else -1]
            continue
        kept.append(block)
    made = "".join(kept)
    wanted = {**before, name: left} if left else {key: value for key, value in before.items() if key != name}
    if not alike(read(made), wanted):
        raise ValueError(f"our entries in {name} cannot be told from what stands around them")
    return made


def rows(text: str, name: str) -> list[Json]:
    """The tables in the array `name`; nothing where there is none."""
    found = read(text).get(name)
    return list(found) if isinstance(found, list) else []


def _emptied(text: str, name: str) -> str:
    """The text without the words that say that the list is empty; what is said of it in that line stays."""
    empty = re.compile(rf"^([ \t]*){name}[ \t]*=[ \t]*\[\s*\][ \t]*(?:(#[^\n]*(?:\n|\Z))|\r?\n|\r?\Z)", re.MULTILINE)
    bom, bare = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    made = bom + empty.sub(lambda found: f"{found[1]}{found[2]}" if found[2] else "", bare, count=1)
    try:
        return made if name not in read(made) else text
    except ValueError:
        return text


def _blocks(text: str) -> Sequence[str]:
    """The text cut before every line that looks like the head of a table."""
    blocks: list[str] = [""]
    for line in text.splitlines(keepends=True):
        if _HEADER.match(line):
            blocks.append("")
        blocks[-1] += line
    return [block for block in blocks if block]


def _is_ours(block: str, name: str, ours: Callable[[Json], bool]) -> bool:
    try:
        found = read(block).get(name)
    except ValueError:
        return False
    return isinstance(found, list) and len(found) == 1 and ours(found[0])


def _value(value: Json) -> str:
    """A value on one line; of text TOML and JSON have the same basic strings."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
