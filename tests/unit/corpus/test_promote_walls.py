"""What nothing that follows from an outcome can reach: the code that deletes, and any network."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bk

ROOT = Path(bk.__file__).parent
ALL = """
import importlib, pkgutil, sys
for package in sys.argv[1:]:
    top = importlib.import_module(package)
    for each in pkgutil.walk_packages(top.__path__, package + "."):
        importlib.import_module(each.name)
print("\\n".join(sys.modules))
"""
NETWORK = ("requests", "urllib3", "http", "http.client", "ssl", "_ssl", "socket", "_socket", "asyncio")


@pytest.mark.parametrize("package", ["bk.engine.corpus", "bk.engine.responder"])
def test_with_everything_of_it_loaded_nothing_deletes_and_nothing_speaks(package: str) -> None:
    done = subprocess.run([sys.executable, "-I", "-c", ALL, package], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert f"{package}.{'promote' if package.endswith('corpus') else 'round'}" in loaded
    assert "bk.quarantine.vault" in loaded  # it can move: so the walk went all the way
    assert "bk.quarantine.purge" not in loaded
    assert loaded.isdisjoint(NETWORK)
    assert not [name for name in loaded if name.startswith(("bk.engine.intel.web", "bk.engine.catalogs"))]


def test_what_follows_from_an_outcome_removes_no_file() -> None:
    """The modules that act on an outcome name no way to unlink, and none of the vault's steps themselves."""
    forbidden = {"unlink", "rmtree", "rmdir", "remove", "removedirs", "purge", "hold", "restore"}
    for name in ("corpus/promote.py", "corpus/wishes.py", "corpus/batch.py", "corpus/adjudicate.py",
                 "responder/unwind.py"):  # fmt: skip
        tree = ast.parse((ROOT / "engine" / name).read_text(encoding="utf-8"))
        called = {
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        }
        assert called.isdisjoint(forbidden), name


def callers(word: str) -> set[str]:
    """The files in which this is called, spelled so."""
    found = set()
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if f"{word}(" in text and any(
            isinstance(node, ast.Call) and ast.unparse(node.func) == word for node in ast.walk(ast.parse(text))
        ):
            found.add(path.relative_to(ROOT).as_posix())
    return found


def test_nobody_else_writes_what_decisions_read_of_the_overlay() -> None:
    assert callers("overlay.replace") == {"engine/corpus/promote.py"}


def test_only_the_overlay_speaks_with_its_own_weight() -> None:
    assert callers("Own") == {"engine/intel/overlay.py"}


SURFACES = {  # every look at a package by a surface goes through one of these
    "engine/world.py", "engine/responder/round.py", "engine/console/scan.py", "engine/console/inventory.py",
    "engine/console/quarantine.py", "engine/console/corpus.py", "engine/corpus/now.py",
}  # fmt: skip


@pytest.mark.parametrize("place", sorted(SURFACES))
def test_every_surface_asks_the_overlay_too(place: str) -> None:
    text = (ROOT / place).read_text(encoding="utf-8")
    assert "overlay.in_force(" in text or "layered(" in text


def test_nothing_judges_a_package_by_a_bare_generation() -> None:
    """Whoever opens a generation itself either makes generations, checks them, or only reads what they say of
    themselves."""
    bare = set()
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "Index.open(bundle.ensure(" in text:
            bare.add(path.relative_to(ROOT).as_posix())
    assert bare <= {
        "engine/catalogs/activation.py", "engine/console/catalogs/sheet.py", "engine/console/catalogs/standing.py",
        "engine/console/diag.py", "engine/intel/overlay.py",
    }  # fmt: skip
