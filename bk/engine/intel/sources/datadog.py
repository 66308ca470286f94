"""DataDog's published indicators: CSV files whose columns differ from incident to incident, and sample manifests."""

from __future__ import annotations

import csv
import io
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch

KINDS = {"npm package": "npm", "pypi package": "pypi", "openvsx extension": "openvsx", "rubygems package": "rubygems"}
OWN = "datadog"


def parse(data: bytes, batch: Batch) -> None:
    """Add the packages of one CSV file; rows that speak of domains, hashes or images are not packages."""
    for row in csv.DictReader(io.StringIO(data.decode())):
        if "package_name" in row:
            listed = row.get("package_versions") or row.get("package_version") or ""
            batch.add("npm", row["package_name"], "exact", listed.split(","))
        elif "artifact_type" in row:
            _typed(row["artifact_type"], row["name"], row["affected_versions"], batch)
        elif row.get("type") in KINDS:
            name, _, version = row["indicator"].rpartition("@")
            _typed(row["type"], name, version, batch)


def vendors(data: bytes, batch: Batch) -> None:
    """Add a consolidated CSV file, leaving out rows that no vendor but DataDog itself stands behind."""
    for row in csv.DictReader(io.StringIO(data.decode())):
        if row["sources"].strip() == OWN:
            batch.note(f"left out, no vendor but {OWN} reports it: {row['package_name']}")
        else:
            batch.add("npm", row["package_name"], "exact", row["package_versions"].split(","))


def manifest(data: bytes, batch: Batch, ecosystem: str) -> None:
    """Add a manifest: null means built to be malicious, a list means hijacked in those versions."""
    for name, versions in json.loads(data).items():
        batch.add(ecosystem, name, "every" if versions is None else "exact", versions or ())


def _typed(kind: str, name: str, versions: str, batch: Batch) -> None:
    ecosystem = KINDS.get(kind)
    if ecosystem is None or not versions[:1].isdigit():
        batch.note(f"left out, not a package version: {kind} {name} {versions}")
    else:
        batch.add(ecosystem, name, "exact", versions.split(","))
