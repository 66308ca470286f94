"""One digest for a release, however it came here; and none for what is not the release."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from bk import __version__
from bk.engine.errors import BkError
from bk.engine.own import artifact
from bk.engine.state import State
from tests.unit.hook_client.stand import ROOT


def source(to: Path) -> Path:
    leave = shutil.ignore_patterns("__pycache__", "bin", "built.json")
    shutil.copytree(ROOT / "bk", to / "bk", ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, to)
    return to


def built(folder: Path, what: str, out: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", what, "-d", str(out)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(out.parent)},
        check=True,
        capture_output=True,
        timeout=120,
    )
    (made,) = out.glob("*.whl" if what == "wheel" else "*.tar.gz")
    return made


def test_wheel_sdist_what_is_installed_and_the_checkout_have_one_digest(tmp_path: Path) -> None:
    folder = source(tmp_path / "source")
    wheel = built(folder, "wheel", tmp_path / "wheel")
    sdist = built(folder, "sdist", tmp_path / "sdist")
    prefix = tmp_path / "prefix"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    more = ["--disable-pip-version-check", "--no-warn-script-location", "--compile", "--prefix", str(prefix)]
    subprocess.run([*words, *more, str(wheel)], check=True, capture_output=True, timeout=120)
    (site,) = prefix.glob("lib/python*/site-packages")
    assert list(site.rglob("*.pyc")), "the installer compiled what it installed"
    found = {artifact.release(str(path)).digest for path in (wheel, sdist, site, site / "bk", folder)}
    assert len(found) == 1
    made = artifact.release(str(wheel))
    assert made.version == __version__
    assert made.files > 100


def test_it_can_be_computed_by_hand(tmp_path: Path) -> None:
    folder = source(tmp_path)
    command = "find bk -type f -not -name '*.pyc' -not -path '*/.*' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
    assert artifact.release(str(folder)).digest == f"sha256:{done.stdout.split()[0]}"


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte": lambda bk: (bk / "text.py").write_bytes((bk / "text.py").read_bytes() + b"\n"),
    "a new file": lambda bk: (bk / "engine" / "more.py").write_text("x = 1\n"),
    "a new file that is no code": lambda bk: (bk / "engine" / "x.json").write_text("{}"),
    "a missing file": lambda bk: (bk / "py.typed").unlink(),
    "a renamed file": lambda bk: (bk / "text.py").rename(bk / "texts.py"),
    "a link": lambda bk: ((bk / "text.py").rename(bk.parent / "t"), (bk / "text.py").symlink_to(bk.parent / "t")),
    "a release key": lambda bk: (bk / "engine" / "own" / "release.pub").write_text("x"),
    "shared code": lambda bk: (bk / "engine" / "_x.so").write_bytes(b"\x7fELF"),
}
NOISE: dict[str, Callable[[Path], object]] = {
    "bytecode": lambda bk: ((bk / "__pycache__").mkdir(), (bk / "__pycache__" / "x.pyc").write_bytes(b"x")),
    "the native client": lambda bk: (
        (bk / "hook/native/bin").mkdir(), (bk / "hook/native/bin/bk-hook").write_bytes(b"x")
    ),
    "the report of its build": lambda bk: (bk / "hook/native/built.json").write_text("{}"),
    "an editor's file": lambda bk: ((bk / ".text.py.swp").write_text("x"), (bk / "text.py~").write_text("x")),
    "other times and modes": lambda bk: (os.utime(bk / "text.py", (1, 1)), (bk / "text.py").chmod(0o600)),
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return source(tmp_path_factory.mktemp("tree"))


@pytest.mark.parametrize("name", [*CHANGES, *NOISE])
def test_only_what_is_part_of_a_release_counts(tree: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(tree / "bk", tmp_path / "bk")
    before = artifact.release(str(tmp_path)).digest
    (CHANGES | NOISE)[name](tmp_path / "bk")
    assert (artifact.release(str(tmp_path)).digest != before) is (name in CHANGES)


def test_what_is_running_is_hashed_once_and_again_after_a_change(
    tree: Path, tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tree / "bk", tmp_path / "bk")
    monkeypatch.setattr(artifact, "PACKAGE", str(tmp_path / "bk"))
    Path(state.root, "own").mkdir()
    first = artifact.known(state)
    assert first == artifact.release(str(tmp_path)).digest
    monkeypatch.setattr(artifact, "installed", lambda: pytest.fail("hashed again"))
    assert artifact.known(state) == first
    monkeypatch.undo()
    monkeypatch.setattr(artifact, "PACKAGE", str(tmp_path / "bk"))
    path = tmp_path / "bk" / "text.py"
    info = path.stat()
    path.write_bytes(path.read_bytes().replace(b"e", b"E", 1))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    second = artifact.known(state)
    assert second != first
    kept = Path(state.root, "own", "tree")
    kept.write_text(kept.read_text().replace(second[7:15], first[7:15]))
    assert artifact.known(state) == second, "a line that does not fit its seal is not believed"


def test_what_is_no_release_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with zipfile.ZipFile(tmp_path / "empty.whl", "w") as archive:
        archive.writestr("other/x.py", "x")
    with zipfile.ZipFile(tmp_path / "twice.whl", "w") as archive:
        archive.writestr("bk/__init__.py", "x")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("bk/__init__.py", "y")
    for name in ("x.txt", "empty.whl", "twice.whl", "", "missing"):
        with pytest.raises(BkError, match=r"no release|no bk|cannot be read"):
            artifact.release(str(tmp_path / name))


def test_the_order_of_files_is_that_of_their_paths() -> None:
    hashes = {"b/x": "1", "a": "2", "b.y": "3"}
    lines = b"2  bk/a\n3  bk/b.y\n1  bk/b/x\n"
    assert artifact.combined(hashes) == f"sha256:{sha256(lines).hexdigest()}"
