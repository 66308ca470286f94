"""GitHub's advisories, as its API writes them and as the files of its database are."""

from __future__ import annotations

import json

from bk.engine.intel.sources import github
from tests.fuzz._feeds import altered_json, read

ADVISORY = {
    "ghsa_id": "GHSA-aaaa-bbbb-cccc",
    "type": "malware",
    "severity": "critical",
    "published_at": "2026-01-02T03:04:05Z",
    "withdrawn_at": None,
    "identifiers": [{"type": "GHSA", "value": "GHSA-aaaa-bbbb-cccc"}],
    "vulnerabilities": [
        {"package": {"ecosystem": "npm", "name": "invented"}, "vulnerable_version_range": "= 1.0.0"},
        {"package": {"ecosystem": "pip", "name": "Invented_Py"}, "vulnerable_version_range": ">= 1.0, < 2.0"},
    ],
}
RECORD = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2026-01-02T03:04:05Z",
    "aliases": ["MAL-2026-1"],
    "affected": [{"package": {"ecosystem": "npm", "name": "invented"}, "versions": ["1.0.0"]}],
    "database_specific": {"cwe_ids": ["CWE-506"]},
}
SEEDS = [
    json.dumps(ADVISORY).encode(),
    json.dumps([ADVISORY, {**ADVISORY, "withdrawn_at": "2026-02-01T00:00:00Z"}]).encode(),
    json.dumps(RECORD).encode(),
]


def one(data: bytes) -> None:
    """Read `data` as advisories."""
    read(github.parse, data)
    read(github.parse, altered_json(data, SEEDS))
