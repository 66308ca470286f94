"""The real catalogs: each file says in bk what it says upstream, and each incident is found, with its edges."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bk.engine.intel import bundle_build, bundle_check
from bk.engine.intel.bundle import FACTS
from bk.engine.intel.compact import parse

from .asking import FILES

REAL = FILES / "real"


@pytest.fixture
def catalogs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REAL, tmp_path / "catalogs"))


def test_every_file_and_every_incident() -> None:
    made = bundle_check.check(REAL)
    assert made.wrong == []
    assert made.figures["files"] == 183
    assert made.figures["facts"] == 3398
    assert made.figures["incidents"] >= 25
    assert made.figures["found"] >= 60
    assert made.figures["clean"] >= 70
    assert made.figures["neighbours"] > 2800


def test_a_release_carries_just_these_facts() -> None:
    records, _ = bundle_build.collect(REAL)
    assert records == list(parse(Path(FACTS).read_text(encoding="utf-8"), "facts.tsv"))


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("bumblebee/shopsprint-decimal-typosquat.json", "1.3.3", "1.3.4", "decimal v1.3.3: False, expected True"),
        ("bumblebee/nx-console-vscode-2026-05-18.json", '"18.95.0"', '"18.95.0", "1.0.0"', "versions: 2, expected 1"),
        ("ossf-malicious-packages/MAL-2026-4750.json", '"withdrawn"', '"_"', "fastapi 0.136.3: True, expected False"),
        ("rustsec/raw/RUSTSEC-2026-0175.md", "> 1.4.1", "> 1.5.0", "onering 1.4.2: True, expected False"),
        ("datadog-dataset/ide_extensions-manifest.json", '"498-00.httpformat": null,', "", "claims: 76, expected 77"),
        ("cobenian-shai-hulud-detect/compromised-packages.txt", "pypi:litellm:1.82.7", "npm:l:1.82.7", "pypi: 51"),
    ],
)
def test_what_differs_is_told(catalogs: Path, file: str, old: str, new: str, told: str) -> None:
    path = catalogs / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert any(told in wrong for wrong in bundle_check.check(catalogs).wrong)


def test_merged_rows_are_all_asked_for(catalogs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = catalogs / bundle_check.ROWS
    rows.write_text('{"ecosystem": "npm", "name": "chalk", "version": "5.6.1"}\n', encoding="utf-8")
    assert bundle_check.main(str(catalogs)) == 0
    assert "1 merged rows" in capsys.readouterr().out
    rows.write_text('{"ecosystem": "npm", "name": "chalk", "version": "5.6.2"}\n', encoding="utf-8")
    assert bundle_check.main(str(catalogs)) == 1
    assert "chalk" in capsys.readouterr().out
