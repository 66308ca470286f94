"""PyPA advisories: OSV records in the small part of YAML that the advisory database writes.

The reader refuses what it does not know (anchors, flow collections, block scalars with indicators) instead of guessing.
"""

from __future__ import annotations

import re

from bk.engine.intel.sources import osv
from bk.engine.intel.sources.shape import mapping, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch
    from bk.engine.model import Json

POSSIBLE = "potential"
_MALICIOUS = re.compile(r"backdoor|malware|trojan|typosquat|malicious (?:package|version|release)", re.IGNORECASE)
_DEPTH_MAX = 64


def parse(data: bytes, batch: Batch) -> None:
    """Add one advisory, if it says that a package is malicious; a merely potential backdoor is no more than high."""
    record = mapping(read(written(data)), "the advisory")
    told = f"{record.get('summary', '')} {record.get('details', '')}"
    if not _MALICIOUS.search(told):
        batch.note(f"left out, not about a malicious package: {record.get('id')}")
        return
    osv.take(record, batch, "high" if POSSIBLE in told else "critical")


def read(text: str) -> Json:
    """The document as dictionaries, lists and text."""
    lines = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in text.split("\n") if line.strip()]
    if not lines:
        raise ValueError("YAML that this reader does not know: an empty document")
    value, at = _block(lines, 0, lines[0][0])
    if at != len(lines):
        raise ValueError(f"YAML that this reader does not know: {lines[at][1]!r}")
    return value


def _block(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[Json, int]:
    if indent > _DEPTH_MAX:
        raise ValueError("YAML that this reader does not know: it is nested too deeply")
    return _sequence(lines, at, indent) if lines[at][1].startswith("- ") else _mapping(lines, at, indent)


def _sequence(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[list[Json], int]:
    made: list[Json] = []
    while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
        rest = lines[at][1][2:].strip()
        value: Json
        if _key(rest) is not None:
            lines[at] = (indent + 2, rest)
            value, at = _mapping(lines, at, indent + 2)
        else:
            value, at = _scalar(rest, lines, at + 1, indent)
        made.append(value)
    return made, at


def _mapping(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[dict[str, Json], int]:
    made: dict[str, Json] = {}
    while at < len(lines) and lines[at][0] == indent and not lines[at][1].startswith("- "):
        key = _key(lines[at][1])
        if key is None or key in made:
            raise ValueError(f"YAML that this reader does not know: {lines[at][1]!r}")
        rest = lines[at][1][len(key) + 1 :].strip()
        at += 1
        if rest:
            made[key], at = _scalar(rest, lines, at, indent)
        elif at < len(lines) and (lines[at][0] > indent or (lines[at][0] == indent and lines[at][1].startswith("- "))):
            made[key], at = _block(lines, at, lines[at][0])
        else:
            made[key] = ""
    return made, at


def _key(text: str) -> str | None:
    """The key when the text begins a mapping entry."""
    name, colon, rest = text.partition(":")
    return name if colon and (not rest or rest[0] == " ") and name.replace("_", "").isalnum() else None


def _scalar(first: str, lines: list[tuple[int, str]], at: int, indent: int) -> tuple[str, int]:
    """Text, which may go on over deeper lines."""
    if first[0] in "&*!|>{[%@`":
        raise ValueError(f"YAML that this reader does not know: {first!r}")
    parts = [first]
    while at < len(lines) and lines[at][0] > indent:
        parts.append(lines[at][1])
        at += 1
    text = " ".join(parts)
    if text[0] in "\"'" and text[-1] == text[0] and len(text) > 1:
        text = text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]
    return text, at
