"""Nobody calls a claim proven but the few places that prove it: walked over the syntax tree of all of bk."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import bk
from bk.engine.provenance import PinnedOrigin, Signature, Unproven

ROOT = Path(bk.__file__).parent
MAKERS = {
    "Signature": {"engine/intel/signed.py"},
    "SignedFeed": {"engine/intel/signed.py"},
    "PinnedOrigin": {"engine/intel/web/client.py", "engine/catalogs/importing.py", "engine/intel/bundle_build.py"},
}
READERS = {  # our own files, which carry on what was established when they were written
    "engine/catalogs/accepted.py",
    "engine/intel/compact.py",
    "engine/intel/index.py",
    "engine/intel/merge.py",
    "engine/intel/overlay.py",
    "engine/intel/sources/socket.py",
}


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """File, name and node of every call of a provenance's maker, under whatever name it was imported."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if not any(name in text for name in (*MAKERS, "stored")):
            continue  # whatever it is imported as, the name stands in the file
        tree = ast.parse(text)
        known = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module in ("bk.engine.provenance", "bk.engine.intel.signed")
            for alias in node.names
        }
        local = {node.name: node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name):
                name = {**known, **local}.get(node.func.id, "")
            else:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in (*MAKERS, "stored") and where != "engine/provenance.py":
                found.append((where, name, node))
    return found


def test_proofs_are_made_only_where_something_is_proven() -> None:
    made = {name: {where for where, each, _ in calls() if each == name} for name in MAKERS}
    for name, places in made.items():
        assert places <= MAKERS[name], f"{name} is made in {sorted(places - MAKERS[name])}"
    assert made["Signature"], "the walk finds what is there"
    assert made["PinnedOrigin"]


def test_only_our_own_files_carry_a_provenance_on() -> None:
    stored = [(where, node) for where, name, node in calls() if name == "stored"]
    assert stored
    assert {where for where, _ in stored} <= READERS
    assert not [where for where, node in stored if any(isinstance(each, ast.Constant) for each in node.args)]


@pytest.mark.parametrize("attribute", ["real", "word"])
def test_what_a_provenance_is_worth_cannot_be_changed(attribute: str) -> None:
    with pytest.raises(AttributeError):
        setattr(Unproven("anybody"), attribute, True)
    assert (Unproven().real, Signature().real, PinnedOrigin().real) == (False, True, True)
