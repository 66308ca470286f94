"""DataDog's published findings: manifests of its dataset of samples, and CSV files of indicators for import.

A manifest maps a name to null (the package was built to be malicious: every version) or to the versions in which an
honest package was hijacked. The columns of the CSV files differ from incident to incident.
"""

from __future__ import annotations

import os
from functools import partial

from bk.engine.intel.sources.shape import document, mapping, named_rows, texts, understood, weakest
from bk.engine.intel.sources.source import FeedError, Fetched, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bk.engine.intel.sources import Batch
    from bk.engine.intel.sources.source import Setting
    from bk.engine.intel.web.client import Web

KINDS = {"npm package": "npm", "pypi package": "pypi", "openvsx extension": "openvsx", "rubygems package": "rubygems"}
OWN = "datadog"
PUBLISHERS = {"ast-results": "checkmarx", "cx-dev-assist": "checkmarx"}  # the CSV of that incident leaves them out
MANIFESTS = {"npm": "npm", "pypi": "pypi", "ide_extensions": "editor-extension", "ai-skills": "agent-skill"}
OPTIONAL = frozenset(("ai-skills",))
BASE = "https://raw.githubusercontent.com/DataDog/malicious-software-packages-dataset/main/samples"
MANIFEST_MAX = 64 * 1024 * 1024


def parse(data: bytes, batch: Batch) -> None:
    """Add the packages of one CSV file; rows that speak of domains, hashes or images are not packages."""
    for row in named_rows(data):
        if "package_name" in row:
            listed = row.get("package_versions") or row.get("package_version") or ""
            batch.add("npm", row["package_name"], "exact", listed.split(","))
        elif "artifact_type" in row:
            _typed(row["artifact_type"], row.get("name", ""), row.get("affected_versions", ""), batch)
        elif row.get("type") in KINDS:
            name, _, version = row.get("indicator", "").rpartition("@")
            _typed(row["type"], name, version, batch)


def vendors(data: bytes, batch: Batch) -> None:
    """Add a consolidated CSV file, leaving out rows that no vendor but DataDog itself stands behind."""
    for row in named_rows(data):
        if row.get("sources", "").strip() in (OWN, ""):
            batch.note(f"left out, no vendor but {OWN} reports it: {row.get('package_name')}")
        else:
            batch.add("npm", row.get("package_name", ""), "exact", row.get("package_versions", "").split(","))


def manifest(data: bytes, batch: Batch, ecosystem: str) -> None:
    """Add a manifest: null means built to be malicious, a list means hijacked in those versions."""
    for name, versions in mapping(document(data), "the manifest").items():
        if versions is None:
            batch.add(ecosystem, name, "every")
        else:
            batch.add(ecosystem, name, "exact", texts(versions, f"what the manifest says of {name[:80]!a}"))


def _typed(kind: str, name: str, versions: str, batch: Batch) -> None:
    ecosystem = KINDS.get(kind)
    if ecosystem is None or not versions[:1].isdigit():
        batch.note(f"left out, not a package version: {kind} {name} {versions}")
    else:
        if ecosystem == "openvsx" and name in PUBLISHERS:
            batch.note(f"repaired, no publisher: {name}")
            name = f"{PUBLISHERS[name]}.{name}"
        batch.add(ecosystem, name, "exact", versions.split(","))


class DataDog(Source):
    """The manifests of the public dataset; the samples themselves are never asked for."""

    name = "datadog"
    title = "DataDog malicious software packages dataset"
    group = "datadog"
    licence = "Apache-2.0"
    about = "Packages, editor extensions and skills that DataDog triaged as malicious or hijacked."
    default = True
    hosts = ("raw.githubusercontent.com",)

    def fetch(self, web: Web, folder: str, setting: Setting) -> Fetched:  # noqa: ARG002 - the Web writes there
        """Ask for each manifest; one that is not there is only bearable where upstream may not have it."""
        base = (setting.url or BASE).rstrip("/")
        got = []
        for kind in MANIFESTS:
            try:
                got.append(web.get(f"{base}/{kind}/manifest.json", f"{kind}.json", max_bytes=MANIFEST_MAX))
            except FeedError as error:
                if kind not in OPTIONAL or error.kind != "status":
                    raise
        return Fetched(weakest(*(each.provenance for each in got)), changed=any(each.changed for each in got))

    def parse(self, folder: str, batch: Batch) -> None:
        """Add what the manifests on disk say."""
        for kind, ecosystem in MANIFESTS.items():
            path = f"{folder}/{kind}.json"
            if kind not in OPTIONAL or os.path.exists(path):
                understood(path, partial(manifest, batch=batch, ecosystem=ecosystem))
