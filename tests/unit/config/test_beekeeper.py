"""Importing a Beekeeper config.json: counterparts only, and a reason for everything left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bk.engine.config import beekeeper
from bk.engine.errors import BkError

FULL = {
    "fail_mode": "warn",
    "socket": {"api_token": "sk-secret-value"},
    "watch": {"directories": ["/a"]},
    "redact_patterns": ["acme-[0-9]+", "(?<=bad)x", "acme-[0-9]+", 7],
    "audit": {"retention_days": 30, "max_size_bytes": 1, "sinks": ["syslog"], "https_endpoint": "https://log.example"},
    "llamafirewall": {"enabled": True, "python_path": "/tmp/evil"},
    "self_catalog": {"url": "https://self.example"},
    "catalog_sync": {"enabled": True, "interval": "2h"},
    "auto_quarantine": {"enabled": True, "dry_run": False, "threshold": 3},
    "corpus": {"enabled": True, "path": "/srv/corpus.ndjson"},
    "posture": {"release_age": {"action": "block"}, "allow": []},
    "surprise": 1,
}


def read(tmp_path: Path, document: object) -> beekeeper.Import:
    path = tmp_path / "config.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return beekeeper.read(str(path))


def test_what_has_a_counterpart_is_taken_and_the_rest_is_explained(tmp_path: Path) -> None:
    found = read(tmp_path, FULL)
    assert found.taken == {
        "fail_mode": "warn",
        "audit.redact_patterns": ["acme-[0-9]+"],
        "audit.retention_days": 30,
        "auto_quarantine.enabled": True,
        "auto_quarantine.threshold": 3,
        "corpus.enabled": True,
    }
    left = dict(found.left)
    assert len(left) == 17
    assert all(left.values())
    assert "RE2 cannot run" in left["redact_patterns[2]"]
    assert "never imported" in left["auto_quarantine.dry_run"]
    assert "nowhere else" in left["corpus.path"]
    assert "no key of Beekeeper" in left["surprise"]
    assert "secret" not in str(found.left)


@pytest.mark.parametrize("block", [{"enabled": True}, {"enabled": True, "dry_run": False}, {"dry_run": True}])
def test_no_import_can_start_real_moves(tmp_path: Path, block: dict[str, bool]) -> None:
    assert read(tmp_path, {"auto_quarantine": block}).taken.get("auto_quarantine.dry_run", True) is True


@pytest.mark.parametrize(("given", "taken"), [(0, {}), (5, {"auto_quarantine.threshold": 3}), ("2", {})])
def test_thresholds_out_of_range_are_told(tmp_path: Path, given: object, taken: dict[str, int]) -> None:
    found = read(tmp_path, {"auto_quarantine": {"threshold": given}})
    assert found.taken == taken
    assert len(found.left) == 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a":1,"a":2}', "[" * 100_000, '{"a":', "nul\0"])
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BkError):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BkError, match="no such file"):
        beekeeper.read(str(tmp_path / "none.json"))
