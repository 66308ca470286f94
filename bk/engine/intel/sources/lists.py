"""Plain lists of exact versions: `[ecosystem:]name:version` text, and JSON lines of name and version."""

from __future__ import annotations

import json

from bk.engine.intel.sources import ECOSYSTEMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch

DEFAULT = "npm"


def parse(data: bytes, batch: Batch) -> None:
    """Add a text list; the last colon splits off the version, an unknown prefix is part of an npm name."""
    listed: dict[tuple[str, str], list[str]] = {}
    for line in data.decode().splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        name, colon, version = text.rpartition(":")
        if not colon:
            batch.note(f"left out, no version: {text}")
            continue
        prefix, colon, rest = name.partition(":")
        known = bool(colon) and prefix in ECOSYSTEMS
        listed.setdefault((prefix, rest) if known else (DEFAULT, name), []).append(version)
    for (ecosystem, name), versions in listed.items():
        batch.add(ecosystem, name, "exact", versions)


def json_lines(data: bytes, batch: Batch) -> None:
    """Add JSON lines, all npm."""
    listed: dict[str, list[str]] = {}
    for line in data.decode().splitlines():
        if line.strip():
            row = json.loads(line)
            listed.setdefault(row["name"], []).append(row["version"])
    for name, versions in listed.items():
        batch.add(DEFAULT, name, "exact", versions)
