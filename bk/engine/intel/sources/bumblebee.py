"""Bumblebee exposure catalogs, schema 0.1 and 0.2: exact versions, or `*` for every version."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch
    from bk.engine.model import Json

READS = ("0.1.", "0.2.")
SEVERITIES = {"critical": "critical", "high": "high", "moderate": "medium", "medium": "medium", "low": "low"}


def parse(data: bytes, batch: Batch) -> None:
    """Add the entries of one catalog file."""
    catalog = json.loads(data)
    schema = catalog.get("schema_version")
    if not isinstance(schema, str) or not schema.startswith(READS):
        raise ValueError(f"schema_version {schema!r} is not one that this reader knows")
    for entry in catalog["entries"]:
        _take(entry, batch)
    for entry in catalog.get("_cargo_packages", {}).get("packages", ()):
        _take({"ecosystem": "cargo", "severity": "critical", **entry}, batch)


def _take(entry: Json, batch: Batch) -> None:
    name, versions = entry["package"], entry["versions"]
    if name.startswith("@@"):
        batch.note(f"repaired, doubled @: {name}")
        name = name[1:]
    severity = SEVERITIES.get(str(entry.get("severity", "")).lower(), "high")
    kind = "every" if versions == ["*"] else "exact"
    ident = str(entry.get("id", ""))
    batch.add(entry["ecosystem"], name, kind, () if kind == "every" else versions, severity=severity, ident=ident)
